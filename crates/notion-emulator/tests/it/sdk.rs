//! Outside witnesses: the official JavaScript SDK with schemas of its response types, and the Python SDK.
//!
//! The packages are pinned in `tests/sdk` and installed below the target directory. Without the tools the tests say so and
//! pass, except with `CI=true`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;

use crate::binary::Served;

/// Installing happens once at a time.
static INSTALL: Mutex<()> = Mutex::new(());

const SCHEMA: &str = "schema.json";

fn source(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(folder)
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn has_tool(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{tool} is missing, and CI=true runs no less than everything"
        );
        eprintln!("skipped: install {tool}");
    }
    found
}

/// A folder below the target directory that holds the installed packages of `lock`, made by `install` when the lock changed.
fn installed(name: &str, lock: &Path, install: impl FnOnce(&Path)) -> PathBuf {
    let _guard = INSTALL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let wanted = std::fs::read_to_string(lock).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let stamp = folder.join("installed.lock");
    if std::fs::read_to_string(&stamp).ok().as_deref() != Some(&wanted) {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        install(&folder);
        std::fs::write(stamp, wanted).unwrap();
    }
    folder
}

/// The folder in which the JavaScript runs, with packages and schema.
fn javascript() -> PathBuf {
    let from = source("js");
    let folder = installed("notion-emulator-js", &from.join("package-lock.json"), |folder| {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(from.join(file), folder.join(file)).unwrap();
        }
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder));
        let types = "node_modules/@notionhq/client/build/src/api-endpoints.d.ts";
        let generator = "node_modules/ts-json-schema-generator/bin/ts-json-schema-generator.js";
        run(Command::new("node")
            .args([
                generator,
                "--no-type-check",
                "--additional-properties",
                "--path",
                types,
                "--type",
                "*",
                "-o",
                SCHEMA,
            ])
            .current_dir(folder));
    });
    let _guard = INSTALL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for file in ["read.mjs", "schemas.mjs"] {
        // Another test may be reading it: it is replaced in one step, never written in place.
        let copy = folder.join(format!("{file}.{}", std::process::id()));
        std::fs::copy(from.join(file), &copy).unwrap();
        std::fs::rename(copy, folder.join(file)).unwrap();
    }
    folder
}

fn python() -> PathBuf {
    let requirements = source("python").join("requirements.txt");
    installed("notion-emulator-python", &requirements, |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        run(Command::new(folder.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements));
    })
}

fn assert_saw(output: &str, at_least: &[(&str, u64)]) -> Value {
    let seen: Value = serde_json::from_str(output.lines().last().unwrap_or_default()).unwrap();
    for (key, least) in at_least {
        assert!(seen[key].as_u64().unwrap() >= *least, "{key} in {seen}");
    }
    seen
}

/// Every type that an answer can hold, by where it stands.
const TYPES: [(&str, &str); 34] = [
    (
        "block",
        "audio bookmark breadcrumb bulleted_list_item callout child_database child_page code column column_list divider \
        embed equation file heading_1 heading_2 heading_3 heading_4 image link_preview link_to_page meeting_notes \
        numbered_list_item paragraph pdf quote synced_block tab table table_of_contents table_row template to_do toggle \
        unsupported video",
    ),
    ("block color", COLORS),
    ("color", COLORS),
    ("heading_1", HEADINGS),
    ("heading_2", HEADINGS),
    ("heading_3", HEADINGS),
    ("heading_4", HEADINGS),
    ("synced_block", "copy,original"),
    ("list", "letters,numbers,roman"),
    ("table", "false false,false true,true false,true true"),
    ("link", "comment_id,database_id,page_id"),
    ("image", "external,file"),
    ("video", "external,file"),
    ("pdf", "external,file"),
    ("audio", "external,file"),
    ("file", "external,file"),
    ("text", "equation,mention,text"),
    ("mention", "custom_emoji database date link_mention link_preview page template_mention user"),
    ("template", "template_mention_date,template_mention_user"),
    ("icon", "custom_emoji,emoji,external,file,icon"),
    ("cover", "external,file"),
    ("parent", "block_id,data_source_id,database_id,page_id,workspace"),
    ("user", "bot,person"),
    ("in people", "group,user"),
    ("property", PROPERTIES),
    ("property item", PROPERTIES),
    ("column", PROPERTIES),
    ("file of a row", "external,file"),
    ("formula", "boolean,date,number,string,unsupported"),
    ("rollup", "array,date,number,unsupported"),
    ("verification", "expired,unverified,verified"),
    ("comment name", "custom,integration,user"),
    ("comment on", "block_id,page_id"),
    ("attachment", "audio,image,pdf,productivity,video"),
];
const COLORS: &str = "blue blue_background brown brown_background default default_background gray gray_background green \
    green_background orange orange_background pink pink_background purple purple_background red red_background yellow \
    yellow_background";
const HEADINGS: &str = "plain,toggle,toggle with content";
const PROPERTIES: &str = "button checkbox created_by created_time date email files formula last_edited_by last_edited_time \
    multi_select number people phone_number place relation rich_text rollup select status title unique_id url verification";

/// The types met are those of the reference, all of them and no others.
fn assert_met_every_type(seen: &Value, version: &str) {
    let met: BTreeSet<&str> = seen["met"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for (kind, types) in TYPES {
        let separator = if types.contains(',') { ',' } else { ' ' };
        let named = |name: &str| match (kind, name) {
            ("block", "meeting_notes") if version < "2026-03-11" => "block:transcription".to_owned(),
            _ => format!("{kind}:{name}"),
        };
        let wanted: BTreeSet<String> =
            types.split(separator).map(str::trim).filter(|name| !name.is_empty()).map(named).collect();
        let of_kind = |met: &&&str| met.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':'));
        let found: BTreeSet<String> = met.iter().filter(of_kind).map(|met| (*met).to_owned()).collect();
        assert_eq!(found, wanted, "{kind}, version {version}");
    }
}

/// What was seen, if the tools are there.
fn read_by_javascript(world: &[&str], version: &str, at_least: &[(&str, u64)]) -> Option<Value> {
    if !has_tool("node") || !has_tool("npm") {
        return None;
    }
    let folder = javascript();
    let served = Served::start(world);
    let arguments = ["read.mjs", served.text("url"), served.text("token"), version];
    let output = run(Command::new("node").args(arguments).current_dir(folder));
    Some(assert_saw(&output, at_least))
}

fn read_by_python(world: &[&str], version: &str, at_least: &[(&str, u64)]) {
    if !has_tool("python3") {
        return;
    }
    let folder = python();
    let served = Served::start(world);
    let mut command = Command::new(folder.join("bin/python"));
    command.arg(source("python").join("read.py")).args([served.text("url"), served.text("token"), version]);
    assert_saw(&run(&mut command), at_least);
}

#[test]
fn the_javascript_sdk_reads_the_sample_world_and_every_answer_fits_its_types() {
    let sample = [
        ("pages", 30),
        ("dataSources", 2),
        ("blocks", 100),
        ("users", 5),
        ("comments", 1),
        ("validated", 300),
    ];
    for version in ["2026-03-11", "2025-09-03"] {
        read_by_javascript(&["--sample"], version, &sample);
    }
}

#[test]
fn the_javascript_sdk_reads_a_generated_world_and_every_answer_fits_its_types() {
    let generated = [
        ("pages", 200),
        ("rows", 20),
        ("blocks", 1000),
        ("databases", 1),
        ("properties", 20),
        ("validated", 2000),
    ];
    read_by_javascript(&["--generate", "pages=200,seed=7"], "2026-03-11", &generated);
}

#[test]
fn the_javascript_sdk_reads_a_varied_world_and_every_answer_fits_its_types() {
    let varied = [("pages", 50), ("rows", 16), ("blocks", 2000), ("databases", 1), ("comments", 10)];
    for version in ["2026-03-11", "2025-09-03"] {
        read_by_javascript(&["--generate", "pages=50,seed=3,shape=varied"], version, &varied);
    }
}

#[test]
fn the_javascript_sdk_meets_every_type_of_the_reference_in_the_catalogue() {
    let catalogue = [
        ("pages", 130),
        ("rows", 30),
        ("blocks", 300),
        ("databases", 4),
        ("comments", 6),
        ("properties", 50),
        ("views", 5),
    ];
    for version in ["2026-03-11", "2025-09-03"] {
        if let Some(seen) = read_by_javascript(&["--generate", "shape=catalogue"], version, &catalogue) {
            assert_met_every_type(&seen, version);
        }
    }
}

#[test]
fn the_python_sdk_reads_the_sample_world() {
    read_by_python(&["--sample"], "2026-03-11", &[("pages", 30), ("data_sources", 2), ("blocks", 100)]);
}

#[test]
fn the_python_sdk_reads_a_generated_world() {
    read_by_python(
        &["--generate", "pages=120,seed=7"],
        "2025-09-03",
        &[("pages", 120), ("rows", 20), ("blocks", 500)],
    );
}
