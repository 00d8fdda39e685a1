use rusqlite::{Transaction, params};

use super::external_users::MetUser;
use super::{Result, Store};
use crate::model::NotionId;

/// What shows a person: as its editor, or in a property.
pub(super) const REDELIVER: &str = "INSERT INTO outbox (key)
     SELECT key FROM links CROSS JOIN items ON items.id = links.item
     WHERE links.target = ?2 AND links.kind = 'person' AND items.workspace = ?1 AND rendered IS NOT NULL";

impl Store {
    /// Remembers the names of a workspace's people and bots. Items that show one whose name is new go out again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_people(&self, workspace: NotionId, people: &[MetUser]) -> Result<()> {
        self.write(|tx| save_names(tx, workspace, people))
    }
}

/// See [`Store::save_people`].
pub(super) fn save_names(
    tx: &Transaction<'_>,
    workspace: NotionId,
    people: &[MetUser],
) -> rusqlite::Result<()> {
    let mut save = tx.prepare_cached(
        "INSERT INTO people (workspace, object, name, is_bot) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (workspace, object) DO UPDATE SET name = excluded.name, is_bot = excluded.is_bot
           WHERE name IS NOT excluded.name OR is_bot <> excluded.is_bot",
    )?;
    let mut redeliver = tx.prepare_cached(REDELIVER)?;
    for one in people {
        if save.execute(params![workspace, one.id, one.name, one.is_bot])? == 1 {
            redeliver.execute(params![workspace, one.id])?;
        }
    }
    Ok(())
}
