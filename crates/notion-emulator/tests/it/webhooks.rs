//! developers.notion.com "webhooks" and "webhooks-events-delivery".

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_BASE_MS, Emulator, Options, TokenOptions};
use ring::hmac;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::Client;

/// An endpoint that remembers what it was sent, and answers as it is told.
#[derive(Clone, Default)]
struct Endpoint(Arc<Mutex<(Vec<Heard>, Vec<u16>)>>);

type Heard = (HeaderMap, String);

impl Endpoint {
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(Self::hear).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn hear(State(endpoint): State<Self>, headers: HeaderMap, body: String) -> StatusCode {
        let (heard, answers) = &mut *endpoint.0.lock().unwrap();
        heard.push((headers, body));
        let status = if answers.is_empty() { 200 } else { answers.remove(0) };
        StatusCode::from_u16(status).unwrap()
    }

    fn answer(&self, statuses: &[u16]) {
        self.0.lock().unwrap().1 = statuses.to_vec();
    }

    fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.0.lock().unwrap().0)
    }

    /// What came since the last time, which has to be signed.
    fn events(&self, token: &str) -> Vec<Value> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
        let event = |(headers, body): Heard| {
            let signature = headers["x-notion-signature"].to_str().unwrap().strip_prefix("sha256=").unwrap();
            let digits = |at: usize| u8::from_str_radix(&signature[at..at + 2], 16).unwrap();
            let bytes: Vec<u8> = (0..64).step_by(2).map(digits).collect();
            hmac::verify(&key, body.as_bytes(), &bytes).unwrap();
            serde_json::from_str(&body).unwrap()
        };
        self.heard().into_iter().map(event).collect()
    }
}

/// An endpoint that is subscribed, with its token.
async fn subscribed(client: &Client, wish: Value) -> (Endpoint, String) {
    let endpoint = Endpoint::default();
    let mut wish = wish;
    wish["url"] = Value::from(endpoint.listen().await);
    let made = client.post("/_emulator/webhook", &wish).await.ok();
    assert_eq!(made["status"], 200);
    let (headers, body) = endpoint.heard().remove(0);
    assert!(headers.get("x-notion-signature").is_none() && headers["content-type"] == "application/json");
    let body: Value = serde_json::from_str(&body).unwrap();
    let token = body["verification_token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("secret_") && body.as_object().unwrap().len() == 1);
    let wrong = json!({"id": made["id"], "verification_token": "secret_guess"});
    assert_eq!(client.post("/_emulator/webhook-verify", &wrong).await.status, 400);
    let right = json!({"id": made["id"], "verification_token": token});
    client.post("/_emulator/webhook-verify", &right).await.ok();
    (endpoint, token)
}

fn world() -> Client {
    let world = World::new("Acme", 5, DEFAULT_BASE_MS);
    let tokens = vec![TokenOptions::new("ntn_one"), TokenOptions::new("ntn_two")];
    let client = Client::new(&Emulator::new(world, Options { tokens, ..Options::default() }));
    client.token("ntn_one")
}

async fn do_it(client: &Client, verb: &str, wish: Value) -> Value {
    client.post(&format!("/_emulator/{verb}"), &wish).await.ok()
}

async fn page(client: &Client, title: &str) -> Value {
    do_it(client, "seed", json!({"content": [{"page": {"title": title}}]})).await["ids"][0].clone()
}

async fn deliver(client: &Client) {
    client.post("/_emulator/webhook-deliver", &json!({})).await.ok();
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn paragraph(text: &str) -> Value {
    json!({"block": {"kind": "paragraph", "payload": {"rich_text": [{"text": {"content": text}}]}}})
}

#[tokio::test]
async fn an_event_has_the_documented_shape_and_is_signed_over_its_body() {
    let client = world();
    let (endpoint, token) = subscribed(&client, json!({"public": true})).await;
    let id = page(&client, "Plan").await;
    deliver(&client).await;
    let event = endpoint.events(&token).remove(0);
    let keys: Vec<&String> = event.as_object().unwrap().keys().collect();
    let documented = [
        "id",
        "timestamp",
        "workspace_id",
        "workspace_name",
        "subscription_id",
        "integration_id",
        "authors",
        "accessible_by",
        "attempt_number",
        "api_version",
        "entity",
        "type",
        "data",
    ];
    assert_eq!(keys, documented);
    assert_eq!(event["entity"], json!({"id": id, "type": "page"}));
    assert_eq!((&event["type"], &event["attempt_number"]), (&json!("page.created"), &json!(1)));
    assert_eq!(event["data"]["parent"], json!({"id": event["workspace_id"], "type": "space"}));
    assert!(event["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn edits_are_gathered_and_what_is_undone_is_not_told() {
    let client = world();
    let (endpoint, token) = subscribed(&client, json!({})).await;
    let id = page(&client, "Plan").await;
    deliver(&client).await;
    endpoint.heard();
    for text in ["one", "two", "three"] {
        do_it(&client, "edit", json!({"id": id, "append": [paragraph(text)]})).await;
    }
    let passing = page(&client, "Passing").await;
    do_it(&client, "trash", json!({"id": passing})).await;
    assert!(client.emulator.deliver_events(false).await.is_empty(), "a minute is not over");
    do_it(&client, "advance", json!({"ms": 60_000})).await;
    assert_eq!(client.emulator.deliver_events(false).await.len(), 1);
    let events = endpoint.events(&token);
    assert_eq!(types(&events), ["page.content_updated"]);
    let blocks = events[0]["data"]["updated_blocks"].as_array().unwrap();
    assert_eq!((blocks.len(), &blocks[0]["type"]), (3, &json!("block")));
    assert!(events[0].get("accessible_by").is_none(), "an internal integration's events do not have it");
}

#[tokio::test]
async fn each_verb_is_told_in_the_words_of_the_documentation() {
    let client = world();
    let (endpoint, token) = subscribed(&client, json!({})).await;
    let (above, below) = (page(&client, "Above").await, page(&client, "Below").await);
    let table = json!({"content": [{"database": {"title": "Table", "data_sources": [{"title": "Rows",
        "schema": {"Size": {"type": "number", "number": {"format": "number"}}}, "rows": [{"title": "Row"}]}]}}]});
    do_it(&client, "seed", table).await;
    deliver(&client).await;
    let events = endpoint.events(&token);
    let made = [
        "page.created",
        "page.created",
        "database.created",
        "data_source.created",
        "page.created",
        "data_source.content_updated",
    ];
    assert_eq!(types(&events), made);
    let row = &events[4];
    let parent = json!({"id": events[2]["entity"]["id"], "type": "database", "data_source_id": events[3]["entity"]["id"]});
    assert_eq!(row["data"]["parent"], parent);

    do_it(&client, "move", json!({"id": below, "parent": above})).await;
    do_it(&client, "edit", json!({"id": row["entity"]["id"], "properties": {"Size": {"number": 3}}})).await;
    do_it(&client, "comment", json!({"id": above, "text": "Why?"})).await;
    do_it(&client, "trash", json!({"id": row["entity"]["id"]})).await;
    deliver(&client).await;
    let events = endpoint.events(&token);
    // A comment does not wait.
    let told = [
        "comment.created",
        "page.moved",
        "page.content_updated",
        "page.properties_updated",
        "page.deleted",
        "data_source.content_updated",
    ];
    assert_eq!(types(&events), told);
    assert_eq!(events[0]["data"]["page_id"], above);
    assert_eq!(events[1]["data"]["parent"], json!({"id": above, "type": "page"}));
    assert_eq!(events[2]["entity"]["id"], above);
    assert_eq!(events[3]["data"]["updated_properties"].as_array().unwrap().len(), 1);
    do_it(&client, "restore", json!({"id": row["entity"]["id"]})).await;
    do_it(&client, "share", json!({"id": above})).await;
    do_it(&client, "purge", json!({"id": above})).await;
    deliver(&client).await;
    let events = endpoint.events(&token);
    assert_eq!(types(&events), ["page.undeleted", "data_source.content_updated"], "nothing tells of a purge");
}

#[tokio::test]
async fn an_integration_is_told_of_what_it_sees_and_wants_only() {
    let client = world();
    let (endpoint, token) = subscribed(&client, json!({"token": "ntn_two", "types": ["page.created"]})).await;
    let (seen, unseen) = (page(&client, "Seen").await, page(&client, "Unseen").await);
    do_it(&client, "unshare", json!({"id": unseen, "token": "ntn_two"})).await;
    deliver(&client).await;
    endpoint.heard();
    do_it(&client, "seed", json!({"parent": seen, "content": [{"page": {"title": "A"}}]})).await;
    do_it(&client, "seed", json!({"parent": unseen, "content": [{"page": {"title": "B"}}]})).await;
    deliver(&client).await;
    assert_eq!(types(&endpoint.events(&token)), ["page.created"]);
}

#[tokio::test]
async fn what_is_not_accepted_is_tried_eight_times_within_about_a_day() {
    let client = world();
    let (endpoint, token) = subscribed(&client, json!({})).await;
    endpoint.answer(&[500; 8]);
    page(&client, "Plan").await;
    do_it(&client, "advance", json!({"ms": 60_000})).await;
    let mut hours = Vec::new();
    for minute in 0..3_000 {
        if !client.emulator.deliver_events(false).await.is_empty() {
            hours.push(minute / 60);
        }
        do_it(&client, "advance", json!({"ms": 60_000})).await;
    }
    let events = endpoint.events(&token);
    let attempts: Vec<u64> = events.iter().map(|event| event["attempt_number"].as_u64().unwrap()).collect();
    assert_eq!(attempts, (1..=8).collect::<Vec<_>>());
    assert!(events.iter().all(|event| event["id"] == events[0]["id"]));
    assert!((22..=26).contains(hours.last().unwrap()), "{hours:?}");
    let report = client.get("/_emulator/webhooks").await.ok();
    assert_eq!(report["events"][0]["state"], "given_up");
    assert!(!report.to_string().contains("secret_"), "the token is known at the endpoint only");
}

#[tokio::test]
async fn events_can_be_lost_repeated_late_and_out_of_order() {
    let client = world();
    let (endpoint, token) = subscribed(&client, json!({})).await;
    for fault in
        [json!({"kind": "lose"}), json!({"kind": "repeat"}), json!({"kind": "delay", "delay_ms": 5_000})]
    {
        do_it(&client, "webhook-faults", fault).await;
    }
    do_it(&client, "behavior", json!({"webhook_gathering_ms": 0})).await;
    let mut made = Vec::new();
    for title in ["Lost", "Twice", "Late", "Last"] {
        made.push(page(&client, title).await);
    }
    client.emulator.deliver_events(false).await;
    let entity = |event: &Value| made.iter().position(|id| *id == event["entity"]["id"]).unwrap();
    let order: Vec<usize> = endpoint.events(&token).iter().map(entity).collect();
    assert_eq!(order, [1, 3, 1]);
    do_it(&client, "advance", json!({"ms": 5_000})).await;
    client.emulator.deliver_events(false).await;
    assert_eq!(endpoint.events(&token).iter().map(entity).collect::<Vec<_>>(), [2]);
    do_it(&client, "behavior", json!({"webhook_reversed": true})).await;
    for id in &made {
        do_it(&client, "edit", json!({"id": id, "title": "Anew"})).await;
    }
    deliver(&client).await;
    assert_eq!(endpoint.events(&token).iter().map(entity).collect::<Vec<_>>(), [3, 2, 1, 0]);
}

#[tokio::test]
async fn endpoints_elsewhere_are_refused_and_a_subscription_ends() {
    let client = world();
    for url in ["https://example.org/hook", "http://10.0.0.1/hook", "https://127.0.0.1/hook"] {
        let refused = client.post("/_emulator/webhook", &json!({"url": url})).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body["error"].as_str().unwrap().contains("this machine"), "{}", refused.body);
    }
    let (endpoint, token) = subscribed(&client, json!({})).await;
    let report = client.get("/_emulator/webhooks").await.ok();
    let id = report["subscriptions"][0]["id"].clone();
    do_it(&client, "webhook-resend", json!({"id": id})).await;
    assert!(endpoint.heard()[0].1.contains(&token));
    page(&client, "Plan").await;
    do_it(&client, "webhook-delete", json!({"id": id})).await;
    deliver(&client).await;
    assert!(endpoint.heard().is_empty());
}
