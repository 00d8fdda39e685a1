//! Whether and when a request is worth another attempt. Pure: takes what happened and a random number, returns a
//! decision. Every read endpoint may be retried, the two that are POST (search, query) included, because they change
//! nothing. What an attempt costs an item is the crawl's business, see [`Decision::Retry::counts`].

use std::time::Duration;

use crate::error::Class;
use crate::transport::TransportErrorKind;

/// The numbers behind [`decide`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// First backoff; doubles with each attempt. Notion's own client starts with a second.
    pub backoff: Duration,
    /// Longest backoff. A minute is the window of the request limit; more only hurts freshness.
    pub backoff_at_most: Duration,
    /// Longest wait that Notion is believed to ask for. The workspace limit may ask for more than a minute; an hour
    /// is beyond anything documented.
    pub retry_after_at_most: Duration,
    /// Part of a wait by `Retry-After` that is added at random, so that those who wait do not come back at once.
    pub jitter: f64,
    /// Attempts after which errors of the server or the way are given up; waits for a limit do not end this way.
    pub max_attempts: u32,
    /// Time after which anything is given up, waits included.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            backoff: Duration::from_secs(1),
            backoff_at_most: Duration::from_secs(60),
            retry_after_at_most: Duration::from_secs(3600),
            jitter: 0.05,
            max_attempts: 5,
            patience: Duration::from_secs(6 * 3600),
        }
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try again.
    Retry {
        /// After this long.
        after: Duration,
        /// Whether the attempt counts against the request. A wait for a limit does not: the request did nothing wrong.
        counts: bool,
    },
    /// Do not try again.
    GiveUp,
}

/// Decides about the attempt that just failed.
///
/// `attempt` is its number among those that count, from 1; `elapsed` the time since the first; `random` a number in
/// `0.0..1.0` from the caller's source of randomness.
#[must_use]
pub fn decide(policy: &RetryPolicy, class: &Class, attempt: u32, elapsed: Duration, random: f64) -> Decision {
    if elapsed >= policy.patience {
        return Decision::GiveUp;
    }
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
    match class {
        Class::RateLimited { retry_after, .. } | Class::Overloaded { retry_after } => {
            Decision::Retry { after: told(policy, *retry_after, attempt, random), counts: false }
        }
        Class::Unavailable { retry_after, .. } if attempt < policy.max_attempts => {
            Decision::Retry { after: told(policy, *retry_after, attempt, random), counts: true }
        }
        Class::Network(kind) if attempt < policy.max_attempts => match kind {
            TransportErrorKind::Connect
            | TransportErrorKind::Untrusted
            | TransportErrorKind::Timeout
            | TransportErrorKind::BodyCut
            | TransportErrorKind::Other => {
                Decision::Retry { after: backoff(policy, attempt, random), counts: true }
            }
            TransportErrorKind::TooLarge => Decision::GiveUp,
        },
        // A proxy's page in place of an answer may be gone the next time.
        Class::Protocol if attempt < policy.max_attempts => {
            Decision::Retry { after: backoff(policy, attempt, random), counts: true }
        }
        Class::Unavailable { .. }
        | Class::Network(_)
        | Class::Protocol
        | Class::Unauthorized
        | Class::MissingCapability
        | Class::NotFound
        | Class::Validation(_)
        | Class::InvalidCursor
        | Class::RequestBlocked
        | Class::EdgeBlocked
        | Class::Request => Decision::GiveUp,
    }
}

/// What Notion asks for and a little more, or backoff when it does not say.
fn told(policy: &RetryPolicy, retry_after: Option<Duration>, attempt: u32, random: f64) -> Duration {
    match retry_after {
        Some(wait) => {
            let wait = wait.min(policy.retry_after_at_most);
            wait + wait.mul_f64(policy.jitter.clamp(0.0, 1.0) * random)
        }
        None => backoff(policy, attempt, random),
    }
}

/// Exponential, with full jitter above a floor: a wait of nothing at all would only repeat what failed.
fn backoff(policy: &RetryPolicy, attempt: u32, random: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let ceiling = policy.backoff.saturating_mul(1 << doublings).min(policy.backoff_at_most);
    ceiling.mul_f64(0.1 + 0.9 * random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorCode, LimitReason};

    const SOON: Duration = Duration::from_secs(1);

    fn after(class: &Class, attempt: u32, random: f64) -> Option<(Duration, bool)> {
        match decide(&RetryPolicy::default(), class, attempt, SOON, random) {
            Decision::Retry { after, counts } => Some((after, counts)),
            Decision::GiveUp => None,
        }
    }

    #[test]
    fn a_limit_is_waited_for_as_told_however_often() {
        let class = Class::RateLimited { retry_after: Some(Duration::from_secs(40)), reason: None };
        assert_eq!(after(&class, 1, 0.0), Some((Duration::from_secs(40), false)));
        assert_eq!(after(&class, 1_000_000, 1.0), Some((Duration::from_secs(42), false)));
        let absurd = Class::Overloaded { retry_after: Some(Duration::from_secs(u64::from(u32::MAX))) };
        assert_eq!(after(&absurd, 1, 0.0), Some((Duration::from_secs(3600), false)));
    }

    #[test]
    fn a_limit_without_a_hint_backs_off() {
        let class = Class::RateLimited { retry_after: None, reason: Some(LimitReason::Integration) };
        assert_eq!(after(&class, 1, 1.0), Some((Duration::from_secs(1), false)));
        assert_eq!(after(&class, 4, 1.0), Some((Duration::from_secs(8), false)));
        assert_eq!(after(&class, 40, 1.0), Some((Duration::from_secs(60), false)));
    }

    #[test]
    fn trouble_of_the_server_is_retried_with_growing_waits_and_then_given_up() {
        for class in [
            Class::Unavailable { status: 502, retry_after: None },
            Class::Network(TransportErrorKind::Timeout),
            Class::Network(TransportErrorKind::BodyCut),
            Class::Protocol,
        ] {
            let waits: Vec<_> =
                (1..=5).map(|attempt| after(&class, attempt, 1.0).map(|(wait, _)| wait.as_secs())).collect();
            assert_eq!(waits, [Some(1), Some(2), Some(4), Some(8), None], "{class:?}");
            assert!(after(&class, 1, 0.0).unwrap().0 >= Duration::from_millis(100));
        }
    }

    #[test]
    fn what_will_not_get_better_is_not_repeated() {
        for class in [
            Class::Unauthorized,
            Class::MissingCapability,
            Class::NotFound,
            Class::Validation(ErrorCode::Validation),
            Class::InvalidCursor,
            Class::RequestBlocked,
            Class::EdgeBlocked,
            Class::Network(TransportErrorKind::TooLarge),
            Class::Request,
        ] {
            assert_eq!(after(&class, 1, 0.5), None, "{class:?}");
        }
    }

    #[test]
    fn patience_ends() {
        let class = Class::Overloaded { retry_after: None };
        let policy = RetryPolicy::default();
        assert_eq!(decide(&policy, &class, 1, policy.patience, 0.5), Decision::GiveUp);
    }
}
