//! What one search lists, and what follows where it is cut: pure.
//!
//! A search is not meant to list everything (developers.notion.com "search-optimizations-and-limitations"), and its cursor
//! was reported to die for good after about 11,200 results. So what newest-first does not reach is listed oldest first,
//! until the two meet. Where they do not, data sources alone are listed in both directions, because queries list their rows;
//! pages that neither direction reaches are found only where something else names them, and the crawl says so.

use jiff::Timestamp;
use notion_api::endpoints::{Direction, Paging, SearchObject, SearchRequest};
use serde::{Deserialize, Serialize};

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
    /// How far it came, over all its beginnings.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<Timestamp>,
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
        if self.up_to.is_some() { 3 } else { 1 }
    }

    /// The request.
    pub(super) fn request(&self, paging: Paging) -> SearchRequest {
        SearchRequest {
            query: None,
            object: self.tables.then_some(SearchObject::DataSource),
            in_trash: self.trash,
            sort: Some(if self.up_to.is_some() { Direction::Ascending } else { Direction::Descending }),
            paging,
        }
    }

    /// The same after an answer that ends with an object edited at `last`.
    #[must_use]
    pub(super) fn after(self, last: Option<Timestamp>) -> Self {
        let further =
            |one: Timestamp, other| if self.up_to.is_some() { one.max(other) } else { one.min(other) };
        let reached = match (self.reached, last) {
            (Some(one), Some(other)) => Some(further(one, other)),
            (one, other) => one.or(other),
        };
        Self { reached, ..self }
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

    /// What follows where it is cut.
    pub(super) fn rest(&self) -> Rest {
        let found = |ask| Rest { ask, unreachable: false, gap: None };
        let lost = |ask| Rest { ask, unreachable: true, gap: self.reached.zip(self.up_to) };
        match (self.up_to, self.reached) {
            // What lies in the trash and is not listed there, a full crawl finds.
            _ if self.trash => found(None),
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
                sweep = Sweep::of(Some(&sweep.after(answer.last().copied().map(at)).to_detail()));
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
        let again = rest.ask.clone().unwrap().after(Some(at(5))).rest();
        assert!(again.ask.is_some_and(|ask| ask.tables && ask.up_to == Some(at(5))));
        assert_eq!(rest.gap, Some((at(3), at(9))));
        let trash = Sweep::trash_since(at(1)).rest();
        assert!(trash.ask.is_none() && !trash.unreachable);
        assert_eq!(Sweep::of(None), Sweep::default());
    }
}
