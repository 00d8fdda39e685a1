//! The host of signed URLs ("file-object": URLs are valid for one hour).

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::harness::{Client, sample};

async fn fetch(client: &Client, url: &str, authorization: bool) -> (u16, String) {
    let target = url.strip_prefix(notion_emulator::DEFAULT_FILES_URL).unwrap();
    let mut request = Request::get(target);
    if authorization {
        request = request.header("authorization", "Bearer secret");
    }
    let response =
        client.emulator.files_router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

fn signed_url(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.contains("X-Amz-Signature") => Some(text.clone()),
        Value::Array(items) => items.iter().find_map(signed_url),
        Value::Object(map) => map.values().find_map(signed_url),
        _ => None,
    }
}

/// A signed URL of some file of the sample, always of the same one.
async fn some_url(client: &Client) -> String {
    for file in client.emulator.truth(None).unwrap().iter().filter(|object| object["kind"] == "file") {
        let page = file["parent"].as_str().unwrap();
        let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
        if let Some(url) = signed_url(&children) {
            return url;
        }
    }
    panic!("no page of the sample shows a hosted file at its top level");
}

#[tokio::test(start_paused = true)]
async fn a_signed_url_serves_for_one_hour_of_the_worlds_clock() {
    let client = Client::new(&sample());
    let url = some_url(&client).await;
    assert_eq!(fetch(&client, &url, false).await.0, 200);
    client.emulator.advance(Duration::from_secs(3599));
    assert_eq!(fetch(&client, &url, false).await.0, 200);
    client.emulator.advance(Duration::from_secs(2));
    let (status, body) = fetch(&client, &url, false).await;
    assert_eq!(status, 403);
    assert!(body.starts_with("<?xml") && body.contains("Request has expired"), "{body}");
    let renewed = some_url(&client).await;
    assert_eq!(fetch(&client, &renewed, false).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn every_read_signs_anew_over_the_same_path() {
    let client = Client::new(&sample());
    let (one, two) = (some_url(&client).await, some_url(&client).await);
    assert_ne!(one, two);
    assert_eq!(one.split('?').next(), two.split('?').next());
}

#[tokio::test(start_paused = true)]
async fn a_tampered_url_and_a_token_are_refused() {
    let client = Client::new(&sample());
    let url = some_url(&client).await;
    let (path, query) = url.split_once('?').unwrap();
    assert_eq!(fetch(&client, path, false).await.0, 403);
    assert_eq!(fetch(&client, &format!("{path}x?{query}"), false).await.0, 403);
    let later = url.replace("X-Amz-Date=2026", "X-Amz-Date=2027");
    assert_eq!(fetch(&client, &later, false).await.0, 403);
    assert_eq!(fetch(&client, &url, true).await.0, 400);
}
