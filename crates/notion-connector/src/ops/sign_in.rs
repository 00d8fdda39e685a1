//! Signing in and out: how a browser gets a session, whom that speaks for, and the links that let somebody in for the first time.
//!
//! Every way in ends at [`open_session`]. To add a way: prove who it is, then call that.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::accounts::{make_person, taken_over};
use super::audit::Act;
use super::gate::{SignInGate, Trying};
use super::passwords::{MAX_BYTES, hash_password, is_password};
use super::tokens::{hash_of, new_token};
use super::{Identity, OpsError};
use crate::app::App;
use crate::model::{Actor, Caller, PersonId, Role, Viewer};
use crate::store::{DirectoryPerson, DirectorySource, Grantee, PersonStanding};

/// What the token of a session begins with.
const SESSION: &str = "ncs_";
/// What the token of a one-time link begins with.
const LINK: &str = "ncl_";

/// How long a one-time link opens the door.
const LINK_LASTS: Duration = Duration::from_secs(24 * 3600);

/// Longest user name that is looked for, in bytes.
const MAX_NAME_BYTES: usize = 1_280;

/// When somebody is told that they are not let in: after one of these, or two, whatever it took to find out.
const BEAT: Duration = Duration::from_millis(250);

const WRONG: OpsError = OpsError::NotIdentified("the user name or the password is wrong");
const NO_LINK: OpsError = OpsError::NotIdentified(
    "this link opens nothing: it was used or taken back, it is older than a day, or a newer one took its place",
);

/// Somebody who wants in, with what they brought.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The name they sign in with.
    pub user_name: String,
    /// Their password.
    pub password: SecretString,
    /// From where.
    pub from: Option<IpAddr>,
}

/// Lets somebody in by their password; the token for their browser. Whether the name is unknown, the person deactivated, without
/// a password, or the password wrong, nobody can tell, nor by how long it takes.
///
/// # Errors
/// When they are not let in, or there were too many attempts.
pub async fn sign_in(app: &Arc<App>, gate: &SignInGate, wish: SignIn) -> Result<SecretString, OpsError> {
    let began = Instant::now();
    let opened = try_password(app, gate, wish).await;
    if matches!(opened, Err(OpsError::NotIdentified(_))) {
        // What is written down of one whom we know takes a moment more; from outside both take a whole number of beats.
        let beats = began.elapsed().as_millis() / BEAT.as_millis() + 1;
        let answer_at = began + BEAT * u32::try_from(beats).unwrap_or(u32::MAX);
        app.runtime.sleep(answer_at.saturating_duration_since(Instant::now())).await;
    }
    opened
}

async fn try_password(app: &Arc<App>, gate: &SignInGate, wish: SignIn) -> Result<SecretString, OpsError> {
    if wish.user_name.len() > MAX_NAME_BYTES {
        return Err(WRONG);
    }
    let (at, name) = (Arc::clone(app), wish.user_name.clone());
    let address = wish.from.map(|from| from.to_string());
    let found = app.runtime.blocking(move || {
        let is_known = address.map_or(Ok(false), |address| at.store.has_signed_in_from(&name, &address))?;
        Ok::<_, OpsError>((is_known, at.store.load_password(&name)?))
    });
    let (is_known, saved) = found.await?;
    let account = (!is_known).then_some(wish.user_name.as_str());
    let trying = Trying { address: wish.from, account };
    gate.enter(trying)?;
    let turn = gate.turn().await?;
    let (password, hash) = (wish.password, saved.as_ref().map(|saved| saved.hash.clone()));
    let is_right = app.runtime.blocking(move || is_password(&password, hash.as_deref())).await;
    drop(turn);
    let at = Arc::clone(app);
    let from = wish.from;
    let opened = app.runtime.blocking(move || match saved {
        Some(saved) if is_right => open_session(&at, saved.person, from, "password"),
        Some(saved) => Err(refuse(&at, saved.person, from)),
        None => {
            // The name may be a password in the wrong field: it is written down nowhere.
            tracing::info!(?from, "somebody tried to sign in as nobody we know");
            Err(WRONG)
        }
    });
    let opened = opened.await?;
    gate.forgive(trying);
    Ok(opened)
}

/// Writes down that somebody knew the name of an account and not its password.
fn refuse(app: &App, person: PersonId, from: Option<IpAddr>) -> OpsError {
    match app.store.load_standing(person) {
        Ok(Some(standing)) => {
            let caller = caller_of(standing, Viewer::Mapped(Default::default()), from);
            let act = Act::of_searching("session.open", "password");
            act.refuse(app, &caller, "the password is wrong").err().unwrap_or(WRONG)
        }
        Ok(None) => WRONG,
        Err(error) => error.into(),
    }
}

/// Begins a session of a person who has proved who they are, by a `way` that the audit log names; the token for their browser.
///
/// # Errors
/// When the person is not active, or the database cannot be written.
pub fn open_session(
    app: &App,
    person: PersonId,
    from: Option<IpAddr>,
    way: &str,
) -> Result<SecretString, OpsError> {
    let standing = app.store.load_standing(person)?.ok_or(WRONG)?;
    let caller = caller_of(standing, Viewer::Mapped(Default::default()), from);
    Act::of_searching("session.open", way).run(app, &caller, || {
        let token = new_token(SESSION);
        let now = app.runtime.now();
        let ends = now + Duration::from_secs(u64::from(app.config.server.session_hours) * 3600);
        let address = from.map(|from| from.to_string());
        let hash = hash_of(&token, SESSION).unwrap_or_default();
        app.store.add_session(hash, person, address.as_deref(), now, ends)?;
        Ok(token)
    })
}

/// Whom a session speaks for; nobody when it has ended, was idle for too long, or its person left.
///
/// # Errors
/// When the database fails.
pub fn identify_session(
    app: &App,
    token: &SecretString,
    from: Option<IpAddr>,
) -> Result<Option<Identity>, OpsError> {
    let now = app.runtime.now();
    let Some(hash) = hash_of(token, SESSION) else { return Ok(None) };
    let Some(session) = app.store.find_session(hash, now)? else { return Ok(None) };
    let idle = Duration::from_secs(u64::from(app.config.server.session_idle_minutes) * 60);
    if now > session.seen + idle {
        app.store.end_session(hash, now)?;
        return Ok(None);
    }
    let identity = identify_person(app, session.person, from)?;
    if identity.is_some() {
        app.store.save_session_use(hash, &session, now)?;
    }
    Ok(identity)
}

/// Whom somebody else vouched for by user name: a proxy that is trusted to know. Nobody, if the directory has no such active
/// person.
///
/// # Errors
/// When the database fails.
pub fn identify_named(
    app: &App,
    user_name: &str,
    from: Option<IpAddr>,
) -> Result<Option<Identity>, OpsError> {
    match app.store.load_person(user_name)? {
        Some(person) => identify_person(app, person.id, from),
        None => Ok(None),
    }
}

fn identify_person(app: &App, person: PersonId, from: Option<IpAddr>) -> Result<Option<Identity>, OpsError> {
    let Some(standing) = app.store.load_standing(person)? else { return Ok(None) };
    let viewer = app.store.load_viewer(person)?;
    Ok(Some(Identity::of(caller_of(standing, viewer, from))))
}

pub(super) fn caller_of(standing: PersonStanding, viewer: Viewer, from: Option<IpAddr>) -> Caller {
    let actor = Actor::Person { id: standing.id, name: standing.user_name };
    Caller { actor, roles: standing.roles, viewer, from }
}

/// Ends the session of that token, on the record of whom it speaks for.
///
/// # Errors
/// When the database fails.
pub fn sign_out(app: &App, token: &SecretString, caller: &Caller) -> Result<(), OpsError> {
    let Some(hash) = hash_of(token, SESSION) else { return Ok(()) };
    Act::of_searching("session.end", "")
        .run(app, caller, || Ok(app.store.end_session(hash, app.runtime.now())?))
}

/// Ends every session of the caller; how many there were.
///
/// # Errors
/// When the caller is no person, or the database fails.
pub fn sign_out_everywhere(app: &App, caller: &Caller) -> Result<u64, OpsError> {
    Act::of_searching("session.end", "everywhere").run(app, caller, || match caller.actor {
        Actor::Person { id, .. } => Ok(app.store.end_sessions(id, app.runtime.now())?),
        _ => Err(OpsError::Invalid("only people have sessions".to_owned())),
    })
}

/// What forms of a session's pages carry, so that no other page can send them: made of the session's token, which only this
/// browser has, and worth nothing without it.
pub fn form_token(session: &SecretString) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, session.expose_secret().as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, FORM))
}

/// Whether that is the token of the session's forms.
pub fn is_form_token(session: &SecretString, token: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, session.expose_secret().as_bytes());
    URL_SAFE_NO_PAD.decode(token).is_ok_and(|tag| hmac::verify(&key, FORM, &tag).is_ok())
}

const FORM: &[u8] = b"form";

/// Whether people need no account here to sign in, as those whom a proxy names.
fn is_by_others(app: &App) -> bool {
    app.config.server.user_header().is_some()
}

/// A link for the first administrator, while nobody who can sign in administers security; it takes the place of the one before.
///
/// # Errors
/// When the caller is no security administrator, or the database fails.
pub fn link_for_first_administrator(app: &App, caller: &Caller) -> Result<Option<SecretString>, OpsError> {
    if app.store.withdraw_first_link(is_by_others(app))? {
        return Ok(None);
    }
    Act::of_security("account.link", "first administrator")
        .run(app, caller, || make_link(app, None).map(Some))
}

/// A link by which a person sets their password, once and within a day. Somebody of that user name is made if the directory has
/// nobody and `create` says so.
///
/// # Errors
/// When the caller is no security administrator, or there is no such active person.
pub fn invite(app: &App, caller: &Caller, user_name: &str, create: bool) -> Result<SecretString, OpsError> {
    Act::of_security("account.link", user_name).run(app, caller, || {
        let person = match app.store.load_person(user_name)? {
            Some(person) if person.active => taken_over(app, person)?,
            Some(person) => return Err(OpsError::Invalid(deactivated(&person))),
            None if create => make_person(app, user_name)?,
            None => {
                let why = format!("the directory has no “{user_name}”: import them, or say --create");
                return Err(OpsError::NotFound(why));
            }
        };
        make_link(app, Some(person.id))
    })
}

fn deactivated(person: &DirectoryPerson) -> String {
    let activate = match person.source {
        DirectorySource::Scim => "activate them at the identity provider that pushes them",
        DirectorySource::Import | DirectorySource::Openid | DirectorySource::Local => {
            "activate them first, with directory import of a file that says active: true of them"
        }
    };
    format!("“{}” is deactivated in the directory, and could not sign in: {activate}", person.user_name)
}

fn make_link(app: &App, person: Option<PersonId>) -> Result<SecretString, OpsError> {
    let token = new_token(LINK);
    let now = app.runtime.now();
    app.store.add_one_time_link(hash_of(&token, LINK).unwrap_or_default(), person, now, now + LINK_LASTS)?;
    Ok(token)
}

/// Uses a one-time link: sets the password of whom it is for, and for the first administrator makes them; the token for their
/// browser.
///
/// # Errors
/// When the link opens nothing, is somebody else's, or the password is none; then it can be tried again.
pub async fn accept_link(
    app: &Arc<App>,
    gate: &SignInGate,
    link: SecretString,
    wish: SignIn,
) -> Result<SecretString, OpsError> {
    let trying = Trying { address: wish.from, account: None };
    gate.enter(trying)?;
    let turn = gate.turn().await?;
    let at = Arc::clone(app);
    let accepted = app.runtime.blocking(move || use_link(&at, &link, &wish)).await;
    drop(turn);
    // What is wrong with a password is no guess at a link.
    if matches!(&accepted, Ok(_) | Err(OpsError::Invalid(_))) {
        gate.forgive(trying);
    }
    accepted
}

fn use_link(app: &App, link: &SecretString, wish: &SignIn) -> Result<SecretString, OpsError> {
    let now = app.runtime.now();
    let hash = hash_of(link, LINK).ok_or(NO_LINK)?;
    let found = app.store.find_one_time_link(hash, now)?.ok_or(NO_LINK)?;
    if wish.password.expose_secret().len() > MAX_BYTES || wish.user_name.len() > MAX_NAME_BYTES {
        return Err(OpsError::Invalid("user name or password is too long".to_owned()));
    }
    let password = hash_password(&wish.password, &wish.user_name)?;
    // Whoever made the link stands for it; the entry says from where it was used.
    let caller = Caller { from: wish.from, ..Caller::LOCAL_OPERATOR };
    let person = Act::of_security("account.accept_link", &wish.user_name).run(app, &caller, || {
        let named = app.store.load_person(&wish.user_name)?;
        match (found.person, &named) {
            (Some(of), Some(named)) if of == named.id && named.active => {}
            (Some(_), _) => return Err(OpsError::Invalid("this link is for another user name".to_owned())),
            (None, Some(named)) if !named.active => {
                return Err(OpsError::Invalid(format!(
                    "“{}” is deactivated in the directory",
                    named.user_name
                )));
            }
            (None, _) => {}
        }
        // Of two who come at once one is too late; from here on nothing depends on what was typed.
        let is_used = app.store.use_one_time_link(hash, is_by_others(app), now)?;
        is_used.then_some(()).ok_or(NO_LINK)?;
        let person = match named {
            Some(named) => taken_over(app, named)?,
            None => make_person(app, &wish.user_name)?,
        };
        app.store.save_password(person.id, &password, now)?;
        if found.person.is_none() {
            for role in [Role::SecurityAdmin, Role::ConnectorAdmin] {
                app.store.grant_role(role, Grantee::Person(&person.user_name), now)?;
            }
        }
        app.store.end_sessions(person.id, now)?;
        Ok(person.id)
    })?;
    open_session(app, person, wish.from, "link")
}
