-- People who sign in here with a password.
CREATE TABLE accounts (
  person   INTEGER PRIMARY KEY REFERENCES persons ON DELETE CASCADE,
  password TEXT NOT NULL,           -- hashed, as a PHC string
  changed  INTEGER NOT NULL
) STRICT;

-- What providers of OpenID Connect know people as.
CREATE TABLE identities (
  issuer  TEXT NOT NULL,
  subject TEXT NOT NULL,
  person  INTEGER NOT NULL REFERENCES persons ON DELETE CASCADE,
  created INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_person ON identities (person);

-- Browsers that are signed in. The token in their cookie is nowhere.
CREATE TABLE sessions (
  hash    BLOB PRIMARY KEY,         -- SHA-256
  person  INTEGER NOT NULL REFERENCES persons ON DELETE CASCADE,
  created INTEGER NOT NULL,
  seen    INTEGER NOT NULL,
  ends    INTEGER NOT NULL,         -- at the latest; or when somebody signed out
  address TEXT                      -- where they signed in
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_person ON sessions (person, ends);
CREATE INDEX sessions_by_end ON sessions (ends);

-- Links that open the door once.
CREATE TABLE one_time_links (
  hash    BLOB PRIMARY KEY,         -- SHA-256
  person  INTEGER REFERENCES persons ON DELETE CASCADE,  -- whose password it sets; null for the first administrator
  created INTEGER NOT NULL,
  ends    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
