-- The vault (Articles 11-12): data keys, personal fields, blind indexes, the record of reads.

-- Somebody with personal data: a number without meaning, which other rooms refer to. The row stays for good;
-- erased_at is the tombstone by which an old dump of keys cannot bring the person back.
CREATE TABLE data_subject (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_at timestamptz
);

-- The key of one subject's fields, wrapped by a key-encryption key that is not in this database.
-- Nothing refers to this table: it is dumped apart from the data, and its rows are destroyed.
CREATE TABLE data_key (
    subject   bigint PRIMARY KEY REFERENCES data_subject,
    wrapped   bytea NOT NULL CHECK (octet_length(wrapped) >= 32),
    kek       text NOT NULL CHECK (kek <> ''),
    algorithm text NOT NULL CHECK (algorithm <> ''),
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70); -- a rotation rewrites every row in its own page

-- Every personal field of the product, and nothing personal stands anywhere else.
CREATE TABLE personal_field (
    subject   bigint NOT NULL REFERENCES data_subject,
    field     text NOT NULL CHECK (field ~ '^[a-z0-9_.:-]{1,60}$'),
    sealed    bytea NOT NULL CHECK (octet_length(sealed) >= 28),
    algorithm text NOT NULL CHECK (algorithm <> ''),
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject, field)
);

-- Whom a mobile number or an identity number leads to, without the number.
CREATE TABLE personal_index (
    scheme      text NOT NULL CHECK (scheme ~ '^[a-z0-9][a-z0-9_.:-]{0,59}$'),
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    key_version integer NOT NULL CHECK (key_version > 0),
    algorithm   text NOT NULL CHECK (algorithm <> ''),
    subject     bigint NOT NULL REFERENCES data_subject,
    PRIMARY KEY (scheme, key_version, digest),
    CONSTRAINT one_text_per_subject UNIQUE (subject, scheme, key_version)
);

-- Who read what of whom, and why; the person may see it.
CREATE TABLE personal_read (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject bigint NOT NULL REFERENCES data_subject,
    fields  text[] NOT NULL CHECK (cardinality(fields) > 0),
    actor   text NOT NULL CHECK (actor <> '' AND length(actor) <= 200),
    role    text NOT NULL CHECK (role <> '' AND length(role) <= 200),
    purpose text NOT NULL CHECK (purpose <> '' AND length(purpose) <= 200),
    request text CHECK (request <> '' AND length(request) <= 200),
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX personal_read_subject ON personal_read (subject, id);

-- Keys that wrap and index nothing new any more, by name: 'kek 1.0a1b2c3d', 'index mobile 1'.
CREATE TABLE retired_key (
    name       text PRIMARY KEY CHECK (name <> ''),
    retired_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Nothing is entered for an erased subject: whoever writes waits for an erasure that is going on, and the other way round.
-- The verbs lock the subject's row before anything else of it, so that they never wait for each other in a ring.
CREATE FUNCTION refuse_the_erased() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_erased_at timestamptz;
BEGIN
    SELECT erased_at INTO v_erased_at FROM data_subject WHERE id = NEW.subject FOR SHARE;
    IF v_erased_at IS NOT NULL THEN
        RAISE EXCEPTION '%', jsonb_build_object('subject', NEW.subject) USING ERRCODE = 'CH002', HINT = 'subject_erased';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER not_of_the_erased BEFORE INSERT ON data_key FOR EACH ROW EXECUTE FUNCTION refuse_the_erased();
CREATE TRIGGER not_of_the_erased BEFORE INSERT OR UPDATE ON personal_field FOR EACH ROW EXECUTE FUNCTION refuse_the_erased();
CREATE TRIGGER not_of_the_erased BEFORE INSERT OR UPDATE ON personal_index FOR EACH ROW EXECUTE FUNCTION refuse_the_erased();

-- A process that has not yet seen the new key comes too late with the old one and begins again (40001).
CREATE FUNCTION refuse_retired_key(p_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(440120, hashtext(p_name));
    IF EXISTS (SELECT FROM retired_key WHERE name = p_name) THEN
        RAISE EXCEPTION 'the key % was retired', p_name USING ERRCODE = '40001';
    END IF;
END $$;
CREATE FUNCTION refuse_retired_kek() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_retired_key('kek ' || NEW.kek);
    RETURN NEW;
END $$;
CREATE FUNCTION refuse_retired_index_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_retired_key('index ' || NEW.scheme || ' ' || NEW.key_version);
    RETURN NEW;
END $$;
CREATE TRIGGER not_by_a_retired_key BEFORE INSERT OR UPDATE ON data_key FOR EACH ROW EXECUTE FUNCTION refuse_retired_kek();
CREATE TRIGGER not_by_a_retired_key BEFORE INSERT OR UPDATE ON personal_index FOR EACH ROW EXECUTE FUNCTION refuse_retired_index_key();

-- An erasure is for good.
CREATE TRIGGER subjects_are_only_erased BEFORE UPDATE ON data_subject FOR EACH ROW
    WHEN (OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL
          OR (OLD.id, OLD.begun_at) IS DISTINCT FROM (NEW.id, NEW.begun_at))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER subjects_are_never_removed BEFORE DELETE ON data_subject FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON data_subject FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON personal_read FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON personal_read FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON retired_key FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON retired_key FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON data_subject, personal_read, retired_key TO carbonhui_app;
GRANT SELECT, INSERT, DELETE ON data_key, personal_field, personal_index TO carbonhui_app;
GRANT UPDATE (erased_at) ON data_subject TO carbonhui_app;
GRANT UPDATE (wrapped, kek, algorithm) ON data_key TO carbonhui_app;
GRANT UPDATE (sealed, algorithm, at) ON personal_field TO carbonhui_app;
GRANT USAGE ON SEQUENCE data_subject_id_seq, personal_read_id_seq TO carbonhui_app;
