//! A client for the read side of the Notion REST API.
//!
//! * [`wire`]: what Notion answers, as types that never refuse a page because of one part of it.
//! * [`Client`]: one function for each endpoint that reads; one call is one attempt.
//! * [`Transport`]: the seam to the network; [`HttpTransport`] is the real one.
//! * [`Error::class`]: what a failure means; [`retry::decide`]: whether and when to try again.
//! * [`budget`]: spends the request limit of an integration and its workspace to the last request, and no more.
//!
//! This crate knows nothing of documents, storage, search or configuration. It never sleeps except to wait for its
//! turn in a budget, and takes time from tokio's clock, which a test may pause.

mod base_url;
pub mod budget;
mod client;
pub mod endpoints;
mod error;
pub mod retry;
mod transport;
mod version;
pub mod wire;

pub use base_url::{BaseUrl, BaseUrlError};
pub use client::{Answer, Client, Traffic};
pub use error::{Class, Error, ErrorCode, LimitReason, Refusal};
pub use transport::{
    HttpSettings, HttpTransport, Transport, TransportError, TransportErrorKind, tls_settings,
};
pub use version::{ApiVersion, UnknownVersion};
