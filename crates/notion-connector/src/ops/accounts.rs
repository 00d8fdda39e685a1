//! Accounts: who can sign in here with a password, as security administrators see and change it.

use std::sync::Arc;

use secrecy::SecretString;

use super::OpsError;
use super::audit::Act;
use super::gate::{SignInGate, Trying};
use super::passwords::{hash_password, is_password};
use super::sign_in::open_session;
use crate::app::App;
use crate::model::{Actor, Caller, PersonRecord};
use crate::store::{AccountPage, DeletedAccount, DirectoryPerson, DirectorySource, Keep};

/// People who can sign in or have a role of their own.
///
/// # Errors
/// When the caller is no security administrator.
pub fn list_accounts(app: &App, caller: &Caller, limit: u32, offset: u32) -> Result<AccountPage, OpsError> {
    Act::of_security("account.list", "").run(app, caller, || Ok(app.store.load_accounts(limit, offset)?))
}

/// Gives a person a password, instead of the one before, and ends their sessions. Somebody of that user name is made if the directory has nobody and
/// `create` says so.
///
/// # Errors
/// When the caller is no security administrator, there is no such person, or the password is none.
pub fn set_password(
    app: &App,
    caller: &Caller,
    user_name: &str,
    password: &SecretString,
    create: bool,
) -> Result<(), OpsError> {
    Act::of_security("account.set_password", user_name).run(app, caller, || {
        let hash = hash_password(password, user_name)?;
        let person = match app.store.load_person(user_name)? {
            Some(person) => taken_over(app, person)?,
            None if create => make_person(app, user_name)?,
            None => {
                let why = format!("the directory has no “{user_name}”: import them, or say --create");
                return Err(OpsError::NotFound(why));
            }
        };
        let now = app.runtime.now();
        app.store.save_password(person.id, &hash, now)?;
        app.store.end_sessions(person.id, now)?;
        Ok(())
    })
}

/// Gives the caller another password for the one that they know, and ends all their sessions; the token for the browser that
/// asked.
///
/// # Errors
/// When the caller is no person, the password of now is another one, the new one is none, or there were too many attempts.
pub async fn change_password(
    app: &Arc<App>,
    gate: &SignInGate,
    caller: Caller,
    old: SecretString,
    new: SecretString,
) -> Result<SecretString, OpsError> {
    let trying = Trying { address: caller.from, account: None };
    gate.enter(trying)?;
    let turn = gate.turn().await?;
    let at = Arc::clone(app);
    let changed = app.runtime.blocking(move || {
        let Actor::Person { id, name } = &caller.actor else {
            return Err(OpsError::Invalid("only people have passwords".to_owned()));
        };
        Act::of_searching("account.change_password", "").run(&at, &caller, || {
            let kept = at.store.load_password(name)?.filter(|kept| kept.person == *id);
            if !is_password(&old, kept.as_ref().map(|kept| kept.hash.as_str())) {
                return Err(OpsError::NotIdentified("the password that you have now is another one"));
            }
            let (hash, now) = (hash_password(&new, name)?, at.runtime.now());
            at.store.save_password(*id, &hash, now)?;
            at.store.end_sessions(*id, now)?;
            Ok(())
        })?;
        open_session(&at, *id, caller.from, "new password")
    });
    let changed = changed.await;
    drop(turn);
    if !matches!(changed, Err(OpsError::NotIdentified(_))) {
        gate.forgive(trying);
    }
    changed
}

/// Takes a person's password away, what providers know them as, and their invitation, and ends their sessions. A provider may make
/// them known again: who must stay out is deactivated in the directory.
///
/// # Errors
/// When the caller is no security administrator, or there is no such account and nobody invited.
pub fn delete_account(app: &App, caller: &Caller, user_name: &str) -> Result<DeletedAccount, OpsError> {
    Act::of_security("account.delete", user_name).run(app, caller, || {
        let none = || OpsError::NotFound(format!("there is no account “{user_name}”"));
        let person = app.store.load_person(user_name)?.ok_or_else(none)?;
        let now = app.runtime.now();
        app.store.end_sessions(person.id, now)?;
        let deleted = app.store.delete_account(person.id, now)?;
        (deleted.had_account || deleted.had_invitation).then_some(deleted).ok_or_else(none)
    })
}

/// Ends every session of a person; how many there were.
///
/// # Errors
/// When the caller is no security administrator, or there is no such person.
pub fn sign_out_account(app: &App, caller: &Caller, user_name: &str) -> Result<u64, OpsError> {
    Act::of_security("account.sign_out", user_name).run(app, caller, || {
        let none = || OpsError::NotFound(format!("the directory has no “{user_name}”"));
        let person = app.store.load_person(user_name)?.ok_or_else(none)?;
        Ok(app.store.end_sessions(person.id, app.runtime.now())?)
    })
}

/// The person, to be let in by their user name: whoever signed in by it at a provider is out.
pub(super) fn taken_over(app: &App, person: DirectoryPerson) -> Result<DirectoryPerson, OpsError> {
    match person.source {
        DirectorySource::Openid => make_person(app, &person.user_name),
        _ => Ok(person),
    }
}

/// A person of this name, made here; or taken over, if a sign-in made them.
pub(super) fn make_person(app: &App, user_name: &str) -> Result<DirectoryPerson, OpsError> {
    let mut new_uid = || app.runtime.uuid();
    let made = app.store.take_in(DirectorySource::Local, app.runtime.now(), &mut new_uid, |intake| {
        let record = PersonRecord { user_name: user_name.to_owned(), ..PersonRecord::default() };
        intake.put(1, record)?.map_err(OpsError::Invalid)?;
        Ok::<_, OpsError>((Keep::All, ()))
    });
    made?;
    let gone = || OpsError::NotFound(format!("“{user_name}” was removed a moment after they were made"));
    app.store.load_person(user_name)?.ok_or_else(gone)
}
