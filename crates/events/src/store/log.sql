-- One day of the log. `seq` counts over all three tables and all days, from 1, in the order of commits.
CREATE TABLE slates (
    seq  INTEGER PRIMARY KEY,
    id   TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,          -- ms since 1970, as the slate says
    user TEXT NOT NULL,
    blob BLOB NOT NULL              -- zstd of columnar JSON: everything else
);
CREATE TABLE feedback (
    seq   INTEGER PRIMARY KEY,
    id    TEXT NOT NULL UNIQUE,
    slate TEXT NOT NULL,
    item  TEXT NOT NULL,
    kind  TEXT NOT NULL,
    value REAL,                     -- NULL counts as 1
    time  INTEGER NOT NULL,         -- ms since 1970, as the client says
    user  TEXT                      -- the slate's; NULL: no such slate was in the log
);
CREATE TABLE marks (
    seq  INTEGER PRIMARY KEY,
    time INTEGER NOT NULL           -- ms since 1970, by the recorder's clock
);
CREATE INDEX slates_user ON slates (user);
CREATE INDEX feedback_user ON feedback (user);
PRAGMA user_version = 1;
