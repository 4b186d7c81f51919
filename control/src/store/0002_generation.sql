-- How a world's ground is made: floor or hills. Those that were there before have a floor.
ALTER TABLE world ADD COLUMN generation TEXT NOT NULL DEFAULT 'floor';
