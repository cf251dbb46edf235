//! GPT-2's pattern as it reads, scalar by scalar.

use super::{KINDS, Kind, contraction};

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

#[cfg(test)]
mod tests {
    use super::super::tests::CASES;
    use super::*;

    #[test]
    fn words_are_cut_as_the_pattern_says() {
        for (text, expected) in CASES {
            assert_eq!(&words(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }
}
