//! Secrets: the key that seals them, exchanging it, and that nothing of what is written holds one in clear.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use notion_emulator::{DEFAULT_TOKEN, Emulator, Options};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::program::{Ended, Home, PROGRAM};
use crate::support::{CONNECTOR, Server, generated};

const PASSWORD: &str = "Corect-Horse-Batery-92";
const TYPED_WRONG: &str = "Wrong-Horse-Batery-17";
const PUSHED: &str = "Pushed-t1meMa-heen";
const REFUSED: &str = "ntn_refused0123456789";

/// A home whose key comes from where its settings say, and from no variable.
struct Kept {
    home: Home,
}

impl Kept {
    fn new(settings: &str) -> Self {
        let home = Home::new();
        let kept = Self { home };
        kept.set(settings);
        kept
    }

    /// Other settings; `HOME` in them is the home.
    fn set(&self, settings: &str) {
        let home = self.home.path().to_str().unwrap();
        fs::write(self.path("config.toml"), settings.replace("HOME", home)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = self.home.command_of(PROGRAM);
        command.args(arguments).env_remove("NOTION_CONNECTOR_KEY");
        command.env("NOTION_CONNECTOR_CONFIG", self.path("config.toml"));
        command
    }

    async fn run(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        Ended::of(child.wait_with_output().await.unwrap())
    }

    async fn expect(&self, arguments: &[&str], input: &str) -> String {
        let ended = self.run(arguments, input).await;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// Adds a connector without asking Notion.
    async fn add(&self) {
        let add = ["connector", "add", CONNECTOR, "--notion-url", "http://127.0.0.1:9", "--no-validate"];
        self.expect(&add, &format!("{DEFAULT_TOKEN}\n")).await;
    }

    /// Whether the secret opens: it is sealed anew for another name.
    async fn opens(&self) -> bool {
        let there = self.run(&["connector", "rename", CONNECTOR, "other"], "").await;
        there.code == Some(0)
            && self.run(&["connector", "rename", "other", CONNECTOR], "").await.code == Some(0)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_a_file_is_exchanged_and_a_rotation_that_was_killed_goes_on() {
    let kept = Kept::new("[secrets]\nkey_file = \"HOME/keys/secret.key\"\n");
    kept.add().await;
    let file = kept.path("keys/secret.key");
    let old = fs::read_to_string(&file).unwrap();
    assert!(kept.expect(&["secrets", "rotate"], "").await.starts_with("1 secret is sealed"));
    let new = fs::read_to_string(&file).unwrap();
    assert!(new.trim().len() == 64 && new != old && kept.opens().await);

    // As a kill between two steps leaves it: the next key is there, and nothing is sealed under it yet.
    let next = format!("{}\n{new}", "c".repeat(64));
    fs::write(&file, &next).unwrap();
    assert!(kept.opens().await, "both keys open");
    kept.expect(&["secrets", "rotate"], "").await;
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), "c".repeat(64));
    assert!(kept.opens().await);

    fs::write(&file, &old).unwrap();
    let refused = kept.run(&["secrets", "rotate"], "").await;
    assert!(refused.code == Some(4) && refused.stderr.contains("does not open with this key"), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), old, "nothing was changed");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_a_program_prints_opens_and_is_exchanged_where_it_is_kept() {
    let (old, new) = ("a".repeat(64), "b".repeat(64));
    // A keyring's program in small: it looks something up and prints it.
    let kept = Kept::new("[secrets]\nkey_command = [\"cat\", \"HOME/keyring\"]\n");
    fs::write(kept.path("keyring"), &old).unwrap();
    kept.add().await;
    let alone = kept.run(&["secrets", "rotate"], "").await;
    assert!(alone.code == Some(2) && alone.stderr.contains("put the new one before it"), "{alone:?}");
    fs::write(kept.path("keyring"), format!("{new} {old}")).unwrap();
    assert!(kept.expect(&["secrets", "rotate"], "").await.contains("Take the old key away now"));
    fs::write(kept.path("keyring"), &new).unwrap();
    assert!(kept.opens().await);
    fs::write(kept.path("keyring"), "locked").unwrap();
    let locked = kept.run(&["connector", "rename", CONNECTOR, "other"], "").await;
    assert!(locked.code == Some(4) && !locked.stderr.contains("locked"), "{locked:?}");
    kept.set("[secrets]\nkey_file = \"HOME/k\"\nkey_command = [\"cat\", \"HOME/keyring\"]\n");
    assert_eq!(kept.run(&["status"], "").await.code, Some(2), "one place of the two");
}

/// Every file below, with what it holds.
fn files(below: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
}

async fn exchange(address: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request =
        format!("{head}\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// What the system tells others of a process and of those that it started.
#[cfg(target_os = "linux")]
fn told_of_processes(parent: u32) -> Vec<(PathBuf, Vec<u8>)> {
    let mut told = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if process == parent || status.contains(&format!("PPid:\t{parent}\n")) {
            for name in ["cmdline", "environ"] {
                told.push((entry.path().join(name), fs::read(entry.path().join(name)).unwrap_or_default()));
            }
        }
    }
    told
}

/// Signs in, pushes somebody, tries another secret and reads the numbers, all over HTTP; the token of the session.
#[cfg(target_os = "linux")]
async fn talk(kept: &Kept, address: &str, [scim, connectors, metrics]: [&str; 3]) -> String {
    let sign_in = format!(
        "POST /sign-in HTTP/1.1\r\norigin: http://{address}\r\ncontent-type: application/x-www-form-urlencoded"
    );
    exchange(address, &sign_in, &format!("user_name=ana&password={TYPED_WRONG}")).await;
    let head = exchange(address, &sign_in, &format!("user_name=ana&password={PASSWORD}")).await;
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    let session = head.split("ncs_").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let post = |path: &str, key: &str| {
        format!("POST {path} HTTP/1.1\r\nauthorization: Bearer {key}\r\ncontent-type: application/json")
    };
    let pushed = json!({"userName": "cy", "password": PUSHED}).to_string();
    let pushed = exchange(address, &post("/scim/v2/Users", scim), &pushed).await;
    assert!(pushed.starts_with("HTTP/1.1 201") && !pushed.contains(PUSHED), "{pushed}");
    let secret = json!({"secret": REFUSED}).to_string();
    let refused =
        exchange(address, &post(&format!("/api/v1/connectors/{CONNECTOR}/secret"), connectors), &secret)
            .await;
    assert!(refused.starts_with("HTTP/1.1 502"), "{refused}");
    let scrape = format!("GET /metrics HTTP/1.1\r\nauthorization: Bearer {metrics}");
    fs::write(kept.path("metrics"), exchange(address, &scrape, "").await).unwrap();
    session
}

#[cfg(target_os = "linux")]
fn assert_nothing_holds(told: &[(PathBuf, Vec<u8>)], secrets: &[&str], sealing: &str) {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut wanted: Vec<String> =
        secrets.iter().flat_map(|secret| [(*secret).to_owned(), hex(secret)]).collect();
    wanted.push(sealing.to_owned());
    let is_seen = |text: &str| {
        told.iter()
            .filter(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
            .count()
    };
    assert!(told.len() > 15 && is_seen("scim.create_user") > 1, "what is no secret is found");
    for (path, bytes) in told.iter().filter(|(path, _)| !path.ends_with("keys/secret.key")) {
        for secret in &wanted {
            let holds = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!holds, "{} holds {secret}", path.display());
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_the_whole_product_writes_holds_a_secret_in_clear() {
    let notion = Emulator::new(generated("pages=40,seed=971"), Options::default());
    let notion = Server::start(&notion).await;
    let kept = Kept::new("[secrets]\nkey_file = \"HOME/keys/secret.key\"\n");
    let add = ["connector", "add", CONNECTOR, "--notion-url", &notion.url];
    kept.expect(&add, &format!("{DEFAULT_TOKEN}\n")).await;
    kept.expect(&["accounts", "set-password", "ana", "--create"], &format!("{PASSWORD}\n")).await;
    let invited: serde_json::Value =
        serde_json::from_str(&kept.expect(&["--json", "accounts", "invite", "bo", "--create"], "").await)
            .unwrap();
    let link = invited["url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let key = async |scope: &str| {
        let made = kept.expect(&["--json", "keys", "create", scope, "--scope", scope], "").await;
        serde_json::from_str::<serde_json::Value>(&made).unwrap()["key"].as_str().unwrap().to_owned()
    };
    let (scim, connectors, metrics) = (key("scim").await, key("connectors").await, key("metrics").await);
    let crawled = kept.run(&["crawl", "-vv"], "").await;
    assert_eq!(crawled.code, Some(0), "{crawled:?}");
    fs::write(kept.path("crawl.log"), crawled.stdout + &crawled.stderr).unwrap();
    kept.expect(&["connector", "webhook", "open"], "").await;
    kept.expect(&["secrets", "rotate"], "").await;

    let log = fs::File::create(kept.path("serve.log")).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--json", "-vv"];
    let mut server = kept.command(&serve).stderr(Stdio::from(log)).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let told: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let address =
        told["url"].as_str().unwrap().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let session = talk(&kept, &address, [&scim, &connectors, &metrics]).await;
    let mut told = told_of_processes(server.id().unwrap());
    assert!(told.iter().any(|(_, bytes)| !bytes.is_empty()));

    let file = |name: &str| kept.path(name).to_str().unwrap().to_owned();
    kept.expect(&["backup", &file("backup.sqlite")], "").await;
    for (name, arguments) in
        [("items", &["export"][..]), ("audit", &["audit", "export"]), ("status", &["status", "--json"])]
    {
        fs::write(kept.path(name), kept.expect(arguments, "").await).unwrap();
    }
    // While it runs: what waits in the write-ahead log is among the files.
    files(kept.home.path(), &mut told);
    server.start_kill().unwrap();
    server.wait().await.unwrap();
    let sealing = fs::read_to_string(kept.path("keys/secret.key")).unwrap();
    let secrets = [
        DEFAULT_TOKEN,
        PASSWORD,
        TYPED_WRONG,
        PUSHED,
        REFUSED,
        &link,
        &scim,
        &connectors,
        &metrics,
        &session,
    ];
    assert_nothing_holds(&told, &secrets, sealing.trim());
}
