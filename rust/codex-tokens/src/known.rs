//! Words on their way to ids: those that are known, in a row, and between them those that are to be merged.
//!
//! Nine words of ten are tokens and found in [`crate::whole`], which nobody writes to. The others are noted, their memory in the
//! table of words met before is asked for, and they are looked for there when some hundred words more have gone by: only then
//! has it come. No branch is taken that nothing foretells.

#![expect(
    clippy::cast_possible_truncation,
    reason = "places are below the number of words of a stretch"
)]
#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the processor that its caller is compiled for"
)]

use crate::merge::TOGETHER;
use crate::whole::Lookup;
use crate::word_table::{Key, SLOT_IDS, WordTable};

/// Words looked up together, so that the memory of all is asked for before that of the first is needed.
pub(crate) const BATCH_WORDS: usize = 128;

/// Words after which those that are no token are looked for among those met before.
const STRETCH_WORDS: usize = 4 * BATCH_WORDS;

/// Room in the row. A word is written with all the ids that could count, and their number behind them.
const ROW_IDS: usize = 4 * STRETCH_WORDS * SLOT_IDS;
const STRETCH_IDS: usize = STRETCH_WORDS * SLOT_IDS + 1;

/// A word, as a place in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) key: Key,
}

/// Ids of words that follow each other, and the words between them that no slot has.
#[derive(Debug)]
pub(crate) struct Known {
    keys: Box<[Key; BATCH_WORDS]>,
    /// The words of the stretch at hand: ids and, last, how many of them count.
    found: Box<[[u32; SLOT_IDS + 1]; STRETCH_WORDS]>,
    words: usize,
    /// Those that are no token, and their places among them.
    others: Vec<(usize, Word)>,
    row: Box<[u32]>,
    /// So many ids of the row count.
    count: usize,
    missed: Vec<(usize, Word)>,
}

impl Known {
    /// No words.
    pub(crate) fn new() -> Self {
        Self {
            keys: Box::new([Key::NONE; BATCH_WORDS]),
            found: Box::new([[0; SLOT_IDS + 1]; STRETCH_WORDS]),
            words: 0,
            others: Vec::with_capacity(STRETCH_WORDS),
            row: vec![0; ROW_IDS].into(),
            count: 0,
            missed: Vec::with_capacity(STRETCH_WORDS + TOGETHER),
        }
    }

    /// The row, and the words that are not in it with the number of ids before each.
    pub(crate) fn parts(&self) -> (&[u32], &[(usize, Word)]) {
        (&self.row[..self.count], &self.missed)
    }

    /// Forgets all that [`Self::parts`] gives.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.missed.clear();
    }

    /// Whether there are words enough to be merged, or the row is full.
    pub(crate) fn is_due(&self) -> bool {
        self.missed.len() >= TOGETHER || self.count + STRETCH_IDS > ROW_IDS
    }

    /// Adds words of `text`, at most [`BATCH_WORDS`], which begin at `start` and end at `ends`.
    #[inline]
    pub(crate) fn add(
        &mut self,
        text: &[u8],
        start: usize,
        ends: &[usize],
        tokens: Lookup<'_>,
        table: &WordTable,
    ) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("bmi1") && has!("bmi2") {
                // SAFETY: the processor has what the function is compiled for.
                #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
                return unsafe { self.add_by_wide_vectors(text, start, ends, tokens, table) };
            }
        }
        self.add_by_any_means(text, start, ends, tokens, table);
    }

    /// The same, compiled for processors whose vectors compare four entries at once.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2")]
    fn add_by_wide_vectors(
        &mut self,
        text: &[u8],
        start: usize,
        ends: &[usize],
        tokens: Lookup<'_>,
        table: &WordTable,
    ) {
        self.add_by_any_means(text, start, ends, tokens, table);
    }

    #[inline(always)]
    fn add_by_any_means(
        &mut self,
        text: &[u8],
        start: usize,
        ends: &[usize],
        tokens: Lookup<'_>,
        table: &WordTable,
    ) {
        let keys = &mut self.keys[..ends.len()];
        let mut from = start;
        for (key, &end) in keys.iter_mut().zip(ends) {
            *key = Key::of(text, from, end);
            tokens.prefetch(*key);
            from = end;
        }
        let mut others = [0_u8; BATCH_WORDS];
        let mut count = 0;
        for (place, (key, found)) in keys.iter().zip(&mut self.found[self.words..]).enumerate() {
            let token = tokens.get(*key);
            *found = [token.unwrap_or(0), 0, 0, u32::from(token.is_some())];
            others[count % BATCH_WORDS] = place as u8;
            count += usize::from(token.is_none());
        }
        for &place in &others[..count] {
            let place = usize::from(place);
            let key = keys[place];
            table.prefetch(key);
            let start = place.checked_sub(1).map_or(start, |before| ends[before]);
            let end = ends[place];
            self.others.push((self.words + place, Word { start, end, key }));
        }
        self.words += ends.len();
        if self.words + BATCH_WORDS > STRETCH_WORDS {
            self.settle(table);
        }
    }

    /// Looks for the words of the stretch that are no token among those met before, and puts the ids of all in the row.
    pub(crate) fn settle(&mut self, table: &WordTable) {
        let known = self.missed.len();
        for (place, word) in self.others.drain(..) {
            if let Some(([first, second, third], count)) = table.find_in_slot(word.key) {
                self.found[place] = [first, second, third, count as u32];
            } else {
                self.missed.push((place, word));
            }
        }
        let row = &mut self.row[self.count..][..STRETCH_IDS];
        let (mut collected, mut count) = (0, 0);
        let mut collect = |until: usize| {
            for found in &self.found[collected..until] {
                row[count..=count + SLOT_IDS].copy_from_slice(found);
                count += found[SLOT_IDS] as usize;
            }
            collected = until;
            count
        };
        for (before, _) in &mut self.missed[known..] {
            *before = self.count + collect(*before);
        }
        self.count += collect(self.words);
        self.words = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random;
    use crate::whole::WholeTokens;
    use std::sync::Arc;

    /// The ids in order, and `None` for each word that is missed.
    fn take(known: &mut Known, text: &[u8], into: &mut Vec<Option<u32>>) {
        let (row, missed) = known.parts();
        let mut done = 0;
        for &(before, Word { start, end, key }) in missed {
            assert_eq!(key, Key::of(text, start, end));
            into.extend(row[done..before].iter().copied().map(Some));
            into.push(None);
            done = before;
        }
        into.extend(row[done..].iter().copied().map(Some));
        known.clear();
    }

    /// Words of many lengths: one in three is a token, one has been met before, one is new.
    #[test]
    fn what_is_known_is_in_the_row_and_what_is_not_beside_it() {
        let words: Vec<Vec<u8>> = (0..3000_u32)
            .map(|number| {
                let bytes = number.to_be_bytes().into_iter().cycle().skip(2);
                bytes.take(2 + number as usize % 20).collect()
            })
            .collect();
        let tokens = WholeTokens::of(words.iter().map(Vec::as_slice).zip(0..).step_by(3));
        let mut table = WordTable::new(Arc::default());
        for (word, first) in words.iter().zip(0_u32..).skip(1).step_by(3) {
            let ids: Vec<u32> = (first..=first + first % 5).collect();
            table.keep(Key::of(word, 0, word.len()), word, &ids);
        }
        let mut random = random::<usize>(1);
        for count in [0, 1, 2, 127, 128, 129, 511, 512, 513, 10_000] {
            let (mut text, mut ends, mut expected) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..count {
                let word = &words[random(words.len())];
                text.extend_from_slice(word);
                ends.push(text.len());
                let key = Key::of(word, 0, word.len());
                if let Some(token) = tokens.lookup().get(key) {
                    expected.push(Some(token));
                } else if let Some((ids, count)) = table.find_in_slot(key) {
                    expected.extend(ids[..count].iter().copied().map(Some));
                } else {
                    expected.push(None);
                }
            }
            for add in [Known::add, Known::add_by_any_means] {
                let (mut known, mut start, mut found) = (Known::new(), 0, Vec::new());
                for ends in ends.chunks(BATCH_WORDS) {
                    add(&mut known, &text, start, ends, tokens.lookup(), &table);
                    start = ends[ends.len() - 1];
                    if known.is_due() {
                        take(&mut known, &text, &mut found);
                    }
                }
                known.settle(&table);
                take(&mut known, &text, &mut found);
                assert_eq!(found, expected, "{count} words");
            }
            let missed = expected.iter().filter(|id| id.is_none()).count();
            assert!(
                count < 10_000 || (2000..8000).contains(&missed),
                "{missed} of {count}"
            );
        }
    }
}
