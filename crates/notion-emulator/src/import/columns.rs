//! Front matter that files share → the schema and values of a database.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::folder::Document;
use super::inline;

/// Columns at most; further keys stay on the rows' pages as YAML.
const MAX_COLUMNS: usize = 100;
/// Options of a select at most; more distinct values are text.
const MAX_OPTIONS: usize = 20;
/// Longest option (developers.notion.com "request-limits" allows 100 characters).
const MAX_OPTION_CHARS: usize = 60;

/// The columns of a database made from a folder.
pub(super) struct Columns {
    title: &'static str,
    columns: Vec<(String, &'static str)>,
}

/// The columns that a folder's files share: at least two files, and one key in at least half of all. A key that only
/// repeats the titles does not count: many generators want a title in every file, and that makes no database.
pub(super) fn shared(documents: &[Document]) -> Option<Columns> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut keys: Vec<&str> = Vec::new();
    for key in documents
        .iter()
        .filter_map(|document| document.front_matter.as_ref())
        .flat_map(|front| front.fields.keys())
    {
        let count = counts.entry(key).or_default();
        if *count == 0 {
            keys.push(key);
        }
        *count += 1;
    }
    keys.truncate(MAX_COLUMNS);
    keys.retain(|key| !is_title(documents, key));
    let is_shared =
        |key: &&str| counts.get(key).is_some_and(|count| *count >= 2 && count * 2 >= documents.len());
    if !keys.iter().any(is_shared) {
        return None;
    }
    let title = ["Name", "Title", "Page", "Document"].into_iter().find(|name| !keys.contains(name));
    let columns =
        keys.iter().filter_map(|key| Some(((*key).to_owned(), kind(&values(documents, key))?))).collect();
    Some(Columns { title: title.unwrap_or("Row"), columns })
}

/// Whether a key only repeats the title of each row.
fn is_title(documents: &[Document], key: &str) -> bool {
    key == "title"
        && documents.iter().all(|document| {
            match document.front_matter.as_ref().and_then(|front| front.fields.get(key)) {
                Some(value) => value.as_str() == Some(&document.title),
                None => true,
            }
        })
}

fn values<'d>(documents: &'d [Document], key: &str) -> Vec<&'d Value> {
    documents
        .iter()
        .filter_map(|document| document.front_matter.as_ref()?.fields.get(key))
        .filter(|value| !value.is_null())
        .collect()
}

/// The narrowest type that holds all values without loss; none if they are no column's matter.
fn kind(values: &[&Value]) -> Option<&'static str> {
    let all = |test: &dyn Fn(&Value) -> bool| values.iter().all(|value| test(value));
    let text = |test: fn(&str) -> bool| all(&|value| value.as_str().is_some_and(test));
    if values.is_empty() {
        return Some("rich_text");
    }
    if values.iter().any(|value| value.is_object()) || all(&|value| value.is_array()) && !all(&is_scalar_list)
    {
        return None;
    }
    Some(if all(&Value::is_boolean) {
        "checkbox"
    } else if all(&Value::is_number) {
        "number"
    } else if all(&is_option_list) {
        "multi_select"
    } else if text(is_date) {
        "date"
    } else if text(is_url) {
        "url"
    } else if text(is_email) {
        "email"
    } else if is_select(values) {
        "select"
    } else if values.iter().any(|value| value.is_array() && !is_scalar_list(value)) {
        return None;
    } else {
        "rich_text"
    })
}

fn is_scalar_list(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(|item| !item.is_array() && !item.is_object()))
}

fn is_option_list(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(|item| item.as_str().is_some_and(is_option)))
}

/// Notion refuses commas in option names.
fn is_option(text: &str) -> bool {
    !text.is_empty() && !text.contains([',', '\n']) && text.chars().count() <= MAX_OPTION_CHARS
}

fn is_select(values: &[&Value]) -> bool {
    let texts: Vec<&str> = values.iter().filter_map(|value| value.as_str()).collect();
    let distinct: BTreeSet<&str> = texts.iter().copied().collect();
    texts.len() == values.len()
        && texts.iter().all(|text| is_option(text))
        && distinct.len() <= MAX_OPTIONS
        && distinct.len() < values.len()
}

/// A day, or an instant in the one notation that the API uses.
fn is_date(text: &str) -> bool {
    match text.len() {
        10 => text.parse::<jiff::civil::Date>().is_ok(),
        _ => text.contains('T') && text.parse::<jiff::Timestamp>().is_ok(),
    }
}

fn is_url(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace)
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace) && !host.contains('@')
    })
}

impl Columns {
    pub(super) fn schema(&self) -> Map<String, Value> {
        let mut schema = Map::new();
        schema.insert(self.title.to_owned(), json!({"type": "title", "title": {}}));
        for (name, kind) in &self.columns {
            let detail = match *kind {
                "select" | "multi_select" => json!({"options": []}),
                "number" => json!({"format": "number"}),
                _ => json!({}),
            };
            schema.insert(name.clone(), json!({"type": kind, *kind: detail}));
        }
        schema
    }

    /// A row's property values, and the front matter that no column holds, as YAML.
    pub(super) fn row(&self, document: &Document) -> (Map<String, Value>, Option<String>) {
        let mut properties = Map::new();
        let mut rest = Map::new();
        for (key, value) in document.front_matter.iter().flat_map(|front| &front.fields) {
            match self.columns.iter().find(|(name, _)| name == key) {
                Some((_, kind)) if !value.is_null() => {
                    properties.insert(key.clone(), property(kind, value));
                }
                Some(_) => {}
                None if value.as_str() == Some(&document.title) => {}
                None => {
                    rest.insert(key.clone(), value.clone());
                }
            }
        }
        let rest = if rest.is_empty() { None } else { serde_yaml_ng::to_string(&rest).ok() };
        (properties, rest.map(|yaml| yaml.trim_end().to_owned()))
    }
}

/// What stands under the type's key.
fn property(kind: &str, value: &Value) -> Value {
    match kind {
        "multi_select" => {
            let items = value.as_array().into_iter().flatten();
            let mut seen = BTreeSet::new();
            let options = items.filter(|item| seen.insert(item.as_str())).map(|item| json!({"name": item}));
            Value::Array(options.collect())
        }
        "select" => json!({"name": value}),
        "date" => json!({"start": value, "end": null, "time_zone": null}),
        "rich_text" => inline::plain_items(&as_text(value)),
        _ => value.clone(),
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
