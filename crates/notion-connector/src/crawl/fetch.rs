//! From a task to its request and back: the only file of this room that knows endpoints.

use bytes::Bytes;
use notion_api::endpoints::{MarkdownOptions, MarkdownVersion, Paging};
use notion_api::wire::{
    Block, BlockKind, Continuation, Kept, List, PropertyItemAnswer, SearchResult, User, UserKind,
};
use notion_api::{Client, Error};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::files::file_task;
use super::step::{Container, Object, Outcome, parent_of};
use super::sweep::Sweep;
use super::windows::Window;
use crate::config::BodyChoice;
use crate::model::{FilePlace, ItemKind, NotionId};
use crate::render::markdown::{Dialect, guess_dialect};
use crate::render::{self, BlockNode, Body, PageBody};
use crate::store::{AnswerForm, MetUser, Task, TaskKind};

/// Sends the task's request.
pub(super) async fn fetch(client: &Client, task: &Task, body: BodyChoice) -> Result<Outcome, Error> {
    let target = task.target.map(|id| id.0).unwrap_or_default();
    let paging = Paging::at(task.cursor.as_deref());
    match task.kind {
        TaskKind::ListUsers => {
            let users = client.fetch_users(&paging).await?.value;
            Ok(Outcome::People(users.values().map(met).collect(), next_cursor(&users).0))
        }
        TaskKind::ReadUser => Ok(Outcome::People(vec![met(&client.fetch_user(target).await?.value)], None)),
        TaskKind::Search => {
            let request = Sweep::of(task.detail.as_deref()).request(paging);
            Ok(listing(client.fetch_search(&request).await?.value))
        }
        TaskKind::QueryDataSource => {
            let request = Window::of(task.detail.as_deref()).request(paging);
            Ok(listing(client.fetch_data_source_query(target, &request).await?.value))
        }
        TaskKind::ReadPage => page(client, target).await,
        TaskKind::ReadDatabase => database(client, target).await,
        TaskKind::ReadDataSource => data_source(client, target).await,
        TaskKind::Verify => match task.target_kind {
            Some(ItemKind::Database) => database(client, target).await,
            Some(ItemKind::DataSource) => data_source(client, target).await,
            // Files stand in no listing: nobody asks for one by itself.
            Some(ItemKind::Page | ItemKind::Row | ItemKind::File) | None => page(client, target).await,
        },
        TaskKind::ResolveParent => {
            let block = client.fetch_block(target).await?.value;
            Ok(Outcome::BlockParent(parent_of(block.parent.as_ref())))
        }
        TaskKind::ReadBody | TaskKind::ReadPart => match body {
            BodyChoice::Auto => markdown(client, target, None).await,
            BodyChoice::V1 => markdown(client, target, Some(MarkdownVersion::V1)).await,
            BodyChoice::V2 => markdown(client, target, Some(MarkdownVersion::V2)).await,
            BodyChoice::Blocks => children(client, target, &paging).await,
        },
        TaskKind::ReadBlock => block(client, target, task.cursor.as_deref()).await,
        TaskKind::ReadChildren => {
            let original = task.detail.as_deref().and_then(|original| Uuid::try_parse(original).ok());
            children(client, original.unwrap_or(target), &paging).await
        }
        TaskKind::CountRows => count_rows(client, target).await,
        TaskKind::ReadProperty => {
            property(client, target, task.detail.as_deref().unwrap_or_default(), &paging).await
        }
        TaskKind::RefreshFile => files(client, task, body).await,
        // Its bytes are not Notion's API's to give.
        TaskKind::ReadFile => Ok(Outcome::Files(Vec::new())),
        TaskKind::ReadComments => {
            let answer = client.fetch_comments(target, &paging).await?;
            let (next_cursor, _) = next_cursor(&answer.value);
            Ok(Outcome::Part { form: AnswerForm::Comments, text: utf8(&answer.raw), next_cursor })
        }
    }
}

fn met(user: &User) -> MetUser {
    let (email, email_verified) = match &user.kind {
        UserKind::Person { email, email_verified } => (email.clone(), *email_verified),
        UserKind::Bot(_) | UserKind::Group | UserKind::Partial | UserKind::Unknown { .. } => (None, None),
    };
    // A kind that nobody knows yet is no person either; whoever is told of by id alone may be one.
    let is_bot = matches!(user.kind, UserKind::Bot(_) | UserKind::Group | UserKind::Unknown { .. });
    MetUser { id: NotionId(user.id), name: user.name.clone(), email, email_verified, is_bot }
}

async fn property(client: &Client, page: Uuid, id: &str, paging: &Paging) -> Result<Outcome, Error> {
    let answer = client.fetch_property(page, id, paging).await?;
    let next_cursor = match &answer.value {
        PropertyItemAnswer::Single(_) => None,
        PropertyItemAnswer::List(list) => next_cursor(&list.list).0,
    };
    Ok(Outcome::Part { form: AnswerForm::PropertyItems, text: utf8(&answer.raw), next_cursor })
}

/// The files where a page shows the one whose address is too old, with fresh addresses.
async fn files(client: &Client, task: &Task, body: BodyChoice) -> Result<Outcome, Error> {
    let Some(wanted) = file_task(task) else { return Ok(Outcome::Files(Vec::new())) };
    let found = match (wanted.place, wanted.block) {
        (FilePlace::Property, _) => {
            render::files_of(Some(&client.fetch_page(wanted.page.0).await?.value), &PageBody::default())
        }
        (FilePlace::Comment, about) => {
            let about = about.unwrap_or(wanted.page);
            let answer = client.fetch_comments(about.0, &Paging::default()).await?.value;
            let comments = answer.results.into_iter().map(|kept| kept.value).collect();
            render::files_of(None, &PageBody { comments, ..PageBody::default() })
        }
        (_, Some(block)) => {
            let block = client.fetch_block(block.0).await?.value;
            let nodes = vec![BlockNode { block, children: Vec::new() }];
            render::files_of(None, &Body::Blocks(nodes).into())
        }
        (_, None) => {
            let version = match body {
                BodyChoice::V1 => Some(MarkdownVersion::V1),
                BodyChoice::V2 => Some(MarkdownVersion::V2),
                BodyChoice::Auto | BodyChoice::Blocks => None,
            };
            let read = match markdown(client, wanted.page.0, version).await? {
                Outcome::Markdown { form: AnswerForm::MarkdownV1, markdown, .. } => {
                    Body::MarkdownV1(markdown)
                }
                Outcome::Markdown { markdown, .. } => Body::MarkdownV2(markdown),
                _ => Body::None,
            };
            render::files_of(None, &read.into())
        }
    };
    Ok(Outcome::Files(found))
}

async fn page(client: &Client, id: Uuid) -> Result<Outcome, Error> {
    let answer = client.fetch_page(id).await?;
    Ok(Outcome::Object(Object {
        value: SearchResult::Page(Box::new(answer.value)),
        source: utf8(&answer.raw),
    }))
}

async fn database(client: &Client, id: Uuid) -> Result<Outcome, Error> {
    let answer = client.fetch_database(id).await?;
    Ok(Outcome::Object(Object {
        value: SearchResult::Database(Box::new(answer.value)),
        source: utf8(&answer.raw),
    }))
}

async fn data_source(client: &Client, id: Uuid) -> Result<Outcome, Error> {
    let answer = client.fetch_data_source(id).await?;
    Ok(Outcome::Object(Object {
        value: SearchResult::DataSource(Box::new(answer.value)),
        source: utf8(&answer.raw),
    }))
}

fn listing(list: List<SearchResult>) -> Outcome {
    let (next_cursor, lost) = next_cursor(&list);
    let (malformed, cut) = (list.malformed.len() as u64, lost || list.is_incomplete());
    let objects = list.results.into_iter().map(|Kept { value, raw }| Object { value, source: text(raw) });
    Outcome::Listing { objects: objects.collect(), malformed, next_cursor, cut }
}

async fn markdown(client: &Client, id: Uuid, version: Option<MarkdownVersion>) -> Result<Outcome, Error> {
    let options = MarkdownOptions { include_transcript: true, version };
    let answer = client.fetch_markdown(id, options).await?.value;
    // Nothing in the answer names its dialect.
    let form = match version {
        Some(MarkdownVersion::V1) => AnswerForm::MarkdownV1,
        Some(MarkdownVersion::V2) => AnswerForm::MarkdownV2,
        None => match guess_dialect(&answer.markdown) {
            Dialect::V1 => AnswerForm::MarkdownV1,
            Dialect::V2 => AnswerForm::MarkdownV2,
        },
    };
    let unknown = answer.unknown_block_ids.into_iter().map(NotionId).collect();
    let truncated = answer.truncated;
    Ok(Outcome::Markdown { form, markdown: answer.markdown, truncated, unknown })
}

async fn children(client: &Client, id: Uuid, paging: &Paging) -> Result<Outcome, Error> {
    let list = client.fetch_block_children(id, paging).await?.value;
    let (next_cursor, _) = next_cursor(&list);
    let containers = list.values().flat_map(containers_of).collect();
    let is_content = |block: &&Block| !is_document(&block.kind);
    let ids = list.values().filter(is_content).map(|block| NotionId(block.id)).collect();
    let trashed = list.values().any(|block| block.in_trash);
    let blocks: Vec<&str> = list.results.iter().map(|kept| kept.raw.get()).collect();
    Ok(Outcome::Blocks { blocks: format!("[{}]", blocks.join(",")), ids, containers, next_cursor, trashed })
}

/// A view that hides nothing tells how many rows there are. A few are looked at: most data sources have one.
async fn count_rows(client: &Client, data_source: Uuid) -> Result<Outcome, Error> {
    const LOOKED_AT: usize = 5;
    let views = client.fetch_views(data_source, &Paging::default()).await?.value;
    for view in views.values().take(LOOKED_AT) {
        if client.fetch_view(view.id).await?.value.has_filter == Some(false) {
            return Ok(Outcome::RowCount(client.fetch_view_query(view.id).await?.value.total_count));
        }
    }
    Ok(Outcome::RowCount(None))
}

/// A block and, behind it, its children: a cursor of its own leads from the one to the others.
async fn block(client: &Client, id: Uuid, cursor: Option<&str>) -> Result<Outcome, Error> {
    const CHILDREN: &str = "children:";
    if let Some(cursor) = cursor.map(|cursor| cursor.trim_start_matches(CHILDREN)) {
        let paging = Paging::at(Some(cursor).filter(|cursor| !cursor.is_empty()));
        let mut outcome = children(client, id, &paging).await?;
        if let Outcome::Blocks { next_cursor: Some(next), .. } = &mut outcome {
            next.insert_str(0, CHILDREN);
        }
        return Ok(outcome);
    }
    let answer = client.fetch_block(id).await?;
    let has_more = answer.value.has_children && !is_document(&answer.value.kind);
    let blocks = format!("[{}]", utf8(&answer.raw));
    let next_cursor = has_more.then(|| CHILDREN.to_owned());
    let trashed = answer.value.in_trash;
    Ok(Outcome::Blocks { blocks, ids: Vec::new(), containers: Vec::new(), next_cursor, trashed })
}

/// Where a block's content goes on. Of a copy of a synced block that is its original, and of meeting notes the blocks that
/// they name (developers.notion.com "block").
fn containers_of(block: &Block) -> Vec<Container> {
    let own = |block: Uuid| Container { block: NotionId(block), original: None };
    match &block.kind {
        kind if is_document(kind) || block.in_trash => Vec::new(),
        BlockKind::SyncedBlock { synced_from: Some(original) } => {
            vec![Container { original: Some(NotionId(*original)), ..own(block.id) }]
        }
        BlockKind::MeetingNotes(notes) => {
            let sections: Vec<Container> =
                [notes.summary_block_id, notes.notes_block_id, notes.transcript_block_id]
                    .into_iter()
                    .flatten()
                    .map(own)
                    .collect();
            if sections.is_empty() { vec![own(block.id)] } else { sections }
        }
        _ if block.has_children => vec![own(block.id)],
        _ => Vec::new(),
    }
}

/// Whether what is below the block is content of another page.
fn is_document(kind: &BlockKind) -> bool {
    matches!(kind, BlockKind::ChildPage { .. } | BlockKind::ChildDatabase { .. })
}

/// Where the list goes on, and whether it has more without saying where.
fn next_cursor<T>(list: &List<T>) -> (Option<String>, bool) {
    match list.continuation() {
        Continuation::Next(cursor) => (Some(cursor.to_owned()), false),
        Continuation::End => (None, false),
        Continuation::Lost => (None, true),
    }
}

fn text(raw: Box<RawValue>) -> String {
    Box::<str>::from(raw).into_string()
}

fn utf8(raw: &Bytes) -> String {
    String::from_utf8_lossy(raw).into_owned()
}
