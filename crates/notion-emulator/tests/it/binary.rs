//! The command line of the binary.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A served world, ended when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) ready: Value,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("the first line is JSON: {line:?}"));
        Self { child, ready }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notion-emulator"));
    command.arg("serve").args(arguments);
    command
}

fn refused(arguments: &[&str]) -> Output {
    let output = command(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    output
}

#[test]
fn the_first_line_says_where_and_with_what() {
    let served = Served::start(&["--generate", "pages=30,seed=1", "--token", "first", "--token", "second"]);
    assert!(served.text("url").starts_with("http://127.0.0.1:"));
    assert!(!served.text("url").ends_with('/'));
    assert_ne!(served.text("url"), served.text("files_url"));
    assert_eq!(served.text("token"), "first");
    assert_eq!(served.ready["start_points"].as_array().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn sigterm_ends_it_cleanly() {
    let mut served = Served::start(&["--sample"]);
    let pid = served.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn a_port_in_use_and_bad_arguments_get_clear_errors() {
    let served = Served::start(&["--sample"]);
    let address = served.text("url").trim_start_matches("http://").to_owned();
    for (arguments, wanted) in [
        (&["--sample", "--listen", &address][..], "--listen"),
        (&["--generate", "pages=many"], "whole number"),
        (&["--generate", "pages=5,shape=round"], "mixed|flat|deep|database"),
        (&["--sample", "--window", "fast"], "REQUESTS/SECONDS"),
        (&["--markdown", "/nonexistent/folder"], "/nonexistent/folder"),
        (&[], "--generate"),
        (&["--sample", "--generate", "pages=1"], "cannot be used with"),
    ] {
        let output = refused(arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(wanted), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty());
    }
}
