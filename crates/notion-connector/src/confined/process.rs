//! The parent's side of a worker: its process, the pipes to it, and how it ended.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::Allowance;
use super::confine::{PEAK, bytes_of};
use super::frame::{self, Hello};

/// How long a worker may take to begin, on a machine that is busy.
const START: Duration = Duration::from_secs(30);
/// How long a worker that closed its output may take to end.
const END: Duration = Duration::from_secs(5);
/// Most that is read of what a worker says while it dies.
const LAST_WORDS_BYTES: u64 = 4_096;
/// All of a worker's environment: what mimalloc takes from the system at once, in KiB (by itself it reserves more address
/// space than a worker may have), and that it gives back at once what is freed, so that each document's peak is its own.
const ALLOCATOR: [(&str, &str); 2] = [("MIMALLOC_ARENA_RESERVE", "32768"), ("MIMALLOC_PURGE_DELAY", "0")];

/// Why there is no worker.
#[derive(Debug)]
pub(crate) enum StartError {
    /// Its process did not come to be.
    Start(io::Error),
    /// It ended before it was ready.
    Dies(Ending),
}

/// A worker process and the pipes to it. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where it is asked.
    pub(crate) input: ChildStdin,
    /// Where it answers.
    pub(crate) output: ChildStdout,
    errors: ChildStderr,
}

impl Process {
    /// Starts the program with that argument and waits until it is confined; with what of that could not be had.
    pub(crate) async fn start(
        program: &Path,
        command: &str,
        allowance: Allowance,
    ) -> Result<(Self, Vec<String>), StartError> {
        let mut started = Command::new(program);
        started
            .arg(command)
            .args(allowance.arguments())
            .env_clear()
            .envs(ALLOCATOR)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // An interrupt at the terminal is for the parent, which ends its workers when it is done.
        #[cfg(unix)]
        started.process_group(0);
        let mut child = started.spawn().map_err(StartError::Start)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(StartError::Start(io::ErrorKind::BrokenPipe.into()));
        };
        let mut process = Self { child, input, output, errors };
        let hello = frame::receive::<Hello>(&mut process.output, frame::MAX_HELLO, 0);
        match tokio::time::timeout(START, hello).await {
            Ok(Ok((Hello { missing }, _))) => Ok((process, missing)),
            failed => Err(StartError::Dies(process.end(failed.is_err()).await)),
        }
    }

    /// Most memory that it held so far, as the system counts it; none when it is dead, or the system does not tell.
    pub(crate) fn peak_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        bytes_of(&status, PEAK)
    }

    /// Ends it: at once, or when it did not end by itself within a moment.
    pub(crate) async fn end(mut self, at_once: bool) -> Ending {
        drop(self.input);
        let by_itself = if at_once { None } else { tokio::time::timeout(END, self.child.wait()).await.ok() };
        let status = match by_itself {
            Some(status) => status,
            None => {
                // It may have ended this very moment.
                let _ = self.child.start_kill();
                self.child.wait().await
            }
        };
        let mut said = Vec::new();
        // What it said is a hint only; nothing else holds its pipe, so that this ends.
        let mut last_words = self.errors.take(LAST_WORDS_BYTES);
        let _ = tokio::time::timeout(END, last_words.read_to_end(&mut said)).await;
        Ending { status: status.ok(), said: String::from_utf8_lossy(&said).into_owned() }
    }
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) struct Ending {
    status: Option<ExitStatus>,
    said: String,
}

impl Ending {
    fn signal(&self) -> Option<i32> {
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt as _;
            self.status.and_then(|status| status.signal())
        }
        #[cfg(not(unix))]
        None
    }

    /// By somebody else, by the system in want of memory, or by a service that is stopped with all of its processes.
    pub(crate) fn was_killed(&self) -> bool {
        self.signal().is_some_and(|signal| FROM_OUTSIDE.contains(&signal))
    }

    /// As the standard library says before it aborts.
    pub(crate) fn lacked_memory(&self) -> bool {
        self.said.contains("memory allocation of")
    }

    /// As the standard library says before it aborts.
    pub(crate) fn lacked_stack(&self) -> bool {
        self.said.contains("overflowed its stack")
    }

    /// It used up its processor time.
    pub(crate) fn lacked_time(&self) -> bool {
        self.signal() == Some(SIGXCPU)
    }

    pub(crate) fn how(&self) -> String {
        self.status.map_or_else(|| "it is not known how".to_owned(), |status| status.to_string())
    }
}

/// SIGHUP, SIGINT, SIGKILL and SIGTERM: a process sends them to another, or the system does; no fault of its own does.
const FROM_OUTSIDE: [i32; 4] = [1, 2, 9, 15];

/// The signal of a process that used up its processor time, on every Unix that Rust knows.
const SIGXCPU: i32 = 24;
