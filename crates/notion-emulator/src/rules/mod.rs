//! What holds for every request, whatever it asks for: who, in which version, how often, and with what arguments.

pub mod auth;
pub mod limit;
pub mod validate;
pub mod version;
