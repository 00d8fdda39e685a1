//! `why` for files, and for pages with files that are not indexed.

use notion_connector::model::{Caller, ItemKind, NotionId};
use notion_connector::ops::{self, EditConnector, FileNotIndexed, Setting, Standing, Why};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::files::faults::{FileFailure, FileFault};
use notion_emulator::files::{Host, NewFile};

use crate::support::{CONNECTOR, Line};

const DOCX: &[u8] = include_bytes!("../../../plaintext/tests/samples/text.docx");
const LOCKED: &[u8] = include_bytes!("../../../plaintext/tests/samples/locked.docx");

async fn crawl(line: &Line, scope: Scope) -> CrawlState {
    line.notion.advance(std::time::Duration::from_secs(600));
    line.try_crawl(scope).await.unwrap().crawl.state
}

async fn why(line: &Line, id: NotionId) -> Why {
    ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &id.to_string(), false).await.unwrap()
}

fn missing<'a>(why: &'a Why, name: &str) -> &'a FileNotIndexed {
    why.files.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("{name}: {:?}", why.files))
}

#[tokio::test]
async fn each_file_says_why_it_is_not_indexed_and_its_page_lists_them() {
    let (mut line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    line.config.extract.file_mb = 1;
    line.add_file(page, "read.docx", DOCX);
    line.add_file(page, "locked.docx", LOCKED);
    line.add_file(page, "broken.docx", &DOCX[..DOCX.len() / 3]);
    line.add_file(page, "binary.txt", &[0, 159, 146, 150, 0, 1, 2, 3]);
    line.add_file(page, "large.txt", &b"a".repeat(1_200_000));
    line.add_file(page, "picture.png", b"\x89PNG\r\n\x1a\n");
    let external = NewFile { host: Host::External, ..NewFile::new("elsewhere.txt", b"epsilon".to_vec()) };
    line.notion.add_file(page, external).unwrap();
    crawl(&line, Scope::Full).await;

    let of_page = why(&line, NotionId(page)).await;
    assert_eq!(of_page.standing, Standing::InIndex);
    assert!(of_page.file.is_none() && of_page.files.iter().all(|file| file.name != "read.docx"));
    for (name, words, standing) in [
        ("locked.docx", "skipped: it is encrypted", Standing::Skipped),
        ("broken.docx", "not indexed: it is broken", Standing::Failed),
        ("binary.txt", "skipped: its bytes are no text", Standing::Skipped),
        ("large.txt", "skipped: it is larger than 1 MB", Standing::Skipped),
        ("picture.png", "left out by a setting: the extension .png is not included", Standing::Filtered),
        ("elsewhere.txt", "files on other hosts than Notion's are switched off", Standing::Filtered),
    ] {
        let listed = missing(&of_page, name);
        assert!(listed.message.contains(words), "{listed:?}");
        assert_eq!((listed.connector.as_str(), listed.next_try), (CONNECTOR, None), "{listed:?}");
        let alone = why(&line, listed.id).await;
        assert_eq!(alone.standing, standing, "{alone:?}");
        assert!(alone.reasons[0].message.contains(words), "{alone:?}");
        let file = alone.file.unwrap();
        assert_eq!((file.name.as_str(), file.pages[0].id), (name, NotionId(page)));
    }

    let read = line.item("read.docx");
    let found = why(&line, read.id).await;
    assert_eq!(found.standing, Standing::InIndex);
    assert_eq!(found.file.unwrap().state.as_deref(), Some("text"));
    // Whoever asks Notion asks for the page: it knows no such id.
    let asked =
        ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &read.id.to_string(), true).await.unwrap().asked;
    assert!(
        asked.iter().all(|asked| asked.readable && asked.message.ends_with("its page can be read")),
        "{asked:?}"
    );

    // What a setting leaves out later says so too.
    let out = Some(Setting::Own(vec!["docx".to_owned()]));
    let edit = EditConnector { exclude_extensions: out, ..EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap();
    crawl(&line, Scope::Full).await;
    let gone = why(&line, read.id).await;
    assert_eq!(
        (gone.standing, gone.setting.as_deref()),
        (Standing::Filtered, Some("file settings of the connector"))
    );
}

#[tokio::test]
async fn a_file_that_its_host_does_not_give_says_so_and_when_it_is_tried_again() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let lost = FileFault { count: 1_000, ..FileFault::once(FileFailure::NotFound) };
    line.notion.push_file_fault(lost);
    line.add_file(page, "gone.txt", b"delta");
    assert_eq!(crawl(&line, Scope::Full).await, CrawlState::CompletedWithErrors);
    let of_page = why(&line, NotionId(page)).await;
    let listed = missing(&of_page, "gone.txt");
    assert!(listed.message.contains("its host does not have it; the next crawl tries again"), "{listed:?}");
    assert!(listed.next_try.is_some(), "{listed:?}");
    let alone = why(&line, listed.id).await;
    assert_eq!(alone.standing, Standing::Failed, "{alone:?}");
    assert!(alone.next_try.is_some());

    line.notion.clear_file_faults();
    crawl(&line, Scope::Incremental).await;
    let of_page = why(&line, NotionId(page)).await;
    assert!(of_page.files.is_empty(), "{of_page:?}");
}

#[tokio::test]
async fn a_file_with_an_old_text_says_that_it_is_old() {
    let (line, pages) = Line::with_leaves(3).await;
    let page = pages[0];
    let external = NewFile { host: Host::External, ..NewFile::new("minutes.docx", DOCX.to_vec()) };
    let (mut line, file) = {
        let file = line.notion.add_file(page, external).unwrap().0;
        (line, file)
    };
    line.config.files.other_hosts = true;
    crawl(&line, Scope::Full).await;
    assert!(line.export().iter().any(|item| item.kind == ItemKind::File));
    line.notion.replace_file(file, LOCKED.to_vec().into(), Vec::new()).unwrap();
    crawl(&line, Scope::ForceReindex).await;
    let item = line.export().into_iter().find(|item| item.kind == ItemKind::File).unwrap();
    assert!(item.file.as_ref().unwrap().facts.stale);
    let found = why(&line, item.id).await;
    assert_eq!(found.standing, Standing::InIndex);
    assert!(found.reasons[0].message.contains("its text is old: it is encrypted"), "{found:?}");
    assert!(why(&line, NotionId(page)).await.files.is_empty());
}
