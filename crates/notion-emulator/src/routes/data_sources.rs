//! Data sources and their rows (developers.notion.com "query-a-data-source").

use std::borrow::Cow;

use serde_json::{Value, json};
use uuid::Uuid;

use super::filter::{Filter, RowView, sort_rows};
use super::matched::Key;
use super::{Call, list};
use crate::error::ApiError;
use crate::objects::Reader;
use crate::rules::validate::{known_keys, uuid};
use crate::world::ids::{Space, hash_text};
use crate::world::model::{Ix, Kind};

pub(super) fn retrieve(call: &Call<'_>) -> Result<Value, ApiError> {
    let id = data_source_id(call)?;
    Ok(call.reader.data_source(call.entity("data_source", id, &[Kind::DataSource])?))
}

pub(super) fn query(call: &Call<'_>) -> Result<Value, ApiError> {
    let id = data_source_id(call)?;
    rows(call, call.entity("data_source", id, &[Kind::DataSource])?)
}

/// No generated or planted data source has templates.
pub(super) fn templates(call: &Call<'_>) -> Result<Value, ApiError> {
    let id = data_source_id(call)?;
    call.entity("data_source", id, &[Kind::DataSource])?;
    Ok(json!({"templates": [], "has_more": false, "next_cursor": null}))
}

/// Older versions do not know the endpoint.
fn data_source_id(call: &Call<'_>) -> Result<Uuid, ApiError> {
    if call.reader.version.has_data_sources() { call.path_id("data_source_id") } else { Err(ApiError::url()) }
}

/// What the body of a query may hold.
const QUERY_KEYS: [&str; 8] =
    ["filter", "sorts", "start_cursor", "page_size", "is_archived", "archived", "in_trash", "result_type"];

/// One page of the rows of a data source. Without sorts the newest come first (recorded). A query ends at the row cap,
/// which every page of its result then says in `request_status`.
pub(super) fn rows(call: &Call<'_>, data_source: Ix) -> Result<Value, ApiError> {
    let reader = &call.reader;
    let is_known = |key: &&str| !reader.behavior.unknown_query_keys.iter().any(|unknown| unknown == *key);
    known_keys(&call.body, &QUERY_KEYS.into_iter().filter(is_known).collect::<Vec<_>>())?;
    let paging = call.body_paging()?;
    let schema = reader.world.data_source(data_source).map(|found| &found.schema);
    let filter = match (&call.body["filter"], schema) {
        (Value::Null, _) | (_, None) => None,
        (filter, Some(schema)) => Some(Filter::parse(filter, schema)?),
    };
    let wants_archived = call.body["is_archived"].as_bool().unwrap_or_default();
    let wants = result_kind(&call.body["result_type"])?;
    let wanted = |ix: &Ix| {
        let standing = reader.standing(*ix);
        let is_asked_for = wants.is_none_or(|kind| kind == reader.world.entity(*ix).kind);
        let is_there =
            is_asked_for && standing.visible && !standing.trashed && standing.archived == wants_archived;
        is_there && filter.as_ref().is_none_or(|filter| filter.matches(&RowView::new(reader, *ix)))
    };
    let children = members(reader, data_source);
    let session = reader.world.ids().seal(
        Space::Session,
        data_source.0,
        hash_text(&format!("{}{}{wants_archived}{wants:?}", call.body["filter"], call.body["sorts"])),
    );
    let cap = call.reader.behavior.max_query_rows;
    let anchor = match &paging.cursor {
        None => None,
        Some(cursor) => Some(anchor(call, session, cursor).ok_or_else(|| ApiError::cursor(cursor))?),
    };
    let sorts = call.body["sorts"].as_array().filter(|sorts| !sorts.is_empty());
    let page = if sorts.is_some() || children.len() > cap {
        let key =
            Key { session, bot: reader.token.bot, version: reader.version, revision: call.revision, cap };
        // Only what goes on from a cursor goes on from an earlier result.
        let known = anchor.and_then(|_| call.matched.get(&key));
        let matched = match known {
            Some(known) => known,
            None => {
                let rows = children.iter().rev().copied().filter(wanted);
                let found = match (sorts, schema) {
                    (Some(sorts), Some(schema)) => sort_rows(reader, schema, sorts, rows.collect())?,
                    _ => rows.take(cap + 1).collect(),
                };
                call.matched.put(key, found.into_iter().take(cap + 1).collect())
            }
        };
        Page::cut(&matched, anchor, paging.size, cap)
    } else {
        Page::unsorted(&children, wanted, anchor, paging.size)
    };
    let page = page.ok_or_else(|| ApiError::cursor(paging.cursor.as_deref().unwrap_or_default()))?;
    let wanted_properties = call.query.all("filter_properties");
    let shown = |ix: Ix| match reader.world.entity(ix).kind {
        Kind::Page => reader.page(ix, &wanted_properties),
        _ => reader.table(ix),
    };
    let results = page.rows.into_iter().map(shown).collect();
    let next = page.next.map(|ix| format!("s:{session}:{}", reader.world.id(ix)));
    let mut answer = list(reader.version.listing_type(), results, next);
    if page.is_cut {
        answer["request_status"] =
            json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"});
    }
    Ok(call.complete(answer))
}

/// Which of the two kinds of results a query asks for; both without `result_type`.
fn result_kind(asked: &Value) -> Result<Option<Kind>, ApiError> {
    match asked.as_str() {
        None if asked.is_null() => Ok(None),
        Some("page") => Ok(Some(Kind::Page)),
        Some("data_source") => Ok(Some(Kind::DataSource)),
        _ => Err(ApiError::validation(format!(
            "body failed validation: body.result_type should be `\"page\"`, `\"data_source\"`, or `undefined`, instead was `{asked}`."
        ))),
    }
}

/// What stands in a data source, oldest first: its rows, and in a wiki the data sources of the databases among them.
fn members<'a>(reader: &Reader<'a>, data_source: Ix) -> Cow<'a, [Ix]> {
    let world = reader.world;
    let children = &world.entity(data_source).children;
    if !world.is_wiki(data_source) {
        return Cow::Borrowed(children);
    }
    let flat = children.iter().flat_map(|ix| match world.entity(*ix).kind {
        Kind::Database => &world.entity(*ix).children[..],
        _ => std::slice::from_ref(ix),
    });
    Cow::Owned(flat.copied().collect())
}

/// One page of a result.
struct Page {
    rows: Vec<Ix>,
    next: Option<Ix>,
    is_cut: bool,
}

impl Page {
    /// The common case looks at no more rows than it shows.
    fn unsorted(
        children: &[Ix],
        wanted: impl Fn(&Ix) -> bool,
        anchor: Option<Ix>,
        size: usize,
    ) -> Option<Self> {
        let from = match anchor {
            None => children.len(),
            Some(anchor) => children.iter().rposition(|row| *row == anchor)? + 1,
        };
        let mut matched = children[..from].iter().rev().copied().filter(wanted);
        let rows = matched.by_ref().take(size).collect();
        Some(Self { rows, next: matched.next(), is_cut: false })
    }

    /// Cuts a page out of all matched rows, of which only `cap` can be had; `None` if the anchor is not among them.
    fn cut(matched: &[Ix], anchor: Option<Ix>, size: usize, cap: usize) -> Option<Self> {
        let within = &matched[..matched.len().min(cap)];
        let start = match anchor {
            None => 0,
            Some(anchor) => within.iter().position(|row| *row == anchor)?,
        };
        let end = within.len().min(start + size);
        Some(Self {
            rows: within[start..end].to_vec(),
            next: within.get(end).copied(),
            is_cut: matched.len() > cap,
        })
    }
}

/// The row that a cursor `s:<session>:<row>` of this very query names.
fn anchor(call: &Call<'_>, session: Uuid, cursor: &str) -> Option<Ix> {
    let (begun, row) = cursor.strip_prefix("s:")?.split_once(':')?;
    if uuid(begun)? != session {
        return None;
    }
    call.reader.find(uuid(row)?, &[Kind::Page, Kind::DataSource])
}
