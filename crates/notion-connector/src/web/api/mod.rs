//! The REST API: a file for each resource.

pub(super) mod access;
pub(super) mod accounts;
pub(super) mod analytics;
pub(super) mod audiences;
pub(super) mod audit;
pub(super) mod connectors;
pub(super) mod crawls;
pub(super) mod health;
pub(super) mod items;
pub(super) mod keys;
pub(super) mod metrics;
pub(super) mod openapi;
pub(super) mod people;
pub(super) mod roles;
pub(super) mod schedules;
pub(super) mod search;
pub(super) mod status;
pub(super) mod webhooks;
pub(super) mod why;
