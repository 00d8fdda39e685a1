//! Property values and columns with all the keys that Notion sends (developers.notion.com "page-property-values",
//! "property-object").

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::payloads::{ID, SIGNED, hosted, mention, run};

fn value(kind: &str, payload: &Value) -> Value {
    json!({"id": "%3FB%3AW", "type": kind, kind: payload})
}

fn option(name: &str) -> Value {
    json!({"id": "o", "name": name, "color": "red"})
}

fn person() -> Value {
    json!({"object": "user", "id": Uuid::from_u128(7), "name": "Ada", "avatar_url": null, "type": "person",
        "person": {"email": "ada@a.example", "email_verified": true}})
}

fn date(start: &str, end: Option<&str>, zone: Option<&str>) -> Value {
    json!({"start": start, "end": end, "time_zone": zone})
}

/// Name and value of each case; the name begins with the type.
pub(super) fn cases() -> Vec<(&'static str, Value)> {
    [plain_cases(), people_cases(), computed_cases(), odd_cases()].into_iter().flatten().collect()
}

fn plain_cases() -> Vec<(&'static str, Value)> {
    let span = date("2026-03-01T09:00:00.000+01:00", Some("2026-03-05"), None);
    let hosted = json!({"name": "plan B.pdf", "type": "file", "file": hosted(SIGNED)});
    let external = json!({"name": "https://a.example/dawn.jpg", "type": "external", "external": {"url": "https://a.example/dawn.jpg"}});
    let related = |ids: &[&str], more: bool| {
        let ids: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({"id": "r", "type": "relation", "relation": ids, "has_more": more})
    };
    let page = mention(
        "page",
        &json!({"id": ID}),
        "Plan",
        Some("https://app.notion.com/p/393abc1eedcd81d5bf32d1339d9031c2"),
    );
    vec![
        ("title", json!({"id": "title", "type": "title", "title": [run("The plan")]})),
        ("rich_text", value("rich_text", &json!([run("some "), run("words"), run(" of "), page]))),
        ("rich_text empty", value("rich_text", &json!([]))),
        ("number", value("number", &json!(12.5))),
        ("number empty", value("number", &Value::Null)),
        ("select", value("select", &option("High"))),
        ("select empty", value("select", &Value::Null)),
        ("status", value("status", &option("In review"))),
        ("multi_select", value("multi_select", &json!([option("a"), option("b")]))),
        ("date", value("date", &span)),
        ("date in a zone", value("date", &date("2026-03-01T09:00:00.000", None, Some("Europe/Berlin")))),
        ("date empty", value("date", &Value::Null)),
        ("files", value("files", &json!([hosted, external]))),
        ("checkbox", value("checkbox", &json!(true))),
        ("url", value("url", &json!("https://a.example"))),
        ("email", value("email", &json!("ada@a.example"))),
        ("phone_number", value("phone_number", &json!("+49 1"))),
        ("phone_number empty", value("phone_number", &Value::Null)),
        ("relation", related(&[ID], false)),
        ("relation cut", related(&[ID], true)),
        ("relation empty", related(&[], false)),
        ("created_time", value("created_time", &json!("2026-03-01T09:00:00.000Z"))),
        ("last_edited_time", value("last_edited_time", &json!("2026-03-02T09:00:00.000Z"))),
        ("unique_id", value("unique_id", &json!({"prefix": "TASK", "number": 12}))),
        ("unique_id without prefix", value("unique_id", &json!({"prefix": null, "number": 12}))),
        ("unique_id of a page that is no row", value("unique_id", &json!({"prefix": null, "number": null}))),
        (
            "place",
            value(
                "place",
                &json!({"lat": 1.5, "lon": 2.0, "name": "Office", "address": "Main St 1", "aws_place_id": "x", "google_place_id": null}),
            ),
        ),
        ("place without a name", value("place", &json!({"lat": 1.5, "lon": 2.0}))),
        ("button", value("button", &json!({}))),
    ]
}

fn people_cases() -> Vec<(&'static str, Value)> {
    let group = |name: Option<&str>| json!({"object": "group", "id": Uuid::from_u128(9), "name": name});
    let partial = |number: u128| json!({"object": "user", "id": Uuid::from_u128(number)});
    let bot = json!({"object": "user", "id": Uuid::from_u128(10), "name": "Clippy", "avatar_url": null, "type": "bot", "bot": {}});
    let verified = |state: &str, by: Value, date: Value| {
        value("verification", &json!({"state": state, "verified_by": by, "date": date}))
    };
    vec![
        ("people", value("people", &json!([person(), group(Some("Crew"))]))),
        ("people without names", value("people", &json!([partial(8), group(None), bot]))),
        ("people empty", value("people", &json!([]))),
        ("created_by", value("created_by", &person())),
        ("created_by bot", value("created_by", &bot)),
        ("last_edited_by", value("last_edited_by", &partial(8))),
        (
            "verification",
            verified(
                "verified",
                person(),
                date("2026-03-01T09:00:00.000Z", Some("2026-06-01T09:00:00.000Z"), None),
            ),
        ),
        ("verification expired", verified("expired", person(), date("2026-03-01", None, None))),
        ("verification none", verified("unverified", Value::Null, Value::Null)),
        ("verification empty", value("verification", &Value::Null)),
    ]
}

fn computed_cases() -> Vec<(&'static str, Value)> {
    let span = date("2026-03-01T09:00:00.000+01:00", Some("2026-03-05"), None);
    let formula = |kind: &str, payload: &Value| value("formula", &json!({"type": kind, kind: payload}));
    let rollup = |kind: &str, payload: &Value, function: &str| {
        value("rollup", &json!({"type": kind, kind: payload, "function": function}))
    };
    // Without ids (developers.notion.com "page-property-values").
    let bare = |kind: &str, payload: &Value| json!({"type": kind, kind: payload});
    let shown = |values: &[Value]| rollup("array", &json!(values), "show_original");
    let file = json!([{"name": "plan B.pdf", "type": "file", "file": hosted(SIGNED)}]);
    let red = || bare("select", &option("Red"));
    vec![
        ("formula", formula("string", &json!("done"))),
        ("formula string empty", formula("string", &Value::Null)),
        ("formula number", formula("number", &json!(3))),
        ("formula boolean", formula("boolean", &json!(false))),
        ("formula date", formula("date", &span)),
        ("formula date empty", formula("date", &Value::Null)),
        ("formula unsupported", formula("unsupported", &json!({}))),
        ("formula unheard of", formula("mood", &json!({"name": "merry"}))),
        ("rollup", rollup("number", &json!(7), "sum")),
        ("rollup number empty", rollup("number", &Value::Null, "average")),
        ("rollup date", rollup("date", &span, "date_range")),
        ("rollup of options", shown(&[red(), bare("select", &option("Blue")), red()])),
        (
            "rollup of titles",
            shown(&[bare("title", &json!([run("One")])), bare("title", &json!([run("Two")]))]),
        ),
        ("rollup of people", shown(&[bare("people", &json!([person()])), bare("people", &json!([]))])),
        ("rollup of files", shown(&[bare("files", &file)])),
        ("rollup of relations", shown(&[bare("relation", &json!([{"id": ID}]))])),
        ("rollup of dates", shown(&[bare("date", &span), bare("date", &Value::Null)])),
        ("rollup of formulas", shown(&[bare("formula", &json!({"type": "number", "number": 4}))])),
        ("rollup mixed", shown(&[bare("number", &json!(1)), bare("checkbox", &json!(true))])),
        ("rollup array empty", shown(&[])),
        ("rollup unsupported", rollup("unsupported", &json!({}), "show_original")),
        ("rollup incomplete", rollup("incomplete", &json!({}), "sum")),
        ("rollup unheard of", rollup("mood", &json!({"name": "glum"}), "sum")),
    ]
}

/// What no documentation shows, and what does not exist yet.
fn odd_cases() -> Vec<(&'static str, Value)> {
    vec![
        ("last_visited_time", value("last_visited_time", &json!("2026-03-02T09:00:00.000Z"))),
        ("last_visited_time as a date", value("last_visited_time", &date("2026-03-02", None, None))),
        ("last_visited_time as a riddle", value("last_visited_time", &json!("yesterday"))),
        ("last_visited_time empty", value("last_visited_time", &Value::Null)),
        ("location", value("location", &json!({"lat": 1.5, "lon": 2.0, "name": "Harbour", "address": null}))),
        ("location as text", value("location", &json!("Harbour"))),
        ("location as a riddle", value("location", &json!({"where": {"name": "Harbour"}}))),
        ("unheard of", value("mood", &json!({"name": "cheerful"}))),
        ("unheard of string", value("aura", &json!("pale"))),
        ("malformed", value("number", &json!("twelve"))),
    ]
}

/// A data source with a column of every type.
pub(super) fn data_source() -> Value {
    let options = json!([
        {"id": "1", "name": "Backlog", "color": "red", "description": null},
        {"id": "2", "name": "Doing", "color": "red", "description": "somebody is at it"},
        {"id": "3", "name": "Done", "color": "green", "description": null}
    ]);
    let groups = json!([
        {"id": "g1", "name": "To-do", "color": "gray", "option_ids": ["1"]},
        {"id": "g2", "name": "Complete", "color": "green", "option_ids": ["3"]}
    ]);
    let relation = json!({"database_id": Uuid::from_u128(31), "data_source_id": Uuid::from_u128(32), "type": "dual_property",
        "dual_property": {"synced_property_id": "x", "synced_property_name": "Blocks"}});
    let rollup = json!({"function": "sum", "relation_property_id": "r", "relation_property_name": "Blocked by",
        "rollup_property_id": "e", "rollup_property_name": "Effort"});
    let mut columns = Map::new();
    for (name, description, kind, payload) in [
        ("Name", None, "title", json!({})),
        ("Notes", Some("what we know"), "rich_text", json!({})),
        ("Effort", None, "number", json!({"format": "number"})),
        ("Area", Some("who does it"), "select", json!({ "options": options })),
        ("Tags", None, "multi_select", json!({ "options": options })),
        ("Stage", Some("how far"), "status", json!({"options": options, "groups": groups})),
        ("Due", None, "date", json!({})),
        ("Owner", None, "people", json!({})),
        ("Papers", None, "files", json!({})),
        ("Urgent", None, "checkbox", json!({})),
        ("Site", None, "url", json!({})),
        ("Mail", None, "email", json!({})),
        ("Phone", None, "phone_number", json!({})),
        ("Blocked by", None, "relation", relation),
        ("Late", None, "formula", json!({"expression": "now() > prop(\"Due\")"})),
        ("Total", None, "rollup", rollup),
        ("Created", None, "created_time", json!({})),
        ("Edited", None, "last_edited_time", json!({})),
        ("Visited", None, "last_visited_time", json!({})),
        ("Creator", None, "created_by", json!({})),
        ("Editor", None, "last_edited_by", json!({})),
        ("Number", None, "unique_id", json!({"prefix": "TASK"})),
        ("Number too", None, "unique_id", json!({"prefix": null})),
        ("Verified", None, "verification", json!({})),
        ("Place", None, "place", json!({})),
        ("Spot", None, "location", json!({})),
        ("Go", None, "button", json!({})),
        ("Aura", None, "aura", json!({})),
    ] {
        columns.insert(
            name.to_owned(),
            json!({"id": "x", "name": name, "description": description, "type": kind, kind: payload}),
        );
    }
    let user = json!({"object": "user", "id": Uuid::from_u128(7)});
    json!({
        "object": "data_source", "id": ID, "cover": null, "icon": {"type": "icon", "icon": {"name": "pizza", "color": "blue"}},
        "created_time": "2026-03-01T09:00:00.000Z", "created_by": user, "last_edited_by": user,
        "last_edited_time": "2026-03-01T09:00:00.000Z", "title": [run("Open tasks")], "description": [run("What is left to do")],
        "is_inline": false, "properties": columns, "parent": {"type": "database_id", "database_id": Uuid::from_u128(31)},
        "database_parent": {"type": "workspace", "workspace": true}, "url": "https://app.notion.com/p/x", "public_url": null,
        "in_trash": false
    })
}

/// A database with two data sources.
pub(super) fn database() -> Value {
    json!({
        "object": "database", "id": ID, "title": [run("Tasks")], "description": [run("What we do")],
        "parent": {"type": "page_id", "page_id": ID}, "is_inline": true, "in_trash": false, "is_locked": false,
        "created_time": "2026-07-04T09:09:45.607+00:00", "last_edited_time": "2026-07-04T09:09:45.607+00:00",
        "data_sources": [{"id": Uuid::from_u128(4), "name": "Open"}, {"id": Uuid::from_u128(5), "name": "Closed"}],
        "icon": {"type": "custom_emoji", "custom_emoji": {"id": Uuid::from_u128(6), "name": "party", "url": "https://a.example/p.png"}},
        "cover": {"type": "file", "file": hosted("https://files.example/c/dawn.jpg?X-Amz-Signature=5ec2e7")},
        "url": "https://app.notion.com/p/x", "public_url": null
    })
}
