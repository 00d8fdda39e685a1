//! What one search lists, and what follows where it is cut: pure.
//!
//! A search is not meant to list everything (developers.notion.com "search-optimizations-and-limitations"), and its cursor
//! was reported to die for good after about 11,200 results. So what newest-first does not reach is listed oldest first,
//! until the two meet. Where they do not, data sources alone are listed in both directions, because queries list their rows;
//! pages that neither direction reaches are found only where something else names them, and the crawl says so.
//!
//! A search may also end too early without a word. So one that ends after thousands of results is followed by one request for
//! the oldest: if the crawl has not met them, the search was cut, and goes on like one whose cursor died.

use jiff::Timestamp;
use notion_api::endpoints::{Direction, Paging, SearchObject, SearchRequest};
use serde::{Deserialize, Serialize};

/// From so many results on, the end of a search is not believed by itself: the wall was reported at about 11,200, and
/// a search that ends earlier without a word was not reported at all.
const BELIEVED: u64 = 2_000;

/// A listing by search. Stands in the queue as JSON; without it, everything, newest edit first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Sweep {
    /// What lies in the trash instead of what does not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) trash: bool,
    /// Data sources alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tables: bool,
    /// Oldest edit first, until it meets what newest-first listed: down to this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    up_to: Option<Timestamp>,
    /// Newest edit first, and no further than this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// The first few objects.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) few: bool,
    /// The oldest, to see whether the crawl met them when a search ended that came down to this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Timestamp>,
    /// How far it came, over all its beginnings.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<Timestamp>,
    /// How many results it listed.
    #[serde(skip_serializing_if = "is_zero")]
    listed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What follows on a search that was cut.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rest {
    /// These searches.
    pub(super) ask: Option<Sweep>,
    /// Whether objects may be beyond every search.
    pub(super) unreachable: bool,
    /// Between which times of edit they are, where that is known.
    pub(super) gap: Option<(Timestamp, Timestamp)>,
}

impl Sweep {
    /// What was edited at that time or later.
    pub(super) fn since(time: Timestamp) -> Self {
        Self { since: Some(time), ..Self::default() }
    }

    /// What was edited, and lies in the trash, at that time or later.
    pub(super) fn trash_since(time: Timestamp) -> Self {
        Self { trash: true, ..Self::since(time) }
    }

    /// A handful of what was edited last.
    pub(super) fn few() -> Self {
        Self { few: true, ..Self::default() }
    }

    /// The sweep of a task.
    pub(super) fn of(detail: Option<&str>) -> Self {
        detail.and_then(|detail| serde_json::from_str(detail).ok()).unwrap_or_default()
    }

    /// As it stands in the queue.
    pub(super) fn to_detail(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How often it may begin again before it counts as cut. Another direction takes over from newest-first.
    pub(super) const fn restarts(&self) -> u32 {
        if self.is_ascending() { 3 } else { 1 }
    }

    const fn is_ascending(&self) -> bool {
        self.up_to.is_some() || self.check.is_some()
    }

    /// The request.
    pub(super) fn request(&self, paging: Paging) -> SearchRequest {
        SearchRequest {
            query: None,
            object: self.tables.then_some(SearchObject::DataSource),
            in_trash: self.trash,
            sort: Some(if self.is_ascending() { Direction::Ascending } else { Direction::Descending }),
            paging,
        }
    }

    /// The same after an answer with so many results, the last of them edited at `last`.
    #[must_use]
    pub(super) fn after(self, results: usize, last: Option<Timestamp>) -> Self {
        let further =
            |one: Timestamp, other| if self.is_ascending() { one.max(other) } else { one.min(other) };
        let reached = match (self.reached, last) {
            (Some(one), Some(other)) => Some(further(one, other)),
            (one, other) => one.or(other),
        };
        Self { reached, listed: self.listed + results as u64, ..self }
    }

    /// Whether what follows need not be listed.
    pub(super) fn is_over(&self) -> bool {
        if self.few {
            return true;
        }
        // Objects edited in one minute may stand in any order: only behind that minute all of them were listed.
        self.reached.is_some_and(|reached| {
            self.since.is_some_and(|since| reached < since) || self.up_to.is_some_and(|up_to| reached > up_to)
        })
    }

    /// Whether it only looks for the oldest: then nothing follows on an answer that has any, unless one of them is new to
    /// the crawl, and then this.
    pub(super) fn if_new(&self) -> Option<Self> {
        self.check.map(|up_to| Self { tables: self.tables, up_to: Some(up_to), ..Self::default() })
    }

    /// What follows where it ends by itself, not being over: nothing, a look at the oldest, or what follows on a cut.
    pub(super) fn at_end(&self) -> Rest {
        let nothing = Rest { ask: None, unreachable: false, gap: None };
        if self.listed < BELIEVED || self.trash || self.check.is_some() {
            return nothing;
        }
        match (self.up_to, self.reached) {
            // It came to an end below where it was to meet the other direction.
            (Some(_), _) => self.rest(),
            (None, Some(reached)) => {
                let check = Self { tables: self.tables, check: Some(reached), ..Self::default() };
                Rest { ask: Some(check), ..nothing }
            }
            (None, None) => nothing,
        }
    }

    /// What follows where it is cut.
    pub(super) fn rest(&self) -> Rest {
        let found = |ask| Rest { ask, unreachable: false, gap: None };
        let lost = |ask| Rest { ask, unreachable: true, gap: self.reached.zip(self.up_to) };
        match (self.up_to, self.reached) {
            // What lies in the trash and is not listed there, a full crawl finds.
            _ if self.trash => found(None),
            _ if self.check.is_some() => found(self.if_new()),
            (None, Some(reached)) => {
                found(Some(Self { tables: self.tables, up_to: Some(reached), ..Self::default() }))
            }
            (Some(_), _) if !self.tables => lost(Some(Self { tables: true, ..Self::default() })),
            (Some(_), _) | (None, None) => lost(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// Lists stamps by sweeps that are cut after `wall` results, ten at once. What was met, and whether some may be missing.
    fn follow(stamps: &[i64], wall: usize, first: Sweep) -> (Vec<i64>, bool) {
        let (mut met, mut missing, mut next) = (Vec::new(), false, Some(first));
        while let Some(mut sweep) = next.take() {
            let mut order = stamps.to_vec();
            order.sort_unstable();
            if sweep.request(Paging::default()).sort == Some(Direction::Descending) {
                order.reverse();
            }
            let cut = order.len() > wall;
            order.truncate(wall);
            for answer in order.chunks(10) {
                met.extend(answer);
                sweep =
                    Sweep::of(Some(&sweep.after(answer.len(), answer.last().copied().map(at)).to_detail()));
                if sweep.is_over() {
                    break;
                }
            }
            if cut && !sweep.is_over() {
                let rest = sweep.rest();
                missing |= rest.unreachable;
                // The stamps are of pages: a sweep for data sources lists none of them.
                next = rest.ask.filter(|ask| !ask.tables);
            }
        }
        met.sort_unstable();
        met.dedup();
        (met, missing)
    }

    #[test]
    fn both_directions_list_up_to_twice_the_wall_and_say_when_they_do_not_meet() {
        let stamps: Vec<i64> = (0..180).collect();
        assert_eq!(follow(&stamps, 100, Sweep::default()), (stamps.clone(), false));
        let (met, missing) = follow(&stamps, 80, Sweep::default());
        assert_eq!((met.len(), missing), (160, true));
        let crowd = vec![7; 180];
        assert!(follow(&crowd, 100, Sweep::default()).1, "in one minute nothing tells that the two met");
    }

    #[test]
    fn an_end_after_thousands_of_results_is_looked_into_and_one_before_is_believed() {
        let ended = |listed, sweep: Sweep| Sweep { listed, reached: Some(at(7)), ..sweep }.at_end();
        assert_eq!(ended(BELIEVED - 1, Sweep::default()).ask, None);
        assert_eq!(ended(BELIEVED, Sweep::trash_since(at(1))).ask, None);
        let check = ended(BELIEVED, Sweep::default()).ask.unwrap();
        assert_eq!(check.request(Paging::default()).sort, Some(Direction::Ascending));
        assert_eq!(check.if_new().unwrap().up_to, Some(at(7)));
        assert_eq!(ended(BELIEVED, check.clone()).ask, None, "a look is not looked into");
        assert_eq!(check.rest().ask, check.if_new(), "nor given up");
        // The other direction ended silently too, before it met the first.
        let other = Sweep { up_to: Some(at(9)), ..Sweep::default() };
        assert_eq!(ended(BELIEVED, other.clone()).gap, Some((at(7), at(9))));
        assert_eq!(ended(5, other).gap, None);
    }

    #[test]
    fn a_search_since_a_time_ends_behind_it() {
        let stamps: Vec<i64> = (0..100).collect();
        let (met, missing) = follow(&stamps, 50, Sweep::since(at(85)));
        assert_eq!((met.first().copied(), missing), (Some(80), false));
    }

    #[test]
    fn data_sources_are_listed_alone_where_the_directions_do_not_meet() {
        let both = Sweep { up_to: Some(at(9)), reached: Some(at(3)), ..Sweep::default() };
        let rest = both.rest();
        assert!(rest.unreachable && rest.ask.as_ref().is_some_and(|ask| ask.tables));
        let again = rest.ask.clone().unwrap().after(1, Some(at(5))).rest();
        assert!(again.ask.is_some_and(|ask| ask.tables && ask.up_to == Some(at(5))));
        assert_eq!(rest.gap, Some((at(3), at(9))));
        let trash = Sweep::trash_since(at(1)).rest();
        assert!(trash.ask.is_none() && !trash.unreachable);
        assert_eq!(Sweep::of(None), Sweep::default());
    }
}
