//! Filters and sorts of a data-source query (developers.notion.com "filter-data-source-entries").

use std::cell::OnceCell;
use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::objects::{Reader, same_property};
use crate::world::model::{Ix, Kind};
use crate::world::rich_text::{joined, plain};

const DAY_MS: i64 = 86_400_000;

/// A row that makes its properties when a filter first asks for them.
pub(super) struct RowView<'a> {
    reader: &'a Reader<'a>,
    ix: Ix,
    properties: OnceCell<Map<String, Value>>,
}

impl<'a> RowView<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, ix: Ix) -> Self {
        Self { reader, ix, properties: OnceCell::new() }
    }

    fn property(&self, name: &str) -> &Value {
        let properties = self.properties.get_or_init(|| {
            let world = self.reader.world;
            if world.entity(self.ix).kind == Kind::DataSource {
                return self.of_wiki_member();
            }
            self.reader.properties(self.ix, world.entity(self.ix), &world.page(self.ix), false)
        });
        properties.get(name).map_or(&Value::Null, |value| &value[value["type"].as_str().unwrap_or_default()])
    }

    /// A data source among the rows of a wiki has the wiki's title column only.
    fn of_wiki_member(&self) -> Map<String, Value> {
        let world = self.reader.world;
        let above = |ix: Ix| world.entity(ix).parent.holder();
        let wiki = above(self.ix).and_then(above).and_then(|wiki| world.data_source(wiki));
        let columns = wiki.into_iter().flat_map(|wiki| &wiki.schema);
        let titles = columns.filter(|(_, column)| column["type"] == "title");
        titles
            .map(|(name, _)| {
                (name.clone(), json!({"id": "title", "type": "title", "title": plain(&world.title(self.ix))}))
            })
            .collect()
    }

    fn time(&self, timestamp: Timestamp) -> i64 {
        let entity = self.reader.world.entity(self.ix);
        let ms = match timestamp {
            Timestamp::Created => entity.created_ms,
            Timestamp::Edited => entity.edited_ms,
        };
        ms - ms.rem_euclid(60_000)
    }
}

/// Which of a row's own times.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timestamp {
    Created,
    Edited,
}

/// A filter, checked against the schema.
#[derive(Debug)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Timestamp(Timestamp, Condition),
    Property { name: String, kind: String, condition: Condition },
}

/// An operator with its argument.
#[derive(Debug)]
pub(super) struct Condition {
    operator: String,
    argument: Value,
    /// For formula and rollup: the condition on what is inside.
    inner: Option<Box<Condition>>,
}

fn invalid(message: impl AsRef<str>) -> ApiError {
    ApiError::validation(format!("body failed validation: {}", message.as_ref()))
}

impl Filter {
    pub(super) fn parse(filter: &Value, schema: &Map<String, Value>) -> Result<Self, ApiError> {
        Self::parse_at(filter, schema, 0)
    }

    fn parse_at(filter: &Value, schema: &Map<String, Value>, depth: usize) -> Result<Self, ApiError> {
        for (key, join) in [("and", Self::And as fn(Vec<Self>) -> Self), ("or", Self::Or)] {
            if let Some(parts) = filter.get(key).and_then(Value::as_array) {
                if depth >= 2 {
                    return Err(invalid("body.filter may be nested two levels deep at most."));
                }
                let parts: Result<Vec<Self>, ApiError> =
                    parts.iter().map(|part| Self::parse_at(part, schema, depth + 1)).collect();
                return Ok(join(parts?));
            }
        }
        if let Some(timestamp) = filter["timestamp"].as_str() {
            let which = match timestamp {
                "created_time" => Timestamp::Created,
                "last_edited_time" => Timestamp::Edited,
                other => {
                    return Err(invalid(format!(
                        "body.filter.timestamp should be `\"created_time\"` or `\"last_edited_time\"`, instead was `\"{other}\"`."
                    )));
                }
            };
            return Ok(Self::Timestamp(which, Condition::parse(&filter[timestamp], "date")?));
        }
        let Some(asked) = filter["property"].as_str() else {
            return Err(invalid("body.filter.property should be defined, instead was `undefined`."));
        };
        let (name, column) = column(schema, asked)?;
        let kind = column["type"].as_str().unwrap_or_default();
        let condition = &filter[filter_key(filter, kind)];
        if !condition.is_object() {
            return Err(invalid(format!("body.filter.{kind} should be defined, instead was `undefined`.")));
        }
        Ok(Self::Property {
            name: name.clone(),
            kind: kind.to_owned(),
            condition: Condition::parse(condition, kind)?,
        })
    }

    pub(super) fn matches(&self, row: &RowView<'_>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(row)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(row)),
            Self::Timestamp(which, condition) => {
                let time = row.time(*which);
                condition.holds_for_times(Some((time, time + 59_999)), row.reader.now_ms)
            }
            Self::Property { name, kind, condition } => {
                condition.holds(kind, row.property(name), row.reader.now_ms)
            }
        }
    }
}

/// Text-like types are filtered under each other's keys too (`rich_text` for a title, a URL, …).
fn filter_key<'a>(filter: &Value, kind: &'a str) -> &'a str {
    const TEXTS: [&str; 6] = ["title", "rich_text", "text", "url", "email", "phone_number"];
    if filter.get(kind).is_none() && TEXTS.contains(&kind) {
        return TEXTS.into_iter().find(|key| filter.get(*key).is_some()).unwrap_or(kind);
    }
    kind
}

fn column<'a>(schema: &'a Map<String, Value>, asked: &str) -> Result<(&'a String, &'a Value), ApiError> {
    let found = schema.iter().find(|(name, column)| *name == asked || same_property(asked, &column["id"]));
    found.ok_or_else(|| ApiError::validation(format!("Could not find property with name or id: {asked}")))
}

impl Condition {
    fn parse(given: &Value, kind: &str) -> Result<Self, ApiError> {
        let Some((operator, argument)) = given.as_object().and_then(|map| map.iter().next()) else {
            return Err(invalid(format!("body.filter.{kind} should have an operator.")));
        };
        let inner = match kind {
            "formula" | "rollup" => {
                let inner_kind = match operator.as_str() {
                    "any" | "every" | "none" => argument
                        .as_object()
                        .and_then(|map| map.keys().next())
                        .map_or("rich_text", String::as_str),
                    "string" => "rich_text",
                    other => other,
                };
                let inner = argument.get(inner_kind).unwrap_or(argument);
                Some(Box::new(Self::parse(inner, inner_kind)?))
            }
            _ if operators(kind).contains(&operator.as_str()) => None,
            _ => {
                return Err(invalid(format!(
                    "body.filter.{kind}.{operator} should be not present, instead was `{argument}`."
                )));
            }
        };
        Ok(Self { operator: operator.clone(), argument: argument.clone(), inner })
    }

    fn holds(&self, kind: &str, value: &Value, now_ms: i64) -> bool {
        match kind {
            "title" | "rich_text" => self.holds_for_text(&joined(value)),
            "url" | "email" | "phone_number" | "string" => {
                self.holds_for_text(value.as_str().unwrap_or_default())
            }
            "number" => self.holds_for_number(value.as_f64()),
            "unique_id" => self.holds_for_number(value["number"].as_f64()),
            "checkbox" | "boolean" => {
                let same = value.as_bool().unwrap_or_default() == self.argument.as_bool().unwrap_or_default();
                same == (self.operator == "equals")
            }
            "select" | "status" => self.holds_for_names(value["name"].as_str().into_iter()),
            "multi_select" => {
                let names = value.as_array().into_iter().flatten();
                self.holds_for_names(names.filter_map(|option| option["name"].as_str()))
            }
            "people" | "relation" => {
                let ids = value.as_array().into_iter().flatten();
                self.holds_for_names(ids.filter_map(|item| item["id"].as_str()))
            }
            "created_by" | "last_edited_by" => self.holds_for_names(value["id"].as_str().into_iter()),
            "files" => self.holds_for_names(value.as_array().into_iter().flatten().map(|_| "file")),
            "created_time" | "last_edited_time" => {
                self.holds_for_times(value.as_str().and_then(|text| span(text, now_ms)), now_ms)
            }
            "date" => {
                self.holds_for_times(value["start"].as_str().and_then(|text| span(text, now_ms)), now_ms)
            }
            "verification" => {
                let state = value["state"].as_str().unwrap_or("unverified");
                let wanted = self
                    .argument
                    .as_str()
                    .map_or("unverified", |text| if text == "none" { "unverified" } else { text });
                (state == wanted) == (self.operator != "does_not_equal")
            }
            "formula" => self.inner.as_ref().is_some_and(|inner| {
                let kind = value["type"].as_str().unwrap_or_default();
                inner.holds(kind, &value[kind], now_ms)
            }),
            "rollup" => self.holds_for_rollup(value, now_ms),
            _ => false,
        }
    }

    fn holds_for_rollup(&self, value: &Value, now_ms: i64) -> bool {
        let Some(inner) = &self.inner else { return false };
        let mut items = value["array"].as_array().into_iter().flatten().map(|item| {
            let kind = item["type"].as_str().unwrap_or_default();
            inner.holds(kind, &item[kind], now_ms)
        });
        match self.operator.as_str() {
            "any" => items.any(|held| held),
            "every" => items.all(|held| held),
            "none" => !items.any(|held| held),
            kind => inner.holds(kind, &value[kind], now_ms),
        }
    }

    fn holds_for_text(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let wanted = self.argument.as_str().unwrap_or_default().to_lowercase();
        match self.operator.as_str() {
            "equals" => text == wanted,
            "does_not_equal" => text != wanted,
            "contains" => text.contains(&wanted),
            "does_not_contain" => !text.contains(&wanted),
            "starts_with" => text.starts_with(&wanted),
            "ends_with" => text.ends_with(&wanted),
            "is_empty" => text.is_empty(),
            _ => !text.is_empty(),
        }
    }

    fn holds_for_number(&self, number: Option<f64>) -> bool {
        let order = number.and_then(|number| number.partial_cmp(&self.argument.as_f64()?));
        match self.operator.as_str() {
            "is_empty" => number.is_none(),
            "is_not_empty" => number.is_some(),
            "equals" => order == Some(Ordering::Equal),
            "does_not_equal" => order != Some(Ordering::Equal),
            "greater_than" => order == Some(Ordering::Greater),
            "less_than" => order == Some(Ordering::Less),
            "greater_than_or_equal_to" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            _ => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        }
    }

    fn holds_for_names<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> bool {
        let is_wanted = |name: &str| match &self.argument {
            Value::Array(wanted) => wanted.iter().any(|wanted| wanted == name),
            wanted => wanted == name,
        };
        match self.operator.as_str() {
            "is_empty" => names.next().is_none(),
            "is_not_empty" => names.next().is_some(),
            "does_not_equal" | "does_not_contain" => !names.any(is_wanted),
            _ => names.any(is_wanted),
        }
    }

    /// `subject` is the first and last millisecond of what the value names: a minute, a day.
    fn holds_for_times(&self, subject: Option<(i64, i64)>, now_ms: i64) -> bool {
        let Some(subject) = subject else { return self.operator == "is_empty" };
        let day = now_ms - now_ms.rem_euclid(DAY_MS);
        // 1970-01-01 was a Thursday; weeks begin on Sunday here.
        let week = day - (day / DAY_MS + 4).rem_euclid(7) * DAY_MS;
        let within = |from: i64, to: i64| subject.0 >= from && subject.0 < to;
        match self.operator.as_str() {
            "is_empty" => return false,
            "is_not_empty" => return true,
            "this_week" => return within(week, week + 7 * DAY_MS),
            "past_week" => return within(day - 7 * DAY_MS, now_ms + 1),
            "past_month" => return within(day - 30 * DAY_MS, now_ms + 1),
            "past_year" => return within(day - 365 * DAY_MS, now_ms + 1),
            "next_week" => return within(now_ms, day + 8 * DAY_MS),
            "next_month" => return within(now_ms, day + 31 * DAY_MS),
            "next_year" => return within(now_ms, day + 366 * DAY_MS),
            _ => {}
        }
        let Some(wanted) = self.argument.as_str().and_then(|text| span(text, now_ms)) else { return false };
        match self.operator.as_str() {
            "equals" => subject.0 >= wanted.0 && subject.0 <= wanted.1,
            "before" => subject.0 < wanted.0,
            "after" => subject.0 > wanted.1,
            "on_or_before" => subject.0 <= wanted.1,
            _ => subject.0 >= wanted.0,
        }
    }
}

fn operators(kind: &str) -> &'static [&'static str] {
    match kind {
        "title" | "rich_text" | "url" | "email" | "phone_number" => &[
            "equals",
            "does_not_equal",
            "contains",
            "does_not_contain",
            "starts_with",
            "ends_with",
            "is_empty",
            "is_not_empty",
        ],
        "number" | "unique_id" => &[
            "equals",
            "does_not_equal",
            "greater_than",
            "less_than",
            "greater_than_or_equal_to",
            "less_than_or_equal_to",
            "is_empty",
            "is_not_empty",
        ],
        "checkbox" => &["equals", "does_not_equal"],
        "select" | "status" => &["equals", "does_not_equal", "is_empty", "is_not_empty"],
        "multi_select" | "people" | "relation" | "created_by" | "last_edited_by" => {
            &["contains", "does_not_contain", "is_empty", "is_not_empty"]
        }
        "date" | "created_time" | "last_edited_time" => &[
            "equals",
            "before",
            "after",
            "on_or_before",
            "on_or_after",
            "this_week",
            "past_week",
            "past_month",
            "past_year",
            "next_week",
            "next_month",
            "next_year",
            "is_empty",
            "is_not_empty",
        ],
        "files" => &["is_empty", "is_not_empty"],
        "verification" => &["status", "does_not_equal"],
        _ => &[],
    }
}

/// The first and last millisecond that a date, a time or a word such as `today` names.
fn span(text: &str, now_ms: i64) -> Option<(i64, i64)> {
    let today = now_ms - now_ms.rem_euclid(DAY_MS);
    let day = |offset: i64| Some((today + offset * DAY_MS, today + (offset + 1) * DAY_MS - 1));
    match text {
        "today" => return day(0),
        "tomorrow" => return day(1),
        "yesterday" => return day(-1),
        "one_week_ago" => return day(-7),
        "one_week_from_now" => return day(7),
        "one_month_ago" => return day(-30),
        "one_month_from_now" => return day(30),
        _ => {}
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
    {
        let start = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond();
        return Some((start, start + DAY_MS - 1));
    }
    let time = text.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    Some((time, time))
}

/// What a sort compares.
#[derive(Debug, PartialEq, PartialOrd)]
enum SortKey {
    Number(f64),
    Text(String),
    /// Rows without a value come last, whatever the direction.
    Empty,
}

/// Orders rows; ties keep the order they came in.
pub(super) fn sort_rows(
    reader: &Reader<'_>,
    schema: &Map<String, Value>,
    sorts: &[Value],
    rows: Vec<Ix>,
) -> Result<Vec<Ix>, ApiError> {
    enum By<'a> {
        Time(Timestamp),
        Property(&'a str, &'a str),
    }
    let mut plan = Vec::new();
    for sort in sorts {
        let by = match (sort["timestamp"].as_str(), sort["property"].as_str()) {
            (Some("created_time"), _) => By::Time(Timestamp::Created),
            (Some("last_edited_time"), _) => By::Time(Timestamp::Edited),
            (_, Some(asked)) => {
                let (name, column) = column(schema, asked)?;
                By::Property(name, column["type"].as_str().unwrap_or_default())
            }
            _ => return Err(invalid("body.sorts[0].property should be defined, instead was `undefined`.")),
        };
        let is_descending = match sort["direction"].as_str() {
            Some("ascending") => false,
            Some("descending") => true,
            _ => {
                return Err(invalid(format!(
                    "body.sorts[0].direction should be `\"ascending\"` or `\"descending\"`, instead was `{}`.",
                    sort["direction"]
                )));
            }
        };
        plan.push((by, is_descending));
    }
    let mut keyed: Vec<(Vec<SortKey>, Ix)> = rows
        .into_iter()
        .map(|ix| {
            let row = RowView::new(reader, ix);
            let keys = plan.iter().map(|(by, _)| match by {
                By::Time(which) => millis_key(row.time(*which)),
                // The title alone is quick to have.
                By::Property(_, "title") => text_key(&reader.world.title(ix)),
                By::Property(name, kind) => sort_key(kind, row.property(name), reader.now_ms),
            });
            (keys.collect(), ix)
        })
        .collect();
    keyed.sort_by(|(a, _), (b, _)| {
        let pairs = a.iter().zip(b).zip(&plan);
        pairs
            .map(|((a, b), (_, is_descending))| order(a, b, *is_descending))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    Ok(keyed.into_iter().map(|(_, ix)| ix).collect())
}

fn order(a: &SortKey, b: &SortKey, is_descending: bool) -> Ordering {
    let natural = a.partial_cmp(b).unwrap_or(Ordering::Equal);
    if is_descending && *a != SortKey::Empty && *b != SortKey::Empty { natural.reverse() } else { natural }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit an f64 exactly")]
fn millis_key(ms: i64) -> SortKey {
    SortKey::Number(ms as f64)
}

fn text_key(text: &str) -> SortKey {
    if text.is_empty() { SortKey::Empty } else { SortKey::Text(text.to_lowercase()) }
}

fn sort_key(kind: &str, value: &Value, now_ms: i64) -> SortKey {
    match kind {
        "title" | "rich_text" => text_key(&joined(value)),
        "number" => value.as_f64().map_or(SortKey::Empty, SortKey::Number),
        "unique_id" => value["number"].as_f64().map_or(SortKey::Empty, SortKey::Number),
        "checkbox" => SortKey::Number(f64::from(u8::from(value.as_bool().unwrap_or_default()))),
        "select" | "status" => text_key(value["name"].as_str().unwrap_or_default()),
        "date" => {
            let start = value["start"].as_str().and_then(|start| span(start, now_ms));
            start.map_or(SortKey::Empty, |(start, _)| millis_key(start))
        }
        "created_time" | "last_edited_time" => value
            .as_str()
            .and_then(|time| span(time, now_ms))
            .map_or(SortKey::Empty, |(start, _)| millis_key(start)),
        "multi_select" | "people" => text_key(value[0]["name"].as_str().unwrap_or_default()),
        "formula" => {
            let inner = value["type"].as_str().unwrap_or_default();
            sort_key(if inner == "string" { "url" } else { inner }, &value[inner], now_ms)
        }
        _ => text_key(value.as_str().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "cases read better with literals")]
    fn holds(kind: &str, condition: Value, value: Value) -> bool {
        // 2026-07-04T09:09:45Z
        Condition::parse(&condition, kind).unwrap().holds(kind, &value, 1_783_156_185_000)
    }

    #[test]
    fn dates_compare_by_the_day_and_times_by_the_instant() {
        let day = json!({"start": "2026-07-04"});
        assert!(holds("date", json!({"equals": "2026-07-04"}), day.clone()));
        assert!(holds("date", json!({"equals": "today"}), day.clone()));
        assert!(holds("date", json!({"on_or_before": "2026-07-04"}), day.clone()));
        assert!(!holds("date", json!({"after": "2026-07-04"}), day.clone()));
        assert!(holds("date", json!({"this_week": {}}), day));
        assert!(holds("date", json!({"is_empty": true}), Value::Null));
        assert!(holds(
            "created_time",
            json!({"on_or_after": "2026-07-04T09:00:00.000Z"}),
            json!("2026-07-04T09:00:00.000Z")
        ));
    }

    #[test]
    fn each_type_has_its_operators_and_refuses_others() {
        assert!(holds("rich_text", json!({"contains": "LO W"}), json!([{"plain_text": "Hello World"}])));
        assert!(holds("number", json!({"greater_than": 2}), json!(3)));
        assert!(holds("multi_select", json!({"does_not_contain": "x"}), json!([{"name": "y"}])));
        assert!(holds("status", json!({"equals": ["a", "b"]}), json!({"name": "b"})));
        assert!(holds(
            "formula",
            json!({"number": {"less_than": 5}}),
            json!({"type": "number", "number": 4})
        ));
        assert!(Condition::parse(&json!({"contains": 1}), "number").is_err());
    }

    #[test]
    fn filters_nest_two_levels_and_no_deeper() {
        let schema = Map::new();
        let time = json!({"timestamp": "created_time", "created_time": {"after": "2026-01-01"}});
        let two = json!({"and": [{"or": [time]}]});
        assert!(Filter::parse(&two, &schema).is_ok());
        assert!(Filter::parse(&json!({ "and": [two] }), &schema).is_err());
    }
}
