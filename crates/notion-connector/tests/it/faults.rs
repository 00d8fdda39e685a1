//! Notion fails, answers nonsense, or does not answer: the crawl waits or asks again, and says what it could not get.

use std::time::Duration;

use notion_connector::config::BodyChoice;
use notion_connector::ops::{CrawlReport, OpsError};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::faults::{Failure, Fault, Plan, RandomFaults, RefusalCode};
use notion_emulator::world::World;
use notion_emulator::{Behavior, DEFAULT_TOKEN, Emulator, Options, TokenOptions};
use serde_json::json;

use crate::program::Home;
use crate::support::{CONNECTOR, Dice, Fact, Line, Server, assert_counters_add_up, generated};
use notion_connector::model::Caller;

fn fault(failure: Failure, count: u32, skip: u32, path_prefix: &str) -> Fault {
    Fault { failure, count, skip, method: None, path_prefix: Some(path_prefix.to_owned()) }
}

#[tokio::test(start_paused = true)]
async fn a_crawl_that_begins_in_a_window_that_another_used_up_waits_for_the_next() {
    let line = Line::in_process(generated("pages=20,seed=4"), Options::default()).await;
    for crawl in ["first", "second"] {
        line.notion.push_fault(fault(Failure::RateLimited { retry_after_s: 41 }, 2, 0, "/v1/users/me"));
        let begun = tokio::time::Instant::now();
        let report = line.crawl().await;
        assert_eq!(report.crawl.state, CrawlState::Completed, "the {crawl} one");
        let waited = begun.elapsed().as_secs();
        assert!((41..180).contains(&waited), "the {crawl} one: {waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_here_and_there_leave_no_trace() {
    let failures = [
        Failure::InternalServerError,
        Failure::BadGateway,
        Failure::ServiceUnavailable,
        Failure::GatewayTimeout,
        Failure::ServiceOverload { retry_after_s: 7 },
        Failure::RateLimited { retry_after_s: 3 },
        Failure::Drop,
        Failure::Slow { delay_ms: 70_000 },
    ];
    for seed in 0..3 {
        let mut dice = Dice::new(seed);
        let behavior = Behavior { latency_ms: 20, ..Behavior::default() };
        let options = Options { behavior, ..Options::default() };
        let line = Line::in_process(generated("pages=130,seed=101"), options).await;
        for failure in failures.into_iter().cycle().take(24) {
            let count = u32::try_from(1 + dice.below(2)).unwrap();
            let skip = u32::try_from(dice.below(120)).unwrap();
            let path = dice.pick(&["/v1/", "/v1/pages", "/v1/search", "/v1/data_sources", "/v1/users"]);
            line.notion.push_fault(fault(failure, count, skip, path));
        }
        // Names of people are a comfort; everything else has to be there.
        let report = line.crawl().await;
        assert_counters_add_up(&report, line.truth().len());
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn random_faults_of_every_kind_that_goes_by_leave_no_trace() {
    for seed in 0..6 {
        let behavior = Behavior { latency_ms: 20, ..Behavior::default() };
        let options = Options { behavior, ..Options::default() };
        let line = Line::in_process(generated("pages=130,seed=108"), options).await;
        let failures = RandomFaults::passing();
        let percent = 5 * (1 + u8::try_from(seed).unwrap());
        let random = RandomFaults { seed, percent, failures, method: None, path_prefix: None };
        line.notion.set_random_faults(random);
        let report = crawl_until_it_ends(&line).await;
        assert_eq!(report.crawl.deleted, 0, "seed {seed}");
        // With every fourth request failing, a target may fail five times in a row: then it is named, and the next crawl
        // repairs it.
        line.notion.clear_faults();
        if report.crawl.state == CrawlState::CompletedWithErrors {
            assert!(percent > 10, "seed {seed}: {:?}", line.alerts(&report));
            line.notion.advance(Duration::from_secs(3600));
            line.crawl().await;
        } else {
            assert_counters_add_up(&report, line.truth().len());
        }
        line.assert_holds_the_truth();
    }
}

/// As `serve` and people do: a secret that could not even be checked is tried again.
async fn crawl_until_it_ends(line: &Line) -> CrawlReport {
    for _ in 0..20 {
        match line.try_crawl(Scope::Full).await {
            Ok(report) => return report,
            Err(OpsError::Notion { .. }) => tokio::time::sleep(Duration::from_secs(30)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the crawl did not end in twenty attempts");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_changes_under_the_crawl_loses_and_invents_nothing() {
    for seed in 0..4 {
        let mut dice = Dice::new(seed);
        let line = Line::in_process(generated("pages=250,seed=109,shape=flat"), Options::default()).await;
        let before: Vec<_> = line.truth().into_values().filter(Fact::has_body).collect();
        let is_leaf = |id| before.iter().all(|other| other.parent != Some(id));
        let leaves: Vec<_> = before.iter().map(|fact| fact.id).filter(|id| is_leaf(*id)).collect();
        for (verb, skip) in [("edit", 1), ("trash", 1), ("edit", 2), ("trash", 2)] {
            let id = dice.pick(&leaves);
            let body = match verb {
                "edit" => json!({"id": id, "title": format!("Edited {skip}")}),
                _ => json!({"id": id}),
            };
            let plan = json!({"verb": verb, "body": body, "path_prefix": "/v1/search", "skip": skip});
            line.control("plan", plan).await;
        }
        line.try_crawl(Scope::Full).await.unwrap();
        let refused = line.notion.refused_plans();
        assert!(refused.iter().all(|plan| plan["answer"].as_str().unwrap().contains("trash")), "{refused:?}");
        // What was edited behind the listing's back is the next crawl's.
        line.notion.advance(Duration::from_secs(3600));
        line.crawl().await;
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn waits_that_notion_asks_for_never_use_up_attempts() {
    let line = Line::in_process(generated("pages=30,seed=102"), Options::default()).await;
    line.notion.push_fault(fault(Failure::ServiceOverload { retry_after_s: 2 }, 40, 3, "/v1/"));
    line.notion.push_fault(fault(Failure::RateLimited { retry_after_s: 2 }, 40, 9, "/v1/pages"));
    let report = line.crawl().await;
    assert_eq!((report.crawl.not_indexed, report.crawl.errors), (0, 0));
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_given_up_while_its_parts_are_under_way_is_one_failure_and_no_end() {
    let behavior = Behavior { latency_ms: 20, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let mut line =
        Line::in_process(generated("shape=long,blocks=1500,toggles=20,children=230"), options).await;
    line.config.notion.body = BodyChoice::Blocks;
    let dead = Failure::Refused { code: RefusalCode::CursorInvalid };
    line.notion.push_fault(fault(dead, 40, 15, "/v1/blocks"));
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!((report.crawl.state, report.crawl.not_indexed), (CrawlState::CompletedWithErrors, 1));
    line.notion.clear_faults();
    line.crawl().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out() {
    for failure in [Failure::BadGateway, Failure::Drop, Failure::ServiceUnavailable] {
        let behavior = Behavior { latency_ms: 100, ..Behavior::default() };
        let options = Options { behavior, ..Options::default() };
        let line = Line::in_process(generated("pages=60,seed=103"), options).await;
        line.notion.push_fault(fault(failure, u32::MAX, 25, "/v1/"));
        let over = async {
            tokio::time::sleep(Duration::from_secs(4 * 60)).await;
            line.notion.clear_faults();
        };
        let (report, ()) = tokio::join!(line.crawl(), over);
        assert_eq!(report.crawl.not_indexed, 0);
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_beyond_patience_fails_the_crawl_and_costs_nothing_that_was_read() {
    let behavior = Behavior { latency_ms: 100, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let mut line = Line::in_process(generated("pages=60,seed=104"), options).await;
    line.config.crawl.patience_minutes = 3;
    line.notion.push_fault(fault(Failure::ServiceUnavailable, u32::MAX, 40, "/v1/"));
    let error = line.try_crawl(Scope::Full).await.unwrap_err();
    assert!(matches!(error, OpsError::Crawl(_)), "{error}");
    assert!(error.to_string().contains("again later"), "{error}");
    let held = line.export().len();
    assert!(held > 0, "what was read is searchable");
    line.notion.clear_faults();
    line.notion.advance(Duration::from_secs(3600));
    line.witness.take();
    line.crawl().await;
    line.assert_holds_the_truth();
    let bodies = line.witness.take().iter().filter(|exchange| exchange.markdown_of().is_some()).count();
    assert!(bodies <= 60 - held / 2, "{bodies} bodies were read although {held} items were known");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_always_fails_is_named_and_repaired_by_the_next_crawl() {
    for failure in [Failure::InternalServerError, Failure::BadGateway, Failure::Drop] {
        let line = Line::in_process(generated("pages=60,seed=105"), Options::default()).await;
        let truth = line.truth();
        let leaf = truth
            .values()
            .find(|fact| fact.has_body() && truth.values().all(|other| other.parent != Some(fact.id)))
            .unwrap();
        for path in ["pages", "blocks"] {
            line.notion.push_fault(fault(failure, u32::MAX, 0, &format!("/v1/{path}/{}", leaf.id)));
        }
        let report = line.try_crawl(Scope::Full).await.unwrap();
        assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
        assert_eq!(report.crawl.not_indexed, 1);
        assert_counters_add_up(&report, truth.len());
        let failures = notion_connector::ops::list_failures(&line.app(), &Caller::LOCAL_OPERATOR).unwrap();
        let [only] = failures.as_slice() else { panic!("{failures:?}") };
        assert_eq!((only.object.0, only.title.as_deref()), (leaf.id, Some(leaf.title.as_str())));
        let exported: Vec<_> = line.export().iter().map(|line| line.id.0).collect();
        assert_eq!(exported.len(), truth.len() - 1);
        assert!(!exported.contains(&leaf.id));

        line.notion.clear_faults();
        line.notion.advance(Duration::from_secs(3600));
        line.crawl().await;
        assert!(
            notion_connector::ops::list_failures(&line.app(), &Caller::LOCAL_OPERATOR).unwrap().is_empty()
        );
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn pages_that_always_fail_are_no_outage_though_nothing_else_is_left_to_ask_for() {
    let behavior = Behavior { latency_ms: 100, ..Behavior::default() };
    let line =
        Line::in_process(generated("pages=60,seed=105"), Options { behavior, ..Options::default() }).await;
    line.crawl().await;
    let truth = line.truth();
    let edited: Vec<_> = truth.values().filter(|fact| fact.has_body()).map(|fact| fact.id).take(30).collect();
    for page in &edited {
        line.control("edit", json!({"id": page, "title": "Renamed"})).await;
    }
    for path in ["pages", "blocks"] {
        let answer = fault(Failure::InternalServerError, u32::MAX, 0, &format!("/v1/{path}/"));
        line.notion.push_fault(answer);
    }
    let report = line.try_crawl(Scope::Incremental).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    assert_eq!(report.crawl.not_indexed, edited.len() as u64);
    // By Markdown and by blocks, each as often as one that fails among others, and now and then whether Notion is there.
    assert!(report.crawl.requests < 12 * edited.len() as u64, "{}", report.crawl.requests);

    line.notion.clear_faults();
    line.notion.advance(Duration::from_secs(3600));
    line.try_crawl(Scope::Incremental).await.unwrap();
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_asked_about_ever_more_seldom() {
    let behavior = Behavior { latency_ms: 100, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=2000,seed=104"), options).await;
    // With much to do, and with little.
    for skip in [100, 0] {
        line.notion.push_fault(fault(Failure::ServiceUnavailable, u32::MAX, skip, "/v1/"));
        line.witness.take();
        line.try_crawl(Scope::Full).await.unwrap_err();
        let asked = line.witness.take();
        let end = asked.last().unwrap().at;
        let late = asked.iter().filter(|one| end - one.at < Duration::from_secs(600)).count();
        assert!(late < 300, "{late} of {} requests in the last ten minutes of thirty", asked.len());
        line.notion.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_revoked_during_a_crawl_deletes_nothing() {
    let line = Line::in_process(generated("pages=60,seed=106"), Options::default()).await;
    line.crawl().await;
    line.notion.advance(Duration::from_secs(3600));
    let held = line.export();
    line.notion.set_latency(Duration::from_millis(50));
    let revoke = async {
        tokio::time::sleep(Duration::from_millis(120)).await;
        line.notion.set_token(None, None, Some(true)).unwrap();
    };
    let (ended, ()) = tokio::join!(line.try_crawl(Scope::ForceReindex), revoke);
    assert!(ended.unwrap_err().to_string().contains("secret"));
    assert_eq!(line.export().len(), held.len());
    line.notion.set_token(None, None, Some(false)).unwrap();
    line.crawl().await;
    line.assert_holds_the_truth();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_revoked_in_the_middle_is_named_and_a_new_one_goes_on() {
    const NEW: &str = "ntn_new000000000000000000000000000000000000000000";
    let tokens = vec![TokenOptions::new(DEFAULT_TOKEN), TokenOptions::new(NEW)];
    let options = Options { tokens, ..Options::default() };
    let notion = Emulator::new(generated("pages=120,seed=110"), options);
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    let plan = |skip| Plan {
        verb: "token".to_owned(),
        body: json!({"revoked": true}),
        skip,
        method: None,
        path_prefix: Some("/v1/pages".to_owned()),
    };
    notion.plan(plan(50));
    let stopped = home.expect(4, &["crawl"]).await;
    for hint in ["the secret of connector “works”", "connector set-secret"] {
        assert!(stopped.stderr.contains(hint), "“{hint}” is missing in: {}", stopped.stderr);
    }
    let held = home.expect(0, &["export"]).await.json_lines().len();
    assert!(held > 10, "what was read is searchable: {held}");
    // The same command with the same secret says the same, and deletes nothing.
    let refused = home.expect(4, &["crawl"]).await;
    assert!(refused.stderr.contains("the secret of connector “works”"), "{}", refused.stderr);
    assert_eq!(home.expect(0, &["export"]).await.json_lines().len(), held);
    let read = |notion: &Emulator| {
        let bodies = notion.request_log().into_iter().filter(|entry| entry.status == 200);
        bodies.filter(|entry| entry.endpoint.ends_with("/markdown")).count()
    };
    home.set("NOTION_TOKEN", NEW);
    home.expect(0, &["connector", "set-secret", CONNECTOR]).await;
    let report = home.expect(0, &["crawl", "--json"]).await.json();
    assert_eq!((&report["state"], &report["deleted"]), (&json!("completed"), &json!(0)));
    let again = read(&notion) - 120;
    assert!(again <= 20, "{again} bodies were read a second time");
    let held = home.expect(0, &["export"]).await.json_lines().len() as u64;
    assert_eq!(report["discovered"], held);
}

#[tokio::test(start_paused = true)]
async fn a_search_that_ends_too_early_is_an_error_and_deletes_nothing() {
    let line = Line::in_process(generated("pages=150,seed=107,shape=flat"), Options::default()).await;
    line.crawl().await;
    line.notion.advance(Duration::from_secs(3600));
    let held = line.export().len();
    line.notion.set_behavior(Behavior { search_wall: Some(60), ..Behavior::default() });
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    assert_eq!(report.crawl.deleted, 0);
    assert_eq!(line.export().len(), held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_of_a_troubled_crawl_hold_no_secret_no_text_no_address_and_no_signature() {
    let options = Options::default();
    let world = World::from_import(notion_emulator::sample::sample(), options.base_ms).unwrap();
    let notion = Emulator::new(world, options);
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.set("NOTION_CONNECTOR_LOG_FORMAT", "json");
    home.set("RUST_LOG", "notion_connector=trace,notion_api=trace,info");
    home.connect(&server.url).await;
    for failure in
        [Failure::Garbled, Failure::BadGateway, Failure::Drop, Failure::RateLimited { retry_after_s: 1 }]
    {
        notion.push_fault(fault(failure, 2, 4, "/v1/"));
    }
    let refused = RefusalCode::ValidationError;
    notion.push_fault(fault(Failure::Refused { code: refused }, 2, 9, "/v1/pages"));
    let ended = home.run(&["crawl", "-vv"]).await;
    assert!(ended.code == Some(0) || ended.code == Some(3), "{ended:?}");
    assert!(ended.stderr.lines().count() > 3, "nothing was logged: {}", ended.stderr);
    let log = ended.stderr.to_lowercase();
    for signature in ["x-amz", "signature=", "bearer ", "@example", "ntn_"] {
        assert!(!log.contains(signature), "“{signature}” in the log: {}", ended.stderr);
    }
    for line in home.expect(0, &["export"]).await.json_lines() {
        let text = line["text"].as_str().unwrap();
        for words in text.lines().map(str::trim).filter(|words| words.len() > 12) {
            assert!(!log.contains(&words.to_lowercase()), "“{words}” of a page is in the log");
        }
    }
    for fact in notion.truth(None).unwrap() {
        for marker in fact["markers"].as_array().into_iter().flatten() {
            assert!(!log.contains(marker.as_str().unwrap()), "{marker} is in the log");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_lies_in_the_trash_while_it_is_read_is_not_taken_for_an_empty_one() {
    for body in [BodyChoice::Blocks, BodyChoice::Auto] {
        let mut line = Line::in_process(generated("pages=8,seed=114,shape=deep"), Options::default()).await;
        line.config.notion.body = body;
        line.config.notion.concurrency = 1;
        line.notion.advance(Duration::from_secs(3_600));
        let truth = line.truth();
        let top = truth.values().find(|fact| fact.parent.is_none()).unwrap().id;
        // What is below is not touched by this: nothing but the answers tells of it.
        for (verb, skip) in [("trash", 2), ("restore", 5)] {
            let path_prefix = Some("/v1/".to_owned());
            let body = json!({"id": top});
            line.notion.plan(Plan { verb: verb.to_owned(), body, skip, method: None, path_prefix });
        }
        line.try_crawl(Scope::Full).await.unwrap();
        line.notion.advance(Duration::from_secs(3_600));
        line.crawl().await;
        line.assert_holds_the_truth();
    }
}
