-- Payment codes, charges and refunds (Articles 18, 20). A charge is one sale of one merchant; the credits themselves move in the books.
-- No row here is written or locked by two charges of one merchant, so that a busy till waits for nobody.

-- Which payment codes were shown to a till and taken, whether the payment was made or declined. Never the code itself.
CREATE TABLE payment_code_used (
    digest  bytea PRIMARY KEY CHECK (octet_length(digest) = 16),
    used_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX payment_code_used_at ON payment_code_used (used_at);
CREATE TRIGGER used_codes_stay_used BEFORE UPDATE ON payment_code_used FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
-- A code lives for a minute; what was used a day ago can be forgotten.
CREATE TRIGGER used_codes_stay_a_day BEFORE DELETE ON payment_code_used FOR EACH ROW
    WHEN (OLD.used_at > clock_timestamp() - interval '1 day') EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER used_codes_stay BEFORE TRUNCATE ON payment_code_used FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- What a person lets be paid by one payment and on one day.
CREATE TABLE payment_limit (
    account_id      bigint PRIMARY KEY,
    per_payment_max bigint CHECK (per_payment_max BETWEEN 0 AND 9007199254740991),
    per_day_max     bigint CHECK (per_day_max BETWEEN 0 AND 9007199254740991)
);

-- What a merchant's developers try with: accounts of the sandbox asset, and nothing else.
CREATE TABLE merchant_sandbox (
    organisation bigint PRIMARY KEY,
    merchant     bigint NOT NULL UNIQUE,
    payer        bigint NOT NULL UNIQUE,
    poor_payer   bigint NOT NULL UNIQUE
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON merchant_sandbox FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON merchant_sandbox FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

CREATE TABLE charge (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation  bigint NOT NULL,
    merchant      bigint NOT NULL,
    shop          bigint,
    till          bigint,
    offer         bigint,
    credits       bigint NOT NULL,
    money_fen     bigint NOT NULL DEFAULT 0,
    payer         bigint,
    hold_id       bigint,
    captured      bigint NOT NULL DEFAULT 0,
    refunded      bigint NOT NULL DEFAULT 0,
    transfer_id   bigint,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    authorised_at timestamptz,
    captured_at   timestamptz,
    expires_at    timestamptz,
    closed_at     timestamptz,
    business_date date NOT NULL, -- the day on which it was asked for, and from when somebody pays, that day
    asset         smallint NOT NULL CHECK (asset IN (1, 3)),
    quantity      integer,
    captures      boolean NOT NULL, -- whether it is captured as soon as it is paid
    state         text NOT NULL CHECK (state IN ('awaiting', 'authorised', 'captured', 'voided', 'closed')),
    handle        uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    code          bytea, -- the digest of the payment code by which it was paid
    out_trade_no  text COLLATE "C" NOT NULL CHECK (out_trade_no ~ '^[0-9A-Za-z_|*-]{1,64}$'),
    CONSTRAINT one_charge_per_out_trade_no UNIQUE (organisation, asset, out_trade_no),
    CONSTRAINT charge_in_range CHECK (credits BETWEEN 1 AND 9007199254740991 AND money_fen BETWEEN 0 AND 9007199254740991),
    CONSTRAINT an_offer_has_a_quantity CHECK ((offer IS NULL) = (quantity IS NULL) AND quantity BETWEEN 1 AND 9999),
    CONSTRAINT no_more_captured_than_authorised CHECK (captured BETWEEN 0 AND credits),
    CONSTRAINT no_more_refunded_than_captured CHECK (refunded BETWEEN 0 AND captured),
    CONSTRAINT captured_by_a_transfer CHECK (
        (state = 'captured') = (transfer_id IS NOT NULL) AND (state = 'captured') = (captured > 0)
        AND (state = 'captured') = (captured_at IS NOT NULL)),
    CONSTRAINT awaiting_has_no_payer CHECK (
        CASE state WHEN 'awaiting' THEN payer IS NULL WHEN 'closed' THEN true ELSE payer IS NOT NULL END),
    CONSTRAINT authorised_by_a_hold CHECK (state <> 'authorised' OR (hold_id IS NOT NULL AND authorised_at IS NOT NULL)),
    CONSTRAINT open_charges_end CHECK (state NOT IN ('awaiting', 'authorised') OR expires_at IS NOT NULL),
    CONSTRAINT closed_at_an_instant CHECK ((state IN ('voided', 'closed')) = (closed_at IS NOT NULL))
);
CREATE INDEX charge_organisation ON charge (organisation, asset, id);
CREATE INDEX charge_payer ON charge (payer, business_date, id) WHERE payer IS NOT NULL;
CREATE UNIQUE INDEX charge_transfer ON charge (transfer_id) WHERE transfer_id IS NOT NULL;
CREATE INDEX charge_open ON charge (expires_at) WHERE state IN ('awaiting', 'authorised');

CREATE FUNCTION charge_changes_lawfully() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.handle, OLD.organisation, OLD.merchant, OLD.asset, OLD.out_trade_no, OLD.shop, OLD.till, OLD.offer, OLD.quantity,
        OLD.credits, OLD.money_fen, OLD.captures, OLD.at)
       IS DISTINCT FROM
       (NEW.id, NEW.handle, NEW.organisation, NEW.merchant, NEW.asset, NEW.out_trade_no, NEW.shop, NEW.till, NEW.offer, NEW.quantity,
        NEW.credits, NEW.money_fen, NEW.captures, NEW.at) THEN
        RAISE EXCEPTION 'price and words of a charge are locked when it is made' USING ERRCODE = 'CH001';
    END IF;
    IF (OLD.payer IS NOT NULL AND (OLD.payer, OLD.hold_id, OLD.code, OLD.authorised_at, OLD.business_date)
            IS DISTINCT FROM (NEW.payer, NEW.hold_id, NEW.code, NEW.authorised_at, NEW.business_date))
       OR (OLD.transfer_id IS NOT NULL AND (OLD.transfer_id, OLD.captured, OLD.captured_at)
            IS DISTINCT FROM (NEW.transfer_id, NEW.captured, NEW.captured_at))
       OR NEW.refunded < OLD.refunded
       OR (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
            ('awaiting', 'authorised'), ('awaiting', 'captured'), ('awaiting', 'closed'),
            ('authorised', 'captured'), ('authorised', 'voided'), ('authorised', 'closed'))) THEN
        RAISE EXCEPTION 'a charge goes from awaiting to authorised to captured, voided or closed, and never back' USING ERRCODE = 'CH001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER charge_changes_lawfully BEFORE UPDATE ON charge FOR EACH ROW EXECUTE FUNCTION charge_changes_lawfully();
CREATE TRIGGER charges_are_never_removed BEFORE DELETE ON charge FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER charges_are_never_emptied BEFORE TRUNCATE ON charge FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

CREATE TABLE charge_refund (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    charge_id        bigint NOT NULL,
    organisation     bigint NOT NULL,
    credits          bigint NOT NULL CHECK (credits BETWEEN 1 AND 9007199254740991),
    transfer_id      bigint NOT NULL UNIQUE,
    at               timestamptz NOT NULL DEFAULT clock_timestamp(),
    business_date    date NOT NULL,
    asset            smallint NOT NULL CHECK (asset IN (1, 3)),
    after_settlement boolean NOT NULL,
    out_refund_no    text COLLATE "C" NOT NULL CHECK (out_refund_no ~ '^[0-9A-Za-z_|*-]{1,64}$'),
    CONSTRAINT one_refund_per_out_refund_no UNIQUE (organisation, asset, out_refund_no)
);
CREATE INDEX charge_refund_charge ON charge_refund (charge_id, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON charge_refund FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON charge_refund FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- Whose account receives, as long as the merchant may charge at all; null when it may not.
CREATE FUNCTION charge_merchant(p_organisation bigint, p_asset smallint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_asset = 1 AND o.state = 'approved' THEN o.account_id
                WHEN p_asset = 3 AND o.state <> 'closed' THEN (SELECT s.merchant FROM merchant_sandbox s WHERE s.organisation = o.id) END
    FROM organisation o WHERE o.id = p_organisation AND o.kind = 'merchant'
$$;

-- Refuse what the payer, or the city for every payer, does not let be paid. Payments of a payer who set limits wait for
-- one another at the row of the limits.
CREATE FUNCTION payment_permitted(p_payer bigint, p_credits bigint, p_day date, p_credits_max bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE l payment_limit; v_paid bigint;
BEGIN
    IF p_credits_max > 0 AND p_credits > p_credits_max THEN
        RAISE EXCEPTION '%', jsonb_build_object('asked', p_credits, 'limit', p_credits_max)
            USING ERRCODE = 'CH002', HINT = 'payment_above_city_limit';
    END IF;
    IF EXISTS (SELECT FROM person WHERE account_id = p_payer AND state <> 'active'
               AND (state = 'erased' OR guardian_until IS NULL OR guardian_until > p_day)) THEN
        RAISE EXCEPTION '{}' USING ERRCODE = 'CH002', HINT = 'person_restricted';
    END IF;
    SELECT * INTO l FROM payment_limit WHERE account_id = p_payer FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    IF p_credits > l.per_payment_max THEN
        RAISE EXCEPTION '%', jsonb_build_object('asked', p_credits, 'limit', l.per_payment_max)
            USING ERRCODE = 'CH002', HINT = 'payment_above_own_limit';
    END IF;
    IF l.per_day_max IS NULL THEN RETURN; END IF;
    SELECT coalesce(sum(CASE state WHEN 'authorised' THEN credits ELSE captured END), 0) INTO v_paid
    FROM charge WHERE payer = p_payer AND business_date = p_day AND state IN ('authorised', 'captured');
    IF v_paid + p_credits > l.per_day_max THEN
        RAISE EXCEPTION '%', jsonb_build_object('asked', p_credits, 'paid', v_paid, 'limit', l.per_day_max)
            USING ERRCODE = 'CH002', HINT = 'payments_above_day_limit';
    END IF;
END $$;

-- Take or promise the credits of a charge; what follows of it is filled in, and both sides are told.
CREATE FUNCTION charge_paid(c charge, p_payer bigint, p_day date, p_hold_seconds integer, p_credits_max bigint)
RETURNS charge LANGUAGE plpgsql AS $$
DECLARE v_reference text := 'charge:' || c.handle; v_told json;
BEGIN
    IF c.asset = 1 THEN PERFORM payment_permitted(p_payer, c.credits, p_day, p_credits_max); END IF;
    c.payer := p_payer;
    c.business_date := p_day;
    IF c.captures THEN
        c.transfer_id := ledger_post(v_reference, p_payer, c.merchant, c.credits, c.asset, 3::smallint, p_day);
        c.state := 'captured';
        c.captured := c.credits;
        c.captured_at := clock_timestamp();
        c.authorised_at := c.captured_at;
        c.expires_at := NULL;
    ELSE
        c.hold_id := ledger_hold(v_reference, p_payer, c.merchant, c.credits, c.asset, 3::smallint, p_day, p_hold_seconds);
        c.state := 'authorised';
        c.authorised_at := clock_timestamp();
        c.expires_at := (SELECT expires_at FROM hold WHERE id = c.hold_id);
    END IF;
    v_told := json_build_object('credits', c.credits, 'sandbox', c.asset = 3, 'trade', c.handle);
    PERFORM notifications_announce('charge.' || c.state, v_told, NULL, c.organisation, c.handle::text);
    IF c.asset = 1 AND (SELECT kind FROM account WHERE id = p_payer) = 1 THEN
        PERFORM notifications_announce(CASE WHEN c.captures THEN 'payment.made' ELSE 'payment.authorised' END, v_told, p_payer, NULL, NULL);
    END IF;
    RETURN c;
END $$;

-- A charge by a payment code in one round trip. The code is spent whatever comes of it, unless the charge is there already.
-- "made"; "again" with what stands under the merchant's number; otherwise the code of a refusal and its facts.
CREATE FUNCTION charge_by_code(
    p_organisation bigint, p_asset smallint, p_out_trade_no text, p_shop bigint, p_till bigint, p_offer bigint, p_quantity integer,
    p_credits bigint, p_money_fen bigint, p_captures boolean, p_payer bigint, p_code bytea, p_day date, p_hold_seconds integer,
    p_credits_max bigint, OUT outcome text, OUT facts text, OUT made charge
) LANGUAGE plpgsql AS $$
DECLARE v_merchant bigint; c charge;
BEGIN
    INSERT INTO payment_code_used (digest) VALUES (p_code) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO c FROM charge WHERE organisation = p_organisation AND asset = p_asset AND out_trade_no = p_out_trade_no;
        outcome := CASE WHEN c.id IS NULL THEN 'payment_code_used' ELSE 'again' END;
        facts := '{}';
        made := c;
        RETURN;
    END IF;
    v_merchant := charge_merchant(p_organisation, p_asset);
    IF v_merchant IS NULL THEN
        outcome := 'merchant_not_trading';
        facts := '{}';
        RETURN;
    END IF;
    BEGIN
        c := NULL;
        c.handle := gen_random_uuid();
        c.organisation := p_organisation; c.merchant := v_merchant; c.asset := p_asset; c.credits := p_credits; c.captures := p_captures;
        c := charge_paid(c, p_payer, p_day, p_hold_seconds, p_credits_max);
        INSERT INTO charge (handle, organisation, merchant, asset, shop, till, out_trade_no, offer, quantity, credits, money_fen, payer,
                            state, captures, code, hold_id, captured, transfer_id, authorised_at, captured_at, expires_at, business_date)
        VALUES (c.handle, p_organisation, v_merchant, p_asset, p_shop, p_till, p_out_trade_no, p_offer, p_quantity, p_credits, p_money_fen,
                p_payer, c.state, p_captures, p_code, c.hold_id, coalesce(c.captured, 0), c.transfer_id, c.authorised_at, c.captured_at,
                c.expires_at, p_day)
        ON CONFLICT (organisation, asset, out_trade_no) DO NOTHING
        RETURNING * INTO made;
        IF made.id IS NULL THEN RAISE SQLSTATE 'CH010'; END IF;
        outcome := 'made';
    EXCEPTION
        WHEN SQLSTATE 'CH002' THEN
            GET STACKED DIAGNOSTICS outcome = PG_EXCEPTION_HINT, facts = MESSAGE_TEXT;
        WHEN SQLSTATE 'CH010' THEN
            outcome := 'again';
    END;
    IF outcome <> 'made' THEN
        -- Whatever stands in the way now: where the charge is there already, by another code, that is what is told.
        SELECT * INTO c FROM charge WHERE organisation = p_organisation AND asset = p_asset AND out_trade_no = p_out_trade_no;
        made := c;
        IF c.id IS NOT NULL THEN outcome := 'again'; facts := '{}'; END IF;
    END IF;
END $$;

-- Pay a charge that waits for somebody: the same outcomes.
CREATE FUNCTION charge_accept(
    p_charge bigint, p_payer bigint, p_day date, p_hold_seconds integer, p_credits_max bigint,
    OUT outcome text, OUT facts text, OUT made charge
) LANGUAGE plpgsql AS $$
DECLARE c charge;
BEGIN
    SELECT * INTO c FROM charge WHERE id = p_charge FOR NO KEY UPDATE;
    facts := '{}';
    made := c;
    IF c.payer = p_payer AND c.state IN ('authorised', 'captured') THEN
        outcome := 'again';
        RETURN;
    ELSIF c.state <> 'awaiting' OR c.expires_at <= clock_timestamp() THEN
        outcome := 'charge_not_awaiting';
        RETURN;
    ELSIF charge_merchant(c.organisation, c.asset) IS DISTINCT FROM c.merchant THEN
        outcome := 'merchant_not_trading';
        RETURN;
    END IF;
    BEGIN
        c := charge_paid(c, p_payer, p_day, p_hold_seconds, p_credits_max);
    EXCEPTION WHEN SQLSTATE 'CH002' THEN
        GET STACKED DIAGNOSTICS outcome = PG_EXCEPTION_HINT, facts = MESSAGE_TEXT;
        RETURN;
    END;
    UPDATE charge SET payer = c.payer, state = c.state, hold_id = c.hold_id, captured = c.captured, transfer_id = c.transfer_id,
                      authorised_at = c.authorised_at, captured_at = c.captured_at, expires_at = c.expires_at,
                      business_date = c.business_date
    WHERE id = c.id RETURNING * INTO made;
    outcome := 'made';
END $$;

GRANT SELECT, INSERT ON payment_code_used, payment_limit, merchant_sandbox, charge, charge_refund TO carbonhui_app;
GRANT DELETE ON payment_code_used TO carbonhui_app;
GRANT UPDATE (per_payment_max, per_day_max), DELETE ON payment_limit TO carbonhui_app;
GRANT UPDATE (payer, hold_id, captured, refunded, transfer_id, authorised_at, captured_at, expires_at, closed_at, business_date, state, code)
    ON charge TO carbonhui_app;
GRANT USAGE ON SEQUENCE charge_id_seq, charge_refund_id_seq TO carbonhui_app;
