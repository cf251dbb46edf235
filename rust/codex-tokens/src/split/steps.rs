//! A text cut by a list of pre-tokenizers, each cutting the pieces of the one before it, as `tokenizers` does it.
//!
//! Most lists end in words that stand one behind the other in the text. Some drop a part of it, put a space in front, or cut
//! inside a character; words are then those of a text made for them, which knows where each came from.

use super::kinds::{KIND_OF, KindSet, marked};
use super::regex::{Dialect, Regex};
use crate::alphabet;
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
    pub(super) fn is_byte_level(&self) -> bool {
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

/// A piece of the text as it stands now, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    range: Range<usize>,
    /// Where its first byte stood in the text, or would have stood.
    source: usize,
    /// Its first byte is a space put in front.
    is_prefixed: bool,
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
    pub(super) fn source(&self, at: usize) -> usize {
        let Some(sources) = &self.sources else { return at };
        let word = self.ends.partition_point(|&end| end < at);
        let Some(&(source, is_prefixed)) = sources.get(word) else {
            return sources.last().map_or(0, |&(source, _)| source);
        };
        let start = word.checked_sub(1).map_or(0, |before| self.ends[before]);
        source + (at - start).saturating_sub(usize::from(is_prefixed))
    }
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

fn prefixed(text: &str, pieces: &mut [Piece]) -> String {
    rewritten(text, pieces, |new, inside, piece| {
        if !inside.starts_with(' ') {
            new.push(' ');
            piece.is_prefixed = true;
        }
        new.push_str(inside);
    })
}

fn spelt(text: &str, pieces: &mut [Piece]) -> String {
    rewritten(text, pieces, |new, inside, _| {
        new.push_str(&alphabet::spell(inside.as_bytes()));
    })
}

/// The bytes that a spelt text stands for: one for each letter.
fn spelt_bytes(text: &str) -> usize {
    text.chars().count()
}

fn finished<'t>(current: &Cow<'t, str>, pieces: &[Piece], is_spelt: bool) -> Pieces<'t> {
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
