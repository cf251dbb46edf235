//! The training of a tokenizer, for Python: counting, then merges some at a time, so that Ctrl-C and a bar have their turn.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

use std::num::NonZeroUsize;
use std::path::PathBuf;

use codex_tokens::{TrainOptions, Unit};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::Text;
use crate::errors::{bug, released};

#[pyclass(module = "codex._core")]
pub(super) struct WordCounts(Option<codex_tokens::WordCounts>);

#[pymethods]
impl WordCounts {
    #[new]
    #[pyo3(signature = (pattern, memory_limit, folder))]
    fn new(
        py: Python<'_>,
        pattern: Option<Text>,
        memory_limit: Option<u64>,
        folder: PathBuf,
    ) -> PyResult<Self> {
        released(py, || {
            let mut counts = match &pattern {
                Some(pattern) => codex_tokens::WordCounts::with_pattern(pattern.as_ref())?,
                None => codex_tokens::WordCounts::default(),
            };
            if let Some(bytes) = memory_limit {
                counts.limit_memory(bytes, &folder)?;
            }
            Ok::<_, codex_tokens::Error>(Self(Some(counts)))
        })
    }

    fn add_texts(&mut self, py: Python<'_>, texts: Vec<Text>, threads: Option<NonZeroUsize>) -> PyResult<()> {
        let counts = self.0.as_mut().ok_or_else(taken)?;
        released(py, || counts.add_texts(&texts, threads))
    }

    /// Calls `told` with the bytes read so far, now and then; what it raises, or Ctrl-C, ends the counting.
    fn add_file(
        &mut self,
        py: Python<'_>,
        path: PathBuf,
        by_line: bool,
        threads: Option<NonZeroUsize>,
        told: Py<PyAny>,
    ) -> PyResult<()> {
        let counts = self.0.as_mut().ok_or_else(taken)?;
        let unit = if by_line { Unit::Line } else { Unit::File };
        let mut raised = Ok(());
        let mut goes_on = |bytes: u64| {
            raised = Python::attach(|py| {
                py.check_signals()?;
                told.call1(py, (bytes,)).map(|_| ())
            });
            raised.is_ok()
        };
        let counted = released(py, || counts.add_file(&path, unit, threads, &mut goes_on));
        raised.and(counted)
    }

    /// Texts, bytes, bytes spilled.
    fn counted(&self) -> PyResult<(u64, u64, u64)> {
        let counted = self.0.as_ref().ok_or_else(taken)?.counted();
        Ok((counted.texts, counted.bytes, counted.spilled_bytes))
    }

    #[expect(clippy::too_many_arguments, reason = "the options of training, by name")]
    fn learn(
        &mut self,
        py: Python<'_>,
        vocab_size: usize,
        special_tokens: Vec<Text>,
        min_frequency: u64,
        max_token_length: Option<usize>,
        initial_alphabet: Vec<u8>,
        limit_alphabet: Option<usize>,
        character_coverage: f64,
        end_of_word_suffix: Option<Text>,
    ) -> PyResult<Training> {
        let options = TrainOptions {
            vocab_size,
            special_tokens: special_tokens
                .iter()
                .map(|text| text.as_ref().to_owned())
                .collect(),
            min_frequency,
            max_token_length,
            initial_alphabet,
            limit_alphabet,
            character_coverage,
            end_of_word_suffix: end_of_word_suffix.map(|text| text.as_ref().to_owned()),
        };
        let counts = self.0.take().ok_or_else(taken)?;
        released(py, || counts.learn(options)).map(|training| Training(Some(training)))
    }
}

#[pyclass(module = "codex._core")]
pub(super) struct Training(Option<codex_tokens::Training>);

#[pymethods]
impl Training {
    /// Makes up to `merges` merges; false when there are no more.
    fn advance(&mut self, py: Python<'_>, merges: usize) -> PyResult<bool> {
        let training = self.0.as_mut().ok_or_else(taken)?;
        released(py, || training.advance(merges))
    }

    #[getter]
    fn vocab_size(&self) -> PyResult<usize> {
        Ok(self.0.as_ref().ok_or_else(taken)?.vocabulary_size())
    }

    #[getter]
    fn distinct_words(&self) -> PyResult<u64> {
        Ok(self.0.as_ref().ok_or_else(taken)?.distinct_words())
    }

    /// Bytes that went to disk so far.
    #[getter]
    fn spilled_bytes(&self) -> PyResult<u64> {
        Ok(self.0.as_ref().ok_or_else(taken)?.spilled_bytes())
    }

    /// The `tokenizer.json`.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let training = self.0.take().ok_or_else(taken)?;
        released(py, || training.into_json()).map(|json| PyBytes::new(py, &json))
    }
}

fn taken() -> PyErr {
    bug("the training has ended")
}
