//! Users and groups as RFC 7643 writes them: what is kept of a pushed one, what the directory takes from it, and how it is told.
//!
//! A pushed user is kept as it came, so that its provider finds again what it said; what the directory needs is taken from that each
//! time. Where the directory was changed otherwise since, its word goes before.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::ScimError;
use super::filter::get;
use crate::model::{PersonRecord, without_controls};
use crate::store::{ScimGroup, ScimPerson};

/// The schemas of the two kinds of resources.
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Longest user that is kept, in bytes.
const MAX_KEPT_BYTES: usize = 64 << 10;

/// Names as RFC 7643 writes them, for providers that write them otherwise.
const NAMES: [&str; 22] = [
    "userName",
    "externalId",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "active",
    "password",
    "name",
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

/// What is not kept: what the server says itself, and passwords, which are nobody's business here.
const NOT_KEPT: [&str; 5] = ["id", "meta", "schemas", "groups", "password"];

/// Attributes that the directory has a place of its own for.
const OWN_PLACE: [&str; 4] = ["userName", "externalId", "displayName", "active"];

/// The name as it is usually written.
pub(super) fn canonical(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// A boolean, also as Entra ID writes it.
pub(super) fn as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A user as it is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct User(pub(super) Map<String, Value>);

impl User {
    /// What is kept of a pushed user.
    ///
    /// # Errors
    /// `invalidValue` or `invalidSyntax`, when it cannot be one.
    pub(super) fn pushed(body: Value) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(ScimError::bad("invalidSyntax", "the body is no object".to_owned()));
        };
        let named = |(name, value): (String, Value)| (canonical(&name).map_or(name, str::to_owned), value);
        Self(body.into_iter().map(named).collect()).checked()
    }

    /// The same without what is not kept, with booleans as booleans.
    pub(super) fn checked(mut self) -> Result<Self, ScimError> {
        let kept = &mut self.0;
        kept.retain(|name, value| {
            !value.is_null() && !NOT_KEPT.iter().any(|other| other.eq_ignore_ascii_case(name))
        });
        if let Some(active) = kept.get_mut("active") {
            let value = as_bool(active);
            *active = Value::from(value.ok_or_else(|| ScimError::invalid("“active” is true or false"))?);
        }
        for values in kept.values_mut().filter_map(Value::as_array_mut) {
            for primary in values.iter_mut().filter_map(|one| one.get_mut("primary")) {
                *primary = Value::from(as_bool(primary).unwrap_or(false));
            }
        }
        if kept.get("userName").and_then(Value::as_str).is_none_or(|name| name.trim().is_empty()) {
            return Err(ScimError::invalid("a user has a “userName”"));
        }
        if kept.get("externalId").is_some_and(|id| !id.is_string()) {
            return Err(ScimError::invalid("“externalId” is a text"));
        }
        if self.text().len() > MAX_KEPT_BYTES {
            return Err(ScimError::invalid("the user is too large"));
        }
        Ok(self)
    }

    /// As it is kept.
    pub(super) fn text(&self) -> String {
        // Values from JSON: there is a form for each of them.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    fn string(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The name that is shown: its own, or one made of its parts.
    fn shown_name(&self) -> Option<String> {
        let part = |name: &str| {
            let part = self.0.get("name").and_then(Value::as_object).and_then(|parts| get(parts, name));
            part.and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
        };
        let parts = || {
            let parts: Vec<&str> = ["givenName", "familyName"].into_iter().filter_map(part).collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        self.string("displayName").or_else(|| part("formatted")).map(str::to_owned).or_else(parts)
    }

    /// The e-mail address to go by: the primary one, else that of work, else the first.
    fn email(&self) -> Option<&str> {
        let emails = self.0.get("emails").and_then(Value::as_array)?;
        let is_primary = |one: &&Value| one.get("primary") == Some(&Value::Bool(true));
        let is_work = |one: &&Value| {
            one.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
        };
        let meant =
            emails.iter().find(is_primary).or_else(|| emails.iter().find(is_work)).or(emails.first())?;
        let text = meant.get("value").unwrap_or(meant).as_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// What the directory takes from it. Fields that `before` had and it has not are taken away.
    pub(super) fn record(&self, before: Option<&Self>) -> PersonRecord {
        let mut fields: Vec<(String, Option<String>)> =
            self.fields().into_iter().map(|(name, value)| (name, Some(value))).collect();
        if let Some(before) = before {
            let gone =
                before.fields().into_iter().filter(|(name, _)| fields.iter().all(|(new, _)| new != name));
            let gone: Vec<_> = gone.map(|(name, _)| (name, None)).collect();
            fields.extend(gone);
        }
        PersonRecord {
            user_name: self.string("userName").unwrap_or_default().to_owned(),
            external_id: self.string("externalId").map(str::to_owned),
            // A push that fails is pushed again for ever. What somebody is found by is refused instead: on one line it may be another's.
            name: Some(self.shown_name().as_deref().map(without_controls)),
            email: Some(self.email().map(str::to_owned)),
            email_verified: None,
            // Who is pushed without a word belongs to the organisation.
            active: Some(self.0.get("active").and_then(as_bool).unwrap_or(true)),
            groups: None,
            fields,
        }
    }

    /// Simple attributes, parts of the name and of extensions, and other addresses as `emails.home`: to map people by.
    fn fields(&self) -> Vec<(String, String)> {
        let simple = |value: &Value| match value {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: &Value| {
            let value = simple(value).filter(|_| !OWN_PLACE.contains(&name));
            if let Some(value) = value.filter(|_| fields.iter().all(|(known, _)| known != name)) {
                fields.push((name.to_owned(), value));
            }
        };
        for (name, value) in &self.0 {
            match value {
                Value::Object(parts) if name == "name" || name.contains(':') => {
                    parts.iter().for_each(|(part, value)| match value {
                        // A manager is told by id.
                        Value::Object(inner) => add(part, inner.get("value").unwrap_or(&Value::Null)),
                        value => add(part, value),
                    });
                }
                Value::Array(values) if name == "emails" => {
                    for one in values {
                        if let Some(kind) = one.get("type").and_then(Value::as_str) {
                            add(&format!("emails.{kind}"), one.get("value").unwrap_or(&Value::Null));
                        }
                    }
                }
                value => add(name, value),
            }
        }
        fields.truncate(MAX_FIELDS);
        fields
    }
}

/// Fields that are taken from one user: a person has at most a hundred, and other sources have some too.
const MAX_FIELDS: usize = 60;

fn location(kind: &str, uid: Uuid) -> String {
    format!("/scim/v2/{kind}s/{uid}")
}

/// A user as it is told: as its provider said it, with what the directory knows better.
pub(super) fn user(person: &ScimPerson) -> Map<String, Value> {
    let kept = person.resource.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let told = User(kept.unwrap_or_default());
    let (own, record) = (&person.person, told.record(None));
    let mut user = told.0;
    let mut schemas = vec![USER.to_owned()];
    schemas.extend(user.keys().filter(|name| name.contains(':')).cloned());
    user.insert("schemas".to_owned(), json!(schemas));
    user.insert("id".to_owned(), json!(own.uid));
    user.insert("userName".to_owned(), json!(own.user_name));
    user.insert("active".to_owned(), json!(own.active));
    match &own.external_id {
        Some(id) => user.insert("externalId".to_owned(), json!(id)),
        None => user.remove("externalId"),
    };
    if record.name.flatten() != own.name {
        user.remove("name");
        match &own.name {
            Some(name) => user.insert("displayName".to_owned(), json!(name)),
            None => user.remove("displayName"),
        };
    }
    if record.email.flatten() != own.email {
        match &own.email {
            Some(email) => {
                let emails = json!([{"type": "work", "value": email, "primary": true}]);
                user.insert("emails".to_owned(), emails)
            }
            None => user.remove("emails"),
        };
    }
    if !person.groups.is_empty() {
        let group = |(uid, name): &(Uuid, String)| json!({"value": uid, "display": name, "$ref": location("Group", *uid)});
        user.insert("groups".to_owned(), person.groups.iter().map(group).collect());
    }
    let meta = json!({"resourceType": "User", "created": person.created, "lastModified": person.changed,
        "location": location("User", own.uid)});
    user.insert("meta".to_owned(), meta);
    user
}

/// A group as it is told; its members, where they were loaded.
pub(super) fn group(group: &ScimGroup) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("schemas".to_owned(), json!([GROUP]));
    told.insert("id".to_owned(), json!(group.uid));
    told.insert("displayName".to_owned(), json!(group.name));
    if let Some(id) = &group.external_id {
        told.insert("externalId".to_owned(), json!(id));
    }
    if let Some(members) = &group.members {
        let member = |(uid, name): &(Uuid, String)| json!({"value": uid, "display": name, "$ref": location("User", *uid), "type": "User"});
        told.insert("members".to_owned(), members.iter().map(member).collect());
    }
    let meta = json!({"resourceType": "Group", "created": group.created, "lastModified": group.changed,
        "location": location("Group", group.uid)});
    told.insert("meta".to_owned(), meta);
    told
}

/// The attributes that are asked for (RFC 7644, section 3.9): those named, or all but those named. Ids and schemas are always told.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    only: Vec<super::filter::Path>,
    but: Vec<super::filter::Path>,
}

impl Shown {
    /// Reads the two parameters.
    pub(super) fn read(attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let list = |text: Option<&str>| {
            let names = text.unwrap_or_default().split(',').map(str::trim);
            names.filter_map(super::filter::Path::read).take(100).collect()
        };
        Self { only: list(attributes), but: list(excluded) }
    }

    /// Whether the attribute is told at all.
    pub(super) fn has(&self, name: &str) -> bool {
        let named = |list: &[super::filter::Path]| {
            list.iter().any(|path| path.name.as_deref().is_some_and(|one| one.eq_ignore_ascii_case(name)))
        };
        if self.only.is_empty() {
            !self.but.iter().any(|path| path.is(name, None))
        } else {
            named(&self.only)
        }
    }

    /// What is told of a resource.
    pub(super) fn of(&self, mut resource: Map<String, Value>) -> Value {
        let always = |name: &str| matches!(name, "id" | "schemas");
        // An extension is meant by its name, or by that of one of its attributes.
        let means = |path: &super::filter::Path, name: &str| match &path.schema {
            Some(schema) => schema.eq_ignore_ascii_case(name),
            None => path.name.as_deref().is_some_and(|one| one.eq_ignore_ascii_case(name)),
        };
        if self.only.is_empty() {
            for path in &self.but {
                let within = path.sub.as_ref().or(path.schema.as_ref().and(path.name.as_ref()));
                resource.retain(|name, value| {
                    if !means(path, name) || always(name) {
                        return true;
                    }
                    let Some(within) = within else { return false };
                    parts(value, &|part| !part.eq_ignore_ascii_case(within));
                    true
                });
            }
            return Value::Object(resource);
        }
        resource.retain(|name, value| {
            let asked: Vec<_> = self.only.iter().filter(|path| means(path, name)).collect();
            let within = |path: &&super::filter::Path| {
                path.sub.clone().or(path.schema.as_ref().and(path.name.clone()))
            };
            let subs: Option<Vec<String>> = asked.iter().map(within).collect();
            if let Some(subs) = subs.filter(|subs| !subs.is_empty()) {
                parts(value, &|part| subs.iter().any(|sub| sub.eq_ignore_ascii_case(part)));
            }
            always(name) || !asked.is_empty()
        });
        Value::Object(resource)
    }
}

/// Keeps the parts of a complex value, or of each of several, that pass.
fn parts(value: &mut Value, keeps: &dyn Fn(&str) -> bool) {
    match value {
        Value::Object(object) => object.retain(|name, _| keeps(name)),
        Value::Array(values) => values.iter_mut().for_each(|one| parts(one, keeps)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn pushed(body: Value) -> User {
        User::pushed(body).unwrap()
    }

    #[test]
    fn what_the_directory_takes_is_what_people_are_known_by() {
        let user = pushed(json!({
            "schemas": [USER], "id": "mine", "USERNAME": "ana", "externalId": "x1", "password": "t1meMa$heen", "active": "False",
            "name": {"givenName": "Ana", "familyName": "Gomez"}, "title": "Pilot", "userType": "", "nickName": null,
            "emails": [{"value": "ana@home.example", "type": "home"}, {"value": "ana@acme.example", "type": "work"}],
            ENTERPRISE: {"department": "Tides", "employeeNumber": 701, "manager": {"value": "7"}},
        }));
        assert!(!user.text().contains("t1meMa$heen") && !user.text().contains("mine"));
        let record = user.record(None);
        assert_eq!((record.user_name.as_str(), record.external_id.as_deref()), ("ana", Some("x1")));
        assert_eq!(record.name, Some(Some("Ana Gomez".to_owned())));
        assert_eq!(record.email, Some(Some("ana@acme.example".to_owned())), "that of work");
        assert_eq!(record.active, Some(false));
        let field = |name: &str| {
            record.fields.iter().find(|(one, _)| one == name).and_then(|(_, value)| value.as_deref())
        };
        assert_eq!(
            (field("department"), field("employeeNumber"), field("manager")),
            (Some("Tides"), Some("701"), Some("7"))
        );
        assert_eq!(
            (field("emails.home"), field("title"), field("userName")),
            (Some("ana@home.example"), Some("Pilot"), None)
        );
        let after = pushed(json!({"userName": "ana"})).record(Some(&user));
        assert!(after.fields.contains(&("department".to_owned(), None)), "what is gone is taken away");
        assert_eq!((after.name, after.email, after.active), (Some(None), Some(None), Some(true)));
    }

    #[test]
    fn what_is_no_user_is_refused() {
        for wrong in [
            json!([]),
            json!({}),
            json!({"userName": " "}),
            json!({"userName": 7}),
            json!({"userName": "a", "active": "maybe"}),
            json!({"userName": "a", "externalId": 7}),
            json!({"userName": "a", "title": "x".repeat(70_000)}),
        ] {
            assert!(User::pushed(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_is_asked_for_is_told() {
        let resource = || {
            let value = json!({"id": "1", "schemas": [], "userName": "ana", "name": {"givenName": "A", "familyName": "G"},
                "emails": [{"value": "a@b.example", "type": "work"}], ENTERPRISE: {"department": "T", "division": "D"}});
            value.as_object().unwrap().clone()
        };
        let told = |only: Option<&str>, but: Option<&str>| Shown::read(only, but).of(resource());
        let asked = told(Some("userName, name.familyName,emails.value"), None);
        let expected = json!({"id": "1", "schemas": [], "userName": "ana", "name": {"familyName": "G"},
            "emails": [{"value": "a@b.example"}]});
        assert_eq!(asked, expected);
        let left = told(None, Some("emails,ID,name.givenName"));
        assert!(
            left.get("emails").is_none() && left["id"] == "1" && left["name"] == json!({"familyName": "G"})
        );
        let of_extension = told(Some(&format!("{ENTERPRISE}:department")), None);
        assert_eq!(of_extension[ENTERPRISE], json!({"department": "T"}));
        assert!(!Shown::read(None, Some("members")).has("members") && Shown::default().has("members"));
        assert!(!Shown::read(Some("displayName"), None).has("members"));
    }
}
