//! The world's time: a base, plus what tokio's clock has run since, plus what the control API advanced. Under tokio's
//! paused clock it moves only as the test says.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The clock of one emulator.
#[derive(Debug)]
pub struct Clock {
    base_ms: i64,
    started: Instant,
    advanced_ms: AtomicI64,
}

impl Clock {
    /// A clock that reads `base_ms` now.
    #[must_use]
    pub fn new(base_ms: i64) -> Self {
        Self { base_ms, started: Instant::now(), advanced_ms: AtomicI64::new(0) }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let run = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.base_ms.saturating_add(run).saturating_add(self.advanced_ms.load(Ordering::Relaxed))
    }

    /// Moves the world's time on, for everything but latency.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        self.advanced_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_runs_with_tokio_and_with_advance() {
        let clock = Clock::new(1000);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(clock.now_ms(), 3000);
        clock.advance(Duration::from_secs(60));
        assert_eq!(clock.now_ms(), 63_000);
    }
}
