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

/// So many symbols are merged at a time: what they need stays near the processor.
const WINDOW: usize = 8192;

/// A window begins again before the end of what is merged, by this share of itself.
const OVERLAPS: usize = 32;

/// What symbols became: its number, and the place of the first of them.
type Joined = (u32, usize);

/// Gives the number of each id that the symbols `numbers` are merged to, and the place of the first of them. O(n log n) in their number.
///
/// The lowest rank goes first, the leftmost of equals before the others.
///
/// A word of many symbols is merged window by window, and each window begins where an id of the one before it begins. What a row of
/// symbols is merged to can be told from its neighbours: a row of ids is the right one if each two that follow each other are what
/// their symbols alone are merged to. For the first merge that crossed from one id to the next would be the lowest of all, and so of
/// the symbols of these two, whose merges before it are the same with and without the rest. So if a window begins with the id that
/// stood there before, which is right beside the one before it, all ids before it stay and those of the window follow. If it begins
/// with another, a window of twice the size begins further before.
pub(crate) fn merge_long(
    numbers: impl ExactSizeIterator<Item = u32>,
    merges: &Merges,
    mut emit: impl FnMut(u32, usize),
) {
    let symbols: Vec<u32> = numbers.collect();
    for (number, place) in by_windows(&symbols, WINDOW, merges) {
        emit(number, place);
    }
}

fn by_windows(symbols: &[u32], mut window: usize, merges: &Merges) -> Vec<Joined> {
    let mut end = window.min(symbols.len());
    let mut joined: Vec<Joined> = Vec::new();
    by_queue(&symbols[..end], merges, |number, place| {
        joined.push((number, place));
    });
    let mut next: Vec<Joined> = Vec::new();
    while end < symbols.len() {
        let overlapping = joined.partition_point(|&(_, place)| place + window / OVERLAPS <= end);
        let kept = overlapping.saturating_sub(1);
        let start = joined[kept].1;
        let next_end = (start + window).min(symbols.len());
        next.clear();
        by_queue(&symbols[start..next_end], merges, |number, place| {
            next.push((number, start + place));
        });
        let begins_alike = joined[kept].0 == next[0].0
            && joined.get(kept + 1).map_or(end, |after| after.1)
                == next.get(1).map_or(next_end, |after| after.1);
        if next_end > end && (begins_alike || start == 0) {
            joined.truncate(kept);
            joined.append(&mut next);
            end = next_end;
        } else {
            window *= 2;
        }
    }
    joined
}

/// The same by one queue, which holds every place of the word.
fn by_queue(symbols: &[u32], merges: &Merges, mut emit: impl FnMut(u32, usize)) {
    let mut cells: Vec<Cell> = symbols.iter().map(|&id| Cell { id, length: 1 }).collect();
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
    use crate::merge::Pair;
    use crate::random::random;

    /// Vocabularies of a few symbols with merges of chance, some of which make what an earlier one needs: rows in which what
    /// happens at one end is felt far away are frequent.
    #[test]
    fn windows_of_any_size_come_to_what_the_whole_comes_to() {
        let mut random = random::<u32>(9);
        let mut longest = 0;
        for round in 0..2000 {
            let letters = 1 + round % 4;
            let mut listed: Vec<(Pair, u32)> = Vec::new();
            for made in letters..letters + 1 + random(14) {
                let pair = (random(made), random(made));
                let made = if random(12) == 0 { random(made) } else { made };
                if listed.iter().all(|&(other, _)| other != pair) {
                    listed.push((pair, made));
                }
            }
            let merges = Merges::of_symbols(&listed, &(0..letters).collect::<Vec<_>>()).expect("small");
            let length = 1 + random(600);
            // A period now and then: the same comes to something else depending on where it began.
            let period = [1, 2, 3, 7, 1000][random(5) as usize];
            let some: Vec<u32> = (0..period).map(|_| merges.number(random(letters))).collect();
            let symbols: Vec<u32> = some.iter().copied().cycle().take(length as usize).collect();
            let mut whole = Vec::new();
            by_queue(&symbols, &merges, |number, place| whole.push((number, place)));
            for window in [1, 2, 5, 32, 64, 100] {
                assert_eq!(
                    by_windows(&symbols, window, &merges),
                    whole,
                    "{listed:?} in windows of {window}"
                );
            }
            longest = longest.max(whole.windows(2).map(|two| two[1].1 - two[0].1).max().unwrap_or(0));
        }
        assert!(longest > 100, "some ids are longer than a window");
    }

    #[test]
    fn a_queue_gives_the_smallest_whatever_the_order_they_came_in() {
        let mut queue = Queue::default();
        let mut random = random::<usize>(1);
        let mut kept = Vec::new();
        for turn in 0..2000 {
            if turn % 3 == 2 {
                kept.sort_unstable_by_key(|&place| Reverse(place));
                assert_eq!(queue.pop(), kept.pop());
            } else {
                // Far apart, and now and then beside the one before.
                let place = kept.last().filter(|_| turn % 5 == 0);
                let place = place.map_or_else(|| random(1 << 20), |last| last + turn % 7);
                queue.push(place);
                kept.push(place);
            }
        }
        assert!(queue.late.len() > 10 && queue.gaps.len() > 10, "both are used");
    }
}
