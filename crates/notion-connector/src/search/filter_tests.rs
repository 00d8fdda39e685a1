//! Filters and facets, held to a plain reading of the deliveries.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fixture::{cursor, id, page, related};
use super::*;
use crate::model::{
    Change, ConnectorId, Crumb, DateValue, Delivery, FileFacts, ItemKind, NotionId, Person, Property,
    PropertyValue, Viewer,
};
use crate::runtime::Runtime;
use crate::sink::index::IndexSink;

/// In several segments, so that counts have to be summed.
fn index(deliveries: &[Delivery]) -> SearchIndex {
    let sink = IndexSink::in_memory(Runtime::real()).unwrap();
    for part in deliveries.chunks(deliveries.len().div_ceil(3).max(1)) {
        let changes: Vec<Change> =
            part.iter().map(|delivery| Change::Upsert(Box::new(delivery.clone()))).collect();
        sink.deliver_now(&changes, cursor(1)).unwrap();
    }
    sink.search_index()
}

fn property(name: &str, value: PropertyValue, text: &str) -> Property {
    Property { name: name.to_owned(), value, text: text.to_owned() }
}

fn options(name: &str, values: &[&str]) -> Property {
    let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
    let text = values.join(", ");
    property(name, PropertyValue::Options(values), &text)
}

fn number(name: &str, value: f64) -> Property {
    property(name, PropertyValue::Number(value), &value.to_string())
}

fn date(name: &str, start: &str, end: Option<&str>, zone: Option<&str>) -> Property {
    let value = DateValue {
        start: start.to_owned(),
        end: end.map(str::to_owned),
        time_zone: zone.map(str::to_owned),
    };
    property(name, PropertyValue::Date(value), start)
}

fn row(n: u128, properties: Vec<Property>) -> Delivery {
    let mut row = page(n, &format!("row {n}"), "some words");
    row.item.kind = ItemKind::Row;
    row.item.properties = properties;
    row
}

/// Numbers of the rows that match all of these.
fn matching(index: &SearchIndex, conditions: &[&str]) -> Vec<u128> {
    let properties = conditions.iter().map(|text| text.parse().unwrap()).collect();
    let filters = Filters { properties, ..Filters::default() };
    let request = SearchRequest { filters, limit: 100, ..SearchRequest::new("", Viewer::LocalOperator) };
    let mut found: Vec<u128> =
        index.search(&request).unwrap().hits.iter().map(|hit| hit.id.0.as_u128()).collect();
    found.sort_unstable();
    found
}

fn facets(index: &SearchIndex, viewer: Viewer, by: &[FacetBy]) -> Facets {
    let request = SearchRequest { facets: by.iter().copied().collect(), ..SearchRequest::new("", viewer) };
    index.search(&request).unwrap().facets
}

#[test]
fn conditions_are_read_and_written_alike() {
    for (text, name, operator, value) in [
        ("Status=In review", "Status", Operator::Is, "In review"),
        (" Status != Done ", "Status", Operator::IsNot, "Done"),
        ("Points>=3", "Points", Operator::AtLeast, "3"),
        ("Points<-3", "Points", Operator::Before, "-3"),
        ("Due<=2026-03-01", "Due", Operator::AtMost, "2026-03-01"),
        ("Notes~on call", "Notes", Operator::Contains, "on call"),
        ("Owner=", "Owner", Operator::IsEmpty, ""),
        ("Owner!=", "Owner", Operator::IsNotEmpty, ""),
        ("Sum==x", "Sum", Operator::Is, "=x"),
        ("\"a=b \"\"c\"\"\" = d", "a=b \"c\"", Operator::Is, "d"),
        ("Done!=yes", "Done", Operator::IsNot, "yes"),
        ("\"Done!\"=yes", "Done!", Operator::Is, "yes"),
        ("見出し.\u{200d}=値", "見出し.\u{200d}", Operator::Is, "値"),
    ] {
        let filter: PropertyFilter = text.parse().unwrap();
        assert_eq!((filter.name(), filter.operator(), filter.value()), (name, operator, value), "{text}");
        assert_eq!(filter.to_string().parse(), Ok(filter), "{text}");
    }
}

#[test]
fn conditions_that_cannot_be_used_say_why() {
    for (text, part) in [
        ("Status", "says nothing of a column"),
        ("=x", "names no column"),
        ("\"Status=x", "not closed"),
        ("\"Status\"x", "no sign behind"),
        ("Due>=soon", "“soon” is neither a number nor a date"),
        ("Due>=", "“” is neither"),
        ("Notes~!!", "“!!” holds no word"),
    ] {
        let error = text.parse::<PropertyFilter>().unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn names_of_columns_may_be_anything_and_case_makes_no_difference() {
    let odd = "a.b \"c\" \u{1}\u{200d}議 {}:*";
    let index = index(&[
        row(1, vec![options("Status", &["In Review"]), options(odd, &["x"])]),
        row(2, vec![options("status", &["in review"])]),
        row(3, vec![options("a", &["x"]), number("b", 1.0)]),
    ]);
    assert_eq!(matching(&index, &["STATUS=in  review"]), [1, 2]);
    let filter = PropertyFilter::new(odd, Operator::Is, "X").unwrap().to_string();
    assert_eq!(matching(&index, &[&filter]), [1]);
    assert_eq!(matching(&index, &["a=x"]), [3]);
    assert_eq!(matching(&index, &["Stat=In Review"]), Vec::<u128>::new());
}

#[test]
fn one_name_may_stand_for_a_number_here_and_an_option_there() {
    let index = index(&[
        row(1, vec![number("Size", 3.0)]),
        row(2, vec![options("Size", &["3"])]),
        row(3, vec![options("Size", &["Large"])]),
        row(4, vec![number("Size", 12.0)]),
    ]);
    assert_eq!(matching(&index, &["Size=3"]), [1, 2]);
    assert_eq!(matching(&index, &["Size>=3"]), [1, 4]);
    assert_eq!(matching(&index, &["Size>3.0"]), [4]);
    assert_eq!(matching(&index, &["Size=large", "Size=12"]), [3, 4], "values of one column are alternatives");
    assert_eq!(matching(&index, &["Size>2", "Size<5"]), [1], "bounds all hold");
}

#[test]
fn empty_and_not_are_about_rows_that_have_the_column() {
    let index = index(&[
        row(1, vec![options("Status", &["Done"])]),
        row(2, vec![property("Status", PropertyValue::Empty, "")]),
        row(3, vec![options("Other", &["Done"])]),
        row(4, vec![options("Status", &["Open"])]),
    ]);
    assert_eq!(matching(&index, &["Status="]), [2]);
    assert_eq!(matching(&index, &["Status!="]), [1, 4]);
    assert_eq!(matching(&index, &["Status!=Done"]), [2, 4]);
    assert_eq!(matching(&index, &["Status!=Done", "Status!=Open"]), [2]);
    assert_eq!(matching(&index, &["Status=", "Status=Open"]), [2, 4]);
}

#[test]
fn a_range_of_dates_matches_every_day_in_it() {
    let index = index(&[
        row(1, vec![date("Due", "2026-03-01", Some("2026-03-05"), None)]),
        row(2, vec![date("Due", "2026-03-03", None, None)]),
        row(3, vec![date("Due", "2026-03-01T23:00:00.000-05:00", None, None)]),
        row(4, vec![date("Due", "2026-03-02T08:00:00.000", None, Some("Asia/Tokyo"))]),
        row(5, vec![date("Due", "sometime", None, None)]),
    ]);
    assert_eq!(matching(&index, &["Due=2026-03-03"]), [1, 2]);
    assert_eq!(matching(&index, &["Due=2026-03"]), [1, 2, 3, 4]);
    assert_eq!(matching(&index, &["Due=2026-03-01"]), [1, 3], "a day is meant as it is written");
    assert_eq!(matching(&index, &["Due<2026-03-02"]), [1, 3]);
    assert_eq!(matching(&index, &["Due<=2026-03-02"]), [1, 3, 4]);
    assert_eq!(matching(&index, &["Due>2026-03-03"]), [1]);
    assert_eq!(matching(&index, &["Due>=2026-03-03"]), [1, 2]);
    assert_eq!(matching(&index, &["Due=2026-03-02T04:00:00Z"]), [1, 3], "an instant is meant with an offset");
    assert_eq!(matching(&index, &["Due=2026-03-01T23:00:00Z"]), [1, 4]);
    assert_eq!(matching(&index, &["Due=sometime"]), [5]);
    assert_eq!(matching(&index, &["Due>=2026"]), [1, 2, 3, 4]);
}

#[test]
fn people_relations_and_yes_or_no_are_found_by_name_and_id() {
    let anna = Person { id: id(71), name: Some("Anna Lee".to_owned()) };
    let nameless = Person { id: id(72), name: None };
    let related = PropertyValue::Relations { ids: vec![id(81), id(82)], complete: false };
    let mut first = row(
        1,
        vec![
            property("Owner", PropertyValue::People(vec![anna, nameless]), "Anna Lee"),
            property("Blocked by", related, ""),
            property("Done", PropertyValue::Boolean(true), "yes"),
        ],
    );
    first.related = vec![fixture::related("Blocked by", &["Data migration"])];
    let index = index(&[first, row(2, vec![property("Done", PropertyValue::Boolean(false), "no")])]);
    let by_id = format!("Blocked by={}", id(82));
    let by_person = format!("Owner={}", id(72).0.simple());
    for condition in [
        "Owner=anna lee",
        "Owner~lee",
        "Blocked by=Data migration",
        "Blocked by~migration",
        "Done=yes",
        "done=TRUE",
        &by_id,
        &by_person,
    ] {
        assert_eq!(matching(&index, &[condition]), [1], "{condition}");
    }
    assert_eq!(matching(&index, &["Done=false"]), [2]);
    let request = SearchRequest::new("migration", Viewer::LocalOperator);
    let shown = index.search(&request).unwrap().hits.remove(0).properties;
    let shown: Vec<String> = shown.iter().map(|one| format!("{}: {}", one.name, one.text)).collect();
    assert_eq!(shown, ["Owner: Anna Lee", "Blocked by: Data migration", "Done: yes"]);
}

#[test]
fn huge_values_and_strange_numbers_do_no_harm() {
    let exact = |n: u128, text: &str| {
        row(n, vec![property("Id", PropertyValue::Number(text.parse().unwrap()), text)])
    };
    let giant = format!("needle {}", "word ".repeat(1 << 20));
    let many: Vec<NotionId> = (10_000..15_000).map(id).collect();
    let mut relations =
        row(4, vec![property("All", PropertyValue::Relations { ids: many, complete: true }, "")]);
    let titles: Vec<String> = (0..5_000).map(|n| format!("Page {n}")).collect();
    relations.related = vec![related("All", &titles.iter().map(String::as_str).collect::<Vec<_>>())];
    let long = |letter: &str| format!("{}{letter}", "x".repeat(70_000));
    let index = index(&[
        exact(1, "9007199254740992"),
        exact(2, "9007199254740993"),
        row(3, vec![number("Id", f64::NAN), property("Text", PropertyValue::Text(giant.clone()), &giant)]),
        relations,
        row(5, vec![options(&long("a"), &[&long("a"), &long("b")])]),
    ]);
    assert_eq!(matching(&index, &["Id=9007199254740993"]), [2]);
    assert_eq!(matching(&index, &["Id>9007199254740992"]), [2]);
    assert_eq!(matching(&index, &["Id>=0"]), [1, 2]);
    assert_eq!(matching(&index, &["Id=nan"]), [3]);
    assert_eq!(matching(&index, &["Text~needle word"]), [3]);
    let by_beginning = PropertyFilter::new("Text", Operator::Is, &giant).unwrap().to_string();
    assert_eq!(matching(&index, &[&by_beginning]), [3], "as much of it as is kept apart");
    assert_eq!(matching(&index, &["All=page 4999"]), [4]);
    assert_eq!(matching(&index, &[&format!("All={}", id(14_999))]), [4]);
    let counted = facets(&index, Viewer::LocalOperator, &[FacetBy::Property]);
    let all = counted.facets.iter().find(|facet| facet.property.as_deref() == Some("All")).unwrap();
    assert_eq!((all.values.len(), all.more), (MAX_VALUES, 5_000 - MAX_VALUES));
    let cut = counted.facets.iter().find(|facet| facet.values[0].value.starts_with("xxx")).unwrap();
    assert_eq!(cut.values.len(), 1, "what differs behind the cut is one value");
    let filter = PropertyFilter::new(cut.property.as_deref().unwrap(), Operator::Is, &cut.values[0].value);
    assert_eq!(matching(&index, &[&filter.unwrap().to_string()]), [5], "what is listed can be asked for");
}

#[test]
fn places_editors_and_times_narrow_and_are_counted() {
    let crumb = |n, kind, title: &str| Crumb { id: id(n), kind, title: title.to_owned(), is_held: true };
    let mut first = row(1, Vec::new());
    first.ancestors = vec![crumb(50, ItemKind::Database, "Tasks"), crumb(51, ItemKind::DataSource, "Tasks")];
    let mut second = row(2, Vec::new());
    second.ancestors = vec![crumb(61, ItemKind::DataSource, "Seen alone")];
    for (delivery, editor, name) in [(&mut first, 70, Some("Anna")), (&mut second, 71, None)] {
        delivery.item.last_edited_by = Some(id(editor));
        delivery.last_edited_by_name = name.map(str::to_owned);
    }
    let mut database = page(50, "Tasks", "");
    database.item.kind = ItemKind::Database;
    let index = index(&[first, second, database, page(3, "Page", "")]);
    let found = |filters: Filters| {
        let request = SearchRequest { filters, ..SearchRequest::new("", Viewer::LocalOperator) };
        let response = index.search(&request).unwrap();
        response.hits.iter().map(|hit| hit.id.0.as_u128()).collect::<Vec<_>>()
    };
    let time = |text: &str| Some(text.parse::<PointInTime>().unwrap().0);
    assert_eq!(found(Filters { within: vec![id(50), id(61)], ..Filters::default() }), [50, 2, 1]);
    assert_eq!(found(Filters { editors: vec!["anna".to_owned()], ..Filters::default() }), [1]);
    assert_eq!(found(Filters { editors: vec![id(71).to_string()], ..Filters::default() }), [2]);
    assert_eq!(found(Filters { created_from: time("1970-01-01T00:03:00Z"), ..Filters::default() }), [50, 3]);
    assert_eq!(
        found(Filters { created_before: time("1970-01-01"), ..Filters::default() }),
        Vec::<u128>::new()
    );
    assert!("yesterday".parse::<PointInTime>().unwrap_err().to_string().contains("is no time"));

    let counted = facets(&index, Viewer::LocalOperator, &FacetBy::ALL).facets;
    let told: Vec<String> = counted
        .iter()
        .flat_map(|facet| {
            facet.values.iter().map(move |value| format!("{} {} {}", facet.by, value.label, value.count))
        })
        .collect();
    let expected = [
        "kind row 2",
        "kind database 1",
        "kind page 1",
        "database Tasks 2",
        "database Seen alone 1",
        "editor Anna 1",
        "editor  1",
    ];
    assert_eq!(told, expected);
    assert_eq!(counted[0].values[0].value, "row");
}

#[test]
fn files_are_found_and_counted_by_their_extension() {
    let file = |n, extension: &str| {
        let mut file = page(n, &format!("file {n}"), "");
        file.item.kind = ItemKind::File;
        file.item.file =
            Some(FileFacts { extension: extension.to_owned(), bytes: 7, ..FileFacts::default() });
        file
    };
    let index = index(&[file(1, "pdf"), file(2, "pdf"), file(3, "日本"), file(4, ""), page(5, "pdf", "pdf")]);
    let asked = |extensions: &[&str]| {
        let extensions = extensions.iter().map(|&extension| extension.to_owned()).collect();
        let filters = Filters { extensions, ..Filters::default() };
        let facets = BTreeSet::from([FacetBy::Extension]);
        let request = SearchRequest { filters, facets, ..SearchRequest::new("", Viewer::LocalOperator) };
        index.search(&request).unwrap()
    };
    let found =
        |extensions: &[&str]| asked(extensions).hits.iter().map(|hit| hit.id.0.as_u128()).collect::<Vec<_>>();
    assert_eq!(found(&["pdf"]), [2, 1]);
    assert_eq!(found(&[" .PDF", "日本"]), [3, 2, 1], "however it is typed; any of several");
    assert_eq!(found(&["docx"]), Vec::<u128>::new());
    let everything = asked(&[]);
    let counts: Vec<_> =
        everything.facets.facets[0].values.iter().map(|value| (value.label.as_str(), value.count)).collect();
    assert_eq!(counts, [("pdf", 2), ("日本", 1)], "pages and files without one are not counted");
    let facts = everything.hits.iter().find(|hit| hit.id == id(1)).unwrap().file.as_ref().unwrap();
    assert_eq!((facts.extension.as_str(), facts.bytes), ("pdf", 7));
}

#[test]
fn what_a_viewer_may_not_see_is_not_counted() {
    let mut hidden = row(1, vec![options("Secret", &["Merger"]), options("Status", &["Done"])]);
    hidden.holders = vec![ConnectorId(2)];
    let index = index(&[hidden, row(2, vec![options("Status", &["Done"])])]);
    let viewer = Viewer::of_connectors([ConnectorId(1)]);
    let counted = facets(&index, viewer, &FacetBy::ALL);
    assert!(!format!("{counted:?}").contains("Secret"), "{counted:?}");
    let status = counted.facets.iter().find(|facet| facet.property.is_some()).unwrap();
    assert_eq!((status.values[0].label.as_str(), status.values[0].count), ("Done", 1));
}

#[test]
fn more_columns_than_are_shown_are_told_of() {
    let columns = (0..3_000).map(|n| options(&format!("Column {n}"), &["x"])).collect();
    let index = index(&[row(1, columns), row(2, vec![options("Column 2999", &["x", "y"])])]);
    let counted = facets(&index, Viewer::LocalOperator, &[FacetBy::Property]);
    assert_eq!((counted.facets.len(), counted.more_properties), (MAX_PROPERTIES, 3_000 - MAX_PROPERTIES));
    assert_eq!(counted.facets[0].property.as_deref(), Some("Column 2999"), "most rows have a value in it");
}

#[test]
fn a_hit_opens_at_the_block_that_its_snippet_is_from() {
    let mut delivery = page(1, "Runbook", &format!("{}\nrestart the zebra\ntail", "filler ".repeat(100)));
    let text = delivery.item.text.clone();
    let second = text.find("restart").unwrap();
    let passage = |range, block: u128| crate::model::Passage {
        heading_path: Vec::new(),
        block_id: Some(id(block)),
        range,
    };
    delivery.item.passages = vec![passage(0..second - 1, 0xa), passage(second..text.len(), 0xb)];
    let index = index(&[delivery]);
    let hit =
        |query: &str| index.search(&SearchRequest::new(query, Viewer::LocalOperator)).unwrap().hits.remove(0);
    let at_block = hit("zebra");
    assert_eq!(at_block.block_id, Some(id(0xb)));
    assert_eq!(at_block.url, format!("https://www.notion.so/{:032x}#{:032x}", 1, 0xb));
    assert_eq!(hit("filler").block_id, Some(id(0xa)));
    let by_title = hit("runbook");
    assert_eq!((by_title.block_id, by_title.url.contains('#')), (None, false), "nothing of the body matched");
}

fn any_value() -> impl Strategy<Value = PropertyValue> {
    let word =
        || prop::sample::select(vec!["Alpha", "alpha", "Beta", "beta gamma", "3", "2026-03-02", "Zoë"]);
    let day = || (1..6_u32).prop_map(|day| format!("2026-03-{day:02}"));
    prop_oneof![
        Just(PropertyValue::Empty),
        word().prop_map(|text| PropertyValue::Text(text.to_owned())),
        (-3..4_i8).prop_map(|number| PropertyValue::Number(f64::from(number) / 2.0)),
        any::<bool>().prop_map(PropertyValue::Boolean),
        (day(), prop::option::of(day())).prop_map(|(a, b)| {
            let (start, end) = match b {
                Some(b) if b < a => (b, Some(a)),
                b => (a, b),
            };
            PropertyValue::Date(DateValue { start, end, time_zone: None })
        }),
        prop::collection::vec(word(), 0..4)
            .prop_map(|names| PropertyValue::Options(names.into_iter().map(str::to_owned).collect())),
        prop::collection::vec((0..3_u128, word()), 1..3).prop_map(|people| {
            PropertyValue::People(
                people
                    .into_iter()
                    .map(|(n, name)| Person { id: id(n), name: Some(name.to_owned()) })
                    .collect(),
            )
        }),
    ]
}

fn any_rows() -> impl Strategy<Value = Vec<Delivery>> {
    let column = prop::sample::select(vec!["Status", "Points", "Due", "a.b"]);
    let shouted = any::<bool>();
    let properties = prop::collection::btree_map(column, (any_value(), shouted), 0..4);
    prop::collection::vec((properties, 1..3_i64), 1..12).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(n, (properties, holder))| {
                let properties = properties
                    .into_iter()
                    .map(|(name, (value, shouted))| {
                        let name = if shouted { name.to_uppercase() } else { name.to_owned() };
                        let text = shown(&value).join(", ");
                        Property { name, value, text }
                    })
                    .collect();
                let mut row = row(n as u128 + 1, properties);
                row.holders = vec![ConnectorId(holder)];
                row
            })
            .collect()
    })
}

/// The values of a property as texts.
fn shown(value: &PropertyValue) -> Vec<String> {
    match value {
        PropertyValue::Text(text) => vec![text.clone()],
        PropertyValue::Number(number) => vec![number.to_string()],
        PropertyValue::Boolean(value) => vec![if *value { "yes" } else { "no" }.to_owned()],
        PropertyValue::Date(date) => vec![date.start.clone()],
        PropertyValue::Options(names) => names.clone(),
        PropertyValue::People(people) => people.iter().filter_map(|person| person.name.clone()).collect(),
        PropertyValue::Urls(urls) => urls.clone(),
        PropertyValue::Relations { .. } | PropertyValue::Empty => Vec::new(),
    }
}

fn naive(value: &PropertyValue, operator: Operator, asked: &str) -> bool {
    let number: Option<f64> = asked.parse().ok();
    let is_day = asked.starts_with("2026-");
    let (first, last) = match value {
        PropertyValue::Date(date) => (date.start.as_str(), date.end.as_deref().unwrap_or(&date.start)),
        _ => ("", ""),
    };
    let dated = matches!(value, PropertyValue::Date(_)) && is_day;
    let compare = |number_holds: fn(&f64, &f64) -> bool, day_holds: bool| match (value, number) {
        (PropertyValue::Number(value), Some(number)) => number_holds(value, &number),
        _ => dated && day_holds,
    };
    match operator {
        Operator::Is => match value {
            PropertyValue::Number(value) => number == Some(*value),
            PropertyValue::Date(_) => dated && first <= asked && asked <= last,
            value => shown(value).iter().any(|text| text.to_lowercase() == asked.to_lowercase()),
        },
        Operator::IsNot => !naive(value, Operator::Is, asked),
        Operator::Contains => shown(value).iter().any(|text| {
            let words: Vec<String> = text.to_lowercase().split([' ', '-', '.']).map(str::to_owned).collect();
            words.contains(&asked.to_lowercase())
        }),
        Operator::Before => compare(|value, number| value < number, first < asked),
        Operator::After => compare(|value, number| value > number, last > asked),
        Operator::AtLeast => compare(|value, number| value >= number, last >= asked),
        Operator::AtMost => compare(|value, number| value <= number, first <= asked),
        Operator::IsEmpty => is_empty(value),
        Operator::IsNotEmpty => !is_empty(value),
    }
}

fn is_empty(value: &PropertyValue) -> bool {
    !matches!(value, PropertyValue::Number(_) | PropertyValue::Boolean(_)) && shown(value).is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn filters_find_what_a_plain_reading_finds(
        rows in any_rows(),
        column in prop::sample::select(vec!["status", "Points", "DUE", "a.b"]),
        sign in prop::sample::select(vec!["=", "!=", "<", ">", "<=", ">=", "~"]),
        asked in prop::sample::select(vec!["alpha", "BETA", "beta gamma", "1", "0.5", "-1", "3", "2026-03-03", "2026-03-05", "yes", ""]),
    ) {
        let text = format!("{column}{sign}{asked}");
        // "beta gamma" as words is two words, and what cannot be compared is refused.
        prop_assume!(!(sign == "~" && asked.contains([' ', '-', '.'])));
        let Ok(filter) = text.parse::<PropertyFilter>() else { return Ok(()) };
        let expected: Vec<u128> = rows
            .iter()
            .filter(|row| {
                row.item.properties.iter().any(|property| {
                    property.name.to_lowercase() == column.to_lowercase()
                        && naive(&property.value, filter.operator(), asked)
                })
            })
            .map(|row| row.item.id.0.as_u128())
            .collect();
        prop_assert_eq!(matching(&index(&rows), &[&text]), expected, "{}", text);
    }

    #[test]
    fn facets_count_what_a_plain_reading_counts(rows in any_rows(), holders in prop::collection::btree_set(1..3_i64, 0..3)) {
        let mut expected: BTreeMap<(String, String), usize> = BTreeMap::new();
        for row in rows.iter().filter(|row| holders.contains(&row.holders[0].0)) {
            let mut seen = BTreeSet::new();
            for property in &row.item.properties {
                let countable = matches!(
                    property.value,
                    PropertyValue::Options(_) | PropertyValue::Boolean(_) | PropertyValue::People(_)
                );
                for text in shown(&property.value).into_iter().filter(|_| countable) {
                    seen.insert((property.name.to_lowercase(), text.to_lowercase()));
                }
            }
            for key in seen {
                *expected.entry(key).or_default() += 1;
            }
        }
        let viewer = Viewer::of_connectors(holders.into_iter().map(ConnectorId));
        let counted = facets(&index(&rows), viewer, &[FacetBy::Property]);
        let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
        for facet in &counted.facets {
            prop_assert!(facet.values.is_sorted_by(|a, b| a.count >= b.count));
            for value in &facet.values {
                let key = (facet.property.clone().unwrap().to_lowercase(), value.label.to_lowercase());
                prop_assert_eq!(found.insert(key, value.count), None, "each value once");
            }
        }
        prop_assert_eq!(found, expected);
    }
}
