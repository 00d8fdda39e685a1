//! Standard output: JSON for scripts, or lines for people.

use std::io::Write;

use serde::Serialize;

/// How a command prints.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) const fn is_json(self) -> bool {
        self.json
    }

    /// One JSON value on one line. A reader that went away is no error of ours.
    #[expect(clippy::unused_self, reason = "printing goes through the one that knows the mode")]
    pub(super) fn json(self, value: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(value) {
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// JSON or lines, as asked.
    pub(super) fn show(self, value: &impl Serialize, lines: impl FnOnce() -> String) {
        if self.json {
            self.json(value);
        } else {
            let _ = writeln!(std::io::stdout(), "{}", lines().trim_end());
        }
    }

    /// A remark for people, on standard error.
    #[expect(clippy::unused_self, reason = "printing goes through the one that knows the mode")]
    pub(super) fn remark(self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// How many of what.
pub(super) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Columns, each as wide as its widest cell.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}", width = *width))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(header.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}
