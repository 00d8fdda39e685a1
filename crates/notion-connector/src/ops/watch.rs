//! Following a crawl, whichever process runs it: the database says how far it is.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::crawls::summary_of;
use super::{CrawlSummary, OpsError};
use crate::app::App;
use crate::crawl::{Pace, Progress};
use crate::model::{Caller, Role};
use crate::store::CrawlId;

/// How often somebody who follows a crawl learns of it.
const EVERY: Duration = Duration::from_secs(1);

/// How far a crawl is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CrawlProgress {
    /// The crawl.
    #[serde(flatten)]
    pub crawl: CrawlSummary,
    /// Items met so far.
    pub known: u64,
    /// Whether listings are still under way: then `known` still grows.
    pub listing: bool,
    /// Items processed in a second, in the last two minutes; none until that can be measured.
    pub items_per_second: Option<f64>,
    /// Requests sent in a second, in the last two minutes.
    pub requests_per_second: Option<f64>,
    /// Seconds until every item met so far is processed, at this speed; an estimate.
    pub eta_seconds: Option<u64>,
}

/// Follows a crawl until it has ended.
pub struct CrawlWatch {
    app: Arc<App>,
    id: i64,
    pace: Pace,
    since: tokio::time::Instant,
    told: bool,
    ended: bool,
}

impl CrawlWatch {
    /// Follows that crawl from now on.
    ///
    /// # Errors
    /// When there is no such crawl.
    pub fn new(app: Arc<App>, caller: &Caller, id: i64) -> Result<Self, OpsError> {
        caller.require(Role::ConnectorAdmin)?;
        summary_of(&app, id)?;
        let since = tokio::time::Instant::now();
        Ok(Self { app, id, pace: Pace::default(), since, told: false, ended: false })
    }

    /// How far it is: at once for the first time, then every second, and none after the one that says how it ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next(&mut self) -> Result<Option<CrawlProgress>, OpsError> {
        if self.ended {
            return Ok(None);
        }
        if self.told {
            self.app.runtime.sleep(EVERY).await;
        }
        self.told = true;
        let (app, id) = (Arc::clone(&self.app), self.id);
        let look = move || {
            let crawl = summary_of(&app, id)?;
            Ok::<_, OpsError>((crawl, app.store.count_known(CrawlId(id))?))
        };
        let (crawl, (known, listing)) = self.app.runtime.blocking(look).await?;
        // What an ended crawl met is forgotten by and by; it met what it counted.
        let known = known.max(crawl.discovered);
        let progress = Progress { done: crawl.discovered, known, requests: crawl.requests, listing };
        let estimate = self.pace.see(self.since.elapsed(), progress);
        self.ended = !crawl.state.is_open();
        Ok(Some(CrawlProgress {
            crawl,
            known,
            listing,
            items_per_second: estimate.items_per_second,
            requests_per_second: estimate.requests_per_second,
            eta_seconds: estimate.eta_seconds.filter(|_| !self.ended),
        }))
    }
}
