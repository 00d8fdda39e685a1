//! Views and custom emoji. Every data source shows in one table view of its database; a view's query gives references to its
//! rows, for some 15 minutes (developers.notion.com "create-a-view-query", "list-custom-emojis").

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, list as envelope, slice};
use crate::error::ApiError;
use crate::objects::{Reader, exact};
use crate::rules::validate::{Paging, known_keys, path_id, uuid};
use crate::world::ids::Space;
use crate::world::model::{Ix, Kind};

/// How long the result of a view's query can be read.
const QUERY_MS: i64 = 15 * 60_000;

/// The views of a database, or those that show a data source.
pub(super) fn list(call: &Call<'_>) -> Result<Value, ApiError> {
    let reader = &call.reader;
    let asked = |key: &str| call.query.get(key).map(|text| (text.to_owned(), uuid(text)));
    let data_sources: Vec<Ix> = match (asked("database_id"), asked("data_source_id")) {
        (Some((_, Some(id))), None) => {
            reader.data_sources_of(call.entity("database", id, &[Kind::Database])?).collect()
        }
        (None, Some((_, Some(id)))) => vec![call.entity("data_source", id, &[Kind::DataSource])?],
        (Some((text, None)), None) | (None, Some((text, None))) => {
            return Err(ApiError::validation(format!(
                "query failed validation: ids should be valid uuids, instead was `\"{text}\"`."
            )));
        }
        _ => {
            return Err(ApiError::validation(
                "query failed validation: one of query.database_id and query.data_source_id should be defined.",
            ));
        }
    };
    let (part, next) = slice(&data_sources, &call.paging()?, |ix| view_id(reader, ix))?;
    let views = part.into_iter().map(|ix| json!({"object": "view", "id": view_id(reader, ix)})).collect();
    Ok(call.complete(envelope("view", views, next)))
}

pub(super) fn retrieve(call: &Call<'_>) -> Result<Value, ApiError> {
    let (id, data_source) = view(call)?;
    let reader = &call.reader;
    let entity = reader.world.entity(data_source);
    let database = entity.parent.holder().unwrap_or(data_source);
    let user = |number: u32| json!({"object": "user", "id": reader.world.user_id(number)});
    Ok(json!({
        "object": "view",
        "id": id,
        "parent": {"type": "database_id", "database_id": reader.world.id(database)},
        "name": "Table",
        "type": "table",
        "created_time": exact(entity.created_ms),
        "last_edited_time": exact(entity.edited_ms),
        "url": format!("{}?v={}", reader.url(database), id.simple()),
        "data_source_id": reader.world.id(data_source),
        "created_by": user(entity.created_by),
        "last_edited_by": user(entity.edited_by),
        "filter": null,
        "sorts": null,
        "quick_filters": null,
        "configuration": null,
    }))
}

/// Begins a query; its answer holds the first references and the number of rows.
pub(super) fn query(call: &Call<'_>) -> Result<Value, ApiError> {
    known_keys(&call.body, &["page_size", "start_cursor"])?;
    let (id, data_source) = view(call)?;
    let reader = &call.reader;
    let rows = rows(reader, data_source);
    let (mut answer, is_cut) = page(call, &rows, &call.body_paging()?)?;
    let begun_ms = u64::try_from(reader.now_ms).unwrap_or_default();
    let mut whole = json!({
        "object": "view_query",
        "id": reader.world.ids().seal(Space::ViewQuery, data_source.0, begun_ms),
        "view_id": id,
        "expires_at": exact(reader.now_ms + QUERY_MS),
        "total_count": rows.len(),
    });
    for key in ["results", "next_cursor", "has_more"] {
        whole[key] = answer[key].take();
    }
    if is_cut {
        whole["request_status"] = answer["request_status"].take();
    }
    Ok(whole)
}

/// Further references of a query that has not expired.
pub(super) fn results(call: &Call<'_>) -> Result<Value, ApiError> {
    let (_, data_source) = view(call)?;
    let reader = &call.reader;
    let id = path_id("query_id", call.segments.get(1).copied().unwrap_or_default())?;
    let begun_ms = reader.world.ids().open(id).and_then(|address| {
        let is_ours = address.space == Space::ViewQuery && address.index == data_source.0;
        i64::try_from(address.detail).ok().filter(|_| is_ours)
    });
    if begun_ms.is_none_or(|begun_ms| begun_ms + QUERY_MS < reader.now_ms) {
        return Err(call.not_found("view query", id));
    }
    Ok(page(call, &rows(reader, data_source), &call.paging()?)?.0)
}

fn view_id(reader: &Reader<'_>, data_source: Ix) -> Uuid {
    reader.world.ids().seal(Space::View, data_source.0, 0)
}

/// The view of the path, as its id and the data source that it shows.
fn view(call: &Call<'_>) -> Result<(Uuid, Ix), ApiError> {
    if !call.reader.version.has_data_sources() {
        return Err(ApiError::url());
    }
    let id = call.path_id("view_id")?;
    let shown = call.reader.world.ids().open(id).filter(|address| address.space == Space::View);
    let shown = shown.map(|address| call.reader.world.id(Ix(address.index)));
    let data_source = shown.and_then(|shown| call.reader.find(shown, &[Kind::DataSource]));
    data_source.map(|data_source| (id, data_source)).ok_or_else(|| call.not_found("view", id))
}

fn rows(reader: &Reader<'_>, data_source: Ix) -> Vec<Ix> {
    let children = reader.world.entity(data_source).children.iter().rev().copied();
    let shows = |ix: &Ix| {
        let standing = reader.standing(*ix);
        let is_page = reader.world.entity(*ix).kind == Kind::Page;
        is_page && standing.visible && !standing.trashed && !standing.archived
    };
    children.filter(shows).collect()
}

/// One page of references, and whether the row cap cut the result.
fn page(call: &Call<'_>, rows: &[Ix], paging: &Paging) -> Result<(Value, bool), ApiError> {
    let cap = call.reader.behavior.max_query_rows;
    let world = call.reader.world;
    let (part, next) = slice(&rows[..rows.len().min(cap)], paging, |ix| world.id(ix))?;
    let references = part.into_iter().map(|ix| json!({"object": "page", "id": world.id(ix)})).collect();
    let mut answer = envelope("page", references, next);
    if rows.len() > cap {
        answer["request_status"] =
            json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"});
    }
    Ok((call.complete(answer), rows.len() > cap))
}

/// The workspace's own emoji. Recorded: `type` comes second, and no key of that name follows.
pub(super) fn custom_emojis(call: &Call<'_>) -> Result<Value, ApiError> {
    let world = call.reader.world;
    let wanted = call.query.get("name");
    let known = (0_u32..).zip(world.custom_emojis());
    let numbers: Vec<u32> = known
        .filter(|(_, (name, _))| wanted.is_none_or(|wanted| wanted == name))
        .map(|(number, _)| number)
        .collect();
    let id = |number: u32| world.ids().seal(Space::CustomEmoji, number, 0);
    let (part, next) = slice(&numbers, &call.paging()?, id)?;
    let shown = |number: u32| {
        let (name, url) = &world.custom_emojis()[number as usize];
        json!({"id": id(number), "name": name, "url": url})
    };
    let results: Vec<Value> = part.into_iter().map(shown).collect();
    let has_more = next.is_some();
    Ok(
        json!({"object": "list", "type": "custom_emoji", "results": results, "has_more": has_more, "next_cursor": next}),
    )
}
