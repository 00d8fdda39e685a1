CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('syncs', 0);

CREATE TABLE connectors (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  name           TEXT NOT NULL UNIQUE COLLATE NOCASE,
  notion_url     TEXT NOT NULL,
  workspace      BLOB,              -- null until the secret was validated
  workspace_name TEXT,
  bot            BLOB,
  bot_name       TEXT,
  secret         BLOB NOT NULL,     -- sealed
  created        INTEGER NOT NULL
) STRICT;

CREATE TABLE crawls (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  connector   INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  scope       TEXT NOT NULL,
  state       TEXT NOT NULL,
  phase       TEXT NOT NULL,
  started_by  TEXT NOT NULL,
  created     INTEGER NOT NULL,
  started     INTEGER,
  ended       INTEGER,
  reason      TEXT,                 -- why it failed
  incomplete  INTEGER NOT NULL DEFAULT 0,  -- whether a listing did not end: then nothing may be judged missing
  resumed     INTEGER NOT NULL DEFAULT 0,
  active_ms   INTEGER NOT NULL DEFAULT 0,
  requests    INTEGER NOT NULL DEFAULT 0,
  added       INTEGER NOT NULL DEFAULT 0,
  updated     INTEGER NOT NULL DEFAULT 0,
  unchanged   INTEGER NOT NULL DEFAULT 0,
  skipped     INTEGER NOT NULL DEFAULT 0,
  not_indexed INTEGER NOT NULL DEFAULT 0,
  deleted     INTEGER NOT NULL DEFAULT 0,
  errors      INTEGER NOT NULL DEFAULT 0,
  warnings    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX crawls_by_connector ON crawls (connector, id);

-- One row for each request still to be made. Finished tasks are deleted.
CREATE TABLE tasks (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  crawl      INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  kind       TEXT NOT NULL,
  target     BLOB,                  -- the object asked for
  page       BLOB,                  -- the page that the answer is part of, or is asked for
  cursor     TEXT,
  state      TEXT NOT NULL,         -- ready, claimed
  priority   INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  restarts   INTEGER NOT NULL DEFAULT 0,  -- how often a listing began again because its cursor died
  not_before INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tasks_to_do ON tasks (crawl, state, priority, id);
CREATE INDEX tasks_by_page ON tasks (crawl, page) WHERE page IS NOT NULL;

-- The parts of a body that is read in several requests; gone when the body is complete.
CREATE TABLE body_parts (
  crawl  INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  page   BLOB NOT NULL,
  part   BLOB NOT NULL,             -- the page itself, or the block that the part begins at
  slice  INTEGER NOT NULL,          -- 0, 1, … where one part takes several answers
  form   TEXT,                      -- null while the answer is still to come; 'unreadable' where there is none
  answer BLOB,
  PRIMARY KEY (crawl, page, part, slice)
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
  id           INTEGER PRIMARY KEY,
  key          TEXT NOT NULL UNIQUE,
  workspace    BLOB NOT NULL,
  object       BLOB NOT NULL,
  kind         TEXT NOT NULL,
  title        TEXT NOT NULL,
  parent       TEXT NOT NULL,       -- as Notion gave it, as JSON
  home         BLOB,                -- the parent object, once a block parent is resolved; null at the top
  edited       INTEGER NOT NULL,
  source       BLOB NOT NULL,       -- the object as Notion answered it
  body_form    TEXT,                -- null until a body was read
  body         BLOB,
  body_edited  INTEGER,             -- last_edited_time of the object when its body was asked for
  body_read    INTEGER,             -- when it was asked for
  renderer     INTEGER,
  content_hash BLOB,
  rendered     BLOB,                -- null until it is indexed for the first time
  indexed      INTEGER              -- when `rendered` last changed
) STRICT;
CREATE INDEX items_by_object ON items (workspace, object);
CREATE INDEX items_by_home ON items (workspace, home) WHERE home IS NOT NULL;

CREATE TABLE holders (
  item      INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  connector INTEGER NOT NULL REFERENCES connectors,
  PRIMARY KEY (item, connector)
) STRICT, WITHOUT ROWID;
CREATE INDEX holders_by_connector ON holders (connector, item);

CREATE TABLE links (
  item   INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  kind   TEXT NOT NULL,
  target BLOB NOT NULL,
  PRIMARY KEY (item, kind, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_target ON links (target, kind);

-- What a crawl met, and what became of it: the counter identity is checked against this table.
CREATE TABLE sightings (
  crawl   INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  item    INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  fresh   INTEGER NOT NULL,         -- whether the connector did not hold the item before
  outcome TEXT,                     -- null while open
  PRIMARY KEY (crawl, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX sightings_by_item ON sightings (item);
CREATE INDEX sightings_open ON sightings (crawl) WHERE outcome IS NULL;

-- Objects that a tag or a parent names and that no listing has returned; each is asked for once a crawl.
CREATE TABLE asked (
  crawl  INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  object BLOB NOT NULL,
  kind   TEXT NOT NULL,             -- of the task that asks
  queued INTEGER NOT NULL,          -- whether that task was made
  PRIMARY KEY (crawl, object, kind)
) STRICT, WITHOUT ROWID;

-- Items that Notion said are gone; they leave when the crawl ends, if they are not too many.
CREATE TABLE departures (
  crawl  INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  item   INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  proof  TEXT NOT NULL,
  PRIMARY KEY (crawl, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  key      TEXT NOT NULL
) STRICT;

CREATE TABLE failures (
  connector INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  object    BLOB NOT NULL,
  task      TEXT NOT NULL,
  title     TEXT,
  message   TEXT NOT NULL,
  crawl     INTEGER NOT NULL,
  first     INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  times     INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (connector, object)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  crawl   INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  level   TEXT NOT NULL,
  grouped TEXT NOT NULL,            -- one row for each kind of event and crawl
  object  BLOB,                     -- the first one it happened to
  message TEXT NOT NULL,
  times   INTEGER NOT NULL DEFAULT 1,
  first   INTEGER NOT NULL,
  UNIQUE (crawl, grouped)
) STRICT;

CREATE TABLE people (
  workspace BLOB NOT NULL,
  object    BLOB NOT NULL,
  name      TEXT,
  is_bot    INTEGER NOT NULL,
  PRIMARY KEY (workspace, object)
) STRICT, WITHOUT ROWID;
