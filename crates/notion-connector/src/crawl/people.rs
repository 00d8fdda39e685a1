//! User permission crawls: who of the directory the people of a workspace are.
//!
//! The list of people comes first; whoever it omits and is known, or is named by content, is asked for by id, because guests are
//! in no list (developers.notion.com "get-users"). Only when all were met is anybody mapped: if Notion tells no e-mail address
//! of anyone, that is a capability taken away and not a workspace of strangers, and mappings stay as they are.
//!
//! Somebody is gone when a whole list omits them and asking for them says 404; nothing else makes anybody gone.

use std::sync::Arc;

use jiff::Timestamp;

use super::driver::{CrawlError, Crawler};
use crate::config::{DirectoryField, PeopleSettings, SourceField};
use crate::model::NotionId;
use crate::scripts::{Mapped, ScriptsError, Session};
use crate::store::{
    AlertScope, Crawl, CrawlId, Found, Lookup, MetUser, NewAlert, Phase, Store, StoreError, Task, TaskKind,
    UnmappedReason, UserVerdict,
};

/// People that are mapped in one transaction.
const BATCH: u32 = 500;

const NO_PEOPLE: &str = "the people of the workspace cannot be listed: in the integration's settings in Notion, under \
    Capabilities, choose “Read user information including email addresses”, then run this crawl again; whoever is mapped stays so";

const NO_EMAILS: &str = "Notion tells no e-mail addresses: in the integration's settings in Notion, under Capabilities, choose \
    “Read user information including email addresses”, then run this crawl again; whoever is mapped stays so, and nobody was removed";

const TRY_IT: &str = "notion-connector people test VALUE";

/// What somebody is known by, if that may be gone by.
///
/// # Errors
/// With the reason why nobody can be found by it.
pub fn source_value(user: &MetUser, source: SourceField) -> Result<String, UnmappedReason> {
    let value = match source {
        SourceField::Email if user.email_verified == Some(false) => return Err(UnmappedReason::Unverified),
        SourceField::Email => user.email.as_deref(),
        SourceField::Name => user.name.as_deref(),
        SourceField::Id => return Ok(user.id.to_string()),
    };
    let value = value.map(str::trim).filter(|value| !value.is_empty());
    value.map(str::to_owned).ok_or(UnmappedReason::NoValue)
}

/// Where the store looks for a value of that field.
pub fn lookup_of(field: &DirectoryField) -> Lookup<'_> {
    match field {
        DirectoryField::Email => Lookup::Email,
        DirectoryField::UserName => Lookup::UserName,
        DirectoryField::ExternalId => Lookup::ExternalId,
        DirectoryField::Name => Lookup::Name,
        DirectoryField::Own(name) => Lookup::Field(name),
    }
}

/// Who of the directory has a value.
///
/// # Errors
/// When the database cannot be read.
pub fn look_up(store: &Store, field: &DirectoryField, value: &str) -> Result<Found, StoreError> {
    store.find_person(lookup_of(field), value)
}

/// What is looked for of somebody, or why nothing is; and why a script did not say.
type Sought = (Result<String, UnmappedReason>, Option<&'static str>);

/// What a script's answer says of whom to look for.
fn sought(mapped: Mapped) -> Sought {
    match mapped {
        Ok(Some(value)) => (Ok(value), None),
        Ok(None) => (Err(UnmappedReason::NoScriptValue), None),
        // What an error says may be of a person: it is told where a value is tried, and not to whoever reads alerts.
        Err(error) => (Err(UnmappedReason::ScriptError), Some(error.kind())),
    }
}

fn verdict_on(
    store: &Store,
    settings: &PeopleSettings,
    value: Result<String, UnmappedReason>,
) -> Result<UserVerdict, StoreError> {
    let value = match value {
        Ok(value) => value,
        Err(reason) => return Ok(UserVerdict { mapping: Err(reason), value: None }),
    };
    let mapping = match look_up(store, &settings.directory, &value)? {
        Found::One(person) => Ok(person),
        Found::None => Err(UnmappedReason::NoMatch),
        Found::Several => Err(UnmappedReason::SeveralMatches),
    };
    Ok(UserVerdict { mapping, value: Some(value) })
}

impl Crawler {
    /// A request of a user permission crawl that cannot be had.
    pub(super) fn fail_user(
        &self,
        crawl: &Crawl,
        task: &Task,
        message: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(user) = task.target.filter(|_| task.kind == TaskKind::ReadUser) else {
            return self.store.fail_task(crawl, task, &format!("{NO_PEOPLE} ({message})"), now);
        };
        // They stay as they are: only a 404 says that somebody is gone.
        let message = format!("{user} could not be asked for, and stays as before: {message}");
        let alert = NewAlert::error(AlertScope::Items, "read_user", &message);
        self.store.add_alert(crawl.id, alert, now)?;
        self.store.finish_task(task, None, &[])
    }

    /// The queue is empty: asks for those whom the list omits, once.
    pub(super) fn advance_people(&self, crawl: &Crawl) -> Result<bool, StoreError> {
        if crawl.phase != Phase::Read {
            return Ok(false);
        }
        // A list that did not end, or that lost what it used to tell, proves nobody's absence.
        if !crawl.unended && !self.lacks_emails(crawl)? {
            self.store.queue_users(crawl, self.runtime.now())?;
        }
        self.store.save_phase(crawl.id, Phase::Verify)?;
        Ok(true)
    }

    fn lacks_emails(&self, crawl: &Crawl) -> Result<bool, StoreError> {
        let (met, with_email) = self.store.count_met_users(crawl.id)?;
        Ok(self.people.source == SourceField::Email && met > 0 && with_email == 0)
    }

    /// Maps whom the crawl met, and ends it.
    pub(super) async fn settle_people(self: &Arc<Self>, crawl: &Crawl) -> Result<(), CrawlError> {
        let at = crawl.clone();
        let lacks_emails = self.blocking(move |crawler| crawler.lacks_emails(&at)).await?;
        if lacks_emails {
            let (id, now) = (crawl.id, self.runtime.now());
            let told = move |crawler: &Self| {
                crawler.store.add_alert(
                    id,
                    NewAlert::error(AlertScope::AllItems, "no emails", NO_EMAILS),
                    now,
                )
            };
            self.blocking(told).await?;
        }
        let mut session = self.people.script.as_deref().map(|script| self.scripts.session(script));
        // Without a way to say who somebody is, everybody stays who they are.
        let mut keeps = lacks_emails;
        let connector = crawl.connector;
        let counted = move |crawler: &Self| {
            Ok((crawler.store.count_users_of(connector)?, crawler.store.count_mapped_of(connector)?))
        };
        let (held, mapped_before) = self.blocking(counted).await?;
        let (mut room, mut left_out) = (self.settings.user_limit.saturating_sub(held), 0);
        loop {
            let id = crawl.id;
            let met = self.blocking(move |crawler| crawler.store.load_met_users(id, BATCH)).await?;
            if met.is_empty() {
                break;
            }
            let mut sought = None;
            if !keeps {
                match self.seek(&met, session.as_mut()).await {
                    Ok(all) => sought = Some(all),
                    Err(error) => {
                        keeps = true;
                        self.tell_unrun(crawl.id, error.to_string()).await?;
                    }
                }
            }
            let at = crawl.clone();
            let (kept, more) =
                self.blocking(move |crawler| crawler.map_users(&at, &met, sought, room)).await?;
            (room, left_out) = (room.saturating_sub(kept), left_out + more);
        }
        let (id, now) = (crawl.id, self.runtime.now());
        Ok(self
            .blocking(move |crawler| {
                if left_out > 0 {
                    let message = crawler.over_limit(left_out);
                    let alert = NewAlert::error(AlertScope::Items, "user limit", &message);
                    crawler.store.add_alert(id, alert, now)?;
                }
                crawler.store.drop_met_users(id)?;
                if !keeps {
                    crawler.tell_nobody(id, mapped_before, now)?;
                }
                let Some(crawl) = crawler.store.load_crawl(id)? else { return Ok(()) };
                let state = crawl.end_state();
                crawler.store.end_crawl(id, state, None, now)
            })
            .await?)
    }

    /// Says so where nobody was found in a directory that has people: rather than a workspace of strangers that is a slip in the
    /// settings, or in the directory, and locks everybody out.
    fn tell_nobody(&self, crawl: CrawlId, before: u64, now: Timestamp) -> Result<(), StoreError> {
        let Some(users) = self.store.load_crawl(crawl)?.map(|crawl| crawl.users) else { return Ok(()) };
        if users.mapped > 0 || users.unmapped == 0 || self.store.count_people()? == 0 {
            return Ok(());
        }
        let field = String::from(self.people.directory.clone());
        let lacking = self.store.lacks_attribute(lookup_of(&self.people.directory))?;
        let lacking = if lacking { ", which nobody of the directory has" } else { "" };
        let what = format!(
            "of the {} people of the workspace nobody was found in the directory by “{field}”{lacking}; look at the connector's source \
             field, directory field and script (connector show), and at people list; to try a value: {TRY_IT}",
            users.unmapped
        );
        let alert = match before {
            0 => what,
            before => format!("nobody is mapped any more, and {before} who were see nothing now: {what}"),
        };
        let new = if before > 0 { NewAlert::error } else { NewAlert::warning };
        self.store.add_alert(crawl, new(AlertScope::AllItems, "nobody mapped", &alert), now)
    }

    fn over_limit(&self, left_out: u64) -> String {
        format!(
            "the connector may hold {} people, and {left_out} more were met: they are nobody of the directory; raise crawl.user_limit",
            self.settings.user_limit
        )
    }

    /// What is looked for of each.
    async fn seek(
        &self,
        met: &[MetUser],
        session: Option<&mut Session<'_>>,
    ) -> Result<Vec<Sought>, ScriptsError> {
        let told: Vec<_> = met.iter().map(|user| source_value(user, self.people.source)).collect();
        let Some(session) = session else { return Ok(told.into_iter().map(|value| (value, None)).collect()) };
        let values: Vec<String> = told.iter().filter_map(|value| value.as_ref().ok()).cloned().collect();
        let mut mapped = session.map(&values).await?.into_iter();
        let of_script = |value: Result<String, UnmappedReason>| match value {
            Ok(_) => mapped.next().map_or((Err(UnmappedReason::ScriptError), None), sought),
            Err(reason) => (Err(reason), None),
        };
        Ok(told.into_iter().map(of_script).collect())
    }

    async fn tell_unrun(self: &Arc<Self>, crawl: CrawlId, error: String) -> Result<(), StoreError> {
        let now = self.runtime.now();
        self.blocking(move |crawler| {
            let message = format!("{error}; whoever is mapped stays so");
            let alert = NewAlert::error(AlertScope::AllItems, "no script", &message);
            crawler.store.add_alert(crawl, alert, now)
        })
        .await
    }

    /// Without anything to look for, everybody who is known stays who they are.
    fn map_users(
        &self,
        crawl: &Crawl,
        met: &[MetUser],
        sought: Option<Vec<Sought>>,
        room: u64,
    ) -> Result<(u64, u64), StoreError> {
        let now = self.runtime.now();
        let mut verdicts: Vec<(NotionId, Option<UserVerdict>)> = Vec::with_capacity(met.len());
        let Some(sought) = sought else {
            verdicts.extend(met.iter().map(|user| (user.id, None)));
            return self.store.save_user_verdicts(crawl, &verdicts, room, now);
        };
        for (user, (value, wrong)) in met.iter().zip(sought) {
            if let Some(wrong) = wrong {
                let message = format!(
                    "the mapping script failed for somebody of the workspace, who is mapped to nobody: {wrong}; try it with: {TRY_IT}"
                );
                let alert = NewAlert::error(AlertScope::Item, wrong, &message).about(Some(user.id));
                self.store.add_alert(crawl.id, alert, now)?;
            }
            verdicts.push((user.id, Some(verdict_on(&self.store, &self.people, value)?)));
        }
        self.store.save_user_verdicts(crawl, &verdicts, room, now)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(email: Option<&str>, email_verified: Option<bool>) -> MetUser {
        MetUser {
            id: NotionId(Uuid::from_u128(7)),
            name: Some(" Ana ".to_owned()),
            email: email.map(str::to_owned),
            email_verified,
            is_bot: false,
        }
    }

    #[test]
    fn an_address_that_is_not_verified_is_nothing_to_go_by_and_one_of_which_nothing_is_said_is() {
        let value = |email, verified| source_value(&user(email, verified), SourceField::Email);
        assert_eq!(value(Some(" a@b "), Some(true)), Ok("a@b".to_owned()));
        assert_eq!(value(Some("a@b"), None), Ok("a@b".to_owned()));
        assert_eq!(value(Some("a@b"), Some(false)), Err(UnmappedReason::Unverified));
        assert_eq!(value(None, None), Err(UnmappedReason::NoValue));
        assert_eq!(value(Some("  "), None), Err(UnmappedReason::NoValue));
    }

    #[test]
    fn people_are_known_by_name_or_id_where_that_is_set() {
        let ana = user(None, Some(false));
        assert_eq!(source_value(&ana, SourceField::Name), Ok("Ana".to_owned()));
        assert_eq!(source_value(&ana, SourceField::Id), Ok(ana.id.to_string()));
    }
}
