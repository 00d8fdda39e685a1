//! Which requests are heard, from where they come, and the headers that every answer carries.
//!
//! - Without TLS, heard are peers on this machine, and the proxies that the settings name. Only what a proxy says of whom it speaks for is
//!   believed; a header that names a user is refused from everybody else.
//! - A request must name this server in `Host`: a loopback name with its port, or the public one. A page of another site can
//!   point a name of its own here (DNS rebinding), and finds nobody.
//! - What changes something must not come from a page of another origin, by `Origin` and `Sec-Fetch-Site`.
//! - Where nobody signs in, nothing that was forwarded is heard: it would come from other machines.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::connections::OverTls;
use super::problem::Problem;
use crate::config::{PublicUrl, ServerConfig, SignInChoice};

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
    // Its own forms say where they come from; the web is told nothing.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Puts the security headers on every answer, and forbids caching unless the handler allowed it.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Where the server is, and whom it hears.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// The port that it listens on.
    pub(super) port: u16,
    pub(super) settings: ServerConfig,
}

/// How a request came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// The machine that it is from.
    pub(super) address: IpAddr,
    /// Whether a proxy that is believed handed it over.
    pub(super) by_proxy: bool,
    /// Whether the browser speaks `https`.
    pub(super) is_secure: bool,
    /// Whether it says which page it is from, which browsers do when something changes.
    pub(super) names_origin: bool,
}

/// Headers by which proxies say that they forward something.
const FORWARDING: [&str; 4] = ["forwarded", FORWARDED_FOR, "x-real-ip", "via"];
const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Lets a request through if it was meant for this server and comes from its own pages or from no page at all.
pub(super) async fn admit(
    State(ground): State<Arc<Ground>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    check_size(request.uri(), request.headers())?;
    let is_tls = request.extensions().get::<OverTls>().is_some();
    let (arrival, origin) = ground.arrival(peer, is_tls, request.uri(), request.headers())?;
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        check_origin(request.headers(), &origin)?;
    }
    request.extensions_mut().insert(arrival);
    let mut response = next.run(request).await;
    if arrival.is_secure {
        // A year: from now on browsers ask for this name by TLS only.
        let policy = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, policy);
    }
    Ok(response)
}

impl Ground {
    /// How a request came, and the origin of this server that it names.
    fn arrival(
        &self,
        peer: Option<IpAddr>,
        is_tls: bool,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(Arrival, String), Problem> {
        let peer = peer.map(|peer| peer.to_canonical());
        let is_proxy = |address: IpAddr| {
            let known = self.settings.proxy.as_ref().map_or(&[][..], |proxy| &proxy.from);
            known.iter().any(|network| network.contains(address))
        };
        let by_proxy = peer.is_some_and(is_proxy);
        let Some(peer) = peer.filter(|peer| is_tls || peer.is_loopback() || by_proxy) else {
            let message = "without TLS this server answers its own machine and its proxy only";
            return Err(Problem::forbidden(message));
        };
        self.check_forwarding(headers, by_proxy)?;
        let (host, public) = check_host(uri, headers, self)?;
        // Of a proxy one value says how the browser came; of anybody else none does.
        let said =
            headers.get(FORWARDED_PROTO).filter(|_| by_proxy).map(|proto| proto.as_bytes() == b"https");
        let is_secure = said.unwrap_or_else(|| is_tls || public.is_some_and(|public| public.is_secure));
        if let Some(public) = public.filter(|public| public.is_secure && !is_secure) {
            let message = format!("this server is spoken to over https: {}", public.origin);
            return Err(Problem::forbidden(&message));
        }
        let address = if by_proxy { client_of(headers, is_proxy).unwrap_or(peer) } else { peer };
        let names_origin = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
        let origin = format!("{}://{host}", if is_secure { "https" } else { "http" });
        Ok((Arrival { address, by_proxy, is_secure, names_origin }, origin))
    }

    fn check_forwarding(&self, headers: &HeaderMap, by_proxy: bool) -> Result<(), Problem> {
        let names_user = self.settings.user_header().is_some_and(|name| headers.contains_key(name));
        if names_user && !by_proxy {
            return Err(Problem::forbidden("only the proxy of this server may say who asks"));
        }
        let is_open = self.settings.sign_in == SignInChoice::None;
        if is_open && FORWARDING.iter().any(|name| headers.contains_key(*name)) {
            let message = "nobody has to sign in here, so that nothing that was forwarded is heard";
            return Err(Problem::forbidden(message));
        }
        Ok(())
    }
}

/// The machine that a proxy speaks for: the last that is no proxy itself. What stands before that, anybody can write.
fn client_of(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let named: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    for name in named.into_iter().rev() {
        let address: IpAddr = name.trim().parse().ok()?;
        if !is_proxy(address) {
            return Some(address.to_canonical());
        }
    }
    None
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

/// The authority that the request names, if it is this server's, with the settings' where it is the public one.
fn check_host<'a>(
    uri: &Uri,
    headers: &HeaderMap,
    ground: &'a Ground,
) -> Result<(String, Option<&'a PublicUrl>), Problem> {
    let public = ground.settings.public_url.as_ref();
    let refuse = || {
        let port = ground.port;
        let own = match public {
            Some(public) => public.origin.clone(),
            None => format!("http://127.0.0.1:{port}, http://[::1]:{port} and http://localhost:{port}"),
        };
        let message = format!("this server answers at {own} only");
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message)
    };
    let mut named = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return Err(refuse()) };
    let host: Authority = host.to_str().ok().and_then(|host| host.parse().ok()).ok_or_else(refuse)?;
    let is_public = |authority: &Authority| {
        public.is_some_and(|public| authority.as_str().eq_ignore_ascii_case(&public.authority))
    };
    let is_ours = |authority: &Authority| is_public(authority) || is_local(authority, ground.port);
    if !is_ours(&host) || !uri.authority().is_none_or(is_ours) {
        return Err(refuse());
    }
    let public = public.filter(|_| is_public(&host));
    Ok((host.as_str().to_ascii_lowercase(), public))
}

fn is_local(authority: &Authority, port: u16) -> bool {
    let name = authority.host();
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    let is_loopback = name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let has_no_user = !authority.as_str().contains('@');
    is_loopback && has_no_user && authority.port_u16().unwrap_or(80) == port
}

fn check_origin(headers: &HeaderMap, own: &str) -> Result<(), Problem> {
    let same_site =
        headers.get("sec-fetch-site").is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    let same_origin = headers
        .get_all(header::ORIGIN)
        .iter()
        .all(|origin| origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(own)));
    if same_site && same_origin { Ok(()) } else { Err(Problem::cross_origin()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProxyConfig;

    fn here() -> Ground {
        Ground { port: 7350, settings: ServerConfig::default() }
    }

    /// Behind a proxy at 10.0.0.1 that names users.
    fn behind_proxy() -> Ground {
        let proxy = ProxyConfig {
            from: vec!["10.0.0.0/24".parse().unwrap()],
            user_header: Some("X-Forwarded-User".to_owned()),
        };
        let public_url = PublicUrl::try_from("https://search.example.org".to_owned()).ok();
        Ground {
            port: 7350,
            settings: ServerConfig { public_url, proxy: Some(proxy), ..ServerConfig::default() },
        }
    }

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn arrives(
        ground: &Ground,
        peer: &str,
        given: &[(&'static str, &'static str)],
    ) -> Result<(Arrival, String), u16> {
        let mut headers = headers(given);
        headers.entry(header::HOST).or_insert(HeaderValue::from_static("search.example.org"));
        ground
            .arrival(peer.parse().ok(), false, &Uri::from_static("/"), &headers)
            .map_err(|problem| problem.status().as_u16())
    }

    fn host(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, value.parse().unwrap());
        check_host(&Uri::from_static("/"), &headers, &here()).is_ok()
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
            "search.example.org",
        ];
        for bad in
            bad.into_iter().chain(["[::2]:7350", "0.0.0.0:7350", "127.0.0.1.example.org:7350", ":7350"])
        {
            assert!(!host(bad), "{bad}");
        }
    }

    #[test]
    fn the_public_name_is_ours_as_it_is_set_and_not_otherwise() {
        let ground = behind_proxy();
        let proxy = "10.0.0.1";
        assert!(arrives(&ground, proxy, &[("host", "Search.example.ORG")]).is_ok());
        for wrong in [
            "example.org",
            "search.example.org:8443",
            "evil.search.example.org",
            "me@search.example.org",
            "10.0.0.2",
        ] {
            assert_eq!(arrives(&ground, proxy, &[("host", wrong)]).unwrap_err(), 421, "{wrong}");
        }
    }

    #[test]
    fn a_request_must_name_exactly_one_host_and_not_another_one_in_its_address() {
        let mut headers = HeaderMap::new();
        let check = |uri: &'static str, headers: &HeaderMap| {
            check_host(&Uri::from_static(uri), headers, &here()).is_ok()
        };
        assert!(!check("/", &headers));
        headers.append(header::HOST, "localhost:7350".parse().unwrap());
        assert!(!check("http://example.org:7350/", &headers));
        assert!(check("http://127.0.0.1:7350/", &headers));
        headers.append(header::HOST, "localhost:7350".parse().unwrap());
        assert!(!check("/", &headers));
    }

    #[test]
    fn changes_are_taken_from_own_pages_and_from_programs() {
        let check = |given: &[(&'static str, &'static str)]| {
            check_origin(&headers(given), "http://localhost:7350").is_ok()
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

    #[test]
    fn a_peer_that_is_neither_here_nor_the_proxy_is_not_heard() {
        for (peer, expected) in [
            ("10.0.0.7", None),
            ("::ffff:10.0.0.7", None),
            ("127.0.0.1", None),
            ("10.0.1.1", Some(403)),
            ("", Some(403)),
        ] {
            let told = arrives(&behind_proxy(), peer, &[]).err();
            assert_eq!(told, expected, "{peer}");
        }
        assert_eq!(arrives(&here(), "10.0.0.7", &[("host", "localhost:7350")]).unwrap_err(), 403);
        let (uri, headers) = (Uri::from_static("/"), headers(&[("host", "search.example.org")]));
        let (arrival, _) = behind_proxy().arrival("198.51.100.1".parse().ok(), true, &uri, &headers).unwrap();
        assert!(arrival.is_secure && !arrival.by_proxy, "over TLS everybody is heard");
    }

    #[test]
    fn only_the_proxy_is_believed_about_users_addresses_and_https() {
        let ground = behind_proxy();
        let named = ("x-forwarded-user", "ana");
        assert!(arrives(&ground, "10.0.0.1", &[named]).is_ok());
        assert_eq!(arrives(&ground, "127.0.0.1", &[named]).unwrap_err(), 403);
        // Whatever the client wrote stands before what the proxies added.
        let chain = ("x-forwarded-for", "127.0.0.1, 198.51.100.9, 10.0.0.3");
        let address = |peer: &str, given: &[_]| arrives(&ground, peer, given).unwrap().0.address.to_string();
        assert_eq!(address("10.0.0.1", &[chain]), "198.51.100.9");
        assert_eq!(address("10.0.0.1", &[("x-forwarded-for", "203.0.113.5"), chain]), "198.51.100.9");
        assert_eq!(address("10.0.0.1", &[("x-forwarded-for", "198.51.100.9, unknown")]), "10.0.0.1");
        assert_eq!(address("127.0.0.1", &[chain]), "127.0.0.1");
        let (arrival, origin) = arrives(&ground, "10.0.0.1", &[]).unwrap();
        assert!(arrival.is_secure && arrival.by_proxy && origin == "https://search.example.org");
        assert_eq!(arrives(&ground, "10.0.0.1", &[("x-forwarded-proto", "http")]).unwrap_err(), 403);
        let local = ("host", "localhost:7350");
        let (arrival, origin) =
            arrives(&ground, "127.0.0.1", &[local, ("x-forwarded-proto", "https")]).unwrap();
        assert!(!arrival.is_secure && origin == "http://localhost:7350");
    }

    #[test]
    fn where_nobody_signs_in_nothing_forwarded_is_heard() {
        let settings = ServerConfig { sign_in: SignInChoice::None, ..ServerConfig::default() };
        let ground = Ground { port: 7350, settings };
        let local = ("host", "localhost:7350");
        assert!(arrives(&ground, "127.0.0.1", &[local]).is_ok());
        for name in FORWARDING {
            assert_eq!(
                arrives(&ground, "127.0.0.1", &[local, (name, "192.0.2.1")]).unwrap_err(),
                403,
                "{name}"
            );
        }
    }
}
