//! Added tokens: marks in a text that are ids of their own, found before anything is cut into words.
//!
//! They are found as `tokenizers` finds them. Those that are not `normalized` are looked for in the text as it stands. What lies
//! between is normalized, each piece for itself, and there the others are looked for, spelt as the normalizer leaves them.

mod byte_set;
mod find;
mod heads;
mod word;

use crate::normalize::Text;
use find::Finder;
use std::ops::Range;

/// What a file says of an added token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are those of the file")]
pub(crate) struct AddedToken {
    pub(crate) id: u32,
    pub(crate) content: String,
    /// Not where a letter, digit or mark stands beside it.
    pub(crate) single_word: bool,
    /// White space before it is part of it.
    pub(crate) lstrip: bool,
    /// White space behind it is part of it.
    pub(crate) rstrip: bool,
    /// Looked for in the normalized text.
    pub(crate) normalized: bool,
    /// Not ordinary text: what a document must not spell by accident.
    pub(crate) special: bool,
}

impl AddedToken {
    /// A special token without any of the other flags.
    pub(crate) fn special(id: u32, content: String) -> Self {
        Self {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
        }
    }
}

/// The added tokens of one of the two rounds.
#[derive(Debug, Default)]
pub(crate) struct Round {
    finder: Finder,
    /// By the number of the finder.
    tokens: Vec<Found>,
}

/// What is to be known of a token that has been found.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are those of the file")]
struct Found {
    id: u32,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    special: bool,
}

/// A stretch of a text: an added token, or what lies between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) range: Range<usize>,
    pub(crate) token: Option<Mark>,
}

/// An added token in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: u32,
    pub(crate) special: bool,
    /// Where its own text begins, after the white space that it takes in.
    pub(crate) at: usize,
}

impl Round {
    /// The tokens of this round and how they are spelt in it. Of two that are spelt alike the special one is found, then the one
    /// that comes first.
    pub(crate) fn new(mut spelt: Vec<(&AddedToken, String)>) -> Self {
        spelt.sort_by_key(|(token, _)| !token.special);
        let found = |token: &AddedToken| Found {
            id: token.id,
            single_word: token.single_word,
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            special: token.special,
        };
        Self {
            tokens: spelt.iter().map(|(token, _)| found(token)).collect(),
            finder: Finder::new(spelt.into_iter().map(|(_, spelling)| spelling)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Cuts `text` at its added tokens, special ones only if `finds_specials`; without any it is one stretch.
    pub(crate) fn cut(&self, text: &str, finds_specials: bool, mut each: impl FnMut(Stretch)) {
        let mut done = 0;
        let mut from = 0;
        while let Some((at, end, number)) = self.finder.next(text.as_bytes(), from) {
            from = end;
            let token = self.tokens[number];
            if token.special && !finds_specials || token.single_word && !word::stands_alone(text, at..end) {
                continue;
            }
            let (mut start, mut end) = (at, end);
            if token.lstrip {
                start = text[..at].trim_end().len().max(done);
            }
            if token.rstrip {
                end = text.len() - text[end..].trim_start().len();
            }
            if token.lstrip && start >= end {
                continue; // the token before took all of it
            }
            if done < start {
                each(Stretch {
                    range: done..start,
                    token: None,
                });
            }
            let (id, special) = (token.id, token.special);
            let mark = Mark { id, special, at };
            // White space taken in by the token before may hold the beginning of this one, or all of it: then nothing is left that
            // it could take in, and it is no token, unless it takes in nothing.
            if start < end {
                each(Stretch {
                    range: start.max(done).min(end)..end,
                    token: Some(mark),
                });
            }
            done = end;
        }
        if done < text.len() {
            each(Stretch {
                range: done..text.len(),
                token: None,
            });
        }
    }
}

/// A piece of a text on its way to ids.
#[derive(Debug)]
pub(crate) enum Piece<'t> {
    /// Ordinary text, normalized.
    Text(Text<'t>),
    /// An added token, and where it stands in the text.
    Added { mark: Mark, range: Range<usize> },
}

#[cfg(test)]
mod tests;
