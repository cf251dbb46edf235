//! Slots that any number of threads read and fill at once, without waiting for each other.
//!
//! A slot goes from empty to claimed to written, and never back. Its key is stored last, so who finds a key finds the ids that
//! belong to it: nothing is read that could be half of one word and half of another.

#![expect(clippy::cast_possible_truncation, reason = "a slot is cut into its parts")]

use super::arena::Arena;
use super::key::Key;
use crate::pages::{Table, Zero, prefetch};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Ids that fit into a slot.
pub(crate) const SLOT_IDS: usize = 3;

/// Buckets to begin with: 128 KB.
const FIRST_BUCKETS: usize = 1 << 11;

/// The upper half of the key of a slot that is being written; no word has it.
const CLAIMED: u64 = 0xfe << 56;

/// A word and its ids. Where the ids are more than three, or the word is longer than its key, the count has [`IN_ARENA`]: the
/// ids lie from the first of `ids`, a longer word from the second.
#[derive(Debug)]
struct Slot {
    /// The halves of the key. The upper one is 0 in an empty slot.
    low: AtomicU64,
    high: AtomicU64,
    /// Three ids and, on top, their count.
    ids: [AtomicU64; 2],
}

/// Two slots in one line of memory.
#[derive(Debug)]
#[repr(align(64))]
struct Bucket([Slot; 2]);

const _: () = assert!(size_of::<Bucket>() == 64);

// SAFETY: it is made of numbers.
#[expect(unsafe_code, reason = "nothing else says that zeros are a value")]
unsafe impl Zero for Bucket {}

/// A bit of the count.
const IN_ARENA: u32 = 1 << 31;

/// What [`Slots::keep`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Here,
    /// Both buckets of the word are full.
    NoSlot,
    /// The arena is full.
    NoArena,
}

/// Word to ids, as large as it is made.
#[derive(Debug)]
pub(super) struct Slots {
    /// A power of two of them.
    buckets: Table<Bucket>,
    arena: Arc<Arena>,
    /// Set once others have come in place of these.
    is_outdated: AtomicBool,
    counts: Counts,
}

/// Counted by threads in turn, so far from what all of them read.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Counts {
    kept: AtomicUsize,
    refused: AtomicUsize,
}

impl Slots {
    /// Empty, and small.
    pub(super) fn first(arena_bytes: usize) -> Self {
        Self::with_buckets(FIRST_BUCKETS, Arc::new(Arena::with_memory(arena_bytes)))
    }

    /// Hardly any, for a thread that cannot have the newest yet.
    pub(super) fn outdated() -> Self {
        let slots = Self::with_buckets(2, Arc::new(Arena::with_memory(0)));
        slots.set_outdated();
        slots
    }

    fn with_buckets(buckets: usize, arena: Arc<Arena>) -> Self {
        Self {
            buckets: Table::spread_zeros(buckets),
            arena,
            is_outdated: AtomicBool::new(false),
            counts: Counts::default(),
        }
    }

    /// Four times the buckets, with the words of these.
    pub(super) fn grown(&self) -> Self {
        let grown = Self::with_buckets(self.buckets.len() * 4, Arc::clone(&self.arena));
        let slots = self.buckets.iter().flat_map(|Bucket(slots)| slots);
        let mut kept = 0;
        for slot in slots {
            let high = slot.high.load(Ordering::Acquire);
            if high != 0 && high != CLAIMED {
                let key = u128::from(high) << 64 | u128::from(slot.low.load(Ordering::Relaxed));
                let ids = [0, 1].map(|at| slot.ids[at].load(Ordering::Relaxed));
                let key = Key::again(key);
                if let Some(slot) = grown.claim(key) {
                    slot.write(key, ids);
                    kept += 1;
                }
            }
        }
        grown.counts.kept.store(kept, Ordering::Relaxed);
        grown
    }

    /// The bytes of all buckets.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    pub(super) fn is_outdated(&self) -> bool {
        self.is_outdated.load(Ordering::Relaxed)
    }

    /// Others have come in place of these.
    pub(super) fn set_outdated(&self) {
        self.is_outdated.store(true, Ordering::Relaxed);
    }

    /// Counts words that have been kept, and others that have found no slot. The answer says whether half of the slots are
    /// taken, and whether as many words as there are slots had none.
    pub(super) fn count(&self, kept: usize, refused: usize) -> (bool, bool) {
        let kept = self.counts.kept.fetch_add(kept, Ordering::Relaxed) + kept;
        let refused = self.counts.refused.fetch_add(refused, Ordering::Relaxed) + refused;
        (kept > self.buckets.len(), refused > 2 * self.buckets.len())
    }

    /// Asks the processor for the line of `key`, which is looked for soon.
    #[inline]
    pub(super) fn prefetch(&self, key: Key) {
        prefetch(&self.buckets[self.place_of(key)]);
    }

    /// The ids of the word whose key is `key`, and how many of them count, if one slot holds all of it.
    #[inline]
    pub(super) fn find_in_slot(&self, key: Key) -> Option<([u32; SLOT_IDS], usize)> {
        let (ids, count) = self.slot(key)?.parts();
        (count <= SLOT_IDS as u32).then_some((ids, count as usize))
    }

    /// Appends the ids of `word`, whose key is `key`, to `out`, if it has been kept.
    pub(super) fn append(&self, key: Key, word: &[u8], out: &mut Vec<u32>) -> bool {
        let Some((ids, count)) = self.slot(key).map(Slot::parts) else {
            return false;
        };
        if count & IN_ARENA == 0 {
            out.extend_from_slice(&ids[..count as usize]);
            return true;
        }
        let is_it = key.is_whole_word() || self.arena.get(ids[1], word.len().div_ceil(4)).eq(numbers(word));
        if is_it {
            out.extend(self.arena.get(ids[0], (count & !IN_ARENA) as usize));
        }
        is_it
    }

    /// Whether something is kept that has `key`.
    pub(super) fn has(&self, key: Key) -> bool {
        self.slot(key).is_some()
    }

    /// Keeps `word`, whose key is `key`, and its ids.
    pub(super) fn keep(&self, key: Key, word: &[u8], ids: &[u32]) -> Kept {
        let Some(slot) = self.claim(key) else {
            return Kept::NoSlot;
        };
        let (mut parts, mut count) = ([0; SLOT_IDS], ids.len() as u32);
        if key.is_whole_word() && ids.len() <= SLOT_IDS {
            parts[..ids.len()].copy_from_slice(ids);
        } else {
            count |= IN_ARENA;
            let spelling = numbers(if key.is_whole_word() { &[] } else { word });
            let all = ids.len() + spelling.len();
            let Some(start) = self.arena.put(all, ids.iter().copied().chain(spelling)) else {
                slot.high.store(0, Ordering::Relaxed);
                return Kept::NoArena;
            };
            parts[..2].copy_from_slice(&[start, start + ids.len() as u32]);
        }
        let [first, second, third] = parts.map(u64::from);
        slot.write(key, [second << 32 | first, u64::from(count) << 32 | third]);
        Kept::Here
    }

    /// An empty slot of the two buckets of `key`, if there is one, which is then nobody else's.
    fn claim(&self, key: Key) -> Option<&Slot> {
        let home = self.place_of(key);
        let buckets = [home, home ^ 1].map(|place| &self.buckets[place].0);
        buckets.into_iter().flatten().find(|slot| slot.claim())
    }

    /// Which of the two slots of a bucket it is is chosen without a branch, for no branch could be foretold.
    #[inline]
    fn slot(&self, key: Key) -> Option<&Slot> {
        let home = self.place_of(key);
        let Bucket(slots) = &self.buckets[home];
        let slot = &slots[usize::from(slots[1].is_of(key))];
        if slot.is_of(key) {
            return Some(slot);
        }
        if slots[1].is_empty() {
            return None;
        }
        self.buckets[home ^ 1].0.iter().find(|slot| slot.is_of(key))
    }

    #[inline]
    fn place_of(&self, key: Key) -> usize {
        key.high_hash() & (self.buckets.len() - 1)
    }
}

impl Slot {
    #[inline]
    fn is_of(&self, key: Key) -> bool {
        // The upper half first: what is stored before it is seen then.
        let high = self.high.load(Ordering::Acquire) ^ (key.key >> 64) as u64;
        let low = self.low.load(Ordering::Relaxed) ^ key.key as u64;
        high | low == 0
    }

    fn is_empty(&self) -> bool {
        self.high.load(Ordering::Relaxed) == 0
    }

    /// Takes the slot if it is empty.
    fn claim(&self) -> bool {
        let claimed = || {
            self.high
                .compare_exchange(0, CLAIMED, Ordering::Relaxed, Ordering::Relaxed)
        };
        self.is_empty() && claimed().is_ok()
    }

    /// Fills a slot that has been claimed.
    fn write(&self, key: Key, ids: [u64; 2]) {
        self.low.store(key.key as u64, Ordering::Relaxed);
        for (place, ids) in self.ids.iter().zip(ids) {
            place.store(ids, Ordering::Relaxed);
        }
        self.high.store((key.key >> 64) as u64, Ordering::Release);
    }

    /// The ids and their count, of a slot that has been seen to be of some key.
    #[inline]
    fn parts(&self) -> ([u32; SLOT_IDS], u32) {
        let [first, second] = [0, 1].map(|at| self.ids[at].load(Ordering::Relaxed));
        (
            [first as u32, (first >> 32) as u32, second as u32],
            (second >> 32) as u32,
        )
    }
}

/// The bytes of a word four at a time, zeros behind the last.
fn numbers(word: &[u8]) -> impl ExactSizeIterator<Item = u32> {
    let byte = move |at| u32::from(word.get(at).copied().unwrap_or(0));
    let number = move |at: usize| byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    (0..word.len().div_ceil(4)).map(move |place| number(4 * place))
}
