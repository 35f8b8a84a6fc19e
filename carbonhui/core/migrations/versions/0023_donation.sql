-- Charities' campaigns, gifts to them, and what became of them (Article 21).

CREATE TABLE donation_campaign (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle       uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    organisation bigint NOT NULL REFERENCES organisation,
    charity      bigint NOT NULL REFERENCES account, -- the organisation's account
    proposed_by  bigint REFERENCES person, -- NULL: the organisation's own server
    title        text NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    title_en     text CHECK (length(title_en) BETWEEN 1 AND 120),
    purpose      text NOT NULL CHECK (length(purpose) BETWEEN 1 AND 2000),
    purpose_en   text CHECK (length(purpose_en) BETWEEN 1 AND 2000),
    goal_credits bigint CHECK (goal_credits BETWEEN 1 AND 9007199254740991), -- an aim; gifts above it are welcome
    first_day    date NOT NULL,
    last_day     date NOT NULL,
    state        text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'refused', 'ended')),
    proposed_on  date NOT NULL,
    decided_on   date,
    ended_on     date,
    CONSTRAINT a_campaign_ends_after_it_begins CHECK (last_day >= first_day),
    CONSTRAINT decided_is_dated CHECK ((state = 'proposed') = (decided_on IS NULL)),
    CONSTRAINT ended_is_dated CHECK ((state = 'ended') = (ended_on IS NOT NULL))
);
CREATE INDEX donation_campaign_organisation ON donation_campaign (organisation, id);
CREATE INDEX donation_campaign_state ON donation_campaign (state, id);

CREATE FUNCTION campaign_is_lawful() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.handle, OLD.organisation, OLD.charity, OLD.title, OLD.purpose, OLD.first_day, OLD.last_day, OLD.proposed_on)
       <> (NEW.id, NEW.handle, NEW.organisation, NEW.charity, NEW.title, NEW.purpose, NEW.first_day, NEW.last_day, NEW.proposed_on)
       OR (OLD.proposed_by, OLD.title_en, OLD.purpose_en, OLD.goal_credits)
          IS DISTINCT FROM (NEW.proposed_by, NEW.title_en, NEW.purpose_en, NEW.goal_credits) THEN
        RAISE EXCEPTION 'what was countersigned is never rewritten' USING ERRCODE = 'CH001';
    END IF;
    IF NEW.state <> OLD.state AND NOT ((OLD.state = 'proposed' AND NEW.state IN ('approved', 'refused'))
                                       OR (OLD.state = 'approved' AND NEW.state = 'ended')) THEN
        RAISE EXCEPTION 'a campaign is decided once and ended once' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaign_is_lawful BEFORE UPDATE ON donation_campaign FOR EACH ROW EXECUTE FUNCTION campaign_is_lawful();
CREATE TRIGGER campaigns_are_never_removed BEFORE DELETE ON donation_campaign FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER campaigns_are_never_emptied BEFORE TRUNCATE ON donation_campaign EXECUTE FUNCTION refuse_rewriting();

-- Beside each transfer to a charity: for what. No foreign keys: a charity that everybody gives to is nobody's lock.
CREATE TABLE donation_gift (
    transfer_id   bigint PRIMARY KEY,
    charity       bigint NOT NULL,
    campaign_id   bigint,
    giver         bigint NOT NULL,
    giver_kind    smallint NOT NULL,
    credits       bigint NOT NULL CHECK (credits >= 1),
    business_date date NOT NULL
);
CREATE INDEX donation_gift_campaign ON donation_gift (campaign_id, giver_kind) INCLUDE (credits) WHERE campaign_id IS NOT NULL;
CREATE INDEX donation_gift_giver ON donation_gift (giver, transfer_id);
INSERT INTO donation_gift
    SELECT t.id, t.credit, NULL, t.debit, a.kind, t.amount, t.business_date FROM transfer t JOIN account a ON a.id = t.debit WHERE t.purpose = 7;

-- What became of credits that a campaign received: a transfer out of the charity's account, or what was refunded to it.
CREATE TABLE donation_use (
    transfer_id   bigint PRIMARY KEY,
    campaign_id   bigint NOT NULL REFERENCES donation_campaign,
    what          text NOT NULL CHECK (what IN ('redeemed', 'retired', 'sold', 'refunded')),
    credits       bigint NOT NULL CHECK (credits >= 1),
    business_date date NOT NULL
);
CREATE INDEX donation_use_campaign ON donation_use (campaign_id, transfer_id);

CREATE FUNCTION use_is_covered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_received numeric;
    v_used     numeric;
BEGIN
    -- Those who record uses of one campaign wait for one another; those who give do not.
    PERFORM 1 FROM donation_campaign WHERE id = NEW.campaign_id FOR NO KEY UPDATE;
    SELECT coalesce(sum(g.credits), 0) INTO v_received FROM donation_gift g
    WHERE g.campaign_id = NEW.campaign_id AND NOT EXISTS (SELECT FROM transfer r WHERE r.reverses = g.transfer_id);
    SELECT coalesce(sum(CASE WHEN what = 'refunded' THEN -credits ELSE credits END), 0) INTO v_used
    FROM donation_use WHERE campaign_id = NEW.campaign_id;
    v_used := v_used + CASE WHEN NEW.what = 'refunded' THEN -NEW.credits ELSE NEW.credits END;
    IF v_used < 0 OR v_used > v_received THEN
        RAISE EXCEPTION 'a campaign uses no more than it received' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER use_is_covered BEFORE INSERT ON donation_use FOR EACH ROW EXECUTE FUNCTION use_is_covered();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON donation_gift FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON donation_gift FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON donation_use FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON donation_use FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON donation_campaign, donation_gift, donation_use TO carbonhui_app;
GRANT UPDATE (state, decided_on, ended_on) ON donation_campaign TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
