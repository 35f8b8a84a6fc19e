-- Neutralisation (Article 22): what was emitted, what was retired against it, and the certificate of both.

-- How many credits of an account avoid at least so many milligrams, walked as `ledger_move` takes them:
-- the oldest run first, and of the run that is needed in part its tail. Stops where it is enough.
CREATE FUNCTION ledger_credits_covering(p_account bigint, p_mg bigint, OUT o_credits bigint, OUT o_mg bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE b record; i record; v_count bigint;
BEGIN
    o_credits := 0; o_mg := 0;
    FOR b IN SELECT first, last FROM block WHERE account_id = p_account ORDER BY first LOOP
        FOR i IN
            SELECT greatest(issue.first, b.first) AS first, least(issue.last, b.last) AS last, mg_per_credit FROM issue
            WHERE issue.first BETWEEN b.first - 9999 AND b.last AND issue.last >= b.first ORDER BY issue.first DESC
        LOOP
            -- Rounded up: what is left over of the last credit is not given back.
            v_count := least(i.last - i.first + 1, (p_mg - o_mg + i.mg_per_credit - 1) / i.mg_per_credit);
            o_credits := o_credits + v_count;
            o_mg := o_mg + v_count * i.mg_per_credit;
            IF o_mg >= p_mg THEN RETURN; END IF;
        END LOOP;
    END LOOP;
END $$;

CREATE TABLE certificate (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number        text COLLATE "C" NOT NULL CONSTRAINT one_certificate_per_number UNIQUE
                  CHECK (number ~ '^NC[0-9]{2}[0-9A-Z]{16}[0-9]{2}$'),
    account_id    bigint NOT NULL, -- of the person or the organisation whose certificate it is
    payer         bigint NOT NULL, -- the account that the credits came from: the same one, or a pool's
    subject       bigint NOT NULL, -- under whose key the beneficiary and the reason lie in the vault
    transfer_id   bigint NOT NULL CONSTRAINT one_certificate_per_retirement UNIQUE,
    credits       bigint NOT NULL CHECK (credits >= 1),
    avoided_mg    bigint NOT NULL,
    footprint_mg  bigint NOT NULL CHECK (footprint_mg BETWEEN 1 AND 9007199254740991),
    calculator    text NOT NULL CHECK (calculator ~ '^[a-z_]{1,40}$'),
    lines         jsonb NOT NULL, -- how the footprint was worked out: quantities, factors and their sources
    evidence      bytea CHECK (length(evidence) = 32), -- SHA-256 of the file that a measured footprint rests on
    methodologies text[], -- of the reductions that the credits were made from; null: from too many to be listed
    words         bytea NOT NULL, -- a keyed digest of what was asked, so that a repetition is told from a new wish
    reference     text COLLATE "C" NOT NULL CONSTRAINT one_certificate_per_reference UNIQUE,
    hidden        boolean NOT NULL, -- whether the public page keeps the beneficiary's name to itself
    business_date date NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT what_is_retired_covers_the_footprint CHECK (avoided_mg >= footprint_mg),
    CONSTRAINT a_measured_footprint_has_its_evidence CHECK ((calculator = 'measured') = (evidence IS NOT NULL))
);
CREATE INDEX certificate_account ON certificate (account_id, id);

-- A certificate stays as it was issued; only whether the name is shown may change.
CREATE TRIGGER append_only BEFORE DELETE ON certificate FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON certificate FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE FUNCTION certificate_only_hidden() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_before certificate := OLD;
BEGIN
    v_before.hidden := NEW.hidden;
    IF v_before IS DISTINCT FROM NEW THEN
        RAISE EXCEPTION 'rows of % are never changed or removed; enter a second row that corrects', TG_TABLE_NAME USING ERRCODE = 'CH001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_hidden BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_only_hidden();

GRANT SELECT, INSERT ON certificate TO carbonhui_app;
GRANT UPDATE (hidden) ON certificate TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
