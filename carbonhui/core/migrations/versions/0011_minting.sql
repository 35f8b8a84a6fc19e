-- Minting in half the work (Article 17): fewer rows and index entries for each person, nothing promised less.

-- The next serial of an account's own reel of a hundred stands in its balance row, which a mint writes anyway.
-- A multiple of a hundred says that the reel is used up.
ALTER TABLE balance ADD COLUMN next_serial bigint;
UPDATE balance b SET next_serial = r.next FROM reel r WHERE r.account_id = b.account_id;
DROP TABLE reel;

-- Room to change every row of a page where it stands.
ALTER TABLE balance SET (fillfactor = 50);
ALTER TABLE carry SET (fillfactor = 50);

-- Nothing asks for the reductions of a batch, and each mint paid for that index.
DROP INDEX reduction_batch;

-- After the row and not before it, so that a row is not locked once more to be looked at.
DROP TRIGGER reductions_are_only_minted ON reduction;
CREATE TRIGGER reductions_are_only_minted AFTER UPDATE ON reduction FOR EACH ROW
    WHEN (OLD.mint_id IS NOT NULL OR NEW.mint_id IS NULL OR OLD.id <> NEW.id OR OLD.account_id <> NEW.account_id
          OR OLD.batch_id <> NEW.batch_id OR OLD.mg <> NEW.mg OR OLD.day <> NEW.day
          OR OLD.methodology <> NEW.methodology OR OLD.fingerprint <> NEW.fingerprint)
    EXECUTE FUNCTION refuse_rewriting();

-- Mint up to so many credits of one vintage to each account, and tell how many: an account that is closed gets
-- none, one near its holding limit what there is room for. Transfers from the source, serials out of each
-- account's reel, provenance, blocks and balances. The accounts are given once each, in ascending order, and
-- the caller has locked their balance rows in an earlier statement, so that what is read here is what is true.
CREATE FUNCTION ledger_issue_at_most(
    p_mint bigint, p_source bigint, p_vintage integer, p_mg_per_credit bigint, p_day date,
    p_accounts bigint[], p_credits bigint[]
) RETURNS bigint[] LANGUAGE plpgsql
-- Planned anew each time: a plan made while the tables were empty would be kept while they grow.
SET plan_cache_mode = force_custom_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET work_mem = '64MB' AS $$
DECLARE
    v_sequence regclass := format('serial_%s', p_vintage)::regclass;
    v_year bigint := p_vintage % 100 * 1000000000000;
    v_given bigint[]; v_total bigint; v_settled bigint; v_due bigint;
BEGIN
    -- No two of these intermediate results are joined with each other, so each step is one pass of index reads.
    WITH asked AS (
        SELECT a.account_id, b.ctid AS place, b.posted > 0 AS owns, b.next_serial,
               CASE WHEN b.receives
                    THEN least(a.credits, greatest(coalesce(b.holding_max - b.posted, a.credits), 0)) ELSE 0 END AS credits,
               -- what is left of the reel, when it is one of this vintage
               CASE WHEN b.next_serial / 1000000000000 = p_vintage % 100 THEN (100 - b.next_serial % 100) % 100 ELSE 0 END AS reel
        FROM unnest(p_accounts, p_credits) AS a (account_id, credits) LEFT JOIN balance b USING (account_id)
    ), due AS MATERIALIZED (
        SELECT account_id, place, owns, next_serial, credits, least(credits, reel) AS from_reel, credits - least(credits, reel) AS more,
               CASE WHEN credits > 0 THEN nextval('transfer_id_seq') END AS transfer_id,
               -- most often one reel is enough
               CASE WHEN credits - least(credits, reel) BETWEEN 1 AND 100 THEN v_year + nextval(v_sequence) END AS drawn
        FROM asked
    ), reels AS MATERIALIZED (
        SELECT account_id, place, owns, credits, transfer_id, nth, v_year + nextval(v_sequence) AS first,
               least(100, more - (nth - 1) * 100) AS used, nth = (more + 99) / 100 AS newest
        FROM due, generate_series(1, (more + 99) / 100) AS nth WHERE more > 100
    ), run AS (
        SELECT account_id, owns, transfer_id, next_serial AS first, next_serial + from_reel - 1 AS last FROM due WHERE from_reel > 0
        UNION ALL
        SELECT account_id, owns, transfer_id, drawn, drawn + more - 1 FROM due WHERE drawn IS NOT NULL
        UNION ALL -- reels drawn one after the other make one run, of at most a hundred reels
        SELECT account_id, owns, transfer_id, min(first), max(first + used - 1) FROM reels
        GROUP BY account_id, owns, transfer_id, first - nth * 100, (nth - 1) / 100
    ), piece AS MATERIALIZED (
        -- "+ 0" keeps the planner off the index of all serials: an account's own few blocks are what is read.
        SELECT account_id, transfer_id, first, last,
               CASE WHEN owns THEN (SELECT b.first FROM block b
                                    WHERE b.account_id = run.account_id AND b.last = run.first - 1
                                      AND run.last - b.first < 10000 AND b.first + 0 >= v_year) END AS grows
        FROM run
    ), made AS (
        INSERT INTO transfer (id, group_id, debit, credit, amount, business_date, asset, purpose)
        SELECT transfer_id, transfer_id, p_source, account_id, credits, p_day, 1, 1 FROM due WHERE credits > 0
    ), kept AS (
        INSERT INTO issue SELECT first, last, account_id, transfer_id, p_mint, p_mg_per_credit FROM piece
    ), grown AS (
        UPDATE block b SET last = p.last FROM piece p WHERE p.grows IS NOT NULL AND b.account_id = p.account_id AND b.first = p.grows
    ), new AS (
        INSERT INTO block SELECT account_id, first, last FROM piece WHERE grows IS NULL
    ), settled AS (
        UPDATE balance b SET posted = b.posted + s.credits, next_serial = s.next_serial
        FROM (SELECT place, credits, coalesce(drawn + more, next_serial + from_reel) AS next_serial
              FROM due WHERE credits > 0 AND more <= 100
              UNION ALL
              SELECT place, credits, first + used FROM reels WHERE newest) s
        WHERE b.ctid = s.place
        RETURNING 1
    )
    SELECT array_agg(credits ORDER BY account_id), sum(credits), count(*) FILTER (WHERE credits > 0), (SELECT count(*) FROM settled)
      INTO v_given, v_total, v_due, v_settled FROM due;
    IF v_settled <> v_due THEN
        RAISE EXCEPTION 'only % of % balances were locked', v_settled, v_due USING ERRCODE = 'CH003';
    END IF;
    IF v_total > 0 THEN
        INSERT INTO incoming VALUES (p_source, -v_total);
    END IF;
    RETURN v_given;
END $$;

-- Wait for the balance rows of receivers, in the order of their ids.
CREATE FUNCTION ledger_lock_receivers(p_accounts bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM balance WHERE account_id = ANY (p_accounts) ORDER BY account_id FOR NO KEY UPDATE;
END $$;

-- Mint exactly so many credits to each account, or nothing to anybody.
CREATE OR REPLACE FUNCTION ledger_issue(
    p_mint bigint, p_source bigint, p_vintage integer, p_mg_per_credit bigint, p_day date,
    p_accounts bigint[], p_credits bigint[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v_given bigint[]; v_able bigint; v_total bigint;
BEGIN
    PERFORM ledger_lock_receivers(p_accounts);
    v_given := ledger_issue_at_most(p_mint, p_source, p_vintage, p_mg_per_credit, p_day, p_accounts, p_credits);
    SELECT count(*) FILTER (WHERE given = asked), sum(given) INTO v_able, v_total FROM unnest(v_given, p_credits) AS g (given, asked);
    IF v_able <> cardinality(p_accounts) THEN
        RAISE EXCEPTION 'only % of % accounts can receive', v_able, cardinality(p_accounts) USING ERRCODE = 'CH003';
    END IF;
    RETURN v_total;
END $$;

-- Mint the next accounts of one part (one vintage at one ratio), in one transaction: consume their
-- reductions, add what was carried, make whole credits, carry the rest. Returns the last account that
-- was reached, or null when the part is done.
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
END $$;
