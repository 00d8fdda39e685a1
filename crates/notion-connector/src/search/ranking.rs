//! From a parsed query to a query of the index: what matches, and what ranks first.
//!
//! Each thing wanted is a disjunction over the fields; the best field counts in full, the others a little, so that a
//! word in title and body does not win over two words. Texts in which the words stand together, and titles that are
//! the query, rank higher. Who asks and the filters are required clauses of the same query: nothing is counted or
//! ranked that the viewer may not see. Pure.

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, FuzzyTermQuery,
    Occur, PhrasePrefixQuery, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::analysis::stem;
use super::filters::{Filters, filter_queries};
use super::query::{Clause, Matching, ParsedQuery};
use super::schema::Fields;

/// The numbers that ranking turns on.
///
/// The defaults were chosen with `examples/ranking.rs` on 6,000 pages of product documentation and 200 known-item
/// queries (MRR@10 0.908, recall@10 0.950). There, a heavy title (4) costs 0.05, no stemming 0.01, no lift for words
/// that stand together 0.02, all words required 0.02.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Title, as written.
    pub title: f32,
    /// Title, by stem.
    pub title_stem: f32,
    /// Headings in the body.
    pub headings: f32,
    /// Titles of the ancestors.
    pub breadcrumb: f32,
    /// Body, as written.
    pub body: f32,
    /// Body, by stem.
    pub body_stem: f32,
    /// Properties, as written.
    pub properties: f32,
    /// Properties, by stem.
    pub properties_stem: f32,
    /// How much the fields count that are not the best, for each word.
    pub tie_breaker: f32,
    /// Neighbouring words that are neighbours in the title.
    pub title_pair: f32,
    /// Neighbouring words that are neighbours in the body.
    pub body_pair: f32,
    /// The words near each other in the title.
    pub title_near: f32,
    /// A title that is the query.
    pub title_whole: f32,
    /// What share of three or more words must occur.
    pub required_share: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            title: 1.0,
            title_stem: 1.5,
            headings: 1.0,
            breadcrumb: 0.3,
            body: 1.0,
            body_stem: 0.8,
            properties: 0.8,
            properties_stem: 0.6,
            tie_breaker: 0.3,
            title_pair: 0.3,
            body_pair: 0.5,
            title_near: 1.0,
            title_whole: 10.0,
            required_share: 0.6,
        }
    }
}

type BoxedQuery = Box<dyn Query>;

/// Most neighbours that are looked for: positions are the dear part of a query.
const MAX_PAIRS: usize = 8;
/// Most terms that a prefix stands for inside a phrase.
const MAX_EXPANSIONS: u32 = 200;

/// Who asks, as far as the query says it.
#[derive(Debug)]
pub(super) struct Asking {
    /// What they may see; none for everything.
    pub(super) seen: Option<BoxedQuery>,
    /// Whether titles are searched that are joined from other items, because they may see all of those.
    pub(super) searches_joined: bool,
}

/// The whole query: what is wanted, who asks, and the filters.
pub(super) fn build(
    query: &ParsedQuery,
    fields: &Fields,
    asking: Asking,
    filters: &Filters,
    weights: &Weights,
) -> BoxedQuery {
    let joined = asking.searches_joined;
    let mut clauses: Vec<(Occur, BoxedQuery)> = asking
        .seen
        .into_iter()
        .chain(filter_queries(fields, filters, joined))
        .map(|filter| (Occur::Must, unscored(filter)))
        .collect();
    clauses.push((Occur::Must, wanted(query, fields, joined, weights)));
    for clause in optional(query) {
        clauses.push((Occur::Should, clause_query(clause, fields, joined, weights)));
    }
    for boost in closeness(query, fields, weights) {
        clauses.push((Occur::Should, boost));
    }
    for clause in &query.excluded {
        clauses.push((Occur::MustNot, clause_query(clause, fields, joined, weights)));
    }
    Box::new(BooleanQuery::new(clauses))
}

fn unscored(query: BoxedQuery) -> BoxedQuery {
    Box::new(ConstScoreQuery::new(query, 0.0))
}

fn optional(query: &ParsedQuery) -> impl Iterator<Item = &Clause> {
    query.wanted.iter().filter(|clause| clause.optional)
}

fn wanted(query: &ParsedQuery, fields: &Fields, joined: bool, weights: &Weights) -> BoxedQuery {
    let mut firm: Vec<BoxedQuery> = query
        .wanted
        .iter()
        .filter(|clause| !clause.optional)
        .map(|c| clause_query(c, fields, joined, weights))
        .collect();
    match firm.len() {
        0 => unscored(Box::new(AllQuery)),
        1 => firm.remove(0),
        _ => Box::new(BooleanQuery::union_with_minimum_required_clauses(
            firm,
            query.required(weights.required_share),
        )),
    }
}

/// One thing wanted, in any field and in any of its spellings.
fn clause_query(clause: &Clause, fields: &Fields, joined: bool, weights: &Weights) -> BoxedQuery {
    let mut places = vec![
        (fields.title, weights.title),
        (fields.body, weights.body),
        (fields.properties, weights.properties),
    ];
    places.extend(joined.then_some((fields.related, weights.properties)));
    // These two exist once, stemmed; what has no stem is in them as it is.
    let mut once = vec![(fields.headings, weights.headings)];
    once.extend(joined.then_some((fields.breadcrumb, weights.breadcrumb)));
    if clause.unspaced {
        places.extend(once.iter().copied());
    }
    let mut alternatives: Vec<BoxedQuery> = Vec::new();
    for sequence in &clause.sequences {
        for &(field, boost) in &places {
            alternatives.push(boosted(sequence_query(field, sequence, clause.matching), boost));
        }
    }
    let mut stemmed = vec![
        (fields.title_stem, weights.title_stem),
        (fields.body_stem, weights.body_stem),
        (fields.properties_stem, weights.properties_stem),
    ];
    stemmed.extend(joined.then_some((fields.related_stem, weights.properties_stem)));
    if clause.matching == Matching::Word && !clause.unspaced {
        for sequence in &clause.sequences {
            let stems: Vec<String> = sequence.iter().map(|term| stem(term)).collect();
            for &(field, boost) in stemmed.iter().chain(&once) {
                alternatives.push(boosted(sequence_query(field, &stems, clause.matching), boost));
            }
        }
    }
    Box::new(DisjunctionMaxQuery::with_tie_breaker(alternatives, weights.tie_breaker))
}

fn boosted(query: BoxedQuery, boost: f32) -> BoxedQuery {
    Box::new(BoostQuery::new(query, boost))
}

fn sequence_query(field: Field, sequence: &[String], matching: Matching) -> BoxedQuery {
    let terms: Vec<Term> = sequence.iter().map(|term| Term::from_field_text(field, term)).collect();
    match (terms.as_slice(), matching) {
        ([], _) => Box::new(EmptyQuery),
        ([only], Matching::Prefix) => {
            let exact = Box::new(TermQuery::new(only.clone(), IndexRecordOption::WithFreqs));
            let prefix = Box::new(FuzzyTermQuery::new_prefix(only.clone(), 0, true));
            Box::new(DisjunctionMaxQuery::new(vec![exact, prefix]))
        }
        ([only], _) => Box::new(TermQuery::new(only.clone(), IndexRecordOption::WithFreqs)),
        (_, Matching::Prefix) => {
            let mut query = PhrasePrefixQuery::new(terms);
            query.set_max_expansions(MAX_EXPANSIONS);
            Box::new(query)
        }
        _ => Box::new(PhraseQuery::new(terms)),
    }
}

/// What lifts texts that have the words together.
fn closeness(query: &ParsedQuery, fields: &Fields, weights: &Weights) -> Vec<BoxedQuery> {
    let mut boosts: Vec<BoxedQuery> = Vec::new();
    if !query.title_key.is_empty() && weights.title_whole > 0.0 {
        let whole = TermQuery::new(
            Term::from_field_text(fields.title_whole, &query.title_key),
            IndexRecordOption::Basic,
        );
        boosts.push(Box::new(ConstScoreQuery::new(Box::new(whole), weights.title_whole)));
    }
    let spaced: Vec<Vec<String>> = query
        .wanted
        .iter()
        .filter(|clause| !clause.unspaced && clause.matching == Matching::Word)
        .filter_map(|clause| clause.sequences.first())
        .map(|terms| terms.iter().map(|term| stem(term)).collect())
        .collect();
    for pair in spaced.windows(2).take(MAX_PAIRS) {
        let sequence = pair.concat();
        for (field, boost) in [(fields.title_stem, weights.title_pair), (fields.body_stem, weights.body_pair)]
        {
            if boost > 0.0 {
                boosts.push(boosted(sequence_query(field, &sequence, Matching::Phrase), boost));
            }
        }
    }
    if spaced.len() > 1 && weights.title_near > 0.0 {
        let terms: Vec<Term> = spaced
            .concat()
            .iter()
            .take(MAX_PAIRS)
            .map(|term| Term::from_field_text(fields.title_stem, term))
            .collect();
        let mut near = PhraseQuery::new(terms);
        near.set_slop(2);
        boosts.push(boosted(Box::new(near), weights.title_near));
    }
    boosts
}
