-- People of a workspace, as a connector met them, and who of the directory they are.
CREATE TABLE external_users (
  connector      INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  object         BLOB NOT NULL,
  name           TEXT,
  email          TEXT,
  email_verified INTEGER,           -- null where Notion does not say
  is_guest       INTEGER NOT NULL,  -- in no list of Notion's
  state          TEXT NOT NULL,     -- mapped, unmapped, gone
  reason         TEXT,              -- why unmapped
  value          TEXT,              -- what was looked for in the directory
  person         INTEGER REFERENCES persons ON DELETE SET NULL,
  told           INTEGER NOT NULL,  -- when Notion last told of them, or that there is nobody
  PRIMARY KEY (connector, object)
) STRICT, WITHOUT ROWID;
CREATE INDEX external_users_by_person ON external_users (person, connector) WHERE person IS NOT NULL;
CREATE INDEX external_users_by_state ON external_users (connector, state);

-- Whom a user permission crawl met; gone when it has ended.
CREATE TABLE met_users (
  crawl          INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  object         BLOB NOT NULL,
  name           TEXT,
  email          TEXT,
  email_verified INTEGER,
  is_guest       INTEGER NOT NULL,
  accounted      INTEGER NOT NULL DEFAULT 0,  -- whether they are counted as mapped or unmapped
  PRIMARY KEY (crawl, object)
) STRICT, WITHOUT ROWID;
CREATE INDEX met_users_to_map ON met_users (crawl, object) WHERE accounted = 0;

ALTER TABLE crawls ADD COLUMN users_mapped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE crawls ADD COLUMN users_unmapped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE crawls ADD COLUMN users_added INTEGER NOT NULL DEFAULT 0;
ALTER TABLE crawls ADD COLUMN users_deleted INTEGER NOT NULL DEFAULT 0;
-- Of crawls of content `good` and `failed` tell.
ALTER TABLE crawl_days ADD COLUMN people_good INTEGER NOT NULL DEFAULT 0;
ALTER TABLE crawl_days ADD COLUMN people_failed INTEGER NOT NULL DEFAULT 0;
