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
use super::facets::{FacetBy, FacetCollector, Facets, MaySee};
use super::properties::{ShownProperty, shown_properties};
use super::query::{ParsedQuery, parse};
use super::ranking::{Asking, Weights, build};
use super::schema::{EDITED_FIELD, Editor, Entry, FACETS_FIELD, KEY_FIELD};
use super::snippets::{Highlighter, Snippet};
use super::visibility::Seen;
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
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// Ancestors that the viewer may see, outermost first.
    pub breadcrumb: Vec<Crumb>,
    /// The item that it stands in, if the viewer may see it.
    pub parent: Option<NotionId>,
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
    /// Properties as `name: value`, one a line; related pages aside.
    pub properties: String,
    /// Titles of related pages as `name: titles`, one property a line.
    related: String,
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
        let searcher = self.searcher();
        self.run(&searcher, request, weights)
            .map_err(|error| self.error("search", error))?
            .map_or_else(|| Ok(SearchResponse::default()), |answer| self.present(&searcher, answer))
    }

    /// None where only places are looked into that the viewer may not see.
    fn run(
        &self,
        searcher: &Searcher,
        request: &SearchRequest,
        weights: &Weights,
    ) -> tantivy::Result<Option<Answer>> {
        let seen = Seen::of(searcher, &self.fields, &request.viewer)?;
        let Some(filters) = self.narrowed(searcher, &seen, &request.filters)? else { return Ok(None) };
        let joined = match &request.viewer {
            Viewer::LocalOperator => true,
            Viewer::Mapped(sights) => sights.searches_joined,
        };
        let run = |parsed: &ParsedQuery| {
            let asking = Asking { seen: seen.query(), searches_joined: joined };
            let query = build(parsed, &self.fields, asking, &filters, weights);
            let limit = request.limit.clamp(1, MAX_LIMIT);
            let page = TopDocs::with_limit(limit).and_offset(request.offset.min(MAX_OFFSET));
            let rank = if parsed.wanted.is_empty() { newest } else { best };
            let facets = (!request.facets.is_empty()).then(|| FacetCollector {
                field: FACETS_FIELD,
                wanted: request.facets.clone(),
                joined,
                may_see: self.may_see(searcher, &seen),
            });
            rank(searcher, &*query, page, facets)
        };
        let parsed = parse(&request.query);
        let mut ranked = run(&parsed)?;
        let relaxed = match parsed.relaxed() {
            Some(relaxed) if ranked.total == 0 => {
                ranked = run(&relaxed)?;
                ranked.total > 0
            }
            _ => false,
        };
        Ok(Some(Answer { ranked, relaxed, joined, seen, highlighter: Highlighter::new(&parsed) }))
    }

    /// The filters without places that the viewer may not see; none if no place is left.
    fn narrowed(
        &self,
        searcher: &Searcher,
        seen: &Seen,
        filters: &Filters,
    ) -> tantivy::Result<Option<Filters>> {
        let visible = seen.among(searcher, &self.fields, filters.within.iter().copied())?;
        let within: Vec<NotionId> =
            filters.within.iter().copied().filter(|place| visible.contains(place)).collect();
        if within.is_empty() && !filters.within.is_empty() {
            return Ok(None);
        }
        Ok(Some(Filters { within, ..filters.clone() }))
    }

    fn may_see(&self, searcher: &Searcher, seen: &Seen) -> MaySee {
        let (searcher, fields, seen) = (searcher.clone(), self.fields, seen.clone());
        Box::new(move |objects| seen.among(&searcher, &fields, objects))
    }

    /// Shows what was found, with those titles of other items that the viewer may see.
    fn present(&self, searcher: &Searcher, answer: Answer) -> Result<SearchResponse, IndexError> {
        let Answer { ranked, relaxed, joined, seen, highlighter } = answer;
        let mut found = Vec::new();
        for (score, address) in ranked.page {
            found.push((score, self.load(searcher, address)?));
        }
        let named = found.iter().flat_map(|(_, document)| document.entry.names());
        let visible =
            seen.among(searcher, &self.fields, named).map_err(|error| self.error("search", error))?;
        let may_see = |id| visible.contains(&id);
        let hits =
            found.into_iter().map(|(score, document)| hit(document, score, &highlighter, joined, may_see));
        Ok(SearchResponse { total: ranked.total, relaxed, hits: hits.collect(), facets: ranked.facets })
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
        let searcher = self.searcher();
        let find = || {
            let seen = Seen::of(&searcher, &self.fields, viewer)?;
            let named: Box<dyn Query> = Box::new(TermQuery::new(term, IndexRecordOption::Basic));
            let clauses = std::iter::once(named).chain(seen.query());
            let query = BooleanQuery::new(clauses.map(|clause| (Occur::Must, clause)).collect());
            let by_key = (SortByString::for_field(KEY_FIELD), Order::Asc);
            searcher.search(&query, &TopDocs::with_limit(1).order_by(by_key))
        };
        let found = find().map_err(|error| self.error("search", error))?;
        found.first().map(|(_, address)| self.load(&searcher, *address)).transpose()
    }

    /// How many items a viewer may see.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn count_visible(&self, viewer: &Viewer) -> Result<usize, IndexError> {
        let searcher = self.searcher();
        let count = || {
            let query = Seen::of(&searcher, &self.fields, viewer)?.query();
            searcher.search(&*query.unwrap_or_else(|| Box::new(AllQuery)), &Count)
        };
        count().map_err(|error| self.error("search", error))
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
            related: text(self.fields.related),
            anchors: anchors.unwrap_or_default().to_vec(),
        })
    }
}

/// What was found, before it is shown.
struct Answer {
    ranked: Ranked,
    relaxed: bool,
    joined: bool,
    seen: Seen,
    highlighter: Highlighter,
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

fn hit(
    document: Document,
    score: f32,
    highlighter: &Highlighter,
    joined: bool,
    may_see: impl Fn(NotionId) -> bool,
) -> Hit {
    let Document { entry, text, properties, related, anchors } = document;
    let texts = [text.as_str(), &properties, &related];
    let (snippet, place) = highlighter.snippet(if joined { &texts } else { &texts[..2] });
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
        parent: entry.breadcrumb.last().map(|crumb| crumb.id).filter(|parent| may_see(*parent)),
        breadcrumb: entry.breadcrumb.into_iter().filter(|crumb| may_see(crumb.id)).collect(),
        properties: shown_properties(entry.properties, &may_see),
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
