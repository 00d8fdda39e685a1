//! Facets: how many of the matching items have which kind, are files of which extension, stand in which database, were
//! edited by whom, and have which values in their properties.
//!
//! Everything that can be counted of an item is a term of one column: a letter for the facet, a key, and how it is
//! shown. A search counts the terms of what it matched, so that counts are exact and hold nothing that the viewer may
//! not see. The keys of properties begin with the column's name, so that only those of the columns that are shown are
//! read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::Bound;
use std::str::FromStr;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::StrColumn;
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::keys::{MAX_VALUE_BYTES, clean};
use super::properties::{PropertyTerms, SEPARATOR};
use crate::model::{Crumb, Delivery, ItemKind, NotionId};

/// Most columns that are counted; those that most of the matching items have a value in.
pub const MAX_PROPERTIES: usize = 12;
/// Most values of a facet that are listed; those that most of the matching items have.
pub const MAX_VALUES: usize = 10;

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FacetBy {
    /// Kinds of items.
    Kind,
    /// Extensions of files.
    Extension,
    /// Databases, with everything below them.
    Database,
    /// Who edited last.
    Editor,
    /// Values of properties: options, yes and no, people, titles of related pages.
    Property,
}

impl FacetBy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Kind, Self::Extension, Self::Database, Self::Editor, Self::Property];

    /// The name in parameters and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Extension => "extension",
            Self::Database => "database",
            Self::Editor => "editor",
            Self::Property => "property",
        }
    }
}

impl fmt::Display for FacetBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was named cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is none of kind, extension, database, editor, property")]
pub struct UnknownFacet(String);

impl FromStr for FacetBy {
    type Err = UnknownFacet;

    fn from_str(text: &str) -> Result<Self, UnknownFacet> {
        Self::ALL
            .into_iter()
            .find(|facet| facet.as_str() == text)
            .ok_or_else(|| UnknownFacet(text.chars().take(60).collect()))
    }
}

/// The counts of one answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// In the order of [`FacetBy::ALL`]; properties by how many items have a value. None without a value.
    pub facets: Vec<Facet>,
    /// How many columns there are beyond those that are counted.
    pub more_properties: usize,
}

/// One thing that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// What it is.
    pub by: FacetBy,
    /// The column, for a property.
    pub property: Option<String>,
    /// Most frequent first.
    pub values: Vec<FacetValue>,
    /// How many further values there are.
    pub more: usize,
}

/// One value and how many have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// What a filter asks for: a kind, an id, the value of a property.
    pub value: String,
    /// As people read it.
    pub label: String,
    /// How many matching items.
    pub count: usize,
}

const KIND: char = 'k';
const EXTENSION: char = 'x';
const DATABASE: char = 'd';
/// Data sources in a database, with its id behind theirs.
const DATA_SOURCE: char = 's';
const EDITOR: char = 'e';
/// Columns with a value that can be counted.
const COLUMN: char = 'c';
const PROPERTY: char = 'p';
/// The same of titles of related pages, which are counted only for who may see all of them.
const RELATED_COLUMN: char = 'r';
const RELATED: char = 'q';

/// What can be counted of an item.
pub(super) fn facet_terms(delivery: &Delivery, properties: &PropertyTerms) -> BTreeSet<String> {
    let item = &delivery.item;
    let mut terms = BTreeSet::new();
    let mut add = |facet: char, key: &str, shown: &str| {
        terms.insert(format!("{facet}{key}{SEPARATOR}{}", clean(shown, MAX_VALUE_BYTES)));
    };
    add(KIND, item.kind.as_str(), item.kind.as_str());
    if let Some(file) = item.file.as_ref().filter(|file| !file.extension.is_empty()) {
        add(EXTENSION, &clean(&file.extension, MAX_VALUE_BYTES), &file.extension);
    }
    let own = Crumb { id: item.id, kind: item.kind, title: item.title.clone(), is_held: true };
    let places: Vec<&Crumb> = delivery.ancestors.iter().chain([&own]).collect();
    for (at, place) in places.iter().enumerate() {
        let above = at.checked_sub(1).map(|above| places[above]);
        let id = place.id.0.simple();
        // A data source stands for itself when its database cannot be seen, by nobody or by who asks.
        match (place.kind, above.filter(|above| above.kind == ItemKind::Database)) {
            (ItemKind::DataSource, Some(database)) => {
                add(DATA_SOURCE, &format!("{id}{}", database.id.0.simple()), &place.title);
            }
            (ItemKind::Database, _) | (ItemKind::DataSource, None) => {
                add(DATABASE, &id.to_string(), &place.title);
            }
            _ => {}
        }
    }
    if let Some(editor) = item.last_edited_by {
        let name = delivery.last_edited_by_name.as_deref().unwrap_or_default();
        add(EDITOR, &editor.0.simple().to_string(), name);
    }
    let own = (COLUMN, PROPERTY, &properties.countable);
    for (of_columns, of_values, countable) in [own, (RELATED_COLUMN, RELATED, &properties.related.countable)]
    {
        let mut columns: BTreeMap<&str, &str> = BTreeMap::new();
        for ((column, _), (name, value)) in countable {
            columns.entry(column).or_insert(name);
            add(of_values, column, value);
        }
        for (column, name) in columns {
            add(of_columns, column, name);
        }
    }
    terms
}

/// Counts while a search runs.
pub(super) struct FacetCollector {
    /// Name of the column with [`facet_terms`].
    pub(super) field: &'static str,
    pub(super) wanted: BTreeSet<FacetBy>,
    /// Whether titles of related pages are counted.
    pub(super) joined: bool,
    /// Which databases the viewer may see.
    pub(super) may_see: MaySee,
}

/// Those of these objects that a viewer may see.
pub(super) type MaySee = Box<dyn Fn(BTreeSet<NotionId>) -> tantivy::Result<BTreeSet<NotionId>> + Send + Sync>;

/// The counts of one segment.
pub(super) struct SegmentCounts {
    column: Option<StrColumn>,
    /// By ordinal of the term.
    counts: Vec<u32>,
}

impl Collector for FacetCollector {
    type Fruit = Facets;
    type Child = SegmentCounts;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentCounts> {
        let column = segment.fast_fields().str(self.field)?;
        let terms = column.as_ref().map_or(0, |column| column.num_terms());
        Ok(SegmentCounts { column, counts: vec![0; terms] })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<SegmentCounts>) -> tantivy::Result<Facets> {
        let mut facets = Facets::default();
        for by in &self.wanted {
            let facet = match by {
                FacetBy::Kind => KIND,
                FacetBy::Extension => EXTENSION,
                FacetBy::Database => DATABASE,
                FacetBy::Editor => EDITOR,
                FacetBy::Property => {
                    add_properties(&mut facets, &segments, self.joined)?;
                    continue;
                }
            };
            let tallies = match by {
                FacetBy::Database => self.databases(&segments)?,
                _ => tally(&segments, &facet.to_string(), key_and_shown)?,
            };
            facets.facets.extend(top(*by, None, tallies, |key, _| key.to_owned()));
        }
        Ok(facets)
    }
}

impl FacetCollector {
    /// Databases that the viewer may see, and data sources of those that they may not.
    fn databases(&self, segments: &[SegmentCounts]) -> tantivy::Result<Tallies> {
        let databases = tally(segments, &DATABASE.to_string(), key_and_shown)?;
        let data_sources = tally(segments, &DATA_SOURCE.to_string(), key_and_shown)?;
        let id = |key: &str| key.parse::<NotionId>().ok();
        let parted = |key: &str| Some((id(key.get(..32)?)?, id(key.get(32..)?)?));
        let named = data_sources.keys().filter_map(|key| parted(key)).flat_map(|(one, other)| [one, other]);
        let visible = (self.may_see)(databases.keys().filter_map(|key| id(key)).chain(named).collect())?;
        let mut shown = Tallies::new();
        for (key, tally) in databases {
            if id(&key).is_some_and(|database| visible.contains(&database)) {
                shown.insert(key, tally);
            }
        }
        for (key, tally) in data_sources {
            if let Some((data_source, database)) = parted(&key)
                && visible.contains(&data_source)
                && !visible.contains(&database)
            {
                shown.insert(data_source.0.simple().to_string(), tally);
            }
        }
        Ok(shown)
    }
}

/// Parts a term behind its letter.
fn key_and_shown(rest: &str) -> Option<(String, String)> {
    rest.split_once(SEPARATOR).map(|(key, shown)| (key.to_owned(), shown.to_owned()))
}

impl SegmentCollector for SegmentCounts {
    type Fruit = Self;

    fn collect(&mut self, doc: DocId, _: Score) {
        let Some(column) = &self.column else { return };
        for ord in column.term_ords(doc) {
            if let Some(count) = usize::try_from(ord).ok().and_then(|ord| self.counts.get_mut(ord)) {
                *count += 1;
            }
        }
    }

    fn harvest(self) -> Self {
        self
    }
}

impl SegmentCounts {
    /// Every term that was met and begins so, with its count. The last character of the prefix is of ASCII.
    fn each(&self, prefix: &str, mut see: impl FnMut(&str, u32)) -> io::Result<()> {
        let Some(column) = &self.column else { return Ok(()) };
        let mut behind = prefix.as_bytes().to_vec();
        if let Some(last) = behind.last_mut() {
            *last += 1;
        }
        let (from, to) = (Bound::Included(prefix.as_bytes()), Bound::Excluded(behind.as_slice()));
        let (from, to) = match column.dictionary().term_bounds_to_ord(from, to)? {
            (Bound::Included(from), Bound::Excluded(to)) => (from, to),
            (Bound::Included(from), Bound::Included(to)) => (from, to.saturating_add(1)),
            _ => return Ok(()),
        };
        // Behind the last term the dictionary names an ordinal that is none.
        let to = to.min(u64::try_from(self.counts.len()).unwrap_or(u64::MAX));
        let counted = |ord: &u64| usize::try_from(*ord).ok().and_then(|ord| self.counts.get(ord)).copied();
        let met: Vec<u64> = (from..to).filter(|ord| counted(ord).is_some_and(|count| count > 0)).collect();
        let mut counts = met.iter().filter_map(counted);
        column.dictionary().sorted_ords_to_term_cb(&met, |term| {
            let rest = std::str::from_utf8(term).ok().and_then(|term| term.strip_prefix(prefix));
            if let (Some(rest), Some(count)) = (rest, counts.next()) {
                see(rest, count);
            }
        })?;
        Ok(())
    }
}

/// How often a key was met, and its most frequent spelling.
#[derive(Debug, Default)]
struct Tally {
    count: usize,
    spellings: BTreeMap<String, usize>,
}

impl Tally {
    fn label(&self) -> &str {
        let most = self.spellings.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        most.map_or("", |(spelling, _)| spelling)
    }
}

type Tallies = BTreeMap<String, Tally>;

/// Sums the terms with a prefix over all segments; `read` parts the rest of a term into key and spelling.
fn tally(
    segments: &[SegmentCounts],
    prefix: &str,
    read: impl Fn(&str) -> Option<(String, String)>,
) -> io::Result<Tallies> {
    let mut tallies = Tallies::new();
    for segment in segments {
        segment.each(prefix, |rest, count| {
            if let Some((key, spelling)) = read(rest) {
                let tally = tallies.entry(key).or_default();
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                tally.count += count;
                *tally.spellings.entry(spelling).or_default() += count;
            }
        })?;
    }
    Ok(tallies)
}

fn add_properties(facets: &mut Facets, segments: &[SegmentCounts], joined: bool) -> io::Result<()> {
    let mut kinds = vec![(COLUMN, PROPERTY)];
    kinds.extend(joined.then_some((RELATED_COLUMN, RELATED)));
    let mut columns = Tallies::new();
    for (of_columns, _) in &kinds {
        let more = tally(segments, &of_columns.to_string(), key_and_shown)?;
        add_tallies(&mut columns, more);
    }
    facets.more_properties = columns.len().saturating_sub(MAX_PROPERTIES);
    for (column, tallied) in most(columns).into_iter().take(MAX_PROPERTIES) {
        let mut values = Tallies::new();
        for (_, of_values) in &kinds {
            let prefix = format!("{of_values}{column}{SEPARATOR}");
            let more = tally(segments, &prefix, |value| Some((value.to_lowercase(), value.to_owned())))?;
            add_tallies(&mut values, more);
        }
        let name = Some(tallied.label().to_owned());
        facets.facets.extend(top(FacetBy::Property, name, values, |_, label| label.to_owned()));
    }
    Ok(())
}

fn add_tallies(all: &mut Tallies, more: Tallies) {
    for (key, Tally { count, spellings }) in more {
        let tally = all.entry(key).or_default();
        tally.count += count;
        for (spelling, count) in spellings {
            *tally.spellings.entry(spelling).or_default() += count;
        }
    }
}

/// Most frequent first, and by key.
fn most(tallies: Tallies) -> Vec<(String, Tally)> {
    let mut ranked: Vec<(String, Tally)> = tallies.into_iter().collect();
    ranked.sort_by(|(a_key, a), (b_key, b)| b.count.cmp(&a.count).then_with(|| a_key.cmp(b_key)));
    ranked
}

fn top(
    by: FacetBy,
    property: Option<String>,
    tallies: Tallies,
    value: impl Fn(&str, &str) -> String,
) -> Option<Facet> {
    let more = tallies.len().saturating_sub(MAX_VALUES);
    let values: Vec<FacetValue> = most(tallies)
        .into_iter()
        .take(MAX_VALUES)
        .map(|(key, tally)| FacetValue {
            value: value(&key, tally.label()),
            label: tally.label().to_owned(),
            count: tally.count,
        })
        .collect();
    (!values.is_empty()).then_some(Facet { by, property, values, more })
}
