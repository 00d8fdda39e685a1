//! The schema that generated data sources share, and the values of a generated row.

use serde_json::{Map, Value, json};

use super::{Generator, Marked, Place, Stream, marker, marker_place};
use crate::world::World;
use crate::world::model::{Ix, Parent};
use crate::world::{rich_text, schema as columns};

const STATES: [&str; 5] = ["Not started", "Planned", "In progress", "Blocked", "Done"];
const TEAMS: [&str; 6] = ["Platform", "Research", "Design", "Support", "Finance", "Field"];
const TAGS: [&str; 8] = ["urgent", "customer", "internal", "legal", "draft", "hardware", "training", "audit"];

pub(super) fn schema() -> Map<String, Value> {
    let options = |names: &[&str]| json!({"options": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()});
    let schema = json!({
        "Name": {"type": "title", "title": {}},
        "Status": {"type": "status", "status": options(&STATES)},
        "Team": {"type": "select", "select": options(&TEAMS)},
        "Tags": {"type": "multi_select", "multi_select": options(&TAGS)},
        "Budget": {"type": "number", "number": {"format": "euro"}},
        "Due": {"type": "date", "date": {}},
        "Owner": {"type": "people", "people": {}},
        "Approved": {"type": "checkbox", "checkbox": {}},
        "Notes": {"type": "rich_text", "rich_text": {}},
        "Link": {"type": "url", "url": {}},
        "Contact": {"type": "email", "email": {}},
        "Number": {"type": "unique_id", "unique_id": {"prefix": "REQ"}},
        "Created": {"type": "created_time", "created_time": {}},
        "Edited": {"type": "last_edited_time", "last_edited_time": {}},
        "Author": {"type": "created_by", "created_by": {}},
    });
    match schema {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn properties(world: &World, generator: &Generator, ix: Ix) -> Map<String, Value> {
    let Parent::DataSource(holder) = world.entity(ix).parent else { return Map::new() };
    let Some(schema) = world.data_source(holder).map(|found| &found.schema) else { return Map::new() };
    let mut rng = generator.rng(ix, Stream::Row);
    let mut values = Map::new();
    for (name, column) in schema {
        let kind = column["type"].as_str().unwrap_or_default();
        if kind == "title" || columns::COMPUTED.contains(&kind) {
            continue;
        }
        let chosen = |option: Option<&Value>| {
            option.map_or(Value::Null, |o| json!({"id": o["id"], "name": o["name"], "color": o["color"]}))
        };
        let options = column[kind]["options"].as_array().map_or(&[][..], Vec::as_slice);
        let value = match kind {
            "status" => chosen(rng.pick(options)),
            "select" if rng.chance(85) => chosen(rng.pick(options)),
            "multi_select" => {
                let first = rng.below(options.len());
                let count = rng.below(4);
                let tags = options.iter().cycle().skip(first).take(count.min(options.len()));
                Value::from(tags.map(|option| chosen(Some(option))).collect::<Vec<_>>())
            }
            "number" if rng.chance(80) => json!(rng.between(1, 9000) * 25),
            "date" if rng.chance(70) => {
                let day =
                    format!("20{}-{:02}-{:02}", rng.between(24, 27), rng.between(1, 12), rng.between(1, 28));
                json!({"start": day, "end": null, "time_zone": null})
            }
            "people" if rng.chance(75) => {
                json!([{"id": world.user_id(u32::try_from(rng.below(24)).unwrap_or_default())}])
            }
            "checkbox" => json!(rng.chance(40)),
            "rich_text" => notes(world, generator, ix, &mut rng),
            "url" if rng.chance(30) => json!(format!("https://works.example/requests/{}", ix.0)),
            "email" if rng.chance(30) => json!(format!("desk{}@works.example", rng.below(40))),
            "unique_id" => json!({"prefix": column["unique_id"]["prefix"], "number": ix.0}),
            _ => columns::empty_value(kind),
        };
        values.insert(name.clone(), value);
    }
    values
}

fn notes(world: &World, generator: &Generator, ix: Ix, rng: &mut crate::world::rng::Rng) -> Value {
    let words = rng.between(3, 12);
    let mut text = generator.vocabulary.sentence(rng, words);
    if marker_place(world, generator, ix) == Place::Property {
        text.push(' ');
        text.push_str(&marker(world, ix, Marked::Page));
    }
    rich_text::plain(&text)
}
