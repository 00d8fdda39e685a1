//! Which block of a body a place in it belongs to, so that a result opens where its snippet is from. Pure.

use crate::model::{NotionId, Passage};
use uuid::Uuid;

/// Begin and end in the text, four bytes each, and the block's id.
const RECORD_BYTES: usize = 24;

/// The passages that know their block, packed: an item may have tens of thousands, and most are never asked for.
pub(super) fn anchors(passages: &[Passage]) -> Vec<u8> {
    let mut packed = Vec::new();
    for passage in passages {
        let (Some(block), Ok(from), Ok(to)) =
            (passage.block_id, u32::try_from(passage.range.start), u32::try_from(passage.range.end))
        else {
            continue;
        };
        packed.extend(from.to_le_bytes());
        packed.extend(to.to_le_bytes());
        packed.extend(block.0.as_bytes());
    }
    packed
}

/// The block of the passage that holds this place of the text.
pub(super) fn block_at(anchors: &[u8], place: usize) -> Option<NotionId> {
    let (records, _) = anchors.as_chunks::<RECORD_BYTES>();
    let begin = |record: &[u8; RECORD_BYTES]| number(record.first_chunk());
    let behind = records.partition_point(|record| begin(record) <= place);
    let record = records.get(behind.checked_sub(1)?)?;
    let end = number(record.get(4..)?.first_chunk());
    let block = Uuid::from_slice(record.get(8..)?).ok()?;
    (place < end).then_some(NotionId(block))
}

fn number(bytes: Option<&[u8; 4]>) -> usize {
    bytes.map_or(0, |bytes| usize::try_from(u32::from_le_bytes(*bytes)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::fixture::id;

    #[test]
    fn a_place_belongs_to_the_passage_around_it() {
        let passage =
            |block: Option<u128>, range| Passage { heading_path: Vec::new(), block_id: block.map(id), range };
        let packed = anchors(&[
            passage(Some(1), 0..10),
            passage(None, 10..20),
            passage(Some(3), 20..30),
            passage(Some(4), 35..40),
        ]);
        let found: Vec<_> = [0, 9, 10, 19, 20, 29, 30, 35, 40].map(|place| block_at(&packed, place)).into();
        let expected = [Some(1), Some(1), None, None, Some(3), Some(3), None, Some(4), None];
        assert_eq!(found, expected.map(|block| block.map(id)));
        assert_eq!(block_at(&[], 0), None);
        assert_eq!(block_at(&packed[..30], 25), None, "what is cut short is not read");
    }
}
