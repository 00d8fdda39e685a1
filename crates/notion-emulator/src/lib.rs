//! A Notion on loopback: serves worlds over the REST API, and refuses and fails like the real one.

pub mod import;
pub mod markdown;
pub mod sample;
pub mod seed;
