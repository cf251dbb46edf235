//! Many texts at once, on any number of threads, with the same answer whatever the number.

use crate::encode::Worker;
use crate::error::Result;
use crate::in_order::{Stages, in_order, lock, owned};
use crate::tokenizer::{Specials, Tokenizer};
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::sync::Mutex;
use std::thread;
use std::vec::IntoIter;

/// A thread takes texts of so many bytes together: enough to be worth a thread, little enough that all end together.
const SHARE_BYTES: usize = 1 << 18;

/// Bytes of text for an id, fewer than most text has: room for so many is reserved, which costs nothing until it is filled.
const BYTES_PER_ID: usize = 3;

/// The ids of some texts in one row, and where each text ends in it.
#[derive(Default)]
struct Row {
    share: Range<usize>,
    ids: Vec<u32>,
    ends: Vec<usize>,
}

impl Tokenizer {
    /// The ids of several texts in one row, and the N + 1 places where they start and end: those of text `n` are
    /// `ids[offsets[n]..offsets[n + 1]]`.
    ///
    /// `threads` is how many may work, as many as there are processors if it is `None`; a text is never shared between two.
    /// They live as long as the call.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`], for the first text that has an error.
    pub fn encode_batch(
        &self,
        texts: &[impl AsRef<str> + Sync],
        specials: Specials,
        threads: Option<NonZeroUsize>,
    ) -> Result<(Vec<u32>, Vec<usize>)> {
        let shares = shares(texts);
        let threads = threads.or_else(|| thread::available_parallelism().ok());
        let threads = threads.map_or(1, NonZeroUsize::get).min(shares.len());
        let bytes: usize = texts.iter().map(|text| text.as_ref().len()).sum();
        let mut row = Row {
            share: 0..texts.len(),
            ids: Vec::with_capacity(bytes / BYTES_PER_ID),
            ends: Vec::with_capacity(texts.len() + 1),
        };
        row.ends.push(0);
        let batch = Batch {
            tokenizer: self,
            texts,
            specials,
            shares: Mutex::new(shares.into_iter()),
            row: Mutex::new(row),
        };
        if threads <= 1 {
            let mut row = owned(batch.row);
            self.with_worker(|worker| self.encode_row(worker, texts, specials, &mut row))?;
            return Ok((row.ids, row.ends));
        }
        in_order(&batch, threads, &mut || ControlFlow::Continue(()))?;
        let Row { ids, ends, .. } = owned(batch.row);
        Ok((ids, ends))
    }

    /// Appends the ids of the texts that are the share of `row` to it.
    fn encode_row(
        &self,
        worker: &mut Worker,
        texts: &[impl AsRef<str>],
        specials: Specials,
        row: &mut Row,
    ) -> Result<()> {
        for text in &texts[row.share.clone()] {
            self.encode_with(worker, text.as_ref(), specials, &mut row.ids)?;
            row.ends.push(row.ids.len());
        }
        Ok(())
    }
}

/// What the threads share.
struct Batch<'a, T> {
    tokenizer: &'a Tokenizer,
    texts: &'a [T],
    specials: Specials,
    /// Those that nobody has begun.
    shares: Mutex<IntoIter<Range<usize>>>,
    /// The ids of all texts up to some share.
    row: Mutex<Row>,
}

impl<T: AsRef<str> + Sync> Stages<Row> for Batch<'_, T> {
    type Worker = Worker;

    fn read(&self, row: &mut Row) -> Result<Option<usize>> {
        let share = lock(&self.shares).next();
        // No memory is taken by what is read: the texts are there.
        Ok(share.map(|share| {
            row.share = share;
            0
        }))
    }

    fn worker(&self) -> Worker {
        self.tokenizer.worker()
    }

    fn work(&self, worker: &mut Worker, row: &mut Row) -> Result<()> {
        row.ids.clear();
        row.ends.clear();
        self.tokenizer.encode_row(worker, self.texts, self.specials, row)
    }

    fn take(&self, row: &mut Row) -> Result<()> {
        let mut all = lock(&self.row);
        let before = all.ids.len();
        all.ids.extend_from_slice(&row.ids);
        all.ends.extend(row.ends.iter().map(|end| before + end));
        Ok(())
    }
}

/// The texts cut into shares of about [`SHARE_BYTES`], in order.
pub(crate) fn shares(texts: &[impl AsRef<str>]) -> Vec<Range<usize>> {
    let mut shares = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, text) in texts.iter().enumerate() {
        bytes += text.as_ref().len();
        if bytes >= SHARE_BYTES {
            shares.push(start..at + 1);
            (start, bytes) = (at + 1, 0);
        }
    }
    if start < texts.len() {
        shares.push(start..texts.len());
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{END_OF_DOCUMENT, WordCounts};

    fn tokenizer() -> Tokenizer {
        let mut counts = WordCounts::default();
        counts.add_text("the cat sat on the mat and the cat sat");
        counts.train(300, &[END_OF_DOCUMENT]).expect("trains")
    }

    /// Long texts, short ones and empty ones: 20 shares.
    fn texts() -> Vec<String> {
        let long = "the cat sat on the mat ".repeat(SHARE_BYTES / 40);
        (0..100)
            .map(|number| match number % 5 {
                0 | 3 => format!("{number} {long}"),
                1 => String::new(),
                _ => format!("cat {number}"),
            })
            .collect()
    }

    #[test]
    fn every_number_of_threads_gives_the_same_row() {
        let (tokenizer, texts) = (tokenizer(), texts());
        assert!(shares(&texts).len() > 10);
        let alone: Vec<Vec<u32>> = texts
            .iter()
            .map(|text| {
                let mut ids = Vec::new();
                tokenizer.encode(text, Specials::Text, &mut ids).expect("encodes");
                ids
            })
            .collect();
        for threads in [1, 2, 3, 8, 1000] {
            let (ids, offsets) = tokenizer
                .encode_batch(&texts, Specials::Text, NonZeroUsize::new(threads))
                .expect("encodes");
            assert_eq!(offsets.len(), texts.len() + 1);
            for (bounds, alone) in offsets.windows(2).zip(&alone) {
                assert_eq!(ids[bounds[0]..bounds[1]], *alone, "{threads} threads");
            }
        }
    }

    #[test]
    fn the_first_error_is_the_one_that_is_told() {
        let (tokenizer, mut texts) = (tokenizer(), texts());
        for at in [40, 60, 80] {
            texts[at].insert_str(at, END_OF_DOCUMENT);
        }
        for threads in [1, 2, 3, 8] {
            for _ in 0..20 {
                let error = tokenizer
                    .encode_batch(&texts, Specials::Forbid, NonZeroUsize::new(threads))
                    .expect_err("forbidden");
                assert_eq!(
                    error.to_string(),
                    "special token `<|endoftext|>` in the text at byte 40"
                );
            }
        }
    }

    #[test]
    fn no_texts_have_no_ids() {
        let none: [&str; 0] = [];
        let (ids, offsets) = tokenizer()
            .encode_batch(&none, Specials::Text, None)
            .expect("encodes");
        assert_eq!((ids, offsets), (vec![], vec![0]));
    }
}
