-- Roles beyond that of a search user, which everybody of the directory has.
CREATE TABLE role_grants (
  id      INTEGER PRIMARY KEY,
  role    TEXT NOT NULL,
  person  INTEGER REFERENCES persons ON DELETE CASCADE,
  grp     INTEGER REFERENCES groups_ ON DELETE CASCADE,
  granted INTEGER NOT NULL,
  CHECK ((person IS NULL) <> (grp IS NULL))
) STRICT;
CREATE UNIQUE INDEX role_grants_of_persons ON role_grants (person, role) WHERE person IS NOT NULL;
CREATE UNIQUE INDEX role_grants_of_groups ON role_grants (grp, role) WHERE grp IS NOT NULL;

-- Keys of programs. The key itself is nowhere.
CREATE TABLE keys (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE,  -- SHA-256
  roles      TEXT NOT NULL,         -- names, with spaces between
  scopes     TEXT NOT NULL,         -- names, with spaces between
  person     INTEGER REFERENCES persons ON DELETE CASCADE,  -- whose it is, if it is anybody's
  may_act_as INTEGER NOT NULL,      -- whether it may search as any person
  created    INTEGER NOT NULL,
  ends       INTEGER,
  revoked    INTEGER,
  used       INTEGER
) STRICT;
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked IS NULL;
CREATE INDEX keys_by_person ON keys (person) WHERE person IS NOT NULL;
