//! What survives: SQLite in WAL mode, one file.
//!
//! Invariants:
//! - One write connection behind a mutex, a few read connections; every change is one transaction.
//! - The queue is the checkpoint: a task row and what its answer changed are written together.
//! - `PRAGMA user_version` is the schema's version; [`MIGRATIONS`] only ever grows.
//! - A commit survives a crash of the process at once, and a loss of power from the next [`Store::sync`] on; the pump
//!   hands nothing to a sink that is not synced.
//!
//! It knows nothing of Notion's wire format and never talks to the network.
//!
//! To add a table: append a migration, add a file here with the functions that read and write it.

mod access;
mod accounts;
mod admission;
mod alerts;
mod audiences;
mod audit;
mod backup;
mod column;
mod connectors;
mod crawls;
mod departures;
mod differences;
mod directory;
mod external_users;
mod file_places;
mod files;
mod grants;
mod hints;
mod history;
mod identities;
mod items;
mod keys;
mod links;
mod outbox;
mod parts;
mod people;
mod plans;
mod positions;
mod sameness;
mod schedules;
mod scim;
mod scopes;
mod sealed;
mod sessions;
mod signals;
mod tasks;
#[cfg(test)]
mod tests;
mod traces;
mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub use access::{Granted, MappedAs};
pub use accounts::{Account, AccountPage, DeletedAccount, SavedPassword};
pub use admission::{Admission, LeftOut, Place, Standing};
pub use alerts::{Alert, AlertFilter, AlertLevel, AlertPage, AlertScope, Failure, NewAlert, UnknownKind};
pub use audiences::{AudienceGrant, AudienceRule, GrantedTo, NewAudienceRule};
pub use audit::{AuditCheck, AuditEntry, AuditLink, AuditRow, AuditStage};
pub use connectors::{Connector, NewConnector, SettingsEffect};
pub use crawls::{Counters, Crawl, CrawlId, CrawlState, Phase, Scope};
pub use departures::Proof;
pub use differences::{Difference, Differing};
pub use directory::{
    DirectoryFilter, DirectoryPage, DirectoryPerson, DirectorySource, Intake, IntakeCounts, Keep,
};
pub use external_users::{
    ExternalUser, Found, Lookup, MetUser, UnmappedReason, UserCounters, UserCounts, UserFilter, UserOrder,
    UserPage, UserState, UserVerdict,
};
pub use file_places::{FilePage, FileTrace, PlacedTrace};
pub use files::{FileRead, FileReading, FileState, FileTask, PageFiles, PlaceDetail, PlacedFile, UnmetFile};
pub use grants::{Grantee, RoleChange, RoleGrant, Standing as PersonStanding};
pub use history::CrawlDay;
pub use identities::{Acquaintance, Introduction, News, Recognised};
pub use items::{Discovery, Finished, ItemRow, Listed, PageRead, ReadPlan, Stored};
pub use keys::{Key, NewKey};
pub use outbox::OutboxEntry;
pub use parts::{AnswerForm, PageSource, Part, PartAnswer, PartKey};
pub use plans::{Inventory, PlannedKind};
pub use positions::Stand;
pub use schedules::Schedule;
pub use scim::{PutRefusal, ScimGroup, ScimKey, ScimPerson};
pub use scopes::{Known, KnownFailure, StartPoint};
pub use sealed::Sealed;
pub use sessions::{OneTimeLink, Session};
pub use tasks::{GIVEN, NewTask, Task, TaskId, TaskKind};
pub use traces::{Departure, Holding, Trace, Waiting};
pub use webhooks::{Asked, Webhook, WebhookCounts};

use column::{Millis, Packed, named_enum};

/// The schema, step by step. A released step is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_the_line.sql"),
    include_str!("migrations/0002_parts.sql"),
    include_str!("migrations/0003_connector_settings.sql"),
    include_str!("migrations/0004_schedules.sql"),
    include_str!("migrations/0005_traces.sql"),
    include_str!("migrations/0006_scopes.sql"),
    include_str!("migrations/0007_start_points.sql"),
    include_str!("migrations/0008_left_out.sql"),
    include_str!("migrations/0009_history.sql"),
    include_str!("migrations/0010_renderer.sql"),
    include_str!("migrations/0011_notion_time.sql"),
    include_str!("migrations/0012_sightings_gone.sql"),
    include_str!("migrations/0013_scale.sql"),
    include_str!("migrations/0014_plans.sql"),
    include_str!("migrations/0015_schedule_start_points.sql"),
    include_str!("migrations/0016_gap.sql"),
    include_str!("migrations/0017_alert_scopes.sql"),
    include_str!("migrations/0018_webhooks.sql"),
    include_str!("migrations/0019_files.sql"),
    include_str!("migrations/0020_directory.sql"),
    include_str!("migrations/0021_audit.sql"),
    include_str!("migrations/0022_files_astray.sql"),
    include_str!("migrations/0023_external_users.sql"),
    include_str!("migrations/0024_validators.sql"),
    include_str!("migrations/0025_keys.sql"),
    include_str!("migrations/0026_accounts.sql"),
    include_str!("migrations/0027_audiences.sql"),
    include_str!("migrations/0028_scim.sql"),
    include_str!("migrations/0029_whoever_left.sql"),
    include_str!("migrations/0030_places.sql"),
    include_str!("migrations/0031_key_acts.sql"),
];

/// Read connections kept open: the web server's handlers, the pump and the progress display.
const READERS_KEPT: usize = 4;

/// Page cache of the write connection, for the hot indexes; the rest is the operating system's cache.
const WRITER_CACHE_KIB: i64 = 16_384;

/// Page cache of each read connection.
const READER_CACHE_KIB: i64 = 2_048;

/// The log shrinks to this once what it holds is in the database: a long reader can make it grow to gigabytes.
const LOG_KEPT_BYTES: i64 = 64 << 20;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the database {path} could not be used: {source}{hint}", hint = hint(.source))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "the database {path} has schema version {found}, this program knows up to {known}: use the newer program, or restore a backup"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The newest version known here.
        known: usize,
    },
    /// A row that this program cannot read back.
    #[error(
        "the database {path} holds something unreadable: {what}; restore a backup, or crawl into a new data directory"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What could not be read.
        what: String,
    },
    /// A file that is not what `backup` wrote.
    #[error("{path} is no whole backup of this program: {what}; take another one")]
    NoBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A copy could not be read, written or named.
    #[error("{path} could not be {what}: {source}{hint}", hint = hint_of_copy(.source))]
    Copy {
        /// What was tried: *written* or *copied*.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A task was finished twice, or by somebody who did not hold it. Nothing was written.
    #[error("task {0} is not claimed at the cursor it was run from; its result was dropped")]
    StaleTask(i64),
    /// A crawl that was deleted while it ran.
    #[error("there is no crawl {0}; its connector may have been deleted")]
    NoCrawl(i64),
}

fn hint_of_copy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => "; a file that exists is never replaced",
        std::io::ErrorKind::NotFound => "; check the path",
        _ => "",
    }
}

fn hint(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => {
            "; the disk is full: make room and run the same command again, nothing is lost"
        }
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            "; the file is damaged: restore a backup, or crawl into a new data directory"
        }
        Some(
            rusqlite::ErrorCode::ReadOnly
            | rusqlite::ErrorCode::CannotOpen
            | rusqlite::ErrorCode::PermissionDenied,
        ) => "; check that the data directory exists and may be written",
        Some(rusqlite::ErrorCode::SystemIoFailure) => {
            "; the disk may be full, over its quota, or failing: mend that and run the same command again, nothing is lost"
        }
        _ => "",
    }
}

impl StoreError {
    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Sqlite { source, .. } if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull))
    }
}

/// The result of a store function.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The database of one data directory.
pub struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// Changes that are still taken; see [`Store::refuse_after`].
    changes_left: AtomicU64,
    signals: signals::Signals,
}

impl Store {
    /// Opens the database below `data_dir`, making or migrating it.
    ///
    /// # Errors
    /// When the file cannot be opened, is damaged, or belongs to a newer version.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("store.sqlite");
        let connection = connect(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            WRITER_CACHE_KIB,
        )
        .map_err(|source| StoreError::Sqlite { path: path.clone(), source })?;
        let store = Self {
            path,
            writer: Mutex::new(connection),
            readers: Mutex::default(),
            changes_left: AtomicU64::new(u64::MAX),
            signals: Default::default(),
        };
        store.migrate()?;
        Ok(store)
    }

    fn migrate(&self) -> Result<()> {
        let mut writer = self.lock_writer();
        let found: usize = writer
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(|source| self.sqlite(source))?;
        if found > MIGRATIONS.len() {
            return Err(StoreError::Newer { path: self.path.clone(), found, known: MIGRATIONS.len() });
        }
        for (index, step) in MIGRATIONS.iter().enumerate().skip(found) {
            let apply = |writer: &mut Connection| {
                let tx = writer.transaction_with_behavior(TransactionBehavior::Exclusive)?;
                tx.execute_batch(step)?;
                if index == 0 {
                    outbox::new_epoch(&tx)?;
                }
                tx.pragma_update(None, "user_version", index + 1)?;
                tx.commit()
            };
            apply(&mut writer).map_err(|source| self.sqlite(source))?;
        }
        Ok(())
    }

    /// Lets every change after the next so many be refused, as if the process had died between two of them: simulations of
    /// crashes, which come to each transaction in turn.
    pub fn refuse_after(&self, changes: u64) {
        self.changes_left.store(changes, Ordering::Relaxed);
    }

    /// How many changes are still taken.
    pub fn changes_left(&self) -> u64 {
        self.changes_left.load(Ordering::Relaxed)
    }

    fn admit_change(&self) -> Result<()> {
        let one_less = |left: u64| left.checked_sub(1);
        match self.changes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
            Ok(_) => Ok(()),
            Err(_) => {
                let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR);
                let why = "no more changes are taken, as was asked for".to_owned();
                Err(self.sqlite(rusqlite::Error::SqliteFailure(code, Some(why))))
            }
        }
    }

    /// Makes every commit so far survive a loss of power.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> Result<()> {
        // In WAL mode with synchronous=NORMAL a commit is not flushed; one commit under FULL flushes the log up to itself
        // (sqlite.org/pragma.html#pragma_synchronous).
        self.admit_change()?;
        let writer = self.lock_writer();
        let flush = || {
            writer.pragma_update(None, "synchronous", "FULL")?;
            let flushed = writer.execute("UPDATE meta SET value = value + 1 WHERE name = 'syncs'", []);
            writer.pragma_update(None, "synchronous", "NORMAL")?;
            flushed
        };
        flush().map(|_| ()).map_err(|source| self.sqlite(source))
    }

    /// One write transaction.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        self.try_write(|tx| work(tx).map_err(|source| self.sqlite(source)))
    }

    /// One write transaction whose work may refuse for reasons of its own; then nothing is written.
    fn try_write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.admit_change()?;
        let mut writer = self.lock_writer();
        let tx = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|source| self.sqlite(source))?;
        let value = work(&tx)?;
        tx.commit().map_err(|source| self.sqlite(source))?;
        Ok(value)
    }

    /// One consistent read, beside any writer.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let run = |kept: Option<Connection>| {
            let mut connection = match kept {
                Some(connection) => connection,
                None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE, READER_CACHE_KIB)?,
            };
            let value = {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
                work(&tx)?
            };
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < READERS_KEPT {
                readers.push(connection);
            }
            Ok(value)
        };
        run(kept).map_err(|source| self.sqlite(source))
    }

    fn lock_writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sqlite(&self, source: rusqlite::Error) -> StoreError {
        match source {
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
                StoreError::Corrupt { path: self.path.clone(), what: source.to_string() }
            }
            source => StoreError::Sqlite { path: self.path.clone(), source },
        }
    }
}

fn connect(path: &Path, flags: OpenFlags, cache_kibibytes: i64) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Another process may hold the write lock for a moment (`crawls cancel` beside a running crawl).
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cache_size", -cache_kibibytes)?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)?;
    // Else every statement with a bound LIMIT, or one column bound beside a partial index, is planned anew each time it runs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}
