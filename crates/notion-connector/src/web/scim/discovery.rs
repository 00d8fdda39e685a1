//! What this server can do, for providers that ask (RFC 7644, section 4).

use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Told;
use crate::ops::MAX_SCIM_COUNT;
use crate::web::problem::Problem;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Show what is supported
#[utoipa::path(
    get,
    path = "/scim/v2/ServiceProviderConfig",
    operation_id = "scim_config",
    tag = "scim",
    responses((status = 200, description = "The configuration of RFC 7643.", content_type = "application/scim+json"))
)]
pub(super) async fn config() -> Told {
    let no = json!({"supported": false});
    Told(json!({
        "schemas": [format!("{CORE}ServiceProviderConfig")],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MAX_SCIM_COUNT},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [{"type": "oauthbearertoken", "name": "API key", "primary": true,
            "description": "An API key with the scope scim, in the header Authorization: Bearer"}],
        "meta": {"resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig"},
    }))
}

fn list(resources: &[Value]) -> Told {
    Told(
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": resources.len(),
        "startIndex": 1, "itemsPerPage": resources.len(), "Resources": resources}),
    )
}

fn one(resources: Vec<Value>, id: &str) -> Result<Told, Problem> {
    let found =
        resources.into_iter().find(|one| one["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)));
    let none = || Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such resource".to_owned());
    found.map(Told).ok_or_else(none)
}

fn all_types() -> Vec<Value> {
    let kind = |name: &str, description: &str, extensions: Value| {
        json!({"schemas": [format!("{CORE}ResourceType")], "id": name, "name": name, "description": description,
            "endpoint": format!("/{name}s"), "schema": format!("{CORE}{name}"), "schemaExtensions": extensions,
            "meta": {"resourceType": "ResourceType", "location": format!("/scim/v2/ResourceTypes/{name}")}})
    };
    vec![
        kind("User", "Somebody of the directory", json!([{"schema": ENTERPRISE, "required": false}])),
        kind("Group", "A group of the directory", json!([])),
    ]
}

/// List the kinds of resources
#[utoipa::path(
    get,
    path = "/scim/v2/ResourceTypes",
    operation_id = "scim_resource_types",
    tag = "scim",
    responses((status = 200, description = "A list of RFC 7644.", content_type = "application/scim+json"))
)]
pub(super) async fn resource_types() -> Told {
    list(&all_types())
}

/// Show a kind of resources
#[utoipa::path(
    get,
    path = "/scim/v2/ResourceTypes/{id}",
    operation_id = "scim_resource_type",
    tag = "scim",
    params(("id" = String, Path, description = "`User` or `Group`.")),
    responses(
        (status = 200, description = "The kind.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such kind.", content_type = "application/scim+json")
    )
)]
pub(super) async fn resource_type(Path(id): Path<String>) -> Result<Told, Problem> {
    one(all_types(), &id)
}

/// An attribute as RFC 7643 (section 7) describes them.
fn attribute(name: &str, kind: &str, description: &str) -> Value {
    json!({"name": name, "type": kind, "multiValued": false, "description": description, "required": false,
        "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "none"})
}

fn with(mut attribute: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        attribute[*name] = value.clone();
    }
    attribute
}

fn text(name: &str, description: &str) -> Value {
    attribute(name, "string", description)
}

fn complex(name: &str, description: &str, parts: Vec<Value>) -> Value {
    with(attribute(name, "complex", description), &[("subAttributes", parts.into())])
}

/// Several values, each with a type.
fn several(name: &str, description: &str) -> Value {
    let parts = vec![
        text("value", "The value"),
        text("display", "How it is shown"),
        text("type", "What it is for"),
        attribute("primary", "boolean", "Whether it is the first of them"),
    ];
    with(complex(name, description, parts), &[("multiValued", true.into())])
}

fn external_id() -> Value {
    with(
        text("externalId", "The provider's own id"),
        &[("caseExact", true.into()), ("uniqueness", "server".into())],
    )
}

fn user_attributes() -> Vec<Value> {
    let name = ["formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"];
    let groups = with(several("groups", "The groups they are in"), &[("mutability", "readOnly".into())]);
    let address = ["formatted", "streetAddress", "locality", "region", "postalCode", "country", "type"];
    let addresses =
        complex("addresses", "Where they are", address.map(|part| text(part, "A part of it")).to_vec());
    let mut all = vec![
        with(
            text("userName", "The name they sign in with"),
            &[("required", true.into()), ("uniqueness", "server".into())],
        ),
        external_id(),
        complex("name", "The parts of their name", name.map(|part| text(part, "A part of it")).to_vec()),
        attribute(
            "active",
            "boolean",
            "Whether they belong to the organisation today: else they see nothing",
        ),
    ];
    let texts = [
        ("displayName", "The name that is shown"),
        ("nickName", "What they are called"),
        ("title", "What they do"),
        ("userType", "How they belong to the organisation"),
        ("preferredLanguage", "The language they prefer"),
        ("locale", "How they write numbers and times"),
        ("timezone", "Where their clock is"),
    ];
    all.extend(texts.map(|(name, description)| text(name, description)));
    all.push(with(
        attribute("profileUrl", "reference", "Their page"),
        &[("referenceTypes", json!(["external"]))],
    ));
    all.extend([
        several("emails", "Their e-mail addresses; people of Notion are found by the primary one, else that of work, else the first"),
        several("phoneNumbers", "Their telephone numbers"),
        several("ims", "Their names in messengers"),
        several("photos", "Pictures of them"),
        with(addresses, &[("multiValued", true.into())]),
        groups,
        several("entitlements", "What they are entitled to elsewhere"),
        several("roles", "What they are elsewhere; roles here are granted here"),
        several("x509Certificates", "Their certificates"),
    ]);
    all
}

fn all_schemas() -> Vec<Value> {
    let schema = |id: &str, name: &str, description: &str, attributes: Vec<Value>| {
        json!({"schemas": [format!("{CORE}Schema")], "id": id, "name": name, "description": description, "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": format!("/scim/v2/Schemas/{id}")}})
    };
    let member = vec![
        with(text("value", "Id of the user"), &[("mutability", "immutable".into())]),
        with(text("display", "User name"), &[("mutability", "readOnly".into())]),
        with(
            attribute("$ref", "reference", "Address of the user"),
            &[("mutability", "readOnly".into()), ("referenceTypes", json!(["User"]))],
        ),
        with(text("type", "Always User"), &[("mutability", "immutable".into())]),
    ];
    let members = with(complex("members", "Who is in it", member), &[("multiValued", true.into())]);
    let unique = [("required", true.into()), ("uniqueness", "server".into())];
    let manager = vec![
        text("value", "Id of the manager"),
        attribute("$ref", "reference", "Address of the manager"),
        text("displayName", "Name of the manager"),
    ];
    let enterprise = ["employeeNumber", "costCenter", "organization", "division", "department"];
    let mut of_enterprise: Vec<Value> =
        enterprise.map(|name| text(name, "As their organisation says")).to_vec();
    of_enterprise.push(complex("manager", "Whom they report to", manager));
    vec![
        schema(&format!("{CORE}User"), "User", "Somebody of the directory", user_attributes()),
        schema(
            &format!("{CORE}Group"),
            "Group",
            "A group of the directory",
            vec![with(text("displayName", "Its name"), &unique), external_id(), members],
        ),
        schema(ENTERPRISE, "EnterpriseUser", "What an organisation says of its people", of_enterprise),
    ]
}

/// List the schemas
#[utoipa::path(
    get,
    path = "/scim/v2/Schemas",
    operation_id = "scim_schemas",
    tag = "scim",
    responses((status = 200, description = "A list of RFC 7644.", content_type = "application/scim+json"))
)]
pub(super) async fn schemas() -> Told {
    list(&all_schemas())
}

/// Show a schema
#[utoipa::path(
    get,
    path = "/scim/v2/Schemas/{id}",
    operation_id = "scim_schema",
    tag = "scim",
    params(("id" = String, Path, description = "Name of the schema: `urn:ietf:params:scim:schemas:core:2.0:User` or another.")),
    responses(
        (status = 200, description = "The schema.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such schema.", content_type = "application/scim+json")
    )
)]
pub(super) async fn schema(Path(id): Path<String>) -> Result<Told, Problem> {
    one(all_schemas(), &id)
}
