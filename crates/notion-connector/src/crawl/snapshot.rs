//! A page with proof that every part of it was read, and what rendering makes of it.

use std::collections::{BTreeMap, BTreeSet};

use notion_api::wire::{Block, DataSource, Database, Page};
use serde_json::value::RawValue;

use crate::model::{ItemKind, NotionId};
use crate::render::{self, BlockNode, Body, PageBody, RENDERER_VERSION, Rendered};
use crate::store::{BodyForm, BodyPart, BodySource, Finished, ItemRow, StoredPart};

/// Deeper block trees are cut there; Notion's editor nests far less.
const MAX_DEPTH: usize = 96;

/// Orders the parts of a body: the page's own first.
pub(super) fn source_of(page: NotionId, parts: Vec<BodyPart>) -> BodySource {
    let stored = |part: BodyPart| StoredPart { part: part.part, form: part.form, answers: part.answers };
    let (own, others): (Vec<BodyPart>, Vec<BodyPart>) = parts.into_iter().partition(|part| part.part == page);
    BodySource { parts: own.into_iter().chain(others).map(stored).collect() }
}

/// Renders an item from what the store keeps of it; none when the kept object cannot be decoded.
pub(super) fn finish(row: &ItemRow, body: Option<&BodySource>, workspace: NotionId) -> Option<Finished> {
    let Rendered { item, warnings } = match row.kind {
        ItemKind::Page | ItemKind::Row => {
            let page: Page = serde_json::from_str(&row.source).ok()?;
            let body = body.map(|body| body_of(row.id, body)).unwrap_or_default();
            render::render_page(&page, &body, workspace)
        }
        ItemKind::Database => {
            let database: Database = serde_json::from_str(&row.source).ok()?;
            render::render_database(&database, workspace)
        }
        ItemKind::DataSource => {
            let data_source: DataSource = serde_json::from_str(&row.source).ok()?;
            render::render_data_source(&data_source, workspace)
        }
    };
    let content_hash = render::content_hash(&item);
    Some(Finished { item, content_hash, renderer: RENDERER_VERSION, warnings })
}

/// The page's own body, and the parts to be put into it.
fn body_of(page: NotionId, source: &BodySource) -> PageBody {
    let mut lists: BTreeMap<NotionId, Vec<Block>> = source
        .parts
        .iter()
        .filter(|part| part.form == Some(BodyForm::Blocks))
        .map(|part| (part.part, part.answers.iter().flat_map(|answer| blocks_of(answer)).collect()))
        .collect();
    // What is nested in another list is read there and is no part of its own.
    let nested: BTreeSet<NotionId> = lists
        .iter()
        .flat_map(|(list, blocks)| blocks.iter().map(|block| NotionId(block.id)).filter(move |id| id != list))
        .collect();
    let mut parts = BTreeMap::new();
    for part in &source.parts {
        if part.part != page && part.form == Some(BodyForm::Blocks) && nested.contains(&part.part) {
            continue;
        }
        let text = || part.answers.concat();
        let body = match part.form {
            Some(BodyForm::MarkdownV1) => Body::MarkdownV1(text()),
            Some(BodyForm::MarkdownV2) => Body::MarkdownV2(text()),
            Some(BodyForm::Blocks) => Body::Blocks(tree(&mut lists, part.part, 0)),
            None => Body::None,
        };
        parts.insert(part.part.0, body);
    }
    let main = parts.remove(&page.0).unwrap_or_default();
    PageBody { main, parts, ..PageBody::default() }
}

/// Each block by itself: one that cannot be decoded does not cost the others.
fn blocks_of(answer: &str) -> Vec<Block> {
    let blocks: Vec<&RawValue> = serde_json::from_str(answer).unwrap_or_default();
    blocks.into_iter().filter_map(|block| serde_json::from_str(block.get()).ok()).collect()
}

/// The lists as a tree. Each is used once, so that blocks which contain each other end.
fn tree(lists: &mut BTreeMap<NotionId, Vec<Block>>, parent: NotionId, depth: usize) -> Vec<BlockNode> {
    if depth >= MAX_DEPTH {
        return Vec::new();
    }
    let blocks = lists.remove(&parent).unwrap_or_default();
    let nested = |block: Block| {
        let children = tree(lists, NotionId(block.id), depth + 1);
        BlockNode { block, children }
    };
    blocks.into_iter().map(nested).collect()
}
