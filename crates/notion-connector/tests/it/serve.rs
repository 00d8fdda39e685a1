//! What `serve` does by itself: crawls that wait, crawls that were interrupted, connectors that stay fresh.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use notion_api::{Transport, TransportError, TransportErrorKind};
use notion_connector::app::App;
use notion_connector::data_dir::DataDir;
use notion_connector::model::{Caller, NotionId};
use notion_connector::ops::{self, AddConnector, AddSchedule, CrawlSummary, EditSchedule, StartCrawl};
use notion_connector::runtime::Runtime;
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::{DEFAULT_TOKEN, Options};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::program::Home;
use crate::support::{CONNECTOR, Line, Server, generated, subtree};

/// A network on which each request takes a while, and that can be cut.
struct Cable {
    inner: Arc<dyn Transport>,
    cut: AtomicBool,
}

#[async_trait]
impl Transport for Cable {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if self.cut.load(Ordering::Relaxed) {
            return Err(TransportError::new(TransportErrorKind::Connect, "the cable is cut"));
        }
        self.inner.send(request).await
    }
}

/// The data directory of the line, as a new process would open it.
fn open(line: &Line) -> (Arc<App>, Arc<Cable>) {
    let witness = Arc::clone(&line.witness) as Arc<dyn Transport>;
    let cable = Arc::new(Cable { inner: witness, cut: AtomicBool::new(false) });
    let dir = DataDir::create(&line.data_dir()).unwrap();
    let transport = Arc::clone(&cable) as Arc<dyn Transport>;
    let app = App::with(line.config.clone(), dir, Runtime::simulated(line.now(), 7), transport).unwrap();
    (Arc::new(app), cable)
}

/// A scheduler at work; ends when dropped.
struct Service {
    app: Arc<App>,
    stop: watch::Sender<bool>,
    working: JoinHandle<()>,
}

impl Service {
    fn start(app: Arc<App>) -> Self {
        let (stop, told) = watch::channel(false);
        let at = Arc::clone(&app);
        let working = tokio::spawn(async move { ops::run_scheduler(&at, told).await });
        Self { app, stop, working }
    }

    fn ask(&self, connector: &str, scope: Scope) -> CrawlSummary {
        let start =
            StartCrawl { connector: Some(connector.to_owned()), scope: Some(scope), ..StartCrawl::default() };
        ops::start_crawl(&self.app, &Caller::LOCAL_OPERATOR, &start).unwrap()
    }

    fn crawl(&self, id: i64) -> CrawlSummary {
        ops::show_crawl(&self.app, &Caller::LOCAL_OPERATOR, id).unwrap().crawl
    }

    async fn until(&self, id: i64, what: impl Fn(&CrawlSummary) -> bool) -> CrawlSummary {
        for _ in 0..200_000 {
            let crawl = self.crawl(id);
            if what(&crawl) {
                return crawl;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it never came: {:?}", self.crawl(id));
    }

    /// Ends in order; returns how long that took.
    async fn stop(self) -> Duration {
        let since = tokio::time::Instant::now();
        self.stop.send_replace(true);
        self.working.await.unwrap();
        since.elapsed()
    }
}

fn has_ended(crawl: &CrawlSummary) -> bool {
    !crawl.state.is_open()
}

#[tokio::test(start_paused = true)]
async fn crawls_are_run_in_order_and_connectors_are_kept_fresh() {
    let line = Line::in_process(generated("pages=40,seed=301"), Options::default()).await;
    let service = Service::start(open(&line).0);
    let (first, second) = (service.ask(CONNECTOR, Scope::Full), service.ask(CONNECTOR, Scope::ForceReindex));
    assert_eq!(first.state, CrawlState::Queued);
    assert_eq!(service.ask(CONNECTOR, Scope::Full).id, first.id, "one that waits is the one asked for");
    let first = service.until(first.id, has_ended).await;
    let second = service.until(second.id, has_ended).await;
    assert_eq!((first.state, second.state), (CrawlState::Completed, CrawlState::Completed));
    assert!(second.started >= first.ended, "crawls of one connector run one after the other");
    // Nobody asks for the third.
    let third = service.until_there(second.id + 1).await;
    assert_eq!(third.started_by, "freshness");
    let waited = third.started.unwrap().duration_since(second.ended.unwrap()).as_secs();
    assert!((600..=602).contains(&waited), "{waited} s");
    assert!(service.stop().await < Duration::from_secs(6));
}

impl Service {
    /// A crawl that the service itself adds, ended.
    async fn until_there(&self, id: i64) -> CrawlSummary {
        while ops::show_crawl(&self.app, &Caller::LOCAL_OPERATOR, id).is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        self.until(id, has_ended).await
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_crawls_run_at_once_than_the_setting_allows() {
    let mut line = Line::in_process(generated("pages=30,seed=302"), Options::default()).await;
    line.config.crawl.at_once = 2;
    let app = open(&line).0;
    for name in ["second", "third", "fourth"] {
        let new = AddConnector {
            name: name.to_owned(),
            notion_url: "http://127.0.0.1:1".to_owned(),
            secret: SecretString::from(DEFAULT_TOKEN),
            validate: false,
        };
        ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await.unwrap();
    }
    let service = Service::start(app);
    let ids = [CONNECTOR, "second", "third", "fourth"].map(|name| service.ask(name, Scope::Full).id);
    let mut most = 0;
    while ids.iter().any(|id| !has_ended(&service.crawl(*id))) {
        let under_way = ids.iter().filter(|id| service.crawl(**id).state == CrawlState::InProgress).count();
        most = most.max(under_way);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(most, 2);
    let started = ids.map(|id| service.crawl(id).started.unwrap());
    assert!(started.is_sorted(), "they begin in the order they were asked for: {started:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_interrupted_goes_on_and_what_was_cancelled_meanwhile_ends() {
    let line = Line::in_process(generated("pages=120,seed=303"), Options::default()).await;
    let app = open(&line).0;
    let (crawler, id) = line.crawler(&app).await;
    // The process that ran it dies.
    let _ = tokio::time::timeout(Duration::from_millis(900), crawler.run(id)).await;
    drop(crawler);
    let service = Service::start(open(&line).0);
    let crawl = service.until(id.0, has_ended).await;
    assert_eq!((crawl.state, crawl.discovered), (CrawlState::Completed, line.truth().len() as u64));
    service.stop().await;

    let (crawler, id) = line.crawler(&app).await;
    let _ = tokio::time::timeout(Duration::from_millis(300), crawler.run(id)).await;
    drop(crawler);
    let _owner = app.own("a service").unwrap();
    assert_eq!(ops::cancel_crawl(&app, &Caller::LOCAL_OPERATOR, id.0).unwrap().state, CrawlState::Cancelling);
    let service = Service::start(open(&line).0);
    let asked = tokio::time::Instant::now();
    assert_eq!(service.until(id.0, has_ended).await.state, CrawlState::Cancelled);
    assert!(asked.elapsed() < Duration::from_secs(3));
    // One that runs, and one that waits behind it.
    let (runs, waits) = (service.ask(CONNECTOR, Scope::ForceReindex), service.ask(CONNECTOR, Scope::Full));
    service.until(runs.id, |crawl| crawl.requests > 0).await;
    let asked = tokio::time::Instant::now();
    for id in [waits.id, runs.id] {
        ops::cancel_crawl(&app, &Caller::LOCAL_OPERATOR, id).unwrap();
        assert_eq!(service.until(id, has_ended).await.state, CrawlState::Cancelled);
    }
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_network_lost_for_hours_fails_no_crawl_and_it_goes_on_by_itself() {
    let line = Line::in_process(generated("pages=200,seed=304"), Options::default()).await;
    let (app, cable) = open(&line);
    let service = Service::start(app);
    let id = service.ask(CONNECTOR, Scope::Full).id;
    service.until(id, |crawl| crawl.discovered > 10).await;
    cable.cut.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(3 * 3_600)).await;
    let parked = service.crawl(id);
    assert_eq!(parked.state, CrawlState::InProgress, "{parked:?}");
    assert!(parked.discovered < line.truth().len() as u64);
    cable.cut.store(false, Ordering::Relaxed);
    let back = tokio::time::Instant::now();
    let crawl = service.until(id, has_ended).await;
    assert_eq!((crawl.state, crawl.discovered), (CrawlState::Completed, line.truth().len() as u64));
    assert!(back.elapsed() < Duration::from_secs(180), "{:?}", back.elapsed());
    let sum = crawl.indexed + crawl.unchanged + crawl.skipped + crawl.not_indexed;
    assert_eq!(crawl.discovered, sum);
}

#[tokio::test(start_paused = true)]
async fn a_refused_secret_fails_the_crawl_that_waits_and_says_why() {
    let line = Line::in_process(generated("pages=5,seed=305"), Options::default()).await;
    let app = open(&line).0;
    let new = AddConnector {
        name: "wrong".to_owned(),
        notion_url: "http://127.0.0.1:1".to_owned(),
        secret: SecretString::from("ntn_wrong"),
        validate: false,
    };
    ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await.unwrap();
    let service = Service::start(app);
    let id = service.ask("wrong", Scope::Full).id;
    let crawl = service.until(id, has_ended).await;
    assert_eq!(crawl.state, CrawlState::Failed);
    assert!(crawl.reason.unwrap().contains("secret"), "the reason names the secret");
}

fn schedule(name: &str, when: &str, zone: &str) -> AddSchedule {
    AddSchedule {
        name: name.to_owned(),
        connector: None,
        scope: Some(Scope::Full),
        when: when.to_owned(),
        zone: Some(zone.to_owned()),
        ..AddSchedule::default()
    }
}

#[tokio::test(start_paused = true)]
async fn schedules_run_on_time_once_when_missed_and_not_while_paused() {
    let mut line = Line::in_process(generated("pages=10,seed=307"), Options::default()).await;
    line.config.crawl.freshness_minutes = 0;
    line.config.crawl.reconcile = "never".to_owned();
    let app = open(&line).0;
    let taken = |app: &App| ops::list_crawls(app, &Caller::LOCAL_OPERATOR, 100).unwrap().len();
    // The line's clock begins on 2026-11-02 at 08:00 UTC.
    let daily =
        ops::add_schedule(&app, &Caller::LOCAL_OPERATOR, schedule("nightly", "daily 02:30", "Europe/Berlin"))
            .unwrap();
    assert_eq!(daily.next_run.unwrap().to_string(), "2026-11-03T01:30:00Z");
    let once =
        ops::add_schedule(&app, &Caller::LOCAL_OPERATOR, schedule("soon", "once 2026-11-02T09:00", "UTC"))
            .unwrap();
    assert!(
        ops::add_schedule(&app, &Caller::LOCAL_OPERATOR, schedule("Soon", "daily 02:30", "UTC")).is_err(),
        "the name is taken"
    );
    assert!(
        ops::add_schedule(&app, &Caller::LOCAL_OPERATOR, schedule("late", "once 2026-11-02T07:59", "UTC"))
            .is_err()
    );
    assert!(
        ops::add_schedule(
            &app,
            &Caller::LOCAL_OPERATOR,
            schedule("nowhere", "daily 02:30", "Europe/Atlantis")
        )
        .is_err()
    );

    let service = Service::start(Arc::clone(&app));
    let first = service.until_there(1).await;
    assert_eq!((first.schedule.as_deref(), first.state), (Some("soon"), CrawlState::Completed));
    let late = first.started.unwrap().duration_since(once.next_run.unwrap()).as_secs();
    assert!((0..=3).contains(&late), "{late} s late");
    let second = service.until_there(2).await;
    assert_eq!(second.schedule.as_deref(), Some("nightly"));
    service.stop().await;

    // Nobody serves for three days; then the missed runs are one.
    tokio::time::sleep(Duration::from_secs(3 * 86_400)).await;
    let service = Service::start(Arc::clone(&app));
    assert_eq!(service.until_there(3).await.schedule.as_deref(), Some("nightly"));
    let pause = |paused| EditSchedule { paused: Some(paused), ..EditSchedule::default() };
    let paused = ops::edit_schedule(&app, &Caller::LOCAL_OPERATOR, "nightly", pause(true)).unwrap();
    assert_eq!(paused.next_run, None);
    tokio::time::sleep(Duration::from_secs(2 * 86_400)).await;
    assert_eq!(taken(&app), 3);
    // What it missed while paused is not made up for.
    ops::edit_schedule(&app, &Caller::LOCAL_OPERATOR, "nightly", pause(false)).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(taken(&app), 3);
    service.until_there(4).await;
    let every = EditSchedule { when: Some("every 30 minutes".to_owned()), ..EditSchedule::default() };
    ops::edit_schedule(&app, &Caller::LOCAL_OPERATOR, "NIGHTLY", every).unwrap();
    tokio::time::sleep(Duration::from_secs(91 * 60)).await;
    assert_eq!(taken(&app), 7);
    ops::set_connector_active(&app, &Caller::LOCAL_OPERATOR, CONNECTOR, false).unwrap();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(taken(&app), 7, "a deactivated connector's schedules rest");
    ops::delete_schedule(&app, &Caller::LOCAL_OPERATOR, "nightly").unwrap();
    assert_eq!(ops::list_schedules(&app, &Caller::LOCAL_OPERATOR).unwrap().len(), 1);
    service.stop().await;
}

/// Polls until there is something.
async fn wait_for<T, F: Future<Output = Option<T>>>(look: impl Fn() -> F) -> T {
    for _ in 0..600 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_program_gives_a_crawl_back_when_it_is_told_to_end_and_takes_it_up_again() {
    let notion = notion_emulator::Emulator::new(generated("pages=300,seed=306"), Options::default());
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    home.set("NOTION_CONNECTOR__NOTION__CONCURRENCY", "1");
    let app = Arc::new(App::open(Default::default(), DataDir::existing(&home.data_dir()).unwrap()).unwrap());
    let start = StartCrawl::default();
    let id = ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &start).unwrap().id;
    let crawl = || ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, id).unwrap().crawl;

    let first = home.spawn(&["serve", "--listen", "127.0.0.1:0"]);
    wait_for(|| async { (crawl().discovered > 5).then_some(()) }).await;
    let asked = tokio::time::Instant::now();
    let pid = first.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = first.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    let left = crawl();
    assert_eq!(left.state, CrawlState::InProgress);
    assert!(left.discovered < 300, "{left:?}");

    let _second = home.spawn(&["serve", "--listen", "127.0.0.1:0"]);
    let done = wait_for(|| async { Some(crawl()).filter(has_ended) }).await;
    assert_eq!(done.state, CrawlState::Completed, "{done:?}");
    assert_eq!(done.discovered, done.indexed + done.unchanged + done.skipped + done.not_indexed);
    wait_for(|| async { app.store.load_outbox(0, 10).unwrap().is_empty().then_some(()) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_covers_what_changed_by_itself_or_one_start_point_and_what_lies_below() {
    let mut line = Line::in_process(generated("pages=80,seed=308"), Options::default()).await;
    line.config.crawl.freshness_minutes = 0;
    line.config.crawl.reconcile = "never".to_owned();
    let app = open(&line).0;
    let truth = line.truth();
    let of_size = |fact: &&crate::support::Fact| fact.kind == "page" && subtree(&truth, fact.id).len() > 3;
    let start = truth.values().find(of_size).unwrap().id;
    let new = |name: &str, when: &str| AddSchedule {
        name: name.to_owned(),
        when: when.to_owned(),
        ..AddSchedule::default()
    };
    let changes =
        ops::add_schedule(&app, &Caller::LOCAL_OPERATOR, new("changes", "every 60 minutes")).unwrap();
    assert_eq!((changes.scope.as_str(), changes.start_point), ("incremental", None));
    let partial = AddSchedule { scope: Some(Scope::Partial), ..new("branch", "every 90 minutes") };
    assert!(
        ops::add_schedule(&app, &Caller::LOCAL_OPERATOR, partial.clone())
            .unwrap_err()
            .to_string()
            .contains("start point")
    );
    let astray = AddSchedule { start_point: Some(start.to_string()), ..new("branch", "every 90 minutes") };
    assert!(
        ops::add_schedule(&app, &Caller::LOCAL_OPERATOR, astray).is_err(),
        "incremental has no start point"
    );
    let partial = AddSchedule { start_point: Some(start.to_string()), ..partial };
    let branch = ops::add_schedule(&app, &Caller::LOCAL_OPERATOR, partial).unwrap();
    assert_eq!(branch.start_point, Some(NotionId(start)));

    let service = Service::start(Arc::clone(&app));
    // Nothing was crawled before: what changed is everything.
    let first = service.until_there(1).await;
    assert_eq!((first.scope.as_str(), first.discovered as usize), ("incremental", truth.len()));
    let second = service.until_there(2).await;
    assert_eq!((second.scope.as_str(), second.start_point), ("partial", Some(NotionId(start))));
    assert_eq!(second.discovered as usize, subtree(&truth, start).len());
    assert_eq!(second.schedule.as_deref(), Some("branch"));
    let third = service.until_there(3).await;
    assert_eq!((third.scope.as_str(), third.schedule.as_deref()), ("incremental", Some("changes")));
    assert!((third.added, third.updated) == (0, 0) && third.requests < 10, "{third:?}");
    let edit = EditSchedule { scope: Some(Scope::Full), ..EditSchedule::default() };
    assert_eq!(ops::edit_schedule(&app, &Caller::LOCAL_OPERATOR, "branch", edit).unwrap().start_point, None);
    let asked = StartCrawl {
        scope: Some(Scope::Partial),
        start_point: Some(start.to_string()),
        ..StartCrawl::default()
    };
    let queued = ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &asked).unwrap();
    assert_eq!(
        ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &asked).unwrap().id,
        queued.id,
        "it waits already"
    );
    let ended = service.until(queued.id, has_ended).await;
    assert_eq!((ended.state, ended.start_point), (CrawlState::Completed, Some(NotionId(start))));
    let without = StartCrawl { start_point: None, ..asked };
    assert!(ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &without).is_err());
    let people = StartCrawl { scope: Some(Scope::People), ..StartCrawl::default() };
    let queued = ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &people).unwrap();
    let ended = service.until(queued.id, has_ended).await;
    assert_eq!(ended.state, CrawlState::Completed);
    assert!(ended.people.is_some_and(|people| people.discovered > 0) && ended.discovered == 0, "{ended:?}");
    service.stop().await;
}
