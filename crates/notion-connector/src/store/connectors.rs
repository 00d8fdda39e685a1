use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{Millis, Result, Store};
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

const COLUMNS: &str = "id, name, notion_url, workspace, workspace_name, bot, bot_name, secret, created";

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

    /// Remembers which workspace and bot the connector's secret opens.
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
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT count(*) FROM holders JOIN items ON items.id = holders.item
                 WHERE holders.connector = ?1 AND items.rendered IS NOT NULL",
            )?
            .query_row([connector.0], |row| row.get(0))
        })
    }
}
