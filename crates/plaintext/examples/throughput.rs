//! How many documents a second, and how much memory: `cargo run --release -p plaintext --example throughput -- [FILE…]`.
//!
//! Reads the files, or the samples without any, over and over for five seconds on one thread, without a worker process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plaintext::{Limits, Status, extract};

const TIME: Duration = Duration::from_secs(5);

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn main() -> std::io::Result<()> {
    let mut files: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
        files = std::fs::read_dir(samples)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    }
    files.sort();
    let mut documents = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        documents.push((name, std::fs::read(file)?));
    }
    let input_bytes = documents.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or_default();
    let limits = Limits { input_bytes, ..Limits::default() };
    let (mut count, mut with_text, mut bytes_in, mut bytes_out) = (0_u64, 0_u64, 0, 0);
    let mut slowest = (Duration::ZERO, "");
    let start = Instant::now();
    while start.elapsed() < TIME {
        for (name, bytes) in &documents {
            let begin = Instant::now();
            let extraction = extract(bytes, name, &limits);
            slowest = slowest.max((begin.elapsed(), name));
            count += 1;
            with_text += u64::from(extraction.status == Status::Text);
            bytes_in += bytes.len();
            bytes_out += extraction.text.len();
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let mb_per_second = |bytes: usize| bytes as f64 / 1e6 / seconds;
    println!(
        "{count} documents in {seconds:.1} s, {:.0} a second; {with_text} with text",
        count as f64 / seconds
    );
    println!("{:.1} MB/s in, {:.1} MB/s of text out", mb_per_second(bytes_in), mb_per_second(bytes_out));
    println!("slowest: {} in {} ms", slowest.1, slowest.0.as_millis());
    if let Some(peak) = peak_memory() {
        println!("peak memory: {peak}");
    }
    Ok(())
}

/// As Linux tells it; elsewhere nothing does.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().to_owned())
}
