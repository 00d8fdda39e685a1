use serde::Deserialize;

use super::{Section, within};

/// The embedded index.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexConfig {
    /// Megabytes of memory for writing. From 15 to 4,096.
    pub writer_megabytes: usize,
    /// Seconds after which what was crawled becomes searchable at the latest. From 1 to 3,600.
    pub commit_seconds: u64,
}

impl Default for IndexConfig {
    fn default() -> Self {
        Self { writer_megabytes: 48, commit_seconds: 5 }
    }
}

impl Section for IndexConfig {
    const NAME: &'static str = "index";

    fn problems(&self) -> Vec<String> {
        [
            within("writer_megabytes", self.writer_megabytes, 15..=4_096),
            within("commit_seconds", self.commit_seconds, 1..=3_600),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
