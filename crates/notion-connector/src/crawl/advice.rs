//! What to do when Notion refuses.

use notion_api::{Class, Error, ErrorCode};

/// What happened, in words for an administrator, and what to do about it.
pub fn advise(error: &Error) -> String {
    let what_to_do = match error.class() {
        Class::Unauthorized => {
            "Notion does not accept the secret: copy it again from the integration's Configuration tab (it begins with \
             ntn_ or secret_); a saved one is replaced with: notion-connector connector set-secret NAME"
        }
        Class::MissingCapability => {
            "the integration lacks a capability: in its settings in Notion choose “Read content” and “Read user \
             information including email addresses”"
        }
        Class::RequestBlocked | Class::EdgeBlocked => {
            "Notion blocks requests from here: ask your network administrator, or Notion's support"
        }
        Class::Network(_) => {
            "Notion cannot be reached: check the address and the network, then run the same command again"
        }
        Class::Unavailable { .. } | Class::Overloaded { .. } | Class::RateLimited { .. } => {
            "Notion does not serve requests at the moment: run the same command again later"
        }
        Class::Protocol => "the answer is not Notion's: check the address given with --notion-url",
        Class::NotFound | Class::Validation(_) | Class::InvalidCursor | Class::Request => {
            "Notion refused a request"
        }
    };
    format!("{what_to_do} ({})", facts(error))
}

/// What was answered, without advice of its own.
pub(super) fn facts(error: &Error) -> String {
    let Error::Refused(refusal) = error else { return error.to_string() };
    let mut facts = format!("{} answered {}", refusal.endpoint, refusal.status.as_u16());
    for more in
        [refusal.code.as_ref().map(ErrorCode::as_str), refusal.message.as_deref()].into_iter().flatten()
    {
        facts.push_str(": ");
        facts.push_str(more);
    }
    if let Some(id) = &refusal.request_id {
        facts.push_str("; request id ");
        facts.push_str(id);
    }
    facts
}
