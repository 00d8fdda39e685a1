-- People of the organisation, whether or not a workspace of Notion knows them.
CREATE TABLE persons (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  uid            BLOB NOT NULL UNIQUE,   -- the id that is shown to others
  external_id    TEXT UNIQUE,            -- of the source
  user_name      TEXT NOT NULL,
  user_key       TEXT NOT NULL UNIQUE,   -- trimmed, lower case
  name           TEXT,
  name_key       TEXT,                   -- trimmed, lower case
  email          TEXT,
  email_key      TEXT,                   -- trimmed, lower case
  email_verified INTEGER NOT NULL,
  active         INTEGER NOT NULL,
  fields         TEXT NOT NULL,          -- free fields, as a JSON object of texts
  source         TEXT NOT NULL,          -- import, scim, openid, local: who made it
  created        INTEGER NOT NULL,
  changed        INTEGER NOT NULL
) STRICT;
CREATE INDEX persons_by_email ON persons (email_key) WHERE email_key IS NOT NULL;

-- Free fields, to find people by.
CREATE TABLE person_fields (
  name   TEXT NOT NULL,
  key    TEXT NOT NULL,                  -- the value, trimmed, lower case
  person INTEGER NOT NULL REFERENCES persons ON DELETE CASCADE,
  PRIMARY KEY (name, key, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_fields_by_person ON person_fields (person);

CREATE TABLE groups_ (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  uid         BLOB NOT NULL UNIQUE,
  external_id TEXT UNIQUE,
  name        TEXT NOT NULL,
  name_key    TEXT NOT NULL UNIQUE,      -- trimmed, lower case
  source      TEXT NOT NULL,
  created     INTEGER NOT NULL,
  changed     INTEGER NOT NULL
) STRICT;

CREATE TABLE memberships (
  grp    INTEGER NOT NULL REFERENCES groups_ ON DELETE CASCADE,
  person INTEGER NOT NULL REFERENCES persons ON DELETE CASCADE,
  PRIMARY KEY (grp, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_person ON memberships (person, grp);
