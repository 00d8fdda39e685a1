//! What a crawl will do and cost, as its listings say.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ItemKind;

/// What a crawl will do and cost, from its listings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// Items that were listed, by kind. Pages that only bodies name come on top.
    pub items: Vec<PlannedItems>,
    /// Whether every listing ended: if not, there are more items.
    pub complete: bool,
    /// Held items of which Notion said already that they are gone.
    pub gone: u64,
    /// Held items that no listing returned: each is asked for.
    pub unlisted: u64,
    /// Files that the settings want: those that earlier crawls met in what was listed, and new ones in properties. New ones in bodies
    /// are not known before bodies are read.
    // Plans of earlier versions knew of those in properties alone.
    #[serde(alias = "files_in_properties")]
    pub files: u64,
    /// How many of them are to be fetched and read.
    #[serde(default)]
    pub files_to_read: u64,
    /// Requests that the listings took.
    pub requests_made: u64,
    /// Requests that the crawl will still make; bodies in several parts take more.
    pub requests_to_come: u64,
    /// Minutes that those take at this rate.
    pub minutes: f64,
    /// Requests a minute.
    pub requests_per_minute: f64,
    /// Where that rate is from: `earlier crawls` or `documented limit`.
    #[schema(example = "documented limit")]
    pub rate_from: String,
    /// Names of the fields above that are estimates.
    pub estimates: Vec<String>,
}

/// What was listed of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedItems {
    /// The kind.
    #[schema(value_type = String, example = "page")]
    pub kind: ItemKind,
    /// How many the crawl will process.
    pub listed: u64,
    /// Bodies that are to be read.
    pub to_read: u64,
    /// Bodies that need not be read again.
    pub unchanged: u64,
    /// About these the filters decide when bodies were read.
    pub undecided: u64,
    /// Left out by the filters.
    pub left_out_by_filters: u64,
    /// New ones that the item limit leaves out.
    pub left_out_by_limit: u64,
}

impl Plan {
    /// A sum over all kinds.
    pub fn sum(&self, of: impl Fn(&PlannedItems) -> u64) -> u64 {
        self.items.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_of_an_earlier_version_is_read() {
        let old = serde_json::json!({
            "items": [], "complete": true, "gone": 0, "unlisted": 1, "files_in_properties": 7, "requests_made": 3,
            "requests_to_come": 2, "minutes": 0.1, "requests_per_minute": 180.0, "rate_from": "documented limit",
            "estimates": ["unlisted"],
        });
        let plan: Plan = serde_json::from_value(old).unwrap();
        assert_eq!((plan.files, plan.files_to_read), (7, 0));
    }
}
