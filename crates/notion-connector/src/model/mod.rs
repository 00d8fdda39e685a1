//! The boundary types: what rooms hand to each other.
//!
//! No IO, no async, no knowledge of Notion's wire format. Rendering makes [`Item`]s, the store keeps them, the pump
//! hands them to sinks as [`Change`]s, searches are asked by a [`Viewer`].

mod caller;
mod change;
mod directory;
mod file;
mod id;
mod item;
mod key_scope;
mod plan;
mod recurrence;
mod viewer;
mod warning;

pub use caller::{Actor, Caller, MissingRole, Role, Roles};
pub use change::{Change, Crumb, Delivery, OutboxCursor, Related};
pub use directory::{PersonRecord, checked_group, directory_key, is_group_name};
pub use file::{FileContent, FileFacts, FilePlace, FileRef, HoldingPage, PageFile, Validators};
pub use id::{ConnectorId, ItemKey, ItemKind, KeyId, NotionId, ParseKeyError, PersonId};
pub use item::{DateValue, Item, Link, LinkKind, Parent, Passage, Person, Property, PropertyValue};
pub use key_scope::KeyScope;
pub use plan::{Plan, PlannedItems};
pub use recurrence::{ParseRecurrenceError, Recurrence};
pub use viewer::{
    Nearest, Position, RowsRuling, Ruling, Rulings, Sight, Sights, Viewer, on_one_line, option_mark,
    person_mark, without_controls,
};
pub use warning::Warning;
