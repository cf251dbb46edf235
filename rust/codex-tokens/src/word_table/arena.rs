//! Where threads write side by side and nothing is ever changed: what does not fit a slot.

#![expect(clippy::cast_possible_truncation, reason = "arenas end below 2^32")]

use crate::pages::Table;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Numbers, their places handed out once and written once.
///
/// What is written is seen by whoever learns of its place by an [`Ordering::Acquire`] load of what was stored behind it with
/// [`Ordering::Release`].
#[derive(Debug)]
pub(super) struct Arena {
    numbers: Table<AtomicU32>,
    used: AtomicUsize,
}

impl Arena {
    /// An empty arena of so many bytes; memory is taken as it fills.
    pub(super) fn with_memory(bytes: usize) -> Self {
        Self {
            numbers: Table::zeros(bytes / size_of::<AtomicU32>()),
            used: AtomicUsize::new(0),
        }
    }

    /// Writes the `count` numbers of `numbers` and says where, or `None` if there is no room.
    pub(super) fn put(&self, count: usize, numbers: impl Iterator<Item = u32>) -> Option<u32> {
        let fits = |used: usize| Some(used + count).filter(|&end| end <= self.numbers.len());
        let start = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .ok()?;
        for (place, number) in self.numbers[start..][..count].iter().zip(numbers) {
            place.store(number, Ordering::Relaxed);
        }
        Some(start as u32)
    }

    /// The `count` numbers from `start` on, as [`Self::put`] wrote them.
    #[inline]
    pub(super) fn get(&self, start: u32, count: usize) -> impl ExactSizeIterator<Item = u32> {
        let numbers = self.numbers[start as usize..][..count].iter();
        numbers.map(|number| number.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_there_until_there_is_no_room() {
        let arena = Arena::with_memory(1 << 16);
        let row = |number: u32| number..number + number % 60;
        let put: Vec<(u32, u32)> = (0..)
            .map_while(|number| Some((number, arena.put(row(number).len(), row(number))?)))
            .collect();
        assert!(put.len() > 500, "{}", put.len());
        for (number, start) in put {
            assert!(arena.get(start, row(number).len()).eq(row(number)));
        }
        assert_eq!(arena.put(60, 0..60), None);
    }
}
