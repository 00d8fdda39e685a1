-- What a connector met and does not index, and why: the inventory that previews are made from. The item's row then holds its place
-- and its title; where nobody else holds it, nothing of its content.
CREATE TABLE left_out (
  connector INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  item      INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  crawl     INTEGER NOT NULL,       -- the last one that met it
  reason    TEXT NOT NULL,          -- filter, limit
  PRIMARY KEY (connector, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX left_out_by_item ON left_out (item);

-- Whether filters still have to decide about it: its requests wait as 'held' tasks until then.
ALTER TABLE sightings ADD COLUMN undecided INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sightings_undecided ON sightings (crawl) WHERE undecided;

-- How many items the connector holds; counting them for every new one would take long.
ALTER TABLE connectors ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
UPDATE connectors SET held = (SELECT count(*) FROM holders WHERE connector = connectors.id);
CREATE TRIGGER holder_came AFTER INSERT ON holders BEGIN
  UPDATE connectors SET held = held + 1 WHERE id = NEW.connector;
END;
CREATE TRIGGER holder_went AFTER DELETE ON holders BEGIN
  UPDATE connectors SET held = held - 1 WHERE id = OLD.connector;
END;
