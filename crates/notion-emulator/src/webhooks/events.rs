//! What the verbs did to the world, in the words of webhooks (developers.notion.com "webhooks-events-delivery").
//!
//! There is no event for sharing, unsharing and purging. What is not published, and chosen here: a title is content; a row that
//! comes or goes is content of its data source; a page that is moved changes the content of the page it is moved into.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::world::World;
use crate::world::ids::Space;
use crate::world::model::{Ix, Kind, Node, Parent};

/// Something that happened, before anybody is told.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    /// The type of the event.
    pub(crate) kind: &'static str,
    /// Id and type of the object.
    pub(crate) entity: (Uuid, &'static str),
    /// What one has to see to be told.
    pub(crate) about: Ix,
    /// `authors`.
    pub(crate) authors: Vec<Value>,
    /// `data`.
    pub(crate) data: Map<String, Value>,
}

impl Happening {
    /// Whether it is sent at once, and by itself.
    pub(crate) fn is_immediate(&self) -> bool {
        self.kind.starts_with("comment.")
    }

    /// The type of the event that, still waiting, goes with this one: the two cancel out.
    pub(crate) fn undoes(&self) -> Option<&'static str> {
        match self.kind {
            "page.deleted" => Some("page.created"),
            "page.undeleted" => Some("page.deleted"),
            "database.deleted" => Some("database.created"),
            "database.undeleted" => Some("database.deleted"),
            "data_source.deleted" => Some("data_source.created"),
            "data_source.undeleted" => Some("data_source.deleted"),
            _ => None,
        }
    }
}

/// Adds what happened to an event that still waits.
pub(super) fn merge(envelope: &mut Value, one: &Happening) {
    for author in &one.authors {
        push_new(&mut envelope["authors"], author);
    }
    for (key, value) in &one.data {
        match value {
            Value::Array(items) => items.iter().for_each(|item| push_new(&mut envelope["data"][key], item)),
            other => envelope["data"][key] = other.clone(),
        }
    }
}

fn push_new(list: &mut Value, item: &Value) {
    if let Value::Array(items) = list {
        if !items.contains(item) {
            items.push(item.clone());
        }
    } else {
        *list = json!([item]);
    }
}

/// Ids of the blocks of a page, child pages and databases among them.
pub(crate) fn blocks_of(world: &World, page: Ix) -> BTreeSet<Uuid> {
    fn walk(world: &World, page: Ix, nodes: &[Node], found: &mut BTreeSet<Uuid>) {
        for node in nodes {
            match node {
                Node::Block(block) => {
                    found.insert(world.block_id(page, block.ordinal));
                    walk(world, page, &block.children, found);
                }
                Node::Child(ix) => {
                    found.insert(world.id(*ix));
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(world, page, &world.body(page), &mut found);
    found
}

/// Pages, databases and data sources came into being.
pub(crate) fn created(world: &World, planted: &[Ix], happened: &mut Vec<Happening>) {
    let mut planted = planted.to_vec();
    planted.sort();
    for ix in planted {
        let kind = match world.entity(ix).kind {
            Kind::Page => "page.created",
            Kind::Database => "database.created",
            Kind::DataSource => "data_source.created",
        };
        happened.push(about(world, kind, ix, Map::new()));
        rows_changed(world, ix, happened);
    }
}

/// A page's content changed: these blocks.
pub(crate) fn content(world: &World, page: Ix, blocks: &[Uuid]) -> Happening {
    let blocks: Vec<Value> = blocks.iter().map(|id| json!({"id": id, "type": "block"})).collect();
    let kind = match world.entity(page).kind {
        Kind::Page => "page.content_updated",
        // Deprecated since 2025-09-03, and there is no other event for a database's own title.
        Kind::Database => "database.content_updated",
        Kind::DataSource => "data_source.content_updated",
    };
    let mut data = Map::new();
    if world.entity(page).kind == Kind::Page {
        data.insert("updated_blocks".to_owned(), Value::from(blocks));
    }
    about(world, kind, page, data)
}

/// A row's values changed: those of these properties.
pub(crate) fn properties(world: &World, row: Ix, names: &[String]) -> Happening {
    let schema = world.entity(row).parent.holder().and_then(|holder| world.data_source(holder));
    let id = |name: &String| schema.and_then(|found| found.schema.get(name)?.get("id").cloned());
    let ids: Vec<Value> = names.iter().filter_map(id).collect();
    let data = Map::from_iter([("updated_properties".to_owned(), Value::from(ids))]);
    about(world, "page.properties_updated", row, data)
}

/// A page or database was moved.
pub(crate) fn moved(world: &World, ix: Ix, happened: &mut Vec<Happening>) {
    let kind = if world.entity(ix).kind == Kind::Page { "page.moved" } else { "database.moved" };
    happened.push(about(world, kind, ix, Map::new()));
    rows_changed(world, ix, happened);
    if let Parent::Page(holder) | Parent::Block(holder, _) = world.entity(ix).parent {
        happened.push(content(world, holder, &[world.id(ix)]));
    }
}

/// An object went into the trash, or came out of it.
pub(crate) fn trashed(world: &World, ix: Ix, trashed: bool, happened: &mut Vec<Happening>) {
    let kind = match (world.entity(ix).kind, trashed) {
        (Kind::Page, true) => "page.deleted",
        (Kind::Page, false) => "page.undeleted",
        (Kind::Database, true) => "database.deleted",
        (Kind::Database, false) => "database.undeleted",
        (Kind::DataSource, true) => "data_source.deleted",
        (Kind::DataSource, false) => "data_source.undeleted",
    };
    happened.push(about(world, kind, ix, Map::new()));
    rows_changed(world, ix, happened);
}

/// Somebody commented.
pub(crate) fn commented(world: &World, number: u32) -> Option<Happening> {
    let comment = world.comments().get(number as usize)?;
    let parent = match comment.ordinal {
        0 => json!({"id": world.id(comment.page), "type": "page"}),
        ordinal => json!({"id": world.block_id(comment.page, ordinal), "type": "block"}),
    };
    let data = Map::from_iter([
        ("page_id".to_owned(), json!(world.id(comment.page))),
        ("parent".to_owned(), parent),
    ]);
    Some(Happening {
        kind: "comment.created",
        entity: (world.ids().seal(Space::Comment, number, 0), "comment"),
        about: comment.page,
        authors: vec![author(world, comment.created_by)],
        data,
    })
}

/// A row that came or went is content of its data source.
fn rows_changed(world: &World, ix: Ix, happened: &mut Vec<Happening>) {
    if let Parent::DataSource(holder) = world.entity(ix).parent {
        happened.push(content(world, holder, &[]));
    }
}

fn about(world: &World, kind: &'static str, ix: Ix, mut data: Map<String, Value>) -> Happening {
    let entity = match world.entity(ix).kind {
        Kind::Page => "page",
        Kind::Database => "database",
        Kind::DataSource => "data_source",
    };
    data.insert("parent".to_owned(), parent(world, ix));
    let authors = vec![author(world, world.entity(ix).edited_by)];
    Happening { kind, entity: (world.id(ix), entity), about: ix, authors, data }
}

fn parent(world: &World, ix: Ix) -> Value {
    match world.entity(ix).parent {
        Parent::Workspace => json!({"id": world.workspace_id(), "type": "space"}),
        Parent::Page(page) => json!({"id": world.id(page), "type": "page"}),
        Parent::Block(page, ordinal) => json!({"id": world.block_id(page, ordinal), "type": "block"}),
        Parent::Database(database) => json!({"id": world.id(database), "type": "database"}),
        Parent::DataSource(rows) => {
            let database = world.entity(rows).parent.holder().unwrap_or(rows);
            json!({"id": world.id(database), "type": "database", "data_source_id": world.id(rows)})
        }
    }
}

fn author(world: &World, user: u32) -> Value {
    let is_bot = world.users().get(user as usize).is_some_and(|user| user.is_bot);
    json!({"id": world.user_id(user), "type": if is_bot { "bot" } else { "person" }})
}
