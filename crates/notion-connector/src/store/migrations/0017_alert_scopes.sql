-- What an alert is about: item, items, all_items or crawl.
ALTER TABLE alerts ADD COLUMN scope TEXT NOT NULL DEFAULT 'crawl';
UPDATE alerts SET scope = CASE WHEN object IS NULL THEN 'crawl' WHEN times = 1 THEN 'item' ELSE 'items' END;

-- The name that somebody gave a crawl; those without one are called by what they are.
ALTER TABLE crawls ADD COLUMN name TEXT;
