use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConnectorId, Item, ItemKey, ItemKind, NotionId, Position};

/// One thing a sink has to do. Applying a change twice is the same as once.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Put the item in, or replace it.
    Upsert(Box<Delivery>),
    /// Take the item out.
    Delete(ItemKey),
}

/// An item with what is joined to it from the rest of the store at the moment of delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The item.
    pub item: Item,
    /// The connectors that hold it. Never empty.
    pub holders: Vec<ConnectorId>,
    /// Its ancestors, outermost first: breadcrumb and scopes.
    pub ancestors: Vec<Crumb>,
    /// Where it stands, as far as that decides who may see it.
    pub position: Position,
    /// Related pages that are items, by property name, in the order of the relation.
    pub related: Vec<(String, Vec<Related>)>,
    /// Name of who edited it last, when known.
    pub last_edited_by_name: Option<String>,
}

/// One step of a breadcrumb.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crumb {
    /// The ancestor.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Its title now.
    pub title: String,
    /// Whether a connector holds it: else it stands in the path, and can be found by nobody.
    pub is_held: bool,
}

/// A related page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// Notion's id.
    pub id: NotionId,
    /// Its title now.
    pub title: String,
}

/// How far a sink has come in the outbox.
///
/// `epoch` names the outbox: a store that was made anew has another one, and a sink whose cursor names another epoch, or
/// a sequence number that the outbox has not reached, is filled again from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxCursor {
    /// Which outbox.
    pub epoch: Uuid,
    /// The last row that was applied.
    pub sequence: i64,
}
