//! The cookie of a session.
//!
//! Over `https` its name begins with `__Host-`: then no other host and no page in clear can set it. On this machine over `http`
//! it carries the port, so that two servers do not take each other's.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret, SecretString};

use super::guard::Arrival;
use super::problem::Problem;

fn name(arrival: Arrival, port: u16) -> String {
    if arrival.is_secure { "__Host-notion-connector".to_owned() } else { format!("notion-connector-{port}") }
}

/// The token that came with a request. Of two nobody knows whose each is: then there is none.
pub(super) fn token(headers: &HeaderMap, arrival: Arrival, port: u16) -> Option<SecretString> {
    let name = name(arrival, port);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut ours = lines
        .flat_map(|line| Cookie::split_parse(line.to_owned()).flatten())
        .filter(|cookie| cookie.name() == name)
        .map(|cookie| SecretString::from(cookie.value()));
    let first = ours.next()?;
    ours.next().is_none().then_some(first)
}

/// What has the browser keep a token, for so many hours; or, of none, forget it.
pub(super) fn cookie(
    token: Option<&SecretString>,
    hours: u32,
    arrival: Arrival,
    port: u16,
) -> Result<HeaderValue, Problem> {
    let value = token.map_or("", |token| token.expose_secret());
    let hours = if token.is_some() { i64::from(hours) } else { 0 };
    let cookie = Cookie::build((name(arrival, port), value))
        .path("/")
        .http_only(true)
        .secure(arrival.is_secure)
        .same_site(SameSite::Lax)
        .max_age(cookie::time::Duration::hours(hours));
    let mut value = HeaderValue::from_str(&cookie.to_string()).map_err(|_| Problem::panicked())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(is_secure: bool) -> Arrival {
        Arrival { address: [127, 0, 0, 1].into(), by_proxy: false, is_secure, names_origin: true }
    }

    fn kept(line: &str, is_secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, line.parse().unwrap());
        token(&headers, arrival(is_secure), 7350).map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn a_cookie_is_kept_by_no_script_sent_by_no_other_site_and_over_https_set_by_nobody_else() {
        let token = SecretString::from("ncs_x");
        let set =
            |secure| cookie(Some(&token), 24, arrival(secure), 7350).unwrap().to_str().unwrap().to_owned();
        let (plain, secure) = (set(false), set(true));
        for one in [&plain, &secure] {
            for part in ["=ncs_x;", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"] {
                assert!(one.contains(part), "{part} in {one}");
            }
            assert!(!one.contains("Domain"), "{one}");
        }
        assert!(secure.starts_with("__Host-notion-connector=") && secure.contains("Secure"));
        assert!(plain.starts_with("notion-connector-7350=") && !plain.contains("Secure"));
        let gone = cookie(None, 24, arrival(true), 7350).unwrap();
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
