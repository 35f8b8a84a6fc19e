-- Pools of credits with a goal (Articles 18, 22): many put in, and either the goal is reached or everybody gets back what they put in.

CREATE TABLE pool (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle        uuid NOT NULL UNIQUE,
    owner         bigint NOT NULL REFERENCES account,
    own_account   bigint NOT NULL UNIQUE REFERENCES account, -- where what was put in lies
    purpose       text NOT NULL CHECK (purpose IN ('neutralisation', 'donation', 'purchase')),
    target        bigint REFERENCES account, -- the charity or merchant for which it is meant
    title         text CHECK (length(title) BETWEEN 1 AND 120), -- an organisation's; a person's lies in the vault
    goal_credits  bigint NOT NULL CHECK (goal_credits BETWEEN 1 AND 9007199254740991),
    contributed   bigint NOT NULL DEFAULT 0,
    contributors  bigint NOT NULL DEFAULT 0 CHECK (contributors >= 0),
    returned      bigint NOT NULL DEFAULT 0,
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'reached', 'missed', 'cancelled', 'ended')),
    opened_on     date NOT NULL,
    deadline      date NOT NULL,
    use_until     date,
    first_used_on date,
    concluded_on  date,
    emptied_on    date,
    CONSTRAINT never_above_the_goal CHECK (contributed BETWEEN 0 AND goal_credits),
    CONSTRAINT never_back_more_than_was_put_in CHECK (returned BETWEEN 0 AND contributed),
    CONSTRAINT reached_at_the_goal CHECK (CASE WHEN state IN ('reached', 'ended') THEN contributed = goal_credits
                                               WHEN state IN ('open', 'missed') THEN contributed < goal_credits ELSE true END),
    CONSTRAINT nothing_back_before_it_is_over CHECK (returned = 0 OR state IN ('missed', 'cancelled', 'ended')),
    CONSTRAINT only_what_reached_its_goal_is_used CHECK (first_used_on IS NULL OR state IN ('reached', 'ended')),
    CONSTRAINT a_target_unless_it_neutralises CHECK ((purpose = 'neutralisation') = (target IS NULL)),
    CONSTRAINT a_deadline_is_ahead CHECK (deadline >= opened_on),
    CONSTRAINT what_reached_its_goal_is_used_in_time CHECK (state <> 'reached' OR use_until IS NOT NULL),
    CONSTRAINT what_is_over_has_its_day CHECK ((state IN ('open', 'reached')) = (concluded_on IS NULL))
);
CREATE INDEX pool_owner ON pool (owner, id);
CREATE INDEX pool_state ON pool (state, id);
CREATE INDEX pool_emptied ON pool (emptied_on, id) WHERE state IN ('missed', 'cancelled', 'ended');

CREATE FUNCTION pool_is_lawful() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.handle, OLD.owner, OLD.own_account, OLD.purpose, OLD.goal_credits, OLD.opened_on, OLD.deadline)
       <> (NEW.id, NEW.handle, NEW.owner, NEW.own_account, NEW.purpose, NEW.goal_credits, NEW.opened_on, NEW.deadline)
       OR (OLD.target, OLD.title) IS DISTINCT FROM (NEW.target, NEW.title)
       OR NEW.contributed < OLD.contributed OR NEW.returned < OLD.returned OR NEW.contributors < OLD.contributors THEN
        RAISE EXCEPTION 'what a pool is for is never rewritten, and what was put in is never forgotten' USING ERRCODE = 'CH001';
    END IF;
    IF NEW.contributed > OLD.contributed AND OLD.state <> 'open' THEN
        RAISE EXCEPTION 'only an open pool takes credits' USING ERRCODE = 'CH003';
    END IF;
    IF NEW.state <> OLD.state AND NOT ((OLD.state = 'open' AND NEW.state IN ('reached', 'missed', 'cancelled'))
                                       OR (OLD.state = 'reached' AND NEW.state IN ('cancelled', 'ended'))) THEN
        RAISE EXCEPTION 'a pool that is over stays over' USING ERRCODE = 'CH003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pool_is_lawful BEFORE UPDATE ON pool FOR EACH ROW EXECUTE FUNCTION pool_is_lawful();
CREATE TRIGGER pools_are_never_removed BEFORE DELETE ON pool FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER pools_are_never_emptied BEFORE TRUNCATE ON pool EXECUTE FUNCTION refuse_rewriting();

CREATE TABLE pool_contribution (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pool_id       bigint NOT NULL REFERENCES pool,
    payer         bigint NOT NULL REFERENCES account,
    credits       bigint NOT NULL CHECK (credits >= 1),
    returned      bigint NOT NULL DEFAULT 0,
    transfer_id   bigint NOT NULL UNIQUE,
    business_date date NOT NULL,
    waits_on      date, -- the last day on which its payer could not take it back
    CONSTRAINT nobody_gets_back_more_than_they_put_in CHECK (returned BETWEEN 0 AND credits)
);
CREATE INDEX pool_contribution_pool ON pool_contribution (pool_id, payer);
CREATE INDEX pool_contribution_payer ON pool_contribution (payer, id);
CREATE INDEX pool_contribution_owed ON pool_contribution (pool_id, id DESC) WHERE returned < credits;

CREATE FUNCTION contribution_only_returned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.returned >= OLD.returned
       AND (OLD.id, OLD.pool_id, OLD.payer, OLD.credits, OLD.transfer_id, OLD.business_date)
         = (NEW.id, NEW.pool_id, NEW.payer, NEW.credits, NEW.transfer_id, NEW.business_date) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a contribution is given back, never rewritten' USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER only_returned BEFORE UPDATE OR DELETE ON pool_contribution FOR EACH ROW EXECUTE FUNCTION contribution_only_returned();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON pool_contribution FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

CREATE TABLE pool_return (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contribution_id bigint NOT NULL REFERENCES pool_contribution,
    credits         bigint NOT NULL CHECK (credits >= 1),
    transfer_id     bigint NOT NULL UNIQUE,
    business_date   date NOT NULL,
    abandoned       boolean NOT NULL -- its payer is gone: it went to the cancellation pool
);
CREATE INDEX pool_return_contribution ON pool_return (contribution_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON pool_return FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON pool_return FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON pool, pool_contribution, pool_return TO carbonhui_app;
GRANT UPDATE (contributed, contributors, returned, state, use_until, first_used_on, concluded_on, emptied_on) ON pool TO carbonhui_app;
GRANT UPDATE (returned, waits_on) ON pool_contribution TO carbonhui_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO carbonhui_app;
