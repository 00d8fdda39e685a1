//! What a running process uses, as Linux tells it (proc_pid_status(5), proc_pid_stat(5)).

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::test::now;

/// How often a process is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// Clock ticks in a second, as /proc counts time (`USER_HZ` of Linux, whatever the kernel's own).
const TICKS: f64 = 100.0;

/// Memory in megabytes (10^6 bytes), and processor time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    /// All that is resident: `anonymous`, `file`, and shared memory.
    pub(super) resident: f64,
    /// What the process keeps for itself.
    pub(super) anonymous: f64,
    /// Parts of files that it mapped. The system takes these back when it needs room, without writing anything.
    pub(super) file: f64,
    /// The most that was ever resident.
    pub(super) peak: f64,
    /// Seconds of processor time so far.
    pub(super) cpu: f64,
}

impl Usage {
    /// Of that process; none once it is gone.
    pub(super) fn of(process: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        Self::parse(&status, &stat)
    }

    fn parse(status: &str, stat: &str) -> Option<Self> {
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kibibytes: f64 =
                line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kibibytes * 1024.0 / 1e6)
        };
        // The name of the program, which may hold anything, ends with the last bracket.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some(Self {
            resident: megabytes("VmRSS")?,
            anonymous: megabytes("RssAnon")?,
            file: megabytes("RssFile")?,
            peak: megabytes("VmHWM")?,
            cpu: (ticks(11)? + ticks(12)?) / TICKS,
        })
    }

    /// The larger of each.
    #[must_use]
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            resident: self.resident.max(other.resident),
            anonymous: self.anonymous.max(other.anonymous),
            file: self.file.max(other.file),
            peak: self.peak.max(other.peak),
            cpu: self.cpu.max(other.cpu),
        }
    }
}

/// A process that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// What it wrote.
    pub(super) output: Vec<u8>,
    /// How long it ran, in seconds.
    pub(super) seconds: f64,
    /// The most that it used of each.
    pub(super) most: Usage,
}

/// Runs a program to its end; `look` is told each time how long it has run and what it uses.
pub(super) fn watch(
    command: &mut Command,
    mut look: impl FnMut(f64, Usage) -> anyhow::Result<()>,
) -> anyhow::Result<Ended> {
    let started = now();
    let mut child =
        Guard(command.stdout(Stdio::piped()).spawn().context("the connector could not be started")?);
    let mut most = Usage::default();
    let status = loop {
        if let Some(status) = child.0.try_wait()? {
            break status;
        }
        if let Some(usage) = Usage::of(child.0.id()) {
            most = most.max(usage);
            look(started.elapsed().as_secs_f64(), usage)?;
        }
        pause();
    };
    let seconds = started.elapsed().as_secs_f64();
    // All that is written there is one report, which fits into the pipe.
    let mut output = Vec::new();
    if let Some(mut stdout) = child.0.stdout.take() {
        std::io::Read::read_to_end(&mut stdout, &mut output)?;
    }
    if !status.success() {
        bail!("the connector ended with {status}: {}", String::from_utf8_lossy(&output));
    }
    Ok(Ended { output, seconds, most })
}

/// Ends the process with this value.
pub(super) struct Guard(pub(super) Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for real processes; nothing here runs on tokio's clock")]
fn pause() {
    std::thread::sleep(EVERY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_processor_time_are_read_whatever_the_program_is_called() {
        let status =
            "Name:\tx\nVmHWM:\t    2000 kB\nVmRSS:\t 1000 kB\nRssAnon:\t 600 kB\nRssFile:\t 400 kB\n";
        let stat = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        let usage = Usage::parse(status, stat).unwrap();
        assert_eq!((usage.cpu, usage.resident, usage.peak), (2.0, 1.024, 2.048));
        assert!((usage.anonymous + usage.file - usage.resident).abs() < 1e-9);
        assert_eq!(Usage::parse("", stat), None);
    }
}
