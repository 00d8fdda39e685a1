//! What a viewer may see, as a set of entries of each segment, and the query that asks for no others.
//!
//! Of an item the nearest audience rule decides. Each entry carries the objects of its path, itself the last, each with the depth
//! at which it stands ([`super::schema::Fields::places`]); so it suffices to go through the places of the rules by depth: what lies
//! below a place is added or taken away as its rule says, and the deepest has the last word. A path in the index is always one that
//! was true at one time, whatever rules or moves have come since.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use tantivy::index::SegmentId;
use tantivy::postings::TermInfo;
use tantivy::query::{
    BitSetDocSet, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, Score, Searcher, SegmentReader, Term};

use super::schema::Fields;
use crate::model::{ConnectorId, NotionId, RowsRuling, Ruling, Rulings, Sight, Viewer};

/// The term of entries whose whole path is not known.
pub(super) const PLACE_UNKNOWN: &str = "?";

/// The term of an object of a path, at its depth from the top.
pub(super) fn place_term(object: NotionId, depth: usize) -> String {
    format!("{}{depth:02x}", object.0.simple())
}

/// What a viewer may see of what a searcher shows.
#[derive(Clone)]
pub(super) enum Seen {
    /// Everything.
    All,
    /// These entries.
    Some(Arc<BTreeMap<SegmentId, BitSet>>),
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "All",
            Self::Some(_) => "Some",
        })
    }
}

impl Seen {
    pub(super) fn of(searcher: &Searcher, fields: &Fields, viewer: &Viewer) -> tantivy::Result<Self> {
        let Viewer::Mapped(sights) = viewer else { return Ok(Self::All) };
        let mut seen = BTreeMap::new();
        for reader in searcher.segment_readers() {
            let segment = Segment { reader, fields };
            seen.insert(reader.segment_id(), segment.seen(&sights.connectors)?);
        }
        Ok(Self::Some(Arc::new(seen)))
    }

    /// The clause that every query has; none for everything.
    pub(super) fn query(&self) -> Option<Box<dyn Query>> {
        match self {
            Self::All => None,
            Self::Some(_) => Some(Box::new(SeenQuery(self.clone()))),
        }
    }

    /// Those of these objects that are items which the viewer may see.
    pub(super) fn among(
        &self,
        searcher: &Searcher,
        fields: &Fields,
        objects: impl IntoIterator<Item = NotionId>,
    ) -> tantivy::Result<BTreeSet<NotionId>> {
        let objects: BTreeSet<NotionId> = objects.into_iter().collect();
        let Self::Some(seen) = self else { return Ok(objects) };
        let mut visible = BTreeSet::new();
        for reader in searcher.segment_readers() {
            let (segment, bits) = (Segment { reader, fields }, seen.get(&reader.segment_id()));
            let Some(bits) = bits else { continue };
            for object in &objects {
                let mut is_visible = false;
                segment.each(&fields.id_term(fields.id, *object), |doc| {
                    is_visible |= bits.contains(doc) && !reader.is_deleted(doc);
                })?;
                if is_visible {
                    visible.insert(*object);
                }
            }
        }
        Ok(visible)
    }
}

/// Matches what a viewer may see.
#[derive(Debug, Clone)]
struct SeenQuery(Seen);

impl Query for SeenQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for SeenQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let bits = match &self.0 {
            Seen::All => Some(BitSet::with_max_value_and_full(reader.max_doc())),
            // Of a segment that nobody looked at nothing is seen.
            Seen::Some(seen) => seen.get(&reader.segment_id()).cloned(),
        };
        Ok(match bits {
            Some(bits) => Box::new(ConstScorer::new(BitSetDocSet::from(bits), boost)),
            None => Box::new(EmptyScorer),
        })
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("may be seen", 1.0))
    }
}

struct Segment<'a> {
    reader: &'a SegmentReader,
    fields: &'a Fields,
}

/// A rule's place as a segment has it.
struct Step<'a> {
    depth: u8,
    entries: TermInfo,
    object: NotionId,
    ruling: &'a Ruling,
}

impl Segment<'_> {
    fn nothing(&self) -> BitSet {
        BitSet::with_max_value(self.reader.max_doc())
    }

    fn seen(&self, sights: &BTreeMap<ConnectorId, Sight>) -> tantivy::Result<BitSet> {
        let mut seen = self.nothing();
        for (connector, sight) in sights {
            let held = self.fields.holder_term(*connector);
            match sight {
                Sight::Everything => self.each(&held, |doc| _ = seen.insert(doc))?,
                Sight::Ruled(rulings) => {
                    let granted = self.granted(rulings, &held)?;
                    self.each(&held, |doc| {
                        if granted.contains(doc) {
                            seen.insert(doc);
                        }
                    })?;
                }
            }
        }
        Ok(seen)
    }

    /// What rules grant, whoever holds it.
    fn granted(&self, rulings: &Rulings, held: &Term) -> tantivy::Result<BitSet> {
        let mut granted = self.nothing();
        if rulings.whole {
            self.each(held, |doc| _ = granted.insert(doc))?;
            let unknown = Term::from_field_text(self.fields.places, PLACE_UNKNOWN);
            self.each(&unknown, |doc| granted.remove(doc))?;
        }
        for Step { entries, object, ruling, .. } in self.steps(rulings)? {
            match ruling.below {
                Some(true) => self.each_of(self.fields.places, &entries, |doc| _ = granted.insert(doc))?,
                Some(false) => self.each_of(self.fields.places, &entries, |doc| granted.remove(doc))?,
                None => {}
            }
            if let Some(rows) = &ruling.rows {
                self.grant_rows(&mut granted, rows, object, &entries)?;
            }
        }
        Ok(granted)
    }

    /// What lies below a data source is decided by marks; the data source itself is not.
    fn grant_rows(
        &self,
        granted: &mut BitSet,
        rows: &RowsRuling,
        data_source: NotionId,
        entries: &TermInfo,
    ) -> tantivy::Result<()> {
        let mut below = self.nothing();
        self.each_of(self.fields.places, entries, |doc| _ = below.insert(doc))?;
        self.each(&self.fields.id_term(self.fields.id, data_source), |doc| below.remove(doc))?;
        let all = *rows == RowsRuling::All;
        self.each_of(self.fields.places, entries, |doc| {
            if below.contains(doc) {
                match all {
                    true => _ = granted.insert(doc),
                    false => granted.remove(doc),
                }
            }
        })?;
        let RowsRuling::Marked(marks) = rows else { return Ok(()) };
        for mark in marks {
            self.each(&Term::from_field_text(self.fields.marks, mark), |doc| {
                if below.contains(doc) {
                    granted.insert(doc);
                }
            })?;
        }
        Ok(())
    }

    /// The places of rules, each as often as entries have it at another depth, outermost first.
    fn steps<'a>(&self, rulings: &'a Rulings) -> tantivy::Result<Vec<Step<'a>>> {
        let index = self.reader.inverted_index(self.fields.places)?;
        let mut steps = Vec::new();
        for (object, ruling) in &rulings.places {
            let place = object.0.simple().to_string();
            let mut terms = index
                .terms()
                .range()
                .ge(place.as_bytes())
                .lt(format!("{place}~").as_bytes())
                .into_stream()?;
            while let Some((term, entries)) = terms.next() {
                let depth = term.get(place.len()..).and_then(|depth| std::str::from_utf8(depth).ok());
                let Some(depth) = depth.and_then(|depth| u8::from_str_radix(depth, 16).ok()) else {
                    continue;
                };
                steps.push(Step { depth, entries: entries.clone(), object: *object, ruling });
            }
        }
        steps.sort_by_key(|step| step.depth);
        Ok(steps)
    }

    fn each(&self, term: &Term, see: impl FnMut(DocId)) -> tantivy::Result<()> {
        let index = self.reader.inverted_index(term.field())?;
        match index.get_term_info(term)? {
            Some(entries) => self.each_of(term.field(), &entries, see),
            None => Ok(()),
        }
    }

    fn each_of(&self, field: Field, entries: &TermInfo, mut see: impl FnMut(DocId)) -> tantivy::Result<()> {
        let index = self.reader.inverted_index(field)?;
        let mut postings = index.read_block_postings_from_terminfo(entries, IndexRecordOption::Basic)?;
        loop {
            let docs = postings.docs();
            if docs.is_empty() {
                return Ok(());
            }
            docs.iter().for_each(|doc| see(*doc));
            postings.advance();
        }
    }
}
