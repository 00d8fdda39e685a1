use rusqlite::params;

use super::{Result, Store};
use crate::model::NotionId;

impl Store {
    /// Remembers the names of a workspace's people and bots.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_people(
        &self,
        workspace: NotionId,
        people: &[(NotionId, Option<String>, bool)],
    ) -> Result<()> {
        self.write(|tx| {
            let mut save = tx.prepare_cached(
                "INSERT INTO people (workspace, object, name, is_bot) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (workspace, object) DO UPDATE SET name = excluded.name, is_bot = excluded.is_bot",
            )?;
            for (id, name, is_bot) in people {
                save.execute(params![workspace, id, name, is_bot])?;
            }
            Ok(())
        })
    }
}
