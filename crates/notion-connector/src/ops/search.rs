//! Searching, as whoever asks.

use std::ops::Range;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use crate::app::App;
use crate::model::{Crumb, ItemKind, NotionId, Viewer};
use crate::search::{Filters, SearchIndex, SearchRequest};

/// A search as it is asked.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// What was typed.
    pub text: String,
    /// How many hits; 1 to 100.
    pub limit: usize,
    /// How many to skip.
    pub offset: usize,
    /// Only these kinds; all if empty.
    pub kinds: Vec<ItemKind>,
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
    /// Where it opens in Notion.
    pub url: String,
    /// Titles from the top of the workspace down to its parent.
    pub breadcrumb: Vec<String>,
    /// Rank value; only the order means something.
    pub score: f32,
    /// The passage that shows best why it was found.
    pub snippet: String,
    /// Bytes of the snippet that match.
    pub highlights: Vec<[usize; 2]>,
    /// Emoji before the title.
    pub icon: Option<String>,
    /// When it was last edited.
    pub last_edited_time: Timestamp,
    /// Who edited it last.
    pub last_edited_by: Option<String>,
}

/// Runs a search over an open index.
///
/// # Errors
/// When the index cannot be read.
pub fn search(index: &SearchIndex, query: &SearchQuery, viewer: &Viewer) -> Result<SearchAnswer, OpsError> {
    let request = SearchRequest {
        query: query.text.clone(),
        viewer: viewer.clone(),
        filters: Filters { kinds: query.kinds.clone(), ..Filters::default() },
        limit: query.limit,
        offset: query.offset,
    };
    let response = index.search(&request)?;
    let hits = response.hits.into_iter().map(|hit| SearchHit {
        id: hit.id,
        kind: hit.kind,
        title: title_or_untitled(hit.title),
        url: hit.url,
        breadcrumb: path(&hit.breadcrumb),
        score: hit.score,
        title_highlights: bytes(&hit.title_highlights),
        highlights: bytes(&hit.snippet.highlights),
        snippet: hit.snippet.text,
        icon: hit.icon,
        last_edited_time: hit.last_edited_time,
        last_edited_by: hit.last_edited_by.and_then(|editor| editor.name),
    });
    Ok(SearchAnswer { total: response.total, relaxed: response.relaxed, hits: hits.collect() })
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
