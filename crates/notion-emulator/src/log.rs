//! The request log: what every API request asked and how it was answered.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::{Value, json};

/// Entries kept; counts cover everything.
pub const MAX_ENTRIES: usize = 100_000;

/// One answered request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The world's time when it was answered.
    pub time: String,
    /// HTTP method.
    pub method: String,
    /// The endpoint as a template, such as `/v1/pages/{page_id}/markdown`; the path itself if it is none.
    pub endpoint: String,
    /// Path and query string.
    pub path: String,
    /// Status; 0 for a dropped connection.
    pub status: u16,
    /// The token's place in the list, if it is one of them.
    pub token: Option<usize>,
    /// Length of the answer's body.
    pub bytes: usize,
    /// The `request_id` of the answer.
    pub request_id: String,
}

/// The log.
#[derive(Debug, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    counts: BTreeMap<(String, String, u16), u64>,
    total: u64,
}

impl Log {
    pub(crate) fn push(&mut self, entry: Entry) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.total += 1;
        *self.counts.entry((entry.method.clone(), entry.endpoint.clone(), entry.status)).or_default() += 1;
        self.entries.push_back(entry);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The kept entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Everything, as the control API shows it.
    #[must_use]
    pub fn report(&self) -> Value {
        let counts: Vec<Value> = self
            .counts
            .iter()
            .map(|((method, endpoint, status), count)| {
                json!({"method": method, "endpoint": endpoint, "status": status, "count": count})
            })
            .collect();
        json!({"total": self.total, "counts": counts, "log": self.entries})
    }
}
