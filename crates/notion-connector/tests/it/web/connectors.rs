//! The life of a connector over REST: the steps that the command takes, over the same verbs.

use std::sync::Arc;

use notion_connector::ops;
use notion_emulator::rules::auth::{Capabilities, UserCapability};
use notion_emulator::{DEFAULT_TOKEN, Emulator, Options};
use serde_json::{Value, json};

use super::Server;
use super::rest::Answer;
use crate::support::{self, generated};
use notion_connector::model::Caller;

const ALL: &str = "/api/v1/connectors";
const TIDES: &str = "/api/v1/connectors/Tide%20%2F%20tables";

/// An emulated Notion, and a server that knows of none.
async fn both(spec: &str) -> (Emulator, support::Server, Server) {
    let notion = Emulator::new(generated(spec), Options::default());
    let there = support::Server::start(&notion).await;
    (notion, there, Server::empty().await)
}

fn new(there: &support::Server, secret: &str) -> Value {
    json!({"name": "Tide / tables", "notion_url": there.url, "secret": secret})
}

async fn names(server: &Server) -> Vec<String> {
    let all = server.get(ALL).await.json();
    let names = all["connectors"].as_array().unwrap().iter();
    names.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

fn assert_good(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(!answer.body.contains(DEFAULT_TOKEN), "{}", answer.body);
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_validated_added_crawled_edited_and_deleted() {
    let (_notion, there, server) = both("pages=30,seed=311").await;
    let connection = json!({"notion_url": there.url, "secret": DEFAULT_TOKEN});
    let valid = assert_good(&server.send("POST", "/api/v1/validate-connection", &connection).await, 200);
    assert!(valid["workspace_name"].is_string() && valid["start_points_at_least"].as_u64() >= Some(1));
    assert_eq!((&valid["problems"], names(&server).await.len()), (&json!([]), 0), "nothing is saved");

    let added = assert_good(&server.send("POST", ALL, &new(&there, DEFAULT_TOKEN)).await, 201);
    assert_eq!(added["connector"]["name"], "Tide / tables");
    assert_eq!(added["validation"]["workspace"], valid["workspace"]);
    let again = server.send("POST", ALL, &new(&there, DEFAULT_TOKEN)).await;
    assert_eq!(again.code(), (409, "not_possible".to_owned()));
    let checked = assert_good(&server.ask("POST", &format!("{TIDES}/check"), &[]).await, 200);
    assert_eq!(checked["bot"], valid["bot"]);

    let (told, _) = tokio::sync::watch::channel(Default::default());
    let mut request = support::request(ops::Scope::Full);
    request.connector = None;
    let report =
        ops::run_crawl(&Arc::clone(&server.app), &Caller::LOCAL_OPERATOR, request, told).await.unwrap();
    let listed = server.get(ALL).await.json()["connectors"][0].clone();
    assert_eq!((&listed["source"], &listed["status"]), (&"notion".into(), &"active".into()), "{listed}");
    assert_eq!((&listed["items"], &listed["last_crawl"]), (&report.crawl.added.into(), &"completed".into()));
    assert_eq!(listed["failed_crawls"], 0);

    let points = assert_good(&server.get(&format!("{TIDES}/start-points")).await, 200);
    let point = points["start_points"][0].clone();
    assert!(point["title"].is_string(), "{points}");
    let edit = json!({"exclude": [point["id"]], "archived": true});
    let preview = assert_good(&server.send("POST", &format!("{TIDES}/preview"), &edit).await, 200);
    assert!(preview["leave_out"].as_u64() >= Some(1), "{preview}");
    let before = assert_good(&server.get(TIDES).await, 200);
    assert_eq!(
        (&before["recrawl_required"], &before["settings"]),
        (&false.into(), &json!({})),
        "saved nothing"
    );
    let after = assert_good(&server.send("PATCH", TIDES, &edit).await, 200);
    assert_eq!((&after["recrawl_required"], &after["effective"]["archived"]), (&true.into(), &true.into()));
    let after = assert_good(&server.send("PATCH", TIDES, &json!({"archived": null})).await, 200);
    assert_eq!(after["settings"], json!({"exclude": [point["id"]]}), "null inherits, the rest stays");
    for wrong in [json!({"comments": "all"}), json!({"colour": "red"}), json!({"include": "x"})] {
        assert_eq!(server.send("PATCH", TIDES, &wrong).await.code(), (400, "bad_body".to_owned()), "{wrong}");
    }
    let wrong = server.send("PATCH", TIDES, &json!({"item_limit": 0})).await;
    assert_eq!(wrong.code(), (400, "invalid_parameters".to_owned()));
    for (path, body) in [
        ("/api/v1/crawls", json!({"scope": "partial"})),
        ("/api/v1/schedules", json!({"name": "nightly", "when": "whenever"})),
        (
            "/api/v1/connectors/Tide%20%2F%20tables/audiences/rules",
            json!({"grants": [{"to": "group", "name": "nobodies"}]}),
        ),
    ] {
        let wrong = server.send("POST", path, &body).await;
        assert_eq!(wrong.code(), (400, "invalid_parameters".to_owned()), "{path}: {}", wrong.body);
    }
    let days = server.get(&format!("{TIDES}/analytics?from=foo")).await;
    assert!(days.status == 400 && days.body.contains("write for example 2026-05-01"), "{}", days.body);

    let resting = assert_good(&server.ask("POST", &format!("{TIDES}/deactivate"), &[]).await, 200);
    assert_eq!(resting["status"], "deactivated");
    let woken = assert_good(&server.ask("POST", &format!("{TIDES}/activate"), &[]).await, 200);
    assert_eq!(woken["status"], "active");
    let renamed = server.send("POST", &format!("{TIDES}/rename"), &json!({"name": "Tides"})).await;
    assert_eq!(assert_good(&renamed, 200)["name"], "Tides");
    assert_eq!(server.get(TIDES).await.code(), (404, "not_found".to_owned()));

    for unconfirmed in ["", "?confirm=tides", "?confirm="] {
        let refused = server.ask("DELETE", &format!("{ALL}/Tides{unconfirmed}"), &[]).await;
        assert_eq!(refused.code(), (400, "invalid_parameters".to_owned()), "{unconfirmed}");
    }
    let gone = assert_good(&server.ask("DELETE", &format!("{ALL}/Tides?confirm=Tides"), &[]).await, 200);
    assert_eq!((&gone["name"], &gone["deleted"]), (&"Tides".into(), &report.crawl.added.into()));
    assert_eq!(names(&server).await.len(), 0);
    assert_eq!(server.get("/api/v1/search?limit=1").await.json()["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_saved_that_does_not_validate_except_on_request() {
    let (notion, there, server) = both("pages=5,seed=312").await;
    let refused = server.send("POST", ALL, &new(&there, "ntn_wrong")).await;
    assert_eq!(refused.code(), (502, "notion".to_owned()), "{}", refused.body);
    assert!(!refused.body.contains("ntn_wrong") && refused.body.contains("secret"), "{}", refused.body);
    let without = Capabilities { users: UserCapability::None, ..Capabilities::default() };
    notion.set_token(None, Some(without), None).unwrap();
    let refused = server.send("POST", ALL, &new(&there, DEFAULT_TOKEN)).await;
    assert_eq!(refused.code(), (422, "does_not_validate".to_owned()));
    assert!(refused.body.contains("Read user information"), "{}", refused.body);
    assert_eq!(names(&server).await.len(), 0);
    let mut anyway = new(&there, DEFAULT_TOKEN);
    anyway["validate"] = false.into();
    let added = assert_good(&server.send("POST", ALL, &anyway).await, 201);
    assert!(added["validation"].is_null(), "{added}");
    let checked = assert_good(&server.ask("POST", &format!("{TIDES}/check"), &[]).await, 200);
    assert_eq!(checked["problems"], json!(["no_user_information"]));
    assert_eq!(checked["advice"].as_array().unwrap().len(), 1);

    let secret = format!("{TIDES}/secret");
    let refused = server.send("POST", &secret, &json!({"secret": "ntn_wrong"})).await;
    assert_eq!(refused.code(), (502, "notion".to_owned()));
    assert_good(&server.send("POST", &secret, &json!({"secret": DEFAULT_TOKEN})).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_wrong_place_is_not_repeated() {
    let server = Server::empty().await;
    let secret = "ntn_of_somebody";
    for body in [json!(secret), json!({"name": 1, "secret": secret}), json!({secret: "secret"})] {
        for path in [ALL, "/api/v1/validate-connection", "/api/v1/connectors/x/secret"] {
            let refused = server.send("POST", path, &body).await;
            assert_eq!(refused.code(), (400, "bad_body".to_owned()), "{path} {body}");
            assert!(!refused.body.contains(secret), "{}", refused.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_add_and_delete_no_connector() {
    let server = Server::sample().await;
    let other = [("origin", "http://example.org"), ("content-type", "application/json")];
    for (method, path) in [
        ("POST", ALL.to_owned()),
        ("PATCH", format!("{ALL}/sample")),
        ("DELETE", format!("{ALL}/sample?confirm=sample")),
        ("POST", format!("{ALL}/sample/secret")),
        ("POST", format!("{ALL}/sample/deactivate")),
    ] {
        let answer = server.ask(method, &path, &other).await;
        assert_eq!(answer.code(), (403, "cross_origin".to_owned()), "{method} {path}");
    }
    assert_eq!(names(&server).await, ["sample"]);
}
