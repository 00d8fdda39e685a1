//! Failures on demand: the next so many requests that match fail in a chosen way, or some fail at random from a seed; and
//! plans, verbs of the control API that happen in the middle of a client's work.
//!
//! Sources: developers.notion.com "status-codes" and "request-limits"; 502 and 504 often carry HTML from the edge, not JSON.
//! A new fault: a variant of [`Failure`] and its arm in [`Failure::refusal`].

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::world::rng::Rng;

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Failure {
    /// 500 `internal_server_error`.
    InternalServerError,
    /// 502 with an HTML body.
    BadGateway,
    /// 503 `service_unavailable` with retry guidance.
    ServiceUnavailable,
    /// 504 `gateway_timeout`.
    GatewayTimeout,
    /// 529 `service_overload` with `Retry-After`.
    ServiceOverload {
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// 429 out of turn, with this reason left to the endpoint limit.
    RateLimited {
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// 429 out of turn for any reason, with or without a time to wait.
    Limited {
        /// `rate_limit_reason`.
        reason: LimitReason,
        /// Seconds to wait; neither header nor `retry_after` if none.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// A refusal with this code, whatever was asked for.
    Refused {
        /// `code`.
        code: RefusalCode,
    },
    /// 403 HTML of the edge proxy, without a request id.
    EdgeForbidden,
    /// 504 with the HTML of the edge proxy.
    EdgeTimeout,
    /// The connection ends in the middle of the answer.
    Drop,
    /// The connection ends before the answer begins.
    Disconnect,
    /// 200 with all of its bytes, and they are no JSON.
    Garbled,
    /// The right answer, late.
    Slow {
        /// How late.
        delay_ms: u64,
    },
}

/// `rate_limit_reason` of a 429 ("request-limits").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitReason {
    /// The token's own window.
    PublicApiRequestRateLimit,
    /// The workspace's window.
    PublicApiSpaceRequestRateLimit,
    /// The endpoint's limit.
    PublicApiEndpointRateLimit,
    /// Blocked: not to be tried again.
    PublicApiRequestBlocked,
    /// A reason that no version names.
    PublicApiMoonPhase,
}

impl LimitReason {
    const fn name(self) -> &'static str {
        match self {
            Self::PublicApiRequestRateLimit => "public_api_request_rate_limit",
            Self::PublicApiSpaceRequestRateLimit => "public_api_space_request_rate_limit",
            Self::PublicApiEndpointRateLimit => "public_api_endpoint_rate_limit",
            Self::PublicApiRequestBlocked => "public_api_request_blocked",
            Self::PublicApiMoonPhase => "public_api_moon_phase",
        }
    }
}

/// Codes of refusals ("status-codes") that a request need not have deserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// 400.
    ValidationError,
    /// 400 `validation_error` in the words for a cursor that is none any more.
    CursorInvalid,
    /// 400.
    InvalidRequest,
    /// 400, of the header that newest endpoints want.
    InvalidBeta,
    /// 401.
    Unauthorized,
    /// 403.
    RestrictedResource,
    /// 404, without the usual data.
    ObjectNotFound,
    /// 409.
    ConflictError,
    /// 503, of older lists of codes.
    DatabaseConnectionUnavailable,
    /// 418, which no list has.
    UnheardOf,
}

impl RefusalCode {
    fn error(self) -> ApiError {
        let (status, code, message) = match self {
            Self::ValidationError => (400, "validation_error", "The request failed validation."),
            Self::CursorInvalid => return ApiError::cursor("0"),
            Self::InvalidRequest => (400, "invalid_request", "This request is not supported."),
            Self::InvalidBeta => (400, "invalid_beta", "The Notion-Beta header is missing or invalid."),
            Self::Unauthorized => (401, "unauthorized", "API token is invalid."),
            Self::RestrictedResource => return ApiError::restricted(),
            Self::ObjectNotFound => (404, "object_not_found", "Could not find the object."),
            Self::ConflictError => {
                (409, "conflict_error", "Conflict occurred while saving. Please try again.")
            }
            Self::DatabaseConnectionUnavailable => (
                503,
                "database_connection_unavailable",
                "Request timed out waiting to connect to a database.",
            ),
            Self::UnheardOf => (418, "unheard_of", "Nobody has seen this yet."),
        };
        ApiError::new(status, code, message)
    }
}

/// What a failure does to a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    Refuse(ApiError),
    Html(u16),
    Drop,
    Disconnect,
    Garble,
    Delay(u64),
}

impl Failure {
    pub(crate) fn refusal(self) -> Effect {
        match self {
            Self::InternalServerError => {
                Effect::Refuse(ApiError::new(500, "internal_server_error", "Unexpected error occurred."))
            }
            Self::BadGateway => Effect::Html(502),
            Self::EdgeForbidden => Effect::Html(403),
            Self::ServiceUnavailable => Effect::Refuse(
                ApiError::new(503, "service_unavailable", "Notion is unavailable, please try again later.")
                    .with("retry_guidance", vec!["Retry with exponential backoff.", "Reduce page_size."])
                    .with("elapsed_ms", "55000")
                    .with("deadline_ms", "55000"),
            ),
            Self::GatewayTimeout => {
                Effect::Refuse(ApiError::new(504, "gateway_timeout", "The request timed out."))
            }
            Self::ServiceOverload { retry_after_s } => {
                let mut error =
                    ApiError::new(529, "service_overload", "Notion is overloaded, please try again later.");
                error.retry_after_s = Some(retry_after_s);
                Effect::Refuse(error)
            }
            Self::RateLimited { retry_after_s } => {
                let mut error = ApiError::new(
                    429,
                    "rate_limited",
                    "You have been rate limited. Please try again in a few minutes.",
                )
                .with("rate_limit_reason", "public_api_endpoint_rate_limit")
                .with("retry_after", retry_after_s.to_string());
                error.retry_after_s = Some(retry_after_s);
                Effect::Refuse(error)
            }
            Self::Limited { reason, retry_after_s } => {
                let mut error = ApiError::new(429, "rate_limited", "You have been rate limited.")
                    .with("rate_limit_reason", reason.name());
                if let Some(seconds) = retry_after_s {
                    error = error.with("retry_after", seconds.to_string());
                }
                error.retry_after_s = retry_after_s;
                Effect::Refuse(error)
            }
            Self::Refused { code } => Effect::Refuse(code.error()),
            Self::EdgeTimeout => Effect::Html(504),
            Self::Drop => Effect::Drop,
            Self::Disconnect => Effect::Disconnect,
            Self::Garbled => Effect::Garble,
            Self::Slow { delay_ms } => Effect::Delay(delay_ms),
        }
    }
}

/// A failure for the next requests that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// How they fail.
    pub failure: Failure,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// How many that match pass before.
    #[serde(default)]
    pub skip: u32,
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that begin so.
    #[serde(default)]
    pub path_prefix: Option<String>,
}

const fn one() -> u32 {
    1
}

impl Fault {
    fn matches(&self, method: &str, path: &str) -> bool {
        names(self.method.as_deref(), self.path_prefix.as_deref(), (method, path))
    }
}

fn names(method: Option<&str>, path_prefix: Option<&str>, (asked, path): (&str, &str)) -> bool {
    method.is_none_or(|wanted| wanted.eq_ignore_ascii_case(asked))
        && path_prefix.is_none_or(|prefix| path.starts_with(prefix))
}

/// Failures of requests chosen at random. The same seed and the same requests in the same order give the same failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// Decides which requests fail, and how.
    pub seed: u64,
    /// How many of a hundred that match fail.
    pub percent: u8,
    /// How they fail, each as likely; those of [`RandomFaults::passing`] if absent.
    #[serde(default = "RandomFaults::passing")]
    pub failures: Vec<Failure>,
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that begin so.
    #[serde(default)]
    pub path_prefix: Option<String>,
}

impl RandomFaults {
    /// Every failure that says nothing of the request and goes by: those that a client is to survive without a trace.
    #[must_use]
    pub fn passing() -> Vec<Failure> {
        let limited = |reason, retry_after_s| Failure::Limited { reason, retry_after_s };
        vec![
            Failure::InternalServerError,
            Failure::BadGateway,
            Failure::ServiceUnavailable,
            Failure::GatewayTimeout,
            Failure::EdgeTimeout,
            Failure::ServiceOverload { retry_after_s: 3 },
            limited(LimitReason::PublicApiRequestRateLimit, Some(2)),
            limited(LimitReason::PublicApiSpaceRequestRateLimit, Some(2)),
            limited(LimitReason::PublicApiEndpointRateLimit, Some(2)),
            limited(LimitReason::PublicApiMoonPhase, None),
            Failure::Refused { code: RefusalCode::ConflictError },
            Failure::Refused { code: RefusalCode::DatabaseConnectionUnavailable },
            Failure::Drop,
            Failure::Disconnect,
            Failure::Garbled,
            Failure::Slow { delay_ms: 55_000 },
        ]
    }
}

/// A verb of the control API that happens right before a request is looked at: a token revoked in the middle of a crawl,
/// an edit between two pages of a listing, a limit that moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// A POST of the control API, such as `trash` or `limit`.
    pub verb: String,
    /// Its body.
    #[serde(default)]
    pub body: Value,
    /// How many requests that match pass before.
    #[serde(default)]
    pub skip: u32,
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that begin so.
    #[serde(default)]
    pub path_prefix: Option<String>,
}

/// What is still to happen.
#[derive(Debug, Default)]
pub struct Faults {
    pending: Vec<Fault>,
    random: Option<(RandomFaults, Rng)>,
    plans: Vec<Plan>,
    refused: Vec<Value>,
}

impl Faults {
    /// Adds a fault after those already set.
    pub fn push(&mut self, fault: Fault) {
        self.pending.push(fault);
    }

    /// Lets requests fail at random, in place of what was random before.
    pub fn set_random(&mut self, random: RandomFaults) {
        let rng = Rng::new(random.seed, 0, 0);
        self.random = Some((random, rng));
    }

    /// Adds a plan.
    pub fn plan(&mut self, plan: Plan) {
        self.plans.push(plan);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The faults still to happen.
    #[must_use]
    pub fn pending(&self) -> &[Fault] {
        &self.pending
    }

    /// What fails at random, if anything does.
    #[must_use]
    pub fn random(&self) -> Option<&RandomFaults> {
        self.random.as_ref().map(|(random, _)| random)
    }

    /// The plans still to happen.
    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// Plans that the control API refused, with its words.
    #[must_use]
    pub fn refused(&self) -> &[Value] {
        &self.refused
    }

    pub(crate) fn refuse(&mut self, plan: &Plan, answer: &Value) {
        self.refused.push(json!({"plan": plan, "answer": answer}));
    }

    /// The plans whose time this request is.
    pub(crate) fn due(&mut self, method: &str, path: &str) -> Vec<Plan> {
        self.plans
            .extract_if(.., |plan| {
                if !names(plan.method.as_deref(), plan.path_prefix.as_deref(), (method, path)) {
                    return false;
                }
                let due = plan.skip == 0;
                plan.skip = plan.skip.saturating_sub(1);
                due
            })
            .collect()
    }

    /// The failure of this request, if it is to fail.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Failure> {
        let mut struck = None;
        for fault in &mut self.pending {
            if !fault.matches(method, path) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.count > 0 {
                fault.count -= 1;
                struck = Some(fault.failure);
                break;
            }
        }
        self.pending.retain(|fault| fault.count > 0);
        struck.or_else(|| self.strike_at_random(method, path))
    }

    fn strike_at_random(&mut self, method: &str, path: &str) -> Option<Failure> {
        let (random, rng) = self.random.as_mut()?;
        if !names(random.method.as_deref(), random.path_prefix.as_deref(), (method, path)) {
            return None;
        }
        let (strikes, which) = (rng.chance(usize::from(random.percent)), rng.below(random.failures.len()));
        random.failures.get(which).copied().filter(|_| strikes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_requests_it_names_and_no_more() {
        let mut faults = Faults::default();
        faults.push(Fault {
            failure: Failure::BadGateway,
            count: 2,
            skip: 1,
            method: None,
            path_prefix: Some("/v1/search".to_owned()),
        });
        assert_eq!(faults.strike("GET", "/v1/users/me"), None);
        let struck: Vec<bool> = (0..5).map(|_| faults.strike("POST", "/v1/search").is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(faults.pending().is_empty());
    }

    #[test]
    fn random_faults_are_those_of_their_seed() {
        let struck = |seed| {
            let mut faults = Faults::default();
            let failures = RandomFaults::passing();
            faults.set_random(RandomFaults { seed, percent: 20, failures, method: None, path_prefix: None });
            (0..1_000).map(|_| faults.strike("GET", "/v1/users")).collect::<Vec<_>>()
        };
        assert_eq!(struck(1), struck(1));
        assert_ne!(struck(1), struck(2));
        let happened: Vec<Failure> = struck(3).into_iter().flatten().collect();
        assert!((150..250).contains(&happened.len()), "{}", happened.len());
        assert!(RandomFaults::passing().iter().all(|failure| happened.contains(failure)));
    }

    #[test]
    fn a_plan_is_due_once_after_those_that_pass() {
        let mut faults = Faults::default();
        let prefix = Some("/v1/search".to_owned());
        let plan =
            Plan { verb: "trash".to_owned(), body: Value::Null, skip: 1, method: None, path_prefix: prefix };
        faults.plan(plan);
        assert!(faults.due("GET", "/v1/users").is_empty());
        let due: Vec<usize> = (0..3).map(|_| faults.due("POST", "/v1/search").len()).collect();
        assert_eq!(due, [0, 1, 0]);
    }
}
