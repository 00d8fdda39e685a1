//! What a viewer finds, held to a plain reading of the rules, and to an index that holds nothing else.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fixture::{cursor, id, page};
use super::*;
use crate::model::{
    Change, ConnectorId, Crumb, Delivery, ItemKind, NotionId, Position, Property, PropertyValue, Related,
    RowsRuling, Ruling, Rulings, Sight, Sights, Viewer, option_mark,
};
use crate::runtime::Runtime;
use crate::sink::index::IndexSink;

const WORDS: [&str; 5] = ["zebra", "tide", "harbour", "ledger", "quartz"];
const TEAMS: [&str; 3] = ["Red", "Blue", "Green"];

/// An item as chance made it.
#[derive(Debug, Clone)]
struct Thing {
    /// Which of those before it it lies in.
    parent: Option<usize>,
    kind: ItemKind,
    holders: Vec<ConnectorId>,
    word: usize,
    team: usize,
    /// Another thing that it is related to.
    related: usize,
    /// Whether it is known where it stands, for what has no parent.
    is_known: bool,
}

/// What one connector's rules are to the viewer.
#[derive(Debug, Clone)]
struct Rules {
    whole: bool,
    below: BTreeMap<usize, bool>,
    /// By data source: the teams whose rows are granted.
    rows: BTreeMap<usize, BTreeSet<usize>>,
}

fn thing() -> impl Strategy<Value = Thing> {
    let kinds =
        prop::sample::select(vec![ItemKind::Page, ItemKind::Page, ItemKind::Database, ItemKind::DataSource]);
    (
        any::<prop::sample::Index>(),
        kinds,
        1..4_u8,
        0..WORDS.len(),
        0..TEAMS.len(),
        0..20_usize,
        0..8_u8,
        0..4_u8,
    )
        .prop_map(|(parent, kind, holders, word, team, related, unknown, top)| Thing {
            parent: (top > 0).then(|| parent.index(20)),
            kind,
            holders: [1, 2].into_iter().filter(|bit| holders & (*bit as u8) != 0).map(ConnectorId).collect(),
            word,
            team,
            related,
            is_known: unknown > 0,
        })
}

/// Parents are among those before; below a data source everything is a row, below a database a data source.
fn world() -> impl Strategy<Value = Vec<Thing>> {
    prop::collection::vec(thing(), 1..20).prop_map(|mut things| {
        for at in 0..things.len() {
            things[at].parent =
                things[at].parent.map(|parent| parent % (at + 1)).filter(|parent| *parent < at);
            match things[at].parent.map(|parent| things[parent].kind) {
                Some(ItemKind::DataSource) => things[at].kind = ItemKind::Row,
                Some(ItemKind::Database) => things[at].kind = ItemKind::DataSource,
                _ => {}
            }
            things[at].related %= things.len();
        }
        things
    })
}

fn rules() -> impl Strategy<Value = Option<Rules>> {
    let below = prop::collection::btree_map(0..20_usize, any::<bool>(), 0..6);
    let teams = prop::collection::btree_set(0..TEAMS.len(), 0..3);
    let rows = prop::collection::btree_map(0..20_usize, teams, 0..4);
    prop::option::weighted(
        0.8,
        (any::<bool>(), below, rows).prop_map(|(whole, below, rows)| Rules { whole, below, rows }),
    )
}

fn object(at: usize) -> NotionId {
    id(at as u128 + 1)
}

/// Rules of connector 1 have numbers from 100 on, those of connector 2 from 200 on.
fn rule_id(connector: i64, data_source: usize) -> i64 {
    connector * 100 + i64::try_from(data_source).unwrap()
}

/// A plain reading, from the top down: whoever speaks last decides.
fn sees_by(things: &[Thing], at: usize, rules: &Rules) -> bool {
    let mut path = vec![at];
    while let Some(parent) = things[path[path.len() - 1]].parent {
        path.push(parent);
    }
    path.reverse();
    let mut granted = rules.whole && things[path[0]].is_known;
    for (depth, one) in path.iter().enumerate() {
        if let Some(below) = rules.below.get(one) {
            granted = *below;
        }
        if let (Some(teams), Some(row)) = (rules.rows.get(one), path.get(depth + 1)) {
            let is_row = things[*one].kind == ItemKind::DataSource;
            granted = is_row && teams.contains(&things[*row].team);
        }
    }
    granted
}

fn sees(things: &[Thing], at: usize, sights: &BTreeMap<ConnectorId, Option<Rules>>) -> bool {
    things[at].holders.iter().filter_map(|holder| sights.get(holder)).any(|rules| match rules {
        None => true,
        Some(rules) => sees_by(things, at, rules),
    })
}

fn viewer(sights: &BTreeMap<ConnectorId, Option<Rules>>) -> Viewer {
    let sight = |connector: &ConnectorId, rules: &Option<Rules>| {
        let Some(rules) = rules else { return Sight::Everything };
        let mut places: BTreeMap<NotionId, Ruling> = BTreeMap::new();
        for (place, granted) in &rules.below {
            places.entry(object(*place)).or_default().below = Some(*granted);
        }
        for (place, teams) in &rules.rows {
            let rule = rule_id(connector.0, *place);
            let marks = teams.iter().map(|team| option_mark(rule, TEAMS[*team])).collect();
            places.entry(object(*place)).or_default().rows = Some(RowsRuling::Marked(marks));
        }
        Sight::Ruled(Rulings { whole: rules.whole, places })
    };
    let connectors = sights.iter().map(|(connector, rules)| (*connector, sight(connector, rules))).collect();
    Viewer::Mapped(Sights { connectors, searches_joined: false })
}

fn title(things: &[Thing], at: usize) -> String {
    format!("{} {at}", WORDS[things[at].word])
}

fn delivery(things: &[Thing], at: usize) -> Delivery {
    let thing = &things[at];
    let mut delivery =
        page(at as u128 + 1, &title(things, at), &format!("body {}", WORDS[(thing.word + 1) % WORDS.len()]));
    delivery.item.kind = thing.kind;
    delivery.holders = thing.holders.clone();
    let mut path = vec![at];
    while let Some(parent) = things[path[path.len() - 1]].parent {
        path.push(parent);
    }
    path.reverse();
    let crumb = |at: &usize| Crumb {
        id: object(*at),
        kind: things[*at].kind,
        title: title(things, *at),
        is_held: true,
    };
    delivery.ancestors = path[..path.len() - 1].iter().map(crumb).collect();
    let marks =
        path.windows(2).filter(|pair| things[pair[0]].kind == ItemKind::DataSource).flat_map(|pair| {
            [1, 2].map(|connector| option_mark(rule_id(connector, pair[0]), TEAMS[things[pair[1]].team]))
        });
    delivery.position = Position {
        path: path.iter().copied().map(object).collect(),
        is_known: things[path[0]].is_known,
        marks: marks.collect(),
    };
    if thing.kind == ItemKind::Row {
        let team = TEAMS[thing.team].to_owned();
        delivery.item.properties = vec![
            Property {
                name: "Team".to_owned(),
                value: PropertyValue::Options(vec![team.clone()]),
                text: team,
            },
            Property {
                name: "See".to_owned(),
                value: PropertyValue::Relations { ids: vec![object(thing.related)], complete: true },
                text: String::new(),
            },
        ];
        let related = Related { id: object(thing.related), title: title(things, thing.related) };
        delivery.related = vec![("See".to_owned(), vec![related])];
    }
    delivery
}

/// In several segments, and with entries that were replaced.
fn index(deliveries: Vec<Delivery>) -> SearchIndex {
    let sink = IndexSink::in_memory(Runtime::real()).unwrap();
    let changes: Vec<Change> =
        deliveries.into_iter().map(|delivery| Change::Upsert(Box::new(delivery))).collect();
    for part in changes.chunks(changes.len().div_ceil(3).max(1)) {
        sink.deliver_now(part, cursor(1)).unwrap();
    }
    sink.deliver_now(&changes[..changes.len() / 4], cursor(2)).unwrap();
    sink.search_index()
}

fn has_nested_databases(things: &[Thing]) -> bool {
    let lies_in_a_row = |thing: &Thing| {
        let mut above = thing.parent;
        while let Some(at) = above {
            if things[at].kind == ItemKind::Row {
                return true;
            }
            above = things[at].parent;
        }
        false
    };
    let is_table = |thing: &Thing| matches!(thing.kind, ItemKind::Database | ItemKind::DataSource);
    things.iter().any(|thing| is_table(thing) && lies_in_a_row(thing))
}

/// What an answer says, but for scores, the order of hits, and what lies directly above them: that is another one in an index
/// that does not hold it.
fn told(mut response: SearchResponse) -> SearchResponse {
    for hit in &mut response.hits {
        let shown = hit.breadcrumb.iter().any(|crumb| Some(crumb.id) == hit.parent);
        assert!(hit.parent.is_none() || shown, "{hit:?}");
        (hit.score, hit.parent) = (0.0, None);
    }
    response.hits.sort_by(|a, b| a.key.cmp(&b.key));
    response
}

fn requests(viewer: &Viewer, place: usize) -> Vec<SearchRequest> {
    let ask = |query: &str| SearchRequest {
        limit: 100,
        facets: BTreeSet::from(FacetBy::ALL),
        ..SearchRequest::new(query, viewer.clone())
    };
    let mut requests: Vec<SearchRequest> = [
        "",
        "zebra",
        "zebra tide",
        "tide -ledger",
        "-quartz",
        "\"body harbour\"",
        "led*",
        "see zebra",
        "nothing zebra nowhere",
    ]
    .map(ask)
    .into();
    let filtered = |filters: Filters| SearchRequest { filters, ..ask("") };
    requests.push(filtered(Filters { within: vec![object(place)], ..Filters::default() }));
    for property in ["See=zebra 0", "See~tide", "See!=zebra 0", "Team=Red", "See="] {
        requests
            .push(filtered(Filters { properties: vec![property.parse().unwrap()], ..Filters::default() }));
    }
    requests
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_viewer_finds_what_an_index_of_nothing_else_would_show(
        things in world(),
        one in rules(),
        two in prop::option::of(rules()),
        place in 0..20_usize,
    ) {
        let mut sights = BTreeMap::from([(ConnectorId(1), one)]);
        sights.extend(two.map(|two| (ConnectorId(2), two)));
        let viewer = viewer(&sights);
        let deliveries: Vec<Delivery> = (0..things.len()).map(|at| delivery(&things, at)).collect();
        let visible: BTreeSet<NotionId> = (0..things.len()).filter(|at| sees(&things, *at, &sights)).map(object).collect();

        for delivery in &deliveries {
            prop_assert_eq!(viewer.sees(&delivery.holders, &delivery.position), visible.contains(&delivery.item.id), "{:?}", delivery.item.id);
        }
        let mut alone: Vec<Delivery> = deliveries.iter().filter(|one| visible.contains(&one.item.id)).cloned().collect();
        for delivery in &mut alone {
            delivery.ancestors.retain(|crumb| visible.contains(&crumb.id));
            delivery.related.iter_mut().for_each(|(_, related)| related.retain(|one| visible.contains(&one.id)));
        }
        let (whole, alone) = (index(deliveries), index(alone));
        prop_assert_eq!(whole.count_visible(&viewer).unwrap(), visible.len());
        let everything = Viewer::of_connectors([ConnectorId(1), ConnectorId(2)]);
        for (asked, reference) in requests(&viewer, place).into_iter().zip(requests(&everything, place)) {
            let (mut found, mut expected) = (told(whole.search(&asked).unwrap()), told(alone.search(&reference).unwrap()));
            if has_nested_databases(&things) {
                // Where what lies between is missing, a data source seems to lie in the database of its row.
                for facets in [&mut found.facets, &mut expected.facets] {
                    facets.facets.retain(|facet| facet.by != FacetBy::Database);
                }
            }
            prop_assert_eq!(found, expected, "{:?}", asked);
        }
        for at in 0..things.len() {
            let found = whole.get(&Lookup::Id(object(at)), &viewer).unwrap();
            prop_assert_eq!(found.is_some(), visible.contains(&object(at)));
        }
    }
}

/// A page below another, and a row that is related to the upper one.
fn family(upper: &str, upper_is_held: bool) -> [Delivery; 3] {
    let mut below = page(2, "Below", "text");
    below.ancestors =
        vec![Crumb { id: id(1), kind: ItemKind::Page, title: upper.to_owned(), is_held: upper_is_held }];
    below.position.path = vec![id(1), id(2)];
    let mut row = page(3, "Row", "text");
    row.item.kind = ItemKind::Row;
    let ids = vec![id(1)];
    row.item.properties = vec![Property {
        name: "Plan".to_owned(),
        value: PropertyValue::Relations { ids, complete: true },
        text: String::new(),
    }];
    row.related = vec![("Plan".to_owned(), vec![Related { id: id(1), title: upper.to_owned() }])];
    [page(1, upper, "text"), below, row]
}

#[test]
fn titles_of_other_items_are_found_by_those_only_who_see_everything() {
    let index = index(family("Merger", true).into());
    let sights = |searches_joined| {
        let connectors = BTreeMap::from([(ConnectorId(1), Sight::Everything)]);
        Viewer::Mapped(Sights { connectors, searches_joined })
    };
    let closed = Rulings {
        whole: true,
        places: BTreeMap::from([
            (id(1), Ruling { below: Some(false), rows: None }),
            (id(2), Ruling { below: Some(true), rows: None }),
        ]),
    };
    let ruled = Viewer::Mapped(Sights {
        connectors: BTreeMap::from([(ConnectorId(1), Sight::Ruled(closed))]),
        searches_joined: false,
    });
    for (viewer, expected) in
        [(Viewer::LocalOperator, 3), (sights(true), 3), (sights(false), 1), (ruled.clone(), 0)]
    {
        assert_eq!(
            index.search(&SearchRequest::new("merger", viewer.clone())).unwrap().total,
            expected,
            "{viewer:?}"
        );
        let properties = vec!["Plan=Merger".parse().unwrap()];
        let request = SearchRequest {
            filters: Filters { properties, ..Filters::default() },
            ..SearchRequest::new("", viewer.clone())
        };
        assert_eq!(index.search(&request).unwrap().total, usize::from(expected == 3), "{viewer:?}");
    }
    let facets = BTreeSet::from(FacetBy::ALL);
    let told = format!(
        "{:?}",
        index.search(&SearchRequest { facets, ..SearchRequest::new("text", ruled) }).unwrap()
    );
    assert!(told.contains("Below") && told.contains("Row") && !told.contains("Merger"), "{told}");
    let shown = index.search(&SearchRequest::new("text", sights(false))).unwrap();
    assert!(
        shown.hits.iter().any(|hit| hit.breadcrumb.iter().any(|crumb| crumb.title == "Merger")),
        "{shown:?}"
    );
    assert!(shown.hits.iter().any(|hit| hit.properties.iter().any(|one| one.text == "Merger")), "{shown:?}");
}

#[test]
fn the_title_of_what_is_left_out_is_neither_found_nor_shown_to_anybody_but_the_operator() {
    let [_, below, _] = family("Merger", false);
    let index = index(vec![below]);
    let connectors = BTreeMap::from([(ConnectorId(1), Sight::Everything)]);
    let everybody = Viewer::Mapped(Sights { connectors, searches_joined: true });
    assert_eq!(index.search(&SearchRequest::new("merger", everybody.clone())).unwrap().total, 0);
    assert_eq!(index.search(&SearchRequest::new("", everybody)).unwrap().hits[0].breadcrumb, []);
    let shown = index.search(&SearchRequest::new("", Viewer::LocalOperator)).unwrap();
    assert_eq!(shown.hits[0].breadcrumb[0].title, "Merger");
}

#[test]
fn a_move_of_what_has_a_rule_opens_nothing_that_is_not_delivered_yet() {
    // The store knows already that 3 lies in 9; the index has still the path 1 / 2 / 3 / 4.
    let mut old = page(4, "Old path", "text");
    old.position.path = [1, 2, 3, 4].map(id).into();
    let index = index(vec![old]);
    let sees = |places: &[(u128, bool)]| {
        let places =
            places.iter().map(|(place, granted)| (id(*place), Ruling { below: Some(*granted), rows: None }));
        let rulings = Rulings { whole: false, places: places.collect() };
        let connectors = BTreeMap::from([(ConnectorId(1), Sight::Ruled(rulings))]);
        index.count_visible(&Viewer::Mapped(Sights { connectors, searches_joined: false })).unwrap()
    };
    assert_eq!(sees(&[(1, true), (3, false)]), 0, "the nearest in the path that is delivered decides");
    assert_eq!(sees(&[(9, true), (3, false)]), 0);
    assert_eq!(sees(&[(1, false), (2, true)]), 1);
    assert_eq!(sees(&[(1, true), (2, false), (4, true)]), 1);
}
