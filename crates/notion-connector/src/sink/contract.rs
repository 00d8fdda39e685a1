//! What every sink must do, as one test that each sink runs.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Sink;
use crate::model::{Change, ItemKey};
use crate::search::fixture::{cursor, key, page};

/// A sink under test.
#[async_trait]
pub(crate) trait Subject: Send + Sync {
    /// The sink.
    type Opened: Sink;

    /// Opens it, empty at first; later with what was made durable before the last one was dropped.
    async fn open(&self) -> Self::Opened;

    /// What it holds: title by key.
    async fn load_titles(&self, sink: &Self::Opened) -> BTreeMap<ItemKey, String>;
}

fn upsert(n: u128, title: &str) -> Change {
    Change::Upsert(Box::new(page(n, title, "text")))
}

fn delete(n: u128) -> Change {
    Change::Delete(key(n))
}

fn titles(expected: &[(u128, &str)]) -> BTreeMap<ItemKey, String> {
    expected.iter().map(|(n, title)| (key(*n), (*title).to_owned())).collect()
}

/// Runs the contract.
pub(crate) async fn sink_contract(subject: &impl Subject) {
    let sink = subject.open().await;
    assert!(!sink.name().is_empty());
    sink.check().await.expect("a fresh sink is ready");
    assert_eq!(sink.load_cursor().await.unwrap(), None, "a fresh sink has come nowhere");
    assert_eq!(subject.load_titles(&sink).await, titles(&[]));

    let first = vec![upsert(1, "one"), upsert(2, "two"), upsert(3, "three")];
    sink.deliver(first.clone(), cursor(3)).await.unwrap();
    assert_eq!(sink.load_cursor().await.unwrap(), Some(cursor(3)));
    assert_eq!(subject.load_titles(&sink).await, titles(&[(1, "one"), (2, "two"), (3, "three")]));

    let second = vec![
        delete(2),
        upsert(1, "one, again"),
        upsert(4, "four"),
        delete(4),
        delete(3),
        upsert(3, "three, back"),
        delete(99),
        upsert(1, "one, at last"),
    ];
    let after_second = titles(&[(1, "one, at last"), (3, "three, back")]);
    sink.deliver(second.clone(), cursor(11)).await.unwrap();
    assert_eq!(subject.load_titles(&sink).await, after_second, "changes apply in order");

    sink.deliver(second.clone(), cursor(11)).await.unwrap();
    assert_eq!(subject.load_titles(&sink).await, after_second, "a delivery made twice changes nothing");

    sink.deliver(Vec::new(), cursor(12)).await.unwrap();
    assert_eq!(sink.load_cursor().await.unwrap(), Some(cursor(12)), "the cursor moves without changes");

    drop(sink);
    let sink = subject.open().await;
    assert_eq!(sink.load_cursor().await.unwrap(), Some(cursor(12)), "the cursor is durable");
    assert_eq!(subject.load_titles(&sink).await, after_second, "what was delivered is durable");

    sink.deliver(first.into_iter().chain(second).collect(), cursor(11)).await.unwrap();
    assert_eq!(subject.load_titles(&sink).await, after_second, "a replay from the start ends the same");
    assert_eq!(sink.load_cursor().await.unwrap(), Some(cursor(11)), "the cursor is the one delivered last");

    sink.clear().await.unwrap();
    assert_eq!(sink.load_cursor().await.unwrap(), None);
    assert_eq!(subject.load_titles(&sink).await, titles(&[]));
    sink.deliver(vec![upsert(5, "five")], cursor(1)).await.unwrap();
    assert_eq!(subject.load_titles(&sink).await, titles(&[(5, "five")]), "a cleared sink takes deliveries");
}
