//! How fast a crawl is, and when it may be done: pure reckoning over what was seen of it.

use std::collections::VecDeque;
use std::time::Duration;

use super::Progress;

/// How far back the speed is measured: long enough to smooth waits for Notion's window of a minute.
const WINDOW: Duration = Duration::from_secs(120);

/// What was seen of a crawl lately.
#[derive(Debug, Default)]
pub struct Pace {
    seen: VecDeque<(Duration, Progress)>,
}

/// How fast a crawl is, and when it may be done.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Estimate {
    /// Items processed in a second, lately; none until that can be measured.
    pub items_per_second: Option<f64>,
    /// Requests sent in a second, lately.
    pub requests_per_second: Option<f64>,
    /// Seconds until every item met so far is processed; more may be met while it is listing.
    pub eta_seconds: Option<u64>,
}

impl Pace {
    /// Takes what is seen `at` a time since some beginning, and says what follows from it.
    pub fn see(&mut self, at: Duration, progress: Progress) -> Estimate {
        self.seen.push_back((at, progress));
        // The oldest one kept is the first outside the window, so that the window is covered whole.
        while self.seen.get(1).is_some_and(|(second, _)| at.saturating_sub(*second) >= WINDOW) {
            self.seen.pop_front();
        }
        self.seen.front().map_or_else(Estimate::default, |(since, before)| {
            estimate(*before, progress, at.saturating_sub(*since))
        })
    }
}

/// What two sights of a crawl say, `elapsed` apart.
fn estimate(before: Progress, now: Progress, elapsed: Duration) -> Estimate {
    let seconds = elapsed.as_secs_f64();
    if seconds < 1.0 {
        return Estimate::default();
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / seconds;
    let items = rate(before.done, now.done);
    let left = now.known.saturating_sub(now.done);
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let eta = (items > 0.0 || left == 0).then(|| if left == 0 { 0.0 } else { left as f64 / items });
    Estimate {
        items_per_second: Some(items),
        requests_per_second: Some(rate(before.requests, now.requests)),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive; `as` saturates"
        )]
        eta_seconds: eta.map(|seconds| seconds.ceil() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(done: u64, known: u64) -> Progress {
        Progress { done, known, requests: 2 * done, listing: false }
    }

    #[test]
    fn the_time_left_is_what_is_left_at_the_speed_of_late() {
        let mut pace = Pace::default();
        assert_eq!(pace.see(Duration::ZERO, at(0, 100)), Estimate::default());
        let after = pace.see(Duration::from_secs(10), at(20, 100));
        assert_eq!(after.items_per_second, Some(2.0));
        assert_eq!(after.requests_per_second, Some(4.0));
        assert_eq!(after.eta_seconds, Some(40));
        // Slow for long: the fast beginning is forgotten.
        for second in 11..=400 {
            pace.see(Duration::from_secs(second), at(20 + second / 10, 200));
        }
        let slow = pace.see(Duration::from_secs(401), at(60, 200));
        assert!((0.09..0.12).contains(&slow.items_per_second.unwrap()), "{slow:?}");
        assert!(pace.seen.len() < 125, "what is kept is bounded");
    }

    #[test]
    fn nobody_can_say_when_a_crawl_that_stands_still_is_done() {
        let mut pace = Pace::default();
        pace.see(Duration::ZERO, at(10, 100));
        let still = pace.see(Duration::from_secs(5), at(10, 100));
        assert_eq!((still.items_per_second, still.eta_seconds), (Some(0.0), None));
        assert_eq!(pace.see(Duration::from_secs(6), at(100, 100)).eta_seconds, Some(0));
    }
}
