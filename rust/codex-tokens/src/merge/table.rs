//! The merges of a vocabulary, ready to be looked up.

use super::live::Living;
use super::long::merge_long;
use super::numbers::Numbers;
use super::pairs::{ID_BITS, NO_RANK, PairTable};
use super::rows::Rows;
use super::scalars::Scalars;
use super::short::{LONGEST_SHORT_WORD, Short, merge_short};
use super::{Merge, Pair};
use crate::error::{Error, Result};
use rustc_hash::FxHashMap;
use std::slice;

/// The merges of a vocabulary, by the pair they join. While a word is merged, ids are numbers; see [`Merges::id`].
#[derive(Debug)]
pub(crate) struct Merges {
    pub(super) table: PairTable,
    pub(super) numbers: Numbers,
    /// How many numbers are those of symbols.
    pub(super) symbols: u32,
    /// The number of what each merge makes, by rank. Empty if only living merges are in the table: it is then that of the
    /// first after the symbols and the rank.
    pub(super) made: Vec<u32>,
    /// Tokens whose bytes alone come to something else, in order; `None` if that has not been found out.
    pub(super) strays: Option<Vec<u32>>,
    pub(super) byte_numbers: [u32; 256],
    /// The rank of two bytes side by side, by `left * 256 + right`: where every word of a byte-level model begins.
    pub(super) byte_ranks: Vec<u32>,
    /// Characters that a word may begin with in place of their bytes.
    pub(super) scalars: Scalars,
}

impl Merges {
    /// The merges in the order of learning, of words that begin as bytes of these ids. No pair may stand twice.
    ///
    /// # Errors
    /// If there are more than four million merges, or one is of an id above two million.
    pub(crate) fn of_bytes(merges: &[(Pair, u32)], byte_ids: &[u32; 256]) -> Result<Self> {
        let mut of_bytes = Self::of_symbols(merges, byte_ids)?;
        of_bytes.byte_numbers = byte_ids.map(|id| of_bytes.number(id));
        of_bytes.byte_ranks = (0..1 << 16)
            .map(|pair| {
                of_bytes.rank(
                    of_bytes.byte_numbers[pair >> 8],
                    of_bytes.byte_numbers[pair & 0xff],
                )
            })
            .collect();
        if of_bytes.strays.is_some() && of_bytes.byte_numbers.iter().copied().eq(0..256) {
            let count = of_bytes.numbers.len() as usize;
            let is_whole = |number| of_bytes.comes_to(of_bytes.id(number));
            of_bytes.scalars = Scalars::of(&of_bytes.numbers_by_rank(), count, is_whole);
        }
        Ok(of_bytes)
    }

    /// The same of words that begin as `symbols`, which are ids.
    ///
    /// # Errors
    /// As [`Self::of_bytes`].
    pub(crate) fn of_symbols(merges: &[(Pair, u32)], symbols: &[u32]) -> Result<Self> {
        let ids = merges
            .iter()
            .flat_map(|&((left, right), made)| [left, right, made]);
        let largest = ids.chain(symbols.iter().copied()).max();
        if merges.len() >= NO_RANK as usize || largest.is_some_and(|id| id >> ID_BITS != 0) {
            let (ids, ranks) = (1 << ID_BITS, NO_RANK);
            return Err(Error::tokenizer(
                "model.merges",
                format!("is too large: expected ids below {ids} and fewer than {ranks} merges"),
            ));
        }
        Ok(Self::living(merges, symbols).unwrap_or_else(|| Self::all(merges, symbols)))
    }

    /// The living merges alone, or `None` if it is not certain which they are.
    fn living(merges: &[(Pair, u32)], symbols: &[u32]) -> Option<Self> {
        let rows = Rows::of(merges, symbols)?;
        let Living {
            table,
            numbers,
            symbols: first,
            ..
        } = Living::of(merges, symbols, rows.len());
        let living = Self {
            table,
            numbers,
            symbols: first,
            made: Vec::new(),
            strays: Some(Vec::new()),
            byte_numbers: [0; 256],
            byte_ranks: Vec::new(),
            scalars: Scalars::default(),
        };
        // A token that no living merge makes has none only if its symbols, merged, never come to a pair that would make it.
        let is_dead = |&((left, right), made): &(Pair, u32)| {
            let [left, right, made_number] = [left, right, made].map(|id| living.numbers.get(id));
            let (Some(left), Some(right), None) = (left, right, made_number) else {
                return true;
            };
            living.merged(rows.row(made)) != [left, right]
        };
        if merges.iter().all(is_dead) {
            return Some(living);
        }
        living.with_late(merges, symbols, &rows)
    }

    /// The living merges and all that make another token: some join parts that are made by later merges. `None` if one that is
    /// left out could then happen after all.
    fn with_late(self, merges: &[(Pair, u32)], symbols: &[u32], rows: &Rows) -> Option<Self> {
        let is_kept = |&&((left, right), made): &&(Pair, u32)| {
            let parts = self.numbers.get(left).zip(self.numbers.get(right));
            let is_living = parts.is_some_and(|(left, right)| self.rank(left, right) != NO_RANK);
            is_living || self.numbers.get(made).is_none()
        };
        let (kept, dropped): (Vec<_>, Vec<_>) = merges.iter().partition(is_kept);
        let mut all = Self::all(&kept, symbols);
        let mut strays = Vec::new();
        let mut ends = FxHashMap::default();
        for number in 0..all.numbers.len() {
            let id = all.id(number);
            let numbers = all.merged(rows.row(id));
            if numbers != [number] {
                strays.push(id);
                ends.insert(id, numbers);
            }
        }
        for ((left, right), made) in dropped {
            let parts = all.numbers.get(left).zip(all.numbers.get(right));
            if let (Some((left, right)), Some(end)) = (parts, ends.get(&made))
                && *end == [left, right]
            {
                return None;
            }
        }
        strays.sort_unstable();
        all.strays = Some(strays);
        Some(all)
    }

    /// The numbers that the ids `row`, which are symbols, come to alone.
    fn merged(&self, row: &[u32]) -> Vec<u32> {
        let numbers = row.iter().map(|&symbol| self.number(symbol));
        let mut merged = Vec::new();
        if row.len() <= LONGEST_SHORT_WORD {
            let mut word = Short::default();
            word.begin_numbers(numbers, self);
            merge_short(slice::from_mut(&mut word), self);
            merged.extend(word.numbers().map(|(number, _)| number));
        } else {
            merge_long(numbers, self, |number, _| merged.push(number));
        }
        merged
    }

    /// All merges, whatever they are.
    fn all(merges: &[(Pair, u32)], symbols: &[u32]) -> Self {
        let mut numbers = Numbers::of(symbols);
        let symbols = numbers.len();
        let mut table = PairTable::for_pairs(merges.len());
        let mut made = Vec::with_capacity(merges.len());
        for (rank, &((left, right), id)) in (0..).zip(merges) {
            table.insert((numbers.number(left), numbers.number(right)), rank);
            made.push(numbers.number(id));
        }
        Self {
            table,
            numbers,
            symbols,
            made,
            strays: None,
            byte_numbers: [0; 256],
            byte_ranks: Vec::new(),
            scalars: Scalars::default(),
        }
    }

    /// Whether the bytes of the token `id` alone come to it; false where that is not certain.
    pub(crate) fn comes_to(&self, id: u32) -> bool {
        let strays = self.strays.as_ref();
        self.numbers.get(id).is_some() && strays.is_some_and(|strays| strays.binary_search(&id).is_err())
    }

    /// The number of a byte.
    #[inline]
    pub(crate) fn byte_number(&self, byte: u8) -> u32 {
        self.byte_numbers[usize::from(byte)]
    }

    /// Whether a word of bytes may begin as something else than they: [`Self::each_character`].
    #[inline]
    pub(crate) fn has_characters(&self, word: &[u8]) -> bool {
        !self.scalars.is_empty() && !word.is_ascii()
    }

    /// Gives `each` the numbers that a word of bytes may begin as: those of its bytes, or of characters that come together first
    /// whatever stands beside them.
    #[inline]
    pub(crate) fn each_character(&self, word: &[u8], each: impl FnMut(u32)) {
        self.scalars
            .each_number(word, |byte| self.byte_number(byte), each);
    }

    /// The number of `id`, which is one of the symbols.
    #[inline]
    pub(crate) fn number(&self, id: u32) -> u32 {
        self.numbers.get(id).unwrap_or_default()
    }

    /// The id that has `number`.
    #[inline]
    pub(crate) fn id(&self, number: u32) -> u32 {
        self.numbers.id(number)
    }

    /// The rank of the merge of two bytes, or [`NO_RANK`].
    #[inline]
    pub(crate) fn byte_rank(&self, left: u8, right: u8) -> u32 {
        self.byte_ranks[usize::from(left) << 8 | usize::from(right)]
    }

    /// The rank of the merge of two numbers, or [`NO_RANK`].
    #[inline]
    pub(crate) fn rank(&self, left: u32, right: u32) -> u32 {
        self.table.rank(left, right)
    }

    /// The number of what the merge of `rank` makes.
    #[inline]
    pub(crate) fn made(&self, rank: u32) -> u32 {
        if self.made.is_empty() {
            self.symbols + rank
        } else {
            self.made[rank as usize]
        }
    }

    /// The merge of two numbers.
    pub(crate) fn get(&self, left: u32, right: u32) -> Option<Merge> {
        let rank = self.rank(left, right);
        (rank != NO_RANK).then(|| Merge {
            rank,
            made: self.made(rank),
        })
    }

    /// The merges that can happen, in the order of learning, with what they make; of ids, not of numbers.
    pub(crate) fn by_rank(&self) -> Vec<(Pair, u32)> {
        let numbers = self.numbers_by_rank();
        let merges = numbers.into_iter();
        merges
            .map(|((left, right), made)| ((self.id(left), self.id(right)), self.id(made)))
            .collect()
    }

    fn numbers_by_rank(&self) -> Vec<(Pair, u32)> {
        let mut merges: Vec<_> = self.table.iter().collect();
        merges.sort_unstable_by_key(|&(_, rank)| rank);
        merges
            .into_iter()
            .map(|(pair, rank)| (pair, self.made(rank)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_entry_cannot_hold_is_refused() {
        let error = Merges::of_bytes(&[((0, 1 << ID_BITS), 1)], &[0; 256]).expect_err("too large");
        assert_eq!(
            error.to_string(),
            "`model.merges` is too large: expected ids below 2097152 and fewer than 4194303 merges"
        );
    }

    #[test]
    fn no_merge_at_all_is_an_answer() {
        let table = Merges::of_bytes(&[], &[0; 256]).expect("fits");
        assert_eq!((table.rank(0, 0), table.byte_rank(1, 2)), (NO_RANK, NO_RANK));
    }

    /// `ab` and `bc` are learnt, then `abc` in both ways, of which only that of `ab` can be met.
    #[test]
    fn of_two_ways_to_make_a_token_one_is_alive() {
        let merges = [((1, 2), 4), ((2, 3), 5), ((1, 5), 6), ((4, 3), 6)];
        let table = Merges::of_symbols(&merges, &[1, 2, 3]).expect("fits");
        assert_eq!(table.by_rank(), [merges[0], merges[1], merges[3]]);
    }

    /// `bc` is learnt after `abc`, which is made of it all the same: a merge of an earlier rank follows one of a later.
    #[test]
    fn a_merge_of_a_part_that_comes_later_is_kept() {
        let merges = [((1, 5), 6), ((2, 3), 5)];
        let table = Merges::of_symbols(&merges, &[1, 2, 3]).expect("fits");
        assert_eq!(table.by_rank(), merges);
    }

    #[test]
    fn an_id_of_two_rows_keeps_all_merges() {
        let merges = [((1, 2), 4), ((2, 3), 4), ((1, 4), 3)];
        let table = Merges::of_symbols(&merges, &[1, 2, 3]).expect("fits");
        assert_eq!(table.by_rank(), merges);
    }
}
