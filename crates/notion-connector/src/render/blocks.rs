//! Blocks as the block endpoints give them, into the tree of [`super::document`].

use std::collections::BTreeSet;

use notion_api::wire::{
    Annotations, Block, BlockKind, LinkTarget, MediaBlock, MeetingNotes, Mention as WireMention, RichText,
    RichTextKind, UrlBlock, collect_text,
};
use uuid::Uuid;

use super::address;
use super::document::{
    Inline, Kind, MAX_DEPTH, Marks, Media, Mention, Node, Section, Web, order_sections, readable_date,
};
use super::markdown::cost::looked_at;
use super::unknowns;
use crate::model::{NotionId, Warning};

/// A block with the blocks nested in it, all pages of every listing read.
///
/// The children are what a reader sees below the block, whoever owns it: of a copy of a synced block the children of its
/// original; of meeting notes the blocks that the payload names (`summary_block_id`, `notes_block_id`,
/// `transcript_block_id`), each with its own children, in any order. A section is told by its id, so a block of which
/// only the id is known will do. Of a child page or database nothing below is read.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockNode {
    /// The block.
    pub block: Block,
    /// Its children, in order.
    pub children: Vec<BlockNode>,
}

/// Converts a listing of blocks.
pub(super) fn convert(blocks: &[BlockNode], warnings: &mut BTreeSet<Warning>) -> Vec<Node> {
    convert_below(blocks, Within::default(), 1, warnings)
}

/// What the blocks around a block make of it.
#[derive(Clone, Copy, Default)]
struct Within<'a> {
    /// The meeting notes that it is a child of.
    notes: Option<&'a MeetingNotes>,
    /// The copy of a synced block that shows it: the block itself stands on another page, so results open at the copy.
    copy: Option<NotionId>,
}

impl<'a> Within<'a> {
    fn below(self, block: &'a Block) -> Self {
        match &block.kind {
            BlockKind::MeetingNotes(notes) => Self { notes: Some(notes), ..self },
            BlockKind::SyncedBlock { synced_from: Some(_) } => {
                Self { notes: None, copy: self.copy.or(Some(NotionId(block.id))) }
            }
            _ => Self { notes: None, ..self },
        }
    }

    fn section(self, block: &Block) -> Option<Section> {
        let notes = self.notes?;
        let id = Some(block.id);
        [
            (notes.summary_block_id, Section::Summary),
            (notes.notes_block_id, Section::Notes),
            (notes.transcript_block_id, Section::Transcript),
        ]
        .into_iter()
        .find_map(|(named, section)| (named == id).then_some(section))
    }
}

fn convert_below(
    blocks: &[BlockNode],
    within: Within<'_>,
    depth: usize,
    warnings: &mut BTreeSet<Warning>,
) -> Vec<Node> {
    if depth >= MAX_DEPTH {
        return convert_flat(blocks, within, warnings);
    }
    let mut nodes = Vec::with_capacity(blocks.len());
    for block in blocks.iter().filter(|block| !block.block.in_trash) {
        let mut node = node_of(&block.block, within, warnings);
        if !is_document(&block.block.kind) {
            node.children = convert_below(&block.children, within.below(&block.block), depth + 1, warnings);
        }
        if node.kind == Kind::MeetingNotes {
            order_sections(&mut node.children);
        }
        nodes.push(node);
    }
    nodes
}

/// Everything below the depth that a tree may have, side by side.
fn convert_flat(blocks: &[BlockNode], within: Within<'_>, warnings: &mut BTreeSet<Warning>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut rest: Vec<(&BlockNode, Within<'_>)> = blocks.iter().rev().map(|block| (block, within)).collect();
    while let Some((block, within)) = rest.pop() {
        if block.block.in_trash {
            continue;
        }
        nodes.push(node_of(&block.block, within, warnings));
        if !is_document(&block.block.kind) {
            let below = within.below(&block.block);
            rest.extend(block.children.iter().rev().map(|child| (child, below)));
        }
    }
    nodes
}

/// Whether what is below a block belongs to another item: a child page's blocks are that page's body.
fn is_document(kind: &BlockKind) -> bool {
    matches!(kind, BlockKind::ChildPage { .. } | BlockKind::ChildDatabase { .. })
}

fn node_of(block: &Block, within: Within<'_>, warnings: &mut BTreeSet<Warning>) -> Node {
    looked_at(1);
    unknowns::check_parent(block.parent.as_ref(), warnings);
    unknowns::check_users(block.created_by.iter().chain(&block.last_edited_by), warnings);
    let text = text_block(&block.kind, warnings).map(|(kind, runs)| (kind, inlines_of(runs, warnings)));
    let (kind, label) = match within.section(block) {
        Some(section) => (Kind::MeetingSection(section), text.map(|(_, label)| label).unwrap_or_default()),
        None => text.unwrap_or_else(|| other_block(block, warnings)),
    };
    let id = match kind {
        // By its own id a part may stand in for it.
        Kind::Unknown { .. } => NotionId(block.id),
        _ => within.copy.unwrap_or(NotionId(block.id)),
    };
    Node { id: Some(id), kind, label, children: Vec::new() }
}

/// The blocks that are a line of text.
fn text_block<'a>(kind: &'a BlockKind, warnings: &mut BTreeSet<Warning>) -> Option<(Kind, &'a [RichText])> {
    Some(match kind {
        BlockKind::Paragraph(block) => {
            unknowns::check_icon(block.icon.as_ref(), warnings);
            (Kind::Paragraph, &block.rich_text)
        }
        BlockKind::Heading(block) => {
            (Kind::Heading { level: block.level.clamp(1, 4), toggle: block.is_toggleable }, &block.rich_text)
        }
        BlockKind::BulletedListItem(block) => (Kind::BulletedItem, &block.rich_text),
        BlockKind::NumberedListItem(block) => (Kind::NumberedItem, &block.rich_text),
        BlockKind::ToDo(block) => (Kind::Todo { checked: block.checked }, &block.rich_text),
        BlockKind::Toggle(block) => (Kind::Toggle, &block.rich_text),
        BlockKind::Quote(block) => (Kind::Quote, &block.rich_text),
        BlockKind::Callout(block) => {
            unknowns::check_icon(block.icon.as_ref(), warnings);
            (Kind::Callout, &block.rich_text)
        }
        BlockKind::Template(block) => (Kind::Paragraph, &block.rich_text),
        _ => return None,
    })
}

fn other_block(block: &Block, warnings: &mut BTreeSet<Warning>) -> (Kind, Vec<Inline>) {
    let id = |id: &Uuid| Some(NotionId(*id));
    match &block.kind {
        BlockKind::Code(code) => {
            let language = Some(code.language.clone()).filter(|language| !language.is_empty());
            let text = code.rich_text.iter().map(|run| run.plain_text.as_str()).collect();
            (Kind::Code { language, text }, inlines_of(&code.caption, warnings))
        }
        BlockKind::Equation { expression } => (Kind::Equation { expression: expression.clone() }, Vec::new()),
        BlockKind::Divider => (Kind::Divider, Vec::new()),
        BlockKind::Breadcrumb => (Kind::Breadcrumb, Vec::new()),
        BlockKind::TableOfContents => (Kind::TableOfContents, Vec::new()),
        BlockKind::Table(_) => (Kind::Table, Vec::new()),
        BlockKind::TableRow(cells) => (
            Kind::TableRow { cells: cells.iter().map(|cell| inlines_of(cell, warnings)).collect() },
            Vec::new(),
        ),
        BlockKind::ColumnList | BlockKind::Tab => (Kind::Container, Vec::new()),
        BlockKind::Column { .. } => (Kind::Column, Vec::new()),
        BlockKind::SyncedBlock { synced_from } => (Kind::Synced { copy: synced_from.is_some() }, Vec::new()),
        BlockKind::ChildPage { title } => {
            (Kind::ChildPage { page: Some(NotionId(block.id)) }, vec![Inline::plain(title)])
        }
        BlockKind::ChildDatabase { title } => {
            let database = Some(NotionId(block.id));
            (Kind::ChildDatabase { database, data_source: None }, vec![Inline::plain(title)])
        }
        BlockKind::LinkToPage(LinkTarget::Page(target) | LinkTarget::Database(target)) => {
            (Kind::LinkToPage { target: id(target) }, Vec::new())
        }
        BlockKind::LinkToPage(LinkTarget::Comment(_)) => (Kind::LinkToPage { target: None }, Vec::new()),
        BlockKind::Bookmark(block) => web(Web::Bookmark, block, warnings),
        BlockKind::Embed(block) => web(Web::Embed, block, warnings),
        BlockKind::LinkPreview { url } => {
            (Kind::Web { web: Web::LinkPreview, url: Some(url.clone()) }, Vec::new())
        }
        BlockKind::Image(file) => media(Media::Image, file, warnings),
        BlockKind::Video(file) => media(Media::Video, file, warnings),
        BlockKind::Pdf(file) => media(Media::Pdf, file, warnings),
        BlockKind::Audio(file) => media(Media::Audio, file, warnings),
        BlockKind::File(file) => media(Media::File, file, warnings),
        BlockKind::MeetingNotes(notes) => (Kind::MeetingNotes, inlines_of(&notes.title, warnings)),
        BlockKind::Unsupported { block_type } => {
            let kind = block_type.clone().unwrap_or_else(|| "unsupported".to_owned());
            (Kind::Unknown { kind, withheld: true }, Vec::new())
        }
        BlockKind::Partial => (Kind::Unknown { kind: "block".to_owned(), withheld: true }, Vec::new()),
        BlockKind::Unknown { kind, raw } => {
            let text = collect_text(raw);
            let label = if text.is_empty() { Vec::new() } else { vec![Inline::plain(text)] };
            (Kind::Unknown { kind: kind.clone(), withheld: false }, label)
        }
        BlockKind::Paragraph(_)
        | BlockKind::Heading(_)
        | BlockKind::BulletedListItem(_)
        | BlockKind::NumberedListItem(_)
        | BlockKind::ToDo(_)
        | BlockKind::Toggle(_)
        | BlockKind::Quote(_)
        | BlockKind::Callout(_)
        | BlockKind::Template(_) => (Kind::Paragraph, Vec::new()),
    }
}

fn web(web: Web, block: &UrlBlock, warnings: &mut BTreeSet<Warning>) -> (Kind, Vec<Inline>) {
    (Kind::Web { web, url: Some(block.url.clone()) }, inlines_of(&block.caption, warnings))
}

fn media(media: Media, file: &MediaBlock, warnings: &mut BTreeSet<Warning>) -> (Kind, Vec<Inline>) {
    unknowns::check_file(&file.source, warnings);
    (
        super::markdown::media_of(media, file.source.url(), file.name.clone()),
        inlines_of(&file.caption, warnings),
    )
}

/// Rich text as inlines.
pub(super) fn inlines_of(runs: &[RichText], warnings: &mut BTreeSet<Warning>) -> Vec<Inline> {
    let mut inlines = Vec::with_capacity(runs.len());
    for run in runs {
        looked_at(run.plain_text.len() + 1);
        match &run.kind {
            RichTextKind::Text { .. } => push_text(run, &mut inlines),
            RichTextKind::Equation { expression } => inlines.push(Inline::Equation(expression.clone())),
            RichTextKind::Mention(mention) => inlines.push(mention_of(mention, &run.plain_text, warnings)),
            RichTextKind::Unknown { kind, .. } => {
                warnings.insert(Warning::UnknownMention { kind: kind.clone() });
                push_text(run, &mut inlines);
            }
        }
    }
    inlines
}

fn push_text(run: &RichText, inlines: &mut Vec<Inline>) {
    for (number, line) in run.plain_text.split('\n').enumerate() {
        if number > 0 {
            inlines.push(Inline::LineBreak);
        }
        if !line.is_empty() {
            let (text, marks, link) = (line.to_owned(), marks_of(&run.annotations), run.href.clone());
            inlines.push(Inline::Text { text, marks, link });
        }
    }
}

fn marks_of(annotations: &Annotations) -> Marks {
    Marks {
        bold: annotations.bold,
        italic: annotations.italic,
        strikethrough: annotations.strikethrough,
        underline: annotations.underline,
        code: annotations.code,
    }
}

fn mention_of(mention: &WireMention, plain_text: &str, warnings: &mut BTreeSet<Warning>) -> Inline {
    let shown = plain_text.to_owned();
    let (target, label) = match mention {
        WireMention::User(user) => {
            unknowns::check_user(user, warnings);
            let name = plain_text.strip_prefix('@').unwrap_or(plain_text);
            let name = if name.is_empty() { user.name.as_deref().unwrap_or_default() } else { name };
            let label = if name.is_empty() { String::new() } else { format!("@{name}") };
            (Mention::User(Some(NotionId(user.id))), label)
        }
        WireMention::Page(id) => (Mention::Page(Some(NotionId(*id))), shown),
        WireMention::Database(id) => (Mention::Database(Some(NotionId(*id))), shown),
        WireMention::DataSource(id) => (Mention::DataSource(Some(NotionId(*id))), shown),
        WireMention::Date(date) => (Mention::Date, readable_date(&date.start, date.end.as_deref())),
        WireMention::LinkPreview { url } => {
            let shown = if shown.is_empty() { url.clone() } else { shown };
            (Mention::Other, address::unsigned(&shown).to_owned())
        }
        WireMention::Link(link) => {
            let title = link.title.clone().filter(|title| !title.is_empty());
            (Mention::Other, title.unwrap_or_else(|| address::unsigned(&shown).to_owned()))
        }
        WireMention::Template { value, .. } => {
            (Mention::Other, if shown.is_empty() { value.clone() } else { shown })
        }
        WireMention::CustomEmoji(emoji) => {
            (Mention::Other, if shown.is_empty() { format!(":{}:", emoji.name) } else { shown })
        }
        WireMention::Unknown { kind, .. } => {
            warnings.insert(Warning::UnknownMention { kind: kind.clone() });
            (Mention::Other, shown)
        }
    };
    Inline::Mention { target, label }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::render::document::plain;

    fn paragraph(text: &str, in_trash: bool, children: Vec<BlockNode>) -> BlockNode {
        let block = json!({"object": "block", "id": Uuid::from_u128(1), "type": "paragraph", "in_trash": in_trash,
            "paragraph": {"rich_text": [{"type": "text", "text": {"content": text}, "plain_text": text}]}});
        BlockNode { block: serde_json::from_value(block).unwrap(), children }
    }

    #[test]
    fn deep_nesting_is_flattened_and_loses_nothing() {
        let mut tree = paragraph("0", false, Vec::new());
        for number in 1..MAX_DEPTH * 3 {
            tree = paragraph(&number.to_string(), false, vec![tree]);
        }
        let nodes = convert(&[tree], &mut BTreeSet::new());
        let (mut deepest, mut seen) = (0, Vec::new());
        let mut rest: Vec<(&Node, usize)> = nodes.iter().map(|node| (node, 1)).collect();
        while let Some((node, depth)) = rest.pop() {
            deepest = deepest.max(depth);
            seen.push(plain(&node.label));
            rest.extend(node.children.iter().rev().map(|child| (child, depth + 1)));
        }
        let all: Vec<String> = (0..MAX_DEPTH * 3).rev().map(|number| number.to_string()).collect();
        assert_eq!((deepest, seen), (MAX_DEPTH, all));
    }

    #[test]
    fn trashed_blocks_are_left_out() {
        let below = vec![paragraph("kept", false, Vec::new()), paragraph("gone", true, Vec::new())];
        let nodes = convert(&[paragraph("above", false, below)], &mut BTreeSet::new());
        assert_eq!(nodes[0].children.len(), 1);
    }

    fn block(raw: serde_json::Value, children: Vec<BlockNode>) -> BlockNode {
        BlockNode { block: serde_json::from_value(raw).unwrap(), children }
    }

    #[test]
    fn sections_of_meeting_notes_are_told_by_their_ids_in_any_order() {
        let id = Uuid::from_u128;
        let notes = json!({"id": id(1), "type": "meeting_notes", "meeting_notes": {"title": [], "children": {
            "summary_block_id": id(2), "notes_block_id": id(3), "transcript_block_id": id(4)}}});
        let section = |number: u128, text: &str| {
            block(json!({"object": "block", "id": id(number)}), vec![paragraph(text, false, Vec::new())])
        };
        let children =
            vec![section(4, "said"), section(3, "noted"), section(2, "summed"), section(9, "other")];
        let mut warnings = BTreeSet::new();
        let nodes = convert(&[block(notes, children)], &mut warnings);
        let found: Vec<(&Kind, String)> = nodes[0]
            .children
            .iter()
            .map(|node| (&node.kind, node.children.iter().map(|child| plain(&child.label)).collect()))
            .collect();
        let sections = [Section::Summary, Section::Notes, Section::Transcript].map(Kind::MeetingSection);
        let partial = Kind::Unknown { kind: "block".to_owned(), withheld: true };
        assert_eq!(
            found,
            [
                (&partial, "other".to_owned()),
                (&sections[0], "summed".to_owned()),
                (&sections[1], "noted".to_owned()),
                (&sections[2], "said".to_owned()),
            ]
        );
    }

    #[test]
    fn results_in_a_copy_open_at_the_copy() {
        let from = json!({"type": "block_id", "block_id": Uuid::from_u128(8)});
        let copy =
            json!({"id": Uuid::from_u128(7), "type": "synced_block", "synced_block": {"synced_from": from}});
        let nodes =
            convert(&[block(copy, vec![paragraph("shared", false, Vec::new())])], &mut BTreeSet::new());
        assert_eq!(nodes[0].children[0].id, Some(NotionId(Uuid::from_u128(7))));
        assert_eq!(nodes[0].kind, Kind::Synced { copy: true });
    }

    #[test]
    fn long_text_in_several_runs_is_joined() {
        let runs: Vec<RichText> = serde_json::from_value(json!([
            {"type": "text", "text": {"content": "half a wo"}, "plain_text": "half a wo"},
            {"type": "text", "text": {"content": "rd"}, "plain_text": "rd", "annotations": {"bold": true}},
            {"type": "mention", "mention": {"type": "hologram", "hologram": {}}, "plain_text": " and more"}
        ]))
        .unwrap();
        let mut warnings = BTreeSet::new();
        assert_eq!(plain(&inlines_of(&runs, &mut warnings)), "half a word and more");
        assert_eq!(
            warnings.into_iter().collect::<Vec<_>>(),
            [Warning::UnknownMention { kind: "hologram".to_owned() }]
        );
    }
}
