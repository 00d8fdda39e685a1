//! Identities at the organisation's provider: who of the directory each of them is.
//!
//! An identity is the provider's issuer and its lasting name of a person. Once it is known it stays that person's, whatever they
//! are called later; how it becomes known the settings decide.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::directory::{DirectoryPerson, DirectorySource, Intake, Keep, person_by_id};
use super::{Millis, Result, Store};
use crate::model::{PersonId, PersonRecord, directory_key};

/// What a provider says of somebody who signs in.
#[derive(Debug, Clone, Copy)]
pub struct Introduction<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// What it calls them, for ever.
    pub subject: &'a str,
    /// Who they are to be in the directory, if they are new to it. An e-mail address in it is verified.
    pub record: &'a PersonRecord,
    /// The groups that the provider says they are in; none where it does not say.
    pub groups: Option<&'a [String]>,
}

/// How somebody becomes known who signs in for the first time.
#[derive(Debug, Clone, Copy)]
pub struct Acquaintance {
    /// By an e-mail address that exactly one person of the directory has.
    pub by_email: bool,
    /// As somebody new.
    pub as_new: bool,
}

/// Whom the directory takes somebody for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised {
    /// A person of it.
    Person {
        /// Who, with what changed of them.
        person: Box<DirectoryPerson>,
        /// What changed.
        news: News,
    },
    /// A person who does not belong to the organisation any more.
    Inactive,
    /// Nobody, and nobody new is let in.
    Nobody,
    /// Nobody new can be made of them, and why.
    Impossible(String),
}

/// What a sign-in changes in the directory; nothing, as a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Whether they are new to the directory.
    pub is_new: bool,
    /// Whether they were not known to the provider as that before.
    pub is_first: bool,
    /// Names of groups that they come into.
    pub joined: Vec<String>,
    /// Names of groups that they leave.
    pub left: Vec<String>,
}

impl Store {
    /// Whom the directory takes somebody for; their groups at the provider become those of the directory. With [`Keep::Nothing`]
    /// only what would be is told.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn recognise(
        &self,
        who: Introduction<'_>,
        how: Acquaintance,
        keep: Keep,
        now: Timestamp,
        new_uid: &mut dyn FnMut() -> Uuid,
    ) -> Result<Recognised> {
        self.take_in(DirectorySource::Openid, now, new_uid, |intake| {
            let sqlite = |source| self.sqlite(source);
            let known = intake
                .tx
                .prepare_cached("SELECT person FROM identities WHERE issuer = ?1 AND subject = ?2")
                .and_then(|mut known| {
                    known.query_row([who.issuer, who.subject], |row| row.get(0).map(PersonId)).optional()
                })
                .map_err(sqlite)?;
            let (id, is_new) = match known {
                Some(person) => (person, false),
                None => match self.acquaint(intake, who, how)? {
                    Ok(found) => found,
                    Err(outcome) => return Ok((Keep::Nothing, outcome)),
                },
            };
            let before = match person_by_id(intake.tx, id).map_err(sqlite)? {
                Some(person) if person.active => person.groups,
                // Nothing is written of whoever left: they are not let in, and an identity that is not theirs yet stays nobody's.
                Some(_) => return Ok((Keep::Nothing, Recognised::Inactive)),
                None => return Ok((Keep::Nothing, Recognised::Nobody)),
            };
            intake.introduce(id, who).map_err(sqlite)?;
            let Some(person) = person_by_id(intake.tx, id).map_err(sqlite)? else {
                return Ok((Keep::Nothing, Recognised::Nobody));
            };
            let without = |some: &[String], others: &[String]| {
                some.iter().filter(|name| !others.contains(name)).cloned().collect()
            };
            let news = News {
                is_new,
                is_first: known.is_none(),
                joined: without(&person.groups, &before),
                left: without(&before, &person.groups),
            };
            Ok((keep, Recognised::Person { person: Box::new(person), news }))
        })
    }

    /// Who somebody is whose identity is new, and whether they are made by it.
    fn acquaint(
        &self,
        intake: &mut Intake<'_>,
        who: Introduction<'_>,
        how: Acquaintance,
    ) -> Result<std::result::Result<(PersonId, bool), Recognised>> {
        let email = who.record.email.as_ref().and_then(Option::as_deref);
        if let Some(email) = email.filter(|_| how.by_email) {
            let theirs: Vec<PersonId> = intake
                .tx
                // Whoever has left stays known: an address that is given to somebody new is that person's by the directory's word.
                .prepare_cached("SELECT id FROM persons WHERE email_key = ?1 AND email_verified ORDER BY NOT active LIMIT 2")
                .and_then(|mut theirs| {
                    theirs.query_map([directory_key(email)], |row| row.get(0).map(PersonId))?.collect()
                })
                .map_err(|source| self.sqlite(source))?;
            match theirs.as_slice() {
                [] => {}
                [person] => return Ok(Ok((*person, false))),
                _ => {
                    let why = "the directory has several people with that e-mail address";
                    return Ok(Err(Recognised::Impossible(why.to_owned())));
                }
            }
        }
        if !how.as_new {
            return Ok(Err(Recognised::Nobody));
        }
        // Nobody becomes somebody else by choosing their name at the provider.
        if intake.has_user_name(&who.record.user_name).map_err(|source| self.sqlite(source))? {
            let why = format!("the directory has another person called “{}”", who.record.user_name);
            return Ok(Err(Recognised::Impossible(why)));
        }
        let made = intake.put(1, who.record.clone())?;
        Ok(made.map(|person| (person, true)).map_err(Recognised::Impossible))
    }
}

impl Intake<'_> {
    /// Has the identity be a person's, with the groups that come with it.
    fn introduce(&mut self, person: PersonId, who: Introduction<'_>) -> rusqlite::Result<()> {
        self.tx
            .prepare_cached(
                "INSERT INTO identities (issuer, subject, person, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?
            .execute(params![who.issuer, who.subject, person.0, Millis(self.now)])?;
        who.groups.map_or(Ok(()), |groups| self.put_own_groups(person, groups))
    }

    /// Takes in what is said of somebody known; whether anything of them changed. Whom a sign-in made is taken over by the first
    /// other source that names them as active: who signed in by that name may be somebody else, and none of their ways in stays. A
    /// provider knows them again by their verified e-mail address.
    pub(super) fn change(&mut self, old: &DirectoryPerson, record: &PersonRecord) -> rusqlite::Result<bool> {
        let is_taken_over = old.source == DirectorySource::Openid
            && self.source != DirectorySource::Openid
            && record.active.unwrap_or(old.active);
        if !is_taken_over {
            return self.update(old, record);
        }
        self.shut_out(old.id)?;
        // An address that is not the user name says only who signed in, and would let them in again.
        let name_key = directory_key(&record.user_name);
        let is_named_so = old.email.as_deref().is_some_and(|email| directory_key(email) == name_key);
        let said = record.email.clone().filter(|email| *email != old.email);
        let record = PersonRecord {
            name: record.name.clone().or(Some(None)),
            email: said.or((!is_named_so).then_some(None)),
            ..record.clone()
        };
        self.update(old, &record)?;
        self.tx
            .prepare_cached("UPDATE persons SET source = ?2, changed = ?3 WHERE id = ?1")?
            .execute(params![old.id.0, self.source, Millis(self.now)])?;
        Ok(true)
    }

    /// Takes every way in from a person, and the groups that a provider put them into.
    fn shut_out(&self, person: PersonId) -> rusqlite::Result<()> {
        for sql in [
            "DELETE FROM identities WHERE person = ?1",
            "DELETE FROM accounts WHERE person = ?1",
            "DELETE FROM one_time_links WHERE person = ?1",
            "DELETE FROM memberships WHERE person = ?1 AND grp IN (SELECT id FROM groups_ WHERE source = 'openid')",
        ] {
            self.tx.prepare_cached(sql)?.execute([person.0])?;
        }
        for sql in [
            "UPDATE sessions SET ends = ?2 WHERE person = ?1 AND ends > ?2",
            "UPDATE keys SET revoked = ?2 WHERE person = ?1 AND revoked IS NULL",
        ] {
            self.tx.prepare_cached(sql)?.execute(params![person.0, Millis(self.now)])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DirectoryFilter;

    const ISSUER: &str = "https://login.example.org";
    const BOTH: Acquaintance = Acquaintance { by_email: true, as_new: true };
    const NEITHER: Acquaintance = Acquaintance { by_email: false, as_new: false };

    struct Fixture {
        _directory: tempfile::TempDir,
        store: Store,
    }

    fn fixture() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        Fixture { _directory: directory, store }
    }

    fn record(user_name: &str, email: Option<&str>) -> PersonRecord {
        PersonRecord {
            user_name: user_name.to_owned(),
            email: Some(email.map(str::to_owned)),
            ..PersonRecord::default()
        }
    }

    impl Fixture {
        fn import(&self, records: &[PersonRecord]) {
            let mut uid = Uuid::new_v4_of_tests();
            let put = |intake: &mut Intake<'_>| {
                for (line, record) in records.iter().enumerate() {
                    intake.put(line as u64, record.clone())?.unwrap();
                }
                Ok::<_, super::super::StoreError>((Keep::All, ()))
            };
            self.store.take_in(DirectorySource::Import, Timestamp::UNIX_EPOCH, &mut uid, put).unwrap();
        }

        fn sign_in(
            &self,
            subject: &str,
            record: &PersonRecord,
            groups: &[&str],
            how: Acquaintance,
        ) -> Recognised {
            let groups: Vec<String> = groups.iter().map(|&name| name.to_owned()).collect();
            let who = Introduction { issuer: ISSUER, subject, record, groups: Some(&groups) };
            let mut uid = Uuid::new_v4_of_tests();
            self.store.recognise(who, how, Keep::All, Timestamp::UNIX_EPOCH, &mut uid).unwrap()
        }

        fn names(&self) -> Vec<String> {
            let all = self.store.load_directory(&DirectoryFilter::default(), 100, 0).unwrap();
            all.people.into_iter().map(|person| person.user_name).collect()
        }
    }

    /// Ids for stories: any will do that are not the same.
    trait NewOfTests {
        fn new_v4_of_tests() -> Box<dyn FnMut() -> Uuid>;
    }

    impl NewOfTests for Uuid {
        fn new_v4_of_tests() -> Box<dyn FnMut() -> Uuid> {
            Box::new(|| Uuid::from_u128(rand::random()))
        }
    }

    fn person(recognised: Recognised) -> DirectoryPerson {
        match recognised {
            Recognised::Person { person, .. } => *person,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_identity_stays_one_persons_whatever_they_are_called() {
        let fixture = fixture();
        fixture.import(&[record("ana", Some("ana@example.org"))]);
        let ana = person(fixture.sign_in("1", &record("a.alba", Some(" ANA@example.org")), &[], BOTH));
        assert_eq!(ana.user_name, "ana", "known by her address");
        let again = person(fixture.sign_in("1", &record("someone", Some("new@example.org")), &[], NEITHER));
        assert_eq!(again.id, ana.id);
        assert_eq!(fixture.sign_in("2", &record("ben", None), &[], NEITHER), Recognised::Nobody);
        assert_eq!(fixture.names(), ["ana"]);
    }

    #[test]
    fn nobody_becomes_another_by_their_name_or_by_an_address_that_several_have() {
        let fixture = fixture();
        fixture.import(&[
            record("ana", Some("office@example.org")),
            record("ben", Some("office@example.org")),
            PersonRecord { email_verified: Some(false), ..record("cleo", Some("cleo@example.org")) },
        ]);
        let several = fixture.sign_in("1", &record("dora", Some("office@example.org")), &[], BOTH);
        assert!(matches!(several, Recognised::Impossible(_)), "{several:?}");
        let namesake = fixture.sign_in("1", &record("ANA ", None), &[], BOTH);
        assert!(matches!(namesake, Recognised::Impossible(_)), "{namesake:?}");
        let unverified = person(fixture.sign_in("2", &record("dora", Some("cleo@example.org")), &[], BOTH));
        assert_eq!(unverified.user_name, "dora", "nobody verified that the address is Cleo's");
        let by_name = fixture.sign_in("3", &record("cleo", None), &[], BOTH);
        assert!(matches!(by_name, Recognised::Impossible(_)), "{by_name:?}");
        assert_eq!(fixture.names(), ["ana", "ben", "cleo", "dora"]);
    }

    #[test]
    fn whoever_left_the_organisation_does_not_come_back_by_signing_in() {
        let fixture = fixture();
        let gone = PersonRecord { active: Some(false), ..record("ana", Some("ana@example.org")) };
        fixture.import(std::slice::from_ref(&gone));
        for _ in 0..2 {
            let back = fixture.sign_in("1", &record("ana2", Some("ana@example.org")), &[], BOTH);
            assert_eq!(back, Recognised::Inactive);
        }
        assert_eq!(fixture.names(), ["ana"]);
        let accounts = fixture.store.load_accounts(10, 0).unwrap();
        assert_eq!(accounts.total, 0, "nobody is known to the provider as her: {accounts:?}");
        // Who was known before stays known, and gains nothing while they are away.
        fixture.import(&[PersonRecord { active: Some(true), ..gone.clone() }]);
        person(fixture.sign_in("1", &record("ana2", Some("ana@example.org")), &["Crew"], BOTH));
        fixture.import(&[gone]);
        assert_eq!(fixture.sign_in("1", &record("ana2", None), &["Board"], BOTH), Recognised::Inactive);
        assert_eq!(fixture.store.load_person("ana").unwrap().unwrap().groups, ["Crew"]);
    }

    #[test]
    fn whom_a_sign_in_made_keeps_no_way_in_when_another_source_names_them() {
        let fixture = fixture();
        let hers = "cleo@example.org";
        let made = person(fixture.sign_in("1", &record(hers, Some(hers)), &["Crew"], BOTH));
        let lure =
            person(fixture.sign_in("2", &record("dora", Some("mallory@elsewhere.example")), &[], BOTH));
        let now = Timestamp::UNIX_EPOCH;
        let later = Timestamp::from_second(1_000).unwrap();
        let has_ways = |id: PersonId| {
            let password = fixture.store.load_accounts(10, 0).unwrap().accounts;
            let session = fixture.store.find_session([id.0 as u8; 32], now).unwrap().is_some();
            let link = fixture.store.find_one_time_link([id.0 as u8; 32], now).unwrap().is_some();
            let key = fixture.store.find_key([id.0 as u8; 32]).unwrap().unwrap().is_good(now);
            let name = fixture.store.load_person_by_id(id).unwrap().unwrap().user_name;
            let account = password.iter().find(|one| one.user_name == name);
            let known = account.map(|one| (one.has_password, one.providers.len()));
            (known, session, link, key)
        };
        for id in [made.id, lure.id] {
            let hash = [id.0 as u8; 32];
            fixture.store.save_password(id, "$argon2id$", now).unwrap();
            fixture.store.add_session(hash, id, None, now, later).unwrap();
            fixture.store.add_one_time_link(hash, Some(id), now, later).unwrap();
            let (name, roles) = (format!("key {}", id.0), crate::model::Roles::NONE);
            let key = crate::store::NewKey {
                name: &name,
                hash,
                roles,
                scopes: &[],
                person: Some(id),
                may_act_as: false,
                ends: None,
            };
            fixture.store.add_key(&key, now).unwrap().unwrap();
            assert_eq!(has_ways(id), (Some((true, 1)), true, true, true));
        }
        // Who is only said to have left is nobody's to come in by: they stay who they are, and stay out.
        let silent = |name: &str| PersonRecord { user_name: name.to_owned(), ..PersonRecord::default() };
        fixture.import(&[PersonRecord { active: Some(false), ..silent(hers) }]);
        let gone = fixture.sign_in("1", &record(hers, Some(hers)), &[], BOTH);
        assert_eq!(gone, Recognised::Inactive);
        let active = |name: &str| PersonRecord { active: Some(true), ..silent(name) };
        fixture.import(&[active(hers), silent("DORA")]);
        for id in [made.id, lure.id] {
            assert_eq!(has_ways(id), (None, false, false, false));
        }
        let taken = fixture.store.load_person_by_id(made.id).unwrap().unwrap();
        assert_eq!((taken.source, taken.groups.len()), (DirectorySource::Import, 0));
        let again = person(fixture.sign_in("1", &record("x", Some(hers)), &["Crew"], BOTH));
        assert_eq!((again.id, again.groups.len()), (made.id, 1), "known again by her verified address");
        let stranger = record("openid-2", Some("mallory@elsewhere.example"));
        let stranger = person(fixture.sign_in("2", &stranger, &[], BOTH));
        assert_ne!(stranger.id, lure.id, "the address of who signed in went with them");

        // From then on they are the source's, and what it says again takes nothing away.
        fixture.import(&[active(hers)]);
        assert!(!matches!(fixture.sign_in("1", &record("x", None), &[], NEITHER), Recognised::Nobody));
    }

    #[test]
    fn what_a_sign_in_would_change_is_told_before_it_does() {
        let fixture = fixture();
        let (ana, groups) = (record("ana", Some("ana@example.org")), ["Crew".to_owned()]);
        let who = Introduction { issuer: ISSUER, subject: "1", record: &ana, groups: Some(&groups) };
        let recognise = |keep| {
            let mut uid = Uuid::new_v4_of_tests();
            fixture.store.recognise(who, BOTH, keep, Timestamp::UNIX_EPOCH, &mut uid).unwrap()
        };
        let news = |recognised| match recognised {
            Recognised::Person { news, .. } => news,
            other => panic!("{other:?}"),
        };
        let told = news(recognise(Keep::Nothing));
        let joined = vec!["Crew".to_owned()];
        assert_eq!(told, News { is_new: true, is_first: true, joined: joined.clone(), left: Vec::new() });
        assert!(fixture.names().is_empty(), "only told");
        assert_eq!(news(recognise(Keep::All)), told);
        assert_eq!(news(recognise(Keep::Nothing)), News::default());
        let other = fixture.sign_in("1", &ana, &["Pilots"], BOTH);
        let moved = News { joined: vec!["Pilots".to_owned()], left: joined, ..News::default() };
        assert_eq!(news(other), moved);
    }

    #[test]
    fn groups_of_the_provider_follow_it_and_those_of_others_do_not() {
        let fixture = fixture();
        let ana = PersonRecord { groups: Some(vec!["Harbour".to_owned()]), ..record("ana", None) };
        let ben =
            PersonRecord { groups: Some(vec!["Admins".to_owned()]), ..record("ben", Some("b@example.org")) };
        fixture.import(&[ana, ben]);
        let groups = |names: &[&str]| {
            person(fixture.sign_in("1", &record("x", Some("b@example.org")), names, BOTH)).groups
        };
        assert_eq!(groups(&["Pilots", "harbour", "Crew"]), ["Admins", "Crew", "Pilots"]);
        assert_eq!(groups(&["crew "]), ["Admins", "Crew"]);
        assert_eq!(groups(&[]), ["Admins"]);
    }
}
