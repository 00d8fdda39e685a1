//! Texts cut where highlights begin and end, so that a template can escape each piece and mark some.

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) text: &'a str,
    pub(super) is_match: bool,
}

/// Cuts `text` at `highlights` (bytes, in order). All of the text comes back; a range that cannot be (outside of the
/// text, inside of a character, before the one before it) marks nothing.
pub(super) fn segments<'a>(text: &'a str, highlights: &[[usize; 2]]) -> Vec<Segment<'a>> {
    let mut pieces = Vec::with_capacity(2 * highlights.len() + 1);
    let mut done = 0;
    for &[start, end] in highlights {
        if start < done || start >= end {
            continue;
        }
        let (Some(before), Some(matched)) = (text.get(done..start), text.get(start..end)) else { continue };
        pieces.push(Segment { text: before, is_match: false });
        pieces.push(Segment { text: matched, is_match: true });
        done = end;
    }
    pieces.push(Segment { text: text.get(done..).unwrap_or_default(), is_match: false });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, highlights: &[[usize; 2]]) -> String {
        let pieces = segments(text, highlights);
        pieces
            .iter()
            .map(|piece| if piece.is_match { format!("[{}]", piece.text) } else { piece.text.to_owned() })
            .collect()
    }

    #[test]
    fn matches_are_cut_out_and_nothing_is_lost() {
        assert_eq!(shown("back up the backup", &[[0, 7], [12, 18]]), "[back up] the [backup]");
        assert_eq!(shown("議事録を読む", &[[0, 9]]), "[議事録]を読む");
        assert_eq!(shown("plain", &[]), "plain");
        assert_eq!(shown("", &[]), "");
    }

    #[test]
    fn ranges_that_cannot_be_mark_nothing() {
        for wrong in [[1, 3], [0, 99], [50, 60], [3, 3], [6, 3]] {
            assert_eq!(shown("議事録", &[wrong]), "議事録", "{wrong:?}");
        }
        assert_eq!(shown("one two", &[[0, 3], [2, 5], [4, 7]]), "[one] [two]");
    }
}
