//! The system calls of a confined worker: a list of what is allowed, everything else is refused with `EPERM`.
//!
//! Nothing on the list takes a path, makes a descriptor or reaches another process, so that opening, sockets, starting
//! programs and processes need no rules of their own. Threads may begin, because a reader of office documents wants one for
//! its stack. Refused and not killed: a library that looks for a file of settings goes on without.

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use seccompiler::{
    BackendError, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Calls that are allowed with any arguments, and what for.
const CALLS: &[i64] = &[
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Locks of the allocator and of the standard library.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    // Time and randomness (maps draw their keys).
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    // How a crash becomes an end: handlers, their stack, and abort(3), which asks who it is.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_restart_syscall,
    // Threads: what the C library does as one begins. How one is made is a rule of its own.
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_clone3,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Refuses everything else to this process, for good. Requests come by standard input; answers and last words leave by the
/// two others; beside these it reads and writes only the files that it opened itself. What else a parent left open is of no
/// use to it.
pub(super) fn apply(reads: Option<RawFd>, writes: Option<RawFd>) -> Result<(), seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = CALLS.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_read, of_descriptors(&[libc::STDIN_FILENO])?);
    rules.insert(libc::SYS_pread64, of_descriptors(reads.as_slice())?);
    let out = [libc::STDOUT_FILENO, libc::STDERR_FILENO];
    rules.insert(libc::SYS_writev, of_descriptors(&out)?);
    rules.insert(libc::SYS_write, of_descriptors(&out.into_iter().chain(writes).collect::<Vec<_>>())?);
    // No rule is no condition.
    rules.retain(|call, rules| CALLS.contains(call) || !rules.is_empty());
    // Memory that can be written and later run is how a broken reader becomes somebody's program.
    let exec = u64::from(libc::PROT_EXEC.unsigned_abs());
    let without_exec = || only(2, SeccompCmpOp::MaskedEq(exec), 0);
    rules.insert(libc::SYS_mmap, vec![without_exec()?]);
    rules.insert(libc::SYS_mprotect, vec![without_exec()?]);
    // A signal to itself alone: abort(3).
    rules.insert(libc::SYS_tgkill, vec![only(0, SeccompCmpOp::Eq, std::process::id().into())?]);
    // A thread of this process, and no process: the kernel lets CLONE_THREAD go with memory of its own by no means.
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    rules.insert(libc::SYS_clone, vec![only(0, SeccompCmpOp::MaskedEq(thread), thread)?]);
    // Of two filters the stricter counts. clone3(2) has its flags in memory, where no filter looks: it does not exist, as
    // before Linux 5.3, and the C library takes clone(2).
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    apply_filter(clone3, SeccompAction::Allow, errno(libc::ENOSYS))?;
    apply_filter(rules, errno(libc::EPERM), SeccompAction::Allow)
}

/// Refuses sockets to this process and to the program that it becomes, and the one call that makes them by another way.
pub(super) fn refuse_sockets() -> Result<(), seccompiler::Error> {
    let calls = [libc::SYS_socket, libc::SYS_socketpair, libc::SYS_io_uring_setup, libc::SYS_ptrace];
    let rules = calls.into_iter().map(|call| (call, Vec::new())).collect();
    apply_filter(rules, SeccompAction::Allow, errno(libc::EPERM))
}

fn apply_filter(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    others: SeccompAction,
    these: SeccompAction,
) -> Result<(), seccompiler::Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(rules, others, these, arch)?;
    seccompiler::apply_filter_all_threads(&seccompiler::BpfProgram::try_from(filter)?)
}

fn errno(error: i32) -> SeccompAction {
    SeccompAction::Errno(error.unsigned_abs())
}

/// A rule for each: that the first argument is this descriptor.
fn of_descriptors(descriptors: &[RawFd]) -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |descriptor: &RawFd| only(0, SeccompCmpOp::Eq, u64::from(descriptor.unsigned_abs()));
    descriptors.iter().map(rule).collect()
}

/// That one argument compares so.
fn only(argument: u8, compares: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compares, value)?])
}
