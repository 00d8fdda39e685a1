//! The machine that the connector runs on: its disk, its index in memory, the processes on it, and their ends.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use notion_connector::app::App;
use notion_connector::config::Config;
use notion_connector::data_dir::{DataDir, Ownership};
use notion_connector::files::{FetchSettings, Fetcher, FileTransport};
use notion_connector::model::{Change, OutboxCursor};
use notion_connector::runtime::Runtime;
use notion_connector::search::SearchIndex;
use notion_connector::sink::index::IndexSink;
use notion_connector::sink::{Sink, SinkError};
use notion_connector::store::Store;

use rusqlite::Connection;
use uuid::Uuid;

use crate::network::Network;
use crate::trace::Trace;

const TRIGGERS: &str = "
    CREATE TABLE trace (number INTEGER PRIMARY KEY, what TEXT NOT NULL);
    CREATE TRIGGER task_made AFTER INSERT ON tasks BEGIN
      INSERT INTO trace (what) VALUES ('task ' || new.id || ' ' || new.kind || ' ' || coalesce(hex(new.target), '-'));
    END;
    CREATE TRIGGER task_moved AFTER UPDATE ON tasks BEGIN
      INSERT INTO trace (what) VALUES ('task ' || new.id || ' ' || new.state || ' ' || coalesce(new.cursor, '-') || ' '
        || new.attempts || ' ' || new.not_before);
    END;
    CREATE TRIGGER task_done AFTER DELETE ON tasks BEGIN
      INSERT INTO trace (what) VALUES ('task ' || old.id || ' done');
    END;
    CREATE TRIGGER item_came AFTER INSERT ON items BEGIN
      INSERT INTO trace (what) VALUES ('item ' || new.id || ' ' || new.key);
    END;
    CREATE TRIGGER item_went AFTER DELETE ON items BEGIN
      INSERT INTO trace (what) VALUES ('item ' || old.id || ' gone');
    END;
    CREATE TRIGGER outbox_grows AFTER INSERT ON outbox BEGIN
      INSERT INTO trace (what) VALUES ('outbox ' || new.sequence || ' ' || new.key);
    END;";

/// What each of these connectors holds that can be found.
pub(crate) fn held(data: &Path, connectors: &[&str]) -> Vec<BTreeSet<Uuid>> {
    const HELD: &str = "SELECT object FROM connectors JOIN holders ON holders.connector = connectors.id
         JOIN items ON items.id = holders.item WHERE name = ?1 AND rendered IS NOT NULL";
    let store = Connection::open(data.join("store.sqlite")).unwrap();
    let mut select = store.prepare(HELD).unwrap();
    let mut of = |name: &&str| -> BTreeSet<Uuid> {
        let ids = select.query_map([name], |row| row.get::<_, [u8; 16]>(0)).unwrap();
        ids.map(|id| Uuid::from_bytes(id.unwrap())).collect()
    };
    connectors.iter().map(&mut of).collect()
}

/// What takes longer than this in virtual time waits for something that will never be.
const LONGEST: Duration = Duration::from_secs(12 * 3_600);

/// Where a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// After so many more transactions.
    Change(u64),
    /// After so much time, wherever it waits then.
    Moment(Duration),
    /// Between the sync of the store and the so-manieth delivery to the index.
    Delivery(u64),
}

/// What a crash does beside ending the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    Nothing,
    /// The store is as it was when it was last synced.
    PowerLost,
    IndexLost,
    /// Somebody puts an old copy of the store where the store was.
    OldStore,
}

/// How a process ended.
pub(crate) enum End<T> {
    Done(T),
    Died,
}

/// A disk with an index beside it, and the settings of whoever starts processes on it.
pub(crate) struct Machine {
    pub(crate) config: Config,
    network: Arc<Network>,
    trace: Trace,
    files: tempfile::TempDir,
    index: Arc<Watched>,
    /// Whether every change of the store is written down too.
    is_told: bool,
    /// Starts at the same instant as the emulator, a little ahead or behind.
    pub(crate) runtime: Runtime,
}

impl Machine {
    pub(crate) fn new(network: Network, runtime: Runtime, trace: Trace) -> Self {
        // Memory where there is such a place: a simulation syncs often, and what it writes is of no use to anybody.
        let memory = Path::new("/dev/shm");
        let files = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let mut config = Config::default();
        config.secrets.key_file = Some(files.path().join("key"));
        let data = files.path().join("data");
        let copy = files.path().join("synced");
        let index = Arc::new(Watched::new(data, copy, runtime.clone(), trace.clone()));
        Self { config, network: Arc::new(network), trace, files, index, is_told: false, runtime }
    }

    /// From now on every transition of a task and every row of the outbox is told when its process has ended.
    pub(crate) fn tell_changes(&mut self) {
        self.connect().execute_batch(TRIGGERS).unwrap();
        self.is_told = true;
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.data().join("store.sqlite")).unwrap()
    }

    fn drain_changes(&self) {
        let connection = self.connect();
        let mut select = connection.prepare("SELECT what FROM trace ORDER BY number").unwrap();
        let told: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        told.iter().for_each(|line| self.trace.say(line));
        connection.execute("DELETE FROM trace", []).unwrap();
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    pub(crate) fn trace(&self) -> Trace {
        self.trace.clone()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.files.path().join("data")
    }

    fn backup(&self) -> PathBuf {
        self.files.path().join("backup.sqlite")
    }

    /// Starts a process and lets it work until it is done or dies.
    pub(crate) async fn run<T, F: Future<Output = T>>(
        &mut self,
        death: Option<Death>,
        work: impl FnOnce(Arc<App>) -> F,
    ) -> End<T> {
        let (app, ownership) = self.start();
        let store = Arc::clone(&app.store);
        let (mut deadline, began) = (None, tokio::time::Instant::now());
        self.index.die_at(None);
        match death {
            Some(Death::Change(changes)) => store.refuse_after(changes),
            Some(Death::Moment(after)) => deadline = Some(tokio::time::Instant::now() + after),
            Some(Death::Delivery(deliveries)) => self.index.die_at(Some(deliveries)),
            None => {}
        }
        let end = {
            let mut work = pin!(work(app));
            let mut alarm = pin!(async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            });
            std::future::poll_fn(|context| {
                if alarm.as_mut().poll(context).is_ready() {
                    return Poll::Ready(End::Died);
                }
                assert!(began.elapsed() < LONGEST, "a process does not come to its end");
                let done = work.as_mut().poll(context);
                if store.changes_left() == 0 || self.index.is_dead() {
                    return Poll::Ready(End::Died);
                }
                done.map(End::Done)
            })
            .await
        };
        store.refuse_after(0);
        let died = matches!(end, End::Died);
        self.stop(store, ownership, died).await;
        end
    }

    fn start(&self) -> (Arc<App>, Ownership) {
        let dir = DataDir::create(&self.data()).unwrap();
        let ownership = dir.own("a simulation").unwrap();
        let network = Arc::clone(&self.network);
        let app = App::with(self.config.clone(), dir, self.runtime.clone(), network).unwrap();
        let settings = FetchSettings::new(&self.config.files, self.config.extract.file_bytes());
        let hosts = Arc::clone(&self.network) as Arc<dyn FileTransport>;
        let fetcher = Fetcher::new(settings, hosts, self.runtime.clone());
        let extractor = Arc::clone(&app.extractor);
        let app = app.reading_files(fetcher, extractor);
        (Arc::new(app.delivering_to(Arc::clone(&self.index) as Arc<dyn Sink>)), ownership)
    }

    /// The data directory as somebody sees it who only reads.
    pub(crate) fn look(&self) -> Arc<App> {
        let dir = DataDir::create(&self.data()).unwrap();
        let network = Arc::clone(&self.network);
        Arc::new(App::with(self.config.clone(), dir, self.runtime.clone(), network).unwrap())
    }

    /// Waits until nothing of the process is left.
    async fn stop(&self, store: Arc<Store>, ownership: Ownership, died: bool) {
        let weak = Arc::downgrade(&store);
        drop(store);
        while weak.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
        drop(ownership);
        if self.is_told {
            self.drain_changes();
        }
        if died {
            self.trace.say("the process dies");
        } else {
            // The last connection to a database that is closed in order syncs all of it.
            self.index.copy_store();
        }
    }

    /// What is called when all that was written is on the disk for sure.
    pub(crate) fn syncing(&self) -> Box<dyn Fn() + Send + Sync> {
        let index = Arc::clone(&self.index);
        Box::new(move || index.copy_store())
    }

    /// Keeps a copy of the store, as `backup` would.
    pub(crate) fn back_up(&self) {
        drop(std::fs::remove_file(self.backup()));
        Store::open(&self.data()).unwrap().copy_to(&self.backup()).unwrap();
        self.trace.say("backup");
    }

    /// As if another version of the program had rendered what is there.
    pub(crate) fn age_rendering(&self) {
        self.connect().execute("UPDATE items SET renderer = 0 WHERE renderer IS NOT NULL", []).unwrap();
        self.trace.say("another version of the program");
    }

    /// Returns whether there was anything to damage.
    pub(crate) fn damage(&mut self, damage: Damage) -> bool {
        let done = match damage {
            Damage::Nothing => true,
            Damage::IndexLost => {
                self.index.lose();
                true
            }
            Damage::PowerLost => self.index.restore_store(),
            Damage::OldStore => {
                let exists = self.backup().exists();
                if exists {
                    put_store(&self.data(), &[(self.backup(), "store.sqlite")]);
                }
                exists
            }
        };
        if done && damage != Damage::Nothing {
            self.trace.say(format!("damage: {damage:?}"));
        }
        done
    }

    /// What searches see now.
    pub(crate) fn search_index(&self) -> SearchIndex {
        self.index.opened().search_index()
    }
}

/// Puts files where the database is.
fn put_store(data: &Path, files: &[(PathBuf, &str)]) {
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        drop(std::fs::remove_file(data.join(name)));
    }
    for (from, name) in files {
        std::fs::copy(from, data.join(name)).unwrap();
    }
}

/// The index in memory; keeps what is on the disk for sure.
struct Watched {
    data: PathBuf,
    /// The store as it was last synced.
    copy: PathBuf,
    runtime: Runtime,
    trace: Trace,
    state: Mutex<State>,
}

struct State {
    index: IndexSink,
    deliveries_left: Option<u64>,
    dead: bool,
}

impl Watched {
    fn new(data: PathBuf, copy: PathBuf, runtime: Runtime, trace: Trace) -> Self {
        std::fs::create_dir_all(&copy).unwrap();
        let index = IndexSink::in_memory(runtime.clone()).unwrap();
        let state = Mutex::new(State { index, deliveries_left: None, dead: false });
        Self { data, copy, runtime, trace, state }
    }

    fn opened(&self) -> IndexSink {
        self.state.lock().unwrap().index.clone()
    }

    fn die_at(&self, deliveries: Option<u64>) {
        let mut state = self.state.lock().unwrap();
        (state.deliveries_left, state.dead) = (deliveries, false);
    }

    fn is_dead(&self) -> bool {
        self.state.lock().unwrap().dead
    }

    fn lose(&self) {
        self.state.lock().unwrap().index = IndexSink::in_memory(self.runtime.clone()).unwrap();
    }

    fn copy_store(&self) {
        for name in ["store.sqlite", "store.sqlite-wal"] {
            drop(std::fs::remove_file(self.copy.join(name)));
            if self.data.join(name).exists() {
                std::fs::copy(self.data.join(name), self.copy.join(name)).unwrap();
            }
        }
    }

    fn restore_store(&self) -> bool {
        let files: Vec<(PathBuf, &str)> = ["store.sqlite", "store.sqlite-wal"]
            .into_iter()
            .map(|name| (self.copy.join(name), name))
            .filter(|(path, _)| path.exists())
            .collect();
        if !files.is_empty() {
            put_store(&self.data, &files);
        }
        !files.is_empty()
    }

    /// Whether the process still lives when it comes to this delivery.
    fn admit(&self) -> Result<(), SinkError> {
        let mut state = self.state.lock().unwrap();
        if let Some(left) = &mut state.deliveries_left {
            if *left == 0 {
                state.dead = true;
                let source = Box::new(std::io::Error::other("the process died"));
                return Err(SinkError::Failed { sink: "index", source });
            }
            *left -= 1;
        }
        Ok(())
    }
}

#[async_trait]
impl Sink for Watched {
    fn name(&self) -> &'static str {
        "index"
    }

    async fn load_cursor(&self) -> Result<Option<OutboxCursor>, SinkError> {
        self.opened().load_cursor().await
    }

    async fn deliver(&self, changes: Vec<Change>, cursor: OutboxCursor) -> Result<(), SinkError> {
        self.copy_store();
        self.admit()?;
        let (count, sequence) = (changes.len(), cursor.sequence);
        self.trace.say(format!("deliver {count} changes up to {sequence}"));
        self.opened().deliver(changes, cursor).await
    }

    async fn clear(&self) -> Result<(), SinkError> {
        self.trace.say("empty the index");
        self.opened().clear().await
    }

    async fn check(&self) -> Result<(), SinkError> {
        self.opened().check().await
    }
}
