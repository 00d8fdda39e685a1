use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use futures::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::output::table;
use super::{Context, Exit};
use crate::extract::{Counters, Extractor, Outcome, format_name, status_name};
use crate::ops::OpsError;

#[derive(Debug, Args)]
pub(super) struct ExtractArguments {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What there is to say of one file: what was found in it, or why nobody could look.
type Line = Result<Outcome, std::io::Error>;

pub(super) async fn run(context: &Context, arguments: ExtractArguments) -> Result<Exit, OpsError> {
    let settings = context.config.extract.clone();
    let (workers, most_bytes) = (settings.worker_count(), settings.file_bytes());
    let extractor = Extractor::new(settings);
    let began = Instant::now();
    let bar = progress_bar(arguments.files.len());
    let reading = arguments.files.iter().map(|path| read(&extractor, path, most_bytes));
    let mut lines = stream::iter(reading).buffered(workers).zip(stream::iter(&arguments.files));
    let (mut rows, mut unreadable) = (Vec::new(), 0);
    while let Some((line, path)) = lines.next().await {
        let line = line?;
        if let Err(error) = &line {
            unreadable += 1;
            context.output.remark(&format!("{}: could not be read: {error}", path.display()));
        }
        let is_only = arguments.files.len() == 1;
        match line {
            _ if context.output.is_json() => context.output.json(&json_of(path, &line)),
            Ok(outcome) if is_only => show_text(context, &outcome),
            Ok(outcome) => rows.push(row(path, &outcome)),
            Err(_) => {}
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if arguments.files.len() > 1 {
        context.output.remark(&summary(extractor.counters(), began.elapsed()));
    }
    if !rows.is_empty() {
        let header = ["FILE", "FORMAT", "STATUS", "CHARACTERS", "MS", "MEMORY", "NOTE"];
        let _ = writeln!(std::io::stdout(), "{}", table(&header, &rows));
    }
    Ok(if unreadable == 0 { Exit::Completed } else { Exit::Other })
}

fn summary(counters: Counters, elapsed: Duration) -> String {
    let Counters { documents, started, retired, killed, died } = counters;
    format!(
        "{documents} files in {:.1} s; workers: {started} started, {retired} retired, {killed} killed, {died} died",
        elapsed.as_secs_f64()
    )
}

/// Reads no more of the file than its limit, and one byte to see that there is more.
async fn read(extractor: &Extractor, path: &Path, most_bytes: u64) -> Result<Line, OpsError> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    if let Err(error) = file.and_then(|file| file.take(most_bytes + 1).read_to_end(&mut bytes)) {
        return Ok(Err(error));
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    Ok(Ok(extractor.extract(&name, &bytes).await?))
}

fn json_of(path: &Path, line: &Line) -> Value {
    let file = path.display().to_string();
    let outcome = match line {
        Ok(outcome) => outcome,
        Err(error) => return json!({ "file": file, "error": format!("it could not be read: {error}") }),
    };
    let found = &outcome.extraction;
    let metadata = &found.metadata;
    json!({
        "file": file,
        "format": found.format.map(format_name),
        "status": status_name(found.status),
        "reason": found.reason,
        "text": found.text,
        "metadata": {
            "title": metadata.title,
            "author": metadata.author,
            "created": metadata.created,
            "modified": metadata.modified,
            "links": metadata.links,
        },
        "generated": outcome.generated,
        "encoding": found.encoding,
        "cut_bytes": found.cut_bytes,
        "left_out": found.left_out,
        "millis": outcome.millis,
        "peak_bytes": outcome.peak_bytes,
    })
}

/// The text of the only file, for pipes; what there is to say about it goes beside.
fn show_text(context: &Context, outcome: &Outcome) {
    let found = &outcome.extraction;
    let _ = writeln!(std::io::stdout(), "{}", found.text.trim_end());
    let format = found.format.map_or("unknown format", format_name);
    context.output.remark(&format!(
        "{format}: {}{}",
        status_name(found.status),
        prefixed(": ", &note(outcome))
    ));
}

fn row(path: &Path, outcome: &Outcome) -> Vec<String> {
    let found = &outcome.extraction;
    let peak = outcome.peak_bytes.map_or_else(|| "-".to_owned(), |peak| format!("{} MB", peak / 1_000_000));
    vec![
        path.display().to_string(),
        found.format.map_or("-", format_name).to_owned(),
        status_name(found.status).to_owned(),
        found.text.chars().count().to_string(),
        outcome.millis.to_string(),
        peak,
        note(outcome),
    ]
}

/// Why there is no text, or what is missing in it.
fn note(outcome: &Outcome) -> String {
    let found = &outcome.extraction;
    let cut = (found.cut_bytes > 0).then(|| format!("at least {} bytes were cut off", found.cut_bytes));
    found.reason.iter().chain(&cut).chain(&found.left_out).cloned().collect::<Vec<_>>().join("; ")
}

fn prefixed(prefix: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{prefix}{text}") }
}

/// On a terminal, for several files.
fn progress_bar(files: usize) -> ProgressBar {
    if files < 2 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::stderr());
    // A template that is written here is right.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} files") {
        bar.set_style(style);
    }
    bar
}
