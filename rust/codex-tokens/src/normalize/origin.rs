//! Where normalized text comes from, byte by byte, as `tokenizers` 0.23.3 has it.

use super::{Normalizer, Unicode};
use std::iter;
use std::ops::Range;

/// Where the bytes of a piece stood in the text it was cut from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Side by side from here on.
    At(usize),
    /// The stretch that each byte comes from.
    Each(Vec<Range<usize>>),
    /// Nobody asked, and bytes have moved; the whole piece stood here.
    Within(Range<usize>),
}

impl Origin {
    /// Where `range` of the piece comes from.
    pub(crate) fn of(&self, range: Range<usize>) -> Range<usize> {
        match self {
            Self::At(start) => start + range.start..start + range.end,
            Self::Within(whole) => whole.clone(),
            Self::Each(sources) => {
                let Some(first) = sources.get(range.start).or(sources.last()) else {
                    return 0..0;
                };
                let last = range.end.checked_sub(1).and_then(|last| sources.get(last));
                let end = last
                    .filter(|_| !range.is_empty())
                    .map_or(first.start, |last| last.end);
                first.start..end.max(first.start)
            }
        }
    }
}

impl Normalizer {
    /// The stretch of `text` that each character of `new` comes from, which `range` of it has become.
    ///
    /// What stands for several characters comes from one of them: what a literal or an expression is replaced by from its last,
    /// what is composed from its first. What is put in front comes from the character that it stands before.
    pub(super) fn sources(
        &self,
        text: &str,
        range: &Range<usize>,
        new: &str,
        unicode: Unicode,
    ) -> Vec<Range<usize>> {
        let old = &text[range.clone()];
        let source = match self {
            Self::Form(form) => {
                let mut sources = form.sources(old, unicode);
                for source in &mut sources {
                    *source = range.start + source.start..range.start + source.end;
                }
                return sources;
            }
            Self::Replace { .. } => {
                let last = text[..range.end].chars().next_back().map_or(0, char::len_utf8);
                range.end - last..range.end
            }
            Self::Prepend(_) => 0..text.chars().next().map_or(0, char::len_utf8),
            Self::Lowercase | Self::StripAccents | Self::Strip { .. } => range.clone(),
        };
        iter::repeat_n(source, new.chars().count()).collect()
    }
}
