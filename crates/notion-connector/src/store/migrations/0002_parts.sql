-- What a task asks for beyond its target: the property, the rows of a listing, where else to look.
ALTER TABLE tasks ADD COLUMN detail TEXT;

-- Parts of a page are no longer blocks only: long properties and comments are read by themselves too.
CREATE TABLE parts (
  crawl  INTEGER NOT NULL REFERENCES crawls ON DELETE CASCADE,
  page   BLOB NOT NULL,
  part   TEXT NOT NULL,             -- a block's id (the page's for its own body), `property:ID` or `comments:ID`
  slice  INTEGER NOT NULL,          -- 0, 1, … where one part takes several answers
  form   TEXT,                      -- null while the answer is still to come; 'unreadable' or 'failed' where there is none
  answer BLOB,
  asked  INTEGER,                   -- when it was asked for
  PRIMARY KEY (crawl, page, part, slice)
) STRICT, WITHOUT ROWID;
INSERT INTO parts SELECT crawl, page, lower(hex(part)), slice, form, answer, 0 FROM body_parts;
DROP TABLE body_parts;

-- Kinds of things in an item that this version does not know.
CREATE TABLE unknown_kinds (
  item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  what TEXT NOT NULL,               -- block, property, mention, parent, user, file
  kind TEXT NOT NULL,               -- Notion's name
  PRIMARY KEY (item, what, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX unknown_kinds_by_kind ON unknown_kinds (what, kind);
