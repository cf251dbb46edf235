//! GPT-2's pattern by the byte: one table look-up a byte, and scalars decoded only outside ASCII.

use super::{KINDS, Kind, contraction};
use crate::unicode::{LETTERS, NUMBERS, SPACES};

/// Stands for a byte that is part of a longer scalar.
const NOT_ASCII: u8 = u8::MAX;

/// The kind of every ASCII byte as a number.
const BYTE_KINDS: [u8; 256] = {
    let mut kinds = [Kind::Other as u8; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte >= 0x80 {
            kinds[byte] = NOT_ASCII;
        } else if holds(LETTERS, byte) {
            kinds[byte] = Kind::Letter as u8;
        } else if holds(NUMBERS, byte) {
            kinds[byte] = Kind::Number as u8;
        } else if holds(SPACES, byte) {
            kinds[byte] = Kind::Space as u8;
        }
        byte += 1;
    }
    kinds
};

const fn holds(ranges: &[(u32, u32)], scalar: usize) -> bool {
    let mut at = 0;
    while at < ranges.len() {
        if ranges[at].0 as usize <= scalar && scalar <= ranges[at].1 as usize {
            return true;
        }
        at += 1;
    }
    false
}

/// Where the word that starts at byte `start` of `text`, which must be before its end, ends.
#[inline]
pub(crate) fn word_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let first = bytes[start];
    if first == b'\''
        && let Some(length) = contraction(&bytes[start..])
    {
        return start + length;
    }
    let at = start + usize::from(first == b' ');
    match kind_at(bytes, at) {
        Some((kind, length)) if kind != Kind::Space => run_end(bytes, at + length, kind),
        _ => white_space_end(text, start),
    }
}

/// `\s+(?!\S)|\s+`: a run of white space leaves its last character to the word that follows, unless it is all there is.
fn white_space_end(text: &str, start: usize) -> usize {
    let end = run_end(text.as_bytes(), start, Kind::Space);
    let last = text[start..end].chars().next_back().map_or(0, char::len_utf8);
    if end == text.len() || end - start == last {
        end
    } else {
        end - last
    }
}

/// Where the run of `kind` that goes on at `at` ends.
#[inline]
fn run_end(bytes: &[u8], mut at: usize, kind: Kind) -> usize {
    while let Some(&byte) = bytes.get(at) {
        if BYTE_KINDS[usize::from(byte)] == kind as u8 {
            at += 1;
            continue;
        }
        if byte < 0x80 {
            break;
        }
        let (scalar, length) = scalar_at(bytes, at);
        if KINDS[scalar] != kind {
            break;
        }
        at += length;
    }
    at
}

/// The kind of the scalar at `at` and its bytes, or `None` at the end of the text.
#[inline]
fn kind_at(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let &byte = bytes.get(at)?;
    let (scalar, length) = if byte < 0x80 {
        (usize::from(byte), 1)
    } else {
        scalar_at(bytes, at)
    };
    Some((KINDS[scalar], length))
}

/// The scalar of two to four bytes at `at`, and how many; `bytes` is UTF-8, so all of them are there.
#[inline]
fn scalar_at(bytes: &[u8], at: usize) -> (usize, usize) {
    let rest = |n: usize| usize::from(bytes.get(at + n).copied().unwrap_or(0) & 0x3f);
    let first = usize::from(bytes[at]);
    match first {
        ..0xe0 => ((first & 0x1f) << 6 | rest(1), 2),
        0xe0..0xf0 => ((first & 0x0f) << 12 | rest(1) << 6 | rest(2), 3),
        _ => ((first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), 4),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{tests::CASES, words};
    use super::*;

    fn by_the_byte(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = word_end(text, start);
            found.push(&text[start..end]);
            start = end;
        }
        found
    }

    #[test]
    fn words_are_cut_as_the_pattern_says() {
        for (text, expected) in CASES {
            assert_eq!(&by_the_byte(text), expected, "{text:?}");
        }
    }

    #[test]
    fn every_scalar_is_cut_as_the_plain_way_cuts_it() {
        for scalar in (0..=0x10_ffff).filter_map(char::from_u32) {
            let text = format!("a{scalar}1{scalar}!{scalar} {scalar}{scalar}\n{scalar}'{scalar}'s");
            assert!(by_the_byte(&text).into_iter().eq(words(&text)), "{text:?}");
        }
    }

    /// Every way to put five of these side by side.
    #[test]
    fn every_short_text_is_cut_as_the_plain_way_cuts_it() {
        let parts = [
            "a",
            "1",
            " ",
            "\n",
            "'",
            "s",
            "l",
            "\u{e9}",
            "\u{3000}",
            "\u{2460}",
            "\u{1f600}",
        ];
        for mut number in 0..parts.len().pow(5) {
            let mut text = String::new();
            for _ in 0..5 {
                text.push_str(parts[number % parts.len()]);
                number /= parts.len();
            }
            assert!(by_the_byte(&text).into_iter().eq(words(&text)), "{text:?}");
        }
    }
}
