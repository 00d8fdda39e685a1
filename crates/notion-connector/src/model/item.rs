use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FileFacts, ItemKey, ItemKind, NotionId};

/// One searchable thing: what rendering makes of a complete page, row, database, data source or file.
///
/// Everything in it comes from the object itself. Titles of other objects (breadcrumbs, related pages) are joined
/// when the item is delivered, so that a rename re-delivers and never re-renders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Identity in store and sinks.
    pub key: ItemKey,
    /// What it is.
    pub kind: ItemKind,
    /// Notion's id.
    pub id: NotionId,
    /// Title as plain text; may be empty (shown as "Untitled").
    pub title: String,
    /// Where it opens in Notion. Display only.
    pub url: String,
    /// What to show before the title: an emoji, or the name of a custom one between colons.
    pub icon: Option<String>,
    /// Address of the picture above it, without signature.
    #[serde(default)]
    pub cover: Option<String>,
    /// Where it stands.
    pub parent: Parent,
    /// The whole body as plain text: one block a line, in document order.
    pub text: String,
    /// Heading-bounded parts of `text`, in order, without overlap.
    pub passages: Vec<Passage>,
    /// Typed property values, in the order of the page object.
    pub properties: Vec<Property>,
    /// What the body and the properties point to.
    pub links: Vec<Link>,
    /// When it was created; Notion rounds pages to the minute.
    pub created_time: Timestamp,
    /// When it was last edited; Notion rounds pages to the minute.
    pub last_edited_time: Timestamp,
    /// Who created it.
    pub created_by: Option<NotionId>,
    /// Who edited it last.
    pub last_edited_by: Option<NotionId>,
    /// What is known of it, where it is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileFacts>,
}

/// Where an object stands in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Parent {
    /// Top level of the workspace (teamspaces and private roots look the same).
    Workspace,
    /// A page.
    Page(NotionId),
    /// A database (parent of its data sources).
    Database(NotionId),
    /// A data source (parent of its rows).
    DataSource(NotionId),
    /// A block of a page: nested in a toggle, a column…; the page is to be found.
    Block(NotionId),
    /// A kind of parent this version does not know.
    Unknown,
}

impl Parent {
    /// The id of the parent object, if it has one.
    pub const fn id(&self) -> Option<NotionId> {
        match self {
            Self::Page(id) | Self::Database(id) | Self::DataSource(id) | Self::Block(id) => Some(*id),
            Self::Workspace | Self::Unknown => None,
        }
    }
}

/// A heading-bounded part of an item's text, small enough to show, to rank and to embed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// The headings above it, outermost first.
    pub heading_path: Vec<String>,
    /// The block it begins with, when the body was read by blocks: results open there.
    pub block_id: Option<NotionId>,
    /// The bytes of [`Item::text`] that it covers.
    pub range: Range<usize>,
}

/// One property of a page: its name in the data source, its value, and the value as people read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Property {
    /// Name of the column.
    pub name: String,
    /// Typed, for filters and facets.
    pub value: PropertyValue,
    /// As people read it: "In review", "2026-03-01 → 2026-03-05". Relations are empty here: their titles are joined
    /// when the item is delivered.
    pub text: String,
}

/// A property's value by what can be done with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum PropertyValue {
    /// Free text.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// A date or a range.
    Date(DateValue),
    /// One or more names of a fixed list.
    Options(Vec<String>),
    /// People.
    People(Vec<Person>),
    /// Related pages; `complete` is false while Notion holds more than it sent.
    Relations {
        /// In Notion's order.
        ids: Vec<NotionId>,
        /// Whether `ids` holds all of them.
        complete: bool,
    },
    /// Addresses: web, mail, phone, files.
    Urls(Vec<String>),
    /// Set to nothing.
    Empty,
}

/// A date or a range as Notion writes it: `YYYY-MM-DD` or a full timestamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DateValue {
    /// Begin.
    pub start: String,
    /// End, for a range.
    pub end: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
}

/// A person as a page names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// Notion's id.
    pub id: NotionId,
    /// Name, when the answer held one.
    pub name: Option<String>,
}

/// Something that a page points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Which kind of pointing.
    pub kind: LinkKind,
    /// What it points to.
    pub target: NotionId,
}

/// How an object points to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The page's body holds the other page.
    ChildPage,
    /// The page's body holds the database.
    ChildDatabase,
    /// A data source named beside a database's tag.
    DataSource,
    /// A mention or a link: the other object stands elsewhere.
    Mention,
    /// A mention of a person.
    Person,
}
