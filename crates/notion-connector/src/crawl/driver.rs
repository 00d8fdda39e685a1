//! Keeps requests under way until the queue is empty and every phase is through.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use notion_api::budget::Priority;
use notion_api::{Class, Client};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::fetch::fetch;
use super::file_tasks::Files;
use super::files::FilePolicy;
use super::filters::Filters;
use super::plan::{Verdict, judge};
use super::step::Outcome;
use super::sweep::Sweep;
use super::watermark;
use crate::config::{BodyChoice, CrawlConfig, PeopleSettings};
use crate::model::NotionId;
use crate::runtime::Runtime;
use crate::scripts::Scripts;
use crate::store::{Crawl, CrawlId, CrawlState, NewTask, Scope, Store, StoreError, Task, TaskId, TaskKind};

/// How often a running crawl looks whether it was cancelled, and says how far it is.
const TICK: Duration = Duration::from_millis(500);

/// How long requests under way may take to end when the service stops; then they are given up, and made again later.
const GRACE: Duration = Duration::from_secs(5);

/// Tasks claimed at once for each request that may be under way: claiming is a transaction of its own.
const CLAIM_AHEAD: usize = 4;

/// Requests beyond the others that may be under way because of events.
const URGENT_AT_ONCE: usize = 4;

/// When Notion has answered nothing for so long, it is asked ever more seldom: after a tenth of the time that it has lasted.
const DARK: Duration = Duration::from_secs(60);

/// The longest of these pauses. A minute is the window of the request limit.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// When so many different requests fail and none is answered, it is an outage, whatever else Notion answers.
const FAILING_AT_MOST: usize = 1_000;

/// Why a crawl could not go on. What it did is saved.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    /// The store failed. The crawl is resumed by the next one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Notion refuses everything, or did not answer for as long as patience lasts.
    #[error("{advice}")]
    Stopped {
        /// What happened and what to do.
        advice: String,
        /// The last answer.
        source: Box<notion_api::Error>,
    },
    /// Notion has nothing to begin a partial crawl at.
    #[error(
        "the start point {id} is not there for the integration ({said}): check the id; if you can open it in Notion, choose \
         ••• → Connections there and add the integration"
    )]
    NoStartPoint {
        /// Where it was to begin.
        id: NotionId,
        /// What Notion said.
        said: String,
    },
    /// A task of the crawl died of a bug.
    #[error("a task of the crawl broke: {0}; what was crawled is safe, run the crawl again and report this")]
    Broken(String),
}

/// How far a crawl is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Progress {
    /// Items processed.
    pub done: u64,
    /// Items met so far.
    pub known: u64,
    /// Requests sent.
    pub requests: u64,
    /// Whether listings are still under way: then `known` still grows.
    pub listing: bool,
}

/// Runs crawls of one connector.
pub struct Crawler {
    /// The database.
    pub store: Arc<Store>,
    /// Speaks to Notion with the connector's secret, within its budget.
    pub client: Client,
    /// Clock, randomness, blocking work.
    pub runtime: Runtime,
    /// The workspace that the secret opens.
    pub workspace: NotionId,
    /// How bodies are read.
    pub body: BodyChoice,
    /// The settings.
    pub settings: CrawlConfig,
    /// Which items are indexed.
    pub filters: Filters,
    /// How people are mapped.
    pub people: PeopleSettings,
    /// Runs their script, if they have one.
    pub scripts: Arc<Scripts>,
    /// Reads files; none where there are none to be read.
    pub files: Option<Arc<Files>>,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Where progress is told.
    pub progress: watch::Sender<Progress>,
    /// What Notion refused since this crawler was made.
    pub refused: Refused,
    /// Says *true* when the service that runs the crawl ends; none for a crawl by itself. A service takes up again what
    /// it left, so that an outage longer than patience does not fail its crawls.
    pub service: Option<watch::Receiver<bool>>,
}

/// What Notion refuses altogether, so that it is asked for once and not for every page.
#[derive(Debug, Default)]
pub struct Refused {
    /// To list comments.
    pub comments: AtomicBool,
    /// The dialect of Markdown that the settings ask for.
    pub dialect: AtomicBool,
}

/// Why requests are no longer made.
enum End {
    /// Nothing is left to do.
    Done,
    /// Somebody cancelled the crawl.
    Cancelled,
    /// The service ends; the crawl goes on with the next one.
    GivenBack,
    /// It waits to be let go on.
    Planned,
}

/// A request's end.
struct Ended {
    task: Task,
    result: Result<(), Failure>,
}

enum Failure {
    Notion(notion_api::Error),
    Store(StoreError),
}

/// What goes before the rest, because events named it.
struct Urgent {
    /// Changes when an event came.
    heard: watch::Receiver<u64>,
    /// Whether to look for hints.
    look: bool,
    /// Whether urgent tasks may be waiting in the queue.
    waiting: bool,
    /// Urgent requests under way.
    running: usize,
}

/// Files that are read beside requests to Notion, whose places they do not take.
struct FileQueue {
    /// Files under way.
    running: usize,
    /// Claimed ahead.
    claimed: VecDeque<Task>,
    /// Whether there may be more in the queue.
    look: bool,
}

/// What a running crawl remembers between requests, and may forget at any time.
#[derive(Debug, Default)]
struct Health {
    /// Answers so far.
    successes: u64,
    /// Tasks that failed and are still to be done.
    failing: BTreeMap<TaskId, Failing>,
    /// Since when Notion answers nothing.
    dark_since: Option<Instant>,
    /// Until then nothing is asked, because that has lasted.
    pause_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Failing {
    /// How many answers there were when it last failed.
    successes: u64,
    /// How often it failed.
    times: u32,
}

impl Health {
    /// Notion answered, whatever it said.
    fn hear(&mut self) {
        (self.dark_since, self.pause_until) = (None, None);
    }

    /// A request was not answered, or not by Notion.
    fn miss(&mut self) {
        let now = Instant::now();
        self.dark_since.get_or_insert(now);
        let dark = self.dark();
        if dark > DARK {
            self.pause_until = Some(now + (dark / 10).min(LONGEST_PAUSE));
        }
    }

    /// For how long nothing was answered.
    fn dark(&self) -> Duration {
        self.dark_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// How long nothing is asked.
    fn pause(&self) -> Duration {
        self.pause_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }
}

impl Crawler {
    /// The first requests of a crawl. One for changes, before any that listed everything, lists everything.
    fn first_tasks(&self, crawl: &Crawl) -> Result<Vec<NewTask>, StoreError> {
        let watermark = match crawl.scope {
            Scope::Partial | Scope::Events => return Ok(Vec::new()),
            Scope::People => return Ok(vec![NewTask::new(TaskKind::ListUsers)]),
            Scope::Test => {
                let few = NewTask::new(TaskKind::Search).with_detail(Sweep::few().to_detail());
                return Ok(vec![NewTask::new(TaskKind::ListUsers), few]);
            }
            Scope::Full | Scope::ForceReindex => None,
            Scope::Incremental => self.store.load_watermark(crawl.connector)?,
        };
        let Some(watermark) = watermark else {
            return Ok([TaskKind::ListUsers, TaskKind::Search].map(NewTask::new).to_vec());
        };
        let known = self.store.load_known(crawl.connector)?;
        Ok(watermark::first_tasks(watermark, self.settings.archived, &known))
    }

    /// How to ask for the object that a partial crawl begins at.
    async fn find_start(self: &Arc<Self>, crawl: &Crawl, object: NotionId) -> Result<NewTask, CrawlError> {
        let connector = crawl.connector;
        let known = self.blocking(move |crawler| crawler.store.load_item(connector, object)).await?;
        if known.is_some() {
            return Ok(NewTask::on(TaskKind::Verify, object));
        }
        // An id does not tell of what kind it is.
        let page = self.client.fetch_page(object.0).await.map(|_| TaskKind::ReadPage);
        let found = match page {
            Err(error) if is_another_kind(&error) => {
                let database = self.client.fetch_database(object.0).await.map(|_| TaskKind::ReadDatabase);
                match database {
                    Err(error) if is_another_kind(&error) => {
                        self.client.fetch_data_source(object.0).await.map(|_| TaskKind::ReadDataSource)
                    }
                    found => found,
                }
            }
            found => found,
        };
        match found {
            Ok(kind) => Ok(NewTask::on(kind, object)),
            Err(error) if is_another_kind(&error) => {
                Err(CrawlError::NoStartPoint { id: object, said: super::advice::facts(&error) })
            }
            Err(error) => Err(CrawlError::Stopped { advice: super::advise(&error), source: Box::new(error) }),
        }
    }

    /// Runs a crawl, or takes it up where it was, until it ends or the service does.
    ///
    /// # Errors
    /// When it cannot go on. A store that fails leaves it to be resumed; Notion refusing ends it as *failed*, and so does
    /// an outage where no service takes it up again.
    pub async fn run(self: &Arc<Self>, id: CrawlId) -> Result<Crawl, CrawlError> {
        let now = self.runtime.now();
        let crawl = self.crawl(id).await?;
        if crawl.state == CrawlState::Cancelling {
            self.end(id, CrawlState::Cancelled, None).await?;
            return self.crawl(id).await;
        }
        // Only now: what is to be asked for may depend on what crawls before this one have seen.
        let start = match crawl.start_point.filter(|_| crawl.started.is_none()) {
            Some(object) => match self.find_start(&crawl, object).await {
                Err(error @ CrawlError::NoStartPoint { .. }) => {
                    self.end(id, CrawlState::Failed, Some(error.to_string())).await?;
                    return Err(error);
                }
                start => Some(start?),
            },
            None => None,
        };
        let began = self.notion_now();
        self.blocking(move |crawler| {
            if crawl.started.is_none() {
                crawler.store.save_notion_began(id, began)?;
            }
            let mut first = if crawl.started.is_none() { crawler.first_tasks(&crawl)? } else { Vec::new() };
            first.extend(start);
            crawler.store.begin_crawl(id, &first, now)
        })
        .await?;
        let crawl = self.crawl(id).await?;
        let mut meter = Meter { requests: self.client.traffic().requests, since: Instant::now() };
        let mut end = self.drive(&crawl, &mut meter).await;
        self.save_meter(id, &mut meter).await?;
        if matches!(end, Ok(End::Done)) && crawl.plan_only {
            end = self.end_plan(&crawl, &mut meter).await;
        }
        match end {
            Ok(End::Done) if crawl.scope == Scope::People => self.settle_people(&crawl).await?,
            Ok(End::Done) => {
                self.settle(&crawl).await?;
                if crawl.scope == Scope::Events {
                    self.store.hurry();
                }
            }
            Ok(End::Cancelled) => self.end(id, CrawlState::Cancelled, None).await?,
            Ok(End::GivenBack | End::Planned) => {}
            Err(CrawlError::Stopped { advice, source }) => {
                if self.service.is_none() || says_that_it_is_there(&source.class()) {
                    self.end(id, CrawlState::Failed, Some(advice.clone())).await?;
                }
                return Err(CrawlError::Stopped { advice, source });
            }
            Err(other) => return Err(other),
        }
        self.crawl(id).await
    }

    /// The listings of a plan have ended: it waits, unless somebody cancelled it or let it go on just then.
    async fn end_plan(self: &Arc<Self>, crawl: &Crawl, meter: &mut Meter) -> Result<End, CrawlError> {
        if self.save_planned(crawl).await? {
            return Ok(End::Planned);
        }
        if self.crawl(crawl.id).await?.state == CrawlState::Cancelling {
            return Ok(End::Cancelled);
        }
        let end = self.drive(crawl, meter).await;
        self.save_meter(crawl.id, meter).await?;
        end
    }

    /// Runs tasks until none is left or somebody wants an end.
    async fn drive(self: &Arc<Self>, crawl: &Crawl, meter: &mut Meter) -> Result<End, CrawlError> {
        let mut running = JoinSet::new();
        let mut files = FileQueue { running: 0, claimed: VecDeque::new(), look: true };
        let mut claimed: VecDeque<Task> = VecDeque::new();
        let mut urgent = Urgent { heard: self.store.heard(), look: true, waiting: true, running: 0 };
        let mut health = Health::default();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let pause = health.pause();
            let free = if pause.is_zero() { self.concurrency } else { 0 };
            if claimed.is_empty() && running.len() - files.running < free {
                let (id, limit, now) = (crawl.id, self.concurrency * CLAIM_AHEAD, self.runtime.now());
                claimed =
                    self.blocking(move |crawler| crawler.store.claim_tasks(id, limit, now)).await?.into();
            }
            self.claim_urgent(crawl, &mut urgent, &mut claimed).await?;
            while running.len() - files.running < free
                || (claimed.front().is_some_and(|task| task.urgent) && urgent.running < URGENT_AT_ONCE)
            {
                let Some(task) = claimed.pop_front() else { break };
                urgent.running += usize::from(task.urgent);
                let (crawler, crawl) = (Arc::clone(self), crawl.clone());
                running.spawn(async move { crawler.run_task(&crawl, task).await });
            }
            for task in self.claim_files(crawl, &mut files).await? {
                let (crawler, crawl) = (Arc::clone(self), crawl.clone());
                running.spawn(async move { crawler.run_task(&crawl, task).await });
            }
            let wait = if running.is_empty() { self.idle(crawl, pause).await? } else { None };
            files.look |= running.is_empty();
            if running.is_empty() && wait.is_none() {
                if self.advance(crawl).await? {
                    continue;
                }
                return Ok(End::Done);
            }
            tokio::select! {
                biased;
                () = self.service_ends() => {
                    let finish = async {
                        while let Some(ended) = running.join_next().await {
                            let ended = ended.map_err(|error| CrawlError::Broken(error.to_string()))?;
                            self.judge_end(crawl, ended, &mut health, false).await?;
                        }
                        Ok(End::GivenBack)
                    };
                    return tokio::time::timeout(GRACE, finish).await.unwrap_or(Ok(End::GivenBack));
                }
                Some(ended) = running.join_next() => {
                    let ended = ended.map_err(|error| CrawlError::Broken(error.to_string()))?;
                    urgent.running -= usize::from(ended.task.urgent);
                    files.running -= usize::from(ended.task.kind == TaskKind::ReadFile);
                    let alone = running.is_empty() && claimed.is_empty();
                    self.judge_end(crawl, ended, &mut health, alone).await?;
                }
                // A sender lives as long as the store.
                Ok(()) = urgent.heard.changed() => urgent.look = true,
                _ = tick.tick() => {
                    // What was read a moment ago is due again only now.
                    (urgent.look, files.look) = (true, true);
                    self.save_meter(crawl.id, meter).await?;
                    if self.tell(crawl.id).await? == CrawlState::Cancelling {
                        running.shutdown().await;
                        return Ok(End::Cancelled);
                    }
                }
                () = self.runtime.sleep(wait.unwrap_or(TICK)), if wait.is_some() => {}
            }
        }
    }

    /// Files to be read beside those that are. What pages name since the last look waits for the next: looking is a
    /// transaction.
    async fn claim_files(
        self: &Arc<Self>,
        crawl: &Crawl,
        queue: &mut FileQueue,
    ) -> Result<Vec<Task>, CrawlError> {
        let Some(files) = self.files.as_ref().filter(|_| !crawl.plan_only) else { return Ok(Vec::new()) };
        if queue.claimed.is_empty() && std::mem::take(&mut queue.look) {
            let (id, limit, now) = (crawl.id, files.config.concurrency * CLAIM_AHEAD, self.runtime.now());
            queue.claimed =
                self.blocking(move |crawler| crawler.store.claim_files(id, limit, now)).await?.into();
            // There may be more than were claimed.
            queue.look = !queue.claimed.is_empty();
        }
        let free = files.config.concurrency.saturating_sub(queue.running).min(queue.claimed.len());
        queue.running += free;
        Ok(queue.claimed.drain(..free).collect())
    }

    /// Takes up hints that came, and claims what is urgent before all else. A crawl that has nothing else left to do takes up
    /// no more, so that events without end do not keep it from ending.
    async fn claim_urgent(
        self: &Arc<Self>,
        crawl: &Crawl,
        urgent: &mut Urgent,
        claimed: &mut VecDeque<Task>,
    ) -> Result<(), CrawlError> {
        let (at, now) = (crawl.clone(), self.runtime.now());
        let begins = crawl.scope == Scope::Events && urgent.waiting;
        if std::mem::take(&mut urgent.look) && (begins || !claimed.is_empty()) {
            let taken = self.blocking(move |crawler| crawler.store.take_hints(&at, now)).await?;
            urgent.waiting |= taken > 0;
        }
        if !urgent.waiting {
            return Ok(());
        }
        let (id, limit) = (crawl.id, URGENT_AT_ONCE);
        let tasks = self.blocking(move |crawler| crawler.store.claim_urgent(id, limit, now)).await?;
        let in_hand = urgent.running > 0 || claimed.front().is_some_and(|task| task.urgent);
        urgent.waiting = in_hand || !tasks.is_empty();
        for task in tasks.into_iter().rev() {
            claimed.push_front(task);
        }
        Ok(())
    }

    /// Waits until the service that runs the crawl ends; for ever where there is none.
    async fn service_ends(&self) {
        match &self.service {
            // A service that is gone without a word has ended too.
            Some(service) => drop(service.clone().wait_for(|ends| *ends).await),
            None => std::future::pending().await,
        }
    }

    /// How long to wait: until a pause ends, else for the next task that is due; none when the queue is empty.
    async fn idle(self: &Arc<Self>, crawl: &Crawl, pause: Duration) -> Result<Option<Duration>, CrawlError> {
        if !pause.is_zero() {
            return Ok(Some(pause));
        }
        let id = crawl.id;
        let due = self.blocking(move |crawler| crawler.store.load_next_due(id)).await?;
        Ok(due.map(|due| {
            Duration::try_from(due.duration_since(self.runtime.now())).unwrap_or_default().min(TICK)
        }))
    }

    async fn run_task(self: &Arc<Self>, crawl: &Crawl, task: Task) -> Ended {
        if task.kind == TaskKind::ReadFile {
            let result = self.read_file(crawl, task.clone()).await.map_err(Failure::Store);
            return Ended { task, result };
        }
        let asked_at = self.notion_now();
        if task.kind == TaskKind::ReadComments && self.refused.comments.load(Ordering::Relaxed) {
            let (at, one) = (crawl.clone(), task.clone());
            let skip = move |crawler: &Self| crawler.without_comments(&at, &one, true, asked_at);
            let result = self.blocking(skip).await.map_err(Failure::Store);
            return Ended { task, result };
        }
        let client = if task.urgent { &self.client.with_priority(Priority::Fresh) } else { &self.client };
        let result = match fetch(client, &task, self.body()).await {
            Ok(outcome) => self.write_if_there(crawl, &task, outcome, asked_at).await,
            Err(error) => Err(Failure::Notion(error)),
        };
        Ended { task, result }
    }

    /// What Notion's clock reads, as far as it told: its stamps are held against that, because ours may be minutes off.
    fn notion_now(&self) -> Timestamp {
        self.client.server_time().unwrap_or_else(|| self.runtime.now())
    }

    /// Blocks that lie in the trash are in no list of a page that does not: such an answer is of a page that went meanwhile,
    /// and when it comes back its stamp may not tell that this content is missing.
    async fn write_if_there(
        self: &Arc<Self>,
        crawl: &Crawl,
        task: &Task,
        outcome: Outcome,
        asked_at: Timestamp,
    ) -> Result<(), Failure> {
        if let (Some(page), Outcome::Blocks { trashed: true, .. }) = (task.page, &outcome)
            && let Some(proof) = self.find_departure(page).await.map_err(Failure::Notion)?
        {
            let (crawl, task) = (crawl.clone(), task.clone());
            let gone = move |crawler: &Self| crawler.store.save_vanished(&crawl, &task, page, proof);
            return self.blocking(gone).await.map_err(Failure::Store);
        }
        self.write(crawl, task, outcome, asked_at).await.map_err(Failure::Store)
    }

    /// What the settings say of files.
    pub(super) fn file_policy(&self) -> Option<FilePolicy<'_>> {
        let files = self.files.as_ref()?;
        Some(FilePolicy {
            settings: &files.settings,
            hosts: &files.config.test_hosts,
            reads_images: files.reads_images,
            item_limit: self.settings.item_limit,
        })
    }

    /// How bodies are read, as far as Notion goes along.
    fn body(&self) -> BodyChoice {
        match self.body {
            BodyChoice::V1 | BodyChoice::V2 if self.refused.dialect.load(Ordering::Relaxed) => {
                BodyChoice::Auto
            }
            choice => choice,
        }
    }

    async fn write(
        self: &Arc<Self>,
        crawl: &Crawl,
        task: &Task,
        outcome: Outcome,
        asked_at: Timestamp,
    ) -> Result<(), StoreError> {
        let (crawl, task) = (crawl.clone(), task.clone());
        self.blocking(move |crawler| crawler.apply(&crawl, &task, outcome, asked_at)).await
    }

    async fn judge_end(
        self: &Arc<Self>,
        crawl: &Crawl,
        ended: Ended,
        health: &mut Health,
        alone: bool,
    ) -> Result<(), CrawlError> {
        let Ended { task, result } = ended;
        let error = match result {
            // Hosts of files say nothing of Notion.
            Ok(()) if task.kind == TaskKind::ReadFile => return Ok(()),
            Ok(()) => {
                health.hear();
                health.successes += 1;
                health.failing.remove(&task.id);
                if task.urgent {
                    self.store.hurry();
                }
                return Ok(());
            }
            Err(Failure::Store(error)) => return self.unless_dropped(task.id, error.into()).await,
            Err(Failure::Notion(error)) => error,
        };
        let is_there = says_that_it_is_there(&error.class());
        if is_there {
            health.hear();
        } else {
            health.miss();
        }
        let before = health.failing.get(&task.id).copied();
        let failing =
            Failing { successes: health.successes, times: before.map_or(1, |before| before.times + 1) };
        health.failing.insert(task.id, failing);
        let mut others_succeed = before.is_some_and(|before| health.successes > before.successes);
        if !others_succeed
            && before.is_some()
            && (alone || (!is_there && self.is_only_failing(crawl, health).await?))
        {
            // Nothing else is left that could tell whether Notion is down or these requests fail.
            others_succeed = self.client.fetch_me().await.is_ok();
            if others_succeed {
                health.hear();
                health.successes += 1;
                health.failing.insert(task.id, Failing { successes: health.successes, ..failing });
            }
        }
        tracing::debug!(task = %task.kind, attempts = task.attempts, error = %error, "request failed");
        let random = self.runtime.random();
        let verdict = judge(&task, &error.class(), self.body, others_succeed, failing.times, random);
        if !matches!(verdict, Verdict::Retry { .. }) {
            health.failing.remove(&task.id);
        }
        let patience = Duration::from_secs(self.settings.patience_minutes * 60);
        match self.carry_out(crawl, &task, verdict, error, health.dark() > patience).await {
            Ok(()) => Ok(()),
            Err(error) => self.unless_dropped(task.id, error).await,
        }
    }

    /// Whether all that is left to ask Notion for has failed, and is not so much that it can only be an outage.
    async fn is_only_failing(self: &Arc<Self>, crawl: &Crawl, health: &Health) -> Result<bool, CrawlError> {
        if health.failing.len() > FAILING_AT_MOST {
            return Ok(false);
        }
        let (id, more) = (crawl.id, health.failing.len() + 1);
        let open = self.blocking(move |crawler| crawler.store.load_open_requests(id, more)).await?;
        Ok(open.iter().all(|task| health.failing.contains_key(task)))
    }

    /// A page that is given up takes the tasks of its parts along, and some may be under way: what comes of those is of no
    /// use, and no fault.
    async fn unless_dropped(self: &Arc<Self>, task: TaskId, error: CrawlError) -> Result<(), CrawlError> {
        let is_stale = matches!(error, CrawlError::Store(StoreError::StaleTask(_)));
        if is_stale && !self.blocking(move |crawler| crawler.store.has_task(task)).await? {
            return Ok(());
        }
        Err(error)
    }

    /// Saves and tells how far the crawl is; returns the state that somebody may have put it in.
    async fn tell(self: &Arc<Self>, id: CrawlId) -> Result<CrawlState, CrawlError> {
        let (crawl, known, listing) = self
            .blocking(move |crawler| {
                let crawl = crawler.load(id)?;
                let (known, listing) = crawler.store.count_known(id)?;
                Ok((crawl, known, listing))
            })
            .await?;
        self.progress.send_replace(Progress {
            done: crawl.counters.discovered(),
            known,
            requests: crawl.counters.requests,
            listing,
        });
        Ok(crawl.state)
    }

    async fn save_meter(self: &Arc<Self>, id: CrawlId, meter: &mut Meter) -> Result<(), CrawlError> {
        let (requests, now) = (self.client.traffic().requests, Instant::now());
        let (sent, ran) = (requests - meter.requests, now - meter.since);
        *meter = Meter { requests, since: now };
        let ran_ms = u64::try_from(ran.as_millis()).unwrap_or(u64::MAX);
        Ok(self.blocking(move |crawler| crawler.store.save_progress(id, sent, ran_ms)).await?)
    }

    pub(super) async fn end(
        self: &Arc<Self>,
        id: CrawlId,
        state: CrawlState,
        reason: Option<String>,
    ) -> Result<(), CrawlError> {
        let now = self.runtime.now();
        Ok(self.blocking(move |crawler| crawler.store.end_crawl(id, state, reason.as_deref(), now)).await?)
    }

    async fn crawl(self: &Arc<Self>, id: CrawlId) -> Result<Crawl, CrawlError> {
        Ok(self.blocking(move |crawler| crawler.load(id)).await?)
    }

    fn load(&self, id: CrawlId) -> Result<Crawl, StoreError> {
        self.store.load_crawl(id)?.ok_or(StoreError::NoCrawl(id.0))
    }

    /// Work on the store, off the network's threads.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let crawler = Arc::clone(self);
        self.runtime.blocking(move || work(&crawler)).await
    }
}

fn is_another_kind(error: &notion_api::Error) -> bool {
    matches!(error.class(), Class::NotFound | Class::Validation(_))
}

/// What was saved of requests and running time.
struct Meter {
    requests: u64,
    since: Instant,
}

/// Whether a refusal shows that Notion works. Waits that it asks for take no patience; an outage does, in whatever words.
fn says_that_it_is_there(class: &Class) -> bool {
    match class {
        Class::Network(_) | Class::Unavailable { .. } | Class::Protocol => false,
        Class::RateLimited { .. }
        | Class::Overloaded { .. }
        | Class::Unauthorized
        | Class::MissingCapability
        | Class::NotFound
        | Class::Validation(_)
        | Class::InvalidCursor
        | Class::RequestBlocked
        | Class::EdgeBlocked
        | Class::Request => true,
    }
}
