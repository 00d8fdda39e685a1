//! People: the directory.

use crate::program::Home;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_in_by_a_file_all_of_it_or_nothing() {
    let home = Home::new();
    let (good, bad) = (home.path().join("people.csv"), home.path().join("bad.json"));
    std::fs::write(
        &good,
        "user_name,email,groups\nana,ana@acme.example,Sales\nbo,bo@acme.example,Sales|Board\n",
    )
    .unwrap();
    std::fs::write(&bad, "[{\"user_name\": \"cy\"},\n {\"user_name\": \"\"}]").unwrap();
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());

    let refused = home.expect(2, &["directory", "import", bad, "--json"]).await;
    assert!(refused.stderr.contains("line 2: no user name"), "{refused:?}");
    let rehearsed = home.expect(0, &["directory", "import", good, "--dry-run", "--json"]).await.json();
    assert_eq!((&rehearsed["added"], &rehearsed["dry_run"]), (&2.into(), &true.into()));
    let empty = home.expect(0, &["directory", "list", "--json"]).await.json();
    assert_eq!(empty["total"], 0);

    home.expect(0, &["directory", "import", good]).await;
    let again = home.expect(0, &["directory", "import", good]).await;
    assert!(again.stdout.contains("2 people: 0 changed"), "{again:?}");
    let board = home.expect(0, &["directory", "list", "--group", "board", "--json"]).await.json();
    assert_eq!((&board["total"], &board["people"][0]["user_name"]), (&1.into(), &"bo".into()));
    assert_eq!(board["people"][0]["groups"], serde_json::json!(["Board", "Sales"]));
}
