//! Running a search and reading entries back.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;
use tantivy::collector::sort_key::{SortBySimilarityScore, SortByStaticFastValue, SortByString};
use tantivy::collector::{Count, TopDocs};
use tantivy::query::{AllQuery, BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Value as _};
use tantivy::{DateTime, DocAddress, Order, Score, Searcher, TantivyDocument};

use super::anchors::block_at;
use super::facets::{FacetBy, FacetCollector, Facets};
use super::properties::ShownProperty;
use super::query::{ParsedQuery, parse};
use super::ranking::{Weights, build, visibility};
use super::schema::{EDITED_FIELD, Editor, Entry, FACETS_FIELD, KEY_FIELD};
use super::snippets::{Highlighter, Snippet};
use super::{Filters, IndexError, SearchIndex};
use crate::model::{Crumb, FileFacts, ItemKey, ItemKind, NotionId, Viewer};

/// Most hits of one answer.
pub const MAX_LIMIT: usize = 100;
/// How deep paging goes: all hits before the page have to be kept while ranking.
pub const MAX_OFFSET: usize = 10_000;

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// What was typed. When it asks for nothing, the newest come first.
    pub query: String,
    /// Who asks.
    pub viewer: Viewer,
    /// Narrows it.
    pub filters: Filters,
    /// How many hits, 1 to [`MAX_LIMIT`]; held to that.
    pub limit: usize,
    /// How many to skip, up to [`MAX_OFFSET`]; held to that.
    pub offset: usize,
    /// What to count of everything that matches.
    pub facets: BTreeSet<FacetBy>,
}

impl SearchRequest {
    /// The first ten hits for a query.
    pub fn new(query: impl Into<String>, viewer: Viewer) -> Self {
        Self {
            query: query.into(),
            viewer,
            filters: Filters::default(),
            limit: 10,
            offset: 0,
            facets: BTreeSet::new(),
        }
    }
}

/// The answer to a search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResponse {
    /// How many entries match that the viewer may see.
    pub total: usize,
    /// Whether nothing had enough of the words, and what has any of them is shown instead.
    pub relaxed: bool,
    /// The page of them that was asked for, best first.
    pub hits: Vec<Hit>,
    /// What was asked to be counted.
    pub facets: Facets,
}

/// One result.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Item key.
    pub key: ItemKey,
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Title; may be empty.
    pub title: String,
    /// Bytes of the title that match.
    pub title_highlights: Vec<Range<usize>>,
    /// Where it opens: at the block, if that is known.
    pub url: String,
    /// The block that the snippet is from, if it is known.
    pub block_id: Option<NotionId>,
    /// Emoji before the title.
    pub icon: Option<String>,
    /// Ancestors, outermost first.
    pub breadcrumb: Vec<Crumb>,
    /// A few of its properties.
    pub properties: Vec<ShownProperty>,
    /// What is known of it, where it is a file.
    pub file: Option<FileFacts>,
    /// Rank value; only the order means something. Zero when nothing was typed.
    pub score: f32,
    /// The passage that shows best why it was found.
    pub snippet: Snippet,
    /// When it was last edited.
    pub last_edited_time: Timestamp,
    /// Who edited it last.
    pub last_edited_by: Option<Editor>,
}

/// Everything the index holds of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What is shown.
    pub entry: Entry,
    /// The body.
    pub text: String,
    /// Properties as `name: value`, one a line.
    pub properties: String,
    /// Where its blocks begin; see [`super::anchors`].
    anchors: Vec<u8>,
}

/// How an item is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// By its key.
    Key(ItemKey),
    /// By Notion's id.
    Id(NotionId),
}

impl SearchIndex {
    /// Runs a search. Blocks for some milliseconds.
    ///
    /// # Errors
    /// When the index cannot be read. No query is an error.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResponse, IndexError> {
        self.search_weighted(request, &Weights::default())
    }

    /// Runs a search with other weights, to try them.
    ///
    /// # Errors
    /// As [`SearchIndex::search`].
    pub fn search_weighted(
        &self,
        request: &SearchRequest,
        weights: &Weights,
    ) -> Result<SearchResponse, IndexError> {
        let parsed = parse(&request.query);
        let searcher = self.searcher();
        let run = |parsed: &ParsedQuery| {
            let query = build(parsed, &self.fields, &request.viewer, &request.filters, weights);
            let limit = request.limit.clamp(1, MAX_LIMIT);
            let page = TopDocs::with_limit(limit).and_offset(request.offset.min(MAX_OFFSET));
            let rank = if parsed.wanted.is_empty() { newest } else { best };
            let facets = (!request.facets.is_empty())
                .then(|| FacetCollector { field: FACETS_FIELD, wanted: request.facets.clone() });
            rank(&searcher, &*query, page, facets).map_err(|error| self.error("search", error))
        };
        let mut ranked = run(&parsed)?;
        let relaxed = match parsed.relaxed() {
            Some(relaxed) if ranked.total == 0 => {
                ranked = run(&relaxed)?;
                ranked.total > 0
            }
            _ => false,
        };
        let highlighter = Highlighter::new(&parsed);
        let hits = ranked
            .page
            .into_iter()
            .map(|(score, address)| Ok(hit(self.load(&searcher, address)?, score, &highlighter)))
            .collect::<Result<_, IndexError>>()?;
        Ok(SearchResponse { total: ranked.total, relaxed, hits, facets: ranked.facets })
    }

    /// One item, if it is there and the viewer may see it.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn get(&self, lookup: &Lookup, viewer: &Viewer) -> Result<Option<Document>, IndexError> {
        let term = match lookup {
            Lookup::Key(key) => self.fields.key_term(key),
            Lookup::Id(id) => self.fields.id_term(self.fields.id, *id),
        };
        let named: Box<dyn Query> = Box::new(TermQuery::new(term, IndexRecordOption::Basic));
        let clauses = std::iter::once(named).chain(visibility(&self.fields, viewer));
        let query = BooleanQuery::new(clauses.map(|clause| (Occur::Must, clause)).collect());
        let searcher = self.searcher();
        let by_key = (SortByString::for_field(KEY_FIELD), Order::Asc);
        let found = searcher
            .search(&query, &TopDocs::with_limit(1).order_by(by_key))
            .map_err(|error| self.error("search", error))?;
        found.first().map(|(_, address)| self.load(&searcher, *address)).transpose()
    }

    /// How many items a viewer may see.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn count_visible(&self, viewer: &Viewer) -> Result<usize, IndexError> {
        let query = visibility(&self.fields, viewer).unwrap_or_else(|| Box::new(AllQuery));
        self.searcher().search(&*query, &Count).map_err(|error| self.error("search", error))
    }

    fn load(&self, searcher: &Searcher, address: DocAddress) -> Result<Document, IndexError> {
        let document: TantivyDocument =
            searcher.doc(address).map_err(|error| self.error("read an entry of", error))?;
        let text = |field: Field| {
            document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        let entry = serde_json::from_str(&text(self.fields.entry))
            .map_err(|error| IndexError::corrupt(self.path(), format!("an entry cannot be read: {error}")))?;
        let anchors = document.get_first(self.fields.anchors).and_then(|value| value.as_bytes());
        Ok(Document {
            entry,
            text: text(self.fields.body),
            properties: text(self.fields.properties),
            anchors: anchors.unwrap_or_default().to_vec(),
        })
    }
}

/// What matched: how many, what was counted of them, and one page of them.
struct Ranked {
    total: usize,
    facets: Facets,
    page: Vec<(Score, DocAddress)>,
}

/// By score, and by key where scores are equal, so that pages of results do not overlap.
fn best(
    searcher: &Searcher,
    query: &dyn Query,
    page: TopDocs,
    facets: Option<FacetCollector>,
) -> tantivy::Result<Ranked> {
    let order = (SortBySimilarityScore, (SortByString::for_field(KEY_FIELD), Order::Asc));
    let (total, found, facets) = searcher.search(query, &(Count, page.order_by(order), facets))?;
    let page = found.into_iter().map(|((score, _), address)| (score, address)).collect();
    Ok(Ranked { total, facets: facets.unwrap_or_default(), page })
}

/// By time of the last edit, newest first, and by key.
fn newest(
    searcher: &Searcher,
    query: &dyn Query,
    page: TopDocs,
    facets: Option<FacetCollector>,
) -> tantivy::Result<Ranked> {
    let order = (
        (SortByStaticFastValue::<DateTime>::for_field(EDITED_FIELD), Order::Desc),
        (SortByString::for_field(KEY_FIELD), Order::Asc),
    );
    let (total, found, facets) = searcher.search(query, &(Count, page.order_by(order), facets))?;
    let page = found.into_iter().map(|(_, address)| (0.0, address)).collect();
    Ok(Ranked { total, facets: facets.unwrap_or_default(), page })
}

fn hit(document: Document, score: f32, highlighter: &Highlighter) -> Hit {
    let Document { entry, text, properties, anchors } = document;
    let (snippet, place) = highlighter.snippet(&[&text, &properties]);
    let place = place.filter(|place| place.text == 0);
    let block_id = place.and_then(|place| block_at(&anchors, place.byte));
    Hit {
        title_highlights: highlighter.highlights(&entry.title),
        snippet,
        key: entry.key,
        id: entry.id,
        kind: entry.kind,
        title: entry.title,
        url: at_block(entry.url, block_id),
        block_id,
        icon: entry.icon,
        breadcrumb: entry.breadcrumb,
        properties: entry.properties,
        file: entry.file,
        score,
        last_edited_time: entry.last_edited_time,
        last_edited_by: entry.last_edited_by,
    }
}

/// The address that opens a page at one of its blocks.
fn at_block(url: String, block: Option<NotionId>) -> String {
    match block {
        Some(block) if !url.is_empty() && !url.contains('#') => format!("{url}#{}", block.0.simple()),
        _ => url,
    }
}
