//! The emulator as an independent witness: each page of its worlds, read over its API in every way, yields the same.
//!
//! Nothing of it but answers is used here, so a slip would have to be made twice, in two crates that share no type.

use axum::Router;
use axum::body::Body as HttpBody;
use http::Request;
use http_body_util::BodyExt as _;
use notion_api::wire;
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_TOKEN, Emulator, Options};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::{BlockNode, Body, PageBody, Rendered, render_page, withheld_blocks};
use crate::model::NotionId;

/// Answers of an emulator, without a socket.
struct Witness {
    router: Router,
    pages: Vec<Uuid>,
}

impl Witness {
    fn new(world: World) -> Self {
        let emulator = Emulator::new(world, Options::default());
        let truth = emulator.truth(None).unwrap();
        let is_page = |object: &&Value| matches!(object["kind"].as_str(), Some("page" | "row"));
        let id_of = |object: &Value| object["id"].as_str().unwrap().parse().unwrap();
        Self { router: emulator.router(), pages: truth.iter().filter(is_page).map(id_of).collect() }
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let request = Request::get(format!("/v1/{path}"))
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
            .header("notion-version", "2026-03-11")
            .body(HttpBody::empty())
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let found = response.status().is_success();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        found.then(|| serde_json::from_slice(&bytes).unwrap())
    }

    async fn children(&self, id: Uuid) -> Vec<BlockNode> {
        let mut nodes = Vec::new();
        let mut cursor = String::new();
        loop {
            let Some(list) = self.get(&format!("blocks/{id}/children?page_size=100{cursor}")).await else {
                break;
            };
            for block in list["results"].as_array().unwrap() {
                nodes.push(Box::pin(self.node(block)).await);
            }
            let Some(next) = list["next_cursor"].as_str() else { break };
            cursor = format!("&start_cursor={next}");
        }
        nodes
    }

    async fn node(&self, block: &Value) -> BlockNode {
        let block: wire::Block = serde_json::from_value(block.clone()).unwrap();
        let mut children = Vec::new();
        if let wire::BlockKind::LinkToPage(wire::LinkTarget::Page(target)) = block.kind {
            children.push(self.title_of(target).await);
        } else if let wire::BlockKind::SyncedBlock { synced_from: Some(original) } = block.kind {
            // What is in a copy belongs to the original, and is listed there.
            children = self.children(original).await;
        } else if let wire::BlockKind::MeetingNotes(notes) = &block.kind {
            for section in [notes.summary_block_id, notes.notes_block_id, notes.transcript_block_id]
                .into_iter()
                .flatten()
            {
                children.extend(self.children(section).await);
            }
        } else if block.has_children && !matches!(block.kind, wire::BlockKind::ChildPage { .. }) {
            children = self.children(block.id).await;
        }
        BlockNode { block, children }
    }

    /// Markdown shows the title of the page that a line leads to, blocks hold its id only.
    async fn title_of(&self, page: Uuid) -> BlockNode {
        let page: wire::Page =
            serde_json::from_value(self.get(&format!("pages/{page}")).await.unwrap()).unwrap();
        let run = json!({"type": "text", "text": {"content": page.title()}, "plain_text": page.title()});
        let block = json!({"id": page.id, "type": "paragraph", "paragraph": {"rich_text": [run]}});
        BlockNode { block: serde_json::from_value(block).unwrap(), children: Vec::new() }
    }

    /// The body in one dialect, with what that dialect withholds read by blocks.
    async fn markdown(&self, page: Uuid, version: &str) -> PageBody {
        let path = format!("pages/{page}/markdown?include_transcript=true&markdown_version={version}");
        let text = self.get(&path).await.unwrap()["markdown"].as_str().unwrap().to_owned();
        let main = if version == "v1" { Body::MarkdownV1(text) } else { Body::MarkdownV2(text) };
        let mut body = PageBody::from(main);
        for withheld in withheld_blocks(&body) {
            let Some(NotionId(id)) = withheld.id else { continue };
            let part = match self.get(&format!("blocks/{id}")).await {
                Some(block) => Body::Blocks(vec![self.node(&block).await]),
                None => Body::None,
            };
            body.parts.insert(id, part);
        }
        body
    }
}

fn words(rendered: &Rendered) -> Vec<String> {
    let text = &rendered.item.text;
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

async fn compare(witness: &Witness) {
    assert!(!witness.pages.is_empty());
    for id in &witness.pages {
        let page: wire::Page =
            serde_json::from_value(witness.get(&format!("pages/{id}")).await.unwrap()).unwrap();
        let workspace = NotionId(Uuid::nil());
        let blocks = PageBody::from(Body::Blocks(witness.children(*id).await));
        let expected = render_page(&page, &blocks, workspace);
        for version in ["v1", "v2"] {
            let body = witness.markdown(*id, version).await;
            let rendered = render_page(&page, &body, workspace);
            assert_eq!(
                words(&rendered),
                words(&expected),
                "{version} of “{}”: {body:?}",
                expected.item.title
            );
            assert_eq!(rendered.warnings, expected.warnings, "{version} of “{}”", expected.item.title);
        }
    }
}

#[tokio::test]
async fn the_sample_workspace_reads_the_same_in_all_ways() {
    let world = World::from_import(notion_emulator::sample::sample(), 1_780_000_000_000).unwrap();
    compare(&Witness::new(world)).await;
}

#[tokio::test]
async fn a_generated_world_reads_the_same_in_all_ways() {
    compare(&Witness::new(World::generated("pages=60,seed=7".parse().unwrap()))).await;
}
