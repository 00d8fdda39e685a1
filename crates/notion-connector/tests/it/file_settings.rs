//! Which files a connector reads by settings of its own, also where two connectors share a workspace.

use std::collections::BTreeMap;

use notion_connector::crawl::Progress;
use notion_connector::model::{Caller, FilePlace, ItemKind};
use notion_connector::ops::{
    self, AddConnector, CrawlReport, CrawlRequest, EditConnector, PlanRequest, Setting,
};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::DEFAULT_TOKEN;
use notion_emulator::files::{Host, NewFile};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::support::{CONNECTOR, Line, request};

const OTHER: &str = "others";

/// With a second connector to the same workspace.
async fn shared() -> (Line, Vec<Uuid>) {
    let (line, pages) = Line::with_leaves(4).await;
    let app = line.app();
    let notion_url = app.store.load_connector(CONNECTOR).unwrap().unwrap().notion_url;
    let secret = SecretString::from(DEFAULT_TOKEN);
    let new = AddConnector { name: OTHER.to_owned(), notion_url, secret, validate: false };
    ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await.unwrap();
    (line, pages)
}

/// Shows a file of Notion's host at one more place.
async fn show_again(line: &Line, page: Uuid, kind: &str, (file, name): (Uuid, &str)) {
    let payload = json!({"type": "file", "file": {"hosted": file, "name": name}, "caption": []});
    line.control("edit", json!({"id": page, "append": [{"block": {"kind": kind, "payload": payload}}]}))
        .await;
}

fn edit(line: &Line, connector: &str, edit: &EditConnector) -> bool {
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, connector, edit)
        .unwrap()
        .connector
        .recrawl_required
}

fn without(extensions: &[&str]) -> EditConnector {
    let extensions = extensions.iter().map(|&extension| extension.to_owned()).collect();
    EditConnector { exclude_extensions: Some(Setting::Own(extensions)), ..EditConnector::default() }
}

async fn crawl_of(line: &Line, connector: &str, scope: Scope) -> CrawlReport {
    line.notion.advance(std::time::Duration::from_secs(600));
    let request = CrawlRequest { connector: Some(connector.to_owned()), ..request(scope) };
    let report = ops::run_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, watch::Sender::default())
        .await
        .unwrap();
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    let crawl = &report.crawl;
    assert_eq!(crawl.discovered, crawl.indexed + crawl.unchanged + crawl.skipped + crawl.not_indexed);
    report
}

async fn crawl(line: &Line, scope: Scope) -> CrawlReport {
    crawl_of(line, CONNECTOR, scope).await
}

/// Which connectors hold a file, by its title.
fn held(line: &Line) -> BTreeMap<String, usize> {
    let connectors = ops::list_connectors(&line.app(), &Caller::LOCAL_OPERATOR).unwrap();
    connectors.into_iter().map(|one| (one.name, one.items as usize)).collect()
}

#[tokio::test]
async fn a_connectors_own_extensions_decide_and_ask_for_a_recrawl() {
    let (line, pages) = Line::with_leaves(4).await;
    let file = NewFile {
        caption: "the glimmering one".to_owned(),
        ..NewFile::new("plan.csv", b"kwijibo,1".to_vec())
    };
    line.notion.add_file(pages[0], file).unwrap();
    line.add_file(pages[0], "minutes.txt", b"agreed");
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["minutes.txt", "plan.csv"]);
    line.count_fetched();

    assert!(edit(&line, CONNECTOR, &without(&[".CSV", "csv"])), "recrawl required");
    let report = crawl(&line, Scope::Full).await;
    assert_eq!((line.file_titles(), report.crawl.deleted), (vec!["minutes.txt".to_owned()], 1));
    let detail = ops::show_crawl(&line.app(), &Caller::LOCAL_OPERATOR, report.crawl.id).unwrap();
    let told = detail.alerts.iter().find(|alert| alert.message.contains(".csv is not included")).unwrap();
    assert_eq!(told.times, 1, "{:?}", detail.alerts);
    assert!(
        !ops::show_connector(&line.app(), &Caller::LOCAL_OPERATOR, Some(CONNECTOR))
            .unwrap()
            .connector
            .recrawl_required
    );
    // Its name and what its page says of it stay text of the page; its own text is gone.
    for words in ["plan.csv", "glimmering"] {
        let found = line.search(words);
        assert_eq!(found.hits.iter().map(|hit| hit.id.0).collect::<Vec<_>>(), [pages[0]], "{words}");
    }
    assert!(line.search("kwijibo").hits.is_empty());

    // An edited page is read again, and the file stays out.
    line.control("edit", json!({"id": pages[0], "title": "Renamed"})).await;
    let report = crawl(&line, Scope::Incremental).await;
    assert_eq!((line.file_titles(), report.crawl.deleted), (vec!["minutes.txt".to_owned()], 0));
    assert_eq!(line.count_fetched(), 0);

    let again = EditConnector { exclude_extensions: Some(Setting::Inherited), ..EditConnector::default() };
    assert!(edit(&line, CONNECTOR, &again));
    crawl(&line, Scope::Full).await;
    assert_eq!(
        (line.file_titles(), line.count_fetched()),
        (vec!["minutes.txt".to_owned(), "plan.csv".to_owned()], 1)
    );
}

#[tokio::test]
async fn a_place_can_be_switched_off_and_a_file_leaves_with_the_last_place_that_is_wanted() {
    let (line, pages) = Line::with_leaves(4).await;
    let twice = line.add_file(pages[0], "twice.pdf", b"%PDF-1.4 no more");
    show_again(&line, pages[1], "file", (twice, "twice.pdf")).await;
    line.add_file(pages[0], "once.txt", b"alpha");
    let places = |places: &[FilePlace]| EditConnector {
        file_places: Some(Setting::Own(places.to_vec())),
        ..EditConnector::default()
    };
    edit(&line, CONNECTOR, &without(&[]));
    edit(&line, CONNECTOR, &places(&[FilePlace::Pdf]));
    // It is broken, and looked at all the same: what stands in PDF blocks is wanted.
    line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(line.count_fetched(), 1, "once.txt stands in a file block");
    assert_eq!(line.file_titles(), Vec::<String>::new());

    let (line, pages) = Line::with_leaves(4).await;
    let twice = line.add_file(pages[0], "twice.txt", b"beta");
    show_again(&line, pages[1], "video", (twice, "twice.txt")).await;
    edit(&line, CONNECTOR, &places(&[FilePlace::File]));
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["twice.txt"], "the other place does not take it away");
    edit(&line, CONNECTOR, &places(&[FilePlace::Video]));
    let report = crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["twice.txt"], "{:?}", line.alerts(&report));
    edit(&line, CONNECTOR, &places(&[]));
    let report = crawl(&line, Scope::Full).await;
    assert_eq!((line.file_titles(), report.crawl.deleted), (Vec::new(), 1), "{:?}", line.alerts(&report));
}

#[tokio::test]
async fn a_file_leaves_with_the_last_page_in_which_it_is_wanted() {
    for (scope, asks) in [(Scope::Full, false), (Scope::Full, true), (Scope::Incremental, false)] {
        let (mut line, pages) = Line::with_leaves(4).await;
        if asks {
            (line.config.crawl.deletion_share_percent, line.config.crawl.deletion_floor) = (0, 0);
        }
        let twice = line.add_file(pages[0], "twice.txt", b"beta");
        show_again(&line, pages[1], "video", (twice, "twice.txt")).await;
        let places = Some(Setting::Own(vec![FilePlace::Video]));
        edit(&line, CONNECTOR, &EditConnector { file_places: places, ..EditConnector::default() });
        crawl(&line, Scope::Full).await;
        assert_eq!(line.file_titles(), ["twice.txt"]);

        line.control("trash", json!({"id": pages[1]})).await;
        let report = line.try_crawl(scope).await.unwrap();
        if asks {
            assert_eq!(report.crawl.state, CrawlState::AwaitingApproval, "{:?}", line.alerts(&report));
            assert_eq!(line.file_titles(), ["twice.txt"], "its page is there still");
            ops::approve_deletions(&line.app(), &Caller::LOCAL_OPERATOR, report.crawl.id).await.unwrap();
        }
        assert_eq!(line.file_titles(), Vec::<String>::new(), "{:?}", line.alerts(&report));
    }
}

#[tokio::test]
async fn a_limit_of_its_own_lets_go_of_what_is_larger_and_takes_it_again() {
    let (line, pages) = Line::with_leaves(4).await;
    line.add_file(pages[0], "large.txt", &[b"kwijibo ".repeat(150_000), b"end".to_vec()].concat());
    line.add_file(pages[0], "small.txt", b"alpha");
    crawl(&line, Scope::Full).await;
    assert_eq!((line.file_titles().len(), line.count_fetched()), (2, 2));
    let limit = |mb| EditConnector { file_mb: Some(mb), ..EditConnector::default() };
    assert!(edit(&line, CONNECTOR, &limit(Setting::Own(1))));
    let report = crawl(&line, Scope::Full).await;
    assert_eq!((line.file_titles(), report.crawl.deleted), (vec!["small.txt".to_owned()], 1));
    assert_eq!((report.crawl.skipped, line.count_fetched()), (1, 0), "what is known is not fetched");
    let again = crawl(&line, Scope::Full).await;
    assert_eq!((again.crawl.skipped, again.crawl.deleted, line.count_fetched()), (1, 0, 0));
    assert!(!line.search("large.txt").hits.is_empty(), "by its page");

    // A file that was never read is not read beyond the limit.
    line.add_file(pages[1], "other.txt", &[b"a".repeat(1_200_000)].concat());
    let report = crawl(&line, Scope::Incremental).await;
    assert!(
        line.alerts(&report).iter().any(|alert| alert.contains("larger than 1 MB")),
        "{:?}",
        line.alerts(&report)
    );
    edit(&line, CONNECTOR, &limit(Setting::Inherited));
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["large.txt", "other.txt", "small.txt"]);
}

#[tokio::test]
async fn of_two_connectors_each_has_the_files_that_it_wants() {
    let (line, pages) = shared().await;
    line.add_file(pages[0], "table.csv", b"kwijibo,1");
    line.add_file(pages[0], "large.txt", &b"gimlet ".repeat(200_000));
    line.add_file(pages[0], "small.txt", b"alpha");
    let own = EditConnector { file_mb: Some(Setting::Own(1)), ..without(&["csv"]) };
    edit(&line, OTHER, &own);
    // The one that wants less comes first, and takes nothing away from the other.
    let report = crawl_of(&line, OTHER, Scope::Full).await;
    assert_eq!(line.file_titles(), ["small.txt"], "{:?}", line.alerts(&report));
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["large.txt", "small.txt", "table.csv"]);
    for scope in [Scope::Full, Scope::Incremental] {
        crawl_of(&line, OTHER, scope).await;
        assert_eq!(line.file_titles().len(), 3, "{scope}");
    }
    // It looks at the large one anew, and what the other has of it stays.
    line.count_fetched();
    crawl_of(&line, OTHER, Scope::ForceReindex).await;
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles().len(), 3);
    assert_eq!(line.count_fetched(), 2, "by the one that was forced to");
    assert_eq!(line.search("gimlet").total, 1);
    let both = held(&line);
    assert_eq!(both[CONNECTOR], both[OTHER] + 2, "{both:?}");

    // What both leave out is out.
    edit(&line, CONNECTOR, &without(&["csv"]));
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["large.txt", "small.txt"]);
    // What one leaves out the other keeps.
    edit(&line, CONNECTOR, &without(&["csv", "txt"]));
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["small.txt"]);
    assert!(line.search("gimlet").hits.is_empty());
}

#[tokio::test]
async fn what_a_connector_leaves_out_is_known_when_the_one_that_wanted_it_is_deleted() {
    let (line, pages) = shared().await;
    line.add_file(pages[0], "plan.csv", b"kwijibo,1");
    edit(&line, OTHER, &without(&["csv"]));
    crawl(&line, Scope::Full).await;
    crawl_of(&line, OTHER, Scope::Full).await;
    assert_eq!(line.file_titles(), ["plan.csv"]);
    ops::delete_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR).await.unwrap();
    assert_eq!(line.file_titles(), Vec::<String>::new());
    edit(&line, OTHER, &without(&[]));
    crawl_of(&line, OTHER, Scope::Full).await;
    assert_eq!(line.file_titles(), ["plan.csv"]);
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_known_when_there_is_room_again() {
    let (line, pages) = Line::with_leaves(4).await;
    crawl(&line, Scope::Full).await;
    let limit = |limit| EditConnector { item_limit: Some(Setting::Own(limit)), ..EditConnector::default() };
    let held = held(&line)[CONNECTOR] as u64;
    edit(&line, CONNECTOR, &limit(held));
    line.add_file(pages[0], "plan.csv", b"kwijibo,1");
    line.notion.advance(std::time::Duration::from_secs(600));
    line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(line.file_titles(), Vec::<String>::new(), "no room");
    edit(&line, CONNECTOR, &without(&["csv"]));
    line.try_crawl(Scope::Full).await.unwrap();
    edit(&line, CONNECTOR, &limit(held + 1));
    edit(&line, CONNECTOR, &without(&[]));
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["plan.csv"]);
}

#[tokio::test]
async fn other_hosts_are_a_matter_of_each_connector() {
    let (line, pages) = shared().await;
    let external = NewFile { host: Host::External, ..NewFile::new("elsewhere.txt", b"epsilon".to_vec()) };
    line.notion.add_file(pages[0], external).unwrap();
    let report = crawl(&line, Scope::Full).await;
    assert!(line.file_titles().is_empty());
    assert!(
        line.alerts(&report).iter().any(|alert| alert.contains("switched off")),
        "{:?}",
        line.alerts(&report)
    );
    let on = EditConnector { other_hosts: Some(Setting::Own(true)), ..EditConnector::default() };
    edit(&line, OTHER, &on);
    crawl_of(&line, OTHER, Scope::Full).await;
    assert_eq!(line.file_titles(), ["elsewhere.txt"]);
    crawl(&line, Scope::Full).await;
    assert_eq!(line.file_titles(), ["elsewhere.txt"]);
}

#[tokio::test]
async fn settings_of_files_are_shown_checked_and_taken_back() {
    let (line, _) = Line::with_leaves(4).await;
    let app = line.app();
    let list: EditConnector = serde_json::from_value(json!({
        "include_extensions": ["pdf", ".Docx"], "file_places": ["pdf", "file", "pdf"], "file_mb": 1_000, "other_hosts": true,
    }))
    .unwrap();
    let shown = ops::edit_connector(&app, &Caller::LOCAL_OPERATOR, CONNECTOR, &list).unwrap().effective;
    assert_eq!(shown.include_extensions, ["docx", "pdf"]);
    assert_eq!(shown.file_places, [FilePlace::File, FilePlace::Pdf]);
    assert_eq!((shown.file_mb, shown.other_hosts), (25, true), "no more than the configuration allows");
    for wrong in [json!({"include_extensions": ["a b"]}), json!({"file_mb": 0})] {
        let edit = serde_json::from_value(wrong.clone()).unwrap();
        assert!(ops::edit_connector(&app, &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).is_err(), "{wrong}");
    }
    let back = serde_json::from_value(
        json!({"include_extensions": null, "file_places": null, "file_mb": null, "other_hosts": null}),
    );
    let detail = ops::edit_connector(&app, &Caller::LOCAL_OPERATOR, CONNECTOR, &back.unwrap()).unwrap();
    assert_eq!(serde_json::to_value(&detail.settings).unwrap(), json!({}));
    assert_eq!(detail.effective.file_places, FilePlace::ALL);
}

#[tokio::test]
async fn a_preview_and_a_plan_count_the_files_that_settings_want() {
    let (line, pages) = Line::with_leaves(4).await;
    line.add_file(pages[0], "table.csv", b"kwijibo,1");
    line.add_file(pages[0], "large.txt", &b"gimlet ".repeat(200_000));
    line.add_file(pages[1], "small.txt", b"alpha");
    line.add_file(pages[1], "picture.png", b"\x89PNG\r\n\x1a\n");
    crawl(&line, Scope::Full).await;
    let preview = |edit: &EditConnector| {
        let preview = ops::preview_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, edit).unwrap();
        let files = preview.kinds.iter().find(|kind| kind.kind == ItemKind::File);
        files.map_or((0, 0, 0), |kind| (kind.keep, kind.leave_out, kind.newly_need))
    };
    assert_eq!(preview(&EditConnector::default()), (3, 0, 0));
    assert_eq!(preview(&without(&["csv"])), (2, 1, 0));
    assert_eq!(preview(&EditConnector { file_mb: Some(Setting::Own(1)), ..without(&["csv"]) }), (1, 2, 0));
    let images = Some(Setting::Own(vec!["png".to_owned(), "txt".to_owned()]));
    let images = EditConnector { include_extensions: images, ..EditConnector::default() };
    let (keep, leave_out, newly_need) = preview(&images);
    assert_eq!((keep, leave_out), (2, 1));
    assert!(newly_need >= 1, "the picture, and those of the generated pages: {newly_need}");
    // A filter takes the files of its pages along.
    let page = EditConnector { exclude: Some(vec![pages[0].to_string()]), ..EditConnector::default() };
    assert_eq!(preview(&page), (1, 2, 0));

    let plan = async || {
        let request =
            PlanRequest { connector: None, scope: Some(Scope::Full), restart: true, first_secret: None };
        let told = watch::Sender::new(Progress::default());
        let planned = ops::plan_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, told).await.unwrap();
        planned.plan.unwrap().plan
    };
    let told = plan().await;
    assert_eq!((told.files, told.files_to_read, told.unlisted), (3, 0, 0));
    assert!(told.estimates.iter().any(|name| name == "files"), "{:?}", told.estimates);
    edit(&line, CONNECTOR, &images);
    let told = plan().await;
    assert_eq!((told.files, told.files_to_read), (2 + newly_need, newly_need));
    // What they said is what the crawl does.
    line.count_fetched();
    line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(
        (line.file_titles(), line.count_fetched() as u64),
        (["large.txt", "picture.png", "small.txt"].map(str::to_owned).to_vec(), newly_need)
    );
}
