-- Of a schedule of partial crawls: the object below which they crawl.
ALTER TABLE schedules ADD COLUMN start_point BLOB;
