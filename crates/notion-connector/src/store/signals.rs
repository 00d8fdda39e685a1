//! What the store tells those who wait in this process, so that they need not look again and again. Whoever misses a signal
//! finds out with its next look.

use tokio::sync::{Notify, watch};

use super::Store;

/// Signals of one store.
#[derive(Debug, Default)]
pub(super) struct Signals {
    heard: watch::Sender<u64>,
    hurry: Notify,
}

impl Signals {
    pub(super) fn tell_heard(&self) {
        self.heard.send_modify(|heard| *heard += 1);
    }
}

impl Store {
    /// Changes whenever an event brought a hint.
    pub fn heard(&self) -> watch::Receiver<u64> {
        self.signals.heard.subscribe()
    }

    /// Asks for what is in the outbox to be delivered without waiting for more.
    pub fn hurry(&self) {
        self.signals.hurry.notify_one();
    }

    /// Waits until somebody asks for that.
    pub async fn hurried(&self) {
        self.signals.hurry.notified().await;
    }
}
