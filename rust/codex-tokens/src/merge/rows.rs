//! The row of symbols that each id stands for.

use super::Pair;
use std::ops::Range;

/// Symbols of all ids together above which a vocabulary is not looked at: 64 MB.
const MAXIMUM_SYMBOLS: usize = 1 << 24;

/// Passes over merges that come before those of their parts.
const MAXIMUM_PASSES: usize = 8;

/// Ids to symbols, each id to one row.
#[derive(Debug)]
pub(super) struct Rows {
    symbols: Vec<u32>,
    /// By id; empty if nothing makes the id.
    places: Vec<Range<u32>>,
}

impl Rows {
    /// The rows of `symbols` and of all that `merges` make of them, or `None` if an id would have two, or it would take too
    /// much to find out.
    pub(super) fn of(merges: &[(Pair, u32)], symbols: &[u32]) -> Option<Self> {
        let ids = merges
            .iter()
            .flat_map(|&((left, right), made)| [left, right, made]);
        let largest = ids.chain(symbols.iter().copied()).max().unwrap_or(0);
        let mut rows = Self {
            symbols: symbols.to_vec(),
            places: vec![0..0; largest as usize + 1],
        };
        for (at, &symbol) in (0..).zip(symbols) {
            rows.places[symbol as usize] = at..at + 1;
        }
        let mut waiting: Vec<_> = rows.learn(merges.iter())?;
        for _ in 0..MAXIMUM_PASSES {
            let still_waiting = rows.learn(waiting.iter().copied())?;
            if still_waiting.len() == waiting.len() {
                return Some(rows);
            }
            waiting = still_waiting;
        }
        None
    }

    /// How many ids have a row.
    pub(super) fn len(&self) -> usize {
        self.places.iter().filter(|place| !place.is_empty()).count()
    }

    /// The symbols of `id`.
    pub(super) fn row(&self, id: u32) -> &[u32] {
        &self.symbols[self.place(id)]
    }

    fn place(&self, id: u32) -> Range<usize> {
        let Range { start, end } = self.places[id as usize];
        start as usize..end as usize
    }

    /// Where the symbols end.
    fn end(&self) -> u32 {
        u32::try_from(self.symbols.len()).expect("not many more than `MAXIMUM_SYMBOLS`")
    }

    /// Adds what `merges` make, and gives back those whose parts are not known. `None` as in [`Self::of`].
    fn learn<'m>(&mut self, merges: impl Iterator<Item = &'m (Pair, u32)>) -> Option<Vec<&'m (Pair, u32)>> {
        let mut waiting = Vec::new();
        for merge in merges {
            let &((left, right), made) = merge;
            let [left, right, known] = [left, right, made].map(|id| self.place(id));
            if left.is_empty() || right.is_empty() {
                waiting.push(merge);
            } else if known.is_empty() {
                let start = self.end();
                self.symbols.extend_from_within(left);
                self.symbols.extend_from_within(right);
                self.places[made as usize] = start..self.end();
                if self.symbols.len() > MAXIMUM_SYMBOLS {
                    return None;
                }
            } else {
                let (left, right) = (&self.symbols[left], &self.symbols[right]);
                let known = &self.symbols[known];
                if known.len() != left.len() + right.len()
                    || !known.starts_with(left)
                    || !known.ends_with(right)
                {
                    return None;
                }
            }
        }
        Some(waiting)
    }
}
