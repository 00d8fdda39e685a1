//! Agents by the Model Context Protocol's own client: `tests/agent/agent.mjs`, run by Node over HTTP and over the program's standard
//! input and output.

use serde_json::{Value, json};
use tokio::process::Command;

use super::{Server, node};

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_searches_reads_and_asks_why_over_http_and_at_the_machine() {
    if let Some(missing) = node::missing().await {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
        println!("skipped: {missing}");
        return;
    }
    let directory = node::install("agent", "agent.mjs").await;
    let server = Server::sample().await;
    let mut script = Command::new("node");
    script
        .args(["agent.mjs", &format!("{}/mcp", server.origin()), env!("CARGO_BIN_EXE_notion-connector")])
        .env("NOTION_CONNECTOR_DATA_DIR", server.directory.path().join("data"))
        .current_dir(&directory);
    let output = node::run(&mut script).await;
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_str(&told).unwrap();
    for way in ["http", "stdio"] {
        assert_eq!(told[way]["tools"], json!(["search", "fetch", "why"]), "{told}");
        assert_eq!(told[way]["found"], told["http"]["found"]);
    }
    let listed = server.app.store.load_audit(None, 10).unwrap();
    assert!(listed.iter().any(|row| row.entry.action == "search"), "who sees everything is on the record");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_from_here_is_refused_before_any_tool() {
    let server = Server::sample().await;
    let params = json!({"name": "search", "arguments": {"query": "incident"}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    let length = call.len().to_string();
    let usual = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("content-length", length.as_str()),
    ];
    let answer = server.exchange("POST", "/mcp", &usual, &call).await;
    assert_eq!((answer.status, answer.json()["result"]["isError"].clone()), (200, json!(false)));
    for (name, value, status) in [("origin", "http://example.org", 403), ("host", "example.org", 421)] {
        let headers: Vec<_> = usual.into_iter().chain([(name, value)]).collect();
        assert_eq!(server.exchange("POST", "/mcp", &headers, &call).await.status, status, "{name}");
    }
}
