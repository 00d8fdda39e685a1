//! Files in the emulated workspace: what is in them, what people do with them, and which of them are to be found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bytes::Bytes;
use notion_connector::config::FilesConfig;
use notion_connector::model::FilePlace;
use notion_emulator::files::faults::{FileFailure, FileFault, RandomFileFaults};
use notion_emulator::files::{FileContent, Host, NewFile};
use notion_emulator::seed::{CommentSeed, FileSeed};
use notion_emulator::{Emulator, VerbError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::dice::Dice;
use crate::facts::Fact;
use crate::workspace::Words;

/// What is not escaped in an identity (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Extensions of what there is and can be read.
const READABLE: [&str; 6] = ["txt", "csv", "md", "html", "docx", "pdf"];

/// Where Notion's host of files is addressed; nothing listens there.
pub(crate) const NOTION_FILES: &str = "127.0.0.1:2";
/// Where the other host is.
pub(crate) const OTHER_FILES: &str = "127.0.0.1:3";

/// The property of rows made here that holds files.
pub(crate) const PAPERS: &str = "Papers";

/// How names of files begin that were made by this side.
const MADE_HERE: &str = "zf";

/// The largest file that is read.
pub(crate) const MOST_MB: u64 = 1;

const WHOLE: &[u8] = include_bytes!("../../../plaintext/tests/samples/text.docx");
const LOCKED: &[u8] = include_bytes!("../../../plaintext/tests/samples/locked.docx");
static LARGE: LazyLock<Bytes> = LazyLock::new(|| vec![b' '; 1_000_001].into());

/// A file in one of its places, as the emulator tells of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ShownFile {
    id: Uuid,
    #[serde(rename = "title")]
    pub(crate) name: String,
    pub(crate) parent: Uuid,
    markers: Vec<String>,
    place: String,
    path: String,
    #[serde(default)]
    caption: String,
    #[serde(default)]
    external: bool,
}

impl ShownFile {
    /// The id that the item is to have: made of the address without its signature.
    pub(crate) fn item(&self) -> Uuid {
        let host = if self.external { format!("http://{OTHER_FILES}/") } else { "notion:".to_owned() };
        let parts = self.path.trim_start_matches('/').split('/');
        let parts = parts.map(|part| {
            let part = percent_decode_str(part).decode_utf8().unwrap().into_owned();
            utf8_percent_encode(&part, RESERVED).to_string()
        });
        let hash = blake3::hash(format!("{host}{}", parts.collect::<Vec<_>>().join("/")).as_bytes());
        uuid::Builder::from_custom_bytes(hash.as_bytes()[..16].try_into().unwrap()).into_uuid()
    }

    pub(crate) fn is_comments(&self) -> bool {
        self.place == "comment"
    }

    /// All words of it.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> {
        self.markers.iter().cloned().chain(self.said())
    }

    /// What is to be found on its page, whatever becomes of the file.
    pub(crate) fn said(&self) -> impl Iterator<Item = String> {
        let stem = self.name.split('.').next().unwrap_or_default();
        [stem, &self.caption].map(str::to_owned).into_iter().filter(|word| is_word(word))
    }
}

/// Whether it is a word of these stories, and no text of the world's that begins like one.
fn is_word(text: &str) -> bool {
    text.starts_with('z') && text.chars().all(char::is_alphanumeric)
}

/// What is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Text,
    Empty,
    Locked,
    Broken,
    Large,
}

impl Content {
    fn bytes(self, word: &str) -> FileContent {
        match self {
            Self::Text => format!("What it says is {word}.\n").into_bytes().into(),
            Self::Empty => Vec::new().into(),
            Self::Locked => FileContent::Bytes(Bytes::from_static(LOCKED)),
            Self::Broken => FileContent::Bytes(Bytes::from_static(&WHOLE[..WHOLE.len() / 3])),
            Self::Large => FileContent::Bytes(LARGE.clone()),
        }
    }
}

/// What the settings say of files, as this side understands them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileRules {
    blocks: bool,
    properties: bool,
    comments: bool,
    other_hosts: bool,
    excluded: Option<&'static str>,
}

impl FileRules {
    fn wants(&self, file: &ShownFile) -> bool {
        let place = match file.place.as_str() {
            "property" => self.properties,
            "comment" => self.comments,
            _ => self.blocks,
        };
        let extension = file.name.rsplit('.').next().unwrap_or_default();
        let is_admitted = READABLE.contains(&extension) && Some(extension) != self.excluded;
        place && (self.other_hosts || !file.external) && is_admitted
    }

    /// The settings that say so.
    pub(crate) fn settings(&self) -> FilesConfig {
        let is_on = |place: &FilePlace| match place {
            FilePlace::Property => self.properties,
            FilePlace::Comment => self.comments,
            _ => self.blocks,
        };
        FilesConfig {
            places: FilePlace::ALL.into_iter().filter(is_on).collect(),
            other_hosts: self.other_hosts,
            exclude_extensions: self.excluded.into_iter().map(str::to_owned).collect(),
            test_hosts: vec![NOTION_FILES.to_owned()],
            test_other_hosts: vec![OTHER_FILES.to_owned()],
            ..FilesConfig::default()
        }
    }
}

/// The files of a workspace and the hands on them.
pub(crate) struct Shelf {
    notion: Emulator,
    dice: Dice,
    /// What is in those that were made here.
    contents: BTreeMap<Uuid, Content>,
    /// Blocks that show them.
    blocks: Vec<Uuid>,
    /// Whether there are other hosts that have files; not where pages name hosts that nobody knows.
    has_other_hosts: bool,
    rules: FileRules,
}

/// What somebody did, and whether that was refused.
pub(crate) type Told = (String, Result<(), VerbError>);

impl Shelf {
    pub(crate) fn new(seed: u64, notion: Emulator, has_other_hosts: bool) -> Self {
        notion.set_files_url(&format!("http://{NOTION_FILES}"));
        notion.set_external_url(&format!("http://{OTHER_FILES}"));
        let mut dice = Dice::new(seed, 4);
        let rules = FileRules {
            blocks: true,
            properties: true,
            comments: true,
            other_hosts: has_other_hosts && dice.chance(50),
            excluded: None,
        };
        Self { notion, dice, contents: BTreeMap::new(), blocks: Vec::new(), has_other_hosts, rules }
    }

    pub(crate) fn rules(&self) -> &FileRules {
        &self.rules
    }

    /// Somebody changes which files are wanted, or takes that back.
    pub(crate) fn change_rules(&mut self) {
        let rules = &mut self.rules;
        match self.dice.below(7) {
            0 => rules.blocks = !rules.blocks,
            1 => rules.properties = !rules.properties,
            2 => rules.comments = !rules.comments,
            3 => rules.other_hosts = self.has_other_hosts && !rules.other_hosts,
            4 | 5 => rules.excluded = self.dice.pick(&[None, Some("txt"), Some("csv")]),
            _ => {
                let other_hosts = rules.other_hosts;
                *rules =
                    FileRules { blocks: true, properties: true, comments: true, other_hosts, excluded: None }
            }
        }
    }

    /// Somebody does something about a file, on that page if it needs one. With `is_found`, only what a crawl for changes finds.
    pub(crate) fn change(
        &mut self,
        words: &mut Words,
        truth: &BTreeMap<Uuid, Fact>,
        page: Uuid,
        is_found: bool,
    ) -> Told {
        let shown: Vec<&ShownFile> = truth.values().flat_map(|fact| &fact.files).collect();
        // Nobody is told that a comment has another file.
        let attached: BTreeSet<Uuid> =
            shown.iter().filter(|file| file.is_comments()).map(|file| file.id).collect();
        let files: Vec<&&ShownFile> =
            shown.iter().filter(|file| !is_found || !attached.contains(&file.id)).collect();
        let (what, file) = (self.dice.below(11), self.dice.try_pick(&files));
        match (what, file) {
            (5 | 6, Some(file)) if !file.external => self.replace(words, file),
            // What is said of a file of the world, whatever its content is by now, is a word of its page.
            (7, Some(file)) if file.name.starts_with(MADE_HERE) => {
                (format!("remove file {}", file.name), self.notion.remove_file(file.id))
            }
            (8, Some(file)) => {
                let block = self.notion.show_file(page, file.id, "", None);
                (format!("show {} on {page} too", file.name), block.map(|block| self.blocks.extend(block)))
            }
            (9, _) if !self.blocks.is_empty() => {
                let (block, word) = (self.dice.pick(&self.blocks), words.next("zl"));
                (format!("caption {block} {word}"), self.notion.set_caption(block, &word))
            }
            (10, _) if !is_found => self.attach(words, page),
            _ => self.add(words, truth, page),
        }
    }

    fn choose(&mut self) -> Content {
        match self.dice.below(12) {
            0 => Content::Empty,
            1 => Content::Locked,
            2 => Content::Broken,
            3 => Content::Large,
            _ => Content::Text,
        }
    }

    pub(crate) fn add(&mut self, words: &mut Words, truth: &BTreeMap<Uuid, Fact>, page: Uuid) -> Told {
        let (stem, word, content) = (words.next(MADE_HERE), words.next("zw"), self.choose());
        let extension = match content {
            Content::Locked | Content::Broken => "docx",
            _ => self.dice.pick(&["txt", "txt", "csv", "md", "html", "png"]),
        };
        let mut new = NewFile::new(&format!("{stem}.{extension}"), content.bytes(&word));
        if self.dice.chance(30) {
            new.caption = words.next("zl");
        }
        if self.dice.chance(25) {
            new.host = Host::External;
        }
        new.markers = Some(word).filter(|_| content == Content::Text).into_iter().collect();
        let takes_papers = |fact: &Fact| fact.markers.iter().any(|marker| marker.starts_with("zn"));
        if truth.get(&page).is_some_and(takes_papers) && self.dice.chance(70) {
            (new.property, new.caption) = (Some(PAPERS.to_owned()), String::new());
        }
        let what = format!(
            "add {content:?} file {} {:?} to {page} {:?} on {:?} host",
            new.name, new.markers, new.property, new.host
        );
        let made = self.notion.add_file(page, new);
        let done = made.map(|(file, block)| {
            self.contents.insert(file, content);
            self.blocks.extend(block);
        });
        (what, done)
    }

    fn replace(&mut self, words: &mut Words, old: &ShownFile) -> Told {
        // What is no text is read as what its name promises.
        let is_binary = old.name.ends_with(".docx") || old.name.ends_with(".pdf");
        let content = if is_binary { Content::Broken } else { self.choose() };
        let (word, file) = (words.next("zw"), old.id);
        let markers = Some(word.clone()).filter(|_| content == Content::Text).into_iter().collect();
        let what = format!("replace file {} {file} by {content:?} {word}", old.name);
        let made = self.notion.replace_file(file, content.bytes(&word), markers);
        (what, made.map(|file| self.contents.extend([(file, content)])))
    }

    /// Comments on the page with a file.
    fn attach(&mut self, words: &mut Words, page: Uuid) -> Told {
        let (name, content) = (format!("{}.txt", words.next(MADE_HERE)), self.choose());
        let seed = CommentSeed {
            rich_text: json!([{"text": {"content": "See this."}}]),
            attachments: json!([{"category": "productivity", "file": {"ref": name}}]),
            ..CommentSeed::default()
        };
        let file = FileSeed { name: name.clone(), path: name.clone(), content: content.bytes("nothing new") };
        let made = self.notion.seed_comment(page, &seed, &BTreeMap::from([(name.clone(), file)]));
        let told = self.notion.truth(None).unwrap();
        let made_file = told.iter().find(|fact| fact["title"] == name.as_str());
        if let Some(file) = made_file.and_then(|fact| fact["id"].as_str()) {
            self.contents.insert(file.parse().unwrap(), content);
        }
        (format!("attach {content:?} file {name} to a comment on {page}"), made.map(drop))
    }

    fn content(&self, file: &ShownFile) -> Content {
        // Those of the world are texts, whatever their names promise.
        let given = if file.name.ends_with(".pdf") { Content::Broken } else { Content::Text };
        self.contents.get(&file.id).copied().unwrap_or(given)
    }

    /// The files in these pages that are wanted in any of their places there, by the ids of their items.
    fn wanted<'a>(&self, pages: impl Iterator<Item = &'a Fact>) -> BTreeMap<Uuid, Vec<&'a ShownFile>> {
        let mut shown: BTreeMap<Uuid, Vec<&ShownFile>> = BTreeMap::new();
        for file in pages.flat_map(|page| &page.files) {
            shown.entry(file.item()).or_default().push(file);
        }
        shown.retain(|_, places| places.iter().any(|place| self.rules.wants(place)));
        shown
    }

    /// What of these pages' files is to be in the index.
    pub(crate) fn expected<'a>(&self, pages: impl Iterator<Item = &'a Fact>) -> Vec<Fact> {
        let wanted = self.wanted(pages).into_iter();
        let readable =
            wanted.filter(|(_, places)| matches!(self.content(places[0]), Content::Text | Content::Empty));
        let fact = |(id, places): (Uuid, Vec<&ShownFile>)| Fact {
            id,
            kind: "file".to_owned(),
            title: places[0].name.clone(),
            parent: None,
            markers: places[0].markers.clone(),
            archived: false,
            mentions_in_title: false,
            options: BTreeMap::new(),
            people: BTreeMap::new(),
            files: Vec::new(),
            said: Vec::new(),
            said_by: places.iter().flat_map(|place| place.said().map(|word| (place.parent, word))).collect(),
            places: places.iter().map(|place| place.parent).collect(),
        };
        readable.map(fact).collect()
    }

    /// The pages that show each file that is wanted and stays once it was read.
    pub(crate) fn lasting<'a>(
        &self,
        pages: impl Iterator<Item = &'a Fact>,
    ) -> BTreeMap<Uuid, BTreeSet<Uuid>> {
        let wanted = self.wanted(pages).into_iter();
        let lasting =
            wanted.filter(|(_, places)| matches!(self.content(places[0]), Content::Text | Content::Empty));
        let pages = |places: Vec<&ShownFile>| {
            let wanted = places.into_iter().filter(|place| self.rules.wants(place));
            wanted.map(|place| place.parent).collect()
        };
        lasting.map(|(id, places)| (id, pages(places))).collect()
    }

    /// How many files there are that are not what their name promises, or were when somebody read them.
    pub(crate) fn broken<'a>(&self, pages: impl Iterator<Item = &'a Fact>) -> u64 {
        let of_the_world = self.wanted(pages).into_values().filter(|places| {
            !self.contents.contains_key(&places[0].id) && self.content(places[0]) == Content::Broken
        });
        let made_here = self.contents.values().filter(|content| **content == Content::Broken);
        (of_the_world.count() + made_here.count()) as u64
    }

    /// How the hosts of files fare from now on.
    pub(crate) fn weather(&mut self) -> String {
        let mut told = Vec::new();
        if self.dice.chance(40) {
            let percent = self.dice.pick(&[5, 30, 100]);
            let seed = self.dice.between(0, u64::MAX - 1);
            let failures = RandomFileFaults::passing();
            let random = RandomFileFaults { seed, percent, failures, host: None, path_contains: None };
            self.notion.set_random_file_faults(random);
            told.push(format!("{percent} of 100 requests for files fail"));
        }
        for _ in 0..self.dice.below(3) {
            let failure = self.dice.pick(&[
                FileFailure::NotFound,
                FileFailure::AccessDenied,
                FileFailure::Expired,
                FileFailure::SlowDown { retry_after_s: Some(600) },
                FileFailure::Status { status: 451 },
                FileFailure::ContentEncoding { encoding: "gzip".to_owned() },
                FileFailure::Redirect { to: None, status: 302 },
                FileFailure::SlowBody { piece_bytes: 1, delay_ms: 25_000 },
            ]);
            let (count, skip) = (self.dice.between(1, 12) as u32, self.dice.between(0, 6) as u32);
            told.push(format!("{count} requests for files get {failure:?} after {skip}"));
            self.notion.push_file_fault(FileFault { count, skip, ..FileFault::once(failure) });
        }
        told.join(", ")
    }
}
