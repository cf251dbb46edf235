//! Text to words, as a tokenizer's pattern cuts it. Merges never cross a word's edge.
//!
//! ```text
//! 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! ```
//! Every byte of the text is in exactly one word, so nothing is lost between them.
//! [`plain`] is the pattern to be read, [`gpt2`] the same by the byte; tests hold the two equal.

mod gpt2;
mod plain;

use crate::unicode::{LETTERS, NUMBERS, SPACES};
pub use plain::{Words, words};
use std::sync::LazyLock;

/// A pattern that says of any place where a word starts where that word ends.
pub(crate) trait Split {
    /// The end of the word of `text` that starts at `start`, which is before the end of `text`; above `start`.
    fn word_end(&self, text: &str, start: usize) -> usize;
}

/// The patterns that are known.
#[derive(Clone, Debug, Default)]
pub(crate) enum Splitter {
    #[default]
    Gpt2,
}

impl Splitter {
    /// The words of `text`, to be taken some at a time.
    pub(crate) fn cut<'t>(&self, text: &'t str) -> Cut<'t, '_> {
        Cut {
            splitter: self,
            text,
            at: 0,
        }
    }
}

/// A text on its way to words.
#[derive(Clone, Debug)]
pub(crate) struct Cut<'t, 's> {
    splitter: &'s Splitter,
    text: &'t str,
    at: usize,
}

impl Cut<'_, '_> {
    /// Where the next words end, as many as fit into `ends`, and their number: 0 when the text is done. The first word starts
    /// where the last one of the call before ended, each other where the one before it ends.
    #[inline]
    pub(crate) fn next_ends(&mut self, ends: &mut [usize]) -> usize {
        match self.splitter {
            Splitter::Gpt2 => self.next_ends_of(&gpt2::Gpt2, ends),
        }
    }

    /// One loop for each pattern, so that the pattern is asked for once in many words.
    #[inline]
    fn next_ends_of(&mut self, pattern: &impl Split, ends: &mut [usize]) -> usize {
        let mut count = 0;
        while count < ends.len() && self.at < self.text.len() {
            self.at = pattern.word_end(self.text, self.at);
            ends[count] = self.at;
            count += 1;
        }
        count
    }
}

/// What the pattern can tell apart in a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Other,
    Letter,
    Number,
    Space,
}

/// The kind of every scalar; 1.1 MB, of which a text touches only the pages of its scripts.
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let mut kinds = vec![Kind::Other; 0x11_0000];
    for (ranges, kind) in [
        (LETTERS, Kind::Letter),
        (NUMBERS, Kind::Number),
        (SPACES, Kind::Space),
    ] {
        for &(first, last) in ranges {
            kinds[first as usize..=last as usize].fill(kind);
        }
    }
    kinds
});

/// `'s|'t|'re|'ve|'m|'ll|'d`
fn contraction(text: &[u8]) -> Option<usize> {
    match text {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => Some(2),
        [b'\'', b'r' | b'v', b'e', ..] | [b'\'', b'l', b'l', ..] => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts, with the words they have.
    pub(super) const CASES: &[(&str, &[&str])] = &[
        ("", &[]),
        (" ", &[" "]),
        ("  ", &["  "]),
        ("  a", &[" ", " a"]),
        ("\n\na", &["\n", "\n", "a"]),
        ("\n a", &["\n", " a"]),
        (" \na", &[" ", "\n", "a"]),
        ("a \u{3000}b", &["a", " ", "\u{3000}", "b"]),
        ("a\r\n", &["a", "\r\n"]),
        ("x1\u{2460}y", &["x", "1\u{2460}", "y"]),
        ("it's 'tis'll'Re", &["it", "'s", " '", "tis", "'ll", "'", "Re"]),
        ("''s", &["''", "s"]),
        (" 's", &[" '", "s"]),
        ("\0\0a", &["\0\0", "a"]),
        ("e\u{301}", &["e", "\u{301}"]),
        ("_a", &["_", "a"]),
    ];

    #[test]
    fn a_scalar_has_one_kind() {
        let counted = |kind| KINDS.iter().filter(|&&other| other == kind).count();
        let listed =
            |ranges: &[(u32, u32)]| -> u32 { ranges.iter().map(|(first, last)| last - first + 1).sum() };
        assert_eq!(counted(Kind::Letter), listed(LETTERS) as usize);
        assert_eq!(counted(Kind::Number), listed(NUMBERS) as usize);
        assert_eq!(counted(Kind::Space), listed(SPACES) as usize);
    }
}
