//! Changes to a world after it was made. Each keeps the listing, the children lists and the times in step.

use serde_json::Value;
use uuid::Uuid;

use super::ids::Space;
use super::model::{Block, Body, Comment, Detail, Entity, Ix, Kind, Node, PageDetail, Parent};
use super::plant::{PlantError, SeedFiles};
use super::{World, find_block, generate, rich_text, schema};
use crate::files::FileContent;
use crate::seed::Content;

impl World {
    /// A page's fields to be changed; a generated page is written down first. `None` if it is not a page.
    pub(crate) fn page_mut(&mut self, ix: Ix) -> Option<&mut PageDetail> {
        if self.entity(ix).kind != Kind::Page {
            return None;
        }
        if matches!(self.entity(ix).detail, Detail::Generated) {
            let page = generate::page_detail(self, ix);
            self.entities[ix.at()].detail = Detail::Page(Box::new(page));
        }
        match &mut self.entities[ix.at()].detail {
            Detail::Page(page) => Some(page),
            _ => None,
        }
    }

    /// A page's body to be changed; a generated body is written down first.
    fn body_mut(&mut self, ix: Ix) -> Option<&mut Vec<Node>> {
        if matches!(self.page_mut(ix)?.body, Body::Generated) {
            let nodes = generate::body(self, ix);
            let page = self.page_mut(ix)?;
            page.body = Body::Written(nodes);
        }
        match &mut self.page_mut(ix)?.body {
            Body::Written(nodes) => Some(nodes),
            Body::Generated => None,
        }
    }

    /// A block's own fields to be changed.
    pub(crate) fn block_of_mut(&mut self, page: Ix, ordinal: u32) -> Option<&mut Block> {
        self.body_mut(page).and_then(|body| block_mut(body, ordinal))
    }

    /// Puts nodes at the end of a page or of one of its blocks.
    pub(super) fn append_nodes(
        &mut self,
        page: Ix,
        parent: Parent,
        mut nodes: Vec<Node>,
        next_ordinal: u32,
        now_ms: i64,
    ) {
        for node in &mut nodes {
            if let Node::Block(block) = node {
                block.edited_ms = Some(now_ms);
            }
        }
        let Some(body) = self.body_mut(page) else { return };
        match parent {
            Parent::Block(_, ordinal) => {
                if let Some(block) = block_mut(body, ordinal) {
                    block.children.append(&mut nodes);
                    block.edited_ms = Some(now_ms);
                }
            }
            _ => body.append(&mut nodes),
        }
        if let Some(page) = self.page_mut(page) {
            page.next_ordinal = page.next_ordinal.max(next_ordinal);
        }
        self.touch(page, now_ms);
    }

    /// Replaces a page's own blocks; child pages and databases stay, at the end.
    pub(crate) fn replace_body(
        &mut self,
        page: Ix,
        contents: &[Content],
        files: &SeedFiles,
        now_ms: i64,
    ) -> Result<Vec<Ix>, PlantError> {
        let Some(body) = self.body_mut(page) else { return Err(PlantError::NotAPlace(self.id(page))) };
        body.clear();
        let kept = self.entity(page).children.clone();
        for child in &kept {
            self.entities[child.at()].parent = Parent::Page(page);
        }
        let planted = self.plant_below(Parent::Page(page), contents, files, now_ms)?;
        if let Some(body) = self.body_mut(page) {
            body.extend(kept.into_iter().map(Node::Child));
        }
        Ok(planted)
    }

    /// Gives a page, database or data source a new title.
    pub(crate) fn set_title(&mut self, ix: Ix, title: &str, now_ms: i64) {
        title.clone_into(match self.entity(ix).kind {
            Kind::Page => match self.page_mut(ix) {
                Some(page) => {
                    page.title_text = Value::Null;
                    &mut page.title
                }
                None => return,
            },
            _ => match &mut self.entities[ix.at()].detail {
                Detail::Database(database) => &mut database.title,
                Detail::DataSource(data_source) => &mut data_source.title,
                _ => return,
            },
        });
        self.touch(ix, now_ms);
    }

    /// Gives a row a new value; false if its data source has no such property.
    pub(crate) fn set_property(&mut self, ix: Ix, name: &str, value: Value, now_ms: i64) -> bool {
        let Some(holder) = self.entity(ix).parent.holder() else { return false };
        let Some(mut column) = self.data_source(holder).and_then(|found| found.schema.get(name).cloned())
        else {
            return false;
        };
        let value = schema::complete_value(self, name, &mut column, 0, value);
        if let Detail::DataSource(data_source) = &mut self.entities[holder.at()].detail {
            data_source.schema.insert(name.to_owned(), column);
        }
        if let Some(page) = self.page_mut(ix) {
            page.properties.insert(name.to_owned(), value);
        }
        self.touch(ix, now_ms);
        true
    }

    /// Changes every stored reference to a hosted file in a page's body and properties and in its comments, or takes away the
    /// value that holds it; the blocks that showed it.
    pub(crate) fn change_file(&mut self, page: Ix, file: &str, new: Option<&Value>, now_ms: i64) -> bool {
        fn walk(nodes: &mut [Node], file: &str, new: Option<&Value>, now_ms: i64, changed: &mut bool) {
            for node in nodes {
                let Node::Block(block) = node else { continue };
                if holds(&block.payload, file) && !block.trashed {
                    match new {
                        Some(new) => replace(&mut block.payload, file, new),
                        None => block.trashed = true,
                    }
                    block.edited_ms = Some(now_ms);
                    *changed = true;
                }
                walk(&mut block.children, file, new, now_ms, changed);
            }
        }
        let mut changed = false;
        if let Some(nodes) = self.body_mut(page) {
            walk(nodes, file, new, now_ms, &mut changed);
        }
        let change = |value: &mut Value| {
            if !holds(value, file) {
                return false;
            }
            match (new, value) {
                (Some(new), value) => replace(value, file, new),
                (None, Value::Array(items)) => items.retain(|item| !holds(item, file)),
                (None, value) => *value = Value::Null,
            }
            true
        };
        if let Some(page) = self.page_mut(page) {
            for value in page.properties.values_mut() {
                changed |= change(value);
            }
        }
        if changed {
            self.touch(page, now_ms);
        }
        for comment in self.comments.iter_mut().filter(|comment| comment.page == page) {
            if change(&mut comment.attachments) {
                comment.edited_ms = now_ms;
                changed = true;
            }
        }
        changed
    }

    /// Gives a planted file other bytes under the same address.
    pub(crate) fn set_file(&mut self, file: Uuid, content: FileContent, markers: Vec<String>, now_ms: i64) {
        let address = self.ids.open(file).filter(|address| address.space == Space::File);
        if let Some(file) = address.and_then(|address| self.files.get_mut(address.index as usize)) {
            file.content = content;
            file.markers = markers;
            file.modified_ms = now_ms;
        }
    }

    /// The pages that show a hosted file, in their bodies, properties or comments.
    pub(crate) fn pages_with(&self, file: Uuid) -> Vec<Ix> {
        let text = file.to_string();
        let in_body = |nodes: &[Node]| {
            let mut open: Vec<&Node> = nodes.iter().collect();
            while let Some(node) = open.pop() {
                if let Node::Block(block) = node {
                    if holds(&block.payload, &text) {
                        return true;
                    }
                    open.extend(&block.children);
                }
            }
            false
        };
        let made_up =
            self.ids.open(file).filter(|address| address.detail != 0).map(|address| Ix(address.index));
        let shows = |ix: Ix, entity: &Entity| match &entity.detail {
            Detail::Page(page) => {
                page.properties.values().any(|value| holds(value, &text))
                    || match &page.body {
                        Body::Written(nodes) => in_body(nodes),
                        Body::Generated => made_up == Some(ix),
                    }
            }
            _ => made_up == Some(ix),
        };
        let attached = |ix: Ix| {
            self.comments.iter().any(|comment| comment.page == ix && holds(&comment.attachments, &text))
        };
        let all = self.entities().filter(|(_, entity)| entity.kind == Kind::Page);
        all.filter(|(ix, entity)| shows(*ix, entity) || attached(*ix)).map(|(ix, _)| ix).collect()
    }

    /// Replaces a block's payload; false if there is no such block.
    pub(crate) fn set_block(&mut self, page: Ix, ordinal: u32, payload: Value, now_ms: i64) -> bool {
        let Some(block) = self.body_mut(page).and_then(|body| block_mut(body, ordinal)) else { return false };
        block.payload = rich_text::complete_payload(&block.kind.clone(), payload);
        block.edited_ms = Some(now_ms);
        self.touch(page, now_ms);
        true
    }

    /// Moves an entity into the trash or out of it.
    pub(crate) fn set_trashed(&mut self, ix: Ix, trashed: bool, now_ms: i64) {
        self.entities[ix.at()].trashed = trashed;
        self.touch(ix, now_ms);
    }

    /// Moves a block into the trash or out of it, and the pages nested in it; false if there is no such block.
    pub(crate) fn set_block_trashed(&mut self, page: Ix, ordinal: u32, trashed: bool, now_ms: i64) -> bool {
        fn children_of(nodes: &[Node], found: &mut Vec<Ix>) {
            for node in nodes {
                match node {
                    Node::Block(block) => children_of(&block.children, found),
                    Node::Child(ix) => found.push(*ix),
                }
            }
        }
        let Some(block) = self.body_mut(page).and_then(|body| block_mut(body, ordinal)) else { return false };
        block.trashed = trashed;
        block.edited_ms = Some(now_ms);
        let mut nested = Vec::new();
        children_of(&block.children, &mut nested);
        for ix in nested {
            self.set_trashed(ix, trashed, now_ms);
        }
        self.touch(page, now_ms);
        true
    }

    /// Archives an entity or brings it back.
    pub(crate) fn set_archived(&mut self, ix: Ix, archived: bool, now_ms: i64) {
        self.entities[ix.at()].archived = archived;
        self.touch(ix, now_ms);
    }

    /// Removes an entity and everything below it for good.
    pub(crate) fn purge(&mut self, ix: Ix) {
        let mut open = vec![ix];
        while let Some(next) = open.pop() {
            let entity = &mut self.entities[next.at()];
            entity.purged = true;
            let edited_ms = entity.edited_ms;
            open.extend(entity.children.iter().copied());
            self.by_edited.remove(&(edited_ms, next));
        }
        self.detach(ix);
    }

    /// Moves a page or database below another page, a block, a data source or to the top level.
    ///
    /// # Errors
    /// If the target is the entity itself or below it, or takes no such entity.
    pub(crate) fn move_to(&mut self, ix: Ix, parent: Parent, now_ms: i64) -> Result<(), PlantError> {
        let mut above = parent.holder();
        while let Some(next) = above {
            if next == ix {
                return Err(PlantError::NotAPlace(self.id(ix)));
            }
            above = self.entity(next).parent.holder();
        }
        if let Parent::DataSource(rows) = parent
            && self.entity(ix).kind != Kind::Page
            && !self.is_wiki(rows)
        {
            return Err(PlantError::NotARow);
        }
        // Whether it is a row decides what is made up for it, so it is written down first.
        self.body_mut(ix);
        self.detach(ix);
        if matches!(self.entity(ix).parent, Parent::DataSource(_)) && self.entity(ix).parent != parent {
            self.drop_properties(ix);
        }
        self.entities[ix.at()].parent = parent;
        match parent.holder() {
            None => self.roots.push(ix),
            Some(holder) => {
                // A generated body lists its present children, so it is written down before the newcomer is added.
                self.body_mut(holder);
                self.entities[holder.at()].children.push(ix);
                if let Some(body) = self.body_mut(holder) {
                    match parent {
                        Parent::Block(_, ordinal) => {
                            if let Some(block) = block_mut(body, ordinal) {
                                block.children.push(Node::Child(ix));
                            }
                        }
                        _ => body.push(Node::Child(ix)),
                    }
                    self.touch(holder, now_ms);
                }
            }
        }
        self.touch(ix, now_ms);
        Ok(())
    }

    /// A row that leaves its data source leaves its values behind, and the marker words in them.
    fn drop_properties(&mut self, ix: Ix) {
        let Some(page) = self.page_mut(ix) else { return };
        page.properties.clear();
        if let Body::Written(nodes) = &page.body {
            let text = format!("{nodes:?}");
            page.markers.retain(|marker| page.title.contains(marker) || text.contains(marker));
        }
    }

    fn detach(&mut self, ix: Ix) {
        fn drop_child(nodes: &mut Vec<Node>, ix: Ix) {
            nodes.retain(|node| !matches!(node, Node::Child(child) if *child == ix));
            for node in nodes {
                if let Node::Block(block) = node {
                    drop_child(&mut block.children, ix);
                }
            }
        }
        match self.entity(ix).parent.holder() {
            None => self.roots.retain(|root| *root != ix),
            Some(holder) => {
                if let Some(body) = self.body_mut(holder) {
                    drop_child(body, ix);
                }
                self.entities[holder.at()].children.retain(|child| *child != ix);
            }
        }
    }

    /// Adds a comment to a page (ordinal 0) or a block; its number.
    pub(crate) fn add_comment(&mut self, comment: Comment) -> u32 {
        let number = u32::try_from(self.comments.len()).unwrap_or(u32::MAX);
        self.comments_at.entry((comment.page, comment.ordinal)).or_default().push(number);
        self.comments.push(comment);
        number
    }

    /// Resolves a comment or opens it again; false if there is none of that number.
    pub(crate) fn set_resolved(&mut self, number: u32, resolved: bool) -> bool {
        match self.comments.get_mut(number as usize) {
            Some(comment) => {
                comment.resolved = resolved;
                true
            }
            None => false,
        }
    }

    /// Lets a user leave the workspace, or come back; false if there is none of that number.
    pub(crate) fn set_user_gone(&mut self, number: u32, gone: bool) -> bool {
        match self.users.get_mut(number as usize) {
            Some(user) => {
                user.is_gone = gone;
                true
            }
            None => false,
        }
    }

    /// Whether a page has a block of that ordinal.
    #[must_use]
    pub fn has_block(&self, page: Ix, ordinal: u32) -> bool {
        find_block(&self.body(page), ordinal).is_some()
    }

    /// Adds an entity whose detail is made up when it is read.
    pub(super) fn add_generated(&mut self, kind: Kind, parent: Parent, times: (i64, i64), author: u32) -> Ix {
        self.add_entity(Entity {
            kind,
            parent,
            created_ms: times.0,
            edited_ms: times.1,
            created_by: author,
            edited_by: author,
            trashed: false,
            archived: false,
            purged: false,
            children: Vec::new(),
            detail: Detail::Generated,
        })
    }

    /// Replaces an entity's detail.
    pub(super) fn set_detail(&mut self, ix: Ix, detail: Detail) {
        self.entities[ix.at()].detail = detail;
    }
}

/// Whether a stored value refers to this file, but as an icon.
fn holds(value: &Value, file: &str) -> bool {
    match value {
        Value::Object(map) if map.contains_key("hosted") => map["hosted"] == file,
        Value::Object(map) => map.iter().any(|(key, inner)| key != "icon" && holds(inner, file)),
        Value::Array(items) => items.iter().any(|inner| holds(inner, file)),
        _ => false,
    }
}

/// Puts another file in the place of this one.
fn replace(value: &mut Value, file: &str, new: &Value) {
    match value {
        Value::Object(map) if map.get("hosted").is_some_and(|hosted| hosted == file) => {
            map["hosted"] = new["hosted"].clone();
            map["name"] = new["name"].clone();
        }
        Value::Object(map) => map.values_mut().for_each(|inner| replace(inner, file, new)),
        Value::Array(items) => items.iter_mut().for_each(|inner| replace(inner, file, new)),
        _ => {}
    }
}

fn block_mut(nodes: &mut [Node], ordinal: u32) -> Option<&mut Block> {
    for node in nodes {
        let Node::Block(block) = node else { continue };
        if block.ordinal == ordinal {
            return Some(block);
        }
        if let Some(found) = block_mut(&mut block.children, ordinal) {
            return Some(found);
        }
    }
    None
}
