-- Who answers to which identifier (Article 11). Identifiers stand here as blind indexes only.

-- The exclusion below needs a range for what is compared for equality, because plain GiST knows
-- ranges and the extension btree_gist is not everywhere. 64 bits of SHA-256 stand for the identifier.
CREATE FUNCTION link_key(p_scheme text, p_subject bytea) RETURNS int8range
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT int8range(h, h, '[]')
      FROM (SELECT ('x' || substr(encode(sha256(convert_to(p_scheme, 'UTF8') || '\x00' || p_subject), 'hex'), 1, 15))::bit(60)::bigint AS h) AS hashed
$$;

CREATE TABLE link (
    scheme     text NOT NULL CHECK (scheme <> ''),
    subject    bytea NOT NULL,
    account_id bigint NOT NULL REFERENCES account,
    valid_from date NOT NULL,
    valid_to   date, -- the first day on which it no longer holds
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scheme, subject, valid_from),
    CONSTRAINT subject_is_a_blind_index CHECK (octet_length(subject) = 16),
    CONSTRAINT link_ends_after_it_begins CHECK (valid_to >= valid_from),
    CONSTRAINT one_person_per_identifier EXCLUDE USING gist
        (link_key(scheme, subject) WITH &&, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX link_account ON link (account_id);

-- A link is history: it can only be ended, once.
CREATE TRIGGER links_are_only_ended BEFORE UPDATE ON link FOR EACH ROW
    WHEN (OLD.valid_to IS NOT NULL OR NEW.valid_to IS NULL
          OR (OLD.scheme, OLD.subject, OLD.account_id, OLD.valid_from, OLD.made_at)
             IS DISTINCT FROM (NEW.scheme, NEW.subject, NEW.account_id, NEW.valid_from, NEW.made_at))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER links_are_never_removed BEFORE DELETE ON link FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER links_are_never_emptied BEFORE TRUNCATE ON link EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON link TO carbonhui_app;
GRANT UPDATE (valid_to) ON link TO carbonhui_app;
