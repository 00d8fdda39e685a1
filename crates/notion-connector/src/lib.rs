//! Makes a Notion workspace searchable for an organisation: crawl, store, index, search.

pub mod model;
