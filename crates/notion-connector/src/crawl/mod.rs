//! Crawling: what is asked of Notion, in which order, and what becomes of the answers.
//!
//! ```text
//! queue → fetch (one request) → Outcome → step (pure) → Transition → one transaction: queue, items, outbox
//! ```
//!
//! - `plan` decides what to read and what a failure means; `step` what an answer changes. Both are pure.
//! - `sweep`, `windows` and `watermark` say what one listing asks for and what the next; all are pure.
//! - `events` says what is read because of a webhook's event. Pure.
//! - `filters` says which items a connector indexes. Pure.
//! - `files` says which files of a page are wanted, and what reading one makes of it. Pure. `file_tasks` reads them.
//! - `people` says who of the directory somebody in Notion is, and ends user permission crawls.
//! - `driver` keeps requests under way; `apply` writes; `settle` ends a crawl.
//! - The queue is the checkpoint: a process that dies loses the requests it had under way and nothing else.
//! - `planned` says from the listings of a crawl what the rest of it will cost.
//! - An item leaves the index only by `settle`, on proof.
//!
//! To add a kind of request: a [`TaskKind`](crate::store::TaskKind), its arm in `fetch`, its rule in `step`.

mod advice;
mod apply;
mod driver;
mod eta;
pub mod events;
mod fetch;
mod file_tasks;
pub mod files;
pub mod filters;
mod long_properties;
pub mod people;
pub mod plan;
mod planned;
mod rerender;
mod settle;
mod snapshot;
pub mod step;
mod sweep;
mod watermark;
mod windows;

pub use advice::advise;
pub use driver::{CrawlError, Crawler, Progress, Refused};
pub use eta::Pace;
pub use file_tasks::Files;
pub use planned::listing_settings;
pub use rerender::rerender;
pub use settle::NOTHING_CONNECTED;
