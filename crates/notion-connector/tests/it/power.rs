//! Store and index part: power fails between them, an old store is put beside a newer index, the index is damaged or
//! gone. The index is mended from the store, the store from Notion, and both end as the truth.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use notion_connector::model::{Change, OutboxCursor};
use notion_connector::sink::index::IndexSink;
use notion_connector::sink::pump::Pump;
use notion_connector::sink::{Sink, SinkError};
use notion_connector::store::Store;
use notion_emulator::{Behavior, Edit, Options};

use crate::support::{Dice, Line, generated};

const HOUR: Duration = Duration::from_secs(3600);

/// Puts a copy of the database where the database is.
fn restore(line: &Line, copy: &Path) {
    for name in ["store.sqlite-wal", "store.sqlite-shm"] {
        drop(std::fs::remove_file(line.data_dir().join(name)));
    }
    std::fs::copy(copy, line.data_dir().join("store.sqlite")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_old_store_beside_a_newer_index_ends_as_the_truth() {
    let line = Line::in_process(generated("pages=80,seed=81"), Options::default()).await;
    line.crawl().await;
    let copy = line.beside("copy.sqlite");
    line.app().store.copy_to(&copy).unwrap();

    // The index learns of a new title, and of a page that the old store still has.
    let truth = line.truth();
    let [renamed, trashed] = {
        let mut leaves = truth
            .values()
            .filter(|fact| fact.has_body() && !truth.values().any(|other| other.parent == Some(fact.id)));
        [leaves.next().unwrap().clone(), leaves.next().unwrap().clone()]
    };
    line.notion.advance(HOUR);
    let edit = Edit { title: Some("For a while".to_owned()), ..Edit::default() };
    line.notion.edit(renamed.id, edit, &std::collections::BTreeMap::new()).unwrap();
    line.notion.trash(trashed.id).unwrap();
    line.crawl().await;
    line.assert_holds_the_truth();

    // Then it is all taken back, and the store with it.
    let edit = Edit { title: Some(renamed.title.clone()), ..Edit::default() };
    line.notion.edit(renamed.id, edit, &std::collections::BTreeMap::new()).unwrap();
    line.notion.restore(trashed.id).unwrap();
    line.notion.advance(HOUR);
    restore(&line, &copy);
    line.crawl().await;
    line.assert_holds_the_truth();
}

/// Passes deliveries on to the index; keeps the store as it was at the sync before the last one; then power fails.
struct UntilPowerFails {
    index: IndexSink,
    store: Arc<Store>,
    copy: std::path::PathBuf,
    deliveries_left: AtomicU32,
}

#[async_trait]
impl Sink for UntilPowerFails {
    fn name(&self) -> &'static str {
        "index"
    }

    async fn load_cursor(&self) -> Result<Option<OutboxCursor>, SinkError> {
        self.index.load_cursor().await
    }

    async fn deliver(&self, changes: Vec<Change>, cursor: OutboxCursor) -> Result<(), SinkError> {
        if self.deliveries_left.fetch_sub(1, Ordering::Relaxed) == 0 {
            return Err(SinkError::Unusable { sink: "index", reason: "power failed".to_owned() });
        }
        drop(std::fs::remove_file(&self.copy));
        self.store.copy_to(&self.copy).unwrap();
        self.index.deliver(changes, cursor).await
    }

    async fn clear(&self) -> Result<(), SinkError> {
        self.index.clear().await
    }

    async fn check(&self) -> Result<(), SinkError> {
        self.index.check().await
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_synced_when_power_failed_is_read_again_and_nothing_twice() {
    for deliveries in 2..6 {
        let behavior = Behavior { latency_ms: 250, ..Behavior::default() };
        let options = Options { behavior, ..Options::default() };
        let mut line = Line::in_process(generated("pages=120,seed=82"), options).await;
        line.config.notion.concurrency = 3;
        let copy = line.beside("as-of-the-last-sync.sqlite");
        let closed = {
            let app = line.app();
            let (crawler, id) = line.crawler(&app).await;
            let sink = UntilPowerFails {
                index: IndexSink::open(&app.dir.index(), app.runtime.clone()).unwrap(),
                store: Arc::clone(&app.store),
                copy: copy.clone(),
                deliveries_left: AtomicU32::new(deliveries),
            };
            let pump = Pump::new(
                Arc::clone(&app.store),
                Arc::new(sink),
                app.runtime.clone(),
                Duration::from_millis(400),
            );
            tokio::select! {
                biased;
                ended = crawler.run(id) => panic!("power was to fail before the end: {ended:?}"),
                failed = pump.run() => assert!(failed.unwrap_err().to_string().contains("power failed")),
            }
            Arc::downgrade(&app.store)
        };
        while closed.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
        restore(&line, &copy);
        let report = line.crawl().await;
        assert!(report.resumed, "the crawl goes on");
        line.assert_holds_the_truth();
    }
}

/// What may happen to an index directory.
fn damage(index: &Path, how: usize, dice: &mut Dice) {
    let files: Vec<_> = std::fs::read_dir(index).unwrap().map(|entry| entry.unwrap().path()).collect();
    let of = |end: &str| files.iter().find(|file| file.to_string_lossy().ends_with(end)).unwrap();
    match how {
        0 => std::fs::remove_dir_all(index).unwrap(),
        1 => std::fs::write(index.join("meta.json"), "{\"segments\": [{\"segment_id\":").unwrap(),
        2 => std::fs::remove_file(of(".store")).unwrap(),
        3 => std::fs::write(of(".term"), b"").unwrap(),
        _ => {
            let file = of(".store");
            let mut bytes = std::fs::read(file).unwrap();
            for _ in 0..8 {
                let at = dice.below(bytes.len());
                bytes[at] ^= 0x40;
            }
            std::fs::write(file, bytes).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_index_is_made_anew_from_the_store_without_notion() {
    let line = Line::in_process(generated("pages=60,seed=83"), Options::default()).await;
    line.crawl().await;
    let mut dice = Dice::new(84);
    for how in 0..5 {
        damage(&line.app().dir.index(), how, &mut dice);
        line.witness.take();
        line.app().pump().unwrap().drain().await.unwrap();
        assert_eq!(line.witness.take().len(), 0, "Notion was asked");
        line.assert_holds_the_truth();
    }
}
