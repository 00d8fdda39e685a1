//! The real binary in a home of its own. No story lets it print a secret.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use notion_emulator::DEFAULT_TOKEN;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::scratch::Scratch;
use crate::support::CONNECTOR;

/// The key that the program encrypts secrets with, in every story.
pub(crate) const KEY: &str = "5f1c0a9be37d4862a1b0c9d8e7f6a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4";

/// A home directory with a data directory in it, and the settings that the program takes from its environment.
pub(crate) struct Home {
    files: Scratch,
    pub(crate) environment: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { files: Scratch::new(), environment: Vec::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.files.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The program or another one (a shell that runs it) in this home; killed when dropped.
    pub(crate) fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path()).env("NOTION_CONNECTOR_KEY", KEY);
        command.env("NOTION_CONNECTOR_DATA_DIR", self.data_dir());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_of(PROGRAM);
        command.args(arguments);
        command
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let ended = Ended::of(self.command(arguments).output().await.unwrap());
        if arguments.contains(&"--json") || arguments.first() == Some(&"export") {
            ended.json_lines();
        }
        ended
    }

    /// Runs the program, which is to end with `code`.
    pub(crate) async fn expect(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        ended
    }

    /// Adds the connector of all stories.
    pub(crate) async fn connect(&mut self, notion_url: &str) {
        self.set("NOTION_TOKEN", DEFAULT_TOKEN);
        self.expect(0, &["connector", "add", CONNECTOR, "--notion-url", notion_url]).await;
    }
}

/// Where cargo put the program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_notion-connector");

impl Ended {
    /// Reads what was printed, and makes sure that it is nobody's secret.
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended =
            Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        for secret in [DEFAULT_TOKEN, KEY, "ntn_wrong"] {
            assert!(!ended.stdout.contains(secret), "a secret on standard output: {}", ended.stdout);
            assert!(!ended.stderr.contains(secret), "a secret on standard error: {}", ended.stderr);
        }
        ended
    }

    /// Standard output, which holds JSON only.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let parsed = self.stdout.lines().map(serde_json::from_str);
        parsed.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The one JSON value on standard output.
    pub(crate) fn json(&self) -> Value {
        let [value] = <[Value; 1]>::try_from(self.json_lines()).unwrap();
        value
    }
}
