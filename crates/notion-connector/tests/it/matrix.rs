//! Who may do what: every route, tool and command, as each kind of caller, against one committed matrix.
//!
//! Routes come from the document that the server serves, tools from its own list, commands from the program's help. One that is
//! new changes the matrix, and this test fails until somebody has looked at its row:
//! `UPDATE_DOCS=1 cargo test -p notion-connector --test it matrix`.

use std::fmt::Write as _;

use notion_connector::model::{Caller, PersonId};
use notion_connector::ops::{self, CreateKey, RoleOf};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::program::Home;
use crate::web::{Answer, Server};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/snapshots/matrix.txt");

/// A kind of caller: its name, and the headers that its requests carry.
struct Kind {
    name: &'static str,
    headers: Vec<(String, String)>,
}

/// People of the directory. The workspace knows ines.
const PEOPLE: &str = "stranger,stranger@elsewhere.example,,\nines,ines.duarte@halden-brook.example,,\n\
    connectors,connectors@elsewhere.example,,\nsecurity,security@elsewhere.example,,";

async fn kinds(server: &Server) -> Vec<Kind> {
    let (app, operator) = (&server.app, &Caller::LOCAL_OPERATOR);
    server.people(PEOPLE).await;
    for (person, role) in [("connectors", "connector_admin"), ("security", "security_admin")] {
        let wish = RoleOf { role: role.to_owned(), person: Some(person.to_owned()), group: None };
        ops::grant_role(app, operator, &wish).unwrap();
    }
    let origin = ("origin".to_owned(), server.origin());
    let signed_in = |name: &'static str, person: &str| {
        let person: PersonId = app.store.load_person(person).unwrap().unwrap().id;
        let token = ops::open_session(app, person, None, "a test").unwrap();
        let cookie = format!("notion-connector-{}={}", server.address.port(), token.expose_secret());
        Kind { name, headers: vec![("cookie".to_owned(), cookie), origin.clone()] }
    };
    let with_key = |name: &'static str, scope: &str, acts_as: Option<&str>| {
        let create = CreateKey {
            name: name.to_owned(),
            scopes: vec![scope.to_owned()],
            may_act_as: acts_as.is_some(),
            ..CreateKey::default()
        };
        let key = ops::create_key(app, operator, &create).unwrap().key;
        let mut headers = vec![("authorization".to_owned(), format!("Bearer {key}"))];
        headers.extend(acts_as.map(|person| ("x-act-as".to_owned(), person.to_owned())));
        Kind { name, headers }
    };
    vec![
        Kind { name: "anonymous", headers: Vec::new() },
        signed_in("unmapped", "stranger"),
        signed_in("mapped", "ines"),
        signed_in("conn.admin", "connectors"),
        signed_in("sec.admin", "security"),
        with_key("k:search", "search", None),
        with_key("k:connect", "connectors", None),
        with_key("k:security", "security", None),
        with_key("k:scim", "scim", None),
        with_key("k:metrics", "metrics", None),
        with_key("k:as ines", "search", Some("ines")),
    ]
}

/// What is sent to a route beside its address: nothing of it succeeds in changing anything that another row depends on.
fn body_of(operation: &str, notion: &str) -> Option<Value> {
    Some(match operation {
        "add_connector" => json!({"name": "sample", "secret": "ntn_wrong", "notion_url": notion}),
        "validate_connection" => json!({"secret": "ntn_wrong", "notion_url": notion}),
        "edit_connector" | "preview_connector" => json!({}),
        "rename_connector" => json!({"name": "sample"}),
        "set_connector_secret" => json!({"secret": "ntn_wrong"}),
        "set_mapping_script" => json!({"script": null}),
        "start_crawl" => json!({"connector": "nobody"}),
        "add_schedule" => json!({"name": "s", "when": "never"}),
        "edit_schedule" => json!({"paused": true}),
        "test_mapping" => json!({"value": "ines.duarte@halden-brook.example"}),
        "switch_audiences" => json!({"on": false}),
        "set_audience" => json!({"grants": []}),
        "create_key" => json!({"name": "k", "scopes": []}),
        "grant_role" | "revoke_role" => json!({"role": "nobody", "person": "ines"}),
        _ => return None,
    })
}

async fn ask(server: &Server, kind: &Kind, method: &str, path: &str, media: &str, body: &str) -> Answer {
    let length = body.len().to_string();
    let mut headers: Vec<(&str, &str)> =
        kind.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if !media.is_empty() {
        headers.extend([("content-type", media), ("content-length", length.as_str())]);
        headers.push(("accept", "application/json, text/event-stream"));
    }
    server.exchange(method, path, &headers, body).await
}

fn row(matrix: &mut String, name: &str, cells: &[String]) {
    let cells: String = cells.iter().fold(String::new(), |line, cell| line + &format!(" {cell:>11}"));
    let _ = writeln!(matrix, "{name:<62}{cells}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_tool_and_command_is_for_those_that_the_matrix_names() {
    let server = Server::guarded().await.crawled().await;
    let kinds = kinds(&server).await;
    let mut matrix =
        "Who may do what; see tests/it/matrix.rs. Routes, by status of the answer:\n\n".to_owned();
    let names: Vec<String> = kinds.iter().map(|kind| kind.name.to_owned()).collect();
    row(&mut matrix, "", &names);
    of_routes(&server, &kinds, &mut matrix).await;
    let _ = writeln!(matrix, "\nTools of /mcp: what came of a call.\n");
    of_tools(&server, &kinds, &mut matrix).await;
    let _ = writeln!(
        matrix,
        "\nCommands: the role that each takes. The owner of the data directory has them all.\n"
    );
    of_commands(&mut matrix).await;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(COMMITTED, &matrix).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    for (is, was) in matrix.lines().zip(committed.lines()) {
        assert_eq!(is, was, "who may do what has changed");
    }
    assert_eq!(matrix, committed, "who may do what has changed");
}

async fn of_routes(server: &Server, kinds: &[Kind], matrix: &mut String) {
    let document = server.get("/api/v1/openapi.json").await.json();
    let item = ask(server, &kinds[2], "GET", "/api/v1/search?q=incident&limit=1", "", "").await.json();
    let item = item["hits"][0]["id"].as_str().unwrap().to_owned();
    let notion = server.app.store.load_connectors().unwrap()[0].notion_url.clone();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let address = path
            .replace("/items/{id}", &format!("/items/{item}"))
            .replace("/why/{id}", &format!("/why/{item}"))
            .replace("/access/who", &format!("/access/who?page={item}"))
            .replace("/access/what", "/access/what?person=ines")
            .replace("/crawls/{id}", "/crawls/1")
            .replace("/connectors/{name}", "/connectors/sample")
            .replace("/rules/{rule}", "/rules/1000")
            .replace("{name}", "none")
            .replace("{id}", "none");
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let address = match name {
                // Somebody has to confirm it, and nobody does.
                "delete_connector" => format!("{address}?confirm=another"),
                _ => address.clone(),
            };
            let content = operation["requestBody"]["content"].as_object();
            let media = content.and_then(|content| content.keys().next()).map_or("", String::as_str);
            let body = match (media, body_of(name, &notion)) {
                ("application/json", Some(body)) => body.to_string(),
                ("application/json", None) => panic!("{name} takes a body: say in `body_of` which one"),
                _ => String::new(),
            };
            let mut cells = Vec::new();
            for kind in kinds {
                let answer = ask(server, kind, &method.to_uppercase(), &address, media, &body).await;
                cells.push(answer.status.to_string());
            }
            let scope = operation["security"][0]["key"][0].as_str().unwrap_or("-");
            row(matrix, &format!("{:<6} {path}  [{scope}]", method.to_uppercase()), &cells);
        }
    }
    // What is no part of the document: agents' door, below, and nothing else.
    let router = include_str!("../../src/web/router.rs");
    assert!(!router.contains(".route(") && router.matches("nest_service(").count() == 1);
    let mut cells = Vec::new();
    for kind in kinds {
        cells.push(ask(server, kind, "GET", "/nothing/is/here", "", "").await.status.to_string());
    }
    row(matrix, "GET    anything else", &cells);
}

async fn of_tools(server: &Server, kinds: &[Kind], matrix: &mut String) {
    let call = async |kind: &Kind, method: &str, params: Value| {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        ask(server, kind, "POST", "/mcp", "application/json", &request).await
    };
    let listed = call(&kinds[2], "tools/list", json!({})).await.json();
    let item =
        call(&kinds[2], "tools/call", json!({"name": "search", "arguments": {"query": "incident"}})).await;
    let item = item.json()["result"]["structuredContent"]["results"][0]["id"].clone();
    for tool in listed["result"]["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let arguments = match name {
            "search" => json!({"query": "incident"}),
            "fetch" => json!({"id": item}),
            "why" => json!({"page": item}),
            other => panic!("{other} is a new tool: say with which arguments it is called"),
        };
        let mut cells = Vec::new();
        for kind in kinds {
            let answer = call(kind, "tools/call", json!({"name": name, "arguments": arguments})).await;
            cells.push(if answer.status == 200 {
                let result = &answer.json()["result"];
                let total = &result["structuredContent"]["total"];
                match (result["isError"].as_bool(), total.as_u64()) {
                    (Some(true), _) => "refused".to_owned(),
                    (_, Some(0)) => "finds none".to_owned(),
                    _ => "answered".to_owned(),
                }
            } else {
                answer.status.to_string()
            });
        }
        row(matrix, name, &cells);
    }
}

/// The role that each command takes; `-` where it does nothing that the server would do for somebody.
const COMMANDS: &[(&str, &str)] = &[
    ("access what", "security_admin"),
    ("access who", "security_admin"),
    ("accounts delete", "security_admin"),
    ("accounts invite", "security_admin"),
    ("accounts list", "security_admin"),
    ("accounts set-password", "security_admin"),
    ("accounts sign-out", "security_admin"),
    ("analytics", "connector_admin"),
    ("audiences off", "security_admin"),
    ("audiences on", "security_admin"),
    ("audiences remove", "security_admin"),
    ("audiences set", "security_admin"),
    ("audiences show", "security_admin"),
    ("audit export", "security_admin"),
    ("audit list", "security_admin"),
    ("audit verify", "security_admin"),
    ("backup", "connector_admin"),
    ("connector activate", "connector_admin"),
    ("connector add", "connector_admin"),
    ("connector check", "connector_admin"),
    ("connector deactivate", "connector_admin"),
    ("connector delete", "connector_admin"),
    ("connector edit", "connector_admin"),
    ("connector list", "connector_admin"),
    ("connector preview", "connector_admin"),
    ("connector rename", "connector_admin"),
    ("connector set-secret", "connector_admin"),
    ("connector show", "connector_admin"),
    ("connector start-points", "connector_admin"),
    ("connector webhook", "connector_admin"),
    ("crawl", "connector_admin"),
    ("crawls alerts", "connector_admin"),
    ("crawls approve-deletions", "connector_admin"),
    ("crawls cancel", "connector_admin"),
    ("crawls list", "connector_admin"),
    ("crawls show", "connector_admin"),
    ("crawls watch", "connector_admin"),
    ("demo", "-"),
    ("directory import", "security_admin"),
    ("directory list", "security_admin"),
    ("export", "search_user"),
    ("extract", "-"),
    ("failures", "connector_admin"),
    ("keys create", "security_admin"),
    ("keys list", "security_admin"),
    ("keys revoke", "security_admin"),
    ("mcp", "search_user"),
    ("people counts", "connector_admin or security_admin"),
    ("people list", "security_admin"),
    ("people script", "connector_admin"),
    ("people test", "connector_admin or security_admin"),
    ("rerender", "-"),
    ("restore", "-"),
    ("roles grant", "security_admin"),
    ("roles list", "security_admin"),
    ("roles revoke", "security_admin"),
    ("schedule add", "connector_admin"),
    ("schedule delete", "connector_admin"),
    ("schedule edit", "connector_admin"),
    ("schedule list", "connector_admin"),
    ("schedule pause", "connector_admin"),
    ("schedule resume", "connector_admin"),
    ("search", "search_user"),
    ("secrets rotate", "security_admin"),
    ("serve", "-"),
    ("status", "connector_admin"),
    ("why", "connector_admin, or search_user of what they may see"),
];

async fn of_commands(matrix: &mut String) {
    let home = Home::new();
    let mut found = Vec::new();
    for command in subcommands(&home, &["--help"]).await {
        let below = subcommands(&home, &["help", &command]).await;
        if below.is_empty() {
            found.push(command);
        } else {
            found.extend(below.into_iter().map(|verb| format!("{command} {verb}")));
        }
    }
    found.sort();
    let known: Vec<&str> = COMMANDS.iter().map(|(command, _)| *command).collect();
    assert_eq!(found, known, "say in COMMANDS which role a new command takes");
    for (command, role) in COMMANDS {
        let _ = writeln!(matrix, "{command:<28}{role}");
    }
}

/// The commands that a help names.
async fn subcommands(home: &Home, arguments: &[&str]) -> Vec<String> {
    let help = home.expect(0, arguments).await.stdout;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // A line that goes on is further in.
    let named = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let words = named.filter_map(|line| line.split_whitespace().next());
    words.filter(|word| *word != "help").map(str::to_owned).collect()
}
