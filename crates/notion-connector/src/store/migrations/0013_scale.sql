-- What is asked again and again must not take longer the more items there are.

-- How many items a crawl met: whoever follows it asks every second.
ALTER TABLE crawls ADD COLUMN sighted INTEGER NOT NULL DEFAULT 0;
UPDATE crawls SET sighted = (SELECT count(*) FROM sightings WHERE crawl = crawls.id);
CREATE TRIGGER sighted_more AFTER INSERT ON sightings BEGIN
  UPDATE crawls SET sighted = sighted + 1 WHERE id = NEW.crawl;
END;
CREATE TRIGGER sighted_less AFTER DELETE ON sightings BEGIN
  UPDATE crawls SET sighted = sighted - 1 WHERE id = OLD.crawl;
END;

-- An incremental crawl begins with a query of each data source.
CREATE INDEX items_data_sources ON items (workspace) WHERE kind = 'data_source';
-- Items whose place is not known, and those at the top.
CREATE INDEX items_homeless ON items (workspace) WHERE home IS NULL;
-- What is held and not searchable; the rest is.
CREATE INDEX items_unrendered ON items (workspace) WHERE rendered IS NULL;
-- An item that goes takes its departures along.
CREATE INDEX departures_by_item ON departures (item);
