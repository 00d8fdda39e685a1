//! Sign-in through a provider of OpenID Connect by other makers (`tests/openid`), to the real program.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::node;
use crate::program::Home;

const PEOPLE: &str = "user_name,email,name\nana.alba,Ana@Example.org,Ana Alba\n";

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_through_the_organisations_provider_and_no_answer_is_taken_twice_or_from_another() {
    if let Some(missing) = node::missing().await {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
        println!("skipped: {missing}");
        return;
    }
    let directory = node::install("openid", "sign-in.mjs").await;
    let mut browser = tokio::process::Command::new("node")
        .arg("sign-in.mjs")
        .current_dir(&directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut told = BufReader::new(browser.stdout.take().unwrap()).lines();
    // Before it, the provider warns of what it is not meant for.
    let issuer = told.next_line().await.unwrap().unwrap();

    let mut home = Home::new();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (people, secret) = (at("people.csv"), at("secret"));
    std::fs::write(&people, PEOPLE).unwrap();
    std::fs::write(&secret, "a secret of 32 characters or more\n").unwrap();
    home.expect(0, &["directory", "import", &people]).await;
    home.set("NOTION_CONNECTOR__OPENID__ISSUER", &issuer);
    home.set("NOTION_CONNECTOR__OPENID__CLIENT_ID", "search");
    home.set("NOTION_CONNECTOR__OPENID__CLIENT_SECRET_FILE", &secret);
    let mut serving = home.spawn(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    let url: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let origin = url["url"].as_str().unwrap();
    browser.stdin.take().unwrap().write_all(format!("{origin}\n").as_bytes()).await.unwrap();

    let mut seen = Value::Null;
    while let Some(line) = told.next_line().await.unwrap() {
        seen = serde_json::from_str(&line).unwrap_or(seen);
    }
    let step = |name: &str| (seen[name]["status"].clone(), seen[name]["to"].clone());
    assert_eq!(step("signed in"), (json!(303), json!("/search?q=tide")), "{seen:#}");
    assert_eq!(step("page"), (json!(200), Value::Null), "{seen:#}");
    assert_eq!(step("open redirect"), (json!(303), json!("/")), "{seen:#}");
    for (name, why) in [
        ("answer again", "belongs to no sign-in of this browser"),
        ("code again", "did not let you in"),
        ("answer of another", "belongs to no sign-in of this browser"),
        ("answer of another in the midst", "belongs to no sign-in of this browser"),
        ("unknown", "not in the directory"),
        ("denied", "did not let you in"),
    ] {
        assert_eq!(seen[name]["status"], 401, "{name}: {seen:#}");
        let problem = seen[name]["problem"].as_str().unwrap();
        assert!(problem.contains(why), "{name}: {problem}");
    }

    // On record, and with the groups that the provider says.
    let listed = home.expect(0, &["directory", "list", "--json"]).await.json();
    assert_eq!(listed["people"][0]["groups"], json!(["Harbour", "Pilots"]), "{listed}");
    assert_eq!(listed["total"], 1, "nobody new is let in unless the settings say so");
    let audit = home.expect(0, &["audit", "list", "--json"]).await.json();
    let entries = audit["entries"].as_array().unwrap();
    let count = |action: &str| {
        let by_ana = |entry: &&Value| entry["action"] == action && entry["actor"] == "ana.alba";
        entries.iter().filter(by_ana).count()
    };
    assert_eq!((count("identity.link"), count("session.open")), (1, 2), "{audit:#}");
}
