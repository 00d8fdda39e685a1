//! Tokens: who asks, what they were given and what they may do.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::world::access::Access;

/// What a token may learn about people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum UserCapability {
    /// Nothing but ids.
    None,
    /// Names.
    WithoutEmail,
    /// Names and e-mail addresses.
    #[default]
    WithEmail,
}

/// What a token may do (developers.notion.com "capabilities"). A lacking one is a 403, not a 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capabilities {
    /// Read content.
    pub read_content: bool,
    /// Read comments.
    pub read_comments: bool,
    /// Read user information.
    pub users: UserCapability,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { read_content: true, read_comments: true, users: UserCapability::WithEmail }
    }
}

/// One integration.
#[derive(Debug, Clone)]
pub struct Token {
    /// The secret.
    pub secret: String,
    /// The integration's name.
    pub name: String,
    /// Its bot, a number of the world's users.
    pub bot: u32,
    /// What was shared with it.
    pub access: Access,
    /// What it may do.
    pub capabilities: Capabilities,
    /// A revoked token is answered like an unknown one.
    pub revoked: bool,
}

/// Finds the token of an `Authorization` header; its place in the list.
///
/// # Errors
/// 401 `unauthorized`.
pub fn token_of(tokens: &[Token], header: Option<&str>) -> Result<usize, ApiError> {
    let secret = header.and_then(|value| {
        let (scheme, secret) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim())
    });
    tokens
        .iter()
        .position(|token| !token.revoked && Some(token.secret.as_str()) == secret)
        .ok_or_else(|| ApiError::new(401, "unauthorized", "API token is invalid."))
}
