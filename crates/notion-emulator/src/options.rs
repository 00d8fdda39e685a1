//! How an emulator behaves: what a world does not say.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::markdown::Dialect;
use crate::rules::auth::Capabilities;
use crate::rules::limit::Window;
use crate::world::model::Ix;

/// The token an emulator accepts when none is named.
pub const DEFAULT_TOKEN: &str = "ntn_emulator0000000000000000000000000000000000000";
/// What the clock reads at the start when nothing else is said: 2026-11-02T08:00:00Z.
pub const DEFAULT_BASE_MS: i64 = 1_793_606_400_000;
/// Where signed URLs lead when nobody serves them; an in-process client routes by this host.
pub const DEFAULT_FILES_URL: &str = "http://files.notion-emulator.test";

/// Where external files are when nobody serves them.
pub const DEFAULT_EXTERNAL_URL: &str = "http://external.notion-emulator.test";

/// One integration to be.
#[derive(Debug, Clone)]
pub struct TokenOptions {
    /// The secret.
    pub secret: String,
    /// The integration's name, as error messages and its bot carry it.
    pub name: String,
    /// Start points; `None` shares the whole workspace.
    pub shared: Option<Vec<Ix>>,
    /// What it may do.
    pub capabilities: Capabilities,
}

impl TokenOptions {
    /// A token that sees and may read everything.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            name: "Emulated integration".to_owned(),
            shared: None,
            capabilities: Capabilities::default(),
        }
    }
}

/// A dialect of the markdown endpoint, as switches name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkdownDefault {
    /// As up to version 2026-03-11.
    #[default]
    V1,
    /// As announced for the version after it.
    V2,
}

impl MarkdownDefault {
    /// Its value in a request.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

impl From<MarkdownDefault> for Dialect {
    fn from(default: MarkdownDefault) -> Self {
        match default {
            MarkdownDefault::V1 => Self::V1,
            MarkdownDefault::V2 => Self::V2,
        }
    }
}

/// What reading a linked view as a database gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkedViews {
    /// 200 without data sources (recorded June 2026).
    #[default]
    Empty,
    /// 400, naming it a linked database (reported of older versions).
    Refused,
    /// 400, finding no accessible data source (reported of older versions).
    WithoutDataSources,
    /// 404.
    NotFound,
}

/// What the children of a copy of a synced block are, asked for by the copy's own id. Markdown has the original's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncedCopies {
    /// The original's.
    #[default]
    Original,
    /// None.
    Empty,
    /// 404.
    NotFound,
}

/// How a page object shows title and rich_text properties with more than 25 mentions ("retrieve-a-page" limits them
/// without saying what stands beyond).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MentionCut {
    /// All items are there; later mentions of people and pages have an id and no text.
    #[default]
    Bare,
    /// The array ends before the 26th mention.
    Cut,
    /// All are there in full.
    None,
}

/// How what stands below something in the trash reads (not documented).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BelowTrash {
    /// `in_trash: true`, and in no list.
    #[default]
    Marked,
    /// 404.
    NotFound,
    /// As if nothing had happened.
    Unmarked,
}

/// Switches for behaviour that varies between workspaces or over time; also set by `POST /_emulator/behavior`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behavior {
    /// Time from request to answer.
    pub latency_ms: u64,
    /// Bodies are compressed for clients that accept it, as the real ones are.
    pub gzip: bool,
    /// Rows that one data-source query gives at most ("query-a-data-source": 10,000).
    pub max_query_rows: usize,
    /// Blocks that one markdown answer holds ("working-with-markdown-content": about 20,000).
    pub markdown_max_blocks: usize,
    /// The dialect when none is asked for.
    pub markdown_default: MarkdownDefault,
    /// Dialects that may be asked for; without any, `markdown_version` is refused as an unknown parameter.
    pub markdown_versions: Vec<MarkdownDefault>,
    /// `markdown_version` is not known and not looked at.
    pub markdown_version_ignored: bool,
    /// Entries of `unknown_block_ids` at most (reported to be 100); the tags in the text are not limited.
    pub markdown_max_unknown_ids: usize,
    /// Blocks of types that the dialect has no form for are named in `unknown_block_ids` too.
    pub markdown_lists_unsupported: bool,
    /// How long after its creation an object is missing from search.
    pub search_lag_ms: i64,
    /// How long search lists an object as it was before its last edit: at the place and with the time of its creation, and
    /// what was trashed meanwhile as if it were not.
    pub search_stale_ms: i64,
    /// Search lists start points only.
    pub search_omits_inherited: bool,
    /// Search without an `in_trash` filter lists data sources in the trash (recorded June 2026).
    pub search_lists_trashed_data_sources: bool,
    /// Search lists archived pages.
    pub search_lists_archived: bool,
    /// Search ends with an invalid cursor after so many results (reported at about 11,200).
    pub search_wall: Option<usize>,
    /// At the wall search says that there is no more, instead of giving a cursor that is invalid.
    pub search_wall_silent: bool,
    /// Each answer of search after the first begins with so many results of the one before (reported of real listings).
    pub search_repeats: usize,
    /// So many of a hundred objects below start points are in no search, always the same ones (reported).
    pub search_omits_percent: u8,
    /// The comments of a page include those on its blocks ("working-with-comments" does not say).
    pub comments_include_inline: bool,
    /// What reading a linked view as a database gives.
    pub linked_views: LinkedViews,
    /// What the children of a copy of a synced block are.
    pub synced_copies: SyncedCopies,
    /// How a page object shows more than 25 mentions.
    pub mention_cut: MentionCut,
    /// How what stands below something in the trash reads.
    pub below_trash: BelowTrash,
    /// Children that are not shared are listed as blocks all the same, and 404 when read.
    pub unshared_children_listed: bool,
    /// Lists give at most so many items at once, whatever `page_size` says; "pagination" promises no full pages.
    pub short_pages: Option<usize>,
    /// Search, query and comment lists that are whole say so in `request_status`; recorded ones are silent.
    pub request_status_complete: bool,
    /// Keys of a data-source query that are refused as unknown: `is_archived` and `result_type` are younger than the rest.
    pub unknown_query_keys: Vec<String>,
    /// Addresses of pages lead to `www.notion.so`, as before June 2026.
    pub legacy_urls: bool,
    /// How long signed URLs are valid, counted in whole seconds ("file-object": an hour); if not above zero, they have
    /// expired when they arrive.
    pub file_url_valid_ms: i64,
    /// How long webhooks gather what happens to an object before they tell ("webhooks-events-delivery": about a minute).
    pub webhook_gathering_ms: i64,
    /// Webhooks that are due together are sent youngest first.
    pub webhook_reversed: bool,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            gzip: false,
            max_query_rows: 10_000,
            markdown_max_blocks: 20_000,
            markdown_default: MarkdownDefault::V1,
            markdown_versions: vec![MarkdownDefault::V1, MarkdownDefault::V2],
            markdown_version_ignored: false,
            markdown_max_unknown_ids: 100,
            markdown_lists_unsupported: false,
            search_lag_ms: 0,
            search_stale_ms: 0,
            search_omits_inherited: false,
            search_lists_trashed_data_sources: true,
            search_lists_archived: true,
            search_wall: None,
            search_wall_silent: false,
            search_repeats: 0,
            search_omits_percent: 0,
            comments_include_inline: false,
            linked_views: LinkedViews::Empty,
            synced_copies: SyncedCopies::Original,
            mention_cut: MentionCut::Bare,
            below_trash: BelowTrash::Marked,
            unshared_children_listed: false,
            short_pages: None,
            request_status_complete: false,
            unknown_query_keys: Vec::new(),
            legacy_urls: false,
            file_url_valid_ms: crate::files::VALID_MS,
            webhook_gathering_ms: 60_000,
            webhook_reversed: false,
        }
    }
}

impl Behavior {
    pub(crate) const fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }
}

/// Everything an emulator is made with beside its world.
#[derive(Debug, Clone)]
pub struct Options {
    /// Tokens; the first is the one that `truth` speaks for by default.
    pub tokens: Vec<TokenOptions>,
    /// The limit of each token.
    pub window: Option<Window>,
    /// The limit of the workspace.
    pub workspace_window: Option<Window>,
    /// Switches.
    pub behavior: Behavior,
    /// What the clock reads at the start, milliseconds since 1970.
    pub base_ms: i64,
    /// Origin of the file host.
    pub files_url: String,
    /// Origin of the host of external files.
    pub external_url: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tokens: vec![TokenOptions::new(DEFAULT_TOKEN)],
            window: None,
            workspace_window: None,
            behavior: Behavior::default(),
            base_ms: DEFAULT_BASE_MS,
            files_url: DEFAULT_FILES_URL.to_owned(),
            external_url: DEFAULT_EXTERNAL_URL.to_owned(),
        }
    }
}
