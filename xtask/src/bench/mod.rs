//! `cargo xtask bench`: the programs as they ship, on a generated workspace behind an emulator without limits.
//!
//! The numbers say what the connector can do by itself; against Notion, its request limit decides. `scale` asks the other
//! question: whether a workspace a hundred times larger is as fast for each item, and takes no more memory. `extract` reads files.

mod extract;
mod process;
mod scale;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::test::now;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    command: Option<BenchCommand>,
    /// Pages and rows of the generated workspace.
    #[arg(long, default_value_t = 10_000)]
    pages: u32,
    /// Seed of the generated workspace: one seed, one workspace.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// A workspace of a million items: speed and memory by tenths of the crawl, then everything else that is done with it.
    Scale(scale::ScaleArguments),
    /// Files read by workers: how many a second, and how much memory.
    Extract(extract::ExtractArguments),
}

pub(crate) fn run(root: &Path, arguments: &BenchArguments) -> anyhow::Result<()> {
    let programs = release_folder()?;
    let no_build = match &arguments.command {
        Some(BenchCommand::Scale(arguments)) => arguments.no_build,
        Some(BenchCommand::Extract(arguments)) => arguments.no_build,
        None => false,
    };
    if !no_build {
        build(root)?;
    }
    match &arguments.command {
        Some(BenchCommand::Scale(arguments)) => return scale::run(&programs, arguments),
        Some(BenchCommand::Extract(arguments)) => return extract::run(root, &programs, arguments),
        None => {}
    }
    let world = format!("pages={},seed={}", arguments.pages, arguments.seed);
    let (emulator, ready) = Emulator::start(&programs, &world)?;
    let data = TemporaryDir::new(&std::env::temp_dir())?;
    println!("{} pages and rows, seed {}, no request limit", arguments.pages, arguments.seed);
    for name in ["first crawl", "second crawl, nothing changed"] {
        let started = now();
        let report = crawl(&programs, &data, &ready)?;
        print_report(name, &report, started.elapsed());
    }
    drop(emulator);
    Ok(())
}

fn build(root: &Path) -> anyhow::Result<()> {
    let arguments = ["build", "--release", "--locked", "-p", "notion-connector", "-p", "notion-emulator"];
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(root)
        .status()
        .context("cargo build could not be run")?;
    if !status.success() {
        bail!("the release build failed");
    }
    Ok(())
}

/// Beside the folder that this program was built into.
fn release_folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let target = own.ancestors().nth(2).context("this program is not in a target folder")?;
    Ok(target.join("release"))
}

/// The emulator's process; ends with this value.
struct Emulator(Child);

impl Emulator {
    fn start(programs: &Path, world: &str) -> anyhow::Result<(Self, Value)> {
        let mut child = Command::new(programs.join("notion-emulator"))
            .args(["serve", "--generate", world])
            .stdout(Stdio::piped())
            .spawn()
            .context("the emulator could not be started")?;
        let output = child.stdout.take().context("the emulator has no standard output")?;
        let emulator = Self(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).context("the emulator said nothing")?;
        let ready = serde_json::from_str(&line).context("the emulator's first line is not JSON")?;
        Ok((emulator, ready))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that goes with this value.
struct TemporaryDir(PathBuf);

impl TemporaryDir {
    fn new(parent: &Path) -> anyhow::Result<Self> {
        let path = parent.join(format!("notion-connector-bench-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("{} could not be made", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        // What cannot be deleted here, the system's own cleaning of temporary files takes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The connector on that data directory, with the emulator's secret.
fn connector(programs: &Path, data: &TemporaryDir, ready: &Value) -> anyhow::Result<Command> {
    let text =
        |name: &str| ready[name].as_str().with_context(|| format!("the emulator does not name its {name}"));
    let mut command = Command::new(programs.join("notion-connector"));
    command
        .arg("--json")
        .arg("--data-dir")
        .arg(&data.0)
        .env("NOTION_TOKEN", text("token")?)
        .env("NOTION_URL", text("url")?)
        // A key of its own, so that none is made in the user's home.
        .env("NOTION_CONNECTOR_KEY", "b".repeat(64))
        .stderr(Stdio::inherit());
    Ok(command)
}

fn crawl(programs: &Path, data: &TemporaryDir, ready: &Value) -> anyhow::Result<Value> {
    let output = connector(programs, data, ready)?
        .arg("crawl")
        .output()
        .context("the connector could not be started")?;
    completed(&output.stdout)
}

/// The report of a crawl that did all it should.
fn completed(output: &[u8]) -> anyhow::Result<Value> {
    let report: Value = serde_json::from_slice(output).context("the report is not JSON")?;
    if report["state"] != "completed" {
        bail!("the crawl did not complete: {report}");
    }
    Ok(report)
}

fn print_report(name: &str, report: &Value, whole: Duration) {
    let number = |field: &str| report[field].as_f64().unwrap_or_default();
    println!("\n{name}");
    println!("  items      {:>10} ({} read or rendered anew)", report["discovered"], report["indexed"]);
    println!("  requests   {:>10}", report["requests"]);
    println!("  crawled    {:>10.1} s", number("seconds"));
    println!("  searchable {:>10.1} s after the start of the program", whole.as_secs_f64());
    println!("  speed      {:>10.0} items a second, crawling", number("pages_per_second"));
    println!("  memory     {:>10.0} MB at most", number("peak_rss_bytes") / 1e6);
}
