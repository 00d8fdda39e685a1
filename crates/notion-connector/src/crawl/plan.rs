//! Pure decisions about what to read and what to do when reading fails.

use std::time::Duration;

use notion_api::retry::{self, Decision, RetryPolicy};
use notion_api::{Class, TransportErrorKind};

use super::sweep::Sweep;
use super::windows::Window;
use crate::config::{BodyChoice, CommentsChoice};
use crate::model::ItemKind;
use crate::store::{GIVEN, Listed, NewTask, Proof, ReadPlan, Scope, Stored, Task, TaskKind};

/// Notion rounds `last_edited_time` to the minute (a second edit in that minute does not move it), and its clock is not
/// ours: a body read within this time after its stamp may be older than a later edit with the same stamp.
const STAMP_SETTLES: Duration = Duration::from_secs(120);

/// Failures of one target, while other requests succeed, after which another way is tried: with the first one, of which
/// nobody knows yet whose fault it is, the fifth in a row.
pub(super) const ATTEMPTS: u32 = 4;

/// Pause before a question is asked again that came up while judging another failure.
pub const PAUSE: Duration = Duration::from_secs(5);

/// What an object needs that a listing returned.
pub fn plan_read(
    scope: Scope,
    comments: CommentsChoice,
    listed: &Listed,
    stored: Option<Stored>,
    renderer: u32,
) -> ReadPlan {
    let has_body = matches!(listed.kind, ItemKind::Page | ItemKind::Row);
    let failed = stored.is_some_and(|stored| stored.failed);
    let read_again = match (scope, stored.and_then(|stored| stored.body)) {
        (Scope::ForceReindex | Scope::Test, _) | (_, None) => true,
        (
            Scope::Full | Scope::Incremental | Scope::Partial | Scope::Events | Scope::People,
            Some((edited, read)),
        ) => failed || edited != listed.edited || read < edited + STAMP_SETTLES,
    };
    let same_source = stored.is_some_and(|stored| stored.same_source);
    let mut tasks = Vec::new();
    if has_body {
        let on_page = |kind| NewTask::for_page(kind, listed.id, listed.id);
        if read_again || !same_source {
            let long = listed.cut_properties.iter();
            tasks.extend(long.map(|property| on_page(TaskKind::ReadProperty).with_detail(property)));
        }
        // A comment is not known to move the stamp of its page. Those on blocks come along with a body alone.
        if comments != CommentsChoice::Off && (read_again || scope != Scope::Incremental) {
            tasks.push(on_page(TaskKind::ReadComments));
        }
        if read_again {
            tasks.push(on_page(TaskKind::ReadBody));
        }
    }
    let Some(stored) = stored.filter(|_| tasks.is_empty()) else {
        return if tasks.is_empty() { ReadPlan::Render } else { ReadPlan::Read(tasks) };
    };
    if failed || stored.renderer != Some(renderer) || !stored.same_source {
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
    /// The search does not go on: another lists what is behind.
    Cut,
    /// There is nothing of the kind: nothing to read, and nothing lost.
    Nothing,
    /// Read no comments: the integration may not.
    WithoutComments,
    /// Read no archived rows: Notion does not list them.
    WithoutArchived,
    /// Ask for no dialect of Markdown: Notion refuses the one that is asked for.
    WithoutDialect,
    /// Notion does not have it: not shared, deleted, or never there.
    Gone(Proof),
    /// What others lie in, or settings name, is not there: nothing leaves for it.
    Absent,
    /// Give the task up and say so.
    Fail,
    /// Nothing can go on.
    Stop,
}

/// Judges a failure.
///
/// `others_succeed` says whether other requests were answered since this task last failed: then a failure is the
/// target's own, else it may be Notion's or the network's and is waited out, longer each of the `times` that it failed.
pub fn judge(
    task: &Task,
    class: &Class,
    body: BodyChoice,
    others_succeed: bool,
    times: u32,
    random: f64,
) -> Verdict {
    let failures = task.attempts + 1;
    let wait = |counted| wait(class, times.max(failures), random, counted);
    match class {
        Class::Request if task.kind == TaskKind::CountRows => Verdict::Fail,
        Class::Request if task.kind == TaskKind::ReadBody => another_way(task, body),
        // One page that is always refused must not keep all others out; what is refused everywhere stops soon.
        Class::MissingCapability | Class::EdgeBlocked
            if task.kind.reads_page()
                && task.kind != TaskKind::ReadComments
                && (failures == 1 || others_succeed) =>
        {
            if failures >= ATTEMPTS {
                another_way(task, body)
            } else {
                Verdict::Retry { after: PAUSE, counted: true }
            }
        }
        Class::Unauthorized | Class::RequestBlocked | Class::EdgeBlocked | Class::Request => Verdict::Stop,
        // Names of people are a comfort; content is not.
        Class::MissingCapability
            if matches!(task.kind, TaskKind::ListUsers | TaskKind::ReadUser | TaskKind::CountRows) =>
        {
            Verdict::Fail
        }
        Class::MissingCapability if task.kind == TaskKind::ReadComments => Verdict::WithoutComments,
        Class::MissingCapability => Verdict::Stop,
        // Asked for as one kind of object, and another.
        Class::Validation(_) if task.detail.as_deref() == Some(GIVEN) => Verdict::Nothing,
        Class::NotFound if task.detail.as_deref() == Some(GIVEN) => Verdict::Absent,
        Class::Validation(_) if task.is_hint() => Verdict::Nothing,
        Class::NotFound => in_its_own_place(task).unwrap_or(Verdict::Gone(Proof::NotFound)),
        // Before 2026 a linked view was refused in these words; its rows live in the original, which is listed by itself.
        Class::Validation(_) if task.kind == TaskKind::ReadDatabase => Verdict::Nothing,
        // `is_archived` is in the documentation and not in every workspace's API.
        Class::Validation(_)
            if task.kind == TaskKind::QueryDataSource && Window::of(task.detail.as_deref()).archived =>
        {
            Verdict::WithoutArchived
        }
        Class::Validation(_)
            if matches!(task.kind, TaskKind::ReadBody | TaskKind::ReadPart)
                && matches!(body, BodyChoice::V1 | BodyChoice::V2) =>
        {
            Verdict::WithoutDialect
        }
        Class::InvalidCursor if task.kind == TaskKind::Search => {
            // For good behind so many results: whoever begins again dies at the same place.
            if task.restarts < Sweep::of(task.detail.as_deref()).restarts() {
                Verdict::Restart
            } else {
                Verdict::Cut
            }
        }
        Class::InvalidCursor if task.restarts + 1 < ATTEMPTS => Verdict::Restart,
        Class::InvalidCursor | Class::Validation(_) | Class::Network(TransportErrorKind::TooLarge) => {
            another_way(task, body)
        }
        Class::RateLimited { .. } | Class::Overloaded { .. } => wait(false),
        Class::Unavailable { .. } | Class::Network(_) | Class::Protocol if others_succeed => {
            if failures >= ATTEMPTS { another_way(task, body) } else { wait(true) }
        }
        Class::Unavailable { .. } | Class::Network(_) | Class::Protocol => wait(false),
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
pub(super) fn another_way(task: &Task, body: BodyChoice) -> Verdict {
    match (task.kind, task.page, task.target) {
        (TaskKind::ReadBody | TaskKind::ReadPart, Some(page), Some(target)) if body != BodyChoice::Blocks => {
            Verdict::Instead(vec![NewTask::for_page(TaskKind::ReadChildren, page, target)])
        }
        _ => in_its_own_place(task).unwrap_or(Verdict::Fail),
    }
}

/// A copy of a synced block whose original cannot be read may have its content below its own id.
fn in_its_own_place(task: &Task) -> Option<Verdict> {
    let copy = task.kind == TaskKind::ReadChildren && task.detail.is_some();
    let (page, block) = (task.page.filter(|_| copy)?, task.target?);
    Some(Verdict::Instead(vec![NewTask::for_page(TaskKind::ReadChildren, page, block)]))
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
            cut_properties: Vec::new(),
        }
    }

    fn stored(edited: &str, read: &str) -> Option<Stored> {
        Some(Stored {
            body: Some((at(edited), at(read))),
            renderer: Some(1),
            same_source: true,
            failed: false,
        })
    }

    fn body(listed: &Listed) -> ReadPlan {
        ReadPlan::Read(vec![NewTask::for_page(TaskKind::ReadBody, listed.id, listed.id)])
    }

    fn task(kind: TaskKind, attempts: u32) -> Task {
        let id = NotionId(Uuid::from_u128(7));
        Task {
            id: TaskId(1),
            crawl: CrawlId(1),
            kind,
            target: Some(id),
            page: Some(id),
            detail: None,
            alone: true,
            cursor: None,
            attempts,
            restarts: 0,
            target_kind: None,
            urgent: false,
        }
    }

    #[test]
    fn an_unchanged_page_costs_no_request() {
        let page = listed(ItemKind::Page, "2026-05-01T10:00:00Z");
        let stored = stored("2026-05-01T10:00:00Z", "2026-05-01T10:30:00Z");
        assert_eq!(plan_read(Scope::Full, CommentsChoice::Off, &page, stored, 1), ReadPlan::Nothing);
        assert_eq!(plan_read(Scope::ForceReindex, CommentsChoice::Off, &page, stored, 1), body(&page));
        assert_eq!(plan_read(Scope::Full, CommentsChoice::Off, &page, stored, 2), ReadPlan::Render);
        let newer = listed(ItemKind::Page, "2026-05-01T10:31:00Z");
        assert_eq!(plan_read(Scope::Full, CommentsChoice::Off, &newer, stored, 1), body(&newer));
    }

    #[test]
    fn a_page_read_within_the_minute_of_its_stamp_is_read_again() {
        let page = listed(ItemKind::Page, "2026-05-01T10:00:00Z");
        let stored = stored("2026-05-01T10:00:00Z", "2026-05-01T10:00:40Z");
        assert_eq!(plan_read(Scope::Full, CommentsChoice::Off, &page, stored, 1), body(&page));
    }

    #[test]
    fn an_incremental_crawl_reads_what_changed_and_what_failed_and_comments_with_them_alone() {
        let page = listed(ItemKind::Page, "2026-05-01T10:00:00Z");
        let plan = |comments, stored| plan_read(Scope::Incremental, comments, &page, stored, 1);
        let settled = stored("2026-05-01T10:00:00Z", "2026-05-01T10:30:00Z");
        assert_eq!(plan(CommentsChoice::Pages, settled), ReadPlan::Nothing);
        let failed = settled.map(|stored| Stored { failed: true, ..stored });
        assert_eq!(plan(CommentsChoice::Off, failed), body(&page));
        let early = stored("2026-05-01T10:00:00Z", "2026-05-01T10:00:59Z");
        assert_eq!(plan(CommentsChoice::Off, early), body(&page));
    }

    #[test]
    fn a_search_whose_cursor_dies_again_is_cut_and_another_goes_on() {
        let search = |restarts| Task { restarts, ..task(TaskKind::Search, 0) };
        let verdict = |task| judge(&task, &Class::InvalidCursor, BodyChoice::Auto, true, 1, 0.5);
        assert_eq!((verdict(search(0)), verdict(search(1))), (Verdict::Restart, Verdict::Cut));
    }

    #[test]
    fn long_properties_are_read_with_the_body_and_when_the_page_object_changed() {
        let long = Listed {
            cut_properties: vec!["%3FB".to_owned()],
            ..listed(ItemKind::Row, "2026-05-01T10:00:00Z")
        };
        let property = NewTask::for_page(TaskKind::ReadProperty, long.id, long.id).with_detail("%3FB");
        let read = NewTask::for_page(TaskKind::ReadBody, long.id, long.id);
        let plan = |stored| plan_read(Scope::Full, CommentsChoice::Off, &long, stored, 1);
        assert_eq!(plan(None), ReadPlan::Read(vec![property.clone(), read]));
        let settled = stored("2026-05-01T10:00:00Z", "2026-05-01T10:30:00Z");
        assert_eq!(plan(settled), ReadPlan::Nothing);
        let other_value = settled.map(|stored| Stored { same_source: false, ..stored });
        assert_eq!(plan(other_value), ReadPlan::Read(vec![property]));
    }

    #[test]
    fn comments_are_read_in_every_full_crawl_when_they_are_wanted() {
        let page = listed(ItemKind::Page, "2026-05-01T10:00:00Z");
        let settled = stored("2026-05-01T10:00:00Z", "2026-05-01T10:30:00Z");
        let comments = NewTask::for_page(TaskKind::ReadComments, page.id, page.id);
        assert_eq!(
            plan_read(Scope::Full, CommentsChoice::Pages, &page, settled, 1),
            ReadPlan::Read(vec![comments])
        );
        let refused = judge(
            &task(TaskKind::ReadComments, 0),
            &Class::MissingCapability,
            BodyChoice::Auto,
            true,
            1,
            0.5,
        );
        assert_eq!(refused, Verdict::WithoutComments);
    }

    #[test]
    fn a_copy_whose_original_is_out_of_reach_is_read_by_its_own_id() {
        let copy = task(TaskKind::ReadChildren, 0);
        let own = NewTask::for_page(TaskKind::ReadChildren, copy.page.unwrap(), copy.target.unwrap());
        let original = Task { detail: Some("original".to_owned()), ..copy.clone() };
        let verdict = |task| judge(task, &Class::NotFound, BodyChoice::Auto, true, 1, 0.5);
        assert_eq!(verdict(&original), Verdict::Instead(vec![own]));
        assert_eq!(verdict(&copy), Verdict::Gone(Proof::NotFound));
    }

    #[test]
    fn databases_are_rendered_and_never_read_as_bodies() {
        let database = listed(ItemKind::Database, "2026-05-01T10:00:00Z");
        assert_eq!(plan_read(Scope::Full, CommentsChoice::Off, &database, None, 1), ReadPlan::Render);
        assert_eq!(plan_read(Scope::ForceReindex, CommentsChoice::Off, &database, None, 1), ReadPlan::Render);
    }

    #[test]
    fn waits_never_use_up_an_items_attempts() {
        let limited = Class::RateLimited { retry_after: Some(Duration::from_secs(3)), reason: None };
        assert!(matches!(
            judge(&task(TaskKind::ReadBody, 99), &limited, BodyChoice::Auto, true, 1, 0.0),
            Verdict::Retry { counted: false, after } if after >= Duration::from_secs(3)
        ));
        let down = Class::Unavailable { status: 503, retry_after: None };
        assert!(matches!(
            judge(&task(TaskKind::ReadBody, 99), &down, BodyChoice::Auto, false, 1, 0.5),
            Verdict::Retry { counted: false, .. }
        ));
    }

    #[test]
    fn a_page_that_keeps_failing_while_others_succeed_is_read_by_blocks_and_then_given_up() {
        let broken = Class::Unavailable { status: 502, retry_after: None };
        assert!(matches!(
            judge(&task(TaskKind::ReadBody, 0), &broken, BodyChoice::Auto, true, 1, 0.5),
            Verdict::Retry { counted: true, .. }
        ));
        assert!(matches!(
            judge(&task(TaskKind::ReadBody, 3), &broken, BodyChoice::Auto, true, 1, 0.5),
            Verdict::Instead(others) if others.iter().all(|other| other.kind == TaskKind::ReadChildren)
        ));
        assert_eq!(
            judge(&task(TaskKind::ReadChildren, 3), &broken, BodyChoice::Auto, true, 1, 0.5),
            Verdict::Fail
        );
    }

    #[test]
    fn a_dead_token_stops_the_crawl_and_deletes_nothing() {
        for class in [Class::Unauthorized, Class::MissingCapability, Class::EdgeBlocked] {
            assert_eq!(
                judge(&task(TaskKind::Verify, 0), &class, BodyChoice::Auto, true, 1, 0.5),
                Verdict::Stop
            );
        }
        assert_eq!(
            judge(&task(TaskKind::ListUsers, 0), &Class::MissingCapability, BodyChoice::Auto, true, 1, 0.5),
            Verdict::Fail
        );
    }

    #[test]
    fn a_page_that_alone_is_refused_fails_alone() {
        let judge = |attempts, others_succeed| {
            let body = task(TaskKind::ReadBody, attempts);
            judge(&body, &Class::MissingCapability, BodyChoice::Auto, others_succeed, 1, 0.5)
        };
        assert_eq!(judge(0, false), Verdict::Retry { after: PAUSE, counted: true });
        assert_eq!(judge(1, false), Verdict::Stop);
        assert_eq!(judge(1, true), Verdict::Retry { after: PAUSE, counted: true });
        assert!(matches!(judge(3, true), Verdict::Instead(_)));
    }

    #[test]
    fn many_deletions_ask_first_and_few_never_do() {
        assert!(!needs_approval(50, 60, 20, 50));
        assert!(needs_approval(51, 60, 20, 50));
        assert!(!needs_approval(200, 1_000, 20, 50));
        assert!(needs_approval(201, 1_000, 20, 50));
    }
}
