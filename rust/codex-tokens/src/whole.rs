//! Words that are tokens as they stand: half of the words that a thread meets for the first time.
//!
//! The merges would come to the same, one after the other, at ten times the cost. An entry holds all of a short word and its id,
//! so no answer rests on a hash; what finds no room is merged.

use crate::pages::{Table, prefetch};
use crate::word_table::Key;

/// Longer tokens are left to the merges.
const LONGEST: u32 = 13;
const WORD: u128 = (1 << (8 * LONGEST)) - 1;
/// Bits of an id, above the word.
const ID_BITS: u32 = 20;
const ID: u128 = ((1 << ID_BITS) - 1) << (8 * LONGEST);
/// Where the length stands, which no entry but an empty one has as 0.
const LENGTH_SHIFT: u32 = 124;

/// Entries in one line of memory.
const ENTRIES: usize = 4;

/// Tokens put in together, so that the memory of all is asked for before that of the first is needed.
const BATCH: usize = 32;

/// One line of memory: words in the lower bits, then their ids, their lengths on top; 0 where there is none.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u128; ENTRIES]);

const _: () = assert!(size_of::<Line>() == 64);

/// Word to id. Immutable; shared by all threads.
#[derive(Debug)]
pub(crate) struct WholeTokens {
    /// A power of two of them.
    lines: Table<Line>,
}

impl WholeTokens {
    /// As many of `tokens`, which are words with their ids, as have room; the first of them before the others.
    pub(crate) fn of<'a>(tokens: impl Iterator<Item = (&'a [u8], u32)> + Clone) -> Self {
        let count = tokens.clone().count();
        // Four of five places are taken at the most.
        let lines = (count * 5 / 4 / ENTRIES + 1).next_power_of_two();
        let mut whole = Self {
            lines: Table::filled(Line([0; ENTRIES]), lines),
        };
        let fits =
            |&(word, id): &(&[u8], u32)| (1..=LONGEST as usize).contains(&word.len()) && id >> ID_BITS == 0;
        let mut tokens = tokens.filter(fits);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            batch.extend(
                tokens
                    .by_ref()
                    .take(BATCH)
                    .map(|(word, id)| (Key::of(word, 0, word.len()), id)),
            );
            if batch.is_empty() {
                return whole;
            }
            for &(key, _) in &batch {
                whole.prefetch(key);
            }
            for (key, id) in batch.drain(..) {
                let at = whole.line_of(key);
                if let Some(free) = whole.lines[at].0.iter_mut().find(|entry| **entry == 0) {
                    *free = entry_of(key) | u128::from(id) << (8 * LONGEST);
                }
            }
        }
    }

    /// The id of the word that has `key`, if it is here.
    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<u32> {
        if key.length() > LONGEST {
            return None;
        }
        let wanted = entry_of(key);
        let line = &self.lines[self.line_of(key)].0;
        let found = line.iter().find(|&&entry| entry & !ID == wanted)?;
        Some(((found & ID) >> (8 * LONGEST)) as u32)
    }

    /// Asks the processor for the line of `key`, which is looked for soon.
    #[inline]
    pub(crate) fn prefetch(&self, key: Key) {
        prefetch(&self.lines[self.line_of(key)]);
    }

    #[inline]
    fn line_of(&self, key: Key) -> usize {
        key.low_hash() & (self.lines.len() - 1)
    }
}

/// The entry of a word of at most [`LONGEST`] bytes, less its id.
#[inline]
fn entry_of(key: Key) -> u128 {
    key.word() & WORD | u128::from(key.length()) << LENGTH_SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_the_id_of_the_word() {
        let words: Vec<Vec<u8>> = (0..20_000_u32)
            .map(|number| {
                let bytes = number.to_be_bytes().into_iter().cycle().skip(2);
                bytes.take(2 + number as usize % 14).collect()
            })
            .collect();
        let tokens = || words.iter().map(Vec::as_slice).zip(7..);
        let whole = WholeTokens::of(tokens());
        let mut found = 0;
        for (word, id) in tokens() {
            if let Some(other) = whole.get(Key::of(word, 0, word.len())) {
                assert!(word.len() <= LONGEST as usize);
                assert_eq!(other, id, "{word:?}");
                found += 1;
            }
        }
        assert!(found > 14_000, "{found} of 20,000");
    }

    #[test]
    fn zeros_count_as_bytes_and_what_does_not_fit_is_left_out() {
        let words: [(&[u8], u32); 4] = [
            (b"a", 1),
            (b"a\0\0", 2),
            (b"b", 1 << ID_BITS),
            (b"12345678901234", 3),
        ];
        let whole = WholeTokens::of(words.into_iter());
        let ids = |word: &[u8]| whole.get(Key::of(word, 0, word.len()));
        assert_eq!([ids(b"a"), ids(b"a\0"), ids(b"a\0\0")], [Some(1), None, Some(2)]);
        assert_eq!(
            [ids(b"b"), ids(b"12345678901234"), whole.get(Key::NONE)],
            [None; 3]
        );
    }
}
