-- Whether a crawl ends with its listings and waits, as 'planned', until somebody lets it go on.
ALTER TABLE crawls ADD COLUMN plan_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE crawls ADD COLUMN planned INTEGER;        -- when its listings had ended
ALTER TABLE crawls ADD COLUMN plan_settings TEXT;     -- the settings that they followed
ALTER TABLE crawls ADD COLUMN plan TEXT;              -- what they found and what is estimated from it, as JSON
