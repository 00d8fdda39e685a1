//! Searching: from what somebody typed to ranked results they may see.
//!
//! `analysis` turns text into terms, for indexing and for asking alike; `schema` says what is indexed of an item;
//! `query` reads what was typed; `ranking` makes an index query of it; `snippets` shows why something was found;
//! `results` runs it. Everything but `index` and `results` is pure.
//!
//! Invariant: no function that answers with content can be called without a [`Viewer`](crate::model::Viewer), and the viewer's filter is a
//! required clause of the query itself, before anything is counted or ranked. (Term statistics that ranking uses are
//! those of the whole index.)
//!
//! To add: a field, see `schema`; a filter, [`Filters`] and `ranking::build`; a sign that people type, `query`.

pub mod analysis;
mod error;
mod index;
pub mod query;
pub mod ranking;
mod results;
pub mod schema;
pub mod snippets;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use error::IndexError;
pub use index::{CommitPayload, SearchIndex};
pub(crate) use index::{check_files, guarded, open_existing};
pub use results::{Document, Hit, Lookup, MAX_LIMIT, MAX_OFFSET, SearchRequest, SearchResponse};
pub use schema::{Editor, Entry, SCHEMA_VERSION};
pub use snippets::Snippet;

use crate::model::{ItemKind, NotionId};

/// Narrows a search. Those of different kinds all apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Any of these kinds; empty for all.
    pub kinds: Vec<ItemKind>,
    /// This object and everything below it.
    pub within: Option<NotionId>,
    /// Last edited at this time or later.
    pub edited_from: Option<Timestamp>,
    /// Last edited before this time.
    pub edited_before: Option<Timestamp>,
}
