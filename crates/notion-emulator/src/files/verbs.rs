//! What a test does to files and to their hosts.

use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::{FileFault, RandomFileFaults};
use super::host::hosted;
use super::{FileContent, FileRequest, Host, block_kind};
use crate::emulator::Emulator;
use crate::seed::{BlockSeed, Content};
use crate::verbs::VerbError;
use crate::webhooks::events;
use crate::world::model::Parent;
use crate::world::plant::SeedFiles;
use crate::world::rich_text;
use crate::world::{Found, World};

/// A file to be added to a page.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: FileContent,
    /// The type of the block that shows it; by the name's extension if none.
    pub kind: Option<String>,
    /// The block's caption.
    pub caption: String,
    /// Where it is.
    pub host: Host,
    /// The `files` property of a row that gets it, in place of a block.
    pub property: Option<String>,
    /// Words that occur in this file only.
    pub markers: Vec<String>,
}

impl NewFile {
    /// A file on Notion's host, without caption, in a block that fits its name.
    #[must_use]
    pub fn new(name: &str, content: impl Into<FileContent>) -> Self {
        Self {
            name: name.to_owned(),
            content: content.into(),
            kind: None,
            caption: String::new(),
            host: Host::Notion,
            property: None,
            markers: Vec::new(),
        }
    }
}

/// How a file is shown.
struct Shown {
    kind: Option<String>,
    name: String,
    caption: String,
    host: Host,
    property: Option<String>,
}

impl Emulator {
    /// Adds a file at the end of a page or block, or to a property of a row; its id, and that of the new block.
    ///
    /// # Errors
    /// If the object is unknown or takes no such thing.
    pub fn add_file(&self, id: Uuid, new: NewFile) -> Result<(Uuid, Option<Uuid>), VerbError> {
        let NewFile { name, content, kind, caption, host, property, markers } = new;
        let shown = Shown { kind, name, caption, host, property };
        self.place_file(id, shown, |world, name| world.add_file(name, content, host, markers))
    }

    /// Shows a file once more, at the end of a page or block or in a property of a row, as a copy of its block does; the id of
    /// the new block.
    ///
    /// # Errors
    /// If there is no such file, or the object is unknown or takes no such thing.
    pub fn show_file(
        &self,
        id: Uuid,
        file: Uuid,
        caption: &str,
        property: Option<&str>,
    ) -> Result<Option<Uuid>, VerbError> {
        let (host, name) = {
            let state = self.state();
            let on = |host| hosted(&state.world, host, file).map(|known| (host, known.name));
            on(Host::Notion).or_else(|| on(Host::External)).ok_or(VerbError::UnknownFile(file))?
        };
        let (caption, property) = (caption.to_owned(), property.map(str::to_owned));
        let shown = Shown { kind: None, name, caption, host, property };
        let again = |_: &mut World, name: &str| {
            let mut reference = json!({"hosted": file, "name": name});
            if host == Host::External {
                reference["is_external"] = Value::Bool(true);
            }
            reference
        };
        self.place_file(id, shown, again).map(|(_, block)| block)
    }

    /// Puts what `reference` makes into a new block, or into a property.
    fn place_file(
        &self,
        id: Uuid,
        shown: Shown,
        reference: impl FnOnce(&mut World, &str) -> Value,
    ) -> Result<(Uuid, Option<Uuid>), VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let found = state.found(id)?;
        let place = state.place(Some(id))?;
        let kind = shown.kind.as_deref().unwrap_or_else(|| block_kind(&shown.name)).to_owned();
        let world = &mut state.world;
        let (Found::Entity(page) | Found::Block(page, _)) = found;
        if !matches!(place, Parent::Page(_) | Parent::Block(..)) {
            return Err(VerbError::WrongKind { id, kind: "database", verb: "given a file" });
        }
        let mut value = match &shown.property {
            Some(name) => {
                let value = world.page(page).properties.get(name).filter(|value| value.is_array()).cloned();
                let unknown = || VerbError::UnknownProperty { id, name: name.clone() };
                value.ok_or_else(unknown)?
            }
            None => Value::Null,
        };
        let reference = reference(world, &shown.name);
        let file = reference["hosted"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
        let mut object = match shown.host {
            Host::Notion => json!({"type": "file", "file": reference}),
            Host::External => json!({"type": "external", "external": {"url": reference}}),
        };
        let Some(name) = shown.property else {
            object["caption"] = rich_text::plain(&shown.caption);
            if kind == "file" {
                object["name"] = Value::from(shown.name);
            }
            let ordinal = world.page_mut(page).map_or(1, |page| page.next_ordinal);
            let block = Content::Block(BlockSeed { kind, payload: object, ..BlockSeed::default() });
            world.plant_below(place, &[block], &SeedFiles::new(), now_ms)?;
            let block = world.block_id(page, ordinal);
            self.tell(&state, |world, happened| happened.push(events::content(world, page, &[block])));
            return Ok((file, Some(block)));
        };
        object["name"] = Value::from(shown.name);
        if let Some(items) = value.as_array_mut() {
            items.push(object);
        }
        world.set_property(page, &name, value, now_ms);
        self.tell(&state, |world, happened| happened.push(events::properties(world, page, &[name])));
        Ok((file, None))
    }

    /// Gives a file other bytes; its id from now on. On Notion's host that is a new upload with a path of its own, and the
    /// pages that show it are edited; on the external host the address stays and nobody is told.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn replace_file(
        &self,
        file: Uuid,
        content: FileContent,
        markers: Vec<String>,
    ) -> Result<Uuid, VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let world = &mut state.world;
        if hosted(world, Host::External, file).is_some() {
            world.set_file(file, content, markers, now_ms);
            return Ok(file);
        }
        let known = hosted(world, Host::Notion, file).ok_or(VerbError::UnknownFile(file))?;
        let new = world.add_file(&known.name, content, Host::Notion, markers);
        let pages = world.pages_with(file);
        for page in &pages {
            world.change_file(*page, &file.to_string(), Some(&new), now_ms);
        }
        self.tell(&state, |world, happened| {
            happened.extend(pages.iter().map(|page| events::content(world, *page, &[])));
        });
        Ok(new["hosted"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default())
    }

    /// Takes a file away wherever it stands: its blocks go to the trash, it leaves properties and comments. Its host has it
    /// still, as Notion's has.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn remove_file(&self, file: Uuid) -> Result<(), VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let world = &mut state.world;
        let hosts = [Host::Notion, Host::External];
        if hosts.iter().all(|host| hosted(world, *host, file).is_none()) {
            return Err(VerbError::UnknownFile(file));
        }
        let pages = world.pages_with(file);
        for page in &pages {
            world.change_file(*page, &file.to_string(), None, now_ms);
        }
        self.tell(&state, |world, happened| {
            happened.extend(pages.iter().map(|page| events::content(world, *page, &[])));
        });
        Ok(())
    }

    /// Gives a block another caption.
    ///
    /// # Errors
    /// If there is no such block.
    pub fn set_caption(&self, id: Uuid, caption: &str) -> Result<(), VerbError> {
        let now_ms = self.now_ms();
        let mut state = self.state_mut();
        let Found::Block(page, ordinal) = state.found(id)? else {
            return Err(VerbError::WrongKind { id, kind: "page or database", verb: "given a caption" });
        };
        let mut payload =
            state.world.block_of_mut(page, ordinal).map_or(Value::Null, |block| block.payload.clone());
        if payload.get("caption").is_none() {
            return Err(VerbError::WrongKind {
                id,
                kind: "block of a type without one",
                verb: "given a caption",
            });
        }
        payload["caption"] = rich_text::plain(caption);
        state.world.set_block(page, ordinal, payload, now_ms);
        self.tell(&state, |world, happened| happened.push(events::content(world, page, &[id])));
        Ok(())
    }

    /// Name and content of a file, without its signed URL.
    #[must_use]
    pub fn file(&self, id: Uuid) -> Option<(String, Bytes)> {
        let state = self.state();
        let found =
            hosted(&state.world, Host::Notion, id).or_else(|| hosted(&state.world, Host::External, id))?;
        Some((found.name, found.content.load()))
    }

    /// Lets coming requests for files fail.
    pub fn push_file_fault(&self, fault: FileFault) {
        self.file_faults().push(fault);
    }

    /// Lets requests for files fail at random, in place of what was random before.
    pub fn set_random_file_faults(&self, random: RandomFileFaults) {
        self.file_faults().set_random(random);
    }

    /// Forgets the faults of files still to come.
    pub fn clear_file_faults(&self) {
        self.file_faults().clear();
    }

    /// The requests that the hosts of files answered so far, oldest first.
    #[must_use]
    pub fn file_requests(&self) -> Vec<FileRequest> {
        self.file_log().entries().cloned().collect()
    }

    /// The log of the file hosts with its counts, as `GET /_emulator/file-requests` shows it.
    #[must_use]
    pub fn file_report(&self) -> Value {
        self.file_log().report()
    }

    /// Forgets the log of the file hosts.
    pub fn clear_file_requests(&self) {
        self.file_log().clear();
    }
}
