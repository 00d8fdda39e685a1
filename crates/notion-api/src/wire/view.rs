use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::lenient;

/// A view of a data source (developers.notion.com "retrieve-a-view"), as far as a reader of rows needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its id.
    pub id: Uuid,
    /// Whether it hides rows. Unknown where only the reference of a view came.
    pub has_filter: Option<bool>,
}

impl<'de> Deserialize<'de> for View {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (object, id) = lenient::identified(deserializer, "view")?;
        let is_empty = |filter: &serde_json::Value| {
            filter.is_null() || filter.as_object().is_some_and(serde_json::Map::is_empty)
        };
        let is_whole = object.contains_key("type") || object.contains_key("filter");
        let has_filter = is_whole.then(|| object.get("filter").is_some_and(|filter| !is_empty(filter)));
        Ok(Self { id, has_filter })
    }
}

/// The answer to a query of a view (developers.notion.com "create-a-view-query"): references to rows, and their number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ViewQuery {
    /// How many rows the view shows, beyond what a query lists too.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub total_count: Option<u64>,
}
