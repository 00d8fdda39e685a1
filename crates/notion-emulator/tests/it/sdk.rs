//! Outside witnesses: the official JavaScript SDK with schemas of its response types, and the Python SDK.
//!
//! The packages are pinned in `tests/sdk` and installed below the target directory. Without the tools the tests say so and
//! pass, except with `CI=true`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

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
        std::fs::copy(from.join(file), folder.join(file)).unwrap();
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

fn assert_saw(output: &str, at_least: &[(&str, u64)]) {
    let seen: serde_json::Value = serde_json::from_str(output.lines().last().unwrap_or_default()).unwrap();
    for (key, least) in at_least {
        assert!(seen[key].as_u64().unwrap() >= *least, "{key} in {seen}");
    }
}

fn read_by_javascript(world: &[&str], version: &str, at_least: &[(&str, u64)]) {
    if !has_tool("node") || !has_tool("npm") {
        return;
    }
    let folder = javascript();
    let served = Served::start(world);
    let arguments = ["read.mjs", served.text("url"), served.text("token"), version];
    let output = run(Command::new("node").args(arguments).current_dir(folder));
    assert_saw(&output, at_least);
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
