-- Of a partial crawl: the object below which it crawls.
ALTER TABLE crawls ADD COLUMN start_point BLOB;
