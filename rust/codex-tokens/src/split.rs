//! Text to words: GPT-2's pattern, cut by hand.
//!
//! ```text
//! 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! ```
//! Every byte of the text is in exactly one word, so nothing is lost between them. Merges never cross a word's edge.

use crate::unicode::{LETTERS, NUMBERS, SPACES};
use std::sync::LazyLock;

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

/// The words of `text`, in order; joined they are `text` again.
///
/// ```
/// let words: Vec<&str> = codex_tokens::words("it's  two\n").collect();
/// assert_eq!(words, ["it", "'s", " ", " two", "\n"]);
/// ```
#[must_use]
pub fn words(text: &str) -> Words<'_> {
    Words {
        rest: text,
        kinds: &KINDS,
    }
}

/// The iterator that [`words`] returns.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a str,
    kinds: &'static [Kind],
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (word, rest) = self.rest.split_at(self.word_bytes());
        self.rest = rest;
        Some(word)
    }
}

impl Words<'_> {
    /// Length of the first word of `rest`, which is not empty.
    fn word_bytes(&self) -> usize {
        if let Some(bytes) = contraction(self.rest.as_bytes()) {
            return bytes;
        }
        let lead = usize::from(self.rest.as_bytes()[0] == b' ');
        if let Some(kind) = self.kind_at(lead).filter(|&kind| kind != Kind::Space) {
            return self.run_end(lead, kind);
        }
        self.white_space_bytes()
    }

    /// `\s+(?!\S)|\s+`: a run of white space leaves its last character to the word that follows, unless it is all there is.
    fn white_space_bytes(&self) -> usize {
        let end = self.run_end(0, Kind::Space);
        let last = self.rest[..end].chars().next_back().map_or(0, char::len_utf8);
        if end == self.rest.len() || end == last {
            end
        } else {
            end - last
        }
    }

    /// Where the run of `kind` that starts at byte `start` ends.
    fn run_end(&self, start: usize, kind: Kind) -> usize {
        self.rest[start..]
            .char_indices()
            .find(|&(_, character)| self.kinds[character as usize] != kind)
            .map_or(self.rest.len(), |(bytes, _)| start + bytes)
    }

    fn kind_at(&self, start: usize) -> Option<Kind> {
        self.rest[start..]
            .chars()
            .next()
            .map(|character| self.kinds[character as usize])
    }
}

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

    #[test]
    fn words_are_cut_as_the_pattern_says() {
        let cases: &[(&str, &[&str])] = &[
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
        for (text, expected) in cases {
            assert_eq!(&words(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

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
