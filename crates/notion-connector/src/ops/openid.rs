//! Signing in through the organisation's provider: what comes back from it becomes a person of the directory, and a session.

use std::net::IpAddr;
use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use super::OpsError;
use super::audit::Act;
use super::gate::{SignInGate, Trying};
use super::sign_in::{caller_of, open_session};
use crate::app::App;
use crate::model::{Caller, PersonRecord, Viewer, without_controls};
use crate::openid::{Answer, Attempt, OpenidError, Provider, ProviderAccount};
use crate::store::{Acquaintance, DirectoryPerson, Introduction, Keep, News, Recognised};

/// What the audit log calls this way in.
const WAY: &str = "openid";

/// The words on the button, if there is a provider.
pub fn openid_label(app: &App) -> Option<&str> {
    app.openid.as_deref().map(Provider::label)
}

/// Where a browser goes to sign in at the provider and come back to `redirect_uri`, and what it has to bring along.
///
/// # Errors
/// When there is no provider, or it does not answer as one.
pub async fn begin_openid(app: &App, redirect_uri: &str) -> Result<(Url, Attempt), OpsError> {
    provider(app)?.begin(redirect_uri).await.map_err(|error| told(&error))
}

/// Somebody who came back from the provider.
#[derive(Debug)]
pub struct Returning {
    /// The address that they were to come back to.
    pub redirect_uri: String,
    /// What their browser began with; none if it brought nothing.
    pub attempt: Option<Attempt>,
    /// What the provider said.
    pub answer: Answer,
    /// From where.
    pub from: Option<IpAddr>,
}

/// Lets somebody in who came back from the provider; the token for their browser.
///
/// # Errors
/// When the provider or its answer is not to be believed, the directory does not know them, or there were too many attempts.
pub async fn finish_openid(
    app: &Arc<App>,
    gate: &SignInGate,
    returning: Returning,
) -> Result<SecretString, OpsError> {
    let provider = provider(app)?;
    let trying = Trying { address: returning.from, account: None };
    gate.enter(trying)?;
    let Returning { redirect_uri, attempt, answer, from } = returning;
    let attempt = attempt.ok_or_else(|| told(&OpenidError::Stray))?;
    let account = provider.finish(&redirect_uri, &attempt, &answer).await.map_err(|error| told(&error))?;
    let at = Arc::clone(app);
    let opened = app.runtime.blocking(move || let_in(&at, &account, from)).await?;
    gate.forgive(trying);
    Ok(opened)
}

fn provider(app: &App) -> Result<&Provider, OpsError> {
    app.openid.as_deref().ok_or_else(|| {
        OpsError::NotFound("no provider of OpenID Connect is set up (openid.issuer)".to_owned())
    })
}

/// What whoever signs in is told; the rest is for the log.
fn told(error: &OpenidError) -> OpsError {
    tracing::warn!(%error, "a sign-in by OpenID Connect failed");
    OpsError::NotIdentified(match error {
        OpenidError::Stray => {
            "the answer belongs to no sign-in of this browser, or to one that is over: sign in again"
        }
        OpenidError::Refused(_) => "the provider did not let you in",
        OpenidError::Unreachable { .. } | OpenidError::Untrusted(_) | OpenidError::Secret(_) => {
            "the provider did not answer as it should: ask an administrator, who finds the reason in the server's log"
        }
    })
}

fn let_in(app: &App, account: &ProviderAccount, from: Option<IpAddr>) -> Result<SecretString, OpsError> {
    let settings = &app.config.openid;
    let record = record_of(account);
    let introduction = Introduction {
        issuer: &account.issuer,
        subject: &account.subject,
        record: &record,
        groups: account.groups.as_deref(),
    };
    let how = Acquaintance { by_email: settings.links_by_email, as_new: settings.creates_people };
    let recognise = |keep| {
        let known =
            app.store.recognise(introduction, how, keep, app.runtime.now(), &mut || app.runtime.uuid())?;
        admitted(known, account)
    };
    let (mut person, news) = recognise(Keep::Nothing)?;
    if news != News::default() {
        // On the record before it is done; who is not there yet is made on behalf of whoever set the provider up.
        let standing = if news.is_new { None } else { app.store.load_standing(person.id)? };
        let caller = match standing {
            Some(standing) => caller_of(standing, Viewer::Mapped(Default::default()), from),
            None => Caller { from, ..Caller::LOCAL_OPERATOR },
        };
        let action = if news.is_first { "identity.link" } else { "identity.groups" };
        let target = told_of(account, &person, &news);
        (person, _) = Act::of_searching(action, &target).run(app, &caller, || recognise(Keep::All))?;
    }
    open_session(app, person.id, from, WAY)
}

/// The person, if the directory knows them as one who may come in.
fn admitted(known: Recognised, account: &ProviderAccount) -> Result<(Box<DirectoryPerson>, News), OpsError> {
    let subject = account.subject.as_str();
    match known {
        Recognised::Person { person, news } => Ok((person, news)),
        Recognised::Inactive | Recognised::Nobody => {
            tracing::warn!(subject, "the directory does not know who signed in, or not as active");
            Err(OpsError::NotIdentified(
                "you are not in the directory of this server: ask a security administrator",
            ))
        }
        Recognised::Impossible(reason) => {
            tracing::warn!(subject, reason, "who signed in cannot be taken into the directory");
            Err(OpsError::NotIdentified(
                "the directory cannot tell you from somebody else: ask a security administrator",
            ))
        }
    }
}

/// Who is known as what, and the groups that change by it, as the audit log says it.
fn told_of(account: &ProviderAccount, person: &DirectoryPerson, news: &News) -> String {
    let is_new = if news.is_new { ", new to the directory," } else { "" };
    let mut told = format!("{}{is_new} as {} of {}", person.user_name, account.subject, account.issuer);
    for (what, groups) in [("into", &news.joined), ("out of", &news.left)] {
        if !groups.is_empty() {
            told = format!("{told}; {what} {}", groups.join(", "));
        }
    }
    told
}

/// Who they are to be in the directory, if they are new to it. A user name opens doors: import and SCIM know people by it. So it is
/// one that only this identity can give, and no claim that whoever signs in may choose (OpenID Connect Core 1.0, 5.7).
fn record_of(account: &ProviderAccount) -> PersonRecord {
    let user_name = account.email.clone().unwrap_or_else(|| {
        let identity = format!("{}\n{}", account.issuer, account.subject);
        let digest = ring::digest::digest(&ring::digest::SHA256, identity.as_bytes());
        digest.as_ref().iter().take(16).fold("openid-".to_owned(), |name, byte| format!("{name}{byte:02x}"))
    });
    PersonRecord {
        user_name,
        name: account.name.as_deref().map(without_controls).map(Some),
        email: account.email.clone().map(Some),
        email_verified: account.email.is_some().then_some(true),
        ..PersonRecord::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::data_dir::DataDir;

    #[test]
    fn whatever_a_sign_in_changes_is_on_the_record_before_with_the_providers_id() {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.openid.creates_people = true;
        let app = App::open(config, DataDir::create(&directory.path().join("data")).unwrap()).unwrap();
        let sign_in = |groups: &[&str]| {
            let account = ProviderAccount {
                issuer: "https://login.example.org".to_owned(),
                subject: "4711".to_owned(),
                email: Some("ana@example.org".to_owned()),
                name: None,
                groups: Some(groups.iter().map(|&name| name.to_owned()).collect()),
            };
            let_in(&app, &account, "192.0.2.7".parse().ok())
        };
        let told = || {
            let entries = app.store.load_audit(None, 100).unwrap().into_iter().rev().map(|row| row.entry);
            let told = entries.filter(|entry| entry.from.as_deref() == Some("192.0.2.7"));
            told.map(|entry| format!("{}: {} {}", entry.actor, entry.action, entry.target))
                .collect::<Vec<_>>()
        };
        sign_in(&["Crew"]).unwrap();
        sign_in(&["Crew"]).unwrap();
        sign_in(&["Pilots"]).unwrap();
        let who = "as 4711 of https://login.example.org";
        let expected = [
            format!("local operator: identity.link ana@example.org, new to the directory, {who}; into Crew"),
            "ana@example.org: session.open openid".to_owned(),
            "ana@example.org: session.open openid".to_owned(),
            format!("ana@example.org: identity.groups ana@example.org {who}; into Pilots; out of Crew"),
            "ana@example.org: session.open openid".to_owned(),
        ];
        assert_eq!(told(), expected);
        // Where nothing can be written down, nothing changes.
        let refuse = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END";
        let file = app.dir.path().join("store.sqlite");
        rusqlite::Connection::open(file).unwrap().execute_batch(refuse).unwrap();
        assert!(sign_in(&["Board"]).is_err());
        assert_eq!(app.store.load_person("ana@example.org").unwrap().unwrap().groups, ["Pilots"]);
    }

    #[test]
    fn whoever_is_new_is_named_by_a_verified_address_or_by_what_only_the_provider_can_say() {
        let account = |issuer: &str, subject: &str, email: Option<&str>| ProviderAccount {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            email: email.map(str::to_owned),
            name: Some("cleo@acme.example".to_owned()),
            groups: None,
        };
        let named = |account: ProviderAccount| record_of(&account).checked().unwrap().user_name;
        assert_eq!(named(account("https://a.example", "1", Some("ana@acme.example"))), "ana@acme.example");
        let nameless = named(account("https://a.example", "cleo@acme.example", None));
        assert!(nameless.starts_with("openid-") && nameless.len() == 39, "{nameless}");
        assert_eq!(nameless, named(account("https://a.example", "cleo@acme.example", None)));
        assert_ne!(nameless, named(account("https://b.example", "cleo@acme.example", None)));
        assert_ne!(nameless, named(account("https://a.example", "2", None)));
    }
}
