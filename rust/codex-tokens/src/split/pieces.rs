//! The pieces a text has been cut into, while it is cut and when it is.

use crate::alphabet;
use std::borrow::Cow;
use std::ops::Range;

/// A piece of the text as it stands now, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    /// Where its first byte stood in the text, or would have stood.
    pub(super) source: usize,
    /// Its first byte is a space put in front.
    pub(super) is_prefixed: bool,
}

/// The words of a text: contiguous in `bytes`.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'t> {
    pub(super) bytes: Cow<'t, [u8]>,
    pub(super) ends: Vec<usize>,
    /// Where each piece came from, if `bytes` is not the text itself: where its first byte stood, and whether that was added.
    pub(super) sources: Option<Vec<(usize, bool)>>,
}

impl Pieces<'_> {
    /// As [`super::Cut::source`].
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        let Some(sources) = &self.sources else {
            return range;
        };
        let place = |word: usize, at: usize| {
            let word = word.min(sources.len() - 1);
            let (source, is_prefixed) = sources[word];
            let start = word.checked_sub(1).map_or(0, |before| self.ends[before]);
            source + at.saturating_sub(start + usize::from(is_prefixed))
        };
        if sources.is_empty() {
            return 0..0;
        }
        // Between two words may stand what was dropped: the first byte is of the word that begins, the last of the one that ends.
        let start = place(self.ends.partition_point(|&end| end <= range.start), range.start);
        let end = place(self.ends.partition_point(|&end| end < range.end), range.end);
        start..end.max(start + 1)
    }
}

/// A new text of the pieces alone, each changed by `change`, to which they then point.
fn rewritten(text: &str, pieces: &mut [Piece], change: impl Fn(&mut String, &str, &mut Piece)) -> String {
    let mut new = String::with_capacity(text.len() + pieces.len());
    for piece in pieces {
        let start = new.len();
        let range = piece.range.clone();
        change(&mut new, &text[range], piece);
        piece.range = start..new.len();
    }
    new
}

/// A text with a space in front of every piece that begins with none.
pub(super) fn prefixed(text: &str, pieces: &mut [Piece]) -> String {
    rewritten(text, pieces, |new, inside, piece| {
        if !inside.starts_with(' ') {
            new.push(' ');
            piece.is_prefixed = true;
        }
        new.push_str(inside);
    })
}

/// A text with a letter for every byte.
pub(super) fn spelt(text: &str, pieces: &mut [Piece]) -> String {
    rewritten(text, pieces, |new, inside, _| {
        new.push_str(&alphabet::spell(inside.as_bytes()));
    })
}

/// The bytes that a spelt text stands for: one for each letter.
pub(super) fn spelt_bytes(text: &str) -> usize {
    text.chars().count()
}

/// The words that `pieces` of `current` are; `current` is the text itself unless something was put in, dropped or spelt.
pub(super) fn finished<'t>(current: &Cow<'t, str>, pieces: &[Piece], is_spelt: bool) -> Pieces<'t> {
    let end = pieces.iter().try_fold(0, |at, piece| {
        (piece.range.start == at).then_some(piece.range.end)
    });
    if let &Cow::Borrowed(text) = current
        && end == Some(text.len())
    {
        let ends = pieces.iter().map(|piece| piece.range.end).collect();
        return Pieces {
            bytes: Cow::Borrowed(text.as_bytes()),
            ends,
            sources: None,
        };
    }
    let mut bytes = Vec::with_capacity(current.len());
    let mut ends = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let inside = &current[piece.range.clone()];
        if is_spelt {
            bytes.extend(alphabet::unspell(inside).unwrap_or_default());
        } else {
            bytes.extend_from_slice(inside.as_bytes());
        }
        ends.push(bytes.len());
    }
    let sources = pieces
        .iter()
        .map(|piece| (piece.source, piece.is_prefixed))
        .collect();
    Pieces {
        bytes: Cow::Owned(bytes),
        ends,
        sources: Some(sources),
    }
}
