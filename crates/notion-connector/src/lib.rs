//! Makes a Notion workspace searchable for an organisation: crawl, store, index, search.

pub mod model;
pub mod runtime;
pub mod store;
