-- Whether search left a gap that neither of its directions reached.
ALTER TABLE crawls ADD COLUMN gap INTEGER NOT NULL DEFAULT 0;
