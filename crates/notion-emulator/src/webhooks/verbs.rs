//! What a test does with webhooks, and how the other verbs tell what they did.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::events::{self, Happening};
use super::{Delivery, NewSubscription, WebhookFault, loopback};
use crate::emulator::{Emulator, State};
use crate::verbs::VerbError;
use crate::world::World;
use crate::world::model::{Ix, Kind};

/// A page with the blocks it had.
pub(crate) type Blocks = (Ix, BTreeSet<Uuid>);

/// That a page has blocks which it did not have before, or no longer those; nothing else about them is told.
pub(crate) fn changed_content(world: &World, before: Option<Blocks>) -> Option<Happening> {
    let (page, before) = before?;
    let now = events::blocks_of(world, page);
    let changed: Vec<Uuid> = now.symmetric_difference(&before).copied().collect();
    (!changed.is_empty()).then(|| events::content(world, page, &changed))
}

impl Emulator {
    /// The blocks of what is to be changed, if it is a page and somebody is to be told.
    pub(crate) fn blocks_before(&self, state: &State, page: Option<Ix>) -> Option<Blocks> {
        let page =
            page.filter(|ix| state.world.entity(*ix).kind == Kind::Page && self.webhooks().is_heard())?;
        Some((page, events::blocks_of(&state.world, page)))
    }

    /// Tells subscriptions what happened, if there are any.
    pub(crate) fn tell(&self, state: &State, what: impl FnOnce(&World, &mut Vec<Happening>)) {
        let mut webhooks = self.webhooks();
        if webhooks.is_heard() {
            let mut happened = Vec::new();
            what(&state.world, &mut happened);
            let gathering_ms = self.behavior().webhook_gathering_ms;
            webhooks.tell((&state.world, &state.tokens), &happened, self.now_ms(), gathering_ms);
        }
    }

    /// Subscribes an endpoint on this machine, as a person does in Notion's settings, and sends it the verification token.
    /// The subscription's id, and the status of the answer, 0 if there was none.
    ///
    /// # Errors
    /// If the endpoint is elsewhere or the token is unknown.
    pub async fn subscribe(&self, new: NewSubscription) -> Result<(Uuid, u16), VerbError> {
        if loopback(&new.url).is_none() {
            return Err(VerbError::NotHere(new.url));
        }
        let (id, handshake) = {
            let mut state = self.state_mut();
            let token = state.token(new.token.as_deref())?;
            let bot = state.tokens[token].bot;
            self.webhooks().subscribe(&state.world, new, token, bot)
        };
        Ok((id, self.send(&handshake).await))
    }

    /// Sends the verification token of a subscription again; the status of the answer, 0 if there was none.
    ///
    /// # Errors
    /// If there is no such subscription.
    pub async fn resend_verification(&self, id: Uuid) -> Result<u16, VerbError> {
        let handshake = self.webhooks().handshake(id).ok_or(VerbError::UnknownSubscription(id))?;
        Ok(self.send(&handshake).await)
    }

    /// The request that carries the verification token of a subscription, for who sends it in another way.
    #[must_use]
    pub fn verification_request(&self, id: Uuid) -> Option<Delivery> {
        self.webhooks().handshake(id)
    }

    /// Brings the verification token back, as a person does; from then on events are sent.
    ///
    /// # Errors
    /// If there is no such subscription, or the token is another one.
    pub fn verify_subscription(&self, id: Uuid, token: &str) -> Result<(), VerbError> {
        match self.webhooks().verify(id, token) {
            Some(true) => Ok(()),
            Some(false) => Err(VerbError::WrongVerificationToken),
            None => Err(VerbError::UnknownSubscription(id)),
        }
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// If there is none.
    pub fn unsubscribe(&self, id: Uuid) -> Result<(), VerbError> {
        if self.webhooks().unsubscribe(id) { Ok(()) } else { Err(VerbError::UnknownSubscription(id)) }
    }

    /// Lets something befall the next events.
    pub fn push_webhook_fault(&self, fault: WebhookFault) {
        self.webhooks().push_fault(fault);
    }

    /// Lets nothing more befall events.
    pub fn clear_webhook_faults(&self) {
        self.webhooks().clear_faults();
    }

    /// Subscriptions and events.
    #[must_use]
    pub fn webhook_report(&self) -> Value {
        self.webhooks().report()
    }
}
