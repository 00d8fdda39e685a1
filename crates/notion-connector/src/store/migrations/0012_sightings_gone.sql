-- Of the items that a crawl accounted for, those that left since, by its own word or that of another crawl between its
-- beginnings: their sightings went with them.
ALTER TABLE crawls ADD COLUMN sightings_gone INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER sightings_went BEFORE DELETE ON items BEGIN
  UPDATE crawls SET sightings_gone = sightings_gone + 1
  WHERE id IN (SELECT crawl FROM sightings WHERE item = OLD.id AND outcome IS NOT NULL);
END;
