-- One row: the state after a tick, and what proves that everything here belongs to it.
CREATE TABLE world (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    world_id TEXT NOT NULL,
    -- Rises with every holder: who has an older one has lost the world.
    save_epoch INTEGER NOT NULL,
    -- NULL until the first save.
    tick INTEGER,
    saved_at_ms INTEGER,
    state_version INTEGER,
    state BLOB,
    -- Of this row and of all parts.
    sum INTEGER NOT NULL
) STRICT;

-- What changes piecemeal: chunks (kind 1, by place), edits that can be undone (2, by number), artifacts of spells (3, by spell and revision).
CREATE TABLE part (
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    data BLOB NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
