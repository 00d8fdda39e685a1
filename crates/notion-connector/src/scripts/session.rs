//! The parent's side: a worker that is started when it is needed, asked in batches, and replaced when a value ended it.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::engine::{self, MAX_RESULT_CHARS};
use super::worker::{COMMAND, Request};
use super::{Mapped, ScriptError};
use crate::confined::frame::{receive, send};
use crate::confined::{Allowance, Ending, Process, StartError, own_program};

/// How long one value may take; the engine's own limit of steps ends nearly everything in a tenth of it.
const DEADLINE: Duration = Duration::from_secs(5);

/// Values that a worker takes before another takes its place: what leaks does not add up.
const VALUES_A_WORKER: usize = 2_000;

/// Bytes of a worker's address space, most of it the program itself; and its seconds on a processor, more than all of its values
/// may take together.
const ALLOWANCE: Allowance = Allowance { memory_bytes: 256_000_000, cpu_seconds: 3_600 };

/// How often a script is stopped before it is not run any more: each time may take as long as the deadline.
const MOST_STOPPED: u32 = 10;

/// Longest header of an answer: a text, each character of it escaped.
const MAX_ANSWER_HEADER: u32 = 64 << 10;

/// Why no script could be run: none of them has a part in it.
#[derive(Debug, thiserror::Error)]
pub enum ScriptsError {
    /// The worker's process did not come to be.
    #[error("the worker that runs mapping scripts could not be started: {0}; see docs/operate/extraction.md")]
    Start(io::Error),
    /// Workers end before they looked at a value.
    #[error(
        "the worker that runs mapping scripts ends before it runs any ({0}); see docs/operate/extraction.md"
    )]
    Dies(String),
}

/// Runs mapping scripts in worker processes.
#[derive(Debug)]
pub struct Scripts {
    /// None: no processes at all.
    program: Option<PathBuf>,
    has_warned: AtomicBool,
}

impl Scripts {
    /// Workers are this program itself, called again.
    pub fn new() -> Self {
        Self::of_program(own_program())
    }

    /// Workers are this program, which answers [`COMMAND`].
    pub fn of_program(program: PathBuf) -> Self {
        Self { program: Some(program), has_warned: AtomicBool::new(false) }
    }

    /// No workers: for simulations, whose clock does not wait for processes. The engine's own limits are all there are.
    pub fn in_process() -> Self {
        Self { program: None, has_warned: AtomicBool::new(false) }
    }

    /// Why the text is no script that maps anybody, if it is none. It is run for an address of nobody's.
    ///
    /// # Errors
    /// When there is no worker.
    pub async fn check(&self, script: &str) -> Result<Result<(), String>, ScriptsError> {
        if self.program.is_none() {
            return Ok(engine::check(script));
        }
        let mut worker = self.start().await?;
        let exchange = async {
            send(&mut worker.input, &Request::Check { script: script.to_owned() }, b"").await?;
            receive::<Result<(), String>>(&mut worker.output, MAX_ANSWER_HEADER, 0).await
        };
        match tokio::time::timeout(DEADLINE, exchange).await {
            Ok(Ok((answer, _))) => Ok(answer.map_err(|message| engine::shortened(&message))),
            failed => Ok(Err(why(&worker.end(failed.is_err()).await, failed.is_err()).to_string())),
        }
    }

    /// Runs a script over many values.
    pub fn session(&self, script: &str) -> Session<'_> {
        Session { scripts: self, script: script.to_owned(), worker: None, stopped: 0 }
    }

    async fn start(&self) -> Result<Process, ScriptsError> {
        let program = self.program.clone().unwrap_or_default();
        match Process::start(&program, COMMAND, ALLOWANCE).await {
            Ok((process, missing)) => {
                if !missing.is_empty() && !self.has_warned.swap(true, Ordering::Relaxed) {
                    let missing = missing.join(", ");
                    tracing::warn!(missing, "workers that run mapping scripts are not fully confined");
                }
                Ok(process)
            }
            Err(StartError::Start(source)) => Err(ScriptsError::Start(source)),
            Err(StartError::Dies(ending)) => Err(ScriptsError::Dies(ending.how())),
        }
    }
}

impl Default for Scripts {
    fn default() -> Self {
        Self::new()
    }
}

/// One script over many values. One that has to be stopped again and again is not run any more.
#[derive(Debug)]
pub struct Session<'a> {
    scripts: &'a Scripts,
    script: String,
    worker: Option<(Process, usize)>,
    /// How often it was stopped.
    stopped: u32,
}

impl Session<'_> {
    /// What the script makes of each value.
    ///
    /// # Errors
    /// When there is no worker.
    pub async fn map(&mut self, values: &[String]) -> Result<Vec<Mapped>, ScriptsError> {
        let mut mapped = Vec::with_capacity(values.len());
        // The value for which there was a second worker, because somebody killed the first.
        let mut retried = None;
        while mapped.len() < values.len() {
            if self.stopped >= MOST_STOPPED {
                mapped.resize(values.len(), Err(ScriptError::GivenUp));
                break;
            }
            let rest = &values[mapped.len()..];
            let Some((ending, is_late)) = self.map_some(rest, &mut mapped).await? else { continue };
            if !is_late && ending.was_killed() && retried != Some(mapped.len()) {
                retried = Some(mapped.len());
            } else {
                self.stopped += 1;
                mapped.push(Err(why(&ending, is_late)));
            }
        }
        Ok(mapped)
    }

    /// Maps values until all are, or one ends the worker: then how that ended, and whether it was late.
    async fn map_some(
        &mut self,
        values: &[String],
        mapped: &mut Vec<Mapped>,
    ) -> Result<Option<(Ending, bool)>, ScriptsError> {
        if self.scripts.program.is_none() {
            for value in values {
                let one = engine::run(&self.script, value);
                let is_stopped = self.see(&one);
                mapped.push(one);
                if is_stopped {
                    break;
                }
            }
            return Ok(None);
        }
        let (mut worker, taken) = match self.worker.take() {
            Some((worker, taken)) if taken + values.len() <= VALUES_A_WORKER => (worker, taken),
            _ => (self.scripts.start().await?, 0),
        };
        let request = Request::Map { script: self.script.clone() };
        let body = serde_json::to_vec(values).map_err(|error| ScriptsError::Start(error.into()))?;
        let sent = tokio::time::timeout(DEADLINE, send(&mut worker.input, &request, &body)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return Ok(Some((worker.end(sent.is_err()).await, sent.is_err())));
        }
        for _ in values {
            let answer = receive::<Mapped>(&mut worker.output, MAX_ANSWER_HEADER, 0);
            let one = match tokio::time::timeout(DEADLINE, answer).await {
                Ok(Ok((one, _))) => bounded(one),
                failed => return Ok(Some((worker.end(failed.is_err()).await, failed.is_err()))),
            };
            let is_stopped = self.see(&one);
            mapped.push(one);
            if is_stopped {
                // The rest of the batch would be run all the same.
                worker.end(true).await;
                return Ok(None);
            }
        }
        self.worker = Some((worker, taken + values.len()));
        Ok(None)
    }

    /// Counts; whether it is enough.
    fn see(&mut self, one: &Mapped) -> bool {
        self.stopped += u32::from(one.as_ref().is_err_and(ScriptError::was_stopped));
        self.stopped >= MOST_STOPPED
    }
}

/// No honest worker answers more than this.
fn bounded(mapped: Mapped) -> Mapped {
    match mapped {
        Ok(Some(text)) if text.chars().nth(MAX_RESULT_CHARS).is_some() => {
            Err(ScriptError::NoText("a text that is too long".to_owned()))
        }
        Err(ScriptError::Threw(message)) => Err(ScriptError::Threw(engine::shortened(&message))),
        Err(ScriptError::NoText(what)) => Err(ScriptError::NoText(engine::shortened(&what))),
        other => other,
    }
}

fn why(ending: &Ending, is_late: bool) -> ScriptError {
    if is_late || ending.lacked_time() {
        ScriptError::TooLong
    } else if ending.lacked_memory() {
        ScriptError::TooMuchMemory
    } else {
        ScriptError::Ended(ending.how())
    }
}
