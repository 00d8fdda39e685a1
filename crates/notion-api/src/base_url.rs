use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::transport::is_loopback;

/// Where the API is: an origin. Encrypted, or on this machine, since the secret goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

/// Why a text is no base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It is no URL.
    #[error("the base URL is no URL ({0}); write an origin such as https://api.notion.com")]
    NoUrl(url::ParseError),
    /// It is more than an origin.
    #[error(
        "the base URL must be an origin, without user, path, query or fragment, such as https://api.notion.com"
    )]
    NotAnOrigin,
    /// It would send the secret in the clear.
    #[error(
        "the base URL must begin with https:// (http:// is allowed for this machine only, as in http://127.0.0.1:8080)"
    )]
    NotEncrypted,
}

impl BaseUrl {
    /// Notion's own.
    #[must_use]
    pub fn notion() -> Self {
        Self("https://api.notion.com".to_owned())
    }

    /// The origin, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self::notion()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text.trim()).map_err(BaseUrlError::NoUrl)?;
        let host = url.host_str().ok_or(BaseUrlError::NotAnOrigin)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(host) => {}
            _ => return Err(BaseUrlError::NotEncrypted),
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::NotAnOrigin);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_and_normalised() {
        for (text, expected) in [
            ("https://api.notion.com/", "https://api.notion.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:1/", "http://localhost:1"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().as_str(), expected);
        }
    }

    #[test]
    fn the_secret_is_never_sent_in_the_clear_over_a_network() {
        for text in
            ["http://api.notion.com", "http://10.0.0.1", "ftp://localhost", "http://localhost.evil.example"]
        {
            assert_eq!(text.parse::<BaseUrl>(), Err(BaseUrlError::NotEncrypted), "{text}");
        }
    }

    #[test]
    fn more_than_an_origin_is_refused() {
        for text in [
            "https://api.notion.com/v1",
            "https://u:p@api.notion.com",
            "https://a.example/?q",
            "https://a.example/#f",
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(BaseUrlError::NotAnOrigin), "{text}");
        }
        assert!(matches!("api.notion.com".parse::<BaseUrl>(), Err(BaseUrlError::NoUrl(_))));
    }
}
