//! Comments: open ones only, flat, oldest first (developers.notion.com "working-with-comments"). A page's id gives the
//! comments on the page itself; those on a block take the block's id.

use serde_json::Value;

use super::{Call, blocks, list as envelope, slice};
use crate::error::ApiError;
use crate::rules::validate::uuid;
use crate::world::Found;
use crate::world::ids::Space;
use crate::world::model::Kind;

pub(super) fn list(call: &Call<'_>) -> Result<Value, ApiError> {
    require_capability(call)?;
    let reader = &call.reader;
    let Some(asked) = call.query.get("block_id") else {
        return Err(ApiError::validation(
            "query failed validation: query.block_id should be defined, instead was `undefined`.",
        ));
    };
    let id = uuid(asked).ok_or_else(|| {
        ApiError::validation(format!(
            "query failed validation: query.block_id should be a valid uuid, instead was `\"{asked}\"`."
        ))
    })?;
    let paging = call.paging()?;
    let place = match reader.world.find(id) {
        Some(Found::Entity(ix)) if reader.sees(ix) && reader.world.entity(ix).kind == Kind::Page => (ix, 0),
        Some(Found::Block(page, ordinal)) if blocks::with_block(call, page, ordinal, |_, _| ()).is_some() => {
            (page, ordinal)
        }
        _ => return Err(call.not_found("block", id)),
    };
    let is_whole = place.1 == 0 && reader.behavior.comments_include_inline;
    let found = if is_whole {
        reader.world.comments_of(place.0)
    } else {
        reader.world.comments_at(place.0, place.1).to_vec()
    };
    let open: Vec<u32> =
        found.into_iter().filter(|number| !reader.world.comments()[*number as usize].resolved).collect();
    let (part, next) = slice(&open, &paging, |number| reader.world.ids().seal(Space::Comment, number, 0))?;
    let comments = part.into_iter().map(|number| reader.comment(number)).collect();
    Ok(call.complete(envelope("comment", comments, next)))
}

pub(super) fn retrieve(call: &Call<'_>) -> Result<Value, ApiError> {
    require_capability(call)?;
    let id = call.path_id("comment_id")?;
    let reader = &call.reader;
    let number = reader
        .world
        .ids()
        .open(id)
        .filter(|address| address.space == Space::Comment)
        .map(|found| found.index);
    let readable = number.filter(|number| {
        let comment = reader.world.comments().get(*number as usize);
        comment.is_some_and(|comment| !comment.resolved && reader.sees(comment.page))
    });
    readable.map(|number| reader.comment(number)).ok_or_else(|| call.not_found("comment", id))
}

fn require_capability(call: &Call<'_>) -> Result<(), ApiError> {
    if call.reader.token.capabilities.read_comments { Ok(()) } else { Err(ApiError::restricted()) }
}
