//! Texts to counted words, on any number of threads, within a limit of memory.

mod files;
mod table;

pub use files::Unit;
pub(super) use table::{Slot, Table, word_at};

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::options::TrainOptions;
use super::spill::{Run, Spill};
use super::training::Training;
use super::words::{Words, spill_table};
use crate::batch::shares;
use crate::error::{Error, Result};
use crate::split::{Behavior, Dialect, Pattern, Splitter, Step};
use crate::tokenizer::Tokenizer;

/// Words between two looks at the memory they take.
const BATCH_WORDS: usize = 256;

/// Less memory than this is not worth a spill.
const SMALLEST_LIMIT: u64 = 8 << 20;

/// How often each word occurs. It holds every distinct word, in memory or on disk, and nothing else of the texts.
///
/// ```
/// let mut counts = codex_tokens::WordCounts::default();
/// counts.add_text("low lower lowest");
/// let tokenizer = counts.train(260, &["<|endoftext|>"])?;
/// assert_eq!(tokenizer.vocabulary_size(), 260);
/// assert_eq!(tokenizer.token_bytes(258), Some(b"low".as_slice()));
/// # Ok::<(), codex_tokens::Error>(())
/// ```
#[derive(Debug)]
pub struct WordCounts {
    splitter: Splitter,
    pre_tokenizer: Value,
    limit: Option<Limit>,
    counters: Vec<Counter>,
}

/// How much memory words may take, and where they go then.
#[derive(Clone, Debug)]
struct Limit {
    bytes: u64,
    spill: Spill,
}

/// What one thread has counted.
#[derive(Debug, Default)]
struct Counter {
    table: Table,
    runs: Vec<Run>,
    texts: u64,
    bytes: u64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Texts.
    pub texts: u64,
    /// Bytes of all texts.
    pub bytes: u64,
    /// Bytes that went to disk so far.
    pub spilled_bytes: u64,
}

impl Default for WordCounts {
    fn default() -> Self {
        let pre_tokenizer =
            json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
        Self {
            splitter: Splitter::default(),
            pre_tokenizer,
            limit: None,
            counters: vec![Counter::default()],
        }
    }
}

impl WordCounts {
    /// Words as `pattern`, a regular expression such as those of tiktoken's vocabularies, cuts them; every byte is in a word.
    ///
    /// # Errors
    /// If the pattern is broken or needs what cannot be run exactly and in linear time.
    pub fn with_pattern(pattern: &str) -> Result<Self> {
        let split = Step::Split {
            pattern: Pattern::Regex(pattern.to_owned(), Dialect::Oniguruma),
            behavior: Behavior::Isolated,
            invert: false,
        };
        let pre_tokenizer = json!({"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
        ]});
        Ok(Self {
            splitter: Splitter::of(&[split])?,
            pre_tokenizer,
            ..Self::default()
        })
    }

    /// Keeps counting, and learning, within about `bytes` of memory: what is more goes to files without a name in `folder`.
    ///
    /// # Errors
    /// If the limit is too small to work in.
    pub fn limit_memory(&mut self, bytes: u64, folder: &Path) -> Result<()> {
        if bytes < SMALLEST_LIMIT {
            return Err(Error::usage(format!(
                "`memory_limit` is {bytes} bytes, expected at least {SMALLEST_LIMIT}"
            )));
        }
        let spill = Spill::into_folder(folder);
        self.limit = Some(Limit { bytes, spill });
        Ok(())
    }

    /// Counts the words of one document, in memory.
    pub fn add_text(&mut self, text: &str) {
        self.counters[0].texts += 1;
        self.counters[0]
            .take_in(text, &self.splitter, None)
            .unwrap_or_default();
    }

    /// Counts the words of documents, shared out between `threads`, or as many as there are processors.
    ///
    /// # Errors
    /// If there is a limit of memory and the disk refuses what goes beyond it.
    pub fn add_texts(
        &mut self,
        texts: &[impl AsRef<str> + Sync],
        threads: Option<NonZeroUsize>,
    ) -> Result<()> {
        self.counters[0].texts += texts.len() as u64;
        self.count_pieces(texts, threads)
    }

    fn count_pieces(
        &mut self,
        texts: &[impl AsRef<str> + Sync],
        threads: Option<NonZeroUsize>,
    ) -> Result<()> {
        let shares = shares(texts);
        let threads = threads.or_else(|| thread::available_parallelism().ok());
        let threads = threads.map_or(1, NonZeroUsize::get).min(shares.len()).max(1);
        if self.counters.len() < threads {
            self.counters.resize_with(threads, Counter::default);
        }
        let limit = self
            .limit
            .as_ref()
            .map(|limit| (limit.bytes / self.counters.len() as u64, &limit.spill));
        let splitter = &self.splitter;
        let next = AtomicUsize::new(0);
        let work = |counter: &mut Counter| {
            while let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed)) {
                for text in &texts[share.clone()] {
                    counter.take_in(text.as_ref(), splitter, limit)?;
                }
            }
            Ok(())
        };
        let (mine, others) = self.counters.split_at_mut(1);
        thread::scope(|scope| {
            let others: Vec<_> = others
                .iter_mut()
                .take(threads - 1)
                .map(|counter| scope.spawn(|| work(counter)))
                .collect();
            let mut answer = work(&mut mine[0]);
            for other in others {
                let theirs = other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                answer = answer.and(theirs);
            }
            answer
        })
    }

    /// Counts `word`, taken as it is, `times` more.
    pub fn add_word(&mut self, word: &str, times: u64) {
        self.counters[0].table.add(word.as_bytes(), times);
    }

    /// What was counted so far.
    #[must_use]
    pub fn counted(&self) -> Counted {
        Counted {
            texts: self.counters.iter().map(|counter| counter.texts).sum(),
            bytes: self.counters.iter().map(|counter| counter.bytes).sum(),
            spilled_bytes: self.limit.as_ref().map_or(0, |limit| limit.spill.bytes()),
        }
    }

    /// Starts to learn a vocabulary.
    ///
    /// # Errors
    /// If the options cannot be, or the disk refuses.
    pub fn learn(self, options: TrainOptions) -> Result<Training> {
        options.check()?;
        let limit = self.limit.map(|limit| (limit.spill, limit.bytes));
        let words = gathered(self.counters, limit.as_ref())?;
        Training::new(&words, limit, options, self.pre_tokenizer)
    }

    /// Learns a vocabulary: `special_tokens` in the given order, the 256 bytes, then the merges in the order of learning.
    ///
    /// The vocabulary is smaller than asked for when every word has become a single token before.
    ///
    /// # Errors
    /// If `vocabulary_size` has no room for the special tokens and the bytes, if a special token is empty or given twice,
    /// or if a merge spells a special token.
    pub fn train(self, vocabulary_size: usize, special_tokens: &[&str]) -> Result<Tokenizer> {
        let special_tokens = special_tokens.iter().map(|&text| text.to_owned()).collect();
        let options = TrainOptions {
            special_tokens,
            ..TrainOptions::new(vocabulary_size)
        };
        self.learn(options)?.finish()
    }
}

impl Counter {
    /// Counts the words of `text`; beyond `limit` the table goes to disk.
    fn take_in(&mut self, text: &str, splitter: &Splitter, limit: Option<(u64, &Spill)>) -> Result<()> {
        self.bytes += text.len() as u64;
        let mut ends = [0; BATCH_WORDS];
        let mut words = splitter.cut(text);
        let mut start = 0;
        loop {
            let count = words.next_ends(&mut ends);
            if count == 0 {
                return Ok(());
            }
            for &end in &ends[..count] {
                self.table.count(words.bytes(), start, end);
                start = end;
            }
            if let Some((bytes, spill)) = limit
                && self.table.memory_bytes() > bytes
            {
                self.runs.push(spill_table(&mut self.table, spill)?);
            }
            if self.table.is_full() {
                return Err(Error::usage(
                    "the distinct words are more than 4 GiB: set a `memory_limit`",
                ));
            }
        }
    }
}

/// The words of all threads: in memory where nothing has been spilled, else on disk.
fn gathered(counters: Vec<Counter>, limit: Option<&(Spill, u64)>) -> Result<Words> {
    let (mut tables, mut runs) = (Vec::new(), Vec::new());
    for counter in counters {
        tables.push(counter.table);
        runs.extend(counter.runs);
    }
    let Some((spill, bytes)) = limit else {
        return Ok(Words::gathered(tables));
    };
    let together: u64 = tables.iter().map(Table::memory_bytes).sum();
    if runs.is_empty() && together <= *bytes {
        return Ok(Words::gathered(tables));
    }
    for mut table in tables {
        runs.push(spill_table(&mut table, spill)?);
    }
    Words::merged(runs, spill, *bytes)
}
