//! Files of pages: which are wanted, what a page says of them, and what reading one makes of it. Pure.

use crate::config::FileSettings;
use crate::extract::{Outcome, format_name};
use crate::files::{FileAddress, Hosting, extension};
use crate::model::{
    FileContent, FileFacts, FilePlace, FileRef, HoldingPage, Item, ItemKey, ItemKind, NotionId,
};
use crate::store::{
    FileReading, FileState, FileTask, NewTask, PageFiles, PlaceDetail, PlacedFile, Task, TaskKind,
};

/// Version of what makes text of bytes. The store keeps it beside each text, and a crawl reads files again when it rises.
pub const EXTRACTOR_VERSION: u32 = 2;

/// Files that have no name are shown by this one.
const NAMELESS: &str = "Untitled file";

/// What the settings say of files.
#[derive(Debug, Clone)]
pub struct FilePolicy<'a> {
    /// The connector's settings.
    pub settings: &'a FileSettings,
    /// Addresses of this machine that stand for Notion's file hosts.
    pub hosts: &'a [String],
    /// Whether text is generated for images: then they are wanted whatever extensions are listed.
    pub reads_images: bool,
    /// Most items that the connector may hold.
    pub item_limit: u64,
}

/// Extensions of images that text can be generated for.
const IMAGES: [&str; 8] = ["png", "jpg", "jpeg", "gif", "tif", "tiff", "webp", "bmp"];

impl FilePolicy<'_> {
    /// How files are read.
    pub fn reading(&self) -> FileReading {
        FileReading { extractor: EXTRACTOR_VERSION, max_bytes: self.settings.max_bytes() }
    }

    /// The files that stand in a page. `whole` says whether all of the page was read.
    pub fn place(&self, page: &Item, files: &[FileRef], whole: bool, workspace: NotionId) -> PageFiles {
        let placed = files.iter().filter_map(|file| self.place_one(page, file, workspace)).collect();
        PageFiles { files: placed, whole, reading: self.reading(), item_limit: self.item_limit }
    }

    fn place_one(&self, page: &Item, file: &FileRef, workspace: NotionId) -> Option<PlacedFile> {
        let address = FileAddress::parse(&file.address, self.hosts).ok()?;
        let id = id_of(address.key.as_str());
        let url = match file.block.filter(|block| *block != page.id) {
            Some(block) if file.place.is_block() => {
                format!("{}#{}", page.url, block.0.simple())
            }
            _ => page.url.clone(),
        };
        let detail = PlaceDetail {
            place: file.place,
            block: file.block,
            name: file
                .name
                .clone()
                .filter(|name| !name.trim().is_empty())
                .unwrap_or_else(|| NAMELESS.to_owned()),
            caption: file.caption.clone(),
            identity: address.key.as_str().to_owned(),
            hosted: address.hosting == Hosting::Notion,
            page: HoldingPage {
                id: page.id,
                url,
                created_time: page.created_time,
                last_edited_time: page.last_edited_time,
                created_by: page.created_by,
                last_edited_by: page.last_edited_by,
            },
        };
        let is_wanted = self.unwanted(&detail).is_none();
        let key = ItemKey::new(workspace, ItemKind::File, id);
        Some(PlacedFile { id, key, detail, address: file.address.clone(), is_wanted })
    }

    /// The id of a file that the settings want where it stands; none if they leave it out, or it has no address.
    pub fn wanted(&self, file: &FileRef) -> Option<NotionId> {
        let address = FileAddress::parse(&file.address, self.hosts).ok()?;
        let name = file.name.as_deref().unwrap_or(NAMELESS);
        let refused = self.refuses(file.place, name, address.hosting == Hosting::Notion);
        refused.is_none().then(|| id_of(address.key.as_str()))
    }

    /// Why the settings leave a file out; none if they want it.
    pub fn unwanted(&self, detail: &PlaceDetail) -> Option<String> {
        self.refuses(detail.place, &detail.name, detail.hosted)
    }

    fn refuses(&self, place: FilePlace, name: &str, hosted: bool) -> Option<String> {
        let settings = self.settings;
        let extension = extension(name);
        if !settings.places.contains(&place) {
            return Some(format!("{} are switched off", place.described()));
        }
        if !hosted && !settings.other_hosts {
            return Some("files on other hosts than Notion's are switched off".to_owned());
        }
        if settings.admits(extension.as_deref()) {
            return None;
        }
        let extension = extension?;
        let is_excluded = settings.exclude_extensions.contains(&extension);
        let is_image = self.reads_images && !is_excluded && IMAGES.contains(&extension.as_str());
        (!is_image).then(|| format!("the extension .{extension} is not included"))
    }
}

/// Why the settings leave a file out wherever it stands; none if they want it at one place.
pub fn unwanted_everywhere<'a>(
    policy: &FilePolicy<'_>,
    places: impl IntoIterator<Item = &'a PlaceDetail>,
) -> Option<String> {
    let mut reasons = places.into_iter().map(|place| policy.unwanted(place));
    let first = reasons.next()??;
    reasons.all(|reason| reason.is_some()).then_some(first)
}

/// Why a file is not read that is larger than the settings allow.
pub fn too_large(settings: &FileSettings) -> String {
    format!("it is larger than {} MB", settings.file_mb)
}

/// The id of a file: the same for the same address, everywhere.
fn id_of(identity: &str) -> NotionId {
    let hash = blake3::hash(identity.as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(byte, hashed)| *byte = *hashed);
    // Version 8 of RFC 9562 is for ids of one's own making: none of Notion's, which are of version 4 and of others, is taken.
    NotionId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// What the outcome of an extraction says.
pub fn content_of(
    outcome: Outcome,
    name: &str,
    media_type: Option<String>,
    bytes: u64,
) -> (FileState, Option<String>, FileContent) {
    use plaintext::Status;
    let generated: Vec<&str> = outcome.generated.iter().map(|one| one.as_str()).collect();
    let outcome = outcome.extraction;
    let state = match outcome.status {
        Status::Text => FileState::Text,
        Status::NoText => FileState::NoText,
        Status::Encrypted => FileState::Encrypted,
        Status::Unsupported => FileState::Unsupported,
        Status::TooLarge => FileState::TooLarge,
        Status::Broken => FileState::Broken,
        Status::Limit => FileState::Limit,
    };
    let mut left_out = outcome.left_out;
    if outcome.cut_bytes > 0 {
        left_out.push(format!("{} bytes of text beyond the longest that is kept", outcome.cut_bytes));
    }
    let content = FileContent {
        headings: outcome
            .headings
            .iter()
            .map(|heading| (heading.level, heading.start, heading.end))
            .collect(),
        text: outcome.text,
        title: outcome.metadata.title,
        author: outcome.metadata.author,
        left_out,
        facts: FileFacts {
            extension: extension(name).unwrap_or_default(),
            format: outcome.format.map(|format| format_name(format).to_owned()),
            media_type,
            bytes,
            note: outcome.reason.clone(),
            stale: false,
            generated: (!generated.is_empty()).then(|| generated.join(", ")),
        },
    };
    (state, outcome.reason, content)
}

/// The request for a file with a fresh address; none if its page no longer shows it there.
pub fn read_again(task: &Task, files: &[FileRef], hosts: &[String]) -> Vec<NewTask> {
    let (Some(id), Some(mut wanted)) = (task.target, file_task(task)) else { return Vec::new() };
    let is_it = |file: &&FileRef| {
        FileAddress::parse(&file.address, hosts).is_ok_and(|address| id_of(address.key.as_str()) == id)
    };
    let Some(fresh) = files.iter().find(is_it) else { return Vec::new() };
    wanted.address.clone_from(&fresh.address);
    wanted.refreshed += 1;
    let detail = serde_json::to_string(&wanted).ok();
    vec![NewTask { kind: TaskKind::ReadFile, target: Some(id), page: None, detail }]
}

/// What a task asks for; none if this version cannot read it.
pub fn file_task(task: &Task) -> Option<FileTask> {
    serde_json::from_str(task.detail.as_deref()?).ok()
}
