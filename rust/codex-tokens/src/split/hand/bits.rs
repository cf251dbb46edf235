//! Sixty-four bytes of a text at a time, as bits: which of them are letters, which white space.
//!
//! Every byte of a character has the bits of the character, so that a run of letters is a run of ones. ASCII is compared
//! sixteen bytes at a time; other characters are looked up, save for Han, of which whole stretches are letters.

use super::super::kinds::{KIND_OF, KindSet, marked, of_category};
use std::sync::LazyLock;

/// What the patterns tell apart, a word of bits for each. Past the end of the text there are spaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    /// First bytes of characters.
    pub(super) lead: u64,
    /// Bytes of characters outside of ASCII.
    pub(super) high: u64,
    pub(super) letter: u64,
    pub(super) number: u64,
    pub(super) space: u64,
    /// `\r` and `\n`
    pub(super) newline: u64,
    /// U+0020
    pub(super) blank: u64,
    /// `'`
    pub(super) quote: u64,
    /// `/`
    pub(super) slash: u64,
    /// `\p{Lu}` and `\p{Lt}`
    pub(super) upper: u64,
    /// `\p{Ll}`
    pub(super) lower: u64,
    pub(super) mark: u64,
    /// `\p{P}` and `\p{S}`
    pub(super) symbol: u64,
    /// Han up to U+9FA5 and the blocks of kana.
    pub(super) han: u64,
}

/// A kind of character, a bit for each word of [`Bits`] that a character outside of ASCII can have.
type Flags = u8;
const LETTER: u32 = 0;
const NUMBER: u32 = 1;
const SPACE: u32 = 2;
const UPPER: u32 = 3;
const LOWER: u32 = 4;
const MARK: u32 = 5;
const SYMBOL: u32 = 6;
const HAN: u32 = 7;

/// The flags of every scalar; 1.1 MB, of which a text touches only the pages of its scripts.
static FLAGS: LazyLock<Vec<Flags>> = LazyLock::new(|| {
    let sets: [KindSet; 7] = [
        of_category("L"),
        of_category("N"),
        marked("space"),
        of_category("Lu") | of_category("Lt"),
        of_category("Ll"),
        of_category("M"),
        of_category("P") | of_category("S"),
    ];
    let flags_of = |&kind: &u8| {
        let bits = sets.iter().enumerate();
        bits.fold(0, |flags, (bit, set)| {
            flags | u8::from(set >> kind & 1 == 1) << bit
        })
    };
    let mut flags: Vec<Flags> = KIND_OF.iter().map(flags_of).collect();
    for (first, last) in [('\u{4e00}', '\u{9fa5}'), ('\u{3040}', '\u{30ff}')] {
        for scalar in first..=last {
            flags[scalar as usize] |= 1 << HAN;
        }
    }
    flags
});

fn has(scalar: char, flags: Flags) -> bool {
    FLAGS[scalar as usize] & flags != 0
}

pub(super) fn is_space(scalar: char) -> bool {
    has(scalar, 1 << SPACE)
}

pub(super) fn is_upper(scalar: char) -> bool {
    has(scalar, 1 << UPPER)
}

pub(super) fn is_letter_or_mark(scalar: char) -> bool {
    has(scalar, 1 << LETTER | 1 << MARK)
}

/// Bytes looked at together.
pub(super) const BLOCK: usize = 64;

/// Reads a text block by block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    flags: &'static [Flags],
    /// Bytes of the last character of the block before that stand in the next, and what it is.
    rest: usize,
    rest_flags: Flags,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            flags: &FLAGS,
            rest: 0,
            rest_flags: 0,
        }
    }

    /// The bits of the block at `start` of `text`, which is that after the one read last.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8], start: usize) -> Bits {
        let mut padded = [b' '; BLOCK];
        let rest = text.get(start..).unwrap_or_default();
        let block = if let Some(block) = rest.first_chunk() {
            block
        } else {
            padded[..rest.len()].copy_from_slice(rest);
            &padded
        };
        let mut bits = ascii(block);
        if bits.high != 0 || self.rest != 0 {
            self.look_up(text, start, &mut bits);
        }
        bits
    }

    #[inline(never)]
    fn look_up(&mut self, text: &[u8], start: usize, bits: &mut Bits) {
        let (rest, rest_flags) = (self.rest, self.rest_flags);
        (self.rest, self.rest_flags) = (0, 0);
        let mut leads = bits.high & bits.lead;
        // Han but for its ends: letters all of them, without case.
        let han = bits.han & leads;
        let all = han | han << 1 | han << 2;
        bits.letter |= all;
        bits.han = all;
        bits.set((1 << rest) - 1, rest_flags);
        leads &= !han;
        if han >> 62 != 0 {
            (self.rest, self.rest_flags) = (if han >> 63 != 0 { 2 } else { 1 }, 1 << LETTER | 1 << HAN);
        }
        while leads != 0 {
            let place = leads.trailing_zeros() as usize;
            leads &= leads - 1;
            let (scalar, length) = scalar_at(text, start + place);
            let flags = self.flags[scalar & 0x1f_ffff];
            bits.set(((1 << length) - 1) << place, flags);
            if place + length > BLOCK {
                (self.rest, self.rest_flags) = (place + length - BLOCK, flags);
            }
        }
    }
}

impl Bits {
    #[inline]
    fn set(&mut self, bytes: u64, flags: Flags) {
        let all_if = |bit: u32| bytes & 0_u64.wrapping_sub(u64::from(flags >> bit & 1));
        self.letter |= all_if(LETTER);
        self.number |= all_if(NUMBER);
        self.space |= all_if(SPACE);
        self.upper |= all_if(UPPER);
        self.lower |= all_if(LOWER);
        self.mark |= all_if(MARK);
        self.symbol |= all_if(SYMBOL);
        self.han |= all_if(HAN);
    }

    /// Bytes that go on with a character.
    pub(super) fn inner(&self) -> u64 {
        !self.lead
    }
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

/// The bits of ASCII, and in `han` the first bytes of Han that need not be looked up: U+4E00 to U+9F7F.
#[cfg(not(target_arch = "x86_64"))]
use ascii_by_the_byte as ascii;

#[cfg_attr(
    all(target_arch = "x86_64", not(test)),
    expect(dead_code, reason = "what other processors use")
)]
fn ascii_by_the_byte(block: &[u8; BLOCK]) -> Bits {
    let mut bits = Bits::default();
    for (place, &byte) in block.iter().enumerate() {
        let bit = |holds: bool| u64::from(holds) << place;
        bits.lead |= bit(byte & 0xc0 != 0x80);
        bits.high |= bit(!byte.is_ascii());
        bits.letter |= bit(byte.is_ascii_alphabetic());
        bits.number |= bit(byte.is_ascii_digit());
        bits.space |= bit(byte == b' ' || (b'\t'..=b'\r').contains(&byte));
        bits.newline |= bit(byte == b'\r' || byte == b'\n');
        bits.blank |= bit(byte == b' ');
        bits.quote |= bit(byte == b'\'');
        bits.slash |= bit(byte == b'/');
        bits.upper |= bit(byte.is_ascii_uppercase());
        bits.lower |= bit(byte.is_ascii_lowercase());
        bits.symbol |= bit(byte.is_ascii_punctuation());
        let next = block.get(place + 1).copied().unwrap_or(0);
        bits.han |= bit(match byte {
            0xe4 => (0xb8..=0xbf).contains(&next),
            0xe5..=0xe8 => true,
            0xe9 => (0x80..=0xbd).contains(&next),
            _ => false,
        });
    }
    bits
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(unsafe_code, reason = "SSE2 is called by its intrinsics")]
fn ascii(block: &[u8; BLOCK]) -> Bits {
    use std::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_loadu_si128, _mm_movemask_epi8,
        _mm_or_si128, _mm_set1_epi8,
    };
    let mut bits = Bits::default();
    // The first bytes of which only some are Han, and which second bytes those have.
    let (mut four, mut nine, mut from_b8, mut to_bd) = (0, 0, 0, 0);
    for (part, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
        // SAFETY: every x86-64 processor has SSE2, and `bytes` is 16 bytes long.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
            let all = |byte: u8| _mm_set1_epi8(byte.cast_signed());
            let is = |byte: u8| _mm_cmpeq_epi8(bytes, all(byte));
            // Bytes are compared as signed, so those outside of ASCII are below all others.
            let within = |bytes: __m128i, first: u8, last: u8| {
                _mm_and_si128(
                    _mm_cmpgt_epi8(bytes, all(first.wrapping_sub(1))),
                    _mm_cmpgt_epi8(all(last.wrapping_add(1)), bytes),
                )
            };
            let put = |word: &mut u64, mask: __m128i| {
                *word |= u64::from(_mm_movemask_epi8(mask).cast_unsigned()) << (16 * part);
            };
            let lower = within(bytes, b'a', b'z');
            let upper = within(bytes, b'A', b'Z');
            let letter = _mm_or_si128(lower, upper);
            let number = within(bytes, b'0', b'9');
            let blank = is(b' ');
            put(&mut bits.lead, _mm_cmpgt_epi8(bytes, all(0xbf)));
            put(&mut bits.high, bytes);
            put(&mut bits.letter, letter);
            put(&mut bits.number, number);
            put(&mut bits.space, _mm_or_si128(blank, within(bytes, b'\t', b'\r')));
            put(&mut bits.newline, _mm_or_si128(is(b'\r'), is(b'\n')));
            put(&mut bits.blank, blank);
            put(&mut bits.quote, is(b'\''));
            put(&mut bits.slash, is(b'/'));
            put(&mut bits.upper, upper);
            put(&mut bits.lower, lower);
            put(&mut bits.symbol, within(bytes, b'!', b'~'));
            if _mm_movemask_epi8(bytes) != 0 {
                put(&mut bits.han, within(bytes, 0xe5, 0xe8));
                put(&mut four, is(0xe4));
                put(&mut nine, is(0xe9));
                put(&mut from_b8, within(bytes, 0xb8, 0xbf));
                put(&mut to_bd, _mm_cmpgt_epi8(all(0xbe), bytes));
            }
        }
    }
    bits.symbol &= !(bits.letter | bits.number);
    bits.han |= four & from_b8 >> 1 | nine & to_bd >> 1;
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn han_that_is_not_looked_up_is_letters_without_case() {
        for scalar in '\u{4e00}'..='\u{9f7f}' {
            assert_eq!(FLAGS[scalar as usize], 1 << LETTER | 1 << HAN, "{scalar:?}");
        }
    }

    /// Every byte at every place, and every two bytes side by side.
    #[test]
    fn sixteen_bytes_at_a_time_are_as_one() {
        let mut block = [0; BLOCK];
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                for (place, byte) in block.iter_mut().enumerate() {
                    *byte = if place % 2 == usize::from(first) % 2 {
                        first
                    } else {
                        second
                    };
                }
                let (fast, plain) = (ascii(&block), ascii_by_the_byte(&block));
                assert_eq!(fast, plain, "{first:x} {second:x}");
            }
        }
    }
}
