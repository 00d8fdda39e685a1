//! The emulator held against the documentation, sentence by sentence, and against outside witnesses.
//!
//! `conformance` cites what it checks; `objects`, `values`, `dialects`, `switches` and `views` do so for kinds of
//! objects and the switches about them; `sharing`, `changes` and `limits` drive the verbs in process; `files` the file
//! host; `webhooks` what endpoints are told; `sdk` runs the official SDKs and schemas against the binary; `binary` its command line.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod binary;
mod changes;
mod conformance;
mod dialects;
mod extremes;
mod files;
mod harness;
mod limits;
mod objects;
mod queries;
mod sdk;
mod sharing;
mod switches;
mod values;
mod variety;
mod views;
mod webhooks;
