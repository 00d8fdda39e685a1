//! The rows that queries matched lately. Real cursors name a session, so paging through a result costs no more than its
//! first page there; without this a large sorted query would cost the square of its length here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::rules::version::Version;
use crate::world::model::Ix;

/// Results kept at most.
const MAX_RESULTS: usize = 16;

/// What a result depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// The query: its data source, filter and sorts.
    pub session: Uuid,
    /// Who asks.
    pub bot: u32,
    /// In which version.
    pub version: Version,
    /// The state of the world.
    pub revision: u64,
    /// Rows that can be had.
    pub cap: usize,
}

/// Rows by query, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Matched(Mutex<VecDeque<(Key, Arc<[Ix]>)>>);

impl Matched {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<[Ix]>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == key).map(|(_, rows)| Arc::clone(rows))
    }

    pub(crate) fn put(&self, key: Key, rows: Arc<[Ix]>) -> Arc<[Ix]> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != key);
        if kept.len() == MAX_RESULTS {
            kept.pop_front();
        }
        kept.push_back((key, Arc::clone(&rows)));
        rows
    }
}
