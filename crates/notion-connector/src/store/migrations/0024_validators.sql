-- What a host gave a file with, other than Notion's: with it a full crawl asks whether the file is still the same.
ALTER TABLE files ADD COLUMN etag TEXT;
ALTER TABLE files ADD COLUMN last_modified TEXT;
