//! Nothing of a page is lost: what takes more than one request, and what Notion delivers differently than it says.

use std::collections::BTreeSet;
use std::time::Duration;

use notion_connector::config::{BodyChoice, CommentsChoice};
use notion_connector::model::{Caller, NotionId, PropertyValue};
use notion_connector::ops;
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::{Behavior, LinkedViews, MarkdownDefault, MentionCut, Options, SyncedCopies};
use serde_json::{Value, json};

use crate::support::{Line, generated};

const HOUR: Duration = Duration::from_secs(3_600);
const PROPERTIES: &str = "/v1/pages/{page_id}/properties/{property_id}";
const CHILDREN: &str = "/v1/blocks/{block_id}/children";
const MARKDOWN: &str = "/v1/pages/{page_id}/markdown";
const COMMENTS: &str = "/v1/comments";
const QUERY: &str = "/v1/data_sources/{data_source_id}/query";

async fn line(spec: &str, behavior: Behavior) -> Line {
    Line::in_process(generated(spec), Options { behavior, ..Options::default() }).await
}

fn paragraph(text: &str) -> Value {
    json!({"block": {"kind": "paragraph", "payload": {"rich_text": [{"text": {"content": text}}]}}})
}

/// A page at the top of the workspace with this body.
async fn with_page(title: &str, body: Vec<Value>) -> (Line, Value) {
    let line = line("pages=3,seed=1", Behavior::default()).await;
    let page = json!({"content": [{"page": {"title": title, "body": body}}]});
    let made = line.control("seed", page).await;
    line.control("share", json!({"id": made["ids"][0]})).await;
    (line, made["ids"][0].clone())
}

#[tokio::test(start_paused = true)]
async fn every_type_of_block_mention_and_property_is_found_by_every_way_of_reading() {
    for body in [BodyChoice::Auto, BodyChoice::V2, BodyChoice::Blocks] {
        let mut line = line("pages=80,seed=5,shape=varied", Behavior::default()).await;
        line.config.notion.body = body;
        line.crawl().await;
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_with_toggles_costs_one_request_by_markdown_and_one_a_hundred_children_by_blocks() {
    for (children, of_toggles) in [(2, 50), (150, 100)] {
        let spec = format!("shape=long,blocks=250,toggles=50,children={children}");
        let mut line = line(&spec, Behavior::default()).await;
        line.crawl().await;
        line.assert_holds_the_truth();
        let bill = line.bill();
        assert_eq!((bill.get(MARKDOWN), bill.get(CHILDREN)), (Some(&1), None), "{bill:?}");
        line.config.notion.body = BodyChoice::Blocks;
        line.try_crawl(Scope::ForceReindex).await.unwrap();
        line.assert_holds_the_truth();
        let bill = line.bill();
        assert_eq!((bill.get(MARKDOWN), bill.get(CHILDREN)), (None, Some(&(3 + of_toggles))), "{bill:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn results_of_a_body_read_by_blocks_open_at_the_block() {
    let heading = json!({"block": {"kind": "heading_2", "payload": {"rich_text": [{"text": {"content": "Chapter two"}}]}}});
    let body = vec![paragraph("the beginning"), heading, paragraph("mkanchor words of the chapter")];
    let (mut line, page) = with_page("Long read", body).await;
    line.crawl().await;
    let hit = line.search("mkanchor").hits.remove(0);
    assert!(hit.block_id.is_none() && !hit.url.contains('#'), "markdown tells no block: {}", hit.url);
    line.config.notion.body = BodyChoice::Blocks;
    line.try_crawl(Scope::ForceReindex).await.unwrap();
    let path = format!("/v1/blocks/{}/children", page.as_str().unwrap());
    let blocks = line.witness.take().into_iter().find(|exchange| exchange.path == path).unwrap().answer;
    let second: NotionId = blocks["results"][1]["id"].as_str().unwrap().parse().unwrap();
    let hit = line.search("mkanchor").hits.remove(0);
    assert_eq!(hit.block_id, Some(second), "the passage begins with its heading");
    assert!(hit.url.ends_with(&format!("#{}", second.0.simple())), "{}", hit.url);
}

#[tokio::test(start_paused = true)]
async fn relations_are_read_to_the_end_and_cost_their_pages_alone() {
    let line = line("shape=relations,count=1230", Behavior::default()).await;
    line.crawl().await;
    let bill = line.bill();
    assert_eq!(bill.get(PROPERTIES), Some(&13), "{bill:?}");
    let related = |value: &PropertyValue| match value {
        PropertyValue::Relations { ids, complete } => Some((ids.len(), *complete)),
        _ => None,
    };
    let lines = line.export();
    let long = lines
        .iter()
        .flat_map(|item| &item.properties)
        .find(|property| related(&property.value).is_some_and(|(count, _)| count > 0));
    let long = long.unwrap();
    assert_eq!(related(&long.value), Some((1230, true)));
    assert_eq!(long.text.split(", ").count(), 1230, "titles come from the inventory");
    line.crawl().await;
    assert_eq!(line.bill().get(PROPERTIES), None, "an unchanged page costs nothing");
}

#[tokio::test(start_paused = true)]
async fn new_signatures_of_files_are_no_change_and_cost_nothing() {
    let line = line("shape=catalogue", Behavior::default()).await;
    line.crawl().await;
    assert!(line.bill().get(PROPERTIES).is_some_and(|requests| *requests > 0));
    line.notion.advance(HOUR);
    let report = line.crawl().await;
    assert_eq!(report.crawl.updated, 0);
    assert_eq!(line.bill().get(PROPERTIES), None, "rows with files and long properties did not change");
}

#[tokio::test(start_paused = true)]
async fn people_and_mentions_beyond_the_twenty_fifth_are_read() {
    for mention_cut in [MentionCut::Bare, MentionCut::Cut, MentionCut::None] {
        let line = line("pages=3,seed=1", Behavior { mention_cut, ..Behavior::default() }).await;
        let mut people = Vec::new();
        for number in 0..40 {
            let person =
                json!({"name": format!("Person {number:02}"), "email": format!("p{number}@example.com")});
            people.push(line.control("person", person).await["id"].clone());
        }
        let mentions: Vec<Value> = people
            .iter()
            .map(|id| json!({"type": "mention", "mention": {"type": "user", "user": {"object": "user", "id": id}}}))
            .collect();
        let users: Vec<Value> = people.iter().map(|id| json!({"object": "user", "id": id})).collect();
        let database = json!({"title": "Teams", "data_sources": [{
            "title": "Teams",
            "schema": {"Name": {"type": "title"}, "Members": {"type": "people"}, "Notes": {"type": "rich_text"}},
            "rows": [{"title": "Everybody", "properties": {
                "Members": users, "Notes": mentions}}],
        }]});
        let made = line.control("seed", json!({"content": [{"database": database}]})).await;
        line.control("share", json!({"id": made["ids"][0]})).await;
        line.crawl().await;
        let row = line.item("Everybody");
        for name in ["Members", "Notes"] {
            let text = &row.properties.iter().find(|property| property.name == name).unwrap().text;
            let missing: Vec<String> = (0..40)
                .map(|number| format!("Person {number:02}"))
                .filter(|person| !text.contains(person))
                .collect();
            assert!(missing.is_empty(), "{mention_cut:?}: {name} lacks {missing:?}");
        }
        assert_eq!(line.bill().get(PROPERTIES), Some(&2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_levels_are_read_by_markdown_and_by_blocks() {
    for body in [BodyChoice::Auto, BodyChoice::V2, BodyChoice::Blocks] {
        let mut line = line("shape=nested,depth=1000", Behavior::default()).await;
        line.config.notion.body = body;
        line.crawl().await;
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn synced_blocks_in_circles_end_and_lose_nothing() {
    for synced_copies in [SyncedCopies::Original, SyncedCopies::Empty, SyncedCopies::NotFound] {
        let mut line = line("shape=synced", Behavior { synced_copies, ..Behavior::default() }).await;
        line.config.notion.body = BodyChoice::Blocks;
        line.crawl().await;
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_of_five_megabytes_is_indexed() {
    let line = line("shape=text,bytes=5000000", Behavior::default()).await;
    line.crawl().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn a_giant_that_markdown_cuts_is_read_whole() {
    for markdown_max_unknown_ids in [0, 5, 100] {
        let behavior = Behavior { markdown_max_blocks: 200, markdown_max_unknown_ids, ..Behavior::default() };
        let line = line("shape=long,blocks=700,toggles=20,children=30", behavior).await;
        line.crawl().await;
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn blocks_that_markdown_has_no_form_for_are_read_whether_they_are_named_or_not() {
    for body in [BodyChoice::Auto, BodyChoice::V2] {
        let behavior = Behavior { markdown_lists_unsupported: true, ..Behavior::default() };
        let mut line = line("pages=40,seed=5,shape=varied,depth=4", behavior).await;
        line.config.notion.body = body;
        line.crawl().await;
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn rows_beyond_what_a_query_lists_are_listed_by_windows() {
    let behavior = Behavior { max_query_rows: 100, search_omits_inherited: true, ..Behavior::default() };
    for per_minute in [1, 30, 150] {
        let line =
            line(&format!("pages=600,seed=3,shape=database,per_minute={per_minute}"), behavior.clone()).await;
        line.crawl().await;
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_no_query_lists_are_an_error_that_says_so_and_delete_nothing() {
    let behavior = Behavior { max_query_rows: 100, search_omits_inherited: true, ..Behavior::default() };
    let line = line("pages=3,seed=3", behavior).await;
    let rows: Vec<Value> = (0..450).map(|number| json!({"title": format!("Row {number:03}")})).collect();
    let schema = json!({"Name": {"type": "title"}});
    let database =
        json!({"title": "Import", "data_sources": [{"title": "Import", "schema": schema, "rows": rows}]});
    let made = line.control("seed", json!({"content": [{"database": database}]})).await;
    line.control("share", json!({"id": made["ids"][0]})).await;
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    let alerts = line.alerts(&report);
    // 100 from either end.
    assert!(alerts.iter().any(|alert| alert.contains("250 of 450 rows could not be listed")), "{alerts:?}");
    assert_eq!(line.export().iter().filter(|item| item.title.starts_with("Row ")).count(), 200);
    line.control(
        "faults",
        json!({"failure": {"kind": "refused", "code": "object_not_found"}, "path_prefix": "/v1/views"}),
    )
    .await;
    let report = line.try_crawl(Scope::Full).await.unwrap();
    let alerts = line.alerts(&report);
    assert!(alerts.iter().any(|alert| alert.contains("an unknown number of rows")), "{alerts:?}");
    assert_eq!(report.crawl.deleted, 0);
}

#[tokio::test(start_paused = true)]
async fn archived_rows_are_indexed_when_they_are_wanted() {
    let mut line = line("pages=60,seed=4,shape=database", Behavior::default()).await;
    let rows: Vec<_> = line.truth().into_values().filter(|fact| fact.kind == "row").take(7).collect();
    for row in &rows {
        line.notion.set_archived(row.id, true).unwrap();
    }
    line.crawl().await;
    line.assert_holds_the_truth();
    let without = line.export().len();
    assert_eq!(line.bill().get(QUERY), Some(&1));
    line.config.crawl.archived = true;
    line.crawl().await;
    assert_eq!(line.export().len(), without + rows.len());
    assert_eq!(line.bill().get(QUERY), Some(&2), "one more for the data source");
}

#[tokio::test(start_paused = true)]
async fn comments_are_found_with_their_page_when_they_are_wanted() {
    let (mut line, page) = with_page("Discussed", vec![paragraph("a block"), paragraph("another")]).await;
    line.control("comment", json!({"id": page, "text": "mkpagecomment should we ship it?"})).await;
    let path = format!("/v1/blocks/{}/children", page.as_str().unwrap());
    line.crawl().await;
    assert_eq!((line.search("mkpagecomment").total, line.bill().get(COMMENTS)), (0, None));
    let pages = line.export().iter().filter(|item| ["page", "row"].contains(&item.kind.as_str())).count();

    line.config.crawl.comments = CommentsChoice::Pages;
    line.notion.advance(HOUR);
    line.crawl().await;
    assert_eq!(line.bill().get(COMMENTS), Some(&pages), "one request a page");
    assert_eq!(line.search("mkpagecomment").hits[0].title, "Discussed");
    line.notion.advance(HOUR);
    line.control("comment", json!({"id": page, "text": "mksecond yes, on Monday"})).await;
    line.crawl().await;
    assert_eq!(line.search("mksecond").total, 1, "a comment is found though its page did not change");
    assert_eq!(line.bill().get(MARKDOWN), None, "and its page was not read again");

    line.config.notion.body = BodyChoice::Blocks;
    line.config.crawl.comments = CommentsChoice::Blocks;
    line.try_crawl(Scope::ForceReindex).await.unwrap();
    let blocks = line.witness.take().into_iter().find(|exchange| exchange.path == path).unwrap().answer;
    line.control("comment", json!({"id": blocks["results"][1]["id"], "text": "mkinline a typo here"})).await;
    line.try_crawl(Scope::ForceReindex).await.unwrap();
    assert_eq!(line.search("mkinline").hits[0].title, "Discussed");
}

#[tokio::test(start_paused = true)]
async fn comments_that_may_not_be_read_are_asked_for_once_and_cost_no_page() {
    let mut line = line("pages=40,seed=6", Behavior::default()).await;
    line.control("token", json!({"capabilities": {"read_comments": false}})).await;
    line.config.crawl.comments = CommentsChoice::Pages;
    line.config.notion.concurrency = 1;
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    assert!(line.alerts(&report).iter().any(|alert| alert.contains("Read comments")));
    assert_eq!(line.bill().get(COMMENTS), Some(&1));
    line.assert_holds_the_truth();
    line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(line.bill().get(MARKDOWN), None, "pages are not read again for that");
}

#[tokio::test(start_paused = true)]
async fn linked_views_cost_nothing_and_double_nothing_in_whatever_words_they_are_refused() {
    let views =
        [LinkedViews::Empty, LinkedViews::Refused, LinkedViews::WithoutDataSources, LinkedViews::NotFound];
    for linked_views in views {
        let line =
            line("pages=30,seed=8,shape=database", Behavior { linked_views, ..Behavior::default() }).await;
        let view = json!({"database": {"title": "Untitled", "data_sources": []}});
        let page = json!({"content": [{"page": {"title": "Dashboard", "body": [view]}}]});
        let made = line.control("seed", page).await;
        line.control("share", json!({"id": made["ids"][0]})).await;
        line.crawl().await;
        let ids: BTreeSet<_> = line.export().iter().map(|item| item.id).collect();
        assert_eq!(ids.len(), line.export().len(), "{linked_views:?}");
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn a_wiki_gives_its_pages_and_the_databases_among_them() {
    let line = line("pages=3,seed=1", Behavior::default()).await;
    let wiki = json!({"database": {"title": "Handbook", "is_wiki": true, "data_sources": [{
        "title": "Handbook",
        "schema": {"Page": {"type": "title"}},
        "rows": [{"title": "Welcome", "body": [paragraph("mkwelcome to all")]}],
        "databases": [{"title": "Vendors", "data_sources": [{
            "title": "Vendors", "schema": {"Name": {"type": "title"}}, "rows": [{"title": "Acme"}]}]}],
    }]}});
    let made = line.control("seed", json!({"content": [wiki]})).await;
    line.control("share", json!({"id": made["ids"][0]})).await;
    line.notion.set_behavior(Behavior { search_omits_inherited: true, ..Behavior::default() });
    line.crawl().await;
    line.assert_holds_the_truth();
    assert_eq!(line.item("Acme").breadcrumb.last().map(String::as_str), Some("Vendors"));
}

#[tokio::test(start_paused = true)]
async fn a_dialect_that_is_refused_is_asked_for_once_and_bodies_come_in_the_other() {
    let refusing = [
        (BodyChoice::V1, vec![MarkdownDefault::V2], MarkdownDefault::V2),
        (BodyChoice::V2, Vec::new(), MarkdownDefault::V1),
    ];
    for (body, markdown_versions, markdown_default) in refusing {
        let behavior = Behavior { markdown_versions, markdown_default, ..Behavior::default() };
        let mut line = line("pages=50,seed=9", behavior).await;
        line.config.notion.body = body;
        line.config.notion.concurrency = 1;
        let report = line.crawl().await;
        assert!(line.alerts(&report).iter().any(|alert| alert.contains("dialect")), "{body:?}");
        line.assert_holds_the_truth();
        let (bill, bodies) = (line.bill(), line.truth().values().filter(|fact| fact.has_body()).count());
        assert_eq!((bill.get(MARKDOWN), bill.get(CHILDREN)), (Some(&(bodies + 1)), None), "{bill:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_knows_yet_keeps_its_text_and_is_listed() {
    let unknown = json!({"block": {"kind": "hologram", "payload": {"rich_text": [{"text": {"content": "mkhologram words"}}]}}});
    let (mut line, page) = with_page("From the future", vec![unknown, paragraph("known")]).await;
    line.control(
        "deliver",
        json!({"id": page, "object": {"parent": {"type": "galaxy_id", "galaxy_id": "m31"}}}),
    )
    .await;
    line.config.notion.body = BodyChoice::Blocks;
    let report = line.crawl().await;
    assert_eq!(line.search("mkhologram").hits[0].title, "From the future");
    let alerts = line.alerts(&report);
    let status = ops::status(&line.app(), &Caller::LOCAL_OPERATOR, Vec::new()).unwrap();
    for (what, kind) in [("block", "hologram"), ("parent", "galaxy_id")] {
        let told = alerts.iter().filter(|alert| alert.starts_with("warning") && alert.contains(kind)).count();
        assert_eq!(told, 1, "{alerts:?}");
        let listed =
            status.connectors[0].unknown_kinds.iter().any(|one| one.what == what && one.kind == kind);
        assert!(listed, "{:?}", status.connectors[0].unknown_kinds);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_renderer_renders_what_is_stored_without_a_request() {
    let line = line("pages=60,seed=12,shape=varied", Behavior::default()).await;
    line.crawl().await;
    let before = line.export();
    let store = rusqlite::Connection::open(line.data_dir().join("store.sqlite")).unwrap();
    // As if an older version had made the same of everything.
    let damage = "UPDATE items SET renderer = 0, content_hash = x'00', rendered = (SELECT rendered FROM items ORDER BY id LIMIT 1)";
    assert_eq!(store.execute(damage, []).unwrap(), before.len());
    store.execute("DELETE FROM links", []).unwrap();
    drop(store);
    line.notion.clear_requests();
    let rerendered = ops::rerender(&line.app()).await.unwrap();
    assert_eq!(rerendered.items, before.len() as u64);
    assert_eq!(line.bill().len(), 0, "Notion was asked");
    let app = line.app();
    app.pump().unwrap().drain().await.unwrap();
    line.assert_holds_the_truth();
    let after = line.export();
    assert_eq!(serde_json::to_string(&after).unwrap(), serde_json::to_string(&before).unwrap());
    assert_eq!(ops::rerender(&line.app()).await.unwrap().items, 0);
}
