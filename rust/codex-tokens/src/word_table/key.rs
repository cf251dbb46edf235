//! What a word is looked for by.

#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the processor that its caller is compiled for"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "hashes are cut to size on purpose"
)]

use crate::hash::{LONGEST_NUMBER_BYTES, hash_of, hash_of_number, number_of};
use crate::merge::LONGEST_SHORT_WORD;

/// Longer words are not kept; they hardly ever come back.
pub(crate) const LONGEST_WORD_BYTES: usize = LONGEST_SHORT_WORD;

/// A word ready to be looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Key {
    /// The bytes of the word and, on top, their number; of a longer word its hash and number under a top of all ones.
    pub(super) key: u128,
    pub(super) hash: u64,
}

impl Key {
    /// The key of a word too long to be kept: no slot has it, for its length would be above the longest.
    pub(crate) const NONE: Self = Self {
        key: u128::MAX,
        hash: 0,
    };

    /// The key of `text[start..end]`, which is not empty.
    #[inline(always)]
    pub(crate) fn of(text: &[u8], start: usize, end: usize) -> Self {
        let length = end - start;
        if length > LONGEST_NUMBER_BYTES {
            return if length > LONGEST_WORD_BYTES {
                Self::NONE
            } else {
                Self::of_long(&text[start..end])
            };
        }
        let key = number_of(text, start, length);
        Self {
            key,
            hash: hash_of_number(key),
        }
    }

    #[cold]
    #[inline(never)]
    fn of_long(word: &[u8]) -> Self {
        let hash = hash_of(word);
        let key = u128::from(u8::MAX) << 120 | (word.len() as u128) << 64 | u128::from(hash);
        Self { key, hash }
    }

    /// What [`Self::of`] gave, of its `key` alone.
    pub(super) fn again(key: u128) -> Self {
        let again = Self { key, hash: 0 };
        let hash = if again.is_whole_word() {
            hash_of_number(key)
        } else {
            key as u64
        };
        Self { key, hash }
    }

    /// Whether the key holds all of the word.
    pub(super) fn is_whole_word(self) -> bool {
        self.length() as usize <= LONGEST_NUMBER_BYTES
    }

    /// The bytes of the word, if it is whole, followed by zeros.
    #[inline]
    pub(crate) fn word(self) -> u128 {
        self.key & (u128::MAX >> 8)
    }

    /// The length of the word, or 255 if it is not whole.
    #[inline]
    pub(crate) fn length(self) -> u32 {
        (self.key >> 120) as u32
    }

    /// The half of the hash that the table of words does not use.
    #[inline]
    pub(crate) fn low_hash(self) -> usize {
        self.hash as u32 as usize
    }

    /// The half that it uses.
    #[inline]
    pub(super) fn high_hash(self) -> usize {
        (self.hash >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_depend_on_what_stands_around_the_word() {
        let word = b"abcdefghijklmnopqrstuvwxyz";
        for length in 1..=word.len() {
            let alone = Key::of(&word[..length], 0, length);
            let inside = [b"xyz".as_slice(), &word[..length], b"0123456789012345678"].concat();
            let inside = Key::of(&inside, 3, 3 + length);
            assert_eq!((inside.key, inside.hash), (alone.key, alone.hash));
            assert_eq!(Key::again(alone.key).hash, alone.hash);
        }
        let [one, two] = [b"a\0".as_slice(), b"a"].map(|word| Key::of(word, 0, word.len()).key);
        assert_ne!(one, two);
    }
}
