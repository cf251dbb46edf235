//! Words that are tokens as they stand: nine words of ten, and half of those that a thread meets for the first time.
//!
//! The merges would come to the same, one after the other, at ten times the cost. An entry holds all of a short word and its id,
//! so no answer rests on a hash; what finds no room is merged.

#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the processor that its caller is compiled for"
)]
#![expect(clippy::cast_possible_truncation, reason = "an entry is cut into its parts")]

use crate::pages::{Table, prefetch};
use crate::word_table::Key;

/// Longer tokens are left to the merges.
const LONGEST: u32 = 13;
/// Bits of a word behind its first eight bytes, of its id above them, and of its length on top.
const REST_BITS: u32 = 8 * (LONGEST - 8);
const ID_BITS: u32 = 20;
const LENGTH_SHIFT: u32 = REST_BITS + ID_BITS;
const ID: u64 = ((1 << ID_BITS) - 1) << REST_BITS;

/// Entries in one line of memory.
const ENTRIES: usize = 4;

/// Tokens put in together, so that the memory of all is asked for before that of the first is needed.
const BATCH: usize = 32;

/// One line of memory: the first eight bytes of each word, and the rest of it with its id and its length, which is 0 where there
/// is no word.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line {
    first: [u64; ENTRIES],
    rest: [u64; ENTRIES],
}

const _: () = assert!(size_of::<Line>() == 64);

const EMPTY: Line = Line {
    first: [0; ENTRIES],
    rest: [0; ENTRIES],
};

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
            lines: Table::filled(EMPTY, lines),
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
                whole.lookup().prefetch(key);
            }
            for (key, id) in batch.drain(..) {
                let at = whole.lookup().line_of(key);
                let (line, (first, rest)) = (&mut whole.lines[at], entry_of(key));
                let is_its = |at: &usize| (line.first[*at], line.rest[*at] & !ID) == (first, rest);
                let place = (0..ENTRIES).find(|at| line.rest[*at] == 0 || is_its(at));
                if let Some(free) = place.filter(|&at| line.rest[at] == 0) {
                    line.first[free] = first;
                    line.rest[free] = rest | u64::from(id) << REST_BITS;
                }
            }
        }
    }

    /// The table at hand: of many words it is not asked each time where the lines are.
    #[inline]
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        Lookup { lines: &self.lines }
    }
}

/// A [`WholeTokens`] in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup<'t> {
    lines: &'t [Line],
}

impl Lookup<'_> {
    /// The id of the word that has `key`, if it is here. All entries are compared: no branch could be foretold.
    #[inline(always)]
    pub(crate) fn get(self, key: Key) -> Option<u32> {
        let (first, rest) = entry_of(key);
        let line = &self.lines[self.line_of(key)];
        let entries = line.first.iter().zip(&line.rest);
        let found = entries.fold(0, |found, (&its_first, &its_rest)| {
            let differs = its_first ^ first | its_rest & !ID ^ rest;
            found | if differs == 0 { its_rest } else { 0 }
        });
        (found != 0).then_some(((found & ID) >> REST_BITS) as u32)
    }

    /// Asks the processor for the line of `key`, which is looked for soon.
    #[inline(always)]
    pub(crate) fn prefetch(self, key: Key) {
        prefetch(&self.lines[self.line_of(key)]);
    }

    #[inline(always)]
    fn line_of(self, key: Key) -> usize {
        key.low_hash() & (self.lines.len() - 1)
    }
}

/// The two parts of the entry of a word, less its id. No entry has the length of a longer word than [`LONGEST`].
#[inline(always)]
fn entry_of(key: Key) -> (u64, u64) {
    let word = key.word();
    let rest = (word >> 64) as u64 & ((1 << REST_BITS) - 1);
    (word as u64, rest | u64::from(key.length()) << LENGTH_SHIFT)
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
            if let Some(other) = whole.lookup().get(Key::of(word, 0, word.len())) {
                assert!(word.len() <= LONGEST as usize);
                assert_eq!(other, id, "{word:?}");
                found += 1;
            }
        }
        assert!(found > 14_000, "{found} of 20,000");
    }

    #[test]
    fn zeros_count_as_bytes_and_what_does_not_fit_is_left_out() {
        let words: [(&[u8], u32); 5] = [
            (b"a", 1),
            (b"a\0\0", 2),
            (b"a", 4),
            (b"b", 1 << ID_BITS),
            (b"12345678901234", 3),
        ];
        let whole = WholeTokens::of(words.into_iter());
        let ids = |word: &[u8]| whole.lookup().get(Key::of(word, 0, word.len()));
        assert_eq!([ids(b"a"), ids(b"a\0"), ids(b"a\0\0")], [Some(1), None, Some(2)]);
        assert_eq!(
            [ids(b"b"), ids(b"12345678901234"), whole.lookup().get(Key::NONE)],
            [None; 3]
        );
    }
}
