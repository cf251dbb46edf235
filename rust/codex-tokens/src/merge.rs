//! One word to ids: join the neighbours whose merge was learnt first, until none can be joined.

use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Two neighbouring ids.
pub(crate) type Pair = (u32, u32);

/// A learnt merge: its place in the order of learning, and the id of what it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) rank: u32,
    pub(crate) id: u32,
}

/// One symbol of a word in the making; the live ones form a list through `before` and `after`.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    id: u32,
    before: usize,
    after: usize,
    is_joined: bool,
}

/// No neighbour on that side.
const NONE: usize = usize::MAX;

/// Room to work in, kept from word to word.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    symbols: Vec<Symbol>,
    candidates: BinaryHeap<Reverse<(u32, usize)>>,
}

/// Appends the ids of one word, given as the ids of its bytes, to `out`. O(n log n) in the length of the word.
///
/// The lowest rank goes first, the leftmost of equals before the others.
pub(crate) fn merge_word(
    byte_ids: impl Iterator<Item = u32>,
    merges: &FxHashMap<Pair, Merge>,
    scratch: &mut Scratch,
    out: &mut Vec<u32>,
) {
    let Scratch { symbols, candidates } = scratch;
    symbols.clear();
    candidates.clear();
    symbols.extend(byte_ids.enumerate().map(|(at, id)| Symbol {
        id,
        before: at.checked_sub(1).unwrap_or(NONE),
        after: at + 1,
        is_joined: false,
    }));
    if let Some(last) = symbols.last_mut() {
        last.after = NONE;
    }
    for at in 0..symbols.len() {
        if let Some(merge) = merge_at(at, symbols, merges) {
            candidates.push(Reverse((merge.rank, at)));
        }
    }
    while let Some(Reverse((rank, at))) = candidates.pop() {
        // A candidate is stale when one of its two symbols has been joined to something else since.
        let Some(merge) = merge_at(at, symbols, merges).filter(|merge| merge.rank == rank) else {
            continue;
        };
        join(at, merge.id, symbols);
        for start in [symbols[at].before, at] {
            if start != NONE
                && let Some(next) = merge_at(start, symbols, merges)
            {
                candidates.push(Reverse((next.rank, start)));
            }
        }
    }
    out.extend(
        symbols
            .iter()
            .filter(|symbol| !symbol.is_joined)
            .map(|symbol| symbol.id),
    );
}

/// The merge of the live symbol at `at` with the one after it.
fn merge_at(at: usize, symbols: &[Symbol], merges: &FxHashMap<Pair, Merge>) -> Option<Merge> {
    let left = symbols[at];
    if left.is_joined || left.after == NONE {
        return None;
    }
    merges.get(&(left.id, symbols[left.after].id)).copied()
}

/// Makes one symbol, `id`, of the one at `at` and the one after it.
fn join(at: usize, id: u32, symbols: &mut [Symbol]) {
    let right = symbols[at].after;
    symbols[right].is_joined = true;
    let after = symbols[right].after;
    symbols[at].id = id;
    symbols[at].after = after;
    if after != NONE {
        symbols[after].before = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, word for word: find the lowest rank, leftmost first, join it, begin again.
    fn by_definition(mut ids: Vec<u32>, merges: &FxHashMap<Pair, Merge>) -> Vec<u32> {
        while let Some((merge, at)) = ids
            .windows(2)
            .enumerate()
            .filter_map(|(at, pair)| merges.get(&(pair[0], pair[1])).map(|&merge| (merge, at)))
            .min_by_key(|&(merge, at)| (merge.rank, at))
        {
            ids.splice(at..at + 2, [merge.id]);
        }
        ids
    }

    fn merged(ids: &[u32], merges: &FxHashMap<Pair, Merge>) -> Vec<u32> {
        let mut out = Vec::new();
        merge_word(ids.iter().copied(), merges, &mut Scratch::default(), &mut out);
        out
    }

    #[test]
    fn the_heap_finds_what_the_definition_finds() {
        let mut state = 7_u64;
        let mut random = |below: u32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            u32::try_from((state >> 33) % u64::from(below)).expect("below a u32")
        };
        for _ in 0..400 {
            let mut merges = FxHashMap::default();
            for rank in 0..random(40) {
                let id = 3 + rank;
                merges
                    .entry((random(id), random(id)))
                    .or_insert(Merge { rank, id });
            }
            for length in [0, 1, 2, 3, 7, 40, 200] {
                let ids: Vec<u32> = (0..length).map(|_| random(3)).collect();
                assert_eq!(
                    merged(&ids, &merges),
                    by_definition(ids.clone(), &merges),
                    "{ids:?} {merges:?}"
                );
            }
        }
    }

    #[test]
    fn a_run_is_joined_from_the_left() {
        let merges = FxHashMap::from_iter([((0, 0), Merge { rank: 0, id: 1 })]);
        assert_eq!(merged(&[0; 5], &merges), [1, 1, 0]);
    }
}
