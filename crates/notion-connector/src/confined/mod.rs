//! Processes that can do nothing but compute: this program again, which gives up everything else before it reads the first byte
//! of what strangers wrote.
//!
//! A worker of a room is started as a [`Process`], with the room's own argument; on its side it calls [`begin`]. What they say to
//! each other are `frame`s. No file can be opened, no socket made, no program started, and memory and processor time are
//! bounded; at its deadline the parent kills it.
//!
//! Invariants: what a worker says is as hostile as what it was given: lengths are judged before they are believed. A worker ends
//! when its input ends, so that none outlives its parent.
//!
//! To allow workers another system call: `seccomp`, with the reason.

mod confine;
pub(crate) mod frame;
mod process;
#[cfg(target_os = "linux")]
mod seccomp;

use std::path::PathBuf;

#[cfg(unix)]
pub(crate) use confine::limit_program;
pub(crate) use confine::{Allowance, MemoryGauge, cpu_ms};
pub(crate) use process::{Ending, Process, StartError};

use frame::Hello;

/// Confines this process for good, and tells the parent what of that could not be had.
///
/// # Errors
/// When there is nobody to tell.
pub(crate) fn begin(allowance: Allowance, gauge: &MemoryGauge) -> std::io::Result<()> {
    let missing = confine::confine(allowance, gauge);
    frame::write(std::io::stdout().lock(), &Hello { missing }, b"")
}

/// The file that this process runs.
pub(crate) fn own_program() -> PathBuf {
    // Linux knows it also after a new version took its place on disk.
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() { own } else { std::env::current_exe().unwrap_or_default() }
}
