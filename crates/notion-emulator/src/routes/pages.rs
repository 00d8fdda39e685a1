//! Pages and their bodies as markdown.

use serde_json::{Value, json};

use super::{Call, blocks};
use crate::error::ApiError;
use crate::markdown::{self, Dialect, Directory as _, Options};
use crate::objects::Reader;
use crate::world::Found;
use crate::world::model::{Kind, Parent};

pub(super) fn retrieve(call: &Call<'_>) -> Result<Value, ApiError> {
    let ix = call.entity("page", call.path_id("page_id")?, &[Kind::Page])?;
    Ok(call.reader.page(ix, &call.query.all("filter_properties")))
}

/// The body of a page, or of a block from `unknown_block_ids`, in one text (developers.notion.com
/// "retrieve-page-markdown").
pub(super) fn markdown(call: &Call<'_>) -> Result<Value, ApiError> {
    let id = call.path_id("page_id")?;
    let include_transcript = call.query.flag("include_transcript")?;
    let dialect = dialect(call)?;
    let reader = &Reader { for_markdown: true, ..call.reader };
    let (page, trees) = match reader.world.find(id) {
        Some(Found::Entity(ix)) if reader.sees(ix) && reader.world.entity(ix).kind == Kind::Page => {
            (ix, reader.trees(ix, Parent::Page(ix), &reader.world.body(ix)))
        }
        Some(Found::Block(page, ordinal)) => {
            let found = blocks::with_block(call, page, ordinal, |parent, block| {
                // A copy whose original is not accessible has nothing to show, so that whoever asks for what an answer
                // lacked comes to an end.
                blocks::original_of(block).map_or(Some(()), |id| reader.block_url(id).map(|_| ()))?;
                // A folder is read like a page: what stands in it, one level.
                if block.kind == "folder" {
                    return Some(reader.trees(page, Parent::Block(page, ordinal), &block.children));
                }
                let node = crate::world::model::Node::Block(block.clone());
                Some(reader.trees(page, parent, std::slice::from_ref(&node)))
            });
            (page, found.flatten().ok_or_else(|| call.not_found("page", id))?)
        }
        _ => return Err(call.not_found("page", id)),
    };
    let mut options = Options::new(reader.url(page));
    options.include_transcript = include_transcript;
    options.max_blocks = reader.behavior.markdown_max_blocks;
    options.max_unknown_ids = reader.behavior.markdown_max_unknown_ids;
    options.lists_unsupported = reader.behavior.markdown_lists_unsupported;
    let rendered = markdown::render(&trees, dialect, reader, &options);
    let answer = json!({
        "object": "page_markdown",
        "id": id,
        "markdown": rendered.markdown,
        "truncated": rendered.truncated,
        "unknown_block_ids": rendered.unknown_block_ids,
    });
    Ok(reader.delivered("page_markdown", id, answer))
}

/// What `markdown_version` asks for ("migrate-to-notion-flavored-markdown"): of the two dialects a later version refuses
/// v1, and an earlier one knew neither the second nor the parameter.
fn dialect(call: &Call<'_>) -> Result<Dialect, ApiError> {
    let behavior = call.reader.behavior;
    let asked = call.query.get("markdown_version").filter(|_| !behavior.markdown_version_ignored);
    let Some(asked) = asked else { return Ok(behavior.markdown_default.into()) };
    let known = &behavior.markdown_versions;
    if let Some(version) = known.iter().find(|version| version.name() == asked) {
        return Ok((*version).into());
    }
    let names: Vec<String> = known.iter().map(|version| format!("`\"{}\"`", version.name())).collect();
    let wanted = if names.is_empty() {
        "not present".to_owned()
    } else {
        format!("{}, or `undefined`", names.join(", "))
    };
    Err(ApiError::validation(format!(
        "query failed validation: query.markdown_version should be {wanted}, instead was `\"{asked}\"`."
    )))
}
