-- What the API remembers of requests: answers under their keys, and rates.

-- One answer for each key of each caller. Neither the key nor the answer can be read here: the key is a digest,
-- because clients put all sorts of things into it, and the answer is sealed, because it may hold tokens.
CREATE TABLE api_answer (
    scope   text COLLATE "C" NOT NULL CHECK (scope <> ''),
    id      bytea NOT NULL CHECK (octet_length(id) = 32),
    request bytea NOT NULL CHECK (octet_length(request) = 32),
    sealed  bytea NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    -- The digest is of the scope and the key, so it alone would do; in this order erasure finds a caller's answers.
    PRIMARY KEY (scope, id)
);
CREATE INDEX api_answer_by_age ON api_answer USING brin (at);

-- An answer is given once and never changed; it may be forgotten.
CREATE TRIGGER answered_once BEFORE UPDATE ON api_answer FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
GRANT SELECT, INSERT, DELETE ON api_answer TO carbonhui_app;

-- Begins a request under a key: NULL when it is the first, no bytes while the first is running,
-- and otherwise the digest of the first request and its sealed answer. The lock lasts as long as the transaction,
-- and each statement of this function sees what was committed before it, so a twin never slips in between.
CREATE FUNCTION api_begin(p_scope text, p_id bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    v_found bytea;
BEGIN
    IF NOT pg_try_advisory_xact_lock(('x' || encode(substring(p_id FOR 8), 'hex'))::bit(64)::bigint) THEN
        RETURN ''::bytea;
    END IF;
    SELECT request || sealed INTO v_found FROM api_answer WHERE scope = p_scope AND id = p_id;
    RETURN v_found;
END $$;

-- Keeps its answer. A function, because its plan is made once for each connection.
CREATE FUNCTION api_keep(p_scope text, p_id bytea, p_request bytea, p_sealed bytea) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO api_answer (scope, id, request, sealed) VALUES (p_scope, p_id, p_request, p_sealed);
END $$;

-- How many requests each caller was allowed in the running minute. Lost in a crash, which costs nothing.
CREATE UNLOGGED TABLE rate_lease (
    scope  text COLLATE "C" PRIMARY KEY,
    minute bigint NOT NULL,
    leased bigint NOT NULL CHECK (leased >= 0)
);
CREATE INDEX rate_lease_by_minute ON rate_lease (minute);
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_lease TO carbonhui_app;

-- Leases up to p_asked requests out of this minute's p_most: how many were granted, how many are left then,
-- and how many milliseconds are left of the minute, by the database's clock.
CREATE FUNCTION lease_rate(p_scope text, p_most bigint, p_asked bigint, OUT granted bigint, OUT remaining bigint, OUT left_ms bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_now    double precision := extract(epoch FROM clock_timestamp());
    v_minute bigint := floor(v_now / 60);
    v_before bigint;
BEGIN
    INSERT INTO rate_lease AS r (scope, minute, leased) VALUES (p_scope, v_minute, 0)
    ON CONFLICT (scope) DO UPDATE SET leased = 0, minute = v_minute WHERE r.minute < v_minute;
    SELECT leased INTO v_before FROM rate_lease WHERE scope = p_scope FOR UPDATE;
    granted := greatest(0, least(p_asked, p_most - v_before));
    IF granted > 0 THEN
        UPDATE rate_lease SET leased = v_before + granted WHERE scope = p_scope;
    END IF;
    remaining := greatest(0, p_most - v_before - granted);
    left_ms := greatest(1, ((v_minute + 1) * 60 - v_now) * 1000);
END $$;

-- Whether a server and the store are of one release is asked by /readyz.
GRANT SELECT ON alembic_version TO carbonhui_app;
