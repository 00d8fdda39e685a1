//! Numbers for Prometheus, in its text format (prometheus.io, "Exposition formats").
//!
//! Labels hold names of connectors, endpoints, states and kinds; never a title, an address or a secret. A new number is a call of
//! [`Text::family`].

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::OpsError;
use super::connector_life::effective_settings;
use crate::app::App;
use crate::extract::Counters;
use crate::model::{Caller, Role};
use crate::store::CrawlState;

/// Everything that is measured, as text.
///
/// # Errors
/// When the database cannot be read.
pub fn metrics(app: &App, caller: &Caller) -> Result<String, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let mut text = Text::default();
    text.family(
        "build_info",
        "gauge",
        "Which program this is",
        [(vec![("version", env!("CARGO_PKG_VERSION"))], 1)],
    );
    let requests = app.requests.snapshot();
    let requests: Vec<(String, &(String, String, u16), u64)> =
        requests.iter().map(|(key, count)| (key.2.to_string(), key, *count)).collect();
    text.family(
        "notion_requests_total",
        "counter",
        "Requests to Notion since this process began; status 0 where no answer came",
        requests.iter().map(|(status, (method, endpoint, _), count)| {
            (
                vec![
                    ("method", method.as_str()),
                    ("endpoint", endpoint.as_str()),
                    ("status", status.as_str()),
                ],
                *count,
            )
        }),
    );
    of_connectors(app, &mut text)?;
    let counted = app.store.count_crawls()?;
    let states = CrawlState::ALL.iter().map(|state| {
        let count = counted.iter().find(|(other, _)| other == state).map_or(0, |(_, count)| *count);
        (vec![("state", state.as_str())], count)
    });
    text.family("crawls", "gauge", "Crawls that are remembered, by state", states);
    text.number("failures", "Items that failed and were not repaired", app.store.count_failures()?);
    text.number("outbox_rows", "Changes that the index has not taken yet", app.store.count_outbox()?);
    text.number("index_bytes", "Size of the index", size_of(&app.dir.index()));
    let store = ["store.sqlite", "store.sqlite-wal"].map(|name| size_of(&app.dir.path().join(name)));
    text.number("store_bytes", "Size of the store with its log", store.iter().sum());
    let Counters { documents, started, retired, killed, died } = app.extractor.counters();
    text.family("extracted_files_total", "counter", "Files that were read", [(vec![], documents)]);
    let events = [("started", started), ("retired", retired), ("killed", killed), ("died", died)];
    text.family(
        "extract_workers_total",
        "counter",
        "Processes that read files, by what happened to them",
        events.map(|(event, count)| (vec![("event", event)], count)),
    );
    if let Some(bytes) = resident_bytes() {
        text.number("resident_memory_bytes", "Memory that this process holds", bytes);
    }
    Ok(text.0)
}

fn of_connectors(app: &App, text: &mut Text) -> Result<(), OpsError> {
    let connectors = app.store.load_connectors()?;
    let mut items = Vec::new();
    let mut ended = Vec::new();
    let mut limits = Vec::new();
    let mut tasks: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for connector in &connectors {
        let name = ("connector", connector.name.as_str());
        items.push((vec![name], app.store.count_items(connector.id)?));
        limits.push((vec![name], effective_settings(app, connector)?.crawl.item_limit));
        let Some(crawl) = app.store.load_last_crawl(connector.id)? else { continue };
        if let Some(time) = crawl.ended {
            let labels = vec![name, ("state", crawl.state.as_str())];
            ended.push((labels, u64::try_from(time.as_second()).unwrap_or_default()));
        }
    }
    for crawl in app.store.load_open_crawls()? {
        let Some(connector) = connectors.iter().find(|connector| connector.id == crawl.connector) else {
            continue;
        };
        for (kind, count) in app.store.count_tasks(crawl.id)? {
            // Without the crawl's number: that would be new series for every crawl.
            *tasks.entry((connector.name.as_str(), kind.to_string())).or_insert(0) += count;
        }
    }
    text.family("items", "gauge", "Searchable items", items);
    text.family("items_limit", "gauge", "Most items that the connector may hold", limits);
    text.family("last_crawl_ended_timestamp_seconds", "gauge", "When the newest crawl ended, and how", ended);
    let tasks = tasks
        .iter()
        .map(|((connector, kind), count)| (vec![("connector", *connector), ("kind", kind.as_str())], *count));
    text.family("tasks", "gauge", "Requests that open crawls have still to make", tasks);
    Ok(())
}

/// The text as it grows.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family<'a>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Vec<(&'a str, &'a str)>, u64)>,
    ) {
        // Writing into a string does not fail.
        let _ =
            write!(self.0, "# HELP notion_connector_{name} {help}.\n# TYPE notion_connector_{name} {kind}\n");
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.into_iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "notion_connector_{name}{labels} {value}");
        }
    }

    fn number(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help, [(Vec::new(), value)]);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Bytes of a file, or of the files in a directory. What vanishes meanwhile (the index merges) counts nothing.
fn size_of(path: &Path) -> u64 {
    let Ok(metadata) = path.metadata() else { return 0 };
    if metadata.is_file() {
        return metadata.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}

/// As Linux counts it (proc_pid_status(5), VmRSS).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_connectors_cannot_break_a_line() {
        let mut text = Text::default();
        text.family("items", "gauge", "Items", [(vec![("connector", "a\"b\\c\nd")], 7)]);
        assert_eq!(text.0.lines().last(), Some("notion_connector_items{connector=\"a\\\"b\\\\c\\nd\"} 7"));
    }
}
