//! Whether the index holds the truth: by ids, titles, parents and marker words, never by the renderer.

use std::collections::{BTreeMap, BTreeSet};

use notion_connector::model::{Caller, ItemKind};
use notion_connector::ops::{self, ExportLine, SearchQuery};
use notion_connector::search::SearchIndex;
use uuid::Uuid;

use crate::facts::Fact;

/// Every difference between the index (and the store behind it) and what is to be in it. A path may end below what `may_end_below`
/// says: it is no item, and perhaps nobody asked for it.
pub(crate) fn differences(
    index: &SearchIndex,
    exported: &[ExportLine],
    expected: &BTreeMap<Uuid, Fact>,
    truth: &BTreeMap<Uuid, Fact>,
    retired: &BTreeSet<String>,
    may_end_below: &dyn Fn(&Fact) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    let lines: BTreeMap<Uuid, &ExportLine> = exported.iter().map(|line| (line.id.0, line)).collect();
    if lines.len() != exported.len() {
        found.push("an item is in the store twice".to_owned());
    }
    found.extend(lines.values().filter(|line| !expected.contains_key(&line.id.0)).map(|line| {
        format!("in the store, and not to be there: {} {} “{}”", line.kind, line.id, line.title)
    }));
    let entries = index.count_entries();
    if entries != expected.len() as u64 {
        found.push(format!("the index has {entries} entries, and is to have {}", expected.len()));
    }
    for fact in expected.values() {
        match lines.get(&fact.id) {
            None => found.push(format!("not in the store: {fact:?}")),
            Some(line) => found.extend(compare(index, line, fact, truth, may_end_below)),
        }
    }
    for word in retired {
        found.extend(search(index, word).into_iter().map(|hit| {
            format!("“{word}” stands nowhere, and finds {} “{}” ({})", hit.id, hit.title, hit.snippet)
        }));
    }
    found
}

fn compare(
    index: &SearchIndex,
    line: &ExportLine,
    fact: &Fact,
    truth: &BTreeMap<Uuid, Fact>,
    may_end_below: &dyn Fn(&Fact) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: String| found.push(format!("{} {} “{}”: {what}", fact.kind, fact.id, fact.title));
    if !is_titled(fact, &line.title) {
        differ(format!("is titled “{}” in the store", line.title));
    }
    if line.kind != fact.kind.parse::<ItemKind>().unwrap() {
        differ(format!("is a {} in the store", line.kind));
    }
    let paths = breadcrumbs(truth, fact);
    let is_shown = |path: &[&Fact], shown: &[String]| {
        let missing = path.len().checked_sub(shown.len());
        let whole = missing.is_some_and(|missing| {
            path.get(..missing).is_some_and(|above| above.last().is_none_or(|holder| may_end_below(holder)))
        });
        whole && path.iter().rev().zip(shown.iter().rev()).all(|(holder, title)| is_titled(holder, title))
    };
    let fits = |shown: &[String]| paths.iter().any(|path| is_shown(path, shown));
    if !fits(&line.breadcrumb) {
        let path: Vec<&str> = paths.concat().iter().map(|holder| holder.title.as_str()).collect();
        differ(format!("stands below {:?} in the store, and is to stand below {path:?}", line.breadcrumb));
    }
    let searchable = format!("{} {}", line.text, serde_json::to_string(&line.properties).unwrap());
    let words: BTreeSet<&str> = searchable.split(|c: char| !c.is_alphanumeric()).collect();
    let page = line.file.as_ref().map(|file| file.pages[0].id.0);
    let by_page = fact.said_by.iter().filter(|(by, _)| Some(*by) == page).map(|(_, word)| word);
    for word in fact.said.iter().chain(by_page) {
        if !words.contains(word.as_str()) && line.title.split('.').all(|part| part != word) {
            differ(format!("does not say {word} in the store"));
        }
        let ids: Vec<Uuid> = search(index, word).iter().map(|hit| hit.id.0).collect();
        if !ids.contains(&fact.id) {
            differ(format!("says {word}, which finds {ids:?}"));
        }
    }
    for word in &fact.markers {
        if !words.contains(word.as_str()) {
            differ(format!("lacks {word} in the store"));
        }
        let mut hits = search(index, word);
        // A word of the page may be the caption of a file in it, and is found there too.
        hits.retain(|hit| fact.files.iter().all(|file| file.item() != hit.id.0));
        let ids: Vec<Uuid> = hits.iter().map(|hit| hit.id.0).collect();
        if ids.first() != Some(&fact.id) {
            differ(format!("{word} finds {ids:?}"));
        }
        if let Some(hit) = hits.first().filter(|hit| hit.id.0 == fact.id) {
            if !is_titled(fact, &hit.title) {
                differ(format!("is titled “{}” in the index", hit.title));
            }
            if !fits(&hit.breadcrumb) {
                differ(format!("stands below {:?} in the index", hit.breadcrumb));
            }
        }
    }
    found
}

fn search(index: &SearchIndex, word: &str) -> Vec<ops::SearchHit> {
    let query = SearchQuery { text: word.to_owned(), limit: 20, ..SearchQuery::default() };
    ops::search(index, &query, &Caller::LOCAL_OPERATOR).unwrap().hits
}

fn is_titled(fact: &Fact, title: &str) -> bool {
    match fact.title.trim() {
        beginning if fact.mentions_in_title => title.trim_start().starts_with(beginning),
        "" => title == "Untitled",
        own => title.trim() == own,
    }
}

/// What stands above, from the top down; one way for each page that shows a file.
fn breadcrumbs<'a>(truth: &'a BTreeMap<Uuid, Fact>, fact: &Fact) -> Vec<Vec<&'a Fact>> {
    if fact.places.is_empty() {
        return vec![breadcrumb(truth, fact.parent)];
    }
    fact.places.iter().map(|page| breadcrumb(truth, Some(*page))).collect()
}

/// From the top down; a data source named like its database says nothing new.
fn breadcrumb(truth: &BTreeMap<Uuid, Fact>, parent: Option<Uuid>) -> Vec<&Fact> {
    let mut above: Vec<&Fact> = Vec::new();
    let mut at = parent;
    while let Some(holder) = at.and_then(|id| truth.get(&id)) {
        above.push(holder);
        at = holder.parent;
    }
    let mut path: Vec<&Fact> = Vec::new();
    for holder in above.into_iter().rev() {
        if holder.kind != "data_source" || path.last().map(|last| &last.title) != Some(&holder.title) {
            path.push(holder);
        }
    }
    path
}
