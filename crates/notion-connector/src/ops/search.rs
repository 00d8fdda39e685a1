//! Searching, as whoever asks.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use super::audit::Act;
use crate::app::App;
use crate::model::{Caller, Crumb, FileFacts, ItemKind, NotionId, Role, Viewer};
use crate::search::{
    Facet, FacetBy, FacetValue, Facets, Filters, Operator, PropertyFilter, SearchIndex, SearchRequest,
    ShownProperty,
};

/// A search as it is asked.
#[derive(Debug, Clone, Default)]
pub struct SearchQuery {
    /// What was typed.
    pub text: String,
    /// How many hits; 1 to 100.
    pub limit: usize,
    /// How many to skip.
    pub offset: usize,
    /// What narrows it.
    pub filters: Filters,
    /// What to count of everything that matches.
    pub facets: BTreeSet<FacetBy>,
}

/// The answer.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// How many items match that the viewer may see.
    pub total: usize,
    /// Whether nothing has enough of the words, and what has some of them is shown instead.
    pub relaxed: bool,
    /// The best of them.
    pub hits: Vec<SearchHit>,
    /// What was asked to be counted of all that match: kinds, extensions, databases, editors, then properties, those first that
    /// most have a value in.
    pub facets: Vec<FacetCounts>,
    /// How many further properties have values that could be counted.
    pub more_properties: usize,
}

/// How many of the matching items have which value.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FacetCounts {
    /// What was counted: `kind`, `extension`, `database`, `editor` or `property`.
    #[schema(value_type = String)]
    pub by: &'static str,
    /// Name of the column, for a property.
    pub property: Option<String>,
    /// Most frequent first.
    pub values: Vec<FacetCount>,
    /// How many further values there are.
    pub more: usize,
}

/// One value and how many have it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FacetCount {
    /// What narrows a search to it: a value of the parameter `kind`, `extension`, `in` (for a database), `editor` or `property`.
    pub filter: String,
    /// As people read it.
    pub label: String,
    /// How many of the matching items.
    pub count: usize,
}

/// A property as it is shown with a result.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HitProperty {
    /// Name of the column.
    pub name: String,
    /// The value as people read it, cut if it is long.
    pub text: String,
}

/// What is known of a result that is a file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HitFile {
    /// What is known of its bytes and its text.
    #[serde(flatten)]
    pub facts: FileFacts,
    /// The page that it stands in: the last of the breadcrumb.
    pub page: Option<NotionId>,
}

/// One result.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SearchHit {
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Title; "Untitled" where there is none.
    pub title: String,
    /// Bytes of the title that match.
    pub title_highlights: Vec<[usize; 2]>,
    /// Where it opens in Notion: at the block, if that is known.
    pub url: String,
    /// The block that the snippet is from, if the body was read by blocks.
    pub block_id: Option<NotionId>,
    /// Titles from the top of the workspace down to its parent.
    pub breadcrumb: Vec<String>,
    /// Rank value; only the order means something.
    pub score: f32,
    /// The passage that shows best why it was found.
    pub snippet: String,
    /// Bytes of the snippet that match.
    pub highlights: Vec<[usize; 2]>,
    /// A few of its properties.
    pub properties: Vec<HitProperty>,
    /// What is known of it, where it is a file; its title is the file's name.
    pub file: Option<HitFile>,
    /// Emoji before the title.
    pub icon: Option<String>,
    /// When it was last edited.
    pub last_edited_time: Timestamp,
    /// Who edited it last.
    pub last_edited_by: Option<String>,
}

/// Runs a search, as every mouth does. Where the caller sees everything, that they searched is on the record; what for is not.
///
/// # Errors
/// As in [`search`], and when the audit log cannot be written.
pub fn search_on_record(
    app: &App,
    index: &SearchIndex,
    query: &SearchQuery,
    caller: &Caller,
) -> Result<SearchAnswer, OpsError> {
    match caller.viewer {
        Viewer::LocalOperator => {
            Act::of_searching("search", "everything").run(app, caller, || search(index, query, caller))
        }
        Viewer::Mapped(_) => search(index, query, caller),
    }
}

/// Runs a search over an open index, without a record.
///
/// # Errors
/// When the index cannot be read.
pub fn search(index: &SearchIndex, query: &SearchQuery, caller: &Caller) -> Result<SearchAnswer, OpsError> {
    caller.require(Role::SearchUser)?;
    let request = SearchRequest {
        query: query.text.clone(),
        viewer: caller.viewer.clone(),
        filters: query.filters.clone(),
        limit: query.limit,
        offset: query.offset,
        facets: query.facets.clone(),
    };
    let response = index.search(&request)?;
    let hits = response.hits.into_iter().map(|hit| SearchHit {
        id: hit.id,
        kind: hit.kind,
        title: title_or_untitled(hit.title),
        url: hit.url,
        block_id: hit.block_id,
        properties: hit
            .properties
            .into_iter()
            .map(|ShownProperty { name, text }| HitProperty { name, text })
            .collect(),
        file: hit.file.map(|facts| HitFile { facts, page: hit.parent }),
        breadcrumb: path(&hit.breadcrumb),
        score: hit.score,
        title_highlights: bytes(&hit.title_highlights),
        highlights: bytes(&hit.snippet.highlights),
        snippet: hit.snippet.text,
        icon: hit.icon,
        last_edited_time: hit.last_edited_time,
        last_edited_by: hit.last_edited_by.and_then(|editor| editor.name),
    });
    let hits = hits.collect();
    let Facets { facets, more_properties } = response.facets;
    let facets = facets.into_iter().map(counts).collect();
    Ok(SearchAnswer { total: response.total, relaxed: response.relaxed, hits, facets, more_properties })
}

fn counts(facet: Facet) -> FacetCounts {
    let Facet { by, property, values, more } = facet;
    let values = values.into_iter().map(|FacetValue { value, label, count }| {
        let filter = match &property {
            Some(name) => PropertyFilter::new(name, Operator::Is, &value).map(|filter| filter.to_string()),
            None => Ok(value.clone()),
        };
        let label = match by {
            FacetBy::Database => title_or_untitled(label),
            _ if label.is_empty() => value,
            _ => label,
        };
        // A value that was counted has a name and is not empty.
        FacetCount { filter: filter.unwrap_or_default(), label, count }
    });
    FacetCounts { by: by.as_str(), values: values.collect(), property, more }
}

fn bytes(ranges: &[Range<usize>]) -> Vec<[usize; 2]> {
    ranges.iter().map(|range| [range.start, range.end]).collect()
}

impl App {
    /// The index, as an error when nothing was indexed yet.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn require_index(&self) -> Result<SearchIndex, OpsError> {
        self.open_index()?.ok_or_else(|| {
            OpsError::NotFound("nothing is indexed yet; crawl first: notion-connector crawl".to_owned())
        })
    }
}

/// A title as it is shown.
pub(super) fn title_or_untitled(title: String) -> String {
    if title.trim().is_empty() { "Untitled".to_owned() } else { title }
}

/// A breadcrumb as it is shown: a data source that is the only one of its database says nothing that the database has
/// not said.
pub(super) fn path(ancestors: &[Crumb]) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    for crumb in ancestors {
        let repeats = crumb.kind == ItemKind::DataSource && path.last() == Some(&crumb.title);
        if !repeats {
            path.push(title_or_untitled(crumb.title.clone()));
        }
    }
    path
}
