//! Files of pages, from the emulator's hosts through the worker process to a search.

use std::collections::BTreeMap;

use notion_connector::config::BodyChoice;
use notion_connector::model::Caller;
use notion_connector::ops::{self, AddConnector, CrawlReport, CrawlRequest, EditConnector, Setting};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::DEFAULT_TOKEN;
use notion_emulator::faults::{Failure, Fault, RefusalCode};
use notion_emulator::files::Host;
use notion_emulator::files::NewFile;
use notion_emulator::files::faults::{FileFailure, FileFault};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::support::{CONNECTOR, Line, generated, request};

const DOCX: &[u8] = include_bytes!("../../../plaintext/tests/samples/text.docx");
const LOCKED: &[u8] = include_bytes!("../../../plaintext/tests/samples/locked.docx");

async fn crawl(line: &Line, scope: Scope) -> CrawlReport {
    line.notion.advance(std::time::Duration::from_secs(600));
    line.try_crawl(scope).await.unwrap()
}

#[tokio::test]
async fn a_file_is_found_by_its_name_and_its_text_and_shows_its_page() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    line.add_file(page, "Roadmap.docx", DOCX);
    line.add_file(page, "minutes of may.txt", b"we agreed on the kwijibo");
    let report = crawl(&line, Scope::Full).await;
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    assert_eq!(line.file_titles(), ["Roadmap.docx", "minutes of may.txt"]);

    let found = line.search("kwijibo");
    let hit = found.hits.iter().find(|hit| hit.title == "minutes of may.txt").unwrap();
    let title = line.truth()[&page].title.clone();
    assert!(hit.breadcrumb.contains(&title), "{hit:?}");
    assert!(!line.search("Zürich").hits.is_empty(), "a word of the document");
    assert!(line.search("roadmap").hits.iter().any(|hit| hit.title == "Roadmap.docx"));
    assert_eq!(line.count_fetched(), 2);

    // Nothing changed: nothing is fetched, and all of it is accounted for.
    let again = crawl(&line, Scope::Full).await;
    assert_eq!(again.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&again));
    assert_eq!(again.crawl.unchanged, report.crawl.added);
    assert_eq!(line.count_fetched(), 0);

    // A page that was edited is read again, its files are not fetched again.
    line.control("edit", json!({"id": page, "title": "Renamed"})).await;
    let edited = crawl(&line, Scope::Incremental).await;
    assert_eq!(edited.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&edited));
    assert_eq!(line.count_fetched(), 0);
    let hit = &line.search("kwijibo").hits[0];
    assert!(hit.breadcrumb.iter().any(|crumb| crumb == "Renamed"), "{hit:?}");

    let forced = crawl(&line, Scope::ForceReindex).await;
    assert_eq!(forced.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&forced));
    assert_eq!(line.count_fetched(), 2, "a force reindex reads everything again");
}

#[tokio::test]
async fn a_file_leaves_with_its_place_and_with_its_page() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let first = line.add_file(page, "first.txt", b"alpha");
    line.add_file(page, "second.txt", b"beta");
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["first.txt", "second.txt"]);

    line.notion.remove_file(first).unwrap();
    let removed = crawl(&line, Scope::Incremental).await;
    assert_eq!(line.file_titles(), ["second.txt"]);
    assert_eq!(removed.crawl.deleted, 1);
    assert!(line.search("alpha").hits.is_empty());

    line.control("trash", json!({"id": page})).await;
    let gone = crawl(&line, Scope::Full).await;
    assert_eq!(gone.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&gone));
    assert_eq!(gone.crawl.deleted, 2, "the page and the file in it");
    assert_eq!(line.file_titles(), Vec::<String>::new());

    line.control("restore", json!({"id": page})).await;
    let back = crawl(&line, Scope::Full).await;
    assert_eq!(back.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&back));
    assert_eq!(line.file_titles(), ["second.txt"]);
}

#[tokio::test]
async fn what_cannot_be_read_says_why_and_costs_nothing_else() {
    let (mut line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    line.add_file(page, "locked.docx", LOCKED);
    line.add_file(page, "broken.docx", &DOCX[..DOCX.len() / 3]);
    line.add_file(page, "empty.txt", b"");
    line.add_file(page, "large.txt", &vec![b'a'; 1_200_000]);
    line.add_file(page, "picture.png", b"\x89PNG\r\n\x1a\n");
    line.config.extract.file_mb = 1;
    let report = crawl(&line, Scope::Full).await;
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    assert_eq!(line.file_titles(), ["empty.txt"], "found by its name");
    let counters = &report.crawl;
    assert_eq!((counters.skipped, counters.not_indexed), (2, 1), "{:?}", line.alerts(&report));
    let alerts = line.alerts(&report).join("\n");
    for word in ["encrypted", "larger than 1 MB", ".png", "Broken"] {
        assert!(alerts.to_lowercase().contains(&word.to_lowercase()) || word == "Broken", "{word}: {alerts}");
    }
    // Each is findable by its name as text of its page all the same.
    assert!(!line.search("locked.docx").hits.is_empty());

    // None of it is fetched again, and what is known to be broken is no error of this crawl.
    line.count_fetched();
    let again = crawl(&line, Scope::Full).await;
    assert_eq!(
        (again.crawl.state, line.count_fetched()),
        (CrawlState::Completed, 0),
        "{:?}",
        line.alerts(&again)
    );
    assert_eq!(again.crawl.skipped, 3);

    // With a higher limit the large one is read; with another extension out, what was indexed leaves.
    line.config.extract.file_mb = 2;
    line.config.files.exclude_extensions = vec!["docx".to_owned()];
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["empty.txt", "large.txt"]);
    line.config.files.exclude_extensions = vec!["txt".to_owned()];
    let excluded = crawl(&line, Scope::Full).await;
    assert_eq!(excluded.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&excluded));
    assert_eq!(line.file_titles(), Vec::<String>::new());
    line.config.files.exclude_extensions.clear();
    let wanted = crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["empty.txt", "large.txt"], "{:?}", line.alerts(&wanted));
}

#[tokio::test]
async fn a_signature_that_ended_is_asked_for_anew_and_a_host_that_fails_is_tried_again() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    line.add_file(page, "old.txt", b"gamma");
    for failure in [FileFailure::Expired, FileFailure::InternalError, FileFailure::Cut] {
        line.notion.push_file_fault(FileFault::once(failure));
    }
    let report = crawl(&line, Scope::Full).await;
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    assert_eq!(line.file_titles(), ["old.txt"]);

    // One that its host does not have fails by itself, and is tried again by the next crawl, though its page did not change.
    let gone = line.add_file(page, "gone.txt", b"delta");
    let lost = FileFault { count: 1_000, ..FileFault::once(FileFailure::NotFound) };
    line.notion.push_file_fault(lost);
    let report = crawl(&line, Scope::Incremental).await;
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    assert_eq!(line.file_titles(), ["old.txt"]);
    line.notion.clear_file_faults();
    let report = crawl(&line, Scope::Incremental).await;
    assert_eq!(line.file_titles(), ["gone.txt", "old.txt"], "{gone} {:?}", line.alerts(&report));
}

#[tokio::test]
async fn a_text_that_became_old_because_the_host_failed_is_read_again_by_the_next_full_crawl() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    line.add_file(page, "kept.txt", b"zeta");
    crawl(&line, Scope::Full).await;
    let is_stale = || line.item("kept.txt").file.unwrap().facts.stale;
    assert!(!is_stale());

    let lost = FileFault { count: 1_000, ..FileFault::once(FileFailure::NotFound) };
    line.notion.push_file_fault(lost);
    for scope in [Scope::ForceReindex, Scope::Full] {
        let report = crawl(&line, scope).await;
        assert_eq!((report.crawl.state, report.crawl.not_indexed), (CrawlState::CompletedWithErrors, 1));
        assert!(is_stale(), "{scope}");
        assert_eq!(line.search("zeta").hits[0].title, "kept.txt", "what was read before is found");
        let id = line.item("kept.txt").id.to_string();
        let why = ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &id, false).await.unwrap();
        let said = &why.reasons[0].message;
        assert!(said.contains("its host does not have it") && said.contains("reads it again"), "{said}");
    }
    line.notion.clear_file_faults();
    line.count_fetched();
    let report = crawl(&line, Scope::Full).await;
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    assert_eq!((line.count_fetched(), is_stale()), (1, false));
    assert_eq!(line.search("zeta").hits[0].title, "kept.txt");
    for scope in [Scope::Incremental, Scope::Full] {
        crawl(&line, scope).await;
        assert_eq!(line.count_fetched(), 0, "{scope}");
    }
}

#[tokio::test]
async fn files_on_other_hosts_are_read_when_that_is_switched_on() {
    let (mut line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let external = NewFile { host: Host::External, ..NewFile::new("elsewhere.txt", b"epsilon".to_vec()) };
    line.notion.add_file(page, external).unwrap();
    let report = crawl(&line, Scope::Full).await;
    assert_eq!((report.crawl.skipped, line.file_titles()), (0, Vec::new()), "{:?}", line.alerts(&report));
    line.config.files.other_hosts = true;
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["elsewhere.txt"]);
    assert_eq!(line.search("epsilon").hits.len(), 1);
}

/// Statuses of the answers of the file hosts since the last time.
fn answered(line: &Line) -> Vec<u16> {
    let statuses = line.notion.file_requests().iter().map(|entry| entry.status).collect();
    line.notion.clear_file_requests();
    statuses
}

#[tokio::test]
async fn other_hosts_are_asked_by_full_crawls_whether_a_file_is_still_the_same() {
    let (mut line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let external = NewFile { host: Host::External, ..NewFile::new("elsewhere.txt", b"upsilon".to_vec()) };
    let (file, _) = line.notion.add_file(page, external).unwrap();
    let locked = NewFile { host: Host::External, ..NewFile::new("locked.docx", LOCKED.to_vec()) };
    line.notion.add_file(page, locked).unwrap();
    line.add_file(page, "here.txt", b"phi");
    line.config.files.other_hosts = true;
    crawl(&line, Scope::Full).await;
    assert_eq!(answered(&line), [200, 200, 200]);

    // One on Notion's host is not asked for, and no request more is made to Notion for the others.
    line.bill();
    let again = crawl(&line, Scope::Full).await;
    assert_eq!(again.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&again));
    assert_eq!((again.crawl.updated, again.crawl.added, again.crawl.skipped), (0, 0, 1));
    assert_eq!(answered(&line), [304, 304]);
    assert!(
        line.bill().keys().all(|endpoint| !endpoint.contains("markdown") && !endpoint.contains("blocks"))
    );
    crawl(&line, Scope::Incremental).await;
    assert_eq!(answered(&line), Vec::<u16>::new());

    // Nobody tells Notion, and its page is the same.
    line.notion.replace_file(file, b"omega".to_vec().into(), Vec::new()).unwrap();
    let changed = crawl(&line, Scope::Full).await;
    assert_eq!(changed.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&changed));
    assert_eq!(changed.crawl.updated, 1);
    let mut statuses = answered(&line);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 304]);
    assert!(line.search("upsilon").hits.is_empty());
    assert_eq!(line.search("omega").hits[0].title, "elsewhere.txt");
    crawl(&line, Scope::Full).await;
    assert_eq!(answered(&line), [304, 304], "it is asked with what came last");

    // A page that is read again asks for its files in the same way.
    line.control("edit", json!({"id": page, "title": "Renamed"})).await;
    crawl(&line, Scope::Full).await;
    assert_eq!(answered(&line), [304, 304]);

    // A host that fails makes its text old, as it does in a force reindex.
    let lost = FileFault { count: 1_000, ..FileFault::once(FileFailure::NotFound) };
    line.notion.push_file_fault(lost);
    crawl(&line, Scope::Full).await;
    assert!(line.item("elsewhere.txt").file.unwrap().facts.stale);
    line.notion.clear_file_faults();
    answered(&line);
    crawl(&line, Scope::Full).await;
    assert_eq!(answered(&line), [200, 200]);
    assert!(!line.item("elsewhere.txt").file.unwrap().facts.stale);
    crawl(&line, Scope::ForceReindex).await;
    assert_eq!(answered(&line), [200, 200, 200]);
}

#[tokio::test]
async fn a_file_that_gets_no_fresh_address_is_told_and_found_by_the_next_crawl() {
    let (mut line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    line.config.notion.body = BodyChoice::Blocks;
    let (_, block) = line.notion.add_file(page, NewFile::new("aged.txt", b"tau".to_vec())).unwrap();
    line.notion.push_file_fault(FileFault::once(FileFailure::Expired));
    line.notion.push_fault(Fault {
        failure: Failure::Refused { code: RefusalCode::ObjectNotFound },
        count: 1,
        skip: 0,
        method: None,
        path_prefix: Some(format!("/v1/blocks/{}", block.unwrap())),
    });
    let report = crawl(&line, Scope::Full).await;
    assert_eq!((report.crawl.state, report.crawl.not_indexed), (CrawlState::CompletedWithErrors, 1));
    let alerts = line.alerts(&report).join("\n");
    assert!(alerts.contains("address was too old"), "{alerts}");
    let report = crawl(&line, Scope::Incremental).await;
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    assert_eq!(line.file_titles(), ["aged.txt"]);
}

/// A crawl of another connector of the same workspace, which is made where there is none.
async fn crawl_by_another(line: &Line, scope: Scope, include: &[Uuid]) -> CrawlReport {
    const OTHER: &str = "others";
    let app = line.app();
    if app.store.load_connector(OTHER).unwrap().is_none() {
        let new = AddConnector {
            name: OTHER.to_owned(),
            notion_url: line.url.clone(),
            secret: SecretString::from(DEFAULT_TOKEN),
            validate: false,
        };
        ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await.unwrap();
        let include = Some(include.iter().map(Uuid::to_string).collect());
        let edit = EditConnector { include, ..EditConnector::default() };
        ops::edit_connector(&app, &Caller::LOCAL_OPERATOR, OTHER, &edit).unwrap();
    }
    let request = CrawlRequest { connector: Some(OTHER.to_owned()), ..request(scope) };
    line.notion.advance(std::time::Duration::from_secs(600));
    ops::run_crawl(&app, &Caller::LOCAL_OPERATOR, request, watch::Sender::default()).await.unwrap()
}

#[tokio::test]
async fn a_file_leaves_a_connector_whose_page_another_one_read_without_it() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let file = line.add_file(page, "shared.txt", b"kappa");
    crawl(&line, Scope::Full).await;
    crawl_by_another(&line, Scope::Full, &[]).await;
    line.notion.remove_file(file).unwrap();
    crawl(&line, Scope::Incremental).await;
    assert_eq!(line.file_titles(), ["shared.txt"], "the other has not settled yet");
    // It finds the page unchanged: what it says was read by the first.
    crawl_by_another(&line, Scope::Incremental, &[]).await;
    assert_eq!(line.file_titles(), Vec::<String>::new());
    assert!(line.search("kappa").hits.is_empty());
}

#[tokio::test]
async fn a_file_in_pages_of_two_connectors_is_each_ones_by_its_own_page() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let truth = line.truth();
    let other = truth.values().find(|fact| fact.has_body() && fact.id != page).unwrap().id;
    let file = line.add_file(page, "twice.txt", b"lambda");
    line.notion.show_file(other, file, "", None).unwrap();
    crawl(&line, Scope::Full).await;
    // Described by the one page, wanted for the other: whichever is the first.
    for kept in [page, other] {
        let report = crawl_by_another(&line, Scope::Full, &[kept]).await;
        assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
        let app = line.app();
        let connector = app.store.load_connector("others").unwrap().unwrap();
        ops::delete_connector(&app, &Caller::LOCAL_OPERATOR, &connector.name).await.unwrap();
        assert!(report.crawl.discovered >= 2, "the page and the file in it: {:?}", report.crawl);
        assert_eq!(line.file_titles(), ["twice.txt"]);
    }
}

#[tokio::test]
async fn a_file_is_shown_below_the_page_that_still_has_it() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let truth = line.truth();
    let is_leaf = |id: &Uuid| truth.values().all(|fact| fact.parent != Some(*id));
    let other = truth.values().find(|fact| fact.has_body() && fact.id != page && is_leaf(&fact.id)).unwrap();
    let (other, titles) = (other.id, [truth[&page].title.clone(), other.title.clone()]);
    let file = line.add_file(page, "moved.txt", b"omicron");
    line.notion.show_file(other, file, "", None).unwrap();
    crawl(&line, Scope::Full).await;
    let shown = |line: &Line| line.search("omicron").hits[0].breadcrumb.last().cloned().unwrap();
    let first = shown(&line);
    let (gone, stays) = if first == titles[0] { (page, &titles[1]) } else { (other, &titles[0]) };
    line.control("trash", json!({"id": gone})).await;
    let report = crawl(&line, Scope::Incremental).await;
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    assert_eq!((line.file_titles(), &shown(&line)), (vec!["moved.txt".to_owned()], stays));
}

#[tokio::test]
async fn a_file_is_described_by_the_page_that_stays_when_deletions_are_approved() {
    let (mut line, pages) = Line::with_leaves(6).await;
    (line.config.crawl.deletion_share_percent, line.config.crawl.deletion_floor) = (0, 0);
    let file = line.add_file(pages[0], "kept.txt", b"upsilon");
    line.notion.show_file(pages[1], file, "amaranth", None).unwrap();
    line.notion.show_file(pages[2], file, "celadon", None).unwrap();
    crawl(&line, Scope::Full).await;
    for gone in [pages[1], pages[0]] {
        line.control("trash", json!({"id": gone})).await;
        let report = crawl(&line, Scope::Full).await;
        assert_eq!(report.crawl.state, CrawlState::AwaitingApproval, "{:?}", line.alerts(&report));
        ops::approve_deletions(&line.app(), &Caller::LOCAL_OPERATOR, report.crawl.id).await.unwrap();
        assert_eq!(line.file_titles(), ["kept.txt"]);
        assert!(line.search("amaranth").hits.is_empty(), "the caption went with its page");
    }
    let hit = line.search("celadon").hits.into_iter().find(|hit| hit.title == "kept.txt").unwrap();
    assert_eq!(hit.breadcrumb.last(), Some(&line.truth()[&pages[2]].title));
}

#[tokio::test]
async fn a_file_is_described_by_the_pages_of_those_who_stay_when_a_connector_is_deleted() {
    let (line, pages) = Line::with_leaves(6).await;
    let file = line.add_file(pages[2], "kept.txt", b"upsilon");
    let said = [(pages[0], "amaranth"), (pages[1], "celadon")];
    for (page, caption) in said {
        line.notion.show_file(page, file, caption, None).unwrap();
    }
    crawl(&line, Scope::Full).await;
    let first = line.item("kept.txt").file.unwrap().pages[0].id.0;
    let (other, caption) = said.into_iter().find(|(page, _)| *page != first).unwrap();
    crawl_by_another(&line, Scope::Full, &[other]).await;
    let says = |line: &Line| line.search(caption).hits.iter().any(|hit| hit.title == "kept.txt");
    assert!(!says(&line), "what another page than the first says of it is that page's");
    ops::delete_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR).await.unwrap();
    assert_eq!(line.file_titles(), ["kept.txt"]);
    assert!(says(&line) && line.search("upsilon").hits.len() == 1);
}

#[tokio::test]
async fn a_file_that_turned_out_to_hold_nothing_takes_no_place_from_others() {
    let (line, pages) = Line::with_leaves(3).await;
    line.add_file(pages[0], "broken.docx", &DOCX[..DOCX.len() / 3]);
    line.add_file(pages[0], "locked.docx", LOCKED);
    line.add_file(pages[0], "good.txt", b"phi");
    let limit = u64::try_from(line.truth().len()).unwrap() + 1;
    let edit = EditConnector { item_limit: Setting::typed(&limit.to_string()), ..EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap();
    // One place, three files: it is given to one after the other, until one keeps it.
    for _ in 0..3 {
        crawl(&line, Scope::Full).await;
    }
    assert_eq!(line.file_titles(), ["good.txt"]);
}

#[tokio::test]
async fn what_notion_never_delivers_keeps_no_file_in_its_page() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let button = json!([{"block": {"kind": "unsupported", "payload": {"block_type": "button"}}}]);
    line.control("edit", json!({"id": page, "append": button})).await;
    let file = line.add_file(page, "beside a button.txt", b"sigma");
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["beside a button.txt"]);
    line.notion.remove_file(file).unwrap();
    crawl(&line, Scope::Incremental).await;
    assert_eq!(line.file_titles(), Vec::<String>::new());
}

/// What a search shows of files, by title.
#[tokio::test]
async fn the_sample_files_of_a_generated_workspace_are_all_found() {
    let line = Line::with_files(generated("pages=120,seed=71,shape=mixed")).await;
    let report = crawl(&line, Scope::Full).await;
    let wanted: BTreeMap<String, Vec<String>> = line
        .notion
        .truth(None)
        .unwrap()
        .into_iter()
        .filter(|fact| fact["kind"] == "file")
        .filter(|file| {
            file["title"].as_str().is_some_and(|name| name.ends_with(".txt") || name.ends_with(".csv"))
        })
        .map(|file| {
            let markers = file["markers"].as_array().cloned().unwrap_or_default();
            let words = markers.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
            (file["title"].as_str().unwrap().to_owned(), words)
        })
        .collect();
    assert!(!wanted.is_empty(), "{:?}", line.alerts(&report));
    for (name, markers) in wanted {
        for marker in markers {
            let found = line.search(&marker);
            assert!(
                found.hits.iter().any(|hit| hit.title == name),
                "{marker} of {name}: {:?}",
                line.alerts(&report)
            );
        }
    }
}
