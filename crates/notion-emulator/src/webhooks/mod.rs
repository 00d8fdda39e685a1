//! Webhooks: subscriptions, and the queue of events that wait for their delivery. Pure: `post` sends, `events` says what
//! happened.
//!
//! Sources: developers.notion.com "webhooks" and "webhooks-events-delivery". Most events are gathered for up to a minute,
//! those about the same object into one; an answer that is no 2xx is tried again up to eight times in all, the last time
//! about a day later. How the tries lie between, and how long Notion waits for an answer, is not published.

pub(crate) mod events;
mod post;
pub(crate) mod verbs;

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use post::{loopback, sign};

use self::events::Happening;
use crate::objects::exact_utc;
use crate::rules::auth::Token;
use crate::world::World;
use crate::world::ids::Space;

/// Tries of one event ("webhooks-events-delivery").
const MAX_ATTEMPTS: u32 = 8;
/// The pause after the first try; each further one is three times as long, so that the eighth try comes a day later.
const FIRST_PAUSE_MS: i64 = 80_000;
/// Events that are told of at most; older ones that came to an end are forgotten.
const MAX_EVENTS: usize = 100_000;

/// Where events go, once somebody brought the token back.
#[derive(Debug)]
struct Subscription {
    id: Uuid,
    url: String,
    /// The integration, as a place in the list of tokens.
    token: usize,
    /// Its bot, which stands for its id.
    integration: Uuid,
    verification_token: String,
    verified: bool,
    /// The types it wants; all of them if there are none.
    types: BTreeSet<String>,
    api_version: String,
    /// Whether it belongs to a public integration, whose events say who can see the object.
    public: bool,
}

/// What is asked for when a subscription is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    /// The endpoint: HTTP on this machine.
    pub url: String,
    /// Whose subscription it is; the first token's by default.
    #[serde(default)]
    pub token: Option<String>,
    /// The types of events that it wants; all by default.
    #[serde(default)]
    pub types: BTreeSet<String>,
    /// `api_version` of its events.
    #[serde(default = "current_version")]
    pub api_version: String,
    /// Events carry `accessible_by`, as for a public integration.
    #[serde(default)]
    pub public: bool,
}

fn current_version() -> String {
    "2026-03-11".to_owned()
}

/// Where an event is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Its (next) try is to come.
    Waiting,
    /// A try is under way.
    UnderWay,
    /// Answered with 2xx.
    Delivered,
    /// Eight tries failed.
    GivenUp,
    /// Lost on the way by a fault: never sent.
    Lost,
}

/// One event of one subscription.
#[derive(Debug)]
struct Event {
    id: Uuid,
    subscription: Uuid,
    kind: &'static str,
    entity: Uuid,
    envelope: Value,
    state: EventState,
    due_ms: i64,
    /// Tries so far.
    attempts: u32,
    /// Sent once more although it was delivered.
    repeats: u32,
    /// The last answer; 0 if there was none.
    status: Option<u16>,
}

/// What befalls the next events when they come into being.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookFault {
    /// What befalls them.
    pub kind: WebhookFaultKind,
    /// How many events, after `skip` of them.
    #[serde(default = "one")]
    pub count: u32,
    /// How many events pass before.
    #[serde(default)]
    pub skip: u32,
    /// How much later a delayed one is sent, which puts it behind younger ones.
    #[serde(default)]
    pub delay_ms: i64,
}

const fn one() -> u32 {
    1
}

/// What befalls an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFaultKind {
    /// It is never sent.
    Lose,
    /// It is sent once more after it was delivered.
    Repeat,
    /// It is sent later.
    Delay,
}

/// A request to an endpoint.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The event's place in the queue; none for a verification token.
    pub event: Option<Uuid>,
    /// The endpoint.
    pub url: String,
    /// `X-Notion-Signature`; none for a verification token.
    pub signature: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// All subscriptions and events.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    subscriptions: Vec<Subscription>,
    events: VecDeque<Event>,
    faults: Vec<WebhookFault>,
    /// Grows with each subscription and event that ever was.
    made: u32,
}

impl Webhooks {
    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.subscriptions.iter().any(|one| one.verified)
    }

    /// Makes a subscription, not verified yet; its id and the request that carries its token.
    pub(crate) fn subscribe(
        &mut self,
        world: &World,
        new: NewSubscription,
        token: usize,
        bot: u32,
    ) -> (Uuid, Delivery) {
        let number = self.made;
        self.made += 1;
        let seal = |detail| world.ids().seal(Space::Subscription, number, detail);
        let id = seal(0);
        self.subscriptions.push(Subscription {
            id,
            url: new.url,
            token,
            integration: world.user_id(bot),
            verification_token: format!("secret_{}{}", seal(1).simple(), seal(2).simple()),
            verified: false,
            types: new.types,
            api_version: new.api_version,
            public: new.public,
        });
        let handshake = self.handshake(id);
        (id, handshake.unwrap_or_else(|| Delivery::unsigned(String::new(), &Value::Null)))
    }

    /// The request that carries the token of a subscription; none if there is no such subscription.
    pub(crate) fn handshake(&self, id: Uuid) -> Option<Delivery> {
        let found = self.subscriptions.iter().find(|one| one.id == id)?;
        let body = json!({"verification_token": found.verification_token});
        Some(Delivery::unsigned(found.url.clone(), &body))
    }

    /// Somebody brings the token back; whether it is the right one, or nothing if there is no such subscription.
    pub(crate) fn verify(&mut self, id: Uuid, token: &str) -> Option<bool> {
        let found = self.subscriptions.iter_mut().find(|one| one.id == id)?;
        let right = found.verification_token == token;
        found.verified |= right;
        Some(right)
    }

    /// Ends a subscription with all that waits for it; false if there is none.
    pub(crate) fn unsubscribe(&mut self, id: Uuid) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|one| one.id != id);
        self.events.retain(|event| event.subscription != id || !matches!(event.state, EventState::Waiting));
        before != self.subscriptions.len()
    }

    /// Something befalls events to come.
    pub(crate) fn push_fault(&mut self, fault: WebhookFault) {
        self.faults.push(fault);
    }

    /// Forgets what was to befall.
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Makes events of what happened, for each subscription that may and wants to know.
    pub(crate) fn tell(
        &mut self,
        (world, tokens): (&World, &[Token]),
        happened: &[Happening],
        now_ms: i64,
        aggregation_ms: i64,
    ) {
        for at in 0..self.subscriptions.len() {
            for one in happened {
                let subscription = &self.subscriptions[at];
                let Some(token) = tokens.get(subscription.token) else { continue };
                let wanted = subscription.types.is_empty() || subscription.types.contains(one.kind);
                let may_know = token.access.sees(world, one.about)
                    && (!one.kind.starts_with("comment.") || token.capabilities.read_comments);
                if subscription.verified && wanted && may_know {
                    self.add(world, at, one, now_ms, aggregation_ms);
                }
            }
        }
    }

    fn add(&mut self, world: &World, at: usize, one: &Happening, now_ms: i64, aggregation_ms: i64) {
        let subscription = self.subscriptions[at].id;
        let waits = |event: &&mut Event, kind: &str| {
            event.subscription == subscription
                && event.entity == one.entity.0
                && event.kind == kind
                && event.state == EventState::Waiting
                && event.attempts == 0
        };
        if !one.is_immediate() {
            if let Some(event) = self.events.iter_mut().find(|event| waits(event, one.kind)) {
                events::merge(&mut event.envelope, one);
                return;
            }
            let undone = one.undoes();
            let before = self.events.len();
            self.events.retain_mut(|event| !undone.is_some_and(|kind| waits(&event, kind)));
            if self.events.len() < before {
                return;
            }
        }
        let id = world.ids().seal(Space::Event, self.made, 0);
        self.made += 1;
        let due_ms = now_ms + if one.is_immediate() { 0 } else { aggregation_ms };
        let envelope = self.envelope(world, at, id, one, now_ms);
        let mut event = Event {
            id,
            subscription,
            kind: one.kind,
            entity: one.entity.0,
            envelope,
            state: EventState::Waiting,
            due_ms,
            attempts: 0,
            repeats: 0,
            status: None,
        };
        self.befall(&mut event);
        self.events.push_back(event);
        while self.events.len() > MAX_EVENTS && self.events.front().is_some_and(Event::has_ended) {
            self.events.pop_front();
        }
    }

    fn envelope(&self, world: &World, at: usize, id: Uuid, one: &Happening, now_ms: i64) -> Value {
        let subscription = &self.subscriptions[at];
        let mut envelope = json!({
            "id": id,
            "timestamp": exact_utc(now_ms),
            "workspace_id": world.workspace_id(),
            "workspace_name": world.name(),
            "subscription_id": subscription.id,
            "integration_id": subscription.integration,
            "authors": one.authors,
        });
        if subscription.public {
            envelope["accessible_by"] = json!([{"id": subscription.integration, "type": "bot"}]);
        }
        envelope["attempt_number"] = json!(1);
        envelope["api_version"] = json!(subscription.api_version);
        envelope["entity"] = json!({"id": one.entity.0, "type": one.entity.1});
        envelope["type"] = json!(one.kind);
        envelope["data"] = Value::Object(one.data.clone());
        envelope
    }

    fn befall(&mut self, event: &mut Event) {
        let Some(fault) = self.faults.first_mut() else { return };
        if fault.skip > 0 {
            fault.skip -= 1;
            return;
        }
        match fault.kind {
            WebhookFaultKind::Lose => event.state = EventState::Lost,
            WebhookFaultKind::Repeat => event.repeats = 1,
            WebhookFaultKind::Delay => event.due_ms += fault.delay_ms,
        }
        fault.count = fault.count.saturating_sub(1);
        if fault.count == 0 {
            self.faults.remove(0);
        }
    }

    /// The requests that are due, in the order in which they are made; with `all`, whatever waits.
    pub(crate) fn take_due(&mut self, now_ms: i64, all: bool, reversed: bool) -> Vec<Delivery> {
        let mut due: Vec<&mut Event> = self
            .events
            .iter_mut()
            .filter(|event| event.state == EventState::Waiting && (all || event.due_ms <= now_ms))
            .collect();
        due.sort_by_key(|event| event.due_ms);
        if reversed {
            due.reverse();
        }
        let subscriptions = &self.subscriptions;
        due.into_iter()
            .filter_map(|event| {
                let subscription = subscriptions.iter().find(|one| one.id == event.subscription)?;
                event.state = EventState::UnderWay;
                event.attempts += 1;
                event.envelope["attempt_number"] = json!(event.attempts);
                let body = Bytes::from(event.envelope.to_string());
                let signature = Some(sign(&subscription.verification_token, &body));
                Some(Delivery { event: Some(event.id), url: subscription.url.clone(), signature, body })
            })
            .collect()
    }

    /// What came of a request: the status of the answer, 0 if there was none.
    pub(crate) fn answered(&mut self, event: Uuid, status: u16, now_ms: i64) {
        let Some(event) = self.events.iter_mut().find(|one| one.id == event) else { return };
        event.status = Some(status);
        event.state = if (200..300).contains(&status) {
            if event.repeats > 0 {
                event.repeats -= 1;
                event.attempts -= 1;
                event.due_ms = now_ms;
                EventState::Waiting
            } else {
                EventState::Delivered
            }
        } else if event.attempts >= MAX_ATTEMPTS {
            EventState::GivenUp
        } else {
            event.due_ms = now_ms + FIRST_PAUSE_MS * 3_i64.pow(event.attempts - 1);
            EventState::Waiting
        };
    }

    /// Subscriptions and events, as the control API shows them. Verification tokens are not among it: they are known to who
    /// listens at the endpoint.
    pub(crate) fn report(&self) -> Value {
        let subscriptions: Vec<Value> = self
            .subscriptions
            .iter()
            .map(|one| {
                json!({"id": one.id, "url": one.url, "integration_id": one.integration, "verified": one.verified, "types": one.types})
            })
            .collect();
        let events: Vec<Value> = self.events.iter().map(Event::report).collect();
        json!({"subscriptions": subscriptions, "events": events, "faults": self.faults})
    }

    /// The events of that id, as the control API shows them.
    pub(crate) fn report_of(&self, id: Uuid) -> Option<Value> {
        self.events.iter().find(|event| event.id == id).map(Event::report)
    }
}

impl Event {
    const fn has_ended(&self) -> bool {
        !matches!(self.state, EventState::Waiting | EventState::UnderWay)
    }

    fn report(&self) -> Value {
        json!({"id": self.id, "subscription_id": self.subscription, "type": self.kind, "entity": self.envelope["entity"],
            "data": self.envelope["data"], "state": self.state, "due": exact_utc(self.due_ms), "attempts": self.attempts,
            "status": self.status})
    }
}

impl Delivery {
    fn unsigned(url: String, body: &Value) -> Self {
        Self { event: None, url, signature: None, body: Bytes::from(body.to_string()) }
    }
}
