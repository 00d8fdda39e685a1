//! The parent's side: workers that are started when they are needed, used one after another, and ended when they misbehave.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use plaintext::{Extraction, Limits, Status};
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::attempts::Attempt;
use super::confine::{PEAK, bytes_of};
use super::frame::{self, Answer, Hello, Request, Spent};
use super::images::{self, Generated, Picture};
use super::worker::COMMAND;
use super::{Outcome, captions, limits_of, nothing, ocr};
use crate::config::ExtractConfig;

/// Documents that a worker reads before another takes its place: what leaks does not add up.
const DOCUMENTS_A_WORKER: u64 = 500;
/// Processor time after which another takes its place, so that a limit for the whole process can be a small one.
const CPU_A_WORKER: Duration = Duration::from_secs(10);
/// How long a worker may take to begin, on a machine that is busy.
const START: Duration = Duration::from_secs(30);
/// How long a worker that closed its output may take to end.
const END: Duration = Duration::from_secs(5);
/// Most that is read of what a worker says while it dies.
const LAST_WORDS_BYTES: u64 = 4_096;
/// All of a worker's environment: what mimalloc takes from the system at once, in KiB (by itself it reserves more address
/// space than a worker may have), and that it gives back at once what is freed, so that each document's peak is its own.
const ALLOCATOR: [(&str, &str); 2] = [("MIMALLOC_ARENA_RESERVE", "32768"), ("MIMALLOC_PURGE_DELAY", "0")];

/// Why a document could not be given to a worker: the document has no part in it.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The worker's process did not come to be.
    #[error("the worker that reads files could not be started: {source}; see docs/operate/extraction.md")]
    Start {
        /// What the system said.
        source: io::Error,
    },
    /// Workers end before they looked at a document.
    #[error(
        "the worker that reads files ends before it reads anything ({how}); see docs/operate/extraction.md"
    )]
    Dies {
        /// How it ended.
        how: String,
    },
}

/// How far workers are confined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confinement {
    /// What this system does not offer, each a phrase; nothing where all of it is in place.
    pub missing: Vec<String>,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Documents with an outcome.
    pub documents: u64,
    /// Workers that were started.
    pub started: u64,
    /// Workers that others replaced in good order: after many documents, much memory or much processor time.
    pub retired: u64,
    /// Workers that were killed because a document took too long.
    pub killed: u64,
    /// Workers that ended by themselves or by somebody else's doing.
    pub died: u64,
}

#[derive(Debug, Default)]
struct Counts {
    documents: AtomicU64,
    started: AtomicU64,
    retired: AtomicU64,
    killed: AtomicU64,
    died: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Reads documents in worker processes, some at a time.
#[derive(Debug)]
pub struct Extractor {
    settings: ExtractConfig,
    /// None: no processes at all.
    program: Option<PathBuf>,
    slots: Semaphore,
    idle: Mutex<Vec<Worker>>,
    confinement: OnceLock<Confinement>,
    counts: Counts,
}

impl Extractor {
    /// Workers are this program itself, called again.
    pub fn new(settings: ExtractConfig) -> Self {
        // Linux knows which file this process runs, also after a new version took its place on disk.
        let own = PathBuf::from("/proc/self/exe");
        let own = if own.exists() { own } else { std::env::current_exe().unwrap_or_default() };
        Self::of_program(settings, own)
    }

    /// Workers are this program, which answers [`COMMAND`].
    pub fn of_program(settings: ExtractConfig, program: PathBuf) -> Self {
        Self::build(settings, Some(program))
    }

    /// No workers: for simulations, whose clock does not wait for processes. Nothing is confined, and no time or memory
    /// is limited.
    pub fn in_process(settings: ExtractConfig) -> Self {
        Self::build(settings, None)
    }

    fn build(settings: ExtractConfig, program: Option<PathBuf>) -> Self {
        let slots = Semaphore::new(settings.worker_count());
        let idle = Mutex::default();
        Self { settings, program, slots, idle, confinement: OnceLock::new(), counts: Counts::default() }
    }

    /// Reads a document called `name`. It takes its turn; several callers may wait.
    ///
    /// # Errors
    /// When there is no worker to read it, whatever it is.
    pub async fn extract(&self, name: &str, bytes: &[u8]) -> Result<Outcome, ExtractError> {
        let limits = limits_of(&self.settings);
        // What is too large is not even sent.
        if self.program.is_none() || bytes.len() > limits.input_bytes {
            let began = Instant::now();
            let extraction = plaintext::extract(bytes, name, &limits);
            count(&self.counts.documents);
            let (millis, peak_bytes) = (millis_since(began), None);
            return Ok(self
                .look(Outcome { extraction, generated: Vec::new(), millis, peak_bytes }, bytes)
                .await);
        }
        let outcome = self.ask(&Request::extract(name, &limits), bytes, &limits).await?;
        Ok(self.look(outcome, bytes).await)
    }

    /// Looks at what has no text of its own, as far as that is switched on.
    async fn look(&self, mut outcome: Outcome, bytes: &[u8]) -> Outcome {
        let found = &mut outcome.extraction;
        let Some(picture) = images::judge(found, bytes) else { return outcome };
        let Some(launcher) = &self.program else { return outcome };
        // As many at once as there are workers.
        let _slot = self.slots.acquire().await;
        let began = Instant::now();
        let most_bytes = limits_of(&self.settings).text_bytes;
        if let (Some(settings), Picture::Image(media_type)) = (&self.settings.captions, picture) {
            match captions::describe(settings, media_type, bytes).await {
                Ok(caption) => {
                    images::add(found, &caption, most_bytes);
                    outcome.generated.push(Generated::Caption);
                }
                Err(why) => images::explain(found, why),
            }
        }
        if self.settings.ocr {
            match ocr::recognize(launcher, &self.settings, picture, bytes).await {
                Ok(recognized) => {
                    if !recognized.text.trim().is_empty() {
                        images::add(found, &recognized.text, most_bytes);
                        outcome.generated.push(Generated::Ocr);
                    }
                    recognized.left_out.into_iter().for_each(|why| images::explain(found, why));
                }
                Err(why) => images::explain(found, why),
            }
        }
        outcome.millis += millis_since(began);
        outcome
    }

    /// Has a worker try what it must not be able to do: the outcome is `broken` with “refused: …” where it was not, and
    /// `text` where it was.
    ///
    /// # Errors
    /// When there is no worker.
    pub async fn attempt(&self, attempt: Attempt) -> Result<Outcome, ExtractError> {
        self.ask(&Request::Attempt(attempt), b"", &limits_of(&self.settings)).await
    }

    /// How far workers are confined, by a worker's own word; the first question starts one.
    ///
    /// # Errors
    /// When it could not be started.
    pub async fn confinement(&self) -> Result<Confinement, ExtractError> {
        if let Some(known) = self.confinement.get() {
            return Ok(known.clone());
        }
        if self.program.is_none() {
            return Ok(Confinement { missing: vec!["worker processes".to_owned()] });
        }
        let _slot = self.slots.acquire().await;
        let worker = self.start().await?;
        self.keep(worker);
        Ok(self.confinement.get().cloned().unwrap_or(Confinement { missing: Vec::new() }))
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        let Counts { documents, started, retired, killed, died } = &self.counts;
        let [documents, started, retired, killed, died] =
            [documents, started, retired, killed, died].map(|count| count.load(Ordering::Relaxed));
        Counters { documents, started, retired, killed, died }
    }

    async fn ask(&self, request: &Request, body: &[u8], limits: &Limits) -> Result<Outcome, ExtractError> {
        // The semaphore is never closed: without a slot there is nothing to wait for.
        let _slot = self.slots.acquire().await;
        let mut again = false;
        loop {
            let began = Instant::now();
            let mut worker = if again { self.start().await? } else { self.take().await? };
            let documents = worker.documents;
            let mut begun = false;
            let exchange = worker.exchange(request, body, limits, &mut begun);
            let answered = tokio::time::timeout(Duration::from_secs(self.settings.seconds), exchange).await;
            let (extraction, peak_bytes) = match answered {
                Ok(Ok((extraction, spent))) => {
                    self.keep_or_retire(worker, spent).await;
                    (extraction, spent.peak_bytes)
                }
                failed => {
                    let is_late = failed.is_err();
                    count(if is_late { &self.counts.killed } else { &self.counts.died });
                    let peak_bytes = worker.peak_bytes();
                    let ending = worker.end(is_late).await;
                    // Once more on a new worker where it may not be the document's doing: it was not looked at yet,
                    // somebody killed the worker, or documents before it had left too little memory.
                    let lacked = ending.lacked_memory() && documents > 0;
                    let outside = !begun || (!is_late && ending.was_killed());
                    if (outside || lacked) && !again {
                        again = true;
                        continue;
                    }
                    if !begun {
                        return Err(ExtractError::Dies { how: ending.how() });
                    }
                    ending.judge(is_late, peak_bytes, &self.settings)
                }
            };
            count(&self.counts.documents);
            let (generated, millis) = (Vec::new(), millis_since(began));
            return Ok(Outcome { extraction, generated, millis, peak_bytes });
        }
    }

    /// A worker that waits, or a new one.
    async fn take(&self) -> Result<Worker, ExtractError> {
        let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match waiting {
            Some(worker) => Ok(worker),
            None => self.start().await,
        }
    }

    fn keep(&self, worker: Worker) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    async fn keep_or_retire(&self, mut worker: Worker, spent: Spent) {
        worker.documents += 1;
        // Its allocator keeps address space, which the next document would lack.
        let is_large = spent.held_bytes.is_some_and(|held| held > self.settings.memory_bytes() / 2);
        let is_spent = Duration::from_millis(spent.cpu_ms) > CPU_A_WORKER;
        if worker.documents >= DOCUMENTS_A_WORKER || is_large || is_spent {
            count(&self.counts.retired);
            worker.end(true).await;
        } else {
            self.keep(worker);
        }
    }

    async fn start(&self) -> Result<Worker, ExtractError> {
        let program = self.program.clone().unwrap_or_default();
        let cpu_seconds = CPU_A_WORKER.as_secs() + self.settings.seconds + 1;
        let mut command = Command::new(program);
        command
            .arg(COMMAND)
            .args([self.settings.memory_bytes(), cpu_seconds].map(|number| number.to_string()))
            .env_clear()
            .envs(ALLOCATOR)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // An interrupt at the terminal is for the parent, which ends its workers when it is done.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|source| ExtractError::Start { source })?;
        count(&self.counts.started);
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(ExtractError::Start { source: io::ErrorKind::BrokenPipe.into() });
        };
        let mut worker = Worker { child, input, output, errors, documents: 0 };
        let hello = frame::receive::<Hello>(&mut worker.output, frame::MAX_HELLO, 0);
        match tokio::time::timeout(START, hello).await {
            Ok(Ok((hello, _))) => {
                let Hello { missing } = hello;
                if !missing.is_empty() && self.confinement.get().is_none() {
                    tracing::warn!(
                        missing = missing.join(", "),
                        "workers that read files are not fully confined"
                    );
                }
                let _ = self.confinement.set(Confinement { missing });
                Ok(worker)
            }
            failed => {
                count(&self.counts.died);
                Err(ExtractError::Dies { how: worker.end(failed.is_err()).await.how() })
            }
        }
    }
}

fn millis_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A worker process and the pipes to it. Dropped, it is killed.
#[derive(Debug)]
struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
    documents: u64,
}

impl Worker {
    async fn exchange(
        &mut self,
        request: &Request,
        body: &[u8],
        limits: &Limits,
        begun: &mut bool,
    ) -> io::Result<(Extraction, Spent)> {
        frame::send(&mut self.input, request, body).await?;
        *begun = self.output.read_u8().await? == frame::BEGUN;
        let (answer, text) =
            frame::receive::<Answer>(&mut self.output, frame::MAX_ANSWER_HEADER, limits.text_bytes).await?;
        let spent = answer.spent;
        Ok((answer.into_extraction(text).ok_or(io::ErrorKind::InvalidData)?, spent))
    }

    /// Most memory that it held so far, as the system counts it; none when it is dead, or the system does not tell.
    fn peak_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        bytes_of(&status, PEAK)
    }

    /// Ends it: at once, or when it did not end by itself within a moment.
    async fn end(mut self, at_once: bool) -> Ending {
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
struct Ending {
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
    fn was_killed(&self) -> bool {
        self.signal().is_some_and(|signal| FROM_OUTSIDE.contains(&signal))
    }

    /// As the standard library says before it aborts.
    fn lacked_memory(&self) -> bool {
        self.said.contains("memory allocation of")
    }

    fn how(&self) -> String {
        self.status.map_or_else(|| "it is not known how".to_owned(), |status| status.to_string())
    }

    /// What became of the document that it was reading.
    fn judge(
        &self,
        is_late: bool,
        peak_bytes: Option<u64>,
        settings: &ExtractConfig,
    ) -> (Extraction, Option<u64>) {
        // What the standard library prints before it aborts.
        let out_of_stack = self.said.contains("overflowed its stack");
        let out_of_time = is_late || self.signal() == Some(SIGXCPU);
        if out_of_time {
            let reason = format!("reading it takes longer than {} seconds", settings.seconds);
            (nothing(Status::Limit, reason), peak_bytes)
        } else if self.lacked_memory() {
            let reason = format!("reading it takes more than {} MB of memory", settings.memory_mb);
            (nothing(Status::Limit, reason), Some(settings.memory_bytes()))
        } else if out_of_stack {
            (nothing(Status::Limit, "it is nested too deeply".to_owned()), peak_bytes)
        } else {
            let reason = format!("the process that read it ended ({})", self.how());
            (nothing(Status::Broken, reason), peak_bytes)
        }
    }
}

/// SIGHUP, SIGINT, SIGKILL and SIGTERM: a process sends them to another, or the system does; no fault of its own does.
const FROM_OUTSIDE: [i32; 4] = [1, 2, 9, 15];

/// The signal of a process that used up its processor time, on every Unix that Rust knows.
const SIGXCPU: i32 = 24;
