//! The commands as scripts use them: exit codes, clean standard output, and errors that say what to do and lose nothing.

use std::time::Duration;

use notion_connector::store::Store;
use notion_emulator::rules::auth::{Capabilities, UserCapability};
use notion_emulator::{Emulator, Options};

use crate::program::{Ended, Home, PROGRAM};
use crate::support::{CONNECTOR, Server, generated};

async fn notion(spec: &str) -> (Emulator, Server) {
    let notion = Emulator::new(generated(spec), Options::default());
    let server = Server::start(&notion).await;
    (notion, server)
}

/// The message of a failed run, which has to hold each of `hints`.
fn assert_says(ended: &Ended, hints: &[&str]) {
    for hint in hints {
        assert!(ended.stderr.contains(hint), "“{hint}” is missing in: {}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_is_added_crawled_searched_and_looked_at() {
    let (notion, server) = notion("pages=60,seed=111").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    let crawled = home.expect(0, &["crawl", "-vv", "--json"]).await;
    assert!(
        crawled.stderr.contains("INFO") && !crawled.stderr.contains('\u{1b}'),
        "no colours but on a terminal"
    );
    let report = crawled.json();
    for field in [
        "state",
        "resumed",
        "discovered",
        "indexed",
        "added",
        "updated",
        "deleted",
        "unchanged",
        "skipped",
        "not_indexed",
        "errors",
        "warnings",
        "requests",
        "seconds",
        "pages_per_second",
        "peak_rss_bytes",
    ] {
        assert!(!report[field].is_null(), "{field} is missing in {report}");
    }
    assert_eq!((&report["state"], &report["resumed"]), (&"completed".into(), &false.into()));
    let truth = notion.truth(None).unwrap();
    let page = truth.iter().find(|fact| fact["kind"] == "page").unwrap();
    let answer = home.expect(0, &["search", page["markers"][0].as_str().unwrap(), "--json"]).await.json();
    let hit = &answer["hits"][0];
    assert_eq!((&answer["total"], &hit["id"], &hit["title"]), (&1.into(), &page["id"], &page["title"]));
    for field in ["kind", "url", "breadcrumb", "score", "snippet", "last_edited_time"] {
        assert!(!hit[field].is_null(), "{field} is missing in {hit}");
    }
    let lines = home.expect(0, &["export"]).await.json_lines();
    assert_eq!(lines.len() as u64, report["discovered"].as_u64().unwrap());
    assert!(lines.is_sorted_by_key(|line| line["id"].as_str().unwrap().to_owned()));
    let status = home.expect(0, &["status", "--json"]).await.json();
    assert_eq!(status["connectors"][0]["items"], report["discovered"]);
    assert_eq!(status["unconfined"].as_array().unwrap().is_empty(), cfg!(target_os = "linux"), "{status}");
    assert_eq!(home.expect(0, &["crawls", "list", "--json"]).await.json()[0]["id"], report["id"]);
    assert_eq!(home.expect(0, &["crawls", "show", "1", "--json"]).await.json()["state"], "completed");
    assert_eq!(home.expect(0, &["failures", "--json"]).await.json(), serde_json::json!([]));
    home.expect(0, &["connector", "check", "--json"]).await.json();
    for words in
        [vec!["crawl"], vec!["search", "area"], vec!["status"], vec!["failures"], vec!["connector", "list"]]
    {
        assert!(!home.expect(0, &words).await.stdout.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bare_secret_is_enough_and_need_not_stand_in_an_argument() {
    let (_notion, server) = notion("pages=5,seed=112").await;
    let mut home = Home::new();
    home.set("NOTION_TOKEN", notion_emulator::DEFAULT_TOKEN);
    home.set("NOTION_URL", &server.url);
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!(report["connector"], "default");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_notion_refuses_ends_with_its_own_code_and_says_what_to_do() {
    let (notion, server) = notion("pages=5,seed=113").await;
    let mut home = Home::new();
    home.set("NOTION_TOKEN", "ntn_wrong0000000000000000000000000000000000000000");
    let refused = home.expect(4, &["connector", "add", CONNECTOR, "--notion-url", &server.url, "-vv"]).await;
    assert_says(&refused, &["does not accept the secret", "Configuration"]);
    let listed = home.expect(0, &["connector", "list", "--json"]).await.json();
    assert_eq!(listed, serde_json::json!([]), "nothing is saved");

    home.environment.clear();
    home.connect(&server.url).await;
    let nothing = Capabilities { read_content: false, read_comments: false, users: UserCapability::None };
    notion.set_token(None, Some(nothing), None).unwrap();
    let refused = home.expect(4, &["crawl", "--json"]).await;
    assert_says(&refused, &["capability", "Read content"]);
    assert_eq!(refused.json()["error"]["exit_code"], 4);
    home.expect(4, &["connector", "check"]).await;

    notion
        .set_token(None, Some(Capabilities { users: UserCapability::None, ..Capabilities::default() }), None)
        .unwrap();
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!(
        (&report["state"], &report["warnings"]),
        (&"completed".into(), &1.into()),
        "names are a comfort"
    );

    notion.set_token(None, Some(Capabilities::default()), Some(true)).unwrap();
    let refused = home.expect(4, &["crawl"]).await;
    assert_says(&refused, &["connector set-secret"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_nothing_is_shared_with_is_told_how_to_share() {
    let (notion, server) = notion("pages=5,seed=114").await;
    notion.unshare_all(None).unwrap();
    let mut home = Home::new();
    home.set("NOTION_TOKEN", notion_emulator::DEFAULT_TOKEN);
    let add = ["connector", "add", CONNECTOR, "--notion-url", &server.url];
    assert_says(&home.expect(1, &add).await, &["Connections", "--no-validate"]);
    home.expect(0, &[&add[..], &["--no-validate"]].concat()).await;
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["discovered"], &report["warnings"]), (&0.into(), &1.into()));
    let shown = home.expect(0, &["crawls", "show", "1"]).await;
    assert!(shown.stdout.contains("Connections"), "{}", shown.stdout);
    assert_eq!(home.expect(0, &["search", "anything", "--json"]).await.json()["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_understood_is_a_usage_error_with_all_problems_at_once() {
    let home = Home::new();
    home.expect(2, &["crawl", "--frobnicate"]).await;
    home.expect(2, &["crawl", "--scope", "sideways"]).await;
    home.expect(2, &["search"]).await;
    let ended = home.expect(2, &["search", "--property", "Due>=soon"]).await;
    assert_says(&ended, &["“soon” is neither a number nor a date"]);
    // Refused for the missing index, not for the missing words.
    assert_says(&home.expect(1, &["search", "--property", "Status=Done"]).await, &["crawl first"]);
    home.expect(2, &[]).await;
    home.expect(0, &["--help"]).await;
    let config = home.path().join("config.toml");
    std::fs::write(
        &config,
        "[crawl]\npatience = 1\ndeletion_share_percent = 'x'\n[notion]\nconcurrency = -1\n[nope]\n",
    )
    .unwrap();
    let broken = home.expect(2, &["status", "--json", "--config", config.to_str().unwrap()]).await;
    assert_says(&broken, &["crawl.patience", "crawl.deletion_share_percent", "notion.concurrency", "[nope]"]);
    let missing = home.expect(2, &["status", "--config", "/nowhere/config.toml"]).await;
    assert_says(&missing, &["/nowhere/config.toml"]);
    assert!(!home.data_dir().exists(), "nothing was made");
    assert_says(&home.expect(1, &["status"]).await, &["crawl first"]);
    assert_says(&home.expect(1, &["crawl"]).await, &["connector add"]);
    assert_says(&home.expect(1, &["crawl", "ghost"]).await, &["ghost"]);
    assert_says(&home.expect(1, &["crawls", "show", "77"]).await, &["77"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_cannot_be_is_answered_with_what_is_expected_and_in_json_too() {
    let home = Home::new();
    for (arguments, words) in [
        (&["connector", "edit", "x", "--archived", "yes"][..], "true, false or default"),
        (&["connector", "edit", "x", "--comments", "all"], "off, pages, blocks or default"),
        (&["connector", "edit", "x", "--item-limit", "99999999999999999999"], "a whole number or default"),
        (&["connector", "edit", "x", "--source-field", "shoe"], "email, name, id or default"),
        (&["crawls", "show", "foo"], "a whole number is expected"),
        (&["crawls", "list", "--limit", "99999999999999999999"], "a smaller number"),
        (&["audiences", "remove", "foo"], "a whole number is expected"),
        (&["audit", "list", "--before", "foo"], "a whole number is expected"),
        (&["search", "x", "--limit", "0"], "from 1 to 100"),
        (&["search", "x", "--in", "foo"], "neither an id nor the address"),
        (&["search", "x", "--kind", "foo"], "none of page, row, database, data_source, file"),
        (&["analytics", "--from", "foo"], "2026-05-01"),
        (
            &["crawl", "--scope", "sideways"],
            "none of full, force-reindex, incremental, partial, test, people",
        ),
    ] {
        let told = home.expect(2, &[arguments, &["--json"]].concat()).await;
        assert_says(&told, &[words]);
        let told = told.json()["error"].clone();
        assert!(told["message"].as_str().unwrap().contains(words), "{told}");
        assert_eq!(told["exit_code"], 2);
    }
    assert_eq!(home.expect(2, &["--json"]).await.json()["error"]["exit_code"], 2);
    assert_eq!(
        home.expect(2, &["search", "--limit", "0", "--", "--json"]).await.stdout,
        "",
        "a word and no option"
    );
    assert!(home.expect(0, &["crawl", "--help"]).await.stdout.contains("people (the"));
    // Refused for the missing index, and not for the missing words or the address.
    let address = "https://www.notion.so/acme/Road-map-00112233445566778899aabbccddeeff?pvs=4";
    for good in [["search", "--as", "bo"], ["search", "--in", address]] {
        assert_says(&home.expect(1, &good).await, &["crawl first"]);
    }
    let open = home.expect(2, &["serve", "--no-sign-in", "--listen", "0.0.0.0:0"]).await;
    assert_says(&open, &["--no-sign-in is for this one alone"]);
    assert!(!open.stderr.contains("server.sign_in"), "{}", open.stderr);
    let missing = home.expect(1, &["restore", "/nowhere/copy"]).await;
    assert_says(&missing, &["/nowhere/copy"]);
    assert!(!missing.stderr.contains("replaced"), "{}", missing.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_point_that_is_not_there_makes_no_crawl_or_is_named_and_settings_are_told_in_lines() {
    let (_notion, server) = notion("pages=30,seed=122").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    let partial = ["crawl", CONNECTOR, "--scope", "partial"];
    assert_says(&home.expect(2, &partial).await, &["--start-point", "connector start-points"]);
    assert_eq!(home.expect(0, &["crawls", "list", "--json"]).await.json(), serde_json::json!([]));
    let slip = "00000000-0000-4000-8000-000000000bad";
    let unknown = home.expect(2, &[&partial[..], &["--start-point", slip]].concat()).await;
    assert_says(&unknown, &[slip, "404", "choose ••• → Connections"]);

    let shown = home.expect(0, &["connector", "edit", CONNECTOR, "--file-mb", "9999"]).await.stdout;
    assert!(shown.contains("file_mb: 25 (set to 9999; the configuration allows no more)"), "{shown}");
    assert!(shown.contains("people: email in Notion is looked for as email"), "{shown}");
    assert!(shown.lines().all(|line| !line.contains("function")), "{shown}");
    let refused = home.expect(2, &["connector", "edit", CONNECTOR, "--item-limit", "0"]).await;
    assert_says(&refused, &["cannot be: item limit"]);

    home.expect(0, &["crawl"]).await;
    let points = home.expect(0, &["connector", "start-points", "--json"]).await.json();
    let all: Vec<&str> =
        points.as_array().unwrap().iter().map(|point| point["id"].as_str().unwrap()).collect();
    let out: Vec<&str> = all.iter().flat_map(|id| ["--exclude", id]).collect();
    let preview = home.expect(0, &[&["connector", "preview", CONNECTOR], &out[..]].concat()).await.stdout;
    assert!(preview.contains("\n- … and ") && preview.trim_end().ends_with(" more"), "{preview}");
    let nowhere = home.expect(1, &["backup", "/nowhere/copy"]).await;
    assert_says(&nowhere, &["/nowhere/copy could not be written"]);
    assert!(!nowhere.stderr.contains("store.sqlite"), "{}", nowhere.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_and_a_notion_out_of_reach_are_said_at_once() {
    let (_notion, server) = notion("pages=5,seed=115").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    home.expect(0, &["crawl"]).await;
    let address = server.url.strip_prefix("http://").unwrap();
    assert_says(&home.expect(1, &["serve", "--listen", address]).await, &[address, "--listen"]);

    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let add = ["connector", "add", "elsewhere", "--notion-url", &url];
    let unreachable = tokio::time::timeout(Duration::from_secs(15), home.expect(5, &add)).await.unwrap();
    assert_says(&unreachable, &["cannot be reached"]);
    drop(server);
    let crawl = tokio::time::timeout(Duration::from_secs(15), home.expect(5, &["crawl"])).await.unwrap();
    assert_says(&crawl, &["cannot be reached", "again"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_is_told_who_owns_the_data_and_readers_work_beside_it() {
    let (notion, mut server) = notion("pages=40,seed=116").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    home.expect(0, &["crawl"]).await;
    notion.set_latency(Duration::from_secs(3600));
    let before = *server.requests.borrow();
    let mut first = home.spawn(&["crawl", "--scope", "force-reindex"]);
    server.requests.wait_for(|count| *count > before).await.unwrap();
    let refused = home.expect(1, &["crawl"]).await;
    assert_says(&refused, &[&first.id().unwrap().to_string(), "--data-dir"]);
    home.expect(0, &["search", "area"]).await;
    home.expect(0, &["status"]).await;
    first.kill().await.unwrap();
    notion.set_latency(Duration::ZERO);
    home.expect(0, &["crawl"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_crawl_says_so_and_goes_on_and_a_cancelled_one_does_not() {
    let (notion, mut server) = notion("pages=40,seed=117").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    notion.set_latency(Duration::from_millis(300));
    let crawl = home.spawn(&["crawl", "--json"]);
    let seen = *server.requests.borrow();
    server.requests.wait_for(|count| *count > seen + 8).await.unwrap();
    let pid = crawl.id().unwrap().to_string();
    assert!(home.command_of("kill").args(["-INT", &pid]).status().await.unwrap().success());
    let ended = Ended::of(crawl.wait_with_output().await.unwrap());
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let cancelled = home.expect(0, &["crawls", "cancel", "1", "--json"]).await.json();
    assert_eq!(cancelled["state"], "cancelled");
    notion.set_latency(Duration::ZERO);
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["id"], &report["resumed"]), (&2.into(), &false.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletions_beyond_the_bound_wait_for_a_command() {
    let (notion, server) = notion("pages=60,seed=118").await;
    let mut home = Home::new();
    home.set("NOTION_CONNECTOR__CRAWL__DELETION_FLOOR", "5");
    home.connect(&server.url).await;
    home.expect(0, &["crawl"]).await;
    let held = home.expect(0, &["export"]).await.stdout;
    notion.unshare_all(None).unwrap();
    let asked = home.expect(6, &["crawl", "--scope", "full"]).await;
    assert!(asked.stdout.contains("crawls approve-deletions 2"), "{}", asked.stdout);
    assert_eq!(home.expect(0, &["export"]).await.stdout, held);
    home.expect(0, &["crawls", "approve-deletions", "2", "--json"]).await.json();
    assert_eq!(home.expect(0, &["export"]).await.stdout, "");
    home.expect(2, &["crawls", "approve-deletions", "2"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing() {
    let (_notion, server) = notion("pages=150,seed=119").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    // Files may not grow beyond 300 blocks of 512 or 1,024 bytes, which needs no right that a test may lack.
    let script = format!("trap '' XFSZ; ulimit -f 300; exec '{PROGRAM}' crawl --json");
    let full = Ended::of(home.command_of("sh").args(["-c", &script]).output().await.unwrap());
    assert_eq!(full.code, Some(1), "{full:?}");
    assert_says(&full, &["disk", "again"]);
    full.json();
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!(report["state"], "completed");
    let lines = home.expect(0, &["export"]).await.json_lines();
    assert_eq!(lines.len() as u64, report["discovered"].as_u64().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_is_named_and_left_as_it_is_and_a_damaged_index_is_mended() {
    let (_notion, server) = notion("pages=20,seed=120").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    home.expect(0, &["crawl"]).await;
    std::fs::write(home.data_dir().join("index/meta.json"), "{").unwrap();
    assert_says(&home.expect(1, &["search", "area"]).await, &["index"]);
    let before = *server.requests.borrow();
    home.expect(0, &["crawl"]).await;
    assert!(*server.requests.borrow() - before < 12, "the index comes from the store");
    home.expect(0, &["search", "area"]).await;

    drop(Store::open(&home.data_dir()).unwrap());
    let path = home.data_dir().join("store.sqlite");
    std::fs::write(&path, "no database at all, but long enough to be taken for one".repeat(100)).unwrap();
    let damaged = std::fs::read(&path).unwrap();
    for command in [vec!["crawl"], vec!["export"], vec!["status"], vec!["search", "area"]] {
        assert_says(&home.expect(1, &command).await, &["store.sqlite", "damaged", "backup"]);
    }
    assert_eq!(std::fs::read(&path).unwrap(), damaged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_never_leaves_by_way_of_the_data_directory() {
    let (_notion, server) = notion("pages=10,seed=121").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    home.expect(0, &["crawl", "-vv"]).await;
    let mut folders = vec![home.data_dir()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }

            let bytes = std::fs::read(&path).unwrap();
            let secret = notion_emulator::DEFAULT_TOKEN.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_is_planned_and_compared_and_previewed_by_command() {
    let (notion, server) = notion("pages=40,seed=117").await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    let plan = home.expect(0, &["crawl", "--plan"]).await.stdout;
    assert!(plan.contains(": planned") && plan.contains("~") && plan.contains("KIND"), "{plan}");
    let lines = home.expect(0, &["crawls", "show", "1"]).await.stdout;
    assert!(lines.matches("of “works”").count() == 1 && lines.contains("KIND"), "{lines}");
    let shown = home.expect(0, &["crawls", "show", "1", "--json"]).await.json();
    let to_come = shown["plan"]["requests_to_come"].as_u64().unwrap();
    let estimates = shown["plan"]["estimates"].as_array().unwrap();
    assert!(to_come >= 40 && estimates.iter().any(|name| name == "files_to_read"), "{shown}");
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["id"], &report["state"]), (&1.into(), &"completed".into()));

    let truth = notion.truth(None).unwrap();
    let is_one_of = |fact: &serde_json::Value, kinds: &[&str]| kinds.iter().any(|kind| fact["kind"] == *kind);
    let items = || truth.iter().filter(|fact| is_one_of(fact, &["page", "row", "database", "data_source"]));
    let mut leaves = items().filter(|fact| items().all(|other| other["parent"] != fact["id"]));
    let page = leaves.find(|fact| is_one_of(fact, &["page", "row"])).unwrap();
    notion.advance(Duration::from_secs(3_600));
    let dry = ["crawl", "--reconcile", "--dry-run"];
    let same = home.expect(0, &[&dry[..], &["--json"]].concat()).await.json();
    assert_eq!(same["differences"], serde_json::json!({}), "{same}");
    assert_eq!(same["same"], report["discovered"]);
    notion.trash(page["id"].as_str().unwrap().parse().unwrap()).unwrap();
    let differs = home.expect(0, &dry).await.stdout;
    assert!(differs.contains("trash") && differs.contains(page["id"].as_str().unwrap()), "{differs}");
    home.expect(2, &["crawl", "--dry-run"]).await;
    let reconciled = home.run(&["crawl", "--reconcile", "--json"]).await.json();
    assert_eq!(reconciled["scope"], "full", "{reconciled}");

    let points = home.expect(0, &["connector", "start-points", "--refresh", "--json"]).await.json();
    assert!(points[0]["title"].is_string() && points[0]["left_out"] == false, "{points}");
    let slip = "00000000-0000-4000-8000-000000000bad";
    let preview = home.expect(0, &["connector", "preview", CONNECTOR, "--exclude", slip]).await.stdout;
    assert!(preview.contains("OVER LIMIT") && preview.contains("! exclude"), "{preview}");
    let people = home.expect(0, &["crawl", "--scope", "people", "--json"]).await.json();
    assert!(
        people["people"]["discovered"].as_u64().unwrap() > 0 && people["people"]["mapped"] == 0,
        "{people}"
    );
    let listed =
        home.expect(0, &["people", "list", "--reason", "no_match", "--sort", "email", "--json"]).await.json();
    assert_eq!(listed["total"], people["people"]["unmapped"], "{listed}");
    assert!(home.expect(0, &["people", "test", "nobody@acme.example"]).await.stdout.starts_with("no match"));
    assert!(home.expect(0, &["people", "counts"]).await.stdout.contains(CONNECTOR));
    home.expect(2, &["crawl", "--scope", "people", "--plan"]).await;
    let partial = ["schedule", "add", "branch", "daily 02:30", "--scope", "partial"];
    assert_says(&home.expect(2, &partial).await, &["start point"]);
    let id = points[0]["id"].as_str().unwrap();
    let added = home.expect(0, &[&partial[..], &["--start-point", id, "--json"]].concat()).await.json();
    assert_eq!((&added["scope"], &added["start_point"]), (&"partial".into(), &points[0]["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_lets_one_look_as_its_people_and_their_picks_differ() {
    let demo = Demo::start().await;
    let everyone = demo.get("/search?q=incident", None).await;
    assert!(everyone.contains("Look as") && everyone.contains("Priya Raman"), "{everyone}");
    assert!(
        ["&amp;", "&#38;"].iter().any(|and| everyone.contains(&format!("/?as=priya.raman{and}q=incident")))
    );
    let picked = demo.ask("/?as=priya.raman&q=incident", None).await;
    assert!(picked.contains(" 303 ") && picked.contains("location: /search?q=incident\r\n"), "{picked}");
    assert!(demo.ask("/?as=", None).await.contains("location: /\r\n"));
    assert!(demo.said.contains(" --data-dir ") && demo.said.contains(" crawls show 1"), "{}", demo.said);
    let count = async |user_name: &str| {
        let cookie = format!("notion-connector-{}={user_name}", demo.port);
        let answer = demo.get("/api/v1/search?limit=1", Some(&cookie)).await;
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()["total"].as_u64().unwrap()
    };
    let [all, ines, tomasz, priya, nobody] = [
        count("").await,
        count("ines.duarte").await,
        count("tomasz.wilk").await,
        count("priya.raman").await,
        count("mallory").await,
    ];
    assert!(all == ines && nobody == all, "{all} {ines} {nobody}: who is none of them looks as everyone");
    assert!(priya > 0 && tomasz > priya && ines > tomasz, "{ines} {tomasz} {priya}");
}

/// The demo, which ends with the test.
struct Demo {
    _process: tokio::process::Child,
    /// What it said on standard error before it served.
    said: String,
    port: u16,
}

impl Demo {
    async fn start() -> Self {
        use tokio::io::{AsyncBufReadExt as _, BufReader};
        let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_notion-connector"))
            .args(["demo", "--json"])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        let mut errors = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = String::new();
        while !said.contains(" crawls show ") {
            let next = tokio::time::timeout(Duration::from_secs(5), errors.next_line()).await;
            said.push_str(&next.expect(&said).unwrap().unwrap());
        }
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        let port = told["url"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        Self { _process: process, said, port }
    }

    async fn get(&self, path: &str, cookie: Option<&str>) -> String {
        let answer = self.ask(path, cookie).await;
        assert!(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// The whole answer.
    async fn ask(&self, path: &str, cookie: Option<&str>) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let cookie = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n{cookie}\r\n", self.port);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_written_only_its_owner_reads_in_a_directory_that_all_may_enter_too() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    std::fs::create_dir(home.data_dir()).unwrap();
    std::fs::set_permissions(home.data_dir(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let invite = || async {
        let mut shell = home.command_of("sh");
        shell.args(["-c", "umask 022; exec \"$0\" accounts invite bo --create", PROGRAM]);
        Ended::of(shell.output().await.unwrap())
    };
    let modes = || {
        let entries = std::fs::read_dir(home.data_dir()).unwrap().map(Result::unwrap);
        let mode = |entry: std::fs::DirEntry| entry.metadata().unwrap().permissions().mode() & 0o077;
        entries.map(mode).collect::<Vec<_>>()
    };
    let told = invite().await;
    assert!(told.code == Some(0) && told.stderr.contains("chmod 700"), "{told:?}");
    assert!(!modes().is_empty() && modes().iter().all(|mode| *mode == 0), "{:?}", modes());
    let store = home.data_dir().join("store.sqlite");
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(invite().await.code, Some(0));
    assert!(modes().iter().all(|mode| *mode == 0), "{:?}", modes());
    std::fs::set_permissions(home.data_dir(), std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(invite().await.stderr, "");
}
