-- Consents per source and purpose (Articles 11, 12). Nobody's activity is processed without one.

-- The words that people consent to. A material version stops the purpose until it is consented to as well.
CREATE TABLE consent_text (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text NOT NULL CHECK (source ~ '^[a-z0-9][a-z0-9._-]{0,59}$'),
    purpose      text NOT NULL CHECK (purpose ~ '^[a-z][a-z_]{0,39}$'),
    version      integer NOT NULL CHECK (version > 0),
    sensitive    boolean NOT NULL,
    material     boolean NOT NULL,
    zh           text NOT NULL CHECK (zh <> ''),
    en           text NOT NULL CHECK (en <> ''),
    digest       bytea NOT NULL,
    published_on date NOT NULL,
    published_by text NOT NULL CHECK (published_by <> ''),
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (source, purpose, version),
    UNIQUE (id, source, purpose),
    -- The digest is of the very words, so that a person's consent names what was read.
    CONSTRAINT digest_is_of_the_words CHECK (
        digest = sha256(convert_to(source || E'\n' || purpose || E'\n' || version || E'\n' || zh || E'\n' || en, 'UTF8')))
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_text FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON consent_text EXECUTE FUNCTION refuse_rewriting();

-- An institution may apply for its own users under an agreement, while that is in force.
CREATE TABLE agreement (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation  bigint NOT NULL REFERENCES organisation,
    source        text NOT NULL CHECK (source ~ '^[a-z0-9][a-z0-9._-]{0,59}$'),
    words         text NOT NULL CHECK (words <> ''),
    digest        bytea NOT NULL,
    valid_from    date NOT NULL,
    valid_to      date, -- the first day on which it no longer holds
    registered_by text NOT NULL CHECK (registered_by <> ''),
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_on      date,
    ended_at      timestamptz,
    ended_by      text,
    UNIQUE (id, source),
    CONSTRAINT digest_is_of_the_agreement CHECK (digest = sha256(convert_to(words, 'UTF8'))),
    CONSTRAINT agreement_ends_after_it_begins CHECK (valid_to > valid_from AND ended_on >= valid_from),
    CONSTRAINT an_ended_agreement_says_by_whom CHECK ((ended_on IS NULL) = (ended_at IS NULL) AND (ended_on IS NULL) = (ended_by IS NULL))
);
CREATE TRIGGER agreements_are_only_ended BEFORE UPDATE ON agreement FOR EACH ROW
    WHEN (OLD.ended_on IS NOT NULL OR NEW.ended_on IS NULL
          OR (OLD.id, OLD.organisation, OLD.source, OLD.words, OLD.digest, OLD.valid_from, OLD.valid_to, OLD.registered_by, OLD.at)
             IS DISTINCT FROM
             (NEW.id, NEW.organisation, NEW.source, NEW.words, NEW.digest, NEW.valid_from, NEW.valid_to, NEW.registered_by, NEW.at))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE DELETE ON agreement FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON agreement EXECUTE FUNCTION refuse_rewriting();

-- One row for each consent that was ever given. Its end is written into it once, and nothing else ever.
CREATE TABLE consent (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id    bigint NOT NULL REFERENCES account,
    text_id       bigint NOT NULL,
    agreement_id  bigint,
    source        text NOT NULL,
    purpose       text NOT NULL,
    covers_from   date NOT NULL, -- the first activity day that may be processed
    given_on      date NOT NULL,
    given_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    channel       text NOT NULL CHECK (channel IN ('app', 'agency', 'guardian', 'demo')),
    given_by      text NOT NULL CHECK (given_by <> ''),
    evidence      text CHECK (evidence <> ''),
    ended_on      date,
    ended_at      timestamptz,
    ended_by      text,
    ended_because text CHECK (ended_because IN ('withdrawn', 'renewed')),
    ending        bigint, -- the order of withdrawals
    FOREIGN KEY (text_id, source, purpose) REFERENCES consent_text (id, source, purpose),
    FOREIGN KEY (agreement_id, source) REFERENCES agreement (id, source),
    CONSTRAINT consent_begins_no_later_than_it_is_given CHECK (covers_from <= given_on),
    CONSTRAINT consent_ends_after_it_is_given CHECK (ended_on >= given_on),
    CONSTRAINT agency_has_an_agreement CHECK ((channel = 'agency') = (agreement_id IS NOT NULL)),
    CONSTRAINT an_end_says_when_why_and_by_whom CHECK (
        (ended_on IS NULL) = (ended_at IS NULL) AND (ended_on IS NULL) = (ended_by IS NULL)
        AND (ended_on IS NULL) = (ended_because IS NULL) AND (ended_on IS NULL) = (ending IS NULL))
) WITH (fillfactor = 90);
-- At most one stands for each account, source and purpose; measuring reads nothing but this index.
CREATE UNIQUE INDEX one_open_consent ON consent (source, purpose, account_id)
    INCLUDE (covers_from, text_id, agreement_id) WHERE ended_at IS NULL;
CREATE INDEX consent_account ON consent (account_id, id);
CREATE INDEX consent_ended ON consent (source, purpose, ending) WHERE ending IS NOT NULL;
CREATE SEQUENCE consent_ending_seq;

CREATE TRIGGER consents_are_only_ended BEFORE UPDATE ON consent FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL
          OR (OLD.id, OLD.account_id, OLD.text_id, OLD.agreement_id, OLD.source, OLD.purpose, OLD.covers_from, OLD.given_on,
              OLD.given_at, OLD.channel, OLD.given_by, OLD.evidence)
             IS DISTINCT FROM
             (NEW.id, NEW.account_id, NEW.text_id, NEW.agreement_id, NEW.source, NEW.purpose, NEW.covers_from, NEW.given_on,
              NEW.given_at, NEW.channel, NEW.given_by, NEW.evidence))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE DELETE ON consent FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON consent EXECUTE FUNCTION refuse_rewriting();

-- Sensitive data (Article 28 of the Personal Information Protection Law) is consented to for each person apart;
-- whoever applies for others keeps that person's own consent and names it.
CREATE FUNCTION consent_is_proved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM given g JOIN consent_text t ON t.id = g.text_id
               WHERE t.sensitive AND g.channel = 'agency' AND g.evidence IS NULL) THEN
        RAISE EXCEPTION 'an application for others about sensitive data names the evidence of their own consent' USING ERRCODE = 'CH003';
    END IF;
    IF EXISTS (SELECT FROM given WHERE channel = 'demo') AND NOT EXISTS (SELECT FROM deployment WHERE profile = 'demo') THEN
        RAISE EXCEPTION 'consents of the demonstration are given in the demonstration only' USING ERRCODE = 'CH003';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_is_proved AFTER INSERT ON consent REFERENCING NEW TABLE AS given
    FOR EACH STATEMENT EXECUTE FUNCTION consent_is_proved();

-- From when to before when, and for which activity days, each consent stood. A material version of the text and
-- the end of an agreement end it as a withdrawal does.
CREATE VIEW consent_span AS
SELECT c.id, c.account_id, c.source, c.purpose, c.covers_from, c.given_at,
       least(c.ended_at, t.stopped_at, a.stopped_at) AS ended_at,
       least(c.ended_on, t.stopped_on, a.last_day) AS last_day
FROM consent c
JOIN (SELECT t.id, n.at AS stopped_at, n.published_on AS stopped_on
      FROM consent_text t LEFT JOIN LATERAL (
          SELECT n.at, n.published_on FROM consent_text n
          WHERE n.source = t.source AND n.purpose = t.purpose AND n.version > t.version AND n.material
          ORDER BY n.version LIMIT 1) n ON true) t ON t.id = c.text_id
LEFT JOIN (SELECT id, least(ended_at, valid_to::timestamp AT TIME ZONE 'Asia/Shanghai') AS stopped_at,
                  least(ended_on, valid_to) - 1 AS last_day FROM agreement) a ON a.id = c.agreement_id;

GRANT SELECT, INSERT ON consent_text, agreement, consent TO carbonhui_app;
GRANT SELECT ON consent_span TO carbonhui_app;
GRANT UPDATE (ended_on, ended_at, ended_by) ON agreement TO carbonhui_app;
GRANT UPDATE (ended_on, ended_at, ended_by, ended_because, ending) ON consent TO carbonhui_app;
GRANT USAGE ON SEQUENCE consent_ending_seq TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;

-- What was measured before this step knew no consents.
CREATE TABLE consent_since (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    reduction bigint NOT NULL
);
INSERT INTO consent_since (reduction) SELECT coalesce(max(id), 0) FROM reduction;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_since FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON consent_since EXECUTE FUNCTION refuse_rewriting();
GRANT SELECT ON consent_since TO carbonhui_app;

-- Who withdraws while their source is measured is taken out again before the measuring is committed. Only rows
-- that this very transaction wrote, which nobody ever saw, can be taken back; nobody has the right to remove others.
DROP TRIGGER append_only ON reduction;
CREATE TRIGGER append_only BEFORE DELETE ON reduction FOR EACH ROW
    WHEN (OLD.xmin IS DISTINCT FROM pg_current_xact_id()::xid) EXECUTE FUNCTION refuse_rewriting();
DROP TRIGGER append_only ON measured_period;
CREATE TRIGGER append_only BEFORE UPDATE ON measured_period FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_removed BEFORE DELETE ON measured_period FOR EACH ROW
    WHEN (OLD.xmin IS DISTINCT FROM pg_current_xact_id()::xid) EXECUTE FUNCTION refuse_rewriting();

CREATE FUNCTION quantification_take_back(
    p_accounts bigint[], p_commodity text,
    OUT o_persons bigint, OUT o_mg bigint, OUT o_measured bigint, OUT o_zero bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH gone AS (
        DELETE FROM reduction
        WHERE account_id = ANY (p_accounts) AND mint_id IS NULL AND xmin = pg_current_xact_id()::xid
        RETURNING account_id, mg
    )
    SELECT count(DISTINCT account_id), coalesce(sum(mg), 0) INTO o_persons, o_mg FROM gone;
    WITH gone AS (
        DELETE FROM measured_period m USING unnest(p_accounts) AS w (account_id)
        WHERE household_key(m.account_id, m.commodity) && household_key(w.account_id, p_commodity)
          AND m.account_id = w.account_id AND m.commodity = p_commodity AND m.xmin = pg_current_xact_id()::xid
        RETURNING m.mg
    )
    SELECT count(*) FILTER (WHERE mg > 0), count(*) FILTER (WHERE mg = 0) INTO o_measured, o_zero FROM gone;
END $$;
REVOKE ALL ON FUNCTION quantification_take_back(bigint[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION quantification_take_back(bigint[], text) TO carbonhui_app;

-- A person asks for their own reductions. Each measuring and each mint writes people in the order of their accounts, so
-- a few pages of each hold one person's; a whole index would be paid for by every mint.
CREATE INDEX reduction_account ON reduction USING brin (account_id) WITH (pages_per_range = 8, autosummarize = on);
