-- What the crawls of a day did, once the crawls themselves are no longer kept.
CREATE TABLE crawl_days (
  connector   INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  day         INTEGER NOT NULL,     -- days since 1970, UTC, in which they ended
  good        INTEGER NOT NULL,
  failed      INTEGER NOT NULL,
  added       INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  unchanged   INTEGER NOT NULL,
  skipped     INTEGER NOT NULL,
  not_indexed INTEGER NOT NULL,
  deleted     INTEGER NOT NULL,
  requests    INTEGER NOT NULL,
  PRIMARY KEY (connector, day)
) STRICT, WITHOUT ROWID;
