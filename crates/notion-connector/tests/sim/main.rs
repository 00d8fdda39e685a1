//! The simulation: seeds that drive people, faults, settings and crashes against the connector, and the truth at the end.
//!
//! One seed is one story (`story`), told in virtual time on a paused clock: a `workspace` whose people rename, move, trash and
//! share, a `network` on which requests fail and take their time, `events` that get lost or come twice, a `machine` whose
//! processes die anywhere. Then the faults end, a reconciling full crawl runs, and the `oracle` compares the index with what the emulator says is true, and `audiences` what people
//! find with who may see what.
//!
//! `cargo xtask sim` tells more of them, and sets the variables `SIM_SEEDS` and `SIM_FROM` (which seeds), `SIM_TRACE` (print all that
//! happened) and `SIM_EXHAUSTIVE` (crash at every change of the store instead of a few).
//!
//! To let something else happen: a change that people make in `Workspace::change`, a state of Notion in `Workspace::weather`, what is done
//! with the connector in `Story::act`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should fail")]

mod audiences;
mod dice;
mod events;
mod facts;
mod files;
mod machine;
mod network;
mod oracle;
mod process;
mod run;
mod story;
mod trace;
mod workspace;

use std::sync::atomic::{AtomicU64, Ordering};

use machine::Damage;
use notion_connector::store::Scope;
use run::Run;
use story::{Crash, tell, tell_of_one_crash};

/// Seeds that are told by default.
const SEEDS: u64 = 100;

/// Without being asked for all, a crawl dies at each so-manieth change of the store.
const STRIDE: u64 = 11;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Runs `work` for each number until it says that there are no more, on as many threads as there are processors.
fn for_each(from: u64, work: impl Fn(u64) -> bool + Sync) {
    let next = AtomicU64::new(from);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| while work(next.fetch_add(1, Ordering::Relaxed)) {});
        }
    });
}

#[test]
fn the_index_is_the_truth_whatever_happened() {
    let (from, count) = (setting("SIM_FROM").unwrap_or(0), setting("SIM_SEEDS").unwrap_or(SEEDS));
    let run = Run::begin(format!("of {count} seeds"), Some(count));
    for_each(from, |seed| {
        if seed >= from + count {
            return false;
        }
        let (trace, result) = tell(seed, false);
        if setting("SIM_TRACE").is_some() {
            println!("{}", trace.text());
        }
        run.note(&format!("cargo xtask sim --seeds 1 --from {seed} --trace"), result);
        true
    });
    let (sum, failed) = run.end();
    assert_eq!(failed, 0, "so many failed: see above");
    assert!(count < 20 || (sum.events > 0 && sum.forged > 0), "nothing was heard of webhooks: {sum}");
}

#[test]
fn a_crawl_that_dies_at_any_change_of_the_store_ends_as_the_truth() {
    let all = setting("SIM_EXHAUSTIVE").is_some();
    let mut failed = 0;
    let damages = [Damage::Nothing, Damage::PowerLost, Damage::IndexLost];
    for scope in [Scope::Full, Scope::Incremental] {
        for filtered in [false, true] {
            let with = if filtered { "with a filter and comments " } else { "" };
            let run = Run::begin(format!("{scope} crawls {with}that died"), None);
            for_each(0, |number| {
                let changes = 1 + number * if all { 1 } else { STRIDE };
                let chosen = usize::try_from(number).unwrap() % damages.len();
                for damage in if all { &damages[..] } else { &damages[chosen..=chosen] } {
                    let crash = Crash { scope, changes, damage: *damage, filtered };
                    let (trace, result) = tell_of_one_crash(crash);
                    if result.is_err() {
                        println!("{}", trace.text());
                    }
                    let Some(result) = result.transpose() else { return false };
                    run.note(&format!("{crash:?}"), result);
                }
                true
            });
            let (sum, failures) = run.end();
            assert!(sum.crashes > 4, "hardly ever did it die");
            failed += failures;
        }
    }
    assert_eq!(failed, 0, "so many failed: see above");
}

#[test]
fn one_seed_tells_the_same_story_twice() {
    for seed in [7, 12, 31] {
        let (once, again) = (tell(seed, true).0, tell(seed, true).0);
        let (one, other) = (once.text(), again.text());
        let parts = one.lines().zip(other.lines()).find(|(one, other)| one != other);
        assert_eq!(parts, None, "seed {seed}: they part");
        assert_eq!(once.hash(), again.hash());
        assert!(
            one.contains("outbox") && one.contains("POST /v1/search"),
            "seed {seed}: the trace shows what happens"
        );
    }
    assert_ne!(tell(7, true).0.hash(), tell(8, true).0.hash());
}
