//! Words of a text whose spaces are marks, `▁`, as `SentencePiece` writes them.

use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What stands for a space.
pub(crate) const MARK: char = '\u{2581}';

static FIND_MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\u{2581}"));

/// The end of the word of `text` that starts at `start`, every mark beginning one: the pre-tokenizer `Metaspace`.
pub(super) fn word_end(text: &str, start: usize) -> usize {
    let rest = start + text[start..].chars().next().map_or(0, char::len_utf8);
    mark_at(text, rest).unwrap_or(text.len())
}

/// The same, marks side by side beginning a word together. Nothing in a tokenizer's file says so: a text that is one word may be
/// cut there if no merge joins a mark to anything else before it.
pub(super) fn word_of_run_end(text: &str, start: usize) -> usize {
    let run = text[start..].len() - text[start..].trim_start_matches(MARK).len();
    mark_at(text, start + run).unwrap_or(text.len())
}

/// Where the first mark at or after `start` stands.
fn mark_at(text: &str, start: usize) -> Option<usize> {
    FIND_MARK
        .find(&text.as_bytes()[start..])
        .map(|found| start + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(word_end: fn(&str, usize) -> usize, text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = word_end(text, start);
            words.push(&text[start..end]);
            start = end;
        }
        words
    }

    #[test]
    fn a_word_begins_at_every_mark_or_at_every_run_of_them() {
        let text = "é▁a▁▁▁bc▁";
        assert_eq!(words(word_end, text), ["é", "▁a", "▁", "▁", "▁bc", "▁"]);
        assert_eq!(words(word_of_run_end, text), ["é", "▁a", "▁▁▁bc", "▁"]);
        assert_eq!(words(word_of_run_end, "▁▁"), ["▁▁"]);
    }
}
