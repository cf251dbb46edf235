//! Many texts at once, on any number of threads, with the same answer whatever the number.

use crate::encode::Worker;
use crate::error::Result;
use crate::tokenizer::{Specials, Tokenizer};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A thread takes texts of so many bytes together: enough to be worth a thread, little enough that all end together.
const SHARE_BYTES: usize = 1 << 18;

/// The ids of some texts in one row, and where each text ends in it.
#[derive(Default)]
struct Row {
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
        let encode_share = |worker: &mut Worker, share: Range<usize>| {
            let mut row = Row::default();
            for text in &texts[share] {
                self.encode_with(worker, text.as_ref(), specials, &mut row.ids)?;
                row.ends.push(row.ids.len());
            }
            Ok(row)
        };
        if threads <= 1 {
            let Row { ids, ends } = self.with_worker(|worker| encode_share(worker, 0..texts.len()))?;
            return Ok((ids, [vec![0], ends].concat()));
        }

        // Shares are taken in order, so those before one that fails are all finished: the first error is always the same.
        let next = AtomicUsize::new(0);
        let work = || {
            self.with_worker(|worker| {
                let mut done = Vec::new();
                while let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = encode_share(worker, share.clone());
                    let has_failed = row.is_err();
                    done.push((share.start, row));
                    if has_failed {
                        next.store(shares.len(), Ordering::Relaxed);
                    }
                }
                done
            })
        };
        let mut rows: Vec<(usize, Result<Row>)> = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut rows = work();
            for other in others {
                rows.extend(
                    other
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                );
            }
            rows
        });
        rows.sort_unstable_by_key(|&(start, _)| start);
        joined(rows.into_iter().map(|(_, row)| row))
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

fn joined(rows: impl Iterator<Item = Result<Row>>) -> Result<(Vec<u32>, Vec<usize>)> {
    let (mut ids, mut offsets) = (Vec::new(), vec![0]);
    for row in rows {
        let row = row?;
        let before = ids.len();
        ids.extend_from_slice(&row.ids);
        offsets.extend(row.ends.iter().map(|end| before + end));
    }
    Ok((ids, offsets))
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
