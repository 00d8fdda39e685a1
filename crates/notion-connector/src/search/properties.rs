//! The properties of a row in the index: as terms that filters ask for, as words, as values to be counted, and as
//! the few lines that are shown with a hit.
//!
//! All columns of all data sources share a few fields, and the name of the column stands at the beginning of each
//! term: thousands of columns cost no more than their terms, a name may hold any character, and a column that is a
//! number in one data source and a list in another is simply both. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::keys::{
    MAX_NAME_BYTES, MAX_VALUE_BYTES, Stretch, clean, date_stretches, name_key, number_key, time_key,
    value_key,
};
use crate::model::{DateValue, Delivery, NotionId, Property, PropertyValue, Related};

/// Stands between the name of a column and what is said of it; names and values hold no such character.
pub(super) const SEPARATOR: char = '\0';
/// Most properties that are shown with a hit.
const MAX_SHOWN: usize = 5;
/// Most related pages of a property of which a hit shows titles.
const MAX_RELATED: usize = 50;
/// Longest value that is shown with a hit, in bytes.
const MAX_SHOWN_BYTES: usize = 200;

/// What is said of a column. The letter begins the rest of the term; see [`term`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The row has the column.
    Column = b'c' as isize,
    /// There is a value.
    Filled = b'f' as isize,
    /// A value, as [`value_key`].
    Value = b'v' as isize,
    /// A number, as [`number_key`].
    Number = b'n' as isize,
    /// Begin of a date as written, as [`time_key`].
    CivilFrom = b'd' as isize,
    /// End of a date as written.
    CivilTo = b'e' as isize,
    /// Begin of a date as an instant.
    InstantFrom = b'i' as isize,
    /// End of a date as an instant.
    InstantTo = b'j' as isize,
}

/// The term that says something of the column with this key.
pub(super) fn term(name_key: &str, said: Said, value: &str) -> String {
    format!("{name_key}{SEPARATOR}{}{value}", char::from(said as u8))
}

/// One property as it is shown with a hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownProperty {
    /// Name of the column.
    pub name: String,
    /// The value as people read it, cut if it is long.
    pub text: String,
}

/// What the index takes of an item's properties.
#[derive(Debug, Default)]
pub(super) struct PropertyTerms {
    /// For filters; see [`Said`].
    pub(super) terms: BTreeSet<String>,
    /// Column and text, for filters by words.
    pub(super) words: Vec<String>,
    /// Values that can be counted: by keys of column and value, name and value as they are written. The first
    /// spelling stands for all of them, so that a row counts once.
    pub(super) countable: BTreeMap<(String, String), (String, String)>,
    /// The same of titles of related pages, which not everybody may see who sees the row.
    pub(super) related: RelatedTerms,
}

/// What the index takes of titles of related pages; as in [`PropertyTerms`].
#[derive(Debug, Default)]
pub(super) struct RelatedTerms {
    pub(super) terms: BTreeSet<String>,
    pub(super) words: Vec<String>,
    pub(super) countable: BTreeMap<(String, String), (String, String)>,
}

impl PropertyTerms {
    pub(super) fn of(delivery: &Delivery) -> Self {
        let mut all = Self::default();
        let titles: BTreeMap<&str, &[Related]> =
            delivery.related.iter().map(|(name, related)| (name.as_str(), related.as_slice())).collect();
        for property in &delivery.item.properties {
            let name = name_key(&property.name);
            if !name.is_empty() {
                let related = titles.get(property.name.as_str()).copied().unwrap_or_default();
                Column { name, property, all: &mut all }.add(related);
            }
        }
        all
    }
}

/// One property on its way into the index.
struct Column<'a> {
    name: String,
    property: &'a Property,
    all: &'a mut PropertyTerms,
}

impl Column<'_> {
    fn add(&mut self, related: &[Related]) {
        self.say(Said::Column, "");
        let Property { value, text, .. } = self.property;
        let filled = match value {
            PropertyValue::Empty => false,
            PropertyValue::Text(value) => self.text(value),
            PropertyValue::Urls(urls) => {
                urls.iter().for_each(|url| self.value(url));
                self.words(text);
                !urls.is_empty()
            }
            PropertyValue::Number(number) => {
                self.number(*number, text);
                true
            }
            PropertyValue::Boolean(value) => {
                let (shown, spelled) = if *value { ("yes", "true") } else { ("no", "false") };
                self.choice(shown);
                self.say(Said::Value, spelled);
                true
            }
            PropertyValue::Date(date) => {
                self.date(date, text);
                true
            }
            PropertyValue::Options(options) => {
                options.iter().for_each(|option| self.choice(option));
                !options.is_empty()
            }
            PropertyValue::People(people) => {
                for person in people {
                    let id = person.id.0.simple().to_string();
                    self.choice(person.name.as_deref().unwrap_or(&id));
                    self.say(Said::Value, &id);
                }
                !people.is_empty()
            }
            PropertyValue::Relations { ids, .. } => {
                for id in ids {
                    self.say(Said::Value, &id.0.simple().to_string());
                }
                related.iter().for_each(|one| self.related(&one.title));
                !ids.is_empty()
            }
        };
        if filled {
            self.say(Said::Filled, "");
        }
    }

    fn say(&mut self, said: Said, value: &str) {
        self.all.terms.insert(term(&self.name, said, value));
    }

    fn value(&mut self, text: &str) {
        let key = value_key(text);
        if !key.is_empty() {
            self.say(Said::Value, &key);
        }
    }

    fn words(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.all.words.push(format!("{}{SEPARATOR}{text}", self.name));
        }
    }

    fn text(&mut self, text: &str) -> bool {
        self.value(text);
        self.words(text);
        !text.trim().is_empty()
    }

    /// One of a number of values that rows share: can be counted.
    fn choice(&mut self, text: &str) {
        let shown = clean(text, MAX_VALUE_BYTES);
        if shown.is_empty() {
            return;
        }
        self.value(&shown);
        self.words(&shown);
        let keys = (self.name.clone(), value_key(&shown));
        let name = || clean(&self.property.name, MAX_NAME_BYTES);
        self.all.countable.entry(keys).or_insert_with(|| (name(), shown));
    }

    /// The title of a related page: can be counted too, apart.
    fn related(&mut self, title: &str) {
        let shown = clean(title, MAX_VALUE_BYTES);
        if shown.is_empty() {
            return;
        }
        let all = &mut self.all.related;
        all.terms.insert(term(&self.name, Said::Value, &value_key(&shown)));
        all.words.push(format!("{}{SEPARATOR}{shown}", self.name));
        let name = || clean(&self.property.name, MAX_NAME_BYTES);
        all.countable.entry((self.name.clone(), value_key(&shown))).or_insert_with(|| (name(), shown));
    }

    /// The text of a number may be more exact than the number.
    fn number(&mut self, number: f64, text: &str) {
        let is_text_of_it = text.trim().parse::<f64>().is_ok_and(|read| read.total_cmp(&number).is_eq());
        let written = if is_text_of_it { text.to_owned() } else { number.to_string() };
        match number_key(&written) {
            Some(key) => self.say(Said::Number, &key),
            None => self.value(&written),
        }
        self.words(text);
    }

    fn date(&mut self, date: &DateValue, text: &str) {
        match date_stretches(date) {
            Some((civil, instant)) => {
                let Stretch { from, to } = civil;
                self.say(Said::CivilFrom, &time_key(from));
                self.say(Said::CivilTo, &time_key(to));
                self.say(Said::InstantFrom, &time_key(instant.from));
                self.say(Said::InstantTo, &time_key(instant.to));
            }
            None => self.value(&date.start),
        }
        self.words(text);
    }
}

/// A property as an entry keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryProperty {
    /// Name of the column.
    pub name: String,
    /// The value as people read it, cut if it is long.
    pub text: String,
    /// Related pages, whose titles are the value as far as the viewer may see them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// The few properties that say most about a row: what has a state first, long texts last. Of relations as many again, because
/// titles of related pages may have to be left out.
pub(super) fn entry_properties(delivery: &Delivery) -> Vec<EntryProperty> {
    let mut ranked: Vec<(u8, EntryProperty)> = Vec::new();
    for property in &delivery.item.properties {
        let name = clean(&property.name, MAX_NAME_BYTES);
        let text = clean_shown(&property.text);
        let related = delivery.related.iter().find(|(name, _)| *name == property.name);
        let related = match related {
            Some((_, related)) if text.is_empty() => related.iter().take(MAX_RELATED).cloned().collect(),
            _ => Vec::new(),
        };
        if !text.is_empty() || !related.is_empty() {
            ranked.push((rank(&property.value), EntryProperty { name, text, related }));
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let (mut own, mut relations) = (0, 0);
    ranked.retain(|(_, property)| {
        let counted = if property.related.is_empty() { &mut own } else { &mut relations };
        *counted += 1;
        *counted <= MAX_SHOWN
    });
    ranked.into_iter().map(|(_, property)| property).collect()
}

/// The properties that are shown with a hit, to somebody who may see these related pages.
pub(super) fn shown_properties(
    properties: Vec<EntryProperty>,
    may_see: impl Fn(NotionId) -> bool,
) -> Vec<ShownProperty> {
    let shown = properties.into_iter().map(|EntryProperty { name, text, related }| {
        let titles: Vec<&str> =
            related.iter().filter(|one| may_see(one.id)).map(|one| one.title.as_str()).collect();
        let text = if related.is_empty() { text } else { clean_shown(&titles.join(", ")) };
        ShownProperty { name, text }
    });
    shown.filter(|property| !property.text.is_empty()).take(MAX_SHOWN).collect()
}

fn clean_shown(text: &str) -> String {
    // Room for one character more, to see whether there is one.
    let text = clean(text, MAX_SHOWN_BYTES + 8);
    if text.len() <= MAX_SHOWN_BYTES { text } else { clean(&text, MAX_SHOWN_BYTES) + "…" }
}

const fn rank(value: &PropertyValue) -> u8 {
    match value {
        PropertyValue::Options(_) => 0,
        PropertyValue::Date(_) => 1,
        PropertyValue::People(_) => 2,
        PropertyValue::Relations { .. } => 3,
        PropertyValue::Number(_) => 4,
        PropertyValue::Boolean(_) => 5,
        PropertyValue::Text(_) => 6,
        PropertyValue::Urls(_) => 7,
        PropertyValue::Empty => 8,
    }
}
