-- What a summary's node does not say. `session` is the key of a window's. `stale_since`: what it rests on is another since then.
-- `told`: it has sentences. `vector`: float16, of its text.
CREATE TABLE summaries (
    key INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    session INTEGER,
    said_from INTEGER NOT NULL,
    said_to INTEGER NOT NULL,
    told INTEGER NOT NULL,
    stale_since INTEGER,
    vector BLOB
);
CREATE INDEX summaries_by_level ON summaries (level, key);
CREATE INDEX summaries_by_session ON summaries (session) WHERE session IS NOT NULL;
CREATE INDEX summaries_that_are_stale ON summaries (level, key) WHERE stale_since IS NOT NULL;
CREATE INDEX summary_nodes_by_time ON nodes (said_at, key) WHERE kind = 7;

-- The calls of a model that wrote several summaries: what one of them rests on may stand in any.
CREATE TABLE summary_calls (call TEXT NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (call, key)) WITHOUT ROWID;
CREATE INDEX summary_calls_by_key ON summary_calls (key);

-- Current events that no window summarizes.
CREATE TABLE waiting_events (
    session INTEGER NOT NULL,
    said_at INTEGER NOT NULL,
    key INTEGER NOT NULL,
    PRIMARY KEY (session, said_at, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX waiting_events_by_key ON waiting_events (key);
INSERT INTO waiting_events SELECT session, said_at, key FROM nodes WHERE kind = 3 AND retired_at IS NULL;

-- One row: the revisions of the last deletion and of the last change of any summary.
CREATE TABLE consolidation (id INTEGER PRIMARY KEY CHECK (id = 1), removed INTEGER NOT NULL, changed INTEGER NOT NULL);
INSERT INTO consolidation VALUES (1, 0, 0);
