-- Which namespaces there are. `state`: 1 CREATING, 2 ACTIVE, 3 DELETING. `busy`: it may have open jobs.
CREATE TABLE namespaces (
    uid TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    state INTEGER NOT NULL,
    busy INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    settings TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX namespaces_by_name ON namespaces (name) WHERE state != 3;
-- Secrets of the service, such as the key that signs page tokens.
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
