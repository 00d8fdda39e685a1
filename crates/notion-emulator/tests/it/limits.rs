//! Request limits, faults, latency and the log, under tokio's paused clock.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::harness::{Client, generated, ids, leaves};

/// "request-limits": a fixed window that may be spent at once; 429 with `Retry-After` in whole seconds.
#[tokio::test(start_paused = true)]
async fn a_window_refuses_until_it_ends_and_then_gives_all_again() {
    let emulator = generated("pages=5");
    let client = Client::new(&emulator);
    client.post("/_emulator/limit", &json!({"token": {"requests": 3, "window_ms": 60_000}})).await.ok();
    for round in 0..3 {
        for _ in 0..3 {
            assert_eq!(client.get("/v1/users/me").await.status, StatusCode::OK, "round {round}");
        }
        tokio::time::sleep(Duration::from_millis(10_500)).await;
        let refused = client.get("/v1/users/me").await;
        assert_eq!(refused.refusal(), (429, "rate_limited"));
        assert_eq!(refused.headers["retry-after"], "50", "49.5 s are rounded up");
        assert_eq!(
            refused.body["additional_data"],
            json!({"rate_limit_reason": "public_api_request_rate_limit", "retry_after": "50"})
        );
        tokio::time::sleep(Duration::from_secs(50)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn requests_with_a_bad_token_and_the_control_api_count_in_no_window() {
    let emulator = generated("pages=5");
    let client = Client::new(&emulator);
    client.post("/_emulator/limit", &json!({"token": {"requests": 1, "window_ms": 60_000}})).await.ok();
    for _ in 0..5 {
        client.token("wrong").get("/v1/users/me").await;
        client.get("/_emulator/state").await.ok();
    }
    assert_eq!(client.get("/v1/users/me").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn latency_delays_every_answer() {
    let emulator = generated("pages=5");
    let client = Client::new(&emulator);
    client.post("/_emulator/latency", &json!({"ms": 250})).await.ok();
    let before = Instant::now();
    client.get("/v1/users/me").await.ok();
    assert_eq!(before.elapsed(), Duration::from_millis(250));
}

/// "status-codes" and reports of HTML bodies from the edge.
#[tokio::test(start_paused = true)]
async fn faults_strike_once_and_look_like_the_real_ones() {
    let emulator = generated("pages=5");
    let client = Client::new(&emulator);
    for (kind, status, code) in [
        ("internal_server_error", 500, "internal_server_error"),
        ("service_unavailable", 503, "service_unavailable"),
        ("gateway_timeout", 504, "gateway_timeout"),
    ] {
        client.post("/_emulator/faults", &json!({"failure": {"kind": kind}})).await.ok();
        assert_eq!(client.get("/v1/users/me").await.refusal(), (status, code));
        client.get("/v1/users/me").await.ok();
    }
    client.post("/_emulator/faults", &json!({"failure": {"kind": "service_overload", "retry_after_s": 7}, "path_prefix": "/v1/search"})).await.ok();
    client.get("/v1/users/me").await.ok();
    let overload = client.post("/v1/search", &json!({})).await;
    assert_eq!((overload.status.as_u16(), &overload.headers["retry-after"]), (529, &"7".parse().unwrap()));
    client.post("/_emulator/faults", &json!({"failure": {"kind": "bad_gateway"}})).await.ok();
    let html = client.get("/v1/users/me").await;
    assert_eq!((html.status.as_u16(), html.headers.contains_key("x-notion-request-id")), (502, false));
    assert!(html.body.as_str().unwrap().contains("<html>"));
    client.post("/_emulator/faults", &json!({"failure": {"kind": "slow", "delay_ms": 55_000}})).await.ok();
    let before = Instant::now();
    client.get("/v1/users/me").await.ok();
    assert_eq!(before.elapsed(), Duration::from_secs(55));
}

/// Recorded: `content-encoding: gzip`.
#[tokio::test]
async fn bodies_are_compressed_for_who_accepts_it() {
    let emulator = generated("pages=5");
    let client = Client::new(&emulator);
    client.post("/_emulator/behavior", &json!({"gzip": true})).await.ok();
    let request =
        http::Request::get("/v1/users/me").header("accept-encoding", "gzip").body(axum::body::Body::empty());
    let response = tower::ServiceExt::oneshot(emulator.router(), request.unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(client.get("/v1/users/me").await.headers.get("content-encoding").is_none());
}

/// A dropped connection: the body breaks off.
#[tokio::test]
async fn a_dropped_answer_breaks_off() {
    let emulator = generated("pages=5");
    let client = Client::new(&emulator);
    client.post("/_emulator/faults", &json!({"failure": {"kind": "drop"}})).await.ok();
    let request = http::Request::get("/v1/users/me").body(axum::body::Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(emulator.router(), request).await.unwrap();
    assert!(axum::body::to_bytes(response.into_body(), usize::MAX).await.is_err());
    assert_eq!(emulator.request_log()[0].status, 0);
}

/// Reported of proxies on the way: 200, the right headers, and a body that ends too early to be JSON.
#[tokio::test]
async fn a_garbled_answer_is_whole_and_no_json() {
    let client = Client::new(&generated("pages=5"));
    client.post("/_emulator/faults", &json!({"failure": {"kind": "garbled"}})).await.ok();
    let answer = client.get("/v1/users/me").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.as_str().unwrap().starts_with("{\"object\":"), "{}", answer.body);
    client.get("/v1/users/me").await.ok();
}

/// "status-codes" names 504; the proxy's own carries HTML.
#[tokio::test]
async fn the_edge_can_time_out_in_html() {
    let client = Client::new(&generated("pages=5"));
    client.post("/_emulator/faults", &json!({"failure": {"kind": "edge_timeout"}})).await.ok();
    let html = client.get("/v1/users/me").await;
    assert_eq!(html.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(html.body.as_str().unwrap().contains("504 Gateway Time-out"));
}

/// Over a socket: not one byte of an answer.
#[tokio::test]
async fn a_connection_may_end_before_the_answer_begins() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let emulator = generated("pages=5");
    let client = Client::new(&emulator);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, emulator.router()).into_future());
    for (kind, least, most) in [("disconnect", 0, 0), ("drop", 1, 10_000)] {
        client.post("/_emulator/faults", &json!({"failure": {"kind": kind}})).await.ok();
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.write_all(b"GET /v1/users/me HTTP/1.1\r\nhost: notion\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        // A reset and an orderly end are the same to a client: no whole answer.
        let _ = socket.read_to_end(&mut answer).await;
        assert!((least..=most).contains(&answer.len()), "{kind}: {} bytes", answer.len());
    }
    assert_eq!(emulator.request_log().iter().map(|entry| entry.status).collect::<Vec<_>>(), [0, 0]);
    server.abort();
}

#[tokio::test]
async fn random_faults_repeat_with_their_seed_and_stop_when_cleared() {
    let struck = async |seed: u64| {
        let client = Client::new(&generated("pages=5"));
        let wish = json!({"seed": seed, "percent": 30, "failures": [{"kind": "internal_server_error"}]});
        client.post("/_emulator/random-faults", &wish).await.ok();
        let mut statuses = Vec::new();
        for _ in 0..60 {
            statuses.push(client.get("/v1/users/me").await.status.as_u16());
        }
        assert_eq!(client.send("DELETE", "/_emulator/faults", "").await.status, StatusCode::OK);
        client.get("/v1/users/me").await.ok();
        statuses
    };
    let first = struck(7).await;
    let failed = first.iter().filter(|status| **status == 500).count();
    assert!((8..30).contains(&failed), "{failed} of 60 failed");
    assert_eq!(first, struck(7).await);
    assert_ne!(first, struck(8).await);
}

/// "pagination" promises no snapshot: what is listed may change between two pages of a list.
#[tokio::test]
async fn a_planned_verb_happens_between_two_pages_of_a_listing() {
    let emulator = generated("pages=30,shape=flat");
    let client = Client::new(&emulator);
    let listed = client.listed().await;
    let leaves = leaves(&emulator);
    let last = listed.iter().rfind(|id| leaves.contains(id)).unwrap();
    let plan = json!({"verb": "trash", "body": {"id": last}, "path_prefix": "/v1/search", "skip": 1});
    client.post("/_emulator/plan", &plan).await.ok();
    let paged = ids(&client.all("/v1/search", &json!({}), 10).await);
    assert!(!paged.contains(last), "it was listed although it was trashed before its page");
    // A trash is an edit: the next listing would begin with what the first page of this one did not hold.
    assert_eq!(paged.len(), listed.len() - 1);
}

/// A token may lose its place or a capability at any request, and a workspace's limit may move.
#[tokio::test]
async fn tokens_and_limits_change_when_planned() {
    let client = Client::new(&generated("pages=5"));
    let plans = [
        json!({"verb": "token", "body": {"revoked": true}, "skip": 1}),
        json!({"verb": "token", "body": {"revoked": false}, "skip": 2}),
        json!({"verb": "limit", "body": {"workspace": {"requests": 1, "window_ms": 60_000}}, "skip": 3}),
        json!({"verb": "nonsense"}),
    ];
    for plan in plans {
        client.post("/_emulator/plan", &plan).await.ok();
    }
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(client.get("/v1/users/me").await.status.as_u16());
    }
    assert_eq!(statuses, [200, 401, 200, 200, 429]);
    let state = client.get("/_emulator/faults").await.ok();
    assert_eq!(state["plans"], json!([]));
    assert_eq!(state["refused_plans"][0]["plan"]["verb"], "nonsense");
}

#[tokio::test]
async fn the_log_counts_api_requests_by_endpoint_and_status() {
    let emulator = generated("pages=5");
    let client = Client::new(&emulator);
    let page = emulator.start_points()[&client.token][0];
    client.get(&format!("/v1/pages/{page}/markdown?markdown_version=v1")).await.ok();
    client.get("/v1/pages/nonsense").await;
    client.token("wrong").get("/v1/users/me").await;
    let report = client.get("/_emulator/requests").await.ok();
    assert_eq!(report["total"], 3);
    assert_eq!(
        report["counts"],
        json!([
            {"method": "GET", "endpoint": "/v1/pages/{page_id}", "status": 400, "count": 1},
            {"method": "GET", "endpoint": "/v1/pages/{page_id}/markdown", "status": 200, "count": 1},
            {"method": "GET", "endpoint": "/v1/users/me", "status": 401, "count": 1},
        ])
    );
    let entry = &report["log"][0];
    assert_eq!(entry["path"], format!("/v1/pages/{page}/markdown?markdown_version=v1"));
    assert_eq!((&entry["token"], &report["log"][2]["token"]), (&json!(0), &json!(null)));
    assert_eq!(client.send("DELETE", "/_emulator/requests", "").await.status, StatusCode::OK);
    assert_eq!(emulator.request_log(), []);
}
