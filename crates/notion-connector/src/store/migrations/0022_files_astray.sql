-- Files that lost a place since somebody looked: they may be described by another place now, or stand nowhere. Looked at when a
-- crawl settles, and again until every connector that holds the file holds a page that shows it.
ALTER TABLE files ADD COLUMN astray INTEGER NOT NULL DEFAULT 0;
UPDATE files SET astray = 1;
CREATE INDEX files_astray ON files (item) WHERE astray;
CREATE TRIGGER place_went AFTER DELETE ON file_places BEGIN
  UPDATE files SET astray = 1 WHERE item = OLD.file;
END;
CREATE TRIGGER place_changed AFTER UPDATE OF file ON file_places WHEN OLD.file <> NEW.file BEGIN
  UPDATE files SET astray = 1 WHERE item = OLD.file;
END;
