//! The seam to time, randomness and blocking work.
//!
//! In production it is the machine's clock, the system's randomness and tokio's blocking threads. In a simulation it
//! is tokio's (paused) clock, a seed, and blocking work run inline, so that a whole crawl replays identically.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use uuid::Uuid;

/// Clock, randomness and blocking work. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Mode>);

enum Mode {
    Real,
    Simulated { start: Timestamp, origin: tokio::time::Instant, random: Mutex<Box<StdRng>> },
}

impl Runtime {
    /// The machine's clock, randomness and threads.
    pub fn real() -> Self {
        Self(Arc::new(Mode::Real))
    }

    /// Tokio's clock counted from `start`, random numbers from `seed`, blocking work inline.
    pub fn simulated(start: Timestamp, seed: u64) -> Self {
        let random = Mutex::new(Box::new(StdRng::seed_from_u64(seed)));
        Self(Arc::new(Mode::Simulated { start, origin: tokio::time::Instant::now(), random }))
    }

    /// Whether time is tokio's clock, which does not wait for what happens outside of this process.
    pub fn is_simulated(&self) -> bool {
        matches!(*self.0, Mode::Simulated { .. })
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Mode::Real => Timestamp::now(),
            Mode::Simulated { start, origin, .. } => {
                let elapsed_ms = i64::try_from(origin.elapsed().as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millisecond(start.as_millisecond().saturating_add(elapsed_ms))
                    .unwrap_or(*start)
            }
        }
    }

    /// Runs work that blocks (disk, long computations) where it does not hold up the network.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that moves work to a blocking thread"
    )]
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        match &*self.0 {
            Mode::Real => match tokio::task::spawn_blocking(work).await {
                Ok(value) => value,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // Blocking work is cancelled only when the runtime itself shuts down: nobody will read the answer.
                Err(_) => std::future::pending().await,
            },
            Mode::Simulated { .. } => work(),
        }
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// A random number in `0.0..1.0`.
    pub fn random(&self) -> f64 {
        match &*self.0 {
            Mode::Real => rand::rng().random(),
            Mode::Simulated { random, .. } => random.lock().unwrap_or_else(PoisonError::into_inner).random(),
        }
    }

    /// A random (version 4) UUID.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        match &*self.0 {
            Mode::Real => rand::rng().fill_bytes(&mut bytes),
            Mode::Simulated { random, .. } => {
                random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
            }
        }
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_simulated_clock_moves_with_tokio_and_repeats_its_random_numbers() {
        let start = Timestamp::from_second(1_700_000_000).unwrap();
        let (one, two) = (Runtime::simulated(start, 7), Runtime::simulated(start, 7));
        one.sleep(Duration::from_secs(90)).await;
        assert_eq!(one.now().as_second() - start.as_second(), 90);
        assert_eq!(one.uuid(), two.uuid());
    }
}
