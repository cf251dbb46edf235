//! Words met before, with their ids: text repeats itself, so most words are merged once.
//!
//! A slot holds a word of up to 15 bytes and up to three ids in 32 bytes, so that a word already met costs one line of memory.
//! What is longer lies in an arena and is compared byte by byte: no answer rests on a hash.

#![expect(
    clippy::cast_possible_truncation,
    reason = "hashes are cut to size on purpose, and arenas end below 2^32"
)]

use crate::merge::LONGEST_SHORT_WORD;

/// Longer words are not kept; they hardly ever come back.
pub(crate) const LONGEST_WORD_BYTES: usize = LONGEST_SHORT_WORD;

/// Words of so many bytes are their own key.
const LONGEST_KEY_BYTES: usize = 15;

/// Ids that fit into a slot.
pub(crate) const SLOT_IDS: usize = 3;

/// Buckets to begin with, 128 KB, and at most, 32 MB.
const FIRST_BUCKETS: usize = 1 << 11;
const MAXIMUM_BUCKETS: usize = 1 << 19;

/// The arenas together: 16 MB of ids and 16 MB of words. When one is full everything is forgotten.
const MAXIMUM_ARENA_IDS: usize = 1 << 22;
const MAXIMUM_ARENA_BYTES: usize = 1 << 24;

/// A word ready to be looked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Key {
    /// The bytes of the word and, on top, their number; of a longer word its hash and number under a top of all ones.
    key: u128,
    hash: u64,
}

/// A word and its ids, of which `count` is 0 in an empty slot. Where the ids are more than three, or the word is longer than
/// its key, `ids` says where they lie: the ids from `ids[0]`, the word from `ids[1]`.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u128,
    ids: [u32; SLOT_IDS],
    count: u32,
}

/// Two slots in one line of memory, the newer first.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket([Slot; 2]);

const _: () = assert!(size_of::<Bucket>() == 64);

const EMPTY: Slot = Slot {
    key: 0,
    ids: [0; SLOT_IDS],
    count: 0,
};

/// Word to ids, of bounded size. It changes how long encoding takes and never what comes out.
#[derive(Debug)]
pub(crate) struct WordTable {
    buckets: Vec<Bucket>,
    filled: usize,
    arena_ids: Vec<u32>,
    arena_bytes: Vec<u8>,
}

impl Default for WordTable {
    fn default() -> Self {
        Self {
            buckets: vec![Bucket([EMPTY; 2]); FIRST_BUCKETS],
            filled: 0,
            arena_ids: Vec::new(),
            arena_bytes: Vec::new(),
        }
    }
}

impl Key {
    /// The key of `text[start..end]`, of 1 to [`LONGEST_WORD_BYTES`] bytes.
    #[inline]
    pub(crate) fn of(text: &[u8], start: usize, end: usize) -> Self {
        let length = end - start;
        if length > LONGEST_KEY_BYTES {
            return Self::of_long(&text[start..end]);
        }
        let bytes = if let Some(bytes) = text.get(start..start + 16).and_then(|bytes| bytes.first_chunk()) {
            *bytes
        } else {
            let mut bytes = [0; 16];
            bytes[..length].copy_from_slice(&text[start..end]);
            bytes
        };
        let word = u128::from_le_bytes(bytes) & ((1 << (8 * length)) - 1);
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

    fn is_whole_word(self) -> bool {
        self.key >> 120 <= LONGEST_KEY_BYTES as u128
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

impl WordTable {
    /// Asks the processor for the line of `key`, which is looked for soon.
    #[inline]
    pub(crate) fn prefetch(&self, key: Key) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let bucket = &raw const self.buckets[self.place_of(key)];
            // SAFETY: a prefetch reads nothing; the address is that of a live bucket.
            #[expect(unsafe_code, reason = "there is no safe prefetch")]
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(bucket.cast());
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = key;
    }

    /// The ids of the word whose key is `key`, and how many of them count, if one slot holds all of it.
    #[inline]
    pub(crate) fn find_in_slot(&self, key: Key) -> Option<(&[u32; SLOT_IDS], usize)> {
        let slot = self.slot(key)?;
        (key.is_whole_word() && slot.count as usize <= SLOT_IDS).then_some((&slot.ids, slot.count as usize))
    }

    /// The ids of `word`, whose key is `key`, if it has been kept.
    pub(crate) fn find(&self, key: Key, word: &[u8]) -> Option<&[u32]> {
        let slot = self.slot(key)?;
        let count = slot.count as usize;
        if key.is_whole_word() {
            if count <= SLOT_IDS {
                return Some(&slot.ids[..count]);
            }
        } else if self.arena_bytes[slot.ids[1] as usize..][..word.len()] != *word {
            return None;
        }
        Some(&self.arena_ids[slot.ids[0] as usize..][..count])
    }

    #[inline]
    fn slot(&self, key: Key) -> Option<&Slot> {
        let bucket = &self.buckets[self.place_of(key)].0;
        bucket.iter().find(|slot| slot.key == key.key && slot.count != 0)
    }

    /// Keeps `word`, whose key is `key`, and its ids. The older word of a full bucket is forgotten.
    pub(crate) fn keep(&mut self, key: Key, word: &[u8], ids: &[u32]) {
        if self.arena_ids.len() + ids.len() > MAXIMUM_ARENA_IDS
            || self.arena_bytes.len() + word.len() > MAXIMUM_ARENA_BYTES
        {
            self.forget();
        }
        let mut slot = Slot {
            key: key.key,
            count: ids.len() as u32,
            ..EMPTY
        };
        if key.is_whole_word() && ids.len() <= SLOT_IDS {
            slot.ids[..ids.len()].copy_from_slice(ids);
        } else {
            slot.ids[0] = self.arena_ids.len() as u32;
            slot.ids[1] = self.arena_bytes.len() as u32;
            self.arena_ids.extend_from_slice(ids);
            if !key.is_whole_word() {
                self.arena_bytes.extend_from_slice(word);
            }
        }
        if self.filled > self.buckets.len() && self.buckets.len() < MAXIMUM_BUCKETS {
            self.grow();
        }
        self.place(slot, key.hash);
    }

    fn place(&mut self, slot: Slot, hash: u64) {
        let place = self.place_of(Key { key: slot.key, hash });
        let bucket = &mut self.buckets[place].0;
        self.filled += usize::from(bucket[1].count == 0);
        *bucket = [slot, bucket[0]];
    }

    /// Four times the buckets, the words in them put to their new places, the older of two first.
    fn grow(&mut self) {
        let larger = vec![Bucket([EMPTY; 2]); self.buckets.len() * 4];
        let buckets = std::mem::replace(&mut self.buckets, larger);
        self.filled = 0;
        for Bucket([newer, older]) in buckets {
            for slot in [older, newer].into_iter().filter(|slot| slot.count != 0) {
                let is_whole_word = Key {
                    key: slot.key,
                    hash: 0,
                }
                .is_whole_word();
                let hash = if is_whole_word {
                    mix(0, slot.key)
                } else {
                    slot.key as u64
                };
                self.place(slot, hash);
            }
        }
    }

    fn forget(&mut self) {
        self.buckets.fill(Bucket([EMPTY; 2]));
        self.filled = 0;
        self.arena_ids.clear();
        self.arena_bytes.clear();
    }

    #[inline]
    fn place_of(&self, key: Key) -> usize {
        // The number of buckets is a power of two.
        (key.hash >> 32) as usize & (self.buckets.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that tell the word, of a number that differs from word to word.
    fn ids_of(word: &[u8]) -> Vec<u32> {
        let number = word
            .iter()
            .fold(0, |sum: u32, &byte| sum.wrapping_mul(31) + u32::from(byte));
        (0..=number % 6).map(|at| number ^ at).collect()
    }

    /// Words of every length that is kept, many more than the table begins with.
    fn words() -> impl Iterator<Item = Vec<u8>> {
        (0..60_000_u32).map(|number| {
            let length = 1 + number as usize % LONGEST_WORD_BYTES;
            number.to_le_bytes().into_iter().cycle().take(length).collect()
        })
    }

    #[test]
    fn what_is_found_is_what_was_kept() {
        let mut table = WordTable::default();
        for word in words() {
            let key = Key::of(&word, 0, word.len());
            if table.find(key, &word).is_none() {
                table.keep(key, &word, &ids_of(&word));
            }
        }
        let kept = words()
            .filter(|word| match table.find(Key::of(word, 0, word.len()), word) {
                Some(ids) => {
                    assert_eq!(ids, ids_of(word), "{word:?}");
                    true
                }
                None => false,
            })
            .count();
        assert!(table.buckets.len() > FIRST_BUCKETS, "it grew");
        assert!(kept > 50_000, "{kept} of 60,000");
    }

    #[test]
    fn a_key_does_not_depend_on_what_stands_around_the_word() {
        let word = b"abcdefghijklmnopqrstuvwxyz";
        for length in 1..=word.len() {
            let alone = Key::of(&word[..length], 0, length);
            let inside = [b"xyz".as_slice(), &word[..length], b"0123456789012345678"].concat();
            assert_eq!(Key::of(&inside, 3, 3 + length).key, alone.key);
        }
        let [one, two] = [b"a\0".as_slice(), b"a"].map(|word| Key::of(word, 0, word.len()).key);
        assert_ne!(one, two);
    }

    #[test]
    fn long_words_of_one_key_are_told_apart_by_their_bytes() {
        let (one, two) = ([b'a'; 20], [b'b'; 20]);
        let key = Key::of(&one, 0, 20);
        let mut table = WordTable::default();
        table.keep(key, &one, &[1, 2]);
        assert_eq!(table.find(key, &one), Some([1, 2].as_slice()));
        assert_eq!(table.find(key, &two), None);
    }

    #[test]
    fn a_full_arena_starts_again() {
        let mut table = WordTable::default();
        let ids = [7; 64];
        for number in 0..=MAXIMUM_ARENA_IDS / ids.len() {
            let word = [number.to_le_bytes(), number.to_le_bytes()].concat();
            table.keep(Key::of(&word, 0, word.len()), &word, &ids);
        }
        assert_eq!((table.filled, table.arena_ids.len()), (1, ids.len()));
    }
}
