//! Text to words, as a tokenizer's pattern cuts it. Merges never cross a word's edge.
//!
//! ```text
//! 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! ```
//! Every byte of the text is in exactly one word, so nothing is lost between them.
//! [`plain`] is the pattern to be read, [`gpt2`] the same by the byte; tests hold the two equal.

mod gpt2;
mod kinds;
pub(crate) mod metaspace;
mod plain;
mod regex;
mod steps;

use crate::error::Result;
use kinds::{KIND_OF, marked, of_category};
pub use plain::{Words, words};
pub(crate) use regex::Dialect;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use steps::Steps;
pub(crate) use steps::{Behavior, Pattern, Step};

/// A pattern that says of any place where a word starts where that word ends.
pub(crate) trait Split {
    /// The end of the word of `text` that starts at `start`, which is before the end of `text`; above `start`.
    fn word_end(&self, text: &str, start: usize) -> usize;
}

/// How a tokenizer cuts a text into words.
#[derive(Clone, Debug, Default)]
pub(crate) enum Splitter {
    /// A text is one word.
    Whole,
    #[default]
    Gpt2,
    /// `Metaspace`: every `▁` begins a word.
    Marks,
    /// Every run of `▁` begins a word; see [`crate::model::Model::cuts_at_marks`].
    RunsOfMarks,
    Steps(Arc<Steps>),
}

impl Splitter {
    /// What these pre-tokenizers do, one after the other; by hand if the pattern is a known one.
    ///
    /// # Errors
    /// If a pattern is broken or needs what cannot be run exactly and in linear time; the message names it.
    pub(crate) fn of(steps: &[Step]) -> Result<Self> {
        const SPELL: Step = Step::ByteLevel {
            use_regex: false,
            add_prefix_space: false,
        };
        Ok(match steps {
            [rest @ .., SPELL] if !rest.iter().any(Step::is_byte_level) => Self::of(rest)?,
            [] => Self::Whole,
            [
                Step::ByteLevel {
                    use_regex: true,
                    add_prefix_space: false,
                },
            ] => Self::Gpt2,
            _ => Self::by_steps(steps)?,
        })
    }

    /// The same, one step after the other whatever the pattern: what the ways by hand are held to.
    pub(crate) fn by_steps(steps: &[Step]) -> Result<Self> {
        Ok(Self::Steps(Arc::new(Steps::new(steps)?)))
    }

    /// The words of `text`, to be taken some at a time.
    pub(crate) fn cut<'t>(&self, text: &'t str) -> Cut<'t, '_> {
        let mut cut = Cut {
            splitter: self,
            text,
            at: 0,
            bytes: Cow::Borrowed(text.as_bytes()),
            ends: vec![],
            sources: None,
        };
        if let Self::Steps(steps) = self {
            let pieces = steps.cut(text);
            (cut.bytes, cut.ends, cut.sources) = (pieces.bytes, pieces.ends, pieces.sources);
        }
        cut
    }
}

/// A text on its way to words.
#[derive(Clone, Debug)]
pub(crate) struct Cut<'t, 's> {
    splitter: &'s Splitter,
    text: &'t str,
    /// Up to here the words have been taken: bytes of the text, or words of `ends`.
    at: usize,
    bytes: Cow<'t, [u8]>,
    ends: Vec<usize>,
    sources: Option<Vec<(usize, bool)>>,
}

impl Cut<'_, '_> {
    /// What the words are words of: the text, save for pre-tokenizers that drop parts of it or put a space in front.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the next words end, as many as fit into `ends`, and their number: 0 when the text is done. The first word starts
    /// where the last one of the call before ended, each other where the one before it ends.
    #[inline]
    pub(crate) fn next_ends(&mut self, ends: &mut [usize]) -> usize {
        match self.splitter {
            Splitter::Gpt2 => self.next_ends_of(&gpt2::Gpt2, ends),
            Splitter::Whole => self.next_ends_of(&Whole, ends),
            Splitter::Marks => self.next_ends_of(&metaspace::Marks, ends),
            Splitter::RunsOfMarks => self.next_ends_of(&metaspace::RunsOfMarks, ends),
            Splitter::Steps(_) => {
                let count = ends.len().min(self.ends.len() - self.at);
                ends[..count].copy_from_slice(&self.ends[self.at..self.at + count]);
                self.at += count;
                count
            }
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

    /// Where the byte `at` of [`Cut::bytes`] stood in the text; for one that was put in, where what follows it stood. At the
    /// end of a word that is where the word ended, before anything that was dropped behind it.
    pub(crate) fn source(&self, at: usize) -> usize {
        let Some(sources) = &self.sources else { return at };
        let word = self.ends.partition_point(|&end| end < at);
        let Some(&(source, is_prefixed)) = sources.get(word) else {
            return self.text.len();
        };
        let start = word.checked_sub(1).map_or(0, |before| self.ends[before]);
        source + (at - start).saturating_sub(usize::from(is_prefixed))
    }
}

/// No pattern: the text is a word.
struct Whole;

impl Split for Whole {
    fn word_end(&self, text: &str, _: usize) -> usize {
        text.len()
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

/// What GPT-2's pattern can tell apart in every scalar; 1.1 MB, of which a text touches only the pages of its scripts.
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let [letters, numbers, spaces] = [of_category("L"), of_category("N"), marked("space")];
    let kind = |&kind: &u8| match 1 << kind {
        set if set & letters != 0 => Kind::Letter,
        set if set & numbers != 0 => Kind::Number,
        set if set & spaces != 0 => Kind::Space,
        _ => Kind::Other,
    };
    KIND_OF.iter().map(kind).collect()
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
}
