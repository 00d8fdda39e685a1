//! What a token can see, told without going through the API: tests hold a crawl against this.

use serde_json::{Value, json};

use super::World;
use super::access::Access;
use super::generate::{self, Marked};
use super::ids::Space;
use super::model::{Body, Detail, Ix, Kind, Node};
use super::{rich_text, schema};
use crate::files::signer;

impl World {
    /// Every visible object that is not in the trash: `{id, kind, title, parent, markers}`, where the parent of a page in a
    /// block is that block's page. Archived objects carry `"archived": true`; of a title with `"mentions_in_title": true` only
    /// the beginning is told, as mentions read what their targets are called now. Of a row, `options` tells the names of what is chosen in its
    /// columns and `people` the ids of whom they name, by column. A file is told once for each place where it
    /// stands, with that `place` (the block's type, `property` or `comment`), the block's `caption` if there is one, and the `path`
    /// of its address; one of the external host carries `"external": true`.
    #[must_use]
    pub fn truth(&self, access: &Access) -> Vec<Value> {
        let mut found = Vec::new();
        let mut visible = vec![false; self.entities.len()];
        for (ix, entity) in self.entities() {
            let standing = access.standing(self, ix);
            if !standing.visible || standing.trashed {
                continue;
            }
            visible[ix.at()] = true;
            let kind = match entity.kind {
                Kind::Page if self.is_row(ix) => "row",
                Kind::Page => "page",
                Kind::Database => "database",
                Kind::DataSource => "data_source",
            };
            let markers = if entity.kind == Kind::Page { self.page(ix).markers.clone() } else { Vec::new() };
            let parent = entity.parent.holder().map(|holder| self.id(holder));
            let mut object = json!({"id": self.id(ix), "kind": kind, "title": self.title(ix), "parent": parent, "markers": markers});
            if standing.archived {
                object["archived"] = Value::Bool(true);
            }
            if entity.kind == Kind::Page && self.page(ix).title_text.is_array() {
                object["mentions_in_title"] = Value::Bool(true);
            }
            if kind == "row" {
                self.tell_values(ix, &mut object);
            }
            found.push(object);
            found.extend(self.files_in(ix));
        }
        for (number, comment) in (0..).zip(&self.comments) {
            if visible[comment.page.at()] && !comment.resolved {
                let id = self.ids.seal(Space::Comment, number, 0);
                found.push(json!({"id": id, "kind": "comment", "title": "", "parent": self.id(comment.page), "markers": comment.markers}));
                let mut attached = Vec::new();
                collect(&comment.attachments, "comment", &mut attached);
                found.extend(attached.iter().map(|shown| self.file_truth(comment.page, shown)));
            }
        }
        for (number, user) in (0..).zip(&self.users) {
            if !user.is_gone && !user.is_bot {
                found.push(json!({"id": self.user_id(number), "kind": "user", "title": user.name, "parent": null, "markers": []}));
            }
        }
        found
    }

    /// What a row says in columns of options and of people.
    fn tell_values(&self, row: Ix, object: &mut Value) {
        let page = self.page(row);
        for (name, column) in schema::schema_of_row(self, row).into_iter().flatten() {
            let Some(value) = page.properties.get(name) else { continue };
            let (told, key) = match column["type"].as_str() {
                Some("select" | "status" | "multi_select") => ("options", "name"),
                Some("people") => ("people", "id"),
                _ => continue,
            };
            let one = value.is_object().then_some(value);
            let values = value.as_array().into_iter().flatten().chain(one);
            let values: Vec<Value> =
                values.map(|value| value[key].clone()).filter(Value::is_string).collect();
            if !values.is_empty() {
                object[told][name] = Value::Array(values);
            }
        }
    }

    /// Files that a page shows.
    fn files_in(&self, ix: Ix) -> Vec<Value> {
        let mut shown = Vec::new();
        let made_up = |shown: &mut Vec<Shown>| {
            if generate::has_file(self, ix) {
                let (place, hosted) = ("file".to_owned(), generate::file_ref(self, ix));
                shown.push(Shown { place, hosted, caption: String::new() });
            }
        };
        match &self.entity(ix).detail {
            Detail::Generated => made_up(&mut shown),
            Detail::Page(page) => {
                match &page.body {
                    Body::Written(nodes) => collect_body(nodes, &mut shown),
                    Body::Generated => made_up(&mut shown),
                }
                page.properties.values().for_each(|value| collect(value, "property", &mut shown));
            }
            _ => {}
        }
        shown.iter().map(|shown| self.file_truth(ix, shown)).collect()
    }

    fn file_truth(&self, page: Ix, Shown { place, hosted, caption }: &Shown) -> Value {
        let id = hosted["hosted"].as_str().unwrap_or_default();
        let name = hosted["name"].as_str().unwrap_or_default();
        let markers = match id.parse().ok().and_then(|id| self.ids.open(id)) {
            Some(address) if address.detail == 0 => {
                self.files.get(address.index as usize).map(|file| file.markers.clone()).unwrap_or_default()
            }
            Some(address) => vec![generate::marker(self, Ix(address.index), Marked::File)],
            None => Vec::new(),
        };
        let is_external = hosted["is_external"] == true;
        let path = match is_external {
            true => signer::external_path(id, name),
            false => signer::hosted_path(self.workspace_id(), id, name),
        };
        let mut object = json!({"id": id, "kind": "file", "title": name, "parent": self.id(page), "markers": markers,
            "place": place, "path": path});
        if is_external {
            object["external"] = Value::Bool(true);
        }
        if !caption.is_empty() {
            object["caption"] = Value::from(caption.as_str());
        }
        object
    }
}

/// A reference to a hosted file and where it stands.
struct Shown {
    place: String,
    hosted: Value,
    caption: String,
}

fn collect_body(nodes: &[Node], found: &mut Vec<Shown>) {
    for node in nodes {
        if let Node::Block(block) = node
            && !block.trashed
        {
            let first = found.len();
            collect(&block.payload, &block.kind, found);
            for shown in found.iter_mut().skip(first) {
                shown.caption = rich_text::joined(&block.payload["caption"]);
            }
            collect_body(&block.children, found);
        }
    }
}

/// All references to hosted files in a stored value, but those of icons.
fn collect(value: &Value, place: &str, found: &mut Vec<Shown>) {
    match value {
        Value::Object(map) if map.contains_key("hosted") => {
            let (place, hosted) = (place.to_owned(), value.clone());
            found.push(Shown { place, hosted, caption: String::new() });
        }
        Value::Object(map) => {
            let content = map.iter().filter(|(key, _)| *key != "icon");
            content.for_each(|(_, inner)| collect(inner, place, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, place, found)),
        _ => {}
    }
}
