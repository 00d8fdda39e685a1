//! Tasks that wait for their turn. All decisions are [`Pace`]'s; here is the queue, and the clock.
//!
//! Whoever waits may be dropped at any time, and so may a pass: neither loses a turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::Priority;
use super::pace::{Pace, PaceSettings, PaceSnapshot, Ticket, Turn};

/// Longest pause of a single endpoint that is believed, and the one that is made up when Notion does not say.
const ENDPOINT_PAUSE_AT_MOST: Duration = Duration::from_secs(600);
const ENDPOINT_PAUSE: Duration = Duration::from_secs(5);
/// Pause after a 529 that does not say how long.
const OVERLOAD_PAUSE: Duration = Duration::from_secs(2);
const OVERLOAD_PAUSE_AT_MOST: Duration = Duration::from_secs(600);

/// The requests of one integration, or of one workspace.
#[derive(Debug)]
pub struct Budget {
    origin: Instant,
    state: Mutex<State>,
    /// The time to look again has changed.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    queue: BTreeMap<Place, Waiter>,
    next: u64,
    endpoint_pauses: BTreeMap<&'static str, Duration>,
    /// When a look at the queue may find more than now.
    look_again: Option<Duration>,
}

/// Who comes first: the more urgent, then the one who came first.
type Place = (Priority, u64);

#[derive(Debug)]
struct Waiter {
    endpoint: &'static str,
    turn: oneshot::Sender<Pass>,
}

/// Where a budget stands, for metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetSnapshot {
    /// Counts and the window.
    pub pace: PaceSnapshot,
    /// Requests that wait for their turn.
    pub waiting: usize,
    /// How long nothing goes out.
    pub paused_for: Option<Duration>,
}

impl Budget {
    pub(super) fn new(settings: PaceSettings) -> Arc<Self> {
        let state = State {
            pace: Pace::new(settings),
            queue: BTreeMap::new(),
            next: 0,
            endpoint_pauses: BTreeMap::new(),
            look_again: None,
        };
        Arc::new(Self { origin: Instant::now(), state: Mutex::new(state), changed: Notify::new() })
    }

    fn now(&self) -> Duration {
        Instant::now().duration_since(self.origin)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the budget stands.
    #[must_use]
    pub fn snapshot(&self) -> BudgetSnapshot {
        let now = self.now();
        let state = self.lock();
        let pace = state.pace.snapshot(now);
        BudgetSnapshot {
            pace,
            waiting: state.queue.len(),
            paused_for: pace.paused_until.map(|until| until.saturating_sub(now)),
        }
    }

    /// Waits for a turn.
    pub(super) async fn acquire(self: &Arc<Self>, priority: Priority, endpoint: &'static str) -> Pass {
        let mut waiting = self.queue_up(priority, endpoint);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let look_again = self.lock().look_again;
            let alarm = async {
                match look_again {
                    Some(at) => tokio::time::sleep_until(self.origin + at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                pass = &mut waiting.turn => if let Ok(mut pass) = pass {
                    pass.delivered = true;
                    return pass;
                },
                () = &mut changed => {}
                () = alarm => self.look(&mut self.lock()),
            }
        }
    }

    /// A turn, if there is one now and nobody waits for it.
    pub(super) fn try_acquire(self: &Arc<Self>, priority: Priority, endpoint: &'static str) -> Option<Pass> {
        let now = self.now();
        let mut state = self.lock();
        let paused = state.endpoint_pauses.get(endpoint).is_some_and(|until| now < *until);
        if paused || !state.queue.is_empty() {
            return None;
        }
        match state.pace.turn(now, priority) {
            Turn::Now(ticket) => {
                Some(Pass { budget: Arc::clone(self), ticket: Some(ticket), delivered: true })
            }
            Turn::Later(_) => None,
        }
    }

    fn queue_up(self: &Arc<Self>, priority: Priority, endpoint: &'static str) -> Waiting {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        let place = (priority, state.next);
        state.next += 1;
        state.queue.insert(place, Waiter { endpoint, turn: sender });
        self.look(&mut state);
        Waiting { budget: Arc::clone(self), place, turn: receiver }
    }

    /// Gives turns to those who wait, as many as there are.
    fn look(self: &Arc<Self>, state: &mut State) {
        let now = self.now();
        state.endpoint_pauses.retain(|_, until| now < *until);
        let look_again = loop {
            let pauses = &state.endpoint_pauses;
            let next = state.queue.iter().find(|(_, waiter)| !pauses.contains_key(waiter.endpoint));
            let Some((&place, _)) = next else { break pauses.values().min().copied() };
            let ticket = match state.pace.turn(now, place.0) {
                Turn::Now(ticket) => ticket,
                Turn::Later(at) => break at.into_iter().chain(pauses.values().copied()).min(),
            };
            let Some(waiter) = state.queue.remove(&place) else { break None };
            let pass = Pass { budget: Arc::clone(self), ticket: Some(ticket), delivered: false };
            if let Err(mut pass) = waiter.turn.send(pass) {
                // Taken back here, since dropping it would lock once more.
                pass.ticket = None;
                state.pace.unsent(ticket);
            }
        };
        if state.look_again != look_again {
            state.look_again = look_again;
            self.changed.notify_waiters();
        }
    }

    fn settle(self: &Arc<Self>, settle: impl FnOnce(&mut State, Duration)) {
        let now = self.now();
        let mut state = self.lock();
        settle(&mut state, now);
        self.look(&mut state);
    }
}

/// A place in the queue, given up when dropped.
struct Waiting {
    budget: Arc<Budget>,
    place: Place,
    turn: oneshot::Receiver<Pass>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.budget.lock().queue.remove(&self.place);
    }
}

/// Leave of one budget to send one request.
#[derive(Debug)]
pub(super) struct Pass {
    budget: Arc<Budget>,
    ticket: Option<Ticket>,
    /// Whether the one who waited has it; until then nothing was sent.
    delivered: bool,
}

impl Pass {
    pub(super) fn granted(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.budget.settle(|state, now| state.pace.granted(ticket, now));
        }
    }

    pub(super) fn refused(mut self, retry_after: Option<Duration>) {
        if let Some(ticket) = self.ticket.take() {
            self.budget.settle(|state, now| state.pace.refused(ticket, now, retry_after));
        }
    }

    pub(super) fn refused_by_endpoint(mut self, endpoint: &'static str, retry_after: Option<Duration>) {
        if let Some(ticket) = self.ticket.take() {
            let wait = retry_after.unwrap_or(ENDPOINT_PAUSE).min(ENDPOINT_PAUSE_AT_MOST);
            self.budget.settle(|state, now| {
                state.pace.unsent(ticket);
                let until = state.endpoint_pauses.entry(endpoint).or_default();
                *until = (*until).max(now + wait);
            });
        }
    }

    pub(super) fn overloaded(mut self, retry_after: Option<Duration>) {
        if let Some(ticket) = self.ticket.take() {
            let wait = retry_after.unwrap_or(OVERLOAD_PAUSE).min(OVERLOAD_PAUSE_AT_MOST);
            self.budget.settle(|state, now| {
                state.pace.unknown(ticket, now);
                state.pace.hold(now + wait);
            });
        }
    }

    pub(super) fn unsent(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.budget.settle(|state, _| state.pace.unsent(ticket));
        }
    }

    /// Whether the pass, not used since it was given, still holds.
    pub(super) fn renew(&self) -> bool {
        let now = self.budget.now();
        self.ticket.is_some_and(|ticket| self.budget.lock().pace.renew(ticket, now))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let delivered = self.delivered;
            self.budget.settle(|state, now| {
                if delivered { state.pace.unknown(ticket, now) } else { state.pace.unsent(ticket) }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{BudgetSettings, Budgets, Pacing};
    use crate::error::LimitReason;
    use uuid::Uuid;

    const SECOND: Duration = Duration::from_secs(1);

    fn pacing(max_in_flight: usize) -> Pacing {
        Budgets::new(BudgetSettings { max_in_flight }).pacing(Uuid::from_u128(1), Some(Uuid::from_u128(2)))
    }

    /// Whether `future` is not done after everything that can happen now has happened.
    async fn waits<T>(future: &mut (impl Future<Output = T> + Unpin)) -> bool {
        tokio::time::timeout(Duration::from_millis(1), future).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_set_number_are_in_flight() {
        let pacing = pacing(2);
        let first = pacing.acquire(Priority::Crawl, "search").await;
        let second = pacing.acquire(Priority::Crawl, "search").await;
        let mut third = Box::pin(pacing.acquire(Priority::Crawl, "search"));
        assert!(waits(&mut third).await);
        first.granted();
        let third = third.await;
        drop(second);
        third.unsent();
        assert_eq!(pacing.integration().snapshot().pace.in_flight, 0);
        assert_eq!(pacing.workspace().unwrap().snapshot().pace.in_flight, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_go_to_the_more_urgent_and_then_to_the_earlier() {
        let pacing = pacing(1);
        let held = pacing.acquire(Priority::Crawl, "search").await;
        let order = Mutex::new(Vec::new());
        let one = |name: &'static str, priority| {
            let (pacing, order) = (&pacing, &order);
            async move {
                let permit = pacing.acquire(priority, "search").await;
                order.lock().unwrap().push(name);
                permit.granted();
            }
        };
        let all = futures::future::join_all([
            one("first page", Priority::Crawl),
            one("second page", Priority::Crawl),
            one("webhook", Priority::Fresh),
            one("person", Priority::Interactive),
        ]);
        let release = async {
            tokio::time::sleep(SECOND).await;
            held.granted();
        };
        futures::future::join(all, release).await;
        assert_eq!(*order.lock().unwrap(), ["person", "webhook", "first page", "second page"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_makes_all_wait_for_one_instant() {
        let pacing = pacing(4);
        pacing.acquire(Priority::Crawl, "search").await.granted();
        let start = Instant::now();
        let wait = Some(7 * SECOND);
        pacing.acquire(Priority::Crawl, "search").await.refused(wait, Some(&LimitReason::Integration));
        let waiters = (0..3).map(|_| pacing.acquire(Priority::Crawl, "search"));
        let first = futures::future::select_all(waiters.map(Box::pin)).await;
        assert_eq!(start.elapsed().as_secs(), 7);
        assert!(start.elapsed() < 7 * SECOND + Duration::from_millis(10));
        drop(first);
        assert_eq!(pacing.integration().snapshot().waiting, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_dropped_while_it_waits_or_holds_a_turn_leaks_nothing() {
        let pacing = pacing(1);
        let held = pacing.acquire(Priority::Crawl, "search").await;
        let mut given_up = Box::pin(pacing.acquire(Priority::Crawl, "search"));
        assert!(waits(&mut given_up).await);
        let mut given = Box::pin(pacing.acquire(Priority::Crawl, "search"));
        assert!(waits(&mut given).await);
        drop(given_up);
        // The turn is given to a task that is dropped before it takes it.
        held.granted();
        drop(given);
        let snapshot = pacing.integration().snapshot();
        assert_eq!((snapshot.pace.in_flight, snapshot.waiting, snapshot.pace.spent), (0, 0, 1));
        pacing.acquire(Priority::Crawl, "search").await.granted();
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_one_endpoint_leaves_the_others_alone() {
        let pacing = pacing(4);
        let permit = pacing.acquire(Priority::Crawl, "search").await;
        permit.refused(Some(30 * SECOND), Some(&LimitReason::Endpoint));
        let start = Instant::now();
        let mut search = Box::pin(pacing.acquire(Priority::Crawl, "search"));
        assert!(waits(&mut search).await);
        pacing.acquire(Priority::Crawl, "pages/{id}").await.granted();
        search.await.granted();
        assert_eq!(start.elapsed().as_secs(), 30);
        assert_eq!(pacing.integration().snapshot().pace.sure, None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_of_a_workspace_stops_all_of_its_integrations() {
        let budgets = Budgets::new(BudgetSettings::default());
        let workspace = Some(Uuid::from_u128(9));
        let one = budgets.pacing(Uuid::from_u128(1), workspace);
        let other = budgets.pacing(Uuid::from_u128(2), workspace);
        one.acquire(Priority::Crawl, "search").await.granted();
        let start = Instant::now();
        one.acquire(Priority::Crawl, "search")
            .await
            .refused(Some(90 * SECOND), Some(&LimitReason::Workspace));
        let mut waiting = Box::pin(other.acquire(Priority::Crawl, "search"));
        assert!(waits(&mut waiting).await);
        assert_eq!(other.integration().snapshot().pace.in_flight, 0);
        waiting.await.granted();
        assert_eq!(start.elapsed().as_secs(), 90);
    }

    #[tokio::test(start_paused = true)]
    async fn an_overload_holds_everything_and_teaches_nothing() {
        let pacing = pacing(4);
        pacing.acquire(Priority::Crawl, "search").await.overloaded(Some(3 * SECOND));
        let start = Instant::now();
        pacing.acquire(Priority::Crawl, "pages/{id}").await.granted();
        assert_eq!(start.elapsed().as_secs(), 3);
        assert_eq!(pacing.integration().snapshot().pace.sure, None);
    }

    /// A fixed window, as [`crate::budget`] describes it, and tasks that want as much as they can get.
    #[tokio::test(start_paused = true)]
    async fn many_tasks_spend_each_window_whole_and_are_refused_once() {
        const LIMIT: u64 = 120;
        let pacing = pacing(10);
        let start = Instant::now();
        let windows = Mutex::new(vec![(0_u64, 0_u64)]);
        let window_end = Mutex::new(None);
        let admit = || {
            let now = start.elapsed();
            let mut end = window_end.lock().unwrap();
            let mut windows = windows.lock().unwrap();
            if end.is_some_and(|end| now >= end) {
                windows.push((0, 0));
                *end = None;
            }
            let left = end.get_or_insert(now + 4 * SECOND).saturating_sub(now);
            let seen = windows.last_mut().unwrap();
            if seen.0 < LIMIT {
                seen.0 += 1;
                return None;
            }
            seen.1 += 1;
            Some(Duration::from_secs(left.as_millis().div_ceil(1000).try_into().unwrap()))
        };
        let task = |number: u64| {
            let (pacing, admit) = (&pacing, &admit);
            async move {
                while start.elapsed() < 40 * SECOND {
                    let permit = pacing.acquire(Priority::Crawl, "pages/{id}").await;
                    tokio::time::sleep(Duration::from_millis(5 + number % 7)).await;
                    let outcome = admit();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    match outcome {
                        None => permit.granted(),
                        Some(wait) => permit.refused(Some(wait), None),
                    }
                }
            }
        };
        futures::future::join_all((0..25).map(task)).await;
        let windows = windows.lock().unwrap();
        assert!(windows.len() >= 8 && windows[0].1 <= 10, "{windows:?}");
        for seen in &windows[1..windows.len() - 1] {
            assert_eq!(*seen, (LIMIT, 1), "{windows:?}");
        }
    }
}
