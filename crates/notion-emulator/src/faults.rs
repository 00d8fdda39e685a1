//! Failures on demand: the next so many requests that match fail in a chosen way.
//!
//! Sources: developers.notion.com "status-codes" and "request-limits"; 502 and 504 often carry HTML from the edge, not JSON.
//! A new fault: a variant of [`Failure`] and its arm in [`Failure::refusal`].

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

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
    /// The connection ends in the middle of the answer.
    Drop,
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
            Self::Drop => Effect::Drop,
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

/// The faults still to happen.
#[derive(Debug, Default)]
pub struct Faults {
    pending: Vec<Fault>,
}

impl Faults {
    /// Adds a fault after those already set.
    pub fn push(&mut self, fault: Fault) {
        self.pending.push(fault);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.pending.clear();
    }

    /// The faults still to happen.
    #[must_use]
    pub fn pending(&self) -> &[Fault] {
        &self.pending
    }

    /// The failure of this request, if it is to fail.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Failure> {
        let mut struck = None;
        for fault in &mut self.pending {
            let matches = fault.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && fault.path_prefix.as_deref().is_none_or(|prefix| path.starts_with(prefix));
            if !matches {
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
        struck
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
}
