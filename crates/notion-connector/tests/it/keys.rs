//! Keys and roles by command.

use serde_json::json;

use crate::program::Home;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_roles_are_made_listed_and_revoked_by_command() {
    let home = Home::new();
    let file = home.path().join("people.csv");
    std::fs::write(&file, "user_name,groups\nana,Board\nbo,\n").unwrap();
    home.expect(0, &["directory", "import", file.to_str().unwrap()]).await;

    let told =
        home.expect(0, &["keys", "create", "agent", "--scope", "search", "--person", "ana"]).await.stdout;
    let key = told.lines().next().unwrap();
    assert!(key.starts_with("nck_") && key.len() == 47, "{told}");
    let prometheus = home
        .expect(0, &["--json", "keys", "create", "prometheus", "--scope", "metrics", "--ends", "2199-01-01"])
        .await
        .json();
    assert_eq!(
        (&prometheus["roles"], &prometheus["scopes"]),
        (&json!(["connector_admin"]), &json!(["metrics"]))
    );
    let listed = home.expect(0, &["keys", "list"]).await.stdout;
    assert!(
        listed.contains("agent") && listed.contains("2199-01-01") && !listed.contains("nck_"),
        "{listed}"
    );
    let bound =
        home.expect(0, &["keys", "create", "hers", "--scope", "security", "--person", "ana"]).await.stdout;
    assert!(bound.contains("“ana” does not have the role security_admin"), "{bound}");
    home.expect(0, &["keys", "revoke", "hers"]).await;
    home.expect(2, &["keys", "create", "agent", "--scope", "search"]).await;
    home.expect(2, &["keys", "create", "old", "--scope", "search", "--ends", "2020-01-01"]).await;
    home.expect(2, &["keys", "create", "odd", "--scope", "everything"]).await;
    home.expect(1, &["keys", "create", "odd", "--scope", "search", "--person", "cy"]).await;
    home.expect(2, &["keys", "create", "odd", "--scope", "metrics", "--act-as"]).await;
    home.expect(0, &["keys", "revoke", "agent"]).await;
    home.expect(1, &["keys", "revoke", "agent"]).await;
    // The name is free again; what is revoked stays listed.
    home.expect(0, &["keys", "create", "agent", "--scope", "search", "--act-as"]).await;
    let keys = home.expect(0, &["--json", "keys", "list"]).await.json();
    assert_eq!(keys.as_array().unwrap().len(), 4);

    home.expect(0, &["roles", "grant", "connector_admin", "--group", "board"]).await;
    home.expect(0, &["roles", "grant", "security_admin", "--person", "BO"]).await;
    let again =
        home.expect(0, &["--json", "roles", "grant", "security_admin", "--person", "bo"]).await.json();
    assert_eq!(again, json!({"changed": false}));
    home.expect(1, &["roles", "grant", "security_admin", "--person", "cy"]).await;
    let nobody = home.expect(2, &["roles", "grant", "security_admin"]).await.stderr;
    assert!(nobody.contains("--person <USER>|--group <GROUP>"), "{nobody}");
    home.expect(2, &["roles", "grant", "search_user", "--person", "bo"]).await;
    home.expect(0, &["roles", "revoke", "connector_admin", "--group", "Board"]).await;
    let roles = home.expect(0, &["--json", "roles", "list"]).await.json();
    assert_eq!(roles.as_array().unwrap().len(), 1);
    assert_eq!(roles[0]["person"], "bo");
    home.expect(0, &["audit", "verify"]).await;

    std::fs::write(&file, "user_name,active\nana,no\n").unwrap();
    home.expect(0, &["directory", "import", file.to_str().unwrap()]).await;
    for arguments in [&["accounts", "invite", "ana"][..], &["accounts", "invite", "ana", "--create"]] {
        let refused = home.expect(2, arguments).await.stderr;
        assert!(refused.contains("“ana” is deactivated") && !refused.contains("--create"), "{refused}");
    }
}
