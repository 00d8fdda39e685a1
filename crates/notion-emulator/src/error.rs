//! Errors as the API words them (developers.notion.com "status-codes"; texts as recorded where known).

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `code`.
    pub code: &'static str,
    /// `message`.
    pub message: String,
    /// `additional_data`; left out when empty.
    pub additional: Box<Map<String, Value>>,
    /// `Retry-After`, whole seconds.
    pub retry_after_s: Option<u64>,
}

impl ApiError {
    /// A refusal without additional data.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), additional: Box::default(), retry_after_s: None }
    }

    /// 400 `validation_error`.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "validation_error", message)
    }

    /// 400 for a cursor that is not, or no longer, one.
    #[must_use]
    pub fn cursor(cursor: &str) -> Self {
        Self::validation(format!("The start_cursor provided is invalid: {cursor}"))
    }

    /// 404 for an object that does not exist, is not shared or is of another kind; these look alike by design.
    #[must_use]
    pub fn not_found(what: &str, id: Uuid, integration: &str, bot: Uuid) -> Self {
        let message = format!(
            "Could not find {what} with ID: {id}. Make sure the relevant pages and databases are shared with your integration \"{integration}\"."
        );
        Self::new(404, "object_not_found", message).with("integration_id", bot.to_string())
    }

    /// 403 for a capability that the token lacks.
    #[must_use]
    pub fn restricted() -> Self {
        Self::new(403, "restricted_resource", "API token does not have access to this resource.")
    }

    /// 400 for a path that is no endpoint; not a 404.
    #[must_use]
    pub fn url() -> Self {
        Self::new(400, "invalid_request_url", "Invalid request URL.")
    }

    /// Adds an entry to `additional_data`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.additional.insert(key.to_owned(), value.into());
        self
    }

    /// The body, without `request_id`.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body =
            json!({"object": "error", "status": self.status, "code": self.code, "message": self.message});
        if !self.additional.is_empty() {
            body["additional_data"] = Value::Object((*self.additional).clone());
        }
        body
    }
}
