use std::net::SocketAddr;

use serde::Deserialize;

use super::Section;

/// The web server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address for the search page and the REST API. Loopback only: there is no sign-in yet.
    pub listen: SocketAddr,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7350)) }
    }
}

impl Section for ServerConfig {
    const NAME: &'static str = "server";

    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}
