//! `cargo xtask bench scale`: whether the last of a million items is as cheap as the first.
//!
//! A first crawl is measured by tenths of its items: time, processor time and memory of connector and emulator. Then come a
//! full and two incremental crawls of what did not change, and what people do: status, search, backup. Not part of the tests,
//! because it takes an hour and some 20 GB of disk; `docs/operate/sizing.md` holds what was measured.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::process::{Ended, Guard, Usage, watch};
use super::{Emulator, TemporaryDir, completed, connector};

/// Parts that the first crawl is measured in.
const PARTS: u64 = 10;

/// Seconds between two tries to follow a crawl that has not begun yet.
const UNTIL_BEGUN: f64 = 0.5;

#[derive(Debug, Args)]
pub(super) struct ScaleArguments {
    /// Pages and rows of the generated workspace.
    #[arg(long, default_value_t = 1_000_000)]
    items: u32,
    /// Seed of the generated workspace: one seed, one workspace.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the data; the system's for temporary files by default.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Measure the programs that are there, as they are.
    #[arg(long)]
    pub(super) no_build: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// How far a crawl was at some time, and what had been used.
#[derive(Debug, Clone, Copy, Default)]
struct Sight {
    at: f64,
    cpu: f64,
    done: f64,
}

/// One part of a crawl.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Part {
    items: u64,
    seconds: f64,
    items_per_second: f64,
    cpu_ms_per_item: f64,
    resident_mb: f64,
    anonymous_mb: f64,
    file_mb: f64,
    emulator_mb: f64,
}

/// One run of the connector.
#[derive(Debug, Serialize)]
struct Step {
    what: &'static str,
    seconds: f64,
    cpu_seconds: f64,
    peak_mb: f64,
    anonymous_mb: f64,
    file_mb: f64,
    requests: Option<u64>,
    items: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Report {
    items: u32,
    seed: u64,
    parts: Vec<Part>,
    /// Speed of the last part as a share of that of the first, by the clock.
    speed_last_to_first: f64,
    /// The same by processor time, which other programs of the machine do not disturb.
    cpu_speed_last_to_first: f64,
    steps: Vec<Step>,
    emulator_peak_mb: f64,
    store_bytes: u64,
    index_bytes: u64,
}

pub(super) fn run(programs: &Path, arguments: &ScaleArguments) -> anyhow::Result<()> {
    let world = format!("pages={},seed={},shape=tables", arguments.items, arguments.seed);
    let (emulator, ready) = Emulator::start(programs, &world)?;
    let folder = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let data = TemporaryDir::new(&folder)?;
    let bench = Bench { programs, data: &data, ready: &ready, emulator: emulator.0.id() };
    if !arguments.json {
        println!(
            "{} pages and rows, seed {}, no request limit\n\n{PARTS_HEAD}",
            arguments.items, arguments.seed
        );
    }
    let show = |part: &Part| {
        if !arguments.json {
            print_part(part);
        }
    };
    let (first, parts) = bench.first_crawl(u64::from(arguments.items), show)?;
    let mut steps = vec![first];
    if !arguments.json {
        println!("\n{STEPS_HEAD}");
        print_step(&steps[0]);
    }
    for (what, words) in STEPS {
        let step = bench.step(what, words)?;
        if !arguments.json {
            print_step(&step);
        }
        steps.push(step);
    }
    let report = Report {
        items: arguments.items,
        seed: arguments.seed,
        speed_last_to_first: ratio(&parts, |part| part.items_per_second)?,
        cpu_speed_last_to_first: 1.0 / ratio(&parts, |part| part.cpu_ms_per_item)?,
        parts,
        steps,
        emulator_peak_mb: Usage::of(emulator.0.id()).unwrap_or_default().peak,
        store_bytes: size_of(&data.0.join("store.sqlite"))?,
        index_bytes: size_of(&data.0.join("index"))?,
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_end(&report);
    }
    Ok(())
}

/// What follows on the first crawl. The first incremental crawl also forgets what the full one before it met.
const STEPS: [(&str, &[&str]); 8] = [
    ("full crawl, nothing changed", &["crawl", "--scope", "full"]),
    ("incremental crawl after it", &["crawl", "--scope", "incremental"]),
    ("incremental crawl, nothing changed", &["crawl", "--scope", "incremental"]),
    ("status", &["status"]),
    ("search, two words", &["search", "quarterly review"]),
    ("search, the same again", &["search", "quarterly review"]),
    ("start points", &["connector", "start-points", "default"]),
    ("backup", &["backup", "{copy}"]),
];

/// What every run needs.
struct Bench<'a> {
    programs: &'a Path,
    data: &'a TemporaryDir,
    ready: &'a Value,
    emulator: u32,
}

impl Bench<'_> {
    /// `show` is told of each part as soon as it is through.
    fn first_crawl(&self, items: u64, show: impl Fn(&Part)) -> anyhow::Result<(Step, Vec<Part>)> {
        let lines = self.data.0.join("progress.jsonl");
        let mut follower: Option<Guard> = None;
        let mut followed_at = 0.0;
        let mut read = 0;
        let mut sights = vec![Sight::default()];
        let mut memory: Vec<(f64, Usage, f64)> = Vec::new();
        let mut known = Vec::new();
        let ended = watch(self.connector()?.arg("crawl"), |at, usage| {
            let emulator = Usage::of(self.emulator).unwrap_or_default().resident;
            memory.push((at, usage, emulator));
            let written = std::fs::read(&lines).unwrap_or_default();
            if written.is_empty() && at - followed_at >= UNTIL_BEGUN {
                followed_at = at;
                follower = Some(self.follow(&lines)?);
            }
            // A line may be written in part; it is read when it is whole.
            while let Some(length) = written[read..].iter().position(|byte| *byte == b'\n') {
                let line: Value = serde_json::from_slice(&written[read..read + length])?;
                read += length + 1;
                let done = line["discovered"].as_f64().unwrap_or_default();
                sights.push(Sight { at, cpu: usage.cpu, done });
                let through = parts(items, &sights, &memory)?;
                through.iter().skip(known.len()).for_each(&show);
                known = through;
            }
            Ok(())
        })?;
        drop(follower);
        let report = completed(&ended.output)?;
        sights.push(Sight {
            at: report["seconds"].as_f64().unwrap_or_default(),
            cpu: ended.most.cpu,
            done: report["discovered"].as_f64().unwrap_or_default(),
        });
        let all = parts(items, &sights, &memory)?;
        if u64::try_from(all.len())? < PARTS {
            bail!("the crawl met fewer items than the workspace has: {report}");
        }
        all.iter().skip(known.len()).for_each(show);
        Ok((step("first crawl", &ended, Some(&report)), all))
    }

    /// A process that writes a line each second about how far the first crawl is.
    fn follow(&self, lines: &Path) -> anyhow::Result<Guard> {
        let file = std::fs::File::create(lines)?;
        let mut command = self.connector()?;
        // It complains until the crawl has begun.
        command.args(["crawls", "watch", "1"]).stdout(file).stderr(std::process::Stdio::null());
        Ok(Guard(command.spawn().context("the connector could not be started")?))
    }

    fn connector(&self) -> anyhow::Result<std::process::Command> {
        let mut command = connector(self.programs, self.data, self.ready)?;
        // By itself it stops at a million, which here are the pages and rows without their databases.
        command.env("NOTION_CONNECTOR__CRAWL__ITEM_LIMIT", "10000000");
        Ok(command)
    }

    fn step(&self, what: &'static str, words: &[&str]) -> anyhow::Result<Step> {
        let copy = self.data.0.join("copy.sqlite");
        let mut command = self.connector()?;
        for word in words {
            match *word {
                "{copy}" => command.arg(&copy),
                word => command.arg(word),
            };
        }
        let ended = watch(&mut command, |_, _| Ok(()))?;
        // Only a backup makes one.
        let _ = std::fs::remove_file(&copy);
        let report = if words[0] == "crawl" { Some(completed(&ended.output)?) } else { None };
        Ok(step(what, &ended, report.as_ref()))
    }
}

fn step(what: &'static str, ended: &Ended, report: Option<&Value>) -> Step {
    let number = |name: &str| report.and_then(|report| report[name].as_u64());
    Step {
        what,
        seconds: ended.seconds,
        cpu_seconds: ended.most.cpu,
        peak_mb: ended.most.peak,
        anonymous_mb: ended.most.anonymous,
        file_mb: ended.most.file,
        requests: number("requests"),
        items: number("discovered"),
    }
}

/// The tenths of a crawl that are through. Between two sights, a second apart, it is taken to be equally fast.
#[expect(clippy::cast_precision_loss, reason = "numbers of items, for people to read")]
fn parts(items: u64, sights: &[Sight], memory: &[(f64, Usage, f64)]) -> anyhow::Result<Vec<Part>> {
    let share = items / PARTS;
    if share == 0 {
        bail!("there are too few items to measure: take at least {PARTS}");
    }
    let passed = |done: f64| {
        let after = sights.iter().position(|sight| sight.done >= done)?;
        let (one, two) = (sights[after.saturating_sub(1)], sights[after]);
        let way = if two.done > one.done { (done - one.done) / (two.done - one.done) } else { 1.0 };
        Some((one.at + way * (two.at - one.at), one.cpu + way * (two.cpu - one.cpu)))
    };
    let mut found = Vec::new();
    for number in 0..PARTS {
        let (from, to) = ((number * share) as f64, ((number + 1) * share) as f64);
        let Some(((begun, cpu_before), (ended, cpu))) = passed(from).zip(passed(to)) else { break };
        let mut most = Usage::default();
        let mut emulator: f64 = 0.0;
        for (_, usage, other) in memory.iter().filter(|(at, ..)| (begun..=ended).contains(at)) {
            most = most.max(*usage);
            emulator = emulator.max(*other);
        }
        let seconds = ended - begun;
        found.push(Part {
            items: (number + 1) * share,
            seconds,
            items_per_second: share as f64 / seconds,
            cpu_ms_per_item: (cpu - cpu_before) * 1_000.0 / share as f64,
            resident_mb: most.resident,
            anonymous_mb: most.anonymous,
            file_mb: most.file,
            emulator_mb: emulator,
        });
    }
    Ok(found)
}

fn ratio(parts: &[Part], of: impl Fn(&Part) -> f64) -> anyhow::Result<f64> {
    let (first, last) = parts.first().zip(parts.last()).context("nothing was measured")?;
    Ok(of(last) / of(first))
}

const PARTS_HEAD: &str =
    "     items   seconds   items/s  CPU ms/item  resident MB  anonymous     file  emulator MB";

const STEPS_HEAD: &str = "seconds, CPU seconds, most MB resident (anonymous, file), requests, items";

fn print_part(part: &Part) {
    println!(
        "{:>10} {:>9.1} {:>9.0} {:>12.3} {:>12.0} {:>10.0} {:>8.0} {:>12.0}",
        part.items,
        part.seconds,
        part.items_per_second,
        part.cpu_ms_per_item,
        part.resident_mb,
        part.anonymous_mb,
        part.file_mb,
        part.emulator_mb
    );
}

fn print_step(step: &Step) {
    let count = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    println!(
        "{:<36} {:>8.1} s {:>8.1} s {:>6.0} MB ({:>4.0}, {:>4.0}) {:>9} {:>9}",
        step.what,
        step.seconds,
        step.cpu_seconds,
        step.peak_mb,
        step.anonymous_mb,
        step.file_mb,
        count(step.requests),
        count(step.items)
    );
}

#[expect(clippy::cast_precision_loss, reason = "sizes for people to read")]
fn print_end(report: &Report) {
    let each = |bytes: u64| bytes as f64 / f64::from(report.items.max(1)) / 1e3;
    println!(
        "\nlast tenth to first: {:.0} % by the clock, {:.0} % by processor time",
        report.speed_last_to_first * 100.0,
        report.cpu_speed_last_to_first * 100.0
    );
    println!(
        "store {:.2} GB ({:.1} kB an item), index {:.2} GB ({:.1} kB an item), emulator {:.0} MB at most",
        report.store_bytes as f64 / 1e9,
        each(report.store_bytes),
        report.index_bytes as f64 / 1e9,
        each(report.index_bytes),
        report.emulator_peak_mb
    );
}

/// Bytes of a file, or of the files in a folder.
fn size_of(path: &Path) -> anyhow::Result<u64> {
    let metadata = path.metadata().with_context(|| format!("{} could not be looked at", path.display()))?;
    if metadata.is_file() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crawl_that_slows_down_is_seen_to_by_both_measures() {
        let sight = |at, cpu, done| Sight { at, cpu, done };
        let sights = [Sight::default(), sight(10.0, 5.0, 500.0), sight(30.0, 15.0, 1_000.0)];
        let usage = |resident| Usage { resident, ..Usage::default() };
        let memory = [(1.0, usage(50.0), 7.0), (29.0, usage(90.0), 8.0)];
        let parts = parts(1_000, &sights, &memory).unwrap();
        assert_eq!(parts.len(), 10);
        assert_eq!((parts[0].items_per_second, parts[9].items_per_second), (50.0, 25.0));
        assert_eq!((parts[0].cpu_ms_per_item, parts[9].cpu_ms_per_item), (10.0, 20.0));
        assert_eq!((parts[0].resident_mb, parts[9].resident_mb, parts[9].emulator_mb), (50.0, 90.0, 8.0));
        assert_eq!(ratio(&parts, |part| part.items_per_second).unwrap(), 0.5);
        assert_eq!(
            super::parts(1_000, &sights[..2], &memory).unwrap().len(),
            5,
            "half of the items is half of the parts"
        );
    }
}
