use serde::Deserialize;
use uuid::Uuid;

use super::lenient;

/// The body of a page as Markdown (developers.notion.com "retrieve-page-markdown"): no title, no properties.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PageMarkdown {
    /// The page, or the block that was asked for.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub id: Option<Uuid>,
    /// The body.
    pub markdown: String,
    /// Whether a part is left out: because the page is very large, or because the part is not shared.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub truncated: bool,
    /// The blocks that were left out, each to be asked for by itself.
    #[serde(default, deserialize_with = "lenient::elements")]
    pub unknown_block_ids: Vec<Uuid>,
}
