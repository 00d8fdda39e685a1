use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use super::lenient::{self, Tagged};

/// Where an object lives (developers.notion.com "parent-object").
#[derive(Debug, Clone, PartialEq)]
pub enum Parent {
    /// Below a page.
    Page(Uuid),
    /// A row of a data source.
    DataSource {
        /// The data source.
        data_source_id: Uuid,
        /// The database that contains the data source; sent since 2025-09-03.
        database_id: Option<Uuid>,
    },
    /// In a database: a data source, or a row as API versions up to 2022-06-28 put it.
    Database(Uuid),
    /// Nested in a block: a toggle, a column, a callout.
    Block(Uuid),
    /// At the top level. Team spaces and private sections look the same.
    Workspace,
    /// Belongs to a custom agent.
    Agent(String),
    /// A kind that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The JSON as it came.
        raw: Value,
    },
}

impl Parent {
    /// The id of the object above, whatever its kind; for a row that of its data source.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Page(id) | Self::Database(id) | Self::Block(id) => Some(*id),
            Self::DataSource { data_source_id, .. } => Some(*data_source_id),
            Self::Workspace | Self::Agent(_) | Self::Unknown { .. } => None,
        }
    }
}

impl<'de> Deserialize<'de> for Parent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        Ok(Self::known(&raw).unwrap_or_else(|kind| Self::Unknown { kind, raw }))
    }
}

impl Parent {
    fn known(raw: &Value) -> Result<Self, String> {
        let Some(object) = raw.as_object() else { return Err(String::new()) };
        let guesses = ["page_id", "data_source_id", "database_id", "block_id", "workspace", "agent_id"];
        let tagged = Tagged::read(object, &guesses);
        let known = match tagged.kind {
            "page_id" => tagged.decode().map(Self::Page),
            "data_source_id" => tagged.decode().map(|data_source_id| Self::DataSource {
                data_source_id,
                database_id: lenient::id(object, "database_id"),
            }),
            "database_id" => tagged.decode().map(Self::Database),
            "block_id" => tagged.decode().map(Self::Block),
            "workspace" => Some(Self::Workspace),
            "agent_id" => tagged.decode().map(Self::Agent),
            _ => None,
        };
        known.ok_or_else(|| tagged.kind.to_owned())
    }
}
