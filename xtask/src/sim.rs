//! `cargo xtask sim`: more of the simulation than a test run tells, or one seed of it to be read.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct SimArguments {
    /// How many seeds are told.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Print all that happens: requests, changes, crashes, with their virtual time.
    #[arg(long)]
    trace: bool,
    /// Let one full and one incremental crawl die at each change of the store, instead of telling seeds.
    #[arg(long, conflicts_with_all = ["seeds", "from", "trace"])]
    exhaustive: bool,
}

pub(crate) fn run(root: &Path, arguments: &SimArguments) -> anyhow::Result<()> {
    let test = if arguments.exhaustive {
        "a_crawl_that_dies_at_any_change_of_the_store_ends_as_the_truth"
    } else {
        "the_index_is_the_truth_whatever_happened"
    };
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["test", "--quiet", "--locked", "--package", "notion-connector", "--test", "sim", "--"])
        .args(["--exact", "--nocapture", test])
        .current_dir(root)
        // Thousands of stories are worth optimising for; all checks stay in.
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
        .env("SIM_SEEDS", arguments.seeds.to_string())
        .env("SIM_FROM", arguments.from.to_string());
    if arguments.trace {
        command.env("SIM_TRACE", "1");
    }
    if arguments.exhaustive {
        command.env("SIM_EXHAUSTIVE", "1");
    }
    let status = command.status().context("cargo could not be run")?;
    if !status.success() {
        bail!("the index was not the truth, or the simulation could not be built: see above");
    }
    Ok(())
}
