-- Who decided what (Articles 6, 14, 15), and the dated values that those decisions put in force.

CREATE TABLE matter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,
    title       text NOT NULL,
    proposed_by text NOT NULL CHECK (proposed_by <> ''),
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (id, proposed_by)
);

CREATE TABLE decision (
    matter_id       bigint NOT NULL,
    body            text NOT NULL CHECK (body IN ('expert_committee', 'city', 'province')),
    approved        boolean NOT NULL,
    decided_by      text NOT NULL CHECK (decided_by <> ''),
    document_number text NOT NULL CHECK (document_number <> ''),
    proposed_by     text NOT NULL,
    decided_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (matter_id, body),
    FOREIGN KEY (matter_id, proposed_by) REFERENCES matter (id, proposed_by),
    CONSTRAINT nobody_approves_their_own CHECK (decided_by <> proposed_by),
    CONSTRAINT nobody_speaks_for_two_bodies UNIQUE (matter_id, decided_by)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON matter FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON decision FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON matter FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON decision FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- Committee, city, province, in this order (Article 14).
CREATE FUNCTION decision_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(440114, NEW.matter_id::integer); -- two bodies at once decide one after the other
    IF (SELECT count(*) FROM decision WHERE matter_id = NEW.matter_id AND approved)
       <> array_position(ARRAY['expert_committee', 'city', 'province'], NEW.body) - 1
       OR EXISTS (SELECT FROM decision WHERE matter_id = NEW.matter_id AND NOT approved) THEN
        RAISE EXCEPTION '%', jsonb_build_object('matter', NEW.matter_id, 'body', NEW.body)
            USING ERRCODE = 'CH002', HINT = 'decision_out_of_order';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decision_in_order BEFORE INSERT ON decision FOR EACH ROW EXECUTE FUNCTION decision_in_order();

-- A number, or a methodology's fingerprint, in force from a day on.
CREATE TABLE policy_name (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL UNIQUE,
    says    text NOT NULL,
    lowest  bigint,
    highest bigint
);
INSERT INTO policy_name (name, says, lowest, highest) VALUES
    ('exchange_ratio_mg_per_credit', 'Milligrams of CO2e avoided that make one credit (Article 14)', 1, 1000000000),
    ('par_fen_per_1000_credits', 'Fen that a thousand credits are worth in public fees and at the year-end (Article 19)', 1, 1000000000),
    ('offset_cap_percent', 'Per cent of a public bill that credits may pay (Article 19)', 0, 10);

CREATE TABLE policy_value (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name_id       integer NOT NULL REFERENCES policy_name,
    number        bigint,
    fingerprint   text CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    proposed      daterange NOT NULL CHECK (NOT isempty(proposed) AND lower(proposed) IS NOT NULL),
    source        text NOT NULL CHECK (source <> ''),
    demonstration boolean NOT NULL,
    matter_id     bigint NOT NULL UNIQUE REFERENCES matter,
    CONSTRAINT one_kind_of_value CHECK ((number IS NULL) <> (fingerprint IS NULL))
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON policy_value FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON policy_value FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

CREATE FUNCTION policy_within_bounds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE n policy_name;
BEGIN
    SELECT * INTO n FROM policy_name WHERE id = NEW.name_id;
    IF (n.lowest IS NULL) <> (NEW.number IS NULL) OR NEW.number NOT BETWEEN n.lowest AND n.highest THEN
        RAISE EXCEPTION 'a value of % is a number from % to %', n.name, n.lowest, n.highest USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER policy_within_bounds BEFORE INSERT ON policy_value FOR EACH ROW EXECUTE FUNCTION policy_within_bounds();

-- What is in force. A value that follows another ends it, so the former's last day is set once, here.
CREATE TABLE policy_in_force (
    value_id bigint PRIMARY KEY REFERENCES policy_value,
    name_id  integer NOT NULL REFERENCES policy_name,
    valid    daterange NOT NULL CHECK (NOT isempty(valid)),
    CONSTRAINT no_two_values_on_one_day EXCLUDE USING gist (int4range(name_id, name_id, '[]') WITH &&, valid WITH &&)
);

-- Only what all three bodies approved comes into force, and demonstration values only in the demonstration.
CREATE FUNCTION policy_needs_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v policy_value; v_profile text := (SELECT profile FROM deployment);
BEGIN
    SELECT * INTO v FROM policy_value WHERE id = NEW.value_id;
    IF NEW.name_id <> v.name_id OR lower(NEW.valid) <> lower(v.proposed) THEN
        RAISE EXCEPTION 'a value comes into force under its own name, from its own day' USING ERRCODE = 'CH003';
    END IF;
    IF (SELECT count(*) FROM decision WHERE matter_id = v.matter_id AND approved) <> 3 THEN
        RAISE EXCEPTION '%', jsonb_build_object('matter', v.matter_id) USING ERRCODE = 'CH002', HINT = 'not_approved';
    END IF;
    IF v.demonstration AND v_profile IS DISTINCT FROM 'demo' THEN
        RAISE EXCEPTION '%', jsonb_build_object('matter', v.matter_id, 'profile', v_profile)
            USING ERRCODE = 'CH002', HINT = 'demonstration_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER policy_needs_approval BEFORE INSERT ON policy_in_force FOR EACH ROW EXECUTE FUNCTION policy_needs_approval();

-- Whether anybody was credited by a value on a day or later: then what it was on those days stays so.
CREATE FUNCTION policy_used_since(p_name_id integer, p_day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_name text := (SELECT name FROM policy_name WHERE id = p_name_id);
BEGIN
    IF v_name = 'exchange_ratio_mg_per_credit' THEN
        RETURN EXISTS (SELECT FROM reduction WHERE mint_id IS NOT NULL AND day >= p_day);
    ELSIF v_name LIKE 'methodology:%' THEN
        RETURN EXISTS (SELECT FROM reduction WHERE methodology = substr(v_name, 13) AND day >= p_day);
    ELSE
        RETURN EXISTS (SELECT FROM bill_offset WHERE day >= p_day);
    END IF;
END $$;

-- The one change that a value in force may see: an open end gets its last day when another follows.
CREATE FUNCTION policy_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.value_id = NEW.value_id AND OLD.name_id = NEW.name_id AND upper(OLD.valid) IS NULL
       AND lower(OLD.valid) = lower(NEW.valid) AND upper(NEW.valid) IS NOT NULL THEN
        IF policy_used_since(NEW.name_id, upper(NEW.valid)) THEN
            RAISE EXCEPTION '%', jsonb_build_object('day', upper(NEW.valid)) USING ERRCODE = 'CH002', HINT = 'value_of_the_past';
        END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a value in force is never edited, only followed by another' USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON policy_in_force FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER policy_only_ends BEFORE UPDATE OR DELETE ON policy_in_force FOR EACH ROW EXECUTE FUNCTION policy_only_ends();

GRANT SELECT, INSERT ON matter, decision, policy_name, policy_value, policy_in_force TO carbonhui_app;
GRANT UPDATE (valid) ON policy_in_force TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
