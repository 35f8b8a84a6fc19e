-- What is still to be forgotten of erased persons (Article 13), and persons who learn what they earned (Article 17).

-- Files cannot be rolled back with a transaction. An erasure notes here whose refused rows have to go, and the
-- note goes when they are gone: whatever dies in between, somebody does it again.
CREATE TABLE refused_to_forget (
    account_id bigint PRIMARY KEY REFERENCES account,
    noted_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER notes_are_never_changed BEFORE UPDATE ON refused_to_forget FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
GRANT SELECT, INSERT, DELETE ON refused_to_forget TO carbonhui_app;

-- Put one message into the inbox of each of these accounts that is a person's. The accounts are in ascending order;
-- of accounts that are nobody's no row is read but those of the persons between them.
CREATE FUNCTION notifications_announce_credits(p_topic text, p_accounts bigint[], p_credits bigint[]) RETURNS void LANGUAGE sql
SET enable_hashjoin = on SET enable_mergejoin = on AS $$
    WITH told AS MATERIALIZED (
        SELECT account_id FROM person
        WHERE account_id BETWEEN p_accounts[1] AND p_accounts[cardinality(p_accounts)] AND state <> 'erased'
    ), entered AS (
        INSERT INTO announcement (topic, payload, account_id)
        SELECT p_topic, format('{"credits":%s}', given)::json, account_id
        FROM unnest(p_accounts, p_credits) AS g (account_id, given) JOIN told USING (account_id)
        WHERE given > 0 AND EXISTS (SELECT FROM told)
        RETURNING id, account_id
    )
    INSERT INTO inbox_message (account_id, announcement_id) SELECT account_id, id FROM entered
$$;

-- Mint the next accounts of one part (one vintage at one ratio), in one transaction: consume their
-- reductions, add what was carried, make whole credits, carry the rest. Returns the last account that
-- was reached, or null when the part is done. Persons are told what they earned in the same transaction.
-- A person whose account is closed or full keeps everything as carry: nothing is lost, nothing is forced.
CREATE OR REPLACE FUNCTION issuance_mint_next(
    p_mint bigint, p_source bigint, p_vintage integer, p_mg_per_credit bigint, p_first date, p_last date,
    p_day date, p_after bigint, p_upto bigint, p_rows integer,
    OUT o_account bigint, OUT o_persons bigint, OUT o_reductions bigint, OUT o_mg bigint, OUT o_credits bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET work_mem = '64MB' AS $$
DECLARE v_accounts bigint[]; v_whole_mg bigint[]; v_wanted bigint[]; v_given bigint[]; v_carried boolean[];
BEGIN
    SELECT max(account_id) INTO o_account FROM (
        SELECT account_id FROM reduction
        WHERE mint_id IS NULL AND account_id > p_after AND account_id <= p_upto AND day BETWEEN p_first AND p_last
        ORDER BY account_id LIMIT p_rows) next;
    IF o_account IS NULL THEN RETURN; END IF;
    -- Two mints that met in one account would read the same carry; the balance row lets one in at a time.
    PERFORM ledger_lock_receivers(ARRAY(
        SELECT DISTINCT account_id FROM reduction
        WHERE mint_id IS NULL AND account_id > p_after AND account_id <= o_account AND day BETWEEN p_first AND p_last));
    WITH taken AS (
        UPDATE reduction SET mint_id = p_mint
        WHERE mint_id IS NULL AND account_id > p_after AND account_id <= o_account AND day BETWEEN p_first AND p_last
        RETURNING account_id, mg
    ), summed AS (
        SELECT account_id, sum(mg)::bigint AS mg, count(*) AS reductions FROM taken GROUP BY account_id
    ), whole AS (
        SELECT s.account_id, s.reductions, s.mg, s.mg + coalesce(c.carry_mg, 0) AS whole_mg, c.carry_mg IS NOT NULL AS carried
        FROM summed s LEFT JOIN carry c USING (account_id)
    )
    SELECT count(*), sum(reductions), sum(mg), array_agg(account_id ORDER BY account_id),
           array_agg(whole_mg ORDER BY account_id), array_agg(whole_mg / p_mg_per_credit ORDER BY account_id),
           array_agg(carried ORDER BY account_id)
      INTO o_persons, o_reductions, o_mg, v_accounts, v_whole_mg, v_wanted, v_carried FROM whole;
    v_given := ledger_issue_at_most(p_mint, p_source, p_vintage, p_mg_per_credit, p_day, v_accounts, v_wanted);
    UPDATE carry c SET carry_mg = n.whole_mg - n.given * p_mg_per_credit
    FROM unnest(v_accounts, v_whole_mg, v_given, v_carried) AS n (account_id, whole_mg, given, carried)
    WHERE n.carried AND c.account_id = n.account_id;
    INSERT INTO carry SELECT account_id, whole_mg - given * p_mg_per_credit
    FROM unnest(v_accounts, v_whole_mg, v_given, v_carried) AS n (account_id, whole_mg, given, carried) WHERE NOT carried;
    SELECT sum(given) INTO o_credits FROM unnest(v_given) AS given;
    PERFORM notifications_announce_credits('credit.minted', v_accounts, v_given);
END $$;
