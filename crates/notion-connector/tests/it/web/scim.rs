//! SCIM over a real listener: what RFC 7643 and RFC 7644 show by example, and what Okta and Entra ID send.

use notion_connector::model::{Caller, PersonRecord, Viewer};
use notion_connector::ops::{self, CreateKey};
use notion_connector::store::{
    Acquaintance, DirectoryFilter, DirectoryPerson, Introduction, Keep, Recognised,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Server;
use super::rest::Answer;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A server, and a provider that pushes to it.
struct Provider {
    server: Server,
    key: String,
}

impl Provider {
    async fn new() -> Self {
        Self::of(Server::empty().await)
    }

    fn of(server: Server) -> Self {
        let create =
            CreateKey { name: "idp".to_owned(), scopes: vec!["scim".to_owned()], ..CreateKey::default() };
        let key = server.key(&create);
        Self { server, key }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let length = body.len().to_string();
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/scim+json"),
            ("content-length", length.as_str()),
        ];
        let answer = self.server.exchange(method, &format!("/scim/v2{path}"), &headers, &body).await;
        if !answer.body.is_empty() {
            assert_eq!(
                answer.header("content-type"),
                Some("application/scim+json"),
                "{path}: {}",
                answer.body
            );
        }
        answer
    }

    fn read(answer: &Answer) -> Value {
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        Self::read(&answer)
    }

    async fn expect(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let answer = self.send(method, path, &body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
        if answer.body.is_empty() { Value::Null } else { Self::read(&answer) }
    }

    /// An error as RFC 7644 (section 3.12) writes it: status and kind.
    async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let answer = self.send(method, path, &body).await;
        let error = Self::read(&answer);
        assert_eq!(
            error["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
            "{}",
            answer.body
        );
        assert_eq!(error["status"], answer.status.to_string());
        assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        (answer.status, error["scimType"].as_str().unwrap_or_default().to_owned())
    }

    async fn make_user(&self, user: Value) -> String {
        self.expect(201, "POST", "/Users", user).await["id"].as_str().unwrap().to_owned()
    }

    async fn patch(&self, path: &str, operations: Value) -> Value {
        let status = if path.starts_with("/Groups") { 204 } else { 200 };
        self.expect(status, "PATCH", path, json!({"schemas": [PATCH], "Operations": operations})).await
    }

    /// Ids of the users or groups that pass.
    async fn find(&self, kind: &str, filter: &str) -> Vec<String> {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let list = self.get(&format!("/{kind}?filter={filter}")).await;
        let ids: Vec<String> = list["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(list["totalResults"], ids.len());
        ids
    }

    /// A browser and a program of a person: the cookie of one, the key of the other.
    fn ways_in(&self, user_name: &str) -> (String, String) {
        let person = self.person(user_name).unwrap().id;
        let session = ops::open_session(&self.server.app, person, None, "a test").unwrap();
        let cookie = format!("notion-connector-{}={}", self.server.address.port(), session.expose_secret());
        let create = CreateKey {
            name: format!("of {user_name}"),
            scopes: vec!["search".to_owned()],
            person: Some(user_name.to_owned()),
            ..CreateKey::default()
        };
        (cookie, format!("Bearer {}", self.server.key(&create)))
    }

    /// What is answered to that browser and that program.
    async fn answers(&self, ways: &(String, String)) -> [u16; 2] {
        let search = "/api/v1/search";
        let by_cookie = self.server.ask("GET", search, &[("cookie", &ways.0)]).await.status;
        [by_cookie, self.server.ask("GET", search, &[("authorization", &ways.1)]).await.status]
    }

    /// What the directory knows.
    fn person(&self, user_name: &str) -> Option<DirectoryPerson> {
        self.server.app.store.load_person(user_name).unwrap()
    }
}

/// After the user with every attribute in RFC 7643, section 8.3.
fn whole_user() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE], "externalId": "701984", "userName": "bjensen@acme.example",
        "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara",
            "middleName": "Jane", "honorificPrefix": "Ms.", "honorificSuffix": "III"},
        "displayName": "Babs Jensen", "nickName": "Babs", "profileUrl": "https://login.acme.example/bjensen",
        "emails": [{"value": "bjensen@acme.example", "type": "work", "primary": true},
            {"value": "babs@jensen.example", "type": "home"}],
        "addresses": [{"streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA",
            "postalCode": "91608", "country": "USA", "formatted": "100 Universal City Plaza\nHollywood, CA 91608 USA",
            "type": "work", "primary": true}],
        "phoneNumbers": [{"value": "555-555-5555", "type": "work"}, {"value": "555-555-4444", "type": "mobile"}],
        "ims": [{"value": "someaimhandle", "type": "aim"}],
        "photos": [{"value": "https://photos.acme.example/F.jpg", "type": "photo"}],
        "userType": "Employee", "title": "Tour Guide", "preferredLanguage": "en-US", "locale": "en-US",
        "timezone": "America/Los_Angeles", "active": true, "password": "t1meMa$heen",
        "x509Certificates": [{"value": "MIIDQzCC"}],
        ENTERPRISE: {"employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios",
            "division": "Theme Park", "department": "Tour Operations",
            "manager": {"value": "26118915", "$ref": "../Users/26118915", "displayName": "John Smith"}},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_as_the_rfc_shows_it_comes_back_as_it_was_pushed_and_without_its_password() {
    let provider = Provider::new().await;
    let made = provider.send("POST", "/Users", &whole_user()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let user = Provider::read(&made);
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    assert_eq!(made.header("location"), user["meta"]["location"].as_str());
    assert!(user["meta"]["location"].as_str().unwrap().ends_with(&path));
    assert_eq!(user["meta"]["resourceType"], "User");
    let mut expected = whole_user();
    expected.as_object_mut().unwrap().remove("password");
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&user[name], value, "{name}");
    }
    assert!(user.get("password").is_none());
    assert_eq!(provider.get(&path).await, user);

    let person = provider.person("BJENSEN@acme.example").unwrap();
    assert_eq!(
        (person.name.as_deref(), person.email.as_deref()),
        (Some("Babs Jensen"), Some("bjensen@acme.example"))
    );
    assert_eq!(person.fields["department"], "Tour Operations");
    assert_eq!(person.fields["emails.home"], "babs@jensen.example");
    assert_eq!((person.external_id.as_deref(), person.source.as_str()), (Some("701984"), "scim"));

    // RFC 7643, section 8.1: as little as can be.
    let little = provider.expect(201, "POST", "/Users", json!({"schemas": [USER], "userName": "min"})).await;
    assert_eq!((&little["active"], &little["schemas"]), (&json!(true), &json!([USER])));
    assert_eq!(provider.refused("POST", "/Users", whole_user()).await, (409, "uniqueness".to_owned()));

    // RFC 7644, section 3.5.1: what a replacement does not say is gone.
    let replacement = json!({"schemas": [USER], "userName": "bjensen@acme.example", "externalId": "bjensen",
        "name": {"familyName": "Jensen", "givenName": "Barbara"}, "emails": [{"value": "babs@acme.example"}]});
    let replaced = provider.expect(200, "PUT", &path, replacement).await;
    assert_eq!((&replaced["id"], &replaced["externalId"]), (&user["id"], &json!("bjensen")));
    assert!(replaced.get(ENTERPRISE).is_none() && replaced.get("title").is_none());
    let person = provider.person("bjensen@acme.example").unwrap();
    assert_eq!((person.email.as_deref(), person.fields.get("department")), (Some("babs@acme.example"), None));

    // Section 3.6.
    assert_eq!(provider.send("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(provider.refused("GET", &path, Value::Null).await.0, 404);
    assert_eq!(provider.refused("DELETE", &path, Value::Null).await.0, 404);
    assert!(provider.person("bjensen@acme.example").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_every_filter_that_the_rfc_shows() {
    let provider = Provider::new().await;
    let babs = provider.make_user(whole_user()).await;
    let other = json!({"userName": "jsmith", "name": {"familyName": "O'Malley"}, "userType": "Intern",
        "emails": [{"type": "home", "value": "j@example.org"}]});
    let smith = provider.make_user(other).await;
    // RFC 7644, section 3.4.2.2.
    for (filter, babs_passes, smith_passes) in [
        ("userName eq \"bjensen@acme.example\"", true, false),
        ("userName Eq \"JSMITH\"", false, true),
        ("externalId eq \"701984\"", true, false),
        ("name.familyName co \"O'Malley\"", false, true),
        ("userName sw \"J\"", false, true),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"J\"", false, true),
        ("title pr", true, false),
        ("meta.lastModified gt \"2011-05-13T04:42:34Z\"", true, true),
        ("meta.lastModified lt \"2011-05-13T04:42:34Z\"", false, false),
        ("title pr and userType eq \"Employee\"", true, false),
        ("title pr or userType eq \"Intern\"", true, true),
        ("schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"", true, false),
        (
            "userType eq \"Employee\" and (emails co \"acme.example\" or emails.value co \"example.org\")",
            true,
            false,
        ),
        (
            "userType ne \"Employee\" and not (emails co \"acme.example\" or emails.value co \"x.org\")",
            false,
            true,
        ),
        ("userType eq \"Employee\" and (emails.type eq \"work\")", true, false),
        ("userType eq \"Employee\" and emails[type eq \"work\" and value co \"@acme.example\"]", true, false),
        (
            "emails[type eq \"work\" and value co \"@acme.example\"] or ims[type eq \"xmpp\" and value co \"@x\"]",
            true,
            false,
        ),
        ("emails.value eq \"BABS@jensen.example\"", true, false),
        ("emails eq \"j@example.org\" and active eq true", false, true),
        ("userName eq \"jsmith\" and externalId eq \"701984\"", false, false),
        (&format!("id eq \"{babs}\""), true, false),
        ("id eq \"no id at all\"", false, false),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"tour operations\"",
            true,
            false,
        ),
    ] {
        let found = provider.find("Users", filter).await;
        assert_eq!([found.contains(&babs), found.contains(&smith)], [babs_passes, smith_passes], "{filter}");
    }
    let wrong = provider.refused("GET", "/Users?filter=userName%20is%20%22x%22", Value::Null).await;
    assert_eq!(wrong, (400, "invalidFilter".to_owned()));

    let shown = provider.get("/Users?attributes=userName,name.familyName&filter=userName%20pr").await;
    let mut names: Vec<&String> = shown["Resources"][1].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["id", "name", "schemas", "userName"]);
    // Section 3.4.3.
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "attributes": ["displayName", "userName"], "filter": "displayName sw \"babs\"", "startIndex": 1, "count": 10});
    for path in ["/.search", "/Users/.search"] {
        let found = provider.expect(200, "POST", path, search.clone()).await;
        assert_eq!(
            (&found["totalResults"], &found["Resources"][0]["displayName"]),
            (&json!(1), &json!("Babs Jensen"))
        );
    }
    assert_eq!(provider.expect(200, "POST", "/Groups/.search", search).await["totalResults"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_that_count_from_one() {
    let provider = Provider::new().await;
    for n in 0..7 {
        provider.make_user(json!({"userName": format!("user{n}")})).await;
    }
    let names = |list: &Value| {
        let names = list["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["userName"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    for filter in ["", "&filter=userName%20sw%20%22user%22"] {
        let page = provider.get(&format!("/Users?startIndex=3&count=2{filter}")).await;
        assert_eq!(
            (&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]),
            (&json!(7), &json!(3), &json!(2))
        );
        assert_eq!(names(&page), ["user2", "user3"]);
        let last = provider.get(&format!("/Users?startIndex=7&count=50{filter}")).await;
        assert_eq!(names(&last), ["user6"]);
        let none = provider.get(&format!("/Users?count=0{filter}")).await;
        assert_eq!((&none["totalResults"], none["Resources"].as_array().unwrap().len()), (&json!(7), 0));
        let odd = provider.get(&format!("/Users?startIndex=-5&count=-1{filter}")).await;
        assert_eq!((&odd["startIndex"], &odd["itemsPerPage"]), (&json!(1), &json!(0)));
    }
    let everything = provider.expect(200, "POST", "/.search", json!({"startIndex": 6})).await;
    assert_eq!((&everything["totalResults"], names(&everything).len()), (&json!(7), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_gain_and_lose_members_in_every_way_the_rfc_shows() {
    let provider = Provider::new().await;
    let mut ids = Vec::new();
    for name in ["babs", "mandy", "james"] {
        ids.push(provider.make_user(json!({"userName": name, "displayName": name})).await);
    }
    let [babs, mandy, james] = [&ids[0], &ids[1], &ids[2]];
    // RFC 7643, section 8.4.
    let group = json!({"schemas": [GROUP], "displayName": "Tour Guides", "externalId": "g1",
        "members": [{"value": babs, "$ref": "x", "display": "Babs"}, {"value": mandy}]});
    let made = provider.expect(201, "POST", "/Groups", group.clone()).await;
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    let members = async || {
        let group = provider.get(&path).await;
        let names = group["members"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
        names.map(|one| one["display"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(members().await, ["babs", "mandy"]);
    let told = provider.get(&format!("/Users/{babs}")).await;
    assert_eq!(
        (&told["groups"][0]["display"], &told["groups"][0]["value"]),
        (&json!("Tour Guides"), &made["id"])
    );
    assert_eq!(provider.person("babs").unwrap().groups, ["Tour Guides"]);

    // RFC 7644, section 3.5.2.
    provider
        .patch(
            &path,
            json!([{"op": "add", "path": "members", "value": [{"display": "James", "value": james}]}]),
        )
        .await;
    assert_eq!(members().await, ["babs", "mandy", "james"]);
    provider.patch(&path, json!([{"op": "remove", "path": format!("members[value eq \"{babs}\"]")}])).await;
    assert_eq!(members().await, ["mandy", "james"]);
    let exchange = json!([{"op": "remove", "path": format!("members[value eq \"{mandy}\"]")},
        {"op": "add", "path": "members", "value": [{"value": babs}]}]);
    provider.patch(&path, exchange).await;
    assert_eq!(members().await, ["babs", "james"]);
    provider
        .patch(
            &path,
            json!([{"op": "replace", "path": "members", "value": [{"value": mandy}, {"value": james}]}]),
        )
        .await;
    assert_eq!(members().await, ["mandy", "james"]);
    provider.patch(&path, json!([{"op": "remove", "path": "members"}])).await;
    assert_eq!(members().await, [""; 0]);

    // All of a request, or nothing.
    let stranger = uuid::Uuid::from_u128(7);
    let half = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": "Other"},
        {"op": "add", "path": "members", "value": [{"value": babs}, {"value": stranger}]}]});
    assert_eq!(provider.refused("PATCH", &path, half).await, (400, "invalidValue".to_owned()));
    let after = provider.get(&path).await;
    assert_eq!(
        (after["displayName"].as_str(), after["members"].as_array().unwrap().len()),
        (Some("Tour Guides"), 0)
    );

    provider.expect(200, "PUT", &path, group.clone()).await;
    assert_eq!(members().await, ["babs", "mandy"]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(provider.find("Groups", "displayName eq \"tour GUIDES\"").await, [id]);
    assert_eq!(provider.find("Groups", &format!("members.value eq \"{babs}\"")).await, [id]);
    assert_eq!(provider.find("Groups", &format!("members[value eq \"{james}\"]")).await, [""; 0]);
    let lean = provider.get(&format!("{path}?excludedAttributes=members")).await;
    assert!(lean.get("members").is_none() && lean["externalId"] == "g1");
    assert_eq!(provider.refused("POST", "/Groups", group).await, (409, "uniqueness".to_owned()));
    assert_eq!(
        provider.refused("POST", "/Groups", json!({"schemas": [GROUP]})).await,
        (400, "invalidValue".to_owned())
    );
    assert_eq!(provider.send("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(provider.refused("GET", &path, Value::Null).await.0, 404);
    assert_eq!(provider.person("babs").unwrap().groups, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn okta_assigns_updates_deactivates_and_pushes_groups() {
    let provider = Provider::new().await;
    // It looks first, then makes, then replaces, and takes away by a patch without a path.
    assert_eq!(provider.find("Users", "userName eq \"ana.gomez@acme.example\"").await, [""; 0]);
    let user = |active: bool, title: &str| {
        json!({"schemas": [USER], "userName": "ana.gomez@acme.example", "name": {"givenName": "Ana", "familyName": "Gomez"},
            "emails": [{"primary": true, "value": "ana.gomez@acme.example", "type": "work"}], "displayName": "Ana Gomez",
            "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "title": title, "groups": [], "password": "1mz050nq",
            "active": active})
    };
    let id = provider.make_user(user(true, "Pilot")).await;
    let path = format!("/Users/{id}");
    let mut replaced = user(true, "Captain");
    replaced["id"] = json!(id);
    assert_eq!(provider.expect(200, "PUT", &path, replaced).await["title"], "Captain");
    let off = provider.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).await;
    assert_eq!((&off["active"], &off["title"]), (&json!(false), &json!("Captain")));
    assert!(!provider.person("ana.gomez@acme.example").unwrap().active);
    provider.patch(&path, json!([{"op": "replace", "value": {"active": true}}])).await;
    assert!(provider.person("ana.gomez@acme.example").unwrap().active);

    let page = provider.get("/Groups?startIndex=1&count=100").await;
    assert_eq!(page["totalResults"], 0);
    let group = json!({"schemas": [GROUP], "displayName": "Pilots", "members": []});
    let made = provider.expect(201, "POST", "/Groups", group).await;
    let group = format!("/Groups/{}", made["id"].as_str().unwrap());
    provider
        .patch(&group, json!([{"op": "add", "path": "members", "value": [{"value": id, "display": "Ana"}]}]))
        .await;
    // Renaming sends the id along.
    provider
        .patch(&group, json!([{"op": "replace", "value": {"id": made["id"], "displayName": "Flyers"}}]))
        .await;
    let told = provider.get(&group).await;
    assert_eq!((&told["displayName"], &told["members"][0]["value"]), (&json!("Flyers"), &json!(id)));
    provider.patch(&group, json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}])).await;
    assert_eq!(provider.person("ana.gomez@acme.example").unwrap().groups, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_id_provisions_with_capitals_texts_for_booleans_and_paths_with_filters() {
    let provider = Provider::new().await;
    assert_eq!(provider.find("Users", "externalId eq \"bo\"").await, [""; 0]);
    let id = provider
        .make_user(json!({"schemas": [USER, ENTERPRISE], "externalId": "bo", "userName": "bo@acme.example", "active": "True",
            "displayName": "Bo", "emails": [{"primary": true, "type": "work", "value": "bo@acme.example"}],
            "meta": {"resourceType": "User"}, "name": {"formatted": "Bo Li", "familyName": "Li", "givenName": "Bo"},
            "roles": []}))
        .await;
    let path = format!("/Users/{id}");
    let several = json!([
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "bo.li@acme.example"},
        {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+49 30 1"},
        {"op": "Replace", "path": "name.familyName", "value": "Lee"},
        {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Tides"},
        {"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "26118915"},
        {"op": "Add", "value": {"displayName": "Bo Lee", format!("{ENTERPRISE}:costCenter"): "12", "name.givenName": "Boris"}},
    ]);
    let user = provider.patch(&path, several).await;
    assert_eq!(user["emails"], json!([{"primary": true, "type": "work", "value": "bo.li@acme.example"}]));
    assert_eq!(user["phoneNumbers"], json!([{"type": "mobile", "value": "+49 30 1"}]));
    assert_eq!((&user["name"]["familyName"], &user["name"]["givenName"]), (&json!("Lee"), &json!("Boris")));
    assert_eq!(
        user[ENTERPRISE],
        json!({"department": "Tides", "costCenter": "12", "manager": {"value": "26118915"}})
    );
    let person = provider.person("bo@acme.example").unwrap();
    assert_eq!(
        (person.email.as_deref(), person.name.as_deref()),
        (Some("bo.li@acme.example"), Some("Bo Lee"))
    );
    assert_eq!(person.fields["department"], "Tides");

    let off = provider.patch(&path, json!([{"op": "Replace", "path": "active", "value": "False"}])).await;
    assert_eq!(off["active"], false);
    assert!(!provider.person("bo@acme.example").unwrap().active);
    let on = provider
        .patch(&path, json!([{"op": "Replace", "path": "active", "value": [{"value": "True"}]}]))
        .await;
    assert_eq!(on["active"], true);
    provider
        .patch(&path, json!([{"op": "Replace", "path": "userName", "value": "boris@acme.example"}]))
        .await;
    assert!(provider.person("bo@acme.example").is_none() && provider.person("boris@acme.example").is_some());

    let group = json!({"schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0", "displayName": "Divers", "meta": {"resourceType": "Group"}});
    let made = provider.expect(201, "POST", "/Groups", group).await;
    let gid = made["id"].as_str().unwrap();
    let group = format!("/Groups/{gid}");
    provider
        .patch(&group, json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": id}]}]))
        .await;
    let holds = format!("id eq \"{gid}\" and members eq \"{id}\"");
    assert_eq!(provider.find("Groups", &holds).await, [gid]);
    provider
        .patch(&group, json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": id}]}]))
        .await;
    assert_eq!(provider.find("Groups", &holds).await, [""; 0]);
    let lean = provider.get("/Groups?excludedAttributes=members&filter=displayName+eq+%22Divers%22").await;
    assert!(lean["totalResults"] == 1 && lean["Resources"][0].get("members").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_in_scims_own_words_and_changes_nothing() {
    let provider = Provider::new().await;
    let id = provider.make_user(json!({"userName": "ana", "title": "Pilot"})).await;
    provider.make_user(json!({"userName": "bo", "externalId": "b"})).await;
    let path = format!("/Users/{id}");
    let patch = |operation: Value| json!({"schemas": [PATCH], "Operations": [operation]});
    for (method, path, body, status, kind) in [
        ("POST", "/Users", json!({"displayName": "Nobody"}), 400, "invalidValue"),
        ("POST", "/Users", json!([1]), 400, "invalidSyntax"),
        (
            "POST",
            "/Users",
            json!({"userName": "x", "emails": [{"value": "no address"}]}),
            400,
            "invalidValue",
        ),
        ("POST", "/Users", json!({"userName": "x", "externalId": "b"}), 409, "uniqueness"),
        ("PUT", &path, json!({"userName": "BO"}), 409, "uniqueness"),
        ("PATCH", &path, json!({"Operations": "x"}), 400, "invalidSyntax"),
        ("PATCH", &path, patch(json!({"op": "remove"})), 400, "noTarget"),
        ("PATCH", &path, patch(json!({"op": "replace", "path": "id", "value": "x"})), 400, "mutability"),
        ("PATCH", &path, patch(json!({"op": "replace", "path": "a b[", "value": "x"})), 400, "invalidPath"),
        ("PATCH", &path, patch(json!({"op": "remove", "path": "userName"})), 400, "invalidValue"),
        (
            "PATCH",
            &path,
            patch(json!({"op": "replace", "path": "active", "value": "maybe"})),
            400,
            "invalidValue",
        ),
        (
            "PATCH",
            "/Users/00000000-0000-0000-0000-000000000007",
            patch(json!({"op": "add", "value": {}})),
            404,
            "",
        ),
        ("GET", "/Users/none", Value::Null, 404, ""),
        ("GET", "/Nothing", Value::Null, 404, ""),
        ("GET", "/Me", Value::Null, 501, ""),
        ("DELETE", "/Users", Value::Null, 405, ""),
    ] {
        assert_eq!(
            provider.refused(method, path, body.clone()).await,
            (status, kind.to_owned()),
            "{method} {path} {body}"
        );
    }
    assert_eq!(provider.get(&path).await["title"], "Pilot");
    let people = provider.server.app.store.load_directory(&DirectoryFilter::default(), 10, 0).unwrap();
    assert_eq!(people.total, 2);
    let bearer = format!("Bearer {}", provider.key);
    let length = (9 << 20).to_string();
    let headers = [("authorization", bearer.as_str()), ("content-length", length.as_str())];
    assert_eq!(provider.server.exchange("POST", "/scim/v2/Users", &headers, "").await.status, 413);
    // A body that other routes would not take.
    let members: Vec<Value> = (0..20_000).map(|_| json!({"value": id})).collect();
    provider.expect(201, "POST", "/Groups", json!({"displayName": "Large", "members": members})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_key_for_it_may_push_and_every_change_is_on_record() {
    let mut provider = Provider::new().await;
    let id = provider.make_user(json!({"userName": "ana"})).await;
    provider.patch(&format!("/Users/{id}"), json!([{"op": "add", "path": "title", "value": "Pilot"}])).await;
    let page = ops::list_audit(&provider.server.app, &Caller::LOCAL_OPERATOR, None, 10).unwrap();
    let told: Vec<(&str, &str)> =
        page.entries.iter().map(|row| (row.entry.action.as_str(), row.entry.actor.as_str())).collect();
    assert!(
        told.contains(&("scim.create_user", "idp")) && told.contains(&("scim.change_user", "idp")),
        "{told:?}"
    );

    // Whom it was and what became of them can be told when they are gone.
    let user = format!("/Users/{id}");
    provider.patch(&user, json!([{"op": "replace", "path": "active", "value": false}])).await;
    let renamed = json!({"userName": "ana.g", "displayName": "Ana\nG", "title": "Pilot", "active": true,
        "emails": [{"value": "secret@acme.example"}]});
    let shown = provider.expect(200, "PUT", &user, renamed).await;
    assert_eq!(shown["displayName"], "Ana\nG", "told as it was pushed");
    assert_eq!(provider.person("ana.g").unwrap().name.as_deref(), Some("Ana G"), "kept on one line");
    let group = json!({"displayName": "Board\tof trade"});
    let group = provider.expect(201, "POST", "/Groups", group).await["id"].as_str().unwrap().to_owned();
    let path = format!("/Groups/{group}");
    provider.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": id}]}])).await;
    provider.patch(&path, json!([{"op": "remove", "path": "members"}])).await;
    provider.expect(204, "DELETE", &path, Value::Null).await;
    provider.expect(204, "DELETE", &user, Value::Null).await;
    let page = ops::list_audit(&provider.server.app, &Caller::LOCAL_OPERATOR, None, 100).unwrap();
    let told: Vec<String> = page.entries.iter().map(|row| row.entry.target.clone()).rev().collect();
    for (name, what) in [
        (format!("“ana” ({id})"), ": other attributes"),
        (format!("“ana” ({id})"), ": deactivated"),
        (
            format!("“ana” ({id})"),
            ": activated, user name is now “ana.g”, name is now “Ana G”, another e-mail address",
        ),
        (format!("“Board of trade” ({group})"), ": added: “ana.g”"),
        (format!("“Board of trade” ({group})"), ": all members removed"),
        (format!("“Board of trade” ({group})"), ""),
        (format!("“ana.g” ({id})"), ""),
    ] {
        assert!(told.contains(&format!("{name}{what}")), "{name}{what} in {told:#?}");
    }
    assert!(!told.iter().any(|target| target.contains("secret@")), "{told:?}");

    let create =
        CreateKey { name: "other".to_owned(), scopes: vec!["security".to_owned()], ..CreateKey::default() };
    provider.key = provider.server.key(&create);
    assert_eq!(provider.refused("GET", "/Users", Value::Null).await.0, 403);
    provider.key = format!("nck_{}", "A".repeat(43));
    let unknown = provider.send("GET", "/Users", &Value::Null).await;
    assert_eq!((unknown.status, unknown.header("www-authenticate")), (401, Some("Bearer")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_can_do_it_says_itself() {
    let provider = Provider::new().await;
    let config = provider.get("/ServiceProviderConfig").await;
    assert_eq!((&config["patch"]["supported"], &config["etag"]["supported"]), (&json!(true), &json!(false)));
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    let types = provider.get("/ResourceTypes").await;
    assert_eq!((&types["totalResults"], &types["Resources"][0]["endpoint"]), (&json!(2), &json!("/Users")));
    assert_eq!(provider.get("/ResourceTypes/Group").await["schema"], GROUP);
    let schemas = provider.get("/Schemas").await;
    for schema in schemas["Resources"].as_array().unwrap() {
        let id = schema["id"].as_str().unwrap();
        assert_eq!(&provider.get(&format!("/Schemas/{id}")).await, schema);
        assert!(schema["attributes"].as_array().unwrap().len() > 2);
    }
    assert_eq!(provider.refused("GET", "/Schemas/urn:x", Value::Null).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_were_imported_are_taken_over_and_who_is_deactivated_sees_nothing() {
    let server = Server::sample().await;
    server.people("ana,Ines.Duarte@halden-brook.example,,Board").await;
    let create =
        CreateKey { name: "idp".to_owned(), scopes: vec!["scim".to_owned()], ..CreateKey::default() };
    let key = server.key(&create);
    let provider = Provider { server, key };
    let ana = provider.person("ana").unwrap();
    let sees = || match provider.server.app.store.load_viewer(ana.id).unwrap() {
        Viewer::LocalOperator => panic!("a person is not the operator"),
        Viewer::Mapped(sights) => !sights.connectors.is_empty(),
    };
    assert!(sees());
    let found = provider.find("Users", "emails.value eq \"ines.duarte@HALDEN-brook.example\"").await;
    assert_eq!(found, [ana.uid.to_string()]);
    let path = format!("/Users/{}", found[0]);
    let told = provider.get(&path).await;
    assert_eq!(
        told["emails"],
        json!([{"type": "work", "value": "Ines.Duarte@halden-brook.example", "primary": true}])
    );
    assert_eq!(told["groups"][0]["display"], "Board");
    provider.patch(&path, json!([{"op": "replace", "value": {"externalId": "x1", "active": false}}])).await;
    assert!(!sees(), "at once, and without a crawl");
    let after = provider.person("ana").unwrap();
    assert_eq!((after.email, after.groups, after.active), (ana.email, ana.groups, false));
    provider.patch(&path, json!([{"op": "replace", "path": "active", "value": true}])).await;
    assert!(sees());
    assert_eq!(provider.send("DELETE", &path, &Value::Null).await.status, 204);
    let users = provider.server.app.store.count_users().unwrap();
    assert_eq!(users[0].mapped, 0, "who was mapped to nobody's entry is nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deactivated_and_active_again_comes_in_by_nothing_of_before() {
    let provider = Provider::of(Server::guarded().await);
    let path = format!("/Users/{}", provider.make_user(json!({"userName": "ana"})).await);
    let ways = provider.ways_in("ana");
    assert_eq!(provider.answers(&ways).await, [200, 200]);
    let set = async |active: bool| {
        provider.patch(&path, json!([{"op": "replace", "path": "active", "value": active}])).await;
    };
    set(false).await;
    assert_eq!(provider.answers(&ways).await, [401, 401]);
    set(true).await;
    assert_eq!(provider.answers(&ways).await, [401, 401], "both ended for good");
    let keys = ops::list_keys(&provider.server.app, &Caller::LOCAL_OPERATOR).unwrap();
    assert!(keys.iter().any(|key| key.name == "of ana" && key.revoked.is_some()), "{keys:?}");
    assert_eq!(provider.answers(&provider.ways_in("ana")).await, [200, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signed_in_under_a_name_is_out_when_the_provider_pushes_its_owner() {
    let provider = Provider::of(Server::guarded().await);
    let sign_in = |subject: &str, user_name: &str, email: &str| {
        let email = Some(Some(email.to_owned()));
        let record = PersonRecord { user_name: user_name.to_owned(), email, ..PersonRecord::default() };
        let issuer = "https://login.acme.example";
        let who = Introduction { issuer, subject, record: &record, groups: None };
        let (how, app) = (Acquaintance { by_email: true, as_new: true }, &provider.server.app);
        match app.store.recognise(who, how, Keep::All, app.runtime.now(), &mut || app.runtime.uuid()).unwrap()
        {
            Recognised::Person { person, .. } => person.id,
            other => panic!("{other:?}"),
        }
    };
    let name = "cleo@acme.example";
    let before = sign_in("mallory", name, "mallory@elsewhere.example");
    let ways = provider.ways_in(name);
    assert_eq!(provider.answers(&ways).await, [200, 200]);
    let cleo = json!({"userName": name, "emails": [{"value": name, "primary": true}]});
    assert_eq!(provider.send("POST", "/Users", &cleo).await.status, 409);
    let id = provider.find("Users", &format!("userName eq \"{name}\"")).await.remove(0);
    provider.expect(200, "PUT", &format!("/Users/{id}"), cleo).await;
    assert_eq!(provider.answers(&ways).await, [401, 401]);
    assert_eq!(provider.person(name).unwrap().id, before, "the entry is the owner's now");
    assert_ne!(sign_in("mallory", "openid-1", "mallory@elsewhere.example"), before);
    assert_eq!(sign_in("cleo", "openid-2", name), before, "the owner is known by their verified address");
}
