//! When the next request may go out. Pure: takes the time, returns values; knows no tasks and no network.
//!
//! Notion admits N requests in a fixed window of W seconds, says neither number, and answers the rest with 429 and
//! the whole seconds until the window ends, rounded up (developers.notion.com "request-limits"). Whether windows
//! follow the clock or begin with the first request after the last one ended is not said either; nothing here
//! depends on it.
//!
//! What is kept:
//!
//! * `sure`, a number of requests that fits in a window. Nothing until the first refusal: then everything goes out.
//! * the requests spent since the last reset, each forgotten once it is older than a window can be. So a crawl that
//!   is slower than the limit is never held back.
//!
//! While fewer than `sure` are spent, requests go out side by side. From there on one at a time, each after the
//! answer of the one before, until one is refused: its `Retry-After` says when all go on. So, if `sure` is not above
//! N, a window sees at most one refusal and all of its N requests, whatever W is.
//!
//! When a refusal ends a window that is known to have been the only one since the last reset, what it granted is N,
//! and becomes `sure`. The first refusal proves less: the requests before it may lie in two windows. From that number
//! as many are taken off as can be sent one at a time in a part of what is left, so that the second window proves it.
//!
//! A window may end just when it is spent, and a next one begin unnoticed: the waits before it are rounded up, so it
//! may have begun to be spent a second late. When, no sooner than a window can have ended, more was granted than the
//! window of the last refusal can have held, and a little that others may have spent in it, a reset lay between, and
//! requests go out side by side again. That the window which ended was all but spent is likely, not proven; it is
//! assumed only of a spending as fast as the limit, and a few times in a row.
//!
//! The bulk leaves a [`RESERVE_PART`] of what fits to what is more urgent, until the window is about to end; then it
//! spends that as well. A crawl at full speed spends a minute's requests in a few seconds, and whoever came after it
//! would wait for the rest of the minute.
//!
//! A limit that is raised is found by the requests sent one at a time, and, when these do not get there, by trying a
//! quarter more after some windows without a refusal.
//!
//! What no reckoning can avoid: refusals of what is in flight when the limit is met for the first time; when it is
//! lowered, or tried anew; when another process spends with the same secret, or had spent more than a little in the
//! window of the last refusal; and, if requests are too slow to be sent one at a time, once more at the second
//! refusal, when the requests before the first lay in two windows, some of them perhaps in flight while the first
//! window ended.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Priority;

/// `Retry-After` is rounded up to this.
const ROUNDING: Duration = Duration::from_secs(1);
/// Added to the end of a pause, for timers that fire a moment early.
const GUARD: Duration = Duration::from_millis(5);
/// A refusal is quick. A request without an answer for this long was admitted.
const REFUSED_WITHIN: Duration = Duration::from_secs(3);
/// Shortest window that is reckoned with. Notion's is a minute; scaled ones in tests have two seconds or more.
const SHORTEST_WINDOW: Duration = Duration::from_secs(2);
/// Longest pause that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Pauses after refusals that do not say how long; each doubles the one before.
const BLIND_PAUSE: Duration = Duration::from_secs(1);
const BLIND_PAUSE_AT_MOST: Duration = Duration::from_secs(60);
/// Spent requests within this span are forgotten together.
const GRAIN: Duration = Duration::from_millis(10);
/// The part of a window that may go into sending one at a time after a first refusal.
const CAREFUL_PART: f64 = 0.4;
/// This many requests, and this part of what fits, may be granted beyond it before a window is taken to have ended
/// unnoticed: another process may have spent as many in the window that taught the number.
const SLACK: u64 = 2;
const SLACK_PART: u64 = 100;
/// A window that ended unnoticed is taken to lack no more than this part of what fits.
const SHORT_PART: u64 = 33;
/// So often in a row; then the limit may have been raised.
const ROLLED_AT_MOST: u32 = 3;
/// A window is spent at full speed within this many times its least length, or more slowly than this speaks of.
const ROLLED_WITHIN: u32 = 2;

/// One in so many of the requests that fit is kept for what is more urgent than the bulk: 12 of 180, enough for the
/// pages of some events and for a person who asks.
const RESERVE_PART: u64 = 15;
/// Nothing is kept in windows shorter than this: waiting for the next one is soon over.
const RESERVE_FROM: Duration = Duration::from_secs(10);
/// Before the window can end, the bulk has this long to spend what was kept and to meet the limit; and this part of
/// the window, and so many times the slowest answer of late, more.
const RESERVE_RELEASE: Duration = Duration::from_secs(2);
const RESERVE_RELEASE_PART: u32 = 20;
const RESERVE_RELEASE_ANSWERS: u32 = 3;

/// What a [`Pace`] is told once.
#[derive(Debug, Clone, Copy)]
pub struct PaceSettings {
    /// Most requests without an answer at a time.
    pub max_in_flight: usize,
    /// Longest window to reckon with until refusals tell more.
    pub window_at_most: Duration,
}

/// A request that was let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    id: u64,
    epoch: u64,
}

/// Whether a request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Now, with this ticket.
    Now(Ticket),
    /// Not before an answer comes, or this time, if there is one.
    Later(Option<Duration>),
}

/// Two times between which something happens; in each case later than the first and no later than the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Between {
    from: Duration,
    to: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Pause {
    /// Until the window has ended for sure.
    Reset(Between),
    /// Until it is worth asking again.
    Blind(Duration),
}

#[derive(Debug, Clone, Copy)]
struct Outstanding {
    epoch: u64,
    sent: Duration,
}

/// Requests answered within a [`GRAIN`].
#[derive(Debug, Clone, Copy)]
struct Spent {
    first: Duration,
    last: Duration,
    granted: u64,
    unknown: u64,
}

/// Where a pace stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaceSnapshot {
    /// Requests granted so far.
    pub granted: u64,
    /// Requests refused so far.
    pub refused: u64,
    /// Requests without an answer.
    pub in_flight: usize,
    /// Requests that are known to fit in a window; nothing before the first refusal.
    pub sure: Option<u64>,
    /// Requests that may count in the current window.
    pub spent: u64,
    /// How often `sure` was raised without proof.
    pub tried_more: u64,
    /// Until when nothing goes out.
    pub paused_until: Option<Duration>,
    /// The window is no shorter.
    pub window_at_least: Duration,
    /// The window is no longer.
    pub window_at_most: Duration,
}

/// Decides when requests go out. See the head of the module.
#[derive(Debug)]
pub struct Pace {
    settings: PaceSettings,
    next_id: u64,
    outstanding: BTreeMap<u64, Outstanding>,
    /// Counts resets; a ticket belongs to the one it was sent after.
    epoch: u64,
    /// The reset that began the epoch, if it is known.
    reset_before: Option<Between>,
    /// Grants of the epoch, forgotten ones included.
    epoch_granted: u64,
    /// When the first of them was answered.
    epoch_first: Option<Duration>,
    /// Refusals of the epoch.
    epoch_refused: u64,
    spent: VecDeque<Spent>,
    spent_sum: u64,
    sure: Option<u64>,
    pause: Option<Pause>,
    /// After a blind pause: one at a time until one is granted.
    blind: bool,
    blind_pauses: u32,
    held_until: Duration,
    window: Between,
    /// What was granted before the first refusal.
    first_granted: u64,
    /// What the window before the last refusal can have held: no more than that fits, but for what others spent in it.
    fits_at_most: Option<u64>,
    /// Epochs begun without a refusal since the last one.
    rolled_over: u32,
    /// When the epoch began, or `sure` was last raised without proof.
    tried_more_at: Duration,
    tried_more: u64,
    /// From the first grant of the last window to its end: no window is shorter, and the wait of a refusal tells less.
    lasts_at_least: Duration,
    /// Whether the window before the last reset held just `sure`.
    confirmed: bool,
    /// Whether two resets in a row have bounded the window.
    window_learned: bool,
    quickest: Option<Duration>,
    /// The slowest answer to a request of this epoch, and of the one before.
    epoch_slowest: Duration,
    slowest: Duration,
    granted: u64,
    refused: u64,
}

impl Pace {
    /// A pace that knows no limit yet.
    #[must_use]
    pub fn new(settings: PaceSettings) -> Self {
        Self {
            settings,
            next_id: 0,
            outstanding: BTreeMap::new(),
            epoch: 0,
            reset_before: None,
            epoch_granted: 0,
            epoch_first: None,
            epoch_refused: 0,
            spent: VecDeque::new(),
            spent_sum: 0,
            sure: None,
            pause: None,
            blind: false,
            blind_pauses: 0,
            held_until: Duration::ZERO,
            window: Between { from: SHORTEST_WINDOW, to: settings.window_at_most.max(SHORTEST_WINDOW) },
            first_granted: 0,
            fits_at_most: None,
            rolled_over: 0,
            tried_more_at: Duration::ZERO,
            tried_more: 0,
            lasts_at_least: Duration::ZERO,
            confirmed: false,
            window_learned: false,
            quickest: None,
            epoch_slowest: Duration::ZERO,
            slowest: Duration::ZERO,
            granted: 0,
            refused: 0,
        }
    }

    /// Lets one request go, if it is time.
    pub fn turn(&mut self, now: Duration, priority: Priority) -> Turn {
        if now < self.held_until {
            return Turn::Later(Some(self.held_until));
        }
        match self.pause {
            Some(Pause::Reset(reset)) if now < reset.to => return Turn::Later(Some(reset.to)),
            Some(Pause::Blind(until)) if now < until => return Turn::Later(Some(until)),
            Some(Pause::Reset(reset)) => self.begin_epoch(reset, now),
            Some(Pause::Blind(_)) => {
                self.pause = None;
                self.blind = true;
            }
            None => {}
        }
        if self.outstanding.len() >= self.settings.max_in_flight.max(1) {
            return Turn::Later(None);
        }
        if let Some(later) = self.full(now) {
            return later;
        }
        if let Some(release) = self.reserved(now, priority) {
            return Turn::Later(Some(release));
        }
        let ticket = Ticket { id: self.next_id, epoch: self.epoch };
        self.next_id += 1;
        self.outstanding.insert(ticket.id, Outstanding { epoch: self.epoch, sent: now });
        Turn::Now(ticket)
    }

    /// Nothing while another request may go out; else when to look again.
    fn full(&mut self, now: Duration) -> Option<Turn> {
        let mut at_once = 1;
        let mut forgotten = None;
        if !self.blind {
            let sure = self.sure?;
            self.forget(now);
            let spent = self.spent_or_outstanding();
            if spent < sure {
                return None;
            }
            if !self.window_learned {
                // The first refusal may have come early, in a window that others had spent. The further its number
                // is behind, the less it is believed.
                at_once = (spent / self.first_granted.max(1)).max(1);
            }
            forgotten = self.spent.front().map(|oldest| oldest.last + self.window.to + GUARD);
        }
        let young =
            self.outstanding.values().map(|one| one.sent + REFUSED_WITHIN).filter(|admitted| now < *admitted);
        if (young.clone().count() as u64) < at_once {
            return None;
        }
        let admitted = young.min()?;
        if !self.blind && self.try_more(now) {
            return None;
        }
        Some(Turn::Later(Some(forgotten.map_or(admitted, |forgotten| forgotten.min(admitted)))))
    }

    /// When the bulk may go on, if what is left of the window is kept from it now. Nothing is kept of a number that is
    /// not known to be the limit: trying more takes the time.
    fn reserved(&self, now: Duration, priority: Priority) -> Option<Duration> {
        let (Priority::Crawl, Some(sure), Some(before), true) =
            (priority, self.sure, self.reset_before, self.confirmed)
        else {
            return None;
        };
        let lasts = self.window.from.max(self.lasts_at_least);
        let held_back = self.spent_or_outstanding() + sure / RESERVE_PART >= sure;
        if self.blind || !held_back || lasts < RESERVE_FROM {
            return None;
        }
        // The limit must be met, as always: that tells when the next window begins.
        let ends = before.from + lasts;
        let answers = RESERVE_RELEASE_ANSWERS * self.slowest.max(self.epoch_slowest);
        let release = ends.saturating_sub(RESERVE_RELEASE + lasts / RESERVE_RELEASE_PART + answers);
        (now < release).then_some(release)
    }

    /// Raises `sure` when it has held requests back for some windows without a refusal. Without this, a limit that was
    /// raised would never be met again, and so never be known.
    fn try_more(&mut self, now: Duration) -> bool {
        let tight = self.window.to.as_secs_f64() <= 1.25 * self.window.from.as_secs_f64();
        let windows = if tight { 2 } else { 8 };
        let due = now >= self.tried_more_at + windows * self.window.to;
        if let (true, Some(sure)) = (due, self.sure) {
            self.tried_more_at = now;
            self.tried_more += 1;
            self.sure = Some(sure + (sure / 4).max(1));
        }
        due
    }

    fn spent_or_outstanding(&self) -> u64 {
        self.spent_sum + self.outstanding_in_window()
    }

    /// Requests without an answer that may count in the window that the epoch began with, or in a later one.
    fn outstanding_in_window(&self) -> u64 {
        let counts = |one: &&Outstanding| one.epoch == self.epoch || self.admitted_after_reset(one.sent);
        self.outstanding.values().filter(counts).count() as u64
    }

    /// Whether a request sent before the last reset may have been admitted after it.
    fn admitted_after_reset(&self, sent: Duration) -> bool {
        self.reset_before.is_none_or(|reset| sent + REFUSED_WITHIN > reset.from)
    }

    /// Forgets what is too old to count in any window that has not ended.
    fn forget(&mut self, now: Duration) {
        while let Some(oldest) = self.spent.front().filter(|oldest| oldest.last + self.window.to < now) {
            self.spent_sum -= oldest.granted + oldest.unknown;
            self.spent.pop_front();
        }
    }

    /// The request was answered, with whatever status but 429: it counts.
    pub fn granted(&mut self, ticket: Ticket, now: Duration) {
        let Some(request) = self.outstanding.remove(&ticket.id) else { return };
        let took = now.saturating_sub(request.sent);
        self.quickest = Some(self.quickest.map_or(took, |quickest| quickest.min(took)));
        self.epoch_slowest = self.epoch_slowest.max(took);
        self.granted += 1;
        self.blind_pauses = 0;
        if ticket.epoch != self.epoch {
            self.spend_late(request.sent, now);
            return;
        }
        if self.blind {
            self.conclude(None);
            self.open_epoch(None, now);
        }
        self.epoch_granted += 1;
        self.epoch_first.get_or_insert(now);
        self.spend(now, true);
        self.grow(now);
        self.roll_over(now);
    }

    /// Nobody knows what became of the request: it may count.
    pub fn unknown(&mut self, ticket: Ticket, now: Duration) {
        match self.outstanding.remove(&ticket.id) {
            Some(_) if ticket.epoch == self.epoch => self.spend(now, false),
            Some(request) => self.spend_late(request.sent, now),
            None => {}
        }
    }

    /// Accounts for a request that was sent before the last reset and answered after it.
    fn spend_late(&mut self, sent: Duration, now: Duration) {
        if self.admitted_after_reset(sent) {
            self.spend(now, false);
        }
    }

    /// The request never left, or does not count for another reason.
    pub fn unsent(&mut self, ticket: Ticket) {
        self.outstanding.remove(&ticket.id);
    }

    /// Moves a ticket that was not used yet to `now`; false if it would not be given any more.
    pub fn renew(&mut self, ticket: Ticket, now: Duration) -> bool {
        let open = self.pause.is_none() && now >= self.held_until && ticket.epoch == self.epoch;
        match self.outstanding.get_mut(&ticket.id) {
            Some(request) if open => {
                request.sent = now;
                true
            }
            _ => false,
        }
    }

    /// The request met the limit. It does not count, and all others wait as long as it was told to.
    pub fn refused(&mut self, ticket: Ticket, now: Duration, retry_after: Option<Duration>) {
        let Some(request) = self.outstanding.remove(&ticket.id) else { return };
        self.refused += 1;
        let Some(wait) = retry_after.map(|wait| wait.min(LONGEST_PAUSE)) else {
            if self.pause.is_none() && ticket.epoch == self.epoch {
                let wait =
                    BLIND_PAUSE.saturating_mul(1 << self.blind_pauses.min(16)).min(BLIND_PAUSE_AT_MOST);
                self.blind_pauses += 1;
                self.pause = Some(Pause::Blind(now + wait));
            }
            return;
        };
        let reset = Between { from: (request.sent + wait).saturating_sub(ROUNDING), to: now + wait + GUARD };
        let passed = self.reset_before.is_some_and(|before| reset.from <= before.to);
        if ticket.epoch != self.epoch && passed {
            // A late answer about the window before.
            return;
        }
        self.epoch_refused += 1;
        self.window.from = self.window.from.max(wait);
        self.window.to = self.window.to.max(self.window.from);
        self.pause = Some(match self.pause {
            Some(Pause::Reset(known)) if reset.to <= known.from => Pause::Reset(known),
            Some(Pause::Reset(known)) if reset.from < known.to => {
                Pause::Reset(Between { from: known.from.max(reset.from), to: known.to.min(reset.to) })
            }
            Some(Pause::Reset(_) | Pause::Blind(_)) | None => Pause::Reset(reset),
        });
    }

    /// Nothing goes out for a while, for a reason that has nothing to do with the limit.
    pub fn hold(&mut self, until: Duration) {
        self.held_until = self.held_until.max(until);
    }

    /// Where the pace stands.
    #[must_use]
    pub fn snapshot(&self, now: Duration) -> PaceSnapshot {
        let paused = match self.pause {
            Some(Pause::Reset(reset)) => reset.to,
            Some(Pause::Blind(until)) => until,
            None => Duration::ZERO,
        };
        let until = paused.max(self.held_until);
        PaceSnapshot {
            granted: self.granted,
            refused: self.refused,
            in_flight: self.outstanding.len(),
            sure: self.sure,
            spent: self.spent_or_outstanding(),
            tried_more: self.tried_more,
            paused_until: (until > now).then_some(until),
            window_at_least: self.window.from,
            window_at_most: self.window.to,
        }
    }

    fn spend(&mut self, now: Duration, granted: bool) {
        let one = Spent { first: now, last: now, granted: u64::from(granted), unknown: u64::from(!granted) };
        self.spent_sum += 1;
        match self.spent.back_mut() {
            Some(spent) if now.saturating_sub(spent.first) < GRAIN => {
                spent.last = spent.last.max(now);
                spent.granted += one.granted;
                spent.unknown += one.unknown;
            }
            _ => self.spent.push_back(one),
        }
        // Before the first refusal nobody else forgets.
        self.forget(now);
    }

    /// Raises `sure` while requests go out one at a time and are granted, within what is known to be one window.
    fn grow(&mut self, now: Duration) {
        let in_one_window = self.reset_before.is_some_and(|before| now <= before.from + self.window.from);
        if let (Some(sure), None, true) = (self.sure, self.pause, in_one_window) {
            self.sure = Some(sure.max(self.epoch_granted));
        }
    }

    /// Begins an epoch without a refusal when more was granted than fits in one window, as happens when a window ends
    /// just when it is spent.
    fn roll_over(&mut self, now: Duration) {
        let (Some(before), Some(fits), None) = (self.reset_before, self.fits_at_most, self.pause) else {
            return;
        };
        let taught = !self.window_learned && self.rolled_over == 0;
        let slack = SLACK + if taught { fits / SLACK_PART } else { 0 };
        // Not sooner than a window can have ended, and only if there was no time to spend slowly.
        let sooner = now <= before.from + self.window.from;
        let later = now >= before.to + ROLLED_WITHIN * self.window.from;
        let alone = self.outstanding.is_empty();
        let possible = alone && !sooner && !later && self.rolled_over < ROLLED_AT_MOST;
        // If that much was proven to fit, the limit was raised.
        let raised = self.sure > Some(fits + slack);
        if !possible || raised || self.epoch_granted <= fits + slack {
            return;
        }
        self.rolled_over += 1;
        self.confirmed = false;
        let tried_more_at = self.tried_more_at;
        self.open_epoch(Some(Between { from: before.from + self.window.from, to: now }), now);
        self.tried_more_at = tried_more_at;
        // What is above `fits` counts in the new window, and what the old one may have been left short of.
        let counts = slack + 1 + fits / SHORT_PART;
        self.spent_sum = counts;
        self.spent.push_back(Spent { first: now, last: now, granted: 0, unknown: counts });
    }

    fn begin_epoch(&mut self, reset: Between, now: Duration) {
        self.conclude(Some(reset));
        // What was answered so late that it may have been admitted after the reset counts on.
        let late = self.spent.iter().filter(|spent| spent.last >= reset.from);
        let late: u64 = late.map(|spent| spent.granted + spent.unknown).sum();
        self.open_epoch(Some(reset), now);
        // If that is too many to make up for one at a time, take the likely for true: a refusal comes when a window
        // is spent, mostly long before it ends.
        if (1..=self.provable_one_at_a_time()).contains(&late) {
            self.spent_sum = late;
            self.spent.push_back(Spent { first: now, last: now, granted: 0, unknown: late });
        }
    }

    fn open_epoch(&mut self, reset: Option<Between>, now: Duration) {
        self.epoch += 1;
        self.reset_before = reset;
        self.epoch_granted = 0;
        self.epoch_first = None;
        self.slowest = std::mem::take(&mut self.epoch_slowest);
        self.epoch_refused = 0;
        self.spent.clear();
        self.spent_sum = 0;
        self.pause = None;
        self.blind = false;
        self.tried_more_at = now;
    }

    /// Learns from the window that a refusal ended.
    fn conclude(&mut self, reset: Option<Between>) {
        let mut alone = false;
        if let (Some(before), Some(reset)) = (self.reset_before, reset) {
            // One window or more lie between two resets.
            let span = reset.to.saturating_sub(before.from);
            // If it was begun without a refusal, too early: nothing is learned.
            if span >= self.window.from || self.rolled_over == 0 {
                if span < self.window.from {
                    // The limit was changed to a shorter window.
                    self.window.from = SHORTEST_WINDOW;
                }
                self.window.to = self.window.to.min(span).max(self.window.from);
                self.window_learned = true;
                alone = span < 2 * self.window.from;
                if let (true, Some(first)) = (alone, self.epoch_first) {
                    // What was granted first was granted in the window that ended here.
                    self.lasts_at_least = reset.from.saturating_sub(first).min(self.window.to);
                }
            }
        }
        let (granted, unknown) = self.counted(reset);
        self.confirmed = alone && self.sure.is_some_and(|sure| (granted..=granted + unknown).contains(&sure));
        if granted + unknown == 0 {
            return;
        }
        // After more than one refusal the reckoning was wrong, and this number may be too.
        let reckoned = self.sure.is_none() || self.epoch_refused <= 1;
        self.fits_at_most = reckoned.then_some(granted + unknown);
        self.rolled_over = 0;
        self.sure = Some(match self.sure {
            None => {
                self.first_granted = granted + self.in_doubt(reset);
                self.first_granted.saturating_sub(self.provable_one_at_a_time())
            }
            Some(_) if alone && !self.confirmed => granted,
            Some(sure) if granted + unknown < sure => {
                // Fewer than fitted before: another process spends too, or the window is not what it was.
                self.window.to = self.settings.window_at_most.max(self.window.from);
                granted
            }
            // More than fits, and no telling how much: what went out one at a time is refused once only.
            Some(sure) if !alone && self.epoch_refused > 1 => sure / 2,
            Some(sure) => sure,
        });
    }

    /// Requests granted so late that they may have been admitted after `reset`.
    fn in_doubt(&self, reset: Option<Between>) -> u64 {
        let late = |spent: &&Spent| reset.is_some_and(|reset| spent.last >= reset.from);
        self.spent.iter().filter(late).map(|spent| spent.granted).sum()
    }

    /// The requests that may have counted in the window that ended at `reset`: those that did if it was the only one
    /// of the epoch, and those that are in doubt.
    fn counted(&self, reset: Option<Between>) -> (u64, u64) {
        let mut granted = 0;
        let mut unknown = self.outstanding_in_window();
        for spent in &self.spent {
            let before = reset.is_none_or(|reset| spent.last < reset.from);
            let in_window = reset.is_none_or(|reset| spent.last + self.window.to >= reset.from);
            match (in_window, before) {
                (true, true) => {
                    granted += spent.granted;
                    unknown += spent.unknown;
                }
                (true, false) => unknown += spent.granted + spent.unknown,
                (false, _) => {}
            }
        }
        (granted, unknown)
    }

    /// What the first refusal was taken to say.
    #[cfg(test)]
    pub(super) fn first_granted(&self) -> u64 {
        self.first_granted
    }

    /// How many requests can be sent one at a time in a part of a window.
    fn provable_one_at_a_time(&self) -> u64 {
        let each = 2.0 * self.quickest.unwrap_or_default().as_secs_f64();
        // Up to a second of the window is lost to the rounding of the wait before it.
        let time = CAREFUL_PART * (self.window.from - ROUNDING).as_secs_f64();
        // Saturates for requests that take no time.
        (time / each) as u64
    }
}
