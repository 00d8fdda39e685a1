//! Which requests are heard, and the headers that every answer carries.
//!
//! The server has no sign-in, so what protects it is where requests come from. A page of another site can make a
//! browser on this machine send requests here: under a name of its own that it points to 127.0.0.1 (DNS rebinding;
//! refused by the `Host` header), or as a form or script of its own origin (refused by `Origin` and `Sec-Fetch-Site`
//! when the request changes anything; the answers to other requests it cannot read).

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::connections::OverTls;
use super::problem::Problem;

/// Bytes of all headers together.
const MAX_HEADER_BYTES: usize = 16 << 10;
/// Bytes of path and query. The longest query that search reads is 2,000 characters, percent-encoded.
const MAX_URI_BYTES: usize = 32 << 10;

/// Nothing but what this server itself serves; no inline script or style, no frames around it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Puts the security headers on every answer, and forbids caching unless the handler allowed it.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let is_tls = request.extensions().get::<OverTls>().is_some();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_tls {
        // A year: from now on browsers ask for this name by TLS only.
        let policy = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, policy);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Where the server is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) port: u16,
}

/// Lets a request through if it was meant for this server and comes from its own pages or from no page at all.
pub(super) async fn admit(
    State(origin): State<Origin>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    check_size(request.uri(), request.headers())?;
    let host = check_host(request.uri(), request.headers(), origin)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        let scheme = if request.extensions().get::<OverTls>().is_some() { "https" } else { "http" };
        check_origin(request.headers(), &format!("{scheme}://{host}"))?;
    }
    Ok(next.run(request).await)
}

fn check_size(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let of_uri = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if of_uri > MAX_URI_BYTES {
        let message = format!("the address has {of_uri} bytes; at most {MAX_URI_BYTES} are read");
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "address_too_long", message));
    }
    let of_headers: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if of_headers > MAX_HEADER_BYTES {
        let message = format!("the headers have {of_headers} bytes; at most {MAX_HEADER_BYTES} are read");
        return Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", message));
    }
    Ok(())
}

/// The authority the request names, if it is this server's.
fn check_host(uri: &Uri, headers: &HeaderMap, origin: Origin) -> Result<String, Problem> {
    let refuse = || {
        let message = format!(
            "this server answers at http://127.0.0.1:{port}, http://[::1]:{port} and http://localhost:{port} only",
            port = origin.port
        );
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message)
    };
    let mut named = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return Err(refuse()) };
    let host: Authority = host.to_str().ok().and_then(|host| host.parse().ok()).ok_or_else(refuse)?;
    let good = is_ours(&host, origin) && uri.authority().is_none_or(|absolute| is_ours(absolute, origin));
    if good { Ok(host.as_str().to_ascii_lowercase()) } else { Err(refuse()) }
}

fn is_ours(authority: &Authority, origin: Origin) -> bool {
    let name = authority.host();
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    let is_loopback = name.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let has_no_user = !authority.as_str().contains('@');
    is_loopback && has_no_user && authority.port_u16().unwrap_or(80) == origin.port
}

fn check_origin(headers: &HeaderMap, own: &str) -> Result<(), Problem> {
    let same_site =
        headers.get("sec-fetch-site").is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    let same_origin = headers
        .get_all(header::ORIGIN)
        .iter()
        .all(|origin| origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(own)));
    if same_site && same_origin {
        return Ok(());
    }
    let message = "a page of another origin may not change anything here";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Origin = Origin { port: 7350 };

    fn host(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, value.parse().unwrap());
        check_host(&Uri::from_static("/"), &headers, HERE).is_ok()
    }

    #[test]
    fn loopback_names_with_the_right_port_are_ours() {
        for good in ["127.0.0.1:7350", "localhost:7350", "LOCALHOST:7350", "[::1]:7350", "127.1.2.3:7350"] {
            assert!(host(good), "{good}");
        }
        let bad = [
            "example.org:7350",
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost.example.org:7350",
            "me@localhost:7350",
        ];
        for bad in
            bad.into_iter().chain(["[::2]:7350", "0.0.0.0:7350", "127.0.0.1.example.org:7350", ":7350"])
        {
            assert!(!host(bad), "{bad}");
        }
    }

    #[test]
    fn a_request_must_name_exactly_one_host_and_not_another_one_in_its_address() {
        let mut headers = HeaderMap::new();
        assert!(check_host(&Uri::from_static("/"), &headers, HERE).is_err());
        headers.append(header::HOST, "localhost:7350".parse().unwrap());
        assert!(check_host(&Uri::from_static("http://example.org:7350/"), &headers, HERE).is_err());
        assert!(check_host(&Uri::from_static("http://127.0.0.1:7350/"), &headers, HERE).is_ok());
        headers.append(header::HOST, "localhost:7350".parse().unwrap());
        assert!(check_host(&Uri::from_static("/"), &headers, HERE).is_err());
    }

    #[test]
    fn changes_are_taken_from_own_pages_and_from_programs() {
        let check = |given: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.append(*name, HeaderValue::from_static(value));
            }
            check_origin(&headers, "http://localhost:7350").is_ok()
        };
        assert!(check(&[]));
        assert!(check(&[("origin", "http://localhost:7350"), ("sec-fetch-site", "same-origin")]));
        assert!(!check(&[("origin", "http://localhost:7351")]));
        assert!(!check(&[("origin", "https://localhost:7350")]));
        assert!(!check(&[("origin", "null")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
        assert!(!check(&[("sec-fetch-site", "same-site")]));
        assert!(!check(&[("origin", "http://localhost:7350"), ("origin", "http://example.org")]));
    }
}
