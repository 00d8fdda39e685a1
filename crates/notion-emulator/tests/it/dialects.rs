//! What only the markdown dialects have a form for, or one of them. Quotations as in `conformance`.

use serde_json::{Value, json};

use crate::harness::{Client, page_with};

async fn markdown(client: &Client, id: impl std::fmt::Display, dialect: &str) -> String {
    let path = format!("/v1/pages/{id}/markdown?markdown_version={dialect}");
    client.get(&path).await.ok()["markdown"].as_str().unwrap().to_owned()
}

fn v2_only() -> Value {
    let says = |text: &str| json!([{"text": {"content": text}}]);
    json!([
        {"block": {"kind": "folder", "name": "folder", "payload": {"title": "Reports"}, "children": [
            {"page": {"title": "May", "name": "may"}}, {"page": {"title": "June", "name": "june"}},
        ]}},
        {"block": {"kind": "mail", "name": "mail", "payload": {"url": "https://mail.example/7", "rich_text": says("An offer")}, "children": [
            {"block": {"kind": "paragraph", "payload": {"rich_text": says("Dear all")}}},
        ]}},
        {"block": {"kind": "custom_block", "name": "custom", "payload": {"definition_id": "chart"}}},
        {"block": {"kind": "external_object_instance", "name": "object", "payload": {"integration": "github", "rich_text": says("Issue 7")}}},
    ])
}

/// "notion-flavored-markdown": folders, mail, custom blocks and external objects have tags; "enhanced-markdown" has none
/// for them.
#[tokio::test]
async fn some_blocks_have_a_form_in_the_second_dialect_only() {
    let (client, page) = page_with(v2_only()).await;
    let id = |name: &str| client.emulator.named(name).unwrap().simple().to_string();
    let text = markdown(&client, &page, "v2").await;
    for wanted in [
        format!("<folder url=\"https://app.notion.com/p/{}\">Reports</folder>", id("folder")),
        "<mail url=\"https://mail.example/7\">\nAn offer\n\nDear all\n</mail>".to_owned(),
        "<custom-block definition-id=\"chart\" url=\"https://app.notion.com/p/Test-page-".to_owned(),
        "<external_object_instance integration=\"github\">Issue 7</external_object_instance>".to_owned(),
    ] {
        assert!(text.contains(&wanted), "{wanted}\n--\n{text}");
    }
    assert!(!text.contains("May"), "a folder shows its name only: {text}");
    let text = markdown(&client, &page, "v1").await;
    assert_eq!(text.matches("<unknown url=").count(), 4, "{text}");
}

/// "notion-flavored-markdown": the address of a folder is read like a page's and lists what is directly in it.
#[tokio::test]
async fn a_folder_is_read_by_its_own_id() {
    let (client, _) = page_with(v2_only()).await;
    let folder = client.emulator.named("folder").unwrap();
    let listed = markdown(&client, folder, "v2").await;
    for (name, title) in [("may", "May"), ("june", "June")] {
        let id = client.emulator.named(name).unwrap().simple().to_string();
        assert!(
            listed.contains(&format!("<page url=\"https://app.notion.com/p/{title}-{id}\">{title}</page>"))
        );
    }
    let may = client.get(&format!("/v1/pages/{}", client.emulator.named("may").unwrap())).await.ok();
    assert_eq!(may["parent"], json!({"type": "block_id", "block_id": folder}));
}

/// "block": what the API does not support is `unsupported` with the name of its type. Reported: asking for the children of
/// an external object is 400.
#[tokio::test]
async fn by_blocks_they_are_unsupported() {
    let (client, page) = page_with(v2_only()).await;
    let blocks = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let types = ["folder", "mail", "custom_block", "external_object_instance"];
    for (block, kind) in blocks["results"].as_array().unwrap().iter().zip(types) {
        assert_eq!(
            (&block["type"], &block["unsupported"]),
            (&json!("unsupported"), &json!({"block_type": kind}))
        );
        assert_eq!(block["has_children"], false);
        let children = client.get(&format!("/v1/blocks/{}/children", block["id"].as_str().unwrap())).await;
        if kind == "external_object_instance" {
            assert_eq!(children.refusal(), (400, "validation_error"));
            assert_eq!(
                children.message(),
                "Block type external_object_instance_page is not supported via the API."
            );
        } else {
            assert_eq!(children.ok()["results"], json!([]));
        }
    }
}

/// "enhanced-markdown" and "notion-flavored-markdown": tags for mentions of data sources and agents, by addresses of their
/// own kind.
#[tokio::test]
async fn data_sources_and_agents_are_mentioned_by_their_own_addresses() {
    let agent = "3b2f1c9a-6f0e-8c1d-9a55-0d4f3c2b1a09";
    let text = json!([
        {"mention": {"data_source": {"id": {"ref": "rows"}}}},
        {"text": {"content": " and "}},
        {"mention": {"agent": {"id": agent}}, "plain_text": "@Scout"},
    ]);
    let schema = json!({"Name": {"type": "title", "title": {}}});
    let (client, page) = page_with(json!([
        {"block": {"kind": "paragraph", "payload": {"rich_text": text}}},
        {"database": {"title": "Base", "data_sources": [{"title": "Stock", "name": "rows", "schema": schema}]}},
    ]))
    .await;
    let rows = client.emulator.named("rows").unwrap();
    let text = markdown(&client, &page, "v1").await;
    let wanted = format!(
        "<mention-data-source url=\"collection://{rows}\">Stock</mention-data-source> and <mention-agent url=\"agent://{agent}\">Scout</mention-agent>"
    );
    assert!(text.starts_with(&wanted), "{text}");
    let text = markdown(&client, &page, "v2").await;
    let wanted = format!(
        "<mention url=\"collection://{rows}\">Stock</mention> and <mention url=\"agent://{agent}\">Scout</mention>"
    );
    assert!(text.starts_with(&wanted), "{text}");
}

/// "enhanced-markdown": a citation is `[^URL]`. "notion-flavored-markdown": text under discussion carries its
/// `discussion-urls`. Blocks have neither.
#[tokio::test]
async fn citations_and_discussions_show_in_markdown_only() {
    let text = json!([
        {"text": {"content": "As measured"}, "discussion_urls": "discussion://7", "annotations": {"color": "red"}},
        {"text": {"content": "1", "link": {"url": "https://source.example/a(1)"}}, "citation": "https://source.example/a(1)"},
    ]);
    let (client, page) =
        page_with(json!([{"block": {"kind": "paragraph", "payload": {"rich_text": text}}}])).await;
    assert_eq!(
        markdown(&client, &page, "v1").await,
        "<span color=\"red\">As measured</span>[^https://source.example/a%281%29]"
    );
    assert_eq!(
        markdown(&client, &page, "v2").await,
        "<span color=\"red\" discussion-urls=\"discussion://7\">As measured</span>[1](https://source.example/a%281%29)"
    );
    let blocks = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    for item in blocks["results"][0]["paragraph"]["rich_text"].as_array().unwrap() {
        let keys: Vec<&String> = item.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["type", "text", "annotations", "plain_text", "href"]);
    }
}

/// "tab" blocks: paragraphs as labels with an icon, their children as bodies. "notion-flavored-markdown" has `<tabs>`; the
/// first dialect knows no tabs.
#[tokio::test]
async fn tabs_have_labels_icons_and_bodies() {
    let says = |text: &str| json!({"rich_text": [{"text": {"content": text}}], "icon": {"type": "emoji", "emoji": "🌱"}});
    let tab = |label: &str, body: &str| json!({"block": {"kind": "paragraph", "payload": says(label), "children": [{"block": {"kind": "paragraph", "payload": says(body)}}]}});
    let (client, page) =
        page_with(json!([{"block": {"kind": "tab", "payload": {}, "children": [tab("One", "First"), tab("Two", "Second")]}}]))
            .await;
    let text = markdown(&client, &page, "v2").await;
    assert_eq!(
        text,
        "<tabs>\n<tab icon=\"🌱\">\nOne\n\nFirst\n</tab>\n<tab icon=\"🌱\">\nTwo\n\nSecond\n</tab>\n</tabs>"
    );
    assert!(markdown(&client, &page, "v1").await.contains("alt=\"tab\""));
    let top = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    assert_eq!(
        (&top["results"][0]["type"], &top["results"][0]["has_children"]),
        (&json!("tab"), &json!(true))
    );
    let labels =
        client.get(&format!("/v1/blocks/{}/children", top["results"][0]["id"].as_str().unwrap())).await.ok();
    assert_eq!(labels["results"][1]["paragraph"]["rich_text"][0]["plain_text"], "Two");
    assert_eq!(labels["results"][1]["paragraph"]["icon"]["emoji"], "🌱");
}

/// "page", "file-object": every kind of icon and cover, hosted ones with an address that expires.
#[tokio::test]
async fn icons_and_covers_of_every_kind_come_as_documented() {
    let kinds = [
        Value::Null,
        json!({"type": "emoji", "emoji": "🌊"}),
        json!({"type": "external", "external": {"url": "https://icons.example/a.svg"}}),
        json!({"type": "custom_emoji", "custom_emoji": {"id": "45ce454c-d427-4f53-9489-e5d0f3d1db6b", "name": "bufo", "url": "https://icons.example/bufo.png"}}),
        json!({"type": "icon", "icon": {"name": "pizza", "color": "blue"}}),
    ];
    let hosted = json!({"type": "file", "file": {"ref": "a.png"}});
    let (client, page) = page_with(json!([])).await;
    for (number, icon) in kinds.iter().chain([&hosted]).enumerate() {
        let name = format!("p{number}");
        let cover = if number % 2 == 0 { Value::Null } else { hosted.clone() };
        let database = json!({"title": "B", "name": format!("b{number}"), "icon": icon, "cover": cover, "data_sources": [
            {"title": "S", "name": format!("s{number}"), "description": "Of its own", "schema": {}},
        ]});
        let seed = json!({"parent": page, "files": {"a.png": "a"}, "content": [
            {"page": {"title": "P", "name": name, "icon": icon, "cover": cover}}, {"database": database},
        ]});
        client.post("/_emulator/seed", &seed).await.ok();
        let id = |prefix: &str| client.emulator.named(&format!("{prefix}{number}")).unwrap();
        for path in [
            format!("/v1/pages/{}", id("p")),
            format!("/v1/databases/{}", id("b")),
            format!("/v1/data_sources/{}", id("s")),
        ] {
            let object = client.get(&path).await.ok();
            for (key, wanted) in [("icon", icon), ("cover", &cover)] {
                if *wanted == hosted {
                    assert_eq!(object[key]["type"], "file", "{path}");
                    assert!(object[key]["file"]["url"].as_str().unwrap().contains("X-Amz-Expires=3600"));
                    assert!(object[key]["file"]["expiry_time"].is_string());
                } else {
                    assert_eq!(object[key], *wanted, "{path}");
                }
            }
        }
        let source = client.get(&format!("/v1/data_sources/{}", id("s"))).await.ok();
        assert_eq!(source["description"][0]["plain_text"], "Of its own");
    }
}
