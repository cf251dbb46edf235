//! GPT-2's pattern by the byte: letters eight at a time, and scalars decoded only outside ASCII.

use super::{KINDS, Kind, Split, contraction};

/// The kind of every ASCII byte; a byte of a longer scalar has none.
const BYTE_KINDS: [Option<Kind>; 256] = {
    let mut kinds = [None; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        kinds[byte as usize] = Some(match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Kind::Letter,
            b'0'..=b'9' => Kind::Number,
            b' ' | b'\t'..=b'\r' => Kind::Space,
            _ => Kind::Other,
        });
        byte += 1;
    }
    kinds
};

/// The pattern of GPT-2.
#[derive(Debug)]
pub(super) struct Gpt2;

impl Split for Gpt2 {
    #[inline]
    fn word_end(&self, text: &str, start: usize) -> usize {
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
    if kind == Kind::Letter {
        at = letters_end(bytes, at);
    }
    while let Some(&byte) = bytes.get(at) {
        match BYTE_KINDS[usize::from(byte)] {
            Some(other) if other == kind => at += 1,
            Some(_) => break,
            None => {
                let (scalar, length) = scalar_at(bytes, at);
                if KINDS[scalar] != kind {
                    break;
                }
                at += length;
            }
        }
    }
    at
}

/// Where the ASCII letters that start at `at` end, or a place among them less than eight bytes before the end of the text.
#[inline]
fn letters_end(bytes: &[u8], mut at: usize) -> usize {
    const TOPS: u64 = 0x8080_8080_8080_8080;
    const ONES: u64 = TOPS >> 7;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let eight = u64::from_le_bytes(*eight);
        // In lower case and without its top bit a byte can be added to: the top bit then tells whether it was large enough.
        let low = (eight | (ONES * 0x20)) & !TOPS;
        let from_a = low + (ONES * u64::from(0x80 - b'a'));
        let past_z = low + (ONES * u64::from(0x80 - (b'z' + 1)));
        let others = !(from_a & !past_z & !eight) & TOPS;
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at
}

/// The kind of the scalar at `at` and its bytes, or `None` at the end of the text.
#[inline]
fn kind_at(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let &byte = bytes.get(at)?;
    Some(if let Some(kind) = BYTE_KINDS[usize::from(byte)] {
        (kind, 1)
    } else {
        let (scalar, length) = scalar_at(bytes, at);
        (KINDS[scalar], length)
    })
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
            let end = Gpt2.word_end(text, start);
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

    /// Every byte after every number of letters, where eight at a time are looked at.
    #[test]
    fn letters_end_where_the_plain_way_ends_them() {
        for scalar in (0..=0xff).filter_map(char::from_u32) {
            for letters in 0..20 {
                for rest in ["", "x", "xyzxyzxyzxyz", " xyz \u{e9} xyz"] {
                    let text = format!("{}{scalar}{rest}", "aAzZ".repeat(5).split_at(letters).0);
                    assert!(by_the_byte(&text).into_iter().eq(words(&text)), "{text:?}");
                }
            }
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
