//! The request limits: a fixed window for each token and, if wanted, one for the workspace.
//!
//! Source: developers.notion.com "request-limits": 600 requests a minute on Business and Enterprise, 180 on all other
//! plans, in a fixed 60-second window that may be spent in one burst; `Retry-After` is a whole number of seconds.
//! When a window begins is not published. Both plausible readings are here: it is anchored at the first request after
//! the window before it ended ([`Anchor::FirstRequest`], the default), or aligned to the clock ([`Anchor::Clock`]).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// When a window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// At the first request after the previous window ended.
    #[default]
    FirstRequest,
    /// At multiples of its length on the world's clock.
    Clock,
}

/// So many requests in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Requests answered in one window.
    pub requests: u32,
    /// Its length.
    pub window_ms: u64,
    /// When it begins.
    #[serde(default)]
    pub anchor: Anchor,
}

/// Why a description of a window is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a window; write REQUESTS/SECONDS, such as 600/60 or 100/2")]
pub struct WindowError(String);

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || WindowError(text.to_owned());
        let (requests, seconds) = text.split_once('/').ok_or_else(error)?;
        let requests: u32 = requests.trim().parse().map_err(|_| error())?;
        let seconds: u32 = seconds.trim().parse().map_err(|_| error())?;
        if requests == 0 || seconds == 0 {
            return Err(error());
        }
        Ok(Self { requests, window_ms: u64::from(seconds) * 1000, anchor: Anchor::FirstRequest })
    }
}

/// Which bucket was empty; the values of `rate_limit_reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// The token's.
    Token,
    /// The workspace's, shared by all its tokens.
    Workspace,
}

impl Bucket {
    const fn reason(self) -> &'static str {
        match self {
            Self::Token => "public_api_request_rate_limit",
            Self::Workspace => "public_api_space_request_rate_limit",
        }
    }
}

/// The count of one window.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    began_ms: i64,
    used: u32,
}

impl Count {
    /// Whether one more request fits, or else how long the window still lasts.
    fn wait_ms(&mut self, window: Window, now_ms: i64) -> Option<i64> {
        let length = i64::try_from(window.window_ms).unwrap_or(i64::MAX);
        if self.used == 0 || now_ms >= self.began_ms.saturating_add(length) || now_ms < self.began_ms {
            let began_ms = match window.anchor {
                Anchor::FirstRequest => now_ms,
                Anchor::Clock => now_ms - now_ms.rem_euclid(length),
            };
            *self = Self { began_ms, used: 0 };
        }
        (self.used >= window.requests).then(|| self.began_ms + length - now_ms)
    }
}

/// All counts of an emulator.
#[derive(Debug, Default)]
pub struct Limits {
    /// The limit of each token; none by default.
    pub token: Option<Window>,
    /// The limit of the workspace; none by default.
    pub workspace: Option<Window>,
    tokens: Vec<Count>,
    shared: Count,
}

impl Limits {
    /// Limits with nothing counted yet.
    #[must_use]
    pub fn new(token: Option<Window>, workspace: Option<Window>) -> Self {
        Self { token, workspace, ..Self::default() }
    }

    /// Counts a request of this token. A refused request counts in no window.
    ///
    /// # Errors
    /// 429 `rate_limited` with the seconds until the window ends, rounded up.
    pub fn admit(&mut self, token: usize, now_ms: i64) -> Result<(), ApiError> {
        if self.tokens.len() <= token {
            self.tokens.resize(token + 1, Count::default());
        }
        let own = self.token.and_then(|window| self.tokens[token].wait_ms(window, now_ms));
        let shared = self.workspace.and_then(|window| self.shared.wait_ms(window, now_ms));
        if let Some(wait_ms) = own {
            return Err(refusal(Bucket::Token, wait_ms));
        }
        if let Some(wait_ms) = shared {
            return Err(refusal(Bucket::Workspace, wait_ms));
        }
        self.tokens[token].used += 1;
        self.shared.used = self.shared.used.saturating_add(1);
        Ok(())
    }

    /// Forgets what was counted.
    pub fn reset(&mut self) {
        self.tokens.clear();
        self.shared = Count::default();
    }
}

fn refusal(bucket: Bucket, wait_ms: i64) -> ApiError {
    let seconds = u64::try_from(wait_ms).unwrap_or_default().div_ceil(1000).max(1);
    let mut error =
        ApiError::new(429, "rate_limited", "You have been rate limited. Please try again in a few minutes.")
            .with("rate_limit_reason", bucket.reason())
            .with("retry_after", seconds.to_string());
    error.retry_after_s = Some(seconds);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limits: &mut Limits, times: impl Iterator<Item = i64>) -> usize {
        times.filter(|now_ms| limits.admit(0, *now_ms).is_ok()).count()
    }

    #[test]
    fn a_window_may_be_spent_in_one_burst_and_says_when_it_ends() {
        let mut limits = Limits::new(Some("5/2".parse().unwrap()), None);
        assert_eq!(admitted(&mut limits, std::iter::repeat_n(10_000, 9)), 5);
        let refused = limits.admit(0, 10_700).unwrap_err();
        assert_eq!(refused.retry_after_s, Some(2), "1.3 s are rounded up");
        assert_eq!(refused.additional["retry_after"], "2");
        assert!(limits.admit(0, 12_000).is_ok());
    }

    #[test]
    fn refused_requests_do_not_count() {
        let mut limits = Limits::new(Some("2/2".parse().unwrap()), None);
        admitted(&mut limits, (0..100).map(|n| 1000 + n));
        assert_eq!(admitted(&mut limits, std::iter::repeat_n(3000, 4)), 2);
    }

    #[test]
    fn the_window_begins_at_the_first_request_or_with_the_clock() {
        let window: Window = "2/60".parse().unwrap();
        let mut lazy = Limits::new(Some(window), None);
        let mut aligned = Limits::new(Some(Window { anchor: Anchor::Clock, ..window }), None);
        for limits in [&mut lazy, &mut aligned] {
            assert_eq!(admitted(limits, [119_000, 119_500].into_iter()), 2);
        }
        assert!(lazy.admit(0, 120_000).is_err());
        assert!(aligned.admit(0, 120_000).is_ok());
    }

    #[test]
    fn the_workspace_bucket_is_shared_by_all_tokens() {
        let mut limits = Limits::new(None, Some("2/60".parse().unwrap()));
        assert!(limits.admit(0, 1).is_ok());
        assert!(limits.admit(1, 1).is_ok());
        let refused = limits.admit(2, 1).unwrap_err();
        assert_eq!(refused.additional["rate_limit_reason"], "public_api_space_request_rate_limit");
    }

    proptest::proptest! {
        #[test]
        fn no_window_answers_more_than_it_has(gaps in proptest::collection::vec(0_i64..700, 1..200)) {
            let mut limits = Limits::new(Some("7/2".parse().unwrap()), None);
            let mut now_ms = 5_000;
            let mut answered: Vec<i64> = Vec::new();
            let mut window_began_ms = i64::MIN;
            for gap in gaps {
                now_ms += gap;
                match limits.admit(0, now_ms) {
                    Ok(()) => {
                        if window_began_ms.saturating_add(2_000) <= now_ms {
                            window_began_ms = now_ms;
                            answered.clear();
                        }
                        answered.push(now_ms);
                        proptest::prop_assert!(answered.len() <= 7);
                    }
                    Err(refused) => {
                        let left_ms = window_began_ms + 2_000 - now_ms;
                        proptest::prop_assert_eq!(answered.len(), 7);
                        proptest::prop_assert_eq!(refused.retry_after_s, u64::try_from(left_ms).ok().map(|ms| ms.div_ceil(1000)));
                    }
                }
            }
        }
    }

    #[test]
    fn nonsense_is_no_window() {
        for text in ["", "5", "0/1", "5/0", "a/b", "5/-1"] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }
}
