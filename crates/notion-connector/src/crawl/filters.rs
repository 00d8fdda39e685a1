//! Which items a connector indexes: pure.
//!
//! A filter names objects: start points, pages, databases, data sources. It holds for each of them and for all that lies below.
//! An item has to pass every filter: where something is included, it lies at or below one of those; it lies at or below nothing
//! that is excluded. Ancestors decide, so a verdict is certain only where each step up was read by the same crawl; what stays
//! uncertain is decided by what is known when nothing more is to be asked for.

use std::collections::BTreeSet;

use crate::model::{ItemKind, NotionId};
use crate::render::address::object_of;
use crate::store::{LeftOut, Place, Standing};

/// The filters of a connector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    include: BTreeSet<NotionId>,
    exclude: BTreeSet<NotionId>,
}

/// What filters say of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is indexed.
    Keep,
    /// It is not.
    LeaveOut,
    /// Its ancestors are not known yet.
    Undecided,
}

/// What is known of an item and all above it.
#[derive(Debug, Clone, Copy, Default)]
struct Above {
    included: bool,
    excluded: bool,
    surely_included: bool,
    surely_excluded: bool,
    /// Whether every step up to the top is fresh.
    complete: bool,
}

/// The object that somebody names by its id or by its address in Notion.
///
/// # Errors
/// When it names none; says what was expected.
pub fn parse_object(text: &str) -> Result<NotionId, String> {
    object_of(text).ok_or_else(|| {
        format!("“{text}” names no page or database: give its id, or the link that Notion copies for it")
    })
}

impl Filters {
    /// Filters that keep what lies at or below `include` (everything, if that is empty) and not at or below `exclude`.
    pub fn new(include: &[NotionId], exclude: &[NotionId]) -> Self {
        Self { include: include.iter().copied().collect(), exclude: exclude.iter().copied().collect() }
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// The objects that are included.
    pub fn included(&self) -> impl Iterator<Item = NotionId> {
        self.include.iter().copied()
    }

    /// The objects that are excluded.
    pub fn excluded(&self) -> impl Iterator<Item = NotionId> {
        self.exclude.iter().copied()
    }

    /// Judges each place, in their order. With `finally` nothing stays undecided: what is known is all there is.
    pub fn judge(&self, places: &[Place], finally: bool) -> Vec<Verdict> {
        let find = finder(places);
        let mut known: Vec<Option<Above>> = vec![None; places.len()];
        let mut climbed = Vec::new();
        for start in 0..places.len() {
            // Up to what is known, then down again: each place is looked at once, however deep it lies.
            let mut at = Some(start);
            let mut above = Above::default();
            while let Some(index) = at {
                if let Some(found) = known[index] {
                    above = self.seen_from_below(&places[index], found);
                    break;
                }
                // A place that is met again is part of a circle, which has no top.
                known[index] = Some(Above::default());
                climbed.push(index);
                above = self.top(&places[index]);
                at = places[index].home.and_then(&find);
            }
            while let Some(index) = climbed.pop() {
                let own = self.with(&places[index], above);
                known[index] = Some(own);
                above = self.seen_from_below(&places[index], own);
            }
        }
        known.into_iter().map(|above| self.verdict(above.unwrap_or_default(), finally)).collect()
    }

    /// What lies above a place whose home is no known item.
    fn top(&self, place: &Place) -> Above {
        let named = |ids: &BTreeSet<NotionId>| place.home.is_some_and(|home| ids.contains(&home));
        let (included, excluded) = (named(&self.include), named(&self.exclude));
        Above {
            included,
            excluded,
            surely_included: included,
            surely_excluded: excluded,
            complete: place.home.is_none() && place.is_top,
        }
    }

    fn with(&self, place: &Place, above: Above) -> Above {
        let (included, excluded) =
            (self.include.contains(&place.object), self.exclude.contains(&place.object));
        Above {
            included: above.included || included,
            excluded: above.excluded || excluded,
            surely_included: above.surely_included || included,
            surely_excluded: above.surely_excluded || excluded,
            complete: above.complete,
        }
    }

    /// Of a place that the crawl did not meet only its id is sure: it may have moved.
    fn seen_from_below(&self, place: &Place, above: Above) -> Above {
        if place.met {
            return above;
        }
        Above {
            surely_included: self.include.contains(&place.object),
            surely_excluded: self.exclude.contains(&place.object),
            complete: false,
            ..above
        }
    }

    fn verdict(&self, above: Above, finally: bool) -> Verdict {
        if finally {
            let passes = !above.excluded && (self.include.is_empty() || above.included);
            return if passes { Verdict::Keep } else { Verdict::LeaveOut };
        }
        if above.surely_excluded {
            return Verdict::LeaveOut;
        }
        if !self.include.is_empty() && !above.surely_included {
            return if above.complete { Verdict::LeaveOut } else { Verdict::Undecided };
        }
        if self.exclude.is_empty() || above.complete { Verdict::Keep } else { Verdict::Undecided }
    }
}

/// Where the ways up from what is undecided end: at objects that nothing known is, and at those that are archived, which search
/// may not list. They are to be asked for before what is known is all there is.
pub fn unknown_above(places: &[Place], verdicts: &[Verdict]) -> BTreeSet<NotionId> {
    let find = finder(places);
    let is_archived = |place: &Place| place.standing == Standing::LeftOut(LeftOut::Archived);
    let mut ends = BTreeSet::new();
    let mut climbed = vec![false; places.len()];
    for (start, (place, verdict)) in places.iter().zip(verdicts).enumerate() {
        if *verdict != Verdict::Undecided || place.kind == ItemKind::File || is_archived(place) {
            continue;
        }
        let mut at = start;
        // What the crawl did not meet was judged by the one that did.
        while places[at].met && !std::mem::replace(&mut climbed[at], true) {
            let Some(home) = places[at].home else { break };
            match find(home) {
                Some(above) if places[above].met || !is_archived(&places[above]) => at = above,
                Some(_) | None => {
                    ends.insert(home);
                    break;
                }
            }
        }
    }
    ends
}

/// Finds a place by its object, by halves: a map of a million places would take ten times the memory of this order of them.
fn finder(places: &[Place]) -> impl Fn(NotionId) -> Option<usize> {
    let mut by_object: Vec<usize> = (0..places.len()).collect();
    by_object.sort_unstable_by_key(|index| places[*index].object);
    move |object| {
        let found = by_object.binary_search_by_key(&object, |index| places[*index].object);
        found.ok().map(|at| by_object[at])
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> NotionId {
        NotionId(Uuid::from_u128(number))
    }

    /// `home` 0 is the top of the workspace.
    fn place(object: u128, home: u128) -> Place {
        Place {
            row: 0,
            object: id(object),
            kind: ItemKind::Page,
            home: (home > 0).then(|| id(home)),
            is_top: home == 0,
            met: true,
            standing: Standing::Undecided,
        }
    }

    fn judged(include: &[u128], exclude: &[u128], places: &[Place], finally: bool) -> Vec<Verdict> {
        let ids = |numbers: &[u128]| numbers.iter().map(|number| id(*number)).collect::<Vec<_>>();
        Filters::new(&ids(include), &ids(exclude)).judge(places, finally)
    }

    use Verdict::{Keep, LeaveOut, Undecided};

    #[test]
    fn a_filter_holds_for_what_it_names_and_all_below() {
        // 1 ─ 2 ─ 3 and 4, in an order that lists children first.
        let places = [place(3, 2), place(4, 0), place(2, 1), place(1, 0)];
        assert_eq!(judged(&[], &[2], &places, false), [LeaveOut, Keep, LeaveOut, Keep]);
        assert_eq!(judged(&[2], &[], &places, false), [Keep, LeaveOut, Keep, LeaveOut]);
        assert_eq!(judged(&[1], &[2], &places, false), [LeaveOut, LeaveOut, LeaveOut, Keep]);
        assert_eq!(judged(&[3], &[1], &places, false), [LeaveOut; 4], "every filter has to be passed");
        assert_eq!(judged(&[], &[], &places, false), [Keep; 4]);
    }

    #[test]
    fn an_item_whose_ancestors_are_not_known_is_decided_when_they_are_or_nothing_more_comes() {
        let unlisted = [place(3, 2)];
        assert_eq!(judged(&[], &[1], &unlisted, false), [Undecided]);
        assert_eq!(judged(&[1], &[], &unlisted, false), [Undecided]);
        assert_eq!(judged(&[], &[2], &unlisted, false), [LeaveOut], "its parent is named, listed or not");
        assert_eq!(judged(&[2], &[], &unlisted, false), [Keep]);
        assert_eq!(
            (judged(&[], &[1], &unlisted, true), judged(&[1], &[], &unlisted, true)),
            (vec![Keep], vec![LeaveOut])
        );
    }

    #[test]
    fn what_the_crawl_did_not_meet_may_have_moved_since() {
        let stale = Place { met: false, ..place(2, 1) };
        let places = [place(3, 2), stale, place(1, 0)];
        assert_eq!(judged(&[], &[1], &places, false)[0], Undecided);
        assert_eq!(judged(&[], &[1], &places, true)[0], LeaveOut);
        assert_eq!(judged(&[], &[2], &places, false)[0], LeaveOut);
    }

    #[test]
    fn what_a_way_up_ends_at_is_asked_for_and_so_is_what_is_archived_and_was_not_met() {
        let ends = |include: &[u128], exclude: &[u128], places: &[Place]| {
            let ends = unknown_above(places, &judged(include, exclude, places, false));
            ends.into_iter().map(|end| end.0.as_u128()).collect::<Vec<_>>()
        };
        let archived = |place| Place { standing: Standing::LeftOut(LeftOut::Archived), ..place };
        let stale = |place| Place { met: false, ..place };
        // 4 ─ 3 ─ 2, which stands in the unknown 1.
        let chain = [place(4, 3), place(3, 2), place(2, 1)];
        assert_eq!(ends(&[], &[9], &chain), [1]);
        assert_eq!(ends(&[9], &[], &chain), [1]);
        assert_eq!(
            ends(&[3], &[], &chain[..2]),
            [] as [u128; 0],
            "3 is surely included, and so is what it holds"
        );
        assert_eq!(
            ends(&[], &[9], &[place(4, 3), archived(place(3, 2))]),
            [2],
            "up through what is archived"
        );
        assert_eq!(ends(&[], &[9], &[archived(place(3, 2))]), [] as [u128; 0], "nothing is to be decided");
        assert_eq!(ends(&[], &[9], &[place(4, 3), archived(stale(place(3, 2)))]), [3]);
        assert_eq!(
            ends(&[], &[9], &[place(4, 3), stale(place(3, 2))]),
            [] as [u128; 0],
            "judged when it was met"
        );
        assert_eq!(ends(&[], &[9], &[place(1, 2), place(2, 1)]), [] as [u128; 0], "a circle");
        assert_eq!(ends(&[], &[], &chain), [] as [u128; 0]);
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let places = [place(1, 2), place(2, 1), place(3, 1)];
        assert_eq!(judged(&[], &[9], &places, false), [Undecided; 3]);
        assert_eq!(judged(&[], &[9], &places, true), [Keep; 3]);
        assert_eq!(judged(&[], &[2], &places, true)[1], LeaveOut);
    }

    #[test]
    fn a_hundred_thousand_levels_are_climbed_once() {
        let deep: Vec<Place> = (1..=100_000).map(|number| place(number, number - 1)).collect();
        assert!(judged(&[], &[1], &deep, false).iter().all(|verdict| *verdict == LeaveOut));
    }

    #[test]
    fn objects_are_named_by_id_or_link() {
        let id = parse_object("0b3c6a1e7f4d4d0a9c11223344556677").unwrap();
        assert_eq!(parse_object(&id.to_string()), Ok(id));
        assert_eq!(
            parse_object("https://www.notion.so/acme/Plan-0b3c6a1e7f4d4d0a9c11223344556677?pvs=4"),
            Ok(id)
        );
        assert!(parse_object("Plan").is_err());
    }
}
