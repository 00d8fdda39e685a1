//! What a test, or a person at the control API, does to a running emulator. Every verb names objects by id.
//!
//! A new verb: a method here, a line in `control.rs`, a row in `docs/reference/emulator.md`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::emulator::{Emulator, State};
use crate::faults::{Fault, Plan, RandomFaults};
use crate::log::Entry;
use crate::options::Behavior;
use crate::rules::auth::Capabilities;
use crate::rules::limit::Window;
use crate::seed::{CommentSeed, Content};
use crate::webhooks::events;
use crate::webhooks::verbs::changed_content;
use crate::world::ids::Space;
use crate::world::model::{Ix, Kind, Parent};
use crate::world::plant::{PlantError, SeedFiles, Uploads};
use crate::world::{Found, Override, rich_text};

/// Why a verb was refused.
#[derive(Debug, thiserror::Error)]
pub enum VerbError {
    /// No such object.
    #[error("{0} names nothing here; GET /_emulator/truth lists what there is")]
    UnknownId(Uuid),
    /// No such token.
    #[error("no token {0:?} is accepted; GET /_emulator/state lists those that are")]
    UnknownToken(String),
    /// The verb does not fit the object.
    #[error("{id} is a {kind}, which cannot be {verb}")]
    WrongKind {
        /// The object.
        id: Uuid,
        /// What it is.
        kind: &'static str,
        /// What was asked for.
        verb: &'static str,
    },
    /// No such file.
    #[error("there is no file {0}; GET /_emulator/truth lists those that there are")]
    UnknownFile(Uuid),
    /// The row's data source has no such property.
    #[error("{id} has no property {name:?}")]
    UnknownProperty {
        /// The row.
        id: Uuid,
        /// The property.
        name: String,
    },
    /// The seed does not fit.
    #[error(transparent)]
    Plant(#[from] PlantError),
    /// An endpoint elsewhere.
    #[error(
        "{0:?} is no http:// address of this machine: webhooks of an emulator go to 127.0.0.1, [::1] and localhost only"
    )]
    NotHere(String),
    /// No such subscription.
    #[error("there is no subscription {0}; GET /_emulator/webhooks lists those that there are")]
    UnknownSubscription(Uuid),
    /// Another verification token than the endpoint was sent.
    #[error(
        "this is not the verification token that was sent to the endpoint; POST webhook-resend sends it again"
    )]
    WrongVerificationToken,
}

/// Changes to one page, row, database, data source or block.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edit {
    /// A new title.
    pub title: Option<String>,
    /// Content for the end of the body; for a block, of its children.
    pub append: Vec<Content>,
    /// A new body. Child pages and databases stay.
    pub body: Option<Vec<Content>>,
    /// For a row: property name → value payload.
    pub properties: Map<String, Value>,
    /// For a block: a new payload.
    pub payload: Option<Value>,
    /// New marker words, as `truth` tells them.
    pub markers: Option<Vec<String>>,
}

impl State {
    pub(crate) fn found(&self, id: Uuid) -> Result<Found, VerbError> {
        match self.world.find(id) {
            Some(Found::Block(page, ordinal)) if !self.world.has_block(page, ordinal) => {
                Err(VerbError::UnknownId(id))
            }
            Some(found) => Ok(found),
            None => Err(VerbError::UnknownId(id)),
        }
    }

    fn entity(&self, id: Uuid, verb: &'static str) -> Result<Ix, VerbError> {
        match self.found(id)? {
            Found::Entity(ix) => Ok(ix),
            Found::Block(..) => Err(VerbError::WrongKind { id, kind: "block", verb }),
        }
    }

    /// The place that an id means for new content.
    pub(crate) fn place(&self, id: Option<Uuid>) -> Result<Parent, VerbError> {
        let Some(id) = id else { return Ok(Parent::Workspace) };
        Ok(match self.found(id)? {
            Found::Block(page, ordinal) => Parent::Block(page, ordinal),
            Found::Entity(ix) => match self.world.entity(ix).kind {
                Kind::Page => Parent::Page(ix),
                Kind::DataSource => Parent::DataSource(ix),
                Kind::Database => match self.world.entity(ix).children[..] {
                    [only] => Parent::DataSource(only),
                    _ => return Err(PlantError::NotAPlace(id).into()),
                },
            },
        })
    }

    pub(crate) fn token(&mut self, secret: Option<&str>) -> Result<usize, VerbError> {
        let position = match secret {
            None => (!self.tokens.is_empty()).then_some(0),
            Some(secret) => self.tokens.iter().position(|token| token.secret == secret),
        };
        position.ok_or_else(|| VerbError::UnknownToken(secret.unwrap_or_default().to_owned()))
    }
}

impl Emulator {
    pub(crate) fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    /// Plants content below a page, block or data source, or at the top level; the ids of the new pages and databases.
    /// `files` are the files that the content refers to, by name.
    ///
    /// # Errors
    /// If the place is unknown or takes no such content, or a reference names nothing.
    pub fn seed(
        &self,
        parent: Option<Uuid>,
        contents: &[Content],
        files: &SeedFiles,
    ) -> Result<Vec<Uuid>, VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let place = state.place(parent)?;
        let before = self.blocks_before(&state, place.holder());
        let planted = state.world.plant_below(place, contents, files, now_ms)?;
        self.tell(&state, |world, happened| {
            happened.extend(changed_content(world, before));
            events::created(world, &planted, happened);
        });
        Ok(planted.into_iter().map(|ix| state.world.id(ix)).collect())
    }

    /// Changes an object; the ids of pages and databases that the change brought.
    ///
    /// # Errors
    /// If the object is unknown or a change does not fit it.
    pub fn edit(&self, id: Uuid, edit: Edit, files: &SeedFiles) -> Result<Vec<Uuid>, VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let mut planted = Vec::new();
        let found = state.found(id)?;
        let (Found::Entity(edited) | Found::Block(edited, _)) = found;
        let before = self.blocks_before(&state, Some(edited));
        let (has_title, is_block) = (edit.title.is_some(), edit.payload.is_some());
        let names: Vec<String> = edit.properties.keys().cloned().collect();
        let mut uploads = Uploads::new(files);
        let wrong = |verb| VerbError::WrongKind { id, kind: "block", verb };
        match found {
            Found::Block(page, ordinal) => {
                if edit.title.is_some() || edit.body.is_some() || !edit.properties.is_empty() {
                    return Err(wrong("given a title, a body or properties"));
                }
                if let Some(mut payload) = edit.payload {
                    state.world.resolve(&mut payload, &mut uploads)?;
                    state.world.set_block(page, ordinal, payload, now_ms);
                }
            }
            Found::Entity(ix) => {
                if edit.payload.is_some() {
                    return Err(VerbError::WrongKind {
                        id,
                        kind: "page or database",
                        verb: "given a payload",
                    });
                }
                if let Some(title) = edit.title {
                    state.world.set_title(ix, &title, now_ms);
                }
                if let Some(body) = edit.body {
                    planted.extend(state.world.replace_body(ix, &body, files, now_ms)?);
                }
                for (name, mut value) in edit.properties {
                    state.world.resolve(&mut value, &mut uploads)?;
                    if !state.world.set_property(ix, &name, value, now_ms) {
                        return Err(VerbError::UnknownProperty { id, name });
                    }
                }
                if let Some(markers) = edit.markers
                    && let Some(page) = state.world.page_mut(ix)
                {
                    page.markers = markers;
                }
            }
        }
        if !edit.append.is_empty() {
            let place = state.place(Some(id))?;
            planted.extend(state.world.plant_below(place, &edit.append, files, now_ms)?);
        }
        self.tell(&state, |world, happened| {
            happened.extend(changed_content(world, before));
            if has_title || is_block {
                let block: &[Uuid] = if is_block { &[id] } else { &[] };
                happened.push(events::content(world, edited, block));
            }
            if !names.is_empty() {
                happened.push(events::properties(world, edited, &names));
            }
            events::created(world, &planted, happened);
        });
        Ok(planted.into_iter().map(|ix| state.world.id(ix)).collect())
    }

    /// Adds a comment to a page or block; its id. The first person writes it.
    ///
    /// # Errors
    /// If the object is unknown.
    pub fn comment(&self, id: Uuid, text: &str, markers: Vec<String>) -> Result<Uuid, VerbError> {
        let seed = CommentSeed { rich_text: rich_text::plain(text), markers, ..CommentSeed::default() };
        self.seed_comment(id, &seed, &SeedFiles::new())
    }

    /// Adds a comment to a page or block as a seed describes it, whose `block` is not looked at; its id.
    ///
    /// # Errors
    /// If the object is unknown or the seed refers to something unknown.
    pub fn seed_comment(&self, id: Uuid, seed: &CommentSeed, files: &SeedFiles) -> Result<Uuid, VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let place = match state.found(id)? {
            Found::Block(page, ordinal) => (page, ordinal),
            Found::Entity(ix) => (ix, 0),
        };
        let number = state.world.plant_comment(place, seed, &mut Uploads::new(files), now_ms)?;
        self.tell(&state, |world, happened| happened.extend(events::commented(world, number)));
        Ok(state.world.ids().seal(Space::Comment, number, 0))
    }

    /// Resolves a comment, which then cannot be read, or opens it again.
    ///
    /// # Errors
    /// If there is no such comment.
    pub fn resolve_comment(&self, id: Uuid, resolved: bool) -> Result<(), VerbError> {
        let mut state = self.state_mut();
        let address = state.world.ids().open(id).filter(|address| address.space == Space::Comment);
        let done = address.is_some_and(|address| state.world.set_resolved(address.index, resolved));
        if done { Ok(()) } else { Err(VerbError::UnknownId(id)) }
    }

    /// Lets an object be delivered as given: laid over what the world says, or with `whole` in its place; without one, as
    /// the world says again. A child page or database is both itself and a block, which `kind` (`"block"`) tells apart; `"page_markdown"` is what
    /// the markdown endpoint answers.
    ///
    /// # Errors
    /// If the id names nothing.
    pub fn deliver(
        &self,
        id: Uuid,
        kind: Option<&str>,
        object: Option<Value>,
        whole: bool,
    ) -> Result<(), VerbError> {
        let mut state = self.state_mut();
        let space = state.world.ids().open(id).map(|address| address.space);
        let own_kind = match space {
            Some(Space::User) => "user",
            Some(Space::Comment) => "comment",
            _ => match state.found(id)? {
                Found::Block(..) => "block",
                Found::Entity(ix) => match state.world.entity(ix).kind {
                    Kind::Page => "page",
                    Kind::Database => "database",
                    Kind::DataSource => "data_source",
                },
            },
        };
        let given = object.map(|object| Override { object, whole });
        state.world.set_override(id, kind.unwrap_or(own_kind), given);
        Ok(())
    }

    /// Adds one of the workspace's own emoji; its id.
    pub fn add_custom_emoji(&self, name: &str, url: &str) -> Uuid {
        self.state_mut().world.add_custom_emoji(name, url)
    }

    /// Adds a person; their id.
    pub fn add_person(&self, person: &Value) -> Uuid {
        let mut state = self.state_mut();
        let number = state.world.add_person(person);
        state.world.user_id(number)
    }

    /// Lets a person leave the workspace, or come back.
    ///
    /// # Errors
    /// If there is no such user.
    pub fn set_user_gone(&self, id: Uuid, gone: bool) -> Result<(), VerbError> {
        let mut state = self.state_mut();
        let address = state.world.ids().open(id).filter(|address| address.space == Space::User);
        let done = address.is_some_and(|address| state.world.set_user_gone(address.index, gone));
        if done { Ok(()) } else { Err(VerbError::UnknownId(id)) }
    }

    /// Moves a page, database, data source or block into the trash.
    ///
    /// # Errors
    /// If the object is unknown.
    pub fn trash(&self, id: Uuid) -> Result<(), VerbError> {
        self.set_trashed(id, true)
    }

    /// Takes an object out of the trash.
    ///
    /// # Errors
    /// If the object is unknown.
    pub fn restore(&self, id: Uuid) -> Result<(), VerbError> {
        self.set_trashed(id, false)
    }

    fn set_trashed(&self, id: Uuid, trashed: bool) -> Result<(), VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        match state.found(id)? {
            Found::Entity(ix) => {
                state.world.set_trashed(ix, trashed, now_ms);
                self.tell(&state, |world, happened| events::trashed(world, ix, trashed, happened));
            }
            Found::Block(page, ordinal) => {
                state.world.set_block_trashed(page, ordinal, trashed, now_ms);
                self.tell(&state, |world, happened| happened.push(events::content(world, page, &[id])));
            }
        }
        Ok(())
    }

    /// Archives a page or brings it back.
    ///
    /// # Errors
    /// If the object is unknown or a block.
    pub fn set_archived(&self, id: Uuid, archived: bool) -> Result<(), VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let ix = state.entity(id, "archived")?;
        state.world.set_archived(ix, archived, now_ms);
        Ok(())
    }

    /// Removes an object and everything below it for good.
    ///
    /// # Errors
    /// If the object is unknown or a block.
    pub fn purge(&self, id: Uuid) -> Result<(), VerbError> {
        let mut state = self.state_mut();
        let ix = state.entity(id, "purged; trash it")?;
        state.world.purge(ix);
        Ok(())
    }

    /// Moves a page or database below another page, block or data source, or to the top level.
    ///
    /// # Errors
    /// If an id is unknown or the place takes no such object.
    pub fn move_to(&self, id: Uuid, parent: Option<Uuid>) -> Result<(), VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let ix = state.entity(id, "moved")?;
        if state.world.entity(ix).kind == Kind::DataSource {
            return Err(VerbError::WrongKind { id, kind: "data source", verb: "moved; move its database" });
        }
        let place = state.place(parent)?;
        state.world.move_to(ix, place, now_ms)?;
        self.tell(&state, |world, happened| events::moved(world, ix, happened));
        Ok(())
    }

    /// Shares an object and everything below it with a token; without one, the first.
    ///
    /// # Errors
    /// If the object or the token is unknown.
    pub fn share(&self, id: Uuid, token: Option<&str>) -> Result<(), VerbError> {
        self.set_shared(id, token, true)
    }

    /// Takes an object and everything below it from a token; without one, the first.
    ///
    /// # Errors
    /// If the object or the token is unknown.
    pub fn unshare(&self, id: Uuid, token: Option<&str>) -> Result<(), VerbError> {
        self.set_shared(id, token, false)
    }

    fn set_shared(&self, id: Uuid, token: Option<&str>, shared: bool) -> Result<(), VerbError> {
        let mut state = self.state_mut();
        let ix = state.entity(id, "shared; share its page")?;
        let token = state.token(token)?;
        let State { world, tokens, .. } = &mut *state;
        if shared {
            tokens[token].access.share(world, ix);
        } else {
            tokens[token].access.unshare(world, ix);
        }
        Ok(())
    }

    /// Takes everything from a token that was given the whole workspace, so that it sees what is shared with it only.
    ///
    /// # Errors
    /// If the token is unknown.
    pub fn unshare_all(&self, token: Option<&str>) -> Result<(), VerbError> {
        let mut state = self.state_mut();
        let token = state.token(token)?;
        state.tokens[token].access = crate::world::access::Access::default();
        Ok(())
    }

    /// Gives a token other capabilities, or revokes it.
    ///
    /// # Errors
    /// If the token is unknown.
    pub fn set_token(
        &self,
        token: Option<&str>,
        capabilities: Option<Capabilities>,
        revoked: Option<bool>,
    ) -> Result<(), VerbError> {
        let mut state = self.state_mut();
        let token = state.token(token)?;
        if let Some(capabilities) = capabilities {
            state.tokens[token].capabilities = capabilities;
        }
        if let Some(revoked) = revoked {
            state.tokens[token].revoked = revoked;
        }
        Ok(())
    }

    /// Moves the world's clock on.
    pub fn advance(&self, by: Duration) {
        self.inner.clock.advance(by);
    }

    /// Sets the request limits, counting anew.
    pub fn set_limits(&self, token: Option<Window>, workspace: Option<Window>) {
        let mut limits = self.limits();
        limits.reset();
        limits.token = token;
        limits.workspace = workspace;
    }

    /// Replaces the switches.
    pub fn set_behavior(&self, behavior: Behavior) {
        *self.behavior_mut() = behavior;
    }

    /// Sets the time from request to answer.
    pub fn set_latency(&self, latency: Duration) {
        self.behavior_mut().latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    }

    /// Lets coming requests fail.
    pub fn push_fault(&self, fault: Fault) {
        self.faults().push(fault);
    }

    /// Lets requests fail at random, in place of what was random before.
    pub fn set_random_faults(&self, random: RandomFaults) {
        self.faults().set_random(random);
    }

    /// Lets a verb of the control API happen right before a coming request.
    pub fn plan(&self, plan: Plan) {
        self.faults().plan(plan);
    }

    /// Plans that were refused when their time came.
    #[must_use]
    pub fn refused_plans(&self) -> Vec<Value> {
        self.faults().refused().to_vec()
    }

    /// Forgets the faults and plans still to come.
    pub fn clear_faults(&self) {
        self.faults().clear();
    }

    /// The requests answered so far, oldest first.
    #[must_use]
    pub fn request_log(&self) -> Vec<Entry> {
        self.log().entries().cloned().collect()
    }

    /// The log with its counts, as `GET /_emulator/requests` shows it.
    #[must_use]
    pub fn request_report(&self) -> Value {
        self.log().report()
    }

    /// Forgets the log.
    pub fn clear_requests(&self) {
        self.log().clear();
    }

    /// Everything that a token can see; without one, the first.
    ///
    /// # Errors
    /// If the token is unknown.
    pub fn truth(&self, token: Option<&str>) -> Result<Vec<Value>, VerbError> {
        let state = self.state();
        let found = match token {
            None => state.tokens.first(),
            Some(secret) => state.tokens.iter().find(|token| token.secret == secret),
        };
        let token = found.ok_or_else(|| VerbError::UnknownToken(token.unwrap_or_default().to_owned()))?;
        Ok(state.world.truth(&token.access))
    }

    /// The id of the object that a seed gave this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Uuid> {
        let state = self.state();
        state.world.named(name).map(|found| state.world.found_id(found))
    }

    /// What is set at present: clock, tokens, limits, switches, faults.
    #[must_use]
    pub fn settings(&self) -> Value {
        let points = self.start_points();
        let state = self.state();
        let tokens: Vec<Value> = state
            .tokens
            .iter()
            .map(|token| {
                json!({"token": token.secret, "name": token.name, "bot": state.world.user_id(token.bot),
                    "capabilities": token.capabilities, "revoked": token.revoked, "start_points": points.get(&token.secret)})
            })
            .collect();
        let limits = self.limits();
        json!({
            "now": crate::objects::exact_utc(self.now_ms()),
            "workspace": {"id": state.world.workspace_id(), "name": state.world.name()},
            "tokens": tokens,
            "limit": limits.token,
            "workspace_limit": limits.workspace,
            "behavior": self.behavior(),
            "faults": self.faults().pending(),
            "random_faults": self.faults().random(),
            "file_faults": self.file_faults().pending(),
            "random_file_faults": self.file_faults().random(),
            "plans": self.faults().plans(),
        })
    }
}
