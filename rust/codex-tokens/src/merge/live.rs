//! Which merges can ever happen.
//!
//! A published vocabulary may list every way to split a token: more than half of the 446,189 merges of o200k are never used.
//! Say a merge of `l` and `r` happens somewhere. Up to then nothing has crossed the edges of the bytes it joins, so those bytes alone
//! would have come to `l r` as well, and what bytes alone come to is one thing. So of all merges that make one token, one at
//! most is alive. With the others left out the tables are small, a token is made in one way, and the order of the merges is the
//! order of what they make.
//!
//! It takes two things, which are checked: an id stands for one row of symbols ([`super::rows`]), and a living merge joins what
//! symbols and earlier living merges make. A vocabulary of another kind is merged with all it lists.

use super::Pair;
use super::numbers::Numbers;
use super::pairs::{NO_RANK, PairTable};

/// So many merges before one is looked at, its memory is asked for.
const AHEAD: usize = 12;

/// The living merges.
#[derive(Debug)]
pub(super) struct Living {
    /// By the numbers of their parts; the number of what the merge of rank `n` makes is that of the first after the symbols
    /// and `n`.
    pub(super) table: PairTable,
    pub(super) numbers: Numbers,
    /// How many numbers are those of symbols.
    pub(super) symbols: u32,
    /// The parts of each merge, by rank.
    parts: Vec<Pair>,
}

impl Living {
    /// The merges, of those in the order of learning that `merges` lists, that are alive because no other makes the same token
    /// and their parts do not come apart before they meet; `most` that can be.
    pub(super) fn of(merges: &[(Pair, u32)], symbols: &[u32], most: usize) -> Self {
        let numbers = Numbers::of(symbols);
        let mut living = Self {
            table: PairTable::for_pairs(most),
            symbols: numbers.len(),
            numbers,
            parts: Vec::with_capacity(most),
        };
        for (at, &((left, right), made)) in merges.iter().enumerate() {
            if let Some(&((left, right), _)) = merges.get(at + AHEAD)
                && let (Some(left), Some(right)) = (living.numbers.get(left), living.numbers.get(right))
            {
                living.table.prefetch(left, right);
            }
            if living.numbers.get(made).is_none()
                && let (Some(left), Some(right)) = (living.numbers.get(left), living.numbers.get(right))
                && living.meet(left, right)
            {
                let number = living.numbers.number(made);
                living.table.insert((left, right), number - living.symbols);
                living.parts.push((left, right));
            }
        }
        living
    }

    /// Whether the symbols of `left` and `right` side by side, merged alone, come to `left right`.
    ///
    /// At any time the last symbol in the making of `left` and the first in that of `right` must not be joined. From the end of
    /// both back to their symbols, these two are looked at in turn with the times at which each is joined to its own side. Of
    /// equal merges the leftmost is first: one inside `left` before the one across, that before one inside `right`.
    fn meet(&self, mut left: u32, mut right: u32) -> bool {
        let (mut left_joined, mut right_joined) = (u32::MAX, u32::MAX);
        loop {
            let rank = self.table.rank(left, right);
            if rank != NO_RANK {
                let across = self.symbols + rank;
                if across < left_joined && across <= right_joined {
                    return false;
                }
            }
            if left > right && left >= self.symbols {
                left_joined = left;
                left = self.parts[(left - self.symbols) as usize].1;
            } else if right >= self.symbols {
                right_joined = right;
                right = self.parts[(right - self.symbols) as usize].0;
            } else {
                return true;
            }
        }
    }
}
