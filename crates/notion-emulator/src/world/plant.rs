//! Planting: a seed becomes entities with ids and times.
//!
//! Two walks: the first creates every entity and remembers its name, the second replaces `{"ref": …}` by ids, so a seed
//! may refer forwards. Accepted references: `{"ref": name}` where an id stands, `[{"ref": name}]` in a relation, and
//! `{"type": "file", "file": {"ref": name}}` for a file that was handed over with the seed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::ids::{Space, hash_text};
use super::model::{
    Block, Body, Comment, DataSourceDetail, DatabaseDetail, Detail, Entity, HostedFile, Ix, Kind, Node,
    PageDetail, Parent, User,
};
use super::{Found, World, rich_text, schema};
use crate::files::{FileContent, Host};
use crate::seed::{
    BlockSeed, CommentSeed, Content, DataSourceSeed, DatabaseSeed, FileSeed, Import, PageSeed, SeedRef,
};

/// Files that a seed refers to, by the path it uses for them.
pub type SeedFiles = BTreeMap<SeedRef, FileSeed>;

/// Why a seed cannot be planted.
#[derive(Debug, thiserror::Error)]
pub enum PlantError {
    /// A reference to nothing.
    #[error(
        "the seed refers to {0:?}, which names no page, database, data source or file; name it in the same seed"
    )]
    UnknownRef(String),
    /// A place that holds no pages.
    #[error("{0} is not a page, a block of a page or a data source; plant below one of these")]
    NotAPlace(Uuid),
    /// Only pages are rows, except in a wiki.
    #[error("only pages can stand in a data source; in that of a wiki, databases too")]
    NotARow,
}

/// What was planted, and what is still to be filled in.
#[derive(Default)]
struct Walk {
    planted: Vec<Ix>,
    comments: Vec<(Ix, CommentSeed)>,
}

/// Files that came with a seed, and what became of them: a file that is referred to several times is one file.
pub(crate) struct Uploads<'f> {
    files: &'f SeedFiles,
    hosted: BTreeMap<(SeedRef, Host), Value>,
}

impl<'f> Uploads<'f> {
    pub(crate) fn new(files: &'f SeedFiles) -> Self {
        Self { files, hosted: BTreeMap::new() }
    }

    fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }
}

impl World {
    /// A world planted from a seed. The ids depend on the order of the seed only.
    ///
    /// # Errors
    /// If the seed refers to something it does not contain.
    pub fn from_import(import: Import, now_ms: i64) -> Result<Self, PlantError> {
        Self::planted(import, 0, now_ms)
    }

    /// As [`World::from_import`], with the ids of the world of this number.
    pub(super) fn planted(import: Import, number: u64, now_ms: i64) -> Result<Self, PlantError> {
        let seed = &import.workspace;
        let files = import.files.into_iter().map(|file| (file.path.clone(), file)).collect();
        let mut world = Self::new(&seed.name, number, now_ms);
        for person in &seed.people {
            world.add_person(person);
        }
        let mut walk = Walk::default();
        for content in &seed.roots {
            match content {
                Content::Page(page) => {
                    world.plant_page(page, Parent::Workspace, &mut walk);
                }
                Content::Database(database) => {
                    world.plant_database(database, Parent::Workspace, &mut walk);
                }
                Content::Block(_) => {}
            }
        }
        world.finish(&walk, &files)?;
        Ok(world)
    }

    /// Adds a person (`{"name", "email", "avatar_url", "guest"}`) and gives their number.
    pub fn add_person(&mut self, given: &Value) -> u32 {
        let text = |key: &str| given[key].as_str().map(str::to_owned);
        self.add_user(User {
            name: text("name"),
            email: text("email").or_else(|| given["person"]["email"].as_str().map(str::to_owned)),
            email_verified: given["email_verified"].as_bool().unwrap_or(true),
            avatar_url: text("avatar_url"),
            is_guest: given["guest"].as_bool().or(given["is_guest"].as_bool()).unwrap_or_default(),
            is_bot: given["type"] == "bot",
            is_gone: false,
        })
    }

    /// Adds a user and gives their number.
    pub fn add_user(&mut self, user: User) -> u32 {
        self.users.push(user);
        u32::try_from(self.users.len() - 1).unwrap_or_default()
    }

    /// Plants content below a page, a block or a data source; what was planted, in order. Blocks without a page of
    /// their own give no entity.
    ///
    /// # Errors
    /// If the place takes no such content, or the seed refers to something unknown.
    pub(crate) fn plant_below(
        &mut self,
        parent: Parent,
        contents: &[Content],
        files: &SeedFiles,
        now_ms: i64,
    ) -> Result<Vec<Ix>, PlantError> {
        self.check(parent, contents, files)?;
        self.now_ms = now_ms;
        let mut walk = Walk::default();
        match parent {
            Parent::Workspace | Parent::DataSource(_) => {
                for content in contents {
                    match content {
                        Content::Page(page) => self.plant_page(page, parent, &mut walk),
                        Content::Database(database) => self.plant_database(database, parent, &mut walk),
                        Content::Block(_) => continue,
                    };
                }
            }
            Parent::Page(page) | Parent::Block(page, _) => {
                let mut next = self.page_mut(page).map_or(1, |page| page.next_ordinal);
                let nodes = self.plant_body(contents, page, parent, &mut next, &mut walk);
                self.append_nodes(page, parent, nodes, next, now_ms);
                walk.planted.push(page);
            }
            Parent::Database(ix) => return Err(PlantError::NotAPlace(self.id(ix))),
        }
        self.finish(&walk, files)?;
        walk.planted.retain(|ix| Some(*ix) != parent.holder());
        Ok(walk.planted)
    }

    /// Refuses contents that cannot be planted, so that a refused seed changes nothing.
    fn check(&self, parent: Parent, contents: &[Content], files: &SeedFiles) -> Result<(), PlantError> {
        for content in contents {
            match (parent, content) {
                (Parent::DataSource(_), Content::Block(_)) => return Err(PlantError::NotARow),
                (Parent::DataSource(ix), Content::Database(_)) if !self.is_wiki(ix) => {
                    return Err(PlantError::NotARow);
                }
                (Parent::Workspace, Content::Block(_)) => {
                    return Err(PlantError::NotAPlace(self.workspace_id()));
                }
                _ => {}
            }
        }
        let whole = serde_json::to_value(contents).unwrap_or_default();
        let mut names = BTreeSet::new();
        collect_names(&whole, &mut names);
        self.check_refs("", &whole, &names, files)
    }

    fn check_refs(
        &self,
        key: &str,
        value: &Value,
        names: &BTreeSet<&str>,
        files: &SeedFiles,
    ) -> Result<(), PlantError> {
        if let Some(name) = sole_ref(value) {
            let is_known = match key {
                "file" => files.contains_key(&name),
                "url" if files.contains_key(&name) => true,
                "user" => schema::person(self, &Value::from(name.as_str())).is_some(),
                _ => names.contains(name.as_str()) || self.names.contains_key(&name),
            };
            return if is_known { Ok(()) } else { Err(PlantError::UnknownRef(name)) };
        }
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.check_refs("", item, names, files)),
            Value::Object(map) => {
                map.iter().try_for_each(|(key, inner)| self.check_refs(key, inner, names, files))
            }
            _ => Ok(()),
        }
    }

    fn plant_page(&mut self, seed: &PageSeed, parent: Parent, walk: &mut Walk) -> Ix {
        let created_ms = seed.created_time.map_or(self.now_ms, jiff::Timestamp::as_millisecond);
        let edited_ms = seed.last_edited_time.map_or(created_ms, jiff::Timestamp::as_millisecond);
        let ix = self.add_seeded(Kind::Page, parent, created_ms, edited_ms);
        walk.planted.push(ix);
        if let Some(name) = &seed.name {
            self.names.insert(name.clone(), Found::Entity(ix));
        }
        walk.comments.extend(seed.comments.iter().map(|comment| (ix, comment.clone())));
        let mut next_ordinal = 1;
        let body = self.plant_body(&seed.body, ix, Parent::Page(ix), &mut next_ordinal, walk);
        let mut title_text = seed.title_text.clone();
        rich_text::complete(&mut title_text);
        self.entities[ix.at()].detail = Detail::Page(Box::new(PageDetail {
            title: seed.title.clone(),
            title_text,
            icon: seed.icon.clone(),
            cover: seed.cover.clone(),
            properties: seed.properties.clone(),
            markers: seed.markers.clone(),
            body: Body::Written(body),
            next_ordinal,
        }));
        ix
    }

    fn plant_body(
        &mut self,
        contents: &[Content],
        page: Ix,
        parent: Parent,
        next_ordinal: &mut u32,
        walk: &mut Walk,
    ) -> Vec<Node> {
        contents
            .iter()
            .map(|content| match content {
                Content::Block(block) => Node::Block(self.plant_block(block, page, next_ordinal, walk)),
                Content::Page(child) => Node::Child(self.plant_page(child, parent, walk)),
                Content::Database(child) => Node::Child(self.plant_database(child, parent, walk)),
            })
            .collect()
    }

    fn plant_block(&mut self, seed: &BlockSeed, page: Ix, next_ordinal: &mut u32, walk: &mut Walk) -> Block {
        let ordinal = *next_ordinal;
        *next_ordinal += 1;
        let parent = Parent::Block(page, ordinal);
        if let Some(name) = &seed.name {
            self.names.insert(name.clone(), Found::Block(page, ordinal));
        }
        Block {
            ordinal,
            kind: seed.kind.clone(),
            payload: rich_text::complete_payload(&seed.kind, seed.payload.clone()),
            children: self.plant_body(&seed.children, page, parent, next_ordinal, walk),
            trashed: false,
            edited_ms: None,
        }
    }

    fn plant_database(&mut self, seed: &DatabaseSeed, parent: Parent, walk: &mut Walk) -> Ix {
        let ix = self.add_seeded(Kind::Database, parent, self.now_ms, self.now_ms);
        walk.planted.push(ix);
        if let Some(name) = &seed.name {
            self.names.insert(name.clone(), Found::Entity(ix));
        }
        // Recorded: a linked view is called so, whatever it shows.
        let title = if seed.data_sources.is_empty() { "Untitled" } else { &seed.title };
        self.entities[ix.at()].detail = Detail::Database(Box::new(DatabaseDetail {
            title: title.to_owned(),
            description: seed.description.clone(),
            icon: seed.icon.clone(),
            cover: seed.cover.clone(),
            is_inline: seed.is_inline,
            is_wiki: seed.is_wiki,
        }));
        for data_source in &seed.data_sources {
            self.plant_data_source(data_source, &seed.title, ix, walk);
        }
        ix
    }

    fn plant_data_source(
        &mut self,
        seed: &DataSourceSeed,
        database_title: &str,
        database: Ix,
        walk: &mut Walk,
    ) {
        let ix = self.add_seeded(Kind::DataSource, Parent::Database(database), self.now_ms, self.now_ms);
        walk.planted.push(ix);
        if let Some(name) = &seed.name {
            self.names.insert(name.clone(), Found::Entity(ix));
        }
        let title = if seed.title.is_empty() { database_title } else { &seed.title };
        let schema = schema::complete_schema(&self.ids, &seed.schema);
        self.entities[ix.at()].detail = Detail::DataSource(Box::new(DataSourceDetail {
            title: title.to_owned(),
            description: seed.description.clone(),
            schema,
            next_unique: 1,
        }));
        for row in &seed.rows {
            self.plant_page(row, Parent::DataSource(ix), walk);
        }
        for database in &seed.databases {
            self.plant_database(database, Parent::DataSource(ix), walk);
        }
        self.date_by_rows(database, ix);
    }

    /// A seed gives no times for databases: they are as old as their first row and as new as the last edit in it.
    fn date_by_rows(&mut self, database: Ix, data_source: Ix) {
        let rows = self.entity(data_source).children.iter().map(|row| self.entity(*row));
        let created_ms = rows.clone().map(|row| row.created_ms).min();
        let edited_ms = rows.map(|row| row.edited_ms).max();
        let (Some(created_ms), Some(edited_ms)) = (created_ms, edited_ms) else { return };
        for ix in [database, data_source] {
            self.entities[ix.at()].created_ms = created_ms;
            self.touch(ix, edited_ms);
        }
    }

    fn add_seeded(&mut self, kind: Kind, parent: Parent, created_ms: i64, edited_ms: i64) -> Ix {
        let people = self.users.iter().filter(|user| !user.is_bot && !user.is_guest).count().max(1);
        let author = u32::try_from(self.entities.len() % people).unwrap_or_default();
        self.add_entity(Entity {
            kind,
            parent,
            created_ms,
            edited_ms,
            created_by: author,
            edited_by: author,
            trashed: false,
            archived: false,
            purged: false,
            children: Vec::new(),
            detail: Detail::Generated,
        })
    }

    /// The second walk: references, schemas' relations and property values.
    fn finish(&mut self, walk: &Walk, files: &SeedFiles) -> Result<(), PlantError> {
        let files = &mut Uploads::new(files);
        for ix in &walk.planted {
            self.edit_detail(*ix, |world, detail| match detail {
                Detail::Page(page) => {
                    world.resolve(&mut page.title_text, files)?;
                    if page.title.is_empty() {
                        page.title = rich_text::joined(&page.title_text);
                    }
                    world.resolve(&mut page.icon, files)?;
                    world.resolve(&mut page.cover, files)?;
                    if let Body::Written(nodes) = &mut page.body {
                        world.resolve_body(nodes, files)?;
                    }
                    for value in page.properties.values_mut() {
                        world.resolve(value, files)?;
                    }
                    world.complete_properties(*ix, page);
                    Ok(())
                }
                Detail::Database(database) => {
                    world.resolve(&mut database.icon, files)?;
                    world.resolve(&mut database.cover, files)
                }
                Detail::DataSource(data_source) => {
                    data_source.schema.values_mut().try_for_each(|column| world.resolve(column, files))
                }
                Detail::Generated => Ok(()),
            })?;
        }
        for ix in &walk.planted {
            self.complete_relations(*ix);
        }
        for (page, comment) in &walk.comments {
            let place = match comment.block.as_deref().map(|name| (name, self.named(name))) {
                None => (*page, 0),
                Some((_, Some(Found::Block(page, ordinal)))) => (page, ordinal),
                Some((name, _)) => return Err(PlantError::UnknownRef(name.to_owned())),
            };
            let at_ms = self.entity(*page).edited_ms;
            self.plant_comment(place, comment, files, at_ms)?;
        }
        Ok(())
    }

    /// Adds a comment to a page (ordinal 0) or a block; its number.
    pub(crate) fn plant_comment(
        &mut self,
        (page, ordinal): (Ix, u32),
        seed: &CommentSeed,
        files: &mut Uploads<'_>,
        at_ms: i64,
    ) -> Result<u32, PlantError> {
        let (mut rich_text, mut attachments) = (seed.rich_text.clone(), seed.attachments.clone());
        rich_text::complete(&mut rich_text);
        self.resolve(&mut rich_text, files)?;
        self.resolve(&mut attachments, files)?;
        let author = seed.author.as_deref().and_then(|email| {
            self.users
                .iter()
                .position(|user| user.email.as_deref() == Some(email) || user.name.as_deref() == Some(email))
        });
        let number = u32::try_from(self.comments.len()).unwrap_or(u32::MAX);
        // Threads that a seed names are told apart from threads of one comment by their highest bit.
        let discussion = seed.discussion.as_ref().map_or(number, |word| {
            u32::try_from(hash_text(&format!("{}\u{0}{word}", page.0)) & 0x7fff_ffff).unwrap_or_default()
                | 0x8000_0000
        });
        Ok(self.add_comment(Comment {
            page,
            ordinal,
            discussion,
            created_by: author.and_then(|author| u32::try_from(author).ok()).unwrap_or_default(),
            created_ms: at_ms,
            edited_ms: at_ms,
            rich_text,
            attachments,
            display_name: seed.display_name.clone(),
            resolved: false,
            markers: seed.markers.clone(),
        }))
    }

    /// Takes an entity's detail out, so that it can be changed while the world is looked at, and puts it back.
    fn edit_detail<E>(
        &mut self,
        ix: Ix,
        edit: impl FnOnce(&mut Self, &mut Detail) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut detail = std::mem::replace(&mut self.entities[ix.at()].detail, Detail::Generated);
        let edited = edit(self, &mut detail);
        self.entities[ix.at()].detail = detail;
        edited
    }

    fn resolve_body(&mut self, nodes: &mut [Node], files: &mut Uploads<'_>) -> Result<(), PlantError> {
        for node in nodes {
            if let Node::Block(block) = node {
                self.resolve(&mut block.payload, files)?;
                self.resolve_body(&mut block.children, files)?;
            }
        }
        Ok(())
    }

    /// Puts what is meant in the place of every reference.
    pub(crate) fn resolve(&mut self, value: &mut Value, files: &mut Uploads<'_>) -> Result<(), PlantError> {
        match value {
            Value::Array(items) => {
                for item in items {
                    if let Some(name) = sole_ref(item) {
                        let id = self.ref_id(&name)?;
                        *item = json!({ "id": id });
                    } else {
                        self.resolve(item, files)?;
                    }
                }
            }
            Value::Object(map) => {
                for (key, inner) in map.iter_mut() {
                    match sole_ref(inner) {
                        Some(name) if key == "file" => *inner = self.host(&name, Host::Notion, files)?,
                        Some(name) if key == "user" => {
                            let id = schema::person(self, &Value::from(name.as_str()));
                            *inner = json!({ "id": id.ok_or(PlantError::UnknownRef(name))? });
                        }
                        // An uploaded page in an embed: the address itself is signed.
                        Some(name) if key == "url" && files.has(&name) => {
                            *inner = self.host(&name, Host::Notion, files)?;
                            inner["is_address"] = Value::Bool(true);
                        }
                        Some(name) if key == "url" || key == "href" => *inner = self.ref_url(&name)?,
                        Some(name) => *inner = Value::from(self.ref_id(&name)?.to_string()),
                        None if key == "external"
                            && sole_ref(&inner["url"]).is_some_and(|name| files.has(&name)) =>
                        {
                            let name = sole_ref(&inner["url"]).unwrap_or_default();
                            inner["url"] = self.host(&name, Host::External, files)?;
                        }
                        None => self.resolve(inner, files)?,
                    }
                }
                if let Some(user) = map.get_mut("user")
                    && user["id"].is_null()
                    && let Some(id) = schema::person(self, user)
                {
                    *user = json!({ "id": id });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn ref_id(&self, name: &str) -> Result<Uuid, PlantError> {
        let found = self.named(name).ok_or_else(|| PlantError::UnknownRef(name.to_owned()))?;
        Ok(self.found_id(found))
    }

    /// A link to a page that is no mention is kept as that page's address at the time of planting.
    fn ref_url(&self, name: &str) -> Result<Value, PlantError> {
        let url = match self.named(name).ok_or_else(|| PlantError::UnknownRef(name.to_owned()))? {
            Found::Entity(ix) => self.url(ix),
            Found::Block(page, ordinal) => {
                format!("{}#{}", self.url(page), self.block_id(page, ordinal).simple())
            }
        };
        Ok(Value::from(url))
    }

    /// Puts a file of the seed on a host; the reference to it is what payloads keep.
    fn host(&mut self, name: &str, host: Host, files: &mut Uploads<'_>) -> Result<Value, PlantError> {
        let key = (name.to_owned(), host);
        if let Some(hosted) = files.hosted.get(&key) {
            return Ok(hosted.clone());
        }
        let file = files.files.get(name).ok_or_else(|| PlantError::UnknownRef(name.to_owned()))?;
        let hosted = self.add_file(&file.name, file.content.clone(), host, Vec::new());
        files.hosted.insert(key, hosted.clone());
        Ok(hosted)
    }

    /// Adds a hosted file; the answer is the reference that a payload keeps under `file`, or as an external file's `url`.
    pub(crate) fn add_file(
        &mut self,
        name: &str,
        content: FileContent,
        host: Host,
        markers: Vec<String>,
    ) -> Value {
        let number = u32::try_from(self.files.len()).unwrap_or_default();
        let modified_ms = self.now_ms;
        self.files.push(HostedFile { name: name.to_owned(), content, host, modified_ms, markers });
        let mut hosted = json!({"hosted": self.ids.seal(Space::File, number, 0), "name": name});
        if host == Host::External {
            hosted["is_external"] = Value::Bool(true);
        }
        hosted
    }

    fn complete_properties(&mut self, ix: Ix, page: &mut PageDetail) {
        let Parent::DataSource(holder) = self.entity(ix).parent else { return };
        let Detail::DataSource(data_source) = &mut self.entities[holder.at()].detail else { return };
        let number = data_source.next_unique;
        data_source.next_unique += 1;
        let mut columns = std::mem::take(&mut data_source.schema);
        let mut given = std::mem::take(&mut page.properties);
        for (name, column) in &mut columns {
            let kind = column["type"].as_str().unwrap_or_default();
            if kind == "title" || schema::COMPUTED.contains(&kind) {
                continue;
            }
            let value = given.shift_remove(name).unwrap_or_else(|| match kind {
                "unique_id" => Value::Null,
                _ => schema::empty_value(kind),
            });
            let value = schema::complete_value(self, name, column, number, value);
            page.properties.insert(name.clone(), value);
        }
        if let Detail::DataSource(data_source) = &mut self.entities[holder.at()].detail {
            data_source.schema = columns;
        }
    }

    /// A relation's schema names both the data source and its database.
    fn complete_relations(&mut self, ix: Ix) {
        let Some(data_source) = self.data_source(ix) else { return };
        let mut changes = Map::new();
        for (name, column) in &data_source.schema {
            let relation = &column["relation"];
            let target = relation["data_source_id"].as_str().or_else(|| relation["database_id"].as_str());
            let Some(target) = target.and_then(|id| Uuid::parse_str(id).ok()) else { continue };
            let Some(Found::Entity(target)) = self.find(target) else { continue };
            let (database, target) = match self.entity(target).kind {
                Kind::Database => match self.entity(target).children.first() {
                    Some(first) => (target, *first),
                    None => continue,
                },
                _ => (self.entity(target).parent.holder().unwrap_or(target), target),
            };
            let kind = relation["type"].as_str().unwrap_or("single_property");
            let inner = relation.get(kind).cloned().unwrap_or_else(|| json!({}));
            let full = json!({"database_id": self.id(database), "data_source_id": self.id(target), "type": kind, kind: inner});
            changes.insert(name.clone(), full);
        }
        if let Detail::DataSource(data_source) = &mut self.entities[ix.at()].detail {
            for (name, relation) in changes {
                data_source.schema[&name]["relation"] = relation;
            }
        }
    }
}

/// Everything called `name` in a seed. That is more than it gives as names, which does no harm here.
fn collect_names<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Object(map) => {
            names.extend(map.get("name").and_then(Value::as_str));
            map.values().for_each(|inner| collect_names(inner, names));
        }
        _ => {}
    }
}

/// The name in `{"ref": name}`.
fn sole_ref(value: &Value) -> Option<String> {
    match value {
        Value::Object(map) if map.len() == 1 => map.get("ref")?.as_str().map(str::to_owned),
        _ => None,
    }
}
