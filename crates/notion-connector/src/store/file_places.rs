//! Where files stand, as those see it who ask about a file.

use rusqlite::{Row, params};

use super::items::unreadable;
use super::{PlaceDetail, Result, Store};
use crate::model::{ConnectorId, ItemKey, NotionId};

/// A page that shows a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePage {
    /// Notion's id of the page.
    pub id: NotionId,
    /// Its title now; may be empty.
    pub title: String,
    /// What it says of the file, where it shows it first.
    pub detail: PlaceDetail,
    /// The connectors that hold the page. Never empty.
    pub holders: Vec<ConnectorId>,
}

impl Store {
    /// The pages that show a file and that a connector holds, the one first that the file has as its parent; at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_file_pages(&self, file: &ItemKey, limit: u32) -> Result<Vec<FilePage>> {
        self.read(|tx| {
            let rows: Vec<(i64, FilePage)> = tx
                .prepare_cached(
                    "SELECT page.id, page.object, page.title, file_places.detail, min(file_places.ordinal)
                     FROM items file JOIN file_places ON file_places.file = file.id JOIN items page ON page.id = file_places.page
                     WHERE file.key = ?1 AND EXISTS (SELECT 1 FROM holders WHERE holders.item = page.id)
                     GROUP BY page.id ORDER BY page.id LIMIT ?2",
                )?
                .query_map(params![file.as_str(), limit], |row| Ok((row.get(0)?, page_from(row)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let mut holders = tx.prepare_cached("SELECT connector FROM holders WHERE item = ?1 ORDER BY connector")?;
            let mut pages = Vec::with_capacity(rows.len());
            for (row, mut page) in rows {
                page.holders = holders
                    .query_map([row], |columns| columns.get(0).map(ConnectorId))?
                    .collect::<rusqlite::Result<_>>()?;
                pages.push(page);
            }
            Ok(pages)
        })
    }
}

fn page_from(row: &Row<'_>) -> rusqlite::Result<FilePage> {
    let detail: String = row.get(3)?;
    let detail = serde_json::from_str(&detail).map_err(|error| unreadable(3, error))?;
    Ok(FilePage { id: row.get(1)?, title: row.get(2)?, detail, holders: Vec::new() })
}
