//! What a crawl will cost, from its listings: the known is counted, the rest is estimated and said to be.

use std::collections::BTreeSet;
use std::sync::Arc;

use notion_api::wire::Page;

use super::driver::{CrawlError, Crawler};
use super::files::{EXTRACTOR_VERSION, unwanted_everywhere};
use super::filters::Filters;
use crate::config::{BodyChoice, CrawlConfig};
use crate::model::{FileRef, ItemKind, Plan, PlannedItems};
use crate::render::{self, PageBody};
use crate::store::{Crawl, FileState, Inventory, PlaceDetail, Scope, StoreError};

/// Requests a minute where no crawl has shown another measure: what Notion grants at least
/// (developers.notion.com "request-limits": three a second on average).
const DOCUMENTED_RATE: f64 = 180.0;

/// Objects looked at in one go.
const BATCH: u32 = 500;

/// What is an estimate in every plan, by the names of the fields.
const ESTIMATES: [&str; 5] = ["unlisted", "files", "files_to_read", "requests_to_come", "minutes"];

/// From what the listings found.
fn plan_of(crawl: &Crawl, found: &Inventory, (files, files_to_read): (u64, u64), pace: (u64, u64)) -> Plan {
    let items = found.kinds.iter().map(|kind| {
        let has_body = matches!(kind.kind, ItemKind::Page | ItemKind::Row);
        let settled = kind.to_read + kind.over_limit + kind.undecided;
        PlannedItems {
            kind: kind.kind,
            listed: kind.listed,
            to_read: kind.to_read,
            unchanged: if has_body { kind.listed.saturating_sub(settled) } else { 0 },
            undecided: kind.undecided,
            left_out_by_filters: kind.filtered,
            left_out_by_limit: kind.over_limit,
        }
    });
    let (requests_per_minute, rate_from) = rate(pace);
    let requests_to_come = found.waiting + found.to_ask;
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let minutes = requests_to_come as f64 / requests_per_minute;
    Plan {
        items: items.collect(),
        complete: !crawl.incomplete,
        gone: found.gone,
        unlisted: found.to_ask,
        files,
        files_to_read,
        requests_made: crawl.counters.requests,
        requests_to_come,
        minutes,
        requests_per_minute,
        rate_from: rate_from.to_owned(),
        estimates: ESTIMATES.map(str::to_owned).to_vec(),
    }
}

/// Requests a minute, and where that is known from.
fn rate((requests, active_ms): (u64, u64)) -> (f64, &'static str) {
    if requests == 0 || active_ms == 0 {
        return (DOCUMENTED_RATE, "documented limit");
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = requests as f64 * 60_000.0 / active_ms as f64;
    (rate, "earlier crawls")
}

/// The settings that listings depend on, as one text: a plan that was made under others is worth nothing.
pub fn listing_settings(body: BodyChoice, settings: &CrawlConfig, filters: &Filters) -> String {
    let included: Vec<_> = filters.included().collect();
    let excluded: Vec<_> = filters.excluded().collect();
    serde_json::json!({
        "body": body, "comments": settings.comments, "archived": settings.archived, "item_limit": settings.item_limit,
        "include": included, "exclude": excluded,
    })
    .to_string()
}

/// The files that the properties of an object hold.
fn files_of(source: &str) -> Vec<FileRef> {
    // Most objects have none, and decoding takes time.
    if !source.contains("\"files\"") {
        return Vec::new();
    }
    let Ok(page) = serde_json::from_str::<Page>(source) else { return Vec::new() };
    render::files_of(Some(&page), &PageBody::default())
}

impl Crawler {
    /// Lets a plan wait whose listings have ended. False if it is none any more: somebody let it go on.
    pub(super) async fn save_planned(self: &Arc<Self>, crawl: &Crawl) -> Result<bool, CrawlError> {
        let id = crawl.id;
        Ok(self
            .blocking(move |crawler| {
                let crawl = crawler.store.load_crawl(id)?.ok_or(StoreError::NoCrawl(id.0))?;
                let found = crawler.store.load_inventory(&crawl)?;
                let pace = crawler.store.load_pace(crawl.connector)?;
                let plan = plan_of(&crawl, &found, crawler.count_files(&crawl)?, pace);
                let settings = listing_settings(crawler.body, &crawler.settings, &crawler.filters);
                let plan = serde_json::to_string(&plan).unwrap_or_default();
                crawler.store.save_planned(id, &settings, &plan, crawler.runtime.now())
            })
            .await?)
    }

    /// Files that are known or can be told from listings, and how many of them are to be read.
    fn count_files(&self, crawl: &Crawl) -> Result<(u64, u64), StoreError> {
        let Some(policy) = self.file_policy() else { return Ok((0, 0)) };
        let (mut met, mut new, mut after) = (BTreeSet::new(), BTreeSet::new(), 0);
        loop {
            let some = self.store.load_met_sources(crawl, after, BATCH)?;
            let Some((last, _)) = some.last() else { break };
            after = *last;
            for (row, source) in some {
                met.insert(row);
                for file in files_of(&source).iter().filter_map(|file| policy.wanted(file)) {
                    if !new.contains(&file) && self.store.load_item(crawl.connector, file)?.is_none() {
                        new.insert(file);
                    }
                }
            }
        }
        let (mut known, mut due, mut after) = (0, 0, 0);
        loop {
            let some = self.store.load_placed(crawl.connector, after, BATCH)?;
            let Some(last) = some.last() else { break };
            after = last.row;
            for file in some {
                let on_met = file.places.into_iter().filter(|(page, _)| met.contains(page));
                let on_met: Vec<PlaceDetail> = on_met.map(|(_, detail)| detail).collect();
                if on_met.is_empty() || unwanted_everywhere(&policy, &on_met).is_some() {
                    continue;
                }
                known += 1;
                let is_new = file.state.is_none() || file.extractor != Some(EXTRACTOR_VERSION);
                let fits = file.bytes <= policy.settings.max_bytes();
                due += u64::from(fits && (is_new || file.state == Some(FileState::TooLarge)));
            }
        }
        let new = new.len() as u64;
        let forced = crawl.scope == Scope::ForceReindex;
        Ok((known + new, new + if forced { known } else { due }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_earlier_crawls_or_the_documented_one() {
        assert_eq!(rate((0, 0)), (180.0, "documented limit"));
        assert_eq!(rate((600, 60_000)), (600.0, "earlier crawls"));
    }

    #[test]
    fn files_of_properties_are_counted_and_their_mere_mention_is_not() {
        let page = |properties: serde_json::Value| {
            serde_json::json!({
                "object": "page", "id": "0b3c6a1e-7f4d-4d0a-9c11-223344556677",
                "parent": {"type": "workspace", "workspace": true}, "properties": properties,
            })
            .to_string()
        };
        let file = serde_json::json!({"name": "a.pdf", "type": "external", "external": {"url": "https://files.example/a.pdf"}});
        let papers = serde_json::json!({"Papers": {"id": "p", "type": "files", "files": [file, file]}});
        assert_eq!(files_of(&page(papers)).len(), 2);
        let named = serde_json::json!({"files": {"id": "t", "type": "title", "title": []}});
        assert!(files_of(&page(named)).is_empty());
        assert!(files_of("\"files\"").is_empty());
    }
}
