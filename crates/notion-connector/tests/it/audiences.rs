//! Audiences from end to end: rules, groups and moves decide who finds what, as a plain reading of them over the truth says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use notion_connector::model::{Actor, Caller, PersonId, Role};
use notion_connector::ops::{self, Grant, ImportDirectory, OpsError, SearchQuery, SetAudience};
use notion_connector::store::Scope;
use notion_emulator::Options;
use serde_json::json;
use uuid::Uuid;

use crate::support::{CONNECTOR, Fact, Line, generated};

const DIRECTORY: &str = "user_name,email,groups\nana,ana@acme.example,Sales\nbo,bo@acme.example,Board\n";

/// A workspace with Ana of sales, Bo of the board, a page with two below, and a database of projects; crawled, everybody mapped.
struct Office {
    line: Line,
    plans: Uuid,
    budget: Uuid,
    projects: Uuid,
    rows: BTreeMap<&'static str, Uuid>,
}

impl Office {
    async fn open() -> Self {
        let line = Line::in_process(generated("pages=30,seed=701"), Options::default()).await;
        let ana = line.notion.add_person(&json!({"name": "Ana", "email": "ana@acme.example"}));
        line.notion.add_person(&json!({"name": "Bo", "email": "bo@acme.example"}));
        let row = |title: &str, team: serde_json::Value, owners: serde_json::Value| {
            // One has no price yet.
            let price = if title.starts_with("Loose") { json!(null) } else { json!(7) };
            json!({"title": title, "properties": {"Team": team, "Owner": owners, "Price": price},
                "body": [{"page": {"title": format!("Notes of {title}")}}]})
        };
        let nobody = json!([]);
        let rows = [
            row("Red project", json!({"name": "Red"}), json!([{"object": "user", "id": ana}])),
            row("Blue project", json!({"name": "Blue"}), nobody.clone()),
            row("Loose project", json!(null), nobody),
        ];
        let options = json!({"options": [{"name": "Red"}, {"name": "Blue"}]});
        let schema = json!({"Name": {"type": "title", "title": {}}, "Team": {"type": "select", "select": options}, "Owner": {"type": "people", "people": {}}, "Price": {"type": "number", "number": {}}});
        let content = json!([
            {"page": {"title": "Plans", "body": [{"page": {"title": "Budget", "body": [{"page": {"title": "Salaries"}}]}}]}},
            {"database": {"title": "Projects", "data_sources": [{"title": "Projects", "schema": schema, "rows": rows}]}},
        ]);
        let made = line.control("seed", json!({ "content": content })).await;
        for id in made["ids"].as_array().unwrap() {
            line.control("share", json!({ "id": id })).await;
        }
        let file = line.beside("people.csv");
        std::fs::write(&file, DIRECTORY).unwrap();
        ops::import_directory(&line.app(), &Caller::LOCAL_OPERATOR, &file, ImportDirectory::default())
            .unwrap();
        line.crawl().await;
        line.try_crawl(Scope::People).await.unwrap();
        let truth = line.truth();
        let titled = |title: &str, kind: &str| {
            truth.values().find(|fact| fact.title == title && fact.kind == kind).unwrap().id
        };
        let rows =
            ["Red project", "Blue project", "Loose project"].map(|title| (title, titled(title, "row")));
        let (plans, budget, projects) =
            (titled("Plans", "page"), titled("Budget", "page"), titled("Projects", "database"));
        Self { plans, budget, projects, rows: rows.into(), line }
    }

    async fn try_set(
        &self,
        place: Option<Uuid>,
        property: Option<&str>,
        grants: &[&str],
    ) -> Result<(), OpsError> {
        let grants: Vec<Grant> = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        let set = SetAudience {
            place: place.map(|id| id.to_string()),
            property: property.map(str::to_owned),
            grants,
        };
        ops::set_audience(&self.line.app(), &Caller::LOCAL_OPERATOR, Some(CONNECTOR), &set).await.map(drop)
    }

    async fn set(&self, place: Option<Uuid>, property: Option<&str>, grants: &[&str]) {
        self.try_set(place, property, grants).await.unwrap();
    }

    fn switch(&self, on: bool) {
        ops::switch_audiences(&self.line.app(), &Caller::LOCAL_OPERATOR, Some(CONNECTOR), on).unwrap();
    }

    fn caller(&self, user_name: &str) -> Caller {
        let store = &self.line.app().store;
        let person = store.load_person(user_name).unwrap().unwrap();
        Caller {
            actor: Actor::Person { id: person.id, name: user_name.to_owned() },
            roles: [Role::SearchUser].into_iter().collect(),
            viewer: store.load_viewer(person.id).unwrap(),
            from: None,
        }
    }

    /// What somebody finds; every mouth says the same.
    fn found(&self, user_name: &str) -> BTreeSet<Uuid> {
        let (app, caller) = (self.line.app(), self.caller(user_name));
        let query = SearchQuery { limit: 100, ..SearchQuery::default() };
        let answer = ops::search(&app.require_index().unwrap(), &query, &caller).unwrap();
        let found: BTreeSet<Uuid> = answer.hits.iter().map(|hit| hit.id.0).collect();
        assert_eq!(answer.total, found.len());
        let mut exported = BTreeSet::new();
        let keep = |line: &ops::ExportLine| {
            exported.insert(line.id.0);
            Ok(())
        };
        ops::export(&app, &caller, keep).unwrap();
        assert_eq!(exported, found);
        for id in self.line.truth().into_keys() {
            let item = ops::load_item(&app, notion_connector::model::NotionId(id), &caller);
            assert_eq!(item.is_ok(), found.contains(&id), "{id}");
        }
        let what = ops::show_access_of_person(&app, &Caller::LOCAL_OPERATOR, user_name).unwrap();
        assert_eq!(what.items, found.len());
        found
    }

    /// The objects with a title, and what lies below each, as the truth has it now.
    fn below(&self, tops: &[Uuid]) -> BTreeSet<Uuid> {
        let truth = self.line.truth();
        let lies_below = |fact: &&Fact| {
            let mut at = Some(fact.id);
            while let Some(id) = at {
                if tops.contains(&id) {
                    return true;
                }
                at = truth.get(&id).and_then(|fact| fact.parent);
            }
            false
        };
        truth.values().filter(lies_below).map(|fact| fact.id).collect()
    }

    fn everything(&self) -> BTreeSet<Uuid> {
        self.line.truth().into_keys().collect()
    }

    async fn follow(&self) {
        self.line.notion.advance(std::time::Duration::from_secs(600));
        self.line.try_crawl(Scope::Incremental).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn why_says_of_what_is_not_for_somebody_what_it_says_of_what_is_not_there() {
    let office = Office::open().await;
    office.set(Some(office.plans), None, &["group:Board"]).await;
    office.switch(true);
    let app = office.line.app();
    let nowhere = Uuid::from_u128(0x7777_7777_7777_7777_7777_7777_7777_7777);
    for (user_name, page, expected) in
        [("bo", office.budget, true), ("ana", office.budget, false), ("ana", nowhere, false)]
    {
        let caller = office.caller(user_name);
        match ops::why(&app, &caller, &page.to_string(), false).await {
            Ok(why) => assert!(
                expected && why.holdings.is_empty() && why.reasons[0].message.contains("in the index")
            ),
            Err(error) => {
                assert!(!expected);
                assert_eq!(error.to_string(), format!("{page} is not in the index, or not for you"));
            }
        }
        let asked = ops::why(&app, &caller, &page.to_string(), true).await;
        assert!(matches!(asked, Err(OpsError::Forbidden(_))), "to ask Notion is for administrators");
    }
    let full = ops::why(&app, &Caller::LOCAL_OPERATOR, &office.budget.to_string(), false).await.unwrap();
    assert_eq!(full.holdings.len(), 1);
}

fn minus(all: &BTreeSet<Uuid>, but: &BTreeSet<Uuid>) -> BTreeSet<Uuid> {
    all.difference(but).copied().collect()
}

#[tokio::test(start_paused = true)]
async fn rules_decide_by_the_nearest_place_and_by_default_everything_is_closed() {
    let office = Office::open().await;
    let everything = office.everything();
    office.set(None, None, &["group:Sales"]).await;
    assert_eq!(
        (office.found("ana"), office.found("bo")),
        (everything.clone(), everything.clone()),
        "rules do not hold yet"
    );
    office.switch(true);
    assert_eq!((office.found("ana"), office.found("bo").len()), (everything.clone(), 0));

    office.set(Some(office.plans), None, &["group:Board"]).await;
    office.set(Some(office.budget), None, &["person:ana", "person:bo"]).await;
    let (plans, budget) = (office.below(&[office.plans]), office.below(&[office.budget]));
    assert_eq!(budget.len(), 2);
    let others = minus(&everything, &plans);
    assert_eq!(office.found("ana"), others.union(&budget).copied().collect());
    assert_eq!(office.found("bo"), plans);

    // It moves out of the plans, and into them again below something else.
    office.line.control("move", json!({"id": office.budget})).await;
    office.line.control("share", json!({"id": office.budget})).await;
    office.follow().await;
    assert_eq!(office.below(&[office.plans]).len(), 1);
    assert_eq!(office.found("bo"), office.below(&[office.plans, office.budget]));
    let rule = ops::show_audiences(&office.line.app(), &Caller::LOCAL_OPERATOR, None).unwrap().rules;
    let rule = rule.iter().find(|rule| rule.title.as_deref() == Some("Budget")).unwrap().id;
    ops::remove_audience(&office.line.app(), &Caller::LOCAL_OPERATOR, None, rule).unwrap();
    assert_eq!(
        office.found("bo"),
        office.below(&[office.plans]),
        "what stands at the top is the whole connector's again"
    );
    office.line.control("move", json!({"id": office.budget, "parent": office.plans})).await;
    office.follow().await;
    assert_eq!((office.found("bo"), office.found("ana")), (plans, others));
    office.switch(false);
    assert_eq!(office.found("bo"), everything);
}

#[tokio::test(start_paused = true)]
async fn rows_are_seen_by_whom_a_column_says_with_all_that_lies_below() {
    let office = Office::open().await;
    office.switch(true);
    office.set(Some(office.projects), None, &["everyone"]).await;
    office
        .set(Some(office.projects), Some("Team"), &["Red=group:Sales", "Blue=group:Board", "person:ana"])
        .await;
    let [red, blue, loose] = ["Red project", "Blue project", "Loose project"].map(|title| office.rows[title]);
    let all_rows = office.below(&[red, blue, loose]);
    assert_eq!(all_rows.len(), 6, "each with its notes");
    let around = minus(&office.below(&[office.projects]), &all_rows);
    let with = |rows: &[Uuid]| -> BTreeSet<Uuid> { around.union(&office.below(rows)).copied().collect() };
    assert_eq!((office.found("ana"), office.found("bo")), (with(&[red, blue, loose]), with(&[blue])));

    office.set(Some(office.projects), Some("Team"), &["Red=group:Sales", "Blue=group:Board"]).await;
    assert_eq!((office.found("ana"), office.found("bo")), (with(&[red]), with(&[blue])));
    // The row goes to the other team, and takes what lies below it along.
    office.line.control("edit", json!({"id": blue, "properties": {"Team": {"name": "Red"}}})).await;
    office.follow().await;
    assert_eq!((office.found("ana"), office.found("bo")), (with(&[red, blue]), with(&[])));
    // A rule on the row itself is nearer.
    office.set(Some(blue), None, &["group:Board"]).await;
    assert_eq!((office.found("ana"), office.found("bo")), (with(&[red]), with(&[blue])));
    // The people whom the row names, whoever they are in the directory.
    office.set(Some(office.projects), Some("Owner"), &["named"]).await;
    assert_eq!((office.found("ana"), office.found("bo")), (with(&[red]), with(&[blue])));
    let who =
        ops::show_access_of_page(&office.line.app(), &Caller::LOCAL_OPERATOR, &red.to_string()).unwrap();
    let by = &who.connectors[0];
    assert_eq!(
        (by.people.len(), by.people[0].user_name.as_str(), by.people[0].because.as_slice()),
        (1, "ana", &["named".to_owned()][..])
    );
    assert_eq!(by.people[0].mapped_as[0].email.as_deref(), Some("ana@acme.example"));
    assert_eq!(by.rule.as_ref().unwrap().property.as_deref(), Some("Owner"));
}

#[tokio::test(start_paused = true)]
async fn an_option_that_no_row_has_is_told_and_a_grantee_is_there_once() {
    let office = Office::open().await;
    let grants = ["Red=group:Sales", "red=group:Sales", "Red=group:SALES", "person:bo", "person:BO"];
    office.set(Some(office.projects), Some("Team"), &grants).await;
    let shown = ops::show_audiences(&office.line.app(), &Caller::LOCAL_OPERATOR, None).unwrap();
    let rule = &shown.rules[0];
    let grants: Vec<String> = rule.grants.iter().map(ToString::to_string).collect();
    assert_eq!(grants, ["person:bo", "Red=group:Sales", "red=group:Sales"]);
    let counted: Vec<_> = rule.options.iter().map(|one| (one.value.as_str(), one.items)).collect();
    assert_eq!(counted, [("Red", Some(2)), ("red", Some(0))], "the row with its notes");
}

#[tokio::test(start_paused = true)]
async fn groups_and_mappings_take_effect_at_once() {
    let office = Office::open().await;
    office.set(None, None, &["group:Sales"]).await;
    office.switch(true);
    assert_eq!(office.found("bo").len(), 0);
    let file = office.line.beside("people.csv");
    std::fs::write(
        &file,
        "user_name,email,groups\nana,ana@acme.example,Board\nbo,bo@acme.example,Board|Sales\n",
    )
    .unwrap();
    ops::import_directory(&office.line.app(), &Caller::LOCAL_OPERATOR, &file, ImportDirectory::default())
        .unwrap();
    assert_eq!((office.found("ana").len(), office.found("bo")), (0, office.everything()));
    std::fs::write(&file, "user_name,email,groups,active\nbo,bo@acme.example,Board|Sales,false\n").unwrap();
    ops::import_directory(&office.line.app(), &Caller::LOCAL_OPERATOR, &file, ImportDirectory::default())
        .unwrap();
    assert_eq!(office.found("bo").len(), 0, "who is not active sees nothing");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_and_every_act_stands_in_the_log() {
    let office = Office::open().await;
    for (place, property, grants, says) in [
        (Some(Uuid::from_u128(7)), None, "everyone", "has met nothing"),
        (Some(office.plans), Some("Team"), "everyone", "only a database has rows"),
        (
            Some(office.projects),
            Some("Teams"),
            "everyone",
            "such columns, exactly as they are written: Owner, Team",
        ),
        (Some(office.projects), Some("Price"), "7=everyone", "“Price” is no column of people or options"),
        (Some(office.projects), Some("Team"), "named", "“Team” is a column of options, and names nobody"),
        (Some(office.projects), Some("Owner"), "Red=everyone", "“Owner” is a column of people, and has no"),
        (None, Some("Team"), "everyone", "names the database"),
        (None, None, "group:Nobody", "no group “Nobody”"),
        (None, None, "person:nobody", "nobody with the user name"),
        (None, None, "named", "by a column of people"),
        (None, None, "Red=everyone", "only a rule by a column"),
    ] {
        let refused = office.try_set(place, property, &[grants]).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
    let app = Arc::new(office.line.app());
    assert!(
        ops::show_audiences(&app, &Caller::LOCAL_OPERATOR, None).unwrap().rules.is_empty(),
        "nothing was changed"
    );
    let ana =
        Caller { actor: Actor::Person { id: PersonId(1), name: "ana".to_owned() }, ..office.caller("ana") };
    for refused in [
        ops::show_audiences(&app, &ana, None).map(drop),
        ops::switch_audiences(&app, &ana, None, true).map(drop),
        ops::remove_audience(&app, &ana, None, 1).map(drop),
        ops::show_access_of_page(&app, &ana, &office.plans.to_string()).map(drop),
        ops::show_access_of_person(&app, &ana, "bo").map(drop),
    ] {
        assert!(matches!(refused, Err(OpsError::Forbidden(_))), "{refused:?}");
    }
    let log = ops::list_audit(&app, &Caller::LOCAL_OPERATOR, None, 100).unwrap().entries;
    let actions: BTreeSet<&str> = log.iter().map(|row| row.entry.action.as_str()).collect();
    for action in
        ["audiences.set", "audiences.show", "audiences.on", "audiences.remove", "access.who", "access.what"]
    {
        assert!(actions.contains(action), "{action} in {actions:?}");
    }
}

/// A folder of the restricted part is gone, and of what lies in it Notion does not say whether it is too: nobody else finds it
/// meanwhile.
#[tokio::test(start_paused = true)]
async fn what_loses_the_folder_it_lies_in_is_not_opened_by_the_rule_of_the_whole() {
    for purged_while_it_is_read in [false, true] {
        let office = Office::open().await;
        office.set(None, None, &["group:Board"]).await;
        office.set(Some(office.plans), None, &["group:Sales"]).await;
        office.switch(true);
        let salaries = office.line.truth().into_values().find(|fact| fact.title == "Salaries").unwrap().id;
        assert!(office.found("ana").contains(&salaries) && !office.found("bo").contains(&salaries));
        office.line.notion.advance(std::time::Duration::from_secs(3 * 3600));
        let (folder, leaf) = (format!("/v1/pages/{}", office.budget), format!("/v1/pages/{salaries}"));
        if purged_while_it_is_read {
            for id in [office.budget, salaries] {
                office.line.control("edit", json!({"id": id, "title": "Edited"})).await;
            }
            let plan = json!({"verb": "purge", "body": {"id": office.budget}, "path_prefix": folder});
            office.line.control("plan", plan).await;
            let slow =
                json!({"failure": {"kind": "slow", "delay_ms": 3_000}, "count": 1, "path_prefix": folder});
            office.line.control("faults", slow).await;
        } else {
            office.line.control("trash", json!({"id": office.budget})).await;
            let fails =
                json!({"failure": {"kind": "internal_server_error"}, "count": 50, "path_prefix": leaf});
            office.line.control("faults", fails).await;
        }
        let finds = |user_name: &str| {
            let app = office.line.app();
            let query = SearchQuery { limit: 100, ..SearchQuery::default() };
            let answer =
                ops::search(&app.require_index().unwrap(), &query, &office.caller(user_name)).unwrap();
            answer.hits.iter().any(|hit| hit.id.0 == salaries)
        };
        for scope in [Scope::Full, Scope::Incremental, Scope::Full] {
            office.line.try_crawl(scope).await.unwrap();
            assert!(!finds("bo"), "after {scope}");
            office.line.notion.advance(std::time::Duration::from_secs(3600));
            office.line.notion.clear_faults();
        }
        assert!(!finds("ana"), "it is gone");
        assert_eq!(office.found("bo").len(), office.everything().len() - office.below(&[office.plans]).len());
    }
}

/// What is above and not connected is not known: once that is certain, the rule of the whole connector holds.
#[tokio::test(start_paused = true)]
async fn what_lies_in_something_that_is_not_connected_is_placed_when_notion_said_so() {
    let office = Office::open().await;
    let content = json!([{"page": {"title": "Apart", "body": [{"page": {"title": "Connected", "body": [{"page": {"title": "Below"}}]}}]}}]);
    let made = office.line.control("seed", json!({ "content": content })).await;
    let apart = made["ids"][0].clone();
    office.line.control("share", json!({ "id": apart })).await;
    let connected = office.line.truth().into_values().find(|fact| fact.title == "Connected").unwrap().id;
    office.line.control("unshare", json!({ "id": apart })).await;
    office.line.control("share", json!({ "id": connected })).await;
    office.set(None, None, &["group:Board"]).await;
    office.switch(true);
    let first = office.line.crawl().await;
    assert_eq!(office.found("bo"), office.everything());
    assert!(office.everything().contains(&connected));
    let again = office.line.crawl().await;
    assert!(again.crawl.requests < first.crawl.requests, "its home is asked for once");
    assert_eq!(office.found("bo"), office.everything());
}

/// Who runs connectors does not open by that way what others closed.
#[tokio::test(start_paused = true)]
async fn audiences_are_not_got_round_by_another_connector_or_mapping() {
    let office = Office::open().await;
    let app = office.line.app();
    let runner = Caller {
        actor: Actor::Person { id: PersonId(1), name: "ana".to_owned() },
        roles: [Role::ConnectorAdmin].into_iter().collect(),
        ..office.caller("ana")
    };
    let all = "function mapSourceUser() { return \"ana@acme.example\"; }";
    ops::set_mapping_script(&app, &runner, CONNECTOR, None).await.unwrap();
    office.set(Some(office.plans), None, &["group:Board"]).await;
    office.switch(true);
    let map = ops::set_mapping_script(&app, &runner, CONNECTOR, Some(all)).await.map(drop);
    let field: ops::EditConnector = serde_json::from_value(json!({"directory_field": "name"})).unwrap();
    let field = ops::edit_connector(&app, &runner, CONNECTOR, &field).map(drop);
    let delete = ops::delete_connector(&app, &runner, CONNECTOR).await.map(drop);
    for refused in [map, field, delete] {
        assert!(matches!(refused, Err(OpsError::Forbidden(_))), "{refused:?}");
    }
    let new = ops::AddConnector {
        name: "another".to_owned(),
        notion_url: office.line.url.clone(),
        secret: notion_emulator::DEFAULT_TOKEN.into(),
        validate: true,
    };
    ops::add_connector(&app, &runner, new).await.unwrap();
    let connectors = app.store.load_connectors().unwrap();
    let another = connectors.iter().find(|connector| connector.name == "another").unwrap();
    assert!(app.store.has_audiences(another.id).unwrap(), "it begins closed");
}
