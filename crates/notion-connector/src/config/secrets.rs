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
    /// A program with its arguments that prints the key, instead of a file: a keyring's, or a vault's.
    pub key_command: Vec<String>,
}

impl Section for SecretsConfig {
    const NAME: &'static str = "secrets";

    fn problems(&self) -> Vec<String> {
        let both = self.key_file.is_some() && !self.key_command.is_empty();
        let both = both.then(|| "key_file and key_command: one of them holds the key".to_owned());
        let nameless = self.key_command.first().is_some_and(|program| program.trim().is_empty());
        let nameless = nameless.then(|| "key_command: names no program".to_owned());
        both.into_iter().chain(nameless).collect()
    }
}
