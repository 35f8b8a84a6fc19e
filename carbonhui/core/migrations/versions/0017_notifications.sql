-- The outbox, webhooks and the inbox: what is announced is entered with what happened, or not at all.

-- One announcement. Its number orders it; its handle is what receivers know it by (webhook-id).
-- It holds numbers and codes only. Without an account and without an organisation it is for the staff.
CREATE TABLE announcement (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle       uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    topic        text NOT NULL CHECK (topic ~ '^[a-z]+(\.[a-z_]+){0,2}$'),
    payload      json NOT NULL, -- as it is sent, so that its length is what it says
    account_id   bigint REFERENCES account,
    organisation bigint,
    key          text CHECK (key ~ '^[A-Za-z0-9_.:-]{1,100}$'),
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT announcement_is_thin CHECK (json_typeof(payload) = 'object' AND octet_length(payload::text) < 20000)
);
CREATE INDEX announcement_for_staff ON announcement (id) WHERE account_id IS NULL AND organisation IS NULL;
CREATE INDEX announcement_organisation ON announcement (organisation, topic, id) WHERE organisation IS NOT NULL;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON announcement FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON announcement EXECUTE FUNCTION refuse_rewriting();

-- A person's inbox: the announcements that were for the account. Erasing the person empties it.
CREATE TABLE inbox_message (
    account_id      bigint NOT NULL REFERENCES account,
    announcement_id bigint NOT NULL REFERENCES announcement,
    read_at         timestamptz,
    PRIMARY KEY (account_id, announcement_id)
);
CREATE INDEX inbox_unread ON inbox_message (account_id) WHERE read_at IS NULL;

-- Where an organisation wants to be told.
CREATE TABLE webhook_endpoint (
    id           bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 2147483647) PRIMARY KEY,
    organisation bigint NOT NULL,
    url          text NOT NULL CHECK (length(url) <= 2000),
    state        text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled', 'removed')),
    added_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT endpoint_is_the_organisations_own UNIQUE (id, organisation)
);
CREATE INDEX webhook_endpoint_organisation ON webhook_endpoint (organisation);
CREATE FUNCTION webhook_endpoint_only_changes_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state <> 'removed'
       AND (OLD.id, OLD.organisation, OLD.url, OLD.added_at) = (NEW.id, NEW.organisation, NEW.url, NEW.added_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an endpoint is never moved or taken away, only removed from use' USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER only_changes_state BEFORE UPDATE OR DELETE ON webhook_endpoint
    FOR EACH ROW EXECUTE FUNCTION webhook_endpoint_only_changes_state();

-- What signs: the newest, and for a day the one before it, so that receivers can change over.
CREATE TABLE webhook_secret (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id bigint NOT NULL REFERENCES webhook_endpoint,
    wrapped     bytea NOT NULL,
    until       timestamptz
);
CREATE UNIQUE INDEX one_newest_secret ON webhook_secret (endpoint_id) WHERE until IS NULL;

-- Which topics an endpoint is told, for the announcements numbered between: no clock decides what was missed.
CREATE TABLE webhook_subscription (
    endpoint_id bigint NOT NULL REFERENCES webhook_endpoint,
    topic       text NOT NULL,
    after_id    bigint NOT NULL,
    until_id    bigint,
    PRIMARY KEY (endpoint_id, topic, after_id),
    CONSTRAINT subscription_ends_after_it_begins CHECK (until_id > after_id)
);
CREATE UNIQUE INDEX one_live_subscription ON webhook_subscription (endpoint_id, topic) WHERE until_id IS NULL;
CREATE TRIGGER subscriptions_are_only_ended BEFORE UPDATE ON webhook_subscription FOR EACH ROW
    WHEN (OLD.until_id IS NOT NULL OR NEW.until_id IS NULL
          OR (OLD.endpoint_id, OLD.topic, OLD.after_id) <> (NEW.endpoint_id, NEW.topic, NEW.after_id))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER subscriptions_are_never_removed BEFORE DELETE ON webhook_subscription FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER subscriptions_are_never_emptied BEFORE TRUNCATE ON webhook_subscription EXECUTE FUNCTION refuse_rewriting();

-- One announcement on its way to one endpoint. "-infinity" is due at once, whatever the clock that asks.
CREATE TABLE webhook_delivery (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    announcement_id bigint NOT NULL REFERENCES announcement,
    endpoint_id     bigint NOT NULL REFERENCES webhook_endpoint,
    key             text,
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts        integer NOT NULL DEFAULT 0,
    due_at          timestamptz NOT NULL DEFAULT '-infinity',
    attempted_at    timestamptz,
    outcome         text,
    status          integer,
    CONSTRAINT one_delivery_to_each_endpoint UNIQUE (announcement_id, endpoint_id),
    CONSTRAINT ten_attempts_at_most CHECK (attempts BETWEEN 0 AND 10),
    CONSTRAINT delivered_says_when CHECK (state <> 'delivered' OR (attempts > 0 AND attempted_at IS NOT NULL AND outcome IS NOT NULL)),
    CONSTRAINT dead_says_why CHECK (state <> 'dead' OR outcome IS NOT NULL)
);
CREATE INDEX delivery_waiting ON webhook_delivery (endpoint_id, due_at) WHERE state = 'waiting';
CREATE INDEX delivery_order ON webhook_delivery (endpoint_id, key, announcement_id) WHERE state = 'waiting';
CREATE INDEX delivery_dead ON webhook_delivery (endpoint_id, id) WHERE state = 'dead';
CREATE INDEX delivery_attempted ON webhook_delivery (attempted_at) WHERE state = 'delivered';

-- What was delivered stays delivered; what is dead can only be tried again from the beginning.
CREATE FUNCTION webhook_delivery_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND (OLD.id, OLD.announcement_id, OLD.endpoint_id) = (NEW.id, NEW.announcement_id, NEW.endpoint_id)
       AND OLD.key IS NOT DISTINCT FROM NEW.key
       AND (OLD.state = 'waiting' OR (OLD.state = 'dead' AND NEW.state = 'waiting' AND NEW.attempts = 0)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'delivery % is % and stays so', OLD.id, OLD.state USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER moves_on BEFORE UPDATE OR DELETE ON webhook_delivery FOR EACH ROW EXECUTE FUNCTION webhook_delivery_moves_on();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON webhook_delivery EXECUTE FUNCTION refuse_rewriting();

-- Announce once: the inbox and every endpoint that is subscribed get it in the same transaction.
-- Who changes an organisation's subscriptions takes the first lock alone, so an announcement is numbered
-- wholly before or wholly after the change. The second lock makes the numbers of one matter (its key) the
-- order in which its transactions commit.
CREATE FUNCTION notifications_announce(p_topic text, p_payload json, p_account bigint, p_organisation bigint, p_key text)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE v_id bigint; v_handle uuid;
BEGIN
    IF p_organisation IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(440131, hashint8(p_organisation));
        IF p_key IS NOT NULL THEN
            PERFORM pg_advisory_xact_lock(440132, hashtext(p_organisation || ':' || p_key));
        END IF;
    END IF;
    INSERT INTO announcement (topic, payload, account_id, organisation, key)
    VALUES (p_topic, p_payload, p_account, p_organisation, p_key) RETURNING id, handle INTO v_id, v_handle;
    IF p_account IS NOT NULL THEN
        INSERT INTO inbox_message (account_id, announcement_id) VALUES (p_account, v_id);
    END IF;
    IF p_organisation IS NOT NULL THEN
        INSERT INTO webhook_delivery (announcement_id, endpoint_id, key)
        SELECT v_id, e.id, p_key FROM webhook_endpoint e JOIN webhook_subscription s ON s.endpoint_id = e.id
        WHERE e.organisation = p_organisation AND s.topic = p_topic AND s.until_id IS NULL;
    END IF;
    RETURN v_handle;
END $$;

-- End what an endpoint is told: nothing new, and what waits is dead, with the reason.
CREATE FUNCTION notifications_end_endpoint(p_endpoint bigint, p_organisation bigint, p_state text, p_reason text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(440131, hashint8(p_organisation));
    UPDATE webhook_endpoint SET state = p_state
    WHERE id = p_endpoint AND organisation = p_organisation AND state <> 'removed' AND state <> p_state;
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE webhook_subscription SET until_id = nextval('announcement_id_seq') WHERE endpoint_id = p_endpoint AND until_id IS NULL;
    UPDATE webhook_delivery SET state = 'dead', outcome = p_reason WHERE endpoint_id = p_endpoint AND state = 'waiting';
    RETURN true;
END $$;

GRANT SELECT, INSERT ON announcement, inbox_message, webhook_endpoint, webhook_secret, webhook_subscription, webhook_delivery
    TO carbonhui_app;
GRANT UPDATE (read_at), DELETE ON inbox_message TO carbonhui_app;
GRANT UPDATE (state) ON webhook_endpoint TO carbonhui_app;
GRANT UPDATE (until), DELETE ON webhook_secret TO carbonhui_app;
GRANT UPDATE (until_id) ON webhook_subscription TO carbonhui_app;
GRANT UPDATE (state, attempts, due_at, attempted_at, outcome, status) ON webhook_delivery TO carbonhui_app;
GRANT USAGE ON SEQUENCE announcement_id_seq, webhook_endpoint_id_seq, webhook_secret_id_seq, webhook_delivery_id_seq
    TO carbonhui_app;
