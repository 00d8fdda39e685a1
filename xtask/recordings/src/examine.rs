//! One answer: decoded by the wire types that its `object` and its endpoint name, rendered, and its text compared.

use std::panic::{AssertUnwindSafe, catch_unwind};

use notion_api::wire::{
    Block, BlockKind, Comment, DataSource, Database, ErrorBody, Kept, List, Page, PageMarkdown, Property,
    PropertyItem, PropertyItemAnswer, PropertyItemKind, PropertyValue, Relation, User,
};
use notion_connector::model::{NotionId, Warning};
use notion_connector::render::{
    BlockNode, Body, PageBody, Rendered, markdown, render_data_source, render_database, render_page,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::kinds::{self, Unknown};
use super::report::{Failure, Place, Report, count};
use super::source::{Exchange, Payload};
use super::{endpoint, text};

/// Objects of the API that the product never asks for. Nothing is rendered from them, and no text of pages is in them.
const NOT_READ: [&str; 5] = ["async_task", "custom_emoji", "file_upload", "view", "view_query"];

/// What became of one exchange.
pub(super) struct Examination<'a> {
    exchange: &'a Exchange,
    place: Place,
    report: &'a mut Report,
}

impl<'a> Examination<'a> {
    pub(super) fn new(file: &str, exchange: &'a Exchange, report: &'a mut Report) -> Self {
        let endpoint = endpoint::template(&exchange.method, &exchange.url);
        let place = Place { file: file.to_owned(), number: exchange.number, endpoint };
        Self { exchange, place, report }
    }

    /// Examines the answer. A panic of the product is a finding, so that the answers after it are examined too.
    pub(super) fn run(mut self) {
        self.report.exchanges += 1;
        self.guarded(Self::examine);
    }

    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.fail("reading or rendering it panicked".to_owned());
        }
    }

    fn examine(&mut self) {
        let version = self.exchange.version.as_deref().unwrap_or_default();
        if self.exchange.is_too_old() {
            count(&mut self.report.skipped, version);
            return;
        }
        count(&mut self.report.versions, version);
        let status = self.exchange.status.map_or_else(|| "---".to_owned(), |status| status.to_string());
        *self.report.endpoints.entry((self.place.endpoint.clone(), status)).or_default() += 1;
        let elsewhere = endpoint::is_elsewhere(&self.place.endpoint);
        match &self.exchange.body {
            Payload::Empty => self.report.empty += 1,
            Payload::Json(body) if elsewhere && !is_notions(body) => self.report.foreign += 1,
            Payload::Json(body) if self.exchange.is_success() => self.body(body),
            Payload::Json(body) => self.refusal(body),
            Payload::Broken(reason) if self.exchange.is_success() && !elsewhere => {
                self.fail(format!("the body is not whole: {reason}"));
            }
            Payload::Broken(_) | Payload::Text => self.report.not_json += 1,
        }
    }

    /// What a refused request answered holds nothing that could be lost.
    fn refusal(&mut self, body: &Value) {
        count(&mut self.report.objects, body["object"].as_str().unwrap_or("(none)"));
        if body["object"] == "error" && serde_json::from_value::<ErrorBody>(body.clone()).is_err() {
            self.report.note_unknown("error", "without a code");
        }
    }

    fn body(&mut self, body: &Value) {
        if !body.is_object() {
            return self.fail("the body is no object".to_owned());
        }
        let expected = endpoint::answers_with(&self.place.endpoint);
        match body["object"].as_str() {
            Some("error") => self.refusal(body),
            Some(object) => self.object(object, body),
            None if body["results"].is_array() => self.list(body),
            None => match expected {
                Some(object) => self.object(object, body),
                None => count(&mut self.report.objects, "(none)"),
            },
        }
    }

    fn object(&mut self, object: &str, raw: &Value) {
        if object == "list" {
            return self.list(raw);
        }
        count(&mut self.report.objects, object);
        kinds::note(raw, self.report);
        match object {
            "page" => self.page(raw),
            "block" => {
                self.block(raw);
            }
            "database" => self.database(raw),
            "data_source" => self.data_source(raw),
            "user" => drop(self.decode::<User>(raw)),
            "comment" => self.comment(raw),
            "property_item" => self.property_item(raw),
            "page_markdown" => self.markdown(raw),
            other => self.other_object(other, raw),
        }
    }

    /// An object that has no type here. What it lists, or came to, may well have one.
    fn other_object(&mut self, object: &str, raw: &Value) {
        if !NOT_READ.contains(&object) {
            self.report.note_unknown("object", object);
        }
        let mut own = raw.clone();
        let mut within = |key| own.get_mut(key).map(Value::take).unwrap_or_default();
        let (results, result) = (within("results"), within("result"));
        if !NOT_READ.contains(&object) {
            self.compare(object, &own, "");
        }
        for one in results.as_array().into_iter().flatten() {
            self.element(one, None);
        }
        if result.is_object() {
            self.element(&result, None);
        }
    }

    /// A listing: its envelope, then each element by itself.
    fn list(&mut self, raw: &Value) {
        if raw["type"] == "property_item" {
            count(&mut self.report.objects, "list of property_item");
            kinds::note(raw, self.report);
            return self.property_item(raw);
        }
        let Some(list) = self.decode::<List<Value>>(raw) else { return };
        let kind = raw["type"].as_str().filter(|kind| !kind.is_empty());
        let name = kind.map_or_else(|| "list".to_owned(), |kind| format!("list of {kind}"));
        count(&mut self.report.objects, &name);
        let mut blocks = Vec::new();
        for element in list.values() {
            blocks.extend(self.element(element, kind));
        }
        self.listing_keeps(&blocks);
    }

    /// An element of a listing; gives the block back if it is one.
    fn element(&mut self, raw: &Value, kind: Option<&str>) -> Option<Block> {
        let object = raw["object"].as_str().or(kind).unwrap_or_default();
        match object {
            "list" => self.fail("a listing within a listing".to_owned()),
            "block" => {
                count(&mut self.report.objects, object);
                kinds::note(raw, self.report);
                return self.block(raw);
            }
            _ => self.object(object, raw),
        }
        None
    }

    fn page(&mut self, raw: &Value) {
        let Some(page) = self.decode::<Page>(raw) else { return };
        let rendered = render_page(&page, &PageBody::default(), NotionId(Uuid::nil()));
        for property in &page.properties {
            count(&mut self.report.properties, property.value.type_name());
            self.note_value(&property.value);
            let raw = &raw["properties"][property.name.as_str()];
            self.compare("property", raw, &text_of_property(&rendered, property));
        }
        self.compare("page", &without(raw, "properties"), &rendered.item.text);
    }

    /// Renders a block as if it were all of a page, and as if it were not in the trash, where no page shows it.
    fn block(&mut self, raw: &Value) -> Option<Block> {
        let mut block = self.decode::<Block>(raw)?;
        block.in_trash = false;
        let kind = if block.kind == BlockKind::Partial { "(id only)" } else { block.kind.type_name() };
        let kind = kind.to_owned();
        count(&mut self.report.blocks, raw["type"].as_str().unwrap_or(&kind));
        if let BlockKind::Unknown { kind, raw } = &block.kind {
            self.note(kinds::unknown_block(kind, raw));
        }
        let rendered = render_body(Body::Blocks(vec![node(block.clone())]));
        self.compare(&kind, raw, &rendered.item.text);
        Some(block)
    }

    /// A listing as the body of a page holds what each of its blocks has by itself, in order.
    fn listing_keeps(&mut self, blocks: &[Block]) {
        if blocks.is_empty() {
            return;
        }
        let nodes = blocks.iter().cloned().map(node).collect();
        let whole = text::fold(&render_body(Body::Blocks(nodes)).item.text);
        let mut at = 0;
        for block in blocks {
            let alone = render_body(Body::Blocks(vec![node(block.clone())])).item.text;
            match text::find_after(&whole, &text::fold(&alone), at) {
                Some(end) => at = end,
                None => {
                    let missing = vec![text::excerpt(&alone)];
                    let comparison = text::Comparison { runs: 0, missing };
                    self.report.add(&self.place, "block within its listing", comparison);
                }
            }
        }
    }

    fn database(&mut self, raw: &Value) {
        let Some(database) = self.decode::<Database>(raw) else { return };
        database.properties.iter().for_each(|column| self.note_column(&column.kind, raw, &column.name));
        let rendered = render_database(&database, NotionId(Uuid::nil()));
        self.compare("database", &raw["title"], &rendered.item.title);
        self.compare("database", &without(raw, "title"), &rendered.item.text);
    }

    fn data_source(&mut self, raw: &Value) {
        let Some(source) = self.decode::<DataSource>(raw) else { return };
        source.properties.iter().for_each(|column| self.note_column(&column.kind, raw, &column.name));
        let rendered = render_data_source(&source, NotionId(Uuid::nil()));
        self.compare("data_source", &raw["title"], &rendered.item.title);
        self.compare("data_source", &without(raw, "title"), &rendered.item.text);
    }

    /// Renders a comment as the only one of a page.
    fn comment(&mut self, raw: &Value) {
        let Some(comment) = self.decode::<Comment>(raw) else { return };
        let body = PageBody { comments: vec![comment], ..PageBody::default() };
        let rendered = render_page(&bare_page(), &body, NotionId(Uuid::nil()));
        self.compare("comment", raw, &rendered.item.text);
    }

    /// Values of one property, read by themselves, as the property of a page.
    fn property_item(&mut self, raw: &Value) {
        let Some(answer) = self.decode::<PropertyItemAnswer>(raw) else { return };
        let mut values = Vec::new();
        match answer {
            PropertyItemAnswer::Single(item) => values.push(value_of(*item)),
            PropertyItemAnswer::List(answer) => {
                for malformed in answer.list.malformed {
                    self.fail(format!("an element of the listing: {}", malformed.reason));
                }
                values.extend(answer.list.results.into_iter().map(|kept| value_of(kept.value)));
                values.extend(answer.property_item.rollup.map(PropertyValue::Rollup));
            }
        }
        let mut page = bare_page();
        for value in values {
            count(&mut self.report.properties, value.type_name());
            self.note_value(&value);
            page.properties.push(Property { name: String::new(), id: String::new(), value });
        }
        let rendered = render_page(&page, &PageBody::default(), NotionId(Uuid::nil()));
        let texts: Vec<&str> = rendered.item.properties.iter().map(|one| one.text.as_str()).collect();
        self.compare("property_item", raw, &texts.join("\n"));
    }

    /// Markdown holds no runs to compare; it is read in the dialect that was asked for, else in the one it looks like.
    fn markdown(&mut self, raw: &Value) {
        let Some(answer) = self.decode::<PageMarkdown>(raw) else { return };
        let dialect = match self.exchange.parameter("markdown_version") {
            Some("v1") => markdown::Dialect::V1,
            Some("v2") => markdown::Dialect::V2,
            Some(_) | None => markdown::guess_dialect(&answer.markdown),
        };
        let (name, body) = match dialect {
            markdown::Dialect::V1 => ("page_markdown in v1", Body::MarkdownV1(answer.markdown)),
            markdown::Dialect::V2 => ("page_markdown in v2", Body::MarkdownV2(answer.markdown)),
        };
        count(&mut self.report.blocks, name);
        for warning in render_body(body).warnings {
            match warning {
                Warning::UnknownBlock { kind } => self.report.note_unknown("tag", &kind),
                Warning::UnknownMention { kind } => self.report.note_unknown("mention", &kind),
                _ => {}
            }
        }
    }

    /// Decodes as the client does, whose reasons name fields and types and quote nothing.
    fn decode<T: DeserializeOwned>(&mut self, raw: &Value) -> Option<T> {
        match RawValue::from_string(raw.to_string()).map(Kept::<T>::decode) {
            Ok(Ok(kept)) => return Some(kept.value),
            Ok(Err(malformed)) => self.fail(malformed.reason),
            Err(_) => self.fail("the object cannot be written as JSON".to_owned()),
        }
        None
    }

    fn compare(&mut self, what: &str, raw: &Value, rendered: &str) {
        self.report.add(&self.place, what, text::compare(raw, rendered));
    }

    fn note_value(&mut self, value: &PropertyValue) {
        let mut found = Vec::new();
        kinds::unknown_properties(value, &mut found);
        found.into_iter().for_each(|unknown| self.note(unknown));
    }

    fn note_column(&mut self, kind: &notion_api::wire::SchemaKind, raw: &Value, name: &str) {
        let column = raw["properties"][name]["type"].as_str().unwrap_or_default();
        count(&mut self.report.columns, column);
        if let Some(unknown) = kinds::unknown_column(kind) {
            self.note(unknown);
        }
    }

    fn note(&mut self, unknown: Unknown) {
        match unknown {
            Unknown::Kind(what, kind) => self.report.note_unknown(what, &kind),
            Unknown::Malformed(reason) => self.fail(reason),
        }
    }

    fn fail(&mut self, reason: String) {
        self.report.failures.push(Failure { place: self.place.clone(), reason });
    }
}

/// Whether a body is Notion's by its looks, from wherever it came.
fn is_notions(body: &Value) -> bool {
    let read =
        ["page", "block", "database", "data_source", "comment", "property_item", "page_markdown", "list"];
    let named = body["object"].as_str().is_some_and(|object| read.contains(&object));
    named && (body["results"].is_array() || body["id"].as_str().is_some_and(|id| Uuid::try_parse(id).is_ok()))
}

/// What people read of a property; the title is the item's.
fn text_of_property(rendered: &Rendered, property: &Property) -> String {
    if matches!(property.value, PropertyValue::Title(_)) {
        return rendered.item.title.clone();
    }
    let found = rendered.item.properties.iter().find(|one| one.name == property.name);
    found.map(|one| one.text.clone()).unwrap_or_default()
}

fn without(raw: &Value, key: &str) -> Value {
    let mut rest = raw.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.shift_remove(key);
    }
    rest
}

fn node(block: Block) -> BlockNode {
    BlockNode { block, children: Vec::new() }
}

/// A page of which nothing is known but its id.
fn bare_page() -> Page {
    Page {
        id: Uuid::nil(),
        created_time: None,
        last_edited_time: None,
        created_by: None,
        last_edited_by: None,
        cover: None,
        icon: None,
        parent: None,
        in_trash: false,
        is_archived: false,
        is_locked: false,
        properties: Vec::new(),
        url: None,
        public_url: None,
        is_full: true,
    }
}

fn render_body(body: Body) -> Rendered {
    render_page(&bare_page(), &PageBody::from(body), NotionId(Uuid::nil()))
}

/// A single value as a property of its own. A run of a title becomes one of a text, which a page shows as a property.
fn value_of(item: PropertyItem) -> PropertyValue {
    match item.kind {
        PropertyItemKind::Title(run) | PropertyItemKind::RichText(run) => PropertyValue::RichText(vec![run]),
        PropertyItemKind::Person(user) => PropertyValue::People(vec![user]),
        PropertyItemKind::Related(id) => PropertyValue::Relation(Relation { ids: vec![id], has_more: false }),
        PropertyItemKind::Value(PropertyValue::Title(runs)) => PropertyValue::RichText(runs),
        PropertyItemKind::Value(value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_finding_and_ends_nothing() {
        let exchange = Exchange {
            number: Some(3),
            method: "GET".to_owned(),
            url: "/v1/users/me".to_owned(),
            version: None,
            status: Some(200),
            body: Payload::Empty,
        };
        let mut report = Report::default();
        Examination::new("one.json", &exchange, &mut report).guarded(|_| panic!("as a slip would"));
        Examination::new("one.json", &exchange, &mut report).run();
        assert_eq!((report.failures.len(), report.exchanges, report.empty), (1, 1, 1));
        assert_eq!(report.failures[0].place.to_string(), "one.json n=3 GET /v1/users/me");
    }
}
