//! What a worker must not be able to do, to be tried from inside: the tests ask for it, and nothing else does.

use std::io;
use std::net::UdpSocket;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Something that a confined worker is to be refused, or to die of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attempt {
    /// To make a socket.
    Socket,
    /// To become another program.
    Exec,
    /// To start a process.
    Fork,
    /// To open this file for reading.
    Open(String),
    /// To make this file.
    Write(String),
    /// To send this process a signal that does nothing.
    Signal(u32),
    /// To read from a descriptor that is not its input: what a parent leaves open by mistake is inherited.
    Inherited,
    /// To hold this many bytes of memory.
    Memory(usize),
    /// To compute for ever.
    Compute,
    /// To call itself for ever.
    Recurse,
    /// To panic.
    Panic,
}

impl Attempt {
    /// Tries it: `Ok` when it was possible.
    #[expect(clippy::panic, reason = "that a panic costs one document is to be tried too")]
    pub(super) fn run(&self) -> io::Result<()> {
        match self {
            Self::Socket => UdpSocket::bind(("127.0.0.1", 0)).map(drop),
            Self::Exec => exec(),
            Self::Fork => Command::new("true").spawn()?.wait().map(drop),
            Self::Open(path) => std::fs::File::open(path).map(drop),
            Self::Write(path) => std::fs::File::create(path).map(drop),
            Self::Signal(process) => signal(*process),
            Self::Inherited => read_output(),
            Self::Memory(bytes) => {
                std::hint::black_box(vec![1_u8; *bytes]);
                Ok(())
            }
            Self::Compute => loop {
                std::hint::black_box(());
            },
            Self::Recurse => {
                std::hint::black_box(recurse(1));
                Ok(())
            }
            Self::Panic => panic!("this was asked for"),
        }
    }
}

#[cfg(unix)]
fn exec() -> io::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(Command::new("true").exec())
}

#[cfg(not(unix))]
fn exec() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn signal(process: u32) -> io::Result<()> {
    let process = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    Ok(rustix::process::test_kill_process(process.ok_or(io::ErrorKind::NotFound)?)?)
}

/// Standard output stands for all of them: no code without `unsafe` can name another.
#[cfg(unix)]
fn read_output() -> io::Result<()> {
    rustix::io::read(io::stdout(), &mut [0_u8; 1])?;
    Ok(())
}

#[cfg(not(unix))]
fn read_output() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn signal(_process: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Until the stack ends.
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    if depth == 0 { 0 } else { recurse(frame[7].wrapping_add(1)) ^ frame[9] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_confinement_what_is_tried_is_possible() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file").display().to_string();
        for attempt in [
            Attempt::Socket,
            Attempt::Fork,
            Attempt::Write(path.clone()),
            Attempt::Open(path),
            Attempt::Signal(std::process::id()),
            Attempt::Memory(1 << 20),
        ] {
            attempt.run().unwrap_or_else(|error| panic!("{attempt:?}: {error}"));
        }
    }
}
