//! What browsers keep for us: the cookie of a session, and that of a sign-in that leads elsewhere and back.
//!
//! Over `https` its name begins with `__Host-`: then no other host and no page in clear can set it. On this machine over `http`
//! it carries the port, so that two servers do not take each other's.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use secrecy::SecretString;

use super::guard::Arrival;
use super::problem::Problem;

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    /// The token of a session.
    Session,
    /// What a sign-in began with.
    Attempt,
}

fn name(keeping: Keeping, arrival: Arrival, port: u16) -> String {
    let what = if keeping == Keeping::Attempt { "-sign-in" } else { "" };
    if arrival.is_secure {
        format!("__Host-notion-connector{what}")
    } else {
        format!("notion-connector{what}-{port}")
    }
}

/// What came with a request. Of two nobody knows whose each is: then there is none.
pub(super) fn token(
    keeping: Keeping,
    headers: &HeaderMap,
    arrival: Arrival,
    port: u16,
) -> Option<SecretString> {
    let name = name(keeping, arrival, port);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut ours = lines
        .flat_map(|line| Cookie::split_parse(line.to_owned()).flatten())
        .filter(|cookie| cookie.name() == name)
        .map(|cookie| SecretString::from(cookie.value()));
    let first = ours.next()?;
    ours.next().is_none().then_some(first)
}

/// What has the browser keep a value, for so many minutes; or, of none, forget it.
pub(super) fn cookie(
    keeping: Keeping,
    kept: Option<(&str, i64)>,
    arrival: Arrival,
    port: u16,
) -> Result<HeaderValue, Problem> {
    let (value, minutes) = kept.unwrap_or_default();
    let cookie = Cookie::build((name(keeping, arrival, port), value))
        .path("/")
        .http_only(true)
        .secure(arrival.is_secure)
        .same_site(SameSite::Lax)
        .max_age(cookie::time::Duration::minutes(minutes));
    let mut value = HeaderValue::from_str(&cookie.to_string()).map_err(|_| Problem::panicked())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn arrival(is_secure: bool) -> Arrival {
        Arrival { address: [127, 0, 0, 1].into(), by_proxy: false, is_secure, names_origin: true }
    }

    fn kept(line: &str, is_secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, line.parse().unwrap());
        token(Keeping::Session, &headers, arrival(is_secure), 7350)
            .map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn a_cookie_is_kept_by_no_script_sent_by_no_other_site_and_over_https_set_by_nobody_else() {
        let set = |secure| {
            let cookie = cookie(Keeping::Session, Some(("ncs_x", 24 * 60)), arrival(secure), 7350).unwrap();
            cookie.to_str().unwrap().to_owned()
        };
        let (plain, secure) = (set(false), set(true));
        for one in [&plain, &secure] {
            for part in ["=ncs_x;", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"] {
                assert!(one.contains(part), "{part} in {one}");
            }
            assert!(!one.contains("Domain"), "{one}");
        }
        assert!(secure.starts_with("__Host-notion-connector=") && secure.contains("Secure"));
        assert!(plain.starts_with("notion-connector-7350=") && !plain.contains("Secure"));
        let gone = cookie(Keeping::Session, None, arrival(true), 7350).unwrap();
        assert!(gone.to_str().unwrap().contains("Max-Age=0"), "{gone:?}");
    }

    #[test]
    fn a_token_is_read_from_its_own_cookie_only() {
        assert_eq!(kept("a=b; notion-connector-7350=ncs_1; c=d", false).as_deref(), Some("ncs_1"));
        for line in
            ["", "notion-connector-7351=ncs_1", "notion-connector=ncs_1", "__Host-notion-connector=ncs_1"]
        {
            assert_eq!(kept(line, false), None, "{line}");
        }
        // One that a page in clear could have set counts for nothing over https.
        assert_eq!(kept("notion-connector-7350=ncs_1", true), None);
        assert_eq!(kept("notion-connector-7350=ncs_1; notion-connector-7350=ncs_2", false), None);
    }
}
