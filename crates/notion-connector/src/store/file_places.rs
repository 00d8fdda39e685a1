//! Where files stand, as those see it who ask about a file.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::files::{MAX_PLACES, detail};
use super::positions::load_holders;
use super::{FileState, PlaceDetail, Result, Store};
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

/// What is known of a file, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct FileTrace {
    /// Made of its address.
    pub id: NotionId,
    /// Its name.
    pub name: String,
    /// What became of its bytes; none while they are to be read.
    pub state: Option<FileState>,
    /// Why there is no text, or an old one.
    pub reason: Option<String>,
    /// Its size in bytes, at least; 0 until it is known.
    pub bytes: u64,
    /// Whether it is searchable.
    pub is_indexed: bool,
    /// The connectors that hold it.
    pub holders: Vec<ConnectorId>,
    /// The pages that show it and that a connector holds.
    pub pages: Vec<FilePage>,
}

/// A file as an inventory has it: where it stands in a workspace, and what a connector does with it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedTrace {
    /// Row id.
    pub row: i64,
    /// The row of each page that shows it, with what it says.
    pub places: Vec<(i64, PlaceDetail)>,
    /// What became of its bytes; none while they are to be read.
    pub state: Option<FileState>,
    /// Its size in bytes, at least; 0 until it is known.
    pub bytes: u64,
    /// Version of what read it.
    pub extractor: Option<u32>,
    /// Whether the connector holds it.
    pub is_held: bool,
}

impl Store {
    /// The files of a connector's workspace behind the row `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_placed(&self, connector: ConnectorId, after: i64, limit: u32) -> Result<Vec<PlacedTrace>> {
        self.read(|tx| {
            let mut files: Vec<PlacedTrace> = tx
                .prepare_cached(
                    "SELECT files.item, state, bytes, extractor,
                       EXISTS (SELECT 1 FROM holders WHERE holders.item = files.item AND holders.connector = ?1)
                     FROM files CROSS JOIN items ON items.id = files.item
                     WHERE files.item > ?2 AND items.workspace = (SELECT workspace FROM connectors WHERE id = ?1)
                     ORDER BY files.item LIMIT ?3",
                )?
                .query_map(params![connector.0, after, limit], |row| {
                    let (state, bytes, extractor) = (row.get(1)?, row.get(2)?, row.get(3)?);
                    let (row, is_held) = (row.get(0)?, row.get(4)?);
                    Ok(PlacedTrace { row, places: Vec::new(), state, bytes, extractor, is_held })
                })?
                .collect::<rusqlite::Result<_>>()?;
            let mut places = tx.prepare_cached("SELECT page, detail FROM file_places WHERE file = ?1 LIMIT ?2")?;
            for file in &mut files {
                let details = places.query_map(params![file.row, MAX_PLACES], |row| Ok((row.get(0)?, detail(row, 1)?)))?;
                file.places = details.collect::<rusqlite::Result<_>>()?;
            }
            Ok(files)
        })
    }

    /// The pages that show a file and that a connector holds, the one first that the file has as its parent; at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_file_pages(&self, file: &ItemKey, limit: u32) -> Result<Vec<FilePage>> {
        self.read(|tx| {
            let row: Option<i64> = tx
                .prepare_cached("SELECT id FROM items WHERE key = ?1")?
                .query_row([file.as_str()], |row| row.get(0))
                .optional()?;
            row.map_or(Ok(Vec::new()), |row| pages(tx, row, limit))
        })
    }

    /// The file with this id: one for each workspace that shows it, with at most `limit` of its pages.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_file_traces(&self, file: NotionId, limit: u32) -> Result<Vec<FileTrace>> {
        self.read(|tx| {
            let rows: Vec<i64> = tx
                .prepare_cached(
                    "SELECT items.id FROM items JOIN files ON files.item = items.id
                     WHERE object = ?1 AND workspace IN (SELECT DISTINCT workspace FROM connectors)",
                )?
                .query_map([file], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            rows.into_iter().map(|row| trace(tx, row, limit)).collect()
        })
    }

    /// The files that a page shows, at most `limit`, in the order of the page.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_files_of(&self, page: NotionId, limit: u32) -> Result<Vec<FileTrace>> {
        self.read(|tx| {
            let rows: Vec<i64> = tx
                .prepare_cached(
                    "SELECT file FROM items JOIN file_places ON file_places.page = items.id
                     WHERE object = ?1 AND workspace IN (SELECT DISTINCT workspace FROM connectors)
                     GROUP BY file ORDER BY min(ordinal) LIMIT ?2",
                )?
                .query_map(params![page, limit], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            rows.into_iter().map(|row| trace(tx, row, limit)).collect()
        })
    }
}

fn trace(tx: &Transaction<'_>, row: i64, limit: u32) -> rusqlite::Result<FileTrace> {
    let mut file = tx
        .prepare_cached(
            "SELECT object, title, state, reason, bytes, rendered IS NOT NULL
             FROM items JOIN files ON files.item = items.id WHERE items.id = ?1",
        )?
        .query_row([row], |columns| {
            Ok(FileTrace {
                id: columns.get(0)?,
                name: columns.get(1)?,
                state: columns.get(2)?,
                reason: columns.get(3)?,
                bytes: columns.get(4)?,
                is_indexed: columns.get(5)?,
                holders: Vec::new(),
                pages: Vec::new(),
            })
        })?;
    file.holders = load_holders(tx, row)?;
    file.pages = pages(tx, row, limit)?;
    Ok(file)
}

fn pages(tx: &Transaction<'_>, file: i64, limit: u32) -> rusqlite::Result<Vec<FilePage>> {
    let rows: Vec<(i64, FilePage)> = tx
        .prepare_cached(
            "SELECT page.id, page.object, page.title, file_places.detail, min(file_places.ordinal)
             FROM file_places JOIN items page ON page.id = file_places.page
             WHERE file_places.file = ?1 AND EXISTS (SELECT 1 FROM holders WHERE holders.item = page.id)
             GROUP BY page.id ORDER BY page.id LIMIT ?2",
        )?
        .query_map(params![file, limit], |row| Ok((row.get(0)?, page_from(row)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let with_holders = |(row, page)| Ok(FilePage { holders: load_holders(tx, row)?, ..page });
    rows.into_iter().map(with_holders).collect()
}

fn page_from(row: &Row<'_>) -> rusqlite::Result<FilePage> {
    Ok(FilePage { id: row.get(1)?, title: row.get(2)?, detail: detail(row, 3)?, holders: Vec::new() })
}
