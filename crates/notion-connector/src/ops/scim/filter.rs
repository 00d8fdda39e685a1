//! Filters, as RFC 7644 (section 3.4.2.2) writes them: read, and asked of a resource.
//!
//! Names of attributes compare whatever their case, and so do texts, but for ids.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::ScimError;

/// Longest filter, in bytes.
const MAX_BYTES: usize = 8 << 10;
/// How deep parentheses may lie within each other.
const MAX_DEPTH: usize = 24;

/// A condition on a resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// An attribute compares so with a value.
    Compare(Path, Operator, Value),
    /// An attribute has a value.
    Present(Path),
    /// One value of an attribute meets all of it.
    Within(Path, Box<Filter>),
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One of them holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// The way to an attribute: schema, name, and name within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// An extension's name; none for the resource's own schema.
    pub(super) schema: Option<String>,
    /// None where the extension itself is meant.
    pub(super) name: Option<String>,
    /// Of a complex attribute.
    pub(super) sub: Option<String>,
}

impl Path {
    /// Reads `userName`, `name.familyName`, `urn:…:User:department` or `urn:…:User`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (schema, rest) = match text.get(..4) {
            Some(urn) if urn.eq_ignore_ascii_case("urn:") => {
                let (before, last) = text.rsplit_once(':')?;
                // The version stands before the name of the kind: what ends there is a schema and no attribute.
                let is_schema = before.rsplit_once(':').is_some_and(|(_, version)| {
                    version.contains('.') && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                });
                if is_schema { (Some(text), None) } else { (Some(before), Some(last)) }
            }
            _ => (None, Some(text)),
        };
        let is_core = |schema: &str| {
            let core = "urn:ietf:params:scim:schemas:core:2.0:";
            schema.get(..core.len()).is_some_and(|start| start.eq_ignore_ascii_case(core))
        };
        let schema = schema.filter(|schema| !is_core(schema)).map(str::to_owned);
        let Some(rest) = rest else { return Some(Self { schema, name: None, sub: None }) };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        let is_name = |name: &str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'))
        };
        (is_name(name) && sub.is_none_or(is_name)).then(|| Self {
            schema,
            name: Some(name.to_owned()),
            sub: sub.map(str::to_owned),
        })
    }

    /// Whether it is this one of the resource's own schema.
    pub(super) fn is(&self, name: &str, sub: Option<&str>) -> bool {
        let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        self.schema.is_none() && same(self.name.as_deref(), Some(name)) && same(self.sub.as_deref(), sub)
    }

    /// Texts that compare letter by letter.
    fn is_exact(&self) -> bool {
        ["id", "externalId"].into_iter().any(|name| self.is(name, None))
    }

    /// The values of the attribute, without the name within.
    fn values<'a>(&self, resource: &'a Map<String, Value>) -> &'a [Value] {
        let within = match &self.schema {
            Some(schema) => get(resource, schema).and_then(Value::as_object),
            None => Some(resource),
        };
        let found = match (&self.name, within) {
            (Some(name), Some(within)) => get(within, name),
            (None, _) => self.schema.as_deref().and_then(|schema| get(resource, schema)),
            (_, None) => None,
        };
        match found {
            None | Some(Value::Null) => &[],
            Some(Value::Array(values)) => values,
            Some(value) => std::slice::from_ref(value),
        }
    }
}

/// A member whatever the case of its name.
pub(super) fn get<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// `invalidFilter`, when it is none.
    pub(super) fn read(text: &str) -> Result<Self, ScimError> {
        if text.len() > MAX_BYTES {
            return Err(invalid("the filter is too long"));
        }
        let mut reader = Reader { rest: text.trim(), depth: 0 };
        let filter = reader.any()?;
        if reader.rest.is_empty() { Ok(filter) } else { Err(reader.wrong()) }
    }

    /// Whether the resource meets it.
    pub(super) fn holds(&self, resource: &Map<String, Value>) -> bool {
        match self {
            Self::Present(path) => path
                .values(resource)
                .iter()
                .any(|value| inner(value, path.sub.as_deref()).is_some_and(|value| !is_empty(value))),
            Self::Within(path, filter) => path
                .values(resource)
                .iter()
                .any(|value| value.as_object().is_some_and(|value| filter.holds(value))),
            Self::Compare(path, operator, wanted) => {
                let values = path.values(resource);
                let sub = path.sub.as_deref();
                let holds = |operator| {
                    let mut found = values.iter().filter_map(|value| inner(value, sub));
                    found.any(|value| compares(value, operator, wanted, path.is_exact()))
                };
                match operator {
                    // An attribute that is not there equals nothing but null.
                    Operator::NotEqual => !(holds(Operator::Equal) || wanted.is_null() && values.is_empty()),
                    Operator::Equal if wanted.is_null() => values.is_empty(),
                    _ => holds(*operator),
                }
            }
            Self::And(one, other) => one.holds(resource) && other.holds(resource),
            Self::Or(one, other) => one.holds(resource) || other.holds(resource),
            Self::Not(one) => !one.holds(resource),
        }
    }

    /// The conditions that must all hold, each an attribute that equals a text.
    pub(super) fn equalities(&self) -> Vec<(&Path, &str)> {
        match self {
            Self::Compare(path, Operator::Equal, Value::String(text)) => vec![(path, text)],
            Self::And(one, other) => [one.equalities(), other.equalities()].concat(),
            _ => Vec::new(),
        }
    }
}

/// The value, or the one within; of a complex one without a name, its `value`.
fn inner<'a>(value: &'a Value, sub: Option<&str>) -> Option<&'a Value> {
    match (value, sub) {
        (Value::Object(object), sub) => get(object, sub.unwrap_or("value")),
        (simple, None) => Some(simple),
        (_, Some(_)) => None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn compares(value: &Value, operator: Operator, wanted: &Value, is_exact: bool) -> bool {
    use Operator as O;
    match (value, wanted) {
        (Value::String(value), Value::String(wanted)) => {
            if matches!(operator, O::Greater | O::GreaterOrEqual | O::Less | O::LessOrEqual) {
                let ordered = match (value.parse::<Timestamp>(), wanted.parse::<Timestamp>()) {
                    (Ok(value), Ok(wanted)) => value.cmp(&wanted),
                    _ => value.cmp(wanted),
                };
                return stands(operator, ordered);
            }
            let lower = |text: &str| if is_exact { text.to_owned() } else { text.to_lowercase() };
            let (value, wanted) = (lower(value), lower(wanted));
            match operator {
                O::Contains => value.contains(&wanted),
                O::StartsWith => value.starts_with(&wanted),
                O::EndsWith => value.ends_with(&wanted),
                _ => value == wanted,
            }
        }
        // Entra ID writes "True" where it means true.
        (Value::Bool(value), Value::String(wanted)) if operator == O::Equal => {
            wanted.eq_ignore_ascii_case(if *value { "true" } else { "false" })
        }
        (Value::Number(value), Value::Number(wanted)) => {
            let ordered =
                value.as_f64().zip(wanted.as_f64()).and_then(|(one, other)| one.partial_cmp(&other));
            ordered.is_some_and(|ordered| stands(operator, ordered))
        }
        (value, wanted) => operator == O::Equal && value == wanted,
    }
}

fn stands(operator: Operator, ordered: std::cmp::Ordering) -> bool {
    match operator {
        Operator::Equal => ordered.is_eq(),
        Operator::Greater => ordered.is_gt(),
        Operator::GreaterOrEqual => ordered.is_ge(),
        Operator::Less => ordered.is_lt(),
        Operator::LessOrEqual => ordered.is_le(),
        Operator::NotEqual | Operator::Contains | Operator::StartsWith | Operator::EndsWith => false,
    }
}

/// What remains to be read.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Result<Filter, ScimError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(invalid("the filter is nested too deeply"));
        }
        let mut filter = self.all()?;
        while self.word("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        self.depth -= 1;
        Ok(filter)
    }

    fn all(&mut self) -> Result<Filter, ScimError> {
        let mut filter = self.one()?;
        while self.word("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, ScimError> {
        if self.word("not") {
            return Ok(Filter::Not(Box::new(self.in_brackets('(', ')')?)));
        }
        if self.rest.starts_with('(') {
            return self.in_brackets('(', ')');
        }
        let end =
            self.rest.find(|c: char| c.is_whitespace() || "[]()".contains(c)).unwrap_or(self.rest.len());
        let path = Path::read(&self.rest[..end]).ok_or_else(|| self.wrong())?;
        self.skip(end);
        if self.rest.starts_with('[') {
            return Ok(Filter::Within(path, Box::new(self.in_brackets('[', ']')?)));
        }
        if self.word("pr") {
            return Ok(Filter::Present(path));
        }
        let operator = OPERATORS.into_iter().find(|(name, _)| self.word(name)).ok_or_else(|| self.wrong())?.1;
        Ok(Filter::Compare(path, operator, self.value()?))
    }

    fn in_brackets(&mut self, open: char, close: char) -> Result<Filter, ScimError> {
        if !self.rest.starts_with(open) {
            return Err(self.wrong());
        }
        self.skip(1);
        let filter = self.any()?;
        if !self.rest.starts_with(close) {
            return Err(self.wrong());
        }
        self.skip(1);
        Ok(filter)
    }

    fn value(&mut self) -> Result<Value, ScimError> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) if !value.is_array() && !value.is_object() => value,
            _ => return self.bare_word(),
        };
        let end = values.byte_offset();
        self.skip(end);
        Ok(value)
    }

    /// `True`, as Entra ID writes it.
    fn bare_word(&mut self) -> Result<Value, ScimError> {
        if self.word("true") {
            return Ok(Value::Bool(true));
        }
        if self.word("false") { Ok(Value::Bool(false)) } else { Err(self.wrong()) }
    }

    /// Takes a word, if it is the next.
    fn word(&mut self, word: &str) -> bool {
        let is_next = self.rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !self.rest[word.len()..]
                .starts_with(|c: char| c.is_ascii_alphanumeric() || ".:_-$".contains(c));
        if is_next {
            self.skip(word.len());
        }
        is_next
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }

    fn wrong(&self) -> ScimError {
        let near: String = self.rest.chars().take(40).collect();
        invalid(&if near.is_empty() {
            "the filter ends too early".to_owned()
        } else {
            format!("the filter is not understood from “{near}” on")
        })
    }
}

const OPERATORS: [(&str, Operator); 9] = [
    ("eq", Operator::Equal),
    ("ne", Operator::NotEqual),
    ("co", Operator::Contains),
    ("sw", Operator::StartsWith),
    ("ew", Operator::EndsWith),
    ("gt", Operator::Greater),
    ("ge", Operator::GreaterOrEqual),
    ("lt", Operator::Less),
    ("le", Operator::LessOrEqual),
];

fn invalid(detail: &str) -> ScimError {
    ScimError::bad("invalidFilter", detail.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(filter: &str) -> bool {
        let user = json!({
            "id": "a-B", "userName": "Ana@acme.example", "active": true, "title": "", "userType": "Employee",
            "name": {"familyName": "O'Malley"}, "age": 7,
            "emails": [{"type": "work", "value": "ana@acme.example", "primary": true},
                       {"type": "home", "value": "ana@home.example"}],
            "meta": {"lastModified": "2026-05-13T04:42:34.5Z"},
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tides"},
        });
        Filter::read(filter).unwrap().holds(user.as_object().unwrap())
    }

    #[test]
    fn filters_of_every_form_are_read_and_asked() {
        for yes in [
            "userName eq \"ana@ACME.example\"",
            "USERNAME Eq \"ana@acme.example\"",
            "id eq \"a-B\"",
            "name.familyName co \"o'm\"",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"ana\"",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"tides\"",
            "userName pr and not (title pr)",
            "meta.lastModified gt \"2026-05-13T04:42:34Z\" and meta.lastModified le \"2026-05-13T06:42:34.5+02:00\"",
            "emails eq \"ana@home.example\"",
            "emails.value ew \"HOME.example\"",
            "emails[type eq \"work\" and value co \"@acme\"]",
            "userType eq \"Employee\" and (emails co \"example.org\" or emails.value co \"home.example\")",
            "userType ne \"Employee\" and active eq true or age ge 7",
            "active eq \"True\" and active eq True",
            "nickName eq null and nickName ne \"x\"",
            "not(userName eq \"x\")",
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in [
            "id eq \"A-B\"",
            "emails[type eq \"work\" and value co \"home\"]",
            "title pr",
            "nickName pr",
            "userName.x eq \"ana@acme.example\"",
            "age lt 7",
            "emails ne \"ana@home.example\"",
            "userName ne null and nickName ne null",
        ] {
            assert!(!holds(no), "{no}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}a pr{}", "(".repeat(5_000), ")".repeat(5_000));
        for wrong in [
            "",
            "userName",
            "userName eq",
            "userName eq ana",
            "userName is \"x\"",
            "userName eq \"x\" and",
            "userName eq \"x\")",
            "(userName eq \"x\"",
            "emails[type eq \"x\"",
            "userName eq {\"a\": 1}",
            "a b c",
            "user/name pr",
            "ä pr",
            "userNameeq \"x\"",
            &deep,
        ] {
            assert!(Filter::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_must_equal_is_known_before_anything_is_loaded() {
        let filter = Filter::read("userName eq \"a\" and (active eq true and id eq \"7\")").unwrap();
        let equal: Vec<_> = filter.equalities();
        assert!(equal[0].0.is("userName", None) && equal[1].0.is("id", None) && equal.len() == 2);
        assert!(Filter::read("userName eq \"a\" or id eq \"b\"").unwrap().equalities().is_empty());
        assert!(Filter::read("not (userName eq \"a\")").unwrap().equalities().is_empty());
    }

    #[test]
    fn a_path_of_an_extension_and_the_extension_itself_are_told_apart() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let whole = Path::read(enterprise).unwrap();
        assert_eq!((whole.schema.as_deref(), whole.name), (Some(enterprise), None));
        let manager = Path::read(&format!("{enterprise}:manager.value")).unwrap();
        assert_eq!(manager.schema.as_deref(), Some(enterprise));
        assert_eq!((manager.name.as_deref(), manager.sub.as_deref()), (Some("manager"), Some("value")));
    }
}
