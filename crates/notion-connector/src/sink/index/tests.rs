//! What the index keeps when it is damaged, full, shared or broken off in the middle.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use async_trait::async_trait;
use tantivy::directory::error::{DeleteError, OpenReadError, OpenWriteError};
use tantivy::directory::{FileHandle, TerminatingWrite, WatchCallback, WatchHandle, WritePtr};

use super::*;
use crate::model::{ConnectorId, ItemKey, Viewer};
use crate::search::fixture::{cursor, key, page};
use crate::search::{Lookup, SearchRequest};
use crate::sink::contract::{Subject, sink_contract};

struct OnDisk(tempfile::TempDir);

#[async_trait]
impl Subject for OnDisk {
    type Opened = IndexSink;

    async fn open(&self) -> IndexSink {
        IndexSink::open(self.0.path(), Runtime::real()).unwrap()
    }

    async fn load_titles(&self, sink: &IndexSink) -> BTreeMap<ItemKey, String> {
        titles(sink)
    }
}

fn titles(sink: &IndexSink) -> BTreeMap<ItemKey, String> {
    let request = SearchRequest { limit: 100, ..SearchRequest::new("", Viewer::LocalOperator) };
    let response = sink.search_index().search(&request).unwrap();
    assert_eq!(response.total, response.hits.len(), "no item is there twice");
    response.hits.into_iter().map(|hit| (hit.key, hit.title)).collect()
}

fn upsert(n: u128, title: &str) -> Change {
    Change::Upsert(Box::new(page(n, title, "some text")))
}

fn open(path: &Path) -> Result<IndexSink, IndexError> {
    IndexSink::open(path, Runtime::real())
}

/// An index with two commits, closed.
fn filled() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let sink = open(directory.path()).unwrap();
    sink.deliver_now(&[upsert(1, "one"), upsert(2, "two")], cursor(2)).unwrap();
    sink.deliver_now(&[upsert(3, "three")], cursor(3)).unwrap();
    sink.close_now().unwrap();
    directory
}

#[tokio::test]
async fn the_index_keeps_the_contract_of_sinks() {
    sink_contract(&OnDisk(tempfile::tempdir().unwrap())).await;
}

#[test]
fn one_process_writes_and_others_read_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let sink = open(directory.path()).unwrap();
    sink.deliver_now(&[upsert(1, "one")], cursor(1)).unwrap();
    assert!(matches!(open(directory.path()), Err(IndexError::Locked { .. })));

    let reader = SearchIndex::open(directory.path()).unwrap();
    assert_eq!(reader.load_cursor().unwrap(), Some(cursor(1)));
    assert_eq!(reader.count_entries(), 1);
    sink.deliver_now(&[upsert(2, "two")], cursor(2)).unwrap();
    assert_eq!(reader.count_entries(), 1, "a reader of another process sees new commits when it reloads");
    reader.reload().unwrap();
    assert_eq!(reader.count_entries(), 2);
}

#[test]
fn where_no_index_is_reading_says_so_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(SearchIndex::open(directory.path()), Err(IndexError::Missing { .. })));
    assert!(matches!(SearchIndex::open(&directory.path().join("gone")), Err(IndexError::Missing { .. })));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// Files of the index that hold segments.
fn segment_files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_stem().is_some_and(|stem| stem.len() == 32))
        .collect();
    files.sort();
    assert!(files.len() > 4);
    files
}

fn assert_corrupt_then_mended(directory: &Path, what: &str) {
    let error = open(directory).map(drop).expect_err(what);
    assert!(error.is_mended_by_rebuild(), "{what}: {error:?}");
    assert!(SinkError::from(error).is_mended_by_rebuild());
    IndexSink::remove(directory).unwrap();
    let sink = open(directory).unwrap();
    assert_eq!(sink.search_index().load_cursor().unwrap(), None, "the store fills it from the start");
}

#[test]
fn damage_of_any_file_is_found_when_the_index_is_opened() {
    let count = segment_files(filled().path()).len();
    for at in 0..count {
        let directory = filled();
        let Some(file) = segment_files(directory.path()).into_iter().nth(at) else { continue };
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[0] ^= 0xff;
        std::fs::write(&file, bytes).unwrap();
        assert_corrupt_then_mended(directory.path(), &format!("one byte of {} changed", file.display()));
    }
}

#[test]
fn a_missing_or_cut_file_is_found_when_the_index_is_opened() {
    for at in 0..segment_files(filled().path()).len() {
        for cut in [false, true] {
            let directory = filled();
            let Some(file) = segment_files(directory.path()).into_iter().nth(at) else { continue };
            if cut {
                let length = std::fs::metadata(&file).unwrap().len();
                std::fs::File::options().write(true).open(&file).unwrap().set_len(length / 2).unwrap();
            } else {
                std::fs::remove_file(&file).unwrap();
            }
            assert_corrupt_then_mended(directory.path(), &format!("{} cut: {cut}", file.display()));
        }
    }
}

#[test]
fn an_unreadable_description_is_corruption() {
    for file in ["meta.json", ".managed.json"] {
        for content in ["", "{", "{\"segments\": 3}", "\u{0}\u{1}"] {
            let directory = filled();
            std::fs::write(directory.path().join(file), content).unwrap();
            assert_corrupt_then_mended(directory.path(), &format!("{file} with {content:?}"));
        }
    }
}

#[test]
fn another_version_and_a_foreign_index_are_corruption() {
    let directory = filled();
    let meta = directory.path().join("meta.json");
    let text = std::fs::read_to_string(&meta).unwrap();
    let other = text.replace("\\\"schema_version\\\":", "\\\"schema_version\\\":9");
    assert_ne!(text, other);
    std::fs::write(&meta, other).unwrap();
    assert!(matches!(SearchIndex::open(directory.path()), Err(IndexError::Corrupt { .. })));
    assert_corrupt_then_mended(directory.path(), "another version");

    let directory = tempfile::tempdir().unwrap();
    let mut builder = tantivy::schema::Schema::builder();
    builder.add_text_field("title", tantivy::schema::TEXT);
    Index::create_in_dir(directory.path(), builder.build()).unwrap();
    assert_corrupt_then_mended(directory.path(), "a foreign schema");
}

#[test]
fn a_crash_between_making_the_index_and_its_first_commit_is_no_damage() {
    let directory = tempfile::tempdir().unwrap();
    Index::create_in_dir(directory.path(), schema().0).unwrap();
    assert_eq!(SearchIndex::open(directory.path()).unwrap().load_cursor().unwrap(), None);
    open(directory.path()).unwrap().deliver_now(&[upsert(1, "one")], cursor(1)).unwrap();
}

#[test]
fn a_full_disk_fails_the_delivery_and_keeps_the_commit_before() {
    let disk = FullDisk::default();
    let sink = IndexSink::open_in(disk.clone(), disk.clone(), Path::new("disk"), Runtime::real()).unwrap();
    sink.deliver_now(&[upsert(1, "one"), upsert(2, "two")], cursor(2)).unwrap();
    let before = titles(&sink);

    disk.full.store(true, Ordering::SeqCst);
    let error =
        sink.deliver_now(&[upsert(1, "changed"), Change::Delete(key(2)), upsert(3, "three")], cursor(5));
    assert!(matches!(error, Err(IndexError::Io { .. })), "{error:?}");
    assert!(sink.clear_now().is_err());
    assert_eq!(titles(&sink), before);
    assert_eq!(sink.search_index().load_cursor().unwrap(), Some(cursor(2)));

    disk.full.store(false, Ordering::SeqCst);
    sink.deliver_now(&[upsert(4, "four")], cursor(6)).unwrap();
    let after: Vec<String> = titles(&sink).into_values().collect();
    assert_eq!(after, ["one", "two", "four"], "nothing of the failed delivery comes back");
}

#[test]
fn a_commit_that_breaks_off_before_its_description_leaves_nothing_in_the_way_of_the_next() {
    let disk = FullDisk::default();
    let sink = IndexSink::open_in(disk.clone(), disk.clone(), Path::new("disk"), Runtime::real()).unwrap();
    sink.deliver_now(&[upsert(1, "one"), upsert(2, "two"), upsert(3, "three")], cursor(3)).unwrap();
    // What a kill leaves: the list of deleted entries is written, and nothing names it.
    disk.only_meta.store(true, Ordering::SeqCst);
    disk.full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        // A new writer after each failure, which counts on from the last commit as the one before did.
        sink.deliver_now(&[Change::Delete(key(1))], cursor(4)).unwrap_err();
    }
    disk.full.store(false, Ordering::SeqCst);
    sink.deliver_now(&[Change::Delete(key(1))], cursor(4)).unwrap();
    assert_eq!(titles(&sink).into_values().collect::<Vec<_>>(), ["two", "three"]);
}

#[test]
fn deliveries_that_break_off_anywhere_are_made_again_and_leave_nothing_twice() {
    for seed in 0..15_usize {
        let disk = FullDisk::default();
        let open = || IndexSink::open_in(disk.clone(), disk.clone(), Path::new("disk"), Runtime::real());
        let mut sink = open().unwrap();
        let mut expected = BTreeMap::new();
        let mut random = seed;
        let mut below = |bound: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % bound
        };
        for delivery in 0..30_i64 {
            let mut changes = Vec::new();
            for _ in 0..1 + below(5) {
                let n = below(7) as u128;
                let title = format!("{seed} {delivery} {n}");
                if below(4) == 0 {
                    changes.push(Change::Delete(key(n)));
                    expected.remove(&key(n));
                } else {
                    changes.push(upsert(n, &title));
                    expected.insert(key(n), title);
                }
            }
            // Cut short, perhaps more than once; then the same again, by a new process or by the same one.
            for _ in 0..below(3) {
                disk.writes_left.store(below(40) as i64, Ordering::SeqCst);
                drop(sink.deliver_now(&changes, cursor(delivery)));
                disk.writes_left.store(i64::MAX, Ordering::SeqCst);
                if below(2) == 0 {
                    drop(sink);
                    sink = open().unwrap();
                }
            }
            sink.deliver_now(&changes, cursor(delivery)).unwrap();
            assert_eq!(titles(&sink), expected, "seed {seed}, delivery {delivery}");
            let entries = sink.search_index().count_entries();
            assert_eq!(entries, expected.len() as u64, "seed {seed}, delivery {delivery}");
        }
    }
}

#[test]
fn many_small_deliveries_do_not_leave_many_segments() {
    let sink = IndexSink::in_memory(Runtime::real()).unwrap();
    for n in 0..40_i64 {
        let number = u128::try_from(n).unwrap() % 5;
        sink.deliver_now(&[upsert(number, &format!("page {n}"))], cursor(n)).unwrap();
    }
    sink.close_now().unwrap();
    let search = sink.search_index();
    search.reload().unwrap();
    assert_eq!(titles(&sink).len(), 5);
    assert!(search.index.searchable_segment_ids().unwrap().len() < 10);
    assert_eq!(search.load_cursor().unwrap(), Some(cursor(39)), "merges keep the cursor");
}

#[test]
fn an_item_that_another_connector_lets_go_stays_for_the_rest() {
    let sink = IndexSink::in_memory(Runtime::real()).unwrap();
    let mut shared = page(1, "shared", "");
    shared.holders = vec![ConnectorId(1), ConnectorId(2)];
    sink.deliver_now(&[Change::Upsert(Box::new(shared.clone()))], cursor(1)).unwrap();
    let visible = |connector| {
        let viewer = Viewer::of_connectors([ConnectorId(connector)]);
        sink.search_index().get(&Lookup::Key(key(1)), &viewer).unwrap().is_some()
    };
    assert!(visible(1) && visible(2) && !visible(3));
    shared.holders = vec![ConnectorId(2)];
    sink.deliver_now(&[Change::Upsert(Box::new(shared))], cursor(2)).unwrap();
    assert!(!visible(1) && visible(2));
}

/// A disk that can be full.
#[derive(Debug, Clone)]
struct FullDisk {
    inner: RamDirectory,
    full: Arc<AtomicBool>,
    /// Full only for the file that names what a commit holds.
    only_meta: Arc<AtomicBool>,
    /// Writes until it is full.
    writes_left: Arc<AtomicI64>,
}

impl Default for FullDisk {
    fn default() -> Self {
        let writes_left = Arc::new(AtomicI64::new(i64::MAX));
        Self { inner: RamDirectory::create(), full: Arc::default(), only_meta: Arc::default(), writes_left }
    }
}

impl FullDisk {
    fn room(&self) -> io::Result<()> {
        let full = self.full.load(Ordering::SeqCst) && !self.only_meta.load(Ordering::SeqCst);
        let full = full || self.writes_left.fetch_sub(1, Ordering::SeqCst) <= 0;
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

struct FullFile(WritePtr, FullDisk);

impl io::Write for FullFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.room()?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.room()?;
        self.0.flush()
    }
}

impl TerminatingWrite for FullFile {
    fn terminate_ref(&mut self, token: tantivy::directory::AntiCallToken) -> io::Result<()> {
        self.1.room()?;
        self.0.terminate_ref(token)
    }
}

impl Directory for FullDisk {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.room().map_err(|error| OpenWriteError::wrap_io_error(error, path.to_owned()))?;
        let file = self.inner.open_write(path)?;
        Ok(io::BufWriter::new(Box::new(FullFile(file, self.clone()))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.inner.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.room()?;
        if path == Path::new("meta.json") && self.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.atomic_write(path, bytes)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.room()?;
        self.inner.sync_directory()
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(callback)
    }
}
