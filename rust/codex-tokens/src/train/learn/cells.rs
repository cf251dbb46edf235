//! All distinct words in one row of cells, a cell for each first symbol, the words parted by an edge.
//!
//! A token of several symbols holds its id in its first and in its last cell. Its length is known from its id, so both
//! neighbours of a token are one look away, merging writes four cells, and nothing is ever moved or searched.

use std::fmt;

/// What a cell is: two bytes for a vocabulary below [`Cell::IDS`], four for a larger one.
pub(crate) trait Cell: Copy + Eq + fmt::Debug + Send + 'static {
    /// Between two words, and at both ends of the row.
    const EDGE: Self;
    /// Inside a token: neither its first nor its last cell.
    const INSIDE: Self;
    /// Ids are below it.
    const IDS: usize;
    fn of(id: u32) -> Self;
    fn id(self) -> u32;
}

macro_rules! cell {
    ($kind:ty) => {
        impl Cell for $kind {
            const EDGE: Self = Self::MAX;
            const INSIDE: Self = Self::MAX - 1;
            const IDS: usize = Self::INSIDE as usize;
            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "ids are below `IDS`")]
            fn of(id: u32) -> Self {
                id as Self
            }
            #[inline]
            #[allow(
                clippy::useless_conversion,
                reason = "one of the two kinds is u32 itself"
            )]
            fn id(self) -> u32 {
                self.into()
            }
        }
    };
}
cell!(u16);
cell!(u32);

/// From the cell `start` on, words occur `count` times each.
#[derive(Clone, Copy, Debug)]
struct Step {
    start: u32,
    count: u64,
}

/// Cells whose steps are found together.
const BLOCK_BITS: u32 = 12;

/// The row of words. Words come by falling count, so that the count of a cell is a step function: a few thousand steps tell
/// those of a hundred million words.
#[derive(Debug)]
pub(crate) struct Cells<C> {
    pub(crate) row: Vec<C>,
    steps: Vec<Step>,
    /// For each block of cells, the step of its first cell.
    blocks: Vec<u32>,
}

impl<C: Cell> Cells<C> {
    /// An empty row with room for `cells`, the first edge included.
    pub(crate) fn with_capacity(cells: usize) -> Self {
        let mut row = Vec::with_capacity(cells);
        row.push(C::EDGE);
        Self {
            row,
            steps: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Appends a word; its count is at most that of the word before it.
    pub(crate) fn push_word(&mut self, symbols: impl Iterator<Item = u32>, count: u64) {
        let start = self.row.len();
        self.row.extend(symbols.map(C::of));
        if self.row.len() == start {
            return;
        }
        self.row.push(C::EDGE);
        if self.steps.last().is_none_or(|step| step.count != count) {
            self.steps.push(Step {
                start: place(start),
                count,
            });
        }
    }

    /// Says that no more words come.
    pub(crate) fn close(&mut self) {
        let blocks = (self.row.len() >> BLOCK_BITS) + 2;
        self.blocks = (0..blocks)
            .map(|block| {
                let first = place(block << BLOCK_BITS);
                place(
                    self.steps
                        .partition_point(|step| step.start <= first)
                        .saturating_sub(1),
                )
            })
            .collect();
    }

    /// Makes every token one cell again, and leaves out the words that have become a single one.
    pub(crate) fn compact(&mut self, widths: &[u32]) {
        let steps = std::mem::take(&mut self.steps);
        let end = self.row.len();
        let mut to = 1;
        for (index, step) in steps.iter().enumerate() {
            let step_end = steps.get(index + 1).map_or(end, |next| next.start as usize);
            let step_start = to;
            let mut at = step.start as usize;
            let mut word_start = to;
            while at < step_end {
                let cell = self.row[at];
                self.row[to] = cell;
                to += 1;
                if cell == C::EDGE {
                    at += 1;
                    if to - word_start <= 2 {
                        to = word_start;
                    }
                    word_start = to;
                } else {
                    at += widths[cell.id() as usize] as usize;
                }
            }
            if to > step_start {
                self.steps.push(Step {
                    start: place(step_start),
                    count: step.count,
                });
            }
        }
        self.row.truncate(to);
        self.close();
    }

    /// Puts the tokens of the word that starts at `at` into `word`, and goes on to the next.
    pub(crate) fn read_word(&self, widths: &[u32], at: &mut usize, word: &mut Vec<u32>) {
        word.clear();
        while self.row[*at] != C::EDGE {
            let id = self.row[*at].id();
            word.push(id);
            *at += widths[id as usize] as usize;
        }
        *at += 1;
    }

    /// How often the word of the cell at `place` occurs.
    #[inline]
    pub(crate) fn count_at(&self, place: u32) -> u64 {
        let block = (place >> BLOCK_BITS) as usize;
        let (first, last) = (self.blocks[block] as usize, self.blocks[block + 1] as usize);
        let within = if first == last {
            0
        } else {
            self.steps[first + 1..=last].partition_point(|step| step.start <= place)
        };
        self.steps[first + within].count
    }

    /// Calls `found` with left id, right id, place of the left token, and count, for every pair of neighbours in a row where each
    /// token is one cell.
    #[inline]
    pub(crate) fn for_each_pair(&self, mut found: impl FnMut(u32, u32, u32, u64)) {
        let ends = self.steps.iter().skip(1).map(|step| step.start as usize);
        for (step, end) in self.steps.iter().zip(ends.chain([self.row.len()])) {
            let words = &self.row[step.start as usize..end];
            for (at, pair) in (step.start..).zip(words.array_windows()) {
                let &[left, right] = pair;
                if left != C::EDGE && right != C::EDGE {
                    found(left.id(), right.id(), at, step.count);
                }
            }
        }
    }
}

/// An index as a place; `Learner` has checked that the row is shorter than 2^32 cells.
#[inline]
pub(crate) fn place(index: usize) -> u32 {
    debug_assert!(u32::try_from(index).is_ok());
    #[expect(clippy::cast_possible_truncation, reason = "checked when the row is made")]
    let place = index as u32;
    place
}
