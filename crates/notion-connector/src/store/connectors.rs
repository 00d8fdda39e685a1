//! Connectors: their secrets, settings and state, what they hold, and what goes with one that is deleted.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{CrawlState, Millis, Result, Store, admission, files};
use crate::model::{ConnectorId, NotionId};

/// One connection to one workspace.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Row id.
    pub id: ConnectorId,
    /// Unique, whatever the case.
    pub name: String,
    /// Origin of the API.
    pub notion_url: String,
    /// The workspace its secret opens; none until the secret was validated.
    pub workspace: Option<NotionId>,
    /// Name of the workspace.
    pub workspace_name: Option<String>,
    /// The integration's bot user: the key of the request budget.
    pub bot: Option<NotionId>,
    /// Name of the integration.
    pub bot_name: Option<String>,
    /// The integration secret, sealed by `secrets`.
    pub sealed_secret: Vec<u8>,
    /// When it was added.
    pub created: Timestamp,
    /// What it sets for itself, as JSON; what it may hold is not this room's business.
    pub settings: String,
    /// Whether its schedules run.
    pub active: bool,
    /// Since when what is indexed is not what its settings say.
    pub recrawl_since: Option<Timestamp>,
}

/// What a connector is made from.
#[derive(Debug, Clone)]
pub struct NewConnector {
    /// See [`Connector::name`].
    pub name: String,
    /// See [`Connector::notion_url`].
    pub notion_url: String,
    /// See [`Connector::sealed_secret`].
    pub sealed_secret: Vec<u8>,
    /// When it was added.
    pub created: Timestamp,
}

/// What a change of settings means for what is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingsEffect {
    /// It is not what the settings say until the next full crawl.
    pub recrawl: bool,
    /// Bodies are to be read again although they did not change.
    pub read_again: bool,
}

const COLUMNS: &str = "id, name, notion_url, workspace, workspace_name, bot, bot_name, secret, created,
    settings, active, recrawl_since";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Connector> {
    Ok(Connector {
        id: ConnectorId(row.get(0)?),
        name: row.get(1)?,
        notion_url: row.get(2)?,
        workspace: row.get(3)?,
        workspace_name: row.get(4)?,
        bot: row.get(5)?,
        bot_name: row.get(6)?,
        sealed_secret: row.get(7)?,
        created: row.get::<_, Millis>(8)?.0,
        settings: row.get(9)?,
        active: row.get(10)?,
        recrawl_since: row.get::<_, Option<Millis>>(11)?.map(|time| time.0),
    })
}

impl Store {
    /// Adds a connector; `None` if the name is taken.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_connector(&self, new: &NewConnector) -> Result<Option<ConnectorId>> {
        self.write(|tx| {
            let added = tx.execute(
                "INSERT INTO connectors (name, notion_url, secret, created) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO NOTHING",
                params![new.name, new.notion_url, new.sealed_secret, Millis(new.created)],
            )?;
            Ok((added == 1).then(|| ConnectorId(tx.last_insert_rowid())))
        })
    }

    /// Remembers which workspace and bot the connector's secret opens. Where another connector of the workspace has audiences, this
    /// one begins with them: what is closed there is not open by the way of a new one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_identity(
        &self,
        connector: ConnectorId,
        workspace: (NotionId, Option<&str>),
        bot: (NotionId, Option<&str>),
    ) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO audiences (connector) SELECT id FROM connectors WHERE id = ?1 AND workspace IS NULL
                   AND EXISTS (SELECT 1 FROM audiences JOIN connectors other ON other.id = connector WHERE other.workspace = ?2)
                 ON CONFLICT DO NOTHING",
                params![connector.0, workspace.0],
            )?;
            tx.execute(
                "UPDATE connectors SET workspace = ?2, workspace_name = ?3, bot = ?4, bot_name = ?5 WHERE id = ?1",
                params![connector.0, workspace.0, workspace.1, bot.0, bot.1],
            )
            .map(|_| ())
        })
    }

    /// Replaces the sealed secret.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_secret(&self, connector: ConnectorId, sealed: &[u8]) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE connectors SET secret = ?2 WHERE id = ?1", params![connector.0, sealed])
                .map(|_| ())
        })
    }

    /// Renames a connector, whose secret is sealed anew under the new name; false if another one has it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn rename_connector(&self, connector: ConnectorId, name: &str, sealed: &[u8]) -> Result<bool> {
        self.write(|tx| {
            let renamed = tx.execute(
                "UPDATE OR IGNORE connectors SET name = ?2, secret = ?3 WHERE id = ?1",
                params![connector.0, name, sealed],
            )?;
            Ok(renamed == 1)
        })
    }

    /// Lets the connector's schedules run, or pauses them.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_active(&self, connector: ConnectorId, active: bool) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE connectors SET active = ?2 WHERE id = ?1", params![connector.0, active])
                .map(|_| ())
        })
    }

    /// Saves what the connector sets for itself, and what that means for what is indexed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_settings(
        &self,
        connector: ConnectorId,
        settings: &str,
        effect: SettingsEffect,
        now: Timestamp,
    ) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE connectors SET settings = ?2 WHERE id = ?1", params![connector.0, settings])?;
            if effect.recrawl {
                tx.execute(
                    "UPDATE connectors SET recrawl_since = ?2
                     WHERE id = ?1 AND EXISTS (SELECT 1 FROM crawls WHERE crawls.connector = connectors.id)",
                    params![connector.0, Millis(now)],
                )?;
            }
            if effect.read_again {
                tx.execute(
                    "UPDATE items SET body_edited = NULL WHERE id IN (SELECT item FROM holders WHERE connector = ?1)",
                    [connector.0],
                )?;
            }
            Ok(())
        })
    }

    /// Deletes a connector with its secret, its crawls and what only it holds; irreversible. Returns how many items left.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_connector(&self, connector: ConnectorId) -> Result<u64> {
        self.write(|tx| {
            // Those that others hold are delivered again, without this holder; and all of the workspace that others hold, without
            // titles of what leaves.
            tx.execute(
                "INSERT INTO outbox (key) SELECT DISTINCT key FROM holders JOIN items ON items.id = holders.item
                 WHERE rendered IS NOT NULL AND connector IN (
                   SELECT id FROM connectors WHERE id = ?1 OR workspace = (SELECT workspace FROM connectors WHERE id = ?1))
                 ORDER BY item",
                [connector.0],
            )?;
            tx.execute_batch("CREATE TEMP TABLE let_go (item INTEGER PRIMARY KEY)")?;
            tx.execute(
                "INSERT INTO let_go SELECT item FROM holders WHERE connector = ?1
                 UNION SELECT item FROM left_out WHERE connector = ?1",
                [connector.0],
            )?;
            tx.execute("DELETE FROM holders WHERE connector = ?1", [connector.0])?;
            let left = tx.query_row(
                "SELECT count(*) FROM let_go JOIN items ON items.id = item
                 WHERE rendered IS NOT NULL AND NOT EXISTS (SELECT 1 FROM holders WHERE holders.item = let_go.item)",
                [],
                |row| row.get(0),
            )?;
            tx.execute(
                "DELETE FROM people WHERE workspace = (SELECT workspace FROM connectors WHERE id = ?1)
                   AND NOT EXISTS (SELECT 1 FROM connectors WHERE id <> ?1 AND workspace = people.workspace)",
                [connector.0],
            )?;
            // Its crawls go with it, and first: nothing else finds what they say of an item quickly.
            tx.execute("DELETE FROM connectors WHERE id = ?1", [connector.0])?;
            tx.execute(
                "DELETE FROM items WHERE id IN (SELECT item FROM let_go)
                   AND NOT EXISTS (SELECT 1 FROM holders WHERE holders.item = items.id)
                   AND NOT EXISTS (SELECT 1 FROM left_out WHERE left_out.item = items.id)
                   AND NOT EXISTS (SELECT 1 FROM file_places WHERE file_places.file = items.id)
                   AND NOT EXISTS (
                     SELECT 1 FROM sightings JOIN crawls ON crawls.id = sightings.crawl
                     WHERE sightings.item = items.id AND outcome IS NULL AND ended IS NULL)",
                [],
            )?;
            let kept: Vec<i64> = tx
                .prepare(
                    "SELECT item FROM let_go JOIN items ON items.id = item
                     WHERE NOT EXISTS (SELECT 1 FROM holders WHERE holders.item = let_go.item)",
                )?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            kept.into_iter().try_for_each(|item| admission::forget(tx, item))?;
            tx.execute_batch("DROP TABLE let_go")?;
            // Among them files whose pages went with it.
            files::describe_astray(tx)?;
            Ok(left)
        })
    }

    /// How many of the connector's crawls failed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_failed_crawls(&self, connector: ConnectorId) -> Result<u64> {
        self.read(|tx| {
            tx.prepare_cached("SELECT count(*) FROM crawls WHERE connector = ?1 AND state = ?2")?
                .query_row(params![connector.0, CrawlState::Failed], |row| row.get(0))
        })
    }

    /// All connectors, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_connectors(&self) -> Result<Vec<Connector>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM connectors ORDER BY name"))?
                .query_map([], from_row)?
                .collect()
        })
    }

    /// The connector of that name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_connector(&self, name: &str) -> Result<Option<Connector>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM connectors WHERE name = ?1"))?
                .query_row([name], from_row)
                .optional()
        })
    }

    /// The connector with that id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_connector_by_id(&self, id: ConnectorId) -> Result<Option<Connector>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM connectors WHERE id = ?1"))?
                .query_row([id.0], from_row)
                .optional()
        })
    }

    /// How many items the connector holds that are searchable.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_items(&self, connector: ConnectorId) -> Result<u64> {
        self.read(|tx| tx.prepare_cached(COUNT_ITEMS)?.query_row([connector.0], |row| row.get(0)))
    }
}

/// What is held and searchable is nearly all that is held: only the rest is counted, by the index `items_unrendered`.
pub(super) const COUNT_ITEMS: &str = "SELECT held - (
       SELECT count(*) FROM items CROSS JOIN holders ON holders.item = items.id AND holders.connector = connectors.id
       WHERE items.workspace = connectors.workspace AND items.rendered IS NULL)
     FROM connectors WHERE id = ?1";
