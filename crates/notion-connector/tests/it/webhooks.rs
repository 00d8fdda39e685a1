//! Webhooks: an event of Notion's is a hint, and what it names is read afresh, soon. Most stories run in this process on a paused
//! clock; the last ones are told of the real program, over sockets.

use std::sync::Arc;
use std::time::Duration;

use notion_connector::app::App;
use notion_connector::ops::{
    self, CrawlSummary, EditConnector, Received, Setting, StartCrawl, WEBHOOKS, WebhookDetail,
};
use notion_connector::runtime::Runtime;
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::{Edit, Emulator, NewSubscription, Options, WebhookFault, WebhookFaultKind};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::program::Home;
use crate::support::{CONNECTOR, Line, Server, generated, request, search};
use notion_connector::model::Caller;

/// What `serve` runs, without its sockets.
struct Service {
    app: Arc<App>,
    stop: watch::Sender<bool>,
    working: JoinHandle<()>,
    pumping: JoinHandle<()>,
}

impl Service {
    fn start(line: &Line) -> Self {
        let app = line.app();
        let (stop, told) = watch::channel(false);
        let (at, pump) = (Arc::clone(&app), app.pump().unwrap());
        let working = tokio::spawn(async move { ops::run_scheduler(&at, told).await });
        let pumping = tokio::spawn(async move { pump.run().await.unwrap() });
        Self { app, stop, working, pumping }
    }

    /// Ends with nothing left to deliver.
    async fn stop(self) {
        self.stop.send_replace(true);
        self.working.await.unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        self.pumping.abort();
        let _ = self.pumping.await;
    }

    fn finds(&self, word: &str) -> usize {
        search(&self.app, word).total
    }

    /// How long until a word is found so often.
    async fn until_found(&self, word: &str, times: usize) -> Duration {
        let since = tokio::time::Instant::now();
        while self.finds(word) != times {
            let waited = since.elapsed();
            assert!(
                waited < Duration::from_secs(1_200),
                "“{word}” was not found {times} times: {:?}",
                self.crawls()
            );
            let soon = if waited.as_secs() < 5 { Duration::from_millis(50) } else { Duration::from_secs(5) };
            tokio::time::sleep(soon).await;
        }
        since.elapsed()
    }

    fn crawls(&self) -> Vec<CrawlSummary> {
        ops::list_crawls(&self.app, &Caller::LOCAL_OPERATOR, 100).unwrap()
    }

    async fn until_ended(&self, id: i64) -> CrawlSummary {
        loop {
            let crawl = ops::show_crawl(&self.app, &Caller::LOCAL_OPERATOR, id).unwrap().crawl;
            if !crawl.state.is_open() {
                return crawl;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn new_subscription(url: &str) -> NewSubscription {
    serde_json::from_value(json!({ "url": url })).unwrap()
}

/// A subscription at the address that the connector's webhook has; who listens there is this process.
async fn subscribe(line: &Line, app: &App) -> (String, Uuid) {
    let path = address(&ops::open_webhook(app, &Caller::LOCAL_OPERATOR, None).unwrap());
    let (id, status) = line.notion.subscribe(new_subscription("http://127.0.0.1:9/")).await.unwrap();
    assert_eq!(status, 0, "nobody listens");
    let handshake = line.notion.verification_request(id).unwrap();
    assert_eq!(ops::receive_webhook(app, &path, None, &handshake.body).unwrap(), Received::Token);
    let token = ops::show_webhook(app, &Caller::LOCAL_OPERATOR, None).unwrap().verification_token.unwrap();
    line.guard(&token);
    line.notion.verify_subscription(id, &token).unwrap();
    line.control("behavior", json!({"webhook_gathering_ms": 0})).await;
    (path, id)
}

fn address(detail: &WebhookDetail) -> String {
    let path = detail.endpoint.strip_prefix(WEBHOOKS).unwrap().to_owned();
    assert!(path.len() == 64 && path.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}");
    path
}

/// Hands over what waits at the emulator; how many events that were.
fn deliver(line: &Line, app: &App, path: &str) -> usize {
    let due = line.notion.take_deliveries(true);
    for delivery in &due {
        let signature = delivery.signature.as_deref().map(str::as_bytes);
        let received = ops::receive_webhook(app, path, signature, &delivery.body).unwrap();
        assert_eq!(received, Received::Event);
        line.notion.settle_delivery(delivery.event.unwrap(), 200);
    }
    due.len()
}

fn edit(notion: &Emulator, id: Uuid, text: &str) {
    let append = serde_json::from_value(
        json!([{"block": {"kind": "paragraph", "payload": {"rich_text": [{"text": {"content": text}}]}}}]),
    );
    let edit = Edit { append: append.unwrap(), ..Edit::default() };
    notion.edit(id, edit, &Default::default()).unwrap();
}

fn pages(line: &Line) -> Vec<Uuid> {
    line.truth().values().filter(|fact| fact.kind == "page").map(|fact| fact.id).collect()
}

/// A line that was crawled, with a service and a webhook; nothing keeps it fresh but events.
async fn listening(spec: &str) -> (Line, Service, String) {
    let mut line = Line::in_process(generated(spec), Options::default()).await;
    line.config.crawl.freshness_minutes = 0;
    line.crawl().await;
    let service = Service::start(&line);
    let (path, _) = subscribe(&line, &service.app).await;
    // What was read within the minute of its stamp has settled.
    tokio::time::sleep(Duration::from_secs(300)).await;
    line.bill();
    (line, service, path)
}

#[tokio::test(start_paused = true)]
async fn an_edit_is_found_soon_after_its_event_and_costs_two_requests() {
    let (line, service, path) = listening("pages=40,seed=901").await;
    let page = pages(&line)[0];
    edit(&line.notion, page, "quicksilver");
    assert_eq!(deliver(&line, &service.app, &path), 1);
    let took = service.until_found("quicksilver", 1).await;
    println!("in virtual time, an event is found after {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let bill = line.bill();
    assert_eq!(bill.values().sum::<usize>(), 2, "{bill:?}");
    let crawl = &service.crawls()[0];
    assert_eq!((crawl.scope.as_str(), crawl.started_by.as_str()), ("events", "webhook"));
    let crawl = service.until_ended(crawl.id).await;
    assert_eq!((crawl.state, crawl.discovered, crawl.updated), (CrawlState::Completed, 1, 1));
    service.stop().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn what_comes_goes_moves_and_changes_is_followed_by_events_alone() {
    let (line, service, path) = listening("pages=60,seed=902,shape=flat").await;
    let all = pages(&line);
    let (one, two) = (all[1], all[2]);
    let table = json!({"parent": one, "content": [
        {"page": {"title": "Newcomer", "body": [{"block": {"kind": "paragraph", "payload": {"rich_text": [{"text": {"content": "heliotrope"}}]}}}]}},
        {"database": {"title": "Fleet", "data_sources": [{"title": "Fleet", "schema": {"Note": {"type": "rich_text", "rich_text": {}}},
            "rows": [{"title": "Aquamarine"}, {"title": "Bergamot"}]}]}},
    ]});
    let planted = line.control("seed", table).await;
    deliver(&line, &service.app, &path);
    service.until_found("heliotrope", 1).await;
    service.until_found("Bergamot", 1).await;
    let newcomer: Uuid = planted["ids"][0].as_str().unwrap().parse().unwrap();

    line.control("move", json!({"id": newcomer, "parent": two})).await;
    deliver(&line, &service.app, &path);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let row = search(&service.app, "Aquamarine").hits[0].id;
    line.control(
        "edit",
        json!({"id": row, "title": "Periwinkle", "properties": {"Note": {"rich_text": [{"text": {"content": "zaffre"}}]}}}),
    )
    .await;
    deliver(&line, &service.app, &path);
    service.until_found("Periwinkle", 1).await;
    service.until_found("zaffre", 1).await;

    line.control("trash", json!({"id": one})).await;
    deliver(&line, &service.app, &path);
    service.until_found("Bergamot", 0).await;
    line.control("restore", json!({"id": one})).await;
    deliver(&line, &service.app, &path);
    service.until_found("Bergamot", 1).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let crawls = service.crawls();
    assert!(crawls.iter().all(|crawl| crawl.state == CrawlState::Completed), "{crawls:?}");
    let crawls_of_events = crawls.iter().filter(|crawl| crawl.scope == "events").count();
    assert_eq!(crawls_of_events, 1, "the history shows one of a day: {crawls:?}");
    service.stop().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn a_thousand_events_about_one_page_cost_a_handful_of_requests() {
    let (line, service, path) = listening("pages=20,seed=903").await;
    let page = pages(&line)[0];
    for number in 0..1_000 {
        edit(&line.notion, page, &format!("flood{number}"));
        assert_eq!(deliver(&line, &service.app, &path), 1);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = service.until_found("flood999", 1).await;
    let bill = line.bill();
    println!("1000 events about one page in two seconds: {bill:?}, the last is found after {took:?}");
    assert!(bill.values().sum::<usize>() <= 12, "{bill:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let detail = ops::show_webhook(&service.app, &Caller::LOCAL_OPERATOR, None).unwrap();
    assert_eq!((detail.accepted, detail.repeated), (1_000, 0));
    service.stop().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn an_event_is_read_before_the_rest_of_a_long_crawl_and_counted_once() {
    let (line, service, path) = listening("pages=400,seed=904").await;
    line.control("latency", json!({"ms": 400})).await;
    let start = StartCrawl {
        connector: None,
        scope: Some(Scope::ForceReindex),
        start_point: None,
        plan: false,
        name: None,
    };
    let id = ops::start_crawl(&service.app, &Caller::LOCAL_OPERATOR, &start).unwrap().id;
    let met = |at_least| {
        let app = &service.app;
        async move {
            while ops::show_crawl(app, &Caller::LOCAL_OPERATOR, id).unwrap().crawl.discovered < at_least {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    met(200).await;
    let mut worst = Duration::ZERO;
    for (number, page) in pages(&line).into_iter().enumerate().step_by(60) {
        edit(&line.notion, page, &format!("urgent{number}"));
        deliver(&line, &service.app, &path);
        worst = worst.max(service.until_found(&format!("urgent{number}"), 1).await);
    }
    let crawl = ops::show_crawl(&service.app, &Caller::LOCAL_OPERATOR, id).unwrap().crawl;
    assert!(crawl.state.is_open(), "it is still under way: {crawl:?}");
    println!("beside a crawl, with 400 ms for each answer, an event is found after {worst:?} at most");
    assert!(worst < Duration::from_secs(3), "{worst:?}");
    let crawl = service.until_ended(id).await;
    assert_eq!((crawl.state, crawl.discovered), (CrawlState::Completed, line.truth().len() as u64));
    assert!(ops::show_crawl(&service.app, &Caller::LOCAL_OPERATOR, id).unwrap().alerts.is_empty());
    service.stop().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_repeated_late_or_in_the_wrong_order_does_no_harm() {
    let line = Line::in_process(generated("pages=40,seed=905"), Options::default()).await;
    line.crawl().await;
    let service = Service::start(&line);
    let (path, _) = subscribe(&line, &service.app).await;
    let all = pages(&line);
    let fault = |kind, count| WebhookFault { kind, count, skip: 0, delay_ms: 0 };
    line.notion.push_webhook_fault(fault(WebhookFaultKind::Lose, 1));
    line.notion.push_webhook_fault(fault(WebhookFaultKind::Repeat, 2));
    edit(&line.notion, all[0], "unheard");
    edit(&line.notion, all[1], "doubled");
    while deliver(&line, &service.app, &path) > 0 {}
    service.until_found("doubled", 1).await;
    assert_eq!(service.finds("unheard"), 0);
    assert_eq!(ops::show_webhook(&service.app, &Caller::LOCAL_OPERATOR, None).unwrap().repeated, 1);

    // The word of a deletion that was undone comes last.
    line.control("behavior", json!({"webhook_reversed": true})).await;
    line.control("trash", json!({"id": all[2]})).await;
    let deleted = line.notion.take_deliveries(true);
    line.control("restore", json!({"id": all[2]})).await;
    deliver(&line, &service.app, &path);
    for delivery in deleted {
        let signature = delivery.signature.as_deref().map(str::as_bytes);
        ops::receive_webhook(&service.app, &path, signature, &delivery.body).unwrap();
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    let waited = service.until_found("unheard", 1).await;
    println!("a lost event is made up for by the crawl that keeps fresh, after {waited:?}");
    assert!(waited < Duration::from_secs(11 * 60), "{waited:?}");
    service.stop().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn events_are_known_again_after_a_restart() {
    let (line, service, path) = listening("pages=10,seed=906").await;
    edit(&line.notion, pages(&line)[0], "once");
    let due = line.notion.take_deliveries(true);
    let signature = due[0].signature.clone().unwrap();
    let receive =
        |app: &App| ops::receive_webhook(app, &path, Some(signature.as_bytes()), &due[0].body).unwrap();
    assert_eq!(receive(&service.app), Received::Event);
    service.until_found("once", 1).await;
    service.stop().await;
    line.bill();
    let service = Service::start(&line);
    assert_eq!(receive(&service.app), Received::Event, "Notion is told that it need not send it again");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(line.bill().values().sum::<usize>(), 0);
    assert_eq!(ops::show_webhook(&service.app, &Caller::LOCAL_OPERATOR, None).unwrap().repeated, 1);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_was_written_down_is_taken_up_after_a_restart() {
    let (line, service, path) = listening("pages=10,seed=907").await;
    service.stop().await;
    edit(&line.notion, pages(&line)[0], "patience");
    deliver(&line, &line.app(), &path);
    let service = Service::start(&line);
    service.until_found("patience", 1).await;
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn filters_and_the_limit_hold_for_what_events_name() {
    let mut line = Line::in_process(generated("pages=40,seed=908,shape=flat"), Options::default()).await;
    line.config.crawl.freshness_minutes = 0;
    let all = pages(&line);
    let out = EditConnector { exclude: Some(vec![all[0].to_string()]), ..EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &out).unwrap();
    line.crawl().await;
    let service = Service::start(&line);
    let (path, _) = subscribe(&line, &service.app).await;
    // Titles stand in the text of the page above too.
    let page = |word: &str, parent: Uuid| {
        let text = json!({"kind": "paragraph", "payload": {"rich_text": [{"text": {"content": word}}]}});
        json!({"parent": parent, "content": [{"page": {"title": "New", "body": [{"block": text}]}}]})
    };
    let inside = line.control("seed", page("Cinnabar", all[0])).await;
    let held_page = line.control("seed", page("Ultramarine", all[5])).await;
    deliver(&line, &service.app, &path);
    let took = service.until_found("Ultramarine", 1).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(service.finds("Cinnabar"), 0, "it lies below what is excluded");
    line.control("move", json!({"id": inside["ids"][0], "parent": all[5]})).await;
    deliver(&line, &service.app, &path);
    service.until_found("Cinnabar", 1).await;
    line.control("move", json!({"id": inside["ids"][0], "parent": all[0]})).await;
    deliver(&line, &service.app, &path);
    service.until_found("Cinnabar", 0).await;

    let held = u64::try_from(line.export().len()).unwrap();
    let full: EditConnector =
        EditConnector { item_limit: Setting::typed(&held.to_string()), ..EditConnector::default() };
    ops::edit_connector(&service.app, &Caller::LOCAL_OPERATOR, CONNECTOR, &full).unwrap();
    let overflow = line.control("seed", page("Overflow", all[5])).await;
    edit(&line.notion, all[5], "brimful");
    deliver(&line, &service.app, &path);
    service.until_found("brimful", 1).await;
    assert_eq!(service.finds("Overflow"), 0);
    assert!(service.crawls().iter().any(|crawl| crawl.skipped == 1));

    // What is held goes with what is left out above it, of which alone Notion speaks.
    line.control("move", json!({"id": held_page["ids"][0], "parent": overflow["ids"][0]})).await;
    deliver(&line, &service.app, &path);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(service.finds("Ultramarine"), 1);
    line.control("trash", json!({"id": overflow["ids"][0]})).await;
    deliver(&line, &service.app, &path);
    service.until_found("Ultramarine", 0).await;
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn events_wait_for_the_first_crawl_and_a_refused_secret_is_not_tried_for_each() {
    let mut line = Line::in_process(generated("pages=10,seed=909"), Options::default()).await;
    line.config.crawl.freshness_minutes = 0;
    let service = Service::start(&line);
    let (path, _) = subscribe(&line, &service.app).await;
    let page = pages(&line)[0];
    edit(&line.notion, page, "early");
    deliver(&line, &service.app, &path);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(service.crawls().is_empty() && line.bill().is_empty(), "nobody said yet what is to be crawled");
    let id = ops::start_crawl(
        &service.app,
        &Caller::LOCAL_OPERATOR,
        &StartCrawl { connector: None, scope: None, start_point: None, plan: false, name: None },
    )
    .unwrap()
    .id;
    service.until_ended(id).await;
    line.control("token", json!({"revoked": true})).await;
    for number in 0..20 {
        edit(&line.notion, page, &format!("locked{number}"));
        deliver(&line, &service.app, &path);
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let failed =
        |service: &Service| service.crawls().iter().filter(|crawl| crawl.state == CrawlState::Failed).count();
    assert_eq!(failed(&service), 1);
    line.control("token", json!({"revoked": false})).await;
    service.until_found("locked19", 1).await;
    assert_eq!(failed(&service), 1);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn comments_are_read_anew_where_they_are_indexed() {
    let mut line = Line::in_process(generated("pages=10,seed=910"), Options::default()).await;
    line.config.crawl.freshness_minutes = 0;
    line.crawl().await;
    let service = Service::start(&line);
    let (path, _) = subscribe(&line, &service.app).await;
    let page = pages(&line)[0];
    line.control("comment", json!({"id": page, "text": "unread"})).await;
    deliver(&line, &service.app, &path);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        (
            service.finds("unread"),
            ops::show_webhook(&service.app, &Caller::LOCAL_OPERATOR, None).unwrap().ignored
        ),
        (0, 1)
    );
    let on = EditConnector { comments: Setting::typed("pages"), ..EditConnector::default() };
    ops::edit_connector(&service.app, &Caller::LOCAL_OPERATOR, CONNECTOR, &on).unwrap();
    line.control("comment", json!({"id": page, "text": "viridian"})).await;
    deliver(&line, &service.app, &path);
    service.until_found("viridian", 1).await;
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_is_let_in_for_ten_minutes_and_nothing_is_believed_without_it() {
    let line = Line::in_process(generated("pages=5,seed=911"), Options::default()).await;
    let app = line.app();
    line.crawl().await;
    assert!(
        ops::show_webhook(&app, &Caller::LOCAL_OPERATOR, None).is_err(),
        "there is none before somebody opens it"
    );
    let receive = |path: &str, signature: Option<&str>, body: &[u8]| {
        ops::receive_webhook(&app, path, signature.map(str::as_bytes), body).unwrap()
    };
    let handshake = |token: &str| json!({"verification_token": token}).to_string().into_bytes();
    let opened = ops::open_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap();
    let path = address(&opened);
    assert_eq!(receive(&path, None, &handshake("secret_one")), Received::Token);
    assert_eq!(
        ops::show_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap().verification_token.as_deref(),
        Some("secret_one")
    );
    tokio::time::sleep(Duration::from_secs(601)).await;
    let shown = ops::show_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap();
    assert!(shown.verification_token.is_none() && shown.window_ends.is_none());
    assert!(shown.verification_received.is_some());
    assert_eq!(receive(&path, None, &handshake("secret_two")), Received::Unwanted, "the window is closed");
    let again = ops::open_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap();
    assert_eq!((address(&again), again.verification_token.as_deref()), (path.clone(), Some("secret_one")));
    assert_eq!(receive(&path, None, &handshake("with blanks in it")), Received::Malformed);
    assert_eq!(receive(&path, None, &handshake(&"x".repeat(600))), Received::Malformed);
    ops::close_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap();
    assert_eq!(receive(&path, None, &handshake("secret_two")), Received::Unwanted);

    let event = br#"{"id":"1","type":"page.deleted","entity":{"id":"0b3c6a1e-7f4d-8d0a-9c11-223344556677"}}"#;
    let zeros = format!("sha256={}", "0".repeat(64));
    for signature in [None, Some(""), Some(zeros.as_str())] {
        assert_eq!(receive(&path, signature, event), Received::Unsigned);
    }
    for elsewhere in ["", "..", &path[..63], &"0".repeat(64), &path.replace(&path[..4], "zzzz")] {
        assert_eq!(receive(elsewhere, None, event), Received::Nowhere);
    }
    assert_eq!(ops::show_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap().refused, 5);
    ops::forget_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap();
    assert_eq!(receive(&path, None, &handshake("secret_one")), Received::Nowhere);
    assert_ne!(address(&ops::open_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap()), path);
}

#[tokio::test(start_paused = true)]
async fn events_of_another_subscription_or_workspace_are_refused() {
    let (line, service, path) = listening("pages=5,seed=912").await;
    // Another subscription, which has another token.
    let (id, _) = line.notion.subscribe(new_subscription("http://127.0.0.1:9/")).await.unwrap();
    let handshake: Value =
        serde_json::from_slice(&line.notion.verification_request(id).unwrap().body).unwrap();
    line.notion.verify_subscription(id, handshake["verification_token"].as_str().unwrap()).unwrap();
    edit(&line.notion, pages(&line)[0], "x");
    let received: Vec<Received> = line
        .notion
        .take_deliveries(true)
        .iter()
        .map(|one| {
            let signature = one.signature.as_deref().map(str::as_bytes);
            ops::receive_webhook(&service.app, &path, signature, &one.body).unwrap()
        })
        .collect();
    assert_eq!(received, [Received::Event, Received::Unsigned]);
    service.stop().await;

    // Another workspace, whose events somebody leads here.
    let strange = Line::in_process(generated("pages=5,seed=913"), Options::default()).await;
    let app = line.app();
    let (id, _) = strange.notion.subscribe(new_subscription("http://127.0.0.1:9/")).await.unwrap();
    let handshake = strange.notion.verification_request(id).unwrap();
    ops::open_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap();
    assert_eq!(ops::receive_webhook(&app, &path, None, &handshake.body).unwrap(), Received::Token);
    let token = ops::show_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap().verification_token.unwrap();
    strange.notion.verify_subscription(id, &token).unwrap();
    edit(&strange.notion, pages(&strange)[0], "y");
    let event = &strange.notion.take_deliveries(true)[0];
    let signature = event.signature.as_deref().map(str::as_bytes);
    assert_eq!(ops::receive_webhook(&app, &path, signature, &event.body).unwrap(), Received::Unwanted);
}

#[tokio::test(start_paused = true)]
async fn what_is_signed_is_believed_after_the_key_was_exchanged() {
    let (line, service, path) = listening("pages=5,seed=915").await;
    let sealed = || service.app.store.load_sealed().unwrap();
    let before = sealed();
    let rotation = ops::rotate_secrets(&service.app, &Caller::LOCAL_OPERATOR).unwrap();
    assert!(rotation.resealed >= 2 && rotation.old_key_removed, "{rotation:?}");
    let after = sealed();
    assert_eq!((before.len(), after.len()), (2, 2), "the secret and the token");
    assert!(
        before.iter().zip(&after).all(|(old, new)| old.purpose == new.purpose && old.sealed != new.sealed)
    );
    edit(&line.notion, pages(&line)[0], "cerulean");
    assert_eq!(deliver(&line, &service.app, &path), 1);
    service.until_found("cerulean", 1).await;
    service.stop().await;
}

/// A command for a crawl of what events named is refused, and one that a service left is ended by the next crawl.
#[tokio::test(start_paused = true)]
async fn nobody_asks_for_a_crawl_of_events() {
    let line = Line::in_process(generated("pages=5,seed=914"), Options::default()).await;
    let refused = line.try_crawl(Scope::Events).await.unwrap_err();
    assert!(refused.to_string().contains("by itself"), "{refused}");
    let start = StartCrawl {
        connector: None,
        scope: Some(Scope::Events),
        start_point: None,
        plan: false,
        name: None,
    };
    assert!(ops::start_crawl(&line.app(), &Caller::LOCAL_OPERATOR, &start).is_err());
    line.crawl().await;
    let app = line.app();
    let connector = app.store.load_connector(CONNECTOR).unwrap().unwrap();
    let left = app.store.add_crawl(connector.id, Scope::Events, "webhook", app.runtime.now()).unwrap();
    ops::run_crawl(
        &app,
        &Caller::LOCAL_OPERATOR,
        request(Scope::Full),
        watch::Sender::new(Default::default()),
    )
    .await
    .unwrap();
    assert_eq!(
        ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, left.0).unwrap().crawl.state,
        CrawlState::Cancelled
    );
}

/// One request, and the status and body of its answer.
async fn speak(origin: &str, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(origin.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "{head}\r\nhost: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        &origin[7..],
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Who is refused early may be cut off while it still sends.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_serves_its_one_route_and_nothing_else() {
    let line = Line::over_http(generated("pages=3,seed=915")).await;
    let app = line.app();
    let path = ops::open_webhook(&app, &Caller::LOCAL_OPERATOR, None).unwrap().endpoint;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let served = Arc::clone(&app);
    let (_stop, told) = watch::channel(false);
    let serving =
        tokio::spawn(async move { notion_connector::web::serve_webhooks(served, listener, told).await });
    let nothing = [
        "GET / HTTP/1.1",
        "GET /healthz HTTP/1.1",
        "GET /metrics HTTP/1.1",
        "GET /api/v1/status HTTP/1.1",
        "GET /search?q=x HTTP/1.1",
        "POST /webhooks/notion/ HTTP/1.1",
        "POST /webhooks/notion/0000 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        &format!("GET {path} HTTP/1.1"),
        &format!("PUT {path} HTTP/1.1"),
        &format!("POST {path}/ HTTP/1.1"),
        &format!("POST {path}/x HTTP/1.1"),
    ];
    for head in nothing {
        assert_eq!(speak(&origin, head, b"{}").await, (404, String::new()), "{head}");
    }
    let post = format!("POST {path} HTTP/1.1");
    assert_eq!(speak(&origin, &post, b"{\"id\":\"1\",\"type\":\"a.b\"}").await.0, 401);
    assert_eq!(speak(&origin, &post, &vec![b' '; 300 << 10]).await.0, 413);
    assert_eq!(speak(&origin, &post, b"{\"verification_token\":\"secret_x\"}").await.0, 200);
    // A body that does not come holds nobody else up.
    let mut slow = TcpStream::connect(&origin[7..]).await.unwrap();
    slow.write_all(format!("{post}\r\nhost: x\r\ncontent-length: 5\r\n\r\n{{").as_bytes()).await.unwrap();
    assert_eq!(speak(&origin, &post, b"{\"verification_token\":\"secret_y\"}").await.0, 200);
    serving.abort();
}

/// The real program, with where it listens.
struct Serving {
    program: tokio::process::Child,
    url: String,
    webhook_url: String,
}

impl Serving {
    async fn start(home: &Home) -> Self {
        let listen = ["--listen", "127.0.0.1:0", "--webhook-listen", "127.0.0.1:0"];
        let mut program = home.spawn(&[&["serve", "--json", "--no-sign-in", "-vv"][..], &listen].concat());
        let mut first = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut first).await.unwrap();
        let told: Value = serde_json::from_str(&first).unwrap();
        let [url, webhook_url] = ["url", "webhook_url"].map(|key| told[key].as_str().unwrap().to_owned());
        Self { program, url, webhook_url }
    }

    async fn finds(&self, word: &str) -> bool {
        let (status, body) = speak(&self.url, &format!("GET /api/v1/search?q={word} HTTP/1.1"), b"").await;
        assert_eq!(status, 200, "{body}");
        !body.contains("\"total\":0")
    }

    async fn until_found(&self, word: &str) -> Duration {
        let since = tokio::time::Instant::now();
        while !self.finds(word).await {
            assert!(since.elapsed() < Duration::from_secs(60), "“{word}” was not found");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        since.elapsed()
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn with_the_real_program_an_edit_is_found_within_two_seconds_of_its_event_and_no_token_is_logged() {
    let notion = Emulator::new(
        generated("pages=300,seed=916"),
        Options { base_ms: Runtime::real().now().as_millisecond(), ..Options::default() },
    );
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    // Nothing but events makes it fresh.
    home.set("NOTION_CONNECTOR__CRAWL__FRESHNESS_MINUTES", "0");
    home.set("NOTION_CONNECTOR__NOTION__CONCURRENCY", "2");
    home.expect(0, &["crawl", CONNECTOR]).await;
    let serving = Serving::start(&home).await;

    let opened = home.expect(0, &["connector", "webhook", "open", "--json"]).await.json();
    let endpoint = opened["endpoint"].as_str().unwrap();
    let (id, status) =
        notion.subscribe(new_subscription(&format!("{}{endpoint}", serving.webhook_url))).await.unwrap();
    assert_eq!(status, 200);
    let shown = home.expect(0, &["connector", "webhook", "show", "--json"]).await.json();
    let token = shown["verification_token"].as_str().unwrap().to_owned();
    notion.verify_subscription(id, &token).unwrap();
    let all: Vec<Uuid> = notion
        .truth(None)
        .unwrap()
        .iter()
        .filter(|fact| fact["kind"] == "page")
        .map(|fact| fact["id"].as_str().unwrap().parse().unwrap())
        .collect();

    let mut idle = Vec::new();
    for (number, page) in all.iter().take(5).enumerate() {
        edit(&notion, *page, &format!("idle{number}"));
        let done = notion.deliver_events(true).await;
        assert!(done.iter().all(|event| event["status"] == 200), "{done:?}");
        idle.push(serving.until_found(&format!("idle{number}")).await);
    }
    // A crawl that takes minutes, as it would at three requests a second.
    notion.set_latency(Duration::from_millis(300));
    let (status, body) = speak(
        &serving.url,
        "POST /api/v1/crawls HTTP/1.1\r\ncontent-type: application/json",
        b"{\"scope\":\"force-reindex\"}",
    )
    .await;
    let crawl: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 202, "{body}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut beside = Vec::new();
    for (number, page) in all.iter().rev().take(3).enumerate() {
        edit(&notion, *page, &format!("beside{number}"));
        notion.deliver_events(true).await;
        beside.push(serving.until_found(&format!("beside{number}")).await);
    }
    let (_, state) = speak(&serving.url, &format!("GET /api/v1/crawls/{} HTTP/1.1", crawl["id"]), b"").await;
    assert!(state.contains("in_progress"), "the crawl is still under way: {state}");
    println!(
        "from the delivered event to the search that finds it: idle {idle:?}; beside a crawl, with 300 ms for each answer, {beside:?}"
    );

    let pid = serving.program.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = crate::program::Ended::of(serving.program.wait_with_output().await.unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let id = endpoint.strip_prefix(WEBHOOKS).unwrap();
    for hidden in [token.as_str(), id, "sha256="] {
        assert!(!ended.stderr.contains(hidden), "the log holds {hidden}");
    }
    assert!(ended.stderr.len() > 1_000, "it says much: {}", ended.stderr);
}
