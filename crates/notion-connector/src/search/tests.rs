//! The room as a whole: deliveries in, answers out.

use jiff::Timestamp;

use super::fixture::{cursor, id, key, page, related, text_property};
use super::*;
use crate::model::{Change, ConnectorId, Crumb, Delivery, ItemKind, Viewer};
use crate::runtime::Runtime;
use crate::sink::index::IndexSink;

fn index(deliveries: Vec<Delivery>) -> SearchIndex {
    let sink = IndexSink::in_memory(Runtime::real()).unwrap();
    let changes: Vec<Change> =
        deliveries.into_iter().map(|delivery| Change::Upsert(Box::new(delivery))).collect();
    sink.deliver_now(&changes, cursor(1)).unwrap();
    sink.search_index()
}

fn request(query: &str) -> SearchRequest {
    SearchRequest::new(query, Viewer::LocalOperator)
}

fn found(index: &SearchIndex, request: &SearchRequest) -> Vec<String> {
    let response = index.search(request).unwrap();
    assert!(response.hits.len() <= response.total);
    response.hits.into_iter().map(|hit| hit.title).collect()
}

fn ask(index: &SearchIndex, query: &str) -> Vec<String> {
    let mut titles = found(index, &request(query));
    titles.sort();
    titles
}

fn mapped(connectors: &[i64]) -> Viewer {
    Viewer::of_connectors(connectors.iter().copied().map(ConnectorId))
}

fn held_by(mut delivery: Delivery, connectors: &[i64]) -> Delivery {
    delivery.holders = connectors.iter().copied().map(ConnectorId).collect();
    delivery
}

#[test]
fn a_viewer_counts_sees_and_gets_only_what_their_connectors_hold() {
    let index = index(vec![
        held_by(page(1, "Secret plan of one", "the zebra is hidden here"), &[1]),
        held_by(page(2, "Plan of two", "a zebra in the open"), &[2]),
        held_by(page(3, "Plan of both", "zebra zebra zebra"), &[1, 2]),
    ]);
    for query in ["zebra", "plan", "\"plan of\"", "zeb*", "zebra -nothing", "", "-nothing"] {
        for (viewer, expected) in [
            (mapped(&[1]), vec!["Plan of both", "Secret plan of one"]),
            (mapped(&[2]), vec!["Plan of both", "Plan of two"]),
            (mapped(&[1, 2]), vec!["Plan of both", "Plan of two", "Secret plan of one"]),
            (mapped(&[3]), vec![]),
            (mapped(&[]), vec![]),
            (Viewer::LocalOperator, vec!["Plan of both", "Plan of two", "Secret plan of one"]),
        ] {
            let response = index.search(&SearchRequest::new(query, viewer.clone())).unwrap();
            assert_eq!(response.total, expected.len(), "{query:?} by {viewer:?}");
            let mut titles: Vec<String> = response.hits.iter().map(|hit| hit.title.clone()).collect();
            titles.sort();
            assert_eq!(titles, expected, "{query:?} by {viewer:?}");
            if viewer == mapped(&[2]) {
                assert!(!format!("{response:?}").contains("hidden"));
            }
        }
    }
    assert!(index.get(&Lookup::Id(id(1)), &mapped(&[2])).unwrap().is_none());
    assert!(index.get(&Lookup::Key(key(1)), &mapped(&[])).unwrap().is_none());
    assert_eq!(
        index.get(&Lookup::Id(id(1)), &mapped(&[1])).unwrap().unwrap().text,
        "the zebra is hidden here"
    );
    assert_eq!(index.count_visible(&mapped(&[2])).unwrap(), 2);
    assert_eq!(index.count_visible(&mapped(&[])).unwrap(), 0);
}

#[test]
fn phrases_prefixes_exclusions_and_compounds_find_what_they_say() {
    let index = index(vec![
        page(1, "a", "release notes of the error_code table"),
        page(2, "b", "notes about a release with errorCode"),
        page(3, "c", "configuration in the config file, code of an error"),
    ]);
    assert_eq!(ask(&index, "\"release notes\""), ["a"]);
    assert_eq!(ask(&index, "release notes"), ["a", "b"]);
    assert_eq!(ask(&index, "releases"), ["a", "b"], "by stem");
    assert_eq!(ask(&index, "\"releases\""), Vec::<String>::new(), "not by stem");
    assert_eq!(ask(&index, "conf*"), ["c"]);
    assert_eq!(ask(&index, "notes -table"), ["b"]);
    assert_eq!(ask(&index, "-table"), ["b", "c"]);
    assert_eq!(ask(&index, "notes -\"release notes\""), ["b"]);
    assert_eq!(ask(&index, "error_code"), ["a", "b"]);
    assert_eq!(ask(&index, "errorcode"), ["a", "b"]);
    assert_eq!(ask(&index, "error code"), ["a", "b", "c"]);
    assert_eq!(ask(&index, "error_co*"), ["a", "b"]);
    assert_eq!(ask(&index, "\"error_code table\""), ["a"]);
}

#[test]
fn japanese_german_and_addresses_are_found() {
    let index = index(vec![
        page(1, "予算計画", "来年度の東京都の予算について"),
        page(2, "Über uns", "Die Straße zur Größe"),
        page(3, "Contact", "write to anna.lee@example.org, see https://example.org/docs/v1.2.3"),
    ]);
    for (query, title) in [
        ("予算", "予算計画"),
        ("都", "予算計画"),
        ("東京都の予算", "予算計画"),
        ("「来年度の」", "予算計画"),
        ("uber", "Über uns"),
        ("ueber", "Über uns"),
        ("ÜBER", "Über uns"),
        ("strasse groesse", "Über uns"),
        ("anna.lee@example.org", "Contact"),
        ("lee", "Contact"),
        ("v1.2.3", "Contact"),
        ("https://example.org/docs/", "Contact"),
    ] {
        assert_eq!(ask(&index, query), [title], "{query}");
    }
    assert!(ask(&index, "予定").is_empty());
}

#[test]
fn a_title_outranks_a_body_and_the_whole_title_outranks_a_part() {
    let mut deliveries = vec![
        page(1, "Other things", "deploy guide deploy guide deploy guide"),
        page(2, "Deploy guide for the impatient and everybody else", "short"),
        page(3, "Deploy guide", "short"),
    ];
    deliveries
        .extend((4..24).map(|n| page(n, "Meeting", "we talked about the deploy guide and other things")));
    let index = index(deliveries);
    assert_eq!(
        found(&index, &request("deploy guide"))[..3],
        ["Deploy guide", "Deploy guide for the impatient and everybody else", "Other things"]
    );
}

#[test]
fn words_that_stand_together_rank_higher() {
    let index = index(vec![
        page(1, "x", "incident one two three four five six review"),
        page(2, "y", "one two three four five six incident review"),
    ]);
    assert_eq!(found(&index, &request("incident review")), ["y", "x"]);
}

#[test]
fn properties_breadcrumbs_and_headings_are_searched() {
    let mut row = page(1, "Row", "body");
    row.item.kind = ItemKind::Row;
    row.item.properties = vec![text_property("Status", "In review"), text_property("Owner", "")];
    row.related = vec![related("Owner", &["Marketing team"])];
    row.ancestors =
        vec![Crumb { id: id(50), kind: ItemKind::Page, title: "Handbook".to_owned(), is_held: true }];
    let index = index(vec![row, page(2, "Other", "other")]);
    for query in ["reviews", "marketing", "status", "handbooks", "\"in review\""] {
        assert_eq!(ask(&index, query), ["Row"], "{query}");
    }
    let response = index.search(&request("marketing")).unwrap();
    assert_eq!(response.hits[0].snippet.text, "Owner: Marketing team");
    assert_eq!(response.hits[0].breadcrumb[0].title, "Handbook");
}

#[test]
fn filters_narrow_before_counting() {
    let mut row = page(2, "row", "text");
    row.item.kind = ItemKind::Row;
    row.ancestors = vec![Crumb { id: id(1), kind: ItemKind::Page, title: "page".to_owned(), is_held: true }];
    let index = index(vec![page(1, "page", "text"), row, page(3, "late", "text")]);
    let narrowed = |filters: Filters| {
        let mut titles = found(&index, &SearchRequest { filters, ..request("text") });
        titles.sort();
        titles
    };
    let at = |minute: i64| Some(Timestamp::from_second(minute * 60).unwrap());
    assert_eq!(narrowed(Filters { kinds: vec![ItemKind::Row], ..Filters::default() }), ["row"]);
    assert_eq!(narrowed(Filters { within: vec![id(1)], ..Filters::default() }), ["page", "row"]);
    assert_eq!(narrowed(Filters { within: vec![id(9)], ..Filters::default() }), Vec::<String>::new());
    assert_eq!(narrowed(Filters { edited_from: at(2), ..Filters::default() }), ["late", "row"]);
    assert_eq!(narrowed(Filters { edited_before: at(2), ..Filters::default() }), ["page"]);
    assert_eq!(narrowed(Filters { edited_from: at(2), edited_before: at(3), ..Filters::default() }), ["row"]);
}

#[test]
fn nothing_typed_shows_the_newest_first() {
    let index = index(vec![page(1, "old", ""), page(3, "new", ""), page(2, "middle", "")]);
    assert_eq!(found(&index, &request("  ")), ["new", "middle", "old"]);
    assert!(found(&index, &request("🚀")).len() == 3, "signs alone ask for nothing");
}

#[test]
fn equal_scores_are_ordered_by_key_and_pages_do_not_overlap() {
    let sink = IndexSink::in_memory(Runtime::real()).unwrap();
    for n in [5_u128, 2, 9, 1, 7, 3, 8, 6, 4] {
        let delivery = page(n, &format!("t{n}"), "same words");
        sink.deliver_now(&[Change::Upsert(Box::new(delivery))], cursor(1)).unwrap();
    }
    let index = sink.search_index();
    assert_eq!(found(&index, &request("same")), ["t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"]);
    let mut pages = Vec::new();
    for offset in [0, 4, 8, 12] {
        pages.extend(found(&index, &SearchRequest { limit: 4, offset, ..request("same") }));
    }
    assert_eq!(pages, found(&index, &request("same")));
}

#[test]
fn limits_are_held_to_what_is_allowed() {
    let index = index((1..=120).map(|n| page(n, "title", "word")).collect());
    let response = index.search(&SearchRequest { limit: 5_000, ..request("word") }).unwrap();
    assert_eq!((response.total, response.hits.len()), (120, 100));
    let response = index.search(&SearchRequest { limit: 0, ..request("word") }).unwrap();
    assert_eq!((response.total, response.hits.len()), (120, 1));
    let response = index.search(&SearchRequest { offset: usize::MAX, ..request("word") }).unwrap();
    assert_eq!((response.total, response.hits.len()), (120, 0));
}

#[test]
fn every_word_of_a_text_finds_it() {
    let text = "MAX_RETRIES=5; see /etc/app.conf, O'Reilly’s §4.2, naïve façade; 0xDEADBEEF #1234 100% a/b:c \
                HTTPServer2 foo.bar() {json: \"x-y\"} C++17 — ½ ﬁn";
    let index = index(vec![page(1, "t", text)]);
    for chunk in text.split_whitespace() {
        if chunk.chars().any(char::is_alphanumeric) && !chunk.starts_with('-') {
            assert_eq!(ask(&index, chunk), ["t"], "{chunk}");
        }
    }
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        assert_eq!(ask(&index, word), ["t"], "{word}");
    }
    let long = format!("{}needle", "x".repeat(70_000));
    let index = self::index(vec![page(1, "t", &long)]);
    assert_eq!(index.search(&request(&long)).unwrap().total, 1);
}

#[test]
fn hits_carry_what_is_shown() {
    let mut delivery = page(1, "Release notes", "We shipped the release today.");
    delivery.item.icon = Some("🚢".to_owned());
    delivery.item.last_edited_by = Some(id(77));
    delivery.last_edited_by_name = Some("Anna".to_owned());
    let index = index(vec![delivery]);
    let response = index.search(&request("release")).unwrap();
    let hit = &response.hits[0];
    assert_eq!(hit.icon.as_deref(), Some("🚢"));
    assert_eq!(hit.last_edited_by.as_ref().and_then(|editor| editor.name.as_deref()), Some("Anna"));
    assert_eq!(&hit.title[hit.title_highlights[0].clone()], "Release");
    assert_eq!(&hit.snippet.text[hit.snippet.highlights[0].clone()], "release");
    assert_eq!(hit.last_edited_time.as_second(), 60);
    assert!(hit.score > 0.0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_query_is_an_error_and_none_shows_more_than_the_viewer_may_see(query in "[-\"*“” a-zé日の_.'&+#0-9]{0,30}") {
        thread_local! {
            static INDEX: SearchIndex = index(vec![
                held_by(page(1, "a b c", "one é 日の d_e f.g"), &[1]),
                held_by(page(2, "a b c", "one é 日の d_e f.g"), &[2]),
            ]);
        }
        INDEX.with(|index| {
            let all = index.search(&request(&query)).unwrap();
            let one = index.search(&SearchRequest::new(query.clone(), mapped(&[1]))).unwrap();
            assert!(one.hits.iter().all(|hit| hit.id == id(1)));
            assert_eq!(one.total * 2, all.total);
        });
    }
}

#[test]
fn when_no_text_has_the_words_those_with_any_are_shown_and_it_says_so() {
    let index = index(vec![page(1, "a", "glide form"), page(2, "b", "other"), page(3, "c", "glide \"x y\"")]);
    let response = index.search(&request("glide hovercraft")).unwrap();
    assert_eq!((response.total, response.relaxed), (2, true));
    let response = index.search(&request("glide form")).unwrap();
    assert_eq!((response.total, response.relaxed), (1, false));
    let response = index.search(&request("hovercraft eels")).unwrap();
    assert_eq!((response.total, response.relaxed), (0, false));
    assert_eq!(index.search(&request("glide \"y x\"")).unwrap().total, 0, "what is quoted is meant");
    assert_eq!(index.search(&request("glide hovercraft -form")).unwrap().total, 1);
}
