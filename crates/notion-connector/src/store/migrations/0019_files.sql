-- What is known of an item that is a file, beside its text.
CREATE TABLE files (
  item       INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
  state      TEXT,                  -- what became of its bytes; null until they were read
  reason     TEXT,                  -- why there is no text
  bytes      INTEGER NOT NULL DEFAULT 0,
  extractor  INTEGER                -- the version of what read it
) STRICT;

-- Where files stand: one row for each place in a page.
CREATE TABLE file_places (
  page    INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,         -- in the order of the page
  file    INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  detail  TEXT NOT NULL,            -- what the page says of it, as JSON; without signature
  PRIMARY KEY (page, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_places_by_file ON file_places (file);
