//! The product from outside: one binary for all integration tests, a module for each subject.
//!
//! Most tell the main line: a crawl of an emulated Notion in, searches and an export out. What they share is in
//! `support` and, for the real binary, in `program`. A new promise is a new module here.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should fail"
)]

mod program;
mod scratch;
mod support;

mod audiences;
mod audit;
mod backup;
mod bodies;
mod budget;
mod commands;
mod connectors;
mod documents;
mod extract;
mod faults;
mod file_facts;
mod file_settings;
mod files;
mod filters;
mod full_disk;
mod growth;
mod history;
mod images;
mod keys;
mod kill;
mod limit;
mod matrix;
mod overlap;
mod people;
mod plan;
mod power;
mod proxy;
mod reconcile;
mod replay;
mod revoked;
mod scopes;
mod scripts;
mod secrets;
mod serve;
mod sign_in;
mod tls;
mod truth;
mod upgrade;
mod web;
mod webhooks;
mod whole;
mod why;
mod why_files;
