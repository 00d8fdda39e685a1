//! What the stories share: a line from an emulated Notion to an index, its witness, and the comparison with the truth.
//!
//! The truth is told by the emulator and compared by ids, titles, parents and marker words, never by the renderer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use notion_api::budget::Priority;
use notion_api::{HttpSettings, HttpTransport, Transport, TransportError, TransportErrorKind};
use notion_connector::app::App;
use notion_connector::config::Config;
use notion_connector::crawl::filters::Filters;
use notion_connector::crawl::{Crawler, Progress, Refused};
use notion_connector::data_dir::DataDir;
use notion_connector::extract::Extractor;
use notion_connector::files::{FetchSettings, Fetcher, HttpFiles};
use notion_connector::model::{Caller, ItemKind, NotionId, Viewer};
use notion_connector::ops::{
    self, AddConnector, CrawlReport, CrawlRequest, ExportLine, OpsError, SearchAnswer, SearchQuery,
};
use notion_connector::runtime::Runtime;
use notion_connector::search::{MAX_LIMIT, MAX_OFFSET, SearchIndex, SearchRequest};
use notion_connector::store::{CrawlId, CrawlState, Scope};
use notion_emulator::files::NewFile;
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_TOKEN, Emulator, Listeners, Options};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::scratch::Scratch;

/// Where an emulator in this process is addressed; nothing listens there.
pub(crate) const IN_PROCESS: &str = "http://127.0.0.1:1";

/// The name of the connector in every story.
pub(crate) const CONNECTOR: &str = "works";

/// An emulated Notion, a data directory, and a connector between the two.
pub(crate) struct Line {
    pub(crate) notion: Emulator,
    pub(crate) witness: Arc<Witness>,
    pub(crate) config: Config,
    /// How far the connector's clock is ahead of Notion's.
    pub(crate) ahead: jiff::SignedDuration,
    pub(crate) url: String,
    /// Whether crawls read files.
    reads_files: bool,
    files: Scratch,
    _server: Option<Server>,
}

/// An emulated Notion behind a real socket; ends when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    /// How many requests have reached it.
    pub(crate) requests: watch::Receiver<u64>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) async fn start(notion: &Emulator) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (count, requests) = watch::channel(0);
        let counted = notion.router().layer(axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                count.send_modify(|count| *count += 1);
                next.run(request)
            },
        ));
        let serving = tokio::spawn(async move { axum::serve(listener, counted).await });
        Self { url, requests, serving }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Line {
    /// A secret that this story is to write nowhere in clear.
    pub(crate) fn guard(&self, secret: &str) {
        self.files.guard(secret);
    }

    /// Over real HTTP.
    pub(crate) async fn over_http(world: World) -> Self {
        let notion = Emulator::new(world, Options::default());
        let server = Server::start(&notion).await;
        let http = HttpTransport::new(&HttpSettings::default()).unwrap();
        let mut line = Self::make(notion, server.url.clone(), Arc::new(http));
        line._server = Some(server);
        line.connect().await;
        line
    }

    /// Over real HTTP, with the hosts of files, which crawls read.
    pub(crate) async fn with_files(world: World) -> Self {
        let mut line = Self::over_http(world).await;
        let Listeners { files, external, .. } = Listeners::loopback().await.unwrap();
        let (host, other) = (files.local_addr().unwrap(), external.local_addr().unwrap());
        line.notion.set_files_url(&format!("http://{host}"));
        line.notion.set_external_url(&format!("http://{other}"));
        tokio::spawn(axum::serve(files, line.notion.files_router()).into_future());
        tokio::spawn(axum::serve(external, line.notion.external_router()).into_future());
        line.config.files.test_hosts = vec![host.to_string()];
        line.config.files.test_other_hosts = vec![other.to_string()];
        line.reads_files = true;
        line
    }

    /// The same over a workspace of so many generated pages, and those of them with nothing below.
    pub(crate) async fn with_leaves(pages: u32) -> (Self, Vec<Uuid>) {
        let line = Self::with_files(generated(&format!("pages={pages},seed=46,shape=database"))).await;
        let truth = line.truth();
        let is_leaf = |id: &Uuid| truth.values().all(|fact| fact.parent != Some(*id));
        let leaves = truth.iter().filter(|(id, fact)| fact.has_body() && is_leaf(id)).map(|(id, _)| *id);
        (line, leaves.collect())
    }

    /// Puts a file into a page.
    pub(crate) fn add_file(&self, page: Uuid, name: &str, content: &[u8]) -> Uuid {
        self.notion.add_file(page, NewFile::new(name, content.to_vec())).unwrap().0
    }

    /// Titles of the files in the index.
    pub(crate) fn file_titles(&self) -> Vec<String> {
        let files = self.export().into_iter().filter(|item| item.kind == ItemKind::File);
        let mut titles: Vec<String> = files.map(|item| item.title).collect();
        titles.sort();
        titles
    }

    /// Requests to the file hosts since it was last asked.
    pub(crate) fn count_fetched(&self) -> usize {
        let count = self.notion.file_requests().len();
        self.notion.clear_file_requests();
        count
    }

    /// Within this process: works under a paused clock.
    pub(crate) async fn in_process(world: World, options: Options) -> Self {
        let notion = Emulator::new(world, options);
        let transport = InProcess(notion.router());
        let line = Self::make(notion, IN_PROCESS.to_owned(), Arc::new(transport));
        line.connect().await;
        line
    }

    fn make(notion: Emulator, url: String, transport: Arc<dyn Transport>) -> Self {
        let files = Scratch::new();
        let mut config = Config::default();
        config.secrets.key_file = Some(files.path().join("key"));
        Self {
            notion,
            witness: Arc::new(Witness { transport, seen: Mutex::default() }),
            config,
            ahead: jiff::SignedDuration::ZERO,
            url,
            reads_files: false,
            files,
            _server: None,
        }
    }

    async fn connect(&self) {
        let new = AddConnector {
            name: CONNECTOR.to_owned(),
            notion_url: self.url.clone(),
            secret: SecretString::from(DEFAULT_TOKEN),
            validate: false,
        };
        ops::add_connector(&self.app(), &Caller::LOCAL_OPERATOR, new).await.unwrap();
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.files.path().join("data")
    }

    /// A free path beside the data.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// What the emulator's clock reads.
    pub(crate) fn now(&self) -> Timestamp {
        self.notion.settings()["now"].as_str().unwrap().parse().unwrap()
    }

    /// Opens the data directory as a new process would. Its clock is Notion's, or as far off as `ahead` says.
    pub(crate) fn app(&self) -> Arc<App> {
        let dir = DataDir::create(&self.data_dir()).unwrap();
        let runtime = Runtime::simulated(self.now() + self.ahead, 7);
        let transport = Arc::clone(&self.witness) as Arc<dyn Transport>;
        let app = App::with(self.config.clone(), dir, runtime, transport).unwrap();
        if !self.reads_files {
            return Arc::new(app);
        }
        let program = PathBuf::from(env!("CARGO_BIN_EXE_notion-connector"));
        let extractor = Arc::new(Extractor::of_program(self.config.extract.clone(), program));
        let settings = FetchSettings::new(&self.config.files, self.config.extract.file_bytes());
        let network = Arc::new(HttpFiles::new(settings.connect_timeout, &[]).unwrap());
        let fetcher = Fetcher::new(settings, network, app.runtime.clone());
        Arc::new(app.reading_files(fetcher, extractor))
    }

    pub(crate) async fn try_crawl(&self, scope: Scope) -> Result<CrawlReport, OpsError> {
        ops::run_crawl(
            &self.app(),
            &Caller::LOCAL_OPERATOR,
            request(scope),
            watch::Sender::new(Progress::default()),
        )
        .await
    }

    /// A full crawl that is to complete.
    pub(crate) async fn crawl(&self) -> CrawlReport {
        let report = self.try_crawl(Scope::Full).await.unwrap();
        assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", self.alerts(&report));
        report
    }

    /// A crawler of the connector with a crawl to run, for stories that bring their own pump.
    pub(crate) async fn crawler(&self, app: &App) -> (Arc<Crawler>, CrawlId) {
        let connector = app.store.load_connector(CONNECTOR).unwrap().unwrap();
        let settings = self.notion.settings();
        let workspace = NotionId(settings["workspace"]["id"].as_str().unwrap().parse().unwrap());
        let bot = NotionId(settings["tokens"][0]["bot"].as_str().unwrap().parse().unwrap());
        app.store.save_identity(connector.id, (workspace, None), (bot, None)).unwrap();
        let pacing = app.budgets.pacing(bot.0, Some(workspace.0));
        let crawler = Crawler {
            store: Arc::clone(&app.store),
            client: app.client_of(&connector).unwrap().paced(pacing).with_priority(Priority::Crawl),
            runtime: app.runtime.clone(),
            workspace,
            body: app.config.notion.body,
            settings: app.config.crawl.clone(),
            files: None,
            filters: Filters::default(),
            people: Default::default(),
            scripts: Arc::clone(&app.scripts),
            concurrency: app.config.notion.concurrency,
            progress: watch::Sender::new(Progress::default()),
            refused: Refused::default(),
            service: None,
        };
        let id = app.store.add_crawl(connector.id, Scope::Full, "test", app.runtime.now()).unwrap();
        (Arc::new(crawler), id)
    }

    pub(crate) fn alerts(&self, report: &CrawlReport) -> Vec<String> {
        let detail = ops::show_crawl(&self.app(), &Caller::LOCAL_OPERATOR, report.crawl.id).unwrap();
        detail.alerts.iter().map(|alert| format!("{}: {}", alert.level, alert.message)).collect()
    }

    pub(crate) fn export(&self) -> Vec<ExportLine> {
        export_of(&self.app())
    }

    pub(crate) fn search(&self, text: &str) -> SearchAnswer {
        search(&self.app(), text)
    }

    /// The exported item of that title.
    pub(crate) fn item(&self, title: &str) -> ExportLine {
        self.export().into_iter().find(|line| line.title == title).unwrap()
    }

    /// Asks the emulator's control API for something.
    pub(crate) async fn control(&self, verb: &str, wish: Value) -> Value {
        let request = Request::post(format!("/_emulator/{verb}"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Body::from(wish.to_string()))
            .unwrap();
        let answer = self.notion.router().oneshot(request).await.unwrap();
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{verb} {wish}: {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Requests since the last time, by endpoint.
    pub(crate) fn bill(&self) -> BTreeMap<String, usize> {
        let mut bill = BTreeMap::new();
        for entry in self.notion.request_log() {
            *bill.entry(entry.endpoint).or_insert(0) += 1;
        }
        self.notion.clear_requests();
        bill
    }

    /// Everything that the emulator says this token can see and that becomes an item.
    pub(crate) fn truth(&self) -> BTreeMap<Uuid, Fact> {
        truth_of(&self.notion)
    }

    /// Store and index hold what the truth says: everything once, in its place, found by its marker words.
    pub(crate) fn assert_holds_the_truth(&self) {
        assert_holds(&self.app(), &self.truth());
    }
}

/// Everything that the emulator says its first token can see and that becomes an item.
pub(crate) fn truth_of(notion: &Emulator) -> BTreeMap<Uuid, Fact> {
    let all = notion.truth(None).unwrap().into_iter();
    let facts: Vec<Fact> = all.map(|fact| serde_json::from_value(fact).unwrap()).collect();
    let of_data_sources = facts.iter().filter(|fact| fact.kind == "data_source");
    let originals: BTreeSet<Option<Uuid>> = of_data_sources.map(|fact| fact.parent).collect();
    // A database without data sources is a linked view: a window to another one.
    let is_item =
        |fact: &Fact| fact.is_item() && (fact.kind != "database" || originals.contains(&Some(fact.id)));
    facts.into_iter().filter(|fact| is_item(fact) && !fact.archived).map(|fact| (fact.id, fact)).collect()
}

pub(crate) fn export_of(app: &App) -> Vec<ExportLine> {
    let mut lines = Vec::new();
    ops::export(app, &Caller::LOCAL_OPERATOR, |line| {
        lines.push(line.clone());
        Ok(())
    })
    .unwrap();
    lines
}

/// The files in pages that become items by the settings that nobody set.
pub(crate) fn files_of(notion: &Emulator) -> BTreeMap<Uuid, Fact> {
    let pages = truth_of(notion);
    let all = notion.truth(None).unwrap().into_iter();
    let is_wanted = |fact: &Value| {
        let is_text = |name: &str| [".txt", ".csv", ".docx"].iter().any(|end| name.ends_with(end));
        let is_of_page = fact["place"] != "comment" && fact["external"].is_null();
        fact["kind"] == "file" && is_of_page && fact["title"].as_str().is_some_and(is_text)
    };
    let files = all.filter(is_wanted).map(|fact| serde_json::from_value::<Fact>(fact).unwrap());
    let stands = |file: &Fact| file.parent.is_some_and(|page| pages.contains_key(&page));
    files.filter(stands).map(|file| (file.id, file)).collect()
}

/// The exported files are those, each once, in its page, found by its words.
fn assert_holds_files(index: &SearchIndex, lines: &[ExportLine], files: &BTreeMap<Uuid, Fact>) {
    let mut exported: Vec<(Uuid, &str)> =
        lines.iter().map(|line| (line.file.as_ref().unwrap().pages[0].id.0, line.title.as_str())).collect();
    let mut expected: Vec<(Uuid, &str)> =
        files.values().map(|file| (file.parent.unwrap(), file.title.as_str())).collect();
    exported.sort_unstable();
    expected.sort_unstable();
    assert_eq!(exported, expected, "files by their pages");
    for file in files.values() {
        for marker in &file.markers {
            let answer = ops::search(index, &query(marker, 10), &Caller::LOCAL_OPERATOR).unwrap();
            let titles: Vec<&str> = answer.hits.iter().map(|hit| hit.title.as_str()).collect();
            assert_eq!(titles, [file.title.as_str()], "hits for {marker}");
        }
    }
}

/// Store and index hold what the truth says: everything once, in its place, found by its marker words.
pub(crate) fn assert_holds(app: &App, truth: &BTreeMap<Uuid, Fact>) {
    assert_holds_with_files(app, truth, &BTreeMap::new());
}

/// The same with files in the pages.
pub(crate) fn assert_holds_with_files(app: &App, truth: &BTreeMap<Uuid, Fact>, files: &BTreeMap<Uuid, Fact>) {
    let (of_files, lines): (Vec<ExportLine>, Vec<ExportLine>) =
        export_of(app).into_iter().partition(|line| line.kind == ItemKind::File);
    let exported: BTreeMap<Uuid, &ExportLine> = lines.iter().map(|line| (line.id.0, line)).collect();
    assert_eq!(exported.len(), lines.len(), "an item was exported twice");
    let missing: Vec<&Fact> = truth.values().filter(|fact| !exported.contains_key(&fact.id)).collect();
    assert!(missing.is_empty(), "not exported: {missing:?}");
    let extra: Vec<&&ExportLine> = exported.values().filter(|line| !truth.contains_key(&line.id.0)).collect();
    assert!(extra.is_empty(), "exported, and not in the truth: {extra:?}");
    let index = app.require_index().unwrap();
    assert_holds_files(&index, &of_files, files);
    if index.count_entries() != (truth.len() + files.len()) as u64 {
        panic!(
            "{} entries in the index, {} items and {} files: {:?}",
            index.count_entries(),
            truth.len(),
            files.len(),
            strays(&index, truth)
        );
    }
    for fact in truth.values() {
        let line = exported[&fact.id];
        assert!(fact.is_titled(&line.title), "“{}” is the title of {fact:?}", line.title);
        assert_eq!(line.kind, fact.kind.parse::<ItemKind>().unwrap(), "kind of {fact:?}");
        let path = breadcrumb(truth, fact);
        let is_path = path.len() == line.breadcrumb.len()
            && path.iter().zip(&line.breadcrumb).all(|(holder, title)| holder.is_titled(title));
        assert!(is_path, "breadcrumb of {fact:?}: {:?}", line.breadcrumb);
        let searchable = format!("{} {}", line.text, serde_json::to_string(&line.properties).unwrap());
        let words: BTreeSet<&str> = searchable.split(|c: char| !c.is_alphanumeric()).collect();
        let lost: Vec<&String> =
            fact.markers.iter().filter(|marker| !words.contains(marker.as_str())).collect();
        assert!(lost.is_empty(), "missing in the text of {} ({}): {lost:?}", fact.title, fact.id);
        // Giants have thousands of words to look for.
        for marker in fact.markers.iter().step_by(fact.markers.len().div_ceil(20).max(1)) {
            let answer = ops::search(&index, &query(marker, 10), &Caller::LOCAL_OPERATOR).unwrap();
            let first = answer.hits.first().map(|hit| hit.id.0);
            assert_eq!(first, Some(fact.id), "first hit for {marker}");
            assert_eq!(answer.hits[0].breadcrumb, line.breadcrumb, "breadcrumb in the index");
            assert_eq!(answer.hits[0].title, line.title, "title in the index");
        }
    }
}

/// Entries of the index that no item stands behind, or that are there more than once, with how often.
fn strays(index: &SearchIndex, truth: &BTreeMap<Uuid, Fact>) -> Vec<(Uuid, String, usize)> {
    let mut entries: BTreeMap<(Uuid, String), usize> = BTreeMap::new();
    for offset in (0..MAX_OFFSET).step_by(MAX_LIMIT) {
        let every =
            SearchRequest { limit: MAX_LIMIT, offset, ..SearchRequest::new("", Viewer::LocalOperator) };
        for hit in index.search(&every).unwrap().hits {
            *entries.entry((hit.id.0, hit.title)).or_default() += 1;
        }
    }
    let strays = entries.into_iter().filter(|((id, _), times)| *times > 1 || !truth.contains_key(id));
    strays.map(|((id, title), times)| (id, title, times)).collect()
}

/// A crawl of the connector, whatever is under way.
pub(crate) fn request(scope: Scope) -> CrawlRequest {
    CrawlRequest {
        connector: Some(CONNECTOR.to_owned()),
        scope: Some(scope),
        start_point: None,
        name: None,
        restart: false,
        first_secret: None,
    }
}

pub(crate) fn query(text: &str, limit: usize) -> SearchQuery {
    SearchQuery { text: text.to_owned(), limit, ..SearchQuery::default() }
}

pub(crate) fn search(app: &App, text: &str) -> SearchAnswer {
    ops::search(&app.require_index().unwrap(), &query(text, 10), &Caller::LOCAL_OPERATOR).unwrap()
}

pub(crate) fn generated(spec: &str) -> World {
    World::generated(spec.parse().unwrap())
}

/// What the emulator says of one object.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Fact {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) parent: Option<Uuid>,
    pub(crate) markers: Vec<String>,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(default)]
    mentions_in_title: bool,
}

impl Fact {
    fn is_item(&self) -> bool {
        ["page", "row", "database", "data_source"].contains(&self.kind.as_str())
    }

    pub(crate) fn has_body(&self) -> bool {
        ["page", "row"].contains(&self.kind.as_str())
    }

    fn is_titled(&self, title: &str) -> bool {
        if self.mentions_in_title {
            title.starts_with(self.title.trim())
        } else {
            title == self.shown_title()
        }
    }

    fn shown_title(&self) -> &str {
        if self.title.trim().is_empty() { "Untitled" } else { &self.title }
    }
}

/// Titles from the top down to the parent; a data source named like its database says nothing new.
fn breadcrumb<'a>(truth: &'a BTreeMap<Uuid, Fact>, fact: &Fact) -> Vec<&'a Fact> {
    let mut above: Vec<&Fact> = Vec::new();
    let mut at = fact.parent;
    while let Some(holder) = at.and_then(|id| truth.get(&id)) {
        above.push(holder);
        at = holder.parent;
    }
    let mut path: Vec<&Fact> = Vec::new();
    for holder in above.into_iter().rev() {
        if holder.kind != "data_source" || path.last().map(|last| &last.title) != Some(&holder.title) {
            path.push(holder);
        }
    }
    path
}

/// The ids at and below `top`.
pub(crate) fn subtree(truth: &BTreeMap<Uuid, Fact>, top: Uuid) -> BTreeSet<Uuid> {
    let mut found = BTreeSet::from([top]);
    loop {
        let below = truth.values().filter(|fact| fact.parent.is_some_and(|parent| found.contains(&parent)));
        let next: BTreeSet<Uuid> = below.map(|fact| fact.id).filter(|id| !found.contains(id)).collect();
        if next.is_empty() {
            return found;
        }
        found.extend(next);
    }
}

/// The counters of product.md §5, each by its meaning.
pub(crate) fn assert_counters_add_up(report: &CrawlReport, items: usize) {
    let crawl = &report.crawl;
    assert_eq!(crawl.indexed, crawl.added + crawl.updated);
    assert_eq!(crawl.discovered, crawl.indexed + crawl.unchanged + crawl.skipped + crawl.not_indexed);
    assert_eq!(crawl.discovered, items as u64);
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) at: tokio::time::Instant,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// None when no answer came.
    pub(crate) status: Option<u16>,
    pub(crate) answer: Value,
}

impl Exchange {
    /// The object whose body, or part of a body, was asked for.
    pub(crate) fn markdown_of(&self) -> Option<Uuid> {
        self.path.strip_prefix("/v1/pages/")?.strip_suffix("/markdown")?.parse().ok()
    }

    fn is_listing(&self) -> bool {
        self.path == "/v1/search" || self.path.ends_with("/query")
    }
}

/// Passes requests on and remembers them with their answers.
pub(crate) struct Witness {
    transport: Arc<dyn Transport>,
    seen: Mutex<Vec<Exchange>>,
}

impl Witness {
    fn lock(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.seen.lock().unwrap()
    }

    /// What was seen since the last time.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.lock())
    }
}

/// The ids of all objects that listings returned.
pub(crate) fn listed(exchanges: &[Exchange]) -> BTreeSet<Uuid> {
    let listings = exchanges.iter().filter(|exchange| exchange.is_listing());
    let objects = listings.filter_map(|exchange| exchange.answer["results"].as_array()).flatten();
    objects.filter_map(|object| object["id"].as_str()?.parse().ok()).collect()
}

/// How many `unknown_block_ids` were answered.
pub(crate) fn unknown_blocks(exchanges: &[Exchange]) -> usize {
    let ids = exchanges.iter().filter_map(|exchange| exchange.answer["unknown_block_ids"].as_array());
    ids.map(Vec::len).sum()
}

/// How many bodies and parts of bodies were asked for.
pub(crate) fn body_requests(exchanges: &[Exchange]) -> usize {
    let is_body =
        |exchange: &&Exchange| exchange.path.contains("/markdown") || exchange.path.contains("/children");
    exchanges.iter().filter(is_body).count()
}

#[async_trait]
impl Transport for Witness {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let at = tokio::time::Instant::now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let result = self.transport.send(request).await;
        let answer = result.as_ref().ok().and_then(|answer| serde_json::from_slice(answer.body()).ok());
        let status = result.as_ref().ok().map(|answer| answer.status().as_u16());
        let answer = answer.unwrap_or_default();
        self.lock().push(Exchange { at, method, path, status, answer });
        result
    }
}

/// An emulator without a socket.
struct InProcess(Router);

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let answer = async {
            let Ok(answer) = self.0.clone().oneshot(request.map(Body::from)).await;
            let (parts, body) = answer.into_parts();
            let cut = |error| TransportError::new(TransportErrorKind::BodyCut, format!("{error}"));
            Ok(Response::from_parts(parts, body.collect().await.map_err(cut)?.to_bytes()))
        };
        tokio::time::timeout(HttpSettings::default().request_timeout, answer)
            .await
            .unwrap_or_else(|_| Err(TransportError::new(TransportErrorKind::Timeout, "in process")))
    }
}

/// Numbers from a seed, for stories that choose at random and can be told again.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound` (splitmix64).
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub(crate) fn duration(&mut self, at_most: Duration) -> Duration {
        Duration::from_micros(self.below(usize::try_from(at_most.as_micros()).unwrap().max(1)) as u64)
    }
}
