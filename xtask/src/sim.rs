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

/// From so many seeds on the time that optimising our own crates takes comes back: measured on two processors, two and a half minutes
/// of a processor more to build, and 0.6 instead of 1.0 seconds for each seed. All checks stay in.
const WORTH_OPTIMISING: u64 = 300;

pub(crate) fn run(root: &Path, arguments: &SimArguments) -> anyhow::Result<()> {
    let test = if arguments.exhaustive {
        "a_crawl_that_dies_at_any_change_of_the_store_ends_as_the_truth"
    } else {
        "the_index_is_the_truth_whatever_happened"
    };
    let is_optimised = arguments.exhaustive || arguments.seeds >= WORTH_OPTIMISING;
    let cargo = || {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(["test", "--locked", "--package", "notion-connector", "--test", "sim"])
            .current_dir(root);
        if is_optimised {
            command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        }
        command
    };
    if !cargo().arg("--no-run").status().context("cargo could not be run")?.success() {
        bail!("the simulation could not be built");
    }
    let mut command = cargo();
    command
        .args(["--quiet", "--", "--exact", "--nocapture", test])
        .env("SIM_SEEDS", arguments.seeds.to_string())
        .env("SIM_FROM", arguments.from.to_string());
    if arguments.trace {
        command.env("SIM_TRACE", "1");
    }
    if arguments.exhaustive {
        command.env("SIM_EXHAUSTIVE", "1");
    }
    if !command.status().context("cargo could not be run")?.success() {
        bail!("the index was not the truth: see above");
    }
    Ok(())
}
