//! One seed, one story: a workspace under many hands, a connector that follows it, crashes, and peace at the end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use notion_connector::app::App;
use notion_connector::config::{BodyChoice, CommentsChoice};
use notion_connector::model::{Caller, NotionId};
use notion_connector::ops::{self, AddConnector, CrawlSummary, EditConnector, ExportLine, OpsError, Setting};
use notion_connector::runtime::Runtime;
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::{DEFAULT_BASE_MS, DEFAULT_TOKEN};
use secrecy::SecretString;
use uuid::Uuid;

use crate::audiences::Audiences;
use crate::dice::Dice;
use crate::events::Courier;
use crate::facts::{Fact, Wanted};
use crate::files::MOST_MB;
use crate::machine::{Damage, Death, End, Machine, held};
use crate::network::{ADDRESS, Network};
use crate::oracle;
use crate::process::{Task, is_explained, is_good, perform};
use crate::run::Tally;
use crate::trace::Trace;
use crate::workspace::Workspace;

mod access;

/// The seed of the world in which a crawl dies at each of its changes.
const CRASHED_SEED: u64 = 1;

/// The connectors of the workspace: in most stories the first alone.
const CONNECTORS: [&str; 2] = ["works", "others"];
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// How often a crawl may be taken up until it has to have ended, once nothing is wrong any more.
const PEACEFUL_TRIES: u32 = 12;

/// A story under way.
pub(crate) struct Story {
    dice: Dice,
    trace: Trace,
    workspace: Arc<Mutex<Workspace>>,
    machine: Machine,
    courier: Arc<Courier>,
    tally: Tally,
    crashes_left: u64,
    /// What the next crash does, where it is not left to chance.
    damage: Option<Damage>,
    /// The connectors of this story.
    connectors: &'static [&'static str],
    /// How many items a connector may hold.
    limit: Option<u64>,
    /// What each connector held when it was last looked.
    held: Vec<BTreeSet<Uuid>>,
    /// Crawls that were looked at after their end.
    judged: BTreeSet<i64>,
    /// Who may see what.
    audiences: Audiences,
}

impl Story {
    fn begin(seed: u64, trace: &Trace) -> Self {
        let mut dice = Dice::new(seed, 0);
        let workspace = Arc::new(Mutex::new(Workspace::new(seed, trace.clone())));
        let network = Network::new(seed, Arc::clone(&workspace), trace.clone());
        let ahead_ms = dice.between(0, 60_000) as i64 - 30_000;
        let start = Timestamp::from_millisecond(DEFAULT_BASE_MS + ahead_ms).unwrap();
        let runtime = Runtime::simulated(start, seed);
        let mut machine = Machine::new(network, runtime, trace.clone());
        machine.config.crawl.deletion_floor = dice.pick(&[2, 5, 50]);
        machine.config.notion.concurrency = dice.pick(&[1, 3, 10]);
        machine.config.files = workspace.lock().unwrap().shelf.rules().settings();
        machine.config.extract.file_mb = MOST_MB;
        let crashes_left = dice.between(1, 5);
        let connectors = &CONNECTORS[..if dice.chance(30) { 2 } else { 1 }];
        let limit = Some(dice.between(5, 40)).filter(|_| connectors.len() == 1 && dice.chance(20));
        let courier = Courier::new(seed, Arc::clone(&workspace), &machine, connectors);
        Self {
            dice,
            trace: trace.clone(),
            workspace,
            machine,
            courier: Arc::new(courier),
            tally: Tally::default(),
            crashes_left,
            damage: None,
            connectors,
            limit,
            held: Vec::new(),
            judged: BTreeSet::new(),
            audiences: Audiences::new(seed),
        }
    }

    fn tally(&self) -> Tally {
        let (heard, (requests, failures)) = (self.courier.heard(), self.machine.network().counts());
        let changes = self.workspace().changes();
        Tally { requests, failures, changes, events: heard.events, forged: heard.forged, ..self.tally }
    }

    fn workspace(&self) -> MutexGuard<'_, Workspace> {
        self.workspace.lock().unwrap()
    }

    async fn connect(&mut self) {
        for name in self.connectors {
            let new = AddConnector {
                name: (*name).to_owned(),
                notion_url: ADDRESS.to_owned(),
                secret: SecretString::from(DEFAULT_TOKEN),
                validate: false,
            };
            let add = |app: Arc<App>| async move {
                ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await.map(drop)
            };
            let End::Done(Ok(())) = self.machine.run(None, add).await else { panic!("no connector") };
        }
        self.workspace().set_wanted(vec![Wanted::default(); self.connectors.len()]);
        self.workspace().watch();
        self.held = held(&self.machine.data(), self.connectors);
        if let Some(limit) = self.limit {
            self.trace.say(format!("at most {limit} items"));
            let edit = EditConnector { item_limit: Some(Setting::Own(limit)), ..EditConnector::default() };
            self.edit(0, edit).await;
        }
    }

    /// Time passes and things happen, then a process runs, and perhaps dies.
    async fn act(&mut self) {
        let pause = self.dice.duration(SECOND, 8 * HOUR);
        self.trace.say(format!("{pause:?} pass"));
        tokio::time::sleep(pause).await;
        for _ in 0..self.dice.between(0, 6) {
            self.workspace().change();
            tokio::time::sleep(self.dice.duration(SECOND, 10 * MINUTE)).await;
        }
        if self.dice.chance(50) {
            self.workspace().weather();
        }
        if self.dice.chance(20) {
            self.edit_settings().await;
        }
        if self.dice.chance(10) {
            self.machine.back_up();
        }
        if self.dice.chance(8) {
            self.machine.age_rendering();
        }
        if self.dice.chance(10) {
            self.workspace().revoke();
        }
        if self.dice.chance(50) {
            self.renew_secret().await;
        }
        if self.dice.chance(30) {
            self.approve().await;
        }
        self.subscribe().await;
        self.machine.network().set_changes(self.dice.pick(&[0, 0, 10, 40]));
        let task = self.choose_task();
        let mut death = self.choose_death();
        if self.courier.is_open() {
            // Also while nothing is asked for something happens that events tell of.
            let changes = self.dice.pick(&[0, 3, 30]);
            let at_event = matches!((task, death), (Task::Serve(_), Some(_))) && self.dice.chance(50);
            let at_event = at_event.then(|| (self.dice.between(0, 5), self.dice.chance(50)));
            death = death.filter(|_| at_event.is_none());
            self.courier.foresee(changes, at_event);
        }
        self.work(task, death).await;
        self.machine.network().set_changes(0);
    }

    /// Where the story has a webhook, an administrator sees to it that it is open.
    async fn subscribe(&mut self) {
        if !self.courier.is_wanted() || self.courier.is_open() {
            return;
        }
        let courier = Arc::clone(&self.courier);
        let open = |app: Arc<App>| async move { courier.subscribe(&app).await };
        let End::Done(()) = self.machine.run(None, open).await else { panic!("no webhook") };
    }

    /// Somebody gives the connector the secret that Notion accepts now. Notion may refuse to say whose it is.
    async fn renew_secret(&mut self) {
        for name in self.connectors {
            let secret = SecretString::from(self.workspace().token());
            let set = |app: Arc<App>| async move {
                ops::set_secret(&app, &Caller::LOCAL_OPERATOR, name, secret).await.map(drop)
            };
            if let End::Done(Err(error)) = self.machine.run(None, set).await {
                self.trace.say(format!("no new secret: {error}"));
            }
        }
    }

    /// Somebody approves what the newest crawl of each connector would delete, if it asks.
    async fn approve(&mut self) {
        let crawls = self.crawls();
        for name in self.connectors {
            let newest = crawls.iter().find(|crawl| crawl.connector == *name);
            if let Some(crawl) = newest.filter(|crawl| crawl.state == CrawlState::AwaitingApproval) {
                self.approve_one(crawl.id).await;
            }
        }
    }

    async fn approve_one(&mut self, id: i64) {
        self.trace.say(format!("approve {id}"));
        let approve = |app: Arc<App>| async move {
            ops::approve_deletions(&app, &Caller::LOCAL_OPERATOR, id).await?;
            // The data directory has an owner, so the command leaves the delivery to it.
            app.pump()?.drain().await?;
            Ok::<(), OpsError>(())
        };
        let End::Done(Ok(())) = self.machine.run(None, approve).await else { panic!("not approved") };
        self.judged.remove(&id);
        self.judge();
    }

    fn choose_task(&mut self) -> Task {
        let serving = if self.courier.is_open() { 60 } else { 30 };
        if self.dice.chance(serving) {
            return Task::Serve(self.dice.duration(MINUTE, HOUR));
        }
        let scope = self.dice.pick(&[
            None,
            None,
            None,
            Some(Scope::Full),
            Some(Scope::Full),
            Some(Scope::Incremental),
            Some(Scope::Incremental),
            Some(Scope::ForceReindex),
            Some(Scope::Partial),
            Some(Scope::Test),
        ]);
        let truth: Vec<Uuid> = self.workspace().truth().into_keys().collect();
        let start_point = self.dice.try_pick(&truth).filter(|_| scope == Some(Scope::Partial));
        let scope = scope.filter(|scope| *scope != Scope::Partial || start_point.is_some());
        let restart = self.dice.chance(10);
        let cancel_after = self.dice.duration(SECOND, 5 * MINUTE);
        let cancel_after = self.dice.chance(7).then_some(cancel_after);
        let connector = self.dice.pick(self.connectors);
        Task::Crawl { connector, scope, start_point, restart, cancel_after }
    }

    fn choose_death(&mut self) -> Option<Death> {
        if self.crashes_left == 0 || !self.dice.chance(60) {
            return None;
        }
        Some(match self.dice.below(5) {
            0 | 1 => Death::Change(self.dice.between(1, 120)),
            2 | 3 => Death::Moment(self.dice.duration(Duration::from_millis(20), 20 * MINUTE)),
            _ => Death::Delivery(self.dice.between(0, 3)),
        })
    }

    async fn work(&mut self, task: Task, death: Option<Death>) {
        self.trace.say(format!("{task:?}, death {death:?}"));
        let courier = Arc::clone(&self.courier);
        match self.machine.run(death, |app| perform(app, task, courier)).await {
            End::Died => self.crash(),
            End::Done(Ok(said)) => self.trace.say(said),
            End::Done(Err(error)) => {
                self.trace.say(format!("the process ends: {error}"));
                assert!(is_explained(&error), "an error that no fault explains: {error:?}");
            }
        }
        self.judge();
    }

    fn crash_with(&mut self, damage: Damage) {
        self.damage = Some(damage);
    }

    fn crash(&mut self) {
        self.tally.crashes += 1;
        self.crashes_left = self.crashes_left.saturating_sub(1);
        let by_chance = match self.dice.below(10) {
            0..=2 => Damage::PowerLost,
            3 | 4 => Damage::IndexLost,
            5 => Damage::OldStore,
            _ => Damage::Nothing,
        };
        let damage = self.damage.take().unwrap_or(by_chance);
        if !self.machine.damage(damage) {
            return;
        }
        self.read_settings();
        if damage == Damage::OldStore {
            // What its open crawl has been told lies further back than anybody watched.
            self.workspace().stop_watching();
            self.courier.unsubscribe();
            self.held = held(&self.machine.data(), self.connectors);
            self.judged.clear();
        }
    }

    /// A store of old has the settings of old.
    fn read_settings(&self) {
        let ids = |objects: Vec<NotionId>| objects.into_iter().map(|object| object.0).collect();
        let wanted = |name: &&str| {
            let effective =
                ops::show_connector(&self.app(), &Caller::LOCAL_OPERATOR, Some(name)).unwrap().effective;
            Wanted {
                include: ids(effective.include),
                exclude: ids(effective.exclude),
                archived: effective.archived,
                comments: effective.comments != CommentsChoice::Off,
            }
        };
        let wanted = self.connectors.iter().map(wanted).collect();
        self.workspace().set_wanted(wanted);
    }

    fn app(&self) -> Arc<App> {
        self.machine.look()
    }

    fn crawls(&self) -> Vec<CrawlSummary> {
        ops::list_crawls(&self.app(), &Caller::LOCAL_OPERATOR, 100).unwrap()
    }

    fn exported(&self) -> Vec<ExportLine> {
        let mut lines = Vec::new();
        let keep = |line: &ExportLine| {
            lines.push(line.clone());
            Ok(())
        };
        ops::export(&self.app(), &Caller::LOCAL_OPERATOR, keep).unwrap();
        lines
    }

    /// Holds every crawl that ended, and what left, against what has to be so at any time.
    fn judge(&mut self) {
        let app = self.app();
        let crawls = ops::list_crawls(&app, &Caller::LOCAL_OPERATOR, 100).unwrap();
        let mut waiting = false;
        for crawl in &crawls {
            waiting |= crawl.state.is_open() || crawl.state == CrawlState::AwaitingApproval;
            if crawl.state.is_open() || !self.judged.insert(crawl.id) {
                continue;
            }
            self.tally.crawls += 1;
            let detail = ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, crawl.id).unwrap();
            self.trace.say(format!(
                "crawl {} ({}) is {}: {} discovered, {} added, {} updated, {} unchanged, {} skipped, {} not indexed, {} deleted",
                crawl.id, crawl.scope, crawl.state, crawl.discovered, crawl.added, crawl.updated, crawl.unchanged,
                crawl.skipped, crawl.not_indexed, crawl.deleted
            ));
            for alert in &detail.alerts {
                self.trace.say(format!("  {} {}", alert.level, alert.message));
                assert!(!alert.message.contains("do not add up"), "{}", alert.message);
            }
            assert_eq!(crawl.indexed, crawl.added + crawl.updated, "{crawl:?}");
            let sum = crawl.indexed + crawl.unchanged + crawl.skipped + crawl.not_indexed;
            assert_eq!(crawl.discovered, sum, "{crawl:?}");
            let has_errors = crawl.not_indexed > 0 || crawl.errors > 0;
            assert!(
                crawl.state != CrawlState::Completed || !has_errors,
                "a crawl with errors is completed: {crawl:?} {:?}",
                detail.alerts
            );
        }
        let held = held(&self.machine.data(), self.connectors);
        if let Some(limit) = self.limit {
            assert!(held[0].len() as u64 <= limit, "{} items, and {limit} are allowed", held[0].len());
        }
        let mut workspace = self.workspace.lock().unwrap();
        let lost = workspace.lost(&self.held, &held);
        assert!(lost.is_empty(), "left the index, and was to be there all the time: {lost:?}");
        if !waiting {
            workspace.watch();
        }
        drop(workspace);
        self.held = held;
    }

    async fn edit_settings(&mut self) {
        let which = self.dice.below(self.connectors.len());
        let mut wanted = self.workspace().wanted()[which].clone();
        let truth: Vec<Uuid> = self.workspace().truth().into_keys().collect();
        match self.dice.below(9) {
            7.. => {
                let rules = self.workspace().change_file_rules();
                self.trace.say(format!("{rules:?}"));
                self.machine.config.files = rules.settings();
                return;
            }
            0 | 1 => {
                wanted.exclude = self.dice.try_pick(&truth).into_iter().collect();
                wanted.include.clear();
            }
            2 => {
                wanted.include = [(); 3].iter().filter_map(|()| self.dice.try_pick(&truth)).collect();
                wanted.exclude.clear();
            }
            3 | 4 => {
                wanted = Wanted { archived: wanted.archived, comments: wanted.comments, ..Wanted::default() }
            }
            5 => wanted.archived = !wanted.archived,
            _ => wanted.comments = !wanted.comments,
        }
        let body = self.dice.pick(&[BodyChoice::Auto, BodyChoice::V1, BodyChoice::V2, BodyChoice::Blocks]);
        let body = self.dice.chance(30).then_some(body);
        self.apply_settings(which, wanted, body).await;
    }

    async fn apply_settings(&mut self, which: usize, wanted: Wanted, body: Option<BodyChoice>) {
        let named = |ids: &BTreeSet<Uuid>| Some(ids.iter().map(Uuid::to_string).collect());
        let mut edit = EditConnector { body: body.map(Setting::Own), ..EditConnector::default() };
        (edit.include, edit.exclude) = (named(&wanted.include), named(&wanted.exclude));
        edit.archived = Some(Setting::Own(wanted.archived));
        let comments = if wanted.comments { CommentsChoice::Pages } else { CommentsChoice::Off };
        edit.comments = Some(Setting::Own(comments));
        self.trace.say(format!("settings of {} {wanted:?} {:?}", self.connectors[which], edit.body));
        self.edit(which, edit).await;
        let mut all = self.workspace().wanted().to_vec();
        for (other, own) in all
            .iter_mut()
            .enumerate()
            .filter(|(other, own)| own.comments != wanted.comments && *other != which)
        {
            own.comments = wanted.comments;
            let edit = EditConnector { comments: Some(Setting::Own(comments)), ..EditConnector::default() };
            self.edit(other, edit).await;
        }
        all[which] = wanted;
        self.workspace().set_wanted(all);
    }

    async fn edit(&mut self, which: usize, edit: EditConnector) {
        let name = self.connectors[which];
        let change = |app: Arc<App>| async move {
            ops::edit_connector(&app, &Caller::LOCAL_OPERATOR, name, &edit).map(drop)
        };
        let End::Done(Ok(())) = self.machine.run(None, change).await else { panic!("refused settings") };
    }

    /// Nothing is wrong any more, nobody changes anything, and all that was begun comes to its end.
    async fn quiesce(&mut self) {
        self.trace.say("peace");
        self.workspace().calm();
        self.courier.be_faithful();
        // Limits have forgotten by then what was asked before.
        tokio::time::sleep(HOUR).await;
        self.renew_secret().await;
        self.end_what_was_begun().await;
        self.list_everything().await;
        if let Some(limit) = self.limit {
            // What left by the first makes room for others, and so does a file that turns out not to be readable.
            for _ in 0..PEACEFUL_TRIES {
                self.list_everything().await;
                let (exported, expected) = (self.exported(), self.workspace().expected());
                let held = exported.iter().filter(|line| expected.contains_key(&line.id.0)).count() as u64;
                if held >= limit.min(expected.len() as u64) {
                    break;
                }
            }
        }
    }

    async fn list_everything(&mut self) {
        for connector in self.connectors {
            self.peaceful_crawl(connector, Some(Scope::Full)).await;
        }
    }

    async fn end_what_was_begun(&mut self) {
        for left in (0..PEACEFUL_TRIES).rev() {
            let crawls = self.crawls();
            let is_open =
                |name: &&&str| crawls.iter().any(|crawl| crawl.connector == **name && crawl.state.is_open());
            let Some(connector) = self.connectors.iter().find(is_open) else { break };
            assert!(left > 0, "a crawl does not end");
            self.peaceful_crawl(connector, None).await;
        }
    }

    async fn peaceful_crawl(&mut self, connector: &'static str, scope: Option<Scope>) {
        let task = Task::Crawl { connector, scope, start_point: None, restart: false, cancel_after: None };
        self.work(task, None).await;
        self.approve().await;
        if scope.is_some() {
            let detail = ops::show_crawl(&self.app(), &Caller::LOCAL_OPERATOR, self.crawls()[0].id).unwrap();
            assert!(
                is_good(&detail.crawl, self.workspace().broken()),
                "in peace: {:?} {:?}",
                detail.crawl,
                detail.alerts
            );
        }
    }

    /// Edits that a crawl for changes has to find by itself, without a reconciling one.
    async fn follow_edits(&mut self) {
        self.trace.say("edits in peace");
        self.workspace().lag();
        let longest = self.dice.pick(&[SECOND, 10 * MINUTE]);
        for _ in 0..self.dice.between(1, 10) {
            self.workspace().edit_something();
            tokio::time::sleep(self.dice.duration(Duration::from_millis(100), longest)).await;
        }
        // As often as the service does it: what is read within the minute of its stamp, or shown late by search, is read by the
        // second.
        for round in 0..2 {
            for connector in self.connectors {
                self.peaceful_crawl(connector, Some(Scope::Incremental)).await;
            }
            if round == 0 {
                self.workspace().edit_again();
            }
            tokio::time::sleep(10 * MINUTE).await;
        }
        self.workspace().calm();
    }

    /// The other connector is deleted, perhaps while a crawl of the first is interrupted: what the first is to hold stays.
    async fn part(&mut self) {
        let [first, other] = self.connectors else { return };
        self.edit_settings().await;
        let full = Task::Crawl {
            connector: first,
            scope: Some(Scope::Full),
            start_point: None,
            restart: false,
            cancel_after: None,
        };
        let death = Death::Change(self.dice.between(5, 150));
        let crawls = self.crawls().len();
        self.crash_with(Damage::Nothing);
        self.work(full, Some(death)).await;
        self.damage = None;
        let began = self.crawls().len() > crawls;
        self.trace.say(format!("delete {other}"));
        let delete = |app: Arc<App>| async move {
            ops::delete_connector(&app, &Caller::LOCAL_OPERATOR, other).await?;
            app.pump()?.drain().await?;
            Ok::<(), OpsError>(())
        };
        let End::Done(Ok(())) = self.machine.run(None, delete).await else { panic!("not deleted") };
        self.connectors = &self.connectors[..1];
        let wanted = self.workspace().wanted()[..1].to_vec();
        self.workspace().set_wanted(wanted);
        self.held.truncate(1);
        tokio::time::sleep(HOUR).await;
        if !began {
            self.list_everything().await;
        }
        self.end_what_was_begun().await;
        self.approve().await;
    }

    /// Edits that are found because events tell of them, without any other crawl.
    async fn follow_events(&mut self) {
        self.subscribe().await;
        if !self.courier.is_open() || self.connectors.len() > 1 {
            return;
        }
        self.trace.say("edits that events tell of");
        let before = self.machine.config.crawl.clone();
        self.machine.config.crawl.freshness_minutes = 0;
        self.machine.config.crawl.reconcile = "never".to_owned();
        // What is to be approved would wait for somebody.
        self.machine.config.crawl.deletion_floor = 1_000;
        let last = self.crawls()[0].id;
        self.courier.foresee_edits(self.dice.between(1, 8));
        self.work(Task::Serve(20 * MINUTE), None).await;
        let (crawls, broken) = (self.crawls(), self.workspace().broken());
        for crawl in crawls.iter().filter(|crawl| crawl.id > last) {
            assert!(crawl.scope == "events" && is_good(crawl, broken), "{crawl:?}");
        }
        self.machine.config.crawl = before;
    }

    /// The index holds the truth; with `exactly`, as much of it as the limit allows.
    fn compare(&mut self, exactly: bool) {
        let exported = self.exported();
        let mut workspace = self.workspace.lock().unwrap();
        let (mut expected, truth, retired) = (workspace.expected(), workspace.truth(), workspace.retired());
        let is_there = |id: &Uuid| exported.iter().any(|line| line.id.0 == *id);
        // There was no room for it, or it is archived: a crawl may never have met it.
        let archived = workspace.wanted().iter().any(|wanted| wanted.archived);
        let is_limited = self.limit.is_some();
        let may_end_below = |holder: &Fact| is_limited || (!archived && holder.archived && holder.has_body());
        let tolerated: Vec<(Uuid, Fact)> =
            workspace.tolerated().into_iter().filter(|(id, _)| is_there(id)).collect();
        if let Some(limit) = self.limit {
            let all = expected.len() as u64;
            expected.retain(|id, _| is_there(id));
            let is_full = expected.len() as u64 == limit.min(all);
            assert!(
                is_full || !exactly || !tolerated.is_empty(),
                "{} of {all}, {limit} allowed",
                expected.len()
            );
        }
        expected.extend(tolerated);
        drop(workspace);
        self.tally.items = expected.len() as u64;
        let index = self.machine.search_index();
        let found = oracle::differences(&index, &exported, &expected, &truth, &retired, &may_end_below);
        assert!(found.is_empty(), "the index is not the truth:\n{}", found.join("\n"));
    }
}

/// Tells the story of a seed, with every change of the store if `closely`. Fails where something is not as it has to be.
pub(crate) fn tell(seed: u64, closely: bool) -> (Trace, Result<Tally, String>) {
    on_a_paused_clock(async |trace| {
        let mut story = Story::begin(seed, trace);
        story.connect().await;
        if closely {
            story.machine.tell_changes();
        }
        let acts = story.dice.between(2, 5);
        for _ in 0..acts {
            story.act().await;
        }
        while story.tally.crashes == 0 {
            story.act().await;
        }
        story.quiesce().await;
        story.compare(true);
        story.judge_access(0).await;
        story.guard_access().await;
        story.follow_edits().await;
        story.compare(false);
        story.judge_access(4).await;
        story.follow_events().await;
        story.compare(false);
        story.part().await;
        story.compare(false);
        story.judge_access(1).await;
        story.tally()
    })
}

/// A crawl that dies once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crash {
    pub(crate) scope: Scope,
    /// After so many changes of the store.
    pub(crate) changes: u64,
    pub(crate) damage: Damage,
    /// Whether a filter leaves a part out, and comments are read.
    pub(crate) filtered: bool,
}

/// A crawl that dies and is taken up again: what it was to find it has found then, without another one. None where it is
/// done before its death.
pub(crate) fn tell_of_one_crash(crash: Crash) -> (Trace, Result<Option<Tally>, String>) {
    on_a_paused_clock(async |trace| {
        let mut story = Story::begin(CRASHED_SEED, trace);
        story.connect().await;
        if crash.filtered {
            let excluded = story.workspace().truth().into_values().find(|fact| fact.kind == "database");
            let exclude = excluded.into_iter().map(|fact| fact.id).collect();
            let wanted = Wanted { exclude, comments: true, ..Wanted::default() };
            story.apply_settings(0, wanted, None).await;
        }
        let crawl = |scope| Task::Crawl {
            connector: CONNECTORS[0],
            scope,
            start_point: None,
            restart: false,
            cancel_after: None,
        };
        tokio::time::sleep(HOUR).await;
        if crash.scope == Scope::Incremental {
            story.work(crawl(Some(Scope::Full)), None).await;
            for _ in 0..12 {
                tokio::time::sleep(MINUTE).await;
                story.workspace().edit_something();
            }
            tokio::time::sleep(10 * MINUTE).await;
        }
        let (crashes, crawls) = (story.tally.crashes, story.crawls().len());
        story.crash_with(crash.damage);
        story.work(crawl(Some(crash.scope)), Some(Death::Change(crash.changes))).await;
        if story.tally.crashes == crashes {
            return None;
        }
        if story.crawls().len() == crawls {
            // Not even that it was asked for is on the disk.
            story.peaceful_crawl(CONNECTORS[0], Some(crash.scope)).await;
        }
        story.end_what_was_begun().await;
        story.approve().await;
        // It may have died when the crawl had ended: whichever process comes next delivers.
        story.work(Task::Serve(MINUTE), None).await;
        story.compare(true);
        Some(story.tally())
    })
}

fn on_a_paused_clock<T>(told: impl AsyncFnOnce(&Trace) -> T) -> (Trace, Result<T, String>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let trace = runtime.block_on(async { Trace::begin() });
    let told = std::panic::AssertUnwindSafe(|| runtime.block_on(told(&trace)));
    let result = std::panic::catch_unwind(told).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    });
    (trace, result)
}
