//! Automation of this repository, without a build system beside cargo.
//!
//! - `cargo xtask test`: what a change must pass; the README's second command and all that CI runs.
//! - `cargo xtask tidy`: the rules of the house that no compiler checks.
//! - `cargo xtask bench`: how fast the connector crawls, measured with the programs as they ship.
//! - `cargo xtask kill`: kills the connector at random instants, again and again, and looks for what is lost or twice.
//! - `cargo xtask sim`: more seeds of the simulation than a test run tells, or one of them with its trace.
//! - `cargo xtask recordings`: what the product loses of recorded answers of the real API.
//!
//! To add a command: a file here and an arm of [`Command`]. To add a rule: see `tidy`.

mod bench;
mod kill;
mod sim;
mod test;
mod tidy;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Automation of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all tests and checks; install the tools that they need.
    Test(test::TestArguments),
    /// Check the rules of the house that no compiler checks.
    Tidy,
    /// Measure crawls of a generated workspace with the release build.
    Bench(bench::BenchArguments),
    /// Kill crawling processes at random instants; fail if anything is lost, invented or done twice.
    Kill(kill::KillArguments),
    /// Simulate edits, faults and crashes from seeds, and compare the index with the truth.
    Sim(sim::SimArguments),
    /// Read recorded answers of the real API; fail if decoding or rendering loses anything of them.
    Recordings {
        /// Folder with recorded answers: every `*.json` below it but `_spec/` and `replayable.json`.
        directory: PathBuf,
    },
}

fn main() -> ExitCode {
    let root = root();
    let result = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&root, &arguments),
        Command::Tidy => tidy::run(&root),
        Command::Bench(arguments) => bench::run(&root, &arguments),
        Command::Kill(arguments) => kill::run(&root, &arguments),
        Command::Sim(arguments) => sim::run(&root, &arguments),
        Command::Recordings { directory } => {
            return recordings(&root, &directory).unwrap_or_else(|error| failed(&error));
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

/// A program of its own, because it is built on the whole product. It has said everything when it ends, counts last.
fn recordings(root: &Path, directory: &Path) -> anyhow::Result<ExitCode> {
    let directory = std::path::absolute(directory)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command.args(["run", "--quiet", "--package", "recordings", "--"]).arg(directory).current_dir(root);
    let status = command.status().context("cargo could not be run")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The repository: where this crate's parent is. Cargo says so when it runs the program; what it said when it built it may
/// be another checkout, where several share a target directory.
fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}
