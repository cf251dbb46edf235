//! The tables of merges as bytes, little endian, so that a vocabulary met before need not be worked on again.
//!
//! Who reads them has checked a digest: the tables are then those that were written. What has another shape is refused.

use super::numbers::Numbers;
use super::pairs::{Line, PairTable};
use super::scalars::Scalars;
use super::table::Merges;
use crate::pages::Table;

impl Merges {
    /// Appends the tables to `out`.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        let (lines, filter) = self.table.parts();
        let (ids, numbers) = self.numbers.parts();
        out.extend_from_slice(&(lines.len() as u64).to_le_bytes());
        out.extend(lines.iter().flat_map(|line| line.0).flat_map(u64::to_le_bytes));
        for words in [filter, &self.scalars.0] {
            out.extend_from_slice(&(words.len() as u64).to_le_bytes());
            out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
        for words in [
            ids,
            numbers,
            &[self.symbols],
            &self.made,
            &self.byte_numbers,
            &self.byte_ranks,
            &[u32::from(self.strays.is_some())],
            self.strays.as_deref().unwrap_or_default(),
        ] {
            out.extend_from_slice(&(words.len() as u64).to_le_bytes());
            out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
    }

    /// The tables at the beginning of `stored`, which is left at what comes after them; `None` if there are none.
    pub(crate) fn read_from(stored: &mut &[u8]) -> Option<Self> {
        let line = |bytes: [u8; size_of::<Line>()]| {
            let mut entries = bytes.as_chunks().0.iter().copied().map(u64::from_le_bytes);
            Line([(); _].map(|()| entries.next().unwrap_or_default()))
        };
        let lines = Table::of(words(stored, line)?.into_iter());
        let filter = words(stored, u64::from_le_bytes)?;
        let scalars = Scalars(words(stored, u64::from_le_bytes)?);
        let table = PairTable::of_parts(lines, filter)?;
        let mut next = || words(stored, u32::from_le_bytes);
        let (ids, numbers) = (next()?, next()?);
        let symbols = next()?;
        let &[symbols] = &*symbols else {
            return None;
        };
        let (made, byte_numbers, byte_ranks) = (next()?, next()?, next()?);
        let (has_strays, strays) = (next()?, next()?);
        Some(Self {
            table,
            numbers: Numbers::of_parts(ids, numbers),
            symbols,
            made,
            strays: (has_strays == [1]).then_some(strays),
            byte_numbers: byte_numbers.try_into().ok()?,
            byte_ranks,
            scalars,
        })
    }
}

/// A number of words and so many words.
fn words<const N: usize, T>(stored: &mut &[u8], word: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
    let (length, rest) = stored.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length))
        .ok()?
        .checked_mul(N)?;
    let (words, rest) = rest.split_at_checked(length)?;
    *stored = rest;
    Some(words.as_chunks().0.iter().map(|bytes| word(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_less() {
        let byte_ids = std::array::from_fn(|byte| u32::try_from(byte).expect("small"));
        for merges in [
            vec![],
            vec![((1, 2), 256), ((256, 3), 257), ((1, 258), 257), ((2, 3), 258)],
            vec![((1, 2), 256), ((3, 4), 256)],
            vec![((0xc3, 0xa9), 256)],
        ] {
            let table = Merges::of_bytes(&merges, &byte_ids).expect("small");
            let mut stored = Vec::new();
            table.write_to(&mut stored);
            for length in (0..100)
                .chain((100..stored.len()).step_by(9973))
                .chain([stored.len() - 1])
            {
                assert!(Merges::read_from(&mut &stored[..length]).is_none(), "{length}");
            }
            stored.push(7);
            let mut rest = stored.as_slice();
            let read = Merges::read_from(&mut rest).expect("whole");
            assert_eq!(rest, [7]);
            assert_eq!(format!("{read:?}"), format!("{table:?}"));
        }
    }
}
