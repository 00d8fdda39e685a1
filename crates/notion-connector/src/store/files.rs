//! Files: where they stand, what became of their bytes, and what a crawl has still to read of them.
//!
//! A file is an item whose id is made of its address without signature. It has a row in `file_places` for each place in a page
//! that shows it; it leaves a connector with the last page of that connector in which its settings want it, or when that page was read again without
//! it, by whichever connector: one that lost a place is *astray* until all who hold it have settled. Its bytes are read once: what became of them is a [`FileState`], which stays until another version of the extractor, or a
//! force reindex, reads them again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::admission::{self, Admission, Entry};
use super::alerts::{AlertLevel, AlertScope, NewAlert, add as add_alert};
use super::crawls::{Outcome, account};
use super::departures::{add_departure, held};
use super::items::{save_finished, to_json, unreadable};
use super::tasks::{add as add_task, sighted};
use super::{
    Crawl, Finished, Millis, NewTask, Packed, Proof, Result, Scope, Store, Task, TaskKind, hints, named_enum,
    outbox,
};
use crate::model::{
    FileContent, FilePlace, HoldingPage, ItemKey, ItemKind, NotionId, PageFile, Parent, Validators,
};

named_enum! {
    /// What became of the bytes of a file.
    pub enum FileState {
        /// There is text.
        Text = "text",
        /// They were read and hold none: it is found by its name.
        NoText = "no_text",
        /// It opens with a password only.
        Encrypted = "encrypted",
        /// A format that is not read.
        Unsupported = "unsupported",
        /// Larger than the settings allow.
        TooLarge = "too_large",
        /// Not what its format demands.
        Broken = "broken",
        /// It asks for more time or memory than there is.
        Limit = "limit",
    }
}

impl FileState {
    const fn is_indexed(self) -> bool {
        matches!(self, Self::Text | Self::NoText)
    }
}

/// One place of a file, as the page says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceDetail {
    /// Where in the page.
    pub place: FilePlace,
    /// The block that shows it, or that the comment is about.
    pub block: Option<NotionId>,
    /// Its name there.
    pub name: String,
    /// What the page says of it.
    pub caption: String,
    /// Its address without signature.
    pub identity: String,
    /// Whether Notion's hosts have it.
    pub hosted: bool,
    /// The page.
    pub page: HoldingPage,
}

/// A file in a page that was read.
#[derive(Debug, Clone)]
pub struct PlacedFile {
    /// Made of its identity.
    pub id: NotionId,
    /// Key of the item that it is.
    pub key: ItemKey,
    /// What the page says of it.
    pub detail: PlaceDetail,
    /// Its address, with the signature.
    pub address: String,
    /// Whether the settings want it where it stands here.
    pub is_wanted: bool,
}

/// What a task to read a file needs beside its id.
#[derive(Clone, Serialize, Deserialize)]
pub struct FileTask {
    /// The page that holds it.
    pub page: NotionId,
    /// Where in the page.
    pub place: FilePlace,
    /// The block that shows it, or that the comment is about.
    pub block: Option<NotionId>,
    /// Its address, with the signature.
    pub address: String,
    /// Its name.
    pub name: String,
    /// How often a fresh address was asked for.
    #[serde(default)]
    pub refreshed: u32,
    /// Of the bytes that were read before: if they are still the same, nothing is fetched.
    #[serde(default)]
    pub known: Validators,
}

/// How files are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileReading {
    /// Version of what reads them.
    pub extractor: u32,
    /// Largest size that is read, in bytes.
    pub max_bytes: u64,
}

/// What decides about files while a page is saved.
#[derive(Debug, Clone)]
pub struct PageFiles {
    /// In the order of the page.
    pub files: Vec<PlacedFile>,
    /// Whether all of the page was read: then it holds no others.
    pub whole: bool,
    /// How they are read.
    pub reading: FileReading,
    /// Most items that the connector may hold.
    pub item_limit: u64,
}

/// What came of reading a file.
#[derive(Debug, Clone)]
pub struct FileRead {
    /// What became of its bytes; none where they could not be had: then they are due still.
    pub state: Option<FileState>,
    /// Why there is no text.
    pub reason: Option<String>,
    /// Its size, at least.
    pub bytes: u64,
    /// Version of what read it.
    pub extractor: u32,
    /// To ask its host with the next time; none for files whose address changes with their bytes.
    pub validators: Validators,
}

/// A file that a crawl did not meet although it met a page that holds it, or found that one gone.
#[derive(Debug, Clone)]
pub struct UnmetFile {
    /// Row id.
    pub row: i64,
    /// Made of its identity.
    pub id: NotionId,
    /// Whether a page that holds it was met.
    pub is_shown: bool,
    /// Where it stands in pages that the connector holds; with the crawl's word on those that leave.
    pub places: Vec<(PlaceDetail, Option<Proof>)>,
}

/// Files that the crawl met the pages of, and not themselves: nothing was read of those pages, or settings leave the file out; or whose
/// pages leave with it. In the order of the index `file_places_by_file`, so that each is looked at once.
pub(super) const UNMET: &str = "SELECT file, (SELECT object FROM items WHERE id = file), max(is_shown) FROM (
       SELECT file, EXISTS (SELECT 1 FROM sightings WHERE crawl = ?1 AND sightings.item = file_places.page
           AND outcome IN ('added', 'updated', 'unchanged')) AS is_shown,
         EXISTS (SELECT 1 FROM departures WHERE crawl = ?1 AND departures.item = file_places.page) AS goes
       FROM file_places WHERE file > ?3
         AND NOT EXISTS (SELECT 1 FROM sightings WHERE crawl = ?1 AND sightings.item = file_places.file))
     WHERE is_shown OR goes GROUP BY file ORDER BY file LIMIT ?2";

/// Follows the index `files_astray`.
const ASTRAY: &str = "SELECT item FROM files WHERE astray";

/// Files all of whose pages leave the connector with this crawl leave too, on the word about their pages. CROSS JOIN as in
/// `links::REDELIVER`.
pub(super) const LEAVE_WITH_PAGES: &str = "SELECT DISTINCT file, departures.proof FROM departures
     CROSS JOIN file_places ON file_places.page = departures.item
     CROSS JOIN holders ON holders.item = file AND holders.connector = ?2
     WHERE departures.crawl = ?1 AND (NOT ?3 OR departures.proof IN (?4, ?5)) AND NOT EXISTS (
       SELECT 1 FROM file_places other CROSS JOIN holders ON holders.item = other.page AND holders.connector = ?2
       WHERE other.file = file_places.file AND NOT EXISTS (
         SELECT 1 FROM departures gone WHERE gone.crawl = ?1 AND gone.item = other.page
           AND (NOT ?3 OR gone.proof IN (?4, ?5))))";

impl Store {
    /// Files behind the item `after` whose pages the crawl met without reading them, or found gone, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_unmet_files(&self, crawl: &Crawl, after: i64, limit: u32) -> Result<Vec<UnmetFile>> {
        self.read(|tx| {
            let mut places = tx.prepare_cached(
                "SELECT detail, departures.proof FROM file_places
                   JOIN holders ON holders.item = page AND holders.connector = ?2
                   LEFT JOIN departures ON departures.crawl = ?4 AND departures.item = page
                 WHERE file = ?1 ORDER BY page, ordinal LIMIT ?3",
            )?;
            let mut unmet = tx.prepare_cached(UNMET)?;
            let mut found = unmet.query(params![crawl.id.0, limit, after])?;
            let mut files = Vec::new();
            while let Some(columns) = found.next()? {
                let row: i64 = columns.get(0)?;
                let ours = params![row, crawl.connector.0, MAX_PLACES, crawl.id.0];
                let places = places.query_map(ours, |row| Ok((detail(row, 0)?, row.get(1)?)))?;
                let places = places.collect::<rusqlite::Result<_>>()?;
                files.push(UnmetFile { row, id: columns.get(1)?, is_shown: columns.get(2)?, places });
            }
            Ok(files)
        })
    }

    /// Accounts for files that a crawl did not meet, by row, id and, of those that the settings leave out, why they leave: they
    /// are not discovered. Returns whether any is met now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_unmet_files(
        &self,
        crawl: &Crawl,
        files: &[(i64, NotionId, Option<Proof>)],
        reading: FileReading,
        item_limit: u64,
        now: Timestamp,
    ) -> Result<bool> {
        self.write(|tx| {
            let mut met = false;
            for (row, id, leaves) in files {
                if let Some(proof) = leaves {
                    leave_out(tx, crawl, *row, *id, *proof)?;
                } else if is_larger(tx, *row, reading)? {
                    pass_over(tx, crawl, *row, *id, now)?;
                } else if is_settled_without_text(tx, crawl, *row, reading)? {
                    pass_by(tx, crawl, *row)?;
                } else if matches!(enter(tx, crawl, *row, item_limit, now)?, Entry::First { .. }) {
                    look_again(tx, crawl, *row)?;
                    met = true;
                }
            }
            Ok(met)
        })
    }

    /// Tells how many files a crawl left out for which reason, with one of them; again is the same as once.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_left_out_files(
        &self,
        crawl: &Crawl,
        reasons: &BTreeMap<String, (u64, NotionId)>,
        now: Timestamp,
    ) -> Result<()> {
        self.write(|tx| {
            for (reason, (times, file)) in reasons {
                let group = format!("files left out: {reason}");
                let message = format!("files are left out because {reason}");
                let scope = if *times > 1 { AlertScope::Items } else { AlertScope::Item };
                let alert = NewAlert::new(AlertLevel::Info, scope, &group, &message).about(Some(*file));
                super::alerts::set_times(tx, crawl.id, alert, *times, now)?;
            }
            Ok(())
        })
    }

    /// Looks after the files that lost a place since the last crawl that settled, of whichever connector.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn settle_files(&self, crawl: &Crawl) -> Result<()> {
        let is_any = self.read(|tx| tx.prepare_cached(ASTRAY)?.exists([]))?;
        if !is_any {
            return Ok(());
        }
        self.write(|tx| {
            for file in load_astray(tx)? {
                leave_without_place(tx, crawl, file)?;
                describe_anew(tx, file)?;
            }
            Ok(())
        })
    }

    /// Accounts for a file that its host says is the one that was read before.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_same_file(&self, crawl: &Crawl, task: &Task) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            let row = task.target.map_or(Ok(None), |id| sighted(tx, crawl, id));
            let row = row.map_err(|source| self.sqlite(source))?;
            row.map_or(Ok(()), |row| account_known(tx, crawl, row)).map_err(|source| self.sqlite(source))
        })
    }

    /// Saves what came of reading a file, with the item that it makes.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_file(
        &self,
        crawl: &Crawl,
        task: &Task,
        read: &FileRead,
        item: Option<(&FileContent, &Finished)>,
        now: Timestamp,
    ) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            save_read(tx, crawl, task, read, item, now).map_err(|source| self.sqlite(source))
        })
    }
}

/// Files that lost a place are described by those that they have, and are deleted where they have none and nobody holds them.
pub(super) fn describe_astray(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    load_astray(tx)?.into_iter().try_for_each(|file| describe_anew(tx, file))
}

fn load_astray(tx: &Transaction<'_>) -> rusqlite::Result<Vec<i64>> {
    tx.prepare_cached(ASTRAY)?.query_map([], |row| row.get(0))?.collect()
}

/// Writes down where files stand. One that stood there before and no longer does is astray.
pub(super) fn save_places(tx: &Transaction<'_>, page: i64, found: &PageFiles) -> rusqlite::Result<()> {
    let mut rows = BTreeSet::new();
    let mut placed = Vec::with_capacity(found.files.len());
    for file in &found.files {
        let row = upsert(tx, page, file)?;
        rows.insert(row);
        placed.push((row, to_json(&file.detail)?));
    }
    if !found.whole {
        let kept: Vec<(i64, String)> = tx
            .prepare_cached("SELECT file, detail FROM file_places WHERE page = ?1 ORDER BY ordinal")?
            .query_map([page], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        placed.extend(kept.into_iter().filter(|(file, _)| !rows.contains(file)));
    }
    tx.prepare_cached("DELETE FROM file_places WHERE page = ?1 AND ordinal >= ?2")?
        .execute(params![page, placed.len()])?;
    for (ordinal, (row, detail)) in placed.iter().enumerate() {
        tx.prepare_cached(
            "INSERT INTO file_places (page, ordinal, file, detail) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET file = excluded.file, detail = excluded.detail",
        )?
        .execute(params![page, ordinal, row, detail])?;
    }
    rows.iter().try_for_each(|row| describe(tx, *row))
}

/// What follows for the files of a page that a crawl has read.
pub(super) fn meet(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    page: i64,
    found: &PageFiles,
    now: Timestamp,
) -> rusqlite::Result<()> {
    save_places(tx, page, found)?;
    let mut met = BTreeSet::new();
    for file in &found.files {
        let row: i64 = tx
            .prepare_cached("SELECT id FROM items WHERE key = ?1")?
            .query_row([file.key.as_str()], |row| row.get(0))?;
        // One that is wanted nowhere is left out when all of its places are known.
        if file.is_wanted && met.insert(row) {
            plan(tx, crawl, row, file, found, now)?;
        }
    }
    Ok(())
}

fn upsert(tx: &Transaction<'_>, page: i64, file: &PlacedFile) -> rusqlite::Result<i64> {
    let parent = to_json(&Parent::Page(file.detail.page.id))?;
    let row = tx
        .prepare_cached(
            "INSERT INTO items (key, workspace, object, kind, title, parent, home, edited, source)
             SELECT ?1, workspace, ?2, ?3, ?4, ?5, ?6, edited, ?7 FROM items WHERE id = ?8
             ON CONFLICT (key) DO UPDATE SET title = title RETURNING id",
        )?
        .query_row(
            params![
                file.key.as_str(),
                file.id,
                ItemKind::File,
                file.detail.name,
                parent,
                file.detail.page.id,
                Packed("{}".to_owned()),
                page
            ],
            |row| row.get(0),
        )?;
    tx.prepare_cached("INSERT INTO files (item) VALUES (?1) ON CONFLICT DO NOTHING")?.execute([row])?;
    Ok(row)
}

/// What a page says of a file, from a column of a row.
pub(super) fn detail(row: &Row<'_>, column: usize) -> rusqlite::Result<PlaceDetail> {
    let detail: String = row.get(column)?;
    serde_json::from_str(&detail).map_err(|error| unreadable(column, error))
}

/// Most places that the item of a file tells of.
pub(super) const MAX_PLACES: u32 = 100;

/// Makes the description of a file of what its places say. Where that changed, what is rendered of it is out of date.
fn describe(tx: &Transaction<'_>, file: i64) -> rusqlite::Result<()> {
    let details: Vec<PlaceDetail> = tx
        .prepare_cached("SELECT detail FROM file_places WHERE file = ?1 ORDER BY page, ordinal LIMIT ?2")?
        .query_map(params![file, MAX_PLACES], |row| detail(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let Some(first) = details.first() else { return Ok(()) };
    let mut source = PageFile {
        identity: first.identity.clone(),
        hosted: first.hosted,
        name: first.name.clone(),
        captions: Vec::new(),
        page: first.page.clone(),
        further_pages: Vec::new(),
    };
    for detail in &details {
        let page = detail.page.id;
        if page != source.page.id {
            // What these say of it is theirs: who sees the file need not see them.
            if !source.further_pages.contains(&page) {
                source.further_pages.push(page);
            }
        } else if !detail.caption.is_empty() && !source.captions.contains(&detail.caption) {
            source.captions.push(detail.caption.clone());
        }
    }
    tx.prepare_cached(
        "UPDATE items SET title = ?2, parent = ?3, home = ?4, edited = ?5, source = ?6,
           renderer = iif(renderer IS NULL OR source = ?6, renderer, 0) WHERE id = ?1",
    )?
    .execute(params![
        file,
        source.name,
        to_json(&Parent::Page(source.page.id))?,
        source.page.id,
        Millis(source.page.last_edited_time),
        Packed(to_json(&source)?)
    ])
    .map(|_| ())
}

fn enter(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    row: i64,
    item_limit: u64,
    now: Timestamp,
) -> rusqlite::Result<Entry> {
    // Filters decided about its page.
    let admission = Admission { limit: item_limit, ..Admission::default() };
    let entry = admission::enter(tx, crawl, row, admission, now)?;
    tx.prepare_cached(
        "DELETE FROM departures WHERE item = ?2 AND crawl IN (SELECT id FROM crawls WHERE connector = ?1)",
    )?
    .execute(params![crawl.connector.0, row])?;
    Ok(entry)
}

/// What a crawl does about a file that the settings want.
fn plan(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    row: i64,
    file: &PlacedFile,
    found: &PageFiles,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let reading = tx
        .prepare_cached("SELECT 1 FROM tasks WHERE crawl = ?1 AND target = ?2 AND kind IN (?3, ?4)")?
        .exists(params![crawl.id.0, file.id, TaskKind::ReadFile, TaskKind::RefreshFile])?;
    if reading {
        return Ok(());
    }
    if is_larger(tx, row, found.reading)? && crawl.scope != Scope::ForceReindex {
        return pass_over(tx, crawl, row, file.id, now);
    }
    if is_settled_without_text(tx, crawl, row, found.reading)? {
        return pass_by(tx, crawl, row);
    }
    // What another page of this crawl said of it may be less than what is known now.
    hints::reopen(tx, crawl, file.id)?;
    let Entry::First { .. } = enter(tx, crawl, row, found.item_limit, now)? else { return Ok(()) };
    if !is_due(tx, row, found)? && crawl.scope != Scope::ForceReindex {
        return look_again(tx, crawl, row);
    }
    queue(tx, crawl, file.id, &file.detail, &file.address, Validators::default())
}

fn queue(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    file: NotionId,
    detail: &PlaceDetail,
    address: &str,
    known: Validators,
) -> rusqlite::Result<()> {
    let task = FileTask {
        page: detail.page.id,
        place: detail.place,
        block: detail.block,
        address: address.to_owned(),
        name: detail.name.clone(),
        refreshed: 0,
        known,
    };
    let detail = Some(to_json(&task)?);
    add_task(tx, crawl.id, &NewTask { kind: TaskKind::ReadFile, target: Some(file), page: None, detail })
}

/// What a crawl does about a file whose bytes were read: a full one asks the host whether they are still the same, if it said how.
/// Hosts other than Notion's keep the address of what they replace.
fn look_again(tx: &Transaction<'_>, crawl: &Crawl, row: i64) -> rusqlite::Result<()> {
    let asked = tx
        .prepare_cached(
            "SELECT etag, last_modified, object, detail FROM files JOIN items ON items.id = files.item
               JOIN file_places ON file_places.file = files.item
             WHERE files.item = ?1 AND (etag IS NOT NULL OR last_modified IS NOT NULL)
             ORDER BY page, ordinal LIMIT 1",
        )?
        .query_row([row], |row| {
            let known = Validators { etag: row.get(0)?, last_modified: row.get(1)? };
            Ok((known, row.get::<_, NotionId>(2)?, detail(row, 3)?))
        })
        .optional()?;
    match asked {
        // The whole address is what names it there.
        Some((known, file, place)) if crawl.scope == Scope::Full => {
            queue(tx, crawl, file, &place, &place.identity, known)
        }
        _ => account_known(tx, crawl, row),
    }
}

/// Files whose bytes are to be read. What left the index is read again when it is wanted again; its size stays known.
const DUE: &str = "(bytes <= ?3 AND (state IS NULL OR extractor <> ?2 OR state = 'too_large'))";

fn is_due(tx: &Transaction<'_>, row: i64, found: &PageFiles) -> rusqlite::Result<bool> {
    tx.prepare_cached(&format!("SELECT {DUE} FROM files WHERE item = ?1"))?
        .query_row(params![row, found.reading.extractor, found.reading.max_bytes], |row| row.get(0))
}

/// The places of files in a page whose bytes are to be read: if the settings want one, the page is read again, because only a
/// fresh answer has an address that opens.
pub(super) fn load_due(
    tx: &Transaction<'_>,
    page: i64,
    reading: FileReading,
) -> rusqlite::Result<Vec<PlaceDetail>> {
    tx.prepare_cached(&format!(
        "SELECT detail FROM file_places JOIN files ON files.item = file_places.file WHERE page = ?1 AND {DUE}"
    ))?
    .query_map(params![page, reading.extractor, reading.max_bytes], |row| detail(row, 0))?
    .collect()
}

/// Whether a file was read, holds nothing that can be searched, and nobody is asked about it again: it takes no place from others.
fn is_settled_without_text(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    row: i64,
    reading: FileReading,
) -> rusqlite::Result<bool> {
    if crawl.scope == Scope::ForceReindex {
        return Ok(false);
    }
    tx.prepare_cached(&format!(
        "SELECT 1 FROM files JOIN items ON items.id = files.item
         WHERE files.item = ?1 AND state IS NOT NULL AND body IS NULL AND NOT {DUE}
           AND etag IS NULL AND last_modified IS NULL"
    ))?
    .exists(params![row, reading.extractor, reading.max_bytes])
}

/// Whether the settings of this connector allow no file of the size that is known.
fn is_larger(tx: &Transaction<'_>, row: i64, reading: FileReading) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM files WHERE item = ?1 AND bytes > ?2")?
        .exists(params![row, reading.max_bytes])
}

/// Skips a file that is larger than this connector's settings allow; what it held of it leaves.
fn pass_over(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    row: i64,
    id: NotionId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if held(tx, crawl, id)?.is_some() {
        let message = "the file is larger than the settings allow: it leaves";
        let alert = NewAlert::warning(AlertScope::Item, "files that are too large", message).about(Some(id));
        add_alert(tx, crawl.id, alert, now)?;
    }
    skip_and_let_go(tx, crawl, row, id)
}

fn skip_and_let_go(tx: &Transaction<'_>, crawl: &Crawl, row: i64, id: NotionId) -> rusqlite::Result<()> {
    add_departure(tx, crawl, id, Proof::Excluded)?;
    pass_by(tx, crawl, row)
}

/// Meets a file and skips it, without a place among the items that the connector may hold.
fn pass_by(tx: &Transaction<'_>, crawl: &Crawl, row: i64) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO sightings (crawl, item, fresh) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING",
    )?
    .execute(params![crawl.id.0, row])?;
    skip(tx, crawl, row)
}

/// Accounts for a file whose bytes are not read again. One that is rendered is compared when the queue is empty.
fn account_known(tx: &Transaction<'_>, crawl: &Crawl, row: i64) -> rusqlite::Result<()> {
    let (state, has_item): (Option<FileState>, bool) = tx
        .prepare_cached(
            "SELECT state, body IS NOT NULL FROM files JOIN items ON items.id = files.item WHERE item = ?1",
        )?
        .query_row([row], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match state {
        _ if has_item => Ok(()),
        // What failed by itself is tried again with its page.
        None => account(tx, crawl.id, row, Outcome::NotIndexed),
        Some(_) => skip(tx, crawl, row),
    }
}

fn skip(tx: &Transaction<'_>, crawl: &Crawl, row: i64) -> rusqlite::Result<()> {
    settle_without_text(tx, crawl, row, Outcome::Skipped)
}

/// Accounts for a file of which nothing new is indexed; one that is not searchable is not held.
fn settle_without_text(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    row: i64,
    outcome: Outcome,
) -> rusqlite::Result<()> {
    account(tx, crawl.id, row, outcome)?;
    tx.prepare_cached(
        "DELETE FROM holders WHERE item = ?1 AND connector = ?2
           AND (SELECT rendered IS NULL FROM items WHERE items.id = holders.item)",
    )?
    .execute(params![row, crawl.connector.0])
    .map(|_| ())
}

/// A file that the settings leave out is not discovered; what was indexed of it leaves.
fn leave_out(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    row: i64,
    id: NotionId,
    proof: Proof,
) -> rusqlite::Result<()> {
    let held = tx
        .prepare_cached("SELECT 1 FROM holders WHERE item = ?1 AND connector = ?2")?
        .exists(params![row, crawl.connector.0])?;
    if held { add_departure(tx, crawl, id, proof) } else { Ok(()) }
}

/// Writes down that files leave with their pages; the caller applies departures.
pub(super) fn leave_with_pages(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    only_excluded: bool,
) -> rusqlite::Result<()> {
    let leaving: Vec<(i64, Proof)> = tx
        .prepare_cached(LEAVE_WITH_PAGES)?
        .query_map(
            params![crawl.id.0, crawl.connector.0, only_excluded, Proof::Archived, Proof::Excluded],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    for (item, proof) in leaving {
        tx.prepare_cached(
            "INSERT INTO departures (crawl, item, proof) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![crawl.id.0, item, proof])?;
    }
    Ok(())
}

/// Whether the item is a file that stands in a page: what is known of its place stays when it leaves.
pub(super) fn is_placed(tx: &Transaction<'_>, item: i64) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM file_places WHERE file = ?1")?.exists([item])
}

/// The connectors that hold a file (?1) and no page that shows it. CROSS JOIN as in `links::REDELIVER`.
pub(super) const WITHOUT_PLACE: &str = "SELECT connector FROM holders WHERE item = ?1
     AND NOT EXISTS (SELECT 1 FROM file_places
       CROSS JOIN holders held ON held.item = file_places.page AND held.connector = holders.connector WHERE file = ?1)";

/// A file leaves the connector where none of its pages shows it.
fn leave_without_place(tx: &Transaction<'_>, crawl: &Crawl, file: i64) -> rusqlite::Result<()> {
    let leaves: Option<NotionId> = tx
        .prepare_cached(&format!("SELECT object FROM items WHERE id = ?1 AND ?2 IN ({WITHOUT_PLACE})"))?
        .query_row(params![file, crawl.connector.0], |row| row.get(0))
        .optional()?;
    leaves.map_or(Ok(()), |object| add_departure(tx, crawl, object, Proof::Removed))
}

/// Stays astray while somebody holds it who has no place of it.
fn describe_anew(tx: &Transaction<'_>, file: i64) -> rusqlite::Result<()> {
    describe(tx, file)?;
    tx.prepare_cached(
        "DELETE FROM items WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM file_places WHERE file = ?1)
           AND NOT EXISTS (SELECT 1 FROM holders WHERE item = ?1)",
    )?
    .execute([file])?;
    tx.prepare_cached(&format!(
        "UPDATE files SET astray = 0 WHERE item = ?1 AND NOT EXISTS ({WITHOUT_PLACE})"
    ))?
    .execute([file])
    .map(|_| ())
}

fn save_read(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    task: &Task,
    read: &FileRead,
    item: Option<(&FileContent, &Finished)>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Some(id) = task.target else { return Ok(()) };
    let Some(row) = sighted(tx, crawl, id)? else { return Ok(()) };
    if let Some(state) = read.state {
        // It is as large for all; another connector may allow that, and hold its text.
        tx.prepare_cached(
            "UPDATE files SET state = ?2, reason = ?3, bytes = ?4, extractor = ?5, etag = ?7, last_modified = ?8
             WHERE item = ?1
               AND NOT (?2 = 'too_large' AND EXISTS (
                 SELECT 1 FROM holders WHERE holders.item = ?1 AND holders.connector <> ?6))",
        )?
        .execute(params![
            row,
            state,
            read.reason,
            read.bytes,
            read.extractor,
            crawl.connector.0,
            read.validators.etag,
            read.validators.last_modified
        ])?;
    } else {
        // Then it is due, whatever was read before.
        tx.prepare_cached("UPDATE files SET state = NULL, reason = ?2 WHERE item = ?1")?
            .execute(params![row, read.reason])?;
    }
    if let Some((content, finished)) = item {
        tx.prepare_cached("UPDATE items SET body = ?2 WHERE id = ?1")?
            .execute(params![row, Packed(to_json(content)?)])?;
        if read.state.is_some_and(FileState::is_indexed) {
            return save_finished(tx, crawl, finished, None, now);
        }
        // Its old text stays, and says that it is old.
        super::items::save_rendered(tx, row, finished, true, now)?;
        outbox::push(tx, finished.item.key.as_str())?;
    }
    let reason = read.reason.as_deref().unwrap_or_default();
    let Some(state) = read.state else {
        super::tasks::record_failure(tx, crawl, Some(id), task.kind.as_str(), reason, now)?;
        return account(tx, crawl.id, row, Outcome::NotIndexed);
    };
    let (level, outcome) = match state {
        FileState::Broken | FileState::Limit => (AlertLevel::Error, Outcome::NotIndexed),
        FileState::Text
        | FileState::NoText
        | FileState::Encrypted
        | FileState::Unsupported
        | FileState::TooLarge => (AlertLevel::Warning, Outcome::Skipped),
    };
    let message = format!(
        "the file is not indexed: {reason}; it is looked at again when it is replaced, or by a force reindex"
    );
    let group = format!("{} {id}", task.kind);
    add_alert(tx, crawl.id, NewAlert::new(level, AlertScope::Item, &group, &message).about(Some(id)), now)?;
    super::alerts::remove_failure(tx, crawl.connector, id)?;
    if state == FileState::TooLarge {
        return skip_and_let_go(tx, crawl, row, id);
    }
    settle_without_text(tx, crawl, row, outcome)
}
