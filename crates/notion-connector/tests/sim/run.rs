//! Many stories in one run: how far it has come, what happened in all of them, and which failed.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// How often a run says how far it has come.
const SAID_EVERY: Duration = Duration::from_secs(20);

/// What a story came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) crashes: u64,
    pub(crate) crawls: u64,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    pub(crate) changes: u64,
    pub(crate) items: u64,
    pub(crate) events: u64,
    pub(crate) forged: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.crawls += other.crawls;
        self.requests += other.requests;
        self.failures += other.failures;
        self.changes += other.changes;
        self.items += other.items;
        self.events += other.events;
        self.forged += other.forged;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { crashes, crawls, requests, failures, changes, items, events, forged } = self;
        write!(
            f,
            "{crashes} crashes, {crawls} crawls, {requests} requests, {failures} of them refused or failed, {changes} changes by \
             people, {events} events heard and {forged} forged ones refused, {items} items compared"
        )
    }
}

/// A run under way. A story that fails does not end it.
pub(crate) struct Run {
    /// What is counted.
    what: String,
    /// How many there will be, where that is known.
    count: Option<u64>,
    /// Nothing pauses this clock: it is asked where no story is told.
    began: Instant,
    state: Mutex<State>,
}

struct State {
    done: u64,
    sum: Tally,
    failed: Vec<String>,
    said: Instant,
}

impl Run {
    pub(crate) fn begin(what: String, count: Option<u64>) -> Self {
        let (began, said) = (Instant::now(), Instant::now());
        let state = Mutex::new(State { done: 0, sum: Tally::default(), failed: Vec::new(), said });
        Self { what, count, began, state }
    }

    /// A story came to its end. `name` is how to tell it again.
    pub(crate) fn note(&self, name: &str, result: Result<Tally, String>) {
        let mut state = self.state.lock().unwrap();
        state.done += 1;
        match result {
            Ok(tally) => state.sum.add(tally),
            Err(why) => {
                println!("failed: {name}\n  {why}");
                state.failed.push(name.to_owned());
            }
        }
        if state.said.elapsed() > SAID_EVERY {
            state.said = Instant::now();
            let (seconds, done) = (self.began.elapsed().as_secs_f64(), state.done);
            let left = self.count.map(|count| (count - done) as f64 * seconds / done as f64 / 60.0);
            let left = left.map(|minutes| format!(", {minutes:.0} minutes to go")).unwrap_or_default();
            println!(
                "{done} {} in {:.1} minutes, {} failed{left}",
                self.what,
                seconds / 60.0,
                state.failed.len()
            );
        }
    }

    /// Says what it came to, and names each story that failed. What happened in all, and how many failed.
    pub(crate) fn end(self) -> (Tally, usize) {
        let State { done, sum, failed, .. } = self.state.into_inner().unwrap();
        let minutes = self.began.elapsed().as_secs_f64() / 60.0;
        println!("{done} {} in {minutes:.1} minutes: {sum}; {} failed", self.what, failed.len());
        for name in &failed {
            println!("failed: {name}");
        }
        (sum, failed.len())
    }
}
