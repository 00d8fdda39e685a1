//! A page with proof that every part of it was read, and what rendering makes of it.

use std::collections::{BTreeMap, BTreeSet};

use notion_api::wire::{Block, BlockKind, Comment, DataSource, Database, List, Page};
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::files::FilePolicy;
use super::long_properties::complete;
use crate::model::{ItemKind, NotionId, PageFile, Warning};
use crate::render::document::MAX_DEPTH;
use crate::render::{self, BlockNode, Body, PageBody, RENDERER_VERSION, Rendered};
use crate::store::{AnswerForm, Finished, ItemRow, PageSource, Part, PartKey};

/// Most blocks of one body. A copy of a synced block repeats its original, and copies in copies would repeat it without end.
const MAX_BLOCKS: usize = 500_000;

/// Puts what was read to what is stored, and says whether the body is new. A body replaces all there is; properties and
/// comments that were read without it replace their like.
pub(super) fn source_of(page: NotionId, read: Vec<Part>, stored: Option<PageSource>) -> (PageSource, bool) {
    let is_body = |part: &Part| matches!(part.key, PartKey::Block(_));
    let has_new_body = read.iter().any(is_body);
    let mut parts = read;
    for old in stored.unwrap_or_default().parts {
        let slot = parts.iter_mut().find(|part| part.key == old.key);
        match slot {
            // What could not be read anew stays as it was.
            Some(new) if (new.form.is_none() || new.failed) && !old.failed && !is_body(new) => {
                (new.form, new.answers) = (old.form, old.answers);
            }
            Some(_) => {}
            None if has_new_body => {}
            None => parts.push(old),
        }
    }
    // The page's own first; the sort is stable.
    parts.sort_by_key(|part| (part.key != PartKey::Block(page), !is_body(part)));
    (PageSource { parts }, has_new_body)
}

/// Renders an item from what the store keeps of it; none when the kept object cannot be decoded.
pub(super) fn finish(
    row: &ItemRow,
    read: Option<&PageSource>,
    workspace: NotionId,
    policy: Option<&FilePolicy<'_>>,
) -> Option<Finished> {
    let Rendered { item, warnings, files } = match row.kind {
        ItemKind::Page | ItemKind::Row => {
            let mut page: Page = serde_json::from_str(&row.source).ok()?;
            let mut lost = BTreeSet::new();
            let body = read.map(|read| assemble(&mut page, read, &mut lost)).unwrap_or_default();
            let mut rendered = render::render_page(&page, &body, workspace);
            lost.extend(rendered.warnings);
            rendered.warnings = lost.into_iter().collect();
            rendered
        }
        ItemKind::Database => {
            let database: Database = serde_json::from_str(&row.source).ok()?;
            render::render_database(&database, workspace)
        }
        ItemKind::DataSource => {
            let data_source: DataSource = serde_json::from_str(&row.source).ok()?;
            render::render_data_source(&data_source, workspace)
        }
        ItemKind::File => {
            let source: PageFile = serde_json::from_str(&row.source).ok()?;
            render::render_file(row.id, &source, row.content.as_ref()?, workspace)
        }
    };
    let is_page = matches!(row.kind, ItemKind::Page | ItemKind::Row);
    let failed = read.is_some_and(|read| read.parts.iter().any(|part| part.failed));
    // What Notion does not deliver is no part of the page: its text leaves too, and buttons stay unread for ever.
    let lost = |warning: &Warning| matches!(warning, Warning::LeftOut { .. });
    let whole = read.is_some() && !failed && !warnings.iter().any(lost);
    let files = policy.filter(|_| is_page).map(|policy| policy.place(&item, &files, whole, workspace));
    let content_hash = render::content_hash(&item);
    Some(Finished { item, content_hash, renderer: RENDERER_VERSION, warnings, files })
}

/// The body with what belongs into it; long properties are put into the page.
fn assemble(page: &mut Page, read: &PageSource, lost: &mut BTreeSet<Warning>) -> PageBody {
    let id = NotionId(page.id);
    for part in &read.parts {
        if let PartKey::Property(property) = &part.key
            && !complete(page, property, &part.answers)
        {
            let named = page.properties.iter().find(|one| one.id == *property);
            lost.extend(named.map(|one| Warning::Incomplete { property: one.name.clone() }));
        }
    }
    let mut body = body_of(id, &read.parts, lost);
    let lists = read.parts.iter().filter(|part| part.form == Some(AnswerForm::Comments));
    body.comments = lists.flat_map(|part| part.answers.iter()).flat_map(|list| comments_of(list)).collect();
    body
}

/// The page's own body, and the parts to be put into it.
fn body_of(page: NotionId, parts: &[Part], lost: &mut BTreeSet<Warning>) -> PageBody {
    let own = |part: &'_ Part| match part.key {
        PartKey::Block(block) => Some(block),
        PartKey::Property(_) | PartKey::Comments(_) => None,
    };
    let lists: BTreeMap<NotionId, Vec<Block>> = parts
        .iter()
        .filter(|part| part.form == Some(AnswerForm::Blocks))
        .filter_map(|part| {
            Some((own(part)?, part.answers.iter().flat_map(|answer| blocks_of(answer)).collect()))
        })
        .collect();
    // What is nested in another list is read there and is no part of its own.
    let nested: BTreeSet<NotionId> = lists
        .iter()
        .flat_map(|(list, blocks)| blocks.iter().flat_map(containers_of).filter(move |id| id != list))
        .collect();
    let mut trees = Trees { lists: &lists, room: MAX_BLOCKS };
    let mut body = PageBody::default();
    for part in parts {
        let Some(block) = own(part) else { continue };
        if block != page && part.form == Some(AnswerForm::Blocks) && nested.contains(&block) {
            continue;
        }
        let text = || part.answers.concat();
        let read = match part.form {
            Some(AnswerForm::MarkdownV1) => Body::MarkdownV1(text()),
            Some(AnswerForm::MarkdownV2) => Body::MarkdownV2(text()),
            Some(AnswerForm::Blocks) => Body::Blocks(trees.below(block)),
            Some(AnswerForm::PropertyItems | AnswerForm::Comments) | None => Body::None,
        };
        if block == page {
            body.main = read;
        } else {
            body.parts.insert(block.0, read);
        }
    }
    if trees.room == 0 {
        lost.insert(Warning::LeftOut { what: format!("blocks beyond {MAX_BLOCKS} of one page") });
    }
    body
}

/// Each block by itself: one that cannot be decoded does not cost the others.
fn blocks_of(answer: &str) -> Vec<Block> {
    let blocks: Vec<&RawValue> = serde_json::from_str(answer).unwrap_or_default();
    blocks.into_iter().filter_map(|block| serde_json::from_str(block.get()).ok()).collect()
}

fn comments_of(answer: &str) -> Vec<Comment> {
    let list: Option<List<Comment>> = serde_json::from_str(answer).ok();
    list.map(|list| list.results.into_iter().map(|kept| kept.value).collect()).unwrap_or_default()
}

/// The ids by which the lists below a block are kept.
fn containers_of(block: &Block) -> Vec<NotionId> {
    let sections: Vec<NotionId> = sections_of(block).into_iter().map(NotionId).collect();
    if sections.is_empty() { vec![NotionId(block.id)] } else { sections }
}

fn sections_of(block: &Block) -> Vec<Uuid> {
    match &block.kind {
        BlockKind::MeetingNotes(notes) => {
            [notes.summary_block_id, notes.notes_block_id, notes.transcript_block_id]
                .into_iter()
                .flatten()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// A block of which nothing but its id is known: a section of meeting notes.
fn section(id: Uuid) -> Option<Block> {
    serde_json::from_value(json!({"object": "block", "id": id})).ok()
}

/// Makes trees of lists of blocks.
struct Trees<'a> {
    lists: &'a BTreeMap<NotionId, Vec<Block>>,
    /// How many more blocks there may be.
    room: usize,
}

/// A list that is being put together.
struct Level<'a> {
    /// Whose.
    list: NotionId,
    rest: std::slice::Iter<'a, Block>,
    /// Sections of the meeting notes that came last.
    sections: Vec<Uuid>,
    /// Whose children the blocks are to be; none while they stand beside their parent, beyond the depth that a tree may have.
    parent: Option<Block>,
    done: Vec<BlockNode>,
}

impl<'a> Trees<'a> {
    /// The blocks below `root`. Keeps its own stack. Blocks that contain each other end at the second one; what is nested
    /// deeper than rendering goes stands beside its parent.
    fn below(&mut self, root: NotionId) -> Vec<BlockNode> {
        let mut open: Vec<Level<'a>> = vec![self.level(root)];
        loop {
            let depth = open.len();
            let Some(level) = open.last_mut() else { return Vec::new() };
            let next = match level.sections.pop().and_then(section) {
                Some(section) => Some(section),
                None if self.room == 0 => None,
                None => level.rest.next().cloned(),
            };
            let Some(block) = next else {
                let Some(closed) = open.pop() else { return Vec::new() };
                let Some(above) = open.last_mut() else { return closed.done };
                match closed.parent {
                    Some(block) => above.done.push(BlockNode { block, children: closed.done }),
                    None => above.done.extend(closed.done),
                }
                continue;
            };
            self.room = self.room.saturating_sub(1);
            let mut sections = sections_of(&block);
            sections.reverse();
            let list = NotionId(block.id);
            let has_list = self.lists.contains_key(&list) && open.iter().all(|level| level.list != list);
            if !has_list && sections.is_empty() {
                if let Some(level) = open.last_mut() {
                    level.done.push(BlockNode { block, children: Vec::new() });
                }
                continue;
            }
            let mut below = self.level(list);
            below.sections = sections;
            if depth < MAX_DEPTH {
                below.parent = Some(block);
            } else if let Some(level) = open.last_mut() {
                level.done.push(BlockNode { block, children: Vec::new() });
            }
            open.push(below);
        }
    }

    fn level(&self, list: NotionId) -> Level<'a> {
        let rest = self.lists.get(&list).map(Vec::as_slice).unwrap_or_default().iter();
        Level { list, rest, sections: Vec::new(), parent: None, done: Vec::new() }
    }
}
