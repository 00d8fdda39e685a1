//! What is read because of a webhook's event: pure.
//!
//! An event is a hint and nothing more (developers.notion.com "webhooks-events-delivery": events come late, twice, out of
//! order and not at all). It names an object; what became of it is what Notion says when it is asked.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::config::CommentsChoice;
use crate::model::NotionId;
use crate::store::{Asked, TaskKind};

/// Characters of an event's id that are kept; Notion's are UUIDs.
const MAX_ID: usize = 100;

/// A webhook's event, as far as it is looked at.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// The same in every delivery of the event.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// In which workspace.
    #[serde(default)]
    pub workspace_id: Option<Uuid>,
    #[serde(default)]
    entity: Value,
    #[serde(default)]
    data: Value,
}

impl Event {
    /// Reads an event; none if it is no event.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let event: Self = serde_json::from_slice(body).ok()?;
        (!event.id.is_empty() && event.id.len() <= MAX_ID).then_some(event)
    }

    /// What it asks for.
    pub fn asked(&self, comments: CommentsChoice) -> Asked {
        let Some((object, what)) = self.kind.split_once('.') else { return Asked::Unknown };
        let (kind, anyway) = match (object, what) {
            (
                "page",
                "created" | "content_updated" | "undeleted" | "transcription_block.transcript_deleted",
            ) => (TaskKind::ReadPage, true),
            ("page", "properties_updated" | "moved" | "deleted") => (TaskKind::ReadPage, false),
            // The last two up to version 2025-09-03.
            (
                "database",
                "created" | "moved" | "deleted" | "undeleted" | "content_updated" | "schema_updated",
            ) => (TaskKind::ReadDatabase, false),
            // Names and types of columns are in every row.
            ("data_source", "created" | "undeleted" | "schema_updated") => (TaskKind::ReadDataSource, true),
            // Rows that come, go and change have events of their own.
            ("data_source", "content_updated" | "moved" | "deleted") => (TaskKind::ReadDataSource, false),
            ("comment", "created" | "updated" | "deleted") => {
                return match comments {
                    CommentsChoice::Off => Asked::Nothing,
                    // Those on blocks are asked for along with the blocks alone.
                    choice => {
                        self.read(&self.data["page_id"], TaskKind::ReadPage, choice == CommentsChoice::Blocks)
                    }
                };
            }
            ("page", "locked" | "unlocked")
            | ("view", "created" | "updated" | "deleted")
            | ("file_upload", "created" | "completed" | "expired" | "upload_failed") => {
                return Asked::Nothing;
            }
            _ => return Asked::Unknown,
        };
        self.read(&self.entity["id"], kind, anyway)
    }

    fn read(&self, id: &Value, kind: TaskKind, anyway: bool) -> Asked {
        let id = id.as_str().and_then(|id| Uuid::try_parse(id).ok());
        // A known type without an object says nothing that could be acted on.
        id.map_or(Asked::Unknown, |id| Asked::Read { object: NotionId(id), kind, anyway })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAGE: &str = "0b3c6a1e-7f4d-8d0a-9c11-223344556677";

    fn asked(kind: &str, comments: CommentsChoice) -> Asked {
        let event = json!({"id": "1", "type": kind, "entity": {"id": PAGE, "type": "page"}, "data": {"page_id": PAGE}});
        Event::parse(event.to_string().as_bytes()).unwrap().asked(comments)
    }

    fn read(kind: TaskKind, anyway: bool) -> Asked {
        Asked::Read { object: NotionId(PAGE.parse().unwrap()), kind, anyway }
    }

    #[test]
    fn an_event_asks_for_its_object_and_no_more_of_it_than_may_have_changed() {
        let off = |kind| asked(kind, CommentsChoice::Off);
        assert_eq!(off("page.content_updated"), read(TaskKind::ReadPage, true));
        assert_eq!(off("page.moved"), read(TaskKind::ReadPage, false));
        assert_eq!(off("page.deleted"), read(TaskKind::ReadPage, false), "its word deletes nothing");
        assert_eq!(off("database.created"), read(TaskKind::ReadDatabase, false));
        assert_eq!(off("data_source.schema_updated"), read(TaskKind::ReadDataSource, true));
        assert_eq!(off("data_source.content_updated"), read(TaskKind::ReadDataSource, false));
        for nothing in ["page.locked", "view.updated", "file_upload.completed", "comment.created"] {
            assert_eq!(off(nothing), Asked::Nothing, "{nothing}");
        }
        for unknown in ["page.danced", "moon.full", "page", ""] {
            assert_eq!(off(unknown), Asked::Unknown, "{unknown}");
        }
    }

    #[test]
    fn a_comment_asks_for_its_page_where_comments_are_read() {
        assert_eq!(asked("comment.created", CommentsChoice::Pages), read(TaskKind::ReadPage, false));
        assert_eq!(asked("comment.deleted", CommentsChoice::Blocks), read(TaskKind::ReadPage, true));
    }

    #[test]
    fn what_is_no_event_is_refused_and_an_object_without_a_usable_id_is_not_asked_for() {
        let long = "x".repeat(200);
        for body in [
            "",
            "[]",
            "{}",
            r#"{"id":"","type":"page.created"}"#,
            &format!(r#"{{"id":"{long}","type":"a.b"}}"#),
        ] {
            assert!(Event::parse(body.as_bytes()).is_none(), "{body}");
        }
        let bare = Event::parse(br#"{"id":"1","type":"page.created","entity":[7]}"#).unwrap();
        assert_eq!(bare.asked(CommentsChoice::Off), Asked::Unknown);
    }
}
