//! Who asked the file hosts for what.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::{Value, json};

use super::Host;
use crate::log::MAX_ENTRIES;

/// One answered request to a file host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRequest {
    /// The world's time when it was answered.
    pub time: String,
    /// Which host.
    pub host: Host,
    /// HTTP method.
    pub method: String,
    /// The path, without the signature.
    pub path: String,
    /// Status; 0 for a connection that ended before the answer.
    pub status: u16,
    /// Names of the headers that came with it, so that a test can say which must not.
    pub headers: Vec<String>,
}

/// The log of the file hosts.
#[derive(Debug, Default)]
pub struct FileLog {
    entries: VecDeque<FileRequest>,
    counts: BTreeMap<(Host, String, u16), u64>,
    total: u64,
}

impl FileLog {
    pub(super) fn push(&mut self, entry: FileRequest) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.total += 1;
        *self.counts.entry((entry.host, entry.path.clone(), entry.status)).or_default() += 1;
        self.entries.push_back(entry);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The kept entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &FileRequest> {
        self.entries.iter()
    }

    /// Everything, as the control API shows it.
    #[must_use]
    pub fn report(&self) -> Value {
        let counts: Vec<Value> = self
            .counts
            .iter()
            .map(|((host, path, status), count)| {
                json!({"host": host, "path": path, "status": status, "count": count})
            })
            .collect();
        json!({"total": self.total, "counts": counts, "log": self.entries})
    }
}
