use std::path::PathBuf;

use serde::Deserialize;

use super::Section;

/// Sign-in through the organisation's OpenID Connect provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenidConfig {
    /// The provider's issuer, as its discovery document names it, such as `https://login.example.org/tenant/v2.0`. Without one
    /// nobody signs in this way.
    pub issuer: Option<String>,
    /// What the provider knows this program by.
    pub client_id: String,
    /// A file with the client's secret, for this program's user alone. Without one the client is a public one, which PKCE
    /// protects.
    pub client_secret_file: Option<PathBuf>,
    /// What the button on the sign-in page says.
    pub label: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that lists a person's groups; empty for none.
    pub groups_claim: String,
    /// Whether a person whom the directory does not know is added to it when they sign in for the first time.
    pub creates_people: bool,
    /// Whether a person whom the directory has by another way is known by an e-mail address that the provider has verified.
    pub links_by_email: bool,
}

impl Default for OpenidConfig {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: String::new(),
            client_secret_file: None,
            label: "Single sign-on".to_owned(),
            scopes: ["profile", "email"].map(str::to_owned).to_vec(),
            groups_claim: "groups".to_owned(),
            creates_people: false,
            links_by_email: true,
        }
    }
}

impl Section for OpenidConfig {
    const NAME: &'static str = "openid";

    fn problems(&self) -> Vec<String> {
        let Some(issuer) = &self.issuer else { return Vec::new() };
        let mut problems = Vec::new();
        let is_safe = url::Url::parse(issuer).is_ok_and(|url| {
            let is_here = url.host_str().is_some_and(|host| {
                let address = host.trim_start_matches('[').trim_end_matches(']');
                host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            });
            (url.scheme() == "https" || (url.scheme() == "http" && is_here))
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !is_safe {
            problems.push(format!(
                "issuer: “{issuer}” is no address that begins with https:// and has neither ? nor #"
            ));
        }
        if self.client_id.trim().is_empty() {
            problems.push("client_id: the provider needs one".to_owned());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_spoken_to_by_https_or_on_this_machine() {
        for (issuer, good) in [
            ("https://login.example.org/tenant/v2.0", true),
            ("http://127.0.0.1:4000", true),
            ("http://[::1]:4000", true),
            ("http://login.example.org", false),
            ("https://login.example.org/?tenant=1", false),
            ("login.example.org", false),
        ] {
            let config = OpenidConfig {
                issuer: Some(issuer.to_owned()),
                client_id: "us".to_owned(),
                ..OpenidConfig::default()
            };
            assert_eq!(config.problems().is_empty(), good, "{issuer}");
        }
        let nameless =
            OpenidConfig { issuer: Some("https://a.example".to_owned()), ..OpenidConfig::default() };
        assert_eq!(nameless.problems().len(), 1);
    }
}
