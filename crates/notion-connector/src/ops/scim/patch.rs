//! Changes of a resource, as RFC 7644 (section 3.5.2) writes them, and as identity providers do.
//!
//! What providers write otherwise than the RFC, and what is made of it: operations in capitals, booleans as texts, an object without a path
//! whose names are paths, members to remove given as the value, a text where a complex attribute stands, an array of one where a simple one does.

use serde_json::{Map, Value, json};

use super::ScimError;
use super::filter::{Filter, Operator, Path, get};

/// Most operations of one request.
const MAX_OPERATIONS: usize = 1_000;

/// Attributes that have several values.
const SEVERAL: [&str; 9] = [
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "entitlements",
    "roles",
    "x509Certificates",
    "members",
];
/// What the server says and nobody else: passed over where a whole object brings it along.
const READ_ONLY: [&str; 4] = ["id", "meta", "groups", "schemas"];

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Add,
    Remove,
    Replace,
}

/// One operation at one place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) target: Target,
    pub(super) value: Value,
}

/// Where an operation happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) path: Path,
    /// Which of several values.
    pub(super) filter: Option<Filter>,
}

impl Target {
    /// Reads `name.familyName`, `emails[type eq "work"]` or `emails[type eq "work"].value`.
    fn read(text: &str) -> Result<Self, ScimError> {
        let wrong = || ScimError::bad("invalidPath", format!("“{text}” is no path"));
        let Some((before, rest)) = text.trim().split_once('[') else {
            let path = Path::read(text.trim()).ok_or_else(wrong)?;
            return Ok(Self { path, filter: None });
        };
        let (filter, after) = rest.rsplit_once(']').ok_or_else(wrong)?;
        let mut path = Path::read(before).filter(|path| path.name.is_some() && path.sub.is_none());
        match (after, &mut path) {
            (after, Some(path)) if !after.is_empty() => {
                let sub = after.strip_prefix('.').and_then(Path::read).ok_or_else(wrong)?;
                if sub.schema.is_some() || sub.sub.is_some() {
                    return Err(wrong());
                }
                path.sub = sub.name;
            }
            _ => {}
        }
        let filter = Filter::read(filter).map_err(|_| wrong())?;
        Ok(Self { path: path.ok_or_else(wrong)?, filter: Some(filter) })
    }

    fn is_read_only(&self) -> bool {
        let name = self.path.name.as_deref().unwrap_or_default();
        self.path.schema.is_none() && READ_ONLY.iter().any(|one| one.eq_ignore_ascii_case(name))
    }
}

/// Reads the body of a `PATCH`: its operations, each at one place.
///
/// # Errors
/// When it is none.
pub(super) fn read(body: &Value) -> Result<Vec<Operation>, ScimError> {
    let syntax = |detail: &str| ScimError::bad("invalidSyntax", detail.to_owned());
    let listed = body.as_object().and_then(|body| get(body, "Operations")).and_then(Value::as_array);
    let listed = listed.ok_or_else(|| syntax("the body has no Operations"))?;
    if listed.len() > MAX_OPERATIONS {
        return Err(ScimError::bad("tooMany", format!("more than {MAX_OPERATIONS} operations")));
    }
    let mut operations = Vec::with_capacity(listed.len());
    for one in listed {
        let one = one.as_object().ok_or_else(|| syntax("an operation is no object"))?;
        let named = get(one, "op").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let kind = match named.as_str() {
            "add" => Kind::Add,
            "remove" => Kind::Remove,
            "replace" => Kind::Replace,
            _ => return Err(syntax("an operation is neither add, remove nor replace")),
        };
        let value = get(one, "value").cloned().unwrap_or(Value::Null);
        match (get(one, "path"), value) {
            (Some(Value::String(path)), value) => {
                let target = Target::read(path)?;
                if target.is_read_only() {
                    return Err(ScimError::bad("mutability", format!("“{path}” cannot be changed")));
                }
                operations.push(Operation { kind, target, value });
            }
            (None | Some(Value::Null), _) if kind == Kind::Remove => {
                return Err(ScimError::bad("noTarget", "a removal needs a path".to_owned()));
            }
            (None | Some(Value::Null), Value::Object(values)) => {
                for (path, value) in values {
                    let target = Target::read(&path)?;
                    if !target.is_read_only() {
                        operations.push(Operation { kind, target, value });
                    }
                }
            }
            _ => {
                return Err(ScimError::bad(
                    "invalidValue",
                    "without a path the value is an object".to_owned(),
                ));
            }
        }
    }
    Ok(operations)
}

/// Applies an operation to a resource.
///
/// # Errors
/// When there is no such place, or the value cannot be there.
pub(super) fn apply(resource: &mut Map<String, Value>, operation: &Operation) -> Result<(), ScimError> {
    let Operation { kind, target, value } = operation;
    let Path { schema, name, sub } = &target.path;
    let within = match schema {
        Some(schema) => object_at(resource, schema)?,
        None => resource,
    };
    let Some(name) = name else {
        // The extension as a whole.
        return match (kind, value) {
            (Kind::Remove, _) => {
                within.clear();
                Ok(())
            }
            (_, Value::Object(values)) => {
                merge(within, values);
                Ok(())
            }
            _ => Err(invalid("the value of an extension is an object")),
        };
    };
    let key = key_of(within, name);
    if let Some(filter) = &target.filter {
        return at_filtered(within, &key, filter, sub.as_deref(), *kind, value);
    }
    let is_several =
        schema.is_none() && SEVERAL.contains(&key.as_str()) || within.get(&key).is_some_and(Value::is_array);
    match sub {
        Some(sub) if is_several => {
            // Of every value.
            change(within, &key, |values| {
                values
                    .iter_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(|one| set(one, sub, *kind, value));
            });
        }
        Some(sub) => {
            if *kind != Kind::Remove || within.get(&key).is_some_and(Value::is_object) {
                set(object_at(within, &key)?, sub, *kind, value);
            }
        }
        None if is_several => several(within, &key, *kind, value),
        None => {
            let complex = within.get(&key).is_some_and(Value::is_object) || key == "name" || key == "manager";
            match (kind, unwrapped(value)) {
                (Kind::Remove, _) | (_, Value::Null) => {
                    within.remove(&key);
                }
                (_, Value::Object(values)) if complex => merge(object_at(within, &key)?, values),
                // Entra ID gives a manager by id alone.
                (_, Value::String(text)) if key == "manager" => {
                    within.insert(key, json!({ "value": text }));
                }
                (_, value) => {
                    within.insert(key, value.clone());
                }
            }
        }
    }
    Ok(())
}

/// Values of an attribute with several, those that a filter picks.
fn at_filtered(
    within: &mut Map<String, Value>,
    key: &str,
    filter: &Filter,
    sub: Option<&str>,
    kind: Kind,
    value: &Value,
) -> Result<(), ScimError> {
    let picks = |one: &Value| one.as_object().is_some_and(|one| filter.holds(one));
    if kind == Kind::Remove && sub.is_none() {
        change(within, key, |values| values.retain(|one| !picks(one)));
        return Ok(());
    }
    let put = |one: &mut Map<String, Value>| match (sub, value) {
        (Some(sub), _) => {
            set(one, sub, kind, value);
            Ok(())
        }
        (None, Value::Object(values)) => {
            merge(one, values);
            Ok(())
        }
        (None, _) => Err(invalid("the value of a complex attribute is an object")),
    };
    let met = change(within, key, |values| {
        let picked = values.iter_mut().filter(|one| picks(one)).filter_map(Value::as_object_mut);
        picked.map(put).collect::<Result<Vec<()>, ScimError>>()
    })?;
    if !met.is_empty() || kind == Kind::Remove {
        return Ok(());
    }
    // What is added comes to be as the filter says (as Entra ID means `emails[type eq "work"].value`).
    let mut made = Map::new();
    let told = filter.equalities();
    let is_plain = !told.is_empty() && kind == Kind::Add;
    if !is_plain {
        return Err(ScimError::bad("noTarget", format!("no value of “{key}” is meant by the path")));
    }
    for (path, text) in told {
        if let (None, Some(name), None) = (&path.schema, &path.name, &path.sub) {
            made.insert(name.clone(), Value::from(text));
        }
    }
    put(&mut made)?;
    several(within, key, Kind::Add, &Value::Object(made));
    Ok(())
}

/// An attribute with several values.
fn several(within: &mut Map<String, Value>, key: &str, kind: Kind, value: &Value) {
    let given: Vec<Value> = match value {
        Value::Array(values) => values.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    match kind {
        // Those that are named; all, where none is.
        Kind::Remove if !given.is_empty() => {
            change(within, key, |values| values.retain(|one| !given.iter().any(|other| is_same(one, other))));
        }
        Kind::Remove => {
            within.remove(key);
        }
        Kind::Replace => change(within, key, |values| *values = given),
        Kind::Add => change(within, key, |values| {
            if given.iter().any(is_primary) {
                values.iter_mut().filter_map(Value::as_object_mut).for_each(|one| {
                    one.remove("primary");
                });
            }
            for one in given {
                if !values.iter().any(|held| is_same(held, &one)) {
                    values.push(one);
                }
            }
        }),
    }
}

fn is_primary(value: &Value) -> bool {
    value.get("primary").is_some_and(|primary| super::resource::as_bool(primary) == Some(true))
}

/// Whether two values of an attribute are the same: by their `value` and `type`, where they have them.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.get("value"), other.get("value")) {
        (Some(a), Some(b)) => a == b && (other.get("type").is_none() || one.get("type") == other.get("type")),
        _ => one == other,
    }
}

fn set(object: &mut Map<String, Value>, name: &str, kind: Kind, value: &Value) {
    let key = key_of(object, name);
    match (kind, unwrapped(value)) {
        (Kind::Remove, _) | (_, Value::Null) => {
            object.remove(&key);
        }
        (_, value) => {
            object.insert(key, value.clone());
        }
    }
}

fn merge(object: &mut Map<String, Value>, values: &Map<String, Value>) {
    for (name, value) in values {
        set(object, name, Kind::Replace, value);
    }
}

/// The one value of a simple attribute, where it comes as an array of one.
fn unwrapped(value: &Value) -> &Value {
    match value {
        Value::Array(values) => match values.as_slice() {
            [Value::Object(one)] => get(one, "value").unwrap_or(value),
            [one] => one,
            _ => value,
        },
        value => value,
    }
}

/// The key as it is there already, whatever its case.
fn key_of(object: &Map<String, Value>, name: &str) -> String {
    let known = object.keys().find(|key| key.eq_ignore_ascii_case(name)).map(String::as_str);
    known.or_else(|| super::resource::canonical(name)).unwrap_or(name).to_owned()
}

fn object_at<'a>(
    object: &'a mut Map<String, Value>,
    name: &str,
) -> Result<&'a mut Map<String, Value>, ScimError> {
    let key = key_of(object, name);
    let value = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().ok_or_else(|| invalid("the attribute has no names within it"))
}

/// Changes the values of an attribute with several; it is there while it has some.
fn change<T>(object: &mut Map<String, Value>, key: &str, work: impl FnOnce(&mut Vec<Value>) -> T) -> T {
    let mut values = match object.remove(key) {
        Some(Value::Array(values)) => values,
        None | Some(Value::Null) => Vec::new(),
        Some(one) => vec![one],
    };
    let done = work(&mut values);
    if !values.is_empty() {
        object.insert(key.to_owned(), Value::Array(values));
    }
    done
}

fn invalid(detail: &str) -> ScimError {
    ScimError::bad("invalidValue", detail.to_owned())
}

/// Whom an operation on the members of a group names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// All of them.
    All,
    /// These, by id.
    These(Vec<String>),
}

/// Whom an operation names, if it is one on members.
///
/// # Errors
/// When it cannot be told who is meant.
pub(super) fn members(operation: &Operation) -> Result<Option<Named>, ScimError> {
    let Target { path, filter } = &operation.target;
    if !path.is("members", None) && !path.is("members", Some("value")) {
        return Ok(None);
    }
    if let Some(filter) = filter {
        let mut ids = Vec::new();
        return if collect(filter, &mut ids) {
            Ok(Some(Named::These(ids)))
        } else {
            Err(ScimError::bad("invalidPath", "members are meant by their value alone".to_owned()))
        };
    }
    let values = match &operation.value {
        Value::Null => return Ok(Some(Named::All)),
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let id = |one: &Value| {
        let id = one.as_object().map_or(Some(one), |one| get(one, "value"));
        id.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| invalid("a member has no value"))
    };
    Ok(Some(Named::These(values.iter().map(id).collect::<Result<_, _>>()?)))
}

/// `value eq "a" or value eq "b"`.
fn collect(filter: &Filter, ids: &mut Vec<String>) -> bool {
    match filter {
        Filter::Compare(path, Operator::Equal, Value::String(id)) if path.is("value", None) => {
            ids.push(id.clone());
            true
        }
        Filter::Or(one, other) => collect(one, ids) && collect(other, ids),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> Value {
        json!({"userName": "ana", "active": true, "name": {"givenName": "Ana", "familyName": "Gomez"},
            "emails": [{"type": "work", "value": "ana@acme.example", "primary": true},
                       {"type": "home", "value": "ana@home.example"}]})
    }

    fn patched(operations: &Value) -> Result<Value, ScimError> {
        let mut user = user();
        let resource = user.as_object_mut().unwrap();
        for operation in read(&json!({ "Operations": operations }))? {
            apply(resource, &operation)?;
        }
        Ok(user)
    }

    fn one(operation: &Value) -> Value {
        patched(&json!([operation])).unwrap()
    }

    fn kind_of(operation: &Value) -> &'static str {
        patched(&json!([operation])).unwrap_err().scim_type()
    }

    #[test]
    fn simple_and_complex_attributes_are_set_merged_and_removed() {
        let set = one(&json!({"op": "Replace", "path": "active", "value": "False"}));
        assert_eq!(set["active"], "False", "what it means is read with the resource");
        let name = one(&json!({"op": "replace", "path": "name", "value": {"familyName": "Diaz"}}));
        assert_eq!(name["name"], json!({"givenName": "Ana", "familyName": "Diaz"}));
        let sub = one(&json!({"op": "add", "path": "NAME.familyname", "value": "Diaz"}));
        assert_eq!(sub["name"]["familyName"], "Diaz");
        assert_eq!(
            one(&json!({"op": "remove", "path": "name.givenName"}))["name"],
            json!({"familyName": "Gomez"})
        );
        assert!(one(&json!({"op": "Remove", "path": "name"})).get("name").is_none());
        let array =
            one(&json!({"op": "Add", "path": "displayName", "value": [{"$ref": null, "value": "Ana G"}]}));
        assert_eq!(array["displayName"], "Ana G");
    }

    #[test]
    fn an_object_without_a_path_is_a_path_for_each_name() {
        let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let all = one(&json!({"op": "Replace", "value": {
            "id": "whatever", "schemas": ["x"], "name.givenName": "Anna", department: "Tides", "nickName": "An",
            extension: {"manager": {"value": "7"}}, "emails[type eq \"work\"].value": "anna@acme.example"}}));
        assert_eq!(all["name"], json!({"givenName": "Anna", "familyName": "Gomez"}));
        assert_eq!(all[extension], json!({"department": "Tides", "manager": {"value": "7"}}));
        assert_eq!(
            (&all["nickName"], &all["emails"][0]["value"]),
            (&json!("An"), &json!("anna@acme.example"))
        );
        assert!(all.get("id").is_none() && all.get("schemas").is_none());
        let manager = one(&json!({"op": "Add", "path": format!("{extension}:manager"), "value": "9"}));
        assert_eq!(manager[extension]["manager"], json!({"value": "9"}));
    }

    #[test]
    fn one_of_several_values_is_picked_by_a_filter_or_made_as_it_says() {
        let work = one(
            &json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@acme.example"}),
        );
        assert_eq!(work["emails"][0], json!({"type": "work", "value": "new@acme.example", "primary": true}));
        let made =
            one(&json!({"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+49"}));
        assert_eq!(made["phoneNumbers"], json!([{"type": "mobile", "value": "+49"}]));
        let gone =
            one(&json!({"op": "remove", "path": "emails[type eq \"home\" and value ew \"home.example\"]"}));
        assert_eq!(gone["emails"].as_array().unwrap().len(), 1);
        assert!(patched(&json!([{"op": "remove", "path": "emails[type eq \"fax\"]"}])).is_ok());
        let nowhere = json!({"op": "replace", "path": "emails[type eq \"fax\"].value", "value": "x"});
        assert_eq!(kind_of(&nowhere), "noTarget");
    }

    #[test]
    fn several_values_are_added_once_replaced_and_removed() {
        let held = json!({"type": "work", "value": "ana@acme.example"});
        let fresh = json!({"type": "other", "value": "a@b.example", "primary": true});
        let added = one(&json!({"op": "add", "path": "emails", "value": [held, fresh]}));
        assert_eq!(added["emails"].as_array().unwrap().len(), 3);
        let primary: Vec<_> =
            added["emails"].as_array().unwrap().iter().filter(|one| is_primary(one)).collect();
        assert_eq!(primary.len(), 1, "one of them is the first");
        let replaced = one(&json!({"op": "replace", "path": "emails", "value": [fresh]}));
        assert_eq!(replaced["emails"].as_array().unwrap().len(), 1);
        let named = json!([{"value": "ana@home.example"}]);
        let removed = one(&json!({"op": "Remove", "path": "emails", "value": named}));
        assert_eq!(removed["emails"].as_array().unwrap().len(), 1);
        assert!(one(&json!({"op": "remove", "path": "emails"})).get("emails").is_none());
    }

    #[test]
    fn members_are_named_by_value_filter_or_not_at_all() {
        let named = |operation: Value| {
            let read = read(&json!({ "Operations": [operation] })).unwrap();
            members(&read[0]).unwrap()
        };
        let these = |ids: &[&str]| Some(Named::These(ids.iter().map(|id| (*id).to_owned()).collect()));
        assert_eq!(
            named(json!({"op": "Add", "path": "members", "value": [{"value": "a"}, {"value": "b"}]})),
            these(&["a", "b"])
        );
        assert_eq!(named(json!({"op": "add", "value": {"members": [{"value": "a"}]}})), these(&["a"]));
        assert_eq!(
            named(json!({"op": "Remove", "path": "members", "value": [{"value": "a"}]})),
            these(&["a"])
        );
        assert_eq!(
            named(json!({"op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]"})),
            these(&["a", "b"])
        );
        assert_eq!(named(json!({"op": "remove", "path": "members"})), Some(Named::All));
        assert_eq!(named(json!({"op": "replace", "path": "members", "value": []})), these(&[]));
        assert_eq!(named(json!({"op": "replace", "path": "displayName", "value": "x"})), None);
    }

    #[test]
    fn what_is_no_change_is_refused_with_its_kind() {
        for (operation, kind) in [
            (json!({"op": "move", "path": "a", "value": 1}), "invalidSyntax"),
            (json!("add"), "invalidSyntax"),
            (json!({"op": "remove"}), "noTarget"),
            (json!({"op": "add", "value": "x"}), "invalidValue"),
            (json!({"op": "add", "path": "emails[type eq", "value": "x"}), "invalidPath"),
            (json!({"op": "add", "path": "emails[type is \"x\"].value", "value": "x"}), "invalidPath"),
            (json!({"op": "add", "path": "a b", "value": "x"}), "invalidPath"),
            (json!({"op": "replace", "path": "id", "value": "x"}), "mutability"),
            (json!({"op": "replace", "path": "userName.x", "value": "x"}), "invalidValue"),
        ] {
            assert_eq!(kind_of(&operation), kind, "{operation}");
        }
        assert!(read(&json!({})).is_err() && read(&json!([])).is_err());
    }
}
