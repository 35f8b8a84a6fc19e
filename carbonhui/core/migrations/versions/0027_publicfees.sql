-- Fee items and bills of departments, and offsets that were undone (Article 19).

-- What a department may bill for. It applies, one of the staff proposes, another decides.
CREATE TABLE fee_item (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle              uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    organisation_id     bigint NOT NULL REFERENCES organisation,
    code                text COLLATE "C" NOT NULL CHECK (code ~ '^[0-9A-Z][0-9A-Z-]{0,31}$'),
    title_zh            text NOT NULL CHECK (length(title_zh) BETWEEN 1 AND 100),
    title_en            text NOT NULL CHECK (length(title_en) BETWEEN 1 AND 100),
    legal_basis         text NOT NULL CHECK (length(legal_basis) BETWEEN 1 AND 200), -- the document that lets the fee be taken
    state               text NOT NULL DEFAULT 'applied' CHECK (state IN ('applied', 'approved', 'refused', 'withdrawn')),
    applied_on          date NOT NULL,
    countersignature_id bigint UNIQUE, -- by which two of the staff decided
    ended_on            date,
    CONSTRAINT decided_items_have_their_countersignature CHECK (
        state = 'withdrawn' OR (state = 'applied') = (countersignature_id IS NULL)),
    CONSTRAINT withdrawn_items_have_their_day CHECK ((state = 'withdrawn') = (ended_on IS NOT NULL))
);
CREATE UNIQUE INDEX one_live_fee_item_per_code ON fee_item (organisation_id, code) WHERE state IN ('applied', 'approved');
CREATE INDEX fee_item_state ON fee_item (state, id);

CREATE FUNCTION fee_item_changes_lawfully() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'applied' OR NOT EXISTS (SELECT FROM organisation WHERE id = NEW.organisation_id AND kind = 'department') THEN
            RAISE EXCEPTION 'a department applies for a fee item before it is decided' USING ERRCODE = 'CH003';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.handle, OLD.organisation_id, OLD.code, OLD.title_zh, OLD.title_en, OLD.legal_basis, OLD.applied_on)
       IS DISTINCT FROM
       (NEW.id, NEW.handle, NEW.organisation_id, NEW.code, NEW.title_zh, NEW.title_en, NEW.legal_basis, NEW.applied_on)
       OR OLD.state IN ('refused', 'withdrawn') OR OLD.state = 'approved' AND NEW.state <> 'withdrawn'
       OR OLD.countersignature_id IS DISTINCT FROM NEW.countersignature_id AND NEW.state NOT IN ('approved', 'refused') THEN
        RAISE EXCEPTION 'a fee item is decided once, and withdrawn once' USING ERRCODE = 'CH001';
    END IF;
    IF NEW.state IN ('approved', 'refused')
       AND NOT EXISTS (SELECT FROM countersignature c
                       WHERE c.id = NEW.countersignature_id AND c.kind = 'fee_item' AND c.subject = NEW.id
                         AND c.agreed = (NEW.state = 'approved')) THEN
        RAISE EXCEPTION 'two of the staff decide on a fee item' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER changes_lawfully BEFORE INSERT OR UPDATE ON fee_item FOR EACH ROW EXECUTE FUNCTION fee_item_changes_lawfully();
CREATE TRIGGER never_removed BEFORE DELETE ON fee_item FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON fee_item FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- A bill that a department presented. Who pays it is a digest under a key: a meter, a contract, a file number.
CREATE TABLE bill (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle        uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    department    bigint NOT NULL,
    number        text COLLATE "C" NOT NULL CHECK (number ~ '^[!-~]{1,100}$'),
    fee_item      bigint NOT NULL,
    total_fen     bigint NOT NULL CHECK (total_fen BETWEEN 1 AND 9007199254740991),
    payer_digest  bytea NOT NULL CHECK (octet_length(payer_digest) = 32),
    due_on        date NOT NULL,
    presented_on  date NOT NULL,
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'cancelled', 'refunded')),
    taken_back_on date,
    CONSTRAINT a_bill_is_presented_once UNIQUE (department, number),
    CONSTRAINT an_offset_names_its_whole_bill UNIQUE (id, department, number, total_fen),
    CONSTRAINT taken_back_on_a_day CHECK ((state = 'open') = (taken_back_on IS NULL))
);
CREATE INDEX bill_department ON bill (department, id);

CREATE FUNCTION bill_is_of_an_approved_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'open' OR NOT EXISTS (
           SELECT FROM fee_item f JOIN organisation o ON o.id = f.organisation_id
           WHERE f.id = NEW.fee_item AND f.state = 'approved' AND o.state = 'approved' AND o.account_id = NEW.department) THEN
        RAISE EXCEPTION 'an approved department bills for its own approved items' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER of_an_approved_item BEFORE INSERT ON bill FOR EACH ROW EXECUTE FUNCTION bill_is_of_an_approved_item();
CREATE TRIGGER only_taken_back BEFORE UPDATE ON bill FOR EACH ROW
    WHEN (OLD.state <> 'open' OR NEW.state = 'open'
          OR (OLD.id, OLD.handle, OLD.department, OLD.number, OLD.fee_item, OLD.total_fen, OLD.payer_digest, OLD.due_on, OLD.presented_on)
             IS DISTINCT FROM
             (NEW.id, NEW.handle, NEW.department, NEW.number, NEW.fee_item, NEW.total_fen, NEW.payer_digest, NEW.due_on, NEW.presented_on))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER never_removed BEFORE DELETE ON bill FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON bill FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- Whose list a bill stands in: the department addressed it, or they looked it up.
CREATE TABLE bill_shown (
    account_id bigint NOT NULL,
    bill_id    bigint NOT NULL REFERENCES bill,
    addressed  boolean NOT NULL,
    since      date NOT NULL,
    PRIMARY KEY (account_id, bill_id)
);
CREATE INDEX bill_shown_bill ON bill_shown (bill_id);

-- How often an account looked bills up on a day, right or wrong: bills of others cannot be guessed at will.
CREATE TABLE bill_try (
    account_id bigint NOT NULL,
    day        date NOT NULL,
    tries      integer NOT NULL CHECK (tries > 0),
    PRIMARY KEY (account_id, day)
);

-- An offset that was undone stays, with the transfer that undid it; it is never bought and never made again.
ALTER TABLE bill_offset
    ADD COLUMN bill_id         bigint, -- NULL for a bill that was offset by hand and never presented
    ADD COLUMN undone_transfer bigint UNIQUE,
    ADD COLUMN undone_on       date,
    ADD COLUMN undone_because  text CHECK (undone_because IN ('cancelled', 'refunded')),
    ADD CONSTRAINT of_a_bill_as_it_was_presented FOREIGN KEY (bill_id, department, bill, total_fen)
        REFERENCES bill (id, department, number, total_fen),
    ADD CONSTRAINT bought_or_undone_not_both CHECK (purchase_id IS NULL OR undone_transfer IS NULL),
    ADD CONSTRAINT undone_wholly CHECK (
        (undone_transfer IS NULL) = (undone_on IS NULL) AND (undone_on IS NULL) = (undone_because IS NULL));
DROP INDEX bill_offset_owed;
CREATE INDEX bill_offset_owed ON bill_offset (department, day) WHERE purchase_id IS NULL AND undone_transfer IS NULL;
CREATE INDEX bill_offset_day ON bill_offset (department, day);

-- Each offset is entered once; then either its purchase or its undoing is, once.
DROP TRIGGER only_the_purchase ON bill_offset;
CREATE TRIGGER only_the_end BEFORE UPDATE ON bill_offset FOR EACH ROW
    WHEN (OLD.purchase_id IS NOT NULL OR OLD.undone_transfer IS NOT NULL
          OR NEW.purchase_id IS NULL AND NEW.undone_transfer IS NULL
          OR (OLD.id, OLD.department, OLD.bill, OLD.total_fen, OLD.offset_fen, OLD.credits, OLD.transfer_id, OLD.day, OLD.bill_id)
             IS DISTINCT FROM
             (NEW.id, NEW.department, NEW.bill, NEW.total_fen, NEW.offset_fen, NEW.credits, NEW.transfer_id, NEW.day, NEW.bill_id))
    EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON fee_item, bill, bill_shown, bill_try TO carbonhui_app;
GRANT UPDATE (state, countersignature_id, ended_on) ON fee_item TO carbonhui_app;
GRANT UPDATE (state, taken_back_on) ON bill TO carbonhui_app;
GRANT UPDATE (tries) ON bill_try TO carbonhui_app;
GRANT UPDATE (undone_transfer, undone_on, undone_because) ON bill_offset TO carbonhui_app;
GRANT DELETE ON bill_shown, bill_try TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
