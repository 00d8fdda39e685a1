//! Block trees → the two markdown dialects of `GET /v1/pages/{id}/markdown`.
//!
//! Sources: developers.notion.com "enhanced-markdown" (v1), "notion-flavored-markdown" (v2) and
//! "working-with-markdown-content" (which types are supported, what `truncated` and `unknown_block_ids` mean).
//! Where those leave a form open, the chosen form is named in a comment beside the code that writes it.
//!
//! Invariants: rendering never fails, visits each block at most once, and drops no run of text of a type the dialect
//! supports; a block that is not rendered leaves an `<unknown>` tag. All output goes into one `String`.
//!
//! A new block type: one arm in `v1.rs`, one arm in `v2.rs`, one case in `tests.rs`.

mod attributes;
mod inline;
#[cfg(test)]
mod properties;
mod runs;
#[cfg(test)]
mod tests;
mod v1;
mod v2;
mod v2_lists;

use serde_json::Value;
use uuid::Uuid;

/// Blocks nested deeper than this are cut like those beyond [`Options::max_blocks`]: indentation makes the output grow
/// with the square of the depth, and the stack grows with it.
pub const MAX_DEPTH: usize = 256;

/// One block and what is nested in it.
#[derive(Debug, Clone)]
pub struct BlockTree {
    /// The block object as the API serves it: `id`, `type`, `has_children`, and the payload under its type.
    pub value: Value,
    /// Nested blocks in document order. For a copy of a synced block: the children of the original. For
    /// `meeting_notes`: the blocks that the payload's `children` names. Empty for `child_page`.
    pub children: Vec<BlockTree>,
}

/// The syntax asked for by `markdown_version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// "Enhanced markdown", the default of the API versions up to 2026-03-11.
    V1,
    /// "Notion-flavored Markdown".
    V2,
}

/// What a tag or mention says about a page.
#[derive(Debug, Clone)]
pub struct PageEntry {
    /// Title, as plain text.
    pub title: String,
    /// The page's address in Notion.
    pub url: String,
}

/// What a tag or mention says about a database.
#[derive(Debug, Clone, Default)]
pub struct DatabaseEntry {
    /// Title, as plain text.
    pub title: String,
    /// The database's address in Notion.
    pub url: String,
    /// Its icon, if that is an emoji.
    pub icon: Option<String>,
    /// Whether it shows inside its page.
    pub is_inline: bool,
    /// Whether it is a wiki.
    pub is_wiki: bool,
    /// Ids of its data sources; none for a linked view.
    pub data_source_ids: Vec<Uuid>,
}

/// Answers what the renderer asks about other objects. `None` means that the object does not exist or is not
/// accessible to the one who asks; the API does not tell these apart either.
pub trait Directory {
    /// A page by its id.
    fn page(&self, id: Uuid) -> Option<PageEntry>;
    /// A database by its id.
    fn database(&self, id: Uuid) -> Option<DatabaseEntry>;
    /// The name of a user by their id.
    fn user_name(&self, id: Uuid) -> Option<String>;
    /// The address of a block (`<page url>#<block id without dashes>`); asked for originals of synced blocks.
    fn block_url(&self, id: Uuid) -> Option<String>;
}

/// What varies from request to request.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address of the page that holds the blocks; `<unknown>` tags point into it.
    pub page_url: String,
    /// `include_transcript` of the request.
    pub include_transcript: bool,
    /// Blocks rendered at most. Notion says "approximately 20,000".
    pub max_blocks: usize,
    /// Entries of `unknown_block_ids` at most. Reported to be 100; the tags in the text are not limited.
    pub max_unknown_ids: usize,
    /// Whether blocks of types without a form count as unknown too. By the wording of "working-with-markdown-content"
    /// they only leave a tag.
    pub lists_unsupported: bool,
}

impl Options {
    /// The limits of Notion, for blocks of the page at this address.
    #[must_use]
    pub fn new(page_url: impl Into<String>) -> Self {
        Self {
            page_url: page_url.into(),
            include_transcript: false,
            max_blocks: 20_000,
            max_unknown_ids: 100,
            lists_unsupported: false,
        }
    }
}

/// The body of a `page_markdown` answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub markdown: String,
    /// Blocks that were cut or are not accessible, in document order.
    pub unknown_block_ids: Vec<Uuid>,
    /// Whether any block was cut or is not accessible.
    pub truncated: bool,
}

/// Renders sibling blocks and all that is nested in them.
#[must_use]
pub fn render(
    blocks: &[BlockTree],
    dialect: Dialect,
    directory: &dyn Directory,
    options: &Options,
) -> Rendered {
    let mut page = Page::new(directory, options);
    match dialect {
        Dialect::V1 => v1::blocks(&mut page, blocks, 0),
        Dialect::V2 => v2::blocks(&mut page, blocks, 0),
    }
    Rendered { markdown: page.out, unknown_block_ids: page.unknown_block_ids, truncated: page.truncated }
}

/// The output so far and the budget left.
struct Page<'a> {
    out: String,
    directory: &'a dyn Directory,
    options: &'a Options,
    remaining: usize,
    unknown_block_ids: Vec<Uuid>,
    truncated: bool,
}

impl<'a> Page<'a> {
    fn new(directory: &'a dyn Directory, options: &'a Options) -> Self {
        Self {
            out: String::new(),
            directory,
            options,
            remaining: options.max_blocks,
            unknown_block_ids: Vec::new(),
            truncated: false,
        }
    }

    /// Takes one block from the budget; false if it must be cut with all that is nested in it.
    fn admit(&mut self, depth: usize) -> bool {
        if self.remaining == 0 || depth >= MAX_DEPTH {
            return false;
        }
        self.remaining -= 1;
        true
    }

    /// Records a block whose content is missing because of its size or its permissions.
    fn record_unknown(&mut self, block: &BlockTree) {
        self.truncated = true;
        if self.unknown_block_ids.len() < self.options.max_unknown_ids
            && let Some(id) = block.id()
        {
            self.unknown_block_ids.push(id);
        }
    }

    /// A block of a type that the dialect has no form for.
    fn unsupported(&mut self, block: &BlockTree) {
        self.unknown_tag(block);
        if self.options.lists_unsupported {
            self.record_unknown(block);
        }
    }

    /// The tag that stands for a block that is not rendered. `alt` is the block's type, for permissions and size too.
    fn unknown_tag(&mut self, block: &BlockTree) {
        let alt = match block.kind() {
            "unsupported" => block.payload()["block_type"].as_str().unwrap_or("unsupported"),
            kind => kind,
        };
        let url = self.url_of(block);
        attributes::Tag::new("unknown").with("url", &url).with("alt", alt).close_self(&mut self.out, "/>");
    }

    /// Address of a block on the rendered page.
    fn url_of(&self, block: &BlockTree) -> String {
        let id = block.id().map_or_else(String::new, |id| id.simple().to_string());
        format!("{}#{id}", self.options.page_url)
    }

    /// The tag of a synced block: that of an original with its own address, that of a copy with its original's. None for
    /// a copy whose original is not accessible.
    fn synced_tag(
        &self,
        block: &BlockTree,
        original: &'static str,
        copy: &'static str,
    ) -> Option<(&'static str, String)> {
        match uuid_at(&block.payload()["synced_from"], "block_id") {
            None => Some((original, self.url_of(block))),
            Some(id) => Some((copy, self.directory.block_url(id)?)),
        }
    }
}

impl BlockTree {
    fn kind(&self) -> &str {
        match self.value["type"].as_str().unwrap_or("unsupported") {
            // The name before 2026-03-11 (developers.notion.com "upgrade-guide-2026-03-11").
            "transcription" => "meeting_notes",
            kind => kind,
        }
    }

    fn payload(&self) -> &Value {
        &self.value[self.value["type"].as_str().unwrap_or("unsupported")]
    }

    fn id(&self) -> Option<Uuid> {
        uuid_at(&self.value, "id")
    }

    fn rich_text(&self) -> &[Value] {
        array_at(self.payload(), "rich_text")
    }

    fn caption(&self) -> &[Value] {
        array_at(self.payload(), "caption")
    }

    fn str_at(&self, key: &str) -> &str {
        self.payload()[key].as_str().unwrap_or_default()
    }

    fn is_true(&self, key: &str) -> bool {
        self.payload()[key].as_bool().unwrap_or(false)
    }

    /// Colour in the spelling of markdown (`blue_bg` for `blue_background`); none for the default.
    fn color(&self) -> Option<String> {
        markdown_color(self.payload()["color"].as_str())
    }

    /// The address of a media block's content.
    fn media_url(&self) -> &str {
        let payload = self.payload();
        let hosted = payload["type"].as_str().and_then(|kind| payload[kind]["url"].as_str());
        hosted.or_else(|| payload["url"].as_str()).unwrap_or_default()
    }
}

fn markdown_color(color: Option<&str>) -> Option<String> {
    match color {
        None | Some("default") => None,
        Some(color) => Some(match color.strip_suffix("_background") {
            Some("default") => return None,
            Some(name) => format!("{name}_bg"),
            None => color.to_owned(),
        }),
    }
}

fn array_at<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn uuid_at(value: &Value, key: &str) -> Option<Uuid> {
    value[key].as_str().and_then(|id| Uuid::parse_str(id).ok())
}

/// An icon as an attribute: the emoji itself, the address of a picture, `:name:` for the workspace's own emoji.
fn icon_text(icon: &Value) -> Option<String> {
    let text = match icon["type"].as_str()? {
        "emoji" => icon["emoji"].as_str()?.to_owned(),
        "custom_emoji" => format!(":{}:", icon["custom_emoji"]["name"].as_str()?),
        "icon" => icon["icon"]["name"].as_str()?.to_owned(),
        kind => icon[kind]["url"].as_str()?.to_owned(),
    };
    Some(text)
}
