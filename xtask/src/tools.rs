//! The programs that some tests need beside Rust: found, installed where that is possible, named where it is not.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::bail;

/// A program that some tests need.
pub(crate) struct Tool {
    /// What people call it.
    name: &'static str,
    /// Which tests need it.
    needed_for: &'static str,
    /// Packages of Debian and Ubuntu that bring it.
    packages: &'static [&'static str],
    /// Whether it is there, in a version that will do.
    found: fn() -> bool,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "node (20 or newer)",
        needed_for: "the official JavaScript SDK against the emulator, and the search page in a browser",
        packages: &["nodejs"],
        found: has_node,
    },
    Tool {
        name: "npm",
        needed_for: "fetching the JavaScript SDK and what drives the browser",
        packages: &["npm"],
        found: || answers("npm", &["--version"]),
    },
    Tool {
        name: "python3 with venv",
        needed_for: "the Python SDK against the emulator",
        packages: &["python3", "python3-venv"],
        found: || answers("python3", &["-c", "import venv, ensurepip"]),
    },
    Tool {
        name: "chromium",
        needed_for: "the search page in a browser",
        packages: &["chromium"],
        found: || chromium().is_some(),
    },
    Tool {
        name: "tesseract and pdftoppm",
        needed_for: "letters in images and scans",
        packages: &["tesseract-ocr", "poppler-utils"],
        found: || answers("tesseract", &["--version"]) && answers("pdftoppm", &["-v"]),
    },
];

/// What drives the browser asks for it; Debian 12 and Ubuntu 24.04 have 18.
const OLDEST_NODE: u32 = 20;

/// The package on npm's registry that is Node itself.
const NODE_PACKAGE: &str = "node@22";

/// Names under which systems install Chromium.
const CHROMIUM_NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Looks for every tool and installs what is missing, if it may.
///
/// # Errors
/// When something stays missing and `strict`: then a skipped test would look like a passed one.
pub(crate) fn provide(install: bool, strict: bool) -> anyhow::Result<()> {
    let mut missing = find_missing();
    if missing.is_empty() {
        println!("all tools are there: {}", names(TOOLS.iter()));
        return Ok(());
    }
    if install {
        install_missing(&missing);
        install_newer_node();
        missing = find_missing();
    }
    for tool in &missing {
        println!("missing: {}; without it these tests are skipped: {}", tool.name, tool.needed_for);
    }
    if missing.is_empty() {
        return Ok(());
    }
    println!(
        "to install: apt-get install {} (Debian, Ubuntu), or what your system calls them",
        packages(&missing)
    );
    if strict {
        bail!("with CI=true nothing may be skipped, and these are missing: {}", names(missing.into_iter()));
    }
    Ok(())
}

/// Where Chromium is.
pub(crate) fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let candidates = |dir: PathBuf| CHROMIUM_NAMES.map(|name| dir.join(name));
    std::env::split_paths(&path).flat_map(candidates).find(|file| file.is_file())
}

fn find_missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !(tool.found)()).collect()
}

fn names<'a>(tools: impl Iterator<Item = &'a Tool>) -> String {
    tools.map(|tool| tool.name).collect::<Vec<_>>().join(", ")
}

fn packages(tools: &[&Tool]) -> String {
    tools.iter().flat_map(|tool| tool.packages).copied().collect::<Vec<_>>().join(" ")
}

/// Failures are said and otherwise ignored: what counts is whether the tools are there afterwards.
fn install_missing(missing: &[&Tool]) {
    if !answers("apt-get", &["--version"]) {
        println!("there is no apt-get here: nothing is installed");
        return;
    }
    let Some(prefix) = privilege() else {
        println!("neither root nor sudo without a password: nothing is installed");
        return;
    };
    run_apt(&prefix, &["update"]);
    for tool in missing {
        // An earlier package may have brought it: some builds of Node come with npm. One by one, so that a package
        // that this system does not have does not cost the others.
        if !(tool.found)() {
            let mut arguments = vec!["install", "-y", "--no-install-recommends"];
            arguments.extend(tool.packages);
            run_apt(&prefix, &arguments);
        }
    }
}

/// Where the system's Node is too old: a newer one from npm's registry, below the target directory.
fn install_newer_node() {
    if has_node() || !answers("npm", &["--version"]) {
        return;
    }
    let Some(folder) = folder() else { return };
    println!("$ npm install {NODE_PACKAGE} --prefix {}", folder.display());
    let status = command("npm")
        .args(["install", NODE_PACKAGE, "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(&folder)
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => println!("npm ended with {status}"),
        Err(error) => println!("npm could not be run: {error}"),
    }
}

/// Where tools are kept that belong to this repository alone: beside the folder that this program was built into.
fn folder() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    Some(own.ancestors().nth(2)?.join("xtask-tools"))
}

/// Where programs are looked for: our own tools first.
pub(crate) fn search_path() -> OsString {
    let system = std::env::var_os("PATH").unwrap_or_default();
    let own = folder().map(|folder| folder.join("node_modules/.bin"));
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&system))).unwrap_or(system)
}

/// A program as the tests find it.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", search_path());
    command
}

/// What goes before `apt-get`: nothing as root, `sudo` where it asks for no password; none when neither is so.
fn privilege() -> Option<Vec<&'static str>> {
    let user = Command::new("id").arg("-u").output().ok()?;
    if user.stdout.trim_ascii() == b"0" {
        return Some(vec!["env"]);
    }
    answers("sudo", &["-n", "true"]).then(|| vec!["sudo", "-n", "env"])
}

fn run_apt(prefix: &[&str], arguments: &[&str]) {
    println!("$ apt-get {}", arguments.join(" "));
    let [program, before @ ..] = prefix else { return };
    let status = Command::new(program)
        .args(before)
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(arguments)
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => println!("apt-get ended with {status}"),
        Err(error) => println!("apt-get could not be run: {error}"),
    }
}

/// Whether a program runs and ends well.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    let status = command(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn has_node() -> bool {
    let output = command("node").arg("--version").output();
    output.is_ok_and(|output| {
        major(&String::from_utf8_lossy(&output.stdout)).is_some_and(|major| major >= OLDEST_NODE)
    })
}

/// `v18.20.4` → 18
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(major("v18.20.4\n"), Some(18));
        assert_eq!(major("v24.0.0"), Some(24));
        assert_eq!(major("command not found"), None);
    }

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(!answers("there-is-no-such-program", &[]));
    }

    #[test]
    fn every_tool_names_its_packages_once() {
        let all: Vec<&Tool> = TOOLS.iter().collect();
        let mut packages: Vec<String> = packages(&all).split(' ').map(ToOwned::to_owned).collect();
        let named = packages.len();
        packages.sort();
        packages.dedup();
        assert_eq!(packages.len(), named);
    }
}
