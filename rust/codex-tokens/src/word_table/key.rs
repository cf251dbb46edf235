//! What a word is looked for by.

#![expect(
    clippy::cast_possible_truncation,
    reason = "hashes are cut to size on purpose"
)]

use crate::merge::LONGEST_SHORT_WORD;

/// Longer words are not kept; they hardly ever come back.
pub(crate) const LONGEST_WORD_BYTES: usize = LONGEST_SHORT_WORD;

/// Words of so many bytes are their own key.
const LONGEST_KEY_BYTES: usize = 15;

/// So many lower bytes.
const LOWER: [u128; LONGEST_KEY_BYTES + 1] = {
    let mut lower = [0; LONGEST_KEY_BYTES + 1];
    let mut length = 1;
    while length <= LONGEST_KEY_BYTES {
        lower[length] = lower[length - 1] << 8 | 0xff;
        length += 1;
    }
    lower
};

/// A word ready to be looked for.
#[derive(Clone, Copy, Debug)]
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
    #[inline]
    pub(crate) fn of(text: &[u8], start: usize, end: usize) -> Self {
        let length = end - start;
        if length > LONGEST_KEY_BYTES {
            return if length > LONGEST_WORD_BYTES {
                Self::NONE
            } else {
                Self::of_long(&text[start..end])
            };
        }
        let bytes = if let Some(bytes) = text.get(start..start + 16).and_then(|bytes| bytes.first_chunk()) {
            *bytes
        } else {
            let mut bytes = [0; 16];
            bytes[..length].copy_from_slice(&text[start..end]);
            bytes
        };
        let word = u128::from_le_bytes(bytes) & LOWER[length];
        let key = word | (length as u128) << 120;
        Self {
            key,
            hash: mix(0, key),
        }
    }

    fn of_long(word: &[u8]) -> Self {
        let mut hash = 0;
        for chunk in word.chunks(16) {
            let mut bytes = [0; 16];
            bytes[..chunk.len()].copy_from_slice(chunk);
            hash = mix(hash, u128::from_le_bytes(bytes));
        }
        let key = u128::from(u8::MAX) << 120 | (word.len() as u128) << 64 | u128::from(hash);
        Self { key, hash }
    }

    /// What [`Self::of`] gave, of its `key` alone.
    pub(super) fn again(key: u128) -> Self {
        let again = Self { key, hash: 0 };
        let hash = if again.is_whole_word() {
            mix(0, key)
        } else {
            key as u64
        };
        Self { key, hash }
    }

    /// Whether the key holds all of the word.
    pub(super) fn is_whole_word(self) -> bool {
        self.length() as usize <= LONGEST_KEY_BYTES
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

/// A hash of `state` and `word`: the two halves of one wide product folded together.
#[inline]
fn mix(state: u64, word: u128) -> u64 {
    let low = word as u64 ^ state ^ 0x9e37_79b9_7f4a_7c15;
    let high = (word >> 64) as u64 ^ 0xd1b5_4a32_d192_ed03;
    let product = u128::from(low) * u128::from(high);
    product as u64 ^ (product >> 64) as u64
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
