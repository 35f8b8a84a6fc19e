-- What is remembered about using credits beside the transfers themselves.

-- A public bill paid in part with credits (Article 19). One bill is offset once.
CREATE TABLE bill_offset (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    department  bigint NOT NULL REFERENCES account,
    bill        text COLLATE "C" NOT NULL,
    total_fen   bigint NOT NULL CHECK (total_fen BETWEEN 1 AND 9007199254740991),
    offset_fen  bigint NOT NULL CHECK (offset_fen >= 1),
    credits     bigint NOT NULL CHECK (credits >= 1),
    transfer_id bigint NOT NULL UNIQUE,
    day         date NOT NULL,
    purchase_id bigint,
    CONSTRAINT a_bill_is_offset_once UNIQUE (department, bill),
    -- Article 19 itself; a governed value may only lower it.
    CONSTRAINT at_most_a_tenth CHECK (offset_fen <= total_fen / 10)
);
CREATE INDEX bill_offset_owed ON bill_offset (department, day) WHERE purchase_id IS NULL;

CREATE TABLE par_purchase (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    department  bigint NOT NULL REFERENCES account,
    through     date NOT NULL,
    credits     bigint NOT NULL CHECK (credits >= 1),
    fen         bigint NOT NULL CHECK (fen >= 1),
    cash_account bigint NOT NULL REFERENCES account,
    transfer_id bigint NOT NULL UNIQUE,
    reference   text COLLATE "C" NOT NULL UNIQUE
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON par_purchase FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON par_purchase FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- An offset is never edited; the purchase that paid it is entered once.
CREATE TRIGGER append_only BEFORE DELETE ON bill_offset FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON bill_offset FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER only_the_purchase BEFORE UPDATE ON bill_offset FOR EACH ROW
    WHEN (OLD.purchase_id IS NOT NULL OR NEW.purchase_id IS NULL
          OR (OLD.department, OLD.bill, OLD.total_fen, OLD.offset_fen, OLD.credits, OLD.transfer_id, OLD.day)
             IS DISTINCT FROM (NEW.department, NEW.bill, NEW.total_fen, NEW.offset_fen, NEW.credits, NEW.transfer_id, NEW.day))
    EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON bill_offset, par_purchase TO carbonhui_app;
GRANT UPDATE (purchase_id) ON bill_offset TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
