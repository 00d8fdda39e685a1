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

/// Puts the value in the place of its beginning, as far as the answers go. False when they do not go to its end.
pub(super) fn complete(page: &mut Page, id: &str, answers: &[String]) -> bool {
    let Some(property) = page.properties.iter_mut().find(|property| property.id == id) else { return false };
    let mut is_whole = true;
    if let Some(value) = value_of(&property.value, answers, &mut is_whole) {
        property.value = value;
        return is_whole;
    }
    false
}

/// What the answers come to; where one is missing, as far as they go.
fn value_of(beginning: &PropertyValue, answers: &[String], is_whole: &mut bool) -> Option<PropertyValue> {
    let mut items: Vec<PropertyItem> = Vec::new();
    let mut rolled_up = None;
    for answer in answers {
        match serde_json::from_str(answer) {
            Err(_) => *is_whole = false,
            Ok(PropertyItemAnswer::Single(item)) => items.push(*item),
            Ok(PropertyItemAnswer::List(list)) => {
                // What a rollup came to stands beside the last of its items; before that it is incomplete.
                rolled_up = list.property_item.rollup.or(rolled_up);
                items.extend(values(list.list));
            }
        }
    }
    if items.is_empty() && !*is_whole {
        return None;
    }
    let kinds = items.into_iter().map(|item| item.kind);
    Some(match beginning {
        PropertyValue::Relation(_) => {
            let ids = kinds.filter_map(|kind| match kind {
                PropertyItemKind::Related(id) => Some(id),
                _ => None,
            });
            PropertyValue::Relation(Relation { ids: ids.collect(), has_more: !*is_whole })
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn page(related: u128) -> Page {
        let ids: Vec<_> = (0..related).map(|number| json!({"id": Uuid::from_u128(number)})).collect();
        serde_json::from_value(json!({"object": "page", "id": Uuid::from_u128(99), "properties": {
            "Tasks": {"id": "o_yF", "type": "relation", "relation": ids, "has_more": true}}}))
        .unwrap()
    }

    fn answer(from: u128, to: u128) -> String {
        let items: Vec<_> = (from..to)
            .map(|number| {
                json!({"object": "property_item", "id": "o_yF", "type": "relation",
                    "relation": {"id": Uuid::from_u128(number)}})
            })
            .collect();
        json!({"object": "list", "results": items, "has_more": false, "next_cursor": null, "type": "property_item",
            "property_item": {"id": "o_yF", "next_url": null, "type": "relation", "relation": {}}})
        .to_string()
    }

    fn related(page: &Page) -> (usize, bool) {
        match &page.properties[0].value {
            PropertyValue::Relation(relation) => (relation.ids.len(), relation.has_more),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_property_goes_as_far_as_it_was_read() {
        let mut whole = page(25);
        assert_eq!(cut_properties(&whole), ["o_yF"]);
        assert!(complete(&mut whole, "o_yF", &[answer(0, 100), answer(100, 130)]));
        assert_eq!(related(&whole), (130, false));
        let mut broken = page(25);
        assert!(!complete(&mut broken, "o_yF", &[answer(0, 100), String::new()]));
        assert_eq!(related(&broken), (100, true));
        let mut unread = page(25);
        assert!(!complete(&mut unread, "o_yF", &[String::new()]));
        assert_eq!(related(&unread), (25, true));
    }
}
