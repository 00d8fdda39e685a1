CREATE TABLE schedules (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
  connector  INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  scope      TEXT NOT NULL,
  recurrence TEXT NOT NULL,
  zone       TEXT NOT NULL,         -- IANA name
  paused     INTEGER NOT NULL DEFAULT 0,
  anchor     INTEGER NOT NULL,      -- when its rule was last set: intervals count from here
  next       INTEGER,               -- null when there will be no more
  last       INTEGER                -- when it last started a crawl
) STRICT;

-- The schedule that started a crawl, by the name it had; null for one that somebody asked for.
ALTER TABLE crawls ADD COLUMN schedule TEXT;
