//! Where one of many texts may begin: a filter that knows their first bytes.
//!
//! Of 64 places at once those are left where each byte is one that a text can have there; of these the few where a table of bits
//! knows the bytes together.

use super::byte_set::{BLOCK, ByteSet};
use crate::pages::Table;
use crate::vocabulary::Strings;

/// Longer texts are known by so many of their bytes.
const LONGEST_HEAD: usize = 8;

/// Shorter texts than this are looked for by their first bytes, so that they do not make the heads of the others as short.
pub(super) const SHORTEST_HEAD: usize = 4;

/// Bits in a table for each entry, of which it sets two: one number in sixty is taken for an entry at most.
const BITS_PER_ENTRY: usize = 16;

/// The first bytes of many texts.
#[derive(Debug)]
pub(super) struct Heads {
    /// So many begin each text but the short ones.
    pub(super) bytes: usize,
    /// The first of them, and the others.
    first: ByteSet,
    rest: ByteSet,
    whole: Bits,
    /// The first bytes of texts below [`SHORTEST_HEAD`].
    pub(super) short: ByteSet,
}

/// The places of a block that are in the sets of [`Heads`].
#[derive(Clone, Copy)]
struct Places {
    first: u64,
    rest: u64,
    short: u64,
}

impl Heads {
    pub(super) fn new(texts: &Strings) -> Self {
        let long = || texts.iter().filter(|text| text.len() >= SHORTEST_HEAD);
        let bytes = long()
            .map(<[u8]>::len)
            .min()
            .unwrap_or(LONGEST_HEAD)
            .min(LONGEST_HEAD);
        let mut heads = Self {
            bytes,
            first: ByteSet::default(),
            rest: ByteSet::default(),
            whole: Bits::for_entries(long().count()),
            short: ByteSet::default(),
        };
        for text in long() {
            heads.whole.set(number_of(text, bytes));
            heads.first.insert(text[0]);
            for &byte in &text[1..bytes] {
                heads.rest.insert(byte);
            }
        }
        for text in texts.iter().filter(|text| text.len() < SHORTEST_HEAD) {
            heads.short.insert(text[0]);
        }
        heads
    }

    /// What `found_at` says of the first place from `from` on of which it says something, and the place; asked are those where
    /// one may begin.
    pub(super) fn find<T>(
        &self,
        text: &[u8],
        from: usize,
        found_at: impl Fn(usize) -> Option<T>,
    ) -> Option<(usize, T)> {
        let mut start = from;
        let mut now = self.places(text, start);
        while start < text.len() {
            let next = self.places(text, start + BLOCK);
            let begins_long = (1..self.bytes).fold(now.first, |places, ahead| {
                places & (now.rest >> ahead | next.rest << (BLOCK - ahead))
            });
            let mut left = begins_long | now.short;
            while left != 0 {
                let place = left.trailing_zeros() as usize;
                left &= left - 1;
                let at = start + place;
                if (now.short >> place & 1 != 0 || self.is_head(text, at))
                    && let Some(found) = found_at(at)
                {
                    return Some((at, found));
                }
            }
            now = next;
            start += BLOCK;
        }
        None
    }

    /// The places of the block at `start`, which may reach over the end of the text or lie behind it.
    #[inline]
    fn places(&self, text: &[u8], start: usize) -> Places {
        let rest = text.get(start..).unwrap_or_default();
        let mut padded = [0; BLOCK];
        let block = rest.first_chunk().unwrap_or_else(|| {
            padded[..rest.len()].copy_from_slice(rest);
            &padded
        });
        let inside = match rest.len() {
            BLOCK.. => u64::MAX,
            bytes => (1 << bytes) - 1,
        };
        let short = if self.short.is_empty() {
            0
        } else {
            self.short.places(block)
        };
        Places {
            first: self.first.places(block) & inside,
            rest: self.rest.places(block) & inside,
            short: short & inside,
        }
    }

    fn is_head(&self, text: &[u8], at: usize) -> bool {
        self.whole.has(number_of(&text[at..], self.bytes))
    }
}

/// The first `bytes` of `text`, at most 8, as a number.
#[inline]
pub(super) fn number_of(text: &[u8], bytes: usize) -> u64 {
    let chunk = text.first_chunk().copied().unwrap_or_else(|| {
        let mut chunk = [0; 8];
        chunk[..text.len()].copy_from_slice(text);
        chunk
    });
    u64::from_le_bytes(chunk) << (64 - 8 * bytes)
}

/// A set of numbers that may hold some it was not given: each is two bits of one word, found by one load.
///
/// Source: Putze, Sanders and Singler 2007, "Cache-, hash- and space-efficient Bloom filters", section 3.
#[derive(Debug)]
struct Bits {
    words: Table<u64>,
    shift: u32,
}

impl Bits {
    fn for_entries(entries: usize) -> Self {
        let words = (entries * BITS_PER_ENTRY / 64).next_power_of_two().max(64);
        Self {
            words: Table::filled(0, words),
            shift: u64::BITS - words.trailing_zeros(),
        }
    }

    fn set(&mut self, number: u64) {
        let (word, bits) = self.place_of(number);
        self.words[word] |= bits;
    }

    #[inline]
    fn has(&self, number: u64) -> bool {
        let (word, bits) = self.place_of(number);
        self.words[word] & bits == bits
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a hash is cut to the size of the table"
    )]
    fn place_of(&self, number: u64) -> (usize, u64) {
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bit = |below: u32| 1 << (hash >> (self.shift - below) & 63);
        ((hash >> self.shift) as usize, bit(6) | bit(12))
    }
}
