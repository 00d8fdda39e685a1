use std::net::SocketAddr;

use serde::Deserialize;

use super::Section;

/// Webhooks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Address of the listener for Notion's events, which serves nothing else. None: `serve` does not listen for them. It speaks
    /// HTTP: put something before it that speaks HTTPS.
    pub listen: Option<SocketAddr>,
    /// Origin at which Notion reaches that listener, such as `https://hooks.example.org`: for showing whole addresses.
    pub public_url: Option<String>,
}

impl Section for WebhooksConfig {
    const NAME: &'static str = "webhooks";

    fn problems(&self) -> Vec<String> {
        let wrong = self
            .public_url
            .as_ref()
            .filter(|url| !url.starts_with("https://") && !url.starts_with("http://"));
        wrong
            .map(|url| format!("public_url: must begin with https:// (Notion sends to no other), is {url}"))
            .into_iter()
            .collect()
    }
}
