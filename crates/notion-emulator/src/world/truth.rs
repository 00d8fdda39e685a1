//! What a token can see, told without going through the API: tests hold a crawl against this.

use serde_json::{Value, json};

use super::World;
use super::access::Access;
use super::generate::{self, Marked};
use super::ids::Space;
use super::model::{Body, Detail, Ix, Kind, Node};

impl World {
    /// Every visible object that is not in the trash: `{id, kind, title, parent, markers}`, where the parent of a page in a
    /// block is that block's page. Archived objects carry `"archived": true`; of a title with `"mentions_in_title": true` only
    /// the beginning is told, as mentions read what their targets are called now.
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
            found.push(object);
            for (file, name, markers) in self.files_in(ix) {
                found.push(json!({"id": file, "kind": "file", "title": name, "parent": self.id(ix), "markers": markers}));
            }
        }
        for (number, comment) in (0..).zip(&self.comments) {
            if visible[comment.page.at()] && !comment.resolved {
                let id = self.ids.seal(Space::Comment, number, 0);
                found.push(json!({"id": id, "kind": "comment", "title": "", "parent": self.id(comment.page), "markers": comment.markers}));
            }
        }
        for (number, user) in (0..).zip(&self.users) {
            if !user.is_gone && !user.is_bot {
                found.push(json!({"id": self.user_id(number), "kind": "user", "title": user.name, "parent": null, "markers": []}));
            }
        }
        found
    }

    /// Hosted files that a page shows: id, name, marker words.
    fn files_in(&self, ix: Ix) -> Vec<(String, String, Vec<String>)> {
        let mut stored = Vec::new();
        match &self.entity(ix).detail {
            Detail::Generated if generate::has_file(self, ix) => stored.push(generate::file_ref(self, ix)),
            Detail::Page(page) => {
                match &page.body {
                    Body::Written(nodes) => collect_body(nodes, &mut stored),
                    Body::Generated if generate::has_file(self, ix) => {
                        stored.push(generate::file_ref(self, ix));
                    }
                    Body::Generated => {}
                }
                page.properties.values().for_each(|value| collect(value, &mut stored));
            }
            _ => {}
        }
        stored.into_iter().map(|hosted| self.file_truth(&hosted)).collect()
    }

    fn file_truth(&self, hosted: &Value) -> (String, String, Vec<String>) {
        let id = hosted["hosted"].as_str().unwrap_or_default().to_owned();
        let name = hosted["name"].as_str().unwrap_or_default().to_owned();
        let markers = match id.parse().ok().and_then(|id| self.ids.open(id)) {
            Some(address) if address.detail == 0 => {
                self.files.get(address.index as usize).map(|file| file.markers.clone()).unwrap_or_default()
            }
            Some(address) => vec![generate::marker(self, Ix(address.index), Marked::File)],
            None => Vec::new(),
        };
        (id, name, markers)
    }
}

fn collect_body(nodes: &[Node], found: &mut Vec<Value>) {
    for node in nodes {
        if let Node::Block(block) = node
            && !block.trashed
        {
            collect(&block.payload, found);
            collect_body(&block.children, found);
        }
    }
}

/// All references to hosted files in a stored value.
fn collect(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(map) if map.contains_key("hosted") => found.push(value.clone()),
        Value::Object(map) => map.values().for_each(|inner| collect(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
        _ => {}
    }
}
