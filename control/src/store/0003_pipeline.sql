-- Native code of a component: for which engine, signed with which key. `ours` is whether this server's builder made the component, so that it may be driven below the
-- component layer. What is missing is made when a game server asks for it, so nothing of before is carried over.
CREATE TABLE artifact (
    component_hash TEXT NOT NULL,
    ours INTEGER NOT NULL,
    engine_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    artifact_hash TEXT NOT NULL,
    PRIMARY KEY (component_hash, ours, engine_id, public_key)
) STRICT, WITHOUT ROWID;
ALTER TABLE revision DROP COLUMN artifact_hash;
ALTER TABLE revision ADD COLUMN ours INTEGER NOT NULL DEFAULT 1;
-- Why it must not run any more.
ALTER TABLE revision ADD COLUMN revoked TEXT;

-- What came of a package, so that the same one need not be built again.
CREATE TABLE built (
    package_key TEXT PRIMARY KEY,
    result TEXT NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX built_by_use ON built (used_at);

CREATE TABLE collaborator (
    spell_id TEXT NOT NULL REFERENCES spell,
    client_id TEXT NOT NULL REFERENCES player,
    PRIMARY KEY (spell_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    spell_id TEXT NOT NULL REFERENCES spell,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    done_at INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_by_spell ON audit (spell_id, entry);

-- How long each stage took, as JSON.
ALTER TABLE job ADD COLUMN stage_ms TEXT NOT NULL DEFAULT '[]';
