//! What Notion's API answers, as types that never refuse a page because of one part of it.
//!
//! Notion adds fields and enum values to every version at any time (developers.notion.com "versioning"), so:
//!
//! * an unknown `type` becomes the `Unknown` variant of its enum, with the raw JSON kept;
//! * a known `type` whose payload does not decode becomes `Unknown` as well;
//! * null is an empty value wherever a value may be empty, and a number may be written in any way;
//! * a field that only decorates (a colour, an icon, a time) falls back to its default when it is malformed;
//! * an element of a listing is decoded by itself: its siblings do not notice, and [`List::malformed`] keeps it.
//!
//! To add a block type: one variant in `block.rs`. A property type: one in `property.rs` and one in `schema.rs`.
//! The compiler leads on from there.

mod block;
mod comment;
mod database;
mod error_body;
mod file;
mod kept;
mod lenient;
mod list;
mod markdown;
mod page;
mod parent;
mod property;
mod property_item;
mod rich_text;
mod schema;
mod search;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod user;
mod view;

pub use block::{
    BLOCK_TYPES, Block, BlockKind, CalendarEvent, Callout, Code, Heading, LinkTarget, ListItem, MediaBlock,
    MeetingNotes, Numbered, Paragraph, Table, TextBlock, ToDo, UrlBlock,
};
pub use comment::{Comment, CommentAttachment};
pub use database::{DataSource, DataSourceRef, Database};
pub use error_body::ErrorBody;
pub use file::{CustomEmoji, FileObject, FileSource, HostedFile, Icon};
pub(crate) use kept::describe;
pub use kept::{Kept, Malformed};
pub use list::{Continuation, List, RequestStatus};
pub use markdown::PageMarkdown;
pub use page::Page;
pub use parent::Parent;
pub use property::{
    DateValue, Formula, PROPERTY_TYPES, Place, Property, PropertyValue, Relation, Rollup, RollupValue,
    SelectOption, UniqueId, Verification,
};
pub use property_item::{
    PropertyItem, PropertyItemAnswer, PropertyItemHeader, PropertyItemKind, PropertyItemList,
};
pub use rich_text::{Annotations, LinkMention, Mention, RichText, RichTextKind, plain_text};
pub use schema::{PropertySchema, RelationSchema, RollupSchema, SchemaKind, StatusGroup};
pub use search::SearchResult;
pub use text::{collect_text, whole_characters};
pub use time::parse_timestamp;
pub use user::{Bot, BotOwner, User, UserKind};
pub use view::{View, ViewQuery};
