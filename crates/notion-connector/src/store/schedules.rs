//! Schedules: what is to be crawled when. A run is one transaction: the crawl, and the time of the next run.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{CrawlId, CrawlState, Millis, Result, Scope, Store, crawls};
use crate::model::{ConnectorId, NotionId, Recurrence};

/// What is to be crawled when.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Row id.
    pub id: i64,
    /// Unique, whatever the case.
    pub name: String,
    /// Whose crawl.
    pub connector: ConnectorId,
    /// What it covers.
    pub scope: Scope,
    /// The page or database below which it crawls, where that is partial.
    pub start_point: Option<NotionId>,
    /// When it runs, on the clocks of `zone`.
    pub recurrence: Recurrence,
    /// IANA name of the time zone.
    pub zone: String,
    /// Whether it does not run for now.
    pub paused: bool,
    /// When its rule was last set.
    pub anchor: Timestamp,
    /// When it runs next; none when it will not.
    pub next: Option<Timestamp>,
    /// When it last started a crawl.
    pub last: Option<Timestamp>,
}

const COLUMNS: &str = "id, name, connector, scope, recurrence, zone, paused, anchor, next, last, start_point";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Schedule> {
    let rule: String = row.get(4)?;
    let recurrence = rule.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(Schedule {
        id: row.get(0)?,
        name: row.get(1)?,
        connector: ConnectorId(row.get(2)?),
        scope: row.get(3)?,
        recurrence,
        zone: row.get(5)?,
        paused: row.get(6)?,
        anchor: row.get::<_, Millis>(7)?.0,
        next: row.get::<_, Option<Millis>>(8)?.map(|time| time.0),
        last: row.get::<_, Option<Millis>>(9)?.map(|time| time.0),
        start_point: row.get(10)?,
    })
}

impl Store {
    /// Adds a schedule, whatever its id says; false if the name is taken.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_schedule(&self, new: &Schedule) -> Result<bool> {
        self.write(|tx| {
            let added = tx.execute(
                "INSERT INTO schedules (name, connector, scope, recurrence, zone, paused, anchor, next, start_point)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (name) DO NOTHING",
                params![
                    new.name,
                    new.connector.0,
                    new.scope,
                    new.recurrence.to_string(),
                    new.zone,
                    new.paused,
                    Millis(new.anchor),
                    new.next.map(Millis),
                    new.start_point
                ],
            )?;
            Ok(added == 1)
        })
    }

    /// Saves everything of a schedule but when it last ran; false if another one has the name.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_schedule(&self, schedule: &Schedule) -> Result<bool> {
        self.write(|tx| {
            let saved = tx.execute(
                "UPDATE OR IGNORE schedules SET name = ?2, connector = ?3, scope = ?4, recurrence = ?5, zone = ?6,
                   paused = ?7, anchor = ?8, next = ?9, start_point = ?10 WHERE id = ?1",
                params![
                    schedule.id,
                    schedule.name,
                    schedule.connector.0,
                    schedule.scope,
                    schedule.recurrence.to_string(),
                    schedule.zone,
                    schedule.paused,
                    Millis(schedule.anchor),
                    schedule.next.map(Millis),
                    schedule.start_point
                ],
            )?;
            Ok(saved == 1)
        })
    }

    /// Deletes a schedule. Crawls that it started stay.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_schedule(&self, id: i64) -> Result<()> {
        self.write(|tx| tx.execute("DELETE FROM schedules WHERE id = ?1", [id]).map(|_| ()))
    }

    /// All schedules, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_schedules(&self) -> Result<Vec<Schedule>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM schedules ORDER BY name"))?
                .query_map([], from_row)?
                .collect()
        })
    }

    /// The schedule of that name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_schedule(&self, name: &str) -> Result<Option<Schedule>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM schedules WHERE name = ?1"))?
                .query_row([name], from_row)
                .optional()
        })
    }

    /// A run of a schedule, once: its crawl is queued (one of that connector and scope that still waits is the run), and
    /// `next` is when it runs again. Returns false, and writes nothing, if the schedule was changed meanwhile.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn run_schedule(
        &self,
        schedule: &Schedule,
        next: Option<Timestamp>,
        started_by: &str,
        now: Timestamp,
    ) -> Result<bool> {
        self.write(|tx| {
            let due = tx.execute(
                "UPDATE schedules SET next = ?3, last = ?4 WHERE id = ?1 AND next = ?2 AND NOT paused",
                params![schedule.id, schedule.next.map(Millis), next.map(Millis), Millis(now)],
            )?;
            if due == 0 {
                return Ok(false);
            }
            let waiting: Option<i64> = tx
                .prepare_cached(
                    "SELECT id FROM crawls WHERE connector = ?1 AND scope = ?2 AND state = ?3 AND start_point IS ?4 AND NOT plan_only
                     ORDER BY id LIMIT 1",
                )?
                .query_row(
                    params![schedule.connector.0, schedule.scope, CrawlState::Queued, schedule.start_point],
                    |row| row.get(0),
                )
                .optional()?;
            let crawl = match waiting {
                Some(waiting) => CrawlId(waiting),
                None => crawls::add(tx, schedule.connector, schedule.scope, schedule.start_point, started_by, now)?,
            };
            tx.execute("UPDATE crawls SET schedule = ?2 WHERE id = ?1", params![crawl.0, schedule.name])?;
            Ok(true)
        })
    }
}
