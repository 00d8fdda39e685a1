//! Makes a Notion workspace searchable for an organisation: crawl, store, index, search.

pub mod model;
pub mod runtime;
pub mod search;
pub mod sink;
pub mod store;
