//! The worker: confines itself, says so, and answers requests until its input ends.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use plaintext::{Extraction, Limits, Status};

use super::frame::{Answer, BEGUN, MAX_REQUEST_HEADER, Request, Spent};
use super::launch::{LAUNCH, launch};
use super::{Attempt, nothing};
use crate::confined::frame::{read_request, write};
use crate::confined::{Allowance, MemoryGauge, begin, cpu_ms};

/// The argument that makes this program a worker; bytes of memory and seconds of processor time follow.
pub const COMMAND: &str = "extract-worker";

/// Where the last panic happened.
static FAULT: Mutex<Option<String>> = Mutex::new(None);

/// Runs a worker if the arguments of this process ask for one, before it has any other thread; or becomes a program that a
/// worker cannot be, within limits.
pub fn worker_main(arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.skip(1);
    let command = arguments.next()?;
    if command == LAUNCH {
        return Some(launch(arguments));
    }
    if command != COMMAND {
        return None;
    }
    let Some(allowance) = Allowance::read(&mut arguments) else {
        let _ =
            writeln!(io::stderr(), "error: {COMMAND} is started by this program itself, and by nobody else");
        return Some(ExitCode::from(2));
    };
    let answered = serve(allowance);
    // The parent went away, or talks nonsense: there is nobody to tell.
    Some(if answered.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve(allowance: Allowance) -> io::Result<()> {
    // What a panic says may be of the document, and nobody reads it: only its place is kept.
    std::panic::set_hook(Box::new(|panic| {
        let place =
            panic.location().map(|location| format!("{}:{}", short(location.file()), location.line()));
        *FAULT.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    let mut gauge = MemoryGauge::open();
    begin(allowance, &gauge)?;
    let (mut input, mut out) = (io::stdin().lock(), io::stdout().lock());
    loop {
        gauge.reset();
        let Some((request, body)) = read_request(&mut input, MAX_REQUEST_HEADER)? else { return Ok(()) };
        out.write_all(&[BEGUN])?;
        out.flush()?;
        let extraction = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Extract { name, input_bytes, text_bytes, unpacked_bytes } => {
                plaintext::extract(&body, &name, &Limits { input_bytes, text_bytes, unpacked_bytes })
            }
            Request::Attempt(attempt) => try_it(&attempt),
        }));
        let extraction = extraction.unwrap_or_else(|_| {
            let place = FAULT.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
            nothing(Status::Broken, format!("reading it met a fault of this program, at {place}"))
        });
        drop(body);
        let (peak_bytes, held_bytes) = gauge.read();
        let spent = Spent { peak_bytes, held_bytes, cpu_ms: cpu_ms() };
        let (answer, text) = Answer::of(extraction, spent);
        write(&mut out, &answer, text.as_bytes())?;
    }
}

/// The end of a path: where it begins says something about the machine that built this.
fn short(path: &str) -> &str {
    let separators = path.rmatch_indices(['/', '\\']);
    separators.map(|(at, _)| at).nth(2).map_or(path, |at| &path[at + 1..])
}

fn try_it(attempt: &Attempt) -> Extraction {
    match attempt.run() {
        Ok(()) => nothing(Status::Text, "it was possible".to_owned()),
        Err(error) => nothing(Status::Broken, format!("refused: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_arguments_of_a_worker_make_one() {
        let run = |arguments: &[&str]| worker_main(arguments.iter().map(OsString::from));
        assert!(run(&["notion-connector"]).is_none());
        assert!(run(&["notion-connector", "status"]).is_none());
        let by_hand = format!("{:?}", run(&["notion-connector", COMMAND]).unwrap());
        assert_eq!(by_hand, format!("{:?}", ExitCode::from(2)));
    }

    #[test]
    fn a_place_is_told_without_the_machine_that_built_it() {
        assert_eq!(short("/builds/registry/some-crate-1.0/src/lib.rs"), "some-crate-1.0/src/lib.rs");
        assert_eq!(short("src/lib.rs"), "src/lib.rs");
    }
}
