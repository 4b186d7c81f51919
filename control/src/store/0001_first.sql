CREATE TABLE player (
    client_id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    account_key_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES player,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_player ON session (client_id, expires_at);
CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TABLE world (
    world_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES player,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX world_by_player ON world (created_by);
CREATE INDEX world_by_update ON world (updated_at);

-- active_sequence is that of the publication which worlds follow: stable's, or beta's while there is no stable.
CREATE TABLE spell (
    spell_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES player,
    display_name TEXT NOT NULL,
    draft TEXT,
    beta TEXT,
    stable TEXT,
    active_sequence INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX spell_by_owner ON spell (owner);
CREATE INDEX spell_by_sequence ON spell (active_sequence);
CREATE INDEX spell_by_update ON spell (updated_at);

CREATE TABLE revision (
    spell_id TEXT NOT NULL REFERENCES spell,
    number INTEGER NOT NULL,
    revision_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    artifact_hash TEXT NOT NULL,
    manifest TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (spell_id, number),
    UNIQUE (spell_id, revision_id),
    UNIQUE (spell_id, content_hash)
) STRICT;

CREATE TABLE publication (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    spell_id TEXT NOT NULL REFERENCES spell,
    channel TEXT NOT NULL,
    revision_id TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES player,
    published_at INTEGER NOT NULL
) STRICT;

-- A job that is neither completed nor failed is pending here; whether a worker has it is known to the process alone.
CREATE TABLE job (
    job_id TEXT PRIMARY KEY,
    spell_id TEXT NOT NULL REFERENCES spell,
    client_id TEXT NOT NULL REFERENCES player,
    prompt TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'completed', 'failed')),
    stage TEXT NOT NULL,
    error_message TEXT,
    result_revision_id TEXT,
    diagnostics TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX job_by_player ON job (client_id, created_at);
CREATE INDEX job_by_status ON job (status);

CREATE TABLE spell_log (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    spell_id TEXT NOT NULL REFERENCES spell,
    world_id TEXT NOT NULL,
    logged_at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
CREATE INDEX spell_log_by_spell ON spell_log (spell_id, entry);
