//! From an answer to what it changes: pure.
//!
//! [`Outcome`] is what a task's request returned, [`Transition`] what is to be written because of it. Nothing here waits,
//! reads a clock or touches the store, so that the rules of discovery can be read and tested as a table.

use jiff::Timestamp;
use notion_api::wire::{DataSource, Database, Page, SearchResult};

use crate::model::{ItemKey, ItemKind, NotionId, Parent};
use crate::render::{Body, WithheldBlock, withheld_blocks};
use crate::store::{BodyForm, Discovery, Listed, NewTask, Proof, Task, TaskKind};

pub use crate::render::parent_of;

/// Most blocks of one answer that are asked for by themselves; beyond, a warning says what is missing. A page of bookmarks
/// alone would else cost more than all other pages.
const MAX_WITHHELD: usize = 100;

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
            let mut further = parts(task, TaskKind::ReadPart, unknown);
            further.extend(withheld(task, form, &markdown, &further));
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

/// Requests for what stands in a markdown answer as an `<unknown>` tag and comes by its block: the first dialect has no
/// form for these types (developers.notion.com "working-with-markdown-content"). Other types have no content in the API
/// at all.
fn withheld(task: &Task, form: BodyForm, markdown: &str, asked: &[NewTask]) -> Vec<NewTask> {
    let Some(page) = task.page.filter(|_| markdown.contains("<unknown")) else { return Vec::new() };
    let main = match form {
        BodyForm::MarkdownV1 => Body::MarkdownV1(markdown.to_owned()),
        BodyForm::MarkdownV2 => Body::MarkdownV2(markdown.to_owned()),
        BodyForm::Blocks => return Vec::new(),
    };
    let by_block = |block: WithheldBlock| {
        let kind = match block.kind.as_str() {
            "bookmark" | "embed" | "link_preview" => TaskKind::ReadBlock,
            "tab" => TaskKind::ReadChildren,
            _ => return None,
        };
        let target = block.id.filter(|id| asked.iter().all(|task| task.target != Some(*id)))?;
        Some(NewTask::for_page(kind, page, target))
    };
    withheld_blocks(&main.into()).into_iter().filter_map(by_block).take(MAX_WITHHELD).collect()
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::{CrawlId, TaskId};

    fn id(number: u128) -> NotionId {
        NotionId(Uuid::from_u128(number))
    }

    fn read_body(page: NotionId) -> Task {
        Task {
            id: TaskId(1),
            crawl: CrawlId(1),
            kind: TaskKind::ReadBody,
            target: Some(page),
            page: Some(page),
            cursor: None,
            attempts: 0,
            restarts: 0,
            target_kind: None,
        }
    }

    fn object(json: &serde_json::Value) -> Object {
        Object { value: serde_json::from_value(json.clone()).unwrap(), source: json.to_string() }
    }

    fn discovered(json: &serde_json::Value) -> Discovery {
        discover(vec![object(json)], id(0xA))
    }

    #[test]
    fn what_markdown_withholds_is_asked_for_by_its_block_once_and_if_it_can_be_had() {
        let page = id(1);
        let tag = |block: u128, kind: &str| {
            let url = format!("https://app.notion.com/p/{}#{}", page.0.simple(), id(block).0.simple());
            format!("<unknown url=\"{url}\" alt=\"{kind}\"/>\n")
        };
        let markdown = ["bookmark", "embed", "form", "tab", "child_page"]
            .iter()
            .zip(2..)
            .map(|(kind, block)| tag(block, kind))
            .collect();
        let outcome =
            Outcome::Markdown { form: BodyForm::MarkdownV1, markdown, unknown: vec![id(3), id(6), page] };
        let Transition::Body { further, .. } = step(&read_body(page), outcome, id(0xA)) else {
            panic!("a body");
        };
        let asked: Vec<(TaskKind, Option<NotionId>)> =
            further.iter().map(|task| (task.kind, task.target)).collect();
        assert_eq!(
            asked,
            [
                (TaskKind::ReadPart, Some(id(3))),
                (TaskKind::ReadPart, Some(id(6))),
                (TaskKind::ReadBlock, Some(id(2))),
                (TaskKind::ReadChildren, Some(id(5))),
            ]
        );
    }

    #[test]
    fn trashed_and_archived_pages_are_gone_and_partial_ones_are_nothing() {
        let page = |more: serde_json::Value| {
            let mut page = serde_json::json!({
                "object": "page", "id": id(1), "parent": {"type": "workspace", "workspace": true},
                "last_edited_time": "2026-05-01T10:00:00.000Z", "properties": {},
            });
            page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            page
        };
        assert_eq!(discovered(&page(serde_json::json!({}))).listed.len(), 1);
        let trashed = discovered(&page(serde_json::json!({"in_trash": true})));
        assert_eq!((trashed.listed.len(), trashed.gone), (0, vec![(id(1), Proof::Trashed)]));
        let archived = discovered(&page(serde_json::json!({"is_archived": true})));
        assert_eq!((archived.listed.len(), archived.gone), (0, vec![(id(1), Proof::Archived)]));
        let partial = discovered(&serde_json::json!({"object": "page", "id": id(1)}));
        assert!(partial.listed.is_empty() && partial.gone.is_empty());
    }

    #[test]
    fn a_data_source_is_queried_at_once_and_its_database_read_and_a_linked_view_is_nothing() {
        let data_source = serde_json::json!({
            "object": "data_source", "id": id(1), "title": [], "properties": {},
            "parent": {"type": "database_id", "database_id": id(2)},
        });
        assert_eq!(
            discovered(&data_source).named,
            [(id(1), TaskKind::QueryDataSource, true), (id(2), TaskKind::ReadDatabase, true)]
        );
        let database = |data_sources: serde_json::Value| {
            serde_json::json!({
                "object": "database", "id": id(2), "title": [], "data_sources": data_sources,
                "parent": {"type": "page_id", "page_id": id(3)},
            })
        };
        let view = discovered(&database(serde_json::json!([])));
        assert!(view.listed.is_empty() && view.named.is_empty());
        let original = discovered(&database(serde_json::json!([{"id": id(1), "name": "Rows"}])));
        assert_eq!(original.listed[0].parent, Parent::Page(id(3)));
        assert_eq!(original.named, [(id(1), TaskKind::ReadDataSource, false)]);
    }

    #[test]
    fn a_step_up_from_a_block_ends_at_a_page() {
        let climb = Task { kind: TaskKind::ResolveParent, target: Some(id(7)), ..read_body(id(1)) };
        let home = step(&climb, Outcome::BlockParent(Parent::Page(id(9))), id(0xA));
        assert!(matches!(home, Transition::Home { object, home } if (object, home) == (id(1), id(9))));
        let further = step(&climb, Outcome::BlockParent(Parent::Block(id(8))), id(0xA));
        let expected = NewTask::for_page(TaskKind::ResolveParent, id(1), id(8));
        assert!(matches!(further, Transition::Done(tasks) if tasks == [expected]));
    }
}
