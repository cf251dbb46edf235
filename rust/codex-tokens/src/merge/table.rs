//! Where a pair of ids finds its merge: eight bytes an entry, so that a large vocabulary stays near the processor.

#![expect(
    clippy::cast_possible_truncation,
    reason = "an entry is cut into its parts, a hash to the size of the table"
)]

use super::{Merge, Pair};
use crate::error::{Error, Result};
use crate::pages::filled;

/// Bits of an id in an entry.
const ID_BITS: u32 = 21;
/// Bits of a rank in an entry, and in a slot of [`Merges::byte_ranks`].
const RANK_BITS: u32 = 22;
/// No merge; no rank is as large.
pub(crate) const NO_RANK: u32 = (1 << RANK_BITS) - 1;
/// An entry that holds nothing.
const EMPTY: u64 = u64::MAX;

/// The merges of a vocabulary, by the pair they join.
#[derive(Debug)]
pub(crate) struct Merges {
    /// Left id, right id and rank in each entry; open addressing, at least half of it empty.
    entries: Vec<u64>,
    shift: u32,
    /// What each merge makes, by rank.
    made: Vec<u32>,
    byte_ids: [u32; 256],
    /// The rank of two bytes side by side, by `left * 256 + right`: where every word begins.
    byte_ranks: Vec<u32>,
}

impl Merges {
    /// The merges in the order of learning, and the ids of the bytes. No pair may stand twice.
    ///
    /// # Errors
    /// If there are more than four million merges, or one is of an id above two million.
    pub(crate) fn new(merges: &[(Pair, u32)], byte_ids: &[u32; 256]) -> Result<Self> {
        let largest = merges.iter().flat_map(|&((left, right), _)| [left, right]).max();
        if merges.len() >= NO_RANK as usize || largest.is_some_and(|id| id >> ID_BITS != 0) {
            let (ids, ranks) = (1 << ID_BITS, NO_RANK);
            return Err(Error::tokenizer(
                "model.merges",
                format!("is too large: expected ids below {ids} and fewer than {ranks} merges"),
            ));
        }
        let slots = (merges.len() * 2 + 2).next_power_of_two();
        let mut table = Self {
            entries: filled(EMPTY, slots),
            shift: u64::BITS - slots.trailing_zeros(),
            made: merges.iter().map(|&(_, id)| id).collect(),
            byte_ids: *byte_ids,
            byte_ranks: Vec::new(),
        };
        for (rank, &((left, right), _)) in (0_u64..).zip(merges) {
            let key = key_of(left, right);
            let mut at = table.start_of(key);
            while table.entries[at] != EMPTY {
                at = (at + 1) & (slots - 1);
            }
            table.entries[at] = key << RANK_BITS | rank;
        }
        table.byte_ranks = (0..1 << 16)
            .map(|pair| table.rank(byte_ids[pair >> 8], byte_ids[pair & 0xff]))
            .collect();
        Ok(table)
    }

    #[inline]
    pub(crate) fn byte_id(&self, byte: u8) -> u32 {
        self.byte_ids[usize::from(byte)]
    }

    /// The rank of the merge of two bytes, or [`NO_RANK`].
    #[inline]
    pub(crate) fn byte_rank(&self, left: u8, right: u8) -> u32 {
        self.byte_ranks[usize::from(left) << 8 | usize::from(right)]
    }

    /// The rank of the merge of two ids, or [`NO_RANK`].
    #[inline]
    pub(crate) fn rank(&self, left: u32, right: u32) -> u32 {
        let key = key_of(left, right);
        let mut at = self.start_of(key);
        loop {
            let entry = self.entries[at];
            if entry >> RANK_BITS == key || entry == EMPTY {
                // The rank of an empty entry is all ones: `NO_RANK`.
                return entry as u32 & NO_RANK;
            }
            at = (at + 1) & (self.entries.len() - 1);
        }
    }

    /// The id that the merge of `rank` makes.
    #[inline]
    pub(crate) fn made(&self, rank: u32) -> u32 {
        self.made[rank as usize]
    }

    pub(crate) fn get(&self, left: u32, right: u32) -> Option<Merge> {
        let rank = self.rank(left, right);
        (rank != NO_RANK).then(|| Merge {
            rank,
            id: self.made(rank),
        })
    }

    /// The merges in the order of learning, with what they make.
    pub(crate) fn by_rank(&self) -> Vec<(Pair, u32)> {
        let mut merges = vec![(Pair::default(), 0); self.made.len()];
        for &entry in self.entries.iter().filter(|&&entry| entry != EMPTY) {
            let (key, rank) = (entry >> RANK_BITS, entry as u32 & NO_RANK);
            let pair = ((key >> ID_BITS) as u32, key as u32 & ((1 << ID_BITS) - 1));
            merges[rank as usize] = (pair, self.made(rank));
        }
        merges
    }

    #[inline]
    fn start_of(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }
}

#[inline]
fn key_of(left: u32, right: u32) -> u64 {
    u64::from(left) << ID_BITS | u64::from(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_ids_are_told_apart() {
        let largest = (1 << ID_BITS) - 1;
        let merges = [((largest, largest), 7), ((0, largest), 8), ((largest, 0), 9)];
        let table = Merges::new(&merges, &[0; 256]).expect("fits");
        for &((left, right), id) in &merges {
            assert_eq!(table.get(left, right).map(|merge| merge.id), Some(id));
        }
        assert_eq!(table.by_rank(), merges);
        assert_eq!(table.get(0, 0), None);
        assert_eq!(table.get(largest - 1, largest), None);
    }

    #[test]
    fn what_an_entry_cannot_hold_is_refused() {
        let error = Merges::new(&[((0, 1 << ID_BITS), 1)], &[0; 256]).expect_err("too large");
        assert_eq!(
            error.to_string(),
            "`model.merges` is too large: expected ids below 2097152 and fewer than 4194303 merges"
        );
    }

    #[test]
    fn no_merge_at_all_is_an_answer() {
        let table = Merges::new(&[], &[0; 256]).expect("fits");
        assert_eq!((table.rank(0, 0), table.byte_rank(1, 2)), (NO_RANK, NO_RANK));
    }
}
