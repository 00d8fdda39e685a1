//! `cargo xtask recordings`: reads recorded answers of the real API with the product's own types and renderer, and says what was lost on the way.
//!
//! - `source.rs`: files → exchanges, leniently: recordings were made by many hands.
//! - `endpoint.rs`: method and address → a template without ids, and what such an endpoint answers.
//! - `examine.rs`: one answer → decoded, rendered, counted.
//! - `kinds.rs`: kinds within an answer that the wire types do not know.
//! - `text.rs`: which runs of text are not in what rendering made of them; what counts as present is said there.
//! - `report.rs`: the counts, and how they are printed.
//!
//! What fails the command: an object that does not decode, a block or property of a known type that is not understood,
//! a run whose text is not in the rendered item, and a file or folder that cannot be read as recordings. A kind that is not
//! known is told of and fails nothing, as long as its text is kept. Refusals, answers of other hosts, bodies that are no
//! JSON and objects that the product never asks for hold nothing to lose, and are counted.
//!
//! Recordings hold other people's pages: of their text nothing is printed but the beginning of a run that is missing, and
//! of their headers and addresses nothing at all.
//!
//! Not looked at: whether a body in Markdown reads the same as its blocks, since a recording seldom holds both whole
//! (`render/differential.rs` does that); and block trees, since each listing is judged by itself.
//!
//! A program of its own, because it is built on the whole product and `xtask` is built in seconds.
//!
//! To add an object type: an arm in `examine.rs`, and its endpoint in `endpoint.rs`.

mod endpoint;
mod examine;
mod kinds;
mod report;
mod source;
#[cfg(test)]
mod tests;
mod text;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser;

use examine::Examination;
use report::Report;

/// Read recorded answers of the real API; fail if decoding or rendering loses anything of them.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask recordings", bin_name = "cargo xtask recordings")]
struct Arguments {
    /// Folder with recorded answers: every `*.json` below it but `_spec/` and `replayable.json`.
    directory: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().directory) {
        Ok(true) => ExitCode::SUCCESS,
        // The report tells it all, and its last line is the last line.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what became of the recordings; says whether nothing was lost.
fn run(directory: &Path) -> anyhow::Result<bool> {
    let report = examine(directory)?;
    let mut out = std::io::stdout().lock();
    write!(out, "{report}").and_then(|()| out.flush()).context("the report could not be written")?;
    Ok(report.is_lossless())
}

/// Reads, decodes and renders all recordings below a folder.
fn examine(directory: &Path) -> anyhow::Result<Report> {
    let found = source::find_files(directory);
    let mut report = Report::default();
    let name_of = |path: &Path| path.strip_prefix(directory).unwrap_or(path).display().to_string();
    for (folder, reason) in found.unreadable {
        if folder == directory {
            bail!("{}: {reason}", directory.display());
        }
        report.fail_file(&name_of(&folder), reason);
    }
    if found.files.is_empty() && report.is_lossless() {
        bail!("no recordings (*.json) lie below {}: name the folder that holds them", directory.display());
    }
    for path in found.files {
        let name = name_of(&path);
        report.files += 1;
        match source::read_file(&path) {
            Ok(exchanges) => {
                for exchange in exchanges {
                    Examination::new(&name, &exchange, &mut report).run();
                }
            }
            Err(reason) => report.fail_file(&name, reason),
        }
    }
    Ok(report)
}
