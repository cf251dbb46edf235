//! What a text is like, in numbers that rules of quality are written in.
//!
//! The rules are those of Gopher (Rae et al. 2021, table A1). Words are what stands between white space.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// Counts over one text.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quality {
    /// Characters.
    pub characters: usize,
    /// What stands between white space.
    pub words: usize,
    /// Characters that are in words.
    pub word_characters: usize,
    /// Words with a letter.
    pub words_with_letter: usize,
    /// `#`, `...` and `…`.
    pub symbols: usize,
    /// Lines that are not blank.
    pub lines: usize,
    /// Those that begin with a bullet.
    pub bullet_lines: usize,
    /// Those that end in an ellipsis.
    pub ellipsis_lines: usize,
    /// Those that have stood before.
    pub repeated_lines: usize,
    /// Characters of lines, without white space around them.
    pub line_characters: usize,
    /// Characters of those lines that have stood before.
    pub repeated_characters: usize,
}

impl Quality {
    /// Counts.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut counted = Self {
            characters: characters(text),
            ..Self::default()
        };
        // The standard hasher without a seed: nothing of it is told, only how many are equal.
        let mut seen: HashSet<&str, BuildHasherDefault<DefaultHasher>> = HashSet::default();
        for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
            counted.lines += 1;
            counted.bullet_lines += usize::from(line.starts_with(['•', '‣', '◦', '●', '-', '*']));
            counted.ellipsis_lines += usize::from(line.ends_with("...") || line.ends_with('…'));
            let length = characters(line);
            counted.line_characters += length;
            if !seen.insert(line) {
                counted.repeated_lines += 1;
                counted.repeated_characters += length;
            }
            for word in line.split_whitespace() {
                counted.words += 1;
                counted.word_characters += characters(word);
                counted.words_with_letter += usize::from(has_letter(word));
            }
        }
        counted.symbols = memchr::memchr_iter(b'#', text.as_bytes()).count()
            + memchr::memmem::find_iter(text.as_bytes(), "...").count()
            + memchr::memmem::find_iter(text.as_bytes(), "…").count();
        counted
    }
}

fn has_letter(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_alphabetic()) || word.chars().any(char::is_alphabetic)
}

fn characters(text: &str) -> usize {
    text.bytes().filter(|byte| byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_what_it_says() {
        let text = "# Häuser und\n- eins ...\n\n- zwei…\n - zwei…\n7 8 9\n";
        assert_eq!(
            Quality::of(text),
            Quality {
                characters: 48,
                words: 13,
                word_characters: 33,
                words_with_letter: 5,
                symbols: 4,
                lines: 5,
                bullet_lines: 3,
                ellipsis_lines: 3,
                repeated_lines: 1,
                line_characters: 41,
                repeated_characters: 7,
            }
        );
        assert_eq!(Quality::of(""), Quality::default());
        assert_eq!(Quality::of(" \n\t\n").lines, 0);
    }
}
