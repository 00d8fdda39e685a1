//! Stored payloads → payloads as served: mentions get their target's present title, hosted files a fresh signature.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Reader;
use crate::world::Found;
use crate::world::rich_text::MARKDOWN_KEYS;

impl Reader<'_> {
    /// A stored value as this reader gets it.
    pub(super) fn served(&self, stored: &Value) -> Value {
        match stored {
            Value::Array(items) => items.iter().map(|item| self.served(item)).collect(),
            Value::Object(map) => {
                if let Some(hosted) = map.get("hosted").and_then(Value::as_str) {
                    return self.signed(hosted, map);
                }
                if map.get("type").is_some_and(|kind| kind == "mention") {
                    return self.mention(map);
                }
                let is_item = map.contains_key("annotations");
                let hidden = |key: &str| is_item && !self.for_markdown && MARKDOWN_KEYS.contains(&key);
                let kept = map.iter().filter(|(key, _)| !hidden(key));
                kept.map(|(key, value)| (key.clone(), self.served(value))).collect()
            }
            plain => plain.clone(),
        }
    }

    fn signed(&self, hosted: &str, map: &Map<String, Value>) -> Value {
        let name = map.get("name").and_then(Value::as_str).unwrap_or("file");
        if map.contains_key("is_external") {
            return Value::from(self.signer.external(hosted, name));
        }
        let valid_ms = self.behavior.file_url_valid_ms;
        let workspace = self.world.workspace_id();
        let (url, expiry_ms) = self.signer.sign(workspace, (hosted, name), self.now_ms, valid_ms);
        if map.contains_key("is_address") {
            return Value::from(url);
        }
        json!({"url": url, "expiry_time": super::exact_utc(expiry_ms)})
    }

    /// A mention reads as its target does now: `@Name` for a user, the title for a page (recorded); an inaccessible
    /// target reads "Untitled".
    fn mention(&self, item: &Map<String, Value>) -> Value {
        let mut item = item.clone();
        if !self.for_markdown {
            MARKDOWN_KEYS.iter().for_each(|key| drop(item.shift_remove(*key)));
        }
        let Some(mention) = item.get("mention") else { return Value::Object(item) };
        let kind = mention["type"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "user" => {
                let id = mention["user"]["id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
                if let Some(number) = id.and_then(|id| self.user_number(id)) {
                    let name = self.world.users()[number as usize].name.as_deref().unwrap_or("Anonymous");
                    item["plain_text"] = Value::from(format!("@{name}"));
                    item["mention"]["user"] = self.user(number);
                }
            }
            "page" | "database" | "data_source" => {
                let id = mention[&kind]["id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
                let target = match id.and_then(|id| self.world.find(id)) {
                    Some(Found::Entity(ix)) if self.sees(ix) => Some(ix),
                    _ => None,
                };
                let title =
                    target.map_or_else(|| "Untitled".to_owned(), |ix| self.world.title(ix).into_owned());
                item["plain_text"] = Value::from(title);
                item["href"] = match (target, id) {
                    (Some(ix), _) => Value::from(self.url(ix)),
                    (None, Some(id)) => Value::from(format!("https://app.notion.com/p/{}", id.simple())),
                    (None, None) => Value::Null,
                };
            }
            _ => {}
        }
        Value::Object(item)
    }
}
