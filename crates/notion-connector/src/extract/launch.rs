//! Programs of the system that look at pictures: started through this program, which takes on limits and then becomes them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// The argument that makes this program another one: bytes of memory, seconds of processor time, the other program and its
/// arguments follow.
pub(super) const LAUNCH: &str = "extract-launch";

/// Becomes another program, within limits.
#[cfg(unix)]
pub(super) fn launch(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    use std::io::Write as _;
    use std::os::unix::process::CommandExt as _;

    use crate::confined::{Allowance, limit_program};

    let (Some(allowance), Some(program)) = (Allowance::read(&mut arguments), arguments.next()) else {
        return ExitCode::from(2);
    };
    let missing = limit_program(allowance);
    let error = std::process::Command::new(program).args(arguments).exec();
    let _ = writeln!(std::io::stderr(), "error: {error} {missing:?}");
    ExitCode::FAILURE
}

/// There are no limits to take on.
#[cfg(not(unix))]
pub(super) fn launch(_arguments: impl Iterator<Item = OsString>) -> ExitCode {
    ExitCode::from(2)
}

/// Where a program of the system is.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())?;
    found.is_absolute().then_some(found)
}

/// A program of the system and what it may take.
pub(super) struct Tool<'a> {
    /// This program.
    pub(super) launcher: &'a Path,
    /// The other one.
    pub(super) program: &'a Path,
    /// Bytes of its address space.
    pub(super) memory_bytes: u64,
    /// Its seconds on a processor.
    pub(super) cpu_seconds: u64,
}

impl Tool<'_> {
    /// Gives it bytes, and takes what it writes, of which `most_bytes` are read. No shell, no file, and an environment that
    /// says only that one thread is enough. Dropped, it is killed.
    pub(super) async fn run(
        &self,
        arguments: &[&str],
        input: &[u8],
        most_bytes: usize,
    ) -> std::io::Result<(Vec<u8>, ExitStatus)> {
        let mut command = Command::new(self.launcher);
        command
            .arg(LAUNCH)
            .args([self.memory_bytes, self.cpu_seconds].map(|number| number.to_string()))
            .arg(self.program)
            .args(arguments)
            .env_clear()
            .env("OMP_THREAD_LIMIT", "1")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program that has seen enough closes its input.
                let _ = stdin.write_all(input).await;
            }
        };
        let read = async {
            let mut output = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(most_bytes as u64).read_to_end(&mut output).await?;
            }
            Ok::<_, std::io::Error>(output)
        };
        let ((), output) = tokio::join!(feed, read);
        Ok((output?, child.wait().await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_the_path_alone() {
        assert!(find("no-such-program-anywhere").is_none());
        #[cfg(unix)]
        assert!(find("sh").is_some_and(|path| path.is_absolute()));
    }
}
