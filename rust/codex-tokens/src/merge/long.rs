//! A word of any length: candidates wait in a queue for each rank, so that a megabyte of one letter is no trouble.

use super::{Merge, Merges};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// One symbol of a word in the making; the live ones form a list through `before` and `after`.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    before: usize,
    after: usize,
    /// [`JOINED`] once it has become part of the symbol before it.
    id: u32,
}

/// No neighbour on that side.
const NONE: usize = usize::MAX;

/// Above every id that has a merge.
const JOINED: u32 = u32::MAX;

/// Places that wait for their merge, by its rank.
#[derive(Default)]
struct Waiting {
    /// The ranks whose queue is not empty, and some whose queue is.
    ranks: BinaryHeap<Reverse<u32>>,
    queues: FxHashMap<u32, Queue>,
}

/// Places, the smallest first. A word is worked on from left to right, so nearly all come in order and need no heap.
#[derive(Default)]
struct Queue {
    in_order: VecDeque<usize>,
    late: BinaryHeap<Reverse<usize>>,
}

/// Gives the number of each id that the symbols `numbers` are merged to, and the place of the first of them. O(n log n) in their number.
///
/// The lowest rank goes first, the leftmost of equals before the others.
pub(crate) fn merge_long(
    numbers: impl ExactSizeIterator<Item = u32>,
    merges: &Merges,
    mut emit: impl FnMut(u32, usize),
) {
    let length = numbers.len();
    let mut symbols: Vec<Symbol> = numbers
        .enumerate()
        .map(|(at, id)| Symbol {
            before: at.checked_sub(1).unwrap_or(NONE),
            after: if at + 1 < length { at + 1 } else { NONE },
            id,
        })
        .collect();
    let mut waiting = Waiting::default();
    for at in 0..symbols.len() {
        if let Some(merge) = merge_at(at, &symbols, merges) {
            waiting.push(merge.rank, at);
        }
    }
    while let Some((rank, at)) = waiting.pop() {
        // A candidate is stale when one of its two symbols has been joined to something else since.
        let Some(merge) = merge_at(at, &symbols, merges).filter(|merge| merge.rank == rank) else {
            continue;
        };
        join(at, merge.made, &mut symbols);
        for start in [symbols[at].before, at] {
            if start != NONE
                && let Some(next) = merge_at(start, &symbols, merges)
            {
                waiting.push(next.rank, start);
            }
        }
    }
    for (place, symbol) in symbols
        .iter()
        .enumerate()
        .filter(|(_, symbol)| symbol.id != JOINED)
    {
        emit(symbol.id, place);
    }
}

/// The merge of the live symbol at `at` with the one after it.
fn merge_at(at: usize, symbols: &[Symbol], merges: &Merges) -> Option<Merge> {
    let left = symbols[at];
    if left.id == JOINED || left.after == NONE {
        return None;
    }
    merges.get(left.id, symbols[left.after].id)
}

/// Makes one symbol, `id`, of the one at `at` and the one after it.
fn join(at: usize, id: u32, symbols: &mut [Symbol]) {
    let right = symbols[at].after;
    symbols[right].id = JOINED;
    let after = symbols[right].after;
    symbols[at].id = id;
    symbols[at].after = after;
    if after != NONE {
        symbols[after].before = at;
    }
}

impl Waiting {
    fn push(&mut self, rank: u32, place: usize) {
        let queue = self.queues.entry(rank).or_default();
        if queue.in_order.is_empty() && queue.late.is_empty() {
            self.ranks.push(Reverse(rank));
        }
        queue.push(place);
    }

    /// The lowest rank that has a place waiting, and the leftmost of its places.
    fn pop(&mut self) -> Option<(u32, usize)> {
        while let Some(&Reverse(rank)) = self.ranks.peek() {
            if let Some(place) = self.queues.get_mut(&rank).and_then(Queue::pop) {
                return Some((rank, place));
            }
            self.ranks.pop();
        }
        None
    }
}

impl Queue {
    fn push(&mut self, place: usize) {
        if self.in_order.back().is_none_or(|&last| last <= place) {
            self.in_order.push_back(place);
        } else {
            self.late.push(Reverse(place));
        }
    }

    fn pop(&mut self) -> Option<usize> {
        match (self.in_order.front(), self.late.peek()) {
            (Some(next), Some(Reverse(late))) if late < next => self.late.pop().map(|Reverse(place)| place),
            (Some(_), _) => self.in_order.pop_front(),
            (None, _) => self.late.pop().map(|Reverse(place)| place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_gives_the_smallest_whatever_the_order_they_came_in() {
        let mut queue = Queue::default();
        let mut state = 1_usize;
        let mut kept = Vec::new();
        for turn in 0..2000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if turn % 3 == 2 {
                kept.sort_unstable_by_key(|&place| Reverse(place));
                assert_eq!(queue.pop(), kept.pop());
            } else {
                queue.push(state >> 50);
                kept.push(state >> 50);
            }
        }
        assert!(
            queue.late.len() > 10 && queue.in_order.len() > 10,
            "both are used"
        );
    }
}
