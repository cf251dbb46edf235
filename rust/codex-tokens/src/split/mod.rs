//! Text to words, as a tokenizer's pre-tokenizers cut it. Merges never cross a word's edge.
//!
//! [`hand`] cuts the patterns everybody uses, 64 bytes at a time; [`steps`] runs any other list of pre-tokenizers, whose patterns
//! go through [`regex`]. Tests hold the first to the second, and that to matching by definition. [`plain`] is GPT-2's pattern
//! to be read.

mod hand;
mod kinds;
mod known;
pub(crate) mod metaspace;
mod pieces;
mod plain;
mod regex;
mod steps;

use crate::error::Result;
use hand::Hand;
pub(crate) use hand::Known;
use kinds::{KIND_OF, marked, of_category};
pub(crate) use metaspace::MARK;
use pieces::Pieces;
pub use plain::{Words, words};
pub(crate) use regex::{Dialect, Regex};
use std::ops::Range;
use std::sync::{Arc, LazyLock};
use steps::Steps;
pub(crate) use steps::{Behavior, GPT2, Pattern, Step};

/// Whether `scalar` is a letter, as `\p{L}` has it.
pub(crate) fn is_letter(scalar: char) -> bool {
    static LETTERS: LazyLock<kinds::KindSet> = LazyLock::new(|| of_category("L"));
    *LETTERS >> KIND_OF[scalar as usize] & 1 == 1
}

/// How a tokenizer cuts a text into words.
#[derive(Clone, Debug)]
pub(crate) enum Splitter {
    /// A text is one word.
    Whole,
    /// `Metaspace`: every `▁` begins a word.
    Marks,
    /// Every run of `▁` begins a word; see [`crate::model::Model::cuts_at_marks`].
    RunsOfMarks,
    Known(Known),
    Steps(Arc<Steps>),
}

impl Default for Splitter {
    fn default() -> Self {
        Self::Known(Known::Gpt2)
    }
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
            _ => match known::recognized(steps) {
                Some(known) => Self::Known(known),
                None => Self::by_steps(steps)?,
            },
        })
    }

    /// The same, one step after the other whatever the pattern: what the ways by hand are held to.
    pub(crate) fn by_steps(steps: &[Step]) -> Result<Self> {
        Ok(Self::Steps(Arc::new(Steps::new(steps)?)))
    }

    /// The words of `text`, to be taken some at a time.
    pub(crate) fn cut<'t>(&self, text: &'t str) -> Cut<'t> {
        match self {
            Self::Whole => Cut::Walked(text, 0, |text, _| text.len()),
            Self::Marks => Cut::Walked(text, 0, metaspace::word_end),
            Self::RunsOfMarks => Cut::Walked(text, 0, metaspace::word_of_run_end),
            Self::Known(known) => Cut::Hand(text, Hand::new(*known, text)),
            Self::Steps(steps) => Cut::Told(steps.cut(text), 0),
        }
    }
}

/// A text on its way to words.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each text, on the stack"
)]
pub(crate) enum Cut<'t> {
    Hand(&'t str, Hand<'t>),
    /// The text, where its next word starts, and what says of such a place where the word ends.
    Walked(&'t str, usize, fn(&str, usize) -> usize),
    /// All the words, and how many of them have been taken.
    Told(Pieces<'t>, usize),
}

impl Cut<'_> {
    /// What the words are words of: the text, save for pre-tokenizers that drop parts of it or put a space in front.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Hand(text, _) | Self::Walked(text, ..) => text.as_bytes(),
            Self::Told(pieces, _) => &pieces.bytes,
        }
    }

    /// Where the next words end, as many as fit into `ends`, and their number: 0 when the text is done. The first word starts
    /// where the last one of the call before ended, each other where the one before it ends.
    #[inline]
    pub(crate) fn next_ends(&mut self, ends: &mut [usize]) -> usize {
        match self {
            Self::Hand(_, hand) => hand.next_ends(ends),
            Self::Walked(text, at, word_end) => {
                let mut count = 0;
                while count < ends.len() && *at < text.len() {
                    *at = word_end(text, *at);
                    ends[count] = *at;
                    count += 1;
                }
                count
            }
            Self::Told(pieces, taken) => {
                let rest = &pieces.ends[*taken..];
                let count = ends.len().min(rest.len());
                ends[..count].copy_from_slice(&rest[..count]);
                *taken += count;
                count
            }
        }
    }

    /// The bytes of the text that `range` of [`Cut::bytes`] came from. A space that was put in front comes from the byte behind it.
    pub(crate) fn source(&self, range: Range<usize>) -> Range<usize> {
        match self {
            Self::Hand(..) | Self::Walked(..) => range,
            Self::Told(pieces, _) => pieces.source(range),
        }
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
