//! [`Pace`] against a simulated Notion, in both readings of its window, with the time and all delays in our hands.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use super::Priority;
use super::pace::{Pace, PaceSettings, Ticket, Turn};

const MS: Duration = Duration::from_millis(1);

/// The two readings of "a fixed window".
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// A window begins with the first request after the last one ended.
    Anchored,
    /// Windows follow the clock, which we met at this point of one.
    Aligned(Duration),
}

/// What a window of the server saw.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Seen {
    granted: u64,
    refused: u64,
    by_others: u64,
}

struct Server {
    limit: u64,
    window: Duration,
    reading: Reading,
    number: u64,
    ends: Duration,
    seen: Vec<Seen>,
}

impl Server {
    fn new(limit: u64, window: Duration, reading: Reading) -> Self {
        Self { limit, window, reading, number: 0, ends: Duration::ZERO, seen: Vec::new() }
    }

    fn roll(&mut self, now: Duration) -> &mut Seen {
        if now >= self.ends {
            match self.reading {
                Reading::Anchored => {
                    self.ends = now + self.window;
                    self.number += u64::from(!self.seen.is_empty());
                }
                Reading::Aligned(phase) => {
                    let number = (now + phase).as_nanos() / self.window.as_nanos();
                    self.number = u64::try_from(number).unwrap();
                    self.ends = self.window * u32::try_from(number + 1).unwrap() - phase;
                }
            }
            self.seen.resize(usize::try_from(self.number).unwrap() + 1, Seen::default());
        }
        self.seen.last_mut().unwrap()
    }

    /// Nothing if it is granted, else `Retry-After`.
    fn admit(&mut self, now: Duration) -> Option<Duration> {
        let limit = self.limit;
        let seen = self.roll(now);
        if seen.granted + seen.by_others < limit {
            seen.granted += 1;
            return None;
        }
        seen.refused += 1;
        let left = self.ends - now;
        Some(Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(u64),
    Answered(u64, Option<Option<Duration>>),
    Demand,
    Urgent,
    Wake,
}

/// One client and one server.
struct World {
    pace: Pace,
    server: Server,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    sequence: u64,
    now: Duration,
    tickets: BTreeMap<u64, Ticket>,
    seed: u64,
    latency: (Duration, Duration),
    /// One in so many answers takes five seconds more, after it was admitted.
    slow_one_in: u64,
    /// Nothing for as much as may be; else the time between requests.
    every: Option<Duration>,
    wanted: u64,
    waited: Duration,
    hints: bool,
    /// When something urgent was asked for that has not gone out.
    urgent: VecDeque<Duration>,
    /// How long each urgent thing waited.
    urgent_waited: Vec<Duration>,
}

impl World {
    fn new(pace: PaceSettings, server: Server, latency: (Duration, Duration), seed: u64) -> Self {
        Self {
            pace: Pace::new(pace),
            server,
            events: BinaryHeap::new(),
            sequence: 0,
            now: Duration::ZERO,
            tickets: BTreeMap::new(),
            seed,
            latency,
            slow_one_in: 0,
            every: None,
            wanted: 0,
            waited: Duration::ZERO,
            hints: true,
            urgent: VecDeque::new(),
            urgent_waited: Vec::new(),
        }
    }

    /// A number below `below`, from the seed (splitmix64).
    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below.max(1)
    }

    fn at(&mut self, time: Duration, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((time, self.sequence, event)));
    }

    fn one_way(&mut self) -> Duration {
        let (least, most) = self.latency;
        let spread = u64::try_from((most - least).as_nanos()).unwrap();
        least / 2 + Duration::from_nanos(self.random(spread + 1)) / 2
    }

    fn send_what_may_go(&mut self) {
        while self.every.is_none() || self.wanted > 0 || !self.urgent.is_empty() {
            let priority = if self.urgent.is_empty() { Priority::Crawl } else { Priority::Fresh };
            match self.pace.turn(self.now, priority) {
                Turn::Now(ticket) => {
                    match self.urgent.pop_front() {
                        Some(asked) => self.urgent_waited.push(self.now - asked),
                        None => self.wanted = self.wanted.saturating_sub(1),
                    }
                    let id = self.sequence;
                    self.tickets.insert(id, ticket);
                    let arrives = self.now + self.one_way();
                    self.at(arrives, Event::Arrives(id));
                }
                Turn::Later(at) => {
                    if let Some(at) = at {
                        assert!(
                            at > self.now,
                            "told to look again at {at:?}, which is not after {:?}",
                            self.now
                        );
                        self.at(at, Event::Wake);
                    }
                    assert!(at.is_some() || !self.tickets.is_empty(), "waits for an answer that nobody owes");
                    return;
                }
            }
        }
    }

    fn want_one_every(&mut self, every: Duration) {
        self.every = Some(every);
        self.at(self.now, Event::Demand);
    }

    fn run(&mut self, until: Duration) {
        self.send_what_may_go();
        while let Some(&Reverse((time, _, event))) = self.events.peek() {
            if time > until {
                self.now = until;
                return;
            }
            self.events.pop();
            if self.wanted > 0 {
                self.waited += time - self.now;
            }
            self.now = time;
            match event {
                Event::Arrives(id) => {
                    let outcome = self.server.admit(time);
                    let mut back = time + self.one_way();
                    if outcome.is_none() && self.slow_one_in > 0 && self.random(self.slow_one_in) == 0 {
                        back += Duration::from_secs(5);
                    }
                    self.at(back, Event::Answered(id, outcome.map(|wait| self.hints.then_some(wait))));
                }
                Event::Answered(id, outcome) => {
                    let ticket = self.tickets.remove(&id).unwrap();
                    match outcome {
                        None => self.pace.granted(ticket, time),
                        Some(wait) => self.pace.refused(ticket, time, wait),
                    }
                }
                Event::Demand => {
                    self.wanted += 1;
                    let every = self.every.unwrap();
                    self.at(time + every, Event::Demand);
                }
                Event::Urgent => self.urgent.push_back(time),
                Event::Wake => {}
            }
            self.send_what_may_go();
        }
        panic!("nothing will ever happen again");
    }

    /// The windows between the one of the first refusal and the last.
    fn after_learning(&self) -> &[Seen] {
        let seen = &self.server.seen;
        let learning = seen.iter().position(|window| window.refused > 0).expect("the limit was never met");
        &seen[learning + 1..seen.len() - 1]
    }
}

fn settings(max_in_flight: usize) -> PaceSettings {
    PaceSettings { max_in_flight, window_at_most: Duration::from_secs(61) }
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        Just(Reading::Anchored),
        (0_u64..60_000).prop_map(|ms| Reading::Aligned(MS * u32::try_from(ms).unwrap()))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The promise, with as much demand as may be and delays that leave time for the whole limit.
    #[test]
    fn every_window_is_spent_whole_with_one_refusal_at_most(
        limit in 20_u64..700,
        seconds in 2_u32..61,
        reading in reading(),
        side_by_side in 2_usize..20,
        fill in 0.02_f64..0.3,
        jitter in 1.0_f64..1.8,
        seed: u64,
    ) {
        let window = Duration::from_secs(seconds.into());
        // `fill` of the window, less the second that rounding may cost, is enough for all requests.
        let busy = (window - Duration::from_secs(1)).mul_f64(fill);
        let most = busy.mul_f64(side_by_side as f64 / limit as f64).min(Duration::from_millis(400));
        let latency = (most.div_f64(jitter), most);
        let mut world = World::new(settings(side_by_side), Server::new(limit, window, reading), latency, seed);
        world.run(window * 3);
        let met = world.server.seen.iter().position(|window| window.refused > 0);
        prop_assume!(met.is_some());
        // The one exception: the requests before the first refusal lay in two windows, and are too slow to tell.
        let sure_too_much = world.server.seen.iter().skip(met.unwrap() + 1).take(1).any(|window| window.refused > 1);
        if sure_too_much {
            let believed = world.pace.first_granted();
            prop_assert!(believed > limit, "refused more than once without an excuse: {:?}", world.server.seen);
        }
        world.run(window * 12);
        let windows = world.after_learning();
        prop_assert!(windows.len() >= 5);
        for (position, seen) in windows.iter().enumerate() {
            prop_assert!(position == 0 && sure_too_much || seen.refused <= 1, "{position}: {windows:?} of {limit}");
            prop_assert!(seen.granted * 100 >= limit * 97, "{position}: {windows:?} of {limit}");
        }
        prop_assert!(world.pace.snapshot(world.now).sure <= Some(limit));
    }

    /// Whatever the delays: no standstill, and the server never refuses twice in a window once the limit is known.
    #[test]
    fn no_delay_leads_to_more_than_one_refusal_or_to_a_standstill(
        limit in 5_u64..300,
        seconds in 2_u32..61,
        reading in reading(),
        side_by_side in 1_usize..20,
        latency_ms in 1_u32..1_200,
        slow_one_in in prop_oneof![Just(0_u64), 5_u64..50],
        seed: u64,
    ) {
        let window = Duration::from_secs(seconds.into());
        let latency = (MS * latency_ms / 3, MS * latency_ms);
        let mut world = World::new(settings(side_by_side), Server::new(limit, window, reading), latency, seed);
        world.slow_one_in = slow_one_in;
        world.run(window * 30);
        prop_assert!(world.pace.snapshot(world.now).granted > 0);
        // A crawl about as fast as a short window allows meets it rarely, and takes some refusals to learn how much of
        // what it had spent was in one window; and what is tried on purpose may fail.
        let learning = world.server.seen.iter().filter(|window| window.refused > 1).count() as u64;
        let tried = world.pace.snapshot(world.now).tried_more;
        prop_assert!(learning <= 5 + 2 * tried, "{:?}", world.server.seen);
        prop_assert!(tried <= 4, "tried {tried} times in 30 windows");
    }
}

#[test]
fn the_real_limits_are_spent_in_both_readings() {
    for limit in [180, 600] {
        for reading in [Reading::Anchored, Reading::Aligned(Duration::from_secs(55))] {
            let server = Server::new(limit, Duration::from_secs(60), reading);
            let mut world = World::new(settings(10), server, (MS * 150, MS * 450), 7);
            world.run(Duration::from_secs(60 * 10));
            for seen in world.after_learning() {
                assert_eq!((seen.granted, seen.refused), (limit, 1), "{reading:?}");
            }
        }
    }
}

/// A crawl spends a window in its first quarter; what is urgent is sent in the other three quarters nonetheless.
#[test]
fn what_is_urgent_seldom_waits_for_a_crawl_at_full_speed() {
    for limit in [180, 600] {
        for reading in [Reading::Anchored, Reading::Aligned(Duration::from_secs(25))] {
            let server = Server::new(limit, Duration::from_secs(60), reading);
            let mut world = World::new(settings(10), server, (MS * 150, MS * 450), 7);
            world.run(Duration::from_secs(60 * 3));
            for _ in 0..240 {
                // Some ten seconds apart, as fits the least reserve: six of 180.
                let after = Duration::from_secs(world.random(20));
                let last = world.now;
                world.at(last + after, Event::Urgent);
                world.run(last + after);
            }
            world.run(world.now + Duration::from_secs(70));
            let waited = &world.urgent_waited;
            assert_eq!(waited.len(), 240);
            let at_once = waited.iter().filter(|waited| **waited < Duration::from_secs(1)).count();
            assert!(at_once >= 200, "{limit} {reading:?}: {at_once} of 240");
            assert!(waited.iter().all(|waited| *waited < Duration::from_secs(12)), "{limit} {reading:?}");
            for seen in world.after_learning() {
                assert!(
                    seen.granted == limit && seen.refused <= 1,
                    "{limit} {reading:?}: {:?}",
                    world.server.seen
                );
            }
        }
    }
}

#[test]
fn a_crawl_slower_than_the_limit_never_waits() {
    let server = Server::new(100, Duration::from_secs(60), Reading::Aligned(Duration::from_secs(3)));
    let mut world = World::new(settings(10), server, (MS * 100, MS * 300), 1);
    world.run(Duration::from_secs(180));
    assert!(world.pace.snapshot(world.now).sure.is_some());
    // From now on nine tenths of the limit.
    world.want_one_every(Duration::from_secs(60) / 90);
    // What waited for the last reset is made up for first.
    world.run(Duration::from_secs(1_500));
    let refused = world.pace.snapshot(world.now).refused;
    world.waited = Duration::ZERO;
    world.run(Duration::from_secs(3_000));
    assert_eq!(world.pace.snapshot(world.now).refused, refused);
    assert_eq!(world.waited, Duration::ZERO);
}

#[test]
fn a_raised_limit_is_found_and_a_lowered_one_too() {
    let mut world = World::new(
        settings(10),
        Server::new(180, Duration::from_secs(60), Reading::Anchored),
        (MS * 200, MS * 400),
        3,
    );
    world.run(Duration::from_secs(300));
    assert_eq!(world.pace.snapshot(world.now).sure, Some(180));
    world.server.limit = 600;
    world.run(Duration::from_secs(1_200));
    assert_eq!(world.pace.snapshot(world.now).sure, Some(600));
    world.server.limit = 120;
    world.run(Duration::from_secs(1_500));
    assert_eq!(world.pace.snapshot(world.now).sure, Some(120));
}

#[test]
fn another_process_with_the_same_secret_is_yielded_to_and_outlived() {
    let mut world = World::new(
        settings(10),
        Server::new(180, Duration::from_secs(60), Reading::Anchored),
        (MS * 200, MS * 400),
        3,
    );
    world.run(Duration::from_secs(200));
    for minute in 0..5 {
        world.server.roll(world.now).by_others = 80;
        world.run(Duration::from_secs(200 + 61 * (minute + 1)));
    }
    let met = world.server.seen.iter().map(|window| window.refused).skip(1).max();
    assert!(met <= Some(10), "{:?}", world.server.seen);
    world.run(Duration::from_secs(1_200));
    assert_eq!(world.pace.snapshot(world.now).sure, Some(180));
    let last = world.server.seen.len() - 2;
    assert_eq!((world.server.seen[last].granted, world.server.seen[last].refused), (180, 1));
}

#[test]
fn refusals_that_do_not_say_how_long_are_met_with_single_requests_and_growing_pauses() {
    let mut world = World::new(
        settings(10),
        Server::new(50, Duration::from_secs(60), Reading::Anchored),
        (MS * 50, MS * 90),
        3,
    );
    world.hints = false;
    world.run(Duration::from_secs(1_000));
    for seen in world.after_learning() {
        assert!(seen.refused <= 8 && seen.granted > 40, "{:?}", world.server.seen);
    }
}

#[test]
fn a_restart_within_a_spent_window_does_not_keep_the_small_number_it_saw() {
    let mut server = Server::new(600, Duration::from_secs(60), Reading::Anchored);
    server.roll(Duration::ZERO).by_others = 585;
    let mut world = World::new(settings(10), server, (MS * 200, MS * 400), 3);
    world.run(Duration::from_secs(600));
    assert_eq!(world.pace.snapshot(world.now).sure, Some(600), "{:?}", world.server.seen);
}

#[test]
fn a_late_refusal_about_the_window_before_stops_nobody() {
    let second = Duration::from_secs;
    let mut pace = Pace::new(settings(10));
    let Turn::Now(first) = pace.turn(second(0), Priority::Crawl) else { panic!() };
    let Turn::Now(late) = pace.turn(second(0), Priority::Crawl) else { panic!() };
    let Turn::Now(third) = pace.turn(second(0), Priority::Crawl) else { panic!() };
    pace.granted(first, second(1));
    pace.refused(third, second(1), Some(second(10)));
    let Turn::Later(Some(resume)) = pace.turn(second(2), Priority::Crawl) else { panic!() };
    assert!(matches!(pace.turn(resume, Priority::Crawl), Turn::Now(_)));
    pace.refused(late, resume + MS, Some(second(10)));
    assert_eq!(pace.snapshot(resume + MS).paused_until, None);
}

/// Limits as the tests of a crawl scale them, met at any point of a window, over loopback.
#[test]
fn scaled_limits_are_spent_without_exception() {
    for (limit, seconds) in [(40, 2), (80, 2), (100, 2), (180, 3), (360, 5)] {
        for tenth in 0..seconds * 10 {
            for reading in [Reading::Anchored, Reading::Aligned(MS * 100 * tenth)] {
                let server = Server::new(limit, Duration::from_secs(seconds.into()), reading);
                let mut world = World::new(settings(10), server, (MS * 2, MS * 6), u64::from(tenth));
                world.run(Duration::from_secs(u64::from(seconds) * 8));
                for seen in world.after_learning() {
                    let whole = seen.refused <= 1 && seen.granted * 100 >= limit * 97;
                    assert!(whole, "{limit}/{seconds} {reading:?}: {:?}", world.server.seen);
                }
            }
        }
    }
}

/// So slow that, begun up to a second late, a window ends just when it is spent, and says nothing.
#[test]
fn a_window_that_ends_unnoticed_costs_the_next_ones_nothing() {
    for (limit, seconds) in [(200, 3), (300, 4)] {
        let window = Duration::from_secs(seconds);
        let mut unnoticed = 0;
        for twentieth in 0..u32::try_from(seconds).unwrap() * 20 {
            let reading = Reading::Aligned(MS * 50 * twentieth);
            let mut world =
                World::new(settings(10), Server::new(limit, window, reading), (MS * 90, MS * 90), 1);
            world.run(window * 14);
            if world.pace.first_granted() > limit {
                // The exception in the head of the module: the first refusal came in a second window.
                continue;
            }
            for seen in world.after_learning() {
                let whole = seen.refused <= 1 && seen.granted * 100 >= limit * 97;
                assert!(whole, "{limit}/{seconds} {reading:?}: {:?}", world.server.seen);
                unnoticed += u32::from(seen.refused == 0);
            }
        }
        assert!(unnoticed > 10, "{unnoticed} of {limit}/{seconds}");
    }
}

/// A number that is too small, because another process had spent, is not taken for the limit by mistake.
#[test]
fn some_earlier_spending_of_another_process_costs_no_refusal() {
    for (limit, seconds) in [(60, 3), (200, 4), (180, 60), (600, 60)] {
        for others in 0..4 {
            let mut server = Server::new(limit, Duration::from_secs(seconds), Reading::Anchored);
            server.roll(Duration::ZERO).by_others = others;
            let mut world = World::new(settings(10), server, (MS * 90, MS * 90), others);
            world.run(Duration::from_secs(seconds * 10));
            for seen in world.after_learning() {
                let whole = seen.refused <= 1 && seen.granted * 100 >= limit * 97;
                assert!(whole, "{limit}/{seconds} after {others}: {:?}", world.server.seen);
            }
        }
    }
}
