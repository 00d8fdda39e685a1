//! Logs: to standard error, as JSON when `NOTION_CONNECTOR_LOG_FORMAT=json`, at a level that `-v` or `RUST_LOG` chooses.
//!
//! Identifiers are fields. No log holds a token, page text, an e-mail address or a signed URL: nothing that could hold one
//! is ever given to `tracing`, and requests are logged by endpoint.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Begins logging; later calls change nothing.
pub fn start(verbosity: u8) {
    // tantivy warns of a merge that it gives up, which happens when all entries of a segment in it are replaced meanwhile:
    // what it was to merge stays as it is, and nobody has to do anything.
    let default = match verbosity {
        0 => "warn,tantivy=error",
        1 => "notion_connector=info,notion_api=info,warn,tantivy=error",
        _ => "notion_connector=debug,notion_api=debug,info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    // A file has no colours; and who does not want them says so (no-color.org).
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colors = std::io::stderr().is_terminal() && !no_color;
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colors);
    let as_json = std::env::var("NOTION_CONNECTOR_LOG_FORMAT").is_ok_and(|format| format == "json");
    // Fails only when logging has begun already.
    let _ = if as_json { builder.json().try_init() } else { builder.compact().try_init() };
}
