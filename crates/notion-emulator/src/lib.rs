//! A Notion on loopback: serves worlds over the REST API, and refuses and fails like the real one.
//!
//! # Map
//!
//! ```text
//! import/    a folder of Markdown → a seed; sample/ is the workspace that ships with the emulator, as one
//! seed       the language in which worlds are described; markdown folders, the sample and the control API speak it
//! world/     what exists: model, ids, planting, generating, editing, sharing, truth
//! objects/   world → JSON, as one token reads it in one API version
//! rules/     what holds for every request: token, version, limit, arguments
//! routes/    the endpoints, one file per resource
//! markdown/  block trees → the two dialects of the markdown endpoint
//! emulator   the way of a request through all that; faults, files, log and clock are its neighbours
//! verbs      what a test does to a world; control is the same over HTTP below /_emulator/
//! webhooks/  what the verbs did, told to endpoints on this machine
//! serve      listeners; everything else works without a socket
//! ```
//!
//! # Invariants
//!
//! - Nothing here is shared with a client: answers are `serde_json::Value`s built by our own builders, requests are
//!   checked by our own rules, so a slip cannot be wrong on both sides.
//! - One seed, one world: ids, texts, times and marker words depend on nothing else.
//! - Reading changes nothing but the log, the limit counts and the signatures of file URLs.
//! - Time is tokio's, so a paused clock drives limits, latency and expiry ([`clock::Clock`]).
//!
//! # In process
//!
//! ```
//! use notion_emulator::{Emulator, Options, world::World};
//! use tower::ServiceExt as _;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let world = World::generated("pages=20,seed=1".parse().unwrap());
//! let emulator = Emulator::new(world, Options::default());
//! let request = http::Request::get("/v1/users/me")
//!     .header("authorization", format!("Bearer {}", notion_emulator::DEFAULT_TOKEN))
//!     .header("notion-version", "2026-03-11")
//!     .body(axum::body::Body::empty())
//!     .unwrap();
//! let response = emulator.router().oneshot(request).await.unwrap();
//! assert_eq!(response.status(), 200);
//! # });
//! ```

pub mod clock;
mod control;
mod emulator;
mod error;
pub mod faults;
pub mod files;
pub mod import;
pub mod log;
pub mod markdown;
pub mod objects;
mod options;
mod routes;
pub mod rules;
pub mod sample;
pub mod seed;
mod serve;
mod verbs;
mod webhooks;
pub mod world;

pub use emulator::Emulator;
pub use error::ApiError;
pub use options::{
    Behavior, BelowTrash, DEFAULT_BASE_MS, DEFAULT_EXTERNAL_URL, DEFAULT_FILES_URL, DEFAULT_TOKEN,
    LinkedViews, MarkdownDefault, MentionCut, Options, SyncedCopies, TokenOptions,
};
pub use serve::{Listeners, ServeError};
pub use verbs::{Edit, VerbError};
pub use webhooks::{Delivery, EventState, NewSubscription, WebhookFault, WebhookFaultKind};
