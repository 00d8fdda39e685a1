use serde::Deserialize;

use super::{Section, within};

/// The embedded index.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexConfig {
    /// Seconds after which what was crawled becomes searchable at the latest. From 1 to 3,600.
    pub commit_seconds: u64,
}

impl Default for IndexConfig {
    fn default() -> Self {
        Self { commit_seconds: 5 }
    }
}

impl Section for IndexConfig {
    const NAME: &'static str = "index";

    fn problems(&self) -> Vec<String> {
        within("commit_seconds", self.commit_seconds, 1..=3_600).into_iter().collect()
    }
}
