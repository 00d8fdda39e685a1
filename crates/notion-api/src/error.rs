//! What can go wrong with a request, and what that means for the one who asked.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::transport::{TransportError, TransportErrorKind};
use crate::wire::ErrorBody;

/// Longest message of Notion's that is kept; theirs are a few sentences.
const MAX_MESSAGE_CHARS: usize = 1_000;

/// Why a request came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Notion, or something before it, answered with a status other than 2xx.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// No answer came.
    #[error("{endpoint}: {source}")]
    Network {
        /// Which endpoint was asked.
        endpoint: &'static str,
        /// What happened.
        source: TransportError,
    },
    /// An answer came that is not what the endpoint promises.
    #[error(
        "{endpoint}: the answer is not what Notion documents ({detail}); if the base URL is right, retry, and report it \
         with the request id {}",
        request_id.as_deref().unwrap_or("(none)")
    )]
    Protocol {
        /// Which endpoint was asked.
        endpoint: &'static str,
        /// What is wrong with the answer. Names fields and types, never content.
        detail: String,
        /// For Notion's support.
        request_id: Option<String>,
    },
    /// The request could not be put together.
    #[error("{endpoint}: the request cannot be made: {detail}")]
    Request {
        /// Which endpoint was to be asked.
        endpoint: &'static str,
        /// What is wrong.
        detail: String,
    },
}

/// An answer with a status other than 2xx.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Which endpoint was asked.
    pub endpoint: &'static str,
    /// The status.
    pub status: StatusCode,
    /// Notion's code; nothing when the body is not Notion's.
    pub code: Option<ErrorCode>,
    /// Notion's message, one line, bounded.
    pub message: Option<String>,
    /// For Notion's support.
    pub request_id: Option<String>,
    /// How long to wait, as the header or the body says.
    pub retry_after: Option<Duration>,
    /// Which limit was met.
    pub limit: Option<LimitReason>,
    /// The id of the integration, which some refusals name.
    pub integration_id: Option<String>,
}

/// Notion's error codes (developers.notion.com "status-codes").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorCode {
    /// `invalid_json`
    InvalidJson,
    /// `invalid_request_url`
    InvalidRequestUrl,
    /// `invalid_request`
    InvalidRequest,
    /// `validation_error`
    Validation,
    /// `missing_version`
    MissingVersion,
    /// `unauthorized`
    Unauthorized,
    /// `restricted_resource`
    RestrictedResource,
    /// `object_not_found`
    ObjectNotFound,
    /// `conflict_error`
    Conflict,
    /// `rate_limited`
    RateLimited,
    /// `internal_server_error`
    InternalServerError,
    /// `bad_gateway`
    BadGateway,
    /// `service_unavailable`
    ServiceUnavailable,
    /// `database_connection_unavailable`
    DatabaseConnectionUnavailable,
    /// `gateway_timeout`
    GatewayTimeout,
    /// `service_overload`
    ServiceOverload,
    /// A code that this version does not know.
    Unknown(String),
}

impl ErrorCode {
    fn read(code: &str) -> Self {
        match code {
            "invalid_json" => Self::InvalidJson,
            "invalid_request_url" => Self::InvalidRequestUrl,
            "invalid_request" => Self::InvalidRequest,
            "validation_error" => Self::Validation,
            "missing_version" => Self::MissingVersion,
            "unauthorized" => Self::Unauthorized,
            "restricted_resource" => Self::RestrictedResource,
            "object_not_found" => Self::ObjectNotFound,
            "conflict_error" => Self::Conflict,
            "rate_limited" => Self::RateLimited,
            "internal_server_error" => Self::InternalServerError,
            "bad_gateway" => Self::BadGateway,
            "service_unavailable" => Self::ServiceUnavailable,
            "database_connection_unavailable" => Self::DatabaseConnectionUnavailable,
            "gateway_timeout" => Self::GatewayTimeout,
            "service_overload" => Self::ServiceOverload,
            other => Self::Unknown(sanitised(other)),
        }
    }

    /// As named on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidRequestUrl => "invalid_request_url",
            Self::InvalidRequest => "invalid_request",
            Self::Validation => "validation_error",
            Self::MissingVersion => "missing_version",
            Self::Unauthorized => "unauthorized",
            Self::RestrictedResource => "restricted_resource",
            Self::ObjectNotFound => "object_not_found",
            Self::Conflict => "conflict_error",
            Self::RateLimited => "rate_limited",
            Self::InternalServerError => "internal_server_error",
            Self::BadGateway => "bad_gateway",
            Self::ServiceUnavailable => "service_unavailable",
            Self::DatabaseConnectionUnavailable => "database_connection_unavailable",
            Self::GatewayTimeout => "gateway_timeout",
            Self::ServiceOverload => "service_overload",
            Self::Unknown(code) => code,
        }
    }
}

/// Which limit a 429 is about (developers.notion.com "request-limits").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitReason {
    /// `public_api_request_rate_limit`: this integration's requests in the window.
    Integration,
    /// `public_api_space_request_rate_limit`: those of all integrations of the workspace.
    Workspace,
    /// `public_api_endpoint_rate_limit`: those to this endpoint.
    Endpoint,
    /// `public_api_request_blocked`: not to be tried again.
    Blocked,
    /// A reason that this version does not know.
    Unknown(String),
}

impl LimitReason {
    fn read(reason: &str) -> Self {
        match reason {
            "public_api_request_rate_limit" => Self::Integration,
            "public_api_space_request_rate_limit" => Self::Workspace,
            "public_api_endpoint_rate_limit" => Self::Endpoint,
            "public_api_request_blocked" => Self::Blocked,
            other => Self::Unknown(sanitised(other)),
        }
    }
}

/// What an error means. Matched without a wildcard wherever something depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// The secret is wrong, revoked or expired: nothing will work until there is another.
    Unauthorized,
    /// The integration lacks a capability for this endpoint.
    MissingCapability,
    /// The object does not exist, is not shared, or is of another kind; Notion does not say which.
    NotFound,
    /// Notion does not accept the request: it will not do better a second time.
    Validation(ErrorCode),
    /// The listing cannot be read on from this cursor: start it again.
    InvalidCursor,
    /// A request limit was met: wait, then try again.
    RateLimited {
        /// How long, if Notion says.
        retry_after: Option<Duration>,
        /// Which limit, if Notion says.
        reason: Option<LimitReason>,
    },
    /// Notion blocked the request and asks not to repeat it.
    RequestBlocked,
    /// Notion is overloaded (529): wait, then try again.
    Overloaded {
        /// How long, if Notion says.
        retry_after: Option<Duration>,
    },
    /// Notion failed (5xx), with or without an answer of its own: try again later.
    Unavailable {
        /// The status.
        status: u16,
        /// How long to wait, if Notion says.
        retry_after: Option<Duration>,
    },
    /// Something before Notion's API refused the request: a network rule, a proxy.
    EdgeBlocked,
    /// No answer came.
    Network(TransportErrorKind),
    /// The answer is not what the endpoint promises, or nothing of Notion's at all.
    Protocol,
    /// The request could not be put together.
    Request,
}

impl Class {
    /// A short name, for logs, metrics and stored failures.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::MissingCapability => "missing_capability",
            Self::NotFound => "not_found",
            Self::Validation(_) => "validation",
            Self::InvalidCursor => "invalid_cursor",
            Self::RateLimited { .. } => "rate_limited",
            Self::RequestBlocked => "request_blocked",
            Self::Overloaded { .. } => "overloaded",
            Self::Unavailable { .. } => "unavailable",
            Self::EdgeBlocked => "edge_blocked",
            Self::Network(_) => "network",
            Self::Protocol => "protocol",
            Self::Request => "request",
        }
    }
}

impl Error {
    /// What the error means.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Refused(refusal) => refusal.class(),
            Self::Network { source, .. } => Class::Network(source.kind()),
            Self::Protocol { .. } => Class::Protocol,
            Self::Request { .. } => Class::Request,
        }
    }

    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Network { .. } | Self::Protocol { .. } | Self::Request { .. } => None,
        }
    }

    /// Which endpoint was asked.
    #[must_use]
    pub fn endpoint(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.endpoint,
            Self::Network { endpoint, .. }
            | Self::Protocol { endpoint, .. }
            | Self::Request { endpoint, .. } => endpoint,
        }
    }

    /// The status of the answer, if one came that was refused.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// Notion's error code.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.refusal().and_then(|refusal| refusal.code.as_ref())
    }

    /// Notion's message: one line, bounded, and only ever Notion's words.
    #[must_use]
    pub fn notion_message(&self) -> Option<&str> {
        self.refusal().and_then(|refusal| refusal.message.as_deref())
    }

    /// The id under which Notion's support finds the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.request_id.as_deref(),
            Self::Protocol { request_id, .. } => request_id.as_deref(),
            Self::Network { .. } | Self::Request { .. } => None,
        }
    }

    /// The name of the integration, where Notion's message tells it.
    #[must_use]
    pub fn integration_name(&self) -> Option<&str> {
        let (_, after) = self.notion_message()?.split_once("your integration \"")?;
        after.rsplit_once('"').map(|(name, _)| name)
    }

    /// How long Notion asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }
}

impl Refusal {
    /// Reads a refusal. `body` may be anything: HTML of a proxy, or cut.
    pub(crate) fn read(endpoint: &'static str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let parsed: Option<ErrorBody> = serde_json::from_slice(body).ok();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let seconds = header("retry-after")
            .or_else(|| parsed.as_ref().and_then(|body| body.detail("retry_after")))
            .and_then(|text| text.trim().parse::<u32>().ok());
        let request_id = header("x-notion-request-id")
            .or_else(|| parsed.as_ref().and_then(|body| body.request_id.as_deref()))
            .map(sanitised);
        Self {
            endpoint,
            status,
            code: parsed.as_ref().map(|body| ErrorCode::read(&body.code)),
            message: parsed.as_ref().map(|body| sanitised(&body.message)),
            request_id,
            retry_after: seconds.map(|seconds| Duration::from_secs(seconds.into())),
            limit: parsed.as_ref().and_then(|body| body.detail("rate_limit_reason")).map(LimitReason::read),
            integration_id: parsed.as_ref().and_then(|body| body.detail("integration_id")).map(sanitised),
        }
    }

    fn class(&self) -> Class {
        match (self.status.as_u16(), &self.code) {
            (401, _) => Class::Unauthorized,
            // The edge answers 403 with a page of its own (makenotion/notion-sdk-js, src/errors.ts).
            (403, None) if self.request_id.is_none() => Class::EdgeBlocked,
            (403, _) => Class::MissingCapability,
            (404, Some(_)) => Class::NotFound,
            (429, _) if self.limit == Some(LimitReason::Blocked) => Class::RequestBlocked,
            (429, _) => Class::RateLimited { retry_after: self.retry_after, reason: self.limit.clone() },
            (529, _) => Class::Overloaded { retry_after: self.retry_after },
            // A collision with a concurrent edit passes, and a timeout of the server's reading does too.
            (408 | 409 | 500..=599, _) => {
                Class::Unavailable { status: self.status.as_u16(), retry_after: self.retry_after }
            }
            (400, Some(ErrorCode::Validation)) if self.is_about_cursor() => Class::InvalidCursor,
            (400..=499, Some(code)) => Class::Validation(code.clone()),
            _ => Class::Protocol,
        }
    }

    /// Notion gives a bad cursor no code of its own; the message is the only sign.
    fn is_about_cursor(&self) -> bool {
        self.message.as_deref().is_some_and(|message| message.contains("start_cursor"))
    }

    const fn advice(class: &Class) -> &'static str {
        match class {
            Class::Unauthorized => {
                "the secret is wrong, revoked or expired; copy it anew from the integration's page in Notion"
            }
            Class::MissingCapability => "give the integration this capability in its configuration in Notion",
            Class::NotFound => {
                "it does not exist or is not connected to the integration; connect it in Notion under ••• → Connections"
            }
            Class::Validation(_) => "Notion does not accept the request as it is",
            Class::InvalidCursor => "the listing changed or the cursor expired; start the listing again",
            Class::RateLimited { .. } => "the request limit is used up; wait and try again",
            Class::RequestBlocked => {
                "Notion blocked this request and asks not to repeat it; ask Notion's support"
            }
            Class::Overloaded { .. } => "Notion is overloaded; wait and try again",
            Class::Unavailable { .. } => "Notion is in trouble; try again later",
            Class::EdgeBlocked => "something before Notion refused it; check proxies and network rules",
            Class::Network(_) | Class::Protocol | Class::Request => {
                "this is no answer of Notion's API; check the base URL and proxies"
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: answered {}", self.endpoint, self.status.as_u16())?;
        if let Some(code) = &self.code {
            write!(f, " {}", code.as_str())?;
        }
        if let Some(message) = self.message.as_deref().filter(|message| !message.is_empty()) {
            write!(f, ": {message}")?;
        }
        write!(f, " ({})", Self::advice(&self.class()))
    }
}

/// One line of bounded length, without control characters.
fn sanitised(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, headers: &[(&'static str, &str)], body: &str) -> Error {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        Error::Refused(Box::new(Refusal::read("search", status, &map, body.as_bytes())))
    }

    fn body(status: u16, code: &str, message: &str) -> String {
        serde_json::json!({"object": "error", "status": status, "code": code, "message": message, "request_id": "r-1"})
            .to_string()
    }

    #[test]
    fn each_documented_refusal_has_its_class() {
        let class = |status, code: &str| refusal(status, &[], &body(status, code, "")).class();
        assert_eq!(class(401, "unauthorized"), Class::Unauthorized);
        assert_eq!(class(403, "restricted_resource"), Class::MissingCapability);
        assert_eq!(class(404, "object_not_found"), Class::NotFound);
        assert_eq!(class(400, "invalid_request_url"), Class::Validation(ErrorCode::InvalidRequestUrl));
        assert_eq!(class(400, "brand_new"), Class::Validation(ErrorCode::Unknown("brand_new".into())));
        assert_eq!(class(409, "conflict_error"), Class::Unavailable { status: 409, retry_after: None });
        assert_eq!(class(503, "service_unavailable"), Class::Unavailable { status: 503, retry_after: None });
        assert_eq!(class(529, "service_overload"), Class::Overloaded { retry_after: None });
        assert_eq!(class(429, "rate_limited"), Class::RateLimited { retry_after: None, reason: None });
    }

    #[test]
    fn a_bad_cursor_is_told_from_other_validation_errors() {
        let bad = body(400, "validation_error", "The start_cursor provided is invalid: 0f");
        assert_eq!(refusal(400, &[], &bad).class(), Class::InvalidCursor);
        let other =
            body(400, "validation_error", "path failed validation: path.page_id should be a valid uuid");
        assert_eq!(refusal(400, &[], &other).class(), Class::Validation(ErrorCode::Validation));
    }

    #[test]
    fn pages_of_proxies_are_told_from_answers_of_notion() {
        assert_eq!(refusal(403, &[("cf-ray", "1")], "<html>blocked</html>").class(), Class::EdgeBlocked);
        assert_eq!(refusal(403, &[("x-notion-request-id", "r")], "oops").class(), Class::MissingCapability);
        assert_eq!(
            refusal(502, &[], "<html>Bad gateway</html>").class(),
            Class::Unavailable { status: 502, retry_after: None }
        );
        assert_eq!(refusal(404, &[], "<html>no such page</html>").class(), Class::Protocol);
        assert_eq!(refusal(302, &[], "").class(), Class::Protocol);
    }

    #[test]
    fn a_rate_limit_tells_how_long_and_which() {
        let limited = serde_json::json!({"object": "error", "status": 429, "code": "rate_limited", "message": "m",
            "additional_data": {"rate_limit_reason": "public_api_space_request_rate_limit", "retry_after": "90"}});
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(
            refusal(429, &[("retry-after", "7")], &limited.to_string()).class(),
            Class::RateLimited { retry_after: seconds(7), reason: Some(LimitReason::Workspace) }
        );
        assert_eq!(refusal(429, &[], &limited.to_string()).retry_after(), seconds(90));
        assert_eq!(refusal(429, &[("retry-after", "soon")], "<html>").retry_after(), None);
        let blocked = limited.to_string().replace("space_request_rate_limit", "request_blocked");
        assert_eq!(refusal(429, &[], &blocked).class(), Class::RequestBlocked);
    }

    #[test]
    fn messages_are_one_bounded_line_that_says_what_to_do() {
        let long = format!("a\nb\u{1b}[31m{}", "x".repeat(5_000));
        let error = refusal(404, &[], &body(404, "object_not_found", &long));
        let message = error.to_string();
        assert!(message.contains("connect it in Notion"), "{message}");
        assert!(!message.contains(['\n', '\u{1b}']) && message.chars().count() < 1_300, "{message}");
        assert_eq!(error.request_id(), Some("r-1"));
    }

    #[test]
    fn the_integration_is_named_when_notion_names_it() {
        let text = "Could not find page with ID: x. Make sure the relevant pages and databases are shared with your \
                    integration \"The \"best\" one\".";
        let error = refusal(404, &[], &body(404, "object_not_found", text));
        assert_eq!(error.integration_name(), Some("The \"best\" one"));
    }
}
