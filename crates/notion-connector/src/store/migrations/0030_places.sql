-- Items that lie in what is no item, while Notion has not said that it is none for the integration: it may be still to come, and
-- what rules say of what is above it is not known. A crawl asks for the home, and, where that is not there, for the item again.
ALTER TABLE unplaced RENAME TO unplaced_before;
CREATE TABLE unplaced (
  item        INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
  home_absent INTEGER,  -- the crawl to which Notion said so
  asked_again INTEGER   -- the crawl that asked for the item after that
) STRICT;
INSERT INTO unplaced (item) SELECT item FROM unplaced_before;
DROP TABLE unplaced_before;

-- Whatever an item goes by, what lies in it has no known place any more.
CREATE TRIGGER home_went AFTER DELETE ON items BEGIN
  INSERT OR IGNORE INTO unplaced (item)
    SELECT id FROM items WHERE workspace = OLD.workspace AND home = OLD.object;
END;
