//! Backups that are made while crawls run, taken back elsewhere, and ends that are asked for.

use std::time::Duration;

use notion_emulator::{Behavior, Emulator, Options};
use tokio::process::Child;

use crate::program::{Ended, Home};
use crate::support::{Server, generated};

/// The home of a program that has everything but the data of the first one.
fn elsewhere(home: &Home) -> Home {
    let mut other = Home::new();
    other.environment.clone_from(&home.environment);
    other
}

async fn terminate(child: Child) -> Ended {
    let id = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await;
    Ended::of(ended.expect("a process that was asked to end ends").unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_crawl_goes_on_elsewhere_and_ends_like_it() {
    let behavior = Behavior { latency_ms: 15, ..Behavior::default() };
    let notion = Emulator::new(generated("pages=240,seed=81"), Options { behavior, ..Options::default() });
    let mut server = Server::start(&notion).await;
    let mut home = Home::new();
    home.set("NOTION_CONNECTOR__NOTION__CONCURRENCY", "3");
    home.connect(&server.url).await;
    let crawl = home.spawn(&["crawl", "--json"]);
    let reached = server.requests.wait_for(|count| *count >= 100);
    assert!(tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap().is_ok());
    let file = home.path().join("copy.backup");
    let path = file.to_str().unwrap();
    let copied = home.expect(0, &["backup", path, "--json"]).await.json();
    assert_eq!(copied["bytes"], file.metadata().unwrap().len());
    // A backup is never overwritten.
    home.expect(1, &["backup", path]).await;
    let undisturbed = Ended::of(crawl.wait_with_output().await.unwrap());
    assert_eq!(undisturbed.code, Some(0), "{undisturbed:?}");

    let other = elsewhere(&home);
    other.expect(0, &["restore", path]).await;
    let before = *server.requests.borrow();
    let report = other.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["state"], &report["resumed"]), (&"completed".into(), &true.into()));
    let asked = *server.requests.borrow() - before;
    assert!(asked < 200, "{asked} requests: what the backup held was asked for again");
    assert_eq!(other.expect(0, &["export"]).await.stdout, home.expect(0, &["export"]).await.stdout);
    let page = notion.truth(None).unwrap().into_iter().find(|fact| fact["kind"] == "page").unwrap();
    let marker = page["markers"][0].as_str().unwrap();
    let answer = other.expect(0, &["search", marker, "--json"]).await.json();
    assert_eq!(answer["hits"][0]["id"], page["id"]);
    // What is there is not replaced.
    assert!(other.expect(2, &["restore", path]).await.stderr.contains("holds something already"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_holds_no_secret_that_opens_without_its_key() {
    let notion = Emulator::new(generated("pages=10,seed=82"), Options::default());
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    home.expect(0, &["crawl"]).await;
    let file = home.path().join("copy.backup");
    home.expect(0, &["backup", file.to_str().unwrap()]).await;
    let bytes = std::fs::read(&file).unwrap();
    let secret = notion_emulator::DEFAULT_TOKEN.as_bytes();
    assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    let mut other = elsewhere(&home);
    other.set("NOTION_CONNECTOR_KEY", &"11".repeat(32));
    other.expect(0, &["restore", file.to_str().unwrap()]).await;
    assert!(other.expect(4, &["crawl"]).await.stderr.contains("key"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_that_is_asked_to_end_goes_on_with_the_same_command() {
    let behavior = Behavior { latency_ms: 15, ..Behavior::default() };
    let notion = Emulator::new(generated("pages=120,seed=83"), Options { behavior, ..Options::default() });
    let mut server = Server::start(&notion).await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    let crawl = home.spawn(&["crawl", "--json"]);
    let reached = server.requests.wait_for(|count| *count >= 40);
    assert!(tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap().is_ok());
    let ended = terminate(crawl).await;
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(ended.stderr.contains("goes on where it was"), "{ended:?}");
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["state"], &report["resumed"]), (&"completed".into(), &true.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_asked_to_end_does_and_leaves_the_directory_free() {
    let home = Home::new();
    for _ in 0..2 {
        let mut server = home.spawn(&["serve", "--listen", "127.0.0.1:0", "--json"]);
        let mut line = String::new();
        let mut stdout = tokio::io::BufReader::new(server.stdout.as_mut().unwrap());
        tokio::io::AsyncBufReadExt::read_line(&mut stdout, &mut line).await.unwrap();
        assert!(line.contains("http://127.0.0.1:"), "{line}");
        assert_eq!(terminate(server).await.code, Some(0));
    }
}
