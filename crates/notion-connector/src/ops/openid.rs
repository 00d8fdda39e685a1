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
use crate::model::{PersonRecord, Viewer};
use crate::openid::{Answer, Attempt, OpenidError, Provider, ProviderAccount};
use crate::store::{Acquaintance, DirectoryPerson, Introduction, Recognised};

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
    let recognised = app.store.recognise(introduction, how, app.runtime.now(), &mut || app.runtime.uuid())?;
    let (person, is_first) = match recognised {
        Recognised::Person { person, is_first } => (person, is_first),
        Recognised::Inactive | Recognised::Nobody => {
            tracing::warn!(
                subject = account.subject,
                "the directory does not know who signed in, or not as active"
            );
            return Err(OpsError::NotIdentified(
                "you are not in the directory of this server: ask a security administrator",
            ));
        }
        Recognised::Impossible(reason) => {
            tracing::warn!(
                subject = account.subject,
                reason,
                "who signed in cannot be taken into the directory"
            );
            return Err(OpsError::NotIdentified(
                "the directory cannot tell you from somebody else: ask a security administrator",
            ));
        }
    };
    if is_first {
        tell_first(app, &person, &account.issuer, from)?;
    }
    open_session(app, person.id, from, WAY)
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
        name: account.name.clone().map(Some),
        email: account.email.clone().map(Some),
        email_verified: account.email.is_some().then_some(true),
        ..PersonRecord::default()
    }
}

/// That somebody is known to the provider as a person of the directory is on the record.
fn tell_first(
    app: &App,
    person: &DirectoryPerson,
    issuer: &str,
    from: Option<IpAddr>,
) -> Result<(), OpsError> {
    let Some(standing) = app.store.load_standing(person.id)? else { return Ok(()) };
    let caller = caller_of(standing, Viewer::Mapped(Default::default()), from);
    Act::of_searching("identity.link", issuer).run(app, &caller, || Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
