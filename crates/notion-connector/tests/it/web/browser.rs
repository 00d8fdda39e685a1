//! The search page in a real browser: `tests/browser/search-page.mjs`, run by Node over servers of this test.

use std::path::{Path, PathBuf};

use notion_connector::model::Caller;
use notion_connector::ops;
use secrecy::ExposeSecret;
use tokio::process::Command;

use super::{Server, hostile, node, old_file};

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
    let directory = node::install("browser", "search-page.mjs").await;
    let (server, empty, guarded) = (Server::sample().await, Server::empty().await, Server::guarded().await);
    let link = ops::link_for_first_administrator(&guarded.app, &Caller::LOCAL_OPERATOR).unwrap().unwrap();
    let welcome = format!("{}/welcome#{}", guarded.origin(), link.expose_secret());
    server.index(hostile());
    server.index(old_file());
    let pictures = directory.join("pictures");
    let mut script = Command::new("node");
    script
        .arg("search-page.mjs")
        .args([server.origin(), empty.origin()])
        .arg(&pictures)
        .arg(&welcome)
        .current_dir(&directory);
    let output = node::run(&mut script).await;
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    print!("{told}");
}

/// What has to be installed first, and how.
async fn missing_tools() -> Option<String> {
    if let Some(missing) = node::missing().await {
        return Some(missing);
    }
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let there = named.iter().map(PathBuf::as_path).chain(BROWSERS.iter().map(Path::new)).any(Path::is_file);
    (!there).then(|| {
        "Chromium is missing; on Debian: apt-get install chromium; elsewhere name its file in CHROMIUM"
            .to_owned()
    })
}
