//! Which rows of a data source one query lists, and which the next: pure.
//!
//! A query ends after 10,000 rows (developers.notion.com "query-a-data-source"). So rows are listed oldest first, and where
//! a query is cut the next one begins at the minute of its last row; rows seen twice are one item. An import can make
//! more rows in one minute than a query lists: those are told apart by the minute of their last edit, and then by title
//! from both ends, until the ends meet. Rows that neither end reaches no query lists.

use jiff::{SignedDuration, Timestamp};
use notion_api::endpoints::{
    Direction, Paging, QueryFilter, QueryRequest, QuerySort, SortKey, TimeCondition, Timestamp as Stamp,
};
use serde::{Deserialize, Serialize};

use crate::model::NotionId;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The rows of one query. Stands in the queue as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    /// The archived rows instead of the others (developers.notion.com changelog, July 2026).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) archived: bool,
    /// By what rows are told apart.
    #[serde(default)]
    rows: Rows,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rows {
    /// All of them.
    #[default]
    All,
    /// Edited last in this minute or later.
    EditedFrom(Timestamp),
    /// Made in this minute or later.
    CreatedFrom(Timestamp),
    /// Made in this minute, edited last in `edited_from` or later.
    CreatedIn { minute: Timestamp, edited_from: Option<Timestamp> },
    /// Made in one minute and edited last in one, from the first title on.
    FromFirst { minute: Timestamp, edited: Timestamp },
    /// The same from the last title on. The other end came to the row `reached`, titled `title`; this one has met it or not.
    FromLast { minute: Timestamp, edited: Timestamp, reached: NotionId, title: String, met: bool },
}

/// A row as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedRow {
    /// Its id.
    pub(super) id: NotionId,
    /// `created_time`.
    pub(super) created: Timestamp,
    /// `last_edited_time`.
    pub(super) edited: Timestamp,
    /// Title.
    pub(super) title: String,
}

/// What is to be asked after a query that was cut.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// These queries.
    Ask(Vec<Window>),
    /// Nothing: all of its rows were listed.
    Nothing,
    /// Nothing: rows are beyond every query.
    Unreachable,
}

impl Window {
    /// The archived rows.
    pub(super) const ARCHIVED: Self = Self { archived: true, rows: Rows::All };

    /// The rows edited at that time or later; archived ones are asked for apart.
    pub(super) fn edited_since(time: Timestamp, archived: bool) -> Vec<Self> {
        let window = |archived| Self { archived, rows: Rows::EditedFrom(time) };
        [false, true].into_iter().filter(|apart| archived || !apart).map(window).collect()
    }

    /// The window of a task; all rows if it names none.
    pub(super) fn of(detail: Option<&str>) -> Self {
        detail.and_then(|detail| serde_json::from_str(detail).ok()).unwrap_or_default()
    }

    /// As it stands in the queue.
    pub(super) fn to_detail(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The query.
    pub(super) fn request(&self, paging: Paging) -> QueryRequest {
        let created = |condition| QueryFilter::Time(Stamp::Created, condition);
        let edited = |condition| QueryFilter::Time(Stamp::LastEdited, condition);
        let within =
            |minute: Timestamp| [TimeCondition::OnOrAfter(minute), TimeCondition::Before(end_of(minute))];
        let by_time = |stamp| QuerySort { key: SortKey::Time(stamp), direction: Direction::Ascending };
        let by_title = |minute, at, direction| {
            let all = within(minute).map(created).into_iter().chain(within(at).map(edited)).collect();
            let sort = QuerySort { key: SortKey::Property("title".to_owned()), direction };
            (Some(QueryFilter::All(all)), sort)
        };
        let (filter, sort) = match self.rows {
            Rows::All => (None, by_time(Stamp::Created)),
            Rows::EditedFrom(from) => {
                (Some(edited(TimeCondition::OnOrAfter(from))), by_time(Stamp::LastEdited))
            }
            Rows::CreatedFrom(minute) => {
                (Some(created(TimeCondition::OnOrAfter(minute))), by_time(Stamp::Created))
            }
            Rows::CreatedIn { minute, edited_from } => {
                let mut all = within(minute).map(created).to_vec();
                all.extend(edited_from.map(|from| edited(TimeCondition::OnOrAfter(from))));
                (Some(QueryFilter::All(all)), by_time(Stamp::LastEdited))
            }
            Rows::FromFirst { minute, edited } => by_title(minute, edited, Direction::Ascending),
            Rows::FromLast { minute, edited, .. } => by_title(minute, edited, Direction::Descending),
        };
        QueryRequest { filter, sorts: vec![sort], is_archived: self.archived, result_type: None, paging }
    }

    /// The same after one more answer.
    #[must_use]
    pub(super) fn after(mut self, rows: &[ListedRow]) -> Self {
        if let Rows::FromLast { reached, met, .. } = &mut self.rows {
            *met |= rows.iter().any(|row| row.id == *reached);
        }
        self
    }

    /// As it stands in the queue, where an answer changed that.
    pub(super) fn progress(&self) -> Option<String> {
        matches!(self.rows, Rows::FromLast { .. }).then(|| self.to_detail())
    }

    /// What is to be asked when this query was cut behind `last`.
    pub(super) fn rest(&self, last: &ListedRow) -> Rest {
        let ask = |rows: Vec<Rows>| {
            let window = |rows| Self { archived: self.archived, rows };
            Rest::Ask(rows.into_iter().map(window).collect())
        };
        match &self.rows {
            Rows::All => ask(vec![Rows::CreatedFrom(last.created)]),
            Rows::EditedFrom(from) if last.edited > *from => ask(vec![Rows::EditedFrom(last.edited)]),
            // A whole query of rows edited in one minute.
            Rows::EditedFrom(_) => ask(vec![Rows::All]),
            Rows::CreatedFrom(from) if last.created > *from => ask(vec![Rows::CreatedFrom(last.created)]),
            // A whole query of rows made in one minute.
            Rows::CreatedFrom(from) => ask(vec![
                Rows::CreatedIn { minute: *from, edited_from: None },
                Rows::CreatedFrom(end_of(*from)),
            ]),
            Rows::CreatedIn { minute, edited_from } if edited_from.is_none_or(|from| last.edited > from) => {
                ask(vec![Rows::CreatedIn { minute: *minute, edited_from: Some(last.edited) }])
            }
            Rows::CreatedIn { minute, .. } => ask(vec![
                Rows::FromFirst { minute: *minute, edited: last.edited },
                Rows::CreatedIn { minute: *minute, edited_from: Some(end_of(last.edited)) },
            ]),
            Rows::FromFirst { minute, edited } => ask(vec![Rows::FromLast {
                minute: *minute,
                edited: *edited,
                reached: last.id,
                title: last.title.clone(),
                met: false,
            }]),
            // Between different titles the ends overlap; rows of one title may stand in any order.
            Rows::FromLast { title, met: true, .. } if *title != last.title => Rest::Nothing,
            Rows::FromLast { .. } => Rest::Unreachable,
        }
    }
}

fn end_of(minute: Timestamp) -> Timestamp {
    minute.checked_add(MINUTE).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// What Notion lists of `rows` in that window, and whether it was cut.
    fn listed(rows: &[ListedRow], window: &Window, cap: usize) -> (Vec<ListedRow>, bool) {
        let mut found: Vec<ListedRow> = rows
            .iter()
            .filter(|row| match window.rows {
                Rows::All => true,
                Rows::EditedFrom(from) => row.edited >= from,
                Rows::CreatedFrom(from) => row.created >= from,
                Rows::CreatedIn { minute, edited_from } => {
                    row.created == minute && edited_from.is_none_or(|from| row.edited >= from)
                }
                Rows::FromFirst { minute, edited } | Rows::FromLast { minute, edited, .. } => {
                    row.created == minute && row.edited == edited
                }
            })
            .cloned()
            .collect();
        match window.rows {
            Rows::All | Rows::CreatedFrom(_) => found.sort_by_key(|row| row.created),
            Rows::CreatedIn { .. } | Rows::EditedFrom(_) => found.sort_by_key(|row| row.edited),
            Rows::FromFirst { .. } => found.sort_by_key(|row| row.title.clone()),
            // Ties stay in the order of the ids: the worst that an order may do.
            Rows::FromLast { .. } => found.sort_by_key(|row| std::cmp::Reverse(row.title.clone())),
        }
        let cut = found.len() > cap;
        found.truncate(cap);
        (found, cut)
    }

    /// Follows windows to their end: all rows met, and how often rows were beyond reach.
    fn follow(rows: &[ListedRow], cap: usize) -> (BTreeSet<NotionId>, usize, usize) {
        follow_from(Window::default(), rows, cap)
    }

    fn follow_from(first: Window, rows: &[ListedRow], cap: usize) -> (BTreeSet<NotionId>, usize, usize) {
        let (mut met, mut unreachable, mut queries) = (BTreeSet::new(), 0, 0);
        let mut windows = vec![first];
        while let Some(window) = windows.pop() {
            queries += 1;
            let (found, cut) = listed(rows, &window, cap);
            let window = found
                .chunks(7)
                .fold(window, |window, page| Window::of(Some(&window.after(page).to_detail())));
            met.extend(found.iter().map(|row| row.id));
            if cut {
                match window.rest(found.last().unwrap()) {
                    Rest::Ask(more) => windows.extend(more),
                    Rest::Nothing => {}
                    Rest::Unreachable => unreachable += 1,
                }
            }
        }
        (met, unreachable, queries)
    }

    fn row(number: usize, created: i64, edited: i64, title: usize) -> ListedRow {
        ListedRow {
            id: NotionId(uuid::Uuid::from_u128(number as u128)),
            created: at(created),
            edited: at(edited),
            title: format!("{title:03}"),
        }
    }

    proptest! {
        #[test]
        fn every_row_is_listed_or_the_loss_is_told(
            places in proptest::collection::vec((0..5_i64, 0..3_i64, 0..40_usize), 0..250),
            cap in 3..30_usize,
        ) {
            let rows: Vec<ListedRow> =
                places.into_iter().enumerate().map(|(n, (c, e, t))| row(n, c, c + e, t)).collect();
            let (met, unreachable, queries) = follow(&rows, cap);
            prop_assert!(met.len() == rows.len() || unreachable > 0, "rows are missing and nobody says so");
            prop_assert!(queries <= 2 + 4 * rows.len());
            let since = Window::edited_since(at(3), false).remove(0);
            let (met, unreachable, _) = follow_from(since, &rows, cap);
            let edited = rows.iter().filter(|row| row.edited >= at(3));
            prop_assert!(unreachable > 0 || edited.clone().all(|row| met.contains(&row.id)));
        }
    }

    #[test]
    fn a_crowd_of_one_minute_is_listed_from_both_ends_until_they_meet() {
        let crowd = |size: usize| (0..size).map(|n| row(n, 3, 4, n)).collect::<Vec<_>>();
        assert_eq!(follow(&crowd(18), 10).1, 0);
        let (met, unreachable, _) = follow(&crowd(25), 10);
        assert_eq!((met.len(), unreachable), (20, 1));
        let untitled: Vec<ListedRow> = (0..12).map(|n| row(n, 3, 4, 0)).collect();
        assert_eq!(follow(&untitled, 10).1, 1, "rows of one title have no order to rely on");
    }

    #[test]
    fn a_minute_is_asked_for_with_two_levels_of_filters_at_most() {
        let rows = Rows::FromFirst { minute: at(1), edited: at(2) };
        let request = Window { archived: true, rows }.request(Paging::default());
        assert!(request.is_archived);
        assert!(matches!(request.filter, Some(QueryFilter::All(all)) if all.len() == 4));
        assert_eq!(request.sorts[0].key, SortKey::Property("title".to_owned()));
        assert_eq!(Window::of(None), Window::default());
        assert!(Window::default().request(Paging::default()).filter.is_none());
    }
}
