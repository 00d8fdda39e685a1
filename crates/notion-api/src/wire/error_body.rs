use serde::Deserialize;
use serde_json::{Map, Value};

use super::lenient;

/// The body of a refusal (developers.notion.com "status-codes").
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct ErrorBody {
    /// Repeats the status.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub status: u16,
    /// Which error; what tells an error body from other JSON.
    pub code: String,
    /// What Notion says about it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub message: String,
    /// Details, such as `integration_id`, `rate_limit_reason` or `retry_after`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub additional_data: Map<String, Value>,
    /// For Notion's support.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub request_id: Option<String>,
}

impl ErrorBody {
    /// A detail that is a string.
    #[must_use]
    pub fn detail(&self, key: &str) -> Option<&str> {
        self.additional_data.get(key).and_then(Value::as_str)
    }
}
