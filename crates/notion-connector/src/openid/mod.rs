//! Sign-in by OpenID Connect: authorization code with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636).
//!
//! - `provider` speaks to the provider: discovery, keys, the code for a token, what it says of a person.
//! - `token` believes an ID token, or not. It alone knows signatures.
//!
//! What a browser takes through its sign-in is an [`Attempt`]: whoever serves it seals it into a cookie, so that nothing is kept
//! here and an answer counts in the browser alone that began.

mod provider;
mod token;

pub use provider::{Answer, Attempt, OpenidError, Provider, ProviderAccount};
