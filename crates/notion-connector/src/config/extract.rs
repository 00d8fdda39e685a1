use std::path::PathBuf;
use std::thread::available_parallelism;

use serde::Deserialize;
use url::{Host, Url};

use super::{Section, within};

/// How text is read out of files. A megabyte is a million bytes.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtractConfig {
    /// Processes that read files side by side; 0 for one for each processor, 4 at most. To 64.
    pub workers: usize,
    /// Seconds after which reading a file is given up. From 1 to 600.
    pub seconds: u64,
    /// Most memory of such a process, in megabytes, the program itself included. From 256 to 65,536.
    pub memory_mb: u64,
    /// Largest file, in megabytes. From 1 to 2,000.
    pub file_mb: u64,
    /// Longest text of a file, in megabytes; what is beyond is cut off and counted. From 1 to 2,000.
    pub text_mb: u64,
    /// Whether letters are recognised in images and in PDF without text, by the system's Tesseract.
    pub ocr: bool,
    /// The languages that Tesseract looks for, as it calls them, joined by `+`.
    pub ocr_languages: String,
    /// Seconds that this may take for a file. From 1 to 3,600.
    pub ocr_seconds: u64,
    /// The model that describes images; none by itself.
    pub captions: Option<CaptionsConfig>,
}

/// An endpoint that speaks the chat completions of OpenAI, with images.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionsConfig {
    /// What stands before `/chat/completions`.
    pub url: String,
    /// Name of the model.
    pub model: String,
    /// File with the key, where one is wanted.
    pub key_file: Option<PathBuf>,
}

impl Default for ExtractConfig {
    /// The longest text is what the largest file can hold without being packed: a byte of an old encoding becomes three.
    fn default() -> Self {
        Self {
            workers: 0,
            seconds: 20,
            memory_mb: 512,
            file_mb: 25,
            text_mb: 75,
            ocr: false,
            ocr_languages: "eng".to_owned(),
            ocr_seconds: 120,
            captions: None,
        }
    }
}

/// Bytes of a megabyte.
pub(super) const MB: u64 = 1_000_000;

/// Most processes where no number is given.
const MOST_WORKERS: usize = 4;

impl ExtractConfig {
    /// How many processes read files.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => available_parallelism().map_or(1, |processors| processors.get().min(MOST_WORKERS)),
            workers => workers,
        }
    }

    /// Most memory of a process.
    pub const fn memory_bytes(&self) -> u64 {
        self.memory_mb * MB
    }

    /// Whether text is generated for images.
    pub const fn reads_images(&self) -> bool {
        self.ocr || self.captions.is_some()
    }

    /// Largest file.
    pub const fn file_bytes(&self) -> u64 {
        self.file_mb * MB
    }

    /// Longest text of a file.
    pub const fn text_bytes(&self) -> u64 {
        self.text_mb * MB
    }
}

impl CaptionsConfig {
    /// Images and keys travel encrypted, or stay on this machine.
    fn problem(&self) -> Option<String> {
        let fits = Url::parse(&self.url).is_ok_and(|url| {
            let is_local = match url.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            };
            url.scheme() == "https" || (url.scheme() == "http" && is_local)
        });
        let message = "captions.url: must begin with https:// (http:// to this machine alone)";
        (!fits).then(|| message.to_owned())
    }
}

/// Names as Tesseract has them: nothing that could be an option or a path.
fn is_languages(text: &str) -> bool {
    text.split('+').all(|name| {
        let mut letters = name.bytes();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
    })
}

impl Section for ExtractConfig {
    const NAME: &'static str = "extract";

    fn problems(&self) -> Vec<String> {
        [
            within("workers", self.workers, 0..=64),
            within("seconds", self.seconds, 1..=600),
            within("memory_mb", self.memory_mb, 256..=65_536),
            within("file_mb", self.file_mb, 1..=2_000),
            within("text_mb", self.text_mb, 1..=2_000),
            within("ocr_seconds", self.ocr_seconds, 1..=3_600),
            (!is_languages(&self.ocr_languages)).then(|| {
                format!("ocr_languages: must be such as eng or eng+deu, is “{}”", self.ocr_languages)
            }),
            self.captions.as_ref().and_then(CaptionsConfig::problem),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
