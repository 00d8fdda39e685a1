//! Projects, customers and meeting notes: rows with typed properties that refer to each other.

use serde_json::{Map, Value, json};

use super::email::{AMARA, INES, JONAS, MATEO, PRIYA, SOFIE, TOMASZ, YUKI};
use super::pieces::{comment, emoji, file, holds, page, person, rich, says, task, text};
use crate::seed::{Content, DataSourceSeed, DatabaseSeed, PageSeed};

/// Name of a customer in the seed.
fn customer(key: &str) -> String {
    format!("customers/{key}")
}

/// Name of a meeting in the seed.
fn meeting(key: &str) -> String {
    format!("meetings/{key}")
}

/// The page that holds the three databases.
pub(super) fn work() -> PageSeed {
    PageSeed {
        name: Some("work".into()),
        title: "Work".into(),
        icon: emoji("📊"),
        body: vec![
            says("paragraph", "What we are doing, for whom, and what was said about it."),
            Content::Database(projects()),
            Content::Database(customers()),
            Content::Database(meetings()),
        ],
        ..PageSeed::default()
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn options(names: &[(&str, &str)]) -> Value {
    names.iter().map(|(name, color)| json!({"name": name, "color": color})).collect()
}

fn database(name: &str, title: &str, icon: &str, schema: Value, rows: Vec<PageSeed>) -> DatabaseSeed {
    let data_source = DataSourceSeed {
        name: Some(format!("{name}/rows")),
        title: title.into(),
        schema: object(schema),
        rows,
        ..DataSourceSeed::default()
    };
    DatabaseSeed {
        name: Some(name.into()),
        title: title.into(),
        icon: emoji(icon),
        data_sources: vec![data_source],
        ..DatabaseSeed::default()
    }
}

fn people(emails: &[&str]) -> Value {
    emails.iter().map(|email| json!({"email": email})).collect()
}

fn references(names: impl IntoIterator<Item = String>) -> Value {
    names.into_iter().map(|name| json!({"ref": name})).collect()
}

fn names(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name})).collect()
}

fn days(start: &str, end: Option<&str>) -> Value {
    json!({"start": start, "end": end, "time_zone": null})
}

fn relation(data_source: &str) -> Value {
    json!({"type": "relation", "relation": {"data_source_id": {"ref": data_source}, "type": "single_property", "single_property": {}}})
}

struct Project {
    key: &'static str,
    title: &'static str,
    status: &'static str,
    owners: &'static [&'static str],
    due: (&'static str, Option<&'static str>),
    budget: Value,
    tags: &'static [&'static str],
    customers: &'static [&'static str],
    meetings: &'static [&'static str],
    billable: bool,
    summary: &'static str,
    body: Vec<Content>,
}

impl Project {
    fn row(self) -> PageSeed {
        let mut properties = object(json!({
            "Status": {"name": self.status},
            "Owner": people(self.owners),
            "Due": days(self.due.0, self.due.1),
            "Budget": self.budget,
            "Tags": names(self.tags),
            "Customers": references(self.customers.iter().map(|key| customer(key))),
            "Meetings": references(self.meetings.iter().map(|key| meeting(key))),
            "Billable": self.billable,
            "Summary": [text(self.summary)],
        }));
        if self.key == "leixao" {
            let documents = json!([
                {"name": "harbour-offer.csv", "type": "file", "file": {"ref": "Product/harbour-offer.csv"}},
                {"name": "calibration-record.docx", "type": "file", "file": {"ref": "Product/calibration-record.docx"}},
                {"name": "Tide tables", "type": "external", "external": {"url": {"ref": "Product/tide-tables.txt"}}},
            ]);
            properties.insert("Documents".into(), documents);
        }
        PageSeed {
            name: Some(format!("projects/{}", self.key)),
            title: self.title.into(),
            properties,
            body: self.body,
            ..PageSeed::default()
        }
    }
}

fn projects() -> DatabaseSeed {
    let schema = json!({
        "Project": {"type": "title", "title": {}},
        "Status": {"type": "status", "status": {"options": options(&[("Not started", "default"), ("In progress", "blue"), ("Blocked", "red"), ("Done", "green")])}},
        "Owner": {"type": "people", "people": {}},
        "Due": {"type": "date", "date": {}},
        "Budget": {"type": "number", "number": {"format": "euro"}},
        "Tags": {"type": "multi_select", "multi_select": {"options": options(&[("hardware", "orange"), ("service", "blue"), ("field work", "green"), ("research", "purple")])}},
        "Customers": relation("customers/rows"),
        "Meetings": relation("meetings/rows"),
        "Billable": {"type": "checkbox", "checkbox": {}},
        "Summary": {"type": "rich_text", "rich_text": {}},
        "Documents": {"type": "files", "files": {}},
        "Number": {"type": "unique_id", "unique_id": {"prefix": "HB"}},
        "Created": {"type": "created_time", "created_time": {}},
        "Edited by": {"type": "last_edited_by", "last_edited_by": {}},
    });
    let mut rows: Vec<PageSeed> = [european_sites(), other_sites(), service_projects(), inner_projects()]
        .into_iter()
        .flatten()
        .map(Project::row)
        .collect();
    if let Some(row) = rows.first_mut() {
        row.comments = vec![
            comment(TOMASZ, Some("crane"), "The crane is only free until the 20th."),
            comment(PRIYA, Some("crane"), "Then we mount the two eastern gauges first."),
        ];
    }
    DatabaseSeed {
        description: "Everything with a budget or a deadline".into(),
        ..database("projects", "Projects", "🗂️", schema, rows)
    }
}

fn european_sites() -> Vec<Project> {
    vec![
        Project {
            key: "leixao",
            title: "Six gauges for the harbour of Leixão",
            status: "In progress",
            owners: &[AMARA, MATEO],
            due: ("2026-04-30", None),
            budget: json!(21_740),
            tags: &["hardware", "field work"],
            customers: &["leixao"],
            meetings: &["kickoff-leixao", "weekly-0302"],
            billable: true,
            summary: "Mount six radar gauges along the breakwater and connect them to the port's warning board.",
            body: vec![
                says("heading_2", "Where we stand"),
                task("Survey of the breakwater", true),
                task("Brackets galvanised and delivered", true),
                task("Mount gauges 1 to 6", false),
                rich(
                    "paragraph",
                    vec![
                        text("Contact on site is the harbour master; ask "),
                        person(MATEO),
                        text(" before calling after six."),
                    ],
                ),
                file("file", "Product/harbour-offer.csv", "Accepted offer"),
            ],
        },
        Project {
            key: "weser",
            title: "Weser: replace floats by radar",
            status: "Blocked",
            owners: &[JONAS],
            due: ("2026-06-15", Some("2026-07-31")),
            budget: json!(48_000),
            tags: &["hardware"],
            customers: &["unterweser"],
            meetings: &["weekly-0302"],
            billable: true,
            summary: "Eleven stilling wells are silting up. Blocked until the bridge authority signs.",
            body: vec![
                says(
                    "paragraph",
                    "The permit for the railway bridge near Verden has been with the authority since November.",
                ),
                says("quote", "Ohne Unterschrift kein Gerüst. Frau Petersen ist ab Montag wieder da."),
            ],
        },
    ]
}

fn other_sites() -> Vec<Project> {
    vec![
        Project {
            key: "tama",
            title: "多摩川の水位計を増設",
            status: "In progress",
            owners: &[YUKI],
            due: ("2026-05-29", None),
            budget: json!(36_500),
            tags: &["hardware", "field work"],
            customers: &["tama"],
            meetings: &["tokyo-review"],
            billable: true,
            summary: "多摩川の上流に水位計を四か所増設し、予測の精度を上げる。",
            body: vec![
                says("heading_2", "進み具合"),
                says("numbered_list_item", "設置場所の調査は終わりました。"),
                says("numbered_list_item", "河川事務所の許可を待っています。"),
                says("paragraph", "梅雨に入る前にすべての設置を終える予定です。"),
            ],
        },
        Project {
            key: "mondego",
            title: "Mondego after-flood survey",
            status: "Done",
            owners: &[PRIYA, MATEO],
            due: ("2026-02-20", None),
            budget: json!(5_200),
            tags: &["field work", "research"],
            customers: &["mondego"],
            meetings: &["mondego-debrief"],
            billable: true,
            summary: "Level marks on forty houses, measured within a week of the January flood.",
            body: vec![
                says(
                    "paragraph",
                    "The highest mark, at the old mill, stands 6.83 metres above datum. It matches the gauge to within two centimetres.",
                ),
                holds(
                    "toggle",
                    "Houses we could not enter",
                    vec![says("paragraph", "Three; two were empty, one had a dog with opinions.")],
                ),
            ],
        },
    ]
}

fn service_projects() -> Vec<Project> {
    vec![
        Project {
            key: "voice",
            title: "Voice alerts in four languages",
            status: "In progress",
            owners: &[SOFIE, YUKI],
            due: ("2026-03-31", None),
            budget: json!(14_000),
            tags: &["service"],
            customers: &[],
            meetings: &["weekly-0302", "voice-test"],
            billable: false,
            summary: "Spoken warnings in Portuguese, German, Japanese and English, recorded by colleagues.",
            body: vec![
                rich(
                    "paragraph",
                    vec![text("Behaviour is specified in "), page("Product/flood-alerts.md"), text(".")],
                ),
                says(
                    "bulleted_list_item",
                    "Numbers are spoken digit by digit; the trial showed that “forty” and “fourteen” are confused on bad lines.",
                ),
            ],
        },
        Project {
            key: "offline",
            title: "Offline mode for lock keepers",
            status: "Not started",
            owners: &[SOFIE],
            due: ("2026-09-01", None),
            budget: Value::Null,
            tags: &["service", "research"],
            customers: &["unterweser", "leixao"],
            meetings: &[],
            billable: false,
            summary: "The app must be honest about the age of its numbers.",
            body: vec![rich(
                "paragraph",
                vec![
                    text("Starts when voice alerts are out. See "),
                    page("Product/offline-mode.md"),
                    text("."),
                ],
            )],
        },
    ]
}

fn inner_projects() -> Vec<Project> {
    vec![
        Project {
            key: "drill",
            title: "Restore drill with two regions",
            status: "Done",
            owners: &[JONAS, TOMASZ],
            due: ("2026-01-06", None),
            budget: json!(800),
            tags: &["service"],
            customers: &[],
            meetings: &[],
            billable: false,
            summary: "Restore the readings store while the first region is unplugged.",
            body: vec![
                says(
                    "paragraph",
                    "It took fifty-three minutes, eleven of which we spent looking for the right snapshot. The runbook now says where it is.",
                ),
                rich("paragraph", vec![text("Runbook: "), page("Engineering/Runbooks/backup-restore.md")]),
            ],
        },
        Project {
            key: "forecast",
            title: "Forecast from radar rainfall",
            status: "Not started",
            owners: &[],
            due: ("2026-12-15", None),
            budget: json!(62_000),
            tags: &["research"],
            customers: &["mondego"],
            meetings: &["tokyo-review"],
            billable: false,
            summary: "Two hours more warning for small catchments, if the rainfall data is as good as promised.",
            body: vec![],
        },
    ]
}

fn customers() -> DatabaseSeed {
    let schema = json!({
        "Name": {"type": "title", "title": {}},
        "Kind": {"type": "select", "select": {"options": options(&[("Port", "blue"), ("Water board", "green"), ("Municipality", "yellow")])}},
        "E-mail": {"type": "email", "email": {}},
        "Phone": {"type": "phone_number", "phone_number": {}},
        "Website": {"type": "url", "url": {}},
        "Gauges": {"type": "number", "number": {"format": "number"}},
        "Under contract": {"type": "checkbox", "checkbox": {}},
    });
    let row =
        |key: &str, title: &str, kind: &str, phone: &str, gauges: u32, contract: bool, note: &str| PageSeed {
            name: Some(customer(key)),
            title: title.into(),
            properties: object(json!({
                "Kind": {"name": kind},
                "E-mail": format!("duty@{key}.example"),
                "Phone": phone,
                "Website": format!("https://{key}.example"),
                "Gauges": gauges,
                "Under contract": contract,
            })),
            body: if note.is_empty() { Vec::new() } else { vec![says("paragraph", note)] },
            ..PageSeed::default()
        };
    let rows = vec![
        row(
            "leixao",
            "Porto de Leixão",
            "Port",
            "+351 220 000 101",
            6,
            true,
            "Prefers calls before ten. The warning board speaks an old serial protocol; the adapter is in the orange rucksack.",
        ),
        row(
            "unterweser",
            "Deichverband Unterweser",
            "Water board",
            "+49 421 000 202",
            11,
            true,
            "Sitzung jeden ersten Donnerstag. Entscheidungen brauchen zwei Unterschriften.",
        ),
        row(
            "tama",
            "多摩川河川事務所",
            "Water board",
            "+81 42 000 0303",
            8,
            true,
            "連絡は平日の九時から十七時まで。増水時は当番の携帯電話へ。",
        ),
        row("mondego", "Município do Mondego", "Municipality", "+351 239 000 404", 3, true, ""),
        row(
            "ria-alta",
            "Comunidade da Ria Alta",
            "Municipality",
            "+351 234 000 505",
            0,
            false,
            "Interested after the flood; wants to see a gauge under ice first.",
        ),
    ];
    database("customers", "Customers", "🤝", schema, rows)
}

fn meetings() -> DatabaseSeed {
    let schema = json!({
        "Meeting": {"type": "title", "title": {}},
        "Date": {"type": "date", "date": {}},
        "Attendees": {"type": "people", "people": {}},
        "Kind": {"type": "select", "select": {"options": options(&[("Weekly", "gray"), ("Customer", "blue"), ("Review", "purple")])}},
    });
    let rows = customer_meetings().into_iter().chain(reviews()).collect();
    database("meetings", "Meeting notes", "📝", schema, rows)
}

fn meeting_row(
    key: &str,
    title: &str,
    date: &str,
    kind: &str,
    attendees: &[&str],
    body: Vec<Content>,
) -> PageSeed {
    let properties =
        json!({"Date": days(date, None), "Attendees": people(attendees), "Kind": {"name": kind}});
    PageSeed {
        name: Some(meeting(key)),
        title: title.into(),
        properties: object(properties),
        body,
        ..PageSeed::default()
    }
}

fn customer_meetings() -> Vec<PageSeed> {
    vec![
        meeting_row(
            "kickoff-leixao",
            "Kick-off with the harbour master of Leixão",
            "2026-01-19",
            "Customer",
            &[AMARA, MATEO],
            vec![
                says("heading_2", "Agreed"),
                says("bulleted_list_item", "Gauges two and five get a second bracket because of the swell."),
                says(
                    "bulleted_list_item",
                    "The board shows centimetres above chart datum, never above sea level.",
                ),
                says("heading_2", "Open"),
                task("Who pays for the diver?", false),
            ],
        ),
        meeting_row(
            "weekly-0302",
            "Weekly, 2 March",
            "2026-03-02",
            "Weekly",
            &[INES, TOMASZ, JONAS, AMARA, PRIYA, SOFIE, YUKI],
            vec![
                rich(
                    "paragraph",
                    vec![person(JONAS), text(": Verden permit still missing, scaffold booked for nothing.")],
                ),
                rich(
                    "paragraph",
                    vec![person(SOFIE), text(": German recordings done, Portuguese on Thursday.")],
                ),
                says("callout", "Decision: the fair goes ahead even if only four gauges hang in Leixão."),
            ],
        ),
    ]
}

fn reviews() -> Vec<PageSeed> {
    vec![
        meeting_row(
            "voice-test",
            "Listening test for voice alerts",
            "2026-02-24",
            "Review",
            &[SOFIE, YUKI, PRIYA],
            vec![
                says(
                    "paragraph",
                    "Twelve people, one tractor engine running beside them. Eleven understood the place, nine the level, all twelve the instruction.",
                ),
                says("numbered_list_item", "Speak the instruction first."),
                says("numbered_list_item", "Repeat the place, not the level."),
            ],
        ),
        meeting_row(
            "tokyo-review",
            "東京レビュー会議",
            "2026-02-13",
            "Review",
            &[YUKI, INES],
            vec![
                says(
                    "paragraph",
                    "降雨レーダーの予測は、小さな流域では二時間早く警報を出せる見込みです。ただし、雪の日の精度はまだ不十分です。",
                ),
                task("過去三年分の積雪データを集める", false),
            ],
        ),
        meeting_row(
            "mondego-debrief",
            "Mondego flood debrief",
            "2026-01-30",
            "Review",
            &[PRIYA, MATEO, JONAS],
            vec![
                says(
                    "paragraph",
                    "The warning left ninety-one minutes before the road was cut. Two subscribers had changed their numbers; nobody had told us.",
                ),
                rich("paragraph", vec![text("Follow-up is in "), page("projects/mondego"), text(".")]),
            ],
        ),
    ]
}
