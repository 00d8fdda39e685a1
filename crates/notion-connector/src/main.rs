//! The program: everything it does is in the library.

use std::io::Write;
use std::process::ExitCode;

/// Threads for blocking work. One connection writes, so that more would wait for each other; and the C library's
/// allocator keeps memory for each thread (10,000 pages: 250 MB with one for each request under way, 170 MB with
/// these).
const BLOCKING_THREADS: usize = 4;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(notion_connector::cli::main()),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: threads could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}
