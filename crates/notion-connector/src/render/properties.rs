//! The properties of a page: typed for filters and facets, and as text people read
//! (developers.notion.com "page-property-values").
//!
//! The title is left out, since it is the item's title. A new property type is a variant of the wire type; the
//! compiler leads here, and the golden case does the rest.

use std::collections::BTreeSet;

use notion_api::wire::{
    DateValue as WireDate, FileObject, Formula, Place, Property as WireProperty, PropertyValue as WireValue,
    Rollup, RollupValue, SelectOption, User, Verification, collect_text, parse_timestamp,
};
use serde::Deserialize as _;
use serde_json::{Number, Value};

use super::address;
use super::blocks::inlines_of;
use super::document::{plain, readable_date};
use super::markdown::cost::looked_at;
use super::text::LinkSet;
use super::unknowns;
use crate::model::{
    DateValue, FilePlace, FileRef, LinkKind, NotionId, Person, Property, PropertyValue, Warning,
};

/// Renders all properties but the title, in the order of the page.
pub(super) fn render_properties(
    properties: &[WireProperty],
    links: &mut LinkSet,
    warnings: &mut BTreeSet<Warning>,
) -> Vec<Property> {
    let mut rendered = Vec::with_capacity(properties.len());
    for property in properties {
        if matches!(property.value, WireValue::Title(_)) {
            continue;
        }
        let mut reader = Reader { name: &property.name, links, warnings };
        let (value, text) = reader.read(&property.value);
        rendered.push(Property { name: property.name.clone(), value, text });
    }
    rendered
}

type Rendered = (PropertyValue, String);

struct Reader<'a> {
    name: &'a str,
    links: &'a mut LinkSet,
    warnings: &'a mut BTreeSet<Warning>,
}

impl Reader<'_> {
    /// The recursion through rollups ends with the JSON, whose depth serde_json bounds.
    fn read(&mut self, value: &WireValue) -> Rendered {
        looked_at(1);
        match value {
            WireValue::Title(runs) | WireValue::RichText(runs) => {
                let inlines = inlines_of(runs, self.warnings);
                self.links.add_inlines(&inlines);
                text(plain(&inlines).trim().to_owned())
            }
            WireValue::Number(value) => number(value.as_ref()),
            WireValue::Select(option) | WireValue::Status(option) => options(option.as_slice()),
            WireValue::MultiSelect(chosen) => options(chosen),
            WireValue::Date(value) => date(value.as_ref()),
            WireValue::People(users) => self.people(users),
            WireValue::Files(all) => self.files(all),
            WireValue::Checkbox(value) => boolean(Some(*value)),
            WireValue::Url(value) => urls(value.as_deref().map(address::unsigned)),
            WireValue::Email(value) | WireValue::PhoneNumber(value) => urls(value.as_deref()),
            WireValue::Relation(relation) => {
                let ids: Vec<NotionId> = relation.ids.iter().copied().map(NotionId).collect();
                ids.iter().for_each(|id| self.links.add(LinkKind::Mention, Some(*id)));
                if relation.has_more {
                    self.warn_incomplete();
                }
                (PropertyValue::Relations { ids, complete: !relation.has_more }, String::new())
            }
            WireValue::Formula(formula) => self.formula(formula),
            WireValue::Rollup(rollup) => self.rollup(rollup),
            WireValue::CreatedTime(time) | WireValue::LastEditedTime(time) => {
                let start = time.map(|time| time.to_string());
                date(start.map(|start| WireDate { start, end: None, time_zone: None }).as_ref())
            }
            WireValue::CreatedBy(user) | WireValue::LastEditedBy(user) => self.people(user.as_slice()),
            WireValue::UniqueId(id) => text(id.display().unwrap_or_default()),
            WireValue::Verification(value) => value.as_ref().map_or_else(empty, |value| {
                unknowns::check_users(&value.verified_by, self.warnings);
                verification(value)
            }),
            WireValue::Place(value) => value.as_ref().map_or_else(empty, |value| text(place(value))),
            WireValue::Button => empty(),
            WireValue::Unknown { kind, raw } => undocumented(kind, raw).unwrap_or_else(|| {
                self.warnings.insert(Warning::UnknownProperty { kind: kind.clone() });
                text(unknown(kind, raw))
            }),
        }
    }

    fn people(&mut self, users: &[User]) -> Rendered {
        unknowns::check_users(users, self.warnings);
        people(users)
    }

    fn files(&mut self, all: &[FileObject]) -> Rendered {
        for file in all {
            unknowns::check_file(&file.source, self.warnings);
            let Some(address) = file.source.url() else { continue };
            self.links.add_file(FileRef {
                place: FilePlace::Property,
                block: None,
                address: address.to_owned(),
                name: file.display_name().map(unsigned_name),
                caption: String::new(),
            });
        }
        files(all)
    }

    fn warn_incomplete(&mut self) {
        self.warnings.insert(Warning::Incomplete { property: self.name.to_owned() });
    }

    fn not_computed(&mut self) -> Rendered {
        self.warnings.insert(Warning::NotComputed { property: self.name.to_owned() });
        empty()
    }

    fn formula(&mut self, formula: &Formula) -> Rendered {
        match formula {
            Formula::String(value) => text(value.clone().unwrap_or_default()),
            Formula::Number(value) => number(value.as_ref()),
            Formula::Boolean(value) => boolean(*value),
            Formula::Date(value) => date(value.as_ref()),
            Formula::Unsupported => self.not_computed(),
            Formula::Unknown { kind, raw } => {
                self.warnings.insert(Warning::UnknownProperty { kind: format!("formula of type {kind}") });
                text(unknown(kind, raw))
            }
        }
    }

    fn rollup(&mut self, rollup: &Rollup) -> Rendered {
        match &rollup.value {
            RollupValue::Number(value) => number(value.as_ref()),
            RollupValue::Date(value) => date(value.as_ref()),
            RollupValue::Array(values) => {
                let rendered = values.iter().map(|value| self.read(value)).collect();
                combine(rendered)
            }
            RollupValue::Unsupported => self.not_computed(),
            RollupValue::Incomplete => {
                self.warn_incomplete();
                empty()
            }
            RollupValue::Unknown { kind, raw } => {
                self.warnings.insert(Warning::UnknownProperty { kind: format!("rollup of type {kind}") });
                text(unknown(kind, raw))
            }
        }
    }
}

fn empty() -> Rendered {
    (PropertyValue::Empty, String::new())
}

fn text(text: String) -> Rendered {
    if text.is_empty() { empty() } else { (PropertyValue::Text(text.clone()), text) }
}

fn number(value: Option<&Number>) -> Rendered {
    let Some(value) = value else { return empty() };
    match value.as_f64() {
        Some(number) => (PropertyValue::Number(number), value.to_string()),
        None => text(value.to_string()),
    }
}

fn boolean(value: Option<bool>) -> Rendered {
    let Some(value) = value else { return empty() };
    (PropertyValue::Boolean(value), if value { "yes" } else { "no" }.to_owned())
}

fn options(chosen: &[SelectOption]) -> Rendered {
    looked_at(chosen.len());
    let names: Vec<String> =
        chosen.iter().map(|option| option.name.clone()).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return empty();
    }
    let text = names.join(", ");
    (PropertyValue::Options(names), text)
}

fn date(value: Option<&WireDate>) -> Rendered {
    let Some(WireDate { start, end, time_zone }) = value else { return empty() };
    let text = readable_date(start, end.as_deref());
    (
        PropertyValue::Date(DateValue {
            start: start.clone(),
            end: end.clone(),
            time_zone: time_zone.clone(),
        }),
        text,
    )
}

fn people(users: &[User]) -> Rendered {
    looked_at(users.len());
    if users.is_empty() {
        return empty();
    }
    let people: Vec<Person> =
        users.iter().map(|user| Person { id: NotionId(user.id), name: user.name.clone() }).collect();
    let names: Vec<&str> = people.iter().filter_map(|person| person.name.as_deref()).collect();
    let text = names.join(", ");
    (PropertyValue::People(people), text)
}

/// Addresses lose their signature; the text is the names.
fn files(files: &[FileObject]) -> Rendered {
    looked_at(files.len());
    if files.is_empty() {
        return empty();
    }
    let names: Vec<String> = files.iter().filter_map(FileObject::display_name).map(unsigned_name).collect();
    let addresses = files
        .iter()
        .filter_map(|file| file.source.url())
        .map(|url| address::without_query(url).to_owned())
        .collect();
    (PropertyValue::Urls(addresses), names.join(", "))
}

/// The name of an external file may be its address.
fn unsigned_name(name: String) -> String {
    if name.contains("://") { address::unsigned(&name).to_owned() } else { name }
}

fn urls(value: Option<&str>) -> Rendered {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return empty() };
    (PropertyValue::Urls(vec![value.to_owned()]), value.to_owned())
}

fn verification(value: &Verification) -> Rendered {
    let mut text = value.state.clone();
    if let Some(name) = value.verified_by.as_ref().and_then(|user| user.name.as_deref()) {
        text = format!("{text} by {name}");
    }
    if let Some(date) = &value.date {
        text = format!("{text}, {}", readable_date(&date.start, date.end.as_deref()));
    }
    (PropertyValue::Options(vec![value.state.clone()]), text)
}

fn place(place: &Place) -> String {
    let parts: Vec<&str> = [&place.name, &place.address]
        .into_iter()
        .filter_map(|part| part.as_deref().map(str::trim).filter(|part| !part.is_empty()))
        .collect();
    match (parts.is_empty(), place.lat, place.lon) {
        (true, Some(lat), Some(lon)) => format!("{lat}, {lon}"),
        _ => parts.join(", "),
    }
}

/// Two types that columns may have and whose values no documentation shows (developers.notion.com
/// "property-object"); none when the value is not what the name lets expect.
fn undocumented(kind: &str, raw: &Value) -> Option<Rendered> {
    let payload = raw.get(kind)?;
    match (kind, payload) {
        ("last_visited_time" | "location", Value::Null) => Some(empty()),
        ("last_visited_time", Value::String(time)) => {
            let start = parse_timestamp(time)?.to_string();
            Some(date(Some(&WireDate { start, end: None, time_zone: None })))
        }
        ("last_visited_time", _) => WireDate::deserialize(payload).ok().map(|value| date(Some(&value))),
        ("location", Value::String(place)) => Some(text(place.trim().to_owned())),
        ("location", _) => {
            let shown = place(&Place::deserialize(payload).ok()?);
            (!shown.is_empty()).then(|| text(shown))
        }
        _ => None,
    }
}

/// The text of a value whose type is not known: what stands under its name, or rich text anywhere in it.
fn unknown(kind: &str, raw: &Value) -> String {
    match raw.get(kind) {
        Some(Value::String(text)) => address::unsigned(text).to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(value)) => value.to_string(),
        _ => collect_text(raw),
    }
}

/// A rollup that shows the values themselves: one typed value if they are of one kind, else text.
fn combine(values: Vec<Rendered>) -> Rendered {
    let mut shown: Vec<String> = Vec::new();
    let mut combined: Option<PropertyValue> = None;
    for (value, text) in values {
        if !text.is_empty() {
            shown.push(text);
        }
        combined = match (combined, value) {
            (combined, PropertyValue::Empty) => combined,
            (None, value) => Some(value),
            (Some(PropertyValue::Options(mut all)), PropertyValue::Options(more)) => {
                all.extend(more);
                Some(PropertyValue::Options(all))
            }
            (Some(PropertyValue::People(mut all)), PropertyValue::People(more)) => {
                all.extend(more);
                Some(PropertyValue::People(all))
            }
            (Some(PropertyValue::Urls(mut all)), PropertyValue::Urls(more)) => {
                all.extend(more);
                Some(PropertyValue::Urls(all))
            }
            (
                Some(PropertyValue::Relations { ids: mut all, complete: first }),
                PropertyValue::Relations { ids, complete },
            ) => {
                all.extend(ids);
                Some(PropertyValue::Relations { ids: all, complete: first && complete })
            }
            (Some(_), _) => Some(PropertyValue::Text(String::new())),
        };
    }
    let text = shown.join(", ");
    match combined {
        None => empty(),
        Some(PropertyValue::Text(_)) => (PropertyValue::Text(text.clone()), text),
        Some(PropertyValue::Options(mut names)) => {
            let mut seen = BTreeSet::new();
            names.retain(|name| seen.insert(name.clone()));
            (PropertyValue::Options(names), text)
        }
        Some(value) => (value, text),
    }
}
