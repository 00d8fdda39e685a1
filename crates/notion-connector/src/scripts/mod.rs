//! A connector's own JavaScript between what Notion tells of somebody and what is looked for in the directory.
//!
//! `mapSourceUser` is a function, or a `var` with a trailing call, and gives a string or a number. It runs in an engine (`engine`) with
//! limits of steps, memory and depth, in a worker process that can do nothing else (`worker`, room `confined`): a long loop inside the
//! engine, which no limit of its own ends, ends with the worker at its deadline (`session`), and so does all else that the engine's
//! limits do not hold.
//!
//! Invariants: what a script does to its worker costs that one value, and says why. Nothing of one person reaches the next:
//! each value has an engine of its own. What a worker answers is bounded and checked.

mod engine;
mod session;
mod worker;

use serde::{Deserialize, Serialize};

pub use session::{Scripts, ScriptsError, Session};
pub use worker::{COMMAND, worker_main};

/// Longest script, in bytes.
pub const MAX_SCRIPT_BYTES: usize = 32 << 10;

/// The script of connectors that have none of their own: it gives what it is given.
pub const DEFAULT_SCRIPT: &str = include_str!("map_source_user.js");

/// What a script made of a value; none when it gives nothing.
pub type Mapped = Result<Option<String>, ScriptError>;

/// Why a script gave nothing to go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ScriptError {
    /// It threw an error.
    #[error("the script failed: {0}")]
    Threw(String),
    /// It took too many steps, or too much time.
    #[error("the script was stopped: it took too long")]
    TooLong,
    /// It wanted too much memory.
    #[error("the script was stopped: it took more than {} MB", engine::MEMORY_BYTES >> 20)]
    TooMuchMemory,
    /// It gave something else.
    #[error("the script gave {0}, which is neither a string nor a number")]
    NoText(String),
    /// The process that ran it ended.
    #[error("the script was stopped: the process that ran it ended ({0})")]
    Ended(String),
    /// It was stopped too often before.
    #[error("the script was stopped too often, and is not run any more")]
    GivenUp,
}

impl ScriptError {
    /// What it is in few words, without anything of the value.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Threw(_) => "it threw an error",
            Self::TooLong => "it took too long and was stopped",
            Self::TooMuchMemory => "it took too much memory and was stopped",
            Self::NoText(_) => "it gave neither a string nor a number",
            Self::Ended(_) => "the process that ran it ended",
            Self::GivenUp => "it was stopped too often, and is not run any more",
        }
    }

    /// Whether it costs time or memory to try again.
    const fn was_stopped(&self) -> bool {
        matches!(self, Self::TooLong | Self::TooMuchMemory | Self::Ended(_))
    }
}
