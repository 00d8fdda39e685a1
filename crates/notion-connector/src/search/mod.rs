//! Searching: from what somebody typed to ranked results they may see.
//!
//! `analysis` turns text into terms, for indexing and for asking alike; `schema` says what is indexed of an item;
//! `query` reads what was typed; `ranking` makes an index query of it; `snippets` shows why something was found;
//! `results` runs it, over what `visibility` says that the viewer may see. `properties` says what is indexed of the columns of databases, by the terms of `keys`; `filters` asks
//! for it, `facets` counts it. `anchors` leads from a snippet to its block. Everything but `index`, `results`,
//! `visibility` and `facets` is pure.
//!
//! Invariant: no function that answers with content can be called without a [`Viewer`](crate::model::Viewer), and the viewer's filter is a
//! required clause of the query itself, before anything is counted or ranked. (Term statistics that ranking uses are
//! those of the whole index.)
//!
//! To add: a field, see `schema`; a filter, [`Filters`]; something to count, [`FacetBy`]; a sign that people type, `query`.

pub mod analysis;
mod anchors;
mod error;
mod facets;
mod filters;
mod index;
mod keys;
mod properties;
pub mod query;
pub mod ranking;
mod results;
pub mod schema;
pub mod snippets;
mod visibility;

#[cfg(test)]
mod audience_tests;
#[cfg(test)]
mod filter_tests;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use error::IndexError;
pub use facets::{Facet, FacetBy, FacetValue, Facets, MAX_PROPERTIES, MAX_VALUES, UnknownFacet};
pub use filters::{FilterError, Filters, Operator, PointInTime, PropertyFilter};
pub use index::{CommitPayload, SearchIndex};
pub(crate) use index::{check_files, guarded, open_existing};
pub use properties::ShownProperty;
pub use results::{Document, Hit, Lookup, MAX_LIMIT, MAX_OFFSET, SearchRequest, SearchResponse};
pub use schema::{Editor, Entry, SCHEMA_VERSION};
pub use snippets::Snippet;
