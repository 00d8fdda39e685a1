//! Mapping scripts that mean no good: run by a process that can do nothing else, and that may die of them.

use std::fs;
use std::path::PathBuf;

use notion_connector::scripts::{COMMAND, DEFAULT_SCRIPT, Mapped, ScriptError, Scripts};
use notion_emulator::DEFAULT_TOKEN;
use tokio::time::Instant;

use crate::program::{Home, PROGRAM};

fn scripts() -> Scripts {
    Scripts::of_program(PathBuf::from(PROGRAM))
}

async fn map(scripts: &Scripts, script: &str) -> Mapped {
    let mut mapped = scripts.session(script).map(&["Ana@acme.example".to_owned()]).await.unwrap();
    assert_eq!(mapped.len(), 1);
    mapped.remove(0)
}

/// The workers that this process started, by what the system knows of its children.
#[cfg(target_os = "linux")]
fn workers() -> Vec<u32> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_ours = |process: &u32| {
        let read = |name| fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
        read("status").contains(&format!("PPid:\t{}\n", std::process::id()))
            && read("cmdline").split('\0').nth(1) == Some(COMMAND)
    };
    processes.filter(is_ours).collect()
}

/// Everything about workers of this process in one test: others of their kind would be among them.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_worker_has_nothing_it_does_not_need_and_one_that_is_killed_costs_nothing() {
    let scripts = scripts();
    let mut session = scripts.session(DEFAULT_SCRIPT);
    let values: Vec<String> = (0..300).map(|n| format!("person{n}@acme.example")).collect();
    let same: Vec<Mapped> = values.iter().map(|value| Ok(Some(value.clone()))).collect();
    assert_eq!(session.map(&values).await.unwrap(), same);
    let ours = workers();
    let confined = |process: &u32| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        ["Seccomp:\t2", "NoNewPrivs:\t1", "Threads:\t1"].iter().all(|line| status.contains(line))
    };
    assert!(!ours.is_empty() && ours.iter().all(confined));
    for process in &ours {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        for (limit, value) in
            [("Max address space", "256000000"), ("Max file size", "0"), ("Max open files", "0")]
        {
            let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
            assert_eq!(line[limit.len()..].split_whitespace().next(), Some(value), "{line}");
        }
        std::process::Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
    }
    assert_eq!(session.map(&values).await.unwrap(), same, "another worker took its place");
}

#[tokio::test]
async fn what_does_not_end_or_wants_too_much_costs_that_value_and_says_why() {
    let scripts = scripts();
    // Each with a value that is harmless before and behind it.
    let script = |hostile: &str| {
        format!(
            "function mapSourceUser(v) {{ if (v !== 'hostile') return v; {hostile}; return 'survived'; }}"
        )
    };
    let values = ["before", "hostile", "behind"].map(str::to_owned);
    for hostile in [
        "for (;;) {}",
        "for (;;) { try { for (;;) {} } catch (e) {} }",
        "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "(function f() { try { f(); } finally { f(); } })()",
        "var a = []; for (;;) { a.push(new Array(1000).fill('x')); }",
        "var s = 'x'; for (;;) { s += s; }",
        "'x'.repeat(1 << 29)",
        "new ArrayBuffer(1e9)",
        "var o = {}; for (var i = 0; ; i++) { o['k' + i] = i; }",
        "Array.from({ length: 1e9 })",
        "[...new Array(4294967295)]",
        "(function f() { return f(); })()",
        "return [mapSourceUser(v)]",
        "JSON.parse('['.repeat(1e5))",
        "new RegExp('('.repeat(1e5))",
        "return 'x'.repeat(1e7)",
        "throw new Error('x'.repeat(1e7))",
        "var e = new Error(); Object.defineProperty(e, 'message', { get() { for (;;) {} } }); throw e",
        "throw new Proxy({}, { get() { for (;;) {} } })",
        "return { toString() { for (;;) {} } }",
        "Object.prototype.then = Object.prototype; Array.prototype.push = null; undefined.x",
        "return Symbol.iterator",
        "class A extends A {}",
    ] {
        let mapped = scripts.session(&script(hostile)).map(&values).await.unwrap();
        assert!(mapped[1].is_err(), "{hostile}: {mapped:?}");
        assert!(mapped[1].as_ref().unwrap_err().to_string().len() < 400, "{hostile}");
        let [before, behind] = [Ok(Some("before".to_owned())), Ok(Some("behind".to_owned()))];
        assert_eq!((&mapped[0], &mapped[2]), (&before, &behind), "{hostile}");
    }
}

#[tokio::test]
async fn long_loops_inside_the_engine_end_at_the_deadline() {
    let scripts = scripts();
    for script in [
        "Array.prototype.indexOf.call({ length: 9007199254740991 }, 1)",
        "new Array(4294967295).indexOf(1)",
        "[].concat.call([], Object.assign({ length: 9007199254740991 }, { [Symbol.isConcatSpreadable]: true }))",
    ] {
        let began = Instant::now();
        assert_eq!(map(&scripts, script).await, Err(ScriptError::TooLong), "{script}");
        assert!(began.elapsed().as_secs() < 20, "{script}");
    }
}

#[tokio::test]
async fn a_script_that_has_to_be_stopped_again_and_again_is_not_run_any_more() {
    let values = vec!["a".to_owned(); 10_000];
    let scripts = scripts();
    let mapped = scripts.session("for (;;) {}").map(&values).await.unwrap();
    assert_eq!(mapped.len(), values.len());
    assert!(mapped[..10].iter().all(|one| *one == Err(ScriptError::TooLong)));
    assert!(mapped[10..].iter().all(|one| *one == Err(ScriptError::GivenUp)));
}

#[tokio::test]
async fn without_a_worker_nobody_is_mapped_and_the_script_is_not_to_blame() {
    for program in ["/nowhere/at/all", "/bin/false"] {
        let scripts = Scripts::of_program(PathBuf::from(program));
        assert!(scripts.session(DEFAULT_SCRIPT).map(&["a".to_owned()]).await.is_err());
        assert!(scripts.check(DEFAULT_SCRIPT).await.is_err());
    }
}

#[tokio::test]
async fn many_values_are_cheap() {
    let scripts = scripts();
    let mut session = scripts.session("function mapSourceUser(v) { return v.split('@')[0]; }");
    let values: Vec<String> = (0..500).map(|n| format!("person{n}@acme.example")).collect();
    let began = Instant::now();
    for _ in 0..10 {
        let mapped = session.map(&values).await.unwrap();
        assert_eq!(mapped[499], Ok(Some("person499".to_owned())));
    }
    // Much less is what it takes; this is for machines that are busy.
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_command_a_script_is_shown_set_tried_and_taken_back() {
    let mut home = Home::new();
    home.set("NOTION_TOKEN", DEFAULT_TOKEN);
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("map.js"), "var mapSourceUser = v => v.split('@')[0] + '@acme.example';").unwrap();
    fs::write(path("bad.js"), "function mapSourceUser(v) {\n  return v..x;\n}").unwrap();
    fs::write(path("people.csv"), "user_name,email\nana,ana@acme.example\n").unwrap();
    home.expect(0, &["connector", "add", "acme", "--notion-url", "http://127.0.0.1:9", "--no-validate"])
        .await;
    home.expect(0, &["directory", "import", &path("people.csv")]).await;
    let test = async |value: &str| home.expect(0, &["people", "test", value, "--json"]).await.json();

    assert_eq!(test("ana@home.example").await["answer"], "no_match");
    let shown = home.expect(0, &["people", "script"]).await;
    assert_eq!(shown.stdout.trim(), DEFAULT_SCRIPT.trim());
    home.expect(0, &["people", "script", &path("map.js")]).await;
    let answer = test("ana@home.example").await;
    assert_eq!((&answer["answer"], &answer["looked_for"]), (&"match".into(), &"ana@acme.example".into()));

    let refused = home.expect(2, &["people", "script", &path("bad.js")]).await;
    assert!(refused.stderr.contains("no JavaScript") && refused.stderr.contains("(line 2)"), "{refused:?}");
    assert_eq!(test("ana@home.example").await["answer"], "match", "the script is as before");

    fs::write(path("empty.js"), "").unwrap();
    fs::write(path("other.js"), "function map(v) { return v; }").unwrap();
    for wrong in ["empty.js", "other.js"] {
        let refused = home.expect(2, &["people", "script", &path(wrong)]).await;
        assert!(refused.stderr.contains("no function mapSourceUser"), "{refused:?}");
    }
    fs::write(path("null.js"), "function mapSourceUser(v) { return null; }").unwrap();
    home.expect(0, &["people", "script", &path("null.js")]).await;
    let nothing = home.expect(0, &["people", "test", "ana@home.example"]).await;
    assert!(nothing.stdout.contains("no match: the script gave nothing"), "{nothing:?}");

    fs::write(path("throws.js"), "function mapSourceUser(v) { throw new TypeError('nobody ' + v); }")
        .unwrap();
    home.expect(0, &["people", "script", &path("throws.js")]).await;
    let failed = home.expect(0, &["people", "test", "ana@home.example"]).await;
    assert!(failed.stdout.contains("TypeError: nobody ana@home.example"), "{failed:?}");
    home.expect(0, &["people", "script", "default"]).await;
    assert_eq!(test("ana@acme.example").await["answer"], "match");
    let edit = async |option: &str, value: &str| {
        let people = home.expect(0, &["connector", "edit", "acme", option, value, "--json"]).await.json();
        let people = &people["effective"]["people"];
        [&people["source"], &people["directory"], &people["with_content"]].map(ToString::to_string).join(" ")
    };
    for (option, value) in
        [("--source-field", "name"), ("--directory-field", "team"), ("--people-with-content", "true")]
    {
        edit(option, value).await;
    }
    assert_eq!(edit("--archived", "default").await, "\"name\" \"team\" true");
    for option in ["--source-field", "--directory-field"] {
        edit(option, "default").await;
    }
    assert_eq!(edit("--people-with-content", "default").await, "\"email\" \"email\" false");
    fs::write(path("people.csv"), "user_name,active\nana,no\n").unwrap();
    home.expect(0, &["directory", "import", &path("people.csv")]).await;
    let gone = home.expect(0, &["people", "test", "ana@acme.example"]).await;
    assert!(gone.stdout.contains("match: ana, who is deactivated"), "{gone:?}");
}
