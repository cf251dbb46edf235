//! Words met before, with their ids: text repeats itself, so most words are merged once, by one of the threads.
//!
//! A slot holds a word of up to 15 bytes and up to three ids in 32 bytes, so that a word already met costs one line of memory.
//! What is longer lies in an arena and is compared byte by byte: no answer rests on a hash.

mod arena;
mod key;
mod slots;

use self::slots::{Kept, Slots};
use std::mem::take;
use std::sync::{Arc, Mutex};

pub(crate) use self::key::{Key, LONGEST_WORD_BYTES};
pub(crate) use self::slots::SLOT_IDS;

/// What the words of a tokenizer may take where nothing else is said: half of it for slots, half for the ids and the words that
/// do not fit one. When that is full everything is forgotten.
const USUAL_BYTES: usize = 64 << 20;

/// Words that a thread keeps before it tells the others of their number.
const TOLD: usize = 64;

/// The words that any number of threads have met.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Nobody ever waits for it, so a fork at any moment leaves nothing locked: who cannot have it goes on without.
    newest: Mutex<Arc<Slots>>,
    maximum_bytes: usize,
}

/// What one thread sees of [`Shared`]: word to ids, of bounded size. It changes how long encoding takes and never what comes out.
#[derive(Debug)]
pub(crate) struct WordTable {
    shared: Arc<Shared>,
    slots: Arc<Slots>,
    /// Since the others were told.
    kept: usize,
    refused: usize,
}

impl Default for Shared {
    fn default() -> Self {
        Self::with_memory(USUAL_BYTES)
    }
}

impl Shared {
    /// No words yet; they take `maximum_bytes` at most, or 256 KB if that is more.
    pub(crate) fn with_memory(maximum_bytes: usize) -> Self {
        Self {
            newest: Mutex::new(Arc::new(Slots::first(maximum_bytes / 2))),
            maximum_bytes,
        }
    }
}

impl WordTable {
    /// For a thread that shares `shared`.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let newest = shared.newest.try_lock().ok().map(|newest| Arc::clone(&newest));
        let slots = newest.unwrap_or_else(|| Arc::new(Slots::outdated()));
        Self {
            shared,
            slots,
            kept: 0,
            refused: 0,
        }
    }

    /// Sees what has come in place of what this thread looks into, if something has.
    #[inline]
    pub(crate) fn renew(&mut self) {
        if self.slots.is_outdated()
            && let Ok(newest) = self.shared.newest.try_lock()
        {
            self.slots = Arc::clone(&newest);
        }
    }

    /// Asks the processor for the line of `key`, which is looked for soon.
    #[inline]
    pub(crate) fn prefetch(&self, key: Key) {
        self.slots.prefetch(key);
    }

    /// The ids of the word whose key is `key`, and how many of them count, if one slot holds all of it.
    #[inline]
    pub(crate) fn find_in_slot(&self, key: Key) -> Option<([u32; SLOT_IDS], usize)> {
        self.slots.find_in_slot(key)
    }

    /// Appends the ids of `word`, whose key is `key`, to `out`, if it has been kept.
    pub(crate) fn append(&self, key: Key, word: &[u8], out: &mut Vec<u32>) -> bool {
        self.slots.append(key, word, out)
    }

    /// Whether a word of `key` has been kept.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.slots.has(key)
    }

    /// Keeps `word`, whose key is `key`, and its ids.
    pub(crate) fn keep(&mut self, key: Key, word: &[u8], ids: &[u32]) {
        if self.slots.has(key) {
            return;
        }
        match self.slots.keep(key, word, ids) {
            Kept::Here => self.kept += 1,
            Kept::NoSlot => self.refused += 1,
            Kept::NoArena => return self.replace(|_, bytes| Slots::first(bytes)),
        }
        if self.kept + self.refused == TOLD {
            let (is_half_taken, is_refusing) =
                self.slots.count(take(&mut self.kept), take(&mut self.refused));
            if is_half_taken && 4 * self.slots.bytes() <= self.shared.maximum_bytes / 2 {
                self.replace(|slots, _| slots.grown());
            } else if is_refusing {
                self.replace(|_, bytes| Slots::first(bytes));
            }
        }
    }

    /// Puts what `make` makes of the slots, and the bytes of an arena, in the place of the slots, unless another thread is at it.
    fn replace(&mut self, make: impl FnOnce(&Slots, usize) -> Slots) {
        let Ok(mut newest) = self.shared.newest.try_lock() else {
            return;
        };
        if !self.slots.is_outdated() {
            *newest = Arc::new(make(&self.slots, self.shared.maximum_bytes / 2));
            self.slots.set_outdated();
        }
        self.slots = Arc::clone(&newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

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

    fn table(maximum_bytes: usize) -> WordTable {
        WordTable::new(Arc::new(Shared::with_memory(maximum_bytes)))
    }

    fn key_of(word: &[u8]) -> Key {
        Key::of(word, 0, word.len())
    }

    fn found(table: &WordTable, word: &[u8]) -> Option<Vec<u32>> {
        // First, for other threads may keep it in between.
        let in_slot = table.find_in_slot(key_of(word));
        let mut ids = Vec::new();
        let is_found = table.append(key_of(word), word, &mut ids);
        if let Some((in_slot, count)) = in_slot {
            assert_eq!(in_slot[..count], ids);
        }
        is_found.then_some(ids)
    }

    /// Meets every word, each looked for before it is kept, and says how many are found in the end.
    fn meet_all(table: &mut WordTable) -> usize {
        let is_found = |table: &WordTable, word: &Vec<u8>| match found(table, word) {
            Some(ids) => {
                assert_eq!(ids, ids_of(word), "{word:?}");
                true
            }
            None => false,
        };
        for word in words() {
            table.renew();
            if !is_found(table, &word) {
                table.keep(key_of(&word), &word, &ids_of(&word));
            }
        }
        words().filter(|word| is_found(table, word)).count()
    }

    #[test]
    fn what_is_found_is_what_was_kept() {
        let mut table = table(USUAL_BYTES);
        let begun = table.slots.bytes();
        let found = meet_all(&mut table);
        assert!(table.slots.bytes() > begun, "it grew");
        assert!(found > 57_000, "{found} of 60,000");
    }

    #[test]
    fn a_thread_finds_what_another_has_kept() {
        let shared = Arc::new(Shared::with_memory(USUAL_BYTES));
        let [mut first, mut second] = [(); 2].map(|()| WordTable::new(Arc::clone(&shared)));
        let kept = meet_all(&mut first);
        second.renew();
        let found = words().filter(|word| found(&second, word).is_some()).count();
        assert_eq!(found, kept);
    }

    /// What a thread keeps in slots that another is just replacing is forgotten, how much of it is a matter of the moment; so
    /// the words are met once more.
    #[test]
    fn threads_at_once_leave_a_table_that_is_right() {
        let shared = Arc::new(Shared::with_memory(USUAL_BYTES));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| meet_all(&mut WordTable::new(Arc::clone(&shared))));
            }
        });
        let found = meet_all(&mut WordTable::new(shared));
        assert!(found > 57_000, "{found} of 60,000");
    }

    #[test]
    fn a_locked_table_is_gone_on_without() {
        let shared = Arc::new(Shared::with_memory(USUAL_BYTES));
        let mut before = WordTable::new(Arc::clone(&shared));
        let locked = shared.newest.lock().expect("not poisoned");
        let mut meanwhile = WordTable::new(Arc::clone(&shared));
        for table in [&mut before, &mut meanwhile] {
            meet_all(table);
        }
        assert!(!Arc::ptr_eq(&locked, &meanwhile.slots));
        drop(locked);
        meanwhile.renew();
        assert!(Arc::ptr_eq(&before.slots, &meanwhile.slots));
    }

    #[test]
    fn long_words_of_one_key_are_told_apart_by_their_bytes() {
        let (one, two) = ([b'a'; 20], [b'b'; 20]);
        let key = key_of(&one);
        let mut table = table(USUAL_BYTES);
        table.keep(key, &one, &[1, 2]);
        let mut ids = Vec::new();
        assert!(!table.append(key, &two, &mut ids));
        assert!(table.append(key, &one, &mut ids));
        assert_eq!(ids, [1, 2]);
    }

    #[test]
    fn a_table_stays_within_its_memory_and_meets_new_words() {
        let mut table = table(1 << 20);
        let mut most = 0;
        for round in 0..20_u32 {
            for word in words() {
                let word = [&word[..word.len().min(10)], &round.to_le_bytes()].concat();
                table.keep(key_of(&word), &word, &ids_of(&word));
                most = most.max(table.slots.bytes());
            }
        }
        assert_eq!(most, 1 << 19, "it grew");
        let word = b"the last of all";
        let mut is_kept = |number: u8| {
            let word = [&word[..], &[number]].concat();
            table.keep(key_of(&word), &word, &[1]);
            found(&table, &word).is_some()
        };
        assert!((0..100).filter(|&number| is_kept(number)).count() > 0);
    }

    #[test]
    fn a_full_arena_starts_again() {
        let mut table = table(1 << 20);
        let ids = [7; 64];
        // A quarter more than it holds, for some words find no slot.
        for number in 0..(1_usize << 19) / size_of_val(&ids) * 5 / 4 {
            let word = [number.to_le_bytes(), number.to_le_bytes()].concat();
            table.keep(key_of(&word), &word, &ids);
        }
        let count = (0..10_000_usize).filter(|number| {
            let word = [number.to_le_bytes(), number.to_le_bytes()].concat();
            found(&table, &word).is_some()
        });
        assert!((1..1000).contains(&count.count()));
    }
}
