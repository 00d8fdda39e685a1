//! Scripts that Node runs, with packages of npm's.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

/// What has to be installed first, and how.
pub(super) async fn missing() -> Option<String> {
    for tool in ["node", "npm"] {
        let version =
            Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        if !version.is_ok_and(|status| status.success()) {
            return Some(format!("{tool} is missing; on Debian: apt-get install nodejs npm"));
        }
    }
    None
}

/// The script of `tests/FOLDER` and its packages, in a directory below cargo's target directory.
pub(super) async fn install(folder: &str, script: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&directory).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let lock = std::fs::read(source.join("package-lock.json")).unwrap();
    let is_installed =
        std::fs::read(directory.join("installed.json")).is_ok_and(|installed| installed == lock);
    for file in ["package.json", "package-lock.json", script] {
        std::fs::copy(source.join(file), directory.join(file)).unwrap();
    }
    if !is_installed {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&directory);
        let output = run(&mut npm).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the packages of {folder} could not be installed: {said}");
        std::fs::write(directory.join("installed.json"), lock).unwrap();
    }
    directory
}

pub(super) async fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap()
}
