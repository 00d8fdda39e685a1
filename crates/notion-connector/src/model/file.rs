use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::NotionId;

/// Where in a page a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilePlace {
    /// A file, image, video, audio or PDF block.
    Body,
    /// An embedded page that Notion hosts.
    Embed,
    /// A property of type `files`.
    Property,
    /// An attachment of a comment.
    Comment,
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

/// What a page says of a file in it. Nothing signed is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageFile {
    /// Its address without signature or fragment: what tells it from other files.
    pub identity: String,
    /// Whether Notion's hosts have it.
    pub hosted: bool,
    /// Its name.
    pub name: String,
    /// What the pages say of it, each once.
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
