//! The things a world consists of. Everything with a place in the tree is an [`Entity`]; blocks live inside the body of
//! their page and are addressed by page and ordinal, so a body can be generated, dropped and generated again.

use serde_json::{Map, Value};

use crate::files::{FileContent, Host};

/// The number of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ix(pub u32);

impl Ix {
    /// As an index into the table of entities.
    #[must_use]
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page, or a row if its parent is a data source.
    Page,
    /// A container of data sources; without any it is a linked view.
    Database,
    /// A table of rows.
    DataSource,
}

/// Where an entity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// At the top level.
    Workspace,
    /// Directly in a page's body.
    Page(Ix),
    /// Within a block (toggle, column, …) of a page's body.
    Block(Ix, u32),
    /// A row of a data source.
    DataSource(Ix),
    /// A data source of a database.
    Database(Ix),
}

impl Parent {
    /// The entity that holds this one; for a block its page.
    #[must_use]
    pub const fn holder(self) -> Option<Ix> {
        match self {
            Self::Workspace => None,
            Self::Page(ix) | Self::Block(ix, _) | Self::DataSource(ix) | Self::Database(ix) => Some(ix),
        }
    }
}

/// One page, database or data source.
#[derive(Debug, Clone)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub parent: Parent,
    /// Creation, milliseconds since 1970.
    pub created_ms: i64,
    /// Last edit, milliseconds since 1970.
    pub edited_ms: i64,
    /// Creator, a number of the table of users.
    pub created_by: u32,
    /// Last editor.
    pub edited_by: u32,
    /// In the trash itself (not through an ancestor).
    pub trashed: bool,
    /// Archived itself.
    pub archived: bool,
    /// Gone for good.
    pub purged: bool,
    /// Entities below, in order: pages and databases of a page, data sources of a database, rows of a data source.
    pub children: Vec<Ix>,
    /// What is written in it.
    pub detail: Detail,
}

/// What is written in an entity.
#[derive(Debug, Clone)]
pub enum Detail {
    /// Made up from the seed whenever it is read.
    Generated,
    /// A page or row.
    Page(Box<PageDetail>),
    /// A database.
    Database(Box<DatabaseDetail>),
    /// A data source.
    DataSource(Box<DataSourceDetail>),
}

/// A page's title, properties and body.
#[derive(Debug, Clone, Default)]
pub struct PageDetail {
    /// Title, as plain text.
    pub title: String,
    /// The title as rich text, in stored form, if it is more than plain text; else null.
    pub title_text: Value,
    /// Icon, in stored form.
    pub icon: Value,
    /// Cover, in stored form.
    pub cover: Value,
    /// Property name → stored payload, without the title.
    pub properties: Map<String, Value>,
    /// Words that occur here only.
    pub markers: Vec<String>,
    /// The body.
    pub body: Body,
    /// The ordinal that the next block gets.
    pub next_ordinal: u32,
}

/// A page's body.
#[derive(Debug, Clone)]
pub enum Body {
    /// Made up from the seed whenever it is read.
    Generated,
    /// As written.
    Written(Vec<Node>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Written(Vec::new())
    }
}

/// One entry of a body.
#[derive(Debug, Clone)]
pub enum Node {
    /// A block of this page.
    Block(Block),
    /// A page or database of its own, which shows here as a `child_page` or `child_database` block.
    Child(Ix),
}

/// One block.
#[derive(Debug, Clone)]
pub struct Block {
    /// Its number within the page, from 1.
    pub ordinal: u32,
    /// Its `type`.
    pub kind: String,
    /// Its payload, in stored form.
    pub payload: Value,
    /// What is nested in it.
    pub children: Vec<Node>,
    /// In the trash.
    pub trashed: bool,
    /// Creation and last edit, if later than the page's creation.
    pub edited_ms: Option<i64>,
}

/// A database's own fields.
#[derive(Debug, Clone, Default)]
pub struct DatabaseDetail {
    /// Title, as plain text.
    pub title: String,
    /// Description, as plain text.
    pub description: String,
    /// Icon, in stored form.
    pub icon: Value,
    /// Cover, in stored form.
    pub cover: Value,
    /// Whether it shows inside its page.
    pub is_inline: bool,
    /// Whether it is a wiki: its rows may be databases.
    pub is_wiki: bool,
}

/// A data source's own fields.
#[derive(Debug, Clone, Default)]
pub struct DataSourceDetail {
    /// Title, as plain text.
    pub title: String,
    /// Description, as plain text; the database's if empty.
    pub description: String,
    /// Property name → full schema value `{id, name, description, type, <type>}`.
    pub schema: Map<String, Value>,
    /// The number the next row gets in a `unique_id` column.
    pub next_unique: u64,
}

/// A person or a bot.
#[derive(Debug, Clone)]
pub struct User {
    /// Name, if known.
    pub name: Option<String>,
    /// E-mail address of a person.
    pub email: Option<String>,
    /// Whether the address was verified.
    pub email_verified: bool,
    /// Picture.
    pub avatar_url: Option<String>,
    /// Guests are in no list.
    pub is_guest: bool,
    /// A bot, not a person.
    pub is_bot: bool,
    /// Left the workspace: in no list, and reading them says 404.
    pub is_gone: bool,
}

/// A comment.
#[derive(Debug, Clone)]
pub struct Comment {
    /// The page it belongs to.
    pub page: Ix,
    /// The block it hangs on; 0 for the page itself.
    pub ordinal: u32,
    /// Its thread.
    pub discussion: u32,
    /// Writer.
    pub created_by: u32,
    /// Creation.
    pub created_ms: i64,
    /// Last edit.
    pub edited_ms: i64,
    /// Text, in stored form.
    pub rich_text: Value,
    /// Attachments, in stored form; null for none.
    pub attachments: Value,
    /// `display_name` as delivered; null for the writer's own name.
    pub display_name: Value,
    /// Resolved comments cannot be read.
    pub resolved: bool,
    /// Words that occur here only.
    pub markers: Vec<String>,
}

/// A file on one of the hosts.
#[derive(Debug, Clone)]
pub struct HostedFile {
    /// File name.
    pub name: String,
    /// Content.
    pub content: FileContent,
    /// Where it is.
    pub host: Host,
    /// When the content came there, milliseconds since 1970.
    pub modified_ms: i64,
    /// Words that occur here only.
    pub markers: Vec<String>,
}
