//! Words met before, with their ids: text repeats itself, so most words are merged once.
//!
//! A slot holds a word of up to 15 bytes and up to three ids in 32 bytes, so that a word already met costs one line of memory.
//! What is longer lies in an arena and is compared byte by byte: no answer rests on a hash.

#![expect(
    clippy::cast_possible_truncation,
    reason = "hashes are cut to size on purpose, and arenas end below 2^32"
)]

use crate::merge::LONGEST_SHORT_WORD;
use crate::pages::{Table, prefetch};

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

/// Ids that fit into a slot.
pub(crate) const SLOT_IDS: usize = 3;

/// Buckets to begin with: 128 KB.
const FIRST_BUCKETS: usize = 1 << 11;

/// What a table may take where nothing else is said: half of it for buckets, a quarter each for the ids and the words that do
/// not fit a slot. When one of those is full everything is forgotten.
pub(crate) const USUAL_BYTES: usize = 64 << 20;

/// A word ready to be looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// The bytes of the word and, on top, their number; of a longer word its hash and number under a top of all ones.
    key: u128,
    hash: u64,
}

/// A word and its ids; the key of an empty slot is 0, which is no word's. Where the ids are more than three, or the word is
/// longer than its key, `count` is their number and [`IN_ARENA`], and `ids` says where they lie: the ids from `ids[0]`, the
/// word from `ids[1]`.
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

/// A bit of [`Slot::count`].
const IN_ARENA: u32 = 1 << 31;

const EMPTY: Slot = Slot {
    key: 0,
    ids: [0; SLOT_IDS],
    count: 0,
};

/// Word to ids, of bounded size. It changes how long encoding takes and never what comes out.
#[derive(Debug)]
pub(crate) struct WordTable {
    buckets: Table<Bucket>,
    filled: usize,
    arena_ids: Vec<u32>,
    arena_bytes: Vec<u8>,
    maximum_bytes: usize,
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

    /// Whether the key holds all of the word.
    fn is_whole_word(self) -> bool {
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
    /// An empty table that takes `maximum_bytes` at most, or 256 KB if that is more.
    pub(crate) fn with_memory(maximum_bytes: usize) -> Self {
        Self {
            buckets: Table::filled(Bucket([EMPTY; 2]), FIRST_BUCKETS),
            filled: 0,
            arena_ids: Vec::new(),
            arena_bytes: Vec::new(),
            maximum_bytes,
        }
    }

    /// Asks the processor for the line of `key`, which is looked for soon.
    #[inline]
    pub(crate) fn prefetch(&self, key: Key) {
        prefetch(&self.buckets[self.place_of(key)]);
    }

    /// The ids of the word whose key is `key`, and how many of them count, if one slot holds all of it.
    #[inline]
    pub(crate) fn find_in_slot(&self, key: Key) -> Option<(&[u32; SLOT_IDS], usize)> {
        let slot = self.slot(key)?;
        (slot.count <= SLOT_IDS as u32).then_some((&slot.ids, slot.count as usize))
    }

    /// The ids of `word`, whose key is `key`, if it has been kept.
    pub(crate) fn find(&self, key: Key, word: &[u8]) -> Option<&[u32]> {
        let slot = self.slot(key)?;
        let count = (slot.count & !IN_ARENA) as usize;
        if slot.count & IN_ARENA == 0 {
            return Some(&slot.ids[..count]);
        }
        if !key.is_whole_word() && self.arena_bytes[slot.ids[1] as usize..][..word.len()] != *word {
            return None;
        }
        Some(&self.arena_ids[slot.ids[0] as usize..][..count])
    }

    /// Which of the two slots it is is chosen without a branch, for no branch could be foretold.
    #[inline]
    fn slot(&self, key: Key) -> Option<&Slot> {
        let bucket = &self.buckets[self.place_of(key)].0;
        let slot = &bucket[usize::from(bucket[1].key == key.key)];
        (slot.key == key.key).then_some(slot)
    }

    /// Keeps `word`, whose key is `key`, and its ids. The older word of a full bucket is forgotten.
    pub(crate) fn keep(&mut self, key: Key, word: &[u8], ids: &[u32]) {
        let arena_bytes = self.maximum_bytes / 4;
        if (self.arena_ids.len() + ids.len()) * size_of::<u32>() > arena_bytes
            || self.arena_bytes.len() + word.len() > arena_bytes
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
            slot.count |= IN_ARENA;
            slot.ids[0] = self.arena_ids.len() as u32;
            slot.ids[1] = self.arena_bytes.len() as u32;
            self.arena_ids.extend_from_slice(ids);
            if !key.is_whole_word() {
                self.arena_bytes.extend_from_slice(word);
            }
        }
        if self.filled > self.buckets.len() && 4 * size_of_val(&*self.buckets) <= self.maximum_bytes / 2 {
            self.grow();
        }
        self.place(slot, key.hash);
    }

    fn place(&mut self, slot: Slot, hash: u64) {
        let place = self.place_of(Key { key: slot.key, hash });
        let bucket = &mut self.buckets[place].0;
        self.filled += usize::from(bucket[1].key == 0);
        *bucket = [slot, bucket[0]];
    }

    /// Four times the buckets, the words in them put to their new places, the older of two first.
    fn grow(&mut self) {
        let larger = Table::filled(Bucket([EMPTY; 2]), self.buckets.len() * 4);
        let buckets = std::mem::replace(&mut self.buckets, larger);
        self.filled = 0;
        for &Bucket([newer, older]) in &*buckets {
            for slot in [older, newer].into_iter().filter(|slot| slot.key != 0) {
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
        let mut table = WordTable::with_memory(USUAL_BYTES);
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
        let mut table = WordTable::with_memory(USUAL_BYTES);
        table.keep(key, &one, &[1, 2]);
        assert_eq!(table.find(key, &one), Some([1, 2].as_slice()));
        assert_eq!(table.find(key, &two), None);
    }

    #[test]
    fn a_table_stays_within_its_memory() {
        let mut table = WordTable::with_memory(1 << 20);
        for word in words() {
            table.keep(Key::of(&word, 0, word.len()), &word, &ids_of(&word));
            assert!(size_of_val(&*table.buckets) <= 1 << 19);
            assert!(table.arena_bytes.len() <= 1 << 18 && table.arena_ids.len() <= 1 << 16);
        }
        assert_eq!(size_of_val(&*table.buckets), 1 << 19, "it grew");
    }

    #[test]
    fn a_full_arena_starts_again() {
        let mut table = WordTable::with_memory(USUAL_BYTES);
        let ids = [7; 64];
        for number in 0..=USUAL_BYTES / 4 / size_of_val(&ids) {
            let word = [number.to_le_bytes(), number.to_le_bytes()].concat();
            table.keep(Key::of(&word, 0, word.len()), &word, &ids);
        }
        assert_eq!((table.filled, table.arena_ids.len()), (1, ids.len()));
    }
}
