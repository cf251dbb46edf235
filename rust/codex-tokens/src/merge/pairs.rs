//! Where a pair of ids finds its merge: eight bytes an entry, so that a large vocabulary stays near the processor.

#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the processor that its caller is compiled for"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "an entry is cut into its parts, a hash to the size of the table"
)]

use super::Pair;
use crate::pages::{Table, prefetch};

/// Bits of an id in an entry.
pub(super) const ID_BITS: u32 = 21;
/// Bits of a rank in an entry.
const RANK_BITS: u32 = 22;
/// No merge; no rank is as large.
pub(crate) const NO_RANK: u32 = (1 << RANK_BITS) - 1;
/// An entry that holds nothing. Its rank is [`NO_RANK`].
const EMPTY: u64 = u64::MAX;

/// Entries in one line of memory.
const ENTRIES: usize = 8;

/// Bits of the filter for each pair.
const FILTER_BITS: usize = 8;

/// Entries that are looked at together, from the first on; [`EMPTY`] where there is none.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Line(pub(super) [u64; ENTRIES]);

const _: () = assert!(size_of::<Line>() == 64);

const EMPTY_LINE: Line = Line([EMPTY; ENTRIES]);

/// Pair to rank.
///
/// The table is larger than what is near the processor, so a look-up is one line of memory, asked for before it is needed, and
/// takes no branch that nothing foretells. Who can ask for nothing beforehand goes by way of a much smaller filter: a bit of it is
/// set for every pair that has a merge and for one in ten of the others.
#[derive(Debug)]
pub(super) struct PairTable {
    /// The first is empty. A pair whose line is full is in the next that is not.
    lines: Table<Line>,
    shift: u32,
    filter: Vec<u64>,
    filter_shift: u32,
}

/// Where the rank of a pair is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    key: u64,
    line: usize,
}

impl PairTable {
    /// The lines and the filter.
    pub(super) fn parts(&self) -> (&[Line], &[u64]) {
        (&self.lines, &self.filter)
    }

    /// A table of what [`Self::parts`] gave, or `None` if no table has such parts.
    pub(super) fn of_parts(lines: Table<Line>, filter: Vec<u64>) -> Option<Self> {
        let homes = lines.len().checked_sub(1)?;
        let has_end = lines.iter().skip(1).any(|line| line.0.contains(&EMPTY));
        let is_sound = homes > 1 && homes.is_power_of_two() && filter.len().is_power_of_two();
        (is_sound && has_end && lines[0].0 == EMPTY_LINE.0).then(|| Self {
            shift: u64::BITS - homes.trailing_zeros(),
            filter_shift: u64::BITS - (filter.len() * 64).trailing_zeros(),
            lines,
            filter,
        })
    }

    /// An empty table for `pairs` pairs.
    pub(super) fn for_pairs(pairs: usize) -> Self {
        // Half of the entries stay empty.
        let homes = (pairs * 2 / ENTRIES + 2).next_power_of_two();
        let bits = (pairs * FILTER_BITS).next_power_of_two().max(64);
        Self {
            lines: Table::filled(EMPTY_LINE, homes + 1),
            shift: u64::BITS - homes.trailing_zeros(),
            filter: vec![0; bits / 64],
            filter_shift: u64::BITS - bits.trailing_zeros(),
        }
    }

    /// Puts in a pair that is not in it.
    pub(super) fn insert(&mut self, (left, right): Pair, rank: u32) {
        let key = key_of(left, right);
        let bit = hash_of(key) >> self.filter_shift;
        self.filter[(bit / 64) as usize] |= 1 << (bit % 64);
        let mut line = self.home_of(key);
        loop {
            if let Some(free) = self.lines[line].0.iter_mut().find(|entry| **entry == EMPTY) {
                *free = key << RANK_BITS | u64::from(rank);
                return;
            }
            line = self.behind(line);
        }
    }

    /// Asks for the memory of a pair, whose rank is asked for soon, or which is put in.
    #[inline]
    pub(super) fn prefetch(&self, left: u32, right: u32) {
        let key = key_of(left, right);
        prefetch(&self.filter[(hash_of(key) >> self.filter_shift) as usize / 64]);
        prefetch(&self.lines[self.home_of(key)]);
    }

    /// The rank of a pair, or [`NO_RANK`].
    #[inline]
    pub(super) fn rank(&self, left: u32, right: u32) -> u32 {
        let bit = hash_of(key_of(left, right)) >> self.filter_shift;
        if self.filter[(bit / 64) as usize] >> (bit % 64) & 1 == 0 {
            return NO_RANK;
        }
        self.rank_at(self.place_of(left, right, true))
    }

    /// Where the rank of a pair is looked for, if the pair `exists`; what is there is asked for.
    #[inline(always)]
    pub(super) fn seek(&self, left: u32, right: u32, exists: bool) -> Place {
        let place = self.place_of(left, right, exists);
        prefetch(&self.lines[place.line]);
        place
    }

    /// Nothing is found in the first line, which is empty.
    #[inline(always)]
    fn place_of(&self, left: u32, right: u32, exists: bool) -> Place {
        let key = key_of(left, right);
        Place {
            key,
            line: self.home_of(key) & 0_usize.wrapping_sub(usize::from(exists)),
        }
    }

    /// The rank of the pair that is looked for at `place`, or [`NO_RANK`].
    #[inline(always)]
    pub(super) fn rank_at(&self, Place { key, mut line }: Place) -> u32 {
        loop {
            let Line(entries) = &self.lines[line];
            // One entry at most has the key: the others leave no bit.
            let found = entries.iter().fold(0, |found, &entry| {
                found | if entry >> RANK_BITS == key { !entry } else { 0 }
            });
            let found = found as u32 & NO_RANK;
            #[expect(
                clippy::needless_bitwise_bool,
                reason = "one condition is nearly always met; whether the pair is found nothing foretells"
            )]
            if (found != 0) | (entries[ENTRIES - 1] == EMPTY) {
                return found ^ NO_RANK;
            }
            line = self.behind(line);
        }
    }

    /// The pairs with their ranks, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Pair, u32)> {
        let entries = self.lines.iter().flat_map(|line| &line.0);
        entries.filter(|&&entry| entry != EMPTY).map(|&entry| {
            let key = entry >> RANK_BITS;
            let pair = ((key >> ID_BITS) as u32, key as u32 & ((1 << ID_BITS) - 1));
            (pair, entry as u32 & NO_RANK)
        })
    }

    /// The line of a pair; no pair has the first.
    #[inline(always)]
    fn home_of(&self, key: u64) -> usize {
        (hash_of(key) >> self.shift) as usize + 1
    }

    /// The line behind `line`.
    fn behind(&self, line: usize) -> usize {
        line % (self.lines.len() - 1) + 1
    }
}

#[inline]
fn key_of(left: u32, right: u32) -> u64 {
    u64::from(left) << ID_BITS | u64::from(right)
}

#[inline]
fn hash_of(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_ids_are_told_apart() {
        let largest = (1 << ID_BITS) - 1;
        let mut pairs = [(largest, largest), (0, largest), (largest, 0)];
        let mut table = PairTable::for_pairs(pairs.len());
        for (&pair, rank) in pairs.iter().zip(7..) {
            table.insert(pair, rank);
        }
        for (&(left, right), rank) in pairs.iter().zip(7..) {
            assert_eq!(table.rank(left, right), rank);
        }
        assert_eq!(table.rank(0, 0), NO_RANK);
        assert_eq!(table.rank(largest - 1, largest), NO_RANK);
        pairs.sort_unstable();
        let mut found: Vec<Pair> = table.iter().map(|(pair, _)| pair).collect();
        found.sort_unstable();
        assert_eq!(found, pairs);
    }

    #[test]
    fn an_empty_table_has_no_merge() {
        assert_eq!(PairTable::for_pairs(0).rank(0, 0), NO_RANK);
    }
}
