use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The id that Notion gave an object. Displays dashed and in lower case, as Notion answers; parses both spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct NotionId(pub Uuid);

impl fmt::Display for NotionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for NotionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self)
    }
}

impl NotionId {
    /// The id in the address of a page or database, or the id itself. An address ends with it, behind the title
    /// (developers.notion.com "working-with-page-content").
    ///
    /// # Errors
    /// When there is no id in it.
    pub fn in_address(text: &str) -> Result<Self, String> {
        let path = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        let plain = last.len().checked_sub(32).and_then(|at| last.get(at..));
        let dashed = last.len().checked_sub(36).and_then(|at| last.get(at..));
        [Some(last), dashed, plain].into_iter().flatten().find_map(|id| id.parse().ok()).ok_or_else(|| {
            format!("“{text}” is neither an id nor the address of a page or database in Notion")
        })
    }
}

/// Row id of a connector in the store: small, stable for the life of the connector, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectorId(pub i64);

impl fmt::Display for ConnectorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Row id of a person of the directory: never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub i64);

/// Row id of an API key: never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub i64);

/// What a content item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A page whose parent is a page, a block or the workspace.
    Page,
    /// A page whose parent is a data source.
    Row,
    /// A container of data sources.
    Database,
    /// A table of rows with a schema.
    DataSource,
    /// A file that stands in a page.
    File,
}

impl ItemKind {
    /// Every kind, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Page, Self::Row, Self::Database, Self::DataSource, Self::File];

    /// The name in JSON, in the store and in the index.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Row => "row",
            Self::Database => "database",
            Self::DataSource => "data_source",
            Self::File => "file",
        }
    }

    /// The family of ids in an [`ItemKey`]: a page that is moved into a data source becomes a row and stays the
    /// same item.
    const fn family(self) -> &'static str {
        match self {
            Self::Page | Self::Row => "page",
            Self::Database => "database",
            Self::DataSource => "data_source",
            Self::File => "file",
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ItemKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("“{text}” is none of {known}")
        })
    }
}

/// The key of an item everywhere: workspace, family of kind, stable id. Two connectors that reach the same page hold
/// the same item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemKey(String);

impl ItemKey {
    /// The key of object `id` in `workspace`.
    pub fn new(workspace: NotionId, kind: ItemKind, id: NotionId) -> Self {
        Self(format!("{}/{}/{}", workspace.0.simple(), kind.family(), id.0.simple()))
    }

    /// A key read back from the store or an index.
    ///
    /// # Errors
    /// When the text has not the three parts that [`ItemKey::new`] writes.
    pub fn parse(text: &str) -> Result<Self, ParseKeyError> {
        let parts: Vec<&str> = text.split('/').collect();
        let [workspace, family, id] = parts.as_slice() else { return Err(ParseKeyError(text.to_owned())) };
        let known = ItemKind::ALL.iter().any(|kind| kind.family() == *family);
        if known && Uuid::try_parse(workspace).is_ok() && Uuid::try_parse(id).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseKeyError(text.to_owned()))
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no item key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not an item key")]
pub struct ParseKeyError(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_at_the_end_of_an_address() {
        let id: NotionId = "00112233445566778899aabbccddeeff".parse().unwrap();
        for text in [
            "00112233445566778899aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeeff",
            "https://www.notion.so/acme/Road-map-00112233445566778899aabbccddeeff?v=ffeeddccbbaa99887766554433221100#x",
            "https://app.notion.com/p/00112233445566778899aabbccddeeff/",
        ] {
            assert_eq!(NotionId::in_address(text), Ok(id), "{text}");
        }
        assert!(NotionId::in_address("https://www.notion.so/日本語日本語日本語日本語日本語日本語").is_err());
    }

    #[test]
    fn a_page_moved_into_a_data_source_keeps_its_key() {
        let (workspace, id) = (NotionId(Uuid::from_u128(1)), NotionId(Uuid::from_u128(2)));
        assert_eq!(ItemKey::new(workspace, ItemKind::Page, id), ItemKey::new(workspace, ItemKind::Row, id));
        assert_ne!(
            ItemKey::new(workspace, ItemKind::Page, id),
            ItemKey::new(workspace, ItemKind::Database, id)
        );
    }

    #[test]
    fn keys_read_back() {
        let key =
            ItemKey::new(NotionId(Uuid::from_u128(1)), ItemKind::DataSource, NotionId(Uuid::from_u128(2)));
        assert_eq!(ItemKey::parse(key.as_str()), Ok(key));
        assert!(ItemKey::parse("a/b/c").is_err());
    }
}
