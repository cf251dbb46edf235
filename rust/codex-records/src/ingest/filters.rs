//! Which documents are left out, and why; `codex.data.filters` tells what the rules are and says the same.

use codex_text::language_of;

use crate::Quality;

/// What is asked of a document.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// Characters below which it is left out.
    pub minimum_characters: usize,
    /// Characters above which it is.
    pub maximum_characters: Option<usize>,
    /// Words below which it is.
    pub minimum_words: usize,
    /// Languages it may be in; empty for all.
    pub languages: Vec<String>,
    /// Rules it must keep, in the order in which they are asked.
    pub quality: Vec<QualityRule>,
}

/// A rule of Gopher's (Rae et al. 2021, table A1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QualityRule {
    /// Words of 3 to 10 characters on average.
    WordLength,
    /// At most one `#` or ellipsis for ten words.
    Symbols,
    /// At least 80 % of the words have a letter.
    Letters,
    /// At most 90 % of the lines begin with a bullet.
    Bullets,
    /// At most 30 % of the lines end in an ellipsis.
    Ellipses,
    /// At most 30 % of the lines, and 20 % of their characters, stood before.
    RepeatedLines,
}

impl QualityRule {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::WordLength,
        Self::Symbols,
        Self::Letters,
        Self::Bullets,
        Self::Ellipses,
        Self::RepeatedLines,
    ];

    /// Its name in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WordLength => "word_length",
            Self::Symbols => "symbols",
            Self::Letters => "letters",
            Self::Bullets => "bullets",
            Self::Ellipses => "ellipses",
            Self::RepeatedLines => "repeated_lines",
        }
    }

    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// What a text is that breaks it.
    fn why(self) -> &'static str {
        match self {
            Self::WordLength => "words of fewer than 3 or more than 10 letters on average",
            Self::Symbols => "more than one `#` or ellipsis for ten words",
            Self::Letters => "fewer than 80 % of the words have a letter",
            Self::Bullets => "more than 90 % of the lines begin with a bullet",
            Self::Ellipses => "more than 30 % of the lines end in an ellipsis",
            Self::RepeatedLines => "more than 30 % of the lines, or 20 % of their characters, stood before",
        }
    }

    fn is_broken_by(self, text: &Quality) -> bool {
        match self {
            Self::WordLength => !(3 * text.words..=10 * text.words).contains(&text.word_characters),
            Self::Symbols => text.symbols * 10 > text.words,
            Self::Letters => text.words_with_letter * 10 < text.words * 8,
            Self::Bullets => text.bullet_lines * 10 > text.lines * 9,
            Self::Ellipses => text.ellipsis_lines * 10 > text.lines * 3,
            Self::RepeatedLines => {
                text.repeated_lines * 10 > text.lines * 3
                    || text.repeated_characters * 5 > text.line_characters
            }
        }
    }
}

impl Filters {
    /// Why `text` is left out, or none if it stays.
    #[must_use]
    pub fn reason(&self, text: &str) -> Option<String> {
        if text.is_empty() {
            return Some("empty".to_owned());
        }
        if !has_characters(text, self.minimum_characters) {
            return Some(format!(
                "too short: fewer than {} characters",
                self.minimum_characters
            ));
        }
        if let Some(maximum) = self.maximum_characters
            && has_characters(text, maximum.saturating_add(1))
        {
            return Some(format!("too long: more than {maximum} characters"));
        }
        self.worded(text).or_else(|| self.in_no_language(text))
    }

    fn worded(&self, text: &str) -> Option<String> {
        let too_few = || Some(format!("too few words: fewer than {}", self.minimum_words));
        if self.quality.is_empty() {
            let is_enough =
                self.minimum_words == 0 || text.split_whitespace().nth(self.minimum_words - 1).is_some();
            return if is_enough { None } else { too_few() };
        }
        let quality = Quality::of(text);
        if quality.words < self.minimum_words {
            return too_few();
        }
        let broken = self.quality.iter().find(|rule| rule.is_broken_by(&quality))?;
        Some(format!("quality `{}`: {}", broken.name(), broken.why()))
    }

    fn in_no_language(&self, text: &str) -> Option<String> {
        if self.languages.is_empty() {
            return None;
        }
        let language = language_of(text).unwrap_or("unknown");
        let is_wanted = self.languages.iter().any(|wanted| wanted == language);
        (!is_wanted).then(|| format!("language {language}: not one of `data.languages`"))
    }
}

/// Whether `text` has so many characters; counts them only where its bytes leave that open.
fn has_characters(text: &str, wanted: usize) -> bool {
    text.len() >= wanted && (text.len() / 4 >= wanted || text.chars().count() >= wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_says_why() {
        let filters = Filters {
            minimum_characters: 4,
            maximum_characters: Some(60),
            minimum_words: 2,
            languages: vec!["en".to_owned()],
            quality: vec![QualityRule::Symbols],
        };
        for (text, reason) in [
            ("", Some("empty")),
            ("one", Some("too short: fewer than 4 characters")),
            ("äöü", Some("too short: fewer than 4 characters")),
            ("word", Some("too few words: fewer than 2")),
            ("two words in English", None),
            (
                "# ... ##",
                Some("quality `symbols`: more than one `#` or ellipsis for ten words"),
            ),
            (
                "zwei Wörter auf Deutsch",
                Some("language de: not one of `data.languages`"),
            ),
            ("1 2 3", Some("language unknown: not one of `data.languages`")),
            (&"long ".repeat(13), Some("too long: more than 60 characters")),
        ] {
            assert_eq!(filters.reason(text).as_deref(), reason, "{text}");
        }
        let words = Filters {
            minimum_words: 3,
            ..Filters::default()
        };
        assert_eq!(words.reason("a b\n c"), None);
        assert!(words.reason("a b").is_some());
    }

    #[test]
    fn every_rule_is_broken_by_what_it_is_about() {
        for (rule, text) in [
            (QualityRule::WordLength, "a b c d"),
            (QualityRule::Symbols, "one # two"),
            (QualityRule::Letters, "12 34 56 word"),
            (QualityRule::Bullets, "- one two\n* three"),
            (QualityRule::Ellipses, "one two...\nthree"),
            (QualityRule::RepeatedLines, "one two\none two\nthree"),
        ] {
            let filters = Filters {
                quality: vec![rule],
                ..Filters::default()
            };
            let reason = filters.reason(text).expect(text);
            assert!(
                reason.starts_with(&format!("quality `{}`: ", rule.name())),
                "{reason}"
            );
            assert_eq!(filters.reason("whole words stand here\nin several lines"), None);
            assert_eq!(QualityRule::named(rule.name()), Some(rule));
        }
    }
}
