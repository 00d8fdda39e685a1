//! What an incremental crawl begins with: pure.
//!
//! The watermark of a connector is the beginning of the last crawl whose listings all ended, by Notion's clock as its answers
//! tell it (`Date`), because ours may be ahead of the stamps that it is held against. Everything edited before it was
//! listed, but for what Notion's index did not show yet; so the next crawl looks back a little further.

use jiff::{SignedDuration, Timestamp};

use super::sweep::Sweep;
use super::windows::Window;
use crate::model::ItemKind;
use crate::store::{Known, NewTask, TaskKind};

/// How far behind the watermark a crawl looks: stamps are rounded to the minute, clocks differ, and search lags behind
/// (developers.notion.com "search-optimizations-and-limitations" names no bound).
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// The first requests of an incremental crawl: what search says was edited or trashed, the rows of each data source that
/// were edited, and once more what failed.
pub(super) fn first_tasks(watermark: Timestamp, archived: bool, known: &Known) -> Vec<NewTask> {
    let since = watermark.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
    let search = |sweep: Sweep| NewTask::new(TaskKind::Search).with_detail(sweep.to_detail());
    let mut tasks = vec![search(Sweep::since(since)), search(Sweep::trash_since(since))];
    for (data_source, rows_listed) in &known.data_sources {
        let query = NewTask::on(TaskKind::QueryDataSource, *data_source);
        if *rows_listed {
            let windows = Window::edited_since(since, archived);
            tasks.extend(windows.iter().map(|window| query.clone().with_detail(window.to_detail())));
        } else {
            tasks.push(query);
        }
    }
    tasks.extend(known.failures.iter().filter_map(|failure| {
        let kind = match (failure.kind, failure.task.parse()) {
            (Some(ItemKind::Page | ItemKind::Row | ItemKind::Database | ItemKind::DataSource), _) => {
                TaskKind::Verify
            }
            // The store names its page instead.
            (Some(ItemKind::File), _) => return None,
            // It is asked for above.
            (None, Ok(TaskKind::QueryDataSource)) => return None,
            (None, Ok(kind @ (TaskKind::ReadDatabase | TaskKind::ReadDataSource))) => kind,
            (None, _) => TaskKind::ReadPage,
        };
        Some(NewTask::on(kind, failure.object))
    }));
    tasks
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::NotionId;
    use crate::store::KnownFailure;

    fn id(number: u128) -> NotionId {
        NotionId(Uuid::from_u128(number))
    }

    #[test]
    fn an_idle_workspace_costs_two_searches_and_a_query_for_each_data_source() {
        let known = Known { data_sources: vec![(id(1), true), (id(2), false)], failures: Vec::new() };
        let tasks = first_tasks(Timestamp::from_second(86_400).unwrap(), false, &known);
        let kinds: Vec<TaskKind> = tasks.iter().map(|task| task.kind).collect();
        assert_eq!(
            kinds,
            [TaskKind::Search, TaskKind::Search, TaskKind::QueryDataSource, TaskKind::QueryDataSource]
        );
        assert!(
            tasks[0].detail.as_ref().is_some_and(|detail| detail.contains("1970-01-01T23:50:00Z")),
            "{tasks:?}"
        );
        assert!(
            tasks[2].detail.is_some() && tasks[3].detail.is_none(),
            "all rows of one that was never listed whole"
        );
        assert_eq!(
            first_tasks(Timestamp::UNIX_EPOCH, true, &known).len(),
            5,
            "archived rows are asked for apart"
        );
    }

    #[test]
    fn what_failed_is_asked_for_again_as_what_it_is() {
        let failure =
            |number, kind, task: &str| KnownFailure { object: id(number), kind, task: task.to_owned() };
        let failures = vec![
            failure(1, Some(ItemKind::Row), "read_body"),
            failure(2, None, "read_database"),
            failure(3, None, "verify"),
            failure(4, None, "query_data_source"),
        ];
        let tasks = first_tasks(Timestamp::UNIX_EPOCH, false, &Known { data_sources: Vec::new(), failures });
        let kinds: Vec<TaskKind> = tasks[2..].iter().map(|task| task.kind).collect();
        assert_eq!(kinds, [TaskKind::Verify, TaskKind::ReadDatabase, TaskKind::ReadPage]);
    }
}
