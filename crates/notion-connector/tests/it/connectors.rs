//! The life of connectors: settings of their own, names, rest and end; several of them on one workspace.

use notion_emulator::{Emulator, Options};

use crate::program::{Ended, Home};
use crate::support::{CONNECTOR, Server, generated};

const OTHER: &str = "others";

/// A home with the connector of all stories, crawled.
async fn crawled(spec: &str) -> (Emulator, Server, Home) {
    let notion = Emulator::new(generated(spec), Options::default());
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    home.expect(0, &["crawl"]).await;
    (notion, server, home)
}

fn first(ended: &Ended) -> serde_json::Value {
    ended.json()[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_edit_makes_wrong_asks_for_a_crawl_until_one_completed() {
    let (_notion, _server, home) = crawled("pages=30,seed=301").await;
    let edit = ["connector", "edit", CONNECTOR, "--json"];
    let same = home.expect(0, &[&edit[..], &["--archived", "false"]].concat()).await.json();
    assert_eq!((&same["recrawl_required"], &same["settings"]["archived"]), (&false.into(), &false.into()));
    let edited =
        home.expect(0, &[&edit[..], &["--archived", "true", "--body", "blocks"]].concat()).await.json();
    assert_eq!(edited["recrawl_required"], true);
    assert_eq!(
        (&edited["effective"]["body"], &edited["effective"]["comments"]),
        (&"blocks".into(), &"off".into())
    );
    assert!(home.expect(0, &["connector", "list"]).await.stdout.contains("recrawl required"));
    assert!(home.expect(0, &["status"]).await.stdout.contains("recrawl required"));

    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert!(report["requests"].as_u64().unwrap() > 20, "bodies are read again, in the other way: {report}");
    assert_eq!(first(&home.expect(0, &["connector", "list", "--json"]).await)["recrawl_required"], false);
    let shown = home.expect(0, &["connector", "show", "--json"]).await.json();
    assert_eq!(shown["settings"], serde_json::json!({"archived": true, "body": "blocks"}));
    let inherited =
        home.expect(0, &[&edit[..], &["--archived", "default", "--body", "default"]].concat()).await.json();
    assert_eq!(inherited["settings"], serde_json::json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_be_are_refused_and_nothing_is_saved() {
    let (_notion, _server, home) = crawled("pages=5,seed=302").await;
    for wrong in
        [["--comments", "blocks"], ["--comments", "all"], ["--archived", "perhaps"], ["--body", "v9"]]
    {
        let refused = home.expect(2, &[&["connector", "edit", CONNECTOR], &wrong[..]].concat()).await;
        assert!(!refused.stderr.is_empty());
    }
    let shown = home.expect(0, &["connector", "show", "--json"]).await.json();
    assert_eq!((&shown["settings"], &shown["recrawl_required"]), (&serde_json::json!({}), &false.into()));
    home.expect(1, &["connector", "edit", "nobody", "--archived", "true"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_is_renamed_and_rests_and_is_crawled_all_the_same() {
    let (notion, server, home) = crawled("pages=20,seed=303").await;
    let add = ["connector", "add", OTHER, "--notion-url", &server.url];
    home.expect(0, &add).await;
    home.expect(2, &["connector", "rename", CONNECTOR, OTHER]).await;
    home.expect(0, &["connector", "delete", OTHER, "--yes"]).await;
    home.expect(0, &["connector", "rename", CONNECTOR, "Renamed"]).await;
    home.expect(1, &["connector", "show", CONNECTOR]).await;
    home.expect(0, &["connector", "deactivate", "renamed"]).await;
    let resting = first(&home.expect(0, &["connector", "list", "--json"]).await);
    assert_eq!((&resting["name"], &resting["status"]), (&"Renamed".into(), &"deactivated".into()));
    assert_eq!((&resting["source"], &resting["failed_crawls"]), (&"notion".into(), &0.into()));
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["connector"], &report["state"]), (&"Renamed".into(), &"completed".into()));
    let truth = notion.truth(None).unwrap();
    let marker = truth.iter().find_map(|fact| fact["markers"][0].as_str()).unwrap();
    assert_eq!(home.expect(0, &["search", marker, "--json"]).await.json()["total"], 1);
    home.expect(0, &["connector", "activate", "Renamed"]).await;
    assert_eq!(first(&home.expect(0, &["connector", "list", "--json"]).await)["status"], "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_connectors_index_each_item_once_and_the_last_one_takes_it_away() {
    let (notion, server, home) = crawled("pages=40,seed=304").await;
    home.expect(0, &["connector", "add", OTHER, "--notion-url", &server.url]).await;
    let report = home.expect(0, &["crawl", OTHER, "--json"]).await.json();
    let items = report["added"].as_u64().unwrap();
    assert_eq!(home.expect(0, &["export"]).await.json_lines().len() as u64, items, "each item once");
    let truth = notion.truth(None).unwrap();
    let marker = truth.iter().find_map(|fact| fact["markers"][0].as_str()).unwrap();
    let found = async || home.expect(0, &["search", marker, "--json"]).await.json()["total"].clone();
    assert_eq!(found().await, 1);

    let refused = home.expect(2, &["connector", "delete", CONNECTOR]).await;
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    let deleted = home.expect(0, &["connector", "delete", CONNECTOR, "--yes", "--json"]).await.json();
    assert_eq!(deleted, serde_json::json!({"name": CONNECTOR, "deleted": 0}));
    let left = home.expect(0, &["connector", "list", "--json"]).await.json();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["items"]), (1, &items.into()));
    assert_eq!(found().await, 1, "the other connector holds it");

    let deleted = home.expect(0, &["connector", "delete", OTHER, "--yes", "--json"]).await.json();
    assert_eq!(deleted["deleted"], items);
    assert_eq!(found().await, 0);
    assert_eq!(home.expect(0, &["export"]).await.json_lines().len(), 0);
    assert_eq!(home.expect(0, &["connector", "list", "--json"]).await.json(), serde_json::json!([]));
}
