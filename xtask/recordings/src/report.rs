//! What was found in the recordings, and how it is told.

use std::collections::BTreeMap;
use std::fmt;

use super::text;

/// The longest name of a kind that is printed, in characters.
const MAX_NAME: usize = 64;

/// Counts and losses of a set of recordings.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) files: u64,
    pub(super) exchanges: u64,
    /// Bodies that are no JSON, such as the error pages of Notion's edge.
    pub(super) not_json: u64,
    pub(super) empty: u64,
    /// Bodies that other services answered.
    pub(super) foreign: u64,
    /// Runs of text that were looked for.
    pub(super) runs: u64,
    /// Exchanges left out because of their API version.
    pub(super) skipped: BTreeMap<String, u64>,
    pub(super) versions: BTreeMap<String, u64>,
    /// By endpoint and status.
    pub(super) endpoints: BTreeMap<(String, String), u64>,
    pub(super) objects: BTreeMap<String, u64>,
    pub(super) blocks: BTreeMap<String, u64>,
    pub(super) properties: BTreeMap<String, u64>,
    pub(super) columns: BTreeMap<String, u64>,
    /// By what it is a kind of, and its name.
    pub(super) unknown: BTreeMap<(&'static str, String), u64>,
    pub(super) failures: Vec<Failure>,
    pub(super) missing: Vec<Missing>,
}

/// Where in the recordings something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: String,
    /// The number of the exchange.
    pub(super) number: Option<u64>,
    pub(super) endpoint: String,
}

/// Something that did not decode.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) place: Place,
    /// Names fields and types, never content.
    pub(super) reason: String,
}

/// A run of text that rendering lost.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) place: Place,
    /// The object that it stood in.
    pub(super) what: String,
    pub(super) excerpt: String,
}

/// Counts one more of a name.
pub(super) fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    *counts.entry(bounded(name)).or_default() += 1;
}

/// A name from the wire as it may be printed: short, on one line, never nothing.
fn bounded(name: &str) -> String {
    if name.is_empty() {
        return "(none)".to_owned();
    }
    name.chars().take(MAX_NAME).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Report {
    /// Whether all was decoded and all text kept.
    pub(super) fn is_lossless(&self) -> bool {
        self.failures.is_empty() && self.missing.is_empty()
    }

    pub(super) fn note_unknown(&mut self, what: &'static str, kind: &str) {
        *self.unknown.entry((what, bounded(kind))).or_default() += 1;
    }

    pub(super) fn fail_file(&mut self, file: &str, reason: String) {
        let place = Place { file: file.to_owned(), number: None, endpoint: "-".to_owned() };
        self.failures.push(Failure { place, reason });
    }

    /// Takes over what a comparison of text found.
    pub(super) fn add(&mut self, place: &Place, what: &str, comparison: text::Comparison) {
        self.runs += comparison.runs;
        self.missing.extend(comparison.missing.into_iter().map(|excerpt| Missing {
            place: place.clone(),
            what: bounded(what),
            excerpt,
        }));
    }

    fn counts(&self) -> [(&'static str, u64); 15] {
        let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum();
        [
            ("files", self.files),
            ("exchanges", self.exchanges),
            ("skipped", sum(&self.skipped)),
            ("not_json", self.not_json),
            ("empty", self.empty),
            ("foreign", self.foreign),
            ("objects", sum(&self.objects)),
            ("blocks", sum(&self.blocks)),
            ("properties", sum(&self.properties)),
            ("columns", sum(&self.columns)),
            ("runs", self.runs),
            ("unknown_kinds", length(self.unknown.len())),
            ("unknown", self.unknown.values().sum()),
            ("decode_failures", length(self.failures.len())),
            ("missing_plain_text", length(self.missing.len())),
        ]
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{} n={number} {}", self.file, self.endpoint),
            None => write!(f, "{} {}", self.file, self.endpoint),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints = self
            .endpoints
            .iter()
            .map(|((endpoint, status), count)| (format!("{status}  {endpoint}"), *count));
        write_table(f, "endpoints", endpoints)?;
        let tables = [
            ("API versions", &self.versions),
            ("skipped, older than 2022-06-28", &self.skipped),
            ("objects", &self.objects),
            ("blocks", &self.blocks),
            ("properties", &self.properties),
            ("columns", &self.columns),
        ];
        for (title, counts) in tables {
            write_table(f, title, counts.iter().map(|(name, count)| (name.clone(), *count)))?;
        }
        let unknown = self.unknown.iter().map(|((what, kind), count)| (format!("{what}: {kind}"), *count));
        write_table(f, "unknown kinds", unknown)?;
        if !self.failures.is_empty() {
            writeln!(f, "not decoded")?;
            self.failures.iter().try_for_each(|one| writeln!(f, "  {}: {}", one.place, one.reason))?;
            writeln!(f)?;
        }
        if !self.missing.is_empty() {
            writeln!(f, "missing from the rendered text")?;
            for one in &self.missing {
                writeln!(f, "  {}: {}: “{}”", one.place, one.what, one.excerpt)?;
            }
            writeln!(f)?;
        }
        let counts: Vec<String> =
            self.counts().iter().map(|(name, count)| format!("{name}={count}")).collect();
        writeln!(f, "{}", counts.join(" "))
    }
}

fn write_table(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    rows: impl Iterator<Item = (String, u64)>,
) -> fmt::Result {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    rows.try_for_each(|(name, count)| writeln!(f, "{count:>9}  {name}"))?;
    writeln!(f)
}
