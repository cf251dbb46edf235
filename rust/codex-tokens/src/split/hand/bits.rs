//! Sixty-four bytes of a text at a time, as bits: which of them are letters, which white space.
//!
//! Every byte of a character has the bits of the character, so that a run of letters is a run of ones. ASCII is compared
//! with its classes; other characters are looked up, save for Han, of which whole stretches are letters.

use super::super::kinds::{KIND_RUNS, KindSet, marked, of_category};
use super::ascii::{Compare, fastest};
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
    let mut flags = vec![0; 0x11_0000];
    for &(first, last, kind) in KIND_RUNS.iter() {
        let of_kind = (0..).zip(&sets).fold(0, |flags, (bit, set)| {
            flags | u8::from(set >> kind & 1 == 1) << bit
        });
        flags[first as usize..=last as usize].fill(of_kind);
    }
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
    compare: Compare,
    /// Bytes of the last character of the block before that stand in the next, and what it is.
    rest: usize,
    rest_flags: Flags,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            flags: &FLAGS,
            compare: fastest(),
            rest: 0,
            rest_flags: 0,
        }
    }

    /// The bits of the block at `start` of `text`, which is that after the one read last.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8], start: usize, bits: &mut Bits) {
        let mut padded = [b' '; BLOCK];
        let rest = text.get(start..).unwrap_or_default();
        let block = if let Some(block) = rest.first_chunk() {
            block
        } else {
            padded[..rest.len()].copy_from_slice(rest);
            &padded
        };
        (self.compare)(block, bits);
        if bits.high != 0 {
            self.look_up(text, start, bits);
        }
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
        self.lower |= all_if(LOWER);
        if flags & !(1 << LETTER | 1 << LOWER) != 0 {
            self.number |= all_if(NUMBER);
            self.space |= all_if(SPACE);
            self.upper |= all_if(UPPER);
            self.mark |= all_if(MARK);
            self.symbol |= all_if(SYMBOL);
            self.han |= all_if(HAN);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn han_that_is_not_looked_up_is_letters_without_case() {
        for scalar in '\u{4e00}'..='\u{9f7f}' {
            assert_eq!(FLAGS[scalar as usize], 1 << LETTER | 1 << HAN, "{scalar:?}");
        }
    }
}
