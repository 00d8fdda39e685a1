//! From an answer to what it changes: pure.
//!
//! [`Outcome`] is what a task's request returned, [`Transition`] what is to be written because of it. Nothing here waits,
//! reads a clock or touches the store, so that the rules of discovery can be read and tested as a table.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use notion_api::wire::{DataSource, Database, Page, SearchResult};
use serde_json::Value;

use super::files;
use super::long_properties::cut_properties;
use super::sweep::{self, Sweep};
use super::windows::{ListedRow, Rest, Window};
use crate::config::{CommentsChoice, CrawlConfig};
use crate::model::{FileRef, ItemKey, ItemKind, NotionId, Parent};
use crate::render::{Body, withheld_blocks};
use crate::store::{AnswerForm, Discovery, Listed, MetUser, NewTask, PartAnswer, Proof, Task, TaskKind};

pub use crate::render::parent_of;

/// Most blocks of one answer that are asked for by themselves. A page with more is read by blocks: a list of a hundred costs
/// one request.
const MAX_WITHHELD: usize = 100;

/// Most missing blocks that Notion names in one answer (reported; developers.notion.com "retrieve-page-markdown" gives no
/// number). Where it names so many there may be more.
const MOST_NAMED: usize = 100;

/// How many items a test crawl reads.
const A_FEW: usize = 5;

/// What steps need to know beside the answer.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The workspace.
    pub workspace: NotionId,
    /// The settings.
    pub settings: &'a CrawlConfig,
    /// When the answer was asked for.
    pub asked: Timestamp,
    /// Further hosts of files that count as Notion's.
    pub hosts: &'a [String],
}

/// What a request returned.
#[derive(Debug)]
pub enum Outcome {
    /// A page of the list of people, or one of them.
    People(Vec<MetUser>, Option<String>),
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
        form: AnswerForm,
        /// The text.
        markdown: String,
        /// Whether something is left out.
        truncated: bool,
        /// Blocks whose content is to be asked for by themselves.
        unknown: Vec<NotionId>,
    },
    /// A list of blocks of a body.
    Blocks {
        /// The list as it was answered, as a JSON array.
        blocks: String,
        /// The ids of its blocks.
        ids: Vec<NotionId>,
        /// Where more of the page is to be read.
        containers: Vec<Container>,
        /// Where the list goes on.
        next_cursor: Option<String>,
        /// Whether one of them lies in the trash, alone or with the page.
        trashed: bool,
    },
    /// A list of something else that belongs to a page.
    Part {
        /// What it is a list of.
        form: AnswerForm,
        /// The list as it was answered.
        text: String,
        /// Where it goes on.
        next_cursor: Option<String>,
    },
    /// Where a block stands.
    BlockParent(Parent),
    /// How many rows a data source has, if Notion tells.
    RowCount(Option<u64>),
    /// The files that a page shows at some place, with fresh addresses.
    Files(Vec<FileRef>),
}

/// A block whose children belong to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Container {
    /// The block.
    pub block: NotionId,
    /// The block whose children they are, where that is another one: the original of a synced copy.
    pub original: Option<NotionId>,
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
    /// People, or their names.
    People(Vec<MetUser>, Option<String>),
    /// Objects, and what follows from them.
    Discovery(Box<Discovery>, Option<String>),
    /// An answer towards a page, and what is still missing of it.
    Part(PartAnswer),
    /// The answer does not lead to the end: other requests do.
    Instead(Vec<NewTask>),
    /// The page that holds the block which `object` names as its parent.
    Home {
        /// The object.
        object: NotionId,
        /// Its page, or database.
        home: NotionId,
    },
    /// How many rows there are where not all could be listed.
    RowCount(Option<u64>),
    /// One more step up towards that page, or nothing to do.
    Done(Vec<NewTask>),
}

/// What an answer changes.
pub fn step(task: &Task, outcome: Outcome, context: Context<'_>) -> Transition {
    let part = |form, text, next_cursor, further| {
        let asked = context.asked;
        Transition::Part(PartAnswer { form: Some(form), failed: false, text, next_cursor, further, asked })
    };
    match outcome {
        Outcome::People(people, next_cursor) => Transition::People(people, next_cursor),
        Outcome::Listing { objects, malformed, next_cursor, cut } => {
            let listing = Listing { cut: cut && next_cursor.is_none(), last: next_cursor.is_none() };
            let rows = rows_of(&objects);
            let mut discovery = Discovery { malformed, ..discover(objects, context) };
            if task.kind == TaskKind::QueryDataSource {
                continue_query(&mut discovery, task, &rows, listing, context.settings);
                return Transition::Discovery(Box::new(discovery), next_cursor);
            }
            let sweep =
                Sweep::of(task.detail.as_deref()).after(rows.len(), rows.last().map(|last| last.edited));
            if sweep.trash {
                discovery = Discovery { doubted: trashed(&discovery), ..Discovery::default() };
            }
            if sweep.few {
                discovery = Discovery { listed: a_few(discovery.listed), ..Discovery::default() };
            }
            if sweep.is_over() {
                return Transition::Discovery(Box::new(discovery), None);
            }
            if let Some(on) = sweep.if_new().filter(|_| !discovery.listed.is_empty()) {
                discovery.if_new = vec![NewTask::new(TaskKind::Search).with_detail(on.to_detail())];
                return Transition::Discovery(Box::new(discovery), None);
            }
            discovery.progress = (!listing.last).then(|| sweep.to_detail());
            if listing.cut {
                continue_search(&mut discovery, sweep.rest());
            } else if listing.last {
                continue_search(&mut discovery, sweep.at_end());
            }
            Transition::Discovery(Box::new(discovery), next_cursor)
        }
        Outcome::Object(object) => Transition::Discovery(Box::new(discover(vec![object], context)), None),
        Outcome::Markdown { form, markdown, truncated, unknown } => {
            match missing(task, form, &markdown, truncated, unknown) {
                Some(further) => part(form, markdown, None, further),
                None => Transition::Instead(by_blocks(task)),
            }
        }
        Outcome::Blocks { blocks, ids, containers, next_cursor, trashed: _ } => {
            let further = below(task, &ids, &containers, context.settings.comments);
            part(AnswerForm::Blocks, blocks, next_cursor, further)
        }
        Outcome::RowCount(total) => Transition::RowCount(total),
        Outcome::Files(files) => Transition::Instead(files::read_again(task, &files, context.hosts)),
        Outcome::Part { form, text, next_cursor } => part(form, text, next_cursor, Vec::new()),
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

/// How an answer of a listing ends.
#[derive(Clone, Copy)]
struct Listing {
    /// Whether the listing ends with it.
    last: bool,
    /// Whether it ends although there is more.
    cut: bool,
}

/// What follows on a search that does not go on.
pub(super) fn cut_search(task: &Task) -> Discovery {
    let mut discovery = Discovery::default();
    continue_search(&mut discovery, Sweep::of(task.detail.as_deref()).rest());
    discovery
}

fn continue_search(discovery: &mut Discovery, rest: sweep::Rest) {
    discovery.gap = rest.gap;
    discovery.cut = rest.unreachable && rest.gap.is_none();
    let search = |sweep: Sweep| NewTask::new(TaskKind::Search).with_detail(sweep.to_detail());
    discovery.further.extend(rest.ask.map(search));
}

/// A handful of items, those with a body first: they take all that reading takes.
fn a_few(mut listed: Vec<Listed>) -> Vec<Listed> {
    listed.sort_by_key(|item| !matches!(item.kind, ItemKind::Page | ItemKind::Row));
    listed.truncate(A_FEW);
    listed
}

/// What a listing says is in the trash. Such a listing follows with delay, so it only raises the question
/// (developers.notion.com "search-optimizations-and-limitations").
fn trashed(discovery: &Discovery) -> Vec<NotionId> {
    discovery.gone.iter().filter(|(_, proof)| *proof == Proof::Trashed).map(|(object, _)| *object).collect()
}

/// What a query of a data source is followed by.
fn continue_query(
    discovery: &mut Discovery,
    task: &Task,
    rows: &[ListedRow],
    listing: Listing,
    settings: &CrawlConfig,
) {
    let Some(data_source) = task.target else { return };
    let query =
        |window: &Window| NewTask::on(TaskKind::QueryDataSource, data_source).with_detail(window.to_detail());
    if settings.archived && task.detail.is_none() && task.cursor.is_none() {
        discovery.further.push(query(&Window::ARCHIVED));
    }
    let window = Window::of(task.detail.as_deref()).after(rows);
    if !listing.last {
        discovery.progress = window.progress();
    }
    if !listing.cut {
        return;
    }
    match rows.last().map(|last| window.rest(last)) {
        Some(Rest::Ask(windows)) => discovery.further.extend(windows.iter().map(query)),
        Some(Rest::Nothing) => {}
        Some(Rest::Unreachable) => discovery.named.push((data_source, TaskKind::CountRows, true)),
        None => discovery.cut = true,
    }
}

fn rows_of(objects: &[Object]) -> Vec<ListedRow> {
    let row = |object: &Object| match &object.value {
        SearchResult::Page(page) => Some(ListedRow {
            id: NotionId(page.id),
            created: page.created_time?,
            edited: page.last_edited_time?,
            title: page.title().unwrap_or_default(),
        }),
        SearchResult::DataSource(found) => Some(ListedRow {
            id: NotionId(found.id),
            created: found.created_time?,
            edited: found.last_edited_time?,
            title: found.title_text(),
        }),
        SearchResult::Database(_) | SearchResult::Unknown(_) => None,
    };
    objects.iter().filter_map(row).collect()
}

/// The whole of what a task asks for, by blocks.
fn by_blocks(task: &Task) -> Vec<NewTask> {
    let children = |(page, target)| NewTask::for_page(TaskKind::ReadChildren, page, target);
    task.page.zip(task.target).map(children).into_iter().collect()
}

/// Requests for what belongs to the page below a list of blocks.
fn below(task: &Task, ids: &[NotionId], containers: &[Container], comments: CommentsChoice) -> Vec<NewTask> {
    let Some(page) = task.page else { return Vec::new() };
    let children = containers.iter().filter(|container| container.block != page).map(|container| {
        let children = NewTask::for_page(TaskKind::ReadChildren, page, container.block);
        match container.original {
            Some(original) => children.with_detail(original.to_string()),
            None => children,
        }
    });
    let on_blocks = if comments == CommentsChoice::Blocks { ids } else { &[] };
    let comments = on_blocks.iter().map(|block| NewTask::for_page(TaskKind::ReadComments, page, *block));
    children.chain(comments).collect()
}

/// Requests for what a markdown answer leaves out; none when only blocks lead to all of it.
///
/// The first dialect has no form for some types and writes `<unknown>` in their place; of others the API has no content at
/// all (developers.notion.com "working-with-markdown-content").
fn missing(
    task: &Task,
    form: AnswerForm,
    markdown: &str,
    truncated: bool,
    unknown: Vec<NotionId>,
) -> Option<Vec<NewTask>> {
    let Some(page) = task.page else { return Some(Vec::new()) };
    if unknown.len() >= MOST_NAMED {
        return None;
    }
    let itself = |block: &NotionId| *block != page && Some(*block) != task.target;
    let body = match form {
        AnswerForm::MarkdownV1 => Body::MarkdownV1(markdown.to_owned()),
        AnswerForm::MarkdownV2 => Body::MarkdownV2(markdown.to_owned()),
        AnswerForm::Blocks | AnswerForm::PropertyItems | AnswerForm::Comments => Body::None,
    };
    let withheld = if may_withhold(markdown) { withheld_blocks(&body.into()) } else { Vec::new() };
    // A block may be named and have a tag; the tag says more.
    let mut named: BTreeSet<NotionId> = unknown.into_iter().filter(itself).collect();
    let mut parts: BTreeMap<NotionId, TaskKind> = BTreeMap::new();
    let mut has_empty = false;
    for block in withheld {
        let Some(target) = block.id.filter(itself) else { continue };
        let kind = match block.kind.as_str() {
            // Notion's AI block is `unsupported`, and was recorded with children.
            "bookmark" | "embed" | "link_preview" | "template" | "ai_block" => TaskKind::ReadBlock,
            "tab" => TaskKind::ReadChildren,
            "folder" => TaskKind::ReadPart,
            "form" | "button" | "drive" | "breadcrumb" => {
                has_empty |= named.remove(&target);
                continue;
            }
            // Cut, and perhaps not named: the tag is all that tells.
            _ if truncated => TaskKind::ReadPart,
            _ => continue,
        };
        named.remove(&target);
        parts.entry(target).or_insert(kind);
    }
    parts.extend(named.into_iter().map(|target| (target, TaskKind::ReadPart)));
    let leads_on = parts.len() <= MAX_WITHHELD && !(truncated && parts.is_empty() && !has_empty);
    let task = |(target, kind)| NewTask::for_page(kind, page, target);
    leads_on.then(|| parts.into_iter().map(task).collect())
}

/// Parsing a body twice costs time: most hold nothing of the kind.
fn may_withhold(markdown: &str) -> bool {
    markdown.contains("<unknown") || markdown.contains("<folder")
}

fn discover(objects: Vec<Object>, context: Context<'_>) -> Discovery {
    let mut discovery = Discovery::default();
    for Object { value, source } in objects {
        match value {
            SearchResult::Page(page) => discover_page(&mut discovery, &page, source, context),
            SearchResult::DataSource(data_source) => {
                discover_data_source(&mut discovery, &data_source, source, context);
            }
            SearchResult::Database(database) => {
                discover_database(&mut discovery, &database, source, context.workspace);
            }
            SearchResult::Unknown(raw) => discovery.unknown.push(kind_of(&raw)),
        }
    }
    discovery
}

/// What an object calls itself.
fn kind_of(raw: &Value) -> String {
    raw.get("object").and_then(Value::as_str).filter(|kind| !kind.is_empty()).unwrap_or("nameless").to_owned()
}

fn discover_page(discovery: &mut Discovery, page: &Page, source: String, context: Context<'_>) {
    let id = NotionId(page.id);
    if page.in_trash {
        discovery.gone.push((id, Proof::Trashed));
    } else if page.is_full {
        let parent = parent_of(page.parent.as_ref());
        let kind = if matches!(parent, Parent::DataSource(_)) { ItemKind::Row } else { ItemKind::Page };
        let title = page.title().unwrap_or_default();
        let edited = page.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH);
        let key = ItemKey::new(context.workspace, kind, id);
        let cut_properties = cut_properties(page);
        let listed = Listed { key, kind, id, title, parent, edited, source, cut_properties };
        if page.is_archived && !context.settings.archived {
            discovery.archived.push(listed);
        } else {
            discovery.listed.push(listed);
        }
    }
}

fn discover_data_source(discovery: &mut Discovery, found: &DataSource, source: String, context: Context<'_>) {
    let id = NotionId(found.id);
    // A search returns data sources that lie in the trash too.
    if found.in_trash {
        discovery.gone.push((id, Proof::Trashed));
        return;
    }
    let database = found.database_id().map(NotionId);
    let parent = database.map_or_else(|| parent_of(found.parent.as_ref()), Parent::Database);
    let key = ItemKey::new(context.workspace, ItemKind::DataSource, id);
    let edited = found.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH);
    let title = found.title_text();
    let (kind, cut_properties) = (ItemKind::DataSource, Vec::new());
    let listed = Listed { key, kind, id, title, parent, edited, source, cut_properties };
    if found.is_archived && !context.settings.archived {
        discovery.archived.push(listed);
        return;
    }
    discovery.listed.push(listed);
    // Its database is asked for by the store, which knows whether that is needed.
    discovery.named.push((id, TaskKind::QueryDataSource, true));
}

fn discover_database(discovery: &mut Discovery, found: &Database, source: String, workspace: NotionId) {
    let id = NotionId(found.id);
    if found.in_trash {
        discovery.gone.push((id, Proof::Trashed));
        return;
    }
    // A linked view has no data sources: its rows live in the original, which is listed by itself. What is held is none: the
    // last of its data sources lies in the trash.
    if found.data_sources.is_empty() {
        discovery.gone.push((id, Proof::Trashed));
        return;
    }
    let parent = parent_of(found.parent.as_ref());
    let key = ItemKey::new(workspace, ItemKind::Database, id);
    let edited = found.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH);
    let title = found.title_text();
    let (kind, cut_properties) = (ItemKind::Database, Vec::new());
    discovery.listed.push(Listed { key, kind, id, title, parent, edited, source, cut_properties });
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
            detail: None,
            alone: true,
            cursor: None,
            attempts: 0,
            restarts: 0,
            target_kind: None,
            urgent: false,
        }
    }

    fn object(json: &Value) -> Object {
        Object { value: serde_json::from_value(json.clone()).unwrap(), source: json.to_string() }
    }

    fn discovered(json: &Value) -> Discovery {
        discover(vec![object(json)], context(&CrawlConfig::default()))
    }

    fn tag(block: u128, kind: &str) -> String {
        let url = format!("https://app.notion.com/p/{}#{}", id(1).0.simple(), id(block).0.simple());
        format!("<unknown url=\"{url}\" alt=\"{kind}\"/>\n")
    }

    fn context(settings: &CrawlConfig) -> Context<'_> {
        Context { workspace: id(0xA), settings, asked: Timestamp::UNIX_EPOCH, hosts: &[] }
    }

    /// What follows from a markdown answer for page 1.
    fn read(markdown: String, truncated: bool, unknown: Vec<NotionId>) -> Transition {
        let outcome = Outcome::Markdown { form: AnswerForm::MarkdownV1, markdown, truncated, unknown };
        step(&read_body(id(1)), outcome, context(&CrawlConfig::default()))
    }

    #[test]
    fn an_answer_that_does_not_name_all_it_leaves_out_is_read_by_blocks() {
        let whole = vec![NewTask::for_page(TaskKind::ReadChildren, id(1), id(1))];
        let by_blocks = |transition| matches!(transition, Transition::Instead(tasks) if tasks == whole);
        assert!(by_blocks(read("a part".to_owned(), true, Vec::new())), "nothing is named");
        let hundred = (2..102).map(id).collect();
        assert!(by_blocks(read(String::new(), true, hundred)), "so many that there may be more");
        let tags = (2..150).map(|block| tag(block, "bookmark")).collect();
        assert!(by_blocks(read(tags, false, Vec::new())), "a list of blocks costs less");
        let Transition::Part(answer) = read(tag(7, "unknown"), true, Vec::new()) else { panic!("a part") };
        assert_eq!(answer.further, [NewTask::for_page(TaskKind::ReadPart, id(1), id(7))], "its tag tells");
    }

    #[test]
    fn a_query_that_is_cut_goes_on_where_it_ended_and_archived_rows_are_asked_for_apart() {
        let row = |number: u128, created: &str| {
            object(&serde_json::json!({
                "object": "page", "id": id(number), "parent": {"type": "data_source_id", "data_source_id": id(9)},
                "created_time": created, "last_edited_time": created, "properties": {},
            }))
        };
        let query =
            Task { kind: TaskKind::QueryDataSource, target: Some(id(9)), page: None, ..read_body(id(1)) };
        let settings = CrawlConfig { archived: true, ..CrawlConfig::default() };
        let rows = vec![row(1, "2026-05-01T10:00:00.000Z"), row(2, "2026-05-01T10:01:00.000Z")];
        let outcome = Outcome::Listing { objects: rows, malformed: 0, next_cursor: None, cut: true };
        let Transition::Discovery(discovery, None) = step(&query, outcome, context(&settings)) else {
            panic!("a listing");
        };
        let details: Vec<&str> = discovery.further.iter().filter_map(|task| task.detail.as_deref()).collect();
        assert_eq!(details.len(), 2);
        assert!(details[0].contains("archived") && details[1].contains("2026-05-01T10:01"), "{details:?}");
        assert!(!discovery.cut && discovery.named.iter().all(|named| named.1 != TaskKind::CountRows));
    }

    #[test]
    fn an_unknown_kind_of_object_is_counted() {
        let found = discovered(&serde_json::json!({"object": "folder", "id": id(3)}));
        assert_eq!((found.listed.len(), found.unknown), (0, vec!["folder".to_owned()]));
    }

    #[test]
    fn what_markdown_withholds_is_asked_for_by_its_block_once_and_if_it_can_be_had() {
        let page = id(1);
        let markdown = ["bookmark", "embed", "form", "tab", "child_page"]
            .iter()
            .zip(2..)
            .map(|(kind, block)| tag(block, kind))
            .collect();
        let Transition::Part(PartAnswer { further, .. }) = read(markdown, true, vec![id(3), id(6), page])
        else {
            panic!("a body");
        };
        let asked: Vec<(TaskKind, Option<NotionId>)> =
            further.iter().map(|task| (task.kind, task.target)).collect();
        assert_eq!(
            asked,
            [
                (TaskKind::ReadBlock, Some(id(2))),
                (TaskKind::ReadBlock, Some(id(3))),
                (TaskKind::ReadChildren, Some(id(5))),
                (TaskKind::ReadPart, Some(id(6))),
            ]
        );
    }

    #[test]
    fn trashed_and_archived_pages_are_gone_and_partial_ones_are_nothing() {
        let page = |more: Value| {
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
        assert_eq!((archived.listed.len(), archived.gone.len(), archived.archived.len()), (0, 0, 1));
        assert_eq!(
            archived.archived[0].parent,
            Parent::Workspace,
            "what lies below it is judged by its place"
        );
        let partial = discovered(&serde_json::json!({"object": "page", "id": id(1)}));
        assert!(partial.listed.is_empty() && partial.gone.is_empty());
    }

    #[test]
    fn a_data_source_is_queried_at_once_and_a_linked_view_is_nothing() {
        let data_source = serde_json::json!({
            "object": "data_source", "id": id(1), "title": [], "properties": {},
            "parent": {"type": "database_id", "database_id": id(2)},
        });
        let found = discovered(&data_source);
        assert_eq!(found.named, [(id(1), TaskKind::QueryDataSource, true)]);
        assert_eq!(found.listed[0].parent, Parent::Database(id(2)));
        let database = |data_sources: Value| {
            serde_json::json!({
                "object": "database", "id": id(2), "title": [], "data_sources": data_sources,
                "parent": {"type": "page_id", "page_id": id(3)},
            })
        };
        let view = discovered(&database(serde_json::json!([])));
        assert!(view.listed.is_empty() && view.named.is_empty());
        assert_eq!(view.gone, [(id(2), Proof::Trashed)], "a database that is held and has no table any more");
        let original = discovered(&database(serde_json::json!([{"id": id(1), "name": "Rows"}])));
        assert_eq!(original.listed[0].parent, Parent::Page(id(3)));
        assert_eq!(original.named, [(id(1), TaskKind::ReadDataSource, false)]);
    }

    #[test]
    fn a_step_up_from_a_block_ends_at_a_page() {
        let climb = Task { kind: TaskKind::ResolveParent, target: Some(id(7)), ..read_body(id(1)) };
        let home = step(&climb, Outcome::BlockParent(Parent::Page(id(9))), context(&CrawlConfig::default()));
        assert!(matches!(home, Transition::Home { object, home } if (object, home) == (id(1), id(9))));
        let further =
            step(&climb, Outcome::BlockParent(Parent::Block(id(8))), context(&CrawlConfig::default()));
        let expected = NewTask::for_page(TaskKind::ResolveParent, id(1), id(8));
        assert!(matches!(further, Transition::Done(tasks) if tasks == [expected]));
    }
}
