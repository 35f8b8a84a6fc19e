-- Everybody may list the pools of one purpose: a purpose that few pools have is not looked for through all of them.
CREATE INDEX pool_purpose ON pool (purpose, id);
