//! Search by title.
//!
//! Measured (recorded traffic, 2026): newest edit first even with a query; a title matches if it has any of the query's
//! words, stemmed; full page objects. Without an `in_trash` filter, data sources in the trash were listed, pages were not.
//! developers.notion.com "search-optimizations-and-limitations": not exhaustive, not immediate; only what is directly
//! shared is guaranteed. `Behavior` holds the switches for that.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::Value;

use super::{Call, list};
use crate::error::ApiError;
use crate::rules::validate::{known_keys, uuid};
use crate::world::ids::{Address, Space};
use crate::world::model::{Ix, Kind};

/// A search as asked for.
struct Search {
    words: Vec<String>,
    kind: Option<Kind>,
    in_trash: Option<bool>,
    ascending: bool,
}

pub(super) fn search(call: &Call<'_>) -> Result<Value, ApiError> {
    known_keys(&call.body, &["query", "sort", "filter", "start_cursor", "page_size"])?;
    let paging = call.body_paging()?;
    let search = Search::parse(call)?;
    let world = call.reader.world;
    let from =
        paging.cursor.as_deref().map(|cursor| place(call, cursor).ok_or_else(|| ApiError::cursor(cursor)));
    let from = from.transpose()?;
    let (mut found, mut next) = if call.reader.behavior.search_stale_ms > 0 {
        let as_before: BTreeSet<(i64, Ix)> =
            world.by_edited().iter().map(|(_, ix)| (listed_as_edited(call, *ix), *ix)).collect();
        page(call, &search, paging.size, &as_before, from)
    } else {
        page(call, &search, paging.size, world.by_edited(), from)
    };
    if let Some(wall) = call.reader.behavior.search_wall {
        let before = from.map_or(0, |from| matches_before(call, &search, from));
        if before >= wall
            && let Some(cursor) = &paging.cursor
        {
            return Err(ApiError::cursor(cursor));
        }
        found.truncate(wall.saturating_sub(before));
        if call.reader.behavior.search_wall_silent && before + found.len() >= wall {
            next = None;
        }
    }
    if let Some(again) = found.len().checked_sub(call.reader.behavior.search_repeats.max(1))
        && call.reader.behavior.search_repeats > 0
        && again > 0
        && next.is_some()
    {
        next = found.get(again).map(|ix| (listed_as_edited(call, *ix), *ix));
    }
    let results = found.into_iter().map(|ix| shown(call, ix)).collect();
    let next = next.map(|(edited_ms, ix)| {
        let detail = u64::try_from(edited_ms).unwrap_or_default();
        world.ids().seal(Space::SearchCursor, ix.0, detail).to_string()
    });
    Ok(call.complete(list(call.reader.version.listing_type(), results, next)))
}

/// When search says that an object was edited: its index may be behind.
fn listed_as_edited(call: &Call<'_>, ix: Ix) -> i64 {
    let entity = call.reader.world.entity(ix);
    if is_stale(call, ix) { entity.created_ms } else { entity.edited_ms }
}

/// Whether the last edit of an object is too young for search.
fn is_stale(call: &Call<'_>, ix: Ix) -> bool {
    let entity = call.reader.world.entity(ix);
    let known_from_ms = entity.edited_ms.saturating_add(call.reader.behavior.search_stale_ms);
    known_from_ms > call.reader.now_ms && call.reader.behavior.search_stale_ms > 0
}

fn page(
    call: &Call<'_>,
    search: &Search,
    size: usize,
    places: &BTreeSet<(i64, Ix)>,
    from: Option<(i64, Ix)>,
) -> (Vec<Ix>, Option<(i64, Ix)>) {
    let from = from.map_or(Bound::Unbounded, Bound::Included);
    if search.ascending {
        collect(call, search, size, places.range((from, Bound::Unbounded)))
    } else {
        collect(call, search, size, places.range((Bound::Unbounded, from)).rev())
    }
}

/// Cursors name a place in the listing, so one survives an edit of the item it was made from.
fn place(call: &Call<'_>, cursor: &str) -> Option<(i64, Ix)> {
    match call.reader.world.ids().open(uuid(cursor)?)? {
        Address { space: Space::SearchCursor, index, detail } => {
            Some((i64::try_from(detail).ok()?, Ix(index)))
        }
        _ => None,
    }
}

fn collect<'a>(
    call: &Call<'_>,
    search: &Search,
    size: usize,
    range: impl Iterator<Item = &'a (i64, Ix)>,
) -> (Vec<Ix>, Option<(i64, Ix)>) {
    let mut found = Vec::with_capacity(size);
    for (edited_ms, ix) in range.filter(|(_, ix)| matches(call, search, *ix)) {
        if found.len() == size {
            return (found, Some((*edited_ms, *ix)));
        }
        found.push(*ix);
    }
    (found, None)
}

fn matches_before(call: &Call<'_>, search: &Search, from: (i64, Ix)) -> usize {
    let is_before = |place: (i64, Ix)| if search.ascending { place < from } else { place > from };
    let listed = call.reader.world.by_edited().iter();
    listed.filter(|place| is_before(**place) && matches(call, search, place.1)).count()
}

fn matches(call: &Call<'_>, search: &Search, ix: Ix) -> bool {
    let world = call.reader.world;
    let entity = world.entity(ix);
    if search.kind.is_some_and(|kind| kind != entity.kind) {
        return false;
    }
    if entity.created_ms.saturating_add(call.reader.behavior.search_lag_ms) > call.reader.now_ms
        && call.reader.behavior.search_lag_ms > 0
    {
        return false;
    }
    let standing = call.reader.standing(ix);
    let trashed = standing.trashed && !is_stale(call, ix);
    let trash_fits = match search.in_trash {
        Some(wanted) => trashed == wanted,
        None => {
            let listed_anyway =
                entity.kind == Kind::DataSource && call.reader.behavior.search_lists_trashed_data_sources;
            !trashed || listed_anyway
        }
    };
    let archive_fits = !standing.archived || call.reader.behavior.search_lists_archived;
    if !standing.visible || !trash_fits || !archive_fits {
        return false;
    }
    if call.reader.behavior.search_omits_inherited && !call.reader.token.access.is_start_point(world, ix) {
        return false;
    }
    let hash = ix.0.wrapping_mul(0x9e37_79b9) >> 16;
    if hash % 100 < u32::from(call.reader.behavior.search_omits_percent)
        && !call.reader.token.access.is_start_point(world, ix)
    {
        return false;
    }
    search.words.is_empty() || {
        let title = words(&world.title(ix));
        search.words.iter().any(|word| title.contains(word))
    }
}

fn shown(call: &Call<'_>, ix: Ix) -> Value {
    let reader = &call.reader;
    let mut object = match reader.world.entity(ix).kind {
        Kind::Page => reader.page(ix, &[]),
        _ => reader.table(ix),
    };
    if is_stale(call, ix) {
        object["last_edited_time"] = object["created_time"].clone();
        object["in_trash"] = Value::Bool(false);
    }
    object
}

impl Search {
    fn parse(call: &Call<'_>) -> Result<Self, ApiError> {
        let body = &call.body;
        let query = match &body["query"] {
            Value::Null => "",
            Value::String(text) => text,
            other => return Err(wrong("query", "a string or `undefined`", other)),
        };
        let (kind, in_trash) = Self::filter(call, &body["filter"])?;
        let sort = &body["sort"];
        let by_relevance = sort["property"] == "relevance";
        if !sort.is_null() && !by_relevance && sort["timestamp"] != "last_edited_time" {
            return Err(wrong("sort.timestamp", "`\"last_edited_time\"`", &sort["timestamp"]));
        }
        let ascending = match sort["direction"].as_str() {
            Some("ascending") => true,
            Some("descending") => false,
            None if sort.is_null() || by_relevance => false,
            _ => {
                return Err(wrong(
                    "sort.direction",
                    "`\"ascending\"` or `\"descending\"`",
                    &sort["direction"],
                ));
            }
        };
        Ok(Self { words: words(query), kind, in_trash, ascending })
    }

    fn filter(call: &Call<'_>, filter: &Value) -> Result<(Option<Kind>, Option<bool>), ApiError> {
        let table = if call.reader.version.has_data_sources() { "data_source" } else { "database" };
        let in_trash = filter["in_trash"].as_bool();
        if filter.is_null() || (filter["property"].is_null() && in_trash.is_some()) {
            return Ok((None, in_trash));
        }
        if filter["property"] != "object" {
            return Err(wrong("filter.property", "`\"object\"`", &filter["property"]));
        }
        match filter["value"].as_str() {
            Some("page") => Ok((Some(Kind::Page), in_trash)),
            Some(value) if value == table => Ok((Some(Kind::DataSource), in_trash)),
            _ => Err(wrong("filter.value", &format!("`\"page\"` or `\"{table}\"`"), &filter["value"])),
        }
    }
}

fn wrong(field: &str, wanted: &str, given: &Value) -> ApiError {
    let given = if given.is_null() { "undefined".to_owned() } else { given.to_string() };
    ApiError::validation(format!(
        "body failed validation: body.{field} should be {wanted}, instead was `{given}`."
    ))
}

/// Lower-case words without a plural or verb ending, which is about what the recorded matches show.
fn words(text: &str) -> Vec<String> {
    let stem = |word: &str| {
        let lower = word.to_lowercase();
        let stem = ["ing", "es", "ed", "s"]
            .iter()
            .find_map(|end| lower.strip_suffix(end).filter(|stem| stem.len() >= 3));
        stem.map_or_else(|| lower.clone(), str::to_owned)
    };
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(stem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_without_their_endings() {
        assert_eq!(words("Tests, testing"), words("test test"));
        assert_eq!(words("Wiki DB"), ["wiki", "db"]);
    }
}
