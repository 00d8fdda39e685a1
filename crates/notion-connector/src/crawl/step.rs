//! From an answer to what it changes: pure.
//!
//! [`Outcome`] is what a task's request returned, [`Transition`] what is to be written because of it. Nothing here waits,
//! reads a clock or touches the store, so that the rules of discovery can be read and tested as a table.

use jiff::Timestamp;
use notion_api::wire::{DataSource, Database, Page, SearchResult};

use crate::model::{ItemKey, ItemKind, NotionId, Parent};
pub use crate::render::parent_of;
use crate::store::{BodyForm, Discovery, Listed, NewTask, Proof, Task, TaskKind};

/// What a request returned.
#[derive(Debug)]
pub enum Outcome {
    /// A page of the list of people: id, name, whether it is a bot.
    People(Vec<(NotionId, Option<String>, bool)>, Option<String>),
    /// A page of a listing.
    Listing {
        /// The objects.
        objects: Vec<Object>,
        /// How many more it held that are none.
        malformed: u64,
        /// Where it goes on.
        next_cursor: Option<String>,
        /// Whether it ends here although there is more.
        cut: bool,
    },
    /// One object.
    Object(Object),
    /// A body, or a part of it, as markdown.
    Markdown {
        /// In which dialect.
        form: BodyForm,
        /// The text.
        markdown: String,
        /// Blocks whose content is to be asked for by themselves.
        unknown: Vec<NotionId>,
    },
    /// A list of blocks of a body.
    Blocks {
        /// The list as it was answered, as a JSON array.
        blocks: String,
        /// Those of its blocks whose children belong to the page.
        containers: Vec<NotionId>,
        /// Where the list goes on.
        next_cursor: Option<String>,
    },
    /// Where a block stands.
    BlockParent(Parent),
}

/// An object with the JSON it came as.
#[derive(Debug)]
pub struct Object {
    /// What it is.
    pub value: SearchResult,
    /// Its JSON.
    pub source: String,
}

/// What is to be written.
#[derive(Debug)]
pub enum Transition {
    /// Names of people.
    People(Vec<(NotionId, Option<String>, bool)>, Option<String>),
    /// Objects, and what follows from them.
    Discovery(Discovery, Option<String>),
    /// An answer towards a body, and what is still missing of it.
    Body {
        /// In which form; none where Notion has no answer.
        form: Option<BodyForm>,
        /// The answer.
        answer: String,
        /// Where this part goes on.
        next_cursor: Option<String>,
        /// Further parts.
        further: Vec<NewTask>,
    },
    /// The page that holds the block which `object` names as its parent.
    Home {
        /// The object.
        object: NotionId,
        /// Its page, or database.
        home: NotionId,
    },
    /// One more step up towards that page, or nothing to do.
    Done(Vec<NewTask>),
}

/// What an answer changes.
pub fn step(task: &Task, outcome: Outcome, workspace: NotionId) -> Transition {
    match outcome {
        Outcome::People(people, next_cursor) => Transition::People(people, next_cursor),
        Outcome::Listing { objects, malformed, next_cursor, cut } => {
            let cut = cut && next_cursor.is_none();
            Transition::Discovery(Discovery { cut, malformed, ..discover(objects, workspace) }, next_cursor)
        }
        Outcome::Object(object) => Transition::Discovery(discover(vec![object], workspace), None),
        Outcome::Markdown { form, markdown, unknown } => {
            let further = parts(task, TaskKind::ReadPart, unknown);
            Transition::Body { form: Some(form), answer: markdown, next_cursor: None, further }
        }
        Outcome::Blocks { blocks, containers, next_cursor } => {
            let further = parts(task, TaskKind::ReadChildren, containers);
            Transition::Body { form: Some(BodyForm::Blocks), answer: blocks, next_cursor, further }
        }
        Outcome::BlockParent(parent) => match (task.page, parent) {
            (Some(object), Parent::Page(home) | Parent::Database(home) | Parent::DataSource(home)) => {
                Transition::Home { object, home }
            }
            (Some(object), Parent::Block(above)) => {
                Transition::Done(vec![NewTask::for_page(TaskKind::ResolveParent, object, above)])
            }
            (None, _) | (_, Parent::Workspace | Parent::Unknown) => Transition::Done(Vec::new()),
        },
    }
}

fn parts(task: &Task, kind: TaskKind, blocks: Vec<NotionId>) -> Vec<NewTask> {
    let Some(page) = task.page else { return Vec::new() };
    let itself = |block: &NotionId| *block != page && Some(*block) != task.target;
    blocks.into_iter().filter(itself).map(|block| NewTask::for_page(kind, page, block)).collect()
}

fn discover(objects: Vec<Object>, workspace: NotionId) -> Discovery {
    let mut discovery = Discovery::default();
    for Object { value, source } in objects {
        match value {
            SearchResult::Page(page) => discover_page(&mut discovery, &page, source, workspace),
            SearchResult::DataSource(data_source) => {
                discover_data_source(&mut discovery, &data_source, source, workspace);
            }
            SearchResult::Database(database) => {
                discover_database(&mut discovery, &database, source, workspace);
            }
            SearchResult::Unknown(_) => {}
        }
    }
    discovery
}

fn discover_page(discovery: &mut Discovery, page: &Page, source: String, workspace: NotionId) {
    let id = NotionId(page.id);
    if page.in_trash {
        discovery.gone.push((id, Proof::Trashed));
    } else if page.is_archived {
        discovery.gone.push((id, Proof::Archived));
    } else if page.is_full {
        let parent = parent_of(page.parent.as_ref());
        let kind = if matches!(parent, Parent::DataSource(_)) { ItemKind::Row } else { ItemKind::Page };
        let title = page.title().unwrap_or_default();
        let edited = page.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH);
        let key = ItemKey::new(workspace, kind, id);
        discovery.listed.push(Listed { key, kind, id, title, parent, edited, source });
    }
}

fn discover_data_source(discovery: &mut Discovery, found: &DataSource, source: String, workspace: NotionId) {
    let id = NotionId(found.id);
    // A search returns data sources that lie in the trash too.
    if found.in_trash {
        discovery.gone.push((id, Proof::Trashed));
        return;
    }
    if found.is_archived {
        discovery.gone.push((id, Proof::Archived));
        return;
    }
    let database = found.database_id().map(NotionId);
    let parent = database.map_or_else(|| parent_of(found.parent.as_ref()), Parent::Database);
    let key = ItemKey::new(workspace, ItemKind::DataSource, id);
    let edited = found.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH);
    let title = found.title_text();
    discovery.listed.push(Listed { key, kind: ItemKind::DataSource, id, title, parent, edited, source });
    discovery.named.push((id, TaskKind::QueryDataSource, true));
    if let Some(database) = database {
        discovery.named.push((database, TaskKind::ReadDatabase, true));
    }
}

fn discover_database(discovery: &mut Discovery, found: &Database, source: String, workspace: NotionId) {
    let id = NotionId(found.id);
    if found.in_trash {
        discovery.gone.push((id, Proof::Trashed));
        return;
    }
    // A linked view has no data sources: its rows live in the original, which is listed by itself.
    if found.data_sources.is_empty() {
        return;
    }
    let parent = parent_of(found.parent.as_ref());
    let key = ItemKey::new(workspace, ItemKind::Database, id);
    let edited = found.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH);
    let title = found.title_text();
    discovery.listed.push(Listed { key, kind: ItemKind::Database, id, title, parent, edited, source });
    let named = found.data_sources.iter().map(|one| (NotionId(one.id), TaskKind::ReadDataSource, false));
    discovery.named.extend(named);
}
