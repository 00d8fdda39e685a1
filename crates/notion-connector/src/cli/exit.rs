//! Exit codes: the one place that says what each means. Scripts rely on them; see docs/operate/commands.md.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; a crawl completed.
    Completed = 0,
    /// Failed for a reason that has no number of its own.
    Other = 1,
    /// The command line, the configuration or an argument cannot be understood, or what it asks for cannot be done as things stand.
    Usage = 2,
    /// A crawl accounts for everything, and some items failed.
    CompletedWithErrors = 3,
    /// The secret is wrong, or the integration lacks a capability.
    Secret = 4,
    /// Notion, or its stand-in, does not answer.
    Unreachable = 5,
    /// A crawl would delete more than its bound allows.
    AwaitingApproval = 6,
    /// Interrupted; the crawl goes on with the same command.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
