//! A complete page becomes an [`Item`] and warnings. Pure: the same input gives the same output, and nothing fails.
//!
//! `document.rs` is the tree that every body is parsed into: `markdown/` reads both dialects, `blocks.rs` the block
//! endpoints; `text.rs` and `passages.rs` write it as text, `comments.rs` what people say about it, `properties.rs`
//! renders properties, `unknowns.rs` warns of kinds that this version does not know. Input is hostile:
//! cost is linear in it, depth is bounded, what is not understood is kept as text and warned of.
//!
//! A change here that changes what an unchanged page yields raises [`RENDERER_VERSION`].

pub mod address;
mod blocks;
mod comments;
pub mod document;
mod file;
pub mod markdown;
mod passages;
mod properties;
mod schema;
mod text;
mod unknowns;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod proptests;
#[cfg(test)]
mod trees;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{FileRef, Item, ItemKey, ItemKind, NotionId, Parent, Warning};
use comments::write_comments;
use document::Node;
use jiff::Timestamp;
use markdown::Dialect;
use notion_api::wire::{self, CustomEmoji, FileSource, Icon};
use passages::Cutter;
use text::{LinkSet, Part, write_blocks};
use uuid::Uuid;

pub use blocks::BlockNode;
pub use file::render_file;
pub use schema::{render_data_source, render_database};

/// The version of what this room makes of a page. The store keeps sources beside it and renders anew when it rises.
pub const RENDERER_VERSION: u32 = 5;

/// The body of a page, or of a part of it, as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Body {
    /// Enhanced markdown.
    MarkdownV1(String),
    /// Notion-flavored Markdown.
    MarkdownV2(String),
    /// Blocks.
    Blocks(Vec<BlockNode>),
    /// Not read, or not readable.
    #[default]
    None,
}

impl Body {
    fn parse(&self, warnings: &mut BTreeSet<Warning>) -> Vec<Node> {
        match self {
            Self::MarkdownV1(text) => markdown::parse(text, Dialect::V1, warnings),
            Self::MarkdownV2(text) => markdown::parse(text, Dialect::V2, warnings),
            Self::Blocks(blocks) => blocks::convert(blocks, warnings),
            Self::None => Vec::new(),
        }
    }
}

/// A whole body: what the page's own address gave, and the parts that had to be read by themselves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageBody {
    /// What reading the page gave.
    pub main: Body,
    /// By block: what reading an entry of `unknown_block_ids`, or the block behind an `<unknown>` tag, gave;
    /// [`Body::None`] if it could not be read (developers.notion.com "retrieve-page-markdown").
    pub parts: BTreeMap<Uuid, Body>,
    /// The open comments on the page and on its blocks, as they were listed; those of a block name it as their parent.
    pub comments: Vec<wire::Comment>,
}

impl From<Body> for PageBody {
    fn from(main: Body) -> Self {
        Self { main, ..Self::default() }
    }
}

/// A block that a body holds a place for and does not deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldBlock {
    /// Its id, when its tag tells.
    pub id: Option<NotionId>,
    /// What Notion calls it: `bookmark`, `embed`, `unknown`….
    pub kind: String,
}

/// What rendering makes of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The item.
    pub item: Item,
    /// What it lost, sorted, each once.
    pub warnings: Vec<Warning>,
    /// The files in it, in the order of the text; one that stands there twice, twice.
    pub files: Vec<FileRef>,
}

/// Renders a page or row with its body.
pub fn render_page(page: &wire::Page, body: &PageBody, workspace: NotionId) -> Rendered {
    let mut warnings = BTreeSet::new();
    let mut links = LinkSet::default();
    let nodes = body.main.parse(&mut warnings);
    let parts = parse_parts(&body.parts, &mut warnings);
    let mut cutter = Cutter::default();
    write_blocks(&nodes, &parts, &mut cutter, &mut links, &mut warnings);
    write_comments(page.id, &body.comments, &mut cutter, &mut links, &mut warnings);
    let (text, passages) = cutter.finish();
    let properties = properties::render_properties(&page.properties, &mut links, &mut warnings);
    let parent = parent_of(page.parent.as_ref());
    let kind = match parent {
        // Up to 2022-06-28 a row's parent was its database.
        Parent::DataSource(_) | Parent::Database(_) => ItemKind::Row,
        Parent::Workspace | Parent::Page(_) | Parent::Block(_) | Parent::Unknown => ItemKind::Page,
    };
    unknowns::check_parent(page.parent.as_ref(), &mut warnings);
    unknowns::check_icon(page.icon.as_ref(), &mut warnings);
    unknowns::check_users(page.created_by.iter().chain(&page.last_edited_by), &mut warnings);
    let id = NotionId(page.id);
    let files = links.take_files();
    let item = Item {
        key: ItemKey::new(workspace, kind, id),
        kind,
        id,
        title: title_line(&page.title().unwrap_or_default()),
        url: page.url.clone().unwrap_or_default(),
        icon: icon_of(page.icon.as_ref()),
        cover: cover_of(page.cover.as_ref(), &mut warnings),
        parent,
        text,
        passages,
        properties,
        links: links.into_links(),
        created_time: page.created_time.unwrap_or(Timestamp::UNIX_EPOCH),
        last_edited_time: page.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH),
        created_by: page.created_by.as_ref().map(|user| NotionId(user.id)),
        last_edited_by: page.last_edited_by.as_ref().map(|user| NotionId(user.id)),
        file: None,
    };
    Rendered { item, warnings: warnings.into_iter().collect(), files }
}

/// The files in a page or in a part of one, in the order of the text.
pub fn files_of(page: Option<&wire::Page>, body: &PageBody) -> Vec<FileRef> {
    let (mut warnings, mut links, mut cutter) = (BTreeSet::new(), LinkSet::default(), Cutter::default());
    let parts = parse_parts(&body.parts, &mut warnings);
    write_blocks(&body.main.parse(&mut warnings), &parts, &mut cutter, &mut links, &mut warnings);
    let about = page.map_or_else(Uuid::nil, |page| page.id);
    write_comments(about, &body.comments, &mut cutter, &mut links, &mut warnings);
    if let Some(page) = page {
        properties::render_properties(&page.properties, &mut links, &mut warnings);
    }
    links.take_files()
}

/// The places in a body that its parts do not fill, in the order of the text: what could be read by itself.
pub fn withheld_blocks(body: &PageBody) -> Vec<WithheldBlock> {
    let mut warnings = BTreeSet::new();
    let parts = parse_parts(&body.parts, &mut warnings);
    let mut found = Vec::new();
    text::find_withheld(&body.main.parse(&mut warnings), &parts, &mut found);
    found
}

/// A hash of all that a searcher can see of an item: everything in it, edit time and editor too, since results show
/// them. Nothing signed is in an item, so an unchanged page has an unchanged hash.
pub fn content_hash(item: &Item) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"item\0");
    if serde_json::to_writer(&mut hasher, item).is_err() {
        // Neither the types nor the writer can refuse; if they ever do, the hash must still tell items apart.
        hasher.update(format!("{item:?}").as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn parse_parts(parts: &BTreeMap<Uuid, Body>, warnings: &mut BTreeSet<Warning>) -> BTreeMap<NotionId, Part> {
    let parse = |(id, body): (&Uuid, &Body)| {
        let part = match body {
            Body::None => Part::Unreadable,
            Body::MarkdownV1(_) | Body::MarkdownV2(_) | Body::Blocks(_) => Part::Read(body.parse(warnings)),
        };
        (NotionId(*id), part)
    };
    parts.iter().map(parse).collect()
}

/// Where an object stands, in the words of the model.
pub fn parent_of(parent: Option<&wire::Parent>) -> Parent {
    match parent {
        Some(wire::Parent::Workspace) => Parent::Workspace,
        Some(wire::Parent::Page(id)) => Parent::Page(NotionId(*id)),
        Some(wire::Parent::Database(id)) => Parent::Database(NotionId(*id)),
        Some(wire::Parent::DataSource { data_source_id, .. }) => {
            Parent::DataSource(NotionId(*data_source_id))
        }
        Some(wire::Parent::Block(id)) => Parent::Block(NotionId(*id)),
        Some(wire::Parent::Agent(_) | wire::Parent::Unknown { .. }) | None => Parent::Unknown,
    }
}

/// The stable part of a cover's address: built-in pictures keep their name in the path, uploads their file.
fn cover_of(cover: Option<&FileSource>, warnings: &mut BTreeSet<Warning>) -> Option<String> {
    unknowns::check_file(cover?, warnings);
    cover?.url().map(|url| address::without_query(url).to_owned()).filter(|url| !url.is_empty())
}

fn icon_of(icon: Option<&Icon>) -> Option<String> {
    match icon? {
        Icon::Emoji(emoji) => Some(emoji.clone()).filter(|emoji| !emoji.is_empty()),
        Icon::CustomEmoji(CustomEmoji { name, .. }) | Icon::Named { name, .. } => {
            Some(format!(":{name}:")).filter(|_| !name.is_empty())
        }
        Icon::File(_) | Icon::Unknown { .. } => None,
    }
}

/// A title is one line.
fn title_line(title: &str) -> String {
    title
        .split(|c: char| c.is_control())
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
