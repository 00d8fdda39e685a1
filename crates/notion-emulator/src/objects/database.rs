//! Databases and data sources, and the database of old versions, which is both in one.

use serde_json::{Value, json};

use super::{Reader, exact, minute};
use crate::world::model::{Ix, Kind, Parent};
use crate::world::rich_text;

impl Reader<'_> {
    /// A database: the container that lists its data sources.
    #[must_use]
    pub fn database(&self, ix: Ix) -> Value {
        let entity = self.world.entity(ix);
        let Some(database) = self.world.database(ix) else { return Value::Null };
        let standing = self.standing(ix);
        let data_sources: Vec<Value> = self
            .data_sources_of(ix)
            .map(|child| json!({"id": self.world.id(child), "name": self.world.title(child)}))
            .collect();
        let object = json!({
            "object": "database",
            "id": self.world.id(ix),
            "title": rich_text::plain(&database.title),
            "description": rich_text::plain(&database.description),
            "parent": self.parent_of_database(entity.parent),
            "is_inline": database.is_inline,
            "in_trash": standing.trashed,
            "is_locked": false,
            "created_time": exact(entity.created_ms),
            "last_edited_time": exact(entity.edited_ms),
            "data_sources": data_sources,
            "icon": self.served(&database.icon),
            "cover": self.served(&database.cover),
            "url": self.url(ix),
            "public_url": null,
        });
        self.delivered("database", self.world.id(ix), self.with_archived(object, standing.trashed))
    }

    /// The data sources of a database that this reader sees.
    pub fn data_sources_of(&self, database: Ix) -> impl Iterator<Item = Ix> {
        self.world.entity(database).children.iter().copied().filter(|child| {
            let child_entity = self.world.entity(*child);
            child_entity.kind == Kind::DataSource && !child_entity.trashed && self.sees(*child)
        })
    }

    /// A data source with its schema.
    #[must_use]
    pub fn data_source(&self, ix: Ix) -> Value {
        let entity = self.world.entity(ix);
        let Some(data_source) = self.world.data_source(ix) else { return Value::Null };
        let standing = self.standing(ix);
        let database = entity.parent.holder().unwrap_or(ix);
        let above = self.world.entity(database);
        let shown = self.world.database(database);
        let object = json!({
            "object": "data_source",
            "id": self.world.id(ix),
            "cover": shown.map_or(Value::Null, |database| self.served(&database.cover)),
            "icon": shown.map_or(Value::Null, |database| self.served(&database.icon)),
            "created_time": minute(entity.created_ms),
            "created_by": self.partial_user(entity.created_by),
            "last_edited_by": self.partial_user(entity.edited_by),
            "last_edited_time": minute(entity.edited_ms),
            "title": rich_text::plain(&data_source.title),
            "description": rich_text::plain(match (&data_source.description, shown) {
                (own, Some(database)) if own.is_empty() => &database.description,
                (own, _) => own,
            }),
            "is_inline": shown.is_some_and(|database| database.is_inline),
            "properties": data_source.schema,
            "parent": self.parent(entity.parent),
            "database_parent": self.parent_of_database(above.parent),
            "url": self.url(database),
            "public_url": null,
            "in_trash": standing.trashed,
        });
        self.delivered("data_source", self.world.id(ix), self.with_archived(object, standing.trashed))
    }

    /// A database in a wiki names the wiki's database, not its data source (the SDK's types know no other form).
    fn parent_of_database(&self, parent: Parent) -> Value {
        match parent {
            Parent::DataSource(rows) => self.parent(self.world.entity(rows).parent),
            other => self.parent(other),
        }
    }

    /// A data source as a list shows it: up to 2022-06-28 as its database.
    #[must_use]
    pub fn table(&self, ix: Ix) -> Value {
        match self.world.entity(ix).parent.holder() {
            Some(database) if !self.version.has_data_sources() => self.legacy_database(database, ix),
            _ => self.data_source(ix),
        }
    }

    /// A database as versions up to 2022-06-28 know it: container and schema in one object.
    #[must_use]
    pub fn legacy_database(&self, database: Ix, data_source: Ix) -> Value {
        let entity = self.world.entity(database);
        let Some(shown) = self.world.database(database) else { return Value::Null };
        let Some(table) = self.world.data_source(data_source) else { return Value::Null };
        let standing = self.standing(database);
        let times = self.world.entity(data_source);
        let object = json!({
            "object": "database",
            "id": self.world.id(database),
            "cover": self.served(&shown.cover),
            "icon": self.served(&shown.icon),
            "created_time": minute(entity.created_ms),
            "created_by": self.partial_user(entity.created_by),
            "last_edited_by": self.partial_user(entity.edited_by),
            "last_edited_time": minute(times.edited_ms),
            "title": rich_text::plain(&shown.title),
            "description": rich_text::plain(&shown.description),
            "is_inline": shown.is_inline,
            "properties": table.schema,
            "parent": self.parent_of_database(entity.parent),
            "url": self.url(database),
            "public_url": null,
            "archived": standing.trashed,
            "in_trash": standing.trashed,
        });
        self.delivered("database", self.world.id(database), object)
    }
}
