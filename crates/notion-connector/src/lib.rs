//! Makes a Notion workspace searchable for an organisation: crawl, store, index, search.
//!
//! Arrows point downwards only (`cargo xtask tidy` checks):
//! `cli web mcp → ops → crawl → render → model`, `ops → search → model`, `sink → store → model`.

pub mod app;
pub mod cli;
pub mod config;
mod confined;
pub mod crawl;
pub mod data_dir;
pub mod extract;
pub mod files;
mod mcp;
pub mod model;
pub mod observe;
pub mod openid;
pub mod ops;
pub mod render;
pub mod runtime;
pub mod scripts;
pub mod search;
pub mod secrets;
pub mod sink;
pub mod store;
pub mod web;
