//! A disk that is full in the middle of a crawl: a real one, of a few megabytes, that belongs to one process tree.

use notion_connector::app::App;
use notion_connector::config::Config;
use notion_connector::data_dir::DataDir;
use notion_emulator::{Behavior, Emulator, Options};
use serde_json::Value;

use crate::program::{Ended, Home, PROGRAM};
use crate::support::{CONNECTOR, Server, assert_holds, generated, truth_of};

/// Runs a script in which `small DIR SIZE` makes a directory a disk of its own and `grow DIR` gives that room. What is to
/// outlive it is to be copied. None where the system forbids that.
async fn run(home: &Home, script: &str) -> Option<Ended> {
    let tools = "set -u; small() { mkdir -p $1; mount -t tmpfs -o size=$2 none $1 || exit 99; }
        grow() { mount -o remount,size=400m none $1 || exit 99; }
        works() { \"$PROGRAM\" \"$@\"; }";
    let mut command = home.command_of("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &format!("{tools}\n{script}")]);
    command.env("PROGRAM", PROGRAM).env("DATA", home.data_dir());
    let ended = Ended::of(command.output().await.ok()?);
    let forbidden = ended.code == Some(99) || ended.stderr.contains("unshare:");
    if forbidden {
        println!("skipped: this system lets nobody mount a disk of their own: {}", ended.stderr);
    }
    (!forbidden).then_some(ended)
}

async fn notion() -> (Emulator, Server, Home) {
    let behavior = Behavior { latency_ms: 15, ..Behavior::default() };
    let notion = Emulator::new(generated("pages=400,seed=91"), Options { behavior, ..Options::default() });
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.set("NOTION_TOKEN", notion_emulator::DEFAULT_TOKEN);
    home.set("NOTION_URL", &server.url);
    home.set("NOTION_CONNECTOR__INDEX__COMMIT_SECONDS", "1");
    home.set("NOTION_CONNECTOR__NOTION__CONCURRENCY", "2");
    (notion, server, home)
}

/// What the script copied holds what the truth says.
fn assert_copy_holds(home: &Home, notion: &Emulator) {
    let copy = DataDir::existing(&home.path().join("copy")).unwrap();
    assert_holds(&App::open(Config::default(), copy).unwrap(), &truth_of(notion));
}

fn last_json(text: &str) -> Value {
    serde_json::from_str(text.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_whose_disk_is_full_says_so_and_goes_on_when_there_is_room() {
    let (notion, _server, home) = notion().await;
    let script = "small $DATA 2500k
        works connector add NAME --notion-url $NOTION_URL >&2 || exit 98
        works crawl --json >$HOME/first; echo $? >$HOME/code
        works status --json >$HOME/status || true
        grow $DATA
        works crawl --json || exit 97
        cp -r $DATA $HOME/copy";
    let Some(ended) = run(&home, &script.replace("NAME", CONNECTOR)).await else { return };
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let read = |name: &str| std::fs::read_to_string(home.path().join(name)).unwrap();
    assert_eq!(read("code").trim(), "1", "{ended:?}");
    for hint in ["disk is full", "make room", "nothing is lost"] {
        assert!(ended.stderr.contains(hint), "“{hint}” is missing in {}", ended.stderr);
    }
    let report = last_json(&ended.stdout);
    assert_eq!((&report["state"], &report["resumed"]), (&"completed".into(), &true.into()), "{report}");
    assert_copy_holds(&home, &notion);
    let bodies: Vec<String> = notion
        .request_log()
        .into_iter()
        .filter(|entry| entry.endpoint.ends_with("/markdown") && entry.status == 200)
        .map(|entry| entry.path)
        .collect();
    let pages = truth_of(&notion).values().filter(|fact| fact.has_body()).count();
    assert!(bodies.len() <= pages + 10, "{} bodies of {pages} pages: more than was under way", bodies.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_whose_disk_is_full_is_behind_and_the_crawl_goes_on() {
    let (notion, _server, home) = notion().await;
    // Full until everything was read; then there is room while the process still runs, or only for the next one.
    let seen =
        "(until works status --json 2>&1 | grep -q did.not.take; do sleep 0.1; done; grow $DATA/index) &";
    for (grows, code) in [(seen, "0"), ("", "1")] {
        let script = format!(
            "small $DATA/index 200k
            works connector add {CONNECTOR} --notion-url $NOTION_URL >&2 || exit 98
            {grows}
            works crawl --json >$HOME/first; echo $? >$HOME/code
            works status --json >$HOME/status || exit 96
            wait
            grow $DATA/index
            works crawl --json || exit 97
            works status --json >$HOME/after || exit 96
            rm -rf $HOME/copy; cp -r $DATA $HOME/copy; rm -rf $DATA/store*"
        );
        let Some(ended) = run(&home, &script).await else { return };
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let read = |name: &str| std::fs::read_to_string(home.path().join(name)).unwrap();
        assert_eq!(read("code").trim(), code, "{ended:?}");
        let status = last_json(&read("status"));
        assert_eq!(status["connectors"][0]["last_crawl"]["state"], "completed", "{status} {ended:?}");
        if code == "1" {
            let why = status["index_trouble"].as_str().unwrap_or_default().to_owned();
            assert!(why.contains("room"), "{status}");
            assert!(ended.stderr.contains("did not take the delivery"), "{}", ended.stderr);
        }
        assert_eq!(last_json(&read("after"))["index_trouble"], Value::Null);
        assert_copy_holds(&home, &notion);
    }
}
