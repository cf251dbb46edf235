//! Counts of pairs in bounded memory.

use super::cells::{Cell, Cells};

/// A pair as one number, which is ordered as the pair is.
#[inline]
pub(super) fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Counts of pairs, several pairs to a counter: never too low.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    counters: Vec<u64>,
    shift: u32,
}

impl Sketch {
    /// Counters for all pairs of a row in memory: 2 MB.
    const BITS: u32 = 18;

    /// One with 2 to the `bits` counters.
    pub(super) fn new(bits: u32) -> Self {
        Self {
            counters: vec![0; 1 << bits],
            shift: 64 - bits,
        }
    }

    pub(super) fn of<C: Cell>(cells: &Cells<C>) -> Self {
        let mut sketch = Self::new(Self::BITS);
        cells.for_each_pair(|left, right, _, count| {
            sketch.add(key(left, right), count);
        });
        sketch
    }

    #[inline]
    pub(super) fn add(&mut self, key: u64, count: u64) {
        let place = self.place(key);
        self.counters[place] += count;
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a few bits are left")]
    fn place(&self, key: u64) -> usize {
        ((key.rotate_left(29) ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    /// What the count of `key` is at most.
    #[inline]
    pub(super) fn at_most(&self, key: u64) -> u64 {
        self.counters[self.place(key)]
    }

    /// What any count is at most.
    pub(super) fn highest(&self) -> u64 {
        self.counters.iter().copied().max().unwrap_or(0)
    }
}
