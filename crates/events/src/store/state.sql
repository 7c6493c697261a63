-- Everything but the log.
CREATE TABLE items (
    id     TEXT PRIMARY KEY,
    fields TEXT NOT NULL            -- JSON: attribute -> {kind: value}
) WITHOUT ROWID;
CREATE TABLE users (
    id     TEXT PRIMARY KEY,
    fields TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE models (
    version    TEXT PRIMARY KEY,
    path       TEXT NOT NULL,       -- of the artifact, relative to this directory
    created_ms INTEGER NOT NULL,
    status     TEXT NOT NULL,       -- challenger | rejected | promoted
    verdict    TEXT NOT NULL        -- JSON
);
-- The newest one that was not rolled back is serving.
CREATE TABLE promotions (
    number         INTEGER PRIMARY KEY,
    version        TEXT NOT NULL REFERENCES models (version),
    promoted_ms    INTEGER NOT NULL,
    rolled_back_ms INTEGER
);
CREATE TABLE scores (
    version    INTEGER PRIMARY KEY,
    weights    TEXT NOT NULL,       -- JSON: objective -> weight
    created_ms INTEGER NOT NULL
);
CREATE TABLE learn_runs (
    run         INTEGER PRIMARY KEY,
    from_seq    INTEGER NOT NULL,
    mark_seq    INTEGER NOT NULL,
    replay_from INTEGER NOT NULL,
    trained     INTEGER NOT NULL,
    held        INTEGER NOT NULL,
    model       TEXT NOT NULL,
    checkpoint  TEXT NOT NULL,
    details     TEXT NOT NULL       -- JSON
);
CREATE TABLE figures (
    name TEXT NOT NULL,
    key  INTEGER NOT NULL,
    row  TEXT NOT NULL,             -- JSON
    PRIMARY KEY (name, key)
) WITHOUT ROWID;
PRAGMA user_version = 1;
