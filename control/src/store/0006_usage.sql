-- What the casts of a revision came to, on all worlds together. `fuel` is JSON: how many casts are in which bucket of fuel.
CREATE TABLE usage (
    spell_id TEXT NOT NULL,
    revision_id TEXT NOT NULL,
    casts INTEGER NOT NULL,
    faults INTEGER NOT NULL,
    fuel TEXT NOT NULL,
    PRIMARY KEY (spell_id, revision_id),
    FOREIGN KEY (spell_id, revision_id) REFERENCES revision (spell_id, revision_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The last report of each world's server that is counted there, so that one that comes twice counts once.
CREATE TABLE usage_told (
    world_id TEXT PRIMARY KEY REFERENCES world ON DELETE CASCADE,
    life INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
