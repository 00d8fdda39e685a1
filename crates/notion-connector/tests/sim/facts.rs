//! What is true of the workspace, object by object, and what of it is wanted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use uuid::Uuid;

use crate::files::ShownFile;

/// What the emulator says of one object.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Fact {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) parent: Option<Uuid>,
    pub(crate) markers: Vec<String>,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(default)]
    pub(crate) mentions_in_title: bool,
    /// Of a row: what is chosen in its columns.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, Vec<String>>,
    /// Of a row: whom its columns name.
    #[serde(default)]
    pub(crate) people: BTreeMap<String, Vec<Uuid>>,
    /// Files that it shows.
    #[serde(skip)]
    pub(crate) files: Vec<ShownFile>,
    /// Words that are to find it among others.
    #[serde(skip)]
    pub(crate) said: Vec<String>,
    /// The same of a file, by the page that says so.
    #[serde(skip)]
    pub(crate) said_by: Vec<(Uuid, String)>,
    /// Of a file, the pages that show it: it stands below one of them.
    #[serde(skip)]
    pub(crate) places: Vec<Uuid>,
}

impl Fact {
    pub(crate) fn has_body(&self) -> bool {
        ["page", "row"].contains(&self.kind.as_str())
    }

    /// All words by which it is to be found.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> {
        let of_files = self.files.iter().flat_map(ShownFile::words);
        self.markers.iter().chain(&self.said).cloned().chain(of_files)
    }

    pub(crate) fn is_item(&self) -> bool {
        self.has_body() || ["database", "data_source"].contains(&self.kind.as_str())
    }
}

/// What a connector is to index, as this side understands it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) include: BTreeSet<Uuid>,
    pub(crate) exclude: BTreeSet<Uuid>,
    pub(crate) archived: bool,
    pub(crate) comments: bool,
}

impl Wanted {
    pub(crate) fn keeps(&self, truth: &BTreeMap<Uuid, Fact>, fact: &Fact) -> bool {
        (self.archived || !fact.archived) && self.passes(truth, fact)
    }

    pub(crate) fn all(&self, truth: &BTreeMap<Uuid, Fact>) -> BTreeSet<Uuid> {
        truth.values().filter(|fact| self.keeps(truth, fact)).map(|fact| fact.id).collect()
    }

    pub(crate) fn passes(&self, truth: &BTreeMap<Uuid, Fact>, fact: &Fact) -> bool {
        let mut above = vec![fact.id];
        let mut at = Some(fact);
        while let Some(parent) = at.and_then(|here| here.parent) {
            above.push(parent);
            at = truth.get(&parent);
        }
        let excluded = above.iter().any(|id| self.exclude.contains(id));
        !excluded && (self.include.is_empty() || above.iter().any(|id| self.include.contains(id)))
    }
}

/// The ids at and below `top`.
pub(crate) fn subtree(truth: &BTreeMap<Uuid, Fact>, top: Uuid) -> BTreeSet<Uuid> {
    let mut found = BTreeSet::from([top]);
    loop {
        let below = truth.values().filter(|fact| fact.parent.is_some_and(|parent| found.contains(&parent)));
        let next: Vec<Uuid> = below.map(|fact| fact.id).filter(|id| !found.contains(id)).collect();
        if next.is_empty() {
            return found;
        }
        found.extend(next);
    }
}
