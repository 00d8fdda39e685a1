//! `cargo xtask bench extract`: how fast files are read by workers, and what that takes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::Value;

use crate::test::now;

#[derive(Debug, Args)]
pub(crate) struct ExtractArguments {
    /// The folder whose files are read [default: the samples of every format].
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// How many files are read: those of the folder, again and again.
    #[arg(long, default_value_t = 1_000)]
    count: usize,
    /// Take the release build that is there.
    #[arg(long)]
    pub(super) no_build: bool,
}

pub(super) fn run(root: &Path, programs: &Path, arguments: &ExtractArguments) -> anyhow::Result<()> {
    let folder = arguments.files.clone().unwrap_or_else(|| root.join("crates/plaintext/tests/samples"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{} holds no files", folder.display());
    let started = now();
    let output = Command::new(programs.join("notion-connector"))
        .args(["--json", "extract"])
        .args(files.iter().cycle().take(arguments.count))
        .stderr(Stdio::inherit())
        .output()
        .context("the connector could not be run")?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(output.status.success(), "extract ended with {}", output.status);
    let lines = String::from_utf8(output.stdout)?;
    let lines: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    print_report(&lines, files.len(), seconds);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "numbers of files and megabytes are small")]
fn print_report(lines: &[Value], files: usize, seconds: f64) {
    println!(
        "{} documents, {files} different: {seconds:.1} s, {:.0} a second",
        lines.len(),
        lines.len() as f64 / seconds
    );
    let mut statuses = std::collections::BTreeMap::new();
    for line in lines {
        *statuses.entry(line["status"].as_str().unwrap_or("none")).or_insert(0_u64) += 1;
    }
    println!(
        "outcomes: {}",
        statuses.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    );
    let mut millis: Vec<u64> = lines.iter().filter_map(|line| line["millis"].as_u64()).collect();
    millis.sort_unstable();
    let part =
        |percent: usize| millis.get(millis.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0);
    println!("milliseconds for one: median {}, 99 of 100 below {}, most {}", part(50), part(99), part(100));
    let peak = lines.iter().filter_map(|line| line["peak_bytes"].as_u64()).max();
    println!("most memory of a worker: {:.0} MB", peak.unwrap_or(0) as f64 / 1e6);
}
