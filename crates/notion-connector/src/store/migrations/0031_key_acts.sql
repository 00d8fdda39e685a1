-- When a key was last noted to act as a person: the audit log has an entry of it once in a while, not for each request.
CREATE TABLE key_acts (
  key    INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
  person INTEGER NOT NULL REFERENCES persons ON DELETE CASCADE,
  noted  INTEGER NOT NULL,
  PRIMARY KEY (key, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_acts_by_person ON key_acts (person);
