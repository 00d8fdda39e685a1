-- Where Notion tells a connector of changes.
CREATE TABLE webhooks (
  connector   INTEGER PRIMARY KEY REFERENCES connectors ON DELETE CASCADE,
  path        TEXT NOT NULL UNIQUE, -- the unguessable last part of its address
  window_ends INTEGER,              -- until when a verification token is accepted, and shown
  token       BLOB,                 -- the verification token, sealed; null until Notion sent it
  received    INTEGER,              -- when it did
  last_event  INTEGER,
  accepted    INTEGER NOT NULL DEFAULT 0,  -- events that asked for something to be read
  repeated    INTEGER NOT NULL DEFAULT 0,  -- events that were here before
  ignored     INTEGER NOT NULL DEFAULT 0,  -- events that change nothing that is indexed
  unknown     INTEGER NOT NULL DEFAULT 0,  -- events of types that this version does not know
  refused     INTEGER NOT NULL DEFAULT 0   -- requests with a wrong signature, or of another workspace
) STRICT;

-- Events that came, for as long as Notion may send them again.
CREATE TABLE webhook_events (
  connector INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  event     TEXT NOT NULL,
  seen      INTEGER NOT NULL,
  PRIMARY KEY (connector, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_events_by_age ON webhook_events (seen);

-- Objects that events name: to be read afresh. What an event says of them is not believed.
CREATE TABLE hints (
  connector INTEGER NOT NULL REFERENCES connectors ON DELETE CASCADE,
  object    BLOB NOT NULL,
  kind      TEXT NOT NULL,          -- of the task that reads it
  anyway    INTEGER NOT NULL,       -- whether its content is to be read whatever its stamp says
  due       INTEGER,                -- null once a crawl has taken it up
  taken     INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (connector, object)
) STRICT, WITHOUT ROWID;
CREATE INDEX hints_due ON hints (due) WHERE due IS NOT NULL;

-- Pages whose requests go before all others of their crawl.
CREATE TABLE urgent (
  crawl  INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  object BLOB NOT NULL,
  PRIMARY KEY (crawl, object)
) STRICT, WITHOUT ROWID;

-- Whether an item that was accounted for is to be looked at once more, because an event named it.
ALTER TABLE sightings ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0;
