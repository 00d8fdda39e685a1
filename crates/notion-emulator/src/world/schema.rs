//! Schemas and property values as they are stored: ids of properties and options, and payloads completed from the schema.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::World;
use super::ids::{Ids, Space, hash_text};
use super::model::Ix;
use super::rich_text;

const OPTION_COLORS: [&str; 9] =
    ["blue", "green", "orange", "pink", "purple", "red", "yellow", "brown", "gray"];

/// Property types whose value the world computes when it is read.
pub(crate) const COMPUTED: [&str; 4] = ["created_time", "last_edited_time", "created_by", "last_edited_by"];

/// A short property id as Notion makes them: four printable characters, percent-encoded in JSON (`"%3FB%3AW"`).
#[must_use]
pub(crate) fn property_id(name: &str, kind: &str) -> String {
    const CHARACTERS: &[u8] =
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_~:;?@<>=[]{}`|^";
    // Recorded: these two are named by their type.
    if kind == "title" || kind == "verification" {
        return kind.to_owned();
    }
    let mut rest = hash_text(name);
    let mut id = String::new();
    for _ in 0..4 {
        let wide = CHARACTERS.len() as u64;
        let character = CHARACTERS[usize::try_from(rest % wide).unwrap_or_default()];
        rest /= wide;
        if character.is_ascii_alphanumeric() || character == b'_' || character == b'~' {
            id.push(char::from(character));
        } else {
            let _ = write!(id, "%{character:02X}");
        }
    }
    id
}

/// Completes a seed's schema: `{id, name, description, type, <type>}` for each property, ids and colours for options.
#[must_use]
pub(crate) fn complete_schema(ids: &Ids, given: &Map<String, Value>) -> Map<String, Value> {
    let mut schema = Map::new();
    for (name, column) in given {
        let kind = column["type"].as_str().unwrap_or("rich_text").to_owned();
        let mut payload = column.get(&kind).cloned().unwrap_or_else(|| json!({}));
        match kind.as_str() {
            "select" | "multi_select" => complete_options(ids, name, &mut payload),
            "status" => {
                complete_options(ids, name, &mut payload);
                complete_groups(ids, name, &mut payload);
            }
            "number" if payload.get("format").is_none() => payload = json!({"format": "number"}),
            "unique_id" if payload.get("prefix").is_none() => payload = json!({"prefix": null}),
            _ => {}
        }
        let id = column["id"].as_str().map_or_else(|| property_id(name, &kind), str::to_owned);
        let value = json!({"id": id, "name": name, "description": column["description"], "type": kind, kind.as_str(): payload});
        schema.insert(name.clone(), value);
    }
    if !schema.values().any(|column| column["type"] == "title") {
        let title = json!({"id": "title", "name": "Name", "description": null, "type": "title", "title": {}});
        schema.shift_insert(0, "Name".to_owned(), title);
    }
    schema
}

fn option_value(ids: &Ids, property: &str, given: &Value, position: usize) -> Value {
    let name = given["name"].as_str().or_else(|| given.as_str()).unwrap_or_default();
    let number = hash_text(&format!("{property}\u{0}{name}")) & 0xffff_ffff_ffff;
    let id = given["id"]
        .as_str()
        .map_or_else(|| ids.seal(Space::PropertyOption, 0, number).to_string(), str::to_owned);
    let color = given["color"].as_str().unwrap_or(OPTION_COLORS[position % OPTION_COLORS.len()]);
    json!({"id": id, "name": name, "color": color, "description": given["description"]})
}

fn complete_options(ids: &Ids, property: &str, payload: &mut Value) {
    let options: Vec<Value> = payload["options"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(position, given)| option_value(ids, property, given, position))
        .collect();
    match payload {
        Value::Object(map) => {
            map.insert("options".to_owned(), Value::from(options));
        }
        other => *other = json!({ "options": options }),
    }
}

/// Every status belongs to one of three groups; a seed need not say which.
fn complete_groups(ids: &Ids, property: &str, payload: &mut Value) {
    if payload.get("groups").is_some_and(Value::is_array) {
        return;
    }
    let options: Vec<Value> =
        payload["options"].as_array().into_iter().flatten().map(|option| option["id"].clone()).collect();
    let last = options.len().saturating_sub(1);
    let third = |from: usize, to: usize| options.get(from..to).unwrap_or_default().to_vec();
    let groups = [
        ("To-do", "gray", third(0, 1.min(options.len()))),
        ("In progress", "blue", third(1.min(last), last)),
        ("Complete", "green", third(last.max(1).min(options.len()), options.len())),
    ];
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|(name, color, option_ids)| {
            let number = hash_text(&format!("{property}\u{0}group\u{0}{name}")) & 0xffff_ffff_ffff;
            json!({"id": ids.seal(Space::PropertyOption, 1, number), "name": name, "color": color, "option_ids": option_ids})
        })
        .collect();
    payload["groups"] = Value::from(groups);
}

/// A value's payload in the form it is kept in. Options not yet in the schema are added to it, as Notion does.
pub(crate) fn complete_value(
    world: &World,
    name: &str,
    column: &mut Value,
    row_number: u64,
    given: Value,
) -> Value {
    let kind = column["type"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "select" | "status" => chosen(world.ids(), name, &kind, column, &given),
        "multi_select" => Value::from(
            given
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| chosen(world.ids(), name, &kind, column, item))
                .collect::<Vec<_>>(),
        ),
        "rich_text" => match given {
            Value::String(text) => rich_text::plain(&text),
            mut other => {
                rich_text::complete(&mut other);
                if other.is_null() { json!([]) } else { other }
            }
        },
        "date" if given.is_string() => json!({"start": given, "end": null, "time_zone": null}),
        "date" if given.is_object() => {
            json!({"start": given["start"], "end": given["end"], "time_zone": given["time_zone"]})
        }
        "people" => people(world, &given),
        "unique_id" if given.is_null() => {
            json!({"prefix": column["unique_id"]["prefix"], "number": row_number})
        }
        "checkbox" if given.is_null() => json!(false),
        "files" | "relation" if given.is_null() => json!([]),
        "button" => json!({}),
        _ => given,
    }
}

/// What a row that says nothing has under a property.
pub(crate) fn empty_value(kind: &str) -> Value {
    match kind {
        "rich_text" | "multi_select" | "people" | "files" | "relation" => json!([]),
        "checkbox" => json!(false),
        "button" => json!({}),
        "formula" => json!({"type": "string", "string": null}),
        "rollup" => json!({"type": "array", "array": [], "function": "show_original"}),
        _ => Value::Null,
    }
}

fn chosen(ids: &Ids, property: &str, kind: &str, column: &mut Value, given: &Value) -> Value {
    let Some(name) = given["name"].as_str().or_else(|| given.as_str()) else { return Value::Null };
    let options = column[kind]["options"].as_array().map_or(&[][..], Vec::as_slice);
    let known = options.iter().find(|option| option["name"] == name).cloned();
    let option = match known {
        Some(option) => option,
        None => {
            let option = option_value(ids, property, given, options.len());
            if let Some(options) = column[kind]["options"].as_array_mut() {
                options.push(option.clone());
            }
            option
        }
    };
    json!({"id": option["id"], "name": option["name"], "color": option["color"]})
}

/// People are kept as `[{"id": …}]`; a seed may name them by `name`, `email` or `id`. What says which object it is, such as
/// a group, is kept as it is.
fn people(world: &World, given: &Value) -> Value {
    let kept = |item: &Value| match item["object"].as_str() {
        None | Some("user") => Some(json!({"id": person(world, item)?})),
        Some(_) => Some(item.clone()),
    };
    given.as_array().into_iter().flatten().filter_map(kept).collect()
}

/// The id of the user that a seed means.
pub(crate) fn person(world: &World, given: &Value) -> Option<String> {
    if let Some(id) = given["id"].as_str() {
        return Some(id.to_owned());
    }
    let wanted = [
        given["name"].as_str(),
        given["email"].as_str(),
        given["person"]["email"].as_str(),
        given["ref"].as_str(),
        given.as_str(),
    ];
    let position = world.users().iter().position(|user| {
        wanted
            .iter()
            .flatten()
            .any(|text| user.name.as_deref() == Some(text) || user.email.as_deref() == Some(text))
    })?;
    Some(world.user_id(u32::try_from(position).ok()?).to_string())
}

/// The schema of the data source a row stands in.
#[must_use]
pub(crate) fn schema_of_row(world: &World, row: Ix) -> Option<&Map<String, Value>> {
    let holder = world.entity(row).parent.holder()?;
    Some(&world.data_source(holder)?.schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn property_ids_are_short_stable_and_percent_encoded() {
        assert_eq!(property_id("Name", "title"), "title");
        let id = property_id("Due date", "date");
        assert_eq!(id, property_id("Due date", "date"));
        let decoded = percent_encoding::percent_decode_str(&id).decode_utf8().unwrap();
        assert_eq!(decoded.chars().count(), 4);
    }

    #[test]
    fn statuses_fall_into_three_groups() {
        let ids = Ids::new(1);
        let given = json!({"State": {"type": "status", "status": {"options": [{"name": "A"}, {"name": "B"}, {"name": "C"}]}}});
        let schema = complete_schema(&ids, given.as_object().unwrap());
        let groups = schema["State"]["status"]["groups"].as_array().unwrap();
        let sizes: Vec<usize> =
            groups.iter().map(|group| group["option_ids"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [1, 1, 1]);
        assert_eq!(schema["Name"]["id"], "title");
    }
}
