//! The pump: takes rows out of the outbox and delivers them to one sink, in order, in batches.
//!
//! Invariants:
//! - Nothing is delivered that is not synced to disk: a sink is never ahead of what survives a loss of power.
//! - The sink keeps the cursor together with what it was given. A cursor of another outbox, one ahead of the outbox, or
//!   one whose rows are pruned means that sink and store have parted: the sink is filled from the start, without Notion.
//! - A sink that fails stalls its own cursor and nothing else: crawls go on, `status` says so, and it is tried again.
//! - While it is being filled, its cursor names no outbox, so that an interrupted filling begins again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::{Sink, SinkError};
use crate::model::OutboxCursor;
use crate::runtime::Runtime;
use crate::store::{Store, StoreError};

/// Bytes of items in one delivery: bounds memory.
const BATCH_BYTES: usize = 8 << 20;

/// Rows that wait for this many others before they are delivered, or for the time to pass: makes the cost of a commit
/// small for each item.
const WORTH_A_COMMIT: usize = 1_000;

/// The cursor of a sink that is being filled: it names no outbox.
const UNFINISHED: OutboxCursor = OutboxCursor { epoch: Uuid::nil(), sequence: 0 };

/// How often the outbox is looked at.
const POLL: Duration = Duration::from_millis(500);

/// How long after a failure the sink is tried again: longer each time, up to the last.
const TRY_AGAIN: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(60)];

/// The shortest time between two deliveries that somebody asked to hurry.
const BREATH: Duration = Duration::from_millis(250);

/// Why the pump stopped.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sink failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Delivers one store's outbox to one sink.
pub struct Pump {
    store: Arc<Store>,
    sink: Arc<dyn Sink>,
    runtime: Runtime,
    commit_after: Duration,
    delivering: tokio::sync::Mutex<()>,
    /// Whether the store may say that the sink fails: also of the process before this one.
    told: AtomicBool,
}

impl Pump {
    /// A pump that lets rows wait at most `commit_after`.
    pub fn new(store: Arc<Store>, sink: Arc<dyn Sink>, runtime: Runtime, commit_after: Duration) -> Self {
        let (delivering, told) = (tokio::sync::Mutex::default(), AtomicBool::new(true));
        Self { store, sink, runtime, commit_after, delivering, told }
    }

    /// Delivers as rows come, at once where the store says that somebody waits, until it is dropped. A sink that fails is tried again.
    ///
    /// # Errors
    /// When the store fails, or the sink has to be made anew. Nothing is lost: run it again.
    pub async fn run(&self) -> Result<(), PumpError> {
        let (mut waiting_since, mut failures, mut hurried) = (None, 0, false);
        loop {
            match self.turn(&mut waiting_since, hurried).await {
                Ok(()) => failures = 0,
                Err(PumpError::Sink(error)) if !error.is_mended_by_rebuild() => {
                    let again = TRY_AGAIN[failures.min(TRY_AGAIN.len() - 1)];
                    failures += 1;
                    tracing::error!(%error, again_in_seconds = again.as_secs(), "the sink is behind");
                    self.runtime.sleep(again).await;
                }
                Err(error) => return Err(error),
            }
            if hurried {
                self.runtime.sleep(BREATH).await;
            }
            hurried = tokio::select! {
                biased;
                () = self.store.hurried() => true,
                () = self.runtime.sleep(POLL) => false,
            };
        }
    }

    /// Delivers what waits, if somebody waits for it, it is worth a commit or has waited long enough.
    async fn turn(
        &self,
        waiting_since: &mut Option<tokio::time::Instant>,
        hurried: bool,
    ) -> Result<(), PumpError> {
        let waiting = self.count_waiting(WORTH_A_COMMIT).await?;
        let now = tokio::time::Instant::now();
        let since = *waiting_since.get_or_insert(now);
        if waiting == 0 {
            *waiting_since = None;
        } else if hurried || waiting >= WORTH_A_COMMIT || now - since >= self.commit_after {
            self.drain().await?;
            *waiting_since = None;
        }
        Ok(())
    }

    /// Delivers everything that is in the outbox now. Returns how many items were delivered.
    ///
    /// # Errors
    /// When store or sink fail.
    pub async fn drain(&self) -> Result<u64, PumpError> {
        let _turn = self.delivering.lock().await;
        let drained = self.drain_now().await;
        let trouble = match &drained {
            Err(PumpError::Sink(error)) => Some(error.to_string()),
            Ok(_) if self.told.load(Ordering::Relaxed) => None,
            Ok(_) | Err(PumpError::Store(_)) => return drained,
        };
        self.told.store(trouble.is_some(), Ordering::Relaxed);
        let name = self.sink.name();
        let told = self.blocking(move |store| store.save_sink_trouble(name, trouble.as_deref())).await;
        if let Err(error) = told {
            // The disk of the store may be the full one.
            tracing::warn!(%error, "how the sink fares could not be saved");
        }
        drained
    }

    async fn drain_now(&self) -> Result<u64, PumpError> {
        let Some(mut cursor) = self.usable_cursor().await? else { return self.fill().await };
        let mut delivered = 0;
        loop {
            let entries =
                self.blocking(move |store| store.load_outbox(cursor.sequence, WORTH_A_COMMIT)).await?;
            let Some(last) = entries.last() else { break };
            cursor.sequence = last.sequence;
            let mut keys: Vec<String> = entries.into_iter().map(|entry| entry.key).collect();
            keys.sort_unstable();
            keys.dedup();
            delivered += self.deliver(keys, cursor).await?;
            self.blocking(move |store| store.prune_outbox(cursor.sequence)).await?;
        }
        Ok(delivered)
    }

    /// Empties the sink and gives it every item of the store.
    ///
    /// # Errors
    /// When store or sink fail.
    async fn fill(&self) -> Result<u64, PumpError> {
        tracing::info!(sink = self.sink.name(), "filling the sink from the store");
        let end = self.blocking(Store::load_outbox_end).await?;
        self.sink.clear().await?;
        let mut delivered = 0;
        let mut after = String::new();
        loop {
            let from = after.clone();
            let keys = self.blocking(move |store| store.load_keys(&from, WORTH_A_COMMIT)).await?;
            let Some(last) = keys.last() else { break };
            after.clone_from(last);
            delivered += self.deliver(keys, UNFINISHED).await?;
        }
        self.blocking(Store::sync).await?;
        self.sink.deliver(Vec::new(), end).await?;
        self.blocking(move |store| store.prune_outbox(end.sequence)).await?;
        Ok(delivered)
    }

    /// Delivers items in bounded batches; only the last one carries the cursor.
    async fn deliver(&self, mut keys: Vec<String>, cursor: OutboxCursor) -> Result<u64, PumpError> {
        let delivered = keys.len() as u64;
        let before = self.sink.load_cursor().await?.unwrap_or(UNFINISHED);
        while !keys.is_empty() {
            let batch = std::mem::take(&mut keys);
            let (changes, rest) = self.blocking(move |store| store.load_changes(batch, BATCH_BYTES)).await?;
            keys = rest;
            // After they were loaded: what changed since the rows were written is delivered with them.
            self.blocking(Store::sync).await?;
            let reached = if keys.is_empty() { cursor } else { before };
            self.sink.deliver(changes, reached).await?;
        }
        Ok(delivered)
    }

    /// The sink's cursor, if the outbox can go on from it.
    async fn usable_cursor(&self) -> Result<Option<OutboxCursor>, PumpError> {
        let Some(cursor) = self.sink.load_cursor().await? else { return Ok(None) };
        let (end, pruned) =
            self.blocking(|store| Ok((store.load_outbox_end()?, store.load_outbox_pruned()?))).await?;
        let usable =
            cursor.epoch == end.epoch && cursor.sequence <= end.sequence && cursor.sequence >= pruned;
        if !usable {
            tracing::warn!(sink = self.sink.name(), "the sink does not match the store; it is filled again");
        }
        Ok(usable.then_some(cursor))
    }

    async fn count_waiting(&self, at_most: usize) -> Result<usize, PumpError> {
        let Some(cursor) = self.usable_cursor().await? else { return Ok(at_most) };
        Ok(self.blocking(move |store| store.load_outbox(cursor.sequence, at_most)).await?.len())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PumpError> {
        let store = Arc::clone(&self.store);
        Ok(self.runtime.blocking(move || work(&store)).await?)
    }
}
