//! What items point to, and where they hang because of it: links, homes, and what goes out again when one of them moves.
//!
//! The *home* of an item is the item that it lies in: its parent, or, where Notion names a block, the page that holds it.

use rusqlite::{OptionalExtension, Transaction, params};

use super::positions::note_place;
use super::tasks::sighted;
use super::{Crawl, Result, Store, Task, TaskKind};
use crate::model::{Item, LinkKind, NotionId, PropertyValue};

impl Store {
    /// Remembers which page holds the block that is the parent of `object`.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_home(&self, crawl: &Crawl, task: &Task, object: NotionId, home: NotionId) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            let save = || match sighted(tx, crawl, object)? {
                Some(item) => set_home(tx, item, Some(home)),
                None => Ok(()),
            };
            save().map_err(|source| self.sqlite(source))
        })
    }
}

/// The one page whose body holds a tag of the item `row`; none when no body or several do.
pub(super) fn home_by_tags(
    tx: &Transaction<'_>,
    row: i64,
    object: NotionId,
) -> rusqlite::Result<Option<NotionId>> {
    let homes: Vec<NotionId> = tx
        .prepare_cached(
            "SELECT DISTINCT items.object FROM links JOIN items ON items.id = links.item
             WHERE items.workspace = (SELECT workspace FROM items WHERE id = ?1)
               AND links.target = ?2 AND links.kind IN ('child_page', 'child_database') AND items.object <> ?2 LIMIT 2",
        )?
        .query_map(params![row, object], |columns| columns.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(match homes.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}

fn set_home(tx: &Transaction<'_>, item: i64, home: Option<NotionId>) -> rusqlite::Result<()> {
    let changed = tx
        .prepare_cached("UPDATE items SET home = ?2 WHERE id = ?1 AND home IS NOT ?2")?
        .execute(params![item, home])?;
    if changed == 0 {
        return Ok(());
    }
    note_place(tx, item, home)?;
    redeliver(tx, item)
}

/// CROSS JOIN keeps the order of the tables: the planner takes the recursive one for large, and would scan all items.
pub(super) const REDELIVER: &str = "WITH RECURSIVE below (workspace, object) AS (
       SELECT workspace, object FROM items WHERE id = ?1
       UNION SELECT items.workspace, items.object FROM below CROSS JOIN items USING (workspace)
         WHERE items.home = below.object)
     INSERT INTO outbox (key)
     SELECT key FROM below CROSS JOIN items USING (workspace, object) WHERE rendered IS NOT NULL
     UNION SELECT key FROM links JOIN items ON items.id = links.item
       WHERE links.kind = 'relation' AND links.target = (SELECT object FROM items WHERE id = ?1) AND rendered IS NOT NULL";

/// An item's title or place changed: it, what lies below it (breadcrumbs) and what is related to it (titles) go out again.
pub(super) fn redeliver(tx: &Transaction<'_>, item: i64) -> rusqlite::Result<()> {
    tx.prepare_cached(REDELIVER)?.execute([item]).map(|_| ())
}

/// Objects that the kept body of an item holds and that the connector does not: they may be visible by now, which moves no
/// stamp. Of databases only those that it held once, since the tag of a linked view looks like one.
pub(super) fn missing_below(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    row: i64,
) -> rusqlite::Result<Vec<(NotionId, TaskKind)>> {
    tx.prepare_cached(
        "SELECT target, kind FROM links WHERE item = ?1
           AND (kind = 'child_page' OR kind = 'child_database' AND EXISTS (
             SELECT 1 FROM tombstones WHERE tombstones.object = links.target AND tombstones.connector = ?2))
           AND NOT EXISTS (
             SELECT 1 FROM items JOIN holders ON holders.item = items.id AND holders.connector = ?2
             WHERE items.object = links.target AND items.workspace = (SELECT workspace FROM connectors WHERE id = ?2))",
    )?
    .query_map(params![row, crawl.connector.0], |columns| {
        let is_page = columns.get_ref(1)?.as_str()? == "child_page";
        let task = if is_page { TaskKind::ReadPage } else { TaskKind::ReadDatabase };
        Ok((columns.get(0)?, task))
    })?
    .collect()
}

/// Replaces what an item points to. Returns the objects that its body holds, with the tasks that would ask for them.
pub(super) fn save_links(
    tx: &Transaction<'_>,
    row: i64,
    item: &Item,
) -> rusqlite::Result<Vec<(NotionId, TaskKind)>> {
    let mut placed: Vec<NotionId> = tx
        .prepare_cached(
            "SELECT target FROM links WHERE item = ?1 AND kind IN ('child_page', 'child_database')",
        )?
        .query_map([row], |columns| columns.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    tx.prepare_cached("DELETE FROM links WHERE item = ?1")?.execute([row])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO links (item, kind, target) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    let mut held = Vec::new();
    for link in &item.links {
        let (kind, task) = match link.kind {
            LinkKind::ChildPage => ("child_page", Some(TaskKind::ReadPage)),
            LinkKind::ChildDatabase => ("child_database", Some(TaskKind::ReadDatabase)),
            LinkKind::DataSource => ("data_source", Some(TaskKind::ReadDataSource)),
            LinkKind::Mention => ("mention", None),
            // Apart from people of properties, whose names are joined when the item is delivered: this one stands in the text.
            LinkKind::Person => ("mentioned", None),
        };
        insert.execute(params![row, kind, link.target])?;
        held.extend(task.map(|task| (link.target, task)));
        if matches!(link.kind, LinkKind::ChildPage | LinkKind::ChildDatabase) {
            placed.push(link.target);
        }
    }
    for property in &item.properties {
        match &property.value {
            PropertyValue::Relations { ids, .. } => {
                for id in ids {
                    insert.execute(params![row, "relation", id])?;
                }
            }
            PropertyValue::People(people) => {
                for person in people {
                    insert.execute(params![row, "person", person.id])?;
                }
            }
            _ => {}
        }
    }
    if let Some(editor) = item.last_edited_by {
        insert.execute(params![row, "person", editor])?;
    }
    // Apart from the others: no item shows who created it.
    if let Some(creator) = item.created_by {
        insert.execute(params![row, "creator", creator])?;
    }
    placed.sort_unstable();
    placed.dedup();
    for target in placed {
        rehome(tx, row, target)?;
    }
    Ok(held)
}

/// A tag of `object` in the item `row` came or went: where its parent is no page that is known, the page that holds it may
/// be another one now.
fn rehome(tx: &Transaction<'_>, row: i64, object: NotionId) -> rusqlite::Result<()> {
    let item: Option<i64> = tx
        .prepare_cached(
            "SELECT id FROM items WHERE workspace = (SELECT workspace FROM items WHERE id = ?1) AND object = ?2
               AND json_extract(parent, '$.type') IN ('block', 'unknown')",
        )?
        .query_row(params![row, object], |columns| columns.get(0))
        .optional()?;
    match item {
        Some(item) => set_home(tx, item, home_by_tags(tx, item, object)?),
        None => Ok(()),
    }
}
