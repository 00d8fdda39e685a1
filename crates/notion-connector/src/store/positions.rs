//! Where items stand: the path from the top of the workspace, and what the rows in it say in columns that audience rules go by.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rusqlite::{OptionalExtension, Transaction, params};

use super::items::unreadable;
use super::links::redeliver;
use super::{Crawl, NewTask, Packed, Result, Store, Task, TaskKind, tasks};
use crate::model::{
    ConnectorId, Crumb, Item, ItemKey, ItemKind, NotionId, Position, Property, PropertyValue, on_one_line,
    option_mark, person_mark,
};

/// Deeper nesting than this is cut from paths, so that a cycle of parents ends.
const MAX_ANCESTORS: u32 = 64;

/// Longest mark that is kept: what Notion allows for names of columns and options is far shorter.
const MAX_MARK_BYTES: usize = 4_000;

/// From the item upwards. CROSS JOIN keeps the order of the tables; see `links::REDELIVER`.
pub(super) const PATH: &str = "WITH RECURSIVE up (id, depth) AS (
       SELECT ?1, 0
       UNION ALL SELECT above.id, depth + 1 FROM up CROSS JOIN items below ON below.id = up.id
         CROSS JOIN items above ON above.workspace = below.workspace AND above.object = below.home
         WHERE depth < ?2)
     SELECT items.id, object, kind, title, home, json_extract(parent, '$.type'),
       EXISTS (SELECT 1 FROM holders WHERE item = items.id)
     FROM up CROSS JOIN items ON items.id = up.id ORDER BY depth DESC";

/// One object of a path.
pub(super) struct Step {
    row: i64,
    id: NotionId,
    kind: ItemKind,
    title: String,
    home: Option<NotionId>,
    parent_type: String,
    is_held: bool,
}

impl Step {
    pub(super) fn crumb(&self) -> Crumb {
        Crumb { id: self.id, kind: self.kind, title: self.title.clone(), is_held: self.is_held }
    }
}

/// What rows were found to say, remembered while several items are looked at.
#[derive(Default)]
pub(super) struct Marks {
    by_row: BTreeMap<i64, Vec<String>>,
    rules: BTreeMap<NotionId, Vec<(i64, String)>>,
}

/// Where an item stands and who holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand {
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Its title now; may be empty.
    pub title: String,
    /// The connectors that hold it.
    pub holders: Vec<ConnectorId>,
    /// Where it stands.
    pub position: Position,
}

impl Store {
    /// Where the searchable items with that id stand: one for each workspace that has it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_stands(&self, object: NotionId) -> Result<Vec<Stand>> {
        self.read(|tx| {
            let rows: Vec<i64> = tx
                .prepare_cached(
                    "SELECT id FROM items WHERE object = ?1 AND rendered IS NOT NULL
                     AND workspace IN (SELECT DISTINCT workspace FROM connectors)",
                )?
                .query_map([object], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let marks = &mut Marks::default();
            let stands = rows.into_iter().map(|row| load_stand(tx, row, marks));
            Ok(stands.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
        })
    }

    /// Where those of these objects stand that are searchable items of the workspace of `key`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_stands_beside(&self, key: &ItemKey, objects: &[NotionId]) -> Result<Vec<Stand>> {
        self.read(|tx| {
            let mut find = tx.prepare_cached(
                "SELECT other.id FROM items CROSS JOIN items other ON other.workspace = items.workspace AND other.object = ?2
                 WHERE items.key = ?1 AND other.rendered IS NOT NULL",
            )?;
            let mut stands = Vec::new();
            let marks = &mut Marks::default();
            for object in objects {
                let row: Option<i64> =
                    find.query_row(params![key.as_str(), object], |row| row.get(0)).optional()?;
                if let Some(row) = row {
                    stands.extend(load_stand(tx, row, marks)?);
                }
            }
            Ok(stands)
        })
    }
}

fn load_stand(tx: &Transaction<'_>, row: i64, marks: &mut Marks) -> rusqlite::Result<Option<Stand>> {
    let path = load_path(tx, row)?;
    let Some(last) = path.last() else { return Ok(None) };
    Ok(Some(Stand {
        id: last.id,
        kind: last.kind,
        title: last.title.clone(),
        holders: load_holders(tx, row)?,
        position: position_of(tx, &path, marks)?,
    }))
}

/// The connectors that hold an item.
pub(super) fn load_holders(tx: &Transaction<'_>, row: i64) -> rusqlite::Result<Vec<ConnectorId>> {
    tx.prepare_cached("SELECT connector FROM holders WHERE item = ?1 ORDER BY connector")?
        .query_map([row], |columns| columns.get(0).map(ConnectorId))?
        .collect()
}

/// What an item lies in, outermost first, and itself as the last.
pub(super) fn load_path(tx: &Transaction<'_>, row: i64) -> rusqlite::Result<Vec<Step>> {
    tx.prepare_cached(PATH)?
        .query_map(params![row, MAX_ANCESTORS], |columns| {
            Ok(Step {
                row: columns.get(0)?,
                id: columns.get(1)?,
                kind: columns.get(2)?,
                title: columns.get(3)?,
                home: columns.get(4)?,
                parent_type: columns.get(5)?,
                is_held: columns.get(6)?,
            })
        })?
        .collect()
}

/// Where the last of a path stands.
pub(super) fn position_of(
    tx: &Transaction<'_>,
    path: &[Step],
    marks: &mut Marks,
) -> rusqlite::Result<Position> {
    let Some(top) = path.first() else { return Ok(Position::default()) };
    let is_cut = path.len() > MAX_ANCESTORS as usize;
    let is_known = !is_cut
        && match top.home {
            // The page that holds a block may not have been found yet.
            None => top.parent_type == "workspace",
            Some(_) => !is_unplaced(tx, top.row)?,
        };
    // What nobody can read may be named by a rule all the same.
    let above = top.home.filter(|_| !is_cut);
    let mut position = Position {
        path: above.into_iter().chain(path.iter().map(|step| step.id)).collect(),
        is_known,
        marks: Vec::new(),
    };
    for step in path {
        if let Some(home) = step.home {
            position.marks.extend(marks_of(tx, step.row, home, marks)?.iter().cloned());
        }
    }
    Ok(position)
}

fn is_unplaced(tx: &Transaction<'_>, row: i64) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM unplaced WHERE item = ?1")?.exists([row])
}

/// What a row says in the columns that rules of its data source go by.
fn marks_of<'a>(
    tx: &Transaction<'_>,
    row: i64,
    data_source: NotionId,
    marks: &'a mut Marks,
) -> rusqlite::Result<&'a [String]> {
    let rules = match marks.rules.entry(data_source) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(entry) => entry.insert(rules_by_column(tx, data_source)?),
    };
    if rules.is_empty() {
        return Ok(&[]);
    }
    if let Entry::Vacant(entry) = marks.by_row.entry(row) {
        let rendered: Option<Packed> = tx
            .prepare_cached("SELECT rendered FROM items WHERE id = ?1")?
            .query_row([row], |columns| columns.get(0))?;
        let item: Option<Item> = rendered
            .map(|Packed(text)| serde_json::from_str(&text).map_err(|error| unreadable(0, error)))
            .transpose()?;
        let properties = item.map(|item| item.properties).unwrap_or_default();
        entry.insert(properties.iter().flat_map(|property| said_in(property, rules)).collect());
    }
    Ok(marks.by_row.get(&row).map_or(&[], Vec::as_slice))
}

/// The rules that go by a column of a data source, with the column.
fn rules_by_column(tx: &Transaction<'_>, data_source: NotionId) -> rusqlite::Result<Vec<(i64, String)>> {
    tx.prepare_cached("SELECT id, property FROM audience_rules WHERE place = ?1 AND property IS NOT NULL")?
        .query_map([data_source], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The marks that rules make of a property.
fn said_in(property: &Property, rules: &[(i64, String)]) -> Vec<String> {
    let name = on_one_line(&property.name);
    let mut marks: Vec<String> = Vec::new();
    for (rule, _) in rules.iter().filter(|(_, column)| *column == name) {
        match &property.value {
            PropertyValue::Options(options) => {
                marks.extend(options.iter().map(|option| option_mark(*rule, option)));
            }
            PropertyValue::People(people) => {
                marks.extend(people.iter().map(|person| person_mark(*rule, person.id)));
            }
            _ => {}
        }
    }
    marks.retain(|mark| mark.len() <= MAX_MARK_BYTES);
    marks
}

/// Takes note that an item has another home: whether that is known, or is still to be found.
pub(super) fn note_place(tx: &Transaction<'_>, row: i64, home: Option<NotionId>) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM unplaced WHERE item = ?1")?.execute([row])?;
    let Some(home) = home else { return Ok(()) };
    tx.prepare_cached(
        "INSERT INTO unplaced (item) SELECT ?1 WHERE NOT EXISTS (
           SELECT 1 FROM items WHERE workspace = (SELECT workspace FROM items WHERE id = ?1) AND object = ?2)",
    )?
    .execute(params![row, home])
    .map(|_| ())
}

/// Notion does not know what unplaced items lie in, or the integration may not see it.
pub(super) fn note_absence(tx: &Transaction<'_>, crawl: &Crawl, home: NotionId) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE unplaced SET home_absent = ?1 WHERE item IN (
           SELECT id FROM items WHERE workspace = (SELECT workspace FROM connectors WHERE id = ?2) AND home = ?3)",
    )?
    .execute(params![crawl.id.0, crawl.connector.0, home])
    .map(|_| ())
}

/// Unplaced items that a connector (?1) holds, and whether their home is known by now. Files follow their pages. What has no home is
/// asked about otherwise; stores of old have some of that.
const UNPLACED: &str = "FROM unplaced CROSS JOIN items ON items.id = unplaced.item
     CROSS JOIN holders ON holders.item = items.id AND holders.connector = ?1
     WHERE items.kind <> 'file' AND items.home IS NOT NULL";

const HOME_IS_KNOWN: &str = "EXISTS (SELECT 1 FROM items above WHERE above.workspace = items.workspace AND above.object = items.home)";

impl Store {
    /// Asks for what unplaced items of the connector lie in, once a crawl. Returns how many requests that makes.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_homes(&self, crawl: &Crawl) -> Result<u64> {
        let homes: Vec<NotionId> = self.read(|tx| {
            tx.prepare_cached(&format!("SELECT DISTINCT items.home {UNPLACED} AND NOT {HOME_IS_KNOWN}"))?
                .query_map([crawl.connector.0], |row| row.get(0))?
                .collect()
        })?;
        if homes.is_empty() { Ok(0) } else { self.ask_for_given(crawl, homes) }
    }

    /// Finishes a task that asked for something that Notion says is not there, nothing held being concluded from it.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_absence(&self, crawl: &Crawl, task: &Task) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            let noted = task.target.map_or(Ok(()), |object| note_absence(tx, crawl, object));
            noted.map_err(|source| self.sqlite(source))
        })
    }

    /// Asks once more for each item in something that Notion said in this crawl not to be there: both may have gone since the item
    /// was listed. Returns how many requests that makes.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_homeless(&self, crawl: &Crawl) -> Result<u64> {
        let ours = params![crawl.connector.0, crawl.id.0];
        let homeless: Vec<(i64, NotionId)> = self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT items.id, items.object {UNPLACED} AND home_absent = ?2 AND asked_again IS NOT ?2"
            ))?
            .query_map(ours, |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })?;
        if homeless.is_empty() {
            return Ok(0);
        }
        self.write(|tx| {
            for (row, object) in &homeless {
                tx.prepare_cached("UPDATE unplaced SET asked_again = ?2 WHERE item = ?1")?
                    .execute(params![row, crawl.id.0])?;
                tasks::add(tx, crawl.id, &NewTask::on(TaskKind::Verify, *object))?;
            }
            Ok(homeless.len() as u64)
        })
    }

    /// Takes those items for placed whose home is known by now, and those that are there while their home is not: they stand in what
    /// nobody can read.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn settle_places(&self, crawl: &Crawl) -> Result<()> {
        let settled: Vec<(i64, bool)> = self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT items.id, {HOME_IS_KNOWN} AS is_known {UNPLACED} AND (is_known
                   OR (home_absent = ?2 AND asked_again = ?2
                     AND NOT EXISTS (SELECT 1 FROM failures WHERE failures.connector = ?1 AND failures.object = items.object)
                     AND NOT EXISTS (SELECT 1 FROM departures WHERE departures.crawl = ?2 AND departures.item = items.id)))"
            ))?
            .query_map(params![crawl.connector.0, crawl.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })?;
        if settled.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            for (row, home_is_known) in &settled {
                tx.prepare_cached("DELETE FROM unplaced WHERE item = ?1")?.execute([row])?;
                if !home_is_known {
                    redeliver(tx, *row)?;
                }
            }
            Ok(())
        })
    }
}
