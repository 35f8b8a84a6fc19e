-- How persons, staff and organisations prove who they are (Articles 11, 13). No row here holds a mobile number, a
-- code, a token or a usable key: only their digests, public keys, and what the vault has wrapped.

-- One-time codes -------------------------------------------------------------------------------

CREATE TABLE one_time_code (
    id         uuid PRIMARY KEY,
    purpose    text NOT NULL CHECK (purpose IN ('sign_in', 'change_mobile', 'guardian', 'erase')),
    mobile     bytea NOT NULL CHECK (octet_length(mobile) BETWEEN 16 AND 64), -- its digest under a key, for the limits
    digest     bytea NOT NULL CHECK (octet_length(digest) BETWEEN 16 AND 64), -- of this id and the code, under a key
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > asked_at),
    tries      smallint NOT NULL DEFAULT 0,
    used_at    timestamptz,
    CONSTRAINT no_sixth_try CHECK (tries BETWEEN 0 AND 5),
    CONSTRAINT used_by_a_try_in_time CHECK (used_at IS NULL OR (used_at < expires_at AND tries > 0))
);
CREATE INDEX one_time_code_mobile ON one_time_code (mobile, asked_at);
CREATE INDEX one_time_code_asked ON one_time_code (asked_at);

-- A code wears out: one try at a time, used once.
CREATE TRIGGER codes_only_wear_out BEFORE UPDATE ON one_time_code FOR EACH ROW
    WHEN (OLD.used_at IS NOT NULL OR NEW.tries NOT IN (OLD.tries, OLD.tries + 1)
          OR (OLD.id, OLD.purpose, OLD.mobile, OLD.digest, OLD.asked_at, OLD.expires_at)
             IS DISTINCT FROM (NEW.id, NEW.purpose, NEW.mobile, NEW.digest, NEW.asked_at, NEW.expires_at))
    EXECUTE FUNCTION refuse_rewriting();

-- Keys that sign access tokens -----------------------------------------------------------------

CREATE TABLE signing_key (
    kid           text PRIMARY KEY CHECK (kid ~ '^[0-9a-f]{16}$'),
    public        bytea NOT NULL UNIQUE CHECK (octet_length(public) = 32),
    wrapped       bytea, -- the private key, under the vault; let go once it signs no more
    made_at       timestamptz NOT NULL,
    active_from   timestamptz NOT NULL CHECK (active_from >= made_at),
    retires_at    timestamptz CHECK (retires_at > active_from), -- from here on another one signs
    distrusted_at timestamptz, -- from here on nothing that it signed is believed
    CONSTRAINT one_key_signs_at_a_time EXCLUDE USING gist (tstzrange(active_from, retires_at) WITH &&) WHERE (distrusted_at IS NULL),
    CONSTRAINT who_signs_has_a_key CHECK (wrapped IS NOT NULL OR retires_at IS NOT NULL OR distrusted_at IS NOT NULL)
);
CREATE TRIGGER signing_keys_only_end BEFORE UPDATE ON signing_key FOR EACH ROW
    WHEN ((OLD.kid, OLD.public, OLD.made_at, OLD.active_from) IS DISTINCT FROM (NEW.kid, NEW.public, NEW.made_at, NEW.active_from)
          OR (OLD.retires_at IS NOT NULL AND NEW.retires_at IS DISTINCT FROM OLD.retires_at)
          OR (OLD.distrusted_at IS NOT NULL AND NEW.distrusted_at IS DISTINCT FROM OLD.distrusted_at)
          OR (OLD.wrapped IS NULL AND NEW.wrapped IS NOT NULL))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER signing_keys_are_never_removed BEFORE DELETE ON signing_key FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER signing_keys_are_never_emptied BEFORE TRUNCATE ON signing_key EXECUTE FUNCTION refuse_rewriting();

-- Devices and their refresh tokens -------------------------------------------------------------

-- What a person calls a device lies in the vault.
CREATE TABLE device (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle       uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    person_id    bigint NOT NULL REFERENCES person,
    signed_in_at timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL CHECK (seen_at >= signed_in_at),
    ended_at     timestamptz,
    ended_by     text CHECK (ended_by IN ('person', 'staff', 'reuse', 'room', 'time')),
    CONSTRAINT ended_for_a_reason CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX device_person ON device (person_id) WHERE ended_at IS NULL;
CREATE INDEX device_ended ON device (ended_at) WHERE ended_at IS NOT NULL;
CREATE TRIGGER devices_never_come_back BEFORE UPDATE ON device FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL
          OR (OLD.id, OLD.handle, OLD.person_id, OLD.signed_in_at) IS DISTINCT FROM (NEW.id, NEW.handle, NEW.person_id, NEW.signed_in_at))
    EXECUTE FUNCTION refuse_rewriting();

CREATE TABLE refresh_token (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32), -- SHA-256 of 32 random bytes
    device_id  bigint NOT NULL REFERENCES device ON DELETE CASCADE,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > made_at),
    used_at    timestamptz CHECK (used_at < expires_at)
);
CREATE UNIQUE INDEX one_live_refresh_token_per_device ON refresh_token (device_id) WHERE used_at IS NULL;
CREATE INDEX refresh_token_device ON refresh_token (device_id);
CREATE INDEX refresh_token_expires ON refresh_token (expires_at);
CREATE TRIGGER refresh_tokens_are_used_once BEFORE UPDATE ON refresh_token FOR EACH ROW
    WHEN (OLD.used_at IS NOT NULL
          OR (OLD.digest, OLD.device_id, OLD.made_at, OLD.expires_at) IS DISTINCT FROM (NEW.digest, NEW.device_id, NEW.made_at, NEW.expires_at))
    EXECUTE FUNCTION refuse_rewriting();

-- Staff sessions -------------------------------------------------------------------------------

CREATE TABLE staff_session (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    staff_id   bigint NOT NULL REFERENCES staff,
    made_at    timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL CHECK (seen_at >= made_at),
    expires_at timestamptz NOT NULL CHECK (expires_at > made_at),
    ended_at   timestamptz
);
CREATE INDEX staff_session_staff ON staff_session (staff_id) WHERE ended_at IS NULL;
CREATE TRIGGER sessions_never_come_back BEFORE UPDATE ON staff_session FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL OR NEW.seen_at < OLD.seen_at
          OR (OLD.digest, OLD.staff_id, OLD.made_at, OLD.expires_at) IS DISTINCT FROM (NEW.digest, NEW.staff_id, NEW.made_at, NEW.expires_at))
    EXECUTE FUNCTION refuse_rewriting();

-- Organisations' keys and the requests that they signed ----------------------------------------

CREATE TABLE api_key (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id          text NOT NULL UNIQUE CHECK (key_id ~ '^ck_[0-9a-f]{20}$'),
    organisation_id bigint NOT NULL REFERENCES organisation,
    algorithm       text NOT NULL CHECK (algorithm IN ('ed25519', 'hmac-sha256')),
    public          bytea UNIQUE CHECK (octet_length(public) = 32),
    wrapped         bytea,
    label           text NOT NULL CHECK (length(label) BETWEEN 1 AND 60),
    made_at         timestamptz NOT NULL,
    revoked_at      timestamptz CHECK (revoked_at >= made_at),
    CONSTRAINT a_key_of_its_algorithm CHECK (
        (algorithm = 'ed25519') = (public IS NOT NULL) AND (algorithm = 'hmac-sha256') = (wrapped IS NOT NULL))
);
CREATE INDEX api_key_organisation ON api_key (organisation_id, id);
CREATE TRIGGER api_keys_are_only_revoked BEFORE UPDATE ON api_key FOR EACH ROW
    WHEN (OLD.revoked_at IS NOT NULL
          OR (OLD.id, OLD.key_id, OLD.organisation_id, OLD.algorithm, OLD.public, OLD.wrapped, OLD.label, OLD.made_at)
             IS DISTINCT FROM (NEW.id, NEW.key_id, NEW.organisation_id, NEW.algorithm, NEW.public, NEW.wrapped, NEW.label, NEW.made_at))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER api_keys_are_never_removed BEFORE DELETE ON api_key FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER api_keys_are_never_emptied BEFORE TRUNCATE ON api_key EXECUTE FUNCTION refuse_rewriting();

-- A signed request is accepted once; its nonce is remembered for longer than its signature could be fresh.
CREATE TABLE request_nonce (
    key_id     bigint NOT NULL REFERENCES api_key,
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (key_id, digest)
);
CREATE INDEX request_nonce_expires ON request_nonce (expires_at);

GRANT SELECT, INSERT ON one_time_code, signing_key, device, refresh_token, staff_session, api_key, request_nonce TO carbonhui_app;
GRANT DELETE ON one_time_code, device, refresh_token, staff_session, request_nonce TO carbonhui_app;
GRANT UPDATE (tries, used_at) ON one_time_code TO carbonhui_app;
GRANT UPDATE (wrapped, retires_at, distrusted_at) ON signing_key TO carbonhui_app;
GRANT UPDATE (seen_at, ended_at, ended_by) ON device TO carbonhui_app;
GRANT UPDATE (used_at) ON refresh_token TO carbonhui_app;
GRANT UPDATE (seen_at, ended_at) ON staff_session TO carbonhui_app;
GRANT UPDATE (revoked_at) ON api_key TO carbonhui_app;
GRANT USAGE ON SEQUENCE device_id_seq, api_key_id_seq TO carbonhui_app;
