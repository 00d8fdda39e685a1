//! People: the directory, and who of it the people of a workspace are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use notion_connector::config::{DirectoryField, SourceField};
use notion_connector::crawl::Progress;
use notion_connector::model::{Caller, Role, Viewer};
use notion_connector::ops::{
    self, EditConnector, ImportDirectory, ListPeople, MappingAnswer, PeopleCounters, Setting, TestMapping,
};
use notion_connector::scripts::Scripts;
use notion_connector::store::{CrawlState, DirectoryFilter, ExternalUser, Scope};
use notion_emulator::Options;
use notion_emulator::faults::{Failure, Fault};
use notion_emulator::rules::auth::{Capabilities, UserCapability};
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::program::Home;
use crate::support::{CONNECTOR, Line, generated, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_in_by_a_file_all_of_it_or_nothing() {
    let home = Home::new();
    let (good, bad) = (home.path().join("people.csv"), home.path().join("bad.json"));
    std::fs::write(
        &good,
        "user_name,email,groups\nana,ana@acme.example,Sales\nbo,bo@acme.example,Sales|Board\n",
    )
    .unwrap();
    std::fs::write(&bad, "[{\"user_name\": \"cy\"},\n {\"user_name\": \"\"}]").unwrap();
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());

    let refused = home.expect(2, &["directory", "import", bad, "--json"]).await;
    assert!(refused.stderr.contains("line 2: no user name"), "{refused:?}");
    let rehearsed = home.expect(0, &["directory", "import", good, "--dry-run", "--json"]).await.json();
    assert_eq!((&rehearsed["added"], &rehearsed["dry_run"]), (&2.into(), &true.into()));
    let empty = home.expect(0, &["directory", "list", "--json"]).await.json();
    assert_eq!(empty["total"], 0);

    home.expect(0, &["directory", "import", good]).await;
    let again = home.expect(0, &["directory", "import", good]).await;
    assert!(again.stdout.contains("2 people: 0 changed"), "{again:?}");
    let board = home.expect(0, &["directory", "list", "--group", "board", "--json"]).await.json();
    assert_eq!((&board["total"], &board["people"][0]["user_name"]), (&1.into(), &"bo".into()));
    assert_eq!(board["people"][0]["groups"], serde_json::json!(["Board", "Sales"]));
}

/// A line whose workspace has some people more, its content crawled.
async fn with_people() -> (Line, BTreeMap<&'static str, Uuid>) {
    let line = Line::in_process(generated("pages=120,seed=601"), Options::default()).await;
    let mut people = BTreeMap::new();
    for (name, person) in [
        ("ana", json!({"name": "Ana", "email": " ANA@acme.example "})),
        ("bo", json!({"name": "Bo", "email": "bo@acme.example", "email_verified": false})),
        ("cy", json!({"name": "Cy"})),
        ("dee", json!({"name": "Dee", "email": "shared@acme.example"})),
    ] {
        people.insert(name, line.notion.add_person(&person));
    }
    // A guest whom one text mentions, and nothing else.
    let gil = line.notion.add_person(&json!({"name": "Gil", "email": "gil@partner.example", "guest": true}));
    let mention =
        json!({"type": "mention", "mention": {"type": "user", "user": {"object": "user", "id": gil}}});
    let page = json!({"title": "Minutes", "data_sources": [{"title": "Minutes",
        "schema": {"Name": {"type": "title"}, "Notes": {"type": "rich_text"}},
        "rows": [{"title": "Monday", "properties": {"Notes": [mention]}}]}]});
    let made = line.control("seed", json!({"content": [{"database": page}]})).await;
    line.control("share", json!({"id": made["ids"][0]})).await;
    let report = line.crawl().await;
    assert_eq!(report.crawl.people.map(|people| people.discovered), None);
    (line, people)
}

fn import(line: &Line, text: &str) {
    let file = line.beside("people.csv");
    std::fs::write(&file, text).unwrap();
    let app = line.app();
    // Each app of a story begins with the same seed, and would give ids a second time.
    let known = app.store.load_directory(&DirectoryFilter::default(), 0, 0).unwrap().total;
    (0..known * 2).for_each(|_| assert!(!app.runtime.uuid().is_nil()));
    ops::import_directory(&app, &Caller::LOCAL_OPERATOR, &file, ImportDirectory::default()).unwrap();
}

fn people(line: &Line) -> Vec<ExternalUser> {
    let list = ListPeople { limit: 1_000, ..ListPeople::default() };
    ops::list_people(&line.app(), &Caller::LOCAL_OPERATOR, &list).unwrap().users
}

/// Who somebody of the workspace is, or why nobody.
fn standing(line: &Line, name: &str) -> String {
    let found = people(line).into_iter().find(|user| user.name.as_deref() == Some(name));
    found.map_or("gone".to_owned(), |user| match (user.person, user.reason) {
        (Some(person), None) => person,
        (_, reason) => reason.unwrap().to_string(),
    })
}

async fn crawl_people(line: &Line) -> (CrawlState, PeopleCounters) {
    let report = line.try_crawl(Scope::People).await.unwrap();
    let people = report.crawl.people.unwrap();
    assert_eq!(people.counts.mapped + people.counts.unmapped, people.discovered);
    (report.crawl.state, people)
}

fn sees(line: &Line, user_name: &str) -> bool {
    let store = &line.app().store;
    let person = store.load_person(user_name).unwrap().unwrap();
    match store.load_viewer(person.id).unwrap() {
        Viewer::Mapped(sights) => !sights.connectors.is_empty(),
        Viewer::LocalOperator => panic!("a person is not the operator"),
    }
}

const DIRECTORY: &str = "user_name,email,active,groups\nana,ana@ACME.example,,Sales\nbo,bo@acme.example,,\n\
    one,shared@acme.example,,\ntwo,Shared@acme.example,,\n";

#[tokio::test(start_paused = true)]
async fn people_are_mapped_by_address_and_whoever_is_not_has_a_reason() {
    let (line, _) = with_people().await;
    import(&line, DIRECTORY);
    let (state, first) = crawl_people(&line).await;
    assert_eq!((state, first.counts.mapped, first.counts.deleted), (CrawlState::Completed, 1, 0));
    assert_eq!(first.counts.added, first.discovered);
    let told = ["Ana", "Bo", "Cy", "Dee"].map(|name| standing(&line, name));
    assert_eq!(told, ["ana", "unverified", "no_value", "several_matches"]);
    assert_eq!(standing(&line, "Gil"), "no_match", "a mention is how a guest is met");
    assert!(sees(&line, "ana") && !sees(&line, "bo"));

    // Guests are in no list: those whom content names were asked for, and are mapped like others.
    let guest = people(&line).into_iter().find(|user| user.is_guest).unwrap();
    assert_eq!(guest.reason.unwrap().to_string(), "no_match");
    import(&line, &format!("user_name,email\ngus,{}\n", guest.email.unwrap()));
    let (_, second) = crawl_people(&line).await;
    assert_eq!((second.counts.mapped, second.counts.added), (2, 0));
    assert_eq!(second.discovered, first.discovered);
    assert!(sees(&line, "gus"));

    // Of two with the same address the active one is meant; a deactivated person sees nothing at once.
    import(&line, "user_name,active\ntwo,false\nana,false\n");
    assert!(!sees(&line, "ana"));
    crawl_people(&line).await;
    assert_eq!(standing(&line, "Dee"), "one");

    let counts = ops::count_people(&line.app(), &Caller::LOCAL_OPERATOR).unwrap();
    assert_eq!((counts[0].mapped, counts[0].mapped + counts[0].unmapped), (3, first.discovered));
    let analytics = ops::analytics(&line.app(), &Caller::LOCAL_OPERATOR, None, None, None).unwrap();
    let totals = &analytics.totals;
    assert_eq!((totals.people_crawls_good.count, totals.crawls_good.count), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn somebody_leaves_on_notions_word_alone_and_may_come_back() {
    let (line, ids) = with_people().await;
    import(&line, DIRECTORY);
    let (_, first) = crawl_people(&line).await;
    let guest = people(&line).into_iter().find(|user| user.is_guest).unwrap();

    line.notion.set_user_gone(ids["ana"], true).unwrap();
    let failing = |count| Fault {
        failure: Failure::ServiceUnavailable,
        count,
        skip: 0,
        method: None,
        path_prefix: Some(format!("/v1/users/{}", ids["ana"])),
    };
    line.notion.push_fault(failing(50));
    let (state, unsure) = crawl_people(&line).await;
    assert_eq!((state, unsure.counts.deleted), (CrawlState::CompletedWithErrors, 0));
    assert_eq!(standing(&line, "Ana"), "ana", "Notion did not say that she is gone");

    line.notion.clear_faults();
    line.notion.set_user_gone(guest.id.0, true).unwrap();
    let (state, third) = crawl_people(&line).await;
    assert_eq!((state, third.counts.deleted), (CrawlState::Completed, 2));
    assert_eq!((third.discovered, third.counts.mapped), (first.discovered - 2, 0));
    assert_eq!(standing(&line, "Ana"), "gone");
    assert!(!sees(&line, "ana"));
    line.notion.clear_requests();
    crawl_people(&line).await;
    let asked = line.notion.request_log().iter().any(|entry| entry.path.contains(&guest.id.to_string()));
    assert!(!asked, "who is known to be gone is not asked for again so soon");

    line.notion.set_user_gone(ids["ana"], false).unwrap();
    let (_, back) = crawl_people(&line).await;
    assert_eq!((back.counts.added, back.counts.mapped), (1, 1));
    assert!(sees(&line, "ana"));
}

#[tokio::test(start_paused = true)]
async fn a_capability_taken_away_is_told_and_takes_nothing_from_anybody() {
    let (line, ids) = with_people().await;
    import(&line, DIRECTORY);
    crawl_people(&line).await;
    let before = people(&line).len();
    line.notion.set_user_gone(ids["ana"], true).unwrap();
    for users in [UserCapability::None, UserCapability::WithoutEmail] {
        let capabilities = Capabilities { users, ..Capabilities::default() };
        line.notion.set_token(None, Some(capabilities), None).unwrap();
        let report = line.try_crawl(Scope::People).await.unwrap();
        assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors, "{users:?}");
        assert_eq!(report.crawl.people.unwrap().counts.deleted, 0);
        let alerts = line.alerts(&report);
        assert!(
            alerts.iter().any(|one| one.contains("“Read user information including email addresses”")),
            "{alerts:?}"
        );
        assert_eq!((people(&line).len(), standing(&line, "Ana").as_str()), (before, "ana"), "{users:?}");
        assert!(sees(&line, "ana"));
    }
    // By Notion's ids no address is missed.
    import(&line, &format!("user_name,notion_id\nbo,{}\n", ids["bo"]));
    let edit = EditConnector {
        source_field: Some(Setting::Own(SourceField::Id)),
        directory_field: Some(Setting::Own(DirectoryField::Own("notion_id".to_owned()))),
        ..EditConnector::default()
    };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap();
    let (state, counters) = crawl_people(&line).await;
    assert_eq!((state, counters.counts.mapped, counters.counts.deleted), (CrawlState::Completed, 1, 1));
    assert_eq!(standing(&line, "Bo"), "bo");
}

#[tokio::test(start_paused = true)]
async fn a_crawl_of_content_is_followed_by_one_of_people_where_that_is_set() {
    let (line, _) = with_people().await;
    import(&line, DIRECTORY);
    let edit = EditConnector { people_with_content: Some(Setting::Own(true)), ..EditConnector::default() };
    let shown = ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap();
    assert!(!shown.connector.recrawl_required, "what is indexed is as before");
    let report = line.crawl().await;
    assert_eq!(report.crawl.scope, "full");
    let crawls = ops::list_crawls(&line.app(), &Caller::LOCAL_OPERATOR, 10).unwrap();
    let scopes: Vec<&str> = crawls.iter().map(|crawl| crawl.scope.as_str()).collect();
    assert_eq!(scopes, ["people", "full", "full"]);
    assert_eq!(standing(&line, "Ana"), "ana");
}

#[tokio::test(start_paused = true)]
async fn a_field_that_nobody_has_is_warned_of_and_a_crawl_that_maps_nobody_says_so() {
    let (line, _) = with_people().await;
    let operator = &Caller::LOCAL_OPERATOR;
    let strangers = line.try_crawl(Scope::People).await.unwrap();
    let of_nobody = |alerts: &[String]| alerts.iter().filter(|one| one.contains("nobody was found")).count();
    assert_eq!(of_nobody(&line.alerts(&strangers)), 0, "there is no directory yet");
    import(&line, "user_name,email,department\nana,ana@acme.example,Quay\n");
    crawl_people(&line).await;
    let edit = |field: Setting<DirectoryField>| {
        let edit = EditConnector { directory_field: Some(field), ..EditConnector::default() };
        ops::edit_connector(&line.app(), operator, CONNECTOR, &edit).unwrap()
    };
    let shown = edit(Setting::Own(DirectoryField::Own("Department".to_owned())));
    let warned = shown.warnings.join("\n");
    assert!(warned.contains("“Department”") && warned.ends_with("written: department"), "{warned}");
    let lost = line.try_crawl(Scope::People).await.unwrap();
    assert_eq!(lost.crawl.state, CrawlState::CompletedWithErrors);
    let alerts = line.alerts(&lost);
    assert!(
        alerts
            .iter()
            .any(|one| one.contains("1 who were see nothing now")
                && one.contains("“Department”, which nobody")),
        "{alerts:?}"
    );
    let again = line.try_crawl(Scope::People).await.unwrap();
    assert_eq!((again.crawl.state, of_nobody(&line.alerts(&again))), (CrawlState::Completed, 1), "a warning");
    let shown = edit(Setting::Inherited);
    assert!(shown.warnings.is_empty() && shown.settings.people.is_default(), "{:?}", shown.settings.people);
    let (state, back) = crawl_people(&line).await;
    assert_eq!((state, back.counts.mapped), (CrawlState::Completed, 1));
}

#[tokio::test(start_paused = true)]
async fn the_test_box_answers_match_no_match_or_inconclusive() {
    let (line, _) = with_people().await;
    import(&line, DIRECTORY);
    let app = line.app();
    let try_as = async |caller: &Caller, value: &str| {
        let test = TestMapping { connector: None, value: value.to_owned() };
        ops::test_mapping(&app, caller, &test).await.map(|test| (test.answer, test.person))
    };
    let operator = &Caller::LOCAL_OPERATOR;
    let ana = Some("ana".to_owned());
    assert_eq!(try_as(operator, " ANA@acme.example").await.unwrap(), (MappingAnswer::Match, ana));
    assert_eq!(try_as(operator, "nobody@acme.example").await.unwrap(), (MappingAnswer::NoMatch, None));
    assert_eq!(try_as(operator, "").await.unwrap(), (MappingAnswer::NoMatch, None));
    assert_eq!(try_as(operator, "shared@acme.example").await.unwrap(), (MappingAnswer::Inconclusive, None));
    let with = |role| Caller { roles: [role].into_iter().collect(), ..Caller::LOCAL_OPERATOR };
    let admin = with(Role::ConnectorAdmin);
    assert_eq!(try_as(&admin, "ana@acme.example").await.unwrap(), (MappingAnswer::Match, None));
    assert!(ops::count_people(&app, &admin).is_ok());
    assert!(ops::list_people(&app, &admin, &ListPeople::default()).is_err());
    assert!(try_as(&with(Role::SearchUser), "ana@acme.example").await.is_err());
    assert!(ops::count_people(&app, &with(Role::SearchUser)).is_err());
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_people_are_counted_and_not_kept() {
    let (mut line, _) = with_people().await;
    import(&line, DIRECTORY);
    line.config.crawl.user_limit = 5;
    for _ in 0..2 {
        let report = line.try_crawl(Scope::People).await.unwrap();
        let people_counts = report.crawl.people.unwrap();
        assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
        let more = people_counts.discovered - 5;
        let alerts = line.alerts(&report);
        assert!(alerts.iter().any(|one| one.contains(&format!("and {more} more were met"))), "{alerts:?}");
        assert_eq!(people_counts.counts.mapped + people_counts.counts.unmapped, people_counts.discovered);
        assert_eq!(people(&line).len(), 5);
    }
    line.config.crawl.user_limit = 500;
    let (state, all) = crawl_people(&line).await;
    assert_eq!((state, all.counts.added), (CrawlState::Completed, all.discovered - 5));
}

#[tokio::test(start_paused = true)]
async fn a_script_maps_and_one_that_fails_is_told_and_ends_nothing() {
    let (line, _) = with_people().await;
    import(&line, "user_name,login\nana,ana\nbo,bo\n");
    let edit = EditConnector {
        directory_field: Some(Setting::Own(DirectoryField::Own("login".to_owned()))),
        ..EditConnector::default()
    };
    let operator = &Caller::LOCAL_OPERATOR;
    ops::edit_connector(&line.app(), operator, CONNECTOR, &edit).unwrap();
    let set =
        async |script: Option<&str>| ops::set_mapping_script(&line.app(), operator, CONNECTOR, script).await;
    let local_part =
        "var mapSourceUser = function (v) { return v.split('@')[0]; }; mapSourceUser(sourceUserValue);";
    let shown = set(Some(local_part)).await.unwrap();
    assert!(!shown.connector.recrawl_required, "what is indexed is as before");
    let (state, mapped) = crawl_people(&line).await;
    assert_eq!((state, mapped.counts.mapped), (CrawlState::Completed, 1));
    assert_eq!([standing(&line, "Ana"), standing(&line, "Bo")], ["ana", "unverified"]);
    let test = async |value: &str| {
        let test = TestMapping { connector: None, value: value.to_owned() };
        ops::test_mapping(&line.app(), operator, &test).await.unwrap()
    };
    let bo = test("BO@elsewhere.example").await;
    assert_eq!((bo.answer, bo.looked_for.as_deref()), (MappingAnswer::Match, Some("BO")));

    let failing = "function mapSourceUser(v) { if (/^ana/i.test(v)) throw new Error(v); return null; }";
    set(Some(failing)).await.unwrap();
    let report = line.try_crawl(Scope::People).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    let alerts = line.alerts(&report);
    assert!(alerts.iter().any(|one| one.contains("it threw an error")), "{alerts:?}");
    let tells = alerts.iter().any(|one| one.to_lowercase().contains("ana@"));
    assert!(!tells, "an alert is no place for addresses");
    assert_eq!([standing(&line, "Ana"), standing(&line, "Dee")], ["script_error", "no_script_value"]);
    assert!(test("ana@acme.example").await.error.unwrap().contains("ana@acme.example"));

    set(Some("function mapSourceUser(v) { for (;;) {} }")).await.unwrap();
    let endless = line.try_crawl(Scope::People).await.unwrap();
    let people = endless.crawl.people.unwrap();
    assert_eq!((endless.crawl.state, people.counts.mapped), (CrawlState::CompletedWithErrors, 0));
    assert!(line.alerts(&endless).iter().any(|one| one.contains("stopped too often")));

    assert!(set(Some("function (")).await.unwrap_err().to_string().contains("no JavaScript"));
    for nothing in ["", "function map(v) { return v; }"] {
        let refused = set(Some(nothing)).await.unwrap_err().to_string();
        assert!(refused.contains("no function mapSourceUser"), "{refused}");
    }
    assert!(set(Some(&" ".repeat(40_000))).await.is_err());
    let admin = Caller { roles: [Role::SearchUser].into_iter().collect(), ..Caller::LOCAL_OPERATOR };
    assert!(ops::set_mapping_script(&line.app(), &admin, CONNECTOR, None).await.is_err());
    let restored = set(None).await.unwrap();
    assert!(restored.settings.people.script.is_none());
    assert!(restored.effective.people.script.unwrap().contains("Examples"));
}

#[tokio::test(start_paused = true)]
async fn where_scripts_cannot_be_run_everybody_stays_who_they_are() {
    let (line, _) = with_people().await;
    import(&line, DIRECTORY);
    crawl_people(&line).await;
    let script = Some("function mapSourceUser(v) { return v; }");
    ops::set_mapping_script(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, script).await.unwrap();
    let before = people(&line);
    let mut app = Arc::into_inner(line.app()).unwrap();
    app.scripts = Arc::new(Scripts::of_program(PathBuf::from("/nowhere/at/all")));
    let progress = watch::Sender::new(Progress::default());
    let app = Arc::new(app);
    let report = ops::run_crawl(&app, &Caller::LOCAL_OPERATOR, request(Scope::People), progress);
    let report = report.await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    let alerts = line.alerts(&report);
    assert!(alerts.iter().any(|one| one.contains("could not be started")), "{alerts:?}");
    assert_eq!((people(&line).len(), standing(&line, "Ana").as_str()), (before.len(), "ana"));
}
