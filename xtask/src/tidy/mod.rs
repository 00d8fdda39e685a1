//! `cargo xtask tidy`: the rules of the house that no compiler checks. Each message says what to do.
//!
//! | file | what it keeps |
//! |---|---|
//! | `rooms` | which room may use which, and which crate of others' belongs where |
//! | `crates` | which of our crates may depend on which |
//! | `sizes` | how long files may be, and that each says what it is for |
//! | `words` | nothing left for later, nothing silenced, no paths of somebody's machine |
//! | `links` | links between documents lead somewhere |
//!
//! How long functions may be is clippy's business (`too_many_lines`). To add a rule: a function from a file's text to
//! problems, a line in [`check`], and a test in which a snippet that breaks the rule is found.

mod crates;
mod links;
mod rooms;
mod sizes;
mod source;
mod words;

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Folders that are not ours, or not sources.
const SKIPPED: [&str; 6] = ["target", ".git", "node_modules", ".venv", "__pycache__", "proptest-regressions"];

/// A file of the repository: its path from the root, with `/`, and its text.
pub(crate) struct File {
    path: String,
    text: String,
}

/// A broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    path: String,
    line: usize,
    message: String,
}

impl Problem {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.message)
    }
}

pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    let problems = check(root, &files);
    for problem in &problems {
        println!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} rules are broken; each line above says where, and what to do", problems.len());
    }
    println!("{} files are tidy", files.len());
    Ok(())
}

fn check(root: &Path, files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(crates::check(files));
    problems.extend(rooms::check(files));
    for file in files {
        problems.extend(words::check(file));
        if file.path.ends_with(".rs") {
            problems.extend(sizes::check(file));
        }
        if file.path.ends_with(".md") {
            problems.extend(links::check(file, |path| root.join(path).exists()));
        }
    }
    if !root.join("Cargo.lock").is_file() {
        problems.push(Problem::new(
            "Cargo.lock",
            1,
            "is missing: builds must not change by themselves; commit it",
        ));
    }
    problems.sort();
    problems
}

/// Every text file below `folder`, in the order of their names.
fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    let read = || folder.display().to_string();
    let mut entries =
        std::fs::read_dir(folder).with_context(read)?.collect::<Result<Vec<_>, _>>().with_context(read)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().with_context(read)?;
        if kind.is_dir() {
            if !SKIPPED.iter().any(|name| entry.file_name() == *name) {
                collect(root, &path, files)?;
            }
        } else if kind.is_file()
            // Pictures and documents of the sample workspace are no texts.
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            let names: Vec<_> = relative.iter().map(|name| name.to_string_lossy()).collect();
            files.push(File { path: names.join("/"), text });
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_asked() {
        let silenced = format!("use crate::store::Store;\n#[{}(dead_code)]\n", "allow");
        let broken = [
            file("crates/notion-connector/src/model/mod.rs", &silenced),
            file("crates/plaintext/Cargo.toml", "[dependencies]\nnotion-api.workspace = true\n"),
            file("README.md", "[a](b.md)\n"),
        ];
        let root = std::env::temp_dir().join("there-is-no-such-folder");
        let problems = check(&root, &broken);
        let about = |path: &str| problems.iter().filter(|problem| problem.path == path).count();
        assert_eq!(about("crates/notion-connector/src/model/mod.rs"), 2);
        assert_eq!(
            [about("crates/plaintext/Cargo.toml"), about("README.md"), about("Cargo.lock")],
            [1, 1, 1]
        );
    }

    #[test]
    fn a_problem_names_file_and_line() {
        assert_eq!(Problem::new("a/b.rs", 7, "why").to_string(), "a/b.rs:7: why");
    }
}
