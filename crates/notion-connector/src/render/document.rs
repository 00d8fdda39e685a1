//! The tree that every way of reading a body leads to: both Markdown dialects and the block endpoints.
//!
//! Invariant: a tree made by this crate's parsers is never deeper than [`MAX_DEPTH`]; what stood deeper is kept,
//! beside its parent instead of below it. So dropping and walking a tree needs a bounded stack.
//! A new kind of block is a new [`Kind`]: the compiler leads to `text.rs`, the golden cases do the rest.

use crate::model::{FilePlace, NotionId};

/// How deep a tree may be. Notion's editor makes deeper nesting unusable long before.
pub const MAX_DEPTH: usize = 96;

/// One block: what it is, its own text, and what is nested below it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// The block's id, where the way of reading tells it.
    pub id: Option<NotionId>,
    /// What it is.
    pub kind: Kind,
    /// Its own text: the label of a list item, the title of a child page, the caption of an image.
    pub label: Vec<Inline>,
    /// What is nested below it, in document order.
    pub children: Vec<Node>,
}

impl Node {
    /// A block of `kind` with no text yet.
    pub fn new(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// A block of `kind` with its own text.
    pub fn labelled(kind: Kind, label: Vec<Inline>) -> Self {
        Self { kind, label, ..Self::default() }
    }
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Kind {
    /// Text.
    #[default]
    Paragraph,
    /// Heading of level 1 to 4; a toggle heading has children.
    Heading {
        /// 1 to 4.
        level: u8,
        /// Whether it folds.
        toggle: bool,
    },
    /// Item of a bulleted list.
    BulletedItem,
    /// Item of a numbered list.
    NumberedItem,
    /// Item of a to-do list.
    Todo {
        /// Whether it is done.
        checked: bool,
    },
    /// Quotation.
    Quote,
    /// Boxed text with an icon.
    Callout,
    /// A line that folds its children.
    Toggle,
    /// Program text; the label is its caption.
    Code {
        /// Notion's name of the language.
        language: Option<String>,
        /// The text, literal.
        text: String,
    },
    /// Displayed formula.
    Equation {
        /// LaTeX.
        expression: String,
    },
    /// Table; its children are rows.
    Table,
    /// Row of a table.
    TableRow {
        /// Its cells.
        cells: Vec<Vec<Inline>>,
    },
    /// Image, video, audio, PDF or file; the label is its caption.
    Media {
        /// Which.
        media: Media,
        /// Its address, with its signature: nothing of it may enter text.
        url: Option<String>,
        /// Name of the file.
        name: Option<String>,
    },
    /// Bookmark, embed or link preview; the label is its caption.
    Web {
        /// Which.
        web: Web,
        /// Its address, perhaps with a signature: text shows [`super::address::unsigned`] of it.
        url: Option<String>,
    },
    /// Line between blocks.
    Divider,
    /// A page that lives in this page; the label is its title. Its content is another item.
    ChildPage {
        /// Its id.
        page: Option<NotionId>,
    },
    /// A database that lives in this page; the label is its title. Its rows are other items.
    ChildDatabase {
        /// Its id.
        database: Option<NotionId>,
        /// The data source that its tag names.
        data_source: Option<NotionId>,
    },
    /// A folder of pages; the label is its name. What is in it is read by itself, under the node's id.
    Folder,
    /// A line that leads to another object.
    LinkToPage {
        /// What it leads to.
        target: Option<NotionId>,
    },
    /// What only arranges its children: columns, tabs, lists.
    Container,
    /// One column.
    Column,
    /// One tab; the label is its title.
    Tab,
    /// A synced block with its content.
    Synced {
        /// Whether the content belongs to another block, the original, which may not be readable.
        copy: bool,
    },
    /// Meeting notes; the label is their title, the children are sections.
    MeetingNotes,
    /// A section of meeting notes.
    MeetingSection(Section),
    /// A mail; the label is its subject.
    Mail,
    /// Table of contents: made of the headings, holds no text of its own.
    TableOfContents,
    /// Breadcrumb: made of the ancestors, holds no text of its own.
    Breadcrumb,
    /// A type that this version does not know, or that Notion does not deliver; label and children hold what text
    /// there was.
    Unknown {
        /// Notion's name of it.
        kind: String,
        /// Whether Notion withheld it, so that its text is missing.
        withheld: bool,
    },
}

/// A section of meeting notes. The order is that of the text: the two dialects differ in theirs
/// (developers.notion.com "enhanced-markdown", "notion-flavored-markdown").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What Notion makes of the meeting.
    Summary,
    /// What people wrote.
    Notes,
    /// What was said, which is only delivered on request.
    Transcript,
}

/// Puts the children of meeting notes into the one order of the text: what is no section first, as it stands.
pub fn order_sections(children: &mut [Node]) {
    children.sort_by_key(|child| match child.kind {
        Kind::MeetingSection(section) => Some(section),
        _ => None,
    });
}

/// A kind of file in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// Picture.
    Image,
    /// Film.
    Video,
    /// Sound.
    Audio,
    /// PDF document.
    Pdf,
    /// Any file.
    File,
}

impl Media {
    /// Where a file stands that such a block shows.
    pub const fn place(self) -> FilePlace {
        match self {
            Self::Image => FilePlace::Image,
            Self::Video => FilePlace::Video,
            Self::Audio => FilePlace::Audio,
            Self::Pdf => FilePlace::Pdf,
            Self::File => FilePlace::File,
        }
    }
}

/// A kind of pointer to the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Web {
    /// Bookmark.
    Bookmark,
    /// Embedded page.
    Embed,
    /// Preview of a link.
    LinkPreview,
}

/// A piece of text inside a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Inline {
    /// A run of text of one style.
    Text {
        /// The characters.
        text: String,
        /// The style.
        marks: Marks,
        /// Where it leads.
        link: Option<String>,
    },
    /// A mention.
    Mention {
        /// What is mentioned.
        target: Mention,
        /// What is shown.
        label: String,
    },
    /// A formula in the text.
    Equation(String),
    /// A break inside the block.
    LineBreak,
}

impl Inline {
    /// Unstyled text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), marks: Marks::default(), link: None }
    }
}

/// What a mention points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// A person.
    User(Option<NotionId>),
    /// A page.
    Page(Option<NotionId>),
    /// A database.
    Database(Option<NotionId>),
    /// A data source.
    DataSource(Option<NotionId>),
    /// A date or a time.
    Date,
    /// Anything else: an agent, a link, a custom emoji.
    Other,
}

/// The style of a run of text. Colours are not kept: nobody searches by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Struck through.
    pub strikethrough: bool,
    /// Underlined.
    pub underline: bool,
    /// Set as code.
    pub code: bool,
}

/// Appends `inlines` to `out` as plain text.
pub fn push_plain(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text { text, .. } => out.push_str(text),
            Inline::Mention { label, .. } => out.push_str(label),
            Inline::Equation(expression) => out.push_str(expression),
            Inline::LineBreak => out.push('\n'),
        }
    }
}

/// `inlines` as plain text.
pub fn plain(inlines: &[Inline]) -> String {
    let mut out = String::new();
    push_plain(inlines, &mut out);
    out
}

/// A date mention or a date property as people read it: `2026-03-01 → 2026-03-05`, `2026-03-01 09:00`.
///
/// One spelling for all ways of reading: Markdown gives day and time apart, blocks give timestamps.
pub fn readable_date(start: &str, end: Option<&str>) -> String {
    let mut out = readable_instant(start);
    if let Some(end) = end.filter(|end| !end.is_empty()) {
        out.push_str(" → ");
        out.push_str(&readable_instant(end));
    }
    out
}

fn readable_instant(text: &str) -> String {
    let (Some(day), Some("T")) = (text.get(..10), text.get(10..11)) else { return text.to_owned() };
    text.get(11..16).map_or_else(|| text.to_owned(), |time| format!("{day} {time}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_the_same_from_timestamps_and_from_days() {
        assert_eq!(readable_date("2026-03-01", None), "2026-03-01");
        assert_eq!(readable_date("2026-03-01T09:00:00.000+01:00", Some("")), "2026-03-01 09:00");
        assert_eq!(readable_date("2026-03-01", Some("2026-03-05")), "2026-03-01 → 2026-03-05");
        assert_eq!(readable_date("2026-03-01 09:00", None), "2026-03-01 09:00");
        assert_eq!(readable_date("日本語の日付かな", None), "日本語の日付かな");
    }
}
