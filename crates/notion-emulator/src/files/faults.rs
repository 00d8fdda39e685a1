//! Failures of the file hosts on demand, as [`crate::faults`] has them for the API.
//!
//! A new one: a variant of [`FileFailure`] and its arm in `host.rs`.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::Host;
use crate::world::rng::Rng;

/// How a request for a file fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FileFailure {
    /// 403 `AccessDenied`, for no stated reason.
    AccessDenied,
    /// 403 `AccessDenied`, as if the signature had expired.
    Expired,
    /// 404 `NoSuchKey`.
    NotFound,
    /// 500 `InternalError`.
    InternalError,
    /// 503 `SlowDown`.
    SlowDown {
        /// Seconds to wait; no header if none.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// Any status, with a page of HTML.
    Status {
        /// Which.
        status: u16,
    },
    /// Sends the client elsewhere.
    Redirect {
        /// `Location`, as it stands; without one, the address that was asked for.
        #[serde(default)]
        to: Option<String>,
        /// The status.
        #[serde(default = "found")]
        status: u16,
    },
    /// The right answer, late.
    Slow {
        /// How late.
        delay_ms: u64,
    },
    /// The right bytes, a few at a time.
    SlowBody {
        /// So many.
        #[serde(default = "one_byte")]
        piece_bytes: usize,
        /// So long before each.
        delay_ms: u64,
    },
    /// The first half of the bytes, and then nothing, for ever.
    Stall,
    /// The first half of the bytes, and then the connection ends.
    Cut,
    /// The connection ends before the answer begins.
    Disconnect,
    /// `Content-Length` is wrong by so much.
    WrongLength {
        /// Added to the right one.
        by: i64,
    },
    /// Bytes without end.
    Endless {
        /// What `Content-Length` says, if there is to be one.
        #[serde(default)]
        declared: Option<u64>,
    },
    /// The right bytes under another media type.
    ContentType {
        /// Which; none at all if empty.
        content_type: String,
    },
    /// The right bytes, said to be encoded.
    ContentEncoding {
        /// How.
        encoding: String,
    },
}

const fn found() -> u16 {
    302
}

const fn one_byte() -> usize {
    1
}

/// A failure for the next requests that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFault {
    /// How they fail.
    pub failure: FileFailure,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// How many that match pass before.
    #[serde(default)]
    pub skip: u32,
    /// Only this host.
    #[serde(default)]
    pub host: Option<Host>,
    /// Only paths that contain this, such as a file's id or name.
    #[serde(default)]
    pub path_contains: Option<String>,
}

const fn one() -> u32 {
    1
}

impl FileFault {
    /// This failure of the next request for any file.
    #[must_use]
    pub const fn once(failure: FileFailure) -> Self {
        Self { failure, count: 1, skip: 0, host: None, path_contains: None }
    }
}

/// Failures of requests chosen at random. The same seed and the same requests in the same order give the same failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFileFaults {
    /// Decides which requests fail, and how.
    pub seed: u64,
    /// How many of a hundred that match fail.
    pub percent: u8,
    /// How they fail, each as likely; those of [`RandomFileFaults::passing`] if absent.
    #[serde(default = "RandomFileFaults::passing")]
    pub failures: Vec<FileFailure>,
    /// Only this host.
    #[serde(default)]
    pub host: Option<Host>,
    /// Only paths that contain this.
    #[serde(default)]
    pub path_contains: Option<String>,
}

impl RandomFileFaults {
    /// Every failure that says nothing of the file and goes by.
    #[must_use]
    pub fn passing() -> Vec<FileFailure> {
        vec![
            FileFailure::Expired,
            FileFailure::InternalError,
            FileFailure::SlowDown { retry_after_s: None },
            FileFailure::SlowDown { retry_after_s: Some(2) },
            FileFailure::Status { status: 502 },
            FileFailure::Slow { delay_ms: 20_000 },
            FileFailure::Stall,
            FileFailure::Cut,
            FileFailure::Disconnect,
            FileFailure::WrongLength { by: 10 },
        ]
    }
}

/// What is still to happen to requests for files.
#[derive(Debug, Default)]
pub struct FileFaults {
    pending: Vec<FileFault>,
    random: Option<(RandomFileFaults, Rng)>,
}

impl FileFaults {
    /// Adds a fault after those already set.
    pub fn push(&mut self, fault: FileFault) {
        self.pending.push(fault);
    }

    /// Lets requests fail at random, in place of what was random before.
    pub fn set_random(&mut self, random: RandomFileFaults) {
        let rng = Rng::new(random.seed, 0, 0);
        self.random = Some((random, rng));
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The faults still to happen.
    #[must_use]
    pub fn pending(&self) -> &[FileFault] {
        &self.pending
    }

    /// What fails at random, if anything does.
    #[must_use]
    pub fn random(&self) -> Option<&RandomFileFaults> {
        self.random.as_ref().map(|(random, _)| random)
    }

    /// The failure of this request, if it is to fail.
    pub(super) fn strike(&mut self, host: Host, path: &str) -> Option<FileFailure> {
        let path = percent_decode_str(path).decode_utf8_lossy();
        let mut struck = None;
        for fault in &mut self.pending {
            if !names(fault.host, fault.path_contains.as_deref(), (host, &path)) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.count > 0 {
                fault.count -= 1;
                struck = Some(fault.failure.clone());
                break;
            }
        }
        self.pending.retain(|fault| fault.count > 0);
        struck.or_else(|| self.strike_at_random(host, &path))
    }

    fn strike_at_random(&mut self, host: Host, path: &str) -> Option<FileFailure> {
        let (random, rng) = self.random.as_mut()?;
        if !names(random.host, random.path_contains.as_deref(), (host, path)) {
            return None;
        }
        let (strikes, which) = (rng.chance(usize::from(random.percent)), rng.below(random.failures.len()));
        random.failures.get(which).filter(|_| strikes).cloned()
    }
}

fn names(host: Option<Host>, path_contains: Option<&str>, (asked, path): (Host, &str)) -> bool {
    host.is_none_or(|wanted| wanted == asked) && path_contains.is_none_or(|part| path.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_files_and_the_host_it_names() {
        let mut faults = FileFaults::default();
        faults.push(FileFault {
            skip: 1,
            host: Some(Host::External),
            path_contains: Some("grey seal.pdf".to_owned()),
            ..FileFault::once(FileFailure::NotFound)
        });
        let path = "/shared/1/grey%20seal.pdf";
        assert_eq!(faults.strike(Host::Notion, path), None);
        assert_eq!(faults.strike(Host::External, "/shared/1/other.pdf"), None);
        assert_eq!(faults.strike(Host::External, path), None);
        assert_eq!(faults.strike(Host::External, path), Some(FileFailure::NotFound));
        assert!(faults.pending().is_empty());
    }

    #[test]
    fn random_faults_are_those_of_their_seed() {
        let struck = |seed| {
            let mut faults = FileFaults::default();
            let failures = RandomFileFaults::passing();
            faults.set_random(RandomFileFaults {
                seed,
                percent: 20,
                failures,
                host: None,
                path_contains: None,
            });
            (0..1_000).map(|_| faults.strike(Host::Notion, "/f")).collect::<Vec<_>>()
        };
        assert_eq!(struck(1), struck(1));
        assert_ne!(struck(1), struck(2));
        let happened: Vec<FileFailure> = struck(3).into_iter().flatten().collect();
        assert!((150..250).contains(&happened.len()), "{}", happened.len());
        assert!(RandomFileFaults::passing().iter().all(|failure| happened.contains(failure)));
    }
}
