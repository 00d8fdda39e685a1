-- What identity providers said of people, as they said it; passwords aside.
CREATE TABLE scim_users (
  person   INTEGER PRIMARY KEY REFERENCES persons ON DELETE CASCADE,
  resource TEXT NOT NULL  -- a user of RFC 7643, in JSON
) STRICT;

-- All their e-mail addresses, to find them by; the one to go by stands in persons.
CREATE TABLE scim_emails (
  key    TEXT NOT NULL,   -- trimmed, lower case
  person INTEGER NOT NULL REFERENCES persons ON DELETE CASCADE,
  PRIMARY KEY (key, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_emails_by_person ON scim_emails (person);
