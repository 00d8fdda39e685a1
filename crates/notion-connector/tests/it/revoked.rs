//! What an integration loses in the middle of a crawl: the crawl stops, says what to mend, and deletes nothing.

use std::time::Duration;

use notion_connector::ops::{self, AddConnector, CrawlSummary, StartCrawl};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::faults::Plan;
use notion_emulator::{Behavior, DEFAULT_TOKEN, Emulator, Options, TokenOptions};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::program::Home;
use crate::support::{CONNECTOR, IN_PROCESS, Line, Server, generated};
use notion_connector::model::Caller;

const NEW: &str = "ntn_new000000000000000000000000000000000000000000";

/// Happens to the first token before the page request that comes after so many others.
fn after(skip: u32, body: Value) -> Plan {
    Plan { verb: "token".to_owned(), body, skip, method: None, path_prefix: Some("/v1/pages".to_owned()) }
}

/// Runs the queued crawls of these connectors, as `serve` does, until all have ended.
async fn serve(line: &Line, names: &[&str], scope: Scope) -> Vec<CrawlSummary> {
    let app = line.app();
    let start = |name: &&str| {
        let start =
            StartCrawl { connector: Some((*name).to_owned()), scope: Some(scope), ..StartCrawl::default() };
        ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &start).unwrap().id
    };
    let ids: Vec<i64> = names.iter().map(start).collect();
    let show = |id: &i64| ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, *id).unwrap().crawl;
    let (stop, told) = watch::channel(false);
    let until_ended = async {
        while ids.iter().any(|id| show(id).state.is_open()) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        stop.send_replace(true);
    };
    tokio::join!(ops::run_scheduler(&app, told), until_ended);
    ids.iter().map(show).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capability_that_is_taken_away_is_named_and_the_crawl_goes_on_when_it_is_back() {
    let notion = Emulator::new(generated("pages=120,seed=111"), Options::default());
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    notion.plan(after(50, json!({"capabilities": {"read_content": false}})));
    let stopped = home.expect(4, &["crawl"]).await;
    assert!(stopped.stderr.contains("Read content"), "{}", stopped.stderr);
    let held = home.expect(0, &["export"]).await.json_lines().len();
    assert!(held > 10, "what was read is searchable: {held}");
    home.expect(4, &["crawl"]).await;
    assert_eq!(home.expect(0, &["export"]).await.json_lines().len(), held, "nothing is deleted for that");
    notion.set_token(None, Some(notion_emulator::rules::auth::Capabilities::default()), None).unwrap();
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["state"], &report["deleted"]), (&json!("completed"), &json!(0)));
    let bodies = notion.request_log().into_iter().filter(|entry| entry.status == 200);
    let bodies = bodies.filter(|entry| entry.endpoint.ends_with("/markdown")).count();
    assert!(bodies <= 140, "{bodies} bodies of 120 pages were read");
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_secret_is_revoked_fails_the_crawls_that_use_it_and_goes_on_with_a_new_one() {
    let behavior = Behavior { latency_ms: 20, ..Behavior::default() };
    let tokens = vec![TokenOptions::new(DEFAULT_TOKEN), TokenOptions::new(NEW)];
    let line =
        Line::in_process(generated("pages=120,seed=112"), Options { tokens, behavior, ..Options::default() })
            .await;
    let second = AddConnector {
        name: "second".to_owned(),
        notion_url: IN_PROCESS.to_owned(),
        secret: SecretString::from(DEFAULT_TOKEN),
        validate: false,
    };
    ops::add_connector(&line.app(), &Caller::LOCAL_OPERATOR, second).await.unwrap();
    let names = [CONNECTOR, "second"];
    for crawl in serve(&line, &names, Scope::Full).await {
        assert_eq!(crawl.state, CrawlState::Completed, "{crawl:?}");
    }
    let held = line.truth().len() as u64;
    line.notion.advance(Duration::from_secs(3_600));
    line.notion.plan(after(60, json!({"revoked": true})));
    for (crawl, name) in serve(&line, &names, Scope::ForceReindex).await.iter().zip(names) {
        assert_eq!((crawl.state, crawl.deleted), (CrawlState::Failed, 0), "{crawl:?}");
        let reason = crawl.reason.as_deref().unwrap_or_default();
        assert!(reason.contains("secret") && reason.contains("set-secret"), "{name}: {reason}");
    }
    let items = |line: &Line| {
        let status = ops::status(&line.app(), &Caller::LOCAL_OPERATOR, Vec::new()).unwrap();
        status.connectors.into_iter().map(|connector| connector.items).collect::<Vec<_>>()
    };
    assert_eq!(items(&line), [held; 2], "nothing left for it");
    for name in names {
        ops::set_secret(&line.app(), &Caller::LOCAL_OPERATOR, name, SecretString::from(NEW)).await.unwrap();
    }
    for crawl in serve(&line, &names, Scope::Full).await {
        assert_eq!((crawl.state, crawl.deleted), (CrawlState::Completed, 0), "{crawl:?}");
    }
    line.app().pump().unwrap().drain().await.unwrap();
    line.assert_holds_the_truth();
}
