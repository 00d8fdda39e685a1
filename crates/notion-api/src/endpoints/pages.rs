use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use uuid::Uuid;

use super::Paging;
use crate::client::{Answer, Call, Client};
use crate::error::Error;
use crate::wire::{Page, PageMarkdown, PropertyItemAnswer};

/// Property ids come percent-encoded and are sent as they come; only what would end the segment is encoded.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'^')
    .add(b'|');

/// A dialect of Notion's Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkdownVersion {
    /// "Enhanced Markdown", the default of API version 2026-03-11.
    V1,
    /// "Notion-flavored Markdown".
    V2,
}

/// How the Markdown of a page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarkdownOptions {
    /// Whether the transcripts of meeting notes come along.
    pub include_transcript: bool,
    /// Which dialect; without it the one that the workspace's API version answers with.
    pub version: Option<MarkdownVersion>,
}

impl Client {
    /// `GET /v1/pages/{page_id}`: a page with its properties, each cut at 25 relations, people or mentions.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_page(&self, id: Uuid) -> Result<Answer<Page>, Error> {
        self.call(Call::get("pages/{id}", format!("pages/{id}"))).await
    }

    /// `GET /v1/pages/{page_id}/properties/{property_id}`: a property whole, page by page.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_property(
        &self,
        page: Uuid,
        property: &str,
        paging: &Paging,
    ) -> Result<Answer<PropertyItemAnswer>, Error> {
        const ENDPOINT: &str = "pages/{id}/properties/{id}";
        if matches!(property, "" | "." | "..") {
            let detail = format!("`{property}` is no id of a property");
            return Err(Error::Request { endpoint: ENDPOINT, detail });
        }
        let property = utf8_percent_encode(property, SEGMENT);
        self.call(
            Call::get(ENDPOINT, format!("pages/{page}/properties/{property}"))
                .with("start_cursor", paging.start_cursor.as_deref())
                .with("page_size", Some(paging.page_size)),
        )
        .await
    }

    /// `GET /v1/pages/{page_or_block_id}/markdown`: the body of a page, or what `unknown_block_ids` left out of one.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_markdown(
        &self,
        id: Uuid,
        options: MarkdownOptions,
    ) -> Result<Answer<PageMarkdown>, Error> {
        let version = options.version.map(|version| match version {
            MarkdownVersion::V1 => "v1",
            MarkdownVersion::V2 => "v2",
        });
        self.call(
            Call::get("pages/{id}/markdown", format!("pages/{id}/markdown"))
                .with("include_transcript", options.include_transcript.then_some(true))
                .with("markdown_version", version),
        )
        .await
    }
}
