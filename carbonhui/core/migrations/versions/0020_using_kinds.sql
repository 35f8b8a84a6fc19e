-- Using credits (Articles 18-22): kinds of accounts, purposes, and what two of the staff decide together.

INSERT INTO asset VALUES (3, 'sandbox', 'sandbox credit'); -- what merchants' developers try with; it is no credit and has no serials

INSERT INTO account_kind VALUES
    ( 6, 'campaign',       true, true,  true, false), -- a pool of credits with a goal
    (18, 'clearing',       true, true,  true, false), -- empty whenever nothing is under way
    (19, 'sandbox_source', true, true,  true, true);

UPDATE purpose SET article = '19, 20' WHERE name = 'refund';
INSERT INTO purpose VALUES
    (13, 'expire',        '18'), -- past the years for which the policy lets credits be used
    (14, 'contribute',    '18'),
    (15, 'return',        '18'), -- out of a pool, back to whom it came from
    (16, 'sandbox_grant', '20');

-- What one member of staff asks and another answers: a merchant's grade, a fee item, a charity's campaign.
CREATE TABLE countersignature (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind     text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    subject  bigint NOT NULL,
    words    jsonb NOT NULL,
    reason   text NOT NULL CHECK (reason <> '' AND length(reason) <= 500),
    asked_by bigint NOT NULL,
    asked_on date NOT NULL,
    answered_by bigint,
    agreed      boolean,
    answered_on date,
    CONSTRAINT answered_wholly CHECK ((answered_by IS NULL) = (agreed IS NULL) AND (agreed IS NULL) = (answered_on IS NULL)),
    CONSTRAINT nobody_countersigns_their_own CHECK (answered_by <> asked_by)
);
CREATE UNIQUE INDEX one_open_countersignature ON countersignature (kind, subject) WHERE answered_by IS NULL;

CREATE FUNCTION countersignature_only_answered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.answered_by IS NULL AND NEW.answered_by IS NOT NULL
       AND (OLD.id, OLD.kind, OLD.subject, OLD.words, OLD.reason, OLD.asked_by, OLD.asked_on)
         = (NEW.id, NEW.kind, NEW.subject, NEW.words, NEW.reason, NEW.asked_by, NEW.asked_on) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a countersignature is asked once and answered once' USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER only_answered BEFORE UPDATE OR DELETE ON countersignature
    FOR EACH ROW EXECUTE FUNCTION countersignature_only_answered();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON countersignature FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON countersignature TO carbonhui_app;
GRANT UPDATE (answered_by, agreed, answered_on) ON countersignature TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
