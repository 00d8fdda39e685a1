//! What searches, exports and REST tell of a file.

use std::collections::BTreeSet;

use notion_connector::model::{Caller, ItemKind};
use notion_connector::ops::{self, FacetBy, Filters, SearchAnswer, SearchQuery};
use notion_connector::store::Scope;
use notion_emulator::files::faults::{FileFailure, FileFault};

use crate::support::Line;

async fn crawl(line: &Line, scope: Scope) {
    line.notion.advance(std::time::Duration::from_secs(600));
    line.try_crawl(scope).await.unwrap();
}

fn search(line: &Line, text: &str, extensions: &[&str]) -> SearchAnswer {
    let extensions = extensions.iter().map(|&extension| extension.to_owned()).collect();
    let query = SearchQuery {
        text: text.to_owned(),
        limit: 10,
        offset: 0,
        filters: Filters { extensions, ..Filters::default() },
        facets: BTreeSet::from([FacetBy::Kind, FacetBy::Extension]),
    };
    let index = line.app().require_index().unwrap();
    ops::search(&index, &query, &Caller::LOCAL_OPERATOR).unwrap()
}

#[tokio::test]
async fn a_file_is_narrowed_to_by_its_extension_and_tells_its_facts() {
    let (line, pages) = Line::with_leaves(4).await;
    line.add_file(pages[0], "minutes.TXT", b"we agreed on the kwijibo");
    line.add_file(pages[0], "table.csv", b"kwijibo,1\n");
    line.add_file(pages[0], "empty.txt", b"");
    crawl(&line, Scope::Full).await;

    let answer = search(&line, "kwijibo", &["txt"]);
    let hit = &answer.hits[0];
    assert_eq!((answer.total, hit.title.as_str()), (1, "minutes.TXT"), "{answer:?}");
    let file = hit.file.as_ref().unwrap();
    assert_eq!((file.facts.extension.as_str(), file.facts.bytes), ("txt", 24));
    assert_eq!((file.facts.stale, &file.facts.note, &file.facts.generated), (false, &None, &None));
    assert_eq!(file.page.map(|page| page.0), Some(pages[0]));
    assert_eq!(hit.breadcrumb.last(), Some(&line.truth()[&pages[0]].title));

    let all = search(&line, "", &[]);
    let extensions = all.facets.iter().find(|facet| facet.by == "extension").unwrap();
    let counts: Vec<_> = extensions.values.iter().map(|value| (value.filter.as_str(), value.count)).collect();
    assert_eq!(counts, [("txt", 2), ("csv", 1)]);
    assert!(all.hits.iter().all(|hit| hit.file.is_some() == (hit.kind == ItemKind::File)));

    let exported = line.item("minutes.TXT");
    let file = exported.file.as_ref().unwrap();
    assert_eq!((file.facts.bytes, file.facts.media_type.as_deref()), (24, Some("text/plain")));
    assert_eq!(file.pages.iter().map(|page| page.id.0).collect::<Vec<_>>(), [pages[0]]);
    assert_eq!(file.pages[0].title, line.truth()[&pages[0]].title);
    let json = serde_json::to_value(&exported).unwrap();
    assert_eq!(json["file"]["extension"], "txt", "{json}");
    let note = line.item("empty.txt").file.unwrap().facts.note;
    assert_eq!(note.as_deref(), Some("it is empty"));
    let page = line.export().into_iter().find(|item| item.id.0 == pages[0]).unwrap();
    assert!(serde_json::to_value(&page).unwrap().get("file").is_none(), "a page is no file");
}

#[tokio::test]
async fn text_that_is_old_says_so_until_the_file_can_be_read_again() {
    let (line, pages) = Line::with_leaves(4).await;
    line.add_file(pages[0], "minutes.txt", b"we agreed on the kwijibo");
    crawl(&line, Scope::Full).await;
    let lost = FileFault { count: 1_000, ..FileFault::once(FileFailure::NotFound) };
    line.notion.push_file_fault(lost);
    crawl(&line, Scope::ForceReindex).await;
    let answer = search(&line, "kwijibo", &["txt"]);
    let facts = &answer.hits[0].file.as_ref().unwrap().facts;
    assert!(facts.stale, "{answer:?}");
    assert_eq!(facts.note.as_deref(), Some("its host does not have it"));
    assert!(line.item("minutes.txt").file.unwrap().facts.stale);

    line.notion.clear_file_faults();
    crawl(&line, Scope::ForceReindex).await;
    let facts = line.item("minutes.txt").file.unwrap().facts;
    assert!(!facts.stale && facts.note.is_none(), "{facts:?}");
    assert!(!search(&line, "kwijibo", &[]).hits[0].file.as_ref().unwrap().facts.stale);
}
