//! From one phase to the next, and how a crawl ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::driver::{CrawlError, Crawler};
use super::filters::{Verdict, unknown_above};
use super::plan::needs_approval;
use super::rerender::rerender_under;
use super::snapshot::finish;
use crate::model::{ItemKind, NotionId};
use crate::store::{
    AlertScope, Crawl, CrawlState, LeftOut, NewAlert, NewTask, Phase, Place, Scope, Standing, StoreError,
    TaskKind,
};

/// What to do when an integration reaches nothing.
pub const NOTHING_CONNECTED: &str = "nothing is connected to the integration yet: open a page in Notion, choose ••• → \
    Connections, and add the integration (its subpages come along)";

const TOO_MUCH_EDITED: &str =
    "more was edited since the last crawl than search lists: the next crawl is a full one";

const NOT_UNDERSTOOD: &str = "the object that Notion listed could not be understood";
const NO_ADDRESS: &str = "the file's address was too old when its turn came, and where it stood Notion shows it no more: the next \
    crawl reads the page again, and the file with it if it is still there";

/// Items rendered again in one go.
const BATCH: u32 = 100;

/// Share of the item limit from which it is warned of.
const LIMIT_WARNING_PERCENT: u128 = 80;

impl Crawler {
    /// The queue is empty: finds more to do (true), or nothing (false).
    pub(super) async fn advance(self: &Arc<Self>, crawl: &Crawl) -> Result<bool, CrawlError> {
        let id = crawl.id;
        Ok(self
            .blocking(move |crawler| {
                let Some(crawl) = crawler.store.load_crawl(id)? else { return Ok(false) };
                crawler.advance_now(&crawl)
            })
            .await?)
    }

    fn advance_now(&self, crawl: &Crawl) -> Result<bool, StoreError> {
        if crawl.scope == Scope::People {
            return self.advance_people(crawl);
        }
        if crawl.plan_only {
            return Ok(self.store.queue_asked(crawl)? > 0 || self.decide(crawl)?);
        }
        if self.render_open(crawl)? > 0 || self.store.queue_asked(crawl)? > 0 {
            return Ok(true);
        }
        if self.decide(crawl)? {
            // What is kept may name blocks as parents too.
            self.store.save_phase(crawl.id, Phase::Read)?;
            return Ok(true);
        }
        let next = match crawl.phase {
            Phase::Read => {
                self.store.queue_unresolved_parents(crawl)?;
                if crawl.scope == Scope::Partial {
                    // These ask for the rows of the data sources among them.
                    self.store.queue_below(crawl, false)?;
                }
                Phase::ResolveParents
            }
            Phase::ResolveParents => {
                // Where search has a gap, each held item is asked for by itself: nothing is concluded from its absence.
                let asks = !crawl.incomplete || self.store.has_only_gap(crawl.id)?;
                match crawl.scope {
                    Scope::Incremental | Scope::Events => self.store.queue_doubted(crawl)?,
                    // What a listing that did not end omits proves nothing.
                    Scope::Full | Scope::ForceReindex | Scope::Partial if !asks => 0,
                    Scope::Full | Scope::ForceReindex => self.store.queue_unseen(crawl)?,
                    Scope::Partial => self.store.queue_below(crawl, true)?,
                    Scope::Test | Scope::People => 0,
                };
                // A crawl of a part brings in nothing that is above it.
                if crawl.scope.lists_all() || matches!(crawl.scope, Scope::Incremental | Scope::Events) {
                    self.store.queue_homes(crawl)?;
                }
                Phase::Verify
            }
            Phase::Verify if self.store.queue_homeless(crawl)? > 0 => return Ok(true),
            // Only now it is known which pages there are.
            Phase::Verify if self.account_for_files(crawl, BATCH)? => return Ok(true),
            Phase::Verify => Phase::Settle,
            Phase::Settle => return Ok(false),
        };
        self.store.save_phase(crawl.id, next)?;
        Ok(true)
    }

    /// Renders items whose body is known already or that have none. Returns how many were open.
    fn render_open(&self, crawl: &Crawl) -> Result<usize, StoreError> {
        let open = self.store.load_unaccounted(crawl, BATCH)?;
        let now = self.runtime.now();
        for row in &open {
            let has_body = matches!(row.kind, ItemKind::Page | ItemKind::Row);
            if has_body && row.read.is_none() {
                let task = NewTask::for_page(TaskKind::ReadBody, row.id, row.id);
                self.store.add_tasks(crawl.id, &[task])?;
                return Ok(open.len());
            }
            match finish(row, row.read.as_ref(), self.workspace, self.file_policy().as_ref()) {
                Some(finished) => self.store.save_page(crawl, &finished, None, now)?,
                None => {
                    let message = if row.kind == ItemKind::File { NO_ADDRESS } else { NOT_UNDERSTOOD };
                    self.store.fail_item(crawl, row.id, message, now)?;
                }
            }
        }
        Ok(open.len())
    }

    /// Lets filters decide about what this crawl met, again whenever more is known. Returns whether there is more to ask.
    fn decide(&self, crawl: &Crawl) -> Result<bool, StoreError> {
        if self.filters.is_empty() && !self.store.has_undecided(crawl)? {
            return Ok(false);
        }
        if !self.store.has_met(crawl)? {
            // Nothing changed, and all that is known need not be looked at.
            return Ok(self.store.ask_for_given(crawl, self.filters.included())? > 0);
        }
        let places = self.store.load_places(crawl.connector, Some(crawl))?;
        let mut verdicts = self.filters.judge(&places, false);
        let asked = self.store.ask_for_given(crawl, unknown_above(&places, &verdicts))?;
        if crawl.phase != Phase::Read && asked == 0 {
            verdicts = self.filters.judge(&places, true);
        }
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        // Files go with their pages, and the one that describes a file may be another connector's.
        let judged = |place: &Place| place.met && place.kind != ItemKind::File;
        for (place, verdict) in places.iter().zip(verdicts).filter(|(place, _)| judged(place)) {
            match (verdict, place.standing) {
                (Verdict::Keep, Standing::Undecided | Standing::LeftOut(LeftOut::Filter)) => {
                    kept.push(*place);
                }
                (
                    Verdict::LeaveOut,
                    Standing::Undecided | Standing::Held | Standing::LeftOut(LeftOut::Limit),
                ) => {
                    left_out.push(*place);
                }
                (Verdict::Keep, Standing::Held | Standing::LeftOut(LeftOut::Limit) | Standing::Strange)
                | (Verdict::LeaveOut, Standing::LeftOut(LeftOut::Filter) | Standing::Strange)
                | (_, Standing::LeftOut(LeftOut::Archived))
                | (Verdict::Undecided, _) => {}
            }
        }
        let (limit, now) = (self.settings.item_limit, self.runtime.now());
        for some in kept.chunks(BATCH as usize) {
            self.store.save_verdicts(crawl, some, &[], limit, now)?;
        }
        for some in left_out.chunks(BATCH as usize) {
            self.store.save_verdicts(crawl, &[], some, limit, now)?;
        }
        let mut missing: BTreeSet<NotionId> = self.filters.included().collect();
        for place in places.iter().filter(|place| place.met) {
            missing.remove(&place.object);
        }
        Ok(self.store.ask_for_given(crawl, missing)? + asked > 0 || !kept.is_empty())
    }

    /// Warns of what the settings include and Notion does not return: it was asked for by its id, whatever was listed.
    fn tell_missing(&self, crawl: &Crawl) -> Result<(), StoreError> {
        let now = self.runtime.now();
        for object in self.store.load_unmet(crawl, self.filters.included())? {
            let message = format!(
                "the connector includes {object}, which Notion does not return: nothing at or below it is found by that. It may be in the \
                 trash, archived, or not connected to the integration; look at it in Notion, or take it out of the filter (connector edit \
                 NAME --include …)"
            );
            let group = format!("included {object}");
            let alert = NewAlert::warning(AlertScope::Items, &group, &message).about(Some(object));
            self.store.add_alert(crawl.id, alert, now)?;
        }
        Ok(())
    }

    /// Says how near the limit is. Beyond it every new item was told of when it was met.
    fn tell_limit(&self, crawl: &Crawl) -> Result<(), StoreError> {
        let (held, limit) = (self.store.count_held(crawl.connector)?, self.settings.item_limit);
        if held >= limit || u128::from(held) * 100 < u128::from(limit) * LIMIT_WARNING_PERCENT {
            return Ok(());
        }
        let message = format!(
            "the connector holds {held} items and may hold {limit}: beyond that, new ones are counted and not indexed; raise the \
             limit (connector edit NAME --item-limit N), or leave more out"
        );
        let now = self.runtime.now();
        let alert = NewAlert::warning(AlertScope::AllItems, "item limit", &message);
        self.store.add_alert(crawl.id, alert, now)
    }

    /// Deletes what is proven gone, and ends the crawl; the store checks its counters then.
    pub(super) async fn settle(self: &Arc<Self>, crawl: &Crawl) -> Result<(), CrawlError> {
        let id = crawl.id;
        let now = self.runtime.now();
        Ok(self
            .blocking(move |crawler| {
                let Some(crawl) = crawler.store.load_crawl(id)? else { return Ok(()) };
                let state = crawler.settle_now(&crawl)?;
                crawler.store.end_crawl(id, state, None, now)
            })
            .await?)
    }

    /// To the beginning of a crawl whose listings all ended.
    ///
    /// A gap in what search lists keeps no full crawl from it: what is below or in anything visible was met, each held item
    /// that was not was asked for by itself, and what is edited in the gap from now on is the newest. An incremental crawl
    /// whose search did not reach back to the watermark has missed edits, and would miss them for ever.
    fn move_watermark(&self, crawl: &Crawl) -> Result<(), StoreError> {
        let moves = crawl.scope.lists_all() || crawl.scope == Scope::Incremental;
        if !moves || crawl.unended {
            return Ok(());
        }
        if crawl.scope == Scope::Incremental && self.store.has_gap(crawl.id)? {
            let now = self.runtime.now();
            let alert = NewAlert::warning(AlertScope::Crawl, "watermark", TOO_MUCH_EDITED);
            self.store.add_alert(crawl.id, alert, now)?;
            return self.store.clear_watermark(crawl.connector);
        }
        self.store.save_watermark(crawl)
    }

    fn settle_now(&self, crawl: &Crawl) -> Result<CrawlState, StoreError> {
        let now = self.runtime.now();
        if crawl.scope != Scope::Test {
            self.store.settle_files(crawl)?;
            // What leaves now may leave others without a place, of whom this crawl has proven nothing.
            self.store.settle_places(crawl)?;
        }
        let (gone, held) = self.store.count_departures(crawl)?;
        let ask =
            needs_approval(gone, held, self.settings.deletion_share_percent, self.settings.deletion_floor);
        let ask = ask && crawl.scope != Scope::Test;
        if crawl.scope != Scope::Test {
            self.store.apply_departures(crawl, ask)?;
            self.store.prune_left_out(crawl, crawl.scope.lists_all() && !crawl.incomplete)?;
            // Pages went that files were described by.
            self.store.settle_files(crawl)?;
            rerender_under(&self.store, self.file_policy().as_ref(), now)?;
            self.tell_limit(crawl)?;
            self.tell_missing(crawl)?;
        }
        let crawl = self.store.load_crawl(crawl.id)?.ok_or(StoreError::NoCrawl(crawl.id.0))?;
        let reaches_nothing = match crawl.scope {
            Scope::Test => true,
            Scope::Events | Scope::People => false,
            Scope::Full | Scope::ForceReindex | Scope::Incremental | Scope::Partial => held == 0,
        };
        if crawl.counters.discovered() == 0 && reaches_nothing && self.filters.is_empty() {
            let alert = NewAlert::warning(AlertScope::Crawl, "nothing connected", NOTHING_CONNECTED);
            self.store.add_alert(crawl.id, alert, now)?;
        }
        self.move_watermark(&crawl)?;
        self.store.prune_sightings(&crawl)?;
        let crawl = self.store.load_crawl(crawl.id)?.ok_or(StoreError::NoCrawl(crawl.id.0))?;
        Ok(if ask {
            let message = format!(
                "{gone} of {held} items are gone in Notion, more than the bound allows: look at them, then run \
                 `notion-connector crawls approve-deletions {}`",
                crawl.id
            );
            let alert = NewAlert::warning(AlertScope::Items, "deletions", &message);
            self.store.add_alert(crawl.id, alert, now)?;
            CrawlState::AwaitingApproval
        } else {
            crawl.end_state()
        })
    }
}
