//! Pages, rows and their properties.

use serde_json::{Map, Value, json};

use super::{Reader, minute};
use crate::options::MentionCut;
use crate::world::model::{Entity, Ix, PageDetail};
use crate::world::{Found, rich_text, schema};

/// Entries of a relation or people value that a page object shows (developers.notion.com "retrieve-a-page").
const MAX_REFERENCES: usize = 25;

impl Reader<'_> {
    /// A page in full. `wanted` keeps only the properties with these ids; empty keeps all.
    #[must_use]
    pub fn page(&self, ix: Ix, wanted: &[String]) -> Value {
        let entity = self.world.entity(ix);
        let page = self.world.page(ix);
        let standing = self.standing(ix);
        let mut properties = self.properties(ix, entity, &page, true);
        if !wanted.is_empty() {
            properties.retain(|_, value| wanted.iter().any(|id| same_property(id, &value["id"])));
        }
        let object = object! {
            "object" => "page",
            "id" => self.world.id(ix).to_string(),
            "created_time" => minute(entity.created_ms),
            "last_edited_time" => minute(entity.edited_ms),
            "created_by" => self.partial_user(entity.created_by),
            "last_edited_by" => self.partial_user(entity.edited_by),
            "cover" => self.served(&page.cover),
            "icon" => self.served(&page.icon),
            "parent" => self.parent(entity.parent),
            "in_trash" => standing.trashed,
            "is_archived" => standing.archived,
            "is_locked" => false,
            "properties" => properties,
            "url" => self.url(ix),
            "public_url" => Value::Null,
        };
        self.delivered("page", self.world.id(ix), self.with_archived(object, standing.trashed))
    }

    /// All properties of a page, keyed by name. `cut` limits references and mentions as a page object does.
    #[must_use]
    pub fn properties(&self, ix: Ix, entity: &Entity, page: &PageDetail, cut: bool) -> Map<String, Value> {
        let title = || match &page.title_text {
            Value::Null => rich_text::plain(&page.title),
            items => self.property_payload("rich_text", items, cut),
        };
        let Some(columns) = schema::schema_of_row(self.world, ix) else {
            let mut only = Map::new();
            only.insert("title".to_owned(), json!({"id": "title", "type": "title", "title": title()}));
            return only;
        };
        let mut properties = Map::new();
        for (name, column) in columns {
            let kind = column["type"].as_str().unwrap_or_default();
            let payload = match kind {
                "title" => title(),
                "created_time" => Value::from(minute(entity.created_ms)),
                "last_edited_time" => Value::from(minute(entity.edited_ms)),
                "created_by" => self.user(entity.created_by),
                "last_edited_by" => self.user(entity.edited_by),
                _ => match page.properties.get(name) {
                    Some(stored) => self.property_payload(kind, stored, cut),
                    None => schema::empty_value(kind),
                },
            };
            let mut value = Map::new();
            value.insert("id".to_owned(), column["id"].clone());
            value.insert("type".to_owned(), Value::from(kind));
            value.insert(kind.to_owned(), payload);
            if kind == "relation" {
                let rows = page.properties.get(name).and_then(Value::as_array).into_iter().flatten();
                let is_more = cut && rows.filter(|row| self.is_related(row)).nth(MAX_REFERENCES).is_some();
                value.insert("has_more".to_owned(), Value::from(is_more));
            }
            properties.insert(name.clone(), Value::Object(value));
        }
        properties
    }

    /// Rows that are not shared are in no relation ("page-property-values": an empty relation may mean just that). What is no
    /// row of this world is left as it was given.
    fn is_related(&self, row: &Value) -> bool {
        let id = row["id"].as_str().and_then(|id| id.parse().ok());
        match id.and_then(|id| self.world.find(id)) {
            Some(Found::Entity(ix)) => self.sees(ix),
            _ => true,
        }
    }

    fn property_payload(&self, kind: &str, stored: &Value, cut: bool) -> Value {
        let limit = if cut { MAX_REFERENCES } else { usize::MAX };
        match (kind, stored) {
            ("people", Value::Array(people)) => people
                .iter()
                .take(limit)
                .map(|person| {
                    let id = person["id"].as_str().and_then(|id| id.parse().ok());
                    id.and_then(|id| self.user_number(id))
                        .map_or_else(|| self.served(person), |number| self.user(number))
                })
                .collect(),
            ("relation", Value::Array(rows)) => {
                rows.iter().filter(|row| self.is_related(row)).take(limit).cloned().collect()
            }
            ("rich_text", Value::Array(items)) if cut => self.with_few_mentions(items),
            // The items that a number or date was made of are told by the property item endpoint only.
            ("rollup", Value::Object(rollup)) if cut && rollup["type"] != "array" => {
                let told = rollup.iter().filter(|(key, _)| *key != "array");
                told.map(|(key, value)| (key.clone(), self.served(value))).collect()
            }
            _ => self.served(stored),
        }
    }

    /// Rich text of which only the first 25 mentions are filled in ("retrieve-a-page").
    fn with_few_mentions(&self, items: &[Value]) -> Value {
        let mut mentions = 0;
        let mut shown = Vec::with_capacity(items.len());
        for item in items {
            mentions += usize::from(is_reference(item));
            let is_beyond = is_reference(item) && mentions > MAX_REFERENCES;
            match self.behavior.mention_cut {
                MentionCut::Cut if is_beyond => break,
                MentionCut::Bare if is_beyond => shown.push(bare(item)),
                _ => shown.push(self.served(item)),
            }
        }
        Value::from(shown)
    }
}

/// Whether an item mentions a person, a page or a database.
fn is_reference(item: &Value) -> bool {
    matches!(item["mention"]["type"].as_str(), Some("user" | "page" | "database" | "data_source"))
}

/// A mention as it is stored, with the id of what it names and nothing else.
fn bare(item: &Value) -> Value {
    let mut item = item.clone();
    item["plain_text"] = Value::from("");
    item["href"] = Value::Null;
    if item["mention"]["type"] == "user" {
        let id = item["mention"]["user"]["id"].take();
        item["mention"]["user"] = json!({"object": "user", "id": id});
    }
    item
}

/// Whether a property id of a request means this one; it may come decoded or as the JSON spells it.
#[must_use]
pub fn same_property(asked: &str, id: &Value) -> bool {
    let Some(id) = id.as_str() else { return false };
    asked == id
        || percent_encoding::percent_decode_str(id).decode_utf8().is_ok_and(|decoded| decoded == asked)
}
