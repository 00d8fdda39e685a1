//! A schema with every type of property, and rows that fill it or leave it empty.

use serde_json::{Map, Value, json};

use super::{Author, PEOPLE};
use crate::world::generate::words;
use crate::world::ids::Space;
use crate::world::rich_text;
use crate::world::schema::property_id;

const STATES: [&str; 3] = ["Not started", "In progress", "Done"];
const TEAMS: [&str; 3] = ["Platform", "Field, north", "Größe"];
const TAGS: [&str; 3] = ["urgent", "a \"b\"", "水位"];

/// The schema of the data source of that name.
pub(super) fn schema(data_source: &str) -> Map<String, Value> {
    let options = |names: &[&str]| json!({"options": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()});
    let rollup = |of: &str, kind: &str, function: &str| {
        json!({"type": "rollup", "rollup": {"function": function, "relation_property_name": "Related",
            "relation_property_id": property_id("Related", "relation"), "rollup_property_name": of,
            "rollup_property_id": property_id(of, kind)}})
    };
    let formula = |expression: &str| json!({"type": "formula", "formula": {"expression": expression}});
    let target = json!({ "ref": data_source });
    let schema = json!({
        "Task": {"type": "title", "title": {}, "description": "What is to be done"},
        "Summary": {"type": "rich_text", "rich_text": {}},
        "Budget": {"type": "number", "number": {"format": "euro"}},
        "Share": {"type": "number", "number": {"format": "percent"}},
        "State": {"type": "status", "status": options(&STATES)},
        "Team": {"type": "select", "select": options(&TEAMS)},
        "Tags": {"type": "multi_select", "multi_select": options(&TAGS)},
        "Due": {"type": "date", "date": {}},
        "Owner": {"type": "people", "people": {}},
        "Files": {"type": "files", "files": {}},
        "Approved": {"type": "checkbox", "checkbox": {}},
        "Link": {"type": "url", "url": {}},
        "Contact": {"type": "email", "email": {}},
        "Phone": {"type": "phone_number", "phone_number": {}},
        "Related": {"type": "relation", "relation": {"data_source_id": target, "type": "single_property", "single_property": {}}},
        "Blocked by": {"type": "relation", "relation": {"data_source_id": target, "type": "dual_property",
            "dual_property": {"synced_property_name": "Blocks", "synced_property_id": property_id("Blocks", "relation")}}},
        "Blocks": {"type": "relation", "relation": {"data_source_id": target, "type": "dual_property",
            "dual_property": {"synced_property_name": "Blocked by", "synced_property_id": property_id("Blocked by", "relation")}}},
        "Says": formula("prop(\"Task\") + \"!\""),
        "Counts": formula("length(prop(\"Task\"))"),
        "Holds": formula("prop(\"Budget\") > 10"),
        "Ends": formula("dateAdd(prop(\"Due\"), 1, \"days\")"),
        "Too deep": formula("prop(\"All\").map(current.prop(\"All\"))"),
        "Sum": rollup("Budget", "number", "sum"),
        "Latest": rollup("Due", "date", "latest_date"),
        "All": rollup("Summary", "rich_text", "show_original"),
        "Too many": rollup("Owner", "people", "show_unique"),
        "Created": {"type": "created_time", "created_time": {}},
        "Edited": {"type": "last_edited_time", "last_edited_time": {}},
        "Author": {"type": "created_by", "created_by": {}},
        "Editor": {"type": "last_edited_by", "last_edited_by": {}},
        "Number": {"type": "unique_id", "unique_id": {"prefix": "VAR"}},
        "Plain number": {"type": "unique_id", "unique_id": {"prefix": null}},
        "Verified": {"type": "verification", "verification": {}},
        "Place": {"type": "place", "place": {}},
        "Press": {"type": "button", "button": {}},
    });
    match schema {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// What a row has where nobody filled anything in: the computed types say so in their own way, the others are left out.
pub(super) fn empty() -> Map<String, Value> {
    let values = json!({
        "Says": {"type": "string", "string": null},
        "Counts": {"type": "number", "number": null},
        "Holds": {"type": "boolean", "boolean": false},
        "Ends": {"type": "date", "date": null},
        "Too deep": {"type": "string", "string": null},
        "Sum": {"type": "number", "number": null, "function": "sum"},
        "Latest": {"type": "date", "date": null, "function": "latest_date"},
        "Verified": {"state": "unverified", "verified_by": null, "date": null},
    });
    match values {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn day(start: &str) -> Value {
    json!({"start": start, "end": null, "time_zone": null})
}

impl Author<'_> {
    /// A row with a value under every property; `mates` are the rows of its data source.
    pub(super) fn full(&mut self, mates: &[String]) -> Map<String, Value> {
        let refs = |names: &[String]| {
            Value::from(names.iter().map(|name| json!({ "ref": name })).collect::<Vec<_>>())
        };
        let related = &mates[..mates.len().min(40)];
        let few = &mates[..mates.len().min(2)];
        let user = u32::try_from(self.rng.below(PEOPLE)).unwrap_or_default();
        let user = json!({"object": "user", "id": self.ids.seal(Space::User, user, 0)});
        let email = words::person(self.rng.below(PEOPLE)).1;
        let group = json!({"object": "group", "id": self.ids.seal(Space::PropertyOption, 2, 1), "name": "Everyone in the field"});
        let file = self.file("file");
        let verified = self.decks.verified.draw(&mut self.rng);
        let values = json!({
            "Summary": self.rich_text(),
            "Budget": self.rng.between(1, 9000),
            "Share": 0.125,
            "State": STATES[self.rng.below(STATES.len())],
            "Team": TEAMS[self.rng.below(TEAMS.len())],
            "Tags": TAGS,
            "Due": self.date(),
            "Owner": [{"email": email}, group],
            "Files": [{"name": file, "type": "file", "file": {"ref": file}},
                {"name": "elsewhere.pdf", "type": "external", "external": {"url": "https://media.example/elsewhere.pdf"}}],
            "Approved": true,
            "Link": self.address(),
            "Contact": "desk@works.example",
            "Phone": "+49 421 000 000",
            "Related": refs(related),
            "Blocked by": refs(few),
            "Blocks": refs(&few[..few.len().min(1)]),
            "Says": {"type": "string", "string": self.title()},
            "Counts": {"type": "number", "number": 12.5},
            "Holds": {"type": "boolean", "boolean": true},
            "Ends": {"type": "date", "date": day("2026-03-06")},
            "Too deep": {"type": "unsupported", "unsupported": {}},
            "Sum": {"type": "number", "number": 4711, "function": "sum"},
            "Latest": {"type": "date", "date": self.date(), "function": "latest_date"},
            "All": {"type": "array", "array": self.originals_of_rollup(few, &user), "function": "show_original"},
            "Too many": {"type": "unsupported", "unsupported": {}, "function": "show_unique"},
            "Verified": {"state": verified, "verified_by": user, "date": day("2026-01-15")},
            "Place": {"lat": 53.0758, "lon": 8.8072, "name": "Gauge Bremen", "address": "Weserterrassen 1\nBremen",
                "aws_place_id": null, "google_place_id": "ChIJ-example"},
            "Press": {},
        });
        match values {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// One value of every type that a rollup can show.
    fn originals_of_rollup(&mut self, rows: &[String], user: &Value) -> Value {
        let text = rich_text::plain(&self.words(1, 3));
        let chosen =
            json!({"id": self.ids.seal(Space::PropertyOption, 3, 1), "name": "Platform", "color": "blue"});
        let relation: Vec<Value> = rows.iter().map(|row| json!({ "ref": row })).collect();
        json!([
            {"type": "title", "title": text},
            {"type": "rich_text", "rich_text": text},
            {"type": "number", "number": 7},
            {"type": "number", "number": null},
            {"type": "select", "select": chosen},
            {"type": "status", "status": chosen},
            {"type": "multi_select", "multi_select": [chosen]},
            {"type": "date", "date": day("2026-02-02")},
            {"type": "people", "people": [user]},
            {"type": "checkbox", "checkbox": true},
            {"type": "url", "url": "https://works.example/rolled"},
            {"type": "email", "email": "rolled@works.example"},
            {"type": "phone_number", "phone_number": "+49 421 1"},
            {"type": "relation", "relation": relation},
            {"type": "formula", "formula": {"type": "string", "string": "rolled up"}},
            {"type": "created_time", "created_time": "2026-01-01T00:00:00.000Z"},
            {"type": "created_by", "created_by": user},
            {"type": "unique_id", "unique_id": {"prefix": "VAR", "number": 3}},
        ])
    }

    fn date(&mut self) -> Value {
        match self.decks.dates.draw(&mut self.rng) {
            0 => day("2026-03-01"),
            1 => json!({"start": "2026-03-01", "end": "2026-03-05", "time_zone": null}),
            2 => day("2026-03-01T09:30:00.000+02:00"),
            _ => {
                json!({"start": "2026-03-01T09:30:00.000+09:00", "end": "2026-03-01T11:00:00.000+09:00", "time_zone": "Asia/Tokyo"})
            }
        }
    }
}
