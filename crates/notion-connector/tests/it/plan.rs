//! Plans: what they say before a crawl, how true that is, and that the crawl does not list again.

use std::collections::BTreeMap;
use std::time::Duration;

use notion_connector::ops::{self, CrawlDetail, EditConnector, OpsError, Plan, PlanRequest, StartCrawl};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::{Behavior, Edit, Options};
use tokio::sync::watch;

use crate::support::{CONNECTOR, Line, generated, subtree};
use notion_connector::model::Caller;

const HOUR: Duration = Duration::from_secs(3_600);

async fn try_plan(line: &Line, scope: Option<Scope>, restart: bool) -> Result<CrawlDetail, OpsError> {
    let connector = Some(CONNECTOR.to_owned());
    let request = PlanRequest { connector, scope, restart, first_secret: None };
    ops::plan_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, watch::Sender::default()).await
}

async fn planned(line: &Line, scope: Option<Scope>) -> (CrawlDetail, Plan) {
    let detail = try_plan(line, scope, false).await.unwrap();
    assert_eq!(detail.crawl.state, CrawlState::Planned, "{detail:?}");
    let plan = detail.plan.clone().unwrap().plan;
    (detail, plan)
}

fn requests(line: &Line) -> usize {
    line.bill().values().sum()
}

fn listings(bill: &BTreeMap<String, usize>) -> usize {
    let of = |endpoint: &str| bill.get(endpoint).copied().unwrap_or_default();
    of("/v1/search") + of("/v1/data_sources/{data_source_id}/query")
}

#[tokio::test(start_paused = true)]
async fn a_plan_and_the_crawl_after_it_cost_what_the_crawl_alone_costs() {
    for (spec, seed) in [("mixed", 501), ("deep", 502), ("database", 503)] {
        let spec = format!("pages=400,seed={seed},shape={spec}");
        let alone = Line::in_process(generated(&spec), Options::default()).await;
        alone.bill();
        alone.crawl().await;
        let alone = requests(&alone);

        let line = Line::in_process(generated(&spec), Options::default()).await;
        line.bill();
        let (detail, plan) = planned(&line, None).await;
        let bill = line.bill();
        let made: usize = bill.values().sum();
        // Who the secret is, is asked before the crawl counts.
        assert_eq!((detail.crawl.scope.as_str(), plan.requests_made as usize), ("full", made - 1));
        assert!(bill.keys().all(|endpoint| !endpoint.contains("markdown")), "a body was read: {bill:?}");
        assert!(line.export().is_empty() && line.app().open_index().unwrap().is_none(), "nothing is indexed");
        let again = try_plan(&line, None, false).await.unwrap();
        assert_eq!(
            (again.crawl.id, requests(&line)),
            (detail.crawl.id, 0),
            "a plan that waits is told again"
        );

        let report = line.crawl().await;
        let bill = line.bill();
        let to_come: usize = bill.values().sum();
        assert_eq!((report.crawl.id, listings(&bill)), (detail.crawl.id, 0), "listed again: {bill:?}");
        let interrupted = line.alerts(&report).iter().any(|alert| alert.contains("interrupted"));
        assert!(!interrupted, "a plan that waited was not interrupted");
        assert!(made + to_come <= alone + 2, "{made} + {to_come} requests, {alone} without a plan");
        assert_true(&plan, &line, to_come);
        line.assert_holds_the_truth();
        let after = ops::show_crawl(&line.app(), &Caller::LOCAL_OPERATOR, detail.crawl.id).unwrap();
        assert_eq!((after.crawl.state, after.plan.unwrap().plan), (CrawlState::Completed, plan));
    }
}

/// Counts are exact where search lists everything; the estimate of requests is near.
fn assert_true(plan: &Plan, line: &Line, to_come: usize) {
    let truth = line.truth();
    for items in &plan.items {
        let there = truth.values().filter(|fact| fact.kind == items.kind.to_string()).count();
        assert_eq!(items.listed as usize, there, "{items:?}");
    }
    let bodies = truth.values().filter(|fact| fact.has_body()).count();
    assert_eq!(plan.sum(|items| items.to_read) as usize, bodies);
    let estimated = plan.requests_to_come as usize;
    assert!(estimated <= to_come && to_come - estimated <= 5 + to_come / 20, "{estimated} of {to_come}");
    assert!((plan.minutes - plan.requests_to_come as f64 / plan.requests_per_minute).abs() < 1e-9);
    assert!(plan.complete && plan.estimates.iter().any(|name| name == "minutes"));
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_what_is_known_tells_what_changed_and_touches_nothing() {
    let behavior = Behavior { latency_ms: 100, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=200,seed=504"), options).await;
    line.crawl().await;
    line.notion.advance(HOUR);
    let truth = line.truth();
    let leaves = |kind: &str| -> Vec<_> {
        let of_kind = truth.values().filter(|fact| fact.kind == kind).map(|fact| fact.id);
        of_kind.filter(|id| subtree(&truth, *id).len() == 1).collect()
    };
    let pages = leaves("page");
    let renamed = Edit { title: Some("Renamed since".to_owned()), ..Edit::default() };
    line.notion.edit(pages[0], renamed, &BTreeMap::new()).unwrap();
    line.notion.trash(pages[1]).unwrap();
    line.notion.purge(pages[2]).unwrap();
    let before = line.export();
    let (detail, plan) = planned(&line, Some(Scope::Full)).await;
    assert_eq!(plan.rate_from, "earlier crawls");
    let bodies = truth.values().filter(|fact| fact.has_body()).count() as u64;
    assert_eq!(plan.sum(|items| items.to_read), 1, "{plan:?}");
    assert_eq!(plan.sum(|items| items.unchanged), bodies - 3);
    assert_eq!(plan.gone + plan.unlisted, 2);
    let texts = |line: &Line| line.export().into_iter().map(|item| (item.id, item.text)).collect::<Vec<_>>();
    let was: Vec<_> = before.into_iter().map(|item| (item.id, item.text)).collect();
    assert_eq!(texts(&line), was, "a plan writes nothing that is searchable, and deletes nothing");

    // Meanwhile the connector stays fresh.
    line.notion
        .edit(pages[3], Edit { title: Some("Later".to_owned()), ..Edit::default() }, &BTreeMap::new())
        .unwrap();
    let fresh = line.try_crawl(Scope::Incremental).await.unwrap().crawl;
    assert_eq!((fresh.state, fresh.updated), (CrawlState::Completed, 2));
    assert_eq!(line.crawl().await.crawl.id, detail.crawl.id, "the plan went on");
    line.assert_holds_the_truth();

    // Whatever lists everything anew voids it.
    line.notion.advance(HOUR);
    let (detail, _) = planned(&line, Some(Scope::Full)).await;
    assert_eq!(line.try_crawl(Scope::ForceReindex).await.unwrap().crawl.state, CrawlState::Completed);
    let voided = ops::show_crawl(&line.app(), &Caller::LOCAL_OPERATOR, detail.crawl.id).unwrap().crawl;
    assert_eq!(voided.state, CrawlState::Cancelled);
    assert!(voided.reason.unwrap().contains("another crawl"));
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn a_plan_counts_what_filters_and_limit_leave_out() {
    let line = Line::in_process(generated("pages=120,seed=505"), Options::default()).await;
    let truth = line.truth();
    let weight = |id| subtree(&truth, id).len();
    let pages = truth.values().filter(|fact| fact.kind == "page" && weight(fact.id) < truth.len() / 2);
    let head = pages.max_by_key(|fact| weight(fact.id));
    let head = head.unwrap().id;
    let out = subtree(&truth, head).len() as u64;
    let edit = EditConnector { exclude: Some(vec![head.to_string()]), ..EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap();
    let (first, plan) = planned(&line, None).await;
    let filtered = plan.sum(|items| items.left_out_by_filters);
    assert_eq!(filtered + plan.sum(|items| items.listed), truth.len() as u64, "{plan:?}");
    assert!(filtered <= out && filtered + plan.sum(|items| items.undecided) >= out, "{plan:?}");

    let limit = truth.len() as u64 - 10;
    let none = Some(Vec::new());
    let edit = EditConnector {
        exclude: none,
        item_limit: Some(ops::Setting::Own(limit)),
        ..EditConnector::default()
    };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap();
    let voided = ops::show_crawl(&line.app(), &Caller::LOCAL_OPERATOR, first.crawl.id).unwrap().crawl;
    assert!(voided.reason.unwrap().contains("settings"), "a changed setting voids it");
    let (second, plan) = planned(&line, None).await;
    assert_eq!(plan.sum(|items| items.left_out_by_limit), 10, "{plan:?}");
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!((report.crawl.id, report.crawl.skipped), (second.crawl.id, 10));
}

#[tokio::test(start_paused = true)]
async fn an_old_plan_is_listed_anew_and_an_unfinished_crawl_is_not_planned_over() {
    let mut line = Line::in_process(generated("pages=40,seed=506"), Options::default()).await;
    let (first, _) = planned(&line, None).await;
    line.notion.advance(HOUR * 2);
    let report = line.crawl().await;
    assert_ne!(report.crawl.id, first.crawl.id);
    let old = ops::show_crawl(&line.app(), &Caller::LOCAL_OPERATOR, first.crawl.id).unwrap().crawl;
    assert!(old.state == CrawlState::Cancelled && old.reason.unwrap().contains("plan_minutes"));
    line.assert_holds_the_truth();

    // A setting of the configuration voids one too.
    let (second, _) = planned(&line, Some(Scope::Full)).await;
    line.config.crawl.archived = true;
    assert_ne!(line.crawl().await.crawl.id, second.crawl.id);
    line.config.crawl.archived = false;

    let (third, _) = planned(&line, Some(Scope::Full)).await;
    assert_eq!(
        ops::cancel_crawl(&line.app(), &Caller::LOCAL_OPERATOR, third.crawl.id).unwrap().state,
        CrawlState::Cancelled
    );
    assert!(try_plan(&line, Some(Scope::Partial), false).await.is_err());
    let (_, id) = line.crawler(&line.app()).await;
    assert!(try_plan(&line, None, false).await.unwrap_err().to_string().contains("--restart"));
    let anew = try_plan(&line, None, true).await.unwrap().crawl;
    assert_eq!(anew.state, CrawlState::Planned);
    assert_eq!(
        ops::show_crawl(&line.app(), &Caller::LOCAL_OPERATOR, id.0).unwrap().crawl.state,
        CrawlState::Cancelled
    );
    let again = try_plan(&line, None, true).await.unwrap().crawl;
    assert_ne!(again.id, anew.id, "anew means anew");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_interrupted_goes_on_and_the_service_makes_plans_and_waits_with_them() {
    let behavior = Behavior { latency_ms: 300, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=300,seed=507"), options).await;
    let interrupted = tokio::time::timeout(Duration::from_millis(1_300), try_plan(&line, None, false)).await;
    assert!(interrupted.is_err(), "it has to be under way still");
    let app = line.app();
    let (stop, told) = watch::channel(false);
    let service = tokio::spawn(async move { ops::run_scheduler(&app, told).await });
    let app = line.app();
    let until = async |id: i64, state: CrawlState| {
        for _ in 0..10_000 {
            let crawl = ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, id).unwrap().crawl;
            if crawl.state == state {
                return crawl;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{:?}", ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, id).unwrap());
    };
    let waits = until(1, CrawlState::Planned).await;
    assert_eq!(waits.indexed, 0);
    let start = |plan| StartCrawl { connector: Some(CONNECTOR.to_owned()), plan, ..StartCrawl::default() };
    assert_eq!(
        ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &start(true)).unwrap().id,
        1,
        "the plan that waits"
    );
    tokio::time::sleep(Duration::from_secs(1_200)).await;
    assert_eq!(
        ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, 1).unwrap().crawl.state,
        CrawlState::Planned,
        "nobody lets it go on"
    );
    line.bill();
    assert_eq!(ops::start_crawl(&app, &Caller::LOCAL_OPERATOR, &start(false)).unwrap().id, 1);
    until(1, CrawlState::Completed).await;
    assert_eq!(listings(&line.bill()), 0);
    stop.send_replace(true);
    service.await.unwrap();
    let report = line.crawl().await;
    assert_eq!(report.crawl.discovered as usize, line.truth().len());
    line.assert_holds_the_truth();
}
