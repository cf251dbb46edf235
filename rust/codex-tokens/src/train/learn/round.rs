//! One round of learning: the pairs at or above a threshold, their counts kept true from merge to merge.

use super::cells::{Cell, Cells, place};
use super::sketch::{Sketch, key};
use super::tally::Tally;
use super::{Limits, Sizes};
use crate::merge::Pair;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[expect(clippy::cast_possible_truncation, reason = "the two halves of `key`")]
fn pair_of(key: u64) -> Pair {
    ((key >> 32) as u32, key as u32)
}

/// How often a pair occurs now, and which list has its places.
#[derive(Clone, Copy, Debug, Default)]
struct Active {
    count: u64,
    list: u32,
}

/// The pairs that can be merged before the threshold has to fall.
#[derive(Debug)]
pub(super) struct Round {
    threshold: u64,
    pairs: FxHashMap<u64, Active>,
    /// Where the left token of each occurrence began when it was found, ascending. What has changed since is passed over.
    lists: Vec<Vec<u32>>,
    /// Pairs by count. An entry may be out of date, but only too high: it is put right when it comes to the top.
    queue: BinaryHeap<(u64, Reverse<u64>)>,
    left: Tally,
    right: Tally,
    merged: Vec<u32>,
}

impl Round {
    /// Counts the pairs of `cells`, of which none of `threshold` or more is missing, and lists those that come first.
    pub(super) fn begin<C: Cell>(
        cells: &Cells<C>,
        sizes: &Sizes,
        limits: Limits,
        threshold: u64,
        sketch: Sketch,
    ) -> Self {
        let mut pairs: FxHashMap<u64, Active> = FxHashMap::default();
        // A bit for each cell where a pair may be that is frequent enough, so that the others are passed over below.
        let mut likely = vec![0_u64; cells.row.len().div_ceil(64)];
        cells.for_each_pair(|left, right, at, count| {
            let key = key(left, right);
            if sketch.at_most(key) >= threshold && limits.allow(sizes, left, right) {
                let active = pairs.entry(key).or_default();
                active.count += count;
                active.list += 1;
                likely[at as usize / 64] |= 1 << (at % 64);
            }
        });
        drop(sketch);
        pairs.retain(|_, active| active.count >= threshold);
        let mut lists = Vec::with_capacity(pairs.len());
        for active in pairs.values_mut() {
            let places = std::mem::replace(&mut active.list, place(lists.len()));
            lists.push(Vec::with_capacity(places as usize));
        }
        for (number, mut bits) in likely.into_iter().enumerate() {
            while bits != 0 {
                let at = 64 * number + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if let Some(active) = pairs.get(&key(cells.row[at].id(), cells.row[at + 1].id())) {
                    lists[active.list as usize].push(place(at));
                }
            }
        }
        let queue = pairs
            .iter()
            .map(|(&key, active)| (active.count, Reverse(key)))
            .collect();
        Self {
            threshold,
            pairs,
            lists,
            queue,
            left: Tally::new(sizes.ids),
            right: Tally::new(sizes.ids),
            merged: Vec::new(),
        }
    }

    /// The pair to merge next, or `None` when the rest is below the threshold. It leaves the queue.
    pub(super) fn most_frequent_pair(&mut self) -> Option<Pair> {
        while let Some((count, Reverse(key))) = self.queue.pop() {
            let current = self.pairs[&key].count;
            if current == count {
                return Some(pair_of(key));
            }
            if current >= self.threshold {
                self.queue.push((current, Reverse(key)));
            } else if let Some(active) = self.pairs.remove(&key) {
                self.lists[active.list as usize] = Vec::new();
            }
        }
        None
    }

    /// Makes a new token of every occurrence of `pair`, left to right.
    pub(super) fn merge<C: Cell>(
        &mut self,
        cells: &mut Cells<C>,
        sizes: &mut Sizes,
        limits: Limits,
        pair: Pair,
    ) {
        let Some(active) = self.pairs.remove(&key(pair.0, pair.1)) else {
            return;
        };
        let places = std::mem::take(&mut self.lists[active.list as usize]);
        let (left, right) = (C::of(pair.0), C::of(pair.1));
        let id = sizes.push(pair);
        let new = C::of(id);
        let left_width = sizes.widths[pair.0 as usize] as usize;
        let width = sizes.widths[id as usize] as usize;
        let mut side_by_side = (0, 0);
        for at in places {
            let first = at as usize;
            let middle = first + left_width;
            if cells.row[first] != left || cells.row[middle] != right {
                continue;
            }
            let end = first + width;
            let (before, after) = (cells.row[first - 1], cells.row[end]);
            let count = cells.count_at(at);
            if before == new {
                // It was formed a moment ago, as the one before `left`.
                self.right.take_back(pair.0, count);
                side_by_side = (side_by_side.0 + count, side_by_side.1 + 1);
            } else if before != C::EDGE {
                self.subtract(before.id(), pair.0, count);
                self.left.add(before.id(), count);
            }
            if after != C::EDGE {
                self.subtract(pair.1, after.id(), count);
                self.right.add(after.id(), count);
            }
            cells.row[middle - 1] = C::INSIDE;
            cells.row[middle] = C::INSIDE;
            cells.row[first] = new;
            cells.row[end - 1] = new;
            self.merged.push(at);
        }
        self.list_formed(cells, sizes, limits, id, side_by_side);
    }

    /// One occurrence of a pair less, if it is one that is looked after.
    #[inline]
    fn subtract(&mut self, left: u32, right: u32, count: u64) {
        if let Some(active) = self.pairs.get_mut(&key(left, right)) {
            active.count -= count;
        }
    }

    /// Lists the places of the pairs that the token `id` forms with its neighbours, where they are frequent enough.
    fn list_formed<C: Cell>(
        &mut self,
        cells: &Cells<C>,
        sizes: &Sizes,
        limits: Limits,
        id: u32,
        side_by_side: (u64, u32),
    ) {
        let width = sizes.widths[id as usize];
        let first_new = self.lists.len();
        let mut open = |left: u32, right: u32, count: u64, places: u32| {
            if count < self.threshold || !limits.allow(sizes, left, right) {
                return 0;
            }
            let list = place(self.lists.len());
            self.lists.push(Vec::with_capacity(places as usize));
            self.pairs.insert(key(left, right), Active { count, list });
            self.queue.push((count, Reverse(key(left, right))));
            list + 1
        };
        self.left
            .give_lists(|other, formed| open(other, id, formed.count, formed.places));
        self.right
            .give_lists(|other, formed| open(id, other, formed.count, formed.places));
        let doubled = (open(id, id, side_by_side.0, side_by_side.1) as usize).checked_sub(1);
        if self.lists.len() > first_new {
            for &at in &self.merged {
                let (before, after) = (cells.row[at as usize - 1], cells.row[(at + width) as usize]);
                if before != C::EDGE
                    && before.id() != id
                    && let Some(list) = self.left.list(before.id())
                {
                    self.lists[list].push(at - sizes.widths[before.id() as usize]);
                }
                if after == C::EDGE {
                    continue;
                }
                let list = if after.id() == id {
                    doubled
                } else {
                    self.right.list(after.id())
                };
                if let Some(list) = list {
                    self.lists[list].push(at);
                }
            }
        }
        self.left.clear();
        self.right.clear();
        self.merged.clear();
    }
}
