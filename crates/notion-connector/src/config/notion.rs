use std::path::PathBuf;

use notion_api::ApiVersion;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Section, within};

/// How Notion is spoken to.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotionConfig {
    /// Value of the `Notion-Version` header.
    #[serde(deserialize_with = "api_version")]
    pub api_version: ApiVersion,
    /// Requests under way at once, for each integration. From 1 to 100.
    pub concurrency: usize,
    /// Seconds to wait for a connection. From 1 to 120.
    pub connect_timeout_seconds: u64,
    /// Seconds to wait for a whole answer; Notion itself gives up after 55. From 1 to 600.
    pub request_timeout_seconds: u64,
    /// How bodies are read.
    pub body: BodyChoice,
    /// PEM file with certificate authorities that are trusted beside those of the platform.
    pub ca_file: Option<PathBuf>,
}

/// How bodies are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyChoice {
    /// By markdown, in the dialect that the workspace answers by itself.
    Auto,
    /// By markdown, asking for dialect v1.
    V1,
    /// By markdown, asking for dialect v2.
    V2,
    /// By block lists: more requests, and results open at their block.
    Blocks,
}

fn api_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ApiVersion, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl Default for NotionConfig {
    fn default() -> Self {
        Self {
            api_version: ApiVersion::default(),
            concurrency: 10,
            connect_timeout_seconds: 10,
            request_timeout_seconds: 65,
            body: BodyChoice::Auto,
            ca_file: None,
        }
    }
}

impl Section for NotionConfig {
    const NAME: &'static str = "notion";

    fn problems(&self) -> Vec<String> {
        let without_data_sources = (!self.api_version.has_data_sources()).then(|| {
            format!("api_version: {} has no data sources; use 2025-09-03 or later", self.api_version)
        });
        [
            without_data_sources,
            within("concurrency", self.concurrency, 1..=100),
            within("connect_timeout_seconds", self.connect_timeout_seconds, 1..=120),
            within("request_timeout_seconds", self.request_timeout_seconds, 1..=600),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
