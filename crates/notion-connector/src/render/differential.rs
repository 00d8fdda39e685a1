//! The emulator as an independent witness: each page of its worlds, read over its API in every way, yields the same.
//!
//! Nothing of it but answers is used here, so a slip would have to be made twice, in two crates that share no type; and
//! its truth names the words that each page must show. What the ways of reading cannot have in common stands in
//! [`DIFFERENCES`] and nowhere else. `DIFFERENTIAL_SEEDS=60 cargo test -p notion-connector render::differential` reads
//! more worlds than a normal run.

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
use crate::model::{Link, LinkKind, NotionId, Warning};

const LINK_TITLES: &str = "title of a link to a page or database";
const DATA_SOURCES: &str = "data source of a database";
const FILE_NAMES: &str = "name of a file";
const FORMLESS: &str = "types without a form in a dialect";
const ONLY_V2: &str = "types that only v2 has a form for";
const TRANSCRIPTS: &str = "transcript of a meeting";
const BLOCK_IDS: &str = "ids of blocks";
const WHITE_SPACE: &str = "white space at the edges of lines";

/// What the API itself makes differ between the ways of reading a body, and why. `docs/reference/body-forms.md` holds
/// the same table; a test keeps the two together, another shows each difference.
const DIFFERENCES: [(&str, &str); 8] = [
    (LINK_TITLES, "a `link_to_page` block holds an id; Markdown shows a mention with the title"),
    (DATA_SOURCES, "a database's tag names its first data source; a `child_database` block names none"),
    (FILE_NAMES, "a `file` block has a name; in Markdown only the address tells one"),
    (
        FORMLESS,
        "they stand as `<unknown>`: in v1 bookmark, embed, link_preview, tab and template, in v2 template and previews of \
         other sites than GitHub, Figma and Google Drive; they are read by their blocks",
    ),
    (
        ONLY_V2,
        "folders, mails and external objects are `unsupported` blocks, whose text Notion does not give",
    ),
    (TRANSCRIPTS, "Markdown holds it only when `include_transcript=true` is asked for"),
    (BLOCK_IDS, "Markdown has none, so its passages open the page and not the block"),
    (WHITE_SPACE, "Markdown cannot keep it, so it is not compared"),
];

/// Answers of an emulator, without a socket.
struct Witness {
    router: Router,
    pages: Vec<Page>,
}

/// A page, and the words that it must show.
struct Page {
    id: Uuid,
    markers: Vec<String>,
}

impl Witness {
    fn new(world: World) -> Self {
        let emulator = Emulator::new(world, Options::default());
        let truth = emulator.truth(None).unwrap();
        let is_page = |object: &&Value| matches!(object["kind"].as_str(), Some("page" | "row"));
        let page_of = |object: &Value| Page {
            id: object["id"].as_str().unwrap().parse().unwrap(),
            markers: serde_json::from_value(object["markers"].clone()).unwrap(),
        };
        Self { router: emulator.router(), pages: truth.iter().filter(is_page).map(page_of).collect() }
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
        match &block.kind {
            wire::BlockKind::LinkToPage(wire::LinkTarget::Page(id) | wire::LinkTarget::Database(id)) => {
                children.push(self.title_of(*id).await);
            }
            // What is in a copy belongs to the original, and is listed there.
            wire::BlockKind::SyncedBlock { synced_from: Some(original) } => {
                children = self.children(*original).await;
            }
            wire::BlockKind::MeetingNotes(notes) => {
                let sections = [notes.transcript_block_id, notes.notes_block_id, notes.summary_block_id];
                for section in sections.into_iter().flatten() {
                    let block = self.get(&format!("blocks/{section}")).await.unwrap();
                    children.push(Box::pin(self.node(&block)).await);
                }
            }
            wire::BlockKind::ChildPage { .. } => {}
            _ if block.has_children => children = self.children(block.id).await,
            _ => {}
        }
        BlockNode { block, children }
    }

    /// [`LINK_TITLES`]: what Markdown shows where blocks hold an id only.
    async fn title_of(&self, target: Uuid) -> BlockNode {
        let block = self.get(&format!("blocks/{target}")).await.unwrap();
        let title = &block[block["type"].as_str().unwrap()]["title"];
        let run = json!({"type": "text", "text": {"content": title}, "plain_text": title});
        let block = json!({"id": Uuid::nil(), "type": "paragraph", "paragraph": {"rich_text": [run]}});
        BlockNode { block: serde_json::from_value(block).unwrap(), children: Vec::new() }
    }

    /// The body in one dialect. [`TRANSCRIPTS`] are asked for, and what is [`FORMLESS`] is read by blocks.
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

/// What is compared: the text under each heading path without [`WHITE_SPACE`], and the links without [`DATA_SOURCES`].
#[derive(Debug, PartialEq)]
struct Shown {
    text: Vec<(Vec<String>, String)>,
    links: Vec<Link>,
    warnings: Vec<Warning>,
}

fn fold(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

fn shown(rendered: &Rendered) -> Shown {
    let mut text: Vec<(Vec<String>, String)> = Vec::new();
    for passage in &rendered.item.passages {
        let more = fold(rendered.item.text.get(passage.range.clone()).unwrap());
        // Headings in paths are cut at a length that counts white space.
        let heading = |heading: &String| fold(heading).chars().take(80).collect();
        let path: Vec<String> = passage.heading_path.iter().map(heading).collect();
        match text.last_mut() {
            Some((last, text)) if *last == path => text.push_str(&more),
            _ => text.push((path, more)),
        }
    }
    let mut links = rendered.item.links.clone();
    links.retain(|link| link.kind != LinkKind::DataSource);
    Shown { text, links, warnings: rendered.warnings.clone() }
}

/// Where two begin to differ, with what stands around.
fn first_difference(one: &Shown, other: &Shown) -> String {
    let text = |shown: &Shown| {
        shown.text.iter().map(|(path, text)| format!("[{}]{text}", path.join("/"))).collect::<String>()
    };
    let (one_text, other_text) = (text(one), text(other));
    if one_text == other_text {
        return format!("{:?} {:?}\n{:?} {:?}", one.links, one.warnings, other.links, other.warnings);
    }
    let same = one_text.chars().zip(other_text.chars()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| text.chars().skip(same.saturating_sub(60)).take(160).collect::<String>();
    format!("{}\n{}", around(&one_text), around(&other_text))
}

/// Everything of a page that a searcher can find.
fn findable(rendered: &Rendered) -> String {
    let properties = rendered.item.properties.iter().map(|property| property.text.as_str());
    let parts = [rendered.item.title.as_str(), rendered.item.text.as_str()];
    fold(&parts.into_iter().chain(properties).collect::<Vec<_>>().join(" "))
}

/// Reads every page of a world in all ways; what differs.
async fn compare(world: World) -> Vec<String> {
    let witness = Witness::new(world);
    assert!(!witness.pages.is_empty());
    let mut wrong = Vec::new();
    for Page { id, markers } in &witness.pages {
        let page: wire::Page =
            serde_json::from_value(witness.get(&format!("pages/{id}")).await.unwrap()).unwrap();
        let render = |body: PageBody| render_page(&page, &body, NotionId(Uuid::nil()));
        let blocks = render(Body::Blocks(witness.children(*id).await).into());
        let first = render(witness.markdown(*id, "v1").await);
        let second = render(witness.markdown(*id, "v2").await);
        let title = &blocks.item.title;
        for (way, rendered) in [("blocks", &blocks), ("v1", &first), ("v2", &second)] {
            let (expected, found) = (shown(&blocks), shown(rendered));
            // The catalogue names the pages that hold nothing else.
            let is_more = way == "v2" && title.ends_with("in markdown only") && expected.text.is_empty();
            if expected != found && !is_more {
                wrong.push(format!("{way} of “{title}” ({id}):\n{}", first_difference(&expected, &found)));
            }
            let text = findable(rendered);
            let lost = markers.iter().filter(|marker| !text.contains(marker.as_str()));
            wrong.extend(lost.map(|marker| format!("{way} of “{title}” ({id}) lacks {marker}")));
        }
    }
    wrong
}

#[tokio::test]
async fn the_sample_workspace_reads_the_same_in_all_ways() {
    let world = World::from_import(notion_emulator::sample::sample(), 1_780_000_000_000).unwrap();
    assert_eq!(compare(world).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_generated_world_reads_the_same_in_all_ways() {
    let world = World::generated("pages=60,seed=7".parse().unwrap());
    assert_eq!(compare(world).await, Vec::<String>::new());
}

/// Every type of block and mention, nested twelve deep, in hostile text.
#[tokio::test]
async fn varied_worlds_read_the_same_in_all_ways() {
    let seeds = std::env::var("DIFFERENTIAL_SEEDS").map_or(4, |seeds| seeds.parse().unwrap());
    let mut wrong = Vec::new();
    for seed in 1..=seeds {
        let spec = format!("pages=40,seed={seed},shape=varied,depth=12");
        wrong.extend(compare(World::generated(spec.parse().unwrap())).await);
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn the_catalogue_reads_the_same_in_all_ways() {
    let world = World::generated("seed=1,shape=catalogue".parse().unwrap());
    let wrong = compare(world).await;
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_difference_is_one_and_is_in_the_documentation() {
    const URL: &str = "https://app.notion.com/p/393abc1eedcd81d5bf32d1339d9031c2";
    const ID: &str = "393abc1e-edcd-81d5-bf32-d1339d9031c2";
    let run = |text: &str| json!([{"type": "text", "text": {"content": text}, "plain_text": text}]);
    let file =
        json!({"type": "external", "external": {"url": "https://a.example/1.pdf"}, "name": "Offer.pdf"});
    let notes = json!({"title": run("Weekly"), "children": {"transcript_block_id": Uuid::from_u128(9)}});
    let link = json!({"type": "page_id", "page_id": ID});
    let database =
        format!("<database url=\"{URL}\" data-source-url=\"collection://{}\">Tasks</database>", Uuid::nil());
    let unknown = format!("<unknown url=\"{URL}#00000000000000000000000000000001\" alt=\"bookmark\"/>");
    let examples = [
        (LINK_TITLES, "link_to_page", link, format!("<mention-page url=\"{URL}\">Plan</mention-page>")),
        (DATA_SOURCES, "child_database", json!({"title": "Tasks"}), database),
        (FILE_NAMES, "file", file, "<file src=\"https://a.example/1.pdf\"></file>".to_owned()),
        (FORMLESS, "bookmark", json!({"url": "https://a.example"}), unknown),
        (ONLY_V2, "unsupported", json!({"block_type": "folder"}), format!("<folder url=\"{URL}\">Reports</folder>")),
        (
            TRANSCRIPTS,
            "meeting_notes",
            notes,
            "<meeting-notes>\n\tWeekly\n\t<transcript>\n\t\tTranscript omitted.\n\t</transcript>\n</meeting-notes>"
                .to_owned(),
        ),
        (BLOCK_IDS, "paragraph", json!({"rich_text": run("words")}), "words".to_owned()),
        (WHITE_SPACE, "paragraph", json!({"rich_text": run("a \n b")}), "a<br>b".to_owned()),
    ];
    let page: wire::Page = serde_json::from_value(json!({"object": "page", "id": ID})).unwrap();
    let render = |body: Body| render_page(&page, &body.into(), NotionId(Uuid::nil()));
    for (what, kind, payload, v1) in examples {
        let block = json!({"object": "block", "id": Uuid::from_u128(1), "type": kind, kind: payload});
        let block = BlockNode { block: serde_json::from_value(block).unwrap(), children: Vec::new() };
        assert_ne!(
            render(Body::Blocks(vec![block])),
            render(Body::MarkdownV1(v1)),
            "{what} is no difference"
        );
    }
    let rows: Vec<String> = DIFFERENCES.iter().map(|(what, why)| format!("| {what} | {why} |")).collect();
    let document = include_str!("../../../../docs/reference/body-forms.md");
    let told: Vec<&str> = document.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(told, rows);
}
