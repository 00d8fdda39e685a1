//! A worker gives up what it does not need, before it reads the first byte.

use std::ffi::OsString;
#[cfg(target_os = "linux")]
use std::fs::File;

/// What a worker may still use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// Bytes of address space, the program itself included.
    pub(crate) memory_bytes: u64,
    /// Seconds on a processor, over all documents.
    pub(crate) cpu_seconds: u64,
}

impl Allowance {
    /// From the arguments of a worker, as [`Allowance::arguments`] writes them.
    pub(crate) fn read(arguments: &mut impl Iterator<Item = OsString>) -> Option<Self> {
        let mut number = || arguments.next()?.to_str()?.parse::<u64>().ok();
        Some(Self { memory_bytes: number()?, cpu_seconds: number()? })
    }

    /// As arguments.
    pub(crate) fn arguments(self) -> [String; 2] {
        [self.memory_bytes.to_string(), self.cpu_seconds.to_string()]
    }
}

/// What is kept open to tell how much memory a document took; nothing where the system does not tell.
#[derive(Debug, Default)]
pub(crate) struct MemoryGauge {
    #[cfg(target_os = "linux")]
    files: Option<(File, Option<File>)>,
}

impl MemoryGauge {
    /// Before the confinement, which lets nothing be opened.
    pub(crate) fn open() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            files: File::open("/proc/self/status")
                .ok()
                .map(|status| (status, File::options().write(true).open("/proc/self/clear_refs").ok())),
        }
    }

    /// Counts from now on (proc_pid_clear_refs(5): 5 resets the peak). Where the kernel does not have that, the peak is
    /// that of the worker's whole life.
    pub(crate) fn reset(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some((_, Some(clear_refs))) = &mut self.files {
            use std::io::Write as _;
            // Without it the number is larger, not wrong.
            let _ = clear_refs.write_all(b"5");
        }
    }

    /// Most resident memory since the reset, and the address space that is held now.
    pub(crate) fn read(&mut self) -> (Option<u64>, Option<u64>) {
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::FileExt as _;
            let mut text = [0; 4_096];
            let length = self.files.as_ref().and_then(|(status, _)| status.read_at(&mut text, 0).ok());
            let status = std::str::from_utf8(&text[..length.unwrap_or(0)]).unwrap_or_default();
            (bytes_of(status, PEAK), bytes_of(status, HELD))
        }
        #[cfg(not(target_os = "linux"))]
        (None, None)
    }
}

/// The lines of a `/proc/PID/status` with the most resident memory, and with the address space (proc_pid_status(5)).
pub(crate) const PEAK: &str = "VmHWM:";
const HELD: &str = "VmSize:";

/// A line of a `/proc/PID/status`, which counts in KiB.
pub(crate) fn bytes_of(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

/// Confines this process for good; says what could not be had.
#[cfg(unix)]
pub(crate) fn confine(allowance: Allowance, gauge: &MemoryGauge) -> Vec<String> {
    use rustix::process::Resource;

    let mut missing = limit(&[
        ("a limit of open files", Resource::Nofile, 0, 0),
        // Linux counts threads too, which readers want; there the filter of system calls knows the difference.
        #[cfg(not(target_os = "linux"))]
        ("a limit of processes", Resource::Nproc, 0, 0),
    ]);
    missing.extend(limit(&limits_of(allowance)));
    missing.extend(confine_calls(gauge));
    missing
}

#[cfg(unix)]
type Limited = (&'static str, rustix::process::Resource, u64, u64);

/// What holds for workers, and for other programs that look at files.
#[cfg(unix)]
fn limits_of(Allowance { memory_bytes, cpu_seconds }: Allowance) -> [Limited; 4] {
    use rustix::process::Resource;

    [
        ("a limit of memory", Resource::As, memory_bytes, memory_bytes),
        // A second between the signal that says why (SIGXCPU) and the one that says nothing.
        ("a limit of processor time", Resource::Cpu, cpu_seconds, cpu_seconds + 1),
        ("a limit of written files", Resource::Fsize, 0, 0),
        ("a limit of core dumps", Resource::Core, 0, 0),
    ]
}

#[cfg(unix)]
fn limit(limits: &[Limited]) -> Vec<String> {
    use rustix::process::{Rlimit, setrlimit};

    let refused = |(what, resource, soft, hard): &Limited| {
        let limit = Rlimit { current: Some(*soft), maximum: Some(*hard) };
        setrlimit(*resource, limit).err().map(|error| format!("{what} ({error})"))
    };
    limits.iter().filter_map(refused).collect()
}

/// Limits this process for the program that it becomes, which may open files, but write none and, on Linux, make no socket.
#[cfg(unix)]
pub(crate) fn limit_program(allowance: Allowance) -> Vec<String> {
    let mut missing = limit(&limits_of(allowance));
    #[cfg(target_os = "linux")]
    {
        let privileges = rustix::thread::set_no_new_privs(true).map_err(|error| error.to_string());
        let sockets = super::seccomp::refuse_sockets().map_err(|error| error.to_string());
        missing.extend([privileges, sockets].into_iter().filter_map(Result::err));
    }
    missing
}

#[cfg(target_os = "linux")]
fn confine_calls(gauge: &MemoryGauge) -> Vec<String> {
    use std::os::fd::AsRawFd as _;

    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    let dumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| format!("protection from other processes ({error})"));
    let privileges = rustix::thread::set_no_new_privs(true)
        .map_err(|error| format!("protection from new privileges ({error})"));
    let reads = gauge.files.as_ref().map(|(status, _)| status.as_raw_fd());
    let writes = gauge.files.as_ref().and_then(|(_, clear_refs)| Some(clear_refs.as_ref()?.as_raw_fd()));
    let calls =
        super::seccomp::apply(reads, writes).map_err(|error| format!("the filter of system calls ({error})"));
    [dumpable, privileges, calls].into_iter().filter_map(Result::err).collect()
}

#[cfg(all(unix, not(target_os = "linux")))]
fn confine_calls(_gauge: &MemoryGauge) -> Vec<String> {
    vec!["the filter of system calls, which Linux alone has: other programs could be started".to_owned()]
}

/// Confines this process for good; says what could not be had.
#[cfg(not(unix))]
pub(crate) fn confine(_allowance: Allowance, _gauge: &MemoryGauge) -> Vec<String> {
    vec![
        "a limit of memory".to_owned(),
        "a limit of processor time, but for the deadline of each document".to_owned(),
        "the filter of system calls, which Linux alone has: files, sockets and programs are not refused"
            .to_owned(),
    ]
}

/// Processor time of this process so far.
pub(crate) fn cpu_ms() -> u64 {
    #[cfg(unix)]
    {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let millis = spent.tv_sec.saturating_mul(1_000).saturating_add(spent.tv_nsec / 1_000_000);
        u64::try_from(millis).unwrap_or(0)
    }
    #[cfg(not(unix))]
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_what_the_kernel_writes() {
        let status = "Name:\tx\nVmSize:\t 99999 kB\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(bytes_of(status, PEAK), Some(12_345 * 1_024));
        assert_eq!(bytes_of(status, HELD), Some(99_999 * 1_024));
        assert_eq!(bytes_of("Name:\tx\nState:\tZ (zombie)\n", PEAK), None);
    }
}
