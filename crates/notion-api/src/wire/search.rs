use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use super::database::{DataSource, Database};
use super::page::Page;

/// What a search or a query of a data source lists.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchResult {
    /// A page or row.
    Page(Box<Page>),
    /// A data source.
    DataSource(Box<DataSource>),
    /// A database, as API versions up to 2022-06-28 list them.
    Database(Box<Database>),
    /// An object of another kind, or one that is malformed.
    Unknown(Value),
}

impl SearchResult {
    /// The id of the object, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Page(page) => Some(page.id),
            Self::DataSource(data_source) => Some(data_source.id),
            Self::Database(database) => Some(database.id),
            Self::Unknown(raw) => {
                raw.get("id").and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok())
            }
        }
    }
}

impl<'de> Deserialize<'de> for SearchResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let known = match raw.get("object").and_then(Value::as_str) {
            Some("page") => Page::deserialize(&raw).ok().map(|page| Self::Page(Box::new(page))),
            Some("data_source") => {
                DataSource::deserialize(&raw).ok().map(|found| Self::DataSource(Box::new(found)))
            }
            Some("database") => Database::deserialize(&raw).ok().map(|found| Self::Database(Box::new(found))),
            _ => None,
        };
        Ok(known.unwrap_or(Self::Unknown(raw)))
    }
}
