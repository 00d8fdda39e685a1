//! Which segments are merged: as tantivy's logarithmic policy says, as far as memory goes.
//!
//! A merge reads its sources through mappings, which count as resident while it runs. So what one merge reads is bounded, and
//! large segments stay as they are: an index of two gigabytes has some twenty of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{LogMergePolicy, MergeCandidate, MergePolicy};

/// Bytes that one merge reads at most.
const MAX_MERGE_BYTES: u64 = 128 << 20;
/// Segments below this many documents are one layer to the merge policy: every eighth small delivery merges them. A full
/// delivery of the pump makes a segment of that size, so that in a crawl each document is merged twice, and not again with
/// every eighth delivery.
const MIN_LAYER_DOCS: u32 = 1_000;
/// A segment with this share of deleted entries is rewritten: they cost space and skew term statistics.
const MAX_DELETED_SHARE: f32 = 0.3;

/// The policy of an index in that folder. Of one that is not on a disk no merge is too large.
#[derive(Debug)]
pub(super) struct BoundedMerges {
    layers: LogMergePolicy,
    folder: PathBuf,
}

impl BoundedMerges {
    pub(super) fn of(folder: &Path) -> Self {
        let mut layers = LogMergePolicy::default();
        layers.set_min_layer_size(MIN_LAYER_DOCS);
        layers.set_del_docs_ratio_before_merge(MAX_DELETED_SHARE);
        Self { layers, folder: folder.to_owned() }
    }

    /// Bytes of each segment, whose files are named by its id. A folder that cannot be read, or is none, has no sizes.
    fn sizes(&self) -> BTreeMap<String, u64> {
        let mut sizes = BTreeMap::new();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let (Some((segment, _)), Ok(file)) =
                (name.to_str().and_then(|name| name.split_once('.')), entry.metadata())
            else {
                continue;
            };
            *sizes.entry(segment.to_owned()).or_insert(0) += file.len();
        }
        sizes
    }
}

impl MergePolicy for BoundedMerges {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let layers = self.layers.compute_merge_candidates(segments);
        if layers.is_empty() {
            return layers;
        }
        let sizes = self.sizes();
        let sized = |id: SegmentId| {
            let segment = segments.iter().find(|segment| segment.id() == id)?;
            Some((sizes.get(&id.uuid_string()).copied().unwrap_or_default(), segment))
        };
        let layers = layers.into_iter().map(|MergeCandidate(layer)| layer.into_iter().filter_map(sized));
        layers.flat_map(|layer| within(layer.collect(), MAX_MERGE_BYTES)).collect()
    }
}

/// Of the segments of one layer the smallest that are read together within the bound; where not even two are, those that
/// are to be rewritten for what was deleted in them, one by one.
fn within(mut layer: Vec<(u64, &SegmentMeta)>, most: u64) -> Vec<MergeCandidate> {
    layer.sort_by_key(|(bytes, _)| *bytes);
    let mut left = most;
    let fits = layer.iter().take_while(|(bytes, _)| {
        let fits = *bytes <= left;
        left = left.saturating_sub(*bytes);
        fits
    });
    let together: Vec<SegmentId> = fits.map(|(_, segment)| segment.id()).collect();
    if together.len() > 1 {
        return vec![MergeCandidate(together)];
    }
    let deleted = layer.iter().filter(|(_, segment)| {
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = segment.num_deleted_docs() as f32 / segment.max_doc().max(1) as f32;
        share > MAX_DELETED_SHARE
    });
    deleted.map(|(_, segment)| MergeCandidate(vec![segment.id()])).collect()
}

#[cfg(test)]
mod tests {
    use tantivy::Index;
    use tantivy::schema::Schema;

    use super::*;

    #[test]
    fn no_merge_reads_more_than_the_bound_and_deleted_entries_go_all_the_same() {
        let index = Index::create_in_ram(Schema::builder().build());
        let segment = |docs| index.new_segment_meta(SegmentId::generate_random(), docs);
        let (small, middle, large) = (segment(100), segment(100), segment(100));
        let ids = |candidates: Vec<MergeCandidate>| {
            candidates.into_iter().map(|MergeCandidate(ids)| ids).collect::<Vec<_>>()
        };
        let layer = vec![(90, &large), (10, &small), (30, &middle)];
        assert_eq!(ids(within(layer.clone(), 130)), [vec![small.id(), middle.id(), large.id()]]);
        assert_eq!(ids(within(layer.clone(), 100)), [vec![small.id(), middle.id()]]);
        assert!(ids(within(layer, 39)).is_empty());
        let outdated = segment(100).with_delete_meta(40, 7);
        assert_eq!(ids(within(vec![(90, &outdated), (80, &middle)], 100)), [vec![outdated.id()]]);
    }
}
