//! Payloads as Notion documents and sends them, and the same with something broken in each place.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const PAGE: &str = "393abc1e-edcd-81d5-bf32-d1339d9031c2";
const OTHER: &str = "38c9abc1-edcd-81d5-bf32-d1339d9031c2";

fn id(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap()
}

fn text(content: &str) -> Value {
    json!({"type": "text", "text": {"content": content, "link": null},
        "annotations": {"bold": false, "italic": false, "strikethrough": false, "underline": false, "code": false,
            "color": "default"},
        "plain_text": content, "href": null})
}

fn decode<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// A realistic payload of each block type.
fn payload(kind: &str) -> Value {
    let runs = json!([text("words")]);
    match kind {
        "paragraph" => json!({"rich_text": runs, "icon": null, "color": "default"}),
        "heading_1" | "heading_2" | "heading_3" | "heading_4" => {
            json!({"rich_text": runs, "is_toggleable": true, "color": "red"})
        }
        "numbered_list_item" => {
            json!({"rich_text": runs, "color": "default", "list_start_index": 3, "list_format": "roman"})
        }
        "to_do" => json!({"rich_text": runs, "checked": true, "color": "default"}),
        "callout" => {
            json!({"rich_text": runs, "icon": {"type": "emoji", "emoji": "💡"}, "color": "gray_background"})
        }
        "code" => json!({"rich_text": runs, "caption": [text("below")], "language": "rust"}),
        "equation" => json!({"expression": "e=mc^2"}),
        "table_of_contents" => json!({"color": "default"}),
        "table" => json!({"table_width": 2, "has_column_header": true, "has_row_header": false}),
        "table_row" => json!({"cells": [[text("a")], [], [text("b"), text("c")]]}),
        "column" => json!({"width_ratio": 0.5}),
        "synced_block" => json!({"synced_from": {"type": "block_id", "block_id": OTHER}}),
        "child_page" | "child_database" => json!({"title": "Below"}),
        "link_to_page" => json!({"type": "database_id", "database_id": OTHER}),
        "bookmark" | "embed" => json!({"url": "https://example.org", "caption": [text("below")]}),
        "link_preview" => json!({"url": "https://example.org"}),
        "image" | "video" | "pdf" | "audio" => json!({"type": "external", "external":
            {"url": "https://example.org/a%20b.png?x=1"}, "caption": [text("below")]}),
        "file" => {
            json!({"type": "file", "file": {"url": "https://files.example.org/w/f/plan.pdf?X-Amz-Expires=3600",
            "expiry_time": "2026-07-04T10:08:00.000Z"}, "caption": [], "name": "plan.pdf"})
        }
        "meeting_notes" | "transcription" => json!({"title": [text("Weekly")], "status": "notes_ready",
            "children": {"summary_block_id": PAGE, "notes_block_id": OTHER, "transcript_block_id": OTHER},
            "calendar_event": {"start_time": "2026-07-04T10:00:00.000Z", "end_time": "2026-07-04T11:00:00.000Z",
                "attendees": [PAGE]}, "recording": {}}),
        "unsupported" => json!({"block_type": "ai_block"}),
        "divider" | "breadcrumb" | "column_list" | "tab" => json!({}),
        _ => json!({"rich_text": runs, "color": "default"}),
    }
}

fn block(kind: &str, payload: Value) -> Value {
    let mut block = json!({"object": "block", "id": PAGE, "parent": {"type": "page_id", "page_id": OTHER},
        "created_time": "2026-07-04T09:08:00.000Z", "last_edited_time": "2026-07-04T09:09:00.000Z",
        "created_by": {"object": "user", "id": OTHER}, "last_edited_by": {"object": "user", "id": OTHER},
        "has_children": true, "in_trash": false, "type": kind});
    block[kind] = payload;
    block
}

#[test]
fn every_block_type_is_known_and_keeps_its_name() {
    for kind in BLOCK_TYPES {
        let block: Block = decode(&block(kind, payload(kind)));
        assert!(!matches!(block.kind, BlockKind::Unknown { .. } | BlockKind::Partial), "{kind}");
        let expected = if kind == "transcription" { "meeting_notes" } else { kind };
        assert_eq!(block.kind.type_name(), expected);
        assert_eq!(block.parent, Some(Parent::Page(id(OTHER))));
        assert!(block.has_children && !block.in_trash && block.last_edited_time.is_some(), "{kind}");
    }
}

#[test]
fn a_block_whose_payload_does_not_decode_is_unknown_and_keeps_it() {
    for kind in BLOCK_TYPES {
        if ["divider", "breadcrumb", "table_of_contents", "column_list", "column", "tab", "unsupported"]
            .contains(&kind)
        {
            continue;
        }
        let broken = json!("not an object");
        let decoded: Block = decode(&block(kind, broken.clone()));
        assert_eq!(decoded.kind, BlockKind::Unknown { kind: kind.to_owned(), raw: broken }, "{kind}");
    }
}

#[test]
fn what_only_decorates_may_be_anything() {
    let odd =
        json!({"rich_text": [text("kept")], "icon": {"type": "hologram"}, "color": {"r": 1}, "new": [1]});
    let BlockKind::Callout(callout) = decode::<Block>(&block("callout", odd)).kind else { panic!() };
    assert_eq!(plain_text(&callout.rich_text), "kept");
    assert!(matches!(callout.icon, Some(Icon::Unknown { ref kind, .. }) if kind == "hologram"));
}

#[test]
fn an_unknown_block_keeps_its_text() {
    let BlockKind::Unknown { kind, raw } =
        decode::<Block>(&block("hologram", json!({"rich_text": [text("still here")], "depth": 3}))).kind
    else {
        panic!()
    };
    assert_eq!((kind.as_str(), collect_text(&raw).as_str()), ("hologram", "still here"));
}

#[test]
fn blocks_of_the_versions_before_say_archived() {
    let mut old = block("paragraph", payload("paragraph"));
    old.as_object_mut().unwrap().remove("in_trash");
    old["archived"] = true.into();
    assert!(decode::<Block>(&old).in_trash);
    assert_eq!(decode::<Block>(&json!({"object": "block", "id": PAGE})).kind, BlockKind::Partial);
}

#[test]
fn details_of_blocks_arrive() {
    let kind = |name: &str| decode::<Block>(&block(name, payload(name))).kind;
    let BlockKind::TableRow(cells) = kind("table_row") else { panic!() };
    assert_eq!(cells.iter().map(|cell| plain_text(cell)).collect::<Vec<_>>(), ["a", "", "bc"]);
    assert_eq!(kind("synced_block"), BlockKind::SyncedBlock { synced_from: Some(id(OTHER)) });
    let original = decode::<Block>(&block("synced_block", json!({"synced_from": null}))).kind;
    assert_eq!(original, BlockKind::SyncedBlock { synced_from: None });
    assert_eq!(kind("link_to_page"), BlockKind::LinkToPage(LinkTarget::Database(id(OTHER))));
    let BlockKind::Image(image) = kind("image") else { panic!() };
    assert_eq!(image.display_name().as_deref(), Some("a b.png"));
    let BlockKind::File(file) = kind("file") else { panic!() };
    assert!(matches!(file.source, FileSource::Hosted(HostedFile { expiry_time: Some(_), .. })));
    let BlockKind::MeetingNotes(notes) = kind("meeting_notes") else { panic!() };
    assert_eq!((notes.summary_block_id, notes.transcript_block_id), (Some(id(PAGE)), Some(id(OTHER))));
    let BlockKind::NumberedListItem(item) = kind("numbered_list_item") else { panic!() };
    assert_eq!((item.list_start_index, item.list_format.as_deref()), (Some(3), Some("roman")));
}

fn mention(kind: &str, payload: Value, plain: &str) -> RichText {
    let mut mention = json!({"type": kind});
    mention[kind] = payload;
    decode(&json!({"type": "mention", "mention": mention, "plain_text": plain, "href": null}))
}

#[test]
fn every_mention_is_known_and_shows_its_text() {
    let known = [
        ("user", json!({"object": "user", "id": PAGE})),
        ("page", json!({"id": PAGE})),
        ("database", json!({"id": PAGE})),
        ("date", json!({"start": "2026-07-04", "end": null, "time_zone": null})),
        ("link_preview", json!({"url": "https://example.org"})),
        ("link_mention", json!({"href": "https://example.org", "title": "T", "height": 3})),
        ("template_mention", json!({"type": "template_mention_date", "template_mention_date": "today"})),
        ("custom_emoji", json!({"id": PAGE, "name": "party", "url": "https://example.org/p.png"})),
    ];
    for (kind, payload) in known {
        let run = mention(kind, payload, "shown");
        assert_eq!(run.plain_text, "shown");
        assert!(
            !matches!(
                run.kind,
                RichTextKind::Mention(Mention::Unknown { .. }) | RichTextKind::Unknown { .. }
            ),
            "{kind}"
        );
    }
    let RichTextKind::Mention(Mention::Unknown { kind, .. }) =
        mention("agent", json!({"id": PAGE}), "@A").kind
    else {
        panic!()
    };
    assert_eq!(kind, "agent");
    let broken = mention("page", json!({"id": 7}), "Title");
    assert!(
        matches!(broken.kind, RichTextKind::Mention(Mention::Unknown { ref kind, .. }) if kind == "page")
    );
    assert_eq!(broken.plain_text, "Title");
}

#[test]
fn broken_runs_do_not_cost_their_neighbours() {
    let payload = json!({"rich_text": [text("a"), {"type": "sound", "plain_text": "b"}, 7, {"type": "text"}, text("c")]});
    let BlockKind::Paragraph(paragraph) = decode::<Block>(&block("paragraph", payload)).kind else {
        panic!()
    };
    assert_eq!(paragraph.rich_text.len(), 5);
    assert_eq!(plain_text(&paragraph.rich_text), "abc");
    assert!(matches!(&paragraph.rich_text[1].kind, RichTextKind::Unknown { kind, .. } if kind == "sound"));
}

/// A realistic value of each property type.
fn value(kind: &str) -> Value {
    match kind {
        "title" | "rich_text" => json!([text("A "), text("title")]),
        "number" => json!(12_345_678_901_234_567_u64),
        "select" | "status" => json!({"id": "x", "name": "Done", "color": "green"}),
        "multi_select" => {
            json!([{"id": "x", "name": "One", "color": "green"}, 7, {"id": "y", "name": "Two"}])
        }
        "date" => json!({"start": "2026-07-04T10:00:00.000+02:00", "end": null, "time_zone": null}),
        "people" => {
            json!([{"object": "user", "id": PAGE}, "nobody", {"object": "group", "id": OTHER, "name": "All"}])
        }
        "files" => {
            json!([{"name": "a.pdf", "type": "external", "external": {"url": "https://example.org/a"}},
            {"name": "b.pdf", "type": "telepathy"}])
        }
        "checkbox" => json!(true),
        "url" | "email" | "phone_number" => json!("text"),
        "relation" => json!([{"id": PAGE}, {"id": OTHER}]),
        "formula" => json!({"type": "number", "number": 3.5}),
        "rollup" => json!({"type": "array", "function": "show_original", "array": [
            {"type": "title", "title": [text("one")]}, {"type": "hologram", "hologram": 1}]}),
        "created_time" | "last_edited_time" => json!("2026-07-04T09:08:00.000Z"),
        "created_by" | "last_edited_by" => {
            json!({"object": "user", "id": PAGE, "name": "B", "type": "bot", "bot": {}})
        }
        "unique_id" => json!({"prefix": "TASK", "number": 12}),
        "verification" => {
            json!({"state": "verified", "verified_by": {"object": "user", "id": PAGE}, "date": null})
        }
        "place" => json!({"lat": 52.5, "lon": 13.4, "name": "Berlin", "aws_place_id": "x"}),
        _ => json!({}),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "reads like the JSON it makes")]
fn page_with(properties: Value) -> Value {
    json!({"object": "page", "id": PAGE, "created_time": "2026-07-04T09:08:00.000Z",
        "last_edited_time": "2026-07-04T09:09:00.000Z", "created_by": {"object": "user", "id": OTHER},
        "last_edited_by": {"object": "user", "id": OTHER}, "cover": {"type": "external", "external": {"url": "https://e.org"}},
        "icon": {"type": "icon", "icon": {"name": "star", "color": "red"}},
        "parent": {"type": "data_source_id", "data_source_id": OTHER, "database_id": PAGE}, "in_trash": false,
        "is_archived": true, "is_locked": false, "properties": properties, "url": "https://app.notion.com/p/X",
        "public_url": null, "request_id": "r"})
}

#[test]
fn every_property_type_is_known_and_keeps_its_place() {
    let mut properties = json!({});
    for kind in PROPERTY_TYPES {
        properties[format!("The {kind}")] = json!({"id": kind, "type": kind, kind: value(kind)});
    }
    let page: Page = decode(&page_with(properties));
    assert_eq!(page.properties.len(), PROPERTY_TYPES.len());
    for (property, kind) in page.properties.iter().zip(PROPERTY_TYPES) {
        assert_eq!((property.value.type_name(), property.id.as_str()), (kind, kind));
        assert!(!matches!(property.value, PropertyValue::Unknown { .. }), "{kind}");
    }
    assert_eq!(page.title().as_deref(), Some("A title"));
    assert!(page.is_archived && page.is_full && page.icon.is_some() && page.cover.is_some());
    let of = |kind: &str| page.property(&format!("The {kind}")).unwrap().value.clone();
    assert_eq!(of("number"), PropertyValue::Number(Some(12_345_678_901_234_567_u64.into())));
    let PropertyValue::MultiSelect(options) = of("multi_select") else { panic!() };
    assert_eq!(options.iter().map(|option| option.name.as_str()).collect::<Vec<_>>(), ["One", "Two"]);
    let PropertyValue::People(people) = of("people") else { panic!() };
    assert_eq!((people.len(), &people[1].kind), (2, &UserKind::Group));
    let PropertyValue::Files(files) = of("files") else { panic!() };
    assert!(matches!(&files[1].source, FileSource::Unknown { kind, .. } if kind == "telepathy"));
    let PropertyValue::UniqueId(number) = of("unique_id") else { panic!() };
    assert_eq!(number.display().as_deref(), Some("TASK-12"));
    let PropertyValue::Rollup(Rollup { value: RollupValue::Array(rolled), .. }) = of("rollup") else {
        panic!()
    };
    assert_eq!(rolled[0].text().as_deref(), Some("one"));
    assert_eq!(rolled[1].type_name(), "hologram");
}

#[test]
fn empty_values_are_values() {
    for kind in PROPERTY_TYPES {
        let page: Page = decode(&page_with(json!({"P": {"id": "p", "type": kind, kind: null}})));
        assert_eq!(page.properties[0].value.type_name(), kind);
        assert!(!matches!(page.properties[0].value, PropertyValue::Unknown { .. }), "{kind}");
    }
    let of = |kind: &str, value: Value| decode::<PropertyValue>(&json!({"type": kind, kind: value}));
    let nothing = json!({"start": null, "end": null, "time_zone": null});
    assert_eq!(of("date", nothing), PropertyValue::Date(None));
    let named = of("place", json!({"lat": null, "lon": null, "name": "Somewhere"}));
    assert!(matches!(named, PropertyValue::Place(Some(Place { lat: None, name: Some(_), .. }))));
}

#[test]
fn whole_numbers_may_be_written_as_floats() {
    for (number, expected) in
        [("7", Some(7)), ("7.0", Some(7)), ("70e-1", Some(7)), ("7.5", None), ("1e300", None)]
    {
        let value = format!(r#"{{"type": "unique_id", "unique_id": {{"prefix": "A", "number": {number}}}}}"#);
        let PropertyValue::UniqueId(id) = serde_json::from_str(&value).unwrap() else { panic!() };
        assert_eq!(id.number, expected, "{number}");
    }
}

#[test]
fn blocks_without_text_yet_and_blocks_of_old_are_read() {
    for (kind, emptied) in [
        ("paragraph", json!({"rich_text": null})),
        ("equation", json!({"expression": null})),
        ("child_page", json!({"title": null})),
        ("bookmark", json!({"url": null, "caption": null})),
        ("embed", json!({"caption": []})),
        ("link_preview", json!({"url": null})),
    ] {
        let decoded: Block = decode(&block(kind, emptied));
        assert!(!matches!(decoded.kind, BlockKind::Unknown { .. }), "{kind}");
    }
    let old = json!({"text": [text("said so")], "checked": true});
    let BlockKind::ToDo(to_do) = decode::<Block>(&block("to_do", old)).kind else { panic!() };
    assert_eq!((plain_text(&to_do.rich_text).as_str(), to_do.checked), ("said so", true));
    // Nobody knows where the text of such a block is, so all of it is kept.
    let elsewhere = json!({"words": [text("hidden")]});
    assert!(matches!(decode::<Block>(&block("quote", elsewhere)).kind, BlockKind::Unknown { .. }));
}

#[test]
fn unknown_and_broken_properties_keep_their_json_and_their_siblings() {
    let broken = json!({"id": "b", "type": "number", "number": "seven"});
    let unknown = json!({"id": "u", "type": "hologram", "hologram": {"depth": 3}});
    let page: Page = decode(&page_with(json!({"Broken": broken, "Unknown": unknown, "Odd": 7,
        "Name": {"id": "title", "type": "title", "title": [text("kept")]}})));
    assert_eq!(page.properties.len(), 4);
    assert_eq!(
        page.property("Broken").unwrap().value,
        PropertyValue::Unknown { kind: "number".into(), raw: broken }
    );
    assert_eq!(
        page.property("Unknown").unwrap().value,
        PropertyValue::Unknown { kind: "hologram".into(), raw: unknown }
    );
    assert_eq!(page.title().as_deref(), Some("kept"));
}

#[test]
fn formulas_and_rollups_say_when_they_have_nothing() {
    let of = |kind: &str, value: Value| decode::<PropertyValue>(&json!({"type": kind, kind: value}));
    let formula = |value| of("formula", value);
    assert_eq!(formula(json!({"type": "unsupported"})), PropertyValue::Formula(Formula::Unsupported));
    assert_eq!(
        formula(json!({"type": "string", "string": null})),
        PropertyValue::Formula(Formula::String(None))
    );
    assert!(matches!(formula(json!({"type": "poem"})), PropertyValue::Formula(Formula::Unknown { .. })));
    let PropertyValue::Rollup(rollup) = of("rollup", json!({"type": "incomplete", "function": "sum"})) else {
        panic!()
    };
    assert_eq!((rollup.value, rollup.function.as_str()), (RollupValue::Incomplete, "sum"));
    let cut = json!({"type": "relation", "relation": [{"id": PAGE}], "has_more": true});
    assert!(matches!(decode(&cut), PropertyValue::Relation(Relation { has_more: true, .. })));
}

#[test]
fn property_items_come_single_and_listed() {
    let single =
        json!({"object": "property_item", "id": "n", "type": "number", "number": 2, "request_id": "r"});
    let PropertyItemAnswer::Single(item) = decode(&single) else { panic!() };
    assert_eq!(item.kind, PropertyItemKind::Value(PropertyValue::Number(Some(2.into()))));
    let item =
        |kind: &str, value: Value| json!({"object": "property_item", "type": kind, "id": "x", kind: value});
    let list = json!({"object": "list", "results": [item("relation", json!({"id": PAGE})), item("title", text("t")),
            item("people", json!({"object": "user", "id": OTHER})), 7, item("rich_text", text("r"))],
        "next_cursor": "c", "has_more": true, "type": "property_item",
        "property_item": {"id": "x", "next_url": "https://api.notion.com/…", "type": "rollup",
            "rollup": {"type": "incomplete", "function": "show_original"}}});
    let PropertyItemAnswer::List(list) = decode(&list) else { panic!() };
    let kinds: Vec<_> = list.list.values().map(|item| item.kind.clone()).collect();
    assert_eq!(kinds[0], PropertyItemKind::Related(id(PAGE)));
    assert!(matches!(&kinds[1], PropertyItemKind::Title(run) if run.plain_text == "t"));
    assert!(matches!(&kinds[2], PropertyItemKind::Person(user) if user.id == id(OTHER)));
    assert!(matches!(&kinds[3], PropertyItemKind::RichText(run) if run.plain_text == "r"));
    assert_eq!((list.list.malformed.len(), list.list.continuation()), (1, Continuation::Next("c")));
    assert_eq!(list.property_item.rollup.unwrap().value, RollupValue::Incomplete);
}

#[test]
fn users_of_all_kinds() {
    let person: User =
        decode(&json!({"object": "user", "id": PAGE, "name": "Ada", "avatar_url": null, "type": "person",
        "person": {"email": "ada@example.org", "email_verified": true}}));
    assert_eq!((person.email(), person.name.as_deref()), (Some("ada@example.org"), Some("Ada")));
    let bot: User = decode(&json!({"object": "user", "id": PAGE, "name": "reader", "type": "bot", "bot": {
        "owner": {"type": "workspace", "workspace": true}, "workspace_name": "W", "workspace_id": OTHER,
        "workspace_limits": {"max_file_upload_size_in_bytes": 5_242_880}}, "request_id": "r"}));
    let UserKind::Bot(bot) = bot.kind else { panic!() };
    assert_eq!((bot.owner, bot.workspace_id), (Some(BotOwner::Workspace), Some(id(OTHER))));
    assert_eq!(decode::<User>(&json!({"object": "user", "id": PAGE})).kind, UserKind::Partial);
    let odd: User = decode(&json!({"object": "user", "id": PAGE, "type": "agent", "name": ["x"]}));
    assert!(matches!(odd.kind, UserKind::Unknown { ref kind, .. } if kind == "agent"));
    let hidden: User = decode(&json!({"object": "user", "id": PAGE, "type": "person", "person": {}}));
    assert_eq!(hidden.kind, UserKind::Person { email: None, email_verified: None });
}

#[test]
fn parents_of_all_kinds() {
    let parent = |value: Value| decode::<Parent>(&value);
    assert_eq!(parent(json!({"type": "workspace", "workspace": true})), Parent::Workspace);
    assert_eq!(parent(json!({"type": "block_id", "block_id": PAGE})), Parent::Block(id(PAGE)));
    assert_eq!(parent(json!({"page_id": PAGE})), Parent::Page(id(PAGE)));
    assert_eq!(
        parent(json!({"type": "data_source_id", "data_source_id": PAGE, "database_id": OTHER})),
        Parent::DataSource { data_source_id: id(PAGE), database_id: Some(id(OTHER)) }
    );
    assert!(
        matches!(parent(json!({"type": "folder_id", "folder_id": PAGE})), Parent::Unknown { kind, .. } if kind == "folder_id")
    );
    assert!(matches!(parent(json!({"type": "page_id", "page_id": "?"})), Parent::Unknown { .. }));
    assert!(matches!(parent(json!(7)), Parent::Unknown { .. }));
}

#[test]
fn a_search_lists_everything_it_found() {
    let raw = json!({"object": "list", "results": [
        page_with(json!({})),
        {"object": "data_source", "id": OTHER, "title": [text("Tasks")], "in_trash": true,
            "parent": {"type": "database_id", "database_id": PAGE},
            "properties": {"Name": {"id": "title", "name": "Name", "type": "title", "title": {}},
                "State": {"id": "%3FB", "type": "status", "status": {"options": [{"id": "1", "name": "Open"}],
                    "groups": [{"id": "g", "name": "To do", "option_ids": ["1"]}]}},
                "New": {"id": "n", "type": "hologram", "hologram": {}}}},
        {"object": "database", "id": OTHER, "title": [text("Old")], "archived": true, "properties": {}},
        {"object": "page", "id": "not a uuid"},
        {"object": "folder", "id": PAGE},
        null,
    ], "next_cursor": null, "has_more": false, "type": "page_or_data_source", "page_or_data_source": {},
        "request_status": {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}});
    let list: List<SearchResult> = decode(&raw);
    assert_eq!((list.results.len(), list.malformed.len()), (6, 0));
    let found: Vec<_> = list.values().collect();
    assert!(matches!(found[0], SearchResult::Page(_)));
    let SearchResult::DataSource(tasks) = found[1] else { panic!() };
    assert_eq!(
        (tasks.title_text().as_str(), tasks.in_trash, tasks.database_id()),
        ("Tasks", true, Some(id(PAGE)))
    );
    assert!(
        matches!(&tasks.properties[1].kind, SchemaKind::Status { groups, .. } if groups[0].option_ids == ["1"])
    );
    assert!(matches!(&tasks.properties[2].kind, SchemaKind::Unknown { kind, .. } if kind == "hologram"));
    assert!(matches!(found[2], SearchResult::Database(old) if old.in_trash));
    assert!(found[3..].iter().all(|found| matches!(found, SearchResult::Unknown(_))));
    assert_eq!(found[4].id(), Some(id(PAGE)));
    assert!(list.is_incomplete());
    let kept: Value = serde_json::from_str(list.results[0].raw.get()).unwrap();
    assert_eq!(kept, page_with(json!({})));
}

#[test]
fn a_malformed_element_costs_itself_only() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let raw = format!(
        r#"{{"object":"list","results":[{},{{"object":"block"}},{deep},{}],"next_cursor":"n","has_more":true}}"#,
        block("divider", json!({})),
        block("paragraph", payload("paragraph")),
    );
    let list: List<Block> = serde_json::from_str(&raw).unwrap();
    assert_eq!((list.results.len(), list.malformed.len()), (2, 2));
    assert_eq!(list.malformed[0].raw.get(), r#"{"object":"block"}"#);
    assert_eq!(list.continuation(), Continuation::Next("n"));
}

#[test]
fn the_end_of_a_listing_is_never_guessed() {
    let list =
        |tail: &str| serde_json::from_str::<List<Block>>(&format!(r#"{{"results":[]{tail}}}"#)).unwrap();
    assert_eq!(list(r#","has_more":false,"next_cursor":null"#).continuation(), Continuation::End);
    assert_eq!(list(r#","has_more":true,"next_cursor":null"#).continuation(), Continuation::Lost);
    assert_eq!(list(r#","next_cursor":"c""#).continuation(), Continuation::Next("c"));
    assert!(serde_json::from_str::<List<Block>>(r#"{"results":[],"next_cursor":7}"#).is_err());
    assert!(serde_json::from_str::<List<Block>>(r#"{"object":"list"}"#).is_err());
}

#[test]
fn databases_comments_and_markdown() {
    let database: Database = decode(&json!({"object": "database", "id": PAGE, "title": [text("Untitled")],
        "created_time": "2026-07-04T09:08:57.778+00:00", "data_sources": [{"id": OTHER, "name": "Rows"}, {"id": "?"}]}));
    assert_eq!((database.data_sources.len(), database.title_text().as_str()), (1, "Untitled"));
    assert_eq!(database.created_time.unwrap().subsec_millisecond(), 778);
    let comment: Comment = decode(
        &json!({"object": "comment", "id": PAGE, "parent": {"type": "page_id", "page_id": OTHER},
        "discussion_id": OTHER, "created_time": "2026-07-04T09:08:00.000Z", "created_by": {"object": "user", "id": OTHER},
        "rich_text": [text("agreed")], "display_name": {"type": "user", "resolved_name": "Ada"},
        "attachments": [{"category": "pdf", "file": {"url": "https://e.org/a.pdf", "expiry_time": "2026-07-04T10:00:00.000Z"}}]}),
    );
    assert_eq!(
        (plain_text(&comment.rich_text).as_str(), comment.display_name.as_deref()),
        ("agreed", Some("Ada"))
    );
    assert_eq!(comment.attachments[0].source.url(), Some("https://e.org/a.pdf"));
    let markdown: PageMarkdown = decode(&json!({"object": "page_markdown", "id": PAGE, "markdown": "# Hi",
        "truncated": true, "unknown_block_ids": [OTHER, "?"]}));
    assert_eq!((markdown.unknown_block_ids, markdown.truncated), (vec![id(OTHER)], true));
    assert!(serde_json::from_str::<PageMarkdown>(r#"{"object":"page_markdown"}"#).is_err());
}

#[test]
fn reasons_name_no_content() {
    let error =
        serde_json::from_str::<Kept<PageMarkdown>>(r#"{"markdown": ["my secret diary"]}"#).unwrap_err();
    let wrong = serde_json::from_str::<u8>(r#""my secret diary""#).unwrap_err();
    assert!(!error.to_string().contains("diary"), "{error}");
    assert_eq!(describe(&wrong), "invalid type: string …, expected u8 at line 1 column 17");
}
