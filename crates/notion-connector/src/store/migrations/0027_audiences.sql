-- Connectors whose items are seen by those only whom a rule grants them.
CREATE TABLE audiences (
  connector INTEGER PRIMARY KEY REFERENCES connectors ON DELETE CASCADE
) STRICT;

-- Who may see a part of a connector. Of an item the nearest rule decides.
CREATE TABLE audience_rules (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  connector INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  place     BLOB,     -- the object that it is about, with what lies below it; null: the whole connector
  property  TEXT,     -- a column of the place, which is a data source: its rows are decided by what stands in it
  CHECK (property IS NULL OR place IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX audience_rules_by_place ON audience_rules (connector, ifnull(place, x''), property IS NOT NULL);
CREATE INDEX audience_rules_by_property ON audience_rules (place) WHERE property IS NOT NULL;

CREATE TABLE audience_grants (
  rule   INTEGER NOT NULL REFERENCES audience_rules ON DELETE CASCADE,
  value  TEXT,        -- the rows with this option only; null: all that the rule decides
  kind   TEXT NOT NULL,  -- everyone, named (the people named in the column), group, person
  grp    INTEGER REFERENCES groups_ ON DELETE CASCADE,
  person INTEGER REFERENCES persons ON DELETE CASCADE
) STRICT;
CREATE INDEX audience_grants_by_rule ON audience_grants (rule);
CREATE INDEX audience_grants_by_group ON audience_grants (grp) WHERE grp IS NOT NULL;
CREATE INDEX audience_grants_by_person ON audience_grants (person) WHERE person IS NOT NULL;

-- Items that were met before what they lie in, while no listing has ended since: what lies above them may be still to come.
CREATE TABLE unplaced (
  item      INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
  connector INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE
) STRICT;
CREATE INDEX unplaced_by_connector ON unplaced (connector);
