//! The counted words as learning takes them: each once, those that occur most first.

use std::cmp::Reverse;

use super::count::{Slot, Table, word_at};
use super::spill::{Order, Run, Spill, merged};
use crate::error::Result;

/// Distinct words and their counts, by falling count.
#[derive(Debug)]
pub(super) enum Words {
    /// In memory: where each lies in the arena.
    Here { slots: Vec<Slot>, arena: Vec<u8> },
    /// On disk.
    Spilled(Run),
}

impl Words {
    /// The words of `tables`, added up in memory.
    pub(super) fn gathered(tables: Vec<Table>) -> Self {
        let mut tables = tables.into_iter();
        let mut all = tables.next().unwrap_or_default();
        for table in tables {
            all.add_all(table);
        }
        let (mut slots, arena) = all.into_slots();
        slots.sort_unstable_by_key(|slot| Reverse(slot.count));
        Self::Here { slots, arena }
    }

    /// The words of `runs`, sorted by word, added up on disk with at most `memory_bytes`.
    pub(super) fn merged(runs: Vec<Run>, spill: &Spill, memory_bytes: u64) -> Result<Self> {
        let mut by_count = Vec::new();
        let mut held = Held::default();
        merged(runs, Order::Word, spill, |count, word| {
            if held.memory_bytes() + word.len() as u64 > memory_bytes {
                by_count.push(held.spill(Order::Count, spill)?);
            }
            held.push(count, word);
            Ok(())
        })?;
        by_count.push(held.spill(Order::Count, spill)?);
        let mut writer = spill.run()?;
        merged(by_count, Order::Count, spill, |count, word| {
            writer.push(count, word)
        })?;
        writer.finish().map(Self::Spilled)
    }

    pub(super) fn distinct(&self) -> u64 {
        match self {
            Self::Here { slots, .. } => slots.len() as u64,
            Self::Spilled(run) => run.records(),
        }
    }

    /// Hands every word and its count to `take`, in the order of falling counts.
    pub(super) fn for_each(&self, mut take: impl FnMut(&[u8], u64) -> Result<()>) -> Result<()> {
        match self {
            Self::Here { slots, arena } => slots
                .iter()
                .try_for_each(|slot| take(word_at(arena, slot.place).0, slot.count)),
            Self::Spilled(run) => {
                let mut reader = run.read()?;
                let mut word = Vec::new();
                while let Some(count) = reader.next(&mut word)? {
                    take(&word, count)?;
                }
                Ok(())
            }
        }
    }
}

/// Words waiting to be sorted and written.
#[derive(Debug, Default)]
struct Held {
    arena: Vec<u8>,
    /// Count, start, end.
    words: Vec<(u64, usize, usize)>,
}

impl Held {
    fn push(&mut self, count: u64, word: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(word);
        self.words.push((count, start, self.arena.len()));
    }

    /// Memory it takes, also while a vector doubles.
    fn memory_bytes(&self) -> u64 {
        (self.arena.len() * 2 + self.words.len() * 2 * size_of::<(u64, usize, usize)>()) as u64
    }

    fn spill(&mut self, order: Order, spill: &Spill) -> Result<Run> {
        let arena = &self.arena;
        self.words.sort_unstable_by(|left, right| {
            order.compare(
                (left.0, &arena[left.1..left.2]),
                (right.0, &arena[right.1..right.2]),
            )
        });
        let mut writer = spill.run()?;
        for &(count, start, end) in &self.words {
            writer.push(count, &arena[start..end])?;
        }
        self.arena.clear();
        self.words.clear();
        writer.finish()
    }
}

/// Writes the words of `table` to a run sorted by word, and empties it.
pub(super) fn spill_table(table: &mut Table, spill: &Spill) -> Result<Run> {
    let (slots, arena) = table.take_sorted();
    let mut writer = spill.run()?;
    for slot in slots {
        writer.push(slot.count, word_at(&arena, slot.place).0)?;
    }
    writer.finish()
}
