-- Every kind of activity (Articles 12, 16): how sure it is, by which approved thresholds a file was judged,
-- and which acts are counted in another mechanism already.

ALTER TABLE batch DROP CONSTRAINT batch_kind_check;
ALTER TABLE batch ADD CONSTRAINT batch_kind_check CHECK (kind IN ('trip', 'reading', 'count'));
ALTER TABLE batch ADD COLUMN evidence text NOT NULL DEFAULT 'verified' CHECK (evidence IN ('verified', 'self_declared'));
ALTER TABLE batch ALTER COLUMN evidence DROP DEFAULT;
-- Rows in the lake: two swipes of a card make one trip. Rewriting the column fires no trigger, so the old rows get theirs.
ALTER TABLE batch ADD COLUMN acts bigint;
ALTER TABLE batch ALTER COLUMN acts TYPE bigint USING accepted;
ALTER TABLE batch ALTER COLUMN acts SET NOT NULL;
ALTER TABLE batch ADD CONSTRAINT acts_come_from_rows CHECK (acts BETWEEN 0 AND accepted AND (acts = 0) = (accepted = 0));
ALTER TABLE batch ADD COLUMN limits jsonb NOT NULL DEFAULT '{}';
ALTER TABLE batch ADD COLUMN lake_form smallint NOT NULL DEFAULT 1;
ALTER TABLE batch ALTER COLUMN lake_form DROP DEFAULT;
ALTER TABLE batch ADD COLUMN profile_digest bytea CHECK (octet_length(profile_digest) = 32);
-- The same bytes are judged again when the profile, the stations or the thresholds have become others.
ALTER TABLE batch DROP CONSTRAINT one_file_one_batch;
ALTER TABLE batch ADD CONSTRAINT one_file_one_batch
    UNIQUE NULLS NOT DISTINCT (profile, digest, stations_digest, profile_digest, limits);

-- Acts that somebody declared to be counted in another mechanism, such as a national market (Article 16).
CREATE TABLE used_elsewhere (
    source      text NOT NULL,
    act         bytea NOT NULL CHECK (octet_length(act) = 16),
    mechanism   text NOT NULL CHECK (mechanism <> ''),
    declared_by text NOT NULL CHECK (declared_by <> ''),
    declared_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, act)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON used_elsewhere FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON used_elsewhere EXECUTE FUNCTION refuse_rewriting();
GRANT SELECT, INSERT ON used_elsewhere TO carbonhui_app;

-- What is believed of one act is decided as every other number is. No trip may last longer than a day,
-- because a late file is compared with the days next to its own.
INSERT INTO policy_name (name, says, lowest, highest)
SELECT format('plausible:%s:%s', mode, what), format(says, mode), lowest, highest
FROM unnest(ARRAY['bicycle', 'metro', 'bus', 'ev']) AS mode,
     (VALUES ('shortest_s', 'Seconds that a %s trip takes at least', 0, 86400),
             ('longest_s', 'Seconds that a %s trip takes at most', 1, 86400),
             ('fastest_km_per_h', 'Straight-line speed in km/h that a %s trip does not pass', 1, 1000)) AS t (what, says, lowest, highest)
UNION ALL
SELECT format('plausible:%s:most_per_day', mode), says, 1, highest
FROM (VALUES ('walking', 'Steps that a person takes in a day at most', 1000000),
             ('clothes', 'Grams of used clothes that a person hands in on a day at most', 100000000),
             ('building', 'Square metres of green building that a person reports for a day at most', 100000000),
             ('electricity', 'Watt-hours that a household uses in a day at most', 1000000000),
             ('water', 'Litres that a household uses in a day at most', 1000000000),
             ('gas', 'Cubic decimetres of gas that a household uses in a day at most', 1000000000)) AS t (mode, says, highest)
UNION ALL
SELECT format('plausible:%s:%s', commodity, what), format(says, commodity), 1, 400
FROM unnest(ARRAY['electricity', 'water', 'gas']) AS commodity,
     (VALUES ('bill_shortest_days', 'Days that a bill for %s covers at least'),
             ('bill_longest_days', 'Days that a bill for %s covers at most')) AS t (what, says)
UNION ALL
SELECT 'one_act_tolerance_s', 'Seconds within which two reports of one mode by two sources are one act', 0, 86400;

CREATE OR REPLACE FUNCTION policy_used_since(p_name_id integer, p_day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_name text := (SELECT name FROM policy_name WHERE id = p_name_id);
BEGIN
    IF v_name = 'exchange_ratio_mg_per_credit' THEN
        RETURN EXISTS (SELECT FROM reduction WHERE mint_id IS NOT NULL AND day >= p_day);
    ELSIF v_name LIKE 'methodology:%' THEN
        RETURN EXISTS (SELECT FROM reduction WHERE methodology = substr(v_name, 13) AND day >= p_day);
    ELSIF v_name LIKE 'plausible:%' THEN
        RETURN EXISTS (SELECT FROM batch WHERE limits ? v_name AND (received_at AT TIME ZONE 'Asia/Shanghai')::date >= p_day);
    ELSIF v_name = 'one_act_tolerance_s' THEN
        RETURN EXISTS (SELECT FROM reduction WHERE day >= p_day);
    ELSE
        RETURN EXISTS (SELECT FROM bill_offset WHERE day >= p_day);
    END IF;
END $$;
