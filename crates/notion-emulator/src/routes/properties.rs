//! One property of a page (developers.notion.com "retrieve-a-page-property"): a value for simple types, a list with
//! paging for title, rich_text, people, relation and rollup.

use serde_json::{Map, Value, json};

use super::Call;
use crate::error::ApiError;
use crate::objects::same_property;
use crate::rules::validate::uuid;
use crate::world::ids::{Address, Space};
use crate::world::model::{Ix, Kind};

pub(super) fn retrieve(call: &Call<'_>) -> Result<Value, ApiError> {
    let reader = &call.reader;
    let ix = call.entity("page", call.path_id("page_id")?, &[Kind::Page])?;
    let paging = call.paging()?;
    let asked = call.segments.get(1).copied().unwrap_or_default();
    let asked = percent_encoding::percent_decode_str(asked).decode_utf8_lossy().into_owned();
    let properties = reader.properties(ix, reader.world.entity(ix), &reader.world.page(ix), false);
    let found = properties.into_iter().find(|(_, value)| same_property(&asked, &value["id"]));
    let Some((_, value)) = found else {
        let message = format!("Could not find property with ID: {asked}.");
        return Err(ApiError::new(404, "object_not_found", message));
    };
    let kind = value["type"].as_str().unwrap_or_default().to_owned();
    let items = match (kind.as_str(), &value[&kind]) {
        ("title" | "rich_text" | "people" | "relation", Value::Array(items)) => items.clone(),
        ("rollup", rollup) => rollup["array"].as_array().into_iter().flatten().flat_map(singles).collect(),
        _ => {
            return Ok(
                json!({"object": "property_item", "type": kind, "id": value["id"], kind.as_str(): value[&kind]}),
            );
        }
    };
    let start = match &paging.cursor {
        None => 0,
        Some(cursor) => offset(call, ix, cursor).ok_or_else(|| ApiError::cursor(cursor))?,
    };
    let end = items.len().min(start + paging.size);
    let results: Vec<Value> = items
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .map(|item| single(&kind, &value["id"], item))
        .collect();
    let next = (end < items.len())
        .then(|| reader.world.ids().seal(Space::SearchCursor, ix.0, end as u64).to_string());
    let mut answer = super::list("property_item", results, next.clone());
    let next_url = next.map(|cursor| {
        let id = value["id"].as_str().unwrap_or_default();
        format!(
            "https://api.notion.com/v1/pages/{}/properties/{id}?start_cursor={cursor}",
            reader.world.id(ix)
        )
    });
    let payload =
        if kind == "rollup" { rollup_summary(&value["rollup"], next_url.is_some()) } else { json!({}) };
    answer["property_item"] =
        json!({"id": value["id"], "next_url": next_url, "type": kind, kind.as_str(): payload});
    Ok(answer)
}

fn offset(call: &Call<'_>, ix: Ix, cursor: &str) -> Option<usize> {
    match call.reader.world.ids().open(uuid(cursor)?)? {
        Address { space: Space::SearchCursor, index, detail } if index == ix.0 => {
            usize::try_from(detail).ok()
        }
        _ => None,
    }
}

/// One item of a list: the single value under the type's key. Items of a rollup carry their own type.
fn single(kind: &str, id: &Value, item: &Value) -> Value {
    if kind == "rollup" {
        let mut whole = Map::new();
        whole.insert("object".to_owned(), Value::from("property_item"));
        whole.insert("id".to_owned(), id.clone());
        whole.extend(item.as_object().cloned().unwrap_or_default());
        return Value::Object(whole);
    }
    json!({"object": "property_item", "type": kind, "id": id, kind: item})
}

/// The values of one related page in a rollup, as items of a list: like those of a property of its own, items of a title,
/// text, people or relation hold one value each (types of the SDK).
fn singles(item: &Value) -> Vec<Value> {
    let kind = item["type"].as_str().unwrap_or_default();
    match (kind, &item[kind]) {
        ("title" | "rich_text" | "people" | "relation", Value::Array(values)) => {
            values.iter().map(|value| json!({"type": kind, kind: value})).collect()
        }
        _ => vec![item.clone()],
    }
}

/// While a rollup is being paged through, its own value is `incomplete`.
fn rollup_summary(rollup: &Value, has_more: bool) -> Value {
    if has_more {
        return json!({"type": "incomplete", "incomplete": {}, "function": rollup["function"]});
    }
    let mut summary = rollup.clone();
    if summary["type"] == "array" {
        summary["array"] = json!([]);
    } else if let Some(summary) = summary.as_object_mut() {
        summary.shift_remove("array");
    }
    summary
}
