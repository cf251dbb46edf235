//! Words to merges: the most frequent pair of neighbours becomes a token, again and again.
//!
//! Only pairs that may still be merged are looked after. A pair is formed by the merge that makes the younger of its two
//! tokens and only loses occurrences from then on, so a pair below a threshold stays below it. Learning goes in rounds: the
//! pairs at or above a threshold are counted and their places listed, all merges down to the threshold are made, then the
//! threshold falls and the row is counted again. Rare pairs, which are most, never cost more than a counter shared by many.
//!
//! A word without a pair at the threshold does not change in a round. So a round needs the other words alone, and where
//! memory is limited the rest waits on disk ([`disk`]).

mod cells;
mod disk;
mod round;
mod sketch;
mod tally;

pub(super) use cells::{Cell, Cells};
pub(super) use disk::{Disk, push_ids};

use crate::error::Result;
use crate::merge::Pair;
use cells::place;
use round::Round;
use sketch::Sketch;

/// How far the threshold of a round lies below the most frequent pair.
const DEPTH: u64 = 8;

/// What limits learning, beside the number of tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// A pair that occurs less often is not merged; at least 1.
    pub(super) min_frequency: u64,
    /// Two tokens that together have so many symbols, or more, are not merged, unless both are single symbols.
    pub(super) max_token_length: u32,
}

impl Limits {
    #[inline]
    fn allow(self, sizes: &Sizes, left: u32, right: u32) -> bool {
        let together = sizes.lengths[left as usize].saturating_add(sizes.lengths[right as usize]);
        together < self.max_token_length || together == 2
    }
}

/// How large the tokens are, by id.
#[derive(Debug)]
struct Sizes {
    /// First symbols.
    lengths: Vec<u32>,
    /// Cells in the row of this round.
    widths: Vec<u32>,
    /// How many tokens there can be.
    ids: usize,
}

impl Sizes {
    /// Takes in the token that `pair` makes, and gives it the next id.
    fn push(&mut self, pair: Pair) -> u32 {
        let id = place(self.widths.len());
        for sizes in [&mut self.lengths, &mut self.widths] {
            sizes.push(sizes[pair.0 as usize].saturating_add(sizes[pair.1 as usize]));
        }
        id
    }
}

/// A row of words on its way to tokens.
#[derive(Debug)]
pub(super) struct Learner<C> {
    cells: Cells<C>,
    sizes: Sizes,
    limits: Limits,
    round: Option<Round>,
    /// All pairs that are left occur less often.
    below: u64,
    /// The words that are not in the row, where memory is limited.
    disk: Option<Disk>,
}

impl<C: Cell> Learner<C> {
    /// Learns from `cells`, whose ids are all below `first_ids`, each of one cell; there will be at most `ids`.
    pub(super) fn new(
        cells: Cells<C>,
        disk: Option<Disk>,
        first_ids: usize,
        ids: usize,
        limits: Limits,
    ) -> Self {
        let sizes = || {
            let mut sizes = Vec::with_capacity(ids);
            sizes.resize(first_ids, 1);
            sizes
        };
        Self {
            cells,
            sizes: Sizes {
                lengths: sizes(),
                widths: sizes(),
                ids,
            },
            limits,
            round: None,
            below: u64::MAX,
            disk,
        }
    }

    /// Merges the most frequent pair, the smaller left id and then the smaller right id where counts are equal, and says
    /// which. The token it makes has the next id. `None` when no pair is left.
    pub(super) fn merge_next(&mut self) -> Result<Option<Pair>> {
        loop {
            if let Some(round) = &mut self.round {
                if let Some(pair) = round.most_frequent_pair() {
                    round.merge(&mut self.cells, &mut self.sizes, self.limits, pair);
                    return Ok(Some(pair));
                }
                self.round = None;
            }
            if self.below <= self.limits.min_frequency {
                return Ok(None);
            }
            self.begin_round()?;
        }
    }

    fn begin_round(&mut self) -> Result<()> {
        let mut on_disk = None;
        if let Some(disk) = &mut self.disk {
            let (sketch, threshold) = disk.load(&mut self.cells, &self.sizes, self.limits, self.below)?;
            if disk.holds_all() {
                self.disk = None;
            } else {
                on_disk = Some((sketch, threshold));
            }
        } else {
            self.cells.compact(&self.sizes.widths);
        }
        self.sizes.widths.fill(1);
        let (sketch, threshold) = on_disk.unwrap_or_else(|| {
            let sketch = Sketch::of(&self.cells);
            let threshold = (sketch.highest().min(self.below) / DEPTH).max(self.limits.min_frequency);
            (sketch, threshold)
        });
        self.round = Some(Round::begin(
            &self.cells,
            &self.sizes,
            self.limits,
            threshold,
            sketch,
        ));
        self.below = threshold;
        Ok(())
    }
}
