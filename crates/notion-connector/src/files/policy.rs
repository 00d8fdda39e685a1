//! Which addresses may be asked, and within which limits. Pure.

use std::time::Duration;

use url::{Host, Url};

use super::address::is_public;
use super::identity::{FileAddress, Hosting, is_stand_in};
use crate::config::FilesConfig;

/// What a fetch keeps to.
#[derive(Debug, Clone)]
pub struct FetchSettings {
    /// Largest file.
    pub max_bytes: u64,
    /// Files fetched, or fetched and held, at once.
    pub concurrency: usize,
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Between two pieces, and until the first.
    pub idle_timeout: Duration,
    /// From the request to the last byte, redirects included.
    pub total_timeout: Duration,
    /// Whether other hosts than Notion's are asked.
    pub other_hosts: bool,
    /// Whether they are asked through a proxy.
    pub other_hosts_by_proxy: bool,
    /// Places of this machine, as `host:port`, that stand for Notion's hosts.
    pub test_hosts: Vec<String>,
    /// …and for others.
    pub test_other_hosts: Vec<String>,
}

impl FetchSettings {
    /// What the settings say, for files that are at most so large.
    #[must_use]
    pub fn new(config: &FilesConfig, max_bytes: u64) -> Self {
        Self {
            max_bytes,
            concurrency: config.concurrency,
            connect_timeout: Duration::from_secs(config.connect_timeout_seconds),
            idle_timeout: Duration::from_secs(config.idle_timeout_seconds),
            total_timeout: Duration::from_secs(config.total_timeout_seconds),
            other_hosts: config.other_hosts,
            other_hosts_by_proxy: config.other_hosts_by_proxy,
            test_hosts: config.test_hosts.clone(),
            test_other_hosts: config.test_other_hosts.clone(),
        }
    }
}

/// Why a file is not asked for, or not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address names no file on any host.
    #[error("the address leads to no file that can be fetched")]
    Address,
    /// The address holds a user or a password.
    #[error("the address holds a user name or a password, which are not sent")]
    Credentials,
    /// Neither https:// nor a stand-in on this machine.
    #[error("the address is not encrypted (https://)")]
    NotEncrypted,
    /// Other hosts are switched off.
    #[error("the file is on another host than Notion's, and the setting other_hosts is off")]
    OtherHost,
    /// Another host, and a proxy in between.
    #[error(
        "the file is on another host, and what a proxy leads to cannot be checked; see files.other_hosts_by_proxy"
    )]
    Proxy,
    /// The host is not on the open internet.
    #[error("the host's address is private, of this machine, or otherwise not of the open internet")]
    PrivateAddress,
    /// One redirect after another.
    #[error("the host redirects more than 5 times, or to nowhere")]
    Redirects,
    /// The host wants to know who asks.
    #[error("the host refuses the file with status {status}; it may need a login")]
    Forbidden {
        /// 401 or 403, say.
        status: u16,
    },
    /// The bytes are compressed, which was not asked for.
    #[error("the host sends the file compressed, without being asked")]
    Encoded,
}

impl FetchSettings {
    /// Whether a URL may be asked, and whose host it is.
    ///
    /// # Errors
    /// With the reason if it may not.
    pub(super) fn admit(&self, url: &Url) -> Result<Hosting, Refusal> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let address = FileAddress::of(url, &self.test_hosts, 0).map_err(|_| Refusal::Address)?;
        if is_stand_in(url, &self.test_hosts) {
            return Ok(Hosting::Notion);
        }
        let is_other_stand_in = is_stand_in(url, &self.test_other_hosts);
        if address.hosting == Hosting::Other && !self.other_hosts {
            return Err(Refusal::OtherHost);
        }
        if is_other_stand_in {
            return Ok(Hosting::Other);
        }
        if url.scheme() != "https" {
            return Err(Refusal::NotEncrypted);
        }
        // A name is checked when it is resolved; whoever connects to a literal address resolves nothing.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) | None => None,
        };
        if literal.is_some_and(|address| !is_public(address)) {
            return Err(Refusal::PrivateAddress);
        }
        Ok(address.hosting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPLOAD: &str = "https://prod-files-secure.s3.us-west-2.amazonaws.com/w/f/a.pdf?X-Amz-Signature=1";

    fn settings(other_hosts: bool) -> FetchSettings {
        FetchSettings {
            other_hosts,
            test_hosts: vec!["127.0.0.1:9000".to_owned()],
            test_other_hosts: vec!["127.0.0.1:9001".to_owned()],
            ..FetchSettings::new(&FilesConfig::default(), 1_000_000)
        }
    }

    fn admitted(other_hosts: bool, text: &str) -> Result<Hosting, Refusal> {
        settings(other_hosts).admit(&Url::parse(text).unwrap())
    }

    #[test]
    fn without_a_switch_only_notions_hosts_are_asked() {
        assert_eq!(admitted(false, UPLOAD), Ok(Hosting::Notion));
        assert_eq!(admitted(false, "http://127.0.0.1:9000/w/f/a"), Ok(Hosting::Notion));
        for text in ["https://example.org/a.pdf", "http://127.0.0.1:9001/a", "https://10.0.0.1/a"] {
            assert_eq!(admitted(false, text), Err(Refusal::OtherHost), "{text}");
        }
    }

    #[test]
    fn other_hosts_are_asked_by_https_and_never_at_private_addresses() {
        assert_eq!(admitted(true, "https://example.org/a.pdf"), Ok(Hosting::Other));
        assert_eq!(admitted(true, "https://93.184.216.34/a.pdf"), Ok(Hosting::Other));
        assert_eq!(admitted(true, "http://127.0.0.1:9001/a"), Ok(Hosting::Other));
        assert_eq!(admitted(true, "http://example.org/a.pdf"), Err(Refusal::NotEncrypted));
        assert_eq!(admitted(true, "http://127.0.0.1:9002/a"), Err(Refusal::NotEncrypted));
        for host in [
            "127.0.0.1:9002",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "10.1.2.3",
            "169.254.169.254",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::a00:1]",
            "[fd00::1]",
        ] {
            let text = format!("https://{host}/latest/meta-data");
            assert_eq!(admitted(true, &text), Err(Refusal::PrivateAddress), "{text}");
        }
    }

    #[test]
    fn credentials_in_an_address_are_not_sent_and_http_is_for_stand_ins_alone() {
        assert_eq!(admitted(true, "https://a:b@example.org/a"), Err(Refusal::Credentials));
        assert_eq!(admitted(true, "https://a@127.0.0.1:9000/a"), Err(Refusal::Credentials));
        let open = UPLOAD.replace("https", "http");
        assert_eq!(admitted(true, &open), Err(Refusal::NotEncrypted));
        assert_eq!(admitted(true, "ftp://example.org/a"), Err(Refusal::Address));
    }
}
