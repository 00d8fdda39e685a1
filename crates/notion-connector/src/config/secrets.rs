use std::path::PathBuf;

use serde::Deserialize;

use super::Section;

/// Where secrets are kept.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    /// File with the key that encrypts integration secrets: mode 0600, outside the data directory. Made when it does not
    /// exist. The environment variable `NOTION_CONNECTOR_KEY` (64 hexadecimal digits) goes before it.
    pub key_file: Option<PathBuf>,
}

impl Section for SecretsConfig {
    const NAME: &'static str = "secrets";

    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}
