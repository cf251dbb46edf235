//! Text to the text that is encoded: what a tokenizer changes before it looks for words.
//!
//! Every normalizer says which stretches of a text it replaces by what; a text without changes is not copied. From the same
//! list comes the way back, from a byte of the new text to where it was in the old.

mod form;
mod origin;

pub(crate) use form::Form;
pub use form::Unicode;
use origin::Origin;

use crate::error::Result;
use crate::split::{Pattern, Regex};
use std::borrow::Cow;
use std::iter;
use std::ops::Range;
use std::sync::Arc;
use unicode_normalization_alignments::char::is_combining_mark;

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Normalizer {
    Form(Form),
    Lowercase,
    StripAccents,
    Strip { left: bool, right: bool },
    Replace { wanted: Wanted, content: String },
    Prepend(String),
}

/// What [`Normalizer::Replace`] looks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pattern: Pattern,
    /// Of a pattern that is no literal.
    regex: Option<Arc<Regex>>,
}

impl Wanted {
    /// # Errors
    /// If the pattern is a regular expression that cannot be run.
    pub(crate) fn of(pattern: Pattern) -> Result<Self> {
        let regex = match &pattern {
            Pattern::Literal(_) => None,
            Pattern::Regex(regex, dialect) => Some(Arc::new(Regex::new(regex, *dialect)?)),
        };
        Ok(Self { pattern, regex })
    }

    pub(crate) fn literal(text: &str) -> Self {
        Self {
            pattern: Pattern::Literal(text.to_owned()),
            regex: None,
        }
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    fn find_all(&self, text: &str, mut found: impl FnMut(Range<usize>)) {
        match (&self.regex, &self.pattern) {
            (Some(regex), _) => regex.find_all(text, found),
            (None, Pattern::Literal(literal) | Pattern::Regex(literal, _)) => {
                for (start, _) in text.match_indices(literal) {
                    found(start..start + literal.len());
                }
            }
        }
    }
}

impl Normalizer {
    /// Hands `each` the stretches of `text` that change, in order, and what they become.
    fn changes(&self, text: &str, unicode: Unicode, each: &mut dyn FnMut(Range<usize>, &str)) {
        match self {
            Self::Form(form) => form.changes(text, unicode, each),
            Self::Lowercase => {
                let mut lower = String::new();
                for (start, character) in text.char_indices() {
                    lower.clear();
                    lower.extend(character.to_lowercase());
                    let range = start..start + character.len_utf8();
                    if text[range.clone()] != lower {
                        each(range, &lower);
                    }
                }
            }
            Self::StripAccents => {
                for (start, character) in text.char_indices() {
                    // No ASCII character is a mark.
                    if !character.is_ascii() && is_combining_mark(character) {
                        each(start..start + character.len_utf8(), "");
                    }
                }
            }
            Self::Strip { left, right } => {
                let start = text.len() - text.trim_start().len();
                if *left && start > 0 {
                    each(0..start, "");
                }
                let end = text.trim_end().len().max(if *left { start } else { 0 });
                if *right && end < text.len() {
                    each(end..text.len(), "");
                }
            }
            Self::Replace { wanted, content } => wanted.find_all(text, |range| each(range, content)),
            Self::Prepend(prefix) => {
                if !text.is_empty() {
                    each(0..0, prefix);
                }
            }
        }
    }
}

/// How `SentencePiece` marks words, as a pre-tokenizer: spaces become a mark, and one stands at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metaspace {
    pub(crate) replacement: char,
    pub(crate) prepend: Prepend,
    /// Whether a word begins at each mark.
    pub(crate) split: bool,
}

/// Which pieces of a text get a mark in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prepend {
    Always,
    /// Only the piece that the text begins with.
    First,
    Never,
}

impl Metaspace {
    /// `text`, which stands at the start of the whole text if `is_first`.
    pub(crate) fn apply<'t>(&self, text: Text<'t>, is_first: bool) -> Text<'t> {
        let mark = self.replacement.to_string();
        let wants_mark = match self.prepend {
            Prepend::Always => true,
            Prepend::First => is_first,
            Prepend::Never => false,
        };
        let begins_with_mark = text.text.starts_with([' ', self.replacement]);
        let replace = Normalizer::Replace {
            wanted: Wanted::literal(" "),
            content: mark.clone(),
        };
        let text = text.changed(&replace, Unicode::default());
        if wants_mark && !begins_with_mark {
            return text.changed(&Normalizer::Prepend(mark), Unicode::default());
        }
        text
    }
}

/// A piece of text that has been normalized, and where its bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text<'t> {
    pub(crate) text: Cow<'t, str>,
    origin: Origin,
}

impl<'t> Text<'t> {
    /// `text` as it stands from byte `at` on.
    pub(crate) fn plain(text: &'t str, at: usize) -> Self {
        Self {
            text: Cow::Borrowed(text),
            origin: Origin::At(at),
        }
    }

    /// Begins to note where each byte comes from.
    pub(crate) fn aligned(mut self) -> Self {
        if let Origin::At(at) = self.origin {
            self.origin = Origin::Each((at..at + self.text.len()).map(|byte| byte..byte + 1).collect());
        }
        self
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The stretch `range` of it.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let origin = match &self.origin {
            Origin::At(at) => Origin::At(at + range.start),
            Origin::Each(sources) => Origin::Each(sources[range.clone()].to_vec()),
            Origin::Within(whole) => Origin::Within(whole.clone()),
        };
        let text = match &self.text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
            Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
        };
        Self { text, origin }
    }

    /// All of `normalizers`, one after the other.
    pub(crate) fn normalized(self, normalizers: &[Normalizer], unicode: Unicode) -> Self {
        normalizers
            .iter()
            .fold(self, |text, normalizer| text.changed(normalizer, unicode))
    }

    fn changed(self, normalizer: &Normalizer, unicode: Unicode) -> Self {
        let old: &str = &self.text;
        let mut new: Option<(String, Vec<Range<usize>>)> = None;
        let mut done = 0;
        let is_aligned = matches!(self.origin, Origin::Each(_));
        normalizer.changes(old, unicode, &mut |range, replacement| {
            let (text, origins) = new
                .get_or_insert_with(|| (String::with_capacity(old.len() + old.len() / 4 + 16), Vec::new()));
            text.push_str(&old[done..range.start]);
            text.push_str(replacement);
            if is_aligned {
                origins.extend((done..range.start).map(|byte| self.origin.of(byte..byte + 1)));
                let sources = normalizer.sources(old, &range, replacement, unicode);
                for (character, source) in replacement.chars().zip(sources) {
                    let source = self.origin.of(source);
                    origins.extend(iter::repeat_n(source, character.len_utf8()));
                }
            }
            done = range.end;
        });
        let Some((mut text, mut origins)) = new else {
            return self;
        };
        text.push_str(&old[done..]);
        if is_aligned {
            origins.extend((done..old.len()).map(|byte| self.origin.of(byte..byte + 1)));
        }
        let origin = match &self.origin {
            Origin::Each(_) => Origin::Each(origins),
            Origin::Within(whole) => Origin::Within(whole.clone()),
            Origin::At(at) => Origin::Within(*at..at + old.len()),
        };
        Self {
            text: Cow::Owned(text),
            origin,
        }
    }
}

#[cfg(test)]
mod tests;
