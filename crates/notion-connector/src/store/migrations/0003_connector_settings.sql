ALTER TABLE connectors ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';  -- what it sets for itself, as JSON
ALTER TABLE connectors ADD COLUMN active INTEGER NOT NULL DEFAULT 1;    -- whether its schedules run
-- When a change of its settings made what is indexed wrong; null once a full crawl that began later has completed.
ALTER TABLE connectors ADD COLUMN recrawl_since INTEGER;
