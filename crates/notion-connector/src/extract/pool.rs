//! The parent's side: workers that are started when they are needed, used one after another, and ended when they misbehave.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use plaintext::{Extraction, Limits, Status};
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::attempts::Attempt;
use super::frame::{Answer, BEGUN, MAX_ANSWER_HEADER, Request, Spent};
use super::images::{self, Generated, Picture};
use super::worker::COMMAND;
use super::{Outcome, captions, limits_of, nothing, ocr};
use crate::config::ExtractConfig;
use crate::confined::frame::{receive, send};
use crate::confined::{Allowance, Ending, Process, StartError, own_program};

/// Documents that a worker reads before another takes its place: what leaks does not add up.
const DOCUMENTS_A_WORKER: u64 = 500;
/// Processor time after which another takes its place, so that a limit for the whole process can be a small one.
const CPU_A_WORKER: Duration = Duration::from_secs(10);

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
        Self::of_program(settings, own_program())
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
                    let peak_bytes = worker.process.peak_bytes();
                    let ending = worker.process.end(is_late).await;
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
                    judge(&ending, is_late, peak_bytes, &self.settings)
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
            worker.process.end(true).await;
        } else {
            self.keep(worker);
        }
    }

    async fn start(&self) -> Result<Worker, ExtractError> {
        let program = self.program.clone().unwrap_or_default();
        let cpu_seconds = CPU_A_WORKER.as_secs() + self.settings.seconds + 1;
        let allowance = Allowance { memory_bytes: self.settings.memory_bytes(), cpu_seconds };
        let started = Process::start(&program, COMMAND, allowance).await;
        if !matches!(started, Err(StartError::Start(_))) {
            count(&self.counts.started);
        }
        match started {
            Ok((process, missing)) => {
                if !missing.is_empty() && self.confinement.get().is_none() {
                    tracing::warn!(
                        missing = missing.join(", "),
                        "workers that read files are not fully confined"
                    );
                }
                let _ = self.confinement.set(Confinement { missing });
                Ok(Worker { process, documents: 0 })
            }
            Err(StartError::Start(source)) => Err(ExtractError::Start { source }),
            Err(StartError::Dies(ending)) => {
                count(&self.counts.died);
                Err(ExtractError::Dies { how: ending.how() })
            }
        }
    }
}

fn millis_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A worker, and how much it did.
#[derive(Debug)]
struct Worker {
    process: Process,
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
        let Process { input, output, .. } = &mut self.process;
        send(input, request, body).await?;
        *begun = output.read_u8().await? == BEGUN;
        let (answer, text) = receive::<Answer>(output, MAX_ANSWER_HEADER, limits.text_bytes).await?;
        let spent = answer.spent;
        Ok((answer.into_extraction(text).ok_or(io::ErrorKind::InvalidData)?, spent))
    }
}

/// What became of the document that a worker was reading when it ended.
fn judge(
    ending: &Ending,
    is_late: bool,
    peak_bytes: Option<u64>,
    settings: &ExtractConfig,
) -> (Extraction, Option<u64>) {
    if is_late || ending.lacked_time() {
        let reason = format!("reading it takes longer than {} seconds", settings.seconds);
        (nothing(Status::Limit, reason), peak_bytes)
    } else if ending.lacked_memory() {
        let reason = format!("reading it takes more than {} MB of memory", settings.memory_mb);
        (nothing(Status::Limit, reason), Some(settings.memory_bytes()))
    } else if ending.lacked_stack() {
        (nothing(Status::Limit, "it is nested too deeply".to_owned()), peak_bytes)
    } else {
        let reason = format!("the process that read it ended ({})", ending.how());
        (nothing(Status::Broken, reason), peak_bytes)
    }
}
