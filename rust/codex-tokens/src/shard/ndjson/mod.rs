//! Files of NDJSON to a folder of shards with its manifest: read, unescaped, encoded and written side by side.
//!
//! ```text
//! sources -> blocks of whole lines -> encode, on any number of threads -> collect, in order -> shards, progress, manifest
//! ```
//!
//! Nothing but blocks and one shard is in memory. The folder's bytes are a function of the sources, the tokenizer and the
//! options: not of threads, and not of where a kill or a full disk stopped a call before this one.

mod collect;
mod encode;
mod progress;
mod sources;
mod target;
#[cfg(test)]
mod tests;

use self::collect::Collector;
use self::encode::{Encoded, Encoder};
use self::sources::{Sources, name_of};
use self::target::{Target, Task};
use super::series::Series;
use crate::encode::Worker;
use crate::error::{Error, Result};
use crate::in_order::{Stages, in_order, lock, owned};
use crate::tokenizer::Tokenizer;
use crate::word_table::Shared;
use codex_file::digest::{Algorithm, Hasher};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;

/// What the words that have been met may take; twice that for the moment in which new ones come in place of those.
const WORD_BYTES: usize = 40 << 20;

/// Lines that may be passed over; a file with more of them is not what it was taken for.
const MAXIMUM_SKIPPED: usize = 100_000;

/// What to do with a line that is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLines {
    /// Refuse the file.
    Raise,
    /// Pass it over; the manifest lists it.
    Skip,
}

/// What to make shards of, and how.
#[derive(Clone, Debug)]
pub struct Ndjson<'a> {
    /// Files of NDJSON, read one after another; plain or gz, bz2, xz, zst.
    pub sources: Vec<PathBuf>,
    /// The folder that the shards and their manifest go to.
    pub target: PathBuf,
    /// What encodes the texts.
    pub tokenizer: &'a Tokenizer,
    /// How the shards are called: `<split>-<number>.safetensors`.
    pub split: &'a str,
    /// The key that the text stands under.
    pub text_key: &'a str,
    /// The special token that ends documents, if it is not the tokenizer's own.
    pub end_of_document: Option<&'a str>,
    /// Tokens of a full shard; `None` is what fills 32 MiB.
    pub shard_tokens: Option<usize>,
    /// What to do with lines that are no documents.
    pub bad_lines: BadLines,
    /// How many threads work; `None` is one for each processor.
    pub threads: Option<NonZeroUsize>,
}

impl Ndjson<'_> {
    /// Makes the folder and returns its manifest. If it was begun before it is gone on with; if it is finished it is verified.
    ///
    /// `each` is asked on this thread, a hundred times a second or so, whether to go on; it is told the bytes that have been
    /// read and those there are. Stopped, the work can be gone on with.
    ///
    /// # Errors
    /// [`Class::Locked`](codex_file::Class::Locked) if another process works on the same folder;
    /// [`Class::Usage`](codex_file::Class::Usage) if the folder holds anything else, or shards of other sources, another
    /// tokenizer or other options; [`Class::Data`](codex_file::Class::Data) at a bad line, with file, line, byte and reason;
    /// [`Class::DiskFull`](codex_file::Class::DiskFull).
    pub fn encode(&self, mut each: impl FnMut(u64, u64) -> ControlFlow<()>) -> Result<Value> {
        let series = self.series()?;
        let mut sources = Sources::open(self.sources.clone())?;
        let target = Target::take(&self.target, self.task(&series))?;
        if let Some(manifest) = target.manifest(&self.sources)? {
            return Ok(manifest);
        }
        let (progress, finished) = target.begin(&series)?;
        let hasher = match finished.last() {
            Some(last) => sources.pass(last.position, &last.prefix)?,
            None => Hasher::new(Algorithm::Xxh3),
        };

        let threads = self.threads.or_else(|| thread::available_parallelism().ok());
        let threads = threads.map_or(1, NonZeroUsize::get);
        let (read, total) = sources.progress();
        let work = Work {
            plan: self,
            series: &series,
            words: Arc::new(Shared::with_memory(WORD_BYTES)),
            sources: Mutex::new(sources),
            collector: Mutex::new(Collector::new(
                &series,
                self.bad_lines,
                progress,
                finished,
                hasher,
            )),
        };
        in_order(&work, threads, &mut || each(read.load(Ordering::Relaxed), total))?;
        let (facts, progress) = owned(work.collector).finish()?;
        let manifest = target.finish(facts, owned(work.sources).parents())?;
        progress.remove()?;
        Ok(manifest)
    }

    fn series(&self) -> Result<Series> {
        if self.sources.is_empty() {
            return Err(Error::usage("no file is given to make shards of"));
        }
        let target = self.target.clone();
        Series::new(
            target,
            self.split,
            self.tokenizer,
            self.end_of_document,
            self.shard_tokens,
        )
    }

    /// All that the bytes of the folder depend on, save what is in the sources.
    fn task(&self, series: &Series) -> Task {
        Task {
            sources: self.sources.iter().map(|path| name_of(path)).collect(),
            tokenizer: series.tokenizer().to_owned(),
            parameters: json!({
                "bad_lines": match self.bad_lines {
                    BadLines::Raise => "raise",
                    BadLines::Skip => "skip",
                },
                "end_of_document_id": series.end_of_document,
                "shard_tokens": series.shard_tokens,
                "split": self.split,
                "text_key": self.text_key,
            }),
        }
    }
}

/// What the threads share.
struct Work<'a> {
    plan: &'a Ndjson<'a>,
    series: &'a Series,
    words: Arc<Shared>,
    sources: Mutex<Sources>,
    collector: Mutex<Collector<'a>>,
}

impl Stages<Encoded> for Work<'_> {
    type Worker = Encoder;

    fn worker(&self) -> Encoder {
        Encoder::new(Worker::new(Arc::clone(&self.words)))
    }

    fn read(&self, item: &mut Encoded) -> Result<Option<usize>> {
        lock(&self.sources).read(item)
    }

    fn work(&self, encoder: &mut Encoder, item: &mut Encoded) -> Result<()> {
        encoder.encode(
            self.plan.tokenizer,
            self.series.end_of_document,
            self.plan.text_key,
            item,
        )
    }

    fn take(&self, item: &mut Encoded) -> Result<()> {
        lock(&self.collector).take(item, &self.plan.sources[item.source])
    }
}
