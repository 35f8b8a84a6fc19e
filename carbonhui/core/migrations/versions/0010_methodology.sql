-- The text of every methodology that was ever proposed, file by file, under its fingerprint (Articles 14, 15).
CREATE TABLE methodology_file (
    fingerprint text COLLATE "C" NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    name        text COLLATE "C" NOT NULL CHECK (name <> ''),
    content     bytea NOT NULL,
    PRIMARY KEY (fingerprint, name)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON methodology_file FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON methodology_file FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

GRANT SELECT, INSERT ON methodology_file TO carbonhui_app;
