//! What an older version left opens today: nothing is asked of Notion for it, and nothing is lost.

use std::io::Read as _;
use std::path::Path;

use notion_emulator::{DEFAULT_TOKEN, Emulator, Options};
use rusqlite::Connection;

use crate::program::Home;
use crate::support::{Server, generated};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1");

/// Unpacks every file of a folder, and of the folders in it.
fn unpack(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        let name = name.to_str().unwrap();
        if path.is_dir() {
            unpack(&path, &to.join(name));
        } else {
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())
                .read_to_end(&mut bytes)
                .unwrap();
            let name = name.strip_suffix(".gz").unwrap();
            // Tantivy hides its list of files.
            let name = if name == "managed.json" { ".managed.json" } else { name };
            std::fs::write(to.join(name), bytes).unwrap();
        }
    }
}

/// A home with the data directory of that story, and the world that was crawled into it.
async fn old(story: &str) -> (Emulator, Server, Home) {
    let notion = Emulator::new(generated("pages=30,seed=7"), Options::default());
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.set("NOTION_TOKEN", DEFAULT_TOKEN);
    unpack(&Path::new(FIXTURES).join(story), &home.data_dir());
    let store = Connection::open(home.data_dir().join("store.sqlite")).unwrap();
    let version: i64 = store.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    store.execute("UPDATE connectors SET notion_url = ?1", [&server.url]).unwrap();
    (notion, server, home)
}

async fn assert_everything_is_found(home: &Home, notion: &Emulator) {
    let truth = notion.truth(None).unwrap();
    let items: Vec<_> =
        truth.iter().filter(|fact| fact["kind"] != "file" && fact["kind"] != "comment").collect();
    let items: Vec<_> = items.into_iter().filter(|fact| fact["kind"] != "user").collect();
    assert_eq!(home.expect(0, &["export"]).await.json_lines().len(), items.len());
    for fact in items.iter().filter(|fact| fact["kind"] == "page" || fact["kind"] == "row") {
        let marker = fact["markers"][0].as_str().unwrap();
        let answer = home.expect(0, &["search", marker, "--json"]).await.json();
        assert_eq!((&answer["hits"][0]["id"], &answer["hits"][0]["title"]), (&fact["id"], &fact["title"]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_and_an_index_of_version_one_are_brought_up_to_date_without_a_request() {
    let (notion, server, home) = old("complete").await;
    let rendered = home.expect(0, &["rerender", "--json"]).await.json();
    assert!(rendered["items"].as_u64().unwrap() >= 30, "{rendered}");
    assert_everything_is_found(&home, &notion).await;
    assert_eq!(*server.requests.borrow(), 0);
    let status = home.expect(0, &["status", "--json"]).await.json();
    assert_eq!(status["connectors"][0]["last_crawl"]["state"], "completed");
    // The secret opens, and nothing is read a second time.
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["state"], &report["deleted"]), (&"completed".into(), &0.into()));
    let bodies = notion.request_log().iter().filter(|entry| entry.endpoint.ends_with("/markdown")).count();
    assert_eq!(bodies, 0, "{report}");
    assert_everything_is_found(&home, &notion).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_that_version_one_did_not_end_goes_on() {
    let (notion, _server, home) = old("interrupted").await;
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["state"], &report["resumed"]), (&"completed".into(), &true.into()));
    let bodies = notion.request_log().iter().filter(|entry| entry.endpoint.ends_with("/markdown")).count();
    assert_eq!(bodies, 18, "what was read before was asked for again, or something was left out");
    assert_everything_is_found(&home, &notion).await;
}
