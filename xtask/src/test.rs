//! `cargo xtask test`: what a change must pass, in the order in which mistakes are cheap to find.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::{tidy, tools};

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// Install nothing; tests whose tool is missing are skipped (or fail, with CI=true).
    #[arg(long)]
    no_install: bool,
}

/// A step's name and how long it took.
type Timed = (&'static str, Duration);

pub(crate) fn run(root: &Path, arguments: &TestArguments) -> anyhow::Result<()> {
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    let mut done: Vec<Timed> = Vec::new();
    let result = run_steps(root, !arguments.no_install, strict, &mut done);
    println!();
    for (name, took) in &done {
        println!("{:>8.1} s  {name}", took.as_secs_f64());
    }
    if result.is_ok() {
        println!("everything passed");
    }
    result
}

fn run_steps(root: &Path, install: bool, strict: bool, done: &mut Vec<Timed>) -> anyhow::Result<()> {
    step("tools", done, || tools::provide(install, strict))?;
    step("format", done, || {
        cargo(root, &["fmt", "--all", "--check"])
            .context("run `cargo fmt --all`, then look at what it changed")
    })?;
    step("tidy", done, || tidy::run(root))?;
    step("clippy", done, || {
        cargo(root, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
    })?;
    step("test", done, || cargo(root, &["test", "--workspace", "--locked"]))?;
    if tools::answers("cargo", &["deny", "--version"]) {
        step("deny", done, || cargo(root, &["deny", "--workspace", "check", "licenses", "bans", "sources"]))?;
    } else {
        println!("\ncargo-deny is not installed: licences and sources of dependencies are not checked");
    }
    Ok(())
}

fn step(
    name: &'static str,
    done: &mut Vec<Timed>,
    run: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    println!("\n== {name}");
    let started = now();
    let result = run();
    done.push((name, started.elapsed()));
    result.with_context(|| format!("the step “{name}” failed"))
}

/// Runs cargo with the tools that the tests need in reach.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    println!("$ cargo {}", arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root).env("PATH", tools::search_path());
    if let Some(chromium) = tools::chromium() {
        command.env("CHROMIUM", chromium);
    }
    let status =
        command.status().with_context(|| format!("cargo {} could not be run", arguments.join(" ")))?;
    if !status.success() {
        bail!("cargo {} ended with {status}", arguments.join(" "));
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "durations of real processes; nothing here runs on tokio's clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_and_timed() {
        let mut done = Vec::new();
        let error = step("format", &mut done, || bail!("one file differs")).unwrap_err();
        assert_eq!(format!("{error:#}"), "the step “format” failed: one file differs");
        assert!(matches!(done.as_slice(), [("format", _)]));
    }
}
