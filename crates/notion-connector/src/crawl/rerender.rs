//! Rendering again what an older version rendered, from what the store keeps: nothing is asked of Notion.

use jiff::Timestamp;

use super::files::FilePolicy;
use super::snapshot::finish;
use crate::config::{Config, FileSettings};
use crate::render::RENDERER_VERSION;
use crate::store::{Store, StoreError};

/// Items read from the store at once.
const BATCH: u32 = 50;

/// Renders every item that another version of the renderer made. Returns how many. One whose kept object cannot be decoded
/// stays as it is, for a crawl to read again.
///
/// # Errors
/// When the store cannot be used.
pub fn rerender(store: &Store, config: &Config, now: Timestamp) -> Result<u64, StoreError> {
    // Which of its files are wanted is for the next crawl to say; here they become known.
    let settings = FileSettings::of(config);
    let hosts = config.files.test_hosts.as_slice();
    let policy = FilePolicy { settings: &settings, hosts, reads_images: true, item_limit: u64::MAX };
    rerender_under(store, Some(&policy), now)
}

/// The same, with the files of pages judged by this policy.
pub(super) fn rerender_under(
    store: &Store,
    policy: Option<&FilePolicy<'_>>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let (mut after, mut rendered) = (0, 0);
    if !store.has_outdated(RENDERER_VERSION)? {
        return Ok(0);
    }
    loop {
        let outdated = store.load_outdated(RENDERER_VERSION, after, BATCH)?;
        let Some((_, last)) = outdated.last() else { return Ok(rendered) };
        after = last.row;
        for (workspace, row) in &outdated {
            if let Some(finished) = finish(row, row.read.as_ref(), *workspace, policy) {
                store.save_rendered_again(row.row, &finished, now)?;
                rendered += 1;
            }
        }
    }
}
