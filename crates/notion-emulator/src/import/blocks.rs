//! Markdown → blocks, by one pass over the parser's events with a stack of open containers.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use super::inline::{Line, Link, Style, plain_items};
use super::languages::notion_language;
use super::library::{Library, Target};
use crate::seed::{BlockSeed, Content};

/// Blocks nested deeper go on at this depth, as paragraphs: readers of the API walk one request a level.
const MAX_NESTING: usize = 60;

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
}

/// The text of the H1 that a document begins with.
pub(super) fn leading_title(text: &str) -> Option<String> {
    let mut title = String::new();
    let mut events = Parser::new_ext(text, options());
    if !matches!(events.next()?, Event::Start(Tag::Heading { level: HeadingLevel::H1, .. })) {
        return None;
    }
    for event in events {
        match event {
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => title.push_str(&text),
            Event::SoftBreak | Event::HardBreak => title.push(' '),
            Event::FootnoteReference(label) => title.push_str(&format!("[^{label}]")),
            Event::End(TagEnd::Heading(_)) => break,
            _ => {}
        }
    }
    (!title.trim().is_empty()).then(|| title.trim().to_owned())
}

/// A code block.
pub(super) fn code(language: &str, text: &str, caption: &str) -> BlockSeed {
    block(
        "code",
        json!({"rich_text": plain_items(text), "caption": plain_items(caption), "language": language}),
    )
}

/// The blocks of a document. `path` is the document's own, from which its links lead.
pub(super) fn convert(text: &str, path: &str, library: &mut Library<'_>) -> Vec<Content> {
    let mut builder = Builder {
        library,
        path,
        open: vec![Container::new("page", Value::Null)],
        overflow: 0,
        lists: Vec::new(),
        line: Line::default(),
        marks: Marks::default(),
        links: Vec::new(),
        images: Vec::new(),
        table: Table::default(),
        literal: None,
        attachments: Vec::new(),
        attached: BTreeSet::new(),
        in_fixed_line: false,
    };
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        if let Event::End(TagEnd::TableRow) = event {
            builder.extra_cells(text.get(range).unwrap_or_default());
        }
        builder.event(event);
    }
    builder.flush();
    while builder.open.len() > 1 {
        builder.close();
    }
    builder.open.pop().map_or_else(Vec::new, |page| page.children)
}

fn block(kind: &str, payload: Value) -> BlockSeed {
    BlockSeed { kind: kind.to_owned(), payload, ..BlockSeed::default() }
}

/// An open block that takes others in: the page, a list item, a quote.
struct Container {
    kind: &'static str,
    payload: Value,
    /// The first paragraph inside is the block's own text, unless something else came before.
    has_text: bool,
    children: Vec<Content>,
}

impl Container {
    fn new(kind: &'static str, payload: Value) -> Self {
        Self { kind, payload, has_text: false, children: Vec::new() }
    }

    fn takes_text(&self) -> bool {
        self.kind != "page" && !self.has_text && self.children.is_empty()
    }
}

/// How many of each are open.
#[derive(Default)]
struct Marks {
    bold: usize,
    italic: usize,
    strikethrough: usize,
}

/// The numbers of an ordered list.
#[derive(Clone, Copy)]
struct Numbering {
    start: u64,
    next: u64,
}

#[derive(Default)]
struct Table {
    width: usize,
    rows: Vec<Content>,
    cells: Vec<Value>,
}

/// An open code block (with its language) or HTML block.
struct Literal {
    text: String,
    language: Option<&'static str>,
    caption: String,
}

struct OpenLink {
    /// Number of runs in the line when the link began.
    start: usize,
    link: Option<Link>,
    target: Option<Target>,
}

struct OpenImage {
    before: Line,
    url: String,
}

struct Builder<'b, 'r> {
    library: &'b mut Library<'r>,
    path: &'b str,
    open: Vec<Container>,
    /// Containers that are open beyond [`MAX_NESTING`] and have no block.
    overflow: usize,
    lists: Vec<Option<Numbering>>,
    line: Line,
    marks: Marks,
    links: Vec<OpenLink>,
    images: Vec<OpenImage>,
    table: Table,
    literal: Option<Literal>,
    /// Documents that the open line links to; their blocks follow it.
    attachments: Vec<BlockSeed>,
    attached: BTreeSet<String>,
    /// In a heading or cell, where no block can stand.
    in_fixed_line: bool,
}

impl Builder<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            // HTML has no blocks: it stays as the text it is.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => match &mut self.literal {
                Some(literal) => literal.text.push_str(&text),
                None => self.text(&text, false),
            },
            Event::Code(text) => self.text(&text, true),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text, false),
            Event::FootnoteReference(label) => self.text(&format!("[^{label}]"), false),
            Event::SoftBreak => self.text(" ", false),
            Event::HardBreak => self.text("\n", false),
            Event::Rule => {
                self.flush();
                self.add(block("divider", json!({})));
            }
            Event::TaskListMarker(checked) => self.task(checked),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Emphasis => self.marks.italic += 1,
            Tag::Strong => self.marks.bold += 1,
            Tag::Strikethrough => self.marks.strikethrough += 1,
            Tag::Link { dest_url, link_type, .. } => self.open_link(&dest_url, link_type),
            Tag::Image { dest_url, .. } => {
                let before = std::mem::take(&mut self.line);
                self.images.push(OpenImage { before, url: dest_url.into_string() });
            }
            Tag::FootnoteDefinition(label) => {
                self.flush();
                self.text(&format!("[^{label}]: "), false);
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first.map(|start| Numbering { start, next: start }));
            }
            Tag::Item => self.open_item(),
            Tag::BlockQuote(_) => self.open_container("quote", json!({"rich_text": []})),
            Tag::CodeBlock(kind) => {
                self.flush();
                let (language, caption) = match &kind {
                    CodeBlockKind::Fenced(info) => notion_language(info),
                    CodeBlockKind::Indented => ("plain text", ""),
                };
                let caption = caption.to_owned();
                self.literal = Some(Literal { text: String::new(), language: Some(language), caption });
            }
            Tag::HtmlBlock => {
                self.flush();
                self.literal = Some(Literal { text: String::new(), language: None, caption: String::new() });
            }
            Tag::Heading { .. } => {
                self.flush();
                self.in_fixed_line = true;
            }
            Tag::Table(alignments) => {
                self.flush();
                self.table = Table { width: alignments.len().max(1), ..Table::default() };
                self.in_fixed_line = true;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.marks.italic = self.marks.italic.saturating_sub(1),
            TagEnd::Strong => self.marks.bold = self.marks.bold.saturating_sub(1),
            TagEnd::Strikethrough => self.marks.strikethrough = self.marks.strikethrough.saturating_sub(1),
            TagEnd::Link => self.close_link(),
            TagEnd::Image => self.close_image(),
            TagEnd::Paragraph | TagEnd::FootnoteDefinition => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item | TagEnd::BlockQuote(_) if self.overflow > 0 => {
                self.flush();
                self.overflow -= 1;
            }
            TagEnd::Item | TagEnd::BlockQuote(_) => self.close(),
            TagEnd::CodeBlock | TagEnd::HtmlBlock => self.close_literal(),
            TagEnd::Heading(level) => self.close_heading(level),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.line).trimmed().into_items();
                self.table.cells.push(cell);
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                let cells = Value::Array(std::mem::take(&mut self.table.cells));
                self.table.rows.push(Content::Block(block("table_row", json!({"cells": cells}))));
            }
            TagEnd::Table => self.close_table(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str, code: bool) {
        let style = Style {
            bold: self.marks.bold > 0,
            italic: self.marks.italic > 0,
            strikethrough: self.marks.strikethrough > 0,
            code,
            link: self.links.last().and_then(|open| open.link.clone()),
        };
        self.line.push(text, &style);
    }

    /// Ends the line of text: it becomes the container's own text, or a paragraph in it.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.is_blank() {
            let items = line.trimmed().into_items();
            match self.open.last_mut() {
                Some(container) if container.takes_text() => {
                    container.payload["rich_text"] = items;
                    container.has_text = true;
                }
                _ => self.add(block("paragraph", json!({"rich_text": items}))),
            }
        }
        for attachment in std::mem::take(&mut self.attachments) {
            self.add(attachment);
        }
    }

    fn add(&mut self, block: BlockSeed) {
        if let Some(container) = self.open.last_mut() {
            container.children.push(Content::Block(block));
        }
    }

    fn open_container(&mut self, kind: &'static str, payload: Value) {
        self.flush();
        if self.overflow > 0 || self.open.len() > MAX_NESTING {
            self.overflow += 1;
        } else {
            self.open.push(Container::new(kind, payload));
        }
    }

    fn open_item(&mut self) {
        let Some(Some(numbering)) = self.lists.last_mut() else {
            return self.open_container("bulleted_list_item", json!({"rich_text": []}));
        };
        let Numbering { start, next } = *numbering;
        numbering.next = next.saturating_add(1);
        // Only the item that begins a list at another number than 1 says so.
        let payload = match next == start && start != 1 {
            true => json!({"rich_text": [], "list_start_index": start}),
            false => json!({"rich_text": []}),
        };
        self.open_container("numbered_list_item", payload);
    }

    fn task(&mut self, checked: bool) {
        if self.overflow == 0
            && let Some(container) = self.open.last_mut()
        {
            container.kind = "to_do";
            container.payload = json!({"rich_text": [], "checked": checked});
        }
    }

    fn close(&mut self) {
        self.flush();
        if self.open.len() > 1
            && let Some(Container { kind, payload, children, .. }) = self.open.pop()
        {
            self.add(BlockSeed { children, ..block(kind, payload) });
        }
    }

    fn close_literal(&mut self) {
        let Some(literal) = self.literal.take() else { return };
        let text = literal.text.strip_suffix('\n').unwrap_or(&literal.text);
        match literal.language {
            Some(language) => self.add(code(language, text, &literal.caption)),
            None => {
                self.text(text.trim_end(), false);
                self.flush();
            }
        }
    }

    /// Notion has four levels of headings; the fifth and sixth are shown as the fourth.
    fn close_heading(&mut self, level: HeadingLevel) {
        let kind = match level {
            HeadingLevel::H1 => "heading_1",
            HeadingLevel::H2 => "heading_2",
            HeadingLevel::H3 => "heading_3",
            HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => "heading_4",
        };
        self.in_fixed_line = false;
        let items = std::mem::take(&mut self.line).trimmed().into_items();
        self.add(block(kind, json!({"rich_text": items, "is_toggleable": false})));
        self.flush();
    }

    /// GFM ignores cells beyond the head's. Documents have them by accident, when a table follows another without a
    /// blank line; here they widen the table, so that no word is lost.
    fn extra_cells(&mut self, row: &str) {
        for cell in cells(row).into_iter().skip(self.table.cells.len()) {
            let mut events = Parser::new_ext(cell, options()).peekable();
            if !matches!(events.peek(), Some(Event::Start(Tag::Paragraph))) {
                self.text(cell, false);
            } else {
                for event in events.filter(|event| {
                    !matches!(event, Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph))
                }) {
                    self.event(event);
                }
            }
            self.event(Event::End(TagEnd::TableCell));
        }
        self.table.width = self.table.width.max(self.table.cells.len());
    }

    fn close_table(&mut self) {
        let Table { width, mut rows, .. } = std::mem::take(&mut self.table);
        for row in &mut rows {
            if let Content::Block(row) = row
                && let Some(cells) = row.payload["cells"].as_array_mut()
            {
                cells.resize(width, json!([]));
            }
        }
        let payload = json!({"table_width": width, "has_column_header": true, "has_row_header": false});
        self.in_fixed_line = false;
        self.add(BlockSeed { children: rows, ..block("table", payload) });
        self.flush();
    }

    fn open_link(&mut self, destination: &str, kind: LinkType) {
        let is_web =
            |url: &str| ["https://", "http://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
        let target = self.library.target(self.path, destination).cloned();
        let link = match &target {
            Some(target) => Some(Link::Page(target.clone())),
            None if kind == LinkType::Email => Some(Link::Web(format!("mailto:{destination}"))),
            None if is_web(destination) => Some(Link::Web(destination.to_owned())),
            None => {
                self.attach(destination);
                None
            }
        };
        self.links.push(OpenLink { start: self.line.len(), link, target });
    }

    fn close_link(&mut self) {
        if let Some(OpenLink { start, target: Some(target), .. }) = self.links.pop() {
            self.line.mention_from(start, &target);
        }
    }

    /// Text cannot link to a file: the file stands below the line that names it, once for each page.
    fn attach(&mut self, destination: &str) {
        let path = destination.split(['#', '?']).next().unwrap_or_default();
        if !DOCUMENTS.contains(&extension(path).as_str()) {
            return;
        }
        let Some(name) = self.library.take_file(self.path, destination) else { return };
        if self.attached.insert(name.clone()) {
            let kind = if extension(&name) == "pdf" { "pdf" } else { "file" };
            self.attachments.push(block(kind, hosted(&name, &json!([]), kind)));
        }
    }

    /// A picture is a block of its own: it parts the paragraph it stands in. Where no block can stand, its description
    /// stays as text.
    fn close_image(&mut self) {
        let Some(OpenImage { before, url }) = self.images.pop() else { return };
        let caption = std::mem::replace(&mut self.line, before);
        if self.in_fixed_line || !self.images.is_empty() {
            return self.line.append(caption);
        }
        self.flush();
        let kind = match extension(url.split(['#', '?']).next().unwrap_or_default()).as_str() {
            "mp4" | "mov" | "webm" | "mkv" => "video",
            "mp3" | "wav" | "ogg" | "m4a" => "audio",
            "pdf" => "pdf",
            _ => "image",
        };
        if url.starts_with("https://") || url.starts_with("http://") {
            let payload =
                json!({"type": "external", "external": {"url": url}, "caption": caption.into_items()});
            return self.add(block(kind, payload));
        }
        match self.library.take_file(self.path, &url) {
            Some(name) => self.add(block(kind, hosted(&name, &caption.into_items(), kind))),
            None => {
                self.library.miss(self.path, &url);
                self.line = caption;
                self.flush();
            }
        }
    }
}

/// The cells of a table's row as they stand in the text: `\\|` is a bar within a cell, and what stands between bars
/// cannot span lines.
fn cells(row: &str) -> Vec<&str> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let mut found = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, byte) in row.bytes().enumerate() {
        if byte == b'|' && !escaped {
            found.push(row[start..at].trim());
            start = at + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    if !row[start..].trim().is_empty() {
        found.push(row[start..].trim());
    }
    found
}

/// Files worth a block of their own when text links to them.
const DOCUMENTS: &[&str] = &[
    "csv", "xml", "htm", "html", "xls", "xlsx", "xlsm", "xltx", "ppt", "pps", "pptx", "pptm", "potx", "ppsx",
    "doc", "docx", "docm", "dotx", "txt", "pdf", "rtf", "odt", "ods", "odp",
];

fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase())
}

fn hosted(name: &str, caption: &Value, kind: &str) -> Value {
    let mut payload = json!({"type": "file", "file": {"ref": name}, "caption": caption});
    if kind == "file" {
        payload["name"] = Value::from(name.rsplit('/').next().unwrap_or(name));
    }
    payload
}
