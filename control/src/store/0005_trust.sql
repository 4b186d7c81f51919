-- How far an operator trusts a player as an author: 0 new, 1 known, 2 trusted.
ALTER TABLE player ADD COLUMN trust INTEGER NOT NULL DEFAULT 0;
