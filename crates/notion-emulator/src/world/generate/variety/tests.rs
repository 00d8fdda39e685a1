use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::World;
use crate::world::generate::{Generate, Shape};
use crate::world::model::{Kind, Node, Parent};

fn world(pages: u32, seed: u64, depth: u32) -> World {
    World::generated(Generate { pages, seed, shape: Shape::Varied { depth } })
}

fn blocks<'a>(nodes: &'a [Node], level: usize, found: &mut Vec<(usize, &'a str, &'a Value)>) {
    for node in nodes {
        if let Node::Block(block) = node {
            found.push((level, &block.kind, &block.payload));
            blocks(&block.children, level + 1, found);
        }
    }
}

/// Every `"type": "x"` in a value, with the keys above it left aside.
fn types(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| types(item, found)),
        Value::Object(map) => {
            found.extend(map.get("type").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|inner| types(inner, found));
        }
        _ => {}
    }
}

#[test]
fn some_dozen_pages_and_the_catalogue_hold_every_type_of_block_mention_icon_and_property() {
    let catalogue = World::generated("shape=catalogue".parse().unwrap());
    for world in [world(60, 1, 12), catalogue] {
        holds_every_type(&world);
    }
}

fn holds_every_type(world: &World) {
    let (mut kinds, mut deep) = (BTreeSet::new(), BTreeSet::new());
    for (ix, entity) in world.entities() {
        if entity.kind == Kind::Page {
            let body = world.body(ix);
            let mut found = Vec::new();
            blocks(&body, 1, &mut found);
            for (_, kind, payload) in found {
                kinds.insert(kind.to_owned());
                types(payload, &mut deep);
            }
            let page = world.page(ix);
            types(&page.icon, &mut deep);
            types(&page.cover, &mut deep);
            page.properties.values().for_each(|value| types(value, &mut deep));
        } else if let Some(data_source) = world.data_source(ix) {
            data_source.schema.values().for_each(|column| types(column, &mut deep));
        }
    }
    let all = "paragraph heading_1 heading_2 heading_3 heading_4 bulleted_list_item numbered_list_item to_do toggle quote \
        callout code equation divider breadcrumb table_of_contents table table_row column_list column tab synced_block \
        template link_to_page bookmark embed link_preview image video pdf audio file meeting_notes unsupported";
    for kind in all.split_whitespace() {
        assert!(kinds.contains(kind), "no {kind}");
    }
    let all = "text mention equation user page database date link_preview link_mention template_mention \
        template_mention_date template_mention_user custom_emoji emoji external file icon page_id database_id comment_id \
        block_id title rich_text number select status multi_select date people files checkbox url email phone_number relation \
        formula rollup created_time last_edited_time created_by last_edited_by unique_id verification place button string \
        boolean array unsupported";
    for kind in all.split_whitespace() {
        assert!(deep.contains(kind), "no {kind}");
    }
}

#[test]
fn bodies_reach_down_to_the_depth_asked_for_and_no_further() {
    for depth in [1, 2, 5, 12, 40] {
        let world = world(12, 3, depth);
        let mut deepest = 0;
        for (ix, _) in world.entities().filter(|(_, entity)| entity.kind == Kind::Page) {
            let body = world.body(ix);
            let mut found = Vec::new();
            blocks(&body, 1, &mut found);
            deepest = deepest.max(found.iter().map(|(level, _, _)| *level).max().unwrap_or_default());
        }
        // Tables and columns at the last level bring their rows and columns with them.
        assert!((depth as usize..=depth as usize + 1).contains(&deepest), "{deepest} levels, not {depth}");
    }
}

#[test]
fn markers_stand_once_in_the_world_and_each_in_its_page() {
    let world = world(80, 5, 12);
    let mut seen = BTreeSet::new();
    let mut rows = 0;
    for (ix, entity) in world.entities().filter(|(_, entity)| entity.kind == Kind::Page) {
        let page = world.page(ix);
        let text = format!("{:?} {:?}", world.body(ix), page.properties);
        for marker in &page.markers {
            assert!(seen.insert(marker.clone()), "{marker} marks two pages");
            assert!(text.contains(marker.as_str()), "{} misses {marker}", world.id(ix));
        }
        rows += usize::from(matches!(entity.parent, Parent::DataSource(_)));
    }
    for comment in world.comments() {
        let text = comment.rich_text.to_string();
        assert!(
            comment
                .markers
                .iter()
                .all(|marker| text.contains(marker.as_str()) && seen.insert(marker.clone()))
        );
    }
    assert!(world.comments().len() > 20);
    assert!(seen.len() > 800 && rows == 32, "{} markers, {rows} rows", seen.len());
}

#[test]
fn one_seed_gives_one_world_and_every_world_can_be_planted() {
    let dump = |seed| {
        let world = world(40, seed, 6);
        let pages = world.entities().map(|(ix, _)| format!("{:?} {:?}", world.page(ix), world.id(ix)));
        (world.name().to_owned(), pages.collect::<Vec<_>>())
    };
    assert_eq!(dump(4), dump(4));
    assert_ne!(dump(4).1, dump(5).1);
    for pages in 1..40 {
        assert_eq!(world(pages, u64::from(pages), 3).name(), "Works of every kind");
    }
}
