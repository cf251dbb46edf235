//! Shards of tokens on disk, for Python.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use codex_tokens::shard::Layout;
use pyo3::prelude::*;

use super::Text;
use super::tokenizer::Tokenizer;
use crate::errors::{bug, released};

/// Tokens, bytes of one, documents, starts of `tokens`, `document_offsets` and `document_ids`, metadata.
type ShardLayout = (usize, usize, usize, usize, usize, usize, Vec<(String, String)>);

#[pyclass(module = "codex._core")]
pub(super) struct ShardWriter(Option<codex_tokens::ShardWriter>);

#[pymethods]
impl ShardWriter {
    #[new]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        split: &str,
        tokenizer: &Tokenizer,
        shard_tokens: usize,
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
