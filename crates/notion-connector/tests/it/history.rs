//! What the history says of a crawl: its name, how long it ran, and that every item it met is accounted for, however it ended.

use std::time::Duration;

use notion_connector::model::{Caller, NotionId};
use notion_connector::ops::{
    self, AlertFilter, AlertLevel, AlertScope, CrawlReport, CrawlRequest, CrawlSummary,
};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::Options;
use notion_emulator::faults::{Failure, Fault, RefusalCode};
use tokio::sync::watch;

use crate::support::{CONNECTOR, Line, generated, request};

async fn run(line: &Line, request: CrawlRequest) -> CrawlReport {
    ops::run_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, watch::Sender::default()).await.unwrap()
}

fn shown(line: &Line, id: i64) -> CrawlSummary {
    ops::show_crawl(&line.app(), &Caller::LOCAL_OPERATOR, id).unwrap().crawl
}

/// Counters and sightings agree: else there is an error about the crawl.
fn assert_accounted(line: &Line, id: i64) {
    let crawl = shown(line, id);
    let sum = crawl.indexed + crawl.unchanged + crawl.skipped + crawl.not_indexed;
    assert_eq!((crawl.discovered, crawl.indexed), (sum, crawl.added + crawl.updated), "{crawl:?}");
    let alerts = ops::show_crawl(&line.app(), &Caller::LOCAL_OPERATOR, id).unwrap().alerts;
    assert!(alerts.iter().all(|alert| !alert.message.contains("add up")), "{alerts:?}");
    let counted = |level| alerts.iter().filter(|one| one.level == level).map(|one| one.times).sum::<u64>();
    assert_eq!((crawl.errors, crawl.warnings), (counted(AlertLevel::Error), counted(AlertLevel::Warning)));
}

#[tokio::test(start_paused = true)]
async fn a_crawl_of_every_scope_has_a_name_a_duration_and_counters_that_add_up() {
    let line = Line::in_process(generated("pages=60,seed=321"), Options::default()).await;
    line.notion.set_latency(Duration::from_millis(100));
    let full = line.crawl().await.crawl;
    assert_eq!(full.name, "works full 2026-11-02 08:00 UTC");
    assert_eq!((full.occurrence, full.started_by.as_str()), ("one_time", "local operator"));
    assert!(full.duration_seconds > 0.0 && full.average_items_per_second > Some(0.0), "{full:?}");
    let start = line.truth().into_values().find(|fact| fact.kind == "page").unwrap();
    for scope in [Scope::Full, Scope::Incremental, Scope::Test, Scope::ForceReindex, Scope::Partial] {
        line.notion.advance(Duration::from_secs(3_600));
        let start_point = (scope == Scope::Partial).then_some(NotionId(start.id));
        let name = Some(format!("  by {scope} "));
        let report = run(&line, CrawlRequest { start_point, name, ..request(scope) }).await.crawl;
        assert_eq!((report.state, report.name), (CrawlState::Completed, format!("by {scope}")));
        assert_accounted(&line, report.id);
        assert_eq!(report.start_point_title, start_point.map(|_| start.title.clone()));
    }
    let endless = CrawlRequest { name: Some("x".repeat(201)), ..request(Scope::Full) };
    assert!(
        ops::run_crawl(&line.app(), &Caller::LOCAL_OPERATOR, endless, watch::Sender::default())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn an_item_that_failed_is_named_with_its_scope_and_the_crawl_is_not_completed() {
    let line = Line::in_process(generated("pages=60,seed=322"), Options::default()).await;
    let leaf = line.truth().into_values().find(|fact| fact.kind == "row").unwrap();
    for path in ["pages", "blocks"] {
        let path_prefix = Some(format!("/v1/{path}/{}", leaf.id));
        let failure = Failure::InternalServerError;
        line.notion.push_fault(Fault { failure, count: u32::MAX, skip: 0, method: None, path_prefix });
    }
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!((report.crawl.state, report.crawl.not_indexed), (CrawlState::CompletedWithErrors, 1));
    assert_accounted(&line, report.crawl.id);
    let filter = AlertFilter { levels: vec![AlertLevel::Error], scopes: vec![AlertScope::Item] };
    let page =
        ops::list_alerts(&line.app(), &Caller::LOCAL_OPERATOR, report.crawl.id, &filter, 10, 0).unwrap();
    assert_eq!((page.total, page.alerts[0].object), (1, Some(NotionId(leaf.id))));
    assert_eq!(page.alerts[0].title.as_deref(), Some(leaf.title.as_str()));
    assert!(page.alerts[0].message.ends_with("tries it again"), "{page:?}");
    let of_all = AlertFilter { scopes: vec![AlertScope::AllItems], ..filter };
    assert_eq!(
        ops::list_alerts(&line.app(), &Caller::LOCAL_OPERATOR, report.crawl.id, &of_all, 10, 0)
            .unwrap()
            .total,
        0
    );
}

#[tokio::test(start_paused = true)]
async fn a_crawl_that_was_cancelled_interrupted_or_refused_accounts_for_what_it_met() {
    let line = Line::in_process(generated("pages=150,seed=323"), Options::default()).await;
    line.notion.set_latency(Duration::from_millis(200));
    let app = line.app();
    // The process dies; a newer crawl of another scope ends; then the first goes on.
    let (crawler, first) = line.crawler(&app).await;
    let _ = tokio::time::timeout(Duration::from_millis(1_500), crawler.run(first)).await;
    drop(crawler);
    let met = shown(&line, first.0).discovered;
    assert!(met > 0 && met < line.truth().len() as u64, "{met}");
    let test = line.try_crawl(Scope::Test).await.unwrap().crawl;
    assert_accounted(&line, test.id);
    let resumed = line.crawl().await;
    assert_eq!((resumed.crawl.id, resumed.resumed), (first.0, true));
    assert_eq!(resumed.crawl.discovered, line.truth().len() as u64);
    assert_accounted(&line, first.0);
    let info = AlertFilter { levels: vec![AlertLevel::Info], scopes: vec![AlertScope::Crawl] };
    assert_eq!(
        ops::list_alerts(&app, &Caller::LOCAL_OPERATOR, first.0, &info, 10, 0).unwrap().alerts[0].times,
        1
    );

    let (crawler, id) = line.crawler(&app).await;
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let _owner = app.own("a crawl").unwrap();
        ops::cancel_crawl(&app, &Caller::LOCAL_OPERATOR, id.0).unwrap();
    };
    let (ended, ()) = tokio::join!(crawler.run(id), cancel);
    assert_eq!(ended.unwrap().state, CrawlState::Cancelled);
    assert_accounted(&line, id.0);

    line.notion.push_fault(Fault {
        failure: Failure::Refused { code: RefusalCode::Unauthorized },
        count: u32::MAX,
        skip: 4,
        method: None,
        path_prefix: None,
    });
    assert!(line.try_crawl(Scope::ForceReindex).await.is_err());
    let last = ops::list_crawls(&app, &Caller::LOCAL_OPERATOR, 1).unwrap().remove(0);
    assert_eq!(last.state, CrawlState::Failed, "{last:?}");
    assert_accounted(&line, last.id);
}

#[tokio::test(start_paused = true)]
async fn deletions_are_approved_while_another_process_serves() {
    let mut line = Line::in_process(generated("pages=60,seed=324"), Options::default()).await;
    line.config.crawl.deletion_floor = 5;
    line.crawl().await;
    line.notion.advance(Duration::from_secs(3_600));
    line.notion.unshare_all(None).unwrap();
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::AwaitingApproval);
    assert_accounted(&line, report.crawl.id);
    let (app, serving) = (line.app(), line.app());
    let _owner = serving.own("serve").unwrap();
    let approved = ops::approve_deletions(&app, &Caller::LOCAL_OPERATOR, report.crawl.id).await.unwrap();
    assert!(approved.deleted > 5 && approved.state == CrawlState::Completed, "{approved:?}");
    assert!(
        serving.store.load_outbox(0, 1_000).unwrap().len() as u64 >= approved.deleted,
        "its pump delivers them"
    );
    assert!(ops::approve_deletions(&app, &Caller::LOCAL_OPERATOR, report.crawl.id).await.is_err(), "once");
    serving.pump().unwrap().drain().await.unwrap();
    assert_eq!(line.export().len(), 0);
    assert_eq!(ops::list_connectors(&app, &Caller::LOCAL_OPERATOR).unwrap()[0].name, CONNECTOR);
}
