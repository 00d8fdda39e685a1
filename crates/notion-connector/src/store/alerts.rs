//! What an administrator is told of a crawl: its alerts, and what failed and was not repaired since.

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CrawlId, Millis, Result, Store, named_enum};
use crate::model::{ConnectorId, NotionId};

named_enum! {
    /// How much an alert matters, by who must act.
    pub enum AlertLevel {
        /// Nobody; for the developer.
        Debug = "debug",
        /// Nobody; for the record.
        Info = "info",
        /// The administrator, when convenient: something is missing or cut.
        Warning = "warning",
        /// The administrator: an item or the crawl failed.
        Error = "error",
    }
}

named_enum! {
    /// What an alert is about.
    pub enum AlertScope {
        /// One item.
        Item = "item",
        /// Several items.
        Items = "items",
        /// All items of the connector.
        AllItems = "all_items",
        /// The crawl itself.
        Crawl = "crawl",
    }
}

/// An event of a crawl; several of one kind are one alert with a count.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Alert {
    /// How much it matters.
    #[schema(value_type = String, example = "warning")]
    pub level: AlertLevel,
    /// What it is about: one item, several, all items, or the crawl.
    #[schema(value_type = String, example = "item")]
    pub scope: AlertScope,
    /// The first object it happened to.
    pub object: Option<NotionId>,
    /// Its title, where it is known.
    pub title: Option<String>,
    /// What happened and what to do.
    pub message: String,
    /// How often.
    pub times: u64,
    /// When first.
    pub first: Timestamp,
}

/// What is to be recorded of an event.
#[derive(Debug, Clone, Copy)]
pub struct NewAlert<'a> {
    level: AlertLevel,
    scope: AlertScope,
    group: &'a str,
    object: Option<NotionId>,
    message: &'a str,
}

impl<'a> NewAlert<'a> {
    /// An event; those of a crawl with the same `group` are one alert. `message` says what happened and what to do.
    pub const fn new(level: AlertLevel, scope: AlertScope, group: &'a str, message: &'a str) -> Self {
        Self { level, scope, group, object: None, message }
    }

    /// Something failed.
    pub const fn error(scope: AlertScope, group: &'a str, message: &'a str) -> Self {
        Self::new(AlertLevel::Error, scope, group, message)
    }

    /// Something is missing or cut.
    pub const fn warning(scope: AlertScope, group: &'a str, message: &'a str) -> Self {
        Self::new(AlertLevel::Warning, scope, group, message)
    }

    /// The object it happened to. An alert about one item is about several once it happened to another.
    pub const fn about(mut self, object: Option<NotionId>) -> Self {
        self.object = object;
        self
    }
}

/// Which alerts to show; all, where a list is empty.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Only these levels.
    pub levels: Vec<AlertLevel>,
    /// Only these scopes.
    pub scopes: Vec<AlertScope>,
}

/// Some of the alerts of a crawl.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertPage {
    /// How many there are.
    pub total: u64,
    /// The gravest first.
    pub alerts: Vec<Alert>,
}

/// An item, or something that could not become one, that failed and was not repaired since.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Failure {
    /// Name of the connector.
    pub connector: String,
    /// Notion's id.
    pub object: NotionId,
    /// Which kind of request failed.
    pub task: String,
    /// Title, when known.
    pub title: Option<String>,
    /// What happened and what to do.
    pub message: String,
    /// The crawl it last failed in.
    #[schema(value_type = i64)]
    pub crawl: CrawlId,
    /// When it first failed.
    pub first: Timestamp,
    /// When it last failed.
    pub last: Timestamp,
    /// In how many crawls in a row.
    pub times: u64,
}

/// A kind of thing in items that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnknownKind {
    /// What it is: block, property, mention, parent, user or file.
    pub what: String,
    /// Notion's name of the kind.
    pub kind: String,
    /// In how many items it occurs.
    pub items: u64,
    /// One of them.
    pub example: NotionId,
}

impl Store {
    /// What this version does not know in the items of a connector, the most frequent first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_unknown_kinds(&self, connector: ConnectorId) -> Result<Vec<UnknownKind>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT what, unknown_kinds.kind, count(*), min(object) FROM unknown_kinds
                 JOIN items ON items.id = unknown_kinds.item
                 WHERE EXISTS (SELECT 1 FROM holders WHERE holders.item = items.id AND connector = ?1)
                 GROUP BY what, unknown_kinds.kind ORDER BY count(*) DESC, what, unknown_kinds.kind",
            )?
            .query_map([connector.0], |row| {
                Ok(UnknownKind {
                    what: row.get(0)?,
                    kind: row.get(1)?,
                    items: row.get(2)?,
                    example: row.get(3)?,
                })
            })?
            .collect()
        })
    }

    /// Records an event of a crawl.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_alert(&self, crawl: CrawlId, alert: NewAlert<'_>, now: Timestamp) -> Result<()> {
        self.write(|tx| add(tx, crawl, alert, now))
    }

    /// The alerts of a crawl that a filter shows, gravest first: at most `limit`, after the first `offset`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_alerts(
        &self,
        crawl: CrawlId,
        filter: &AlertFilter,
        limit: u32,
        offset: u32,
    ) -> Result<AlertPage> {
        const SHOWN: &str = "crawl = ?1 AND (?2 = '' OR instr(?2, ',' || level || ',')) AND (?3 = '' OR instr(?3, ',' || scope || ','))";
        let levels = listed(filter.levels.iter().map(|level| level.as_str()));
        let scopes = listed(filter.scopes.iter().map(|scope| scope.as_str()));
        self.read(|tx| {
            let total = tx
                .prepare_cached(&format!("SELECT count(*) FROM alerts WHERE {SHOWN}"))?
                .query_row(params![crawl.0, levels, scopes], |row| row.get(0))?;
            let alerts = tx
                .prepare_cached(&format!(
                    "SELECT level, scope, object, message, times, first,
                       (SELECT title FROM items JOIN connectors USING (workspace) JOIN crawls ON crawls.connector = connectors.id
                        WHERE crawls.id = ?1 AND items.object = alerts.object LIMIT 1)
                     FROM alerts WHERE {SHOWN}
                     ORDER BY CASE level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 WHEN 'info' THEN 2 ELSE 3 END, id
                     LIMIT ?4 OFFSET ?5"
                ))?
                .query_map(params![crawl.0, levels, scopes, limit, offset], |row| {
                    Ok(Alert {
                        level: row.get(0)?,
                        scope: row.get(1)?,
                        object: row.get(2)?,
                        message: row.get(3)?,
                        times: row.get(4)?,
                        first: row.get::<_, Millis>(5)?.0,
                        title: row.get(6)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(AlertPage { total, alerts })
        })
    }

    /// How many failures were not repaired.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_failures(&self) -> Result<u64> {
        self.read(|tx| tx.query_row("SELECT count(*) FROM failures", [], |row| row.get(0)))
    }

    /// All failures that were not repaired, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_failures(&self) -> Result<Vec<Failure>> {
        self.read(|tx| load_failures(tx, None))
    }
}

/// Failures that were not repaired, newest first: all, or those of one object.
pub(super) fn load_failures(
    tx: &Transaction<'_>,
    object: Option<NotionId>,
) -> rusqlite::Result<Vec<Failure>> {
    tx.prepare_cached(
        "SELECT connectors.name, object, task, title, message, crawl, first, last, times
         FROM failures JOIN connectors ON connectors.id = failures.connector
         WHERE ?1 IS NULL OR object = ?1 ORDER BY last DESC, object",
    )?
    .query_map([object], |row| {
        Ok(Failure {
            connector: row.get(0)?,
            object: row.get(1)?,
            task: row.get(2)?,
            title: row.get(3)?,
            message: row.get(4)?,
            crawl: CrawlId(row.get(5)?),
            first: row.get::<_, Millis>(6)?.0,
            last: row.get::<_, Millis>(7)?.0,
            times: row.get(8)?,
        })
    })?
    .collect()
}

/// Names between commas, to be found in by name and two commas; nothing where there are none.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { String::new() } else { format!(",{},", names.join(",")) }
}

pub(super) fn add(
    tx: &Transaction<'_>,
    crawl: CrawlId,
    alert: NewAlert<'_>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let NewAlert { level, scope, group, object, message } = alert;
    tx.prepare_cached(
        "INSERT INTO alerts (crawl, level, scope, grouped, object, message, first) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (crawl, grouped) DO UPDATE SET times = times + 1,
           scope = iif(scope = ?8 AND object IS NOT excluded.object, ?9, scope)",
    )?
    .execute(params![
        crawl.0,
        level,
        scope,
        group,
        object,
        message,
        Millis(now),
        AlertScope::Item,
        AlertScope::Items
    ])?;
    match level {
        AlertLevel::Error => tx.execute("UPDATE crawls SET errors = errors + 1 WHERE id = ?1", [crawl.0])?,
        AlertLevel::Warning => {
            tx.execute("UPDATE crawls SET warnings = warnings + 1 WHERE id = ?1", [crawl.0])?
        }
        AlertLevel::Info | AlertLevel::Debug => 0,
    };
    Ok(())
}

/// Sets how often an alert was given that is counted in one go. Neither an error nor a warning.
pub(super) fn set_times(
    tx: &Transaction<'_>,
    crawl: CrawlId,
    alert: NewAlert<'_>,
    times: u64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let NewAlert { level, scope, group, object, message } = alert;
    tx.prepare_cached(
        "INSERT INTO alerts (crawl, level, scope, grouped, object, message, first, times)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (crawl, grouped) DO UPDATE SET times = excluded.times, scope = excluded.scope",
    )?
    .execute(params![crawl.0, level, scope, group, object, message, Millis(now), times])
    .map(|_| ())
}

/// Records that an object failed in a crawl.
pub(super) fn add_failure(
    tx: &Transaction<'_>,
    crawl: &super::Crawl,
    object: NotionId,
    task: &str,
    message: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO failures (connector, object, task, title, message, crawl, first, last)
         VALUES (?1, ?2, ?3, (SELECT items.title FROM items JOIN connectors USING (workspace) WHERE connectors.id = ?1 AND items.object = ?2), ?4, ?5, ?6, ?6)
         ON CONFLICT (connector, object) DO UPDATE SET task = excluded.task, title = excluded.title,
           message = excluded.message, times = times + (crawl <> excluded.crawl), crawl = excluded.crawl, last = excluded.last",
    )?
    .execute(params![crawl.connector.0, object, task, message, crawl.id.0, Millis(now)])
    .map(|_| ())
}

/// Forgets the failure of an object that was read after all.
pub(super) fn remove_failure(
    tx: &Transaction<'_>,
    connector: ConnectorId,
    object: NotionId,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM failures WHERE connector = ?1 AND object = ?2")?
        .execute(params![connector.0, object])
        .map(|_| ())
}
