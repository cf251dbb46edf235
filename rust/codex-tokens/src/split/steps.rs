//! A text cut by a list of pre-tokenizers, each cutting the pieces of the one before it, as `tokenizers` does it.
//!
//! Most lists end in words that stand one behind the other in the text. Some drop a part of it, put a space in front, or cut
//! inside a character; words are then those of a text made for them, which knows where each came from.

use super::kinds::{KIND_OF, KindSet, marked};
use super::pieces::{Piece, Pieces, finished, prefixed, spelt, spelt_bytes};
use super::regex::{Dialect, Regex};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::ops::Range;

/// One pre-tokenizer, as `tokenizer.json` has it. A `Sequence` is a list of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Split {
        pattern: Pattern,
        behavior: Behavior,
        invert: bool,
    },
    ByteLevel {
        use_regex: bool,
        add_prefix_space: bool,
    },
    Digits {
        individual: bool,
    },
    Punctuation {
        behavior: Behavior,
    },
    Whitespace,
    WhitespaceSplit,
}

impl Step {
    pub(crate) fn is_byte_level(&self) -> bool {
        matches!(self, Self::ByteLevel { .. })
    }
}

/// What a [`Step::Split`] looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Regex(String, Dialect),
    Literal(String),
}

/// What becomes of that which has been found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// GPT-2's pattern, which `ByteLevel` has built in.
pub(crate) const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// A list of steps, ready to be run.
#[derive(Debug)]
pub(crate) struct Steps(Vec<Action>);

#[derive(Debug)]
enum Action {
    Cut {
        finder: Finder,
        behavior: Behavior,
        invert: bool,
    },
    /// A space in front of every piece that begins with none.
    PrefixSpace,
    /// Every byte becomes a letter of its own, and what comes after sees those.
    Spell,
}

#[derive(Debug)]
enum Finder {
    Regex(Box<Regex>),
    Literal(String),
    /// Every scalar of these kinds.
    Kinds(KindSet),
}

impl Steps {
    /// # Errors
    /// If a pattern cannot be run, or `ByteLevel` comes twice.
    pub(super) fn new(steps: &[Step]) -> Result<Self> {
        let mut actions = Vec::new();
        let mut is_spelt = false;
        let cut = |finder, behavior, invert| Action::Cut {
            finder,
            behavior,
            invert,
        };
        let regex =
            |pattern: &str, dialect| Ok::<_, Error>(Finder::Regex(Box::new(Regex::new(pattern, dialect)?)));
        for (at, step) in steps.iter().enumerate() {
            match step {
                Step::Split {
                    pattern: Pattern::Regex(pattern, dialect),
                    behavior,
                    invert,
                } => {
                    actions.push(cut(regex(pattern, *dialect)?, *behavior, *invert));
                }
                Step::Split {
                    pattern: Pattern::Literal(literal),
                    behavior,
                    invert,
                } => {
                    actions.push(cut(Finder::Literal(literal.clone()), *behavior, *invert));
                }
                Step::ByteLevel {
                    use_regex,
                    add_prefix_space,
                } => {
                    if std::mem::replace(&mut is_spelt, true) {
                        return Err(Error::tokenizer("pre_tokenizer", "has `ByteLevel` twice"));
                    }
                    if *add_prefix_space {
                        actions.push(Action::PrefixSpace);
                    }
                    if *use_regex {
                        actions.push(cut(regex(GPT2, Dialect::Oniguruma)?, Behavior::Isolated, false));
                    }
                    if at + 1 < steps.len() {
                        actions.push(Action::Spell);
                    }
                }
                Step::Digits { individual } => {
                    let behavior = if *individual {
                        Behavior::Isolated
                    } else {
                        Behavior::Contiguous
                    };
                    actions.push(cut(Finder::Kinds(marked("digit")), behavior, false));
                }
                Step::Punctuation { behavior } => {
                    actions.push(cut(Finder::Kinds(marked("punctuation")), *behavior, false));
                }
                Step::Whitespace => {
                    // `\w+|[^\w\s]+`, whatever it does not match being dropped.
                    actions.push(cut(Finder::Kinds(marked("space")), Behavior::Removed, false));
                    actions.push(cut(Finder::Kinds(marked("term")), Behavior::Contiguous, false));
                }
                Step::WhitespaceSplit => {
                    actions.push(cut(Finder::Kinds(marked("space")), Behavior::Removed, false));
                }
            }
        }
        Ok(Self(actions))
    }

    /// The words of `text`.
    pub(super) fn cut<'t>(&self, text: &'t str) -> Pieces<'t> {
        let mut current = Cow::Borrowed(text);
        let mut is_spelt = false;
        let whole = Piece {
            range: 0..text.len(),
            source: 0,
            is_prefixed: false,
        };
        let mut pieces = if text.is_empty() { vec![] } else { vec![whole] };
        for action in &self.0 {
            match action {
                Action::Cut {
                    finder,
                    behavior,
                    invert,
                } => {
                    let unit = if is_spelt { spelt_bytes } else { str::len };
                    pieces = cut_all(&current, &pieces, finder, *behavior, *invert, unit);
                }
                Action::PrefixSpace => current = prefixed(&current, &mut pieces).into(),
                Action::Spell => {
                    current = spelt(&current, &mut pieces).into();
                    is_spelt = true;
                }
            }
        }
        finished(&current, &pieces, is_spelt)
    }
}

fn cut_all(
    text: &str,
    pieces: &[Piece],
    finder: &Finder,
    behavior: Behavior,
    invert: bool,
    unit: fn(&str) -> usize,
) -> Vec<Piece> {
    let mut cut = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let inside = &text[piece.range.clone()];
        // Bytes of the source that stand before the part at hand, and the place up to which they are counted.
        let (mut source, mut counted) = (piece.source, 0);
        for part in parts(finder.matches(inside, invert), behavior) {
            if part.is_empty() {
                continue;
            }
            source += unit(&inside[counted..part.start])
                - usize::from(piece.is_prefixed && counted == 0 && part.start > 0);
            counted = part.start;
            cut.push(Piece {
                range: piece.range.start + part.start..piece.range.start + part.end,
                source,
                is_prefixed: piece.is_prefixed && part.start == 0,
            });
        }
    }
    cut
}

impl Finder {
    /// `text` as ranges one behind the other, each with whether it has been found (or not, if `invert`).
    fn matches(&self, text: &str, invert: bool) -> Vec<(Range<usize>, bool)> {
        let mut all = Vec::new();
        let mut done = 0;
        let found = |range: Range<usize>| {
            if done != range.start {
                all.push((done..range.start, invert));
            }
            done = range.end;
            all.push((range, !invert));
        };
        match self {
            Self::Regex(regex) => regex.find_all(text, found),
            Self::Literal(literal) => text
                .match_indices(literal)
                .map(|(at, literal)| at..at + literal.len())
                .for_each(found),
            Self::Kinds(kinds) => text
                .char_indices()
                .filter(|&(_, scalar)| kinds >> KIND_OF[scalar as usize] & 1 == 1)
                .map(|(at, scalar)| at..at + scalar.len_utf8())
                .for_each(found),
        }
        if done != text.len() {
            all.push((done..text.len(), invert));
        }
        all
    }
}

/// What `behavior` makes of the ranges; the folds of `tokenizers`, empty ranges and all.
fn parts(matches: Vec<(Range<usize>, bool)>, behavior: Behavior) -> Vec<Range<usize>> {
    let mut before = false;
    let mut parts: Vec<Range<usize>> = Vec::with_capacity(matches.len());
    match behavior {
        Behavior::Isolated => parts.extend(matches.into_iter().map(|(range, _)| range)),
        Behavior::Removed => parts.extend(
            matches
                .into_iter()
                .filter(|(_, is_match)| !is_match)
                .map(|(range, _)| range),
        ),
        Behavior::Contiguous | Behavior::MergedWithPrevious => {
            for (range, is_match) in matches {
                let joins = if behavior == Behavior::Contiguous {
                    is_match == before
                } else {
                    is_match && !before
                };
                match parts.last_mut() {
                    Some(last) if joins => last.end = range.end,
                    _ => parts.push(range),
                }
                before = is_match;
            }
        }
        Behavior::MergedWithNext => {
            for (range, is_match) in matches.into_iter().rev() {
                match parts.last_mut() {
                    Some(last) if is_match && !before => last.start = range.start,
                    _ => parts.push(range),
                }
                before = is_match;
            }
            parts.reverse();
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words, and where each came from.
    fn words(steps: &[Step], text: &str) -> Vec<(String, Range<usize>)> {
        let pieces = Steps::new(steps).expect("runs").cut(text);
        let mut start = 0;
        let word = |&end: &usize| {
            let range = std::mem::replace(&mut start, end)..end;
            (
                String::from_utf8_lossy(&pieces.bytes[range.clone()]).into_owned(),
                pieces.source(range),
            )
        };
        pieces.ends.iter().map(word).collect()
    }

    fn spell(use_regex: bool, add_prefix_space: bool) -> Step {
        Step::ByteLevel {
            use_regex,
            add_prefix_space,
        }
    }

    #[test]
    fn words_know_where_they_came_from() {
        let listed = |words: &[(&str, Range<usize>)]| -> Vec<(String, Range<usize>)> {
            words
                .iter()
                .map(|(word, range)| ((*word).to_owned(), range.clone()))
                .collect()
        };
        let digits = Step::Digits { individual: true };
        assert_eq!(
            words(&[Step::Whitespace, spell(true, true)], "a  bc, "),
            listed(&[(" a", 0..1), (" bc", 3..5), (" ,", 5..6)])
        );
        assert_eq!(
            words(&[spell(false, true), digits.clone()], "1a"),
            listed(&[(" ", 0..1), ("1", 0..1), ("a", 1..2)])
        );
        // The third byte of the character is spelt as a superscript, which is a digit.
        assert_eq!(
            words(&[spell(false, false), digits], "\u{4e32}"),
            listed(&[("\u{fffd}", 0..2), ("\u{fffd}", 2..3)])
        );
        assert_eq!(words(&[Step::WhitespaceSplit], " \n "), []);
    }

    #[test]
    fn two_byte_levels_are_refused() {
        let error = Steps::new(&[spell(true, false), spell(false, false)]).expect_err("refused");
        assert!(error.to_string().contains("has `ByteLevel` twice"), "{error}");
    }
}
