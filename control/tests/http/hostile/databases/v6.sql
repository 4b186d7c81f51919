-- A database as version 5 left it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE player (
    client_id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    account_key_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
, banned_until INTEGER, banned_for TEXT, requests_per_minute REAL, trust INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO player VALUES('client_0000000000a1','kim',X'd25acbd7e57ffa28f32cca744fbc371eda1d593514847d9b0ec865e2bd1f56d3',1790000000000,NULL,NULL,6000.0,2);
INSERT INTO player VALUES('client_0000000000e1','eve',X'5763490ce4b2489fab1e996fa94382e6480a72e2a387992f9335128e20762dda',1790000000000,NULL,NULL,NULL,0);
INSERT INTO player VALUES('client_0000000000b1','bad',X'eea069cbf5d917a40872ffd9cadf3815bee3145374795f8c0695d329276fb874',1790000000000,4102444800000,'a flood',NULL,0);
CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES player,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO session VALUES(X'67b753738c7cad6531f746f6479fd8a45a571bb1b48cad639a13ccbcd44a26fc','client_0000000000a1',4102444800000);
INSERT INTO session VALUES(X'6020ba3eb97eece7cf6745f73ecf9a40394d17ba27ef30680c47b61b92926de1','client_0000000000e1',4102444800000);
CREATE TABLE world (
    world_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES player,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
, generation TEXT NOT NULL DEFAULT 'floor', policy TEXT NOT NULL DEFAULT '{}', changed INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO world VALUES('world_0000000a','Kim''s garden','all are welcome','client_0000000000a1',1790000000000,1790000000001,'hills','{"channel": "beta", "pins": {"fireball": "rev_000001_11111111"}, "allow": null, "deny": ["gust"]}',3);
INSERT INTO world VALUES('world_0000000e','','','client_0000000000e1',1790000000000,1790000000000,'floor','{}',0);
CREATE TABLE spell (
    spell_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES player,
    display_name TEXT NOT NULL,
    draft TEXT,
    beta TEXT,
    stable TEXT,
    changed INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO spell VALUES('fireball','client_0000000000a1','Fireball','rev_000003_33333333','rev_000002_22222222','rev_000001_11111111',5,1790000000000,1790000000005);
INSERT INTO spell VALUES('gust','client_0000000000e1','gust','rev_000001_11111111',NULL,NULL,0,1790000000000,1790000000006);
CREATE TABLE revision (
    spell_id TEXT NOT NULL REFERENCES spell,
    number INTEGER NOT NULL,
    revision_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    manifest TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 0, ours INTEGER NOT NULL DEFAULT 1, revoked TEXT, revoked_by TEXT,
    PRIMARY KEY (spell_id, number),
    UNIQUE (spell_id, revision_id),
    UNIQUE (spell_id, content_hash)
) STRICT;
INSERT INTO revision VALUES('fireball',1,'rev_000001_11111111','4feb140a846364dec9f14e11f3264f9671ce1170cf85e36c2a39074eea57ba5c','{"spell_id": "fireball", "revision_id": "rev_000001_11111111", "parent_revision_id": null, "version": 1, "created_at": "2026-10-01T12:00:00.000Z", "author": "kim", "language": "rust", "interface_version": "0.1.0", "entrypoint": "component.wasm", "component": {"hash": "e29177ddc7fcec8c45aeec04dbc980c8c5657dd34a56df003c6a71880717bd6d", "size": 16}, "code": [{"path": "src/lib.rs", "hash": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed", "size": 3, "content_type": "text/plain; charset=utf-8"}], "assets": [], "metadata": {"name": "Fireball", "description": "", "tags": [], "preview_icon": ""}, "envelope": {}, "build": {"toolchain": "rustc 1.95.0", "sdk_version": "0.1.0", "log": ""}}',1,1,NULL,NULL);
INSERT INTO revision VALUES('fireball',2,'rev_000002_22222222','e8248681f3312a7961f9e7b6b094046481e8541aa62ecc4a7611a3ddeab23e3e','{"spell_id": "fireball", "revision_id": "rev_000002_22222222", "parent_revision_id": "rev_000001_11111111", "version": 2, "created_at": "2026-10-01T12:00:00.000Z", "author": "kim", "language": "rust", "interface_version": "0.1.0", "entrypoint": "component.wasm", "component": {"hash": "7ee00902b895895a31cb1e90090ca6989523bb528d587cb9fea5fbfecc179d58", "size": 16}, "code": [{"path": "src/lib.rs", "hash": "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3", "size": 3, "content_type": "text/plain; charset=utf-8"}], "assets": [], "metadata": {"name": "Fireball", "description": "", "tags": [], "preview_icon": ""}, "envelope": {}, "build": {"toolchain": "rustc 1.95.0", "sdk_version": "0.1.0", "log": ""}}',1,1,NULL,NULL);
INSERT INTO revision VALUES('fireball',3,'rev_000003_33333333','f7c57238626785a4104a8e897ce8aa10cfde454029ec5ee95b549cebc96af519','{"spell_id": "fireball", "revision_id": "rev_000003_33333333", "parent_revision_id": "rev_000002_22222222", "version": 3, "created_at": "2026-10-01T12:00:00.000Z", "author": "kim", "language": "rust", "interface_version": "0.1.0", "entrypoint": "component.wasm", "component": {"hash": "f9efdd42975511c865003da144b2d71bb20ae8f30009fbebd6b8c1678ad88855", "size": 18}, "code": [{"path": "src/lib.rs", "hash": "8b5b9db0c13db24256c829aa364aa90c6d2eba318b9232a4ab9313b954d3555f", "size": 5, "content_type": "text/plain; charset=utf-8"}], "assets": [], "metadata": {"name": "Fireball", "description": "", "tags": [], "preview_icon": ""}, "envelope": {}, "build": {"toolchain": "rustc 1.95.0", "sdk_version": "0.1.0", "log": ""}}',0,1,'it burns too much','client_0000000000a1');
INSERT INTO revision VALUES('gust',1,'rev_000001_11111111','bf009cac506c2e92ee91eab33bc1826a50b4ab2a5295f9dc9e6279d32c56f133','{"spell_id": "gust", "revision_id": "rev_000001_11111111", "parent_revision_id": null, "version": 1, "created_at": "2026-10-01T12:00:00.000Z", "author": "eve", "language": "rust", "interface_version": "0.1.0", "entrypoint": "component.wasm", "component": {"hash": "826abf5e8507e4e72a03600ccfa8c451975349e57362dbc921be27363ca7bbda", "size": 17}, "code": [{"path": "src/lib.rs", "hash": "04efaf080f5a3e74e1c29d1ca6a48569382cbbcd324e8d59d2b83ef21c039f00", "size": 4, "content_type": "text/plain; charset=utf-8"}], "assets": [], "metadata": {"name": "", "description": "", "tags": [], "preview_icon": ""}, "envelope": {}, "build": {"toolchain": "rustc 1.95.0", "sdk_version": "0.1.0", "log": ""}}',0,1,NULL,NULL);
CREATE TABLE publication (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    spell_id TEXT NOT NULL REFERENCES spell,
    channel TEXT NOT NULL,
    revision_id TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES player,
    published_at INTEGER NOT NULL
) STRICT;
INSERT INTO publication VALUES(1,'fireball','stable','rev_000001_11111111','client_0000000000a1',1790000000002);
INSERT INTO publication VALUES(2,'fireball','beta','rev_000002_22222222','client_0000000000a1',1790000000003);
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
, stage_ms TEXT NOT NULL DEFAULT '[]') STRICT;
INSERT INTO job VALUES('job_0000000000c1','fireball','client_0000000000a1','a ball of fire','completed','"done"',NULL,'rev_000001_11111111','[]',1790000000000,1790000000001,'[]');
INSERT INTO job VALUES('job_0000000000f1','fireball','client_0000000000a1',NULL,'failed','"compile"','mismatched types',NULL,'[{"severity":"error","file":"src/lib.rs","line":3,"column":9,"end_line":3,"end_column":12,"code":"E0308","message":"mismatched types","help":null}]',1790000000000,1790000000001,'[]');
CREATE TABLE spell_log (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    spell_id TEXT NOT NULL REFERENCES spell,
    world_id TEXT NOT NULL,
    logged_at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
INSERT INTO spell_log VALUES(1,'fireball','world_0000000a',1790000000004,'{"report": "fault", "spell_id": "fireball", "revision_id": "rev_000001_11111111", "caster": 7, "tick": 61, "hook": "on-tick", "limit": "fuel", "message": "used 1000001 of 1000000"}');
CREATE TABLE artifact (
    component_hash TEXT NOT NULL,
    ours INTEGER NOT NULL,
    engine_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    artifact_hash TEXT NOT NULL,
    PRIMARY KEY (component_hash, ours, engine_id, public_key)
) STRICT, WITHOUT ROWID;
INSERT INTO artifact VALUES('e29177ddc7fcec8c45aeec04dbc980c8c5657dd34a56df003c6a71880717bd6d',1,'engine-0','0000000000000000000000000000000000000000000000000000000000000000','6709dbc19fbd023690841af1f19dedc6483bac91eb0c6a68dbdb8407954ca9db');
CREATE TABLE built (
    package_key TEXT PRIMARY KEY,
    result TEXT NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO built VALUES('3dc71ea37f55bf9a5e2e5e8f414242456d39444518578fd38cc3a9bb6009a277','{}',1790000000000);
CREATE TABLE collaborator (
    spell_id TEXT NOT NULL REFERENCES spell,
    client_id TEXT NOT NULL REFERENCES player,
    PRIMARY KEY (spell_id, client_id)
) STRICT, WITHOUT ROWID;
INSERT INTO collaborator VALUES('fireball','client_0000000000e1');
CREATE TABLE audit (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    spell_id TEXT NOT NULL REFERENCES spell,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    done_at INTEGER NOT NULL
) STRICT;
INSERT INTO audit VALUES(1,'fireball','client_0000000000a1','collaborators','{"usernames":["eve"]}',1790000000001);
INSERT INTO audit VALUES(2,'fireball','client_0000000000a1','publish','{"channel": "stable", "revision_id": "rev_000001_11111111", "before": null}',1790000000002);
CREATE TABLE change (number INTEGER NOT NULL) STRICT;
INSERT INTO change VALUES(5);
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
INSERT INTO rollout VALUES(1,'fireball','stable','rev_000002_22222222','client_0000000000a1','{"percent": 10.0, "by": "player", "min_casts": 50, "max_fault_rate": 0.05, "max_upkeep_ratio": 3.0, "bake_seconds": 300}','running',1790000000005,NULL,'{}');
INSERT INTO rollout VALUES(2,'fireball','stable','rev_000001_11111111','client_0000000000a1','{"percent": 10.0, "by": "player", "min_casts": 50, "max_fault_rate": 0.05, "max_upkeep_ratio": 3.0, "bake_seconds": 300}','promoted',1790000000003,1790000000004,'{"why":"0 of 50 casts were stopped in 300 s"}');
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
INSERT INTO rollout_tally VALUES(1,'world_0000000a',1,3,0,4.5,30,1,50.0);
CREATE TABLE quarantine (
    world_id TEXT NOT NULL REFERENCES world,
    spell_id TEXT NOT NULL REFERENCES spell,
    revision_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (world_id, spell_id, revision_id)
) STRICT, WITHOUT ROWID;
INSERT INTO quarantine VALUES('world_0000000a','fireball','rev_000002_22222222','3 of 4 casts were stopped',1790000000005);
CREATE TABLE live_draft (
    spell_id TEXT NOT NULL REFERENCES spell,
    client_id TEXT NOT NULL REFERENCES player,
    revision_id TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (spell_id, client_id)
) STRICT, WITHOUT ROWID;
INSERT INTO live_draft VALUES('fireball','client_0000000000a1','rev_000002_22222222',1790000000006);
INSERT INTO live_draft VALUES('gust','client_0000000000e1','rev_000001_11111111',1790000000006);
CREATE TABLE operator_log (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    done_at INTEGER NOT NULL
) STRICT;
INSERT INTO operator_log VALUES(1,'ban','{"client_id":"client_0000000000b1","hours":null,"reason":"a flood"}',1790000000007);
CREATE TABLE answered (
    client_id TEXT NOT NULL REFERENCES player,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER,
    body BLOB,
    answered_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO answered VALUES('client_0000000000a1','a','af0bf2a562dabe2a81e0b0b47a33a515b5e8495c72fff218af4c15f3f066fa44',200,X'7b7d',4102444800000);
CREATE TABLE usage (
    spell_id TEXT NOT NULL,
    revision_id TEXT NOT NULL,
    casts INTEGER NOT NULL,
    faults INTEGER NOT NULL,
    fuel TEXT NOT NULL,
    PRIMARY KEY (spell_id, revision_id),
    FOREIGN KEY (spell_id, revision_id) REFERENCES revision (spell_id, revision_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO usage VALUES('fireball','rev_000001_11111111',3,1,'[[35,2],[84,1]]');
CREATE TABLE usage_told (
    world_id TEXT PRIMARY KEY REFERENCES world ON DELETE CASCADE,
    life INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO usage_told VALUES('world_0000000a',1,7);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('publication',2);
INSERT INTO sqlite_sequence VALUES('spell_log',1);
INSERT INTO sqlite_sequence VALUES('audit',2);
INSERT INTO sqlite_sequence VALUES('rollout',2);
INSERT INTO sqlite_sequence VALUES('operator_log',1);
CREATE INDEX session_by_player ON session (client_id, expires_at);
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE INDEX world_by_player ON world (created_by);
CREATE INDEX world_by_update ON world (updated_at);
CREATE INDEX spell_by_owner ON spell (owner);
CREATE INDEX spell_by_sequence ON spell (changed);
CREATE INDEX spell_by_update ON spell (updated_at);
CREATE INDEX job_by_player ON job (client_id, created_at);
CREATE INDEX job_by_status ON job (status);
CREATE INDEX spell_log_by_spell ON spell_log (spell_id, entry);
CREATE INDEX built_by_use ON built (used_at);
CREATE INDEX audit_by_spell ON audit (spell_id, entry);
CREATE INDEX publication_by_spell ON publication (spell_id, channel, sequence);
CREATE INDEX rollout_by_spell ON rollout (spell_id, rollout);
CREATE UNIQUE INDEX rollout_running ON rollout (spell_id, channel) WHERE state = 'running';
CREATE INDEX artifact_by_hash ON artifact (artifact_hash);
CREATE INDEX live_draft_by_player ON live_draft (client_id);
CREATE INDEX answered_by_time ON answered (answered_at);
COMMIT;
PRAGMA user_version=6;
