//! Keys: what each opens, whom it speaks for, and that it is nowhere but with who was shown it.

use notion_connector::model::Caller;
use notion_connector::ops::{self, CreateKey, ImportDirectory, RoleOf};
use notion_connector::store::Scope;
use serde_json::{Value, json};

use super::Server;
use super::rest::Answer;

impl Server {
    /// Brings people in, and has those whom the workspace knows mapped.
    pub(crate) async fn people(&self, lines: &str) {
        let file = self.directory.path().join("people.csv");
        std::fs::write(&file, format!("user_name,email,active,groups\n{lines}\n")).unwrap();
        ops::import_directory(&self.app, &Caller::LOCAL_OPERATOR, &file, ImportDirectory::default()).unwrap();
        self.crawl(Scope::People).await;
    }

    pub(crate) fn key(&self, create: &CreateKey) -> String {
        ops::create_key(&self.app, &Caller::LOCAL_OPERATOR, create).unwrap().key
    }

    fn simple_key(&self, scope: &str) -> String {
        self.key(&CreateKey {
            name: scope.to_owned(),
            scopes: vec![scope.to_owned()],
            ..CreateKey::default()
        })
    }

    pub(crate) async fn with_key(&self, key: &str, path: &str) -> Answer {
        self.ask("GET", path, &[("authorization", &format!("Bearer {key}"))]).await
    }

    async fn found_by(&self, headers: &[(&str, &str)]) -> u64 {
        let answer = self.ask("GET", "/api/v1/search?limit=1", headers).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["total"].as_u64().unwrap()
    }
}

fn named(name: &str, scope: &str) -> CreateKey {
    CreateKey { name: name.to_owned(), scopes: vec![scope.to_owned()], ..CreateKey::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_what_its_scope_says_and_only_there_it_has_a_role() {
    let server = Server::sample().await;
    let places = [
        ("search", "/api/v1/search?q=x"),
        ("connectors", "/api/v1/connectors"),
        ("security", "/api/v1/audit"),
        ("metrics", "/metrics"),
    ];
    for (scope, _) in places {
        let key = server.simple_key(scope);
        for (other, path) in places {
            let answer = server.with_key(&key, path).await;
            let expected = if scope == other { 200 } else { 403 };
            assert_eq!(answer.status, expected, "a key for {scope} at {path}: {}", answer.body);
        }
        assert_eq!(server.with_key(&key, "/healthz").await.status, 200);
        let agents = server.with_key(&key, "/mcp").await.status;
        assert_eq!(agents == 403, scope != "search", "{scope}: {agents}");
    }
    // What a scope takes it has without its being said; what no scope takes, no key has.
    let odd = CreateKey { roles: Some(vec!["security_admin".to_owned()]), ..named("odd", "search") };
    assert!(ops::create_key(&server.app, &Caller::LOCAL_OPERATOR, &odd).is_err());
    let powerless = server.key(&CreateKey { roles: Some(Vec::new()), ..named("powerless", "connectors") });
    assert_eq!(server.with_key(&powerless, "/api/v1/connectors").await.code(), (403, "forbidden".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_has_another_origin_than_notions_asked() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inner = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move { listener.accept().await.map(|_| ()) });
    let server = Server::empty().await;
    let admin = server.simple_key("connectors");
    for (path, wish) in [
        ("/api/v1/validate-connection", json!({"notion_url": inner, "secret": "ntn_x"})),
        ("/api/v1/connectors", json!({"name": "inner", "notion_url": inner, "secret": "ntn_x"})),
    ] {
        let refused = server.send_with(&admin, "POST", path, &wish).await;
        assert_eq!(refused.code(), (403, "forbidden".to_owned()), "{}", refused.body);
    }
    assert!(!asked.is_finished(), "nobody was connected to");
    asked.abort();
    // Where the owner has a connector already, others may have one too.
    let server = server.crawled().await;
    let known = server.app.store.load_connectors().unwrap()[0].notion_url.clone();
    let wish = json!({"notion_url": known, "secret": notion_emulator::DEFAULT_TOKEN});
    assert_eq!(server.send_with(&admin, "POST", "/api/v1/validate-connection", &wish).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_any_more_or_never_was_is_told_apart_by_nobody() {
    let server = Server::empty().await;
    let key = server.simple_key("search");
    let (ended, revoked, gone) =
        (server.key(&named("ended", "search")), server.key(&named("revoked", "search")), {
            server.people("ana,ana@acme.example,,").await;
            server.key(&CreateKey { person: Some("ANA".to_owned()), ..named("hers", "search") })
        });
    assert_eq!(server.with_key(&gone, "/api/v1/search").await.status, 200);
    let database = rusqlite::Connection::open(server.directory.path().join("data/store.sqlite")).unwrap();
    database.execute("UPDATE keys SET ends = 1 WHERE name = 'ended'", []).unwrap();
    ops::revoke_key(&server.app, &Caller::LOCAL_OPERATOR, "revoked").unwrap();
    server.people("ana,ana@acme.example,false,").await;
    let never = format!("nck_{}", "A".repeat(43));
    let mut told = Vec::new();
    for wrong in [&ended, &revoked, &gone, &never, &key[..46], "nck_"] {
        let answer = server.with_key(wrong, "/api/v1/search").await;
        assert_eq!(answer.code(), (401, "not_identified".to_owned()), "{wrong}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        told.push(answer.json());
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:?}");
    for wrong in [format!("Basic {key}"), key.clone()] {
        assert_eq!(server.ask("GET", "/api/v1/search", &[("authorization", &wrong)]).await.status, 401);
    }
    // Two of them are nobody's: what stands before this server may have read the other one.
    let good = format!("Bearer {key}");
    let twice = [("authorization", good.as_str()), ("authorization", good.as_str())];
    assert_eq!(server.ask("GET", "/api/v1/search", &twice).await.status, 401);
    assert_eq!(server.ask("GET", "/api/v1/search", &twice[..1]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_sees_what_its_person_sees_and_one_of_nobodys_sees_nothing() {
    let server = Server::sample().await;
    server.people("ana,Ines.Duarte@halden-brook.example,,Board\nbo,bo@elsewhere.example,,").await;
    let all = server.found_by(&[]).await;
    assert!(all > 20);
    let bearer = |create: CreateKey| format!("Bearer {}", server.key(&create));
    let of = |person: &str| CreateKey { person: Some(person.to_owned()), ..named(person, "search") };
    let (ana, bo) = (bearer(of("ana")), bearer(of("bo")));
    let alone = bearer(named("alone", "search"));
    let anybody = bearer(CreateKey { may_act_as: true, ..named("anybody", "search") });
    assert_eq!(server.found_by(&[("authorization", &ana)]).await, all);
    assert_eq!(server.found_by(&[("authorization", &bo)]).await, 0, "nobody of the workspace is bo");
    assert_eq!(server.found_by(&[("authorization", &alone)]).await, 0);
    for path in ["/api/v1/search", "/search", "/mcp"] {
        let nobody = server.ask("GET", path, &[("authorization", &anybody)]).await;
        assert!(nobody.status == 403 && nobody.body.contains("X-Act-As"), "{path}: {}", nobody.body);
    }
    let both =
        CreateKey { scopes: vec!["search".to_owned(), "connectors".to_owned()], ..named("both", "search") };
    let both = server.key(&CreateKey { may_act_as: true, ..both });
    assert_eq!(server.with_key(&both, "/api/v1/connectors").await.status, 200, "nobody is named for that");
    assert_eq!(server.with_key(&both, "/api/v1/search").await.status, 403);
    assert_eq!(server.found_by(&[("authorization", &anybody), ("x-act-as", "Ana")]).await, all);
    assert_eq!(server.found_by(&[("authorization", &anybody), ("x-act-as", "bo")]).await, 0);
    for refused in [
        vec![("authorization", anybody.as_str()), ("x-act-as", "nobody")],
        vec![("authorization", anybody.as_str()), ("x-act-as", "")],
        vec![("authorization", anybody.as_str()), ("x-act-as", "ana"), ("x-act-as", "bo")],
        vec![("authorization", alone.as_str()), ("x-act-as", "ana")],
        vec![("authorization", bo.as_str()), ("x-act-as", "ana")],
        vec![("x-act-as", "ana")],
    ] {
        let answer = server.raw("GET", "/api/v1/search", &refused).await;
        assert_eq!(answer.code(), (403, "forbidden".to_owned()), "{refused:?}");
    }
    // A key that is somebody's does what it and they may: not one thing more.
    let hers = CreateKey { person: Some("ana".to_owned()), ..named("admin", "connectors") };
    let hers = server.key(&hers);
    assert_eq!(server.with_key(&hers, "/api/v1/connectors").await.status, 403);
    let board = RoleOf { role: "connector_admin".to_owned(), group: Some("board".to_owned()), person: None };
    let operator = &Caller::LOCAL_OPERATOR;
    assert!(ops::grant_role(&server.app, operator, &board).unwrap().changed);
    assert!(!ops::grant_role(&server.app, operator, &board).unwrap().changed);
    assert_eq!(server.with_key(&hers, "/api/v1/connectors").await.status, 200);
    ops::revoke_role(&server.app, operator, &board).unwrap();
    assert_eq!(server.with_key(&hers, "/api/v1/connectors").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_roles_are_handed_out_over_rest_by_security_administrators() {
    let server = Server::empty().await;
    server.people("ana,ana@acme.example,,").await;
    let admin = server.simple_key("security");
    let other = server.simple_key("connectors");
    let wish = json!({"name": "agent", "scopes": ["search"], "person": "ana"});
    assert_eq!(server.send_with(&other, "POST", "/api/v1/keys", &wish).await.status, 403);
    let made = server.send_with(&admin, "POST", "/api/v1/keys", &wish).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(server.with_key(&key, "/api/v1/search").await.status, 200);
    assert_eq!(server.send_with(&admin, "POST", "/api/v1/keys", &wish).await.code().0, 409);
    let listed = server.with_key(&admin, "/api/v1/keys").await;
    assert!(!listed.body.contains(&key), "{}", listed.body);
    let agent = listed.json()["keys"].as_array().unwrap().iter().find(|one| one["name"] == "agent").cloned();
    let agent = agent.unwrap();
    assert_eq!((&agent["person"], &agent["roles"]), (&json!("ana"), &json!(["search_user"])));
    assert!(agent["used"].is_string(), "{agent}");
    let gone =
        server.ask("DELETE", "/api/v1/keys/agent", &[("authorization", &format!("Bearer {admin}"))]).await;
    assert_eq!(gone.status, 204);
    assert_eq!(server.with_key(&key, "/api/v1/search").await.status, 401);

    let until = |ends: &str| json!({"name": "brief", "scopes": ["search"], "ends": ends});
    let brief = server.send_with(&admin, "POST", "/api/v1/keys", &until("2096-01-31")).await;
    assert_eq!(
        (brief.status, &brief.json()["ends"]),
        (201, &json!("2096-01-31T00:00:00Z")),
        "{}",
        brief.body
    );
    let wrong = server.send_with(&admin, "POST", "/api/v1/keys", &until("soon")).await;
    assert_eq!(wrong.code(), (400, "bad_body".to_owned()));
    assert!(wrong.body.contains("“soon” is no time; write for example"), "{}", wrong.body);

    let role = json!({"role": "security_admin", "person": "ana"});
    assert_eq!(server.send_with(&other, "POST", "/api/v1/roles", &role).await.status, 403);
    let given = server.send_with(&admin, "POST", "/api/v1/roles", &role).await;
    assert_eq!(given.json(), json!({"changed": true}));
    let listed = server.with_key(&admin, "/api/v1/roles").await.json();
    assert_eq!(listed["roles"][0]["person"], "ana");
    for wrong in [
        json!({"role": "search_user", "person": "ana"}),
        json!({"role": "root", "person": "ana"}),
        json!({"role": "security_admin"}),
        json!({"role": "security_admin", "person": "ana", "group": "x"}),
    ] {
        assert_eq!(server.send_with(&admin, "POST", "/api/v1/roles", &wrong).await.code().0, 400, "{wrong}");
    }
    let taken = server.send_with(&admin, "DELETE", "/api/v1/roles", &role).await;
    assert_eq!(taken.json(), json!({"changed": true}));

    // Who did it is on the record by the key's name, and the key itself is nowhere.
    let entries = server.app.store.load_audit(None, 100).unwrap();
    assert!(entries.iter().any(|row| row.entry.action == "key.create" && row.entry.actor == "security"));
    let kept = std::fs::read(server.directory.path().join("data/store.sqlite")).unwrap();
    let log = std::fs::read(server.directory.path().join("data/store.sqlite-wal")).unwrap_or_default();
    for secret in [&key, &admin, &other] {
        let is_in = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!is_in(&kept) && !is_in(&log), "a key lies in the database");
    }
}

/// What the audit log says behind an entry: who did what to what.
fn told_since(server: &Server, seq: i64) -> Vec<String> {
    let entries = server.app.store.load_audit(None, 100).unwrap().into_iter().map(|row| row.entry);
    let mut told: Vec<String> = entries
        .filter(|entry| entry.seq > seq)
        .map(|entry| format!("{}: {} {}", entry.actor, entry.action, entry.target).trim().to_owned())
        .collect();
    told.reverse();
    told
}

fn last_entry(server: &Server) -> i64 {
    server.app.store.load_audit(None, 1).unwrap()[0].entry.seq
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sees_everything_is_on_the_record_at_every_mouth() {
    let server = Server::sample().await;
    let found = server.get("/api/v1/search?limit=1").await.json();
    let id = found["hits"][0]["id"].as_str().unwrap().to_owned();
    let (search, show) =
        ("local operator: search everything".to_owned(), format!("local operator: items.show {id}"));
    for (path, expected) in [
        ("/api/v1/search?q=x".to_owned(), vec![search.clone()]),
        ("/search?q=x".to_owned(), vec![search.clone()]),
        (format!("/api/v1/items/{id}"), vec![show.clone()]),
    ] {
        let before = last_entry(&server);
        assert_eq!(server.get(&path).await.status, 200, "{path}");
        assert_eq!(told_since(&server, before), expected, "{path}");
        let from = server.app.store.load_audit(None, 1).unwrap().remove(0).entry.from;
        assert_eq!(from.as_deref(), Some("127.0.0.1"), "{path}");
    }
    for (tool, arguments, expected) in
        [("search", json!({"query": "x"}), search), ("fetch", json!({"id": id}), show)]
    {
        let params = json!({"name": tool, "arguments": arguments});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        let length = call.len().to_string();
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("content-length", length.as_str()),
        ];
        let before = last_entry(&server);
        let answer = server.exchange("POST", "/mcp", &headers, &call).await;
        assert_eq!(answer.json()["result"]["isError"], false, "{}", answer.body);
        assert_eq!(told_since(&server, before), [expected], "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_key_reads_as_is_on_the_record_once_an_hour_for_each() {
    let server = Server::empty().await;
    server.people("ana,ana@acme.example,,\nbo,bo@acme.example,,").await;
    let anybody = server.key(&CreateKey { may_act_as: true, ..named("anybody", "search") });
    let hers = server.key(&CreateKey { person: Some("ana".to_owned()), ..named("hers", "search") });
    let ask = async |key: &str, act_as: &str| {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend((!act_as.is_empty()).then_some(("x-act-as", act_as)));
        server.ask("GET", "/api/v1/search", &headers).await.status
    };
    let before = last_entry(&server);
    for name in ["Ana", "ana", "bo", "ana"] {
        assert_eq!(ask(&anybody, name).await, 200, "{name}");
    }
    assert_eq!(ask(&hers, "").await, 200);
    assert_eq!(ask(&anybody, "nobody").await, 403);
    let expected = ["anybody: key.act_as ana", "anybody: key.act_as bo"];
    assert_eq!(told_since(&server, before), expected);
    let database = rusqlite::Connection::open(server.directory.path().join("data/store.sqlite")).unwrap();
    database.execute("UPDATE key_acts SET noted = noted - 3600001", []).unwrap();
    let before = last_entry(&server);
    assert_eq!((ask(&anybody, "ana").await, ask(&anybody, "ana").await), (200, 200));
    assert_eq!(told_since(&server, before), expected[..1]);
}

impl Server {
    async fn send_with(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let (length, bearer) = (body.len().to_string(), format!("Bearer {key}"));
        let headers =
            [("content-type", "application/json"), ("content-length", &length), ("authorization", &bearer)];
        self.exchange(method, path, &headers, &body).await
    }

    /// With headers that may be empty.
    async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let shown: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, if value.is_empty() { " " } else { value })).collect();
        self.ask(method, path, &shown).await
    }
}
