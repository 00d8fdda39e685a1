//! Endpoints that Notion sends events to, and the events that came. An event is written down before it is answered.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::{Millis, Result, Store, TaskKind};
use crate::model::{ConnectorId, NotionId};

/// Notion tries an event again for about a day (developers.notion.com "webhooks-events-delivery"): so long, and another day,
/// a repetition is known as one.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

/// Events that are remembered at most, the youngest; a repetition of an older one costs a request and does no harm.
const MAX_REMEMBERED: u64 = 200_000;

/// The shortest time between two readings of one object: many events about it cost few requests.
const AGAIN_AFTER_MS: i64 = 1_000;

/// A connector's endpoint.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Whose.
    pub connector: ConnectorId,
    /// The unguessable part of its address.
    pub path: String,
    /// Until when a verification token is accepted, and shown.
    pub window_ends: Option<Timestamp>,
    /// The verification token, sealed.
    pub sealed_token: Option<Vec<u8>>,
    /// When that came.
    pub received: Option<Timestamp>,
    /// When the last event came.
    pub last_event: Option<Timestamp>,
    /// What came so far.
    pub counts: WebhookCounts,
}

/// What came to an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhookCounts {
    /// Events that asked for something to be read.
    pub accepted: u64,
    /// Events that had come before.
    pub repeated: u64,
    /// Events that change nothing that is indexed.
    pub ignored: u64,
    /// Events of types that this version does not know.
    pub unknown: u64,
    /// Requests with a wrong signature, or of another workspace.
    pub refused: u64,
}

/// What an event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To read an object afresh.
    Read {
        /// The object.
        object: NotionId,
        /// How it is asked for.
        kind: TaskKind,
        /// Whether its content is to be read whatever its stamp says.
        anyway: bool,
    },
    /// Nothing.
    Nothing,
    /// Nobody knows: this version does not know the type.
    Unknown,
}

const COLUMNS: &str = "connector, path, window_ends, token, received, last_event, accepted, repeated, ignored, unknown, refused";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<Millis>>(column)?.map(|time| time.0));
    Ok(Webhook {
        connector: ConnectorId(row.get(0)?),
        path: row.get(1)?,
        window_ends: time(2)?,
        sealed_token: row.get(3)?,
        received: time(4)?,
        last_event: time(5)?,
        counts: WebhookCounts {
            accepted: row.get(6)?,
            repeated: row.get(7)?,
            ignored: row.get(8)?,
            unknown: row.get(9)?,
            refused: row.get(10)?,
        },
    })
}

impl Store {
    /// Lets a verification token in until `window_ends`, at the address that the endpoint has, or else at `path`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn open_webhook(&self, connector: ConnectorId, path: &str, window_ends: Timestamp) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO webhooks (connector, path, window_ends) VALUES (?1, ?2, ?3)
                 ON CONFLICT (connector) DO UPDATE SET window_ends = excluded.window_ends",
                params![connector.0, path, Millis(window_ends)],
            )
            .map(|_| ())
        })
    }

    /// Lets no verification token in any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn close_webhook(&self, connector: ConnectorId) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE webhooks SET window_ends = NULL WHERE connector = ?1", [connector.0])
                .map(|_| ())
        })
    }

    /// Forgets an endpoint: its address, its token and what came there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_webhook(&self, connector: ConnectorId) -> Result<()> {
        self.write(|tx| {
            for table in ["webhooks", "webhook_events", "hints"] {
                tx.execute(&format!("DELETE FROM {table} WHERE connector = ?1"), [connector.0])?;
            }
            Ok(())
        })
    }

    /// The endpoint of a connector.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_webhook(&self, connector: ConnectorId) -> Result<Option<Webhook>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM webhooks WHERE connector = ?1"))?
                .query_row([connector.0], from_row)
                .optional()
        })
    }

    /// The endpoint at an address.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_webhook_at(&self, path: &str) -> Result<Option<Webhook>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM webhooks WHERE path = ?1"))?
                .query_row([path], from_row)
                .optional()
        })
    }

    /// Keeps a verification token, if one is let in now; else false.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_verification(&self, connector: ConnectorId, sealed: &[u8], now: Timestamp) -> Result<bool> {
        let saved = self.write(|tx| {
            tx.execute(
                "UPDATE webhooks SET token = ?2, received = ?3 WHERE connector = ?1 AND window_ends > ?3",
                params![connector.0, sealed, Millis(now)],
            )
        })?;
        self.sync()?;
        Ok(saved == 1)
    }

    /// Writes an event down with what it asks for; false if it came before. It survives a loss of power when this returns.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_event(
        &self,
        connector: ConnectorId,
        event: &str,
        asked: Asked,
        now: Timestamp,
    ) -> Result<bool> {
        let fresh = self.write(|tx| {
            let fresh = tx
                .prepare_cached(
                    "INSERT INTO webhook_events (connector, event, seen) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                )?
                .execute(params![connector.0, event, Millis(now)])?
                == 1;
            let count = match (fresh, asked) {
                (false, _) => "repeated",
                (true, Asked::Read { .. }) => "accepted",
                (true, Asked::Nothing) => "ignored",
                (true, Asked::Unknown) => "unknown",
            };
            tx.prepare_cached(&format!(
                "UPDATE webhooks SET {count} = {count} + 1, last_event = ?2 WHERE connector = ?1"
            ))?
            .execute(params![connector.0, Millis(now)])?;
            if let (true, Asked::Read { object, kind, anyway }) = (fresh, asked) {
                tx.prepare_cached(
                    "INSERT INTO hints (connector, object, kind, anyway, due) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET kind = excluded.kind, anyway = max(anyway, excluded.anyway),
                       due = coalesce(due, max(excluded.due, taken + ?6))",
                )?
                .execute(params![connector.0, object, kind, anyway, Millis(now), AGAIN_AFTER_MS])?;
            }
            Ok(fresh)
        })?;
        if fresh {
            self.sync()?;
            self.signals.tell_heard();
        }
        Ok(fresh)
    }

    /// Counts a request that was refused.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn count_refused(&self, connector: ConnectorId) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE webhooks SET refused = refused + 1 WHERE connector = ?1", [connector.0])
                .map(|_| ())
        })
    }

    /// Forgets events that Notion does not send again, and objects that were read long ago.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn prune_events(&self, now: Timestamp) -> Result<()> {
        let before = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        self.write(|tx| {
            tx.execute("DELETE FROM webhook_events WHERE seen < ?1", [Millis(before)])?;
            tx.execute(
                "DELETE FROM webhook_events WHERE seen < (SELECT seen FROM webhook_events ORDER BY seen DESC LIMIT 1 OFFSET ?1)",
                [MAX_REMEMBERED],
            )?;
            tx.execute("DELETE FROM hints WHERE due IS NULL AND taken < ?1", [Millis(before)]).map(|_| ())
        })
    }
}
