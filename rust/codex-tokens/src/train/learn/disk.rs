//! Learning with most words on disk: a round loads the words that it will change, and writes them back.

use super::cells::{Cell, Cells};
use super::sketch::{Sketch, key};
use super::{Limits, Sizes};
use crate::error::{Error, Result};
use crate::train::spill::{Run, Spill, push_number};

/// Bytes of memory for each occurrence of a pair that is listed, and for those that its merge forms.
const BYTES_OF_PLACE: u64 = 12;

/// What is told apart of a count in [`level`]: the bits after the first.
const LEVEL_BITS: u32 = 12;

/// Words as tokens on disk, by falling count.
#[derive(Debug)]
pub(crate) struct Disk {
    run: Run,
    spill: Spill,
    memory_bytes: u64,
    sketch_bits: u32,
    /// What tells the loaded words from the others.
    loaded: Option<Selection>,
    holds_all: bool,
}

/// The words that have a pair which may occur so often.
#[derive(Debug)]
struct Selection {
    sketch: Sketch,
    threshold: u64,
}

impl Selection {
    fn has(&self, word: &[u32], sizes: &Sizes, limits: Limits) -> bool {
        highest_pair(&self.sketch, word, sizes, limits) >= self.threshold
    }
}

/// What the most frequent pair of `word` occurs at most, 0 if none can be merged.
fn highest_pair(sketch: &Sketch, word: &[u32], sizes: &Sizes, limits: Limits) -> u64 {
    word.windows(2)
        .filter(|pair| limits.allow(sizes, pair[0], pair[1]))
        .map(|pair| sketch.at_most(key(pair[0], pair[1])))
        .max()
        .unwrap_or(0)
}

/// A count on a scale of equal ratios, so that a histogram of counts is short.
#[expect(clippy::cast_possible_truncation, reason = "a few bits are left")]
fn level(count: u64) -> usize {
    let bits = u64::BITS - count.leading_zeros();
    let aligned = if bits > LEVEL_BITS {
        count >> (bits - 1 - LEVEL_BITS)
    } else {
        count << (LEVEL_BITS + 1 - bits)
    };
    ((bits as usize) << LEVEL_BITS) + (aligned as usize & ((1 << LEVEL_BITS) - 1))
}

/// The smallest count of a level.
fn floor(level: usize) -> u64 {
    let (bits, rest) = (level >> LEVEL_BITS, (level & ((1 << LEVEL_BITS) - 1)) as u64);
    match u32::try_from(bits).unwrap_or(0) {
        0 => 0,
        bits if bits > LEVEL_BITS => (rest | 1 << LEVEL_BITS) << (bits - 1 - LEVEL_BITS),
        bits => (rest | 1 << LEVEL_BITS) >> (LEVEL_BITS + 1 - bits),
    }
}

impl Disk {
    /// Learns from the words of `run`, which are ids as [`push_ids`] writes them, with about `memory_bytes` of memory.
    pub(crate) fn new(run: Run, spill: Spill, memory_bytes: u64) -> Self {
        let counters = (memory_bytes / 16 / 8).clamp(1 << 12, 1 << 22);
        Self {
            run,
            spill,
            memory_bytes: (memory_bytes - memory_bytes / 4).min(u64::from(u32::MAX)),
            sketch_bits: counters.ilog2(),
            loaded: None,
            holds_all: false,
        }
    }

    /// Whether the row has all words that matter by now.
    pub(super) fn holds_all(&self) -> bool {
        self.holds_all
    }

    /// Writes back the words of `cells` and fills it with those that the next round will change: all with a pair at or above
    /// the threshold, which is returned with what counts of pairs are at most.
    pub(super) fn load<C: Cell>(
        &mut self,
        cells: &mut Cells<C>,
        sizes: &Sizes,
        limits: Limits,
        below: u64,
    ) -> Result<(Sketch, u64)> {
        let sketch = self.write_back(cells, sizes, limits)?;
        let occurs_at_most = |word: &[u32]| highest_pair(&sketch, word, sizes, limits).min(below - 1);

        // What a threshold at each level would take more than one above it: words, and places of pairs.
        let mut bytes = vec![0; level(u64::MAX) + 1];
        let mut highest = 0;
        self.for_each(|word, _| {
            let mut first = 0;
            for pair in word
                .windows(2)
                .filter(|pair| limits.allow(sizes, pair[0], pair[1]))
            {
                let count = sketch.at_most(key(pair[0], pair[1])).min(below - 1);
                if count >= limits.min_frequency {
                    first = first.max(count);
                    bytes[level(count)] += BYTES_OF_PLACE;
                }
            }
            if first > 0 {
                bytes[level(first)] += ((word.len() + 1) * size_of::<C>()) as u64;
            }
            highest = highest.max(first);
        })?;
        let mut sum = 0;
        let mut lowest = bytes.len();
        while lowest > 0 && sum + bytes[lowest - 1] <= self.memory_bytes {
            lowest -= 1;
            sum += bytes[lowest];
        }
        self.holds_all = lowest == 0;
        if lowest > level(highest) {
            let wanted = (sum + bytes[level(highest)]) / 3 * 4;
            let words = self.run.records();
            return Err(Error::usage(format!(
                "`memory_limit` is too small for {words} distinct words: one merge of them alone takes {wanted} bytes"
            )));
        }

        // More room than is needed is asked for, and no page of it is touched.
        let threshold = floor(lowest).max(limits.min_frequency);
        let mut loaded = Cells::with_capacity(usize::try_from(sum).unwrap_or(0) / size_of::<C>() + 1);
        self.for_each(|word, count| {
            if occurs_at_most(word) >= threshold {
                loaded.push_word(word.iter().copied(), count);
            }
        })?;
        loaded.close();
        *cells = loaded;
        self.loaded = Some(Selection {
            sketch: sketch.clone(),
            threshold,
        });
        Ok((sketch, threshold))
    }

    /// Writes all words again, those that were loaded as they are now, and counts the pairs of all.
    fn write_back<C: Cell>(&mut self, cells: &mut Cells<C>, sizes: &Sizes, limits: Limits) -> Result<Sketch> {
        let mut sketch = Sketch::new(self.sketch_bits);
        let selection = self.loaded.take();
        let mut writer = self.spill.run()?;
        let mut reader = self.run.read()?;
        let (mut record, mut word) = (Vec::new(), Vec::new());
        let mut at = 1;
        while let Some(count) = reader.next(&mut record)? {
            read_ids(&record, &mut word);
            if let Some(selection) = &selection
                && selection.has(&word, sizes, limits)
            {
                cells.read_word(&sizes.widths, &mut at, &mut word);
                record.clear();
                push_ids(&mut record, &word);
            }
            if word.len() < 2 {
                continue;
            }
            writer.push(count, &record)?;
            for pair in word.windows(2) {
                if limits.allow(sizes, pair[0], pair[1]) {
                    sketch.add(key(pair[0], pair[1]), count);
                }
            }
        }
        self.run = writer.finish()?;
        *cells = Cells::with_capacity(1);
        Ok(sketch)
    }

    fn for_each(&self, mut take: impl FnMut(&[u32], u64)) -> Result<()> {
        let mut reader = self.run.read()?;
        let (mut record, mut word) = (Vec::new(), Vec::new());
        while let Some(count) = reader.next(&mut record)? {
            read_ids(&record, &mut word);
            take(&word, count);
        }
        Ok(())
    }
}

/// Appends `ids` to a record.
pub(crate) fn push_ids(record: &mut Vec<u8>, ids: &[u32]) {
    for &id in ids {
        push_number(record, u64::from(id));
    }
}

/// The ids that [`push_ids`] wrote.
#[expect(clippy::cast_possible_truncation, reason = "they were 32 bits wide")]
fn read_ids(record: &[u8], ids: &mut Vec<u32>) {
    ids.clear();
    let (mut id, mut shift) = (0, 0);
    for &byte in record {
        id |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            ids.push(id as u32);
            (id, shift) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_rise_with_counts_and_floors_lie_in_their_level() {
        let counts: Vec<u64> = (0..40_000)
            .chain((15..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 7]))
            .collect();
        for pair in counts.windows(2).filter(|pair| pair[0] <= pair[1]) {
            assert!(level(pair[0]) <= level(pair[1]), "{pair:?}");
        }
        for count in counts {
            let floor = floor(level(count));
            assert!(floor <= count && level(floor) == level(count), "{count} {floor}");
            assert!(floor == 0 || level(floor - 1) < level(floor), "{count} {floor}");
        }
        assert_eq!(level(u64::MAX), (65 << LEVEL_BITS) - 1);
    }

    #[test]
    fn ids_come_back_from_a_record() {
        let ids = [0, 1, 127, 128, 300, 65_535, 1 << 20, u32::MAX];
        let (mut record, mut back) = (Vec::new(), vec![9]);
        push_ids(&mut record, &ids);
        read_ids(&record, &mut back);
        assert_eq!(back, ids);
    }
}
