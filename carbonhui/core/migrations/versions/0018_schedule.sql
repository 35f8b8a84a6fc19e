-- Which due point of which job took effect.

-- The row of a due point is written in the transaction of the effect itself, so that it takes effect once,
-- however many schedulers believe that they lead.
CREATE TABLE job_run (
    job         text NOT NULL CHECK (job ~ '^[a-z_]{1,40}$'),
    due         timestamptz NOT NULL,
    began_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome     text NOT NULL CHECK (outcome IN ('running', 'failed', 'done', 'broken')),
    code        text CHECK (code ~ '^[A-Za-z0-9_:]{1,80}$'),
    attempts    integer NOT NULL DEFAULT 1 CHECK (attempts >= 1),
    keyed       boolean NOT NULL DEFAULT true, -- false: a job without effects of its own, which only says that it is well
    PRIMARY KEY (job, due),
    CONSTRAINT running_is_not_finished CHECK ((outcome = 'running') = (finished_at IS NULL)),
    CONSTRAINT failure_says_why CHECK (outcome <> 'failed' OR code IS NOT NULL)
);
CREATE INDEX job_run_success ON job_run (job, finished_at) WHERE outcome = 'done';

-- What took effect stays so, and is remembered long enough that nobody takes it for missed.
CREATE FUNCTION job_run_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.due < clock_timestamp() - interval '30 days' THEN RETURN OLD; END IF;
    ELSIF (OLD.job, OLD.due, OLD.keyed) = (NEW.job, NEW.due, NEW.keyed)
       AND (OLD.outcome IN ('running', 'failed') OR NOT OLD.keyed) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'job % of % took effect and stays so', OLD.job, OLD.due USING ERRCODE = 'CH001';
END $$;
CREATE TRIGGER moves_on BEFORE UPDATE OR DELETE ON job_run FOR EACH ROW EXECUTE FUNCTION job_run_moves_on();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON job_run EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT, DELETE ON job_run TO carbonhui_app;
GRANT UPDATE (began_at, finished_at, outcome, code, attempts) ON job_run TO carbonhui_app;
