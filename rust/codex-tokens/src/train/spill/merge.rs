//! Sorted runs, merged into one order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::{Run, RunReader, Spill};
use crate::error::Result;

/// Runs that are read at once; more are merged in several goes.
const MAXIMUM_READERS: usize = 64;

/// What a run is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The bytes of the word.
    Word,
    /// The count, the highest first, then the bytes.
    Count,
}

impl Order {
    pub(crate) fn compare(self, left: (u64, &[u8]), right: (u64, &[u8])) -> Ordering {
        match self {
            Self::Word => left.1.cmp(right.1),
            Self::Count => right.0.cmp(&left.0).then_with(|| left.1.cmp(right.1)),
        }
    }
}

/// The record a run has come to.
struct Head {
    order: Order,
    count: u64,
    word: Vec<u8>,
    reader: RunReader,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order
            .compare((self.count, &self.word), (other.count, &other.word))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

/// Hands the records of `runs`, each sorted by `order`, to `take` in that order; equal words once, their counts added up.
pub(crate) fn merged(
    mut runs: Vec<Run>,
    order: Order,
    spill: &Spill,
    mut take: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    while runs.len() > MAXIMUM_READERS {
        let rest = runs.split_off(MAXIMUM_READERS);
        let mut writer = spill.run()?;
        merge_once(&runs, order, &mut |count, word| writer.push(count, word))?;
        runs = rest;
        runs.push(writer.finish()?);
    }
    merge_once(&runs, order, &mut take)
}

fn merge_once(runs: &[Run], order: Order, take: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
    let mut heads = BinaryHeap::with_capacity(runs.len());
    for run in runs {
        let mut reader = run.read()?;
        let mut word = Vec::new();
        if let Some(count) = reader.next(&mut word)? {
            heads.push(Reverse(Head {
                order,
                count,
                word,
                reader,
            }));
        }
    }
    let (mut word, mut count) = (Vec::new(), 0);
    while let Some(mut head) = heads.peek_mut() {
        let first = &mut head.0;
        if count > 0 && first.word == word {
            count += first.count;
        } else {
            if count > 0 {
                take(count, &word)?;
            }
            std::mem::swap(&mut word, &mut first.word);
            count = first.count;
        }
        match first.reader.next(&mut first.word)? {
            Some(next) => first.count = next,
            None => drop(PeekMut::pop(head)),
        }
    }
    if count > 0 {
        take(count, &word)?;
    }
    Ok(())
}
