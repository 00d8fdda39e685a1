//! YAML between `---` lines at the start of a file.

use serde_json::{Map, Value};

/// Longest front matter that is parsed; a longer one is text.
const MAX_FRONT_MATTER_BYTES: usize = 64 << 10;

/// Front matter that is a mapping.
#[derive(Debug)]
pub(super) struct FrontMatter {
    /// As it stands in the file, without the `---` lines.
    pub(super) text: String,
    pub(super) fields: Map<String, Value>,
}

/// Separates front matter from the text. A file may also begin with a thematic break: only YAML that is a mapping counts.
pub(super) fn split(text: &str) -> (Option<FrontMatter>, &str) {
    read(text).map_or((None, text), |(front, rest)| (Some(front), rest))
}

fn read(text: &str) -> Option<(FrontMatter, &str)> {
    let first = text.split_inclusive('\n').next()?;
    if first.trim_end() != "---" {
        return None;
    }
    let mut at = first.len();
    for line in text[first.len()..].split_inclusive('\n') {
        if at > MAX_FRONT_MATTER_BYTES {
            return None;
        }
        if matches!(line.trim_end(), "---" | "...") {
            let yaml = &text[first.len()..at];
            let fields = mapping(yaml)?;
            let front = FrontMatter { text: yaml.trim_end().to_owned(), fields };
            return Some((front, &text[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

fn mapping(yaml: &str) -> Option<Map<String, Value>> {
    let value: serde_yaml_ng::Value = serde_yaml_ng::from_str(yaml).ok()?;
    let mapping = value.as_mapping().filter(|mapping| !mapping.is_empty())?;
    let mut fields = Map::new();
    for (key, value) in mapping {
        fields.insert(scalar(key)?, json(value, 0)?);
    }
    Some(fields)
}

fn scalar(key: &serde_yaml_ng::Value) -> Option<String> {
    match key {
        serde_yaml_ng::Value::String(text) => Some(text.clone()),
        serde_yaml_ng::Value::Number(number) => Some(number.to_string()),
        serde_yaml_ng::Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// YAML as JSON; none if it is nested without end or has keys that JSON lacks.
fn json(value: &serde_yaml_ng::Value, depth: usize) -> Option<Value> {
    if depth > 32 {
        return None;
    }
    Some(match value {
        serde_yaml_ng::Value::Null => Value::Null,
        serde_yaml_ng::Value::Bool(flag) => Value::Bool(*flag),
        serde_yaml_ng::Value::Number(number) => serde_json::to_value(number).unwrap_or(Value::Null),
        serde_yaml_ng::Value::String(text) => Value::String(text.clone()),
        serde_yaml_ng::Value::Sequence(items) => {
            Value::Array(items.iter().map(|item| json(item, depth + 1)).collect::<Option<_>>()?)
        }
        serde_yaml_ng::Value::Mapping(mapping) => {
            let pairs = mapping.iter().map(|(key, value)| Some((scalar(key)?, json(value, depth + 1)?)));
            Value::Object(pairs.collect::<Option<_>>()?)
        }
        serde_yaml_ng::Value::Tagged(tagged) => json(&tagged.value, depth + 1)?,
    })
}
