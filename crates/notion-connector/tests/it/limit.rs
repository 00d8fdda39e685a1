//! With a limit of N requests a window the crawl spends each window to the last request, and next to nothing more.

use std::time::Duration;

use notion_emulator::log::Entry;
use notion_emulator::rules::limit::{Anchor, Window};
use notion_emulator::{Behavior, Options};

use crate::support::{Line, generated};

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

#[tokio::test]
async fn a_real_clock_changes_nothing() {
    let window: Window = "60/2".parse().unwrap();
    let line = Line::over_http(generated("pages=300,seed=62")).await;
    line.notion.set_limits(Some(window), None);
    line.notion.set_latency(Duration::from_millis(10));
    line.notion.clear_requests();
    line.crawl().await;
    assert_spent_to_the_last(&line.notion.request_log(), window, 10, "real clock");
}
