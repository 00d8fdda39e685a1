//! The world: what exists, where it stands and what is written in it, independent of who reads it.
//!
//! Invariants: entities are never removed, only marked `purged`; every live page and data source is in `by_edited` under
//! its present `edited_ms`; an entity's holder lists it among its `children`, except while it is purged.
//! What a token may see is in [`access`]; turning things into JSON is `crate::objects`.

pub mod access;
pub mod edit;
pub mod generate;
pub mod ids;
pub mod model;
pub mod plant;
pub(crate) mod rich_text;
pub mod rng;
pub(crate) mod schema;
pub mod truth;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use self::generate::Generator;
use self::ids::{Ids, Space};
use self::model::{
    Block, Body, Comment, DataSourceDetail, DatabaseDetail, Detail, Entity, HostedFile, Ix, Kind, Node,
    PageDetail, Parent, User,
};
use crate::seed::SeedRef;

/// A whole workspace.
#[derive(Debug)]
pub struct World {
    ids: Ids,
    name: String,
    entities: Vec<Entity>,
    roots: Vec<Ix>,
    by_edited: BTreeSet<(i64, Ix)>,
    users: Vec<User>,
    comments: Vec<Comment>,
    comments_at: BTreeMap<(Ix, u32), Vec<u32>>,
    files: Vec<HostedFile>,
    names: BTreeMap<SeedRef, Found>,
    /// What is delivered in place of what the world would say, by id and object.
    overrides: BTreeMap<(Uuid, String), Override>,
    /// Name and address of the workspace's own emoji.
    custom_emojis: Vec<(String, String)>,
    generator: Option<Generator>,
    now_ms: i64,
}

/// JSON that is delivered as it is: of kinds that no version knows, of shapes that no seed can say.
#[derive(Debug, Clone)]
pub struct Override {
    /// The keys and values.
    pub object: Value,
    /// In place of the whole object; else laid over it, objects within objects likewise.
    pub whole: bool,
}

/// What an id was found to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A page, database or data source.
    Entity(Ix),
    /// A block in the body of a page.
    Block(Ix, u32),
}

impl World {
    /// An empty workspace. `seed` decides the ids, `now_ms` the time of everything that names none.
    #[must_use]
    pub fn new(name: &str, seed: u64, now_ms: i64) -> Self {
        Self {
            ids: Ids::new(seed),
            name: name.to_owned(),
            entities: Vec::new(),
            roots: Vec::new(),
            by_edited: BTreeSet::new(),
            users: Vec::new(),
            comments: Vec::new(),
            comments_at: BTreeMap::new(),
            files: Vec::new(),
            names: BTreeMap::new(),
            overrides: BTreeMap::new(),
            custom_emojis: Vec::new(),
            generator: None,
            now_ms,
        }
    }

    /// The cipher of this world's ids.
    #[must_use]
    pub const fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The workspace's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The workspace's id.
    #[must_use]
    pub fn workspace_id(&self) -> Uuid {
        self.ids.seal(Space::Workspace, 0, 0)
    }

    /// The id of an entity.
    #[must_use]
    pub fn id(&self, ix: Ix) -> Uuid {
        self.ids.seal(Space::Object, ix.0, 0)
    }

    /// The id of a block.
    #[must_use]
    pub fn block_id(&self, page: Ix, ordinal: u32) -> Uuid {
        self.ids.seal(Space::Object, page.0, u64::from(ordinal))
    }

    /// The id of what was found.
    #[must_use]
    pub fn found_id(&self, found: Found) -> Uuid {
        match found {
            Found::Entity(ix) => self.id(ix),
            Found::Block(page, ordinal) => self.block_id(page, ordinal),
        }
    }

    /// The id of a user.
    #[must_use]
    pub fn user_id(&self, user: u32) -> Uuid {
        self.ids.seal(Space::User, user, 0)
    }

    /// What an id names. A block is not looked for in its page's body yet.
    #[must_use]
    pub fn find(&self, id: Uuid) -> Option<Found> {
        let address = self.ids.open(id)?;
        let ix = Ix(address.index);
        if address.space != Space::Object || ix.at() >= self.entities.len() {
            return None;
        }
        match u32::try_from(address.detail).ok()? {
            0 => Some(Found::Entity(ix)),
            ordinal => Some(Found::Block(ix, ordinal)),
        }
    }

    /// The entity of that number. Numbers come from this world, so they are in range.
    #[must_use]
    pub fn entity(&self, ix: Ix) -> &Entity {
        &self.entities[ix.at()]
    }

    /// How many entities there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether nothing was planted yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// All entities with their numbers.
    pub fn entities(&self) -> impl Iterator<Item = (Ix, &Entity)> {
        (0_u32..).zip(&self.entities).map(|(number, entity)| (Ix(number), entity))
    }

    /// Top-level pages and databases.
    #[must_use]
    pub fn roots(&self) -> &[Ix] {
        &self.roots
    }

    /// Pages and data sources by last edit, oldest first.
    #[must_use]
    pub const fn by_edited(&self) -> &BTreeSet<(i64, Ix)> {
        &self.by_edited
    }

    /// People and bots.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// All comments.
    #[must_use]
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// Comments on a page (ordinal 0) or on a block, oldest first.
    #[must_use]
    pub fn comments_at(&self, page: Ix, ordinal: u32) -> &[u32] {
        self.comments_at.get(&(page, ordinal)).map_or(&[], Vec::as_slice)
    }

    /// Comments on a page and on its blocks, oldest first.
    #[must_use]
    pub fn comments_of(&self, page: Ix) -> Vec<u32> {
        let mut found: Vec<u32> = self
            .comments_at
            .range((page, 0)..=(page, u32::MAX))
            .flat_map(|(_, numbers)| numbers)
            .copied()
            .collect();
        found.sort_unstable();
        found
    }

    /// Names and addresses of the workspace's own emoji.
    #[must_use]
    pub fn custom_emojis(&self) -> &[(String, String)] {
        &self.custom_emojis
    }

    /// Adds an emoji; its id.
    pub(crate) fn add_custom_emoji(&mut self, name: &str, url: &str) -> Uuid {
        let number = u32::try_from(self.custom_emojis.len()).unwrap_or(u32::MAX);
        self.custom_emojis.push((name.to_owned(), url.to_owned()));
        self.ids.seal(Space::CustomEmoji, number, 0)
    }

    /// What is delivered for an object of this kind with that id, instead of what the world says.
    #[must_use]
    pub fn override_of(&self, id: Uuid, object: &str) -> Option<&Override> {
        if self.overrides.is_empty() {
            return None;
        }
        self.overrides.get(&(id, object.to_owned()))
    }

    /// Sets or takes away what is delivered for an object.
    pub(crate) fn set_override(&mut self, id: Uuid, object: &str, given: Option<Override>) {
        let key = (id, object.to_owned());
        match given {
            Some(given) => self.overrides.insert(key, given),
            None => self.overrides.remove(&key),
        };
    }

    /// Planted files.
    #[must_use]
    pub fn files(&self) -> &[HostedFile] {
        &self.files
    }

    /// What a seed named so.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Found> {
        self.names.get(name).copied()
    }

    /// A page's fields; its body is in [`World::body`].
    #[must_use]
    pub fn page(&self, ix: Ix) -> Cow<'_, PageDetail> {
        match &self.entity(ix).detail {
            Detail::Page(page) => Cow::Borrowed(&**page),
            Detail::Generated => Cow::Owned(generate::page_detail(self, ix)),
            Detail::Database(_) | Detail::DataSource(_) => Cow::Owned(PageDetail::default()),
        }
    }

    /// A database's fields.
    #[must_use]
    pub fn database(&self, ix: Ix) -> Option<&DatabaseDetail> {
        match &self.entity(ix).detail {
            Detail::Database(database) => Some(database),
            _ => None,
        }
    }

    /// A data source's fields.
    #[must_use]
    pub fn data_source(&self, ix: Ix) -> Option<&DataSourceDetail> {
        match &self.entity(ix).detail {
            Detail::DataSource(data_source) => Some(data_source),
            _ => None,
        }
    }

    /// The title of any entity.
    #[must_use]
    pub fn title(&self, ix: Ix) -> Cow<'_, str> {
        match &self.entity(ix).detail {
            Detail::Page(page) => Cow::Borrowed(page.title.as_str()),
            Detail::Database(database) => Cow::Borrowed(database.title.as_str()),
            Detail::DataSource(data_source) => Cow::Borrowed(data_source.title.as_str()),
            Detail::Generated => Cow::Owned(generate::title(self, ix)),
        }
    }

    /// The address of a page or database. Since June 2026 `https://app.notion.com/p/<Slug>-<32 hex>`.
    #[must_use]
    pub fn url(&self, ix: Ix) -> String {
        let id = self.id(ix).simple();
        if self.entity(ix).kind != Kind::Page {
            return format!("https://app.notion.com/p/{id}");
        }
        let title = self.title(ix);
        let mut slug = String::with_capacity(title.len() + 64);
        for word in title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
            slug.push_str(word);
            slug.push('-');
        }
        format!("https://app.notion.com/p/{slug}{id}")
    }

    /// A page's body.
    #[must_use]
    pub fn body(&self, ix: Ix) -> Cow<'_, [Node]> {
        match &self.entity(ix).detail {
            Detail::Page(page) => match &page.body {
                Body::Written(nodes) => Cow::Borrowed(nodes),
                Body::Generated => Cow::Owned(generate::body(self, ix)),
            },
            Detail::Generated => Cow::Owned(generate::body(self, ix)),
            Detail::Database(_) | Detail::DataSource(_) => Cow::Borrowed(&[]),
        }
    }

    /// Whether a page's body has anything in it, without making it.
    #[must_use]
    pub fn has_body(&self, ix: Ix) -> bool {
        match &self.entity(ix).detail {
            Detail::Page(page) => match &page.body {
                Body::Written(nodes) => nodes.iter().any(|node| !self.is_node_gone(node)),
                Body::Generated => true,
            },
            Detail::Generated => true,
            Detail::Database(_) | Detail::DataSource(_) => false,
        }
    }

    /// Whether an entry of a body no longer shows.
    #[must_use]
    pub fn is_node_gone(&self, node: &Node) -> bool {
        match node {
            Node::Block(block) => block.trashed,
            Node::Child(ix) => self.entity(*ix).trashed || self.entity(*ix).purged,
        }
    }

    /// Whether a data source is that of a wiki.
    #[must_use]
    pub fn is_wiki(&self, data_source: Ix) -> bool {
        let database = self.entity(data_source).parent.holder();
        database.and_then(|database| self.database(database)).is_some_and(|database| database.is_wiki)
    }

    /// Whether an entity is a row.
    #[must_use]
    pub fn is_row(&self, ix: Ix) -> bool {
        matches!(self.entity(ix).parent, Parent::DataSource(_))
    }

    /// Moves an entity to a new last edit, keeping the listing in order.
    pub(crate) fn touch(&mut self, ix: Ix, edited_ms: i64) {
        let entity = &mut self.entities[ix.at()];
        let before = std::mem::replace(&mut entity.edited_ms, edited_ms);
        if self.by_edited.remove(&(before, ix)) {
            self.by_edited.insert((edited_ms, ix));
        }
    }

    fn add_entity(&mut self, entity: Entity) -> Ix {
        let ix = Ix(u32::try_from(self.entities.len()).unwrap_or(u32::MAX));
        if entity.kind != Kind::Database {
            self.by_edited.insert((entity.edited_ms, ix));
        }
        match entity.parent.holder() {
            Some(holder) => self.entities[holder.at()].children.push(ix),
            None => self.roots.push(ix),
        }
        self.entities.push(entity);
        ix
    }
}

/// Finds a block in a body, with the block it is nested in.
#[must_use]
pub fn find_block(nodes: &[Node], ordinal: u32) -> Option<(&Block, Option<&Block>)> {
    fn walk<'a>(
        nodes: &'a [Node],
        ordinal: u32,
        outer: Option<&'a Block>,
    ) -> Option<(&'a Block, Option<&'a Block>)> {
        nodes.iter().find_map(|node| match node {
            Node::Block(block) if block.ordinal == ordinal => Some((block, outer)),
            Node::Block(block) => walk(&block.children, ordinal, Some(block)),
            Node::Child(_) => None,
        })
    }
    walk(nodes, ordinal, None)
}
