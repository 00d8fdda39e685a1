//! What a world is made of before it has ids: the language in which Markdown folders, the sample
//! workspace, generators and the control API describe pages.
//!
//! Payloads are in the API's own shape (`serde_json::Value`), because the emulator shares no type with any client.
//! The world gives ids and times when a seed is planted; a seed never names an id, it names a [`SeedRef`].
//!
//! # Placeholders
//!
//! `{"ref": "<name>"}` may stand anywhere in a payload, a property value or a schema. What planting puts in its place
//! depends on where it stands:
//!
//! | where | becomes |
//! |---|---|
//! | under the key `file` of a file object | the hosted file of that name ([`FileSeed::path`]), with its signed URL |
//! | as `external.url` | the address of the file of that name on the external host |
//! | under the key `url` (a text's `link`, a bookmark, an embed) | the address of the page or database; `href` follows |
//! | as an element of an array (relation) | `{"id": <id>}` |
//! | anywhere else (`mention.page.id`, `link_to_page.page_id`, `synced_from.block_id`, `relation.data_source_id`) | the id |
//!
//! People are named by e-mail: `{"email": "…"}` in a `people` value and as the `user` of a mention.
//! Rich text may be abridged (`{"text": {"content": "…"}}`); planting completes it and splits it at 2,000 characters.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::files::FileContent;

/// A name by which one seed refers to another (a relation, a mention, a link): unique within one world.
/// For a Markdown folder it is the path relative to the folder.
pub type SeedRef = String;

/// One entry of a page's body, in document order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "most content is blocks, and a seed is read once")]
pub enum Content {
    /// An ordinary block with its nested content.
    Block(BlockSeed),
    /// A child page: a `child_page` block here, and a page of its own.
    Page(PageSeed),
    /// A child database: a `child_database` block here, and a database of its own.
    Database(DatabaseSeed),
}

/// A block in the shape of the API: `type`, and the payload that stands under the key of that name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BlockSeed {
    /// The name others refer to it by: the original of a synced block, the parts of meeting notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SeedRef>,
    /// The block's `type`, such as `paragraph`.
    pub kind: String,
    /// The payload under the type's key. A rich text item may hold a mention of a page or database whose id is the
    /// placeholder `{"ref": "<SeedRef>"}`; planting replaces it (`{"mention":{"page":{"id":{"ref":"…"}}}}`).
    pub payload: Value,
    /// Nested content, in order.
    #[serde(default)]
    pub children: Vec<Content>,
}

/// A page or a row.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PageSeed {
    /// The name others refer to it by.
    #[serde(default)]
    pub name: Option<SeedRef>,
    /// Title, as plain text.
    #[serde(default)]
    pub title: String,
    /// The title as rich text items, instead of `title`.
    #[serde(default)]
    pub title_text: Value,
    /// Icon in the shape of the API, or null.
    #[serde(default)]
    pub icon: Value,
    /// Cover in the shape of the API, or null.
    #[serde(default)]
    pub cover: Value,
    /// For a row: property name → value payload (what stands under the type's key). The title column is left out.
    #[serde(default)]
    pub properties: serde_json::Map<String, Value>,
    /// The body.
    #[serde(default)]
    pub body: Vec<Content>,
    /// Words that occur in this object and in no other; reported by `GET /_emulator/truth`.
    #[serde(default)]
    pub markers: Vec<String>,
    /// When it was created and last edited; the world's clock if none.
    #[serde(default)]
    pub created_time: Option<jiff::Timestamp>,
    /// See `created_time`.
    #[serde(default)]
    pub last_edited_time: Option<jiff::Timestamp>,
    /// Open discussions on the page, oldest first.
    #[serde(default)]
    pub comments: Vec<CommentSeed>,
}

/// One comment on a page or on a block of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CommentSeed {
    /// E-mail of the person who wrote it; the first person of the workspace if none.
    #[serde(default)]
    pub author: Option<String>,
    /// Comments of one discussion share a word here; without it a comment begins a discussion of its own.
    #[serde(default)]
    pub discussion: Option<String>,
    /// The text, as rich text items.
    pub rich_text: Value,
    /// The name of the block it hangs on; the page itself if none.
    #[serde(default)]
    pub block: Option<SeedRef>,
    /// Attachments: `[{"category": "image", "file": {"ref": "…"}}]`, or null.
    #[serde(default)]
    pub attachments: Value,
    /// `{"type": "custom"|"user"|"integration", "resolved_name": "…"}` as delivered; null for the writer's own name.
    #[serde(default)]
    pub display_name: Value,
    /// Words that occur in this comment and in no other object.
    #[serde(default)]
    pub markers: Vec<String>,
}

/// A file that Notion would host; payloads refer to it by its path.
#[derive(Debug, Clone)]
pub struct FileSeed {
    /// The name people see.
    pub name: String,
    /// The name placeholders use: for a Markdown folder the path relative to the folder, with `/`.
    pub path: SeedRef,
    /// Its content.
    pub content: FileContent,
}

/// What a source of worlds produced.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The workspace.
    pub workspace: WorkspaceSeed,
    /// The files its payloads refer to.
    pub files: Vec<FileSeed>,
    /// What could not be taken over, each with the reason, as lines for people.
    pub left_out: Vec<String>,
}

/// A database: a container with one or more data sources.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DatabaseSeed {
    /// The name others refer to it by.
    #[serde(default)]
    pub name: Option<SeedRef>,
    /// Title, as plain text.
    pub title: String,
    /// Description, as plain text.
    #[serde(default)]
    pub description: String,
    /// Icon in the shape of the API, or null.
    #[serde(default)]
    pub icon: Value,
    /// Cover in the shape of the API, or null.
    #[serde(default)]
    pub cover: Value,
    /// Whether it shows inside its page.
    #[serde(default)]
    pub is_inline: bool,
    /// Whether it is a wiki; its one data source may hold databases beside pages.
    #[serde(default)]
    pub is_wiki: bool,
    /// Its tables. A database without any is a linked view of another one.
    #[serde(default)]
    pub data_sources: Vec<DataSourceSeed>,
}

/// A table of rows with a schema.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DataSourceSeed {
    /// The name others refer to it by.
    #[serde(default)]
    pub name: Option<SeedRef>,
    /// Title, as plain text.
    pub title: String,
    /// Property name → `{"type": …, "<type>": {…}}`; exactly one has type `title`.
    pub schema: serde_json::Map<String, Value>,
    /// Description, as plain text; the database's if empty.
    #[serde(default)]
    pub description: String,
    /// The rows.
    #[serde(default)]
    pub rows: Vec<PageSeed>,
    /// For a wiki: the databases among its rows.
    #[serde(default)]
    pub databases: Vec<DatabaseSeed>,
}

/// A whole workspace to be planted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WorkspaceSeed {
    /// Name of the workspace.
    pub name: String,
    /// People: `{"name", "email"}` and further user keys.
    #[serde(default)]
    pub people: Vec<Value>,
    /// Top-level pages and databases.
    pub roots: Vec<Content>,
}
