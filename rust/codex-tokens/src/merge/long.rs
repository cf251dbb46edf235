//! A word of any length: its candidates in a heap, so that a megabyte of one letter is no trouble.

use super::{Merge, Merges};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

/// Appends the ids of `word` to `out`. O(n log n) in the length of the word.
///
/// The lowest rank goes first, the leftmost of equals before the others.
pub(crate) fn merge_word(word: &[u8], merges: &Merges, scratch: &mut Scratch, out: &mut Vec<u32>) {
    let Scratch { symbols, candidates } = scratch;
    symbols.clear();
    candidates.clear();
    symbols.extend(word.iter().enumerate().map(|(at, &byte)| Symbol {
        id: merges.byte_id(byte),
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
fn merge_at(at: usize, symbols: &[Symbol], merges: &Merges) -> Option<Merge> {
    let left = symbols[at];
    if left.is_joined || left.after == NONE {
        return None;
    }
    merges.get(left.id, symbols[left.after].id)
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
