-- Edits before this time were all listed by crawls whose listings ended; null until a full crawl's did.
ALTER TABLE connectors ADD COLUMN watermark INTEGER;

-- Whether a listing of the crawl did not end: then the watermark stays.
ALTER TABLE crawls ADD COLUMN unended INTEGER NOT NULL DEFAULT 0;

-- Of a data source: whether all of its rows were listed once, so that those edited since are enough.
ALTER TABLE holders ADD COLUMN rows_listed INTEGER NOT NULL DEFAULT 0;

-- Pages whose body may be older than their stamp says: read before the stamp had settled (crawl/plan.rs), or in part only.
CREATE INDEX items_unsettled ON items (workspace)
  WHERE kind IN ('page', 'row') AND (body_edited IS NULL OR body_read < body_edited + 120000);
