//! Where a pair of ids finds its merge: eight bytes an entry, so that a large vocabulary stays near the processor.

#![expect(
    clippy::cast_possible_truncation,
    reason = "an entry is cut into its parts, a hash to the size of the table"
)]

use super::Pair;
use crate::pages::Table;

/// Bits of an id in an entry.
pub(super) const ID_BITS: u32 = 21;
/// Bits of a rank in an entry.
const RANK_BITS: u32 = 22;
/// No merge; no rank is as large.
pub(crate) const NO_RANK: u32 = (1 << RANK_BITS) - 1;
/// An entry that holds nothing. Its rank is [`NO_RANK`].
const EMPTY: u64 = u64::MAX;

/// Bits of the filter for each pair.
const FILTER_BITS: usize = 8;

/// Pair to rank.
///
/// Most pairs that are asked for have no merge, and the table is larger than what is near the processor. So one bit of a much
/// smaller filter is looked at first: it is set for every pair that has a merge and for one in ten of the others.
#[derive(Debug)]
pub(super) struct PairTable {
    /// Left id, right id and rank in each entry; open addressing, at least half of it empty.
    entries: Table<u64>,
    shift: u32,
    filter: Vec<u64>,
    filter_shift: u32,
}

impl PairTable {
    /// The entries and the filter.
    pub(super) fn parts(&self) -> (&[u64], &[u64]) {
        (&self.entries, &self.filter)
    }

    /// A table of what [`Self::parts`] gave, or `None` if no table has such parts.
    pub(super) fn of_parts(entries: Table<u64>, filter: Vec<u64>) -> Option<Self> {
        let is_sound =
            entries.len().is_power_of_two() && filter.len().is_power_of_two() && entries.contains(&EMPTY);
        is_sound.then(|| Self {
            shift: u64::BITS - entries.len().trailing_zeros(),
            filter_shift: u64::BITS - (filter.len() * 64).trailing_zeros(),
            entries,
            filter,
        })
    }

    /// An empty table for `pairs` pairs.
    pub(super) fn for_pairs(pairs: usize) -> Self {
        let slots = (pairs * 2 + 2).next_power_of_two();
        let bits = (pairs * FILTER_BITS).next_power_of_two().max(64);
        Self {
            entries: Table::filled(EMPTY, slots),
            shift: u64::BITS - slots.trailing_zeros(),
            filter: vec![0; bits / 64],
            filter_shift: u64::BITS - bits.trailing_zeros(),
        }
    }

    /// Puts in a pair that is not in it.
    pub(super) fn insert(&mut self, (left, right): Pair, rank: u32) {
        let hash = hash_of(left, right);
        let mut at = (hash >> self.shift) as usize;
        while self.entries[at] != EMPTY {
            at = (at + 1) & (self.entries.len() - 1);
        }
        self.entries[at] = key_of(left, right) << RANK_BITS | u64::from(rank);
        let bit = hash >> self.filter_shift;
        self.filter[(bit / 64) as usize] |= 1 << (bit % 64);
    }

    /// The rank of a pair, or [`NO_RANK`].
    #[inline]
    pub(super) fn rank(&self, left: u32, right: u32) -> u32 {
        let hash = hash_of(left, right);
        let bit = hash >> self.filter_shift;
        if self.filter[(bit / 64) as usize] >> (bit % 64) & 1 == 0 {
            return NO_RANK;
        }
        let key = key_of(left, right);
        let mut at = (hash >> self.shift) as usize;
        loop {
            let entry = self.entries[at];
            if entry >> RANK_BITS == key || entry == EMPTY {
                return entry as u32 & NO_RANK;
            }
            at = (at + 1) & (self.entries.len() - 1);
        }
    }

    /// The pairs with their ranks, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Pair, u32)> {
        let entries = self.entries.iter().filter(|&&entry| entry != EMPTY);
        entries.map(|&entry| {
            let key = entry >> RANK_BITS;
            let pair = ((key >> ID_BITS) as u32, key as u32 & ((1 << ID_BITS) - 1));
            (pair, entry as u32 & NO_RANK)
        })
    }
}

#[inline]
fn key_of(left: u32, right: u32) -> u64 {
    u64::from(left) << ID_BITS | u64::from(right)
}

#[inline]
fn hash_of(left: u32, right: u32) -> u64 {
    key_of(left, right).wrapping_mul(0x9e37_79b9_7f4a_7c15)
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
