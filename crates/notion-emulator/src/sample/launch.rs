//! A launch plan that uses what Markdown cannot say: columns, toggles, callouts, synced blocks, tabs, mentions, files.

use serde_json::{Value, json};

use super::email;
use super::pieces::{
    block, bold, comment, day, emoji, external_file, file, formula, holds, linked, page as mention, person,
    rich, says, table, task, text,
};
use crate::seed::{BlockSeed, Content, PageSeed};

/// The name of the synced block's original.
const PROMISE: &str = "launch/promise";

pub(super) fn page() -> PageSeed {
    let mut body = opening();
    body.extend(plan());
    body.extend(material());
    body.push(Content::Page(questions()));
    PageSeed {
        name: Some("launch".into()),
        title: "River Gauge 2 launch".into(),
        icon: emoji("🚀"),
        cover: json!({"type": "external", "external": {"url": "https://images.example/harbour-at-dawn.jpg"}}),
        body,
        comments: vec![
            comment(email::TOMASZ, Some("price"), "Are we sure about the price for single gauges?"),
            comment(
                email::AMARA,
                Some("price"),
                "Yes, agreed with the board on Monday. The discount starts at six.",
            ),
        ],
        ..PageSeed::default()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "content reads better with vec![…] in place")]
fn callout(icon: &str, color: &str, items: Vec<Value>, children: Vec<Content>) -> Content {
    block("callout", json!({"rich_text": items, "icon": emoji(icon), "color": color}), children)
}

fn opening() -> Vec<Content> {
    let promise = vec![rich(
        "paragraph",
        vec![text("One sentence for everyone who asks: "), bold("the gauge that nothing touches"), text(".")],
    )];
    let original = BlockSeed {
        name: Some(PROMISE.into()),
        kind: "synced_block".into(),
        payload: json!({"synced_from": null}),
        children: promise,
    };
    vec![
        block("table_of_contents", json!({"color": "gray"}), vec![]),
        callout(
            "📣",
            "blue_background",
            vec![
                text("We launch on "),
                day("2026-05-12"),
                text(" at the harbour fair. Owner: "),
                person(email::AMARA),
                text("."),
            ],
            vec![
                says("bulleted_list_item", "Rehearsal the day before, in the boat house"),
                says("bulleted_list_item", "If the river is above level two, we launch a week later"),
            ],
        ),
        Content::Block(original),
        says("heading_2", "Who does what"),
        block(
            "column_list",
            json!({}),
            vec![
                block(
                    "column",
                    json!({"width_ratio": 0.5}),
                    vec![
                        says("heading_3", "Before the fair"),
                        task("Print the bilingual leaflets", true),
                        task("Calibrate the demonstration tank", false),
                        task("Borrow the small crane from the shipyard", false),
                    ],
                ),
                block(
                    "column",
                    json!({"width_ratio": 0.5}),
                    vec![
                        says("heading_3", "At the fair"),
                        rich(
                            "paragraph",
                            vec![
                                person(email::YUKI),
                                text(" runs the tank, "),
                                person(email::MATEO),
                                text(" climbs the mock bridge."),
                            ],
                        ),
                        says(
                            "quote",
                            "Let people turn the valve themselves. Nobody forgets a flood they caused.",
                        ),
                    ],
                ),
            ],
        ),
    ]
}

fn plan() -> Vec<Content> {
    vec![
        block(
            "heading_2",
            json!({"rich_text": [text("Prices")], "is_toggleable": true}),
            vec![
                table(&[
                    &["Quantity", "Price each", "Delivery"],
                    &["1–5", "2,640 €", "two weeks"],
                    &["6 and more", "2,480 €", "four weeks"],
                ]),
                rich(
                    "paragraph",
                    vec![
                        text("Margin per gauge: "),
                        formula("m = p - (c_h + c_r + c_s)"),
                        text(", see the sheet."),
                    ],
                ),
            ],
        ),
        holds(
            "toggle",
            "Risks we know",
            vec![
                holds(
                    "toggle",
                    "The radar sees the bridge pier",
                    vec![says(
                        "paragraph",
                        "Keep the head forty centimetres away, and check the echo profile before leaving.",
                    )],
                ),
                says("bulleted_list_item", "The dry suits arrive late; borrow two from the fire brigade"),
            ],
        ),
        block("equation", json!({"expression": "Q = C \\left( h - h_0 \\right)^{b}"}), vec![]),
        says(
            "paragraph",
            "The rating curve above goes on the poster, with the coefficients of the Peso da Régua site.",
        ),
        query(),
        block(
            "tab",
            json!({}),
            vec![
                block(
                    "paragraph",
                    json!({"rich_text": [text("Porto")], "icon": emoji("🛶")}),
                    vec![says("paragraph", "Stand B12, beside the lifeboat. Power from 07:30.")],
                ),
                block(
                    "paragraph",
                    json!({"rich_text": [text("Bremen")], "icon": emoji("⚓")}),
                    vec![says("paragraph", "Open day at the Speicher in June, same tank, shorter talk.")],
                ),
            ],
        ),
        block("divider", json!({}), vec![]),
        block(
            "synced_block",
            json!({"synced_from": {"type": "block_id", "block_id": {"ref": PROMISE}}}),
            vec![],
        ),
    ]
}

fn query() -> Content {
    block(
        "code",
        json!({"rich_text": [text("SELECT site, max(level_mm)\nFROM readings\nWHERE day >= '2026-01-01'\nGROUP BY site;")],
            "caption": [text("Highest levels of the year, for the poster")], "language": "sql"}),
        vec![],
    )
}

fn material() -> Vec<Content> {
    vec![
        says("heading_2", "Material"),
        file("image", "Product/img/gauge.svg", "The drawing for the leaflet"),
        file("pdf", "Product/acceptance-report.pdf", "Acceptance report of the first site"),
        file("file", "Product/harbour-offer.csv", "Offer to the harbour of Leixão"),
        file("file", "Product/img/mounting-notes.txt", ""),
        file("file", "Product/launch-talk.pptx", "Slides for the opening talk"),
        file("file", "Product/launch-budget.xlsx", ""),
        file("audio", "Product/radar-chirp.wav", "What the radar would sound like"),
        external_file("file", "Product/tide-tables.txt", "The port's tide tables"),
        block(
            "video",
            json!({"type": "external", "external": {"url": "https://video.example/tank-rehearsal.mp4"},
                "caption": [text("Rehearsal with the tank")]}),
            vec![],
        ),
        block(
            "bookmark",
            json!({"url": "https://fair.example/harbour-days", "caption": [text("Programme of the harbour days")]}),
            vec![],
        ),
        block("embed", json!({"url": "https://maps.example/stand-b12", "caption": []}), vec![]),
        block(
            "embed",
            json!({"url": {"ref": "Product/ice-map.html"}, "caption": [text("Ice on the Weser")]}),
            vec![],
        ),
        rich(
            "paragraph",
            vec![
                text("Specification: "),
                mention("Product/river-gauge-2.md"),
                text(". Questions from customers: "),
                linked("the form", "https://forms.example/river-gauge"),
                text("."),
            ],
        ),
        block(
            "link_to_page",
            json!({"type": "page_id", "page_id": {"ref": "Product/flood-alerts.md"}}),
            vec![],
        ),
        block("unsupported", json!({"block_type": "form"}), vec![]),
    ]
}

fn questions() -> PageSeed {
    PageSeed {
        name: Some("launch/questions".into()),
        title: "Questions people ask".into(),
        icon: emoji("❓"),
        body: vec![
            holds(
                "toggle",
                "Does it work under ice?",
                vec![says(
                    "paragraph",
                    "Yes: the radar measures the surface of the ice, and the service says so next to the number.",
                )],
            ),
            holds(
                "toggle",
                "What if a boat moors below it?",
                vec![says(
                    "paragraph",
                    "The median ignores short visits. For long ones the site turns to “obstructed” after an hour.",
                )],
            ),
            holds(
                "toggle",
                "Who may see the readings?",
                vec![says("paragraph", "The water board decides. Most publish them after ten minutes.")],
            ),
        ],
        ..PageSeed::default()
    }
}
