-- Measuring by mode and by household (Article 16).

-- A batch may bring acts of several modes; each mode of it is measured once, whatever the methodology.
ALTER TABLE measurement RENAME COLUMN methodology TO mode;
ALTER TABLE measurement ADD COLUMN capped_mg bigint NOT NULL DEFAULT 0 CHECK (capped_mg >= 0);

-- Each day of a household's electricity, water or gas is measured once, whichever source, rule or meter it came by.
DROP TABLE measured_month;

CREATE FUNCTION household_key(p_account_id bigint, p_commodity text) RETURNS int8range
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT int8range(k, k, '[]')
      FROM (SELECT p_account_id * 4 + CASE p_commodity WHEN 'electricity' THEN 0 WHEN 'water' THEN 1 ELSE 2 END AS k) AS keyed
$$;

CREATE TABLE measured_period (
    account_id  bigint NOT NULL,
    commodity   text NOT NULL CHECK (commodity IN ('electricity', 'water', 'gas')),
    first_day   date NOT NULL,
    last_day    date NOT NULL,
    mg          bigint NOT NULL CHECK (mg >= 0),
    source      text NOT NULL,
    methodology text NOT NULL,
    fingerprint text NOT NULL,
    batch_id    bigint NOT NULL REFERENCES batch,
    measured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT period_ends_after_it_begins CHECK (last_day >= first_day),
    CONSTRAINT one_use_counts_once EXCLUDE USING gist
        (household_key(account_id, commodity) WITH &&, daterange(first_day, last_day, '[]') WITH &&)
);
CREATE INDEX measured_period_commodity ON measured_period (commodity);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON measured_period FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON measured_period EXECUTE FUNCTION refuse_rewriting();

-- What was credited in a day, month or year is asked for by caps; days come nearly in order, so this costs little.
CREATE INDEX reduction_day ON reduction USING brin (day) WITH (pages_per_range = 32, autosummarize = on);

GRANT SELECT, INSERT ON measured_period TO carbonhui_app;
