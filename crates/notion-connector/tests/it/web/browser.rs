//! The search page in a real browser: `tests/browser/search-page.mjs`, run by Node over servers of this test.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use super::{Server, hostile, old_file};

const FILES: [&str; 3] = ["package.json", "package-lock.json", "search-page.mjs"];
const BROWSERS: [&str; 5] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_page_passes_in_a_browser() {
    if let Some(missing) = missing_tools().await {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
        println!("skipped: {missing}");
        return;
    }
    let directory = install().await;
    let (server, empty) = (Server::sample().await, Server::empty().await);
    server.index(hostile());
    server.index(old_file());
    let pictures = directory.join("pictures");
    let mut script = Command::new("node");
    script
        .arg("search-page.mjs")
        .args([server.origin(), empty.origin()])
        .arg(&pictures)
        .current_dir(&directory);
    let output = run(&mut script).await;
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    print!("{told}");
}

/// What has to be installed first, and how.
async fn missing_tools() -> Option<String> {
    for tool in ["node", "npm"] {
        let version =
            Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        if !version.is_ok_and(|status| status.success()) {
            return Some(format!("{tool} is missing; on Debian: apt-get install nodejs npm"));
        }
    }
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let there = named.iter().map(PathBuf::as_path).chain(BROWSERS.iter().map(Path::new)).any(Path::is_file);
    (!there).then(|| {
        "Chromium is missing; on Debian: apt-get install chromium; elsewhere name its file in CHROMIUM"
            .to_owned()
    })
}

/// The script and its packages, in a directory below cargo's target directory.
async fn install() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&directory).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let lock = std::fs::read(source.join("package-lock.json")).unwrap();
    let is_installed =
        std::fs::read(directory.join("installed.json")).is_ok_and(|installed| installed == lock);
    for file in FILES {
        std::fs::copy(source.join(file), directory.join(file)).unwrap();
    }
    if !is_installed {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&directory);
        let output = run(&mut npm).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the packages of the browser test could not be installed: {said}");
        std::fs::write(directory.join("installed.json"), lock).unwrap();
    }
    directory
}

async fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap()
}
