-- The crawl that brought an item to its holder; null for what was held before this was recorded.
ALTER TABLE holders ADD COLUMN crawl INTEGER;

-- What left a connector, and on which word. It lasts as long as the crawl that let it go is remembered.
CREATE TABLE tombstones (
  object    BLOB NOT NULL,
  connector INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  kind      TEXT NOT NULL,
  crawl     INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  proof     TEXT NOT NULL,
  PRIMARY KEY (object, connector)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_crawl ON tombstones (crawl);
