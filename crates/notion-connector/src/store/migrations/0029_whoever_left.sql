CREATE INDEX one_time_links_by_person ON one_time_links (person);

-- Who is deactivated, by whatever way, is out for good: what let them in does not open again when they come back.
CREATE TRIGGER whoever_left_is_out AFTER UPDATE OF active ON persons WHEN OLD.active AND NOT NEW.active
BEGIN
  UPDATE sessions SET ends = NEW.changed WHERE person = NEW.id AND ends > NEW.changed;
  UPDATE keys SET revoked = NEW.changed WHERE person = NEW.id AND revoked IS NULL;
  DELETE FROM one_time_links WHERE person = NEW.id;
END;

-- The same for those who left before.
UPDATE sessions SET ends = min(ends, (SELECT changed FROM persons WHERE id = person))
  WHERE person IN (SELECT id FROM persons WHERE NOT active);
UPDATE keys SET revoked = (SELECT changed FROM persons WHERE id = person)
  WHERE revoked IS NULL AND person IN (SELECT id FROM persons WHERE NOT active);
DELETE FROM one_time_links WHERE person IN (SELECT id FROM persons WHERE NOT active);
