//! Request limits, faults, latency and the log, under tokio's paused clock.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::harness::{Client, generated};

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
