//! The tree as searchable text: one block a line, in document order, with passages and links.
//!
//! Markers (bullets, numbers, icons, colours) are left out: a snippet reads better without, and nobody searches for
//! them. Everything people can read is in, exactly once. The walk keeps its own stack, so splicing parts into parts
//! cannot overflow ours.

use std::collections::{BTreeMap, BTreeSet};

use super::WithheldBlock;
use super::address;
use super::document::{Inline, Kind, Mention, Node, Section, Web, plain, push_plain};
use super::passages::Cutter;
use crate::model::{FilePlace, FileRef, Link, LinkKind, NotionId, Warning};

/// Places in which one part may stand. Parts can name each other, so without a bound the text could grow without one.
const MAX_PLACES: usize = 16;

/// What became of a part of a body that was read by itself.
#[derive(Debug)]
pub(super) enum Part {
    /// Its blocks.
    Read(Vec<Node>),
    /// It could not be read.
    Unreadable,
}

/// Writes `blocks` into `cutter`; where a withheld block's part was read, the part stands in its place.
pub(super) fn write_blocks(
    blocks: &[Node],
    parts: &BTreeMap<NotionId, Part>,
    cutter: &mut Cutter,
    links: &mut LinkSet,
    warnings: &mut BTreeSet<Warning>,
) {
    let mut walk = Walk { parts, used: BTreeMap::new(), open: BTreeSet::new(), cutter, links, warnings };
    walk.run(blocks);
    // A part that no block asks for is still part of the page.
    for (id, part) in parts {
        if walk.used.contains_key(id) {
            continue;
        }
        match part {
            Part::Read(nodes) => walk.run(nodes),
            Part::Unreadable => {
                walk.warnings.insert(Warning::Unreadable { what: format!("block {id}") });
            }
        }
    }
}

/// Collects the withheld blocks that no part stands for, each once, parts included, in the order of the text.
pub(super) fn find_withheld(
    blocks: &[Node],
    parts: &BTreeMap<NotionId, Part>,
    found: &mut Vec<WithheldBlock>,
) {
    let (mut used, mut listed) = (BTreeSet::new(), BTreeSet::new());
    let mut stack = vec![blocks.iter()];
    while let Some(mut nodes) = stack.pop() {
        let Some(node) = nodes.next() else { continue };
        stack.push(nodes);
        stack.push(node.children.iter());
        let kind = match &node.kind {
            Kind::Unknown { kind, withheld: true } => kind.as_str(),
            Kind::Folder => "folder",
            _ => continue,
        };
        match node.id.and_then(|id| parts.get(&id).map(|part| (id, part))) {
            Some((id, Part::Read(nodes))) if used.insert(id) => stack.push(nodes.iter()),
            Some(_) => {}
            None if node.id.is_none_or(|id| listed.insert(id)) => {
                found.push(WithheldBlock { id: node.id, kind: kind.to_owned() });
            }
            None => {}
        }
    }
}

enum Step<'a> {
    Nodes(std::slice::Iter<'a, Node>),
    LeaveScope,
    LeavePart(NotionId),
}

struct Walk<'a, 'w> {
    parts: &'a BTreeMap<NotionId, Part>,
    /// How often each part was put into its place: a copy of a synced block beside its original shows it again.
    used: BTreeMap<NotionId, usize>,
    /// The parts that the walk is in.
    open: BTreeSet<NotionId>,
    cutter: &'w mut Cutter,
    links: &'w mut LinkSet,
    warnings: &'w mut BTreeSet<Warning>,
}

impl<'a> Walk<'a, '_> {
    fn run(&mut self, blocks: &'a [Node]) {
        let mut stack = vec![Step::Nodes(blocks.iter())];
        while let Some(step) = stack.pop() {
            let mut nodes = match step {
                Step::Nodes(nodes) => nodes,
                Step::LeaveScope => {
                    self.cutter.leave_scope();
                    continue;
                }
                Step::LeavePart(id) => {
                    self.open.remove(&id);
                    continue;
                }
            };
            let Some(node) = nodes.next() else { continue };
            stack.push(Step::Nodes(nodes));
            self.visit(node);
            if is_omitted_transcript(node) {
                self.warnings.insert(Warning::Unreadable { what: "transcript".to_owned() });
                continue;
            }
            if !node.children.is_empty() {
                if scopes_headings(&node.kind) {
                    self.cutter.enter_scope();
                    stack.push(Step::LeaveScope);
                }
                stack.push(Step::Nodes(node.children.iter()));
            }
            if let Some((id, part)) = self.part_of(node) {
                self.open.insert(id);
                stack.push(Step::LeavePart(id));
                stack.push(Step::Nodes(part.iter()));
            }
        }
    }

    fn visit(&mut self, node: &Node) {
        self.links.add_node(node);
        let line = line_of(node);
        match node.kind {
            Kind::Heading { level, .. } => self.cutter.heading(level, &line, node.id),
            _ => self.cutter.block(&line, node.id),
        }
        if node.kind == (Kind::Synced { copy: true }) && node.children.is_empty() {
            // The original lies where the integration may not read.
            self.warnings.insert(Warning::Unreadable { what: "synced block".to_owned() });
        }
    }

    /// The blocks that stand in the place of a withheld one.
    fn part_of(&mut self, node: &Node) -> Option<(NotionId, &'a [Node])> {
        let missing = match &node.kind {
            Kind::Unknown { kind, withheld: true } => Warning::Unreadable { what: kind.clone() },
            Kind::Unknown { kind, withheld: false } => Warning::UnknownBlock { kind: kind.clone() },
            Kind::Folder => Warning::Unreadable { what: format!("folder “{}”", line_of(node)) },
            _ => return None,
        };
        if let Some(id) = node.id
            && let Some(part) = self.parts.get(&id)
        {
            let times = self.used.entry(id).or_default();
            *times += 1;
            match part {
                Part::Read(nodes) if *times <= MAX_PLACES && !self.open.contains(&id) => {
                    return Some((id, nodes));
                }
                Part::Read(_) | Part::Unreadable => {}
            }
        }
        let textless = matches!(&node.kind, Kind::Unknown { kind, .. } if TEXTLESS.contains(&kind.as_str()));
        if !textless {
            self.warnings.insert(missing);
        }
        None
    }
}

/// Types of blocks that hold no text: nothing is lost when Notion withholds one.
const TEXTLESS: [&str; 2] = ["breadcrumb", "link_to_page"];

/// Without `include_transcript` a sentence to those who ask stands in the place of the transcript; nobody said it in
/// the meeting (developers.notion.com "notion-flavored-markdown").
fn is_omitted_transcript(node: &Node) -> bool {
    let omitted = |child: &Node| line_of(child).starts_with("Transcript omitted");
    node.kind == Kind::MeetingSection(Section::Transcript) && node.children.first().is_some_and(omitted)
}

/// Whether a heading below `kind` stops to count behind it.
fn scopes_headings(kind: &Kind) -> bool {
    !matches!(kind, Kind::Synced { .. } | Kind::Container | Kind::Unknown { .. } | Kind::Folder)
}

/// The text of one block without its children. Line ends in it are breaks that the author made.
pub(super) fn line_of(node: &Node) -> String {
    let label = || clean(&plain(&node.label));
    match &node.kind {
        Kind::Code { text, .. } => {
            let (code, caption) = (clean(text), label());
            if caption.is_empty() { code } else { format!("{code}\n{caption}") }
        }
        Kind::Equation { expression } => clean(expression),
        Kind::TableRow { cells } => {
            let row = cells.iter().map(|cell| cell_text(cell)).collect::<Vec<_>>().join("\t");
            row.trim_end_matches('\t').to_owned()
        }
        Kind::Media { name, .. } => with_note(label(), name.as_deref()),
        Kind::Web { url, .. } => with_note(label(), url.as_deref().map(address::unsigned)),
        Kind::Heading { .. } | Kind::ChildPage { .. } | Kind::ChildDatabase { .. } | Kind::Folder => {
            label().replace(['\n', '\t'], " ")
        }
        Kind::Todo { checked } => with_mark(*checked, label()),
        Kind::Paragraph
        | Kind::BulletedItem
        | Kind::NumberedItem
        | Kind::Quote
        | Kind::Callout
        | Kind::Toggle
        | Kind::Table
        | Kind::Divider
        | Kind::LinkToPage { .. }
        | Kind::Container
        | Kind::Column
        | Kind::Tab
        | Kind::Synced { .. }
        | Kind::MeetingNotes
        | Kind::MeetingSection(_)
        | Kind::Mail
        | Kind::TableOfContents
        | Kind::Breadcrumb
        | Kind::Unknown { .. } => label(),
    }
}

/// Whether it is done is part of what a to-do says.
fn with_mark(checked: bool, label: String) -> String {
    match (label.is_empty(), checked) {
        (true, _) => label,
        (false, true) => format!("[x] {label}"),
        (false, false) => format!("[ ] {label}"),
    }
}

fn cell_text(cell: &[Inline]) -> String {
    let mut text = String::new();
    push_plain(cell, &mut text);
    clean_line(&text)
}

/// A caption with the file's name or the address behind it, unless the caption says it already.
fn with_note(caption: String, note: Option<&str>) -> String {
    match note.map(clean).filter(|note| !note.is_empty()) {
        None => caption,
        Some(note) if caption.is_empty() => note,
        Some(note) if caption.contains(&note) => caption,
        Some(note) => format!("{caption} ({note})"),
    }
}

/// Without outer white space, and with spaces for control characters, which no reader sees.
pub(super) fn clean(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).replace("\r\n", "\n");
    let seen = |c: char| match c {
        '\n' | '\t' => c,
        '\r' => '\n',
        _ if c.is_control() => ' ',
        _ => c,
    };
    text.chars().map(seen).collect()
}

/// [`clean`]ed text as one line.
pub(super) fn clean_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

/// What a page points to, each once, in the order of the text; and the files in it.
#[derive(Debug, Default)]
pub(super) struct LinkSet {
    seen: BTreeSet<(LinkKind, NotionId)>,
    links: Vec<Link>,
    files: Vec<FileRef>,
}

impl LinkSet {
    /// Most files of one page; each is an item of its own.
    const MAX_FILES: usize = 10_000;

    pub(super) fn add_file(&mut self, file: FileRef) {
        // `data:` holds the picture itself, and other schemes lead nowhere that is crawled.
        let is_web = ["http://", "https://"].iter().any(|scheme| file.address.starts_with(scheme));
        if is_web && self.files.len() < Self::MAX_FILES {
            self.files.push(file);
        }
    }

    pub(super) fn take_files(&mut self) -> Vec<FileRef> {
        std::mem::take(&mut self.files)
    }

    pub(super) fn add(&mut self, kind: LinkKind, target: Option<NotionId>) {
        if let Some(target) = target
            && self.seen.insert((kind, target))
        {
            self.links.push(Link { kind, target });
        }
    }

    pub(super) fn into_links(self) -> Vec<Link> {
        self.links
    }

    fn add_node(&mut self, node: &Node) {
        match &node.kind {
            Kind::ChildPage { page } => self.add(LinkKind::ChildPage, *page),
            Kind::ChildDatabase { database, data_source } => {
                self.add(LinkKind::ChildDatabase, *database);
                self.add(LinkKind::DataSource, *data_source);
            }
            Kind::LinkToPage { target } => self.add(LinkKind::Mention, *target),
            Kind::TableRow { cells } => cells.iter().for_each(|cell| self.add_inlines(cell)),
            Kind::Media { media, url: Some(url), name } => {
                self.add_shown(media.place(), node, url, name.clone());
            }
            // An embedded page that Notion hosts.
            Kind::Web { web: Web::Embed, url: Some(url) } if address::is_signed(url) => {
                self.add_shown(FilePlace::Embed, node, url, address::file_name(url));
            }
            _ => {}
        }
        self.add_inlines(&node.label);
    }

    fn add_shown(&mut self, place: FilePlace, node: &Node, url: &str, name: Option<String>) {
        self.add_file(FileRef {
            place,
            block: node.id,
            address: url.to_owned(),
            name,
            caption: clean_line(&plain(&node.label)),
        });
    }

    pub(super) fn add_inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            match inline {
                Inline::Mention { target: Mention::Page(id) | Mention::Database(id), .. } => {
                    self.add(LinkKind::Mention, *id);
                }
                Inline::Mention { target: Mention::DataSource(id), .. } => {
                    self.add(LinkKind::DataSource, *id);
                }
                Inline::Mention { target: Mention::User(id), .. } => self.add(LinkKind::Person, *id),
                Inline::Text { link: Some(link), .. } => {
                    self.add(LinkKind::Mention, address::notion_target(link));
                }
                _ => {}
            }
        }
    }
}
