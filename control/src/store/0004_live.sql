-- Changes to what worlds run, of whatever kind, are numbered in one row; `changed` is the number of a spell's, or of a world's policy's, last one.
CREATE TABLE change (number INTEGER NOT NULL) STRICT;
INSERT INTO change SELECT coalesce(max(sequence), 0) FROM publication;
ALTER TABLE spell RENAME COLUMN active_sequence TO changed;
UPDATE spell SET changed = 0 WHERE changed IS NULL;
CREATE INDEX publication_by_spell ON publication (spell_id, channel, sequence);

-- Who took it out of use: a player's id, or `operator`.
ALTER TABLE revision ADD COLUMN revoked_by TEXT;
UPDATE revision SET revoked_by = 'operator' WHERE revoked IS NOT NULL;

-- What of the spells a world runs, as JSON.
ALTER TABLE world ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
ALTER TABLE world ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;

-- A revision that is tried on a share of the casts before a channel points at it. `terms` and `evidence` are JSON.
CREATE TABLE rollout (
    rollout INTEGER PRIMARY KEY AUTOINCREMENT,
    spell_id TEXT NOT NULL REFERENCES spell,
    channel TEXT NOT NULL,
    revision_id TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES player,
    terms TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'promoted', 'rolled_back', 'stopped')),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    evidence TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX rollout_by_spell ON rollout (spell_id, rollout);
CREATE UNIQUE INDEX rollout_running ON rollout (spell_id, channel) WHERE state = 'running';

-- How it went in one life of a game server; each report replaces the one before, so that one that comes twice counts once.
CREATE TABLE rollout_tally (
    rollout INTEGER NOT NULL REFERENCES rollout,
    world_id TEXT NOT NULL,
    life INTEGER NOT NULL,
    casts INTEGER NOT NULL,
    faults INTEGER NOT NULL,
    mana REAL NOT NULL,
    active_casts INTEGER NOT NULL,
    active_faults INTEGER NOT NULL,
    active_mana REAL NOT NULL,
    PRIMARY KEY (rollout, world_id, life)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    world_id TEXT NOT NULL REFERENCES world,
    spell_id TEXT NOT NULL REFERENCES spell,
    revision_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (world_id, spell_id, revision_id)
) STRICT, WITHOUT ROWID;

-- Drafts that are live for their author alone.
CREATE TABLE live_draft (
    spell_id TEXT NOT NULL REFERENCES spell,
    client_id TEXT NOT NULL REFERENCES player,
    revision_id TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (spell_id, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_by_hash ON artifact (artifact_hash);
CREATE INDEX live_draft_by_player ON live_draft (client_id);

-- Until when, in milliseconds since 1970, a player is kept out, and why; and how many requests a minute an operator lets them have.
ALTER TABLE player ADD COLUMN banned_until INTEGER;
ALTER TABLE player ADD COLUMN banned_for TEXT;
ALTER TABLE player ADD COLUMN requests_per_minute REAL;

-- What operators did that is about no spell.
CREATE TABLE operator_log (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    done_at INTEGER NOT NULL
) STRICT;

-- Answers to requests that carried an Idempotency-Key, so that the same request again gets the same answer.
CREATE TABLE answered (
    client_id TEXT NOT NULL REFERENCES player,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER,
    body BLOB,
    answered_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answered_by_time ON answered (answered_at);
