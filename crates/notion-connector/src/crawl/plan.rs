//! Pure decisions about what to read and what to do when reading fails.

use std::time::Duration;

use notion_api::retry::{self, Decision, RetryPolicy};
use notion_api::{Class, TransportErrorKind};

use crate::model::ItemKind;
use crate::store::{Listed, NewTask, Proof, ReadPlan, Scope, Stored, Task, TaskKind};

/// Notion rounds `last_edited_time` to the minute (a second edit in that minute does not move it), and its clock is not
/// ours: a body read within this time after its stamp may be older than a later edit with the same stamp.
const STAMP_SETTLES: Duration = Duration::from_secs(120);

/// Failures of one target, while other requests succeed, after which another way is tried: with the first one, of which
/// nobody knows yet whose fault it is, the fifth in a row.
const ATTEMPTS: u32 = 4;

/// Pause before a question is asked again that came up while judging another failure.
pub const PAUSE: Duration = Duration::from_secs(5);

/// What an object needs that a listing returned.
pub fn plan_read(scope: Scope, listed: &Listed, stored: Option<Stored>, renderer: u32) -> ReadPlan {
    let has_body = matches!(listed.kind, ItemKind::Page | ItemKind::Row);
    let Some(stored) = stored else { return if has_body { ReadPlan::Body } else { ReadPlan::Render } };
    let read_again = match (scope, stored.body) {
        (Scope::ForceReindex, _) | (_, None) => true,
        (Scope::Full, Some((edited, read))) => edited != listed.edited || read < edited + STAMP_SETTLES,
    };
    if has_body && read_again {
        ReadPlan::Body
    } else if stored.renderer != Some(renderer) || !stored.same_source {
        // Properties can change without the stamp: formulas, rollups, names of people.
        ReadPlan::Render
    } else {
        ReadPlan::Nothing
    }
}

/// What to do about a task that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after a pause; `counted` failures use up the target's attempts, the others the crawl's patience.
    Retry {
        /// How long to wait at least.
        after: Duration,
        /// Whether it is the target's fault.
        counted: bool,
    },
    /// Ask in another way.
    Instead(Vec<NewTask>),
    /// Begin the listing again.
    Restart,
    /// Notion does not have it: not shared, deleted, or never there.
    Gone(Proof),
    /// Give the task up and say so.
    Fail,
    /// Nothing can go on.
    Stop,
}

/// Judges a failure.
///
/// `others_succeed` says whether other requests were answered since this task last failed: then a failure is the
/// target's own, else it may be Notion's or the network's and is waited out.
pub fn judge(task: &Task, class: &Class, others_succeed: bool, random: f64) -> Verdict {
    let failures = task.attempts + 1;
    match class {
        Class::Unauthorized | Class::RequestBlocked | Class::EdgeBlocked | Class::Request => Verdict::Stop,
        // Names of people are a comfort; content is not.
        Class::MissingCapability if task.kind == TaskKind::ListUsers => Verdict::Fail,
        Class::MissingCapability => Verdict::Stop,
        Class::NotFound => Verdict::Gone(Proof::NotFound),
        Class::InvalidCursor if task.restarts + 1 < ATTEMPTS => Verdict::Restart,
        Class::InvalidCursor | Class::Validation(_) | Class::Network(TransportErrorKind::TooLarge) => {
            another_way(task)
        }
        Class::RateLimited { .. } | Class::Overloaded { .. } => wait(class, failures, random, false),
        Class::Unavailable { .. } | Class::Network(_) | Class::Protocol if others_succeed => {
            if failures >= ATTEMPTS { another_way(task) } else { wait(class, failures, random, true) }
        }
        Class::Unavailable { .. } | Class::Network(_) | Class::Protocol => {
            wait(class, failures, random, false)
        }
    }
}

/// As long as Notion says, or longer each time. How often is not decided here but by attempts and patience.
fn wait(class: &Class, failures: u32, random: f64, counted: bool) -> Verdict {
    let policy = RetryPolicy { max_attempts: u32::MAX, patience: Duration::MAX, ..RetryPolicy::default() };
    match retry::decide(&policy, class, failures, Duration::ZERO, random) {
        Decision::Retry { after, .. } => Verdict::Retry { after, counted },
        Decision::GiveUp => Verdict::Fail,
    }
}

/// By blocks what does not come by markdown; what does not come by blocks has failed.
fn another_way(task: &Task) -> Verdict {
    match (task.kind, task.page) {
        (TaskKind::ReadBody, Some(page)) => {
            Verdict::Instead(vec![NewTask::for_page(TaskKind::ReadChildren, page, page)])
        }
        _ => Verdict::Fail,
    }
}

/// Whether so many deletions by Notion's word need somebody's approval.
pub const fn needs_approval(gone: u64, held: u64, share_percent: u64, floor: u64) -> bool {
    gone > floor && gone * 100 > held * share_percent
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::model::{ItemKey, NotionId, Parent};
    use crate::store::{CrawlId, TaskId};

    fn at(text: &str) -> Timestamp {
        Timestamp::from_str(text).unwrap()
    }

    fn listed(kind: ItemKind, edited: &str) -> Listed {
        let id = NotionId(Uuid::from_u128(7));
        Listed {
            key: ItemKey::new(id, kind, id),
            kind,
            id,
            title: String::new(),
            parent: Parent::Workspace,
            edited: at(edited),
            source: String::new(),
        }
    }

    fn stored(edited: &str, read: &str) -> Option<Stored> {
        Some(Stored { body: Some((at(edited), at(read))), renderer: Some(1), same_source: true })
    }

    fn task(kind: TaskKind, attempts: u32) -> Task {
        let id = NotionId(Uuid::from_u128(7));
        Task {
            id: TaskId(1),
            crawl: CrawlId(1),
            kind,
            target: Some(id),
            page: Some(id),
            cursor: None,
            attempts,
            restarts: 0,
            target_kind: None,
        }
    }

    #[test]
    fn an_unchanged_page_costs_no_request() {
        let page = listed(ItemKind::Page, "2026-05-01T10:00:00Z");
        let stored = stored("2026-05-01T10:00:00Z", "2026-05-01T10:30:00Z");
        assert_eq!(plan_read(Scope::Full, &page, stored, 1), ReadPlan::Nothing);
        assert_eq!(plan_read(Scope::ForceReindex, &page, stored, 1), ReadPlan::Body);
        assert_eq!(plan_read(Scope::Full, &page, stored, 2), ReadPlan::Render);
        let newer = listed(ItemKind::Page, "2026-05-01T10:31:00Z");
        assert_eq!(plan_read(Scope::Full, &newer, stored, 1), ReadPlan::Body);
    }

    #[test]
    fn a_page_read_within_the_minute_of_its_stamp_is_read_again() {
        let page = listed(ItemKind::Page, "2026-05-01T10:00:00Z");
        let stored = stored("2026-05-01T10:00:00Z", "2026-05-01T10:00:40Z");
        assert_eq!(plan_read(Scope::Full, &page, stored, 1), ReadPlan::Body);
    }

    #[test]
    fn databases_are_rendered_and_never_read_as_bodies() {
        let database = listed(ItemKind::Database, "2026-05-01T10:00:00Z");
        assert_eq!(plan_read(Scope::Full, &database, None, 1), ReadPlan::Render);
        assert_eq!(plan_read(Scope::ForceReindex, &database, None, 1), ReadPlan::Render);
    }

    #[test]
    fn waits_never_use_up_an_items_attempts() {
        let limited = Class::RateLimited { retry_after: Some(Duration::from_secs(3)), reason: None };
        assert!(matches!(
            judge(&task(TaskKind::ReadBody, 99), &limited, true, 0.0),
            Verdict::Retry { counted: false, after } if after >= Duration::from_secs(3)
        ));
        let down = Class::Unavailable { status: 503, retry_after: None };
        assert!(matches!(
            judge(&task(TaskKind::ReadBody, 99), &down, false, 0.5),
            Verdict::Retry { counted: false, .. }
        ));
    }

    #[test]
    fn a_page_that_keeps_failing_while_others_succeed_is_read_by_blocks_and_then_given_up() {
        let broken = Class::Unavailable { status: 502, retry_after: None };
        assert!(matches!(
            judge(&task(TaskKind::ReadBody, 0), &broken, true, 0.5),
            Verdict::Retry { counted: true, .. }
        ));
        assert!(matches!(
            judge(&task(TaskKind::ReadBody, 3), &broken, true, 0.5),
            Verdict::Instead(others) if others.iter().all(|other| other.kind == TaskKind::ReadChildren)
        ));
        assert_eq!(judge(&task(TaskKind::ReadChildren, 3), &broken, true, 0.5), Verdict::Fail);
    }

    #[test]
    fn a_dead_token_stops_the_crawl_and_deletes_nothing() {
        for class in [Class::Unauthorized, Class::MissingCapability, Class::EdgeBlocked] {
            assert_eq!(judge(&task(TaskKind::Verify, 0), &class, true, 0.5), Verdict::Stop);
        }
        assert_eq!(judge(&task(TaskKind::ListUsers, 0), &Class::MissingCapability, true, 0.5), Verdict::Fail);
    }

    #[test]
    fn many_deletions_ask_first_and_few_never_do() {
        assert!(!needs_approval(50, 60, 20, 50));
        assert!(needs_approval(51, 60, 20, 50));
        assert!(!needs_approval(200, 1_000, 20, 50));
        assert!(needs_approval(201, 1_000, 20, 50));
    }
}
