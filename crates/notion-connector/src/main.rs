//! The program: everything it does is in the library.

use std::io::Write;
use std::process::ExitCode;

/// Gives back what short-lived work took: a crawl frees on one thread what another one allocated, and the C library's
/// allocator keeps that for each thread, more of it the longer the crawl (docs/operate/sizing.md has the numbers).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Threads for blocking work. One connection writes, so that more would wait for each other.
const BLOCKING_THREADS: usize = 4;

fn main() -> ExitCode {
    notion_connector::data_dir::write_for_owner_only();
    // Before there is any thread: what confines a worker confines all of the process.
    if let Some(ended) = notion_connector::cli::work() {
        return ended;
    }
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
