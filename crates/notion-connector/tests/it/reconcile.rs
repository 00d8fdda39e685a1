//! What a full crawl would change, told without changing it; and the full crawls that `serve` runs by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use notion_connector::ops::{self, Difference, EditConnector, Reconciliation};
use notion_connector::store::CrawlState;
use notion_emulator::{Edit, Options};
use tokio::sync::watch;
use uuid::Uuid;

use crate::support::{CONNECTOR, Line, generated, subtree};
use notion_connector::model::Caller;

const HOUR: Duration = Duration::from_secs(3_600);

async fn compare(line: &Line) -> Reconciliation {
    ops::compare(&line.app(), &Caller::LOCAL_OPERATOR, Some(CONNECTOR), watch::Sender::default())
        .await
        .unwrap()
}

fn ids(found: &Reconciliation, difference: Difference) -> Vec<Uuid> {
    let found = found.differences.get(&difference);
    found.map(|all| all.items.iter().map(|item| item.id.0).collect()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn the_differences_are_those_that_a_full_crawl_then_finds_and_telling_them_changes_nothing() {
    let line = Line::in_process(generated("pages=160,seed=521"), Options::default()).await;
    let nothing_held = compare(&line).await;
    assert_eq!(nothing_held.differences.keys().collect::<Vec<_>>(), [&Difference::New]);
    line.crawl().await;
    line.notion.advance(HOUR);
    let same = compare(&line).await;
    assert!(same.differences.is_empty() && same.complete, "{same:?}");
    assert_eq!(same.same as usize, line.truth().len());

    let truth = line.truth();
    let of_kind = |kind: &'static str| truth.values().filter(move |fact| fact.kind == kind);
    let pages: Vec<Uuid> =
        of_kind("page").map(|fact| fact.id).filter(|id| subtree(&truth, *id).len() == 1).collect();
    let renamed = Edit { title: Some("Renamed since".to_owned()), ..Edit::default() };
    line.notion.edit(pages[0], renamed, &BTreeMap::new()).unwrap();
    line.notion.trash(pages[1]).unwrap();
    line.notion.purge(pages[2]).unwrap();
    let new = serde_json::json!({"id": pages[3], "append": [{"page": {"title": "New", "body": []}}]});
    line.control("edit", new).await;
    let exclude = EditConnector { exclude: Some(vec![pages[4].to_string()]), ..EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &exclude).unwrap();
    let (before, crawls) =
        (line.export(), ops::list_crawls(&line.app(), &Caller::LOCAL_OPERATOR, 9).unwrap().len());
    line.bill();
    let found = compare(&line).await;
    assert!(line.bill().keys().all(|endpoint| !endpoint.contains("markdown")), "a body was read");
    assert_eq!(ids(&found, Difference::New).len(), 1, "{found:?}");
    let mut changed = vec![pages[0], pages[3]];
    changed.sort_unstable();
    let mut told = ids(&found, Difference::Changed);
    told.sort_unstable();
    assert_eq!(told, changed);
    let gone: Vec<Uuid> = [Difference::Trashed, Difference::NotFound].map(|one| ids(&found, one)).concat();
    assert_eq!(gone, [pages[1], pages[2]]);
    assert_eq!(ids(&found, Difference::Excluded), [pages[4]]);
    assert_eq!(found.unanswered, 0);
    let texts = |lines: Vec<ops::ExportLine>| lines.into_iter().map(|line| line.text).collect::<Vec<_>>();
    assert_eq!(texts(line.export()), texts(before), "something was changed");
    assert_eq!(
        ops::list_crawls(&line.app(), &Caller::LOCAL_OPERATOR, 9).unwrap().len(),
        crawls,
        "a crawl was recorded"
    );
    assert!(!line.data_dir().join("comparison/store.sqlite").exists(), "the copy was left behind");

    let report = line.crawl().await;
    assert_eq!((report.crawl.added, report.crawl.updated, report.crawl.deleted), (1, 2, 3), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn the_service_crawls_in_full_by_its_own_rule_once_when_missed_and_never_when_told_so() {
    // The line's clock begins on 2026-11-02 at 08:00 UTC.
    for (rule, later_minutes, at) in [
        ("daily 03:00", 18 * 60 + 45, Some("03:0")),
        ("daily 03:00", 30 * 60, Some("14:0")),
        ("never", 30 * 60, None),
    ] {
        let mut line = Line::in_process(generated("pages=20,seed=522"), Options::default()).await;
        line.config.crawl.reconcile = rule.to_owned();
        line.crawl().await;
        line.notion.advance(Duration::from_secs(later_minutes * 60));
        let app = line.app();
        let (stop, told) = watch::channel(false);
        let at_work = line.app();
        let service = tokio::spawn(async move { ops::run_scheduler(&at_work, told).await });
        tokio::time::sleep(Duration::from_secs(40 * 60)).await;
        stop.send_replace(true);
        service.await.unwrap();
        let crawls = ops::list_crawls(&app, &Caller::LOCAL_OPERATOR, 1_000).unwrap();
        let own = crawls.iter().filter(|crawl| crawl.started_by == "reconciliation");
        let started: Vec<String> =
            own.clone().map(|crawl| crawl.started.unwrap().strftime("%H:%M").to_string()).collect();
        assert_eq!(started.len(), usize::from(at.is_some()), "{rule}: {started:?}");
        assert!(at.is_none_or(|at| started[0].starts_with(at)), "{started:?}");
        assert!(
            own.clone().all(|crawl| (crawl.scope.as_str(), crawl.state) == ("full", CrawlState::Completed))
        );
        let mut others = crawls.iter().filter(|crawl| crawl.started_by == "freshness");
        assert!(
            others.clone().count() >= 2 && others.all(|crawl| crawl.scope == "incremental"),
            "{crawls:?}"
        );
    }
}
