//! Changes to a running world, and how they show.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, first, generated, page_with};

fn paragraph(text: &str) -> Value {
    json!({"block": {"kind": "paragraph", "payload": {"rich_text": [{"text": {"content": text}}]}}})
}

#[tokio::test(start_paused = true)]
async fn an_edit_moves_a_page_to_the_front_of_the_listing() {
    let emulator = generated("pages=200,seed=1");
    let client = Client::new(&emulator);
    let last = client.listed().await.pop().unwrap();
    emulator.advance(Duration::from_secs(90));
    client
        .post("/_emulator/edit", &json!({"id": last, "title": "Renamed", "append": [paragraph("new words")]}))
        .await
        .ok();
    assert_eq!(client.listed().await[0], last);
    let page = client.get(&format!("/v1/pages/{last}")).await.ok();
    assert_eq!(page["last_edited_time"], "2026-11-02T08:01:00.000Z");
    let body = client.get(&format!("/v1/pages/{last}/markdown")).await.ok();
    assert!(body["markdown"].as_str().unwrap().ends_with("new words"));
}

#[tokio::test]
async fn an_edited_generated_page_keeps_what_it_had() {
    let emulator = generated("pages=200,seed=1");
    let client = Client::new(&emulator);
    for object in emulator.truth(None).unwrap().into_iter().filter(|o| o["kind"] == "page").take(30) {
        let id = object["id"].as_str().unwrap();
        let path = format!("/v1/pages/{id}/markdown");
        let before = client.get(&path).await.ok()["markdown"].as_str().unwrap().to_owned();
        let blocks = client.get(&format!("/v1/blocks/{id}/children")).await.ok();
        client.post("/_emulator/edit", &json!({"id": id, "append": [paragraph("added")]})).await.ok();
        let after = client.get(&path).await.ok()["markdown"].as_str().unwrap().to_owned();
        let without_signatures =
            |text: &str| text.lines().filter(|line| !line.contains("X-Amz-")).collect::<Vec<_>>().join("\n");
        assert!(
            without_signatures(&after).starts_with(without_signatures(&before).trim_end()),
            "{before}\n--\n{after}"
        );
        let again = client.get(&format!("/v1/blocks/{id}/children")).await.ok();
        assert_eq!(blocks["results"][0]["id"], again["results"][0]["id"]);
    }
}

#[tokio::test]
async fn trash_hides_from_lists_and_shows_when_read() {
    let emulator = generated("pages=200,seed=1");
    let client = Client::new(&emulator);
    let root = emulator.start_points()[&client.token][0];
    let before = client.listed().await.len();
    emulator.trash(root).unwrap();
    assert_eq!(client.get(&format!("/v1/pages/{root}")).await.ok()["in_trash"], true);
    let pages =
        client.all("/v1/search", &json!({"filter": {"property": "object", "value": "page"}}), 100).await;
    assert!(pages.iter().all(|page| page["in_trash"] == false));
    assert!(pages.len() < before);
    let trashed = client.all("/v1/search", &json!({"filter": {"in_trash": true}}), 100).await;
    assert!(trashed.iter().any(|page| page["id"] == root.to_string().as_str()));
    emulator.restore(root).unwrap();
    assert_eq!(client.listed().await.len(), before);
    emulator.purge(root).unwrap();
    assert_eq!(client.get(&format!("/v1/pages/{root}")).await.refusal(), (404, "object_not_found"));
    assert!(emulator.truth(None).unwrap().iter().all(|object| object["kind"] == "user"));
}

/// "search": recorded June 2026, data sources in the trash were listed without an `in_trash` filter.
#[tokio::test]
async fn search_may_list_trashed_data_sources() {
    let emulator = generated("pages=300,seed=1");
    let client = Client::new(&emulator);
    let database = first(&emulator, "database")["id"].as_str().unwrap().to_owned();
    emulator.trash(database.parse().unwrap()).unwrap();
    let listed = async || {
        client
            .all("/v1/search", &json!({"filter": {"property": "object", "value": "data_source"}}), 100)
            .await
    };
    assert!(listed().await.iter().any(|source| source["in_trash"] == true));
    client.post("/_emulator/behavior", &json!({"search_lists_trashed_data_sources": false})).await.ok();
    assert!(listed().await.iter().all(|source| source["in_trash"] == false));
}

#[tokio::test]
async fn archived_rows_are_a_partition_of_their_own() {
    let emulator = generated("pages=60,seed=1,shape=database");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    let row = first(&emulator, "row")["id"].as_str().unwrap().to_owned();
    emulator.set_archived(row.parse().unwrap(), true).unwrap();
    let path = format!("/v1/data_sources/{source}/query");
    assert_eq!(client.all(&path, &json!({}), 100).await.len(), 58);
    let archived = client.all(&path, &json!({"is_archived": true}), 100).await;
    assert_eq!((archived.len(), &archived[0]["is_archived"]), (1, &json!(true)));
    assert!(emulator.truth(None).unwrap().iter().any(|object| object["archived"] == true));
}

#[tokio::test]
async fn a_moved_page_has_its_new_parent_and_shows_there() {
    let (client, page) = page_with(json!([{"page": {"title": "A"}}, {"page": {"title": "B"}}])).await;
    let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let id = |at: usize| children["results"][at]["id"].as_str().unwrap().to_owned();
    client.post("/_emulator/move", &json!({"id": id(0), "parent": id(1)})).await.ok();
    let moved = client.get(&format!("/v1/pages/{}", id(0))).await.ok();
    assert_eq!(moved["parent"], json!({"type": "page_id", "page_id": id(1)}));
    let below = client.get(&format!("/v1/blocks/{}/children", id(1))).await.ok();
    assert_eq!(below["results"][0]["id"], id(0));
    let circle = client.post("/_emulator/move", &json!({"id": page, "parent": id(0)})).await;
    assert_eq!(circle.status, 400);
}

#[tokio::test]
async fn the_truth_stays_true_when_pages_become_rows_and_rows_pages() {
    let emulator = generated("pages=300,seed=6");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().parse().unwrap();
    let truth = emulator.truth(None).unwrap();
    let has_children = |id: &Value| truth.iter().any(|object| object["parent"] == *id);
    let pages = truth.iter().filter(|page| page["kind"] == "page" && !has_children(&page["id"])).take(40);
    let rows = truth.iter().filter(|row| row["kind"] == "row").take(40);
    let moves = pages.map(|page| (page, Some(source))).chain(rows.map(|row| (row, None)));
    let moved: Vec<(&str, bool)> = moves
        .map(|(object, target)| {
            let id = object["id"].as_str().unwrap();
            emulator.move_to(id.parse().unwrap(), target).unwrap();
            (id, target.is_some())
        })
        .collect();
    let mut kept = 0;
    for object in emulator.truth(None).unwrap() {
        let id = object["id"].as_str().unwrap();
        let Some((_, is_row)) = moved.iter().find(|(moved, _)| *moved == id) else { continue };
        assert_eq!(object["kind"], if *is_row { "row" } else { "page" });
        let page = client.get(&format!("/v1/pages/{id}")).await.ok();
        let body = client.get(&format!("/v1/pages/{id}/markdown")).await.ok();
        for marker in object["markers"].as_array().unwrap() {
            assert!(format!("{page}{body}").contains(marker.as_str().unwrap()), "{object}");
            kept += 1;
        }
    }
    assert!(kept > 60, "only markers in properties of rows are lost, not {}", moved.len() - kept);
}

/// Notes on blocks: a copy of a synced block has children, which are the original's.
#[tokio::test]
async fn a_synced_copy_shows_the_originals_children() {
    let (client, page) = page_with(json!([
        {"block": {"name": "original", "kind": "synced_block", "payload": {"synced_from": null}, "children": [paragraph("shared words")]}},
        {"block": {"kind": "synced_block", "payload": {"synced_from": {"type": "block_id", "block_id": {"ref": "original"}}}}},
    ]))
    .await;
    let blocks = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let copy = &blocks["results"][1];
    assert_eq!(copy["has_children"], true);
    assert_eq!(copy["synced_block"]["synced_from"]["block_id"], blocks["results"][0]["id"]);
    let children = client.get(&format!("/v1/blocks/{}/children", copy["id"].as_str().unwrap())).await.ok();
    assert_eq!(children["results"][0]["paragraph"]["rich_text"][0]["plain_text"], "shared words");
    let markdown = client.get(&format!("/v1/pages/{page}/markdown")).await.ok();
    assert_eq!(markdown["markdown"].as_str().unwrap().matches("shared words").count(), 2);
}

/// "pagination" promises no stability: a cursor whose anchor is gone is refused.
#[tokio::test]
async fn a_cursor_dies_with_its_anchor() {
    let (client, page) =
        page_with(json!((0..5).map(|n| paragraph(&n.to_string())).collect::<Vec<_>>())).await;
    let first = client.get(&format!("/v1/blocks/{page}/children?page_size=2")).await.ok();
    let cursor = first["next_cursor"].as_str().unwrap().to_owned();
    let next = format!("/v1/blocks/{page}/children?page_size=2&start_cursor={cursor}");
    assert_eq!(
        client.get(&next).await.ok()["results"][0]["id"],
        cursor,
        "the cursor is the next item's id (recorded)"
    );
    client.post("/_emulator/trash", &json!({"id": cursor})).await.ok();
    assert_eq!(client.get(&next).await.message(), format!("The start_cursor provided is invalid: {cursor}"));
}

#[tokio::test]
async fn the_control_api_refuses_with_a_reason() {
    let client = Client::new(&generated("pages=5"));
    let (before, listed) = (first(&client.emulator, "page"), client.listed().await);
    for (verb, body) in [
        ("trash", json!({"id": "00000000-0000-0000-0000-000000000000"})),
        ("trash", json!({})),
        ("edit", json!({"id": first(&client.emulator, "page")["id"], "colour": "red"})),
        (
            "seed",
            json!({"content": [{"page": {"title": "x", "body": [{"block": {"kind": "image", "payload": {"type": "file", "file": {"ref": "no.png"}}}}]}}]}),
        ),
        ("limit", json!({"token": {"requests": "many"}})),
    ] {
        let answer = client.post(&format!("/_emulator/{verb}"), &body).await;
        assert_eq!(answer.status, 400, "{verb}");
        assert!(answer.body["error"].as_str().unwrap().len() > 20, "{}", answer.body);
    }
    assert_eq!(first(&client.emulator, "page"), before, "a refused verb changes nothing");
    assert_eq!(client.listed().await, listed);
    assert_eq!(client.post("/_emulator/nonsense", &json!({})).await.status, 404);
}
