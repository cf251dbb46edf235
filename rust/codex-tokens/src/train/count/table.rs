//! Distinct words and how often each occurs: sixteen bytes a slot, and the bytes of the words in one arena.
//!
//! Before it stands a small table of the words met last, so that most words of a text cost one line of a near cache.

#![expect(
    clippy::cast_possible_truncation,
    reason = "hashes are cut to size on purpose, and the arena ends below 2^32"
)]

use crate::hash::{LONGEST_NUMBER_BYTES, hash_of, hash_of_number, number_of};

/// Slots to begin with.
const FIRST_SLOTS: usize = 1 << 10;

/// Slots of the near table: 256 KB.
const NEAR_BITS: u32 = 13;

/// A word: where it lies, and how often it occurs, 0 in an empty slot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) count: u64,
    hash: u32,
    pub(crate) place: u32,
}

/// A word of the near table as a number: its bytes and, on top, how many. The count is still to be added to the slot.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Near {
    key: u128,
    count: u64,
}

/// Words and counts.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    words: usize,
    /// Each word after its length, seven bits a byte, the lowest first.
    arena: Vec<u8>,
    near: Vec<Near>,
    is_full: bool,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            slots: vec![Slot::default(); FIRST_SLOTS],
            words: 0,
            arena: Vec::new(),
            near: vec![Near::default(); 1 << NEAR_BITS],
            is_full: false,
        }
    }
}

impl Table {
    /// Counts the word `text[start..end]`, which is not empty.
    #[inline]
    pub(crate) fn count(&mut self, text: &[u8], start: usize, end: usize) {
        let length = end - start;
        if length > LONGEST_NUMBER_BYTES {
            self.add(&text[start..end], 1);
            return;
        }
        let key = number_of(text, start, length);
        let near = &mut self.near[near_place(key)];
        if near.key == key {
            near.count += 1;
            return;
        }
        let old = std::mem::replace(near, Near { key, count: 1 });
        self.settle(old);
    }

    /// Adds `times` to the count of `word`.
    pub(crate) fn add(&mut self, word: &[u8], times: u64) {
        if times == 0 {
            return;
        }
        let hash = (hash_of(word) >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.count == 0 {
                break;
            }
            if slot.hash == hash && word_at(&self.arena, slot.place).0 == word {
                self.slots[at].count += times;
                return;
            }
            at = (at + 1) & mask;
        }
        let Ok(place) = u32::try_from(self.arena.len()) else {
            self.is_full = true;
            return;
        };
        self.slots[at] = Slot {
            count: times,
            hash,
            place,
        };
        self.words += 1;
        push_word(&mut self.arena, word);
        if self.words * 8 > self.slots.len() * 7 {
            self.grow();
        }
    }

    fn settle(&mut self, near: Near) {
        let length = (near.key >> 120) as usize;
        self.add(&near.key.to_le_bytes()[..length], near.count);
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); mask + 1]);
        for slot in old.into_iter().filter(|slot| slot.count > 0) {
            let mut at = slot.hash as usize & mask;
            while self.slots[at].count > 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }

    /// Whether a word was left out because its place would not fit into 32 bits.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Memory it takes now, and would while it grows once more.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let slots = self.slots.len() * 3 * size_of::<Slot>();
        (slots + self.arena.capacity() * 2 + self.near.len() * size_of::<Near>()) as u64
    }

    /// Empties the near table into the slots.
    fn settle_all(&mut self) {
        for at in 0..self.near.len() {
            let near = std::mem::take(&mut self.near[at]);
            self.settle(near);
        }
    }

    /// Adds the words of `other`.
    pub(crate) fn add_all(&mut self, other: Self) {
        let (slots, arena) = other.into_slots();
        for slot in slots {
            self.add(word_at(&arena, slot.place).0, slot.count);
        }
    }

    /// The filled slots sorted by their words, and the arena they point into; the table is empty afterwards.
    pub(crate) fn take_sorted(&mut self) -> (Vec<Slot>, Vec<u8>) {
        let (mut slots, arena) = std::mem::take(self).into_slots();
        slots.sort_unstable_by(|left, right| {
            word_at(&arena, left.place).0.cmp(word_at(&arena, right.place).0)
        });
        (slots, arena)
    }

    /// The filled slots, without the empty ones between them, and the arena they point into.
    pub(crate) fn into_slots(mut self) -> (Vec<Slot>, Vec<u8>) {
        self.settle_all();
        self.slots.retain(|slot| slot.count > 0);
        self.slots.shrink_to_fit();
        (self.slots, self.arena)
    }
}

/// Appends the length of `word`, and `word`.
pub(crate) fn push_word(arena: &mut Vec<u8>, word: &[u8]) {
    let mut length = word.len();
    while length >= 0x80 {
        arena.push(length as u8 | 0x80);
        length >>= 7;
    }
    arena.push(length as u8);
    arena.extend_from_slice(word);
}

/// The word at `place` of `arena`, and the place after it.
#[inline]
pub(crate) fn word_at(arena: &[u8], place: u32) -> (&[u8], usize) {
    let mut at = place as usize;
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = arena[at];
        at += 1;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
        shift += 7;
    }
    (&arena[at..at + length], at + length)
}

#[inline]
fn near_place(key: u128) -> usize {
    (hash_of_number(key) >> (64 - NEAR_BITS)) as usize
}
