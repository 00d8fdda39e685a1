//! Where items go: the embedded index, and later other engines.
//!
//! A sink takes the changes of the outbox in order, in batches, and keeps the cursor of the last one together with
//! them. What it must do is what `contract` tests; a new sink runs those.

#[cfg(test)]
pub(crate) mod contract;
pub mod index;
pub mod pump;

use async_trait::async_trait;

use crate::model::{Change, OutboxCursor};

/// A place that items are delivered to.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Its name in the store, in logs and in messages.
    fn name(&self) -> &'static str;

    /// How far it has come; none when it is empty.
    async fn load_cursor(&self) -> Result<Option<OutboxCursor>, SinkError>;

    /// Applies changes in order and makes them durable together with the cursor, or none of it. An upsert replaces
    /// the item with that key; deleting what is not there is done. Delivering again what was delivered changes
    /// nothing.
    async fn deliver(&self, changes: Vec<Change>, cursor: OutboxCursor) -> Result<(), SinkError>;

    /// Takes everything out, the cursor too.
    async fn clear(&self) -> Result<(), SinkError>;

    /// Whether it could take a delivery now.
    async fn check(&self) -> Result<(), SinkError>;
}

/// Why a sink did not take something.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// What it holds cannot be used: clear it or make it anew, then deliver everything again.
    #[error("sink “{sink}” has to be filled anew: {reason}")]
    Unusable {
        /// Name of the sink.
        sink: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It failed this time; what was delivered before is still there. The same delivery may be tried again.
    #[error(
        "sink “{sink}” did not take the delivery: {source}; nothing is lost: see that its disk has room and may be written, then \
         it is delivered again"
    )]
    Failed {
        /// Name of the sink.
        sink: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SinkError {
    /// Whether only filling it anew helps.
    pub const fn is_mended_by_rebuild(&self) -> bool {
        matches!(self, Self::Unusable { .. })
    }
}
