-- The rules of a city, which the three bodies may set (Articles 18-22), and gifts and requests that wait.

INSERT INTO policy_name (name, says, lowest, highest) VALUES
    ('credits_transferable', 'Whether persons may give and pool credits: 1 or 0 (Article 18)', 0, 1),
    ('credits_redeemable', 'Whether credits buy what merchants offer: 1 or 0 (Articles 18, 20)', 0, 1),
    ('credits_tradable', 'Whether credits are traded: 1 or 0 (Article 23)', 0, 1),
    ('credits_donatable', 'Whether credits are given to charities: 1 or 0 (Article 21)', 0, 1),
    ('credit_life_years', 'Full years after its vintage in which a credit may be used; 0 for no end', 0, 100),
    ('person_holding_max', 'The most credits that a person may come to hold by what others give; 0 for no limit (Article 30)',
     0, 9007199254740991),
    ('charity_may_redeem', 'Whether a charity may spend given credits at merchants: 1 or 0 (Articles 21, 40)', 0, 1),
    ('charity_may_retire', 'Whether a charity may retire given credits: 1 or 0 (Articles 22, 40)', 0, 1),
    ('charity_may_sell', 'Whether a charity may sell given credits: 1 or 0 (Article 40)', 0, 1),
    ('gift_waits_days', 'Days that a gift or a request waits for its answer', 1, 29),
    ('gifts_waiting_max', 'Gifts, and likewise requests, of one person that may wait at once', 1, 1000),
    ('pool_use_days', 'Days in which a pool that reached its goal is used', 1, 3660),
    ('refund_days', 'Days in which a merchant may refund after settlement', 1, 3660),
    ('payment_credits_max', 'The most credits of one payment; 0 for no limit', 0, 9007199254740991);

-- Nobody is credited by these rules, so a decision may begin on a past day: what was done stays as it was done.
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
    ELSIF v_name IN ('par_fen_per_1000_credits', 'offset_cap_percent') THEN
        RETURN EXISTS (SELECT FROM bill_offset WHERE day >= p_day);
    END IF;
    RETURN false;
END $$;

-- Gifts by mobile number or by a code that the receiver shows (Article 18). A number is kept as a digest, and only while the gift waits.
CREATE TABLE gift (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle        uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    giver         bigint NOT NULL,
    receiver      bigint,
    mobile_digest bytea CHECK (octet_length(mobile_digest) = 32),
    key_version   integer,
    credits       bigint NOT NULL CHECK (credits BETWEEN 1 AND 9007199254740991),
    greeting      text NOT NULL CHECK (greeting ~ '^[a-z_]{1,40}$'),
    state         text NOT NULL CHECK (state IN ('waiting', 'accepted', 'declined', 'cancelled', 'lapsed')),
    hold_id       bigint UNIQUE,
    transfer_id   bigint UNIQUE,
    reference     text COLLATE "C" NOT NULL UNIQUE,
    given_on      date NOT NULL,
    until         date NOT NULL,
    ended_on      date,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT nobody_gives_to_themselves CHECK (giver <> receiver),
    CONSTRAINT a_waiting_gift_is_promised CHECK (state <> 'waiting' OR hold_id IS NOT NULL),
    CONSTRAINT an_accepted_gift_has_moved CHECK ((state = 'accepted') = (transfer_id IS NOT NULL)),
    CONSTRAINT an_accepted_gift_has_a_receiver CHECK (state <> 'accepted' OR receiver IS NOT NULL),
    CONSTRAINT a_gift_ends_once CHECK ((state = 'waiting') = (ended_on IS NULL)),
    CONSTRAINT a_number_is_kept_while_the_gift_waits CHECK (state = 'waiting' OR mobile_digest IS NULL),
    CONSTRAINT a_digest_has_its_key CHECK ((mobile_digest IS NULL) = (key_version IS NULL)),
    CONSTRAINT a_gift_waits_at_least_a_day CHECK (until >= given_on)
);
CREATE INDEX gift_of_giver ON gift (giver, id);
CREATE INDEX gift_of_receiver ON gift (receiver, id) WHERE receiver IS NOT NULL;
CREATE INDEX gift_to_a_number ON gift (mobile_digest) WHERE receiver IS NULL AND state = 'waiting';
CREATE INDEX gift_waiting ON gift (until) WHERE state = 'waiting';

-- One person asks another for credits; whoever is asked gives, or does not.
CREATE TABLE credit_request (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle        uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    asker         bigint NOT NULL,
    asked         bigint,
    mobile_digest bytea CHECK (octet_length(mobile_digest) = 32),
    key_version   integer,
    credits       bigint NOT NULL CHECK (credits BETWEEN 1 AND 9007199254740991),
    reason        text NOT NULL CHECK (reason ~ '^[a-z_]{1,40}$'),
    state         text NOT NULL CHECK (state IN ('waiting', 'accepted', 'declined', 'cancelled', 'lapsed')),
    transfer_id   bigint UNIQUE,
    reference     text COLLATE "C" NOT NULL UNIQUE,
    asked_on      date NOT NULL,
    until         date NOT NULL,
    ended_on      date,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT nobody_asks_themselves CHECK (asker <> asked),
    CONSTRAINT an_accepted_request_has_moved CHECK ((state = 'accepted') = (transfer_id IS NOT NULL)),
    CONSTRAINT an_accepted_request_has_a_giver CHECK (state <> 'accepted' OR asked IS NOT NULL),
    CONSTRAINT a_request_ends_once CHECK ((state = 'waiting') = (ended_on IS NULL)),
    CONSTRAINT a_number_is_kept_while_the_request_waits CHECK (state = 'waiting' OR mobile_digest IS NULL),
    CONSTRAINT a_digest_has_its_key CHECK ((mobile_digest IS NULL) = (key_version IS NULL)),
    CONSTRAINT a_request_waits_at_least_a_day CHECK (until >= asked_on)
);
CREATE INDEX request_of_asker ON credit_request (asker, id);
CREATE INDEX request_of_asked ON credit_request (asked, id) WHERE asked IS NOT NULL;
CREATE INDEX request_to_a_number ON credit_request (mobile_digest) WHERE asked IS NULL AND state = 'waiting';
CREATE INDEX request_waiting ON credit_request (until) WHERE state = 'waiting';
-- Nobody is asked again by the same person before they answered. By number and by code apart, so that the refusal does not tie the two.
CREATE UNIQUE INDEX one_number_is_asked_once ON credit_request (asker, mobile_digest) WHERE state = 'waiting' AND mobile_digest IS NOT NULL;
CREATE UNIQUE INDEX one_person_is_asked_once ON credit_request (asker, asked) WHERE state = 'waiting' AND mobile_digest IS NULL;

-- What waits finds whom it is for, and ends once; nothing else about it changes.
CREATE FUNCTION waits_and_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'waiting'
       AND to_jsonb(OLD) - ARRAY['receiver', 'asked', 'mobile_digest', 'key_version', 'state', 'transfer_id', 'ended_on']
         = to_jsonb(NEW) - ARRAY['receiver', 'asked', 'mobile_digest', 'key_version', 'state', 'transfer_id', 'ended_on']
       AND coalesce(to_jsonb(OLD) ->> 'receiver', to_jsonb(OLD) ->> 'asked', to_jsonb(NEW) ->> 'receiver', to_jsonb(NEW) ->> 'asked', '')
         = coalesce(to_jsonb(NEW) ->> 'receiver', to_jsonb(NEW) ->> 'asked', '') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a gift and a request wait and end once' USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER waits_and_ends BEFORE UPDATE OR DELETE ON gift FOR EACH ROW EXECUTE FUNCTION waits_and_ends();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON gift FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER waits_and_ends BEFORE UPDATE OR DELETE ON credit_request FOR EACH ROW EXECUTE FUNCTION waits_and_ends();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON credit_request FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON gift, credit_request TO carbonhui_app;
GRANT UPDATE (receiver, mobile_digest, key_version, state, transfer_id, ended_on) ON gift TO carbonhui_app;
GRANT UPDATE (asked, mobile_digest, key_version, state, transfer_id, ended_on) ON credit_request TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
