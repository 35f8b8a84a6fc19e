-- Merchants' grades, shops, tills and offers (Articles 18, 20). What a merchant publishes is meant for everybody: no row is personal.

CREATE FUNCTION belongs_to_a_merchant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM organisation WHERE id = NEW.organisation_id AND kind = 'merchant') THEN
        RAISE EXCEPTION 'organisation % is no merchant', NEW.organisation_id USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;

-- Grades ---------------------------------------------------------------------------------------

-- What two of the staff agreed on. A grade is in force from its day on until a later one is.
CREATE TABLE merchant_grade (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id  bigint NOT NULL REFERENCES organisation,
    grade            text NOT NULL CHECK (grade IN ('A', 'B', 'C', 'D')),
    from_day         date NOT NULL,
    sheet            jsonb NOT NULL CHECK (jsonb_typeof(sheet) = 'array'), -- criterion, points, most
    source           text NOT NULL CHECK (source <> '' AND length(source) <= 300),
    countersignature bigint NOT NULL UNIQUE REFERENCES countersignature
);
CREATE INDEX merchant_grade_of ON merchant_grade (organisation_id, from_day, id);

CREATE FUNCTION grade_is_countersigned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM countersignature c
                   WHERE c.id = NEW.countersignature AND c.kind = 'merchant_grade' AND c.subject = NEW.organisation_id AND c.agreed
                     AND c.answered_on <= NEW.from_day
                     AND (c.words ->> 'grade', c.words -> 'sheet', c.words ->> 'source') = (NEW.grade, NEW.sheet, NEW.source)) THEN
        RAISE EXCEPTION 'a grade is what two agreed on, from no earlier day' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grade_is_a_merchants BEFORE INSERT ON merchant_grade FOR EACH ROW EXECUTE FUNCTION belongs_to_a_merchant();
CREATE TRIGGER grade_is_countersigned BEFORE INSERT ON merchant_grade FOR EACH ROW EXECUTE FUNCTION grade_is_countersigned();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON merchant_grade FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON merchant_grade FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

CREATE FUNCTION merchant_grade_on(p_organisation bigint, p_day date) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT grade FROM merchant_grade WHERE organisation_id = p_organisation AND from_day <= p_day ORDER BY from_day DESC, id DESC LIMIT 1
$$;

-- Who is in the low-carbon business alliance (Article 20), from a day until before a day.
CREATE TABLE alliance_membership (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    since           date NOT NULL,
    until           date CHECK (until >= since)
);
CREATE UNIQUE INDEX in_the_alliance_once ON alliance_membership (organisation_id) WHERE until IS NULL;
CREATE TRIGGER alliance_is_of_merchants BEFORE INSERT ON alliance_membership FOR EACH ROW EXECUTE FUNCTION belongs_to_a_merchant();
CREATE TRIGGER alliance_only_ends BEFORE UPDATE ON alliance_membership FOR EACH ROW
    WHEN (OLD.until IS NOT NULL OR NEW.until IS NULL
          OR (OLD.id, OLD.organisation_id, OLD.since) IS DISTINCT FROM (NEW.id, NEW.organisation_id, NEW.since))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE DELETE ON alliance_membership FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON alliance_membership FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- Shops and tills ------------------------------------------------------------------------------

CREATE TABLE shop (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    organisation_id bigint NOT NULL REFERENCES organisation,
    name            text NOT NULL CHECK (name <> '' AND length(name) <= 100),
    address         text NOT NULL CHECK (address <> '' AND length(address) <= 200),
    district        text COLLATE "C" NOT NULL CHECK (district ~ '^[0-9]{6}$'), -- GB/T 2260
    latitude_udeg   integer NOT NULL CHECK (latitude_udeg BETWEEN -90000000 AND 90000000), -- millionths of a degree, WGS 84
    longitude_udeg  integer NOT NULL CHECK (longitude_udeg BETWEEN -180000000 AND 180000000),
    hours           text NOT NULL CHECK (length(hours) <= 200),
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    opened_on       date NOT NULL
);
CREATE INDEX shop_of ON shop (organisation_id, id);
CREATE INDEX shop_place ON shop (latitude_udeg, longitude_udeg) WHERE state = 'open';
CREATE INDEX shop_district ON shop (district, id) WHERE state = 'open';

CREATE TABLE till (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle  uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    shop_id bigint NOT NULL REFERENCES shop,
    label   text NOT NULL CHECK (label <> '' AND length(label) <= 60),
    state   text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    CONSTRAINT a_label_names_one_till UNIQUE (shop_id, label)
);

CREATE FUNCTION stays_where_it_is() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'shop' THEN
        IF (OLD.id, OLD.handle, OLD.organisation_id, OLD.opened_on) = (NEW.id, NEW.handle, NEW.organisation_id, NEW.opened_on) THEN
            RETURN NEW;
        END IF;
    ELSIF (OLD.id, OLD.handle, OLD.shop_id) = (NEW.id, NEW.handle, NEW.shop_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a shop stays its merchant''s and a till its shop''s' USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER shop_is_a_merchants BEFORE INSERT ON shop FOR EACH ROW EXECUTE FUNCTION belongs_to_a_merchant();
CREATE TRIGGER stays_where_it_is BEFORE UPDATE ON shop FOR EACH ROW EXECUTE FUNCTION stays_where_it_is();
CREATE TRIGGER stays_where_it_is BEFORE UPDATE ON till FOR EACH ROW EXECUTE FUNCTION stays_where_it_is();
-- Charges name them for ever.
CREATE TRIGGER shops_are_never_removed BEFORE DELETE ON shop FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER shops_are_never_emptied BEFORE TRUNCATE ON shop FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER tills_are_never_removed BEFORE DELETE ON till FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER tills_are_never_emptied BEFORE TRUNCATE ON till FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- The way between two places along a sphere of the Earth's mean radius (6,371,008.8 m, IUGG), in whole metres, rounded down.
CREATE FUNCTION metres_between(p_lat_a integer, p_lon_a integer, p_lat_b integer, p_lon_b integer) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT floor(2 * 6371008.8 * asin(least(1, sqrt(
        sind((p_lat_b - p_lat_a) / 2e6::float8) ^ 2
        + cosd(p_lat_a / 1e6::float8) * cosd(p_lat_b / 1e6::float8) * sind((p_lon_b - p_lon_a) / 2e6::float8) ^ 2))))::integer
$$;

-- Offers ---------------------------------------------------------------------------------------

CREATE TABLE offer (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    organisation_id bigint NOT NULL REFERENCES organisation,
    title_zh        text NOT NULL CHECK (title_zh <> '' AND length(title_zh) <= 100),
    title_en        text CHECK (title_en <> '' AND length(title_en) <= 100),
    category        text COLLATE "C" NOT NULL CHECK (category ~ '^[a-z_]{1,30}$'),
    credits         bigint NOT NULL CHECK (credits BETWEEN 1 AND 1000000000),
    money_fen       bigint NOT NULL CHECK (money_fen BETWEEN 0 AND 100000000000),
    list_price_fen  bigint NOT NULL CHECK (list_price_fen BETWEEN 1 AND 100000000000),
    per_person_max     integer CHECK (per_person_max BETWEEN 1 AND 9999),
    per_person_day_max integer CHECK (per_person_day_max BETWEEN 1 AND 9999),
    per_day_max        integer CHECK (per_day_max BETWEEN 1 AND 1000000000),
    stock           integer CHECK (stock BETWEEN 1 AND 1000000000),
    valid_from      date NOT NULL,
    valid_until     date NOT NULL, -- the last day
    state           text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'withdrawn')),
    CONSTRAINT an_offer_gives_a_discount CHECK (money_fen < list_price_fen),
    CONSTRAINT an_offer_ends_after_it_begins CHECK (valid_until >= valid_from)
);
CREATE INDEX offer_of ON offer (organisation_id, id);
CREATE INDEX offer_open ON offer (valid_until, id) WHERE state = 'published';
CREATE INDEX offer_newest ON offer (id) WHERE state = 'published';

CREATE FUNCTION offer_changes_lawfully() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.handle, OLD.organisation_id) = (NEW.id, NEW.handle, NEW.organisation_id)
       AND (OLD.state = 'draft'
            OR OLD.state = 'published' AND NEW.state = 'withdrawn'
               AND to_jsonb(OLD) - 'state' = to_jsonb(NEW) - 'state') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what was published is not edited, only withdrawn' USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER offer_is_a_merchants BEFORE INSERT ON offer FOR EACH ROW EXECUTE FUNCTION belongs_to_a_merchant();
CREATE TRIGGER offer_changes_lawfully BEFORE UPDATE ON offer FOR EACH ROW EXECUTE FUNCTION offer_changes_lawfully();
CREATE TRIGGER offers_are_never_removed BEFORE DELETE ON offer FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER offers_are_never_emptied BEFORE TRUNCATE ON offer FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- Where an offer is good; without any row, at every shop of its merchant.
CREATE TABLE offer_shop (
    offer_id bigint NOT NULL REFERENCES offer,
    shop_id  bigint NOT NULL REFERENCES shop,
    PRIMARY KEY (offer_id, shop_id)
);
CREATE INDEX offer_shop_there ON offer_shop (shop_id, offer_id);
CREATE FUNCTION offer_is_good_at_own_shops() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_offer bigint := CASE TG_OP WHEN 'DELETE' THEN OLD.offer_id ELSE NEW.offer_id END; o offer;
BEGIN
    SELECT * INTO o FROM offer WHERE id = v_offer;
    IF o.state <> 'draft' THEN
        RAISE EXCEPTION 'what was published is not edited, only withdrawn' USING ERRCODE = 'CH001';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    IF NOT EXISTS (SELECT FROM shop WHERE id = NEW.shop_id AND organisation_id = o.organisation_id) THEN
        RAISE EXCEPTION 'an offer is good at shops of its own merchant' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER offer_is_good_at_own_shops BEFORE INSERT OR UPDATE OR DELETE ON offer_shop
    FOR EACH ROW EXECUTE FUNCTION offer_is_good_at_own_shops();

-- What was taken of what there is, for offers with a stock. No foreign keys here: many payments at once write these rows.
CREATE TABLE offer_stock (
    offer_id bigint PRIMARY KEY,
    stock    integer NOT NULL CHECK (stock BETWEEN 1 AND 1000000000),
    taken    integer NOT NULL DEFAULT 0,
    CONSTRAINT never_more_than_there_is CHECK (taken BETWEEN 0 AND stock)
) WITH (fillfactor = 50);

-- What was taken where a number is limited: by one payer ever (day '-infinity') or on a day, by all (payer 0) on a day.
CREATE TABLE offer_count (
    offer_id bigint NOT NULL,
    payer    bigint NOT NULL, -- an account
    day      date NOT NULL,
    taken    bigint NOT NULL CONSTRAINT never_given_back_more_than_taken CHECK (taken >= 0),
    PRIMARY KEY (offer_id, payer, day)
) WITH (fillfactor = 70);

-- Test and take one number of an offer; whether it was there to take. Each is one statement, so that nobody comes between.
CREATE FUNCTION offer_counted(p_offer bigint, p_payer bigint, p_day date, p_quantity integer, p_most bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF p_quantity > p_most THEN RETURN false; END IF;
    INSERT INTO offer_count AS c (offer_id, payer, day, taken) VALUES (p_offer, p_payer, p_day, p_quantity)
    ON CONFLICT (offer_id, payer, day) DO UPDATE SET taken = c.taken + p_quantity WHERE c.taken + p_quantity <= p_most;
    RETURN FOUND;
END $$;

-- Take a number of an offer in one round trip; an offer without stock and limits is only read.
-- The verdict is told, not raised, and what had been counted before a refusal is undone, so that the transaction may go on.
CREATE FUNCTION offer_take(
    p_offer bigint, p_payer bigint, p_quantity integer, p_on date, p_shop bigint, p_sandbox boolean,
    OUT verdict text, OUT unit_credits bigint, OUT unit_money_fen bigint, OUT first_day date, OUT last_day date, OUT most bigint)
LANGUAGE plpgsql AS $$
DECLARE o offer;
BEGIN
    SELECT * INTO o FROM offer WHERE id = p_offer;
    IF NOT FOUND THEN verdict := 'unknown'; RETURN; END IF;
    unit_credits := o.credits; unit_money_fen := o.money_fen; first_day := o.valid_from; last_day := o.valid_until;
    IF p_on NOT BETWEEN o.valid_from AND o.valid_until
       OR NOT (o.state = 'published' OR o.state = 'draft' AND p_sandbox)
       OR NOT p_sandbox AND NOT EXISTS (SELECT FROM organisation WHERE id = o.organisation_id AND state = 'approved') THEN
        verdict := 'not_open'; RETURN;
    END IF;
    IF p_shop IS NOT NULL AND NOT EXISTS (
           SELECT FROM shop s WHERE s.id = p_shop AND s.organisation_id = o.organisation_id AND s.state = 'open'
           AND (NOT EXISTS (SELECT FROM offer_shop WHERE offer_id = o.id)
                OR EXISTS (SELECT FROM offer_shop WHERE offer_id = o.id AND shop_id = p_shop))) THEN
        verdict := 'not_here'; RETURN;
    END IF;
    IF p_sandbox THEN
        verdict := CASE WHEN p_quantity > o.per_person_max THEN 'per_person' WHEN p_quantity > o.per_person_day_max THEN 'per_person_day'
                        WHEN p_quantity > o.per_day_max THEN 'per_day' WHEN p_quantity > o.stock THEN 'sold_out' ELSE 'taken' END;
        most := CASE verdict WHEN 'per_person' THEN o.per_person_max WHEN 'per_person_day' THEN o.per_person_day_max
                             WHEN 'per_day' THEN o.per_day_max END;
        RETURN;
    END IF;
    verdict := 'taken';
    IF o.per_person_max IS NULL AND o.per_person_day_max IS NULL AND o.per_day_max IS NULL AND o.stock IS NULL THEN RETURN; END IF;
    BEGIN
        -- Rows of one payer first and those of everybody last; `offer_give_back` keeps the same order.
        IF o.per_person_max IS NOT NULL AND NOT offer_counted(o.id, p_payer, '-infinity', p_quantity, o.per_person_max) THEN
            verdict := 'per_person'; most := o.per_person_max; RAISE EXCEPTION USING ERRCODE = 'CH010';
        END IF;
        IF o.per_person_day_max IS NOT NULL AND NOT offer_counted(o.id, p_payer, p_on, p_quantity, o.per_person_day_max) THEN
            verdict := 'per_person_day'; most := o.per_person_day_max; RAISE EXCEPTION USING ERRCODE = 'CH010';
        END IF;
        IF o.per_day_max IS NOT NULL AND NOT offer_counted(o.id, 0, p_on, p_quantity, o.per_day_max) THEN
            verdict := 'per_day'; most := o.per_day_max; RAISE EXCEPTION USING ERRCODE = 'CH010';
        END IF;
        IF o.stock IS NOT NULL THEN
            UPDATE offer_stock SET taken = taken + p_quantity WHERE offer_id = o.id AND taken + p_quantity <= stock;
            IF NOT FOUND THEN
                verdict := 'sold_out'; RAISE EXCEPTION USING ERRCODE = 'CH010';
            END IF;
        END IF;
    EXCEPTION WHEN SQLSTATE 'CH010' THEN
        NULL; -- the verdict stands
    END;
END $$;

-- Give back what was taken on a day; a withdrawn or ended offer takes it back too.
CREATE FUNCTION offer_give_back(p_offer bigint, p_payer bigint, p_quantity integer, p_taken_on date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE o offer;
BEGIN
    SELECT * INTO o FROM offer WHERE id = p_offer;
    IF NOT FOUND THEN RETURN false; END IF;
    IF o.per_person_max IS NOT NULL THEN
        UPDATE offer_count SET taken = taken - p_quantity WHERE (offer_id, payer, day) = (p_offer, p_payer, '-infinity'::date);
    END IF;
    IF o.per_person_day_max IS NOT NULL THEN
        UPDATE offer_count SET taken = taken - p_quantity WHERE (offer_id, payer, day) = (p_offer, p_payer, p_taken_on);
    END IF;
    IF o.per_day_max IS NOT NULL THEN
        UPDATE offer_count SET taken = taken - p_quantity WHERE (offer_id, payer, day) = (p_offer, 0, p_taken_on);
    END IF;
    IF o.stock IS NOT NULL THEN
        UPDATE offer_stock SET taken = taken - p_quantity WHERE offer_id = p_offer;
    END IF;
    RETURN true;
END $$;

GRANT SELECT, INSERT ON merchant_grade, alliance_membership, shop, till, offer, offer_shop, offer_stock, offer_count TO carbonhui_app;
GRANT UPDATE (until) ON alliance_membership TO carbonhui_app;
GRANT UPDATE (name, address, district, latitude_udeg, longitude_udeg, hours, state) ON shop TO carbonhui_app;
GRANT UPDATE (label, state) ON till TO carbonhui_app;
GRANT UPDATE (title_zh, title_en, category, credits, money_fen, list_price_fen, per_person_max, per_person_day_max, per_day_max,
    stock, valid_from, valid_until, state) ON offer TO carbonhui_app;
GRANT DELETE ON offer_shop TO carbonhui_app;
GRANT UPDATE (stock, taken) ON offer_stock TO carbonhui_app;
GRANT UPDATE (taken) ON offer_count TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
