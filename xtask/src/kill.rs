//! `cargo xtask kill`: the stories of `tests/it/kill.rs` with as many kills as wanted. CI runs the same with a few.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct KillArguments {
    /// How often processes that crawl or serve are killed.
    #[arg(long, default_value_t = 200)]
    times: u32,
    /// Decides what is crawled, what is edited, and when processes are killed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kill the program as it ships instead of the debug build.
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(root: &Path, arguments: &KillArguments) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "--locked", "--package", "notion-connector", "--test", "it"]);
    if arguments.release {
        command.arg("--release");
    }
    // One story at a time: each tells what it did.
    command.args(["kill::", "--", "--nocapture", "--test-threads", "1"]).current_dir(root);
    command.env("KILL_TIMES", arguments.times.to_string()).env("KILL_SEED", arguments.seed.to_string());
    if !command.status().context("cargo test could not be run")?.success() {
        bail!("seed {} found something, or the tests do not build: see above", arguments.seed);
    }
    Ok(())
}
