//! The way of Notion's events to the connector: each may be lost, come late, twice, out of order or beside forged ones, and the
//! process may die while it hears it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notion_connector::app::App;
use notion_connector::ops::{self, Received, WEBHOOKS, WebhookDetail};
use notion_emulator::{Behavior, Delivery, Emulator, NewSubscription};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::dice::Dice;
use crate::machine::{Machine, held};
use crate::network::ADDRESS;
use crate::trace::Trace;
use crate::workspace::Workspace;
use notion_connector::model::Caller;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// So long a connector knows an event again at least (developers.notion.com "webhooks-events-delivery": tries go on for a day).
const KNOWN_AGAIN: Duration = Duration::from_secs(24 * 3_600);

/// The longest time over which Notion gathers events of one item (developers.notion.com "webhooks": under a minute).
const LONGEST_GATHERING: Duration = Duration::from_secs(60);

/// How often it is looked whether a hint made something leave, in seconds.
const LOOK_EVERY: u64 = 60;

/// Events that were delivered and are kept to be delivered once more.
const MAX_OLD: usize = 20;

/// What there is of events and forgeries at the end of a story.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) events: u64,
    pub(crate) forged: u64,
}

/// Who brings events to the connector.
pub(crate) struct Courier {
    workspace: Arc<Mutex<Workspace>>,
    notion: Emulator,
    trace: Trace,
    state: Mutex<State>,
    data: PathBuf,
    connectors: &'static [&'static str],
    /// Called when the connector says that something is on the disk for sure.
    synced: Box<dyn Fn() + Send + Sync>,
}

struct State {
    dice: Dice,
    /// Whether this story has a webhook at all.
    is_wanted: bool,
    /// Nothing befalls events any more.
    is_faithful: bool,
    endpoint: Option<Endpoint>,
    /// Sent, and not there yet.
    late: Vec<(Instant, Delivery)>,
    /// Delivered before.
    old: Vec<Delivery>,
    /// Events that the connector said it has.
    taken: BTreeMap<Uuid, Instant>,
    /// So many events more, and whether the last is answered.
    death: Option<(u64, bool)>,
    /// Of a thousand seconds, in so many somebody does something.
    changes: u64,
    /// Edits to come that every event tells of, and when the first may come.
    edits: (u64, Instant),
    heard: Heard,
}

struct Endpoint {
    path: String,
    subscription: Uuid,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Lost,
    /// Heard, and the answer does not come back.
    Unanswered,
    Late,
    Twice,
    Forged,
}

impl Courier {
    pub(crate) fn new(
        seed: u64,
        workspace: Arc<Mutex<Workspace>>,
        machine: &Machine,
        connectors: &'static [&'static str],
    ) -> Self {
        let notion = workspace.lock().unwrap().notion.clone();
        let mut dice = Dice::new(seed, 3);
        let is_wanted = dice.chance(50);
        let state = Mutex::new(State {
            dice,
            is_wanted,
            is_faithful: false,
            endpoint: None,
            late: Vec::new(),
            old: Vec::new(),
            taken: BTreeMap::new(),
            death: None,
            changes: 0,
            edits: (0, Instant::now()),
            heard: Heard::default(),
        });
        let (trace, data, synced) = (machine.trace(), machine.data(), machine.syncing());
        Self { workspace, notion, trace, state, data, connectors, synced }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whether this story has a webhook.
    pub(crate) fn is_wanted(&self) -> bool {
        self.state().is_wanted
    }

    /// Whether the connector has a webhook that Notion sends to.
    pub(crate) fn is_open(&self) -> bool {
        self.state().endpoint.is_some()
    }

    pub(crate) fn heard(&self) -> Heard {
        self.state().heard
    }

    /// An administrator opens the window, subscribes in Notion, brings the token back and closes the window.
    pub(crate) async fn subscribe(&self, app: &App) {
        let opened = ops::open_webhook(app, &Caller::LOCAL_OPERATOR, Some(self.connectors[0])).unwrap();
        let path = opened.endpoint.strip_prefix(WEBHOOKS).unwrap().to_owned();
        let new: NewSubscription = serde_json::from_value(json!({ "url": ADDRESS })).unwrap();
        let (subscription, status) = self.notion.subscribe(new).await.unwrap();
        assert_eq!(status, 0, "nobody listens");
        let handshake = self.notion.verification_request(subscription).unwrap();
        assert_eq!(ops::receive_webhook(app, &path, None, &handshake.body).unwrap(), Received::Token);
        let token = self.webhook(app).verification_token.unwrap();
        self.notion.verify_subscription(subscription, &token).unwrap();
        ops::close_webhook(app, &Caller::LOCAL_OPERATOR, Some(self.connectors[0])).unwrap();
        let mut state = self.state();
        let behavior = Behavior {
            webhook_gathering_ms: state.dice.pick(&[0, 5_000, LONGEST_GATHERING.as_millis() as i64]),
            webhook_reversed: state.dice.chance(30),
            ..self.notion.behavior()
        };
        self.trace.say(format!(
            "webhook: events are gathered for {} ms, the latest first: {}",
            behavior.webhook_gathering_ms, behavior.webhook_reversed
        ));
        self.notion.set_behavior(behavior);
        state.endpoint = Some(Endpoint { path, subscription });
    }

    /// The connector may know nothing of its webhook any more.
    pub(crate) fn unsubscribe(&self) {
        let mut state = self.state();
        if let Some(endpoint) = state.endpoint.take() {
            self.notion.unsubscribe(endpoint.subscription).unwrap();
            self.trace.say("webhook: no more");
        }
        state.late.clear();
        state.old.clear();
        state.taken.clear();
    }

    /// From now on every event arrives, once, when it is sent.
    pub(crate) fn be_faithful(&self) {
        let mut state = self.state();
        (state.is_faithful, state.changes, state.death) = (true, 0, None);
    }

    /// What happens while the next process listens: changes by people, and its death at the so-manieth event, after or before
    /// the answer.
    pub(crate) fn foresee(&self, changes: u64, death: Option<(u64, bool)>) {
        let mut state = self.state();
        (state.changes, state.death) = (changes, death);
    }

    /// Somebody edits so often while the next process listens; first what is still gathered is told, for a creation that
    /// nobody told of and a deletion cancel each other out, and no event would tell of an item that a crawl found between them.
    pub(crate) fn foresee_edits(&self, edits: u64) {
        self.state().edits = (edits, Instant::now() + 2 * LONGEST_GATHERING);
    }

    /// Brings events for as long as it is polled.
    pub(crate) async fn keep_going(&self, app: &App) {
        if !self.is_open() {
            std::future::pending::<()>().await;
        }
        let mut held = held(&self.data, self.connectors);
        for second in 1_u64.. {
            self.let_people_work();
            self.bring(app);
            tokio::time::sleep(SECOND).await;
            if second.is_multiple_of(LOOK_EVERY) {
                held = self.look(&held);
            }
        }
    }

    /// What is in the index now. Nothing left that was to be there all the time, whatever a hint said.
    fn look(&self, before: &[BTreeSet<Uuid>]) -> Vec<BTreeSet<Uuid>> {
        let now = held(&self.data, self.connectors);
        let lost = self.workspace.lock().unwrap().lost(before, &now);
        assert!(lost.is_empty(), "left beside events, and was to be there all the time: {lost:?}");
        now
    }

    fn webhook(&self, app: &App) -> WebhookDetail {
        ops::show_webhook(app, &Caller::LOCAL_OPERATOR, Some(self.connectors[0])).unwrap()
    }

    fn let_people_work(&self) {
        let (changes, edits) = {
            let mut state = self.state();
            let changes = state.dice.between(0, 999) < state.changes;
            let (left, from) = state.edits;
            let edits = left > 0 && Instant::now() >= from && state.dice.chance(3);
            state.edits.0 -= u64::from(edits);
            (changes, edits)
        };
        let mut workspace = self.workspace.lock().unwrap();
        if changes {
            workspace.change();
        }
        if edits {
            workspace.edit_something();
        }
    }

    /// Whatever is due.
    fn bring(&self, app: &App) {
        let mut state = self.state();
        let now = Instant::now();
        let (arrived, late) = std::mem::take(&mut state.late).into_iter().partition(|(at, _)| *at <= now);
        state.late = late;
        for (_, delivery) in arrived {
            self.hand_over(app, &mut state, &delivery);
        }
        let mut due = self.notion.take_deliveries(false);
        if !state.is_faithful && state.dice.chance(30) {
            for at in (1..due.len()).rev() {
                due.swap(at, state.dice.below(at + 1));
            }
        }
        for delivery in due {
            let status = self.send(app, &mut state, &delivery);
            self.notion.settle_delivery(delivery.event.unwrap(), status);
        }
        if !state.is_faithful
            && state.dice.chance(1)
            && let Some(old) = state.dice.clone().try_pick(&state.old)
        {
            self.hand_over(app, &mut state, &old);
        }
    }

    /// Sends a delivery; the status that Notion sees, 0 if it sees none.
    fn send(&self, app: &App, state: &mut State, delivery: &Delivery) -> u16 {
        let fate = match state.dice.below(100) {
            _ if state.is_faithful => Fate::Arrives,
            0..=9 => Fate::Lost,
            10..=19 => Fate::Unanswered,
            20..=34 => Fate::Late,
            35..=49 => Fate::Twice,
            50..=64 => Fate::Forged,
            _ => Fate::Arrives,
        };
        if fate != Fate::Arrives {
            self.trace.say(format!("event {}: {fate:?}", delivery.event.unwrap()));
        }
        match fate {
            Fate::Arrives => self.hand_over(app, state, delivery),
            Fate::Lost => 200,
            Fate::Unanswered => {
                self.hand_over(app, state, delivery);
                0
            }
            Fate::Late => {
                let at = Instant::now() + state.dice.duration(SECOND, 2 * HOUR);
                state.late.push((at, delivery.clone()));
                200
            }
            Fate::Twice => {
                self.hand_over(app, state, delivery);
                self.hand_over(app, state, delivery)
            }
            Fate::Forged => {
                self.forge(app, state, delivery);
                401
            }
        }
    }

    /// The connector hears an event of Notion's; the status of its answer, 0 if it dies over it.
    fn hand_over(&self, app: &App, state: &mut State, delivery: &Delivery) -> u16 {
        let (Some(endpoint), true) = (&state.endpoint, app.store.changes_left() > 0) else { return 0 };
        let id = delivery.event.unwrap();
        let before = self.webhook(app);
        let signature = delivery.signature.as_deref().map(str::as_bytes);
        match ops::receive_webhook(app, &endpoint.path, signature, &delivery.body) {
            Ok(received) => assert_eq!(received, Received::Event, "{:?}", delivery.body),
            Err(error) => {
                assert_eq!(app.store.changes_left(), 0, "not heard: {error}");
                return 0;
            }
        }
        (self.synced)();
        self.trace.say(format!("event {id} is heard: {}", summary(delivery)));
        state.heard.events += 1;
        let known = state.taken.get(&id).is_some_and(|at| at.elapsed() < KNOWN_AGAIN);
        let again = self.webhook(app).repeated - before.repeated;
        assert!(!known || again == 1, "event {id} was answered before, and is not known any more");
        if state.old.len() < MAX_OLD {
            state.old.push(delivery.clone());
        }
        let Some((events, is_answered)) = state.death else {
            state.taken.insert(id, Instant::now());
            return 200;
        };
        if events > 0 {
            state.death = Some((events - 1, is_answered));
        } else {
            state.death = None;
            app.store.refuse_after(0);
        }
        if events > 0 || is_answered {
            state.taken.insert(id, Instant::now());
            200
        } else {
            0
        }
    }

    /// Somebody else sends something in Notion's name. It is refused, and counted as that and nothing else.
    fn forge(&self, app: &App, state: &mut State, delivery: &Delivery) {
        let (Some(endpoint), true) = (&state.endpoint, app.store.changes_left() > 1) else { return };
        let zeros = format!("sha256={}", "0".repeat(64));
        let right = delivery.signature.clone();
        let mut changed: Value = serde_json::from_slice(&delivery.body).unwrap();
        changed["type"] = json!("page.deleted");
        let (signature, body, refusal) = match state.dice.below(4) {
            0 => (None, delivery.body.to_vec(), Received::Unsigned),
            1 => (Some(zeros), delivery.body.to_vec(), Received::Unsigned),
            2 => (right, format!("{changed} ").into_bytes(), Received::Unsigned),
            // The window is closed.
            _ => (None, br#"{"verification_token":"secret_forged"}"#.to_vec(), Received::Unwanted),
        };
        let before = self.webhook(app);
        let signature = signature.as_deref().map(str::as_bytes);
        match ops::receive_webhook(app, &endpoint.path, signature, &body) {
            Ok(received) => assert_eq!(received, refusal),
            // The process was about to die, and a crawl took the last change.
            Err(error) => return assert_eq!(app.store.changes_left(), 0, "{error}"),
        }
        let mut after = self.webhook(app);
        after.refused -= 1;
        assert_eq!(format!("{before:?}"), format!("{after:?}"), "what was refused changes nothing");
        state.heard.forged += 1;
    }
}

fn summary(delivery: &Delivery) -> String {
    let event: Value = serde_json::from_slice(&delivery.body).unwrap();
    format!("{} {}", event["type"].as_str().unwrap(), event["entity"]["id"].as_str().unwrap())
}
