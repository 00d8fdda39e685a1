//! What `serve` does by itself: takes up crawls that wait or were interrupted, runs schedules, keeps connectors fresh.
//!
//! - The database is the queue: whoever adds a crawl (a command, a request, a schedule) writes a row, and the scheduler
//!   finds it within a second. Nothing is kept in memory that a restart would lose.
//! - At most `crawl.at_once` crawls run at once, in the order in which they were added, and one of content and one of people of each
//!   connector: a second one would ask for the same things beside the first. Crawls of one integration share its budget of requests.
//! - Hints of webhooks are taken up by the crawl of their connector that runs; where none does, by one for them alone, which
//!   waits for no slot: it is short, and freshness is what it is for.
//! - A crawl that cannot go on because of an outage, a full disk or a bug stays open and is tried again; one that Notion
//!   refuses has failed.
//! - Ending is orderly: nothing new begins, requests under way may finish, the rest is left for the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use notion_api::Class;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use super::crawl::{crawler, followed_by_people, scope_by_itself};
use super::schedules::run_due;
use super::{OpsError, plan};
use crate::app::App;
use crate::crawl::{CrawlError, Progress};
use crate::model::{ConnectorId, NotionId};
use crate::store::{Connector, Crawl, CrawlId, CrawlState, Scope};

/// How often the queue is looked at.
const TICK: Duration = Duration::from_secs(1);

/// When a crawl that could not go on is tried again.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// How often old crawls are forgotten.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Crawls looked back upon when it is decided whether a connector is fresh.
const LOOK_BACK: u32 = 10;

/// How long hints wait after a crawl of their connector failed.
const REST: SignedDuration = SignedDuration::from_mins(10);

/// Who starts the crawls of hints.
const WEBHOOK: &str = "webhook";

/// Who starts the crawls that keep connectors fresh.
pub(super) const FRESHNESS: &str = "freshness";

/// Who starts the full crawls that find what incremental ones cannot.
const RECONCILIATION: &str = "reconciliation";

/// Runs crawls until `stop` says true, and then gives back what is under way. Failures go to the log: a service goes on.
pub async fn run_scheduler(app: &Arc<App>, stop: watch::Receiver<bool>) {
    let mut slots = Slots {
        app: Arc::clone(app),
        stop,
        running: JoinSet::new(),
        taken: Vec::new(),
        later: BTreeMap::new(),
        prune_at: Timestamp::MIN,
    };
    let mut told = slots.stop.clone();
    let mut heard = app.store.heard();
    loop {
        let wait = slots.turn().await.unwrap_or_else(|error| {
            tracing::error!(%error, "the queue of crawls could not be served");
            TICK
        });
        tokio::select! {
            biased;
            // A sender that is gone has nothing to serve any more.
            _ = told.wait_for(|stop| *stop) => break,
            Some(ended) = slots.running.join_next_with_id() => slots.free(ended),
            // A sender lives as long as the store.
            Ok(()) = heard.changed() => {}
            () = app.runtime.sleep(wait) => {}
        }
    }
    while let Some(ended) = slots.running.join_next_with_id().await {
        slots.free(ended);
    }
}

/// Queues a crawl, unless one of that connector, scope and start point waits already.
pub(super) fn queue(
    app: &App,
    connector: ConnectorId,
    (scope, start_point): (Scope, Option<NotionId>),
    started_by: &str,
) -> Result<CrawlId, OpsError> {
    let open = app.store.load_open_crawls()?;
    let waiting = open.iter().find(|crawl| {
        (crawl.connector, crawl.scope, crawl.start_point) == (connector, scope, start_point)
            && crawl.state == CrawlState::Queued
    });
    match waiting {
        Some(waiting) => {
            app.store.release_plan(waiting.id)?;
            Ok(waiting.id)
        }
        None => {
            let now = app.runtime.now();
            Ok(match start_point {
                Some(start) => app.store.add_partial_crawl(connector, start, started_by, now)?,
                None => app.store.add_crawl(connector, scope, started_by, now)?,
            })
        }
    }
}

/// Ends the crawls that were cancelled and that nobody runs.
pub(super) fn end_cancelled(app: &App, running: &BTreeSet<CrawlId>) -> Result<(), OpsError> {
    for crawl in app.store.load_open_crawls()? {
        if crawl.state == CrawlState::Cancelling && !running.contains(&crawl.id) {
            app.store.end_crawl(crawl.id, CrawlState::Cancelled, None, app.runtime.now())?;
        }
    }
    Ok(())
}

/// The same again and again, beside the one crawl that this process runs. Ends when the database fails.
pub(super) async fn keep_ending_cancelled(app: &Arc<App>, running: CrawlId) -> OpsError {
    loop {
        app.runtime.sleep(TICK).await;
        let at = Arc::clone(app);
        let ended = app.runtime.blocking(move || end_cancelled(&at, &BTreeSet::from([running]))).await;
        if let Err(error) = ended {
            return error;
        }
    }
}

/// The crawls that run.
struct Slots {
    app: Arc<App>,
    stop: watch::Receiver<bool>,
    running: JoinSet<Result<(), OpsError>>,
    taken: Vec<(Id, Crawl)>,
    /// Crawls that could not go on, and when they are tried again.
    later: BTreeMap<CrawlId, Timestamp>,
    /// When old crawls are forgotten again.
    prune_at: Timestamp,
}

impl Slots {
    /// Adds what is due, ends what was cancelled, starts what has its turn. Returns how long nothing more is due.
    async fn turn(&mut self) -> Result<Duration, OpsError> {
        let app = Arc::clone(&self.app);
        let running: BTreeSet<CrawlId> = self.taken.iter().map(|(_, crawl)| crawl.id).collect();
        let look = move || {
            end_cancelled(&app, &running)?;
            plan::expire(&app)?;
            run_due(&app)?;
            queue_reconciling(&app)?;
            queue_stale(&app)?;
            let next = queue_hinted(&app)?;
            Ok::<_, OpsError>((app.store.load_open_crawls()?, next))
        };
        let (mut open, next_hint) = self.app.runtime.blocking(look).await?;
        let now = self.app.runtime.now();
        if self.prune_at <= now {
            let app = Arc::clone(&self.app);
            self.app.runtime.blocking(move || forget_old(&app)).await?;
            self.prune_at = now + PRUNE_EVERY;
        }
        self.later.retain(|id, _| open.iter().any(|crawl| crawl.id == *id));
        // One that is under way, or waits to go on, takes up the hints of its connector itself.
        let begun: BTreeSet<ConnectorId> = open
            .iter()
            .filter(|crawl| !matches!(crawl.scope, Scope::Events | Scope::People) && crawl.started.is_some())
            .map(|crawl| crawl.connector)
            .collect();
        open.retain(|crawl| crawl.scope != Scope::Events || !begun.contains(&crawl.connector));
        open.sort_by_key(|crawl| crawl.scope != Scope::Events);
        // One of people asks for nothing that one of content asks for, and does not wait for it.
        let lane = |crawl: &Crawl| (crawl.connector, crawl.scope == Scope::People);
        let mut busy: BTreeSet<(ConnectorId, bool)> =
            self.taken.iter().map(|(_, crawl)| lane(crawl)).collect();
        for crawl in open {
            // Also one that waits to be tried again keeps its connector: crawls of a connector run in order.
            if !busy.insert(lane(&crawl)) || self.later.get(&crawl.id).is_some_and(|later| now < *later) {
                continue;
            }
            let long = self.taken.iter().filter(|(_, taken)| taken.scope != Scope::Events).count();
            if crawl.scope != Scope::Events && long >= self.app.config.crawl.at_once {
                break;
            }
            let taken_up = take_up(Arc::clone(&self.app), crawl.clone(), self.stop.clone());
            let id = self.running.spawn(taken_up).id();
            self.taken.push((id, crawl));
        }
        Ok(next_hint.unwrap_or(TICK).min(TICK))
    }

    /// A crawl no longer runs.
    fn free(&mut self, ended: Result<(Id, Result<(), OpsError>), tokio::task::JoinError>) {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(OpsError::Crawl(CrawlError::Broken(error.to_string())))),
        };
        let Some(at) = self.taken.iter().position(|(taken, _)| *taken == id) else { return };
        let (_, crawl) = self.taken.swap_remove(at);
        if let Err(error) = result {
            tracing::warn!(crawl = crawl.id.0, %error, "a crawl could not go on");
            self.later.insert(crawl.id, self.app.runtime.now() + TRY_AGAIN);
        }
    }
}

/// Runs a crawl to its end, or until it cannot go on.
async fn take_up(app: Arc<App>, crawl: Crawl, stop: watch::Receiver<bool>) -> Result<(), OpsError> {
    let Some(connector) = app.store.load_connector_by_id(crawl.connector)? else { return Ok(()) };
    let mut told = stop.clone();
    let progress = watch::Sender::new(Progress::default());
    let begun = tokio::select! {
        biased;
        _ = told.wait_for(|stop| *stop) => return Ok(()),
        begun = crawler(&app, &connector, crawl.scope, progress, Some(stop)) => begun.map_err(|error| error.naming_secret_of(&connector.name)),
        // Notion may take a minute to say who the secret is.
        () = until_cancelled(&app, crawl.id) => {
            return Ok(app.store.end_crawl(crawl.id, CrawlState::Cancelled, None, app.runtime.now())?);
        }
    };
    match begun {
        Ok(crawler) => {
            let settings = crawler.people.clone();
            let ended = Arc::new(crawler).run(crawl.id).await?;
            if followed_by_people(&settings, &ended) {
                queue(&app, connector.id, (Scope::People, None), &ended.started_by)?;
            }
            if crawl.scope == Scope::Events {
                let at = Arc::clone(&app);
                app.runtime.blocking(move || at.store.fold_crawl_of_hints(crawl.id)).await?;
            }
            Ok(())
        }
        Err(error) if passes(&error) => Err(error),
        Err(error) => {
            let reason = error.to_string();
            app.store.end_crawl(crawl.id, CrawlState::Failed, Some(&reason), app.runtime.now())?;
            Err(error)
        }
    }
}

async fn until_cancelled(app: &App, id: CrawlId) {
    loop {
        app.runtime.sleep(TICK).await;
        if app
            .store
            .load_crawl(id)
            .is_ok_and(|crawl| crawl.is_some_and(|one| one.state == CrawlState::Cancelling))
        {
            return;
        }
    }
}

/// Whether a crawl that cannot begin may begin later without anybody doing something.
fn passes(error: &OpsError) -> bool {
    match error {
        OpsError::Notion { source, .. } => matches!(
            source.class(),
            Class::Network(_)
                | Class::Unavailable { .. }
                | Class::Overloaded { .. }
                | Class::RateLimited { .. }
                | Class::EdgeBlocked
                | Class::RequestBlocked
                | Class::Protocol
        ),
        OpsError::Store(_) | OpsError::Io { .. } => true,
        _ => false,
    }
}

/// Forgets crawls that are older than the history is long, and events that do not come again.
pub(super) fn forget_old(app: &App) -> Result<(), OpsError> {
    let days = i64::try_from(app.config.crawl.history_days).unwrap_or(i64::MAX);
    if let Ok(before) = app.runtime.now().checked_sub(SignedDuration::from_hours(days.saturating_mul(24))) {
        app.store.prune_crawls(before)?;
    }
    app.store.prune_events(app.runtime.now())?;
    Ok(())
}

/// Queues a full crawl of each active connector that has not been listed whole since the rule says it should have been.
fn queue_reconciling(app: &App) -> Result<(), OpsError> {
    let Some((rule, zone)) = app.config.crawl.reconciling() else { return Ok(()) };
    for connector in app.store.load_connectors()?.into_iter().filter(|one| one.active) {
        if !rests(&newest(app, &connector)?) {
            continue;
        }
        let Some(last) = app.store.load_last_listing(connector.id)? else { continue };
        let since = last.ended.unwrap_or(last.created);
        if rule.next_after(since, since, &zone).is_some_and(|due| due <= app.runtime.now()) {
            queue(app, connector.id, (Scope::Full, None), RECONCILIATION)?;
        }
    }
    Ok(())
}

/// Queues a crawl of each active connector whose last one ended too long ago.
fn queue_stale(app: &App) -> Result<(), OpsError> {
    let every = app.config.crawl.freshness_minutes;
    if every == 0 {
        return Ok(());
    }
    for connector in app.store.load_connectors()?.into_iter().filter(|one| one.active) {
        let last = newest(app, &connector)?;
        if stale_from(&last, every).is_some_and(|stale| stale <= app.runtime.now()) {
            let scope = scope_by_itself(app, &connector)?;
            queue(app, connector.id, (scope, None), FRESHNESS)?;
        }
    }
    Ok(())
}

/// When the connector is crawled next although nobody asks for it, while somebody serves: by a schedule, or to stay fresh.
pub(super) fn next_crawl(app: &App, connector: &Connector) -> Result<Option<Timestamp>, OpsError> {
    if !connector.active {
        return Ok(None);
    }
    let schedules = app.store.load_schedules()?;
    let scheduled = schedules.iter().filter(|one| one.connector == connector.id && !one.paused);
    let scheduled = scheduled.filter_map(|one| one.next).min();
    let stale = match app.config.crawl.freshness_minutes {
        0 => None,
        every => stale_from(&newest(app, connector)?, every),
    };
    Ok(scheduled.into_iter().chain(stale).min())
}

/// Queues a crawl of each active connector that hints wait for, unless one is under way that takes them up itself. Not before
/// the connector was crawled, and not for some time after a crawl of it failed: what is missed then is listed later. Returns
/// in which time the next hint is due.
fn queue_hinted(app: &App) -> Result<Option<Duration>, OpsError> {
    let now = app.runtime.now();
    let (hinted, next) = app.store.load_hinted(now)?;
    if !hinted.is_empty() {
        let open = app.store.load_open_crawls()?;
        for id in hinted {
            let Some(connector) = app.store.load_connector_by_id(id)? else { continue };
            let taken_up = open
                .iter()
                .filter(|one| one.connector == id && one.scope != Scope::People)
                .any(|one| one.scope == Scope::Events || one.started.is_some());
            let is_ready = connector.active && app.store.load_watermark(id)?.is_some();
            let failed = app.store.load_last_crawl(id)?.filter(|one| one.state == CrawlState::Failed);
            let is_resting = failed.and_then(|one| one.ended).is_some_and(|ended| now < ended + REST);
            if !taken_up && is_ready && !is_resting {
                app.store.add_crawl(id, Scope::Events, WEBHOOK, now)?;
            }
        }
    }
    Ok(next.map(|next| Duration::try_from(next.duration_since(now)).unwrap_or_default()))
}

/// The newest crawls of a connector, plans that wait and crawls of hints aside.
fn newest(app: &App, connector: &Connector) -> Result<Vec<Crawl>, OpsError> {
    let mut last = app.store.load_listing_crawls(connector.id, LOOK_BACK)?;
    last.retain(|crawl| crawl.state != CrawlState::Planned);
    Ok(last)
}

/// Whether a connector with these newest crawls, newest first, may be crawled without anybody asking. Not before its first crawl
/// (its settings may not be finished), while one is under way, or while one awaits approval, which a newer one would void.
fn rests(last: &[Crawl]) -> bool {
    let was_crawled = last.iter().any(|crawl| crawl.state != CrawlState::Cancelled);
    let waits = |crawl: &Crawl| crawl.state.is_open() || crawl.state == CrawlState::AwaitingApproval;
    was_crawled && last.first().is_some_and(|newest| !waits(newest))
}

/// When a connector is no longer fresh, from its newest crawls, newest first. After failures the wait doubles, up to 64 times.
fn stale_from(last: &[Crawl], every_minutes: u64) -> Option<Timestamp> {
    let newest = last.first().filter(|_| rests(last))?;
    let failures = last.iter().take_while(|crawl| crawl.state == CrawlState::Failed).count();
    let minutes = every_minutes << failures.min(6);
    let wait = SignedDuration::from_mins(i64::try_from(minutes).ok()?);
    newest.ended?.checked_add(wait).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Counters, Phase, UserCounters};

    fn crawl(state: CrawlState, ended: i64) -> Crawl {
        Crawl {
            id: CrawlId(1),
            connector: ConnectorId(1),
            scope: Scope::Full,
            name: None,
            start_point: None,
            start_point_title: None,
            state,
            phase: Phase::Settle,
            started_by: "a test".to_owned(),
            schedule: None,
            created: Timestamp::UNIX_EPOCH,
            started: None,
            ended: (!state.is_open()).then(|| Timestamp::from_second(ended).unwrap()),
            reason: None,
            incomplete: false,
            unended: false,
            resumed: 0,
            active_ms: 0,
            plan_only: false,
            planned: None,
            counters: Counters::default(),
            users: UserCounters::default(),
        }
    }

    #[test]
    fn a_connector_is_stale_some_minutes_after_its_last_crawl_and_later_after_failures() {
        use CrawlState::{
            AwaitingApproval, Cancelled, Completed, CompletedWithErrors, Failed, InProgress, Queued,
        };
        let stale = |states: &[CrawlState]| {
            let last: Vec<Crawl> = states.iter().map(|state| crawl(*state, 1_000)).collect();
            stale_from(&last, 10).map(|at| (at.as_second() - 1_000) / 60)
        };
        assert_eq!(stale(&[]), None);
        assert_eq!(stale(&[Completed]), Some(10));
        assert_eq!(stale(&[CompletedWithErrors, Failed]), Some(10));
        assert_eq!(stale(&[Cancelled]), None);
        assert_eq!(stale(&[Cancelled, Completed]), Some(10));
        assert_eq!(stale(&[Failed, Completed]), Some(20));
        assert_eq!(stale(&[Failed; 9]), Some(640));
        for held in [Queued, InProgress, AwaitingApproval] {
            assert_eq!(stale(&[held, Completed]), None, "{held}");
        }
    }
}
