//! cl100k, Llama 3 and Qwen:
//!
//! ```text
//! (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! ```

use super::{Block, Past, behind, moved};

/// Where the spellings differ in what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    /// `\p{N}`: every character of a number is a word. Otherwise it is three.
    pub(in crate::split) cuts_each_digit: bool,
    /// `\s++$`: white space that ends the text is one word, newlines or not.
    pub(in crate::split) ends_whole: bool,
}

pub(super) fn starts(block: &Block, past: &mut Past, variant: Variant) -> u64 {
    let now = block.now;
    let other = !(now.letter | now.number | now.space);
    let (absorbed, absorbs) = block.absorbed(other, past.other, 0, past);
    let space = now.space & !absorbed;
    let newline = now.newline & !absorbed;
    let inline = space & !newline;
    let is_same = now.letter & moved(now.letter, past.letter)
        | now.number & moved(now.number, past.number)
        | space & moved(space, past.space)
        | other & moved(other, past.other)
        | absorbed & moved(absorbed | other, past.absorbed | past.other);
    let after_blank = moved(now.blank, past.blank);
    let is_glued = now.letter & moved(inline, past.inline) | other & after_blank;
    // A lone character before letters is theirs.
    let lone = other & now.lead & !moved(other, past.other) & !after_blank;
    let (after_lone, is_after_lone) = behind(lone << 1 | u64::from(past.is_after_lone), now.inner());
    let starts = now.lead & !is_same & !is_glued & !(after_lone & now.letter)
        | block.last_spaces(inline, (now.space, block.next.space))
        | block.after_last_newlines(inline, newline, past, variant.ends_whole);
    let digits = if variant.cuts_each_digit {
        now.number & now.lead
    } else {
        block.thirds(past)
    };
    let (cleared, set) = block.contractions(now.quote & lone, false, past, contraction);
    *past = Past {
        letter: now.letter,
        number: now.number,
        space,
        newline,
        inline,
        blank: now.blank,
        other,
        absorbed,
        absorbs,
        is_after_lone: is_after_lone || lone >> 63 == 1,
        ..*past
    };
    (starts | digits) & !cleared | set
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`, where the letter U+017F is an s.
pub(super) fn contraction(text: &[u8]) -> Option<usize> {
    let lower = |at: usize| text.get(at).map(u8::to_ascii_lowercase);
    match (lower(1)?, lower(2)) {
        (b's' | b't' | b'm' | b'd', _) => Some(2),
        (b'r' | b'v', Some(b'e')) | (b'l', Some(b'l')) | (0xc5, Some(0xbf)) => Some(3),
        _ => None,
    }
}
