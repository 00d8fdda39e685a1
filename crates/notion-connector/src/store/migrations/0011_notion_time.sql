-- What Notion's clock read when the crawl began: the watermark is held against Notion's stamps, and our clock may be off.
ALTER TABLE crawls ADD COLUMN notion_began INTEGER;
