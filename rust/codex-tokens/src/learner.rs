//! The counts of all pairs, kept true from merge to merge.
//!
//! A merge touches only the words that hold its pair, and only the pairs beside it: learning costs about one pass over the
//! words in all, instead of one for every merge.

use crate::alphabet;
use crate::merge::Pair;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An index as an id; `train` has checked that all ids of the vocabulary fit.
pub(crate) fn id_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A distinct word: its symbols, and how often it occurs.
struct Word {
    symbols: Vec<u32>,
    count: u64,
}

/// How often a pair occurs now, and the words it has ever been in (by index, ascending).
#[derive(Default)]
struct Occurrences {
    count: u64,
    words: Vec<usize>,
}

/// The words, and the counts of their pairs kept true from merge to merge.
pub(crate) struct Learner {
    words: Vec<Word>,
    pairs: FxHashMap<Pair, Occurrences>,
    /// Pairs by count. An entry may be out of date, but only too high: it is put right when it comes to the top.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

impl Learner {
    pub(crate) fn new(counts: &FxHashMap<Box<str>, u64>, first_byte_id: usize) -> Self {
        let mut byte_ids = [0; 256];
        for (place, byte) in alphabet::bytes_in_id_order().into_iter().enumerate() {
            byte_ids[usize::from(byte)] = id_of(first_byte_id + place);
        }
        let words: Vec<Word> = counts
            .iter()
            .map(|(word, &count)| Word {
                symbols: word.bytes().map(|byte| byte_ids[usize::from(byte)]).collect(),
                count,
            })
            .collect();
        let mut pairs: FxHashMap<Pair, Occurrences> = FxHashMap::default();
        for (index, word) in words.iter().enumerate() {
            for neighbours in word.symbols.windows(2) {
                add(&mut pairs, (neighbours[0], neighbours[1]), word.count, index);
            }
        }
        let queue = pairs
            .iter()
            .map(|(&pair, occurrences)| (occurrences.count, Reverse(pair)))
            .collect();
        Self { words, pairs, queue }
    }

    /// The pair to merge next, or `None` when every word is a single symbol. It leaves the queue.
    pub(crate) fn most_frequent_pair(&mut self) -> Option<Pair> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let current = self.pairs.get(&pair).map_or(0, |occurrences| occurrences.count);
            if current == count && count > 0 {
                return Some(pair);
            }
            if current > 0 {
                self.queue.push((current, Reverse(pair)));
            }
        }
        None
    }

    /// Makes `id` of every occurrence of `pair`, left to right.
    pub(crate) fn merge(&mut self, pair: Pair, id: u32) {
        let Some(occurrences) = self.pairs.remove(&pair) else {
            return;
        };
        let mut formed = Vec::new();
        for index in occurrences.words {
            let Word { symbols, count } = &mut self.words[index];
            let mut form = |pairs: &mut FxHashMap<Pair, Occurrences>, new: Pair| {
                if add(pairs, new, *count, index) {
                    formed.push(new);
                }
            };
            let (mut from, mut to) = (0, 0);
            while from < symbols.len() {
                if symbols[from..].starts_with(&[pair.0, pair.1]) {
                    if to > 0 {
                        subtract(&mut self.pairs, (symbols[to - 1], pair.0), *count);
                        form(&mut self.pairs, (symbols[to - 1], id));
                    }
                    if let Some(&next) = symbols.get(from + 2) {
                        subtract(&mut self.pairs, (pair.1, next), *count);
                        form(&mut self.pairs, (id, next));
                    }
                    symbols[to] = id;
                    from += 2;
                } else {
                    symbols[to] = symbols[from];
                    from += 1;
                }
                to += 1;
            }
            symbols.truncate(to);
        }
        for new in formed {
            self.queue.push((self.pairs[&new].count, Reverse(new)));
        }
    }
}

/// Counts `pair` in the word at `index`; true if the pair is new.
fn add(pairs: &mut FxHashMap<Pair, Occurrences>, pair: Pair, count: u64, index: usize) -> bool {
    let occurrences = pairs.entry(pair).or_default();
    let is_new = occurrences.words.is_empty();
    occurrences.count += count;
    if occurrences.words.last() != Some(&index) {
        occurrences.words.push(index);
    }
    is_new
}

/// Takes one occurrence of `pair` back. The pair that is being merged is not counted any more.
fn subtract(pairs: &mut FxHashMap<Pair, Occurrences>, pair: Pair, count: u64) {
    if let Some(occurrences) = pairs.get_mut(&pair) {
        occurrences.count -= count;
    }
}
