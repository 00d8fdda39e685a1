//! Which runs of text are not in what rendering made of them.
//!
//! A run is present when its `plain_text` stands in the rendered text, white space and control characters left out on
//! both sides: rendering trims lines, joins runs that were cut within a word, and writes breaks in its own way. Runs of
//! one text must stand in their order, and what one run was found in counts for no other. A run without any visible
//! character is always present.
//!
//! Some mentions have a spelling of the product's own, which counts as well:
//!
//! - a date: the days of its start and end, each with hour and minute if it has them (`2026-03-01 09:00 → 2026-03-02`);
//! - a link or its preview: the title of the target, or the address without parameters, which may hold a signature.
//!
//! A user reads `@Name` in both, and nothing where the name is missing in both.

use std::cmp::Reverse;

use serde_json::Value;

/// What stays of a run that was found; no rendered text holds it, since control characters are left out.
const CUT: &str = "\0";

/// The longest excerpt of somebody's text that is printed, in characters.
const MAX_EXCERPT: usize = 80;

/// What was found of the runs in a piece of JSON.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// How many runs were looked for.
    pub(super) runs: u64,
    /// The beginnings of those that are missing.
    pub(super) missing: Vec<String>,
}

/// Looks for all runs anywhere in `raw` in the text that was rendered from it. Each needs a place of its own.
pub(super) fn compare(raw: &Value, rendered: &str) -> Comparison {
    let mut texts = Vec::new();
    // The depth is bounded: serde_json reads no deeper than 128 levels.
    collect(raw, &mut texts);
    // Long ones first: a short one could take a part of a long one for itself.
    texts.sort_by_key(|text| Reverse(text.iter().map(|(_, run)| run.len()).sum::<usize>()));
    let mut comparison = Comparison::default();
    let mut rest = fold(rendered);
    for text in texts {
        comparison.runs += text.len() as u64;
        take_out(&text, &mut rest, &mut comparison.missing);
    }
    comparison
}

/// Whether the text of one rendering stands in another after `from`, and where it ends there. Both are folded.
pub(super) fn find_after(whole: &str, part: &str, from: usize) -> Option<usize> {
    whole.get(from..)?.find(part).map(|at| from + at + part.len())
}

/// The beginning of a text, on one line.
pub(super) fn excerpt(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut out: String = line.take(MAX_EXCERPT).collect();
    if text.chars().nth(MAX_EXCERPT).is_some() {
        out.pop();
        out.push('…');
    }
    out
}

/// Without white space and control characters.
pub(super) fn fold(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

/// The runs of one text, in their order.
type Text<'a> = Vec<(&'a Value, &'a str)>;

/// Finds the texts anywhere in a piece of JSON: arrays of runs, and runs that stand alone.
fn collect<'a>(value: &'a Value, found: &mut Vec<Text<'a>>) {
    match value {
        Value::Array(items) => {
            let text: Text<'a> = items.iter().filter_map(run_within).collect();
            if !text.is_empty() {
                found.push(text);
            }
            items.iter().filter(|item| run_within(item).is_none()).for_each(|item| collect(item, found));
        }
        Value::Object(fields) => match run_of(value) {
            Some(run) => found.push(vec![run]),
            None => fields.values().for_each(|field| collect(field, found)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn run_of(value: &Value) -> Option<(&Value, &str)> {
    Some((value, value.get("plain_text")?.as_str()?))
}

/// An element of a text: a run, or a property item that holds one.
fn run_within(value: &Value) -> Option<(&Value, &str)> {
    run_of(value).or_else(|| run_of(value.get(value.get("type")?.as_str()?)?))
}

/// Finds the runs of a text in what is left of the rendered text, and cuts them out of it.
fn take_out(text: &Text<'_>, rest: &mut String, missing: &mut Vec<String>) {
    let mut taken = Vec::new();
    let mut at = 0;
    for (run, plain_text) in text {
        // The first in the text: a later one is that of another run.
        let found = spellings(run, plain_text)
            .into_iter()
            .filter_map(|pieces| find_pieces(rest, &pieces, at))
            .min_by_key(|spans| spans.first().map(|(start, _)| *start));
        match found {
            Some(spans) => {
                at = spans.last().map_or(at, |(_, end)| *end);
                taken.extend(spans);
            }
            None => missing.push(excerpt(plain_text)),
        }
    }
    let mut left = String::new();
    let mut copied = 0;
    for (start, end) in taken {
        left.push_str(&rest[copied..start]);
        // Something must stay, or what stood around it would read as one.
        left.push_str(CUT);
        copied = end;
    }
    left.push_str(&rest[copied..]);
    *rest = left;
}

/// Where the pieces stand after `from`, in their order.
fn find_pieces(rest: &str, pieces: &[String], from: usize) -> Option<Vec<(usize, usize)>> {
    let mut at = from;
    let folded = pieces.iter().map(|piece| fold(piece)).filter(|piece| !piece.is_empty());
    folded
        .map(|piece| {
            let end = find_after(rest, &piece, at)?;
            at = end;
            Some((end - piece.len(), end))
        })
        .collect()
}

/// Each way in which a run may stand in the text, as pieces in their order.
fn spellings(run: &Value, plain_text: &str) -> Vec<Vec<String>> {
    let mut all = vec![vec![plain_text.to_owned()]];
    let mention = &run["mention"];
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match mention["type"].as_str() {
        Some("date") => {
            let date = &mention["date"];
            let instants = [&date["start"], &date["end"]];
            let pieces: Vec<String> =
                instants.iter().filter_map(|instant| instant.as_str()).flat_map(day_and_time).collect();
            if !pieces.is_empty() {
                all.push(pieces);
            }
        }
        Some("link_mention") => {
            all.extend(text(&mention["link_mention"]["title"]).map(|title| vec![title]));
            all.push(vec![without_parameters(plain_text)]);
        }
        Some("link_preview") => all.push(vec![without_parameters(plain_text)]),
        // Somebody whose name may not be read.
        Some("user") if plain_text.trim() == "@" => all.push(Vec::new()),
        _ => {}
    }
    all
}

/// `2026-03-01T09:00:00.000+01:00` → `2026-03-01`, `09:00`.
fn day_and_time(instant: &str) -> Vec<String> {
    match instant.split_once('T') {
        Some((day, time)) => vec![day.to_owned(), time.chars().take(5).collect()],
        None => vec![instant.to_owned()],
    }
}

fn without_parameters(address: &str) -> String {
    address.split(['?', '#']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn missing(raw: &Value, rendered: &str) -> Vec<String> {
        compare(raw, rendered).missing
    }

    #[test]
    fn white_space_and_cuts_within_words_are_no_loss() {
        let raw = json!({"rich_text": [{"plain_text": " half a\nwo"}, {"plain_text": "rd\u{0}"}, {"plain_text": " "}]});
        assert_eq!(compare(&raw, "half a word"), Comparison { runs: 3, missing: Vec::new() });
    }

    #[test]
    fn a_run_that_is_not_there_is_missing_wherever_it_stands() {
        let raw = json!({"cells": [[{"plain_text": "a"}], [{"plain_text": "lost"}]], "caption": {"plain_text": "gone"}});
        assert_eq!(missing(&raw, "a"), ["lost", "gone"]);
        assert_eq!(missing(&json!([{"plain_text": "🎉"}]), "party"), ["🎉"]);
    }

    #[test]
    fn runs_of_one_text_stand_in_their_order() {
        let raw = json!([{"plain_text": "one"}, {"plain_text": "2"}, {"plain_text": "two"}]);
        assert_eq!(missing(&raw, "one 2 two"), [""; 0]);
        // Letters alone do not save a run that stands twice in the text and once in the rendering.
        let twice = json!([{"plain_text": "!"}, {"plain_text": "!"}]);
        assert_eq!(missing(&twice, "!"), ["!"]);
    }

    #[test]
    fn a_date_may_be_spelled_as_the_product_does() {
        let raw = json!({"type": "mention", "plain_text": "2026-03-01T09:00:00.000+01:00 → 2026-03-02",
            "mention": {"type": "date", "date": {"start": "2026-03-01T09:00:00.000+01:00", "end": "2026-03-02"}}});
        assert_eq!(missing(&raw, "from 2026-03-01 09:00 → 2026-03-02"), [""; 0]);
        assert_eq!(missing(&raw, "from 2026-03-01 09:00").len(), 1);
    }

    #[test]
    fn a_link_may_be_spelled_by_its_title() {
        let raw = json!({"plain_text": "https://x.example/a?sig=1",
            "mention": {"type": "link_mention", "link_mention": {"title": "The page"}}});
        assert_eq!(missing(&raw, "see The page"), [""; 0]);
        assert_eq!(missing(&raw, "see https://x.example/a"), [""; 0]);
        assert_eq!(missing(&raw, "see").len(), 1);
    }

    #[test]
    fn what_one_run_was_found_in_counts_for_no_other() {
        let link = |title: Option<&str>| {
            json!({"plain_text": "https://x.example/a?b", "mention": {"type": "link_mention",
                "link_mention": {"href": "https://x.example/a?b", "title": title}}})
        };
        assert_eq!(
            missing(&json!([link(Some("The page")), link(None)]), "The page https://x.example/a?b"),
            [""; 0]
        );
        assert_eq!(missing(&json!([link(None), link(None)]), "https://x.example/a?b").len(), 1);
        let cells = json!([[{"plain_text": "a"}], [{"plain_text": "a b"}], [{"plain_text": "a"}]]);
        assert_eq!(missing(&cells, "a | a b | a"), [""; 0]);
        assert_eq!(missing(&cells, "a | a b"), ["a"]);
    }

    #[test]
    fn the_items_of_a_property_are_one_text() {
        let day = |start: &str| {
            json!({"plain_text": format!("{start}T09:30:00.000Z"),
            "mention": {"type": "date", "date": {"start": format!("{start}T09:30:00.000Z")}}})
        };
        let item = |run: Value| json!({"object": "property_item", "type": "title", "title": run});
        let list = json!({"results": [item(day("2026-01-01")), item(json!({"plain_text": " 09:30 and "})), item(day("2026-01-01"))]});
        assert_eq!(missing(&list, "2026-01-01 09:30 09:30 and 2026-01-01 09:30"), [""; 0]);
        assert_eq!(missing(&list, "2026-01-01 09:30 09:30 and").len(), 1);
    }

    #[test]
    fn excerpts_are_bounded_and_on_one_line() {
        let long = excerpt(&"ab\n".repeat(100));
        assert_eq!(long.chars().count(), MAX_EXCERPT);
        assert!(long.starts_with("ab ab ") && long.ends_with('…'));
    }
}
