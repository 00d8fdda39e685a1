//! Blocks (developers.notion.com "block"). Children are never embedded in an answer: they are a listing of their own.
//!
//! To add a block type: a variant of [`BlockKind`], its line in `BlockKind::known` and in `BlockKind::type_name`,
//! its name in [`BLOCK_TYPES`].

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use super::file::{FileObject, Icon};
use super::lenient::{self, Tagged};
use super::parent::Parent;
use super::rich_text::RichText;
use super::user::User;

/// Every block type that this version reads, as named on the wire.
pub const BLOCK_TYPES: [&str; 37] = [
    "paragraph",
    "heading_1",
    "heading_2",
    "heading_3",
    "heading_4",
    "bulleted_list_item",
    "numbered_list_item",
    "to_do",
    "toggle",
    "quote",
    "callout",
    "code",
    "equation",
    "divider",
    "breadcrumb",
    "table_of_contents",
    "table",
    "table_row",
    "column_list",
    "column",
    "tab",
    "synced_block",
    "template",
    "child_page",
    "child_database",
    "link_to_page",
    "bookmark",
    "embed",
    "link_preview",
    "image",
    "video",
    "pdf",
    "audio",
    "file",
    "meeting_notes",
    "transcription",
    "unsupported",
];

/// A block and what all blocks have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Its id.
    pub id: Uuid,
    /// Where it stands.
    pub parent: Option<Parent>,
    /// When it was made, to the minute.
    pub created_time: Option<jiff::Timestamp>,
    /// When it was last edited, to the minute.
    pub last_edited_time: Option<jiff::Timestamp>,
    /// Who made it.
    pub created_by: Option<User>,
    /// Who edited it last.
    pub last_edited_by: Option<User>,
    /// Whether a listing of its children gives anything.
    pub has_children: bool,
    /// Whether it lies in the trash (`archived` up to 2025-09-03).
    pub in_trash: bool,
    /// What it is.
    pub kind: BlockKind,
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (object, id) = lenient::identified(deserializer, "block")?;
        Ok(Self {
            id,
            parent: lenient::field(&object, "parent"),
            created_time: lenient::time(&object, "created_time"),
            last_edited_time: lenient::time(&object, "last_edited_time"),
            created_by: lenient::field(&object, "created_by"),
            last_edited_by: lenient::field(&object, "last_edited_by"),
            has_children: lenient::flag(&object, "has_children"),
            in_trash: lenient::flag(&object, "in_trash") || lenient::flag(&object, "archived"),
            kind: BlockKind::read(&Tagged::read(&object, &[])),
        })
    }
}

/// What a block is, with what it carries.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockKind {
    /// `paragraph`; below a `tab` it is the tab's label.
    Paragraph(Paragraph),
    /// `heading_1` to `heading_4`.
    Heading(Heading),
    /// `bulleted_list_item`.
    BulletedListItem(ListItem),
    /// `numbered_list_item`.
    NumberedListItem(Numbered),
    /// `to_do`.
    ToDo(ToDo),
    /// `toggle`.
    Toggle(TextBlock),
    /// `quote`.
    Quote(TextBlock),
    /// `callout`; the text may be empty and stand in the children.
    Callout(Callout),
    /// `code`.
    Code(Code),
    /// `equation`.
    Equation {
        /// LaTeX.
        expression: String,
    },
    /// `divider`.
    Divider,
    /// `breadcrumb`.
    Breadcrumb,
    /// `table_of_contents`.
    TableOfContents,
    /// `table`; its rows are its children.
    Table(Table),
    /// `table_row`: one text a cell.
    TableRow(Vec<Vec<RichText>>),
    /// `column_list`.
    ColumnList,
    /// `column`.
    Column {
        /// Its share of the width.
        width_ratio: Option<f64>,
    },
    /// `tab`; its children are the labels, their children the bodies.
    Tab,
    /// `synced_block`.
    SyncedBlock {
        /// The block this is a copy of; nothing for the original.
        synced_from: Option<Uuid>,
    },
    /// `template`: the old button.
    Template(TextBlock),
    /// `child_page`: its content is a document of its own.
    ChildPage {
        /// The title.
        title: String,
    },
    /// `child_database`; a linked view is called "Untitled".
    ChildDatabase {
        /// The title.
        title: String,
    },
    /// `link_to_page`.
    LinkToPage(LinkTarget),
    /// `bookmark`.
    Bookmark(UrlBlock),
    /// `embed`.
    Embed(UrlBlock),
    /// `link_preview`.
    LinkPreview {
        /// The address.
        url: String,
    },
    /// `image`.
    Image(MediaBlock),
    /// `video`.
    Video(MediaBlock),
    /// `pdf`.
    Pdf(MediaBlock),
    /// `audio`.
    Audio(MediaBlock),
    /// `file`.
    File(MediaBlock),
    /// `meeting_notes`, and `transcription` as it was called before 2026-03-11.
    MeetingNotes(Box<MeetingNotes>),
    /// `unsupported`: Notion gives no content of it.
    Unsupported {
        /// What it really is: `form`, `button`, `ai_block`, ….
        block_type: Option<String>,
    },
    /// Only the id came: the integration may not read it.
    Partial,
    /// A type that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`.
        kind: String,
        /// What stood under the key of that name; `null` if nothing did.
        raw: Value,
    },
}

/// The payload of `paragraph`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Paragraph {
    /// The text.
    #[serde(deserialize_with = "runs")]
    pub rich_text: Vec<RichText>,
    /// Of a tab's label.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub icon: Option<Icon>,
}

/// The payload of the headings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Heading {
    /// 1 to 4.
    #[serde(skip)]
    pub level: u8,
    /// The text.
    #[serde(deserialize_with = "runs")]
    pub rich_text: Vec<RichText>,
    /// Whether what follows is folded into it, as its children.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub is_toggleable: bool,
}

/// The payload of blocks that carry text only.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TextBlock {
    /// The text.
    #[serde(deserialize_with = "runs")]
    pub rich_text: Vec<RichText>,
}

/// The payload of `bulleted_list_item`.
pub type ListItem = TextBlock;

/// The payload of `numbered_list_item`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Numbered {
    /// The text.
    #[serde(deserialize_with = "runs")]
    pub rich_text: Vec<RichText>,
    /// The number that the list starts with, on its first item.
    #[serde(default, deserialize_with = "lenient::whole_number")]
    pub list_start_index: Option<i64>,
    /// `numbers`, `letters` or `roman`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub list_format: Option<String>,
}

/// The payload of `to_do`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ToDo {
    /// The text.
    #[serde(deserialize_with = "runs")]
    pub rich_text: Vec<RichText>,
    /// Whether it is done.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub checked: bool,
}

/// The payload of `callout`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Callout {
    /// The text.
    #[serde(deserialize_with = "runs")]
    pub rich_text: Vec<RichText>,
    /// The icon.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub icon: Option<Icon>,
}

/// The payload of `code`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Code {
    /// The code.
    #[serde(deserialize_with = "runs")]
    pub rich_text: Vec<RichText>,
    /// What stands below it.
    #[serde(default, deserialize_with = "lenient::elements")]
    pub caption: Vec<RichText>,
    /// The language, such as `rust` or `plain text`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub language: String,
}

/// The payload of `table`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Table {
    /// How many cells a row has.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub table_width: u64,
    /// Whether the first row is a header.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub has_column_header: bool,
    /// Whether the first column is a header.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub has_row_header: bool,
}

/// Where a `link_to_page` leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkTarget {
    /// To a page.
    Page(Uuid),
    /// To a database.
    Database(Uuid),
    /// To a comment.
    Comment(Uuid),
}

/// The payload of `bookmark` and `embed`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct UrlBlock {
    /// The address; empty when none was given yet.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub url: String,
    /// What stands below it.
    #[serde(default, deserialize_with = "lenient::elements")]
    pub caption: Vec<RichText>,
}

/// The payload of `image`, `video`, `pdf`, `audio` and `file`.
pub type MediaBlock = FileObject;

/// The payload of `meeting_notes`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MeetingNotes {
    /// The title.
    pub title: Vec<RichText>,
    /// How far the recording and its summary are, such as `notes_ready`.
    pub status: Option<String>,
    /// The block whose children are the summary.
    pub summary_block_id: Option<Uuid>,
    /// The block whose children are the notes.
    pub notes_block_id: Option<Uuid>,
    /// The block whose children are the transcript.
    pub transcript_block_id: Option<Uuid>,
    /// The event in the calendar.
    pub calendar_event: Option<CalendarEvent>,
}

/// The calendar event of meeting notes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct CalendarEvent {
    /// When it began.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub start_time: Option<jiff::Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub end_time: Option<jiff::Timestamp>,
    /// The ids of the users who were invited.
    #[serde(deserialize_with = "lenient::elements")]
    pub attendees: Vec<Uuid>,
}

/// Text that a block cannot do without: an array, whose runs decode one by one, or null for none.
fn runs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RichText>, D::Error> {
    Option::<Vec<RichText>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl BlockKind {
    fn read(tagged: &Tagged<'_>) -> Self {
        if tagged.kind.is_empty() {
            return Self::Partial;
        }
        let renamed = with_rich_text(tagged.payload);
        let current = Tagged { kind: tagged.kind, payload: renamed.as_ref().unwrap_or(tagged.payload) };
        Self::known(&current)
            .unwrap_or_else(|| Self::Unknown { kind: tagged.kind.to_owned(), raw: tagged.payload.clone() })
    }

    fn known(tagged: &Tagged<'_>) -> Option<Self> {
        let object = tagged.payload.as_object();
        // Null is an empty text; a text that is missing or none may stand where nobody looks for it.
        let string = |key: &str| match object?.get(key)? {
            Value::Null => Some(String::new()),
            value => value.as_str().map(str::to_owned),
        };
        match tagged.kind {
            "paragraph" => tagged.decode().map(Self::Paragraph),
            "heading_1" => heading(tagged, 1),
            "heading_2" => heading(tagged, 2),
            "heading_3" => heading(tagged, 3),
            "heading_4" => heading(tagged, 4),
            "bulleted_list_item" => tagged.decode().map(Self::BulletedListItem),
            "numbered_list_item" => tagged.decode().map(Self::NumberedListItem),
            "to_do" => tagged.decode().map(Self::ToDo),
            "toggle" => tagged.decode().map(Self::Toggle),
            "quote" => tagged.decode().map(Self::Quote),
            "callout" => tagged.decode().map(Self::Callout),
            "code" => tagged.decode().map(Self::Code),
            "equation" => string("expression").map(|expression| Self::Equation { expression }),
            "divider" => Some(Self::Divider),
            "breadcrumb" => Some(Self::Breadcrumb),
            "table_of_contents" => Some(Self::TableOfContents),
            "table" => tagged.decode().map(Self::Table),
            "table_row" => object?.get("cells").and_then(cells).map(Self::TableRow),
            "column_list" => Some(Self::ColumnList),
            "column" => {
                Some(Self::Column { width_ratio: object.and_then(|o| lenient::field(o, "width_ratio")) })
            }
            "tab" => Some(Self::Tab),
            "synced_block" => synced(tagged.payload),
            "template" => tagged.decode().map(Self::Template),
            "child_page" => string("title").map(|title| Self::ChildPage { title }),
            "child_database" => string("title").map(|title| Self::ChildDatabase { title }),
            "link_to_page" => link(tagged.payload).map(Self::LinkToPage),
            "bookmark" => tagged.decode().map(Self::Bookmark),
            "embed" => tagged.decode().map(Self::Embed),
            "link_preview" => string("url").map(|url| Self::LinkPreview { url }),
            "image" => media(tagged).map(Self::Image),
            "video" => media(tagged).map(Self::Video),
            "pdf" => media(tagged).map(Self::Pdf),
            "audio" => media(tagged).map(Self::Audio),
            "file" => media(tagged).map(Self::File),
            "meeting_notes" | "transcription" => meeting_notes(tagged.payload),
            "unsupported" => Some(Self::Unsupported {
                block_type: string("block_type").filter(|block_type| !block_type.is_empty()),
            }),
            _ => None,
        }
    }

    /// The type as named on the wire by API version 2026-03-11.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Paragraph(_) => "paragraph",
            Self::Heading(Heading { level: 1, .. }) => "heading_1",
            Self::Heading(Heading { level: 2, .. }) => "heading_2",
            Self::Heading(Heading { level: 3, .. }) => "heading_3",
            Self::Heading(_) => "heading_4",
            Self::BulletedListItem(_) => "bulleted_list_item",
            Self::NumberedListItem(_) => "numbered_list_item",
            Self::ToDo(_) => "to_do",
            Self::Toggle(_) => "toggle",
            Self::Quote(_) => "quote",
            Self::Callout(_) => "callout",
            Self::Code(_) => "code",
            Self::Equation { .. } => "equation",
            Self::Divider => "divider",
            Self::Breadcrumb => "breadcrumb",
            Self::TableOfContents => "table_of_contents",
            Self::Table(_) => "table",
            Self::TableRow(_) => "table_row",
            Self::ColumnList => "column_list",
            Self::Column { .. } => "column",
            Self::Tab => "tab",
            Self::SyncedBlock { .. } => "synced_block",
            Self::Template(_) => "template",
            Self::ChildPage { .. } => "child_page",
            Self::ChildDatabase { .. } => "child_database",
            Self::LinkToPage(_) => "link_to_page",
            Self::Bookmark(_) => "bookmark",
            Self::Embed(_) => "embed",
            Self::LinkPreview { .. } => "link_preview",
            Self::Image(_) => "image",
            Self::Video(_) => "video",
            Self::Pdf(_) => "pdf",
            Self::Audio(_) => "audio",
            Self::File(_) => "file",
            Self::MeetingNotes(_) => "meeting_notes",
            Self::Unsupported { .. } => "unsupported",
            Self::Partial => "",
            Self::Unknown { kind, .. } => kind,
        }
    }
}

/// The payload as it is called today, if it is an older one: up to 2021-08-16 the runs of a block were its `text`
/// (developers.notion.com "changes-by-version", 2022-02-22).
fn with_rich_text(payload: &Value) -> Option<Value> {
    let fields = payload.as_object()?;
    let runs = fields.get("text").filter(|runs| runs.is_array() && !fields.contains_key("rich_text"))?;
    let mut renamed = fields.clone();
    renamed.insert("rich_text".to_owned(), runs.clone());
    Some(Value::Object(renamed))
}

fn heading(tagged: &Tagged<'_>, level: u8) -> Option<BlockKind> {
    tagged.decode().map(|heading| BlockKind::Heading(Heading { level, ..heading }))
}

/// A file whose source is of a kind unknown to us is still a file block; one that is no object is not.
fn media(tagged: &Tagged<'_>) -> Option<MediaBlock> {
    tagged.payload.as_object().and_then(|_| tagged.decode())
}

/// A cell that is no array is empty, so that its neighbours keep their columns.
fn cells(value: &Value) -> Option<Vec<Vec<RichText>>> {
    Some(value.as_array()?.iter().map(lenient::elements_of).collect())
}

fn synced(payload: &Value) -> Option<BlockKind> {
    let synced_from = match payload.as_object()?.get("synced_from") {
        None | Some(Value::Null) => None,
        Some(source) => Some(lenient::id(source.as_object()?, "block_id")?),
    };
    Some(BlockKind::SyncedBlock { synced_from })
}

fn link(payload: &Value) -> Option<LinkTarget> {
    let object = payload.as_object()?;
    let tagged = Tagged::read(object, &["page_id", "database_id", "comment_id"]);
    let id = tagged.decode()?;
    match tagged.kind {
        "page_id" => Some(LinkTarget::Page(id)),
        "database_id" => Some(LinkTarget::Database(id)),
        "comment_id" => Some(LinkTarget::Comment(id)),
        _ => None,
    }
}

fn meeting_notes(payload: &Value) -> Option<BlockKind> {
    let object = payload.as_object()?;
    let section =
        |key| object.get("children").and_then(Value::as_object).and_then(|part| lenient::id(part, key));
    Some(BlockKind::MeetingNotes(Box::new(MeetingNotes {
        title: object.get("title").map(lenient::elements_of).unwrap_or_default(),
        status: lenient::string(object, "status"),
        summary_block_id: section("summary_block_id"),
        notes_block_id: section("notes_block_id"),
        transcript_block_id: section("transcript_block_id"),
        calendar_event: lenient::field(object, "calendar_event"),
    })))
}
