-- Making credits out of reductions (Article 17).

CREATE TABLE mint (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    through     date NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);

-- What does not fill a credit stays with the person, to the milligram.
CREATE TABLE carry (
    account_id bigint PRIMARY KEY,
    carry_mg   bigint NOT NULL,
    CONSTRAINT nothing_minted_ahead CHECK (carry_mg >= 0)
) WITH (fillfactor = 70);

-- Mint the next accounts of one part (one vintage at one ratio), in one transaction: consume their
-- reductions, add what was carried, make whole credits, carry the rest. Returns the last account that
-- was reached, or null when the part is done.
-- A person whose account is closed or full keeps everything as carry: nothing is lost, nothing is forced.
CREATE FUNCTION issuance_mint_next(
    p_mint bigint, p_source bigint, p_vintage integer, p_mg_per_credit bigint, p_first date, p_last date,
    p_day date, p_after bigint, p_upto bigint, p_rows integer,
    OUT o_account bigint, OUT o_persons bigint, OUT o_reductions bigint, OUT o_mg bigint, OUT o_credits bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET work_mem = '64MB' AS $$
DECLARE v_accounts bigint[]; v_credits bigint[];
BEGIN
    SELECT max(account_id) INTO o_account FROM (
        SELECT account_id FROM reduction
        WHERE mint_id IS NULL AND account_id > p_after AND account_id <= p_upto AND day BETWEEN p_first AND p_last
        ORDER BY account_id LIMIT p_rows) next;
    IF o_account IS NULL THEN RETURN; END IF;
    -- Two mints that met in one account would read the same carry; the balance row lets one in at a time.
    PERFORM 1 FROM balance WHERE account_id IN (
        SELECT account_id FROM reduction
        WHERE mint_id IS NULL AND account_id > p_after AND account_id <= o_account AND day BETWEEN p_first AND p_last)
    ORDER BY account_id FOR NO KEY UPDATE;
    WITH taken AS (
        UPDATE reduction SET mint_id = p_mint
        WHERE mint_id IS NULL AND account_id > p_after AND account_id <= o_account AND day BETWEEN p_first AND p_last
        RETURNING account_id, mg
    ), summed AS (
        SELECT account_id, sum(mg)::bigint AS mg, count(*) AS reductions FROM taken GROUP BY account_id
    ), waiting AS (
        SELECT s.*, b.receives, b.holding_max - b.posted AS room,
               s.mg + coalesce((SELECT c.carry_mg FROM carry c WHERE c.account_id = s.account_id), 0) AS whole_mg
        FROM summed s JOIN balance b USING (account_id)
    ), decided AS MATERIALIZED (
        SELECT *, CASE WHEN receives
                       THEN least(whole_mg / p_mg_per_credit, greatest(coalesce(room, 9007199254740991), 0))
                       ELSE 0 END AS credits
        FROM waiting
    ), kept AS (
        INSERT INTO carry SELECT account_id, whole_mg - credits * p_mg_per_credit FROM decided
        ON CONFLICT (account_id) DO UPDATE SET carry_mg = excluded.carry_mg
    )
    SELECT count(*), sum(reductions), sum(mg),
           array_agg(account_id ORDER BY account_id) FILTER (WHERE credits > 0),
           array_agg(credits ORDER BY account_id) FILTER (WHERE credits > 0)
      INTO o_persons, o_reductions, o_mg, v_accounts, v_credits FROM decided;
    o_credits := 0;
    IF v_accounts IS NOT NULL THEN
        o_credits := ledger_issue(p_mint, p_source, p_vintage, p_mg_per_credit, p_day, v_accounts, v_credits);
    END IF;
END $$;

GRANT SELECT, INSERT, UPDATE ON mint, carry TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
