use std::net::SocketAddr;

use serde::Deserialize;

use super::file_settings::extension_problems;
use super::{Section, within};
use crate::model::FilePlace;

/// Which files are read, and how they are fetched.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesConfig {
    /// Where files are read: `file`, `image`, `video`, `audio` and `pdf` blocks, `embed` for uploaded HTML pages that stand as
    /// embeds, `property` for `files` properties, `comment` for attachments of comments, where comments are read.
    pub places: Vec<FilePlace>,
    /// Extensions of files that are read, in lower case and without the dot. A file without one is read: its content decides.
    pub include_extensions: Vec<String>,
    /// Extensions of files that are not, whatever else is said.
    pub exclude_extensions: Vec<String>,
    /// Whether files on other hosts than Notion's are fetched. Never from addresses that are not of the open internet.
    pub other_hosts: bool,
    /// Whether they are fetched through a proxy, whose addresses cannot be checked: the proxy must keep from private ones.
    pub other_hosts_by_proxy: bool,
    /// Files that are fetched or read at once. From 1 to 32; as many of the size of `extract.file_mb` may be in memory.
    pub concurrency: usize,
    /// Seconds to wait for a connection. From 1 to 120.
    pub connect_timeout_seconds: u64,
    /// Seconds without a byte after which a fetch is broken off. From 1 to 600.
    pub idle_timeout_seconds: u64,
    /// Seconds that one fetch may take in all. From 1 to 3,600.
    pub total_timeout_seconds: u64,
    /// Addresses of this machine, with port, that stand for Notion's file hosts: those of an emulator.
    pub test_hosts: Vec<String>,
    /// Addresses of this machine, with port, that stand for other hosts.
    pub test_other_hosts: Vec<String>,
}

/// What text can be read from.
const READABLE: [&str; 30] = [
    "csv", "xml", "htm", "html", "xls", "xlsx", "xlsm", "xltx", "ppt", "pps", "pptx", "pptm", "potx", "ppsx",
    "doc", "docx", "docm", "dotx", "txt", "pdf", "rtf", "md", "odt", "ods", "odp", "epub", "json", "eml",
    "tsv", "log",
];

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            places: FilePlace::ALL.to_vec(),
            include_extensions: READABLE.map(str::to_owned).to_vec(),
            exclude_extensions: Vec::new(),
            other_hosts: false,
            other_hosts_by_proxy: false,
            concurrency: 4,
            connect_timeout_seconds: 10,
            idle_timeout_seconds: 30,
            total_timeout_seconds: 300,
            test_hosts: Vec::new(),
            test_other_hosts: Vec::new(),
        }
    }
}

impl Section for FilesConfig {
    const NAME: &'static str = "files";

    fn problems(&self) -> Vec<String> {
        let extensions = extension_problems(&self.include_extensions, &self.exclude_extensions);
        let hosts = [("test_hosts", &self.test_hosts), ("test_other_hosts", &self.test_other_hosts)];
        let hosts = hosts.into_iter().flat_map(|(field, list)| {
            let here = |host: &str| host.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback());
            list.iter().filter(move |host| !here(host)).map(move |host| {
                format!("{field}: “{host}” must be an address of this machine with its port, such as 127.0.0.1:8701")
            })
        });
        let ranges = [
            within("concurrency", self.concurrency, 1..=32),
            within("connect_timeout_seconds", self.connect_timeout_seconds, 1..=120),
            within("idle_timeout_seconds", self.idle_timeout_seconds, 1..=600),
            within("total_timeout_seconds", self.total_timeout_seconds, 1..=3_600),
        ];
        extensions.into_iter().chain(hosts).chain(ranges.into_iter().flatten()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let config = FilesConfig {
            include_extensions: vec![".pdf".to_owned(), "docx".to_owned()],
            exclude_extensions: vec!["PDF".to_owned()],
            concurrency: 0,
            idle_timeout_seconds: 0,
            test_hosts: vec!["10.0.0.1:80".to_owned(), "127.0.0.1:80".to_owned(), "localhost:80".to_owned()],
            test_other_hosts: vec!["[::1]:81".to_owned(), "127.0.0.1".to_owned()],
            ..FilesConfig::default()
        };
        let problems = config.problems();
        assert_eq!(problems.len(), 7, "{problems:#?}");
        assert!(FilesConfig::default().problems().is_empty());
    }
}
