//! With a limit of N requests a window the crawl spends each window to the last request, and next to nothing more.

use std::time::Duration;

use notion_connector::crawl::Progress;
use notion_connector::ops::{self, AddConnector, StartCrawl};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::log::Entry;
use notion_emulator::rules::limit::{Anchor, Window};
use notion_emulator::{Behavior, DEFAULT_TOKEN, Options, TokenOptions};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::support::{CONNECTOR, IN_PROCESS, Line, generated, request};
use notion_connector::model::Caller;

/// What one window saw.
#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    began_ms: i64,
    answered: u32,
    refused: u32,
}

fn millis(entry: &Entry) -> i64 {
    entry.time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// The windows as Notion counts them, from the emulator's log.
fn windows(log: &[Entry], window: Window) -> Vec<Spent> {
    let length = i64::try_from(window.window_ms).unwrap();
    let mut windows: Vec<Spent> = Vec::new();
    for entry in log {
        let now = millis(entry);
        if windows.last().is_none_or(|last| now >= last.began_ms + length) {
            let began_ms = match window.anchor {
                Anchor::FirstRequest => now,
                Anchor::Clock => now - now.rem_euclid(length),
            };
            windows.push(Spent { began_ms, ..Spent::default() });
        }
        let last = windows.last_mut().unwrap();
        if entry.status == 429 {
            last.refused += 1;
        } else {
            last.answered += 1;
        }
    }
    windows
}

/// Between the window that taught the limit and the last one.
fn assert_spent_to_the_last(log: &[Entry], window: Window, in_flight: u32, story: &str) {
    let windows = windows(log, window);
    let learning = windows.iter().position(|spent| spent.refused > 0);
    let learning = learning.unwrap_or_else(|| panic!("the limit was never met: {story}"));
    assert!(windows.len() >= learning + 4, "too short to say anything: {story} {windows:?}");
    assert!(windows[learning].refused <= in_flight, "learning cost too much: {story} {windows:?}");
    for spent in &windows[learning + 1..windows.len() - 1] {
        assert!(spent.answered * 100 >= window.requests * 97, "{story}: {spent:?} of {windows:?}");
        assert!(spent.refused <= 1, "{story}: {spent:?} of {windows:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_window_is_spent_and_hardly_a_request_is_refused() {
    for (requests, scales) in [
        (60, [(2_000, 5), (2_000, 40), (3_000, 40), (3_000, 90)]),
        (200, [(2_000, 5), (2_000, 20), (3_000, 40), (3_000, 90)]),
    ] {
        for anchor in [Anchor::FirstRequest, Anchor::Clock] {
            for (window_ms, latency_ms) in scales {
                let window = Window { requests, window_ms, anchor };
                let behavior = Behavior { latency_ms, ..Behavior::default() };
                let options = Options { window: Some(window), behavior, ..Options::default() };
                let spec = format!("pages={},seed=61", requests * 5);
                let mut line = Line::in_process(generated(&spec), options).await;
                line.config.notion.concurrency = 10;
                line.notion.clear_requests();
                line.crawl().await;
                let story = format!("{window:?} with {latency_ms} ms");
                assert_spent_to_the_last(&line.notion.request_log(), window, 10, &story);
            }
        }
    }
}

/// A crawl spends a minute's requests in seconds. Who validates a connector meanwhile does not wait for the next minute.
#[tokio::test(start_paused = true)]
async fn who_asks_during_a_crawl_at_full_speed_waits_for_seconds_at_most() {
    let window = Window { requests: 180, window_ms: 60_000, anchor: Anchor::Clock };
    let behavior = Behavior { latency_ms: 250, ..Behavior::default() };
    let options = Options { window: Some(window), behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=1500,seed=64"), options).await;
    let app = line.app();
    line.notion.clear_requests();
    let crawl = ops::run_crawl(
        &app,
        &Caller::LOCAL_OPERATOR,
        request(Scope::Full),
        watch::Sender::new(Progress::default()),
    );
    let asking = async {
        // The limit, and how long its window is, are learned in three.
        tokio::time::sleep(Duration::from_secs(180)).await;
        let mut waited = Vec::new();
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(13)).await;
            let asked = tokio::time::Instant::now();
            ops::check_connector(&app, &Caller::LOCAL_OPERATOR, Some(CONNECTOR)).await.unwrap();
            waited.push(asked.elapsed());
        }
        waited
    };
    let (report, waited) = tokio::join!(crawl, asking);
    assert_eq!(report.unwrap().crawl.state, CrawlState::Completed);
    println!("{waited:?}");
    let soon = waited.iter().filter(|waited| **waited < Duration::from_secs(3)).count();
    assert!(soon >= 15 && waited.iter().all(|waited| *waited < Duration::from_secs(12)), "{waited:?}");
    assert_spent_to_the_last(&line.notion.request_log(), window, 10, "with a person who asks");
}

/// Crawls of two connectors beside each other, as `serve` runs them, each reading everything.
async fn crawl_together(line: &Line, secrets: [&str; 2]) {
    let app = line.app();
    let new = AddConnector {
        name: "second".to_owned(),
        notion_url: IN_PROCESS.to_owned(),
        secret: SecretString::from(secrets[1]),
        validate: false,
    };
    ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await.unwrap();
    line.notion.clear_requests();
    let ids = [CONNECTOR, "second"].map(|name| {
        let start = StartCrawl {
            connector: Some(name.to_owned()),
            scope: Some(Scope::ForceReindex),
            ..StartCrawl::default()
        };
        ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &start).unwrap().id
    });
    let (stop, told) = watch::channel(false);
    let until_ended = async {
        while ids
            .iter()
            .any(|id| ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, *id).unwrap().crawl.state.is_open())
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.send_replace(true);
    };
    tokio::join!(ops::run_scheduler(&app, told), until_ended);
}

#[tokio::test(start_paused = true)]
async fn two_crawls_of_one_integration_keep_the_measure_of_one() {
    for anchor in [Anchor::FirstRequest, Anchor::Clock] {
        let window = Window { requests: 200, window_ms: 3_000, anchor };
        let behavior = Behavior { latency_ms: 40, ..Behavior::default() };
        let options = Options { window: Some(window), behavior, ..Options::default() };
        let line = Line::in_process(generated("pages=700,seed=63"), options).await;
        crawl_together(&line, [DEFAULT_TOKEN; 2]).await;
        let log = line.notion.request_log();
        println!("{window:?}: {:?}", windows(&log, window));
        assert_spent_to_the_last(&log, window, 10, "two crawls of one integration");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_the_workspace_that_moves_is_kept_by_all_its_integrations() {
    const OTHER: &str = "ntn_other000000000000000000000000000000000000000";
    let window = |requests| Window { requests, window_ms: 3_000, anchor: Anchor::FirstRequest };
    let options = Options {
        tokens: vec![TokenOptions::new(DEFAULT_TOKEN), TokenOptions::new(OTHER)],
        workspace_window: Some(window(200)),
        behavior: Behavior { latency_ms: 40, ..Behavior::default() },
        ..Options::default()
    };
    let line = Line::in_process(generated("pages=2000,seed=64"), options).await;
    let moves = [(15, 120), (15, 160)];
    let moving = async {
        let mut moved = Vec::new();
        for (after_s, requests) in moves {
            tokio::time::sleep(Duration::from_secs(after_s)).await;
            moved.push((line.notion.request_log().len(), requests));
            line.notion.set_limits(None, Some(window(requests)));
        }
        moved
    };
    let (moved, ()) = tokio::join!(moving, crawl_together(&line, [DEFAULT_TOKEN, OTHER]));
    let log = line.notion.request_log();
    let ends = moved.iter().map(|(at, _)| *at).chain([log.len()]);
    let mut begins = 0;
    for (end, requests) in ends.zip([200, 120, 160]) {
        let spent = windows(&log[begins..end], window(requests));
        println!("{requests} requests in 3 s: {spent:?}");
        begins = end;
        // The first window began before the limit moved, or tells of it; the last one is cut.
        let [first, others @ .., _] = spent.as_slice() else { panic!("too short: {spent:?}") };
        assert!(first.refused <= 20 && others.len() >= 2, "{requests}: {spent:?}");
        // A limit that was raised is found in steps; from then on it is spent like any other.
        let found = others.iter().position(|window| window.answered * 100 >= requests * 97);
        let found = found.unwrap_or_else(|| panic!("{requests} are never spent: {spent:?}"));
        assert!(found <= 8, "{requests}: {spent:?}");
        assert!(others[..=found].iter().all(|window| window.refused <= 10), "{requests}: {spent:?}");
        for window in &others[found + 1..] {
            assert!(window.refused <= 1, "{requests}: {spent:?}");
            assert!(window.answered * 100 >= requests * 97, "{requests}: {spent:?}");
        }
    }
}

/// A busy machine delivers a request late, into the next window: what all windows saw together is judged.
#[tokio::test]
async fn a_real_clock_changes_nothing() {
    let window: Window = "60/3".parse().unwrap();
    let line = Line::over_http(generated("pages=300,seed=62")).await;
    line.notion.set_limits(Some(window), None);
    line.notion.set_latency(Duration::from_millis(10));
    line.notion.clear_requests();
    line.crawl().await;
    let spent = windows(&line.notion.request_log(), window);
    let learning = spent.iter().position(|spent| spent.refused > 0).unwrap();
    let learned = &spent[learning + 1..spent.len() - 1];
    let sum = |count: fn(&Spent) -> u32| learned.iter().map(count).sum::<u32>() as usize;
    assert!(learned.len() >= 3 && spent[learning].refused <= 10, "{spent:?}");
    assert!(sum(|spent| spent.answered) * 100 >= learned.len() * 60 * 90, "{spent:?}");
    assert!(sum(|spent| spent.refused) <= learned.len() * 2, "{spent:?}");
}
