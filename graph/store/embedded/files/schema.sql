-- One namespace. Times are microseconds since 1970; `key` is a node's place in this file, its id is (kind, uuid).

-- One row: the counters of the file, and what its derived data was made by.
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    uid TEXT NOT NULL,
    revision INTEGER NOT NULL,
    next_node INTEGER NOT NULL,
    next_passage INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    analyser INTEGER NOT NULL
);

-- Every node. `session` is a session's key. `starts_at`, `ends_at`: when an event or statement happened, else when it was said.
-- `spans`: int64 pairs, the times that the temporal channel compares.
CREATE TABLE nodes (
    key INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL,
    kind INTEGER NOT NULL,
    session INTEGER,
    seq INTEGER NOT NULL DEFAULT 0,
    speaker TEXT,
    role INTEGER NOT NULL DEFAULT 0,
    said_at INTEGER NOT NULL DEFAULT 0,
    starts_at INTEGER NOT NULL DEFAULT 0,
    ends_at INTEGER NOT NULL DEFAULT 0,
    recorded_at INTEGER NOT NULL,
    retired_at INTEGER,
    generation INTEGER NOT NULL DEFAULT 0,
    features INTEGER NOT NULL DEFAULT 0,
    spans BLOB,
    client_id TEXT,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX nodes_by_uuid ON nodes (uuid, kind);
CREATE UNIQUE INDEX messages_by_seq ON nodes (session, seq) WHERE kind = 2;
CREATE UNIQUE INDEX messages_by_client_id ON nodes (session, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX messages_by_time ON nodes (said_at, key) WHERE kind = 2;
CREATE INDEX events_by_time ON nodes (starts_at, key) WHERE kind = 3;
CREATE INDEX statements_by_time ON nodes (said_at, key) WHERE kind IN (4, 5);
CREATE INDEX derived_by_session ON nodes (session, kind) WHERE kind IN (3, 4, 5);
CREATE INDEX retired_nodes ON nodes (key) WHERE retired_at IS NOT NULL;
CREATE INDEX entities_by_key ON nodes (key) WHERE kind = 6;

CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    time_zone TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    message_count INTEGER NOT NULL,
    first_sent_at INTEGER,
    last_sent_at INTEGER,
    extracted_seq INTEGER NOT NULL
);

-- How many messages each speaker has.
CREATE TABLE speakers (name TEXT PRIMARY KEY, messages INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX speakers_by_messages ON speakers (messages);

-- `ordinal` keeps the order of what a node lists, and is 1 for a link that somebody decided; `properties` is JSON or NULL.
CREATE TABLE edges (
    src INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    dst INTEGER NOT NULL,
    via INTEGER NOT NULL DEFAULT 0,
    properties TEXT,
    PRIMARY KEY (src, kind, ordinal, dst, via)
) WITHOUT ROWID;
CREATE INDEX edges_by_target ON edges (dst, kind, src);
CREATE INDEX edges_by_via ON edges (via) WHERE via != 0;

-- The passages of current memories. `terms`: uint64 hashes, `counts`: uint8 each. `digest` is of the text that the embedder reads.
CREATE TABLE passages (
    key INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    session INTEGER NOT NULL,
    length INTEGER NOT NULL,
    terms BLOB NOT NULL,
    counts BLOB NOT NULL,
    digest BLOB NOT NULL,
    waits INTEGER NOT NULL
);
CREATE UNIQUE INDEX passages_by_owner ON passages (owner, ordinal);
CREATE INDEX passages_that_wait ON passages (session, key) WHERE waits = 1;

-- float16, with the digest of the text that they were made from.
CREATE TABLE vectors (passage INTEGER PRIMARY KEY, vector BLOB NOT NULL, digest BLOB NOT NULL);

CREATE TABLE labels (name TEXT NOT NULL, value TEXT NOT NULL, message INTEGER NOT NULL, PRIMARY KEY (name, value, message)) WITHOUT ROWID;
CREATE INDEX labels_by_message ON labels (message);

CREATE TABLE entities (key INTEGER PRIMARY KEY, kind INTEGER NOT NULL, mentions INTEGER NOT NULL);
CREATE TABLE entity_names (
    folded TEXT NOT NULL,
    entity INTEGER NOT NULL,
    PRIMARY KEY (folded, entity)
) WITHOUT ROWID;
CREATE INDEX entity_names_by_entity ON entity_names (entity);

CREATE TABLE flush_marks (session INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (session, seq)) WITHOUT ROWID;

-- `target`: the last seq the job covers. `idle_until`: when a half-full buffer is extracted. `epoch` fences out passed leases.
CREATE TABLE jobs (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    session INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    run_after INTEGER NOT NULL,
    idle_until INTEGER NOT NULL,
    target INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    partial_failures TEXT,
    worker TEXT,
    epoch INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_open ON jobs (session, state) WHERE state IN (1, 2);
CREATE INDEX jobs_queued ON jobs (run_after) WHERE state = 1;
CREATE INDEX jobs_running ON jobs (expires_at) WHERE state = 2;
CREATE INDEX jobs_succeeded ON jobs (updated_at) WHERE state = 3;

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    answer TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX requests_by_expiry ON requests (expires_at);

-- The change log: what each revision did, `keys` int64 of nodes (or of passages that got their vectors).
CREATE TABLE changes (revision INTEGER NOT NULL, operation INTEGER NOT NULL, keys BLOB NOT NULL, PRIMARY KEY (revision, operation)) WITHOUT ROWID;

CREATE TABLE usage (
    step TEXT NOT NULL,
    model TEXT NOT NULL,
    calls INTEGER NOT NULL,
    items INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    PRIMARY KEY (step, model)
) WITHOUT ROWID;

CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    extractor TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    mode INTEGER NOT NULL,
    started_at INTEGER NOT NULL
);
