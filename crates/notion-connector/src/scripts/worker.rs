//! The worker: confines itself, says so, and runs scripts until its input ends.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::engine;
use crate::confined::frame::{read_request, write};
use crate::confined::{Allowance, MemoryGauge, begin};

/// The argument that makes this program a worker; bytes of memory and seconds of processor time follow.
pub const COMMAND: &str = "script-worker";

/// Longest header of a request: a script, each byte of it escaped.
const MAX_REQUEST_HEADER: u32 = 256 << 10;

/// What the worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Whether this is a script that can map anybody; the answer is why not.
    Check { script: String },
    /// What the script makes of each value of the body, a list in JSON; an answer for each.
    Map { script: String },
}

/// Runs a worker if the arguments of this process ask for one, before it has any other thread.
pub fn worker_main(arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.skip(1);
    if arguments.next()? != COMMAND {
        return None;
    }
    let Some(allowance) = Allowance::read(&mut arguments) else {
        let _ =
            writeln!(io::stderr(), "error: {COMMAND} is started by this program itself, and by nobody else");
        return Some(ExitCode::from(2));
    };
    // The parent went away, or talks nonsense: there is nobody to tell.
    Some(if serve(allowance).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve(allowance: Allowance) -> io::Result<()> {
    // What a panic says may be of the value.
    std::panic::set_hook(Box::new(|_| {}));
    begin(allowance, &MemoryGauge::default())?;
    let (mut input, mut out) = (io::stdin().lock(), io::stdout().lock());
    while let Some((request, body)) = read_request(&mut input, MAX_REQUEST_HEADER)? {
        match request {
            Request::Check { script } => write(&mut out, &engine::check(&script), b"")?,
            Request::Map { script } => {
                let values: Vec<String> = serde_json::from_slice(&body)?;
                for value in values {
                    write(&mut out, &engine::run(&script, &value), b"")?;
                }
            }
        }
    }
    Ok(())
}
