//! A word of any length: candidates wait in a queue for each rank, so that a megabyte of one letter is no trouble.

use super::{Merge, Merges};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A place of a word in the making. A symbol has the places of all that it was made of: the first says what it is, the last where
/// it begins, so that both neighbours of a symbol are found without a list.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// [`JOINED`] where no symbol begins.
    id: u32,
    /// Where a symbol begins: its places. Where one of several places ends: how far before it begins.
    length: u32,
}

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
    /// The first and the last of those in order, if there is one, and how far each is behind the one before it.
    first: usize,
    last: usize,
    gaps: VecDeque<u16>,
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
    let mut cells: Vec<Cell> = numbers.map(|id| Cell { id, length: 1 }).collect();
    let mut waiting = Waiting::default();
    for at in 0..cells.len() {
        if let Some(merge) = merge_at(at, &cells, merges) {
            waiting.push(merge.rank, at);
        }
    }
    while let Some((rank, at)) = waiting.pop() {
        // A candidate is stale when one of its two symbols has been joined to something else since.
        let Some(merge) = merge_at(at, &cells, merges).filter(|merge| merge.rank == rank) else {
            continue;
        };
        join(at, merge.made, &mut cells);
        for start in [before(at, &cells), Some(at)].into_iter().flatten() {
            if let Some(next) = merge_at(start, &cells, merges) {
                waiting.push(next.rank, start);
            }
        }
    }
    let mut at = 0;
    while let Some(&Cell { id, length }) = cells.get(at) {
        emit(id, at);
        at += length as usize;
    }
}

/// The merge of the symbol that begins at `at`, if one does, with the one after it.
fn merge_at(at: usize, cells: &[Cell], merges: &Merges) -> Option<Merge> {
    let left = cells[at];
    if left.id == JOINED {
        return None;
    }
    let right = cells.get(at + left.length as usize)?;
    merges.get(left.id, right.id)
}

/// Where the symbol before the one at `at` begins.
fn before(at: usize, cells: &[Cell]) -> Option<usize> {
    let last = at.checked_sub(1)?;
    match cells[last] {
        Cell { id: JOINED, length } => Some(last - length as usize),
        _ => Some(last),
    }
}

/// Makes one symbol, `id`, of the one at `at` and the one after it. No token has more symbols than 32 bits can count: its
/// vocabulary spells it.
fn join(at: usize, id: u32, cells: &mut [Cell]) {
    let right = at + cells[at].length as usize;
    let length = cells[at].length + cells[right].length;
    cells[right].id = JOINED;
    cells[at] = Cell { id, length };
    cells[at + length as usize - 1] = Cell {
        id: JOINED,
        length: length - 1,
    };
}

impl Waiting {
    fn push(&mut self, rank: u32, place: usize) {
        let queue = self.queues.entry(rank).or_default();
        if queue.is_empty() {
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
    fn is_empty(&self) -> bool {
        self.gaps.is_empty() && self.late.is_empty()
    }

    fn push(&mut self, place: usize) {
        if self.gaps.is_empty() {
            (self.first, self.last) = (place, place);
        }
        match place.checked_sub(self.last).map(u16::try_from) {
            Some(Ok(gap)) => {
                self.gaps.push_back(gap);
                self.last = place;
            }
            _ => self.late.push(Reverse(place)),
        }
    }

    fn pop(&mut self) -> Option<usize> {
        match self.late.peek() {
            Some(&Reverse(late)) if self.gaps.is_empty() || late < self.first => {
                self.late.pop();
                Some(late)
            }
            _ => {
                self.gaps.pop_front()?;
                let first = self.first;
                self.first += self.gaps.front().map_or(0, |&gap| usize::from(gap));
                Some(first)
            }
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
                // Far apart, and now and then beside the one before.
                let place = kept.last().filter(|_| turn % 5 == 0);
                let place = place.map_or(state >> 44, |last| last + turn % 7);
                queue.push(place);
                kept.push(place);
            }
        }
        assert!(queue.late.len() > 10 && queue.gaps.len() > 10, "both are used");
    }
}
