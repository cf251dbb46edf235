//! White space left out where ids come from, as the post-processors of a file ask for (`trim_offsets`).

use crate::alphabet;
use crate::template::Processor;

/// What the post-processors leave out, one after the other.
#[derive(Debug)]
pub(crate) struct Trim {
    /// Of each that trims, whether a lone space at the start of the text was put there, which is not to be left out.
    keeps_space: Vec<bool>,
}

impl Trim {
    pub(crate) fn of(processors: &[Processor]) -> Self {
        Self {
            keeps_space: processors.iter().filter_map(Processor::trims).collect(),
        }
    }

    /// Whether nothing is left out.
    pub(crate) fn is_empty(&self) -> bool {
        self.keeps_space.is_empty()
    }

    /// The `span` of `text` that a token comes from without as many characters as there are white ones at the ends of the token,
    /// as `tokenizers` does: it looks at the token, not at the text.
    pub(crate) fn narrow(
        &self,
        text: &str,
        token: &str,
        is_first: bool,
        mut span: (usize, usize),
    ) -> (usize, usize) {
        let (leading, trailing) = white_ends(token);
        for &keeps_space in &self.keeps_space {
            let is_kept = keeps_space && leading == 1 && (is_first || span.0 == 0);
            span = narrowed(text, span, if is_kept { 0 } else { leading }, trailing);
        }
        span
    }
}

/// The number of white characters that `token` begins with, and ends with.
fn white_ends(token: &str) -> (usize, usize) {
    let is_white = |character: &char| *character == alphabet::char_of(b' ') || character.is_whitespace();
    (
        token.chars().take_while(is_white).count(),
        token.chars().rev().take_while(is_white).count(),
    )
}

fn narrowed(text: &str, (start, end): (usize, usize), leading: usize, trailing: usize) -> (usize, usize) {
    if leading + trailing == 0 {
        return (start, end);
    }
    // White space is whole characters; one put in front of a character may be counted as its first byte.
    let (start, end) = (text.floor_char_boundary(start), text.ceil_char_boundary(end));
    let bytes = |characters: &mut dyn Iterator<Item = char>| characters.map(char::len_utf8).sum::<usize>();
    let start = start + bytes(&mut text[start..end].chars().take(leading));
    if text[..end].chars().rev().take(trailing).count() < trailing {
        return (start, end);
    }
    (
        start,
        end - bytes(&mut text[start..end].chars().rev().take(trailing)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_narrowed_by_characters_and_never_below_nothing() {
        let text = "\u{3000}a \u{e9}\u{2003}";
        assert_eq!(narrowed(text, (0, 10), 1, 1), (3, 7));
        assert_eq!(narrowed(text, (3, 5), 1, 3), (4, 4));
        assert_eq!(
            narrowed(text, (3, 4), 0, 3),
            (3, 4),
            "as tokenizers has it: so many do not stand there"
        );
        assert_eq!(narrowed(text, (5, 6), 0, 0), (5, 6));
        assert_eq!(
            narrowed(text, (5, 6), 1, 0),
            (7, 7),
            "a space put in front of a character"
        );
        assert_eq!(white_ends("\u{120} x\u{120}"), (2, 1));
        assert_eq!(white_ends(" "), (1, 1));
    }
}
