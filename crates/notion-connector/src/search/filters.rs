//! What narrows a search: kinds, places, extensions of files, editors, times, and the properties of rows.
//!
//! A filter on a property is typed by what it is compared with: `3` is a number and a text, `2026-03-01` a date and a
//! text, and each matches the columns that hold such values. Building is pure; every filter becomes a clause of the
//! index query. To add an operator: [`Operator`], its sign in [`SIGNS`], its meaning in `condition`.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use tantivy::Term;
use tantivy::query::{
    BooleanQuery, EmptyQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::analysis::words;
use super::keys::{MAX_NAME_BYTES, clean, name_key, number_key, time_key, value_key, written_time};
use super::properties::{SEPARATOR, Said, term};
use super::schema::{Fields, date_time};
use crate::model::{ItemKind, NotionId};

/// Most words of one filter that are looked for.
const MAX_WORDS: usize = 50;

/// Narrows a search. Those of different kinds all apply; of one kind, any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Any of these kinds; empty for all.
    pub kinds: Vec<ItemKind>,
    /// Any of these objects and everything below it; empty for all.
    pub within: Vec<NotionId>,
    /// Files whose names end so, without the dot; empty for all items.
    pub extensions: Vec<String>,
    /// Edited last by any of these: ids or names; empty for all.
    pub editors: Vec<String>,
    /// Last edited at this time or later.
    pub edited_from: Option<Timestamp>,
    /// Last edited before this time.
    pub edited_before: Option<Timestamp>,
    /// Created at this time or later.
    pub created_from: Option<Timestamp>,
    /// Created before this time.
    pub created_before: Option<Timestamp>,
    /// What must hold of the properties. Of one column, *is*, *contains* and *is empty* are alternatives; all else
    /// must hold.
    pub properties: Vec<PropertyFilter>,
}

/// How a property is compared. A date that is a range matches when any part of it does: it is *before* what it
/// begins before, *after* what it ends after, and *is* what it has a part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Has this value, or one of its values is this.
    Is,
    /// Has the column and not this value; may be empty.
    IsNot,
    /// Has these words, side by side.
    Contains,
    /// A smaller number; a date that begins earlier.
    Before,
    /// A larger number; a date that ends later.
    After,
    /// Not smaller; not over before.
    AtLeast,
    /// Not larger; begun by then.
    AtMost,
    /// Has the column, and nothing in it.
    IsEmpty,
    /// Has something in the column.
    IsNotEmpty,
}

/// The signs as they are typed, those first that begin as another one does.
const SIGNS: [(&str, Operator); 7] = [
    ("!=", Operator::IsNot),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Is),
    ("~", Operator::Contains),
    ("<", Operator::Before),
    (">", Operator::After),
];

/// A condition on a column: `Status=In review`, `Due>=2026-03-01`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyFilter {
    name: String,
    operator: Operator,
    value: String,
}

/// Why a filter cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It holds no sign.
    #[error("“{0}” says nothing of a column; write for example Status=Done, with one of = != ~ < <= > >=")]
    NoOperator(String),
    /// It names no column.
    #[error("“{0}” names no column; write for example Status=Done")]
    NoName(String),
    /// A name in quotation marks is cut short.
    #[error("“{0}” has a quotation mark that is not closed, or no sign behind the name in them")]
    Unbalanced(String),
    /// It compares with something that has no order.
    #[error("“{0}” is neither a number nor a date such as 2026-03-01 or 2026-03-01T09:00:00Z")]
    NoOrder(String),
    /// It is no time.
    #[error("“{0}” is no time; write for example 2026-03-01 or 2026-03-01T09:00:00Z")]
    NoTime(String),
    /// It looks for words and has none.
    #[error("“{0}” holds no word to look for")]
    NoWord(String),
}

/// A time to narrow by: a day, which begins at midnight UTC, or a time with its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PointInTime(pub Timestamp);

impl TryFrom<String> for PointInTime {
    type Error = FilterError;

    fn try_from(text: String) -> Result<Self, FilterError> {
        text.parse()
    }
}

impl FromStr for PointInTime {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let time = written_time(text).and_then(|written| {
            Timestamp::from_millisecond(written.instant.unwrap_or(written.civil).from).ok()
        });
        time.map(Self).ok_or_else(|| FilterError::NoTime(short(text)))
    }
}

impl PropertyFilter {
    /// A condition; nothing as the value of *is* stands for *is empty*.
    ///
    /// # Errors
    /// When the name is empty, or the value is not one that the operator can compare with.
    pub fn new(name: &str, operator: Operator, value: &str) -> Result<Self, FilterError> {
        let (name, value) = (clean(name, MAX_NAME_BYTES), value.trim());
        if name.is_empty() {
            return Err(FilterError::NoName(short(value)));
        }
        let operator = match operator {
            Operator::Is if value.is_empty() => Operator::IsEmpty,
            Operator::IsNot if value.is_empty() => Operator::IsNotEmpty,
            operator => operator,
        };
        match operator {
            Operator::Before | Operator::After | Operator::AtLeast | Operator::AtMost
                if number_key(value).is_none() && written_time(value).is_none() =>
            {
                return Err(FilterError::NoOrder(short(value)));
            }
            Operator::Contains if words(value).next().is_none() => {
                return Err(FilterError::NoWord(short(value)));
            }
            _ => {}
        }
        Ok(Self { name, operator, value: value.to_owned() })
    }

    /// The column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is compared.
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// What it is compared with; empty where nothing is.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// As people read it: “Status: Done”, “Points ≥ 3”.
    pub fn describe(&self) -> String {
        let Self { name, operator, value } = self;
        match operator {
            Operator::Is => format!("{name}: {value}"),
            Operator::IsNot => format!("{name} is not {value}"),
            Operator::Contains => format!("{name} contains {value}"),
            Operator::Before => format!("{name} < {value}"),
            Operator::After => format!("{name} > {value}"),
            Operator::AtLeast => format!("{name} ≥ {value}"),
            Operator::AtMost => format!("{name} ≤ {value}"),
            Operator::IsEmpty => format!("{name} is empty"),
            Operator::IsNotEmpty => format!("{name} is not empty"),
        }
    }

    /// Whether it is one of several alternatives for its column.
    const fn is_alternative(&self) -> bool {
        matches!(self.operator, Operator::Is | Operator::Contains | Operator::IsEmpty)
    }
}

impl FromStr for PropertyFilter {
    type Err = FilterError;

    /// Reads `Name=value`. A name that holds a sign stands in quotation marks, doubled where it holds them:
    /// `"a=b"=value`.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let trimmed = text.trim_start();
        let (name, rest) = match trimmed.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or_else(|| FilterError::Unbalanced(short(text)))?,
            None => {
                let at =
                    trimmed.find(['=', '~', '<', '>']).ok_or_else(|| FilterError::NoOperator(short(text)))?;
                let at =
                    if trimmed[at..].starts_with('=') && trimmed[..at].ends_with('!') { at - 1 } else { at };
                (trimmed[..at].to_owned(), &trimmed[at..])
            }
        };
        let rest = rest.trim_start();
        let (operator, value) = SIGNS
            .iter()
            .find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)))
            .ok_or_else(|| FilterError::Unbalanced(short(text)))?;
        if name.trim().is_empty() {
            return Err(FilterError::NoName(short(text)));
        }
        Self::new(&name, operator, value)
    }
}

/// The name in quotation marks, and what stands behind them.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, behind)),
        }
    }
}

impl fmt::Display for PropertyFilter {
    /// As it can be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(['=', '~', '<', '>', '"', '!']) {
            write!(f, "\"{}\"", self.name.replace('"', "\"\""))?;
        } else {
            f.write_str(&self.name)?;
        }
        let sign = match self.operator {
            Operator::Is | Operator::IsEmpty => "=",
            Operator::IsNot | Operator::IsNotEmpty => "!=",
            Operator::Contains => "~",
            Operator::Before => "<",
            Operator::After => ">",
            Operator::AtLeast => ">=",
            Operator::AtMost => "<=",
        };
        write!(f, "{sign}{}", self.value)
    }
}

/// As much of what was given as is worth repeating.
fn short(text: &str) -> String {
    const CHARS: usize = 60;
    match text.char_indices().nth(CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

type BoxedQuery = Box<dyn Query>;

/// The clauses that all must hold. Titles of related pages count where the viewer may search what is joined.
pub(super) fn filter_queries(fields: &Fields, filters: &Filters, joined: bool) -> Vec<BoxedQuery> {
    let mut queries: Vec<BoxedQuery> = Vec::new();
    if !filters.kinds.is_empty() {
        let kinds = filters.kinds.iter().map(|kind| Term::from_field_text(fields.kind, kind.as_str()));
        queries.push(Box::new(TermSetQuery::new(kinds)));
    }
    if !filters.within.is_empty() {
        let places = [fields.ancestors, fields.id];
        let terms = filters.within.iter().flat_map(|&root| places.map(|field| fields.id_term(field, root)));
        queries.push(Box::new(TermSetQuery::new(terms)));
    }
    if !filters.extensions.is_empty() {
        let keys = filters.extensions.iter().map(|extension| extension_key(extension));
        let terms = keys.map(|key| Term::from_field_text(fields.extension, &key));
        queries.push(Box::new(TermSetQuery::new(terms)));
    }
    if !filters.editors.is_empty() {
        let terms = filters.editors.iter().flat_map(|editor| value_terms(editor));
        queries
            .push(Box::new(TermSetQuery::new(terms.map(|key| Term::from_field_text(fields.editor, &key)))));
    }
    let edited = (fields.edited, filters.edited_from, filters.edited_before);
    let created = (fields.created, filters.created_from, filters.created_before);
    for (field, from, before) in [edited, created] {
        if from.is_some() || before.is_some() {
            let term = |time| Term::from_field_date(field, date_time(time));
            let from = from.map_or(Bound::Unbounded, |time| Bound::Included(term(time)));
            let before = before.map_or(Bound::Unbounded, |time| Bound::Excluded(term(time)));
            queries.push(Box::new(RangeQuery::new(from, before)));
        }
    }
    queries.extend(property_queries(fields, &filters.properties, joined));
    queries
}

fn property_queries(fields: &Fields, filters: &[PropertyFilter], joined: bool) -> Vec<BoxedQuery> {
    let mut queries = Vec::new();
    let mut alternatives: BTreeMap<String, Vec<BoxedQuery>> = BTreeMap::new();
    for filter in filters {
        let column = Column { fields, key: name_key(&filter.name), joined };
        let query = column.condition(filter.operator, &filter.value);
        if filter.is_alternative() {
            alternatives.entry(column.key).or_default().push(query);
        } else {
            queries.push(query);
        }
    }
    queries.extend(alternatives.into_values().map(any));
    queries
}

/// A column that is asked about.
struct Column<'a> {
    fields: &'a Fields,
    key: String,
    /// Whether titles of related pages are among its values.
    joined: bool,
}

impl Column<'_> {
    fn condition(&self, operator: Operator, value: &str) -> BoxedQuery {
        match operator {
            Operator::Is => self.is(value),
            Operator::IsNot => but_not(self.said(Said::Column, ""), self.is(value)),
            Operator::Contains => self.contains(value),
            Operator::IsEmpty => but_not(self.said(Said::Column, ""), self.said(Said::Filled, "")),
            Operator::IsNotEmpty => self.said(Said::Filled, ""),
            Operator::Before | Operator::After | Operator::AtLeast | Operator::AtMost => {
                any(self.ordered(operator, value))
            }
        }
    }

    fn is(&self, value: &str) -> BoxedQuery {
        let mut ways: Vec<BoxedQuery> =
            value_terms(value).into_iter().map(|key| self.said(Said::Value, &key)).collect();
        if self.joined {
            let related = Term::from_field_text(
                self.fields.related_terms,
                &term(&self.key, Said::Value, &value_key(value)),
            );
            ways.push(Box::new(TermQuery::new(related, IndexRecordOption::Basic)));
        }
        if let Some(number) = number_key(value) {
            ways.push(self.said(Said::Number, &number));
        }
        // What is neither over before nor begins after it.
        let (begun, not_over) = (self.dated(Operator::AtMost, value), self.dated(Operator::AtLeast, value));
        ways.extend(begun.zip(not_over).map(|(begun, not_over)| all(vec![begun, not_over])));
        any(ways)
    }

    fn ordered(&self, operator: Operator, value: &str) -> Vec<BoxedQuery> {
        let number = number_key(value).map(|key| match operator {
            Operator::Before => self.below(Said::Number, Bound::Excluded(&key)),
            Operator::AtMost => self.below(Said::Number, Bound::Included(&key)),
            Operator::After => self.above(Said::Number, Bound::Excluded(&key)),
            _ => self.above(Said::Number, Bound::Included(&key)),
        });
        number.into_iter().chain(self.dated(operator, value)).collect()
    }

    /// A time with an offset is compared with instants, all others with dates as they are written.
    fn dated(&self, operator: Operator, value: &str) -> Option<BoxedQuery> {
        let written = written_time(value)?;
        let (asked, begin, end) = match written.instant {
            Some(instant) => (instant, Said::InstantFrom, Said::InstantTo),
            None => (written.civil, Said::CivilFrom, Said::CivilTo),
        };
        let (from, to) = (time_key(asked.from), time_key(asked.to));
        Some(match operator {
            Operator::Before => self.below(begin, Bound::Excluded(&from)),
            Operator::AtMost => self.below(begin, Bound::Excluded(&to)),
            Operator::After => self.above(end, Bound::Excluded(&to)),
            _ => self.above(end, Bound::Excluded(&from)),
        })
    }

    fn contains(&self, value: &str) -> BoxedQuery {
        let mut fields = vec![self.fields.property_words];
        fields.extend(self.joined.then_some(self.fields.related_words));
        any(fields.into_iter().map(|field| self.contains_in(field, value)).collect())
    }

    fn contains_in(&self, field: Field, value: &str) -> BoxedQuery {
        let terms: Vec<Term> = words(value)
            .flat_map(|word| word.parts)
            .take(MAX_WORDS)
            .map(|part| {
                let term = format!("{}{SEPARATOR}{}", self.key, part.text);
                Term::from_field_text(field, &term)
            })
            .collect();
        match terms.as_slice() {
            [] => Box::new(EmptyQuery),
            [only] => Box::new(TermQuery::new(only.clone(), IndexRecordOption::Basic)),
            _ => Box::new(PhraseQuery::new(terms)),
        }
    }

    fn term(&self, said: Said, value: &str) -> Term {
        Term::from_field_text(self.fields.property_terms, &term(&self.key, said, value))
    }

    fn said(&self, said: Said, value: &str) -> BoxedQuery {
        Box::new(TermQuery::new(self.term(said, value), IndexRecordOption::Basic))
    }

    fn below(&self, said: Said, bound: Bound<&String>) -> BoxedQuery {
        let from = Bound::Included(self.term(said, ""));
        Box::new(RangeQuery::new(from, bound.map(|key| self.term(said, key))))
    }

    fn above(&self, said: Said, bound: Bound<&String>) -> BoxedQuery {
        // No key of a number or a time begins so.
        let to = Bound::Excluded(self.term(said, "\u{7f}"));
        Box::new(RangeQuery::new(bound.map(|key| self.term(said, key)), to))
    }
}

/// An extension as it is indexed, however it is typed: “PDF”, “.pdf”.
fn extension_key(typed: &str) -> String {
    typed.trim().trim_start_matches('.').to_lowercase()
}

/// What a value may be indexed as: a text, or an id in one spelling.
fn value_terms(value: &str) -> Vec<String> {
    let id = value.trim().parse::<NotionId>().ok().map(|id| id.0.simple().to_string());
    let key = Some(value_key(value)).filter(|key| Some(key) != id.as_ref());
    key.into_iter().chain(id).collect()
}

/// The terms by which an editor is found.
pub(super) fn editor_terms(id: NotionId, name: Option<&str>) -> Vec<String> {
    let name = name.map(value_key).filter(|key| !key.is_empty());
    std::iter::once(id.0.simple().to_string()).chain(name).collect()
}

fn any(mut queries: Vec<BoxedQuery>) -> BoxedQuery {
    if queries.len() == 1 { queries.remove(0) } else { Box::new(BooleanQuery::union(queries)) }
}

fn all(queries: Vec<BoxedQuery>) -> BoxedQuery {
    Box::new(BooleanQuery::intersection(queries))
}

fn but_not(wanted: BoxedQuery, unwanted: BoxedQuery) -> BoxedQuery {
    Box::new(BooleanQuery::new(vec![(Occur::Must, wanted), (Occur::MustNot, unwanted)]))
}
