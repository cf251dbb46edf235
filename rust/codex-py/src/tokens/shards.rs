//! Shards of tokens on disk, for Python.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use codex_tokens::shard::{BadLines, Layout, Ndjson};
use pyo3::prelude::*;

use super::Text;
use super::tokenizer::Tokenizer;
use crate::errors::{bug, raised, released};

/// Tokens, bytes of one, documents, starts of `tokens`, `document_offsets` and `document_ids`, metadata.
type ShardLayout = (usize, usize, usize, usize, usize, usize, Vec<(String, String)>);

/// How often a signal is looked for and progress told.
const TICK: Duration = Duration::from_millis(100);

#[pyclass(module = "codex._core")]
pub(super) struct ShardWriter(Option<codex_tokens::ShardWriter>);

#[pymethods]
impl ShardWriter {
    #[new]
    #[pyo3(signature = (folder, split, tokenizer, shard_tokens))]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        split: &str,
        tokenizer: &Tokenizer,
        shard_tokens: Option<usize>,
    ) -> PyResult<Self> {
        let tokenizer = Arc::clone(&tokenizer.0);
        released(py, || {
            codex_tokens::ShardWriter::new(folder, split, tokenizer, shard_tokens)
        })
        .map(|inner| Self(Some(inner)))
    }

    /// Documents as (id, text).
    fn add(
        &mut self,
        py: Python<'_>,
        documents: Vec<(Text, Text)>,
        threads: Option<NonZeroUsize>,
    ) -> PyResult<()> {
        let writer = self.0.as_mut().ok_or_else(finished)?;
        released(py, || writer.add(&documents, threads))
    }

    /// Names of the files, tokens, documents.
    fn finish(&mut self, py: Python<'_>) -> PyResult<(Vec<String>, u64, u64)> {
        let writer = self.0.take().ok_or_else(finished)?;
        let written = released(py, || writer.finish())?;
        Ok((written.names, written.tokens, written.documents))
    }
}

fn finished() -> PyErr {
    bug("the shards are finished")
}

/// What is made of files of NDJSON, apart from the tokenizer.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct Options {
    split: String,
    text_key: String,
    end_of_document: Option<String>,
    shard_tokens: Option<usize>,
    skip_bad_lines: bool,
    threads: Option<NonZeroUsize>,
}

/// The manifest of the folder, as JSON text. `progress` is told the bytes that have been read, and those there are.
#[pyfunction]
pub(super) fn encode_ndjson(
    py: Python<'_>,
    sources: Vec<PathBuf>,
    target: PathBuf,
    tokenizer: &Tokenizer,
    options: Options,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let tokenizer = Arc::clone(&tokenizer.0);
    let plan = Ndjson {
        sources,
        target,
        tokenizer: &tokenizer,
        split: &options.split,
        text_key: &options.text_key,
        end_of_document: options.end_of_document.as_deref(),
        shard_tokens: options.shard_tokens,
        bad_lines: if options.skip_bad_lines {
            BadLines::Skip
        } else {
            BadLines::Raise
        },
        threads: options.threads,
    };
    let (mut stopped, mut told) = (None, Instant::now());
    let answer = py.detach(|| {
        plan.encode(|done, total| {
            if told.elapsed() < TICK {
                return ControlFlow::Continue(());
            }
            told = Instant::now();
            match Python::attach(|py| tell(py, progress.as_ref(), done, total)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    stopped = Some(error);
                    ControlFlow::Break(())
                }
            }
        })
    });
    match (answer, stopped) {
        (Ok(manifest), _) => Ok(manifest.to_string()),
        (Err(error), Some(why)) if error.is_stopped() => Err(why),
        (Err(error), _) => Err(raised(py, &error)),
    }
}

fn tell(py: Python<'_>, progress: Option<&Py<PyAny>>, done: u64, total: u64) -> PyResult<()> {
    py.check_signals()?;
    progress.map_or(Ok(()), |progress| progress.call1(py, (done, total)).map(drop))
}

#[pyfunction]
pub(super) fn shard_layout(py: Python<'_>, path: PathBuf, verify: bool) -> PyResult<ShardLayout> {
    let layout = released(py, || Layout::open(&path, verify))?;
    Ok((
        layout.tokens,
        layout.token_bytes,
        layout.documents,
        layout.tokens_start,
        layout.offsets_start,
        layout.ids_start,
        layout.metadata.into_iter().collect(),
    ))
}
