//! What is done stands in the audit log before it is done, and what is in the log stays as it is.

use notion_connector::model::{Actor, Caller, PersonId, Role, Viewer};
use notion_connector::ops::{self, AuditStage, EditConnector, OpsError, Setting};
use notion_emulator::{Emulator, Options};
use serde_json::Value;

use crate::program::Home;
use crate::support::{CONNECTOR, Line, Server, generated};

#[tokio::test(start_paused = true)]
async fn acts_failures_and_refusals_are_written_down_with_who_and_from_where() {
    let line = Line::in_process(generated("pages=10,seed=6"), Options::default()).await;
    line.crawl().await;
    let app = line.app();
    let person = Caller {
        actor: Actor::Person { id: PersonId(7), name: "ana@example.org".to_owned() },
        roles: [Role::SearchUser].into_iter().collect(),
        viewer: Viewer::of_connectors([]),
        from: "192.0.2.7".parse().ok(),
    };
    let before = app.store.load_audit(None, 1).unwrap()[0].entry.seq;
    let edit = EditConnector { item_limit: Some(Setting::Own(5)), ..EditConnector::default() };
    assert!(matches!(ops::edit_connector(&app, &person, CONNECTOR, &edit), Err(OpsError::Forbidden(_))));
    assert!(matches!(ops::list_audit(&app, &person, None, 10), Err(OpsError::Forbidden(_))));
    ops::edit_connector(&app, &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap();
    assert!(ops::edit_connector(&app, &Caller::LOCAL_OPERATOR, "nobody", &edit).is_err());
    let page = ops::list_audit(&app, &Caller::LOCAL_OPERATOR, None, 6).unwrap();
    let told: Vec<_> = page
        .entries
        .iter()
        .rev()
        .map(|row| {
            let entry = &row.entry;
            (entry.actor.as_str(), entry.action.as_str(), entry.target.as_str(), entry.stage, entry.of)
        })
        .collect();
    let (us, edit) = ("local operator", "connector.edit");
    assert_eq!(
        told,
        [
            ("ana@example.org", edit, CONNECTOR, AuditStage::Refused, None),
            ("ana@example.org", "audit.list", "", AuditStage::Refused, None),
            (us, edit, CONNECTOR, AuditStage::Begun, None),
            (us, edit, "nobody", AuditStage::Begun, None),
            (us, edit, "nobody", AuditStage::Failed, Some(before + 4)),
            (us, "audit.list", "", AuditStage::Begun, None),
        ]
    );
    let refused = &page.entries[5].entry;
    assert_eq!((refused.from.as_deref(), refused.actor_id), (Some("192.0.2.7"), Some(7)));
    assert!(refused.reason.as_ref().is_some_and(|reason| reason.contains("connector_admin")), "{refused:?}");
}

/// Somebody who searches and does nothing else.
fn searching(id: i64) -> Caller {
    Caller {
        actor: Actor::Person { id: PersonId(id), name: format!("person {id}") },
        roles: [Role::SearchUser].into_iter().collect(),
        viewer: Viewer::of_connectors([]),
        from: "192.0.2.7".parse().ok(),
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_do_nothing_cannot_fill_the_log() {
    let line = Line::in_process(generated("pages=2,seed=6"), Options::default()).await;
    let app = line.app();
    let refuse = |caller: &Caller, times: usize| {
        let edit = EditConnector::default();
        for _ in 0..times {
            let refused = ops::edit_connector(&app, caller, &"é\n".repeat(30_000), &edit);
            assert!(matches!(refused, Err(OpsError::Forbidden(_))));
        }
    };
    let refused_to = |id: i64| {
        let mut rows = app.store.load_audit(None, 1_000).unwrap();
        rows.retain(|row| row.entry.actor_id == Some(id) && row.entry.stage == AuditStage::Refused);
        rows
    };
    refuse(&searching(7), 300);
    let written = refused_to(7);
    assert_eq!(written.len(), 60);
    let bytes: usize = written.iter().map(|row| serde_json::to_string(row).unwrap().len()).sum();
    assert!(bytes < 100_000, "{bytes}");
    assert!(written[0].entry.target.ends_with("… (cut: 60000 characters)"), "{:?}", written[0]);
    let reason = |at: usize| refused_to(7)[at].entry.reason.clone().unwrap();
    assert!(reason(0).ends_with("; what else is refused to them within the hour is only counted"));
    assert!(!reason(1).contains("only counted"), "{}", reason(1));

    refuse(&searching(8), 1);
    assert_eq!(refused_to(8).len(), 1, "others have entries of their own");
    tokio::time::advance(std::time::Duration::from_secs(3_600)).await;
    refuse(&searching(7), 1);
    assert_eq!(refused_to(7).len(), 61);
    assert!(reason(0).ends_with("; 240 refusals before it are not written down"), "{}", reason(0));
    let check = ops::export_audit(&app, &Caller::LOCAL_OPERATOR, |_| Ok(())).unwrap();
    assert_eq!(check.broken_at, None);
}

#[tokio::test]
async fn the_log_is_listed_exported_and_checked_by_command_and_holds_no_secret() {
    let notion = Emulator::new(generated("pages=5,seed=6"), Options::default());
    let server = Server::start(&notion).await;
    let mut home = Home::new();
    home.connect(&server.url).await;
    home.expect(0, &["crawl"]).await;
    home.expect(0, &["search", "anything"]).await;
    let listed = home.expect(0, &["--json", "audit", "list"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let entries = listed["entries"].as_array().unwrap().iter().rev();
    let actions: Vec<&str> = entries.map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["connector.add", "crawl.run", "search", "audit.list"]);
    let exported = home.expect(0, &["audit", "export"]).await.stdout;
    assert_eq!(exported.lines().count(), 5);
    assert!(!exported.contains("ntn_"), "{exported}");
    home.expect(0, &["audit", "verify"]).await;

    let database = rusqlite::Connection::open(home.data_dir().join("store.sqlite")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER audit_is_not_changed;
             UPDATE audit SET entry = replace(entry, 'search', 'status') WHERE seq = 3",
        )
        .unwrap();
    let checked = home.expect(1, &["--json", "audit", "verify"]).await;
    let told: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(told["broken_at"], 3);
}
