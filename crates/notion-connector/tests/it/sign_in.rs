//! Accounts by command, and what `serve` says of its first administrator and where it may listen.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::program::{Ended, Home};

const PASSWORD: &str = "a long enough password";

async fn set_password(home: &Home, arguments: &[&str], password: &str) -> Ended {
    let mut child = home
        .command(&[&["accounts", "set-password"], arguments].concat())
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).await.unwrap();
    Ended::of(child.wait_with_output().await.unwrap())
}

/// A form, as a browser on this machine sends it; the head of the answer.
async fn submit(address: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_shows_a_link_until_there_is_an_administrator_and_no_log_holds_a_secret() {
    let home = Home::new();
    let mut code = String::new();
    for is_first in [true, false] {
        let mut server = home.spawn(&["serve", "--listen", "127.0.0.1:0", "--json", "-vv"]);
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let told: serde_json::Value =
            serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        let address = told["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let form = "user_name=ana&password=a+long+enough+password";
        if is_first {
            let url = told["welcome_url"].as_str().unwrap();
            code = url.split_once("/welcome#").unwrap().1.to_owned();
            let body = format!("code={code}&{form}&again=a+long+enough+password");
            let head = submit(&address, "/welcome", &body).await;
            assert!(head.starts_with("HTTP/1.1 303"), "{head}");
        } else {
            assert!(told["welcome_url"].is_null(), "{told}");
        }
        let head = submit(&address, "/sign-in", form).await;
        assert!(head.starts_with("HTTP/1.1 303"), "{head}");
        let token = head.split("ncs_").nth(1).unwrap().split(';').next().unwrap().to_owned();
        submit(&address, "/sign-in", "user_name=nobody-of-ours&password=something+typed").await;
        server.start_kill().unwrap();
        let mut log = String::new();
        server.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
        assert!(log.contains("somebody tried to sign in"), "the log is one that says all: {log}");
        for secret in [PASSWORD, "long+enough", &code, &token, "nobody-of-ours", "something"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
        server.wait().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_leads_to_the_server_that_runs_and_says_when_none_does() {
    let home = Home::new();
    let mut server = home.spawn(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let told: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let invite = ["--json", "accounts", "invite", "bo", "--create"];
    let invited = home.expect(0, &invite).await.json();
    let begins = format!("{}/welcome#ncl_", told["url"].as_str().unwrap());
    assert!(invited["url"].as_str().unwrap().starts_with(&begins), "{invited} {told}");
    assert_eq!(invited["address_is_known"], true);
    server.start_kill().unwrap();
    server.wait().await.unwrap();
    let invited = home.expect(0, &["accounts", "invite", "bo"]).await.stdout;
    assert!(invited.contains("No server runs on this data directory"), "{invited}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_made_listed_and_taken_away_by_command() {
    let home = Home::new();
    assert_eq!(set_password(&home, &["ana"], PASSWORD).await.code, Some(1), "nobody of that name");
    assert_eq!(set_password(&home, &["ana", "--create"], "short").await.code, Some(2));
    let done = set_password(&home, &["ana", "--create"], PASSWORD).await;
    assert!(done.code == Some(0) && !done.stdout.contains(PASSWORD), "{done:?}");
    let invited = home.expect(0, &["--json", "accounts", "invite", "bo", "--create"]).await.json();
    assert!(invited["url"].as_str().unwrap().starts_with("http://127.0.0.1:7350/welcome#ncl_"), "{invited}");
    assert_eq!(invited["address_is_known"], false);
    let listed = home.expect(0, &["--json", "accounts", "list"]).await.json();
    assert_eq!((&listed["total"], &listed["accounts"][0]["has_password"]), (&1.into(), &true.into()));
    let people = home.expect(0, &["--json", "directory", "list"]).await.json();
    assert_eq!((&people["total"], &people["people"][0]["source"]), (&2.into(), &"local".into()));
    let out = home.expect(0, &["--json", "accounts", "sign-out", "ana"]).await.json();
    assert_eq!(out["ended"], 0);
    let deleted = home.expect(0, &["--json", "accounts", "delete", "ana"]).await.json();
    assert_eq!(deleted["invitation_taken_back"], false);
    home.expect(1, &["accounts", "delete", "ana"]).await;
    let taken_back = home.expect(0, &["accounts", "delete", "bo"]).await.stdout;
    assert_eq!(taken_back.trim(), "The invitation of “bo” was taken back.");
    home.expect(1, &["accounts", "delete", "bo"]).await;
    assert_eq!(home.expect(0, &["--json", "accounts", "list"]).await.json()["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_listens_to_other_machines_only_by_a_name_and_behind_tls() {
    let mut home = Home::new();
    let everywhere = ["serve", "--listen", "0.0.0.0:0"];
    let refused = home.expect(2, &everywhere).await;
    assert!(refused.stderr.contains("server.public_url"), "{refused:?}");
    home.set("NOTION_CONNECTOR__SERVER__PUBLIC_URL", "http://search.example.org");
    let clear = home.expect(2, &everywhere).await;
    assert!(clear.stderr.contains("must be https"), "{clear:?}");
    home.environment.clear();
    home.set("NOTION_CONNECTOR__SERVER__PUBLIC_URL", "https://search.example.org");
    let bare = home.expect(2, &everywhere).await;
    assert!(bare.stderr.contains("server.proxy") && bare.stderr.contains("tls.certificate_file"), "{bare:?}");
    home.set("NOTION_CONNECTOR__SERVER__SIGN_IN", "none");
    let open = home.expect(2, &everywhere).await;
    assert!(open.stderr.contains("server.sign_in"), "{open:?}");
    home.environment.pop();
    let open = home.expect(2, &["serve", "--listen", "127.0.0.1:0", "--no-sign-in"]).await;
    assert!(open.stderr.contains("take server.public_url and server.proxy away"), "{open:?}");
    home.environment.clear();
    let open = home.expect(2, &["serve", "--listen", "0.0.0.0:0", "--no-sign-in"]).await;
    assert!(open.stderr.contains("--no-sign-in is for this one alone"), "{open:?}");
}
