//! Properties of which a page object holds the beginning only: 25 relations, 25 people, 25 mentions
//! (developers.notion.com "retrieve-a-page"). Pure.

use notion_api::wire::{
    List, Page, PropertyItem, PropertyItemAnswer, PropertyItemKind, PropertyValue, Relation, RichText,
    RichTextKind, RollupValue,
};

/// How many of each a page object holds.
const HELD: usize = 25;

/// Ids of the properties of which there may be more. Only relations say so; of the others a full list is the sign.
pub(super) fn cut_properties(page: &Page) -> Vec<String> {
    page.properties
        .iter()
        .filter(|property| !property.id.is_empty() && may_be_cut(&property.value))
        .map(|property| property.id.clone())
        .collect()
}

fn may_be_cut(value: &PropertyValue) -> bool {
    match value {
        PropertyValue::Relation(relation) => relation.has_more,
        PropertyValue::People(people) => people.len() >= HELD,
        PropertyValue::Title(runs) | PropertyValue::RichText(runs) => mentions(runs) >= HELD,
        PropertyValue::Rollup(rollup) => match &rollup.value {
            RollupValue::Array(values) => values.len() >= HELD,
            RollupValue::Incomplete => true,
            RollupValue::Number(_)
            | RollupValue::Date(_)
            | RollupValue::Unsupported
            | RollupValue::Unknown { .. } => false,
        },
        _ => false,
    }
}

fn mentions(runs: &[RichText]) -> usize {
    runs.iter().filter(|run| matches!(run.kind, RichTextKind::Mention(_))).count()
}

/// Puts the whole value in the place of its beginning. False when the answers hold no such value; then the beginning stays.
pub(super) fn complete(page: &mut Page, id: &str, answers: &[String]) -> bool {
    let Some(property) = page.properties.iter_mut().find(|property| property.id == id) else { return false };
    let Some(whole) = whole_value(&property.value, answers) else { return false };
    property.value = whole;
    true
}

fn whole_value(beginning: &PropertyValue, answers: &[String]) -> Option<PropertyValue> {
    let mut items: Vec<PropertyItem> = Vec::new();
    let mut rolled_up = None;
    for answer in answers {
        match serde_json::from_str(answer).ok()? {
            PropertyItemAnswer::Single(item) => items.push(*item),
            PropertyItemAnswer::List(list) => {
                // What a rollup came to stands beside the last of its items; before that it is incomplete.
                rolled_up = list.property_item.rollup.or(rolled_up);
                items.extend(values(list.list));
            }
        }
    }
    let kinds = items.into_iter().map(|item| item.kind);
    Some(match beginning {
        PropertyValue::Relation(_) => {
            let ids = kinds.filter_map(|kind| match kind {
                PropertyItemKind::Related(id) => Some(id),
                _ => None,
            });
            PropertyValue::Relation(Relation { ids: ids.collect(), has_more: false })
        }
        PropertyValue::People(_) => {
            let people = kinds.filter_map(|kind| match kind {
                PropertyItemKind::Person(person) => Some(person),
                _ => None,
            });
            PropertyValue::People(people.collect())
        }
        PropertyValue::Title(_) => PropertyValue::Title(runs(kinds)),
        PropertyValue::RichText(_) => PropertyValue::RichText(runs(kinds)),
        PropertyValue::Rollup(beginning) => {
            let mut rollup = rolled_up.unwrap_or_else(|| beginning.clone());
            if matches!(rollup.value, RollupValue::Array(_) | RollupValue::Incomplete) {
                rollup.value = RollupValue::Array(kinds.filter_map(rolled_value).collect());
            }
            PropertyValue::Rollup(rollup)
        }
        _ => return None,
    })
}

fn values(list: List<PropertyItem>) -> impl Iterator<Item = PropertyItem> {
    list.results.into_iter().map(|kept| kept.value)
}

fn runs(kinds: impl Iterator<Item = PropertyItemKind>) -> Vec<RichText> {
    kinds
        .filter_map(|kind| match kind {
            PropertyItemKind::Title(run) | PropertyItemKind::RichText(run) => Some(run),
            _ => None,
        })
        .collect()
}

/// One value of a rollup that shows its values; a list of one kind comes as single elements.
fn rolled_value(kind: PropertyItemKind) -> Option<PropertyValue> {
    Some(match kind {
        PropertyItemKind::Value(value) => value,
        PropertyItemKind::Title(run) => PropertyValue::Title(vec![run]),
        PropertyItemKind::RichText(run) => PropertyValue::RichText(vec![run]),
        PropertyItemKind::Person(person) => PropertyValue::People(vec![person]),
        PropertyItemKind::Related(id) => PropertyValue::Relation(Relation { ids: vec![id], has_more: false }),
    })
}
