-- Who takes part (Article 11): persons, their guardians, organisations, staff, and how a link was proven.
-- No row here holds personal data. A person is a number whose fields lie in the vault under "subject".

-- An erased person's credits go to the cancellation pool.
INSERT INTO purpose VALUES (12, 'abandon', '18');

-- Persons --------------------------------------------------------------------------------------

CREATE TABLE person (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    account_id     bigint NOT NULL UNIQUE REFERENCES account,
    subject        bigint NOT NULL UNIQUE REFERENCES data_subject,
    level          text NOT NULL DEFAULT 'registered' CHECK (level IN ('registered', 'real_name')),
    state          text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'restricted', 'erased')),
    language       text NOT NULL CHECK (language IN ('zh', 'en')),
    guardian_until date, -- a minor's eighteenth birthday; nobody else's
    registered_on  date NOT NULL,
    erased_at      timestamptz,
    CONSTRAINT erased_once_and_for_all CHECK ((state = 'erased') = (erased_at IS NOT NULL)),
    -- The birthday is personal data, so it goes with the rest.
    CONSTRAINT erased_persons_have_no_birthday CHECK (state <> 'erased' OR guardian_until IS NULL),
    CONSTRAINT only_a_proven_age_needs_a_guardian CHECK (guardian_until IS NULL OR level = 'real_name')
);
CREATE INDEX person_coming_of_age ON person (guardian_until) WHERE guardian_until IS NOT NULL;

CREATE FUNCTION person_changes_lawfully() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'erased'
       OR (OLD.id, OLD.handle, OLD.account_id, OLD.subject, OLD.registered_on)
          IS DISTINCT FROM (NEW.id, NEW.handle, NEW.account_id, NEW.subject, NEW.registered_on)
       OR (OLD.level = 'real_name' AND NEW.level <> 'real_name')
       OR (OLD.guardian_until IS NOT NULL AND NEW.guardian_until <> OLD.guardian_until)
       OR (OLD.guardian_until IS NULL AND NEW.guardian_until IS NOT NULL AND OLD.level = 'real_name') THEN
        RAISE EXCEPTION 'what is known of a person is never taken back, and an erased person never returns'
            USING ERRCODE = 'CH001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_changes_lawfully BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION person_changes_lawfully();
CREATE TRIGGER persons_are_never_removed BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER persons_are_never_emptied BEFORE TRUNCATE ON person EXECUTE FUNCTION refuse_rewriting();

-- An account that is erased must be closed, and a person's account is of the kind "person".
CREATE FUNCTION person_account_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM account WHERE id = NEW.account_id AND kind = 1
                   AND (NEW.state <> 'erased' OR closed_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'a person has a person''s account, closed once the person is erased' USING ERRCODE = 'CH003';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER person_account_fits AFTER INSERT OR UPDATE OF state ON person FOR EACH ROW EXECUTE FUNCTION person_account_fits();

-- Who answers for a minor, from a day until before a day.
CREATE TABLE guardianship (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ward_id     bigint NOT NULL REFERENCES person,
    guardian_id bigint NOT NULL REFERENCES person,
    since       date NOT NULL,
    until       date,
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT nobody_is_their_own_guardian CHECK (ward_id <> guardian_id),
    CONSTRAINT guardianship_ends_after_it_begins CHECK (until >= since)
);
CREATE UNIQUE INDEX one_live_guardian_pair ON guardianship (ward_id, guardian_id) WHERE until IS NULL;
CREATE INDEX guardianship_guardian ON guardianship (guardian_id) WHERE until IS NULL;

CREATE FUNCTION guardians_are_adults() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE g person; w person;
BEGIN
    -- Shared, so that neither is erased while this is entered.
    SELECT * INTO g FROM person WHERE id = NEW.guardian_id FOR SHARE;
    SELECT * INTO w FROM person WHERE id = NEW.ward_id FOR SHARE;
    IF g.state <> 'active' OR g.level <> 'real_name' OR g.guardian_until > NEW.since
       OR w.state = 'erased' OR w.guardian_until IS NULL OR w.guardian_until <= NEW.since THEN
        RAISE EXCEPTION 'a guardian is a proven adult and a ward a minor' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guardians_are_adults BEFORE INSERT ON guardianship FOR EACH ROW EXECUTE FUNCTION guardians_are_adults();
CREATE TRIGGER guardianships_only_end BEFORE UPDATE ON guardianship FOR EACH ROW
    WHEN (OLD.until IS NOT NULL OR NEW.until IS NULL
          OR (OLD.id, OLD.ward_id, OLD.guardian_id, OLD.since, OLD.made_at)
             IS DISTINCT FROM (NEW.id, NEW.ward_id, NEW.guardian_id, NEW.since, NEW.made_at))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER guardianships_are_never_removed BEFORE DELETE ON guardianship FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER guardianships_are_never_emptied BEFORE TRUNCATE ON guardianship EXECUTE FUNCTION refuse_rewriting();

-- When a transaction is over, no minor is active without a guardian, and nobody erased answers for anybody.
CREATE FUNCTION minors_have_guardians() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_ward bigint;
BEGIN
    IF TG_TABLE_NAME = 'person' THEN v_ward := NEW.id; ELSE v_ward := NEW.ward_id; END IF;
    -- Two guardians who leave at once leave one after the other.
    PERFORM 1 FROM person WHERE id = v_ward FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM person p WHERE p.id = v_ward AND p.state = 'active' AND p.guardian_until IS NOT NULL
               AND NOT EXISTS (SELECT FROM guardianship g WHERE g.ward_id = p.id AND g.until IS NULL)) THEN
        RAISE EXCEPTION 'a minor without a guardian is restricted' USING ERRCODE = 'CH003';
    END IF;
    IF EXISTS (SELECT FROM guardianship g JOIN person p ON p.id IN (g.guardian_id, g.ward_id)
               WHERE g.until IS NULL AND p.state = 'erased'
               AND (g.ward_id = v_ward OR TG_TABLE_NAME = 'person' AND g.guardian_id = v_ward)) THEN
        RAISE EXCEPTION 'an erased person answers for nobody' USING ERRCODE = 'CH003';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER minors_have_guardians AFTER INSERT OR UPDATE OF state, guardian_until ON person
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION minors_have_guardians();
CREATE CONSTRAINT TRIGGER minors_have_guardians AFTER UPDATE OF until ON guardianship
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION minors_have_guardians();

-- How often somebody gave particulars on a day, right or wrong: whose number is registered cannot be asked at will.
CREATE TABLE identity_try (
    person_id bigint NOT NULL REFERENCES person,
    day       date NOT NULL,
    tries     integer NOT NULL CHECK (tries > 0),
    PRIMARY KEY (person_id, day)
);
GRANT SELECT, INSERT, DELETE ON identity_try TO carbonhui_app;
GRANT UPDATE (tries) ON identity_try TO carbonhui_app;

-- Staff ----------------------------------------------------------------------------------------

CREATE TABLE staff (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login        text NOT NULL UNIQUE CHECK (login ~ '^[a-z][a-z0-9._-]{2,39}$'),
    password     text NOT NULL CHECK (password LIKE '$argon2id$%'),
    totp_secret  bytea NOT NULL, -- wrapped by the vault
    totp_step    bigint NOT NULL DEFAULT 0, -- the newest step of the clock whose code was accepted
    roles        text[] NOT NULL,
    state        text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'left')),
    failed       integer NOT NULL DEFAULT 0 CHECK (failed >= 0),
    locked_until timestamptz,
    added_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT known_roles CHECK (
        cardinality(roles) > 0 AND array_position(roles, NULL) IS NULL
        AND roles <@ ARRAY['operator', 'registrar', 'approver', 'auditor', 'support', 'regulator'])
);
CREATE FUNCTION staff_changes_lawfully() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'left' OR (OLD.id, OLD.login, OLD.added_at) IS DISTINCT FROM (NEW.id, NEW.login, NEW.added_at)
       OR (NEW.totp_step < OLD.totp_step AND NEW.totp_secret = OLD.totp_secret) THEN
        RAISE EXCEPTION 'a staff account that was left stays so, and a step of the clock counts once' USING ERRCODE = 'CH001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER staff_changes_lawfully BEFORE UPDATE ON staff FOR EACH ROW EXECUTE FUNCTION staff_changes_lawfully();
CREATE TRIGGER staff_are_never_removed BEFORE DELETE ON staff FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER staff_are_never_emptied BEFORE TRUNCATE ON staff EXECUTE FUNCTION refuse_rewriting();

CREATE FUNCTION staff_may(p_staff bigint, p_role text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM staff WHERE id = p_staff AND state = 'active' AND p_role = ANY (roles))
$$;

-- Organisations --------------------------------------------------------------------------------

-- The last character of a unified social credit code checks the others (GB 32100-2015, modulo 31).
CREATE FUNCTION credit_code_is_right(p_code text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT p_code ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'
       AND 0 = (SELECT sum((position(substr(p_code, n, 1) IN '0123456789ABCDEFGHJKLMNPQRTUWXY') - 1)
                           * CASE n WHEN 18 THEN 1 ELSE (3 ^ (n - 1))::numeric % 31 END)
                FROM generate_series(1, 18) AS n) % 31
$$;

CREATE TABLE organisation (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    kind            text NOT NULL CHECK (kind IN (
        'merchant', 'department', 'charity', 'emitter', 'institution', 'fund_manager', 'exchange', 'regulator')),
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    credit_code     text NOT NULL,
    state           text NOT NULL DEFAULT 'applied' CHECK (state IN ('applied', 'approved', 'suspended', 'closed')),
    account_id      bigint UNIQUE REFERENCES account,
    cash_account_id bigint UNIQUE REFERENCES account,
    subject         bigint UNIQUE REFERENCES data_subject, -- its contact person, in the vault
    applied_on      date NOT NULL,
    step_id         bigint UNIQUE, -- the step by which it came into its state; one step has one effect
    CONSTRAINT credit_code_checks CHECK (credit_code_is_right(credit_code)),
    CONSTRAINT who_is_approved_has_an_account CHECK (
        state NOT IN ('approved', 'suspended')
        OR (kind IN ('institution', 'exchange', 'regulator')) = (account_id IS NULL)),
    CONSTRAINT departments_have_a_purse CHECK (
        (cash_account_id IS NULL OR kind = 'department')
        AND (kind <> 'department' OR state NOT IN ('approved', 'suspended') OR cash_account_id IS NOT NULL)),
    CONSTRAINT nobody_is_paid_before_approval CHECK (state <> 'applied' OR (account_id IS NULL AND cash_account_id IS NULL)),
    CONSTRAINT a_state_has_its_step CHECK ((state = 'applied') = (step_id IS NULL))
);
CREATE UNIQUE INDEX one_live_organisation_per_code_and_kind ON organisation (credit_code, kind) WHERE state <> 'closed';

-- What one proposes and another decides.
CREATE TABLE organisation_step (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    step            text NOT NULL CHECK (step IN ('approve', 'suspend', 'resume', 'close')),
    reason          text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    proposed_by     bigint NOT NULL REFERENCES staff,
    proposed_on     date NOT NULL,
    decided_by      bigint REFERENCES staff,
    agreed          boolean,
    decided_on      date,
    CONSTRAINT nobody_decides_their_own CHECK (decided_by <> proposed_by),
    CONSTRAINT decided_wholly_or_not CHECK (num_nulls(decided_by, agreed, decided_on) IN (0, 3)),
    CONSTRAINT decided_after_it_was_proposed CHECK (decided_on >= proposed_on)
);
CREATE UNIQUE INDEX one_open_step ON organisation_step (organisation_id) WHERE decided_by IS NULL;
CREATE INDEX organisation_step_of ON organisation_step (organisation_id, id);
ALTER TABLE organisation ADD FOREIGN KEY (step_id) REFERENCES organisation_step;

-- Which state a step leads to, or null where it leads nowhere.
CREATE FUNCTION organisation_state_after(p_state text, p_step text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN (p_state, p_step) = ('applied', 'approve') THEN 'approved'
                WHEN (p_state, p_step) = ('approved', 'suspend') THEN 'suspended'
                WHEN (p_state, p_step) = ('suspended', 'resume') THEN 'approved'
                WHEN p_state <> 'closed' AND p_step = 'close' THEN 'closed' END
$$;

CREATE FUNCTION step_is_lawful() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_state text;
BEGIN
    SELECT state INTO v_state FROM organisation WHERE id = NEW.organisation_id FOR NO KEY UPDATE;
    IF TG_OP = 'INSERT' THEN
        IF NEW.decided_by IS NOT NULL OR NOT staff_may(NEW.proposed_by, 'registrar') THEN
            RAISE EXCEPTION 'a step is proposed by a registrar and decided later' USING ERRCODE = 'CH003';
        END IF;
    ELSIF OLD.decided_by IS NOT NULL OR NEW.decided_by IS NULL
       OR (OLD.id, OLD.organisation_id, OLD.step, OLD.reason, OLD.proposed_by, OLD.proposed_on)
          IS DISTINCT FROM (NEW.id, NEW.organisation_id, NEW.step, NEW.reason, NEW.proposed_by, NEW.proposed_on) THEN
        RAISE EXCEPTION 'a step is decided once and never edited' USING ERRCODE = 'CH001';
    ELSIF NOT staff_may(NEW.decided_by, 'approver') THEN
        RAISE EXCEPTION 'a step is decided by an approver' USING ERRCODE = 'CH003';
    END IF;
    IF organisation_state_after(v_state, NEW.step) IS NULL THEN
        RAISE EXCEPTION 'an organisation that is % cannot take the step %', v_state, NEW.step USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER step_is_lawful BEFORE INSERT OR UPDATE ON organisation_step FOR EACH ROW EXECUTE FUNCTION step_is_lawful();
CREATE TRIGGER steps_are_never_removed BEFORE DELETE ON organisation_step FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER steps_are_never_emptied BEFORE TRUNCATE ON organisation_step EXECUTE FUNCTION refuse_rewriting();

-- A state changes by an agreed step of this very organisation only; accounts are tied once.
CREATE FUNCTION organisation_changes_lawfully() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'applied' THEN
            RAISE EXCEPTION 'an organisation begins by applying' USING ERRCODE = 'CH003';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed'
       OR (OLD.id, OLD.handle, OLD.kind, OLD.credit_code, OLD.applied_on)
          IS DISTINCT FROM (NEW.id, NEW.handle, NEW.kind, NEW.credit_code, NEW.applied_on)
       OR (OLD.state <> 'applied'
           AND (OLD.account_id, OLD.cash_account_id) IS DISTINCT FROM (NEW.account_id, NEW.cash_account_id)) THEN
        RAISE EXCEPTION 'what an organisation is was decided by two and is not edited' USING ERRCODE = 'CH001';
    END IF;
    IF (OLD.state, OLD.step_id) IS DISTINCT FROM (NEW.state, NEW.step_id)
       AND NOT EXISTS (SELECT FROM organisation_step s
                       WHERE s.id = NEW.step_id AND s.organisation_id = NEW.id AND s.agreed
                         AND s.id > coalesce(OLD.step_id, 0) -- an earlier one had its effect already
                         AND organisation_state_after(OLD.state, s.step) = NEW.state) THEN
        RAISE EXCEPTION 'a state changes by a step that two agreed on' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organisation_changes_lawfully BEFORE INSERT OR UPDATE ON organisation
    FOR EACH ROW EXECUTE FUNCTION organisation_changes_lawfully();
CREATE TRIGGER organisations_are_never_removed BEFORE DELETE ON organisation FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER organisations_are_never_emptied BEFORE TRUNCATE ON organisation EXECUTE FUNCTION refuse_rewriting();

-- Each account is of its organisation's kind, and the purse holds fen.
CREATE FUNCTION organisation_accounts_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.account_id IS NOT NULL AND NOT EXISTS (
           SELECT FROM account WHERE id = NEW.account_id AND asset = 1
           AND kind = CASE NEW.kind WHEN 'merchant' THEN 2 WHEN 'department' THEN 3 WHEN 'charity' THEN 4 ELSE 5 END)
       OR NEW.cash_account_id IS NOT NULL AND NOT EXISTS (
           SELECT FROM account WHERE id = NEW.cash_account_id AND asset = 2 AND kind = 3) THEN
        RAISE EXCEPTION 'the accounts of an organisation are of its own kind' USING ERRCODE = 'CH003';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER organisation_accounts_fit AFTER INSERT OR UPDATE OF account_id, cash_account_id ON organisation
    FOR EACH ROW EXECUTE FUNCTION organisation_accounts_fit();

-- Who acts for an organisation.
CREATE TABLE member (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    person_id       bigint NOT NULL REFERENCES person,
    role            text NOT NULL CHECK (role IN ('owner', 'manager', 'clerk')),
    since           date NOT NULL,
    until           date,
    CONSTRAINT membership_ends_after_it_begins CHECK (until >= since)
);
CREATE UNIQUE INDEX one_live_role_per_member ON member (organisation_id, person_id) WHERE until IS NULL;
CREATE INDEX member_person ON member (person_id) WHERE until IS NULL;

CREATE FUNCTION members_are_active() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_person text; v_organisation text;
BEGIN
    SELECT state INTO v_person FROM person WHERE id = NEW.person_id FOR SHARE;
    SELECT state INTO v_organisation FROM organisation WHERE id = NEW.organisation_id FOR SHARE;
    IF v_person <> 'active' OR v_organisation = 'closed' OR NEW.until IS NOT NULL THEN
        RAISE EXCEPTION 'a member is an active person of an organisation that is not closed' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER members_are_active BEFORE INSERT ON member FOR EACH ROW EXECUTE FUNCTION members_are_active();
CREATE TRIGGER memberships_only_end BEFORE UPDATE ON member FOR EACH ROW
    WHEN (OLD.until IS NOT NULL OR NEW.until IS NULL
          OR (OLD.id, OLD.organisation_id, OLD.person_id, OLD.role, OLD.since)
             IS DISTINCT FROM (NEW.id, NEW.organisation_id, NEW.person_id, NEW.role, NEW.since))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER memberships_are_never_removed BEFORE DELETE ON member FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER memberships_are_never_emptied BEFORE TRUNCATE ON member EXECUTE FUNCTION refuse_rewriting();

-- Whoever had an owner keeps one, until it is closed.
CREATE FUNCTION organisations_keep_an_owner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_state text;
BEGIN
    SELECT state INTO v_state FROM organisation WHERE id = NEW.organisation_id FOR NO KEY UPDATE;
    IF v_state <> 'closed' AND NOT EXISTS (
           SELECT FROM member WHERE organisation_id = NEW.organisation_id AND role = 'owner' AND until IS NULL) THEN
        RAISE EXCEPTION 'organisation % would have no owner', NEW.organisation_id USING ERRCODE = 'CH003';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER organisations_keep_an_owner AFTER UPDATE ON member DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION organisations_keep_an_owner();

-- Links with proof -----------------------------------------------------------------------------

-- Which institution may say who holds identifiers of a scheme.
CREATE TABLE scheme_keeper (
    scheme          text NOT NULL CHECK (scheme ~ '^[a-z0-9][a-z0-9_.:-]{0,99}$' AND scheme <> 'person'),
    organisation_id bigint NOT NULL REFERENCES organisation,
    since           date NOT NULL,
    until           date CHECK (until >= since),
    entrusted_by    bigint NOT NULL REFERENCES staff,
    PRIMARY KEY (scheme, organisation_id, since)
);
CREATE UNIQUE INDEX keeper_once_at_a_time ON scheme_keeper (scheme, organisation_id) WHERE until IS NULL;
CREATE TRIGGER keeping_only_ends BEFORE UPDATE ON scheme_keeper FOR EACH ROW
    WHEN (OLD.until IS NOT NULL OR NEW.until IS NULL
          OR (OLD.scheme, OLD.organisation_id, OLD.since, OLD.entrusted_by)
             IS DISTINCT FROM (NEW.scheme, NEW.organisation_id, NEW.since, NEW.entrusted_by))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER keepers_are_never_removed BEFORE DELETE ON scheme_keeper FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER keepers_are_never_emptied BEFORE TRUNCATE ON scheme_keeper EXECUTE FUNCTION refuse_rewriting();

-- A code that an institution delivers to whoever holds the identifier. Only its digest under a key is here.
CREATE TABLE link_code (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scheme          text NOT NULL,
    subject         bytea NOT NULL CHECK (octet_length(subject) = 16),
    digest          bytea NOT NULL CHECK (octet_length(digest) >= 16),
    organisation_id bigint NOT NULL REFERENCES organisation,
    issued_at       timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL CHECK (expires_at > issued_at),
    tries           smallint NOT NULL DEFAULT 0,
    spent_at        timestamptz, -- used, tried too often, or replaced by a newer one
    CONSTRAINT five_tries CHECK (tries BETWEEN 0 AND 5),
    CONSTRAINT spent_after_five_tries CHECK (tries < 5 OR spent_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_live_code_per_identifier ON link_code (scheme, subject) WHERE spent_at IS NULL;
CREATE TRIGGER codes_are_only_spent BEFORE UPDATE ON link_code FOR EACH ROW
    WHEN (OLD.spent_at IS NOT NULL OR NEW.tries < OLD.tries
          OR (OLD.id, OLD.scheme, OLD.subject, OLD.digest, OLD.organisation_id, OLD.issued_at, OLD.expires_at)
             IS DISTINCT FROM (NEW.id, NEW.scheme, NEW.subject, NEW.digest, NEW.organisation_id, NEW.issued_at, NEW.expires_at))
    EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER codes_are_never_removed BEFORE DELETE ON link_code FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER codes_are_never_emptied BEFORE TRUNCATE ON link_code EXECUTE FUNCTION refuse_rewriting();

-- A person's claim to an identifier: proven by a code at once, or confirmed by the institution later.
CREATE TABLE link_claim (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    person_id       bigint NOT NULL REFERENCES person,
    scheme          text NOT NULL,
    subject         bytea NOT NULL CHECK (octet_length(subject) = 16),
    proof           text NOT NULL CHECK (proof IN ('code', 'confirmation')),
    organisation_id bigint NOT NULL REFERENCES organisation,
    code_id         bigint UNIQUE REFERENCES link_code,
    state           text NOT NULL CHECK (state IN ('asked', 'confirmed', 'refused', 'withdrawn')),
    asked_on        date NOT NULL,
    valid_from      date, -- the link's first day, with scheme and subject its key
    CONSTRAINT a_code_is_the_proof CHECK ((proof = 'code') = (code_id IS NOT NULL)),
    CONSTRAINT codes_confirm_at_once CHECK (proof <> 'code' OR state = 'confirmed'),
    CONSTRAINT confirmed_is_linked CHECK ((state = 'confirmed') = (valid_from IS NOT NULL))
);
CREATE INDEX link_claim_person ON link_claim (person_id, id);
CREATE INDEX link_claim_asked ON link_claim (organisation_id, id) WHERE state = 'asked';
CREATE UNIQUE INDEX one_open_claim ON link_claim (person_id, scheme, subject) WHERE state = 'asked';
CREATE UNIQUE INDEX one_claim_per_link ON link_claim (scheme, subject, valid_from) WHERE valid_from IS NOT NULL;

CREATE FUNCTION claim_is_lawful() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state <> 'asked'
       OR (OLD.id, OLD.handle, OLD.person_id, OLD.scheme, OLD.subject, OLD.proof, OLD.organisation_id, OLD.asked_on)
          IS DISTINCT FROM (NEW.id, NEW.handle, NEW.person_id, NEW.scheme, NEW.subject, NEW.proof, NEW.organisation_id, NEW.asked_on)) THEN
        RAISE EXCEPTION 'a claim is decided once' USING ERRCODE = 'CH001';
    END IF;
    IF NEW.state IN ('asked', 'confirmed') THEN
        PERFORM 1 FROM person WHERE id = NEW.person_id AND state = 'active' FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'only an active person links identifiers' USING ERRCODE = 'CH003';
        END IF;
        PERFORM 1 FROM organisation WHERE id = NEW.organisation_id AND state = 'approved' FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'only an approved organisation vouches' USING ERRCODE = 'CH003';
        END IF;
    END IF;
    IF NEW.state = 'confirmed' AND NOT EXISTS (
           SELECT FROM link l JOIN person p ON p.account_id = l.account_id
           WHERE p.id = NEW.person_id AND (l.scheme, l.subject, l.valid_from) = (NEW.scheme, NEW.subject, NEW.valid_from)) THEN
        RAISE EXCEPTION 'a confirmed claim is the claimant''s own link' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER claim_is_lawful BEFORE INSERT OR UPDATE ON link_claim FOR EACH ROW EXECUTE FUNCTION claim_is_lawful();
CREATE TRIGGER claims_are_never_removed BEFORE DELETE ON link_claim FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER claims_are_never_emptied BEFORE TRUNCATE ON link_claim EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON person, guardianship, staff, organisation, organisation_step, member, scheme_keeper, link_code, link_claim
    TO carbonhui_app;
GRANT UPDATE (level, state, language, guardian_until, erased_at) ON person TO carbonhui_app;
GRANT UPDATE (until) ON guardianship, member, scheme_keeper TO carbonhui_app;
GRANT UPDATE (password, totp_secret, totp_step, roles, state, failed, locked_until) ON staff TO carbonhui_app;
GRANT UPDATE (state, account_id, cash_account_id, subject, step_id, name) ON organisation TO carbonhui_app;
GRANT UPDATE (decided_by, agreed, decided_on) ON organisation_step TO carbonhui_app;
GRANT UPDATE (tries, spent_at) ON link_code TO carbonhui_app;
GRANT UPDATE (state, valid_from) ON link_claim TO carbonhui_app;
GRANT USAGE ON SEQUENCE person_id_seq, guardianship_id_seq, staff_id_seq, organisation_id_seq, organisation_step_id_seq,
    member_id_seq, link_code_id_seq, link_claim_id_seq TO carbonhui_app;
