use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::NotionId;

/// Where in a page a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilePlace {
    /// A file block.
    File,
    /// An image block.
    Image,
    /// A video block.
    Video,
    /// An audio block.
    Audio,
    /// A PDF block.
    Pdf,
    /// An embedded page that Notion hosts.
    Embed,
    /// A property of type `files`.
    Property,
    /// An attachment of a comment.
    Comment,
}

impl FilePlace {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::File,
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Pdf,
        Self::Embed,
        Self::Property,
        Self::Comment,
    ];

    /// Whether a block of the page shows it.
    pub const fn is_block(self) -> bool {
        match self {
            Self::File | Self::Image | Self::Video | Self::Audio | Self::Pdf | Self::Embed => true,
            Self::Property | Self::Comment => false,
        }
    }

    /// Files in such places, as people read it.
    pub const fn described(self) -> &'static str {
        match self {
            Self::File => "files in file blocks",
            Self::Image => "files in image blocks",
            Self::Video => "files in video blocks",
            Self::Audio => "files in audio blocks",
            Self::Pdf => "files in PDF blocks",
            Self::Embed => "files in embeds",
            Self::Property => "files in properties",
            Self::Comment => "files of comments",
        }
    }
}

/// A file as a page names it.
#[derive(Clone, PartialEq, Eq)]
pub struct FileRef {
    /// Where it stands.
    pub place: FilePlace,
    /// The block that shows it, where the body was read by blocks; of a comment, what it is about.
    pub block: Option<NotionId>,
    /// Its address as Notion answered it: with the signature, which is good for an hour and is a secret for as long
    /// (developers.notion.com "file-object"). Nothing made of it may be shown or hashed but what [`crate::files`] leaves of it.
    pub address: String,
    /// The name that the page gives it, or its address ends in.
    pub name: Option<String>,
    /// What the page says of it.
    pub caption: String,
}

impl std::fmt::Debug for FileRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = self.address.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("FileRef")
            .field("place", &self.place)
            .field("block", &self.block)
            .field("address", &address)
            .field("name", &self.name)
            .field("caption", &self.caption)
            .finish()
    }
}

/// What is known of a file that is an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileFacts {
    /// The end of its name behind the last point, in lower case; empty if it has none.
    #[schema(example = "pdf")]
    pub extension: String,
    /// The format that its bytes were read as; none where there are none.
    #[schema(example = "pdf")]
    pub format: Option<String>,
    /// What its host says it is.
    #[schema(example = "application/pdf")]
    pub media_type: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Why there is no text, or not all of it.
    pub note: Option<String>,
    /// Whether its host no longer gives it, or gives what cannot be read: the text is what it was before.
    pub stale: bool,
    /// What made the text, where that was not the author: `ocr`, `caption`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
}

impl FileFacts {
    /// As people read it: extension, size, and what is to be known of the text.
    pub fn told(&self) -> Vec<String> {
        let extension = (!self.extension.is_empty()).then(|| self.extension.clone());
        extension.into_iter().chain([self.size()]).chain(self.remarks()).collect()
    }

    /// The size as people read it: “812 bytes”, “12 kB”, “1.2 MB”.
    pub fn size(&self) -> String {
        const KB: u64 = 1_000;
        const MB: u64 = 1_000_000;
        let tenths_mb = (self.bytes + MB / 20) / (MB / 10);
        match self.bytes {
            1 => "1 byte".to_owned(),
            bytes if bytes < KB => format!("{bytes} bytes"),
            bytes if bytes < MB - KB / 2 => format!("{} kB", (bytes + KB / 2) / KB),
            _ if tenths_mb < 100 => format!("{}.{} MB", tenths_mb / 10, tenths_mb % 10),
            bytes => format!("{} MB", (bytes + MB / 2) / MB),
        }
    }

    /// What is to be known of the text: that it is old, that nobody wrote it, or why there is none.
    pub fn remarks(&self) -> Vec<String> {
        let note = match (&self.note, self.stale) {
            (Some(note), true) => Some(format!("old text, as it was before: {note}")),
            (None, true) => Some("old text, as it was before".to_owned()),
            (note, false) => note.clone(),
        };
        let generated = self.generated.iter().flat_map(|ways| ways.split(", ")).map(|way| match way {
            "ocr" => "text recognised in images",
            "caption" => "described by a model",
            _ => "text generated",
        });
        note.into_iter().chain(generated.map(str::to_owned)).collect()
    }
}

/// What a page says of a file in it. Nothing signed is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageFile {
    /// Its address without signature or fragment: what tells it from other files.
    pub identity: String,
    /// Whether Notion's hosts have it.
    pub hosted: bool,
    /// Its name.
    pub name: String,
    /// What that page says of it, each once.
    pub captions: Vec<String>,
    /// The page that holds it first.
    pub page: HoldingPage,
    /// Further pages that hold it.
    pub further_pages: Vec<NotionId>,
}

/// The page that a file stands in, as far as the file's item tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldingPage {
    /// Notion's id.
    pub id: NotionId,
    /// Where the file is shown: the page, or the block in it.
    pub url: String,
    /// When the page was created.
    pub created_time: Timestamp,
    /// When the page was last edited.
    pub last_edited_time: Timestamp,
    /// Who created the page.
    pub created_by: Option<NotionId>,
    /// Who edited the page last.
    pub last_edited_by: Option<NotionId>,
}

/// What tells that a file is still the same, as its host gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What was found in the bytes of a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FileContent {
    /// The text.
    pub text: String,
    /// Level of each heading of the text, and the bytes of its line.
    pub headings: Vec<(u8, usize, usize)>,
    /// The document's own title.
    pub title: Option<String>,
    /// Who wrote it, as it says.
    pub author: Option<String>,
    /// What is left out of the text, each with its reason.
    pub left_out: Vec<String>,
    /// What is known of it.
    pub facts: FileFacts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_what_people_read() {
        let shown = |bytes| FileFacts { bytes, ..FileFacts::default() }.size();
        let sizes =
            [0, 1, 999, 1_000, 1_499, 12_500, 999_499, 999_500, 1_249_999, 9_949_999, 9_950_000, 25_000_000];
        let expected = [
            "0 bytes",
            "1 byte",
            "999 bytes",
            "1 kB",
            "1 kB",
            "13 kB",
            "999 kB",
            "1.0 MB",
            "1.2 MB",
            "9.9 MB",
            "10 MB",
            "25 MB",
        ];
        assert_eq!(sizes.map(shown), expected);
        assert!(shown(u64::MAX / 2).ends_with(" MB"));
    }

    #[test]
    fn what_is_to_be_known_of_a_text_is_told() {
        let facts = FileFacts { extension: "pdf".to_owned(), bytes: 4_000, ..FileFacts::default() };
        assert_eq!(facts.told(), ["pdf", "4 kB"]);
        let note = Some("its host does not have it".to_owned());
        let generated = Some("ocr, caption".to_owned());
        let old = FileFacts { stale: true, note, generated, ..facts };
        let remarks = [
            "old text, as it was before: its host does not have it",
            "text recognised in images",
            "described by a model",
        ];
        assert_eq!(old.remarks(), remarks);
        let empty = FileFacts { note: Some("it is empty".to_owned()), ..FileFacts::default() };
        assert_eq!(empty.told(), ["0 bytes", "it is empty"]);
    }
}
