-- Receipts of deletions, and what each lists, in pieces (`graph.store.rules.receipts`).
CREATE TABLE deletions (key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, receipt TEXT NOT NULL);
CREATE TABLE deleted_items (deletion INTEGER NOT NULL, piece INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (deletion, piece)) WITHOUT ROWID;

-- Messages up to their session's watermark that are to be extracted anew.
CREATE TABLE messages_again (session INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (session, seq)) WITHOUT ROWID;

-- What each step of a session's extraction read (`ExtractedSpan`).
CREATE TABLE extraction_spans (
    session INTEGER NOT NULL,
    last INTEGER NOT NULL,
    first INTEGER NOT NULL,
    read_from INTEGER NOT NULL,
    call TEXT NOT NULL,
    PRIMARY KEY (session, last, first)
) WITHOUT ROWID;
CREATE INDEX extraction_spans_by_call ON extraction_spans (call) WHERE call != '';
