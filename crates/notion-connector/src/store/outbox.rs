//! The outbox: which items a sink has still to be told about.
//!
//! A row names an item, nothing more. What is delivered is what the store holds at the moment of delivery, so that rows
//! may repeat, and a row of an item that is no longer there is a deletion.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::items::unreadable;
use super::positions::{Marks, Step, load_holders, load_path, position_of};
use super::{Packed, Result, Store};
use crate::model::{Change, Delivery, Item, ItemKey, NotionId, OutboxCursor, PropertyValue, Related};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its number; grows for ever.
    pub sequence: i64,
    /// The item.
    pub key: String,
}

pub(super) fn new_epoch(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute("INSERT OR REPLACE INTO meta VALUES ('outbox_epoch', randomblob(16))", []).map(|_| ())
}

pub(super) fn push(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO outbox (key) VALUES (?1)")?.execute([key]).map(|_| ())
}

impl Store {
    /// Where the outbox stands: its epoch, and the last row ever written.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_outbox_end(&self) -> Result<OutboxCursor> {
        self.read(|tx| {
            let epoch: [u8; 16] =
                tx.query_row("SELECT value FROM meta WHERE name = 'outbox_epoch'", [], |row| row.get(0))?;
            let sequence = tx
                .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'", [], |row| row.get(0))
                .optional()?
                .unwrap_or(0);
            Ok(OutboxCursor { epoch: Uuid::from_bytes(epoch), sequence })
        })
    }

    /// Up to `limit` rows after `sequence`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_outbox(&self, sequence: i64, limit: usize) -> Result<Vec<OutboxEntry>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT sequence, key FROM outbox WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
            )?
            .query_map(params![sequence, limit], |row| {
                Ok(OutboxEntry { sequence: row.get(0)?, key: row.get(1)? })
            })?
            .collect()
        })
    }

    /// How many rows some sink has still to apply.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_outbox(&self) -> Result<u64> {
        self.read(|tx| tx.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)))
    }

    /// Deletes rows that every sink has applied.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn prune_outbox(&self, up_to: i64) -> Result<()> {
        self.write(|tx| {
            tx.execute("INSERT OR REPLACE INTO meta VALUES ('outbox_pruned', ?1)", [up_to])?;
            tx.execute("DELETE FROM outbox WHERE sequence <= ?1", [up_to]).map(|_| ())
        })
    }

    /// The last row that was deleted because every sink had applied it; 0 if none was.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_outbox_pruned(&self) -> Result<i64> {
        self.read(|tx| {
            let pruned: Option<i64> = tx
                .query_row("SELECT value FROM meta WHERE name = 'outbox_pruned'", [], |row| row.get(0))
                .optional()?;
            Ok(pruned.unwrap_or(0))
        })
    }

    /// Says why a sink did not take its last delivery, or that it did.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_sink_trouble(&self, sink: &str, trouble: Option<&str>) -> Result<()> {
        self.write(|tx| {
            let name = trouble_of(sink);
            match trouble {
                Some(why) => tx.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![name, why]),
                None => tx.execute("DELETE FROM meta WHERE name = ?1", [name]),
            }
            .map(|_| ())
        })
    }

    /// Why a sink did not take its last delivery; none if it did.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_sink_trouble(&self, sink: &str) -> Result<Option<String>> {
        self.read(|tx| {
            tx.query_row("SELECT value FROM meta WHERE name = ?1", [trouble_of(sink)], |row| row.get(0))
                .optional()
        })
    }

    /// Up to `limit` searchable items' keys after `key`, in order: for filling a sink from the start.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_keys(&self, after: &str, limit: usize) -> Result<Vec<String>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT key FROM items WHERE key > ?1 AND rendered IS NOT NULL
                 AND EXISTS (SELECT 1 FROM holders WHERE item = items.id) ORDER BY key LIMIT ?2",
            )?
            .query_map(params![after, limit], |row| row.get(0))?
            .collect()
        })
    }

    /// The keys of all searchable items, in the order of Notion's ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_keys_by_id(&self) -> Result<Vec<String>> {
        self.read(|tx| {
            tx.prepare_cached("SELECT key FROM items WHERE rendered IS NOT NULL ORDER BY object, key")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    /// The keys of the searchable items with that id: one for each workspace that has it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_keys_of(&self, object: NotionId) -> Result<Vec<String>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT key FROM items WHERE object = ?1 AND rendered IS NOT NULL
                 AND workspace IN (SELECT DISTINCT workspace FROM connectors)",
            )?
            .query_map([object], |row| row.get(0))?
            .collect()
        })
    }

    /// What a sink is to do about each of these items now, in their order; once `max_bytes` of stored items are loaded,
    /// the keys that are left come back.
    ///
    /// # Errors
    /// When the database cannot be read, or holds an item that this program cannot read.
    pub fn load_changes(&self, keys: Vec<String>, max_bytes: usize) -> Result<(Vec<Change>, Vec<String>)> {
        self.read(|tx| {
            let mut keys = keys.into_iter();
            let (mut changes, mut bytes) = (Vec::new(), 0);
            let marks = &mut Marks::default();
            while bytes < max_bytes
                && let Some(key) = keys.next()
            {
                let (change, size) = load_change(tx, &key, marks)?;
                changes.push(change);
                bytes += size;
            }
            Ok((changes, keys.collect()))
        })
    }
}

fn trouble_of(sink: &str) -> String {
    format!("trouble of sink {sink}")
}

fn load_change(tx: &Transaction<'_>, key: &str, marks: &mut Marks) -> rusqlite::Result<(Change, usize)> {
    let found: Option<(i64, Option<Packed>)> = tx
        .prepare_cached("SELECT id, rendered FROM items WHERE key = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let gone = || {
        let key = ItemKey::parse(key).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
        })?;
        Ok((Change::Delete(key), 0))
    };
    let Some((row, Some(Packed(rendered)))) = found else { return gone() };
    let mut item: Item = serde_json::from_str(&rendered).map_err(|error| unreadable(1, error))?;
    let holders = load_holders(tx, row)?;
    if holders.is_empty() {
        return gone();
    }
    name_people(tx, row, &mut item)?;
    let related = load_related(tx, row, &item)?;
    let last_edited_by_name = match item.last_edited_by {
        Some(person) => load_name(tx, row, person)?,
        None => None,
    };
    let path = load_path(tx, row)?;
    let position = position_of(tx, &path, marks)?;
    let ancestors = path.iter().take(path.len().saturating_sub(1)).map(Step::crumb).collect();
    let delivery = Delivery { item, holders, ancestors, position, related, last_edited_by_name };
    Ok((Change::Upsert(Box::new(delivery)), rendered.len()))
}

fn load_related(
    tx: &Transaction<'_>,
    row: i64,
    item: &Item,
) -> rusqlite::Result<Vec<(String, Vec<Related>)>> {
    let mut joined = Vec::new();
    for property in &item.properties {
        let PropertyValue::Relations { ids, .. } = &property.value else { continue };
        let mut related = Vec::new();
        for id in ids {
            related.extend(load_title(tx, row, *id)?.map(|title| Related { id: *id, title }));
        }
        joined.push((property.name.clone(), related));
    }
    Ok(joined)
}

/// Pages name most people by their id alone (observed: created by, last edited by); the list of people has the names.
fn name_people(tx: &Transaction<'_>, row: i64, item: &mut Item) -> rusqlite::Result<()> {
    for property in &mut item.properties {
        let PropertyValue::People(people) = &mut property.value else { continue };
        let mut named = false;
        for person in people.iter_mut().filter(|person| person.name.is_none()) {
            person.name = load_name(tx, row, person.id)?;
            named |= person.name.is_some();
        }
        if named {
            let names: Vec<&str> = people.iter().filter_map(|person| person.name.as_deref()).collect();
            property.text = names.join(", ");
        }
    }
    Ok(())
}

fn load_title(tx: &Transaction<'_>, row: i64, object: NotionId) -> rusqlite::Result<Option<String>> {
    tx.prepare_cached(
        "SELECT title FROM items WHERE object = ?2 AND workspace = (SELECT workspace FROM items WHERE id = ?1)
           AND EXISTS (SELECT 1 FROM holders WHERE item = items.id)",
    )?
    .query_row(params![row, object], |columns| columns.get(0))
    .optional()
}

fn load_name(tx: &Transaction<'_>, row: i64, person: NotionId) -> rusqlite::Result<Option<String>> {
    let name: Option<Option<String>> = tx
        .prepare_cached(
            "SELECT name FROM people WHERE object = ?2 AND workspace = (SELECT workspace FROM items WHERE id = ?1)",
        )?
        .query_row(params![row, person], |columns| columns.get(0))
        .optional()?;
    Ok(name.flatten())
}
