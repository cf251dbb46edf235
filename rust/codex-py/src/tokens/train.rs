//! The training of a tokenizer, for Python.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

use pyo3::prelude::*;

use super::Text;
use super::tokenizer::Tokenizer;
use crate::errors::released;

#[pyclass(module = "codex._core")]
pub(super) struct WordCounts(codex_tokens::WordCounts);

#[pymethods]
impl WordCounts {
    #[new]
    fn new() -> Self {
        Self(codex_tokens::WordCounts::default())
    }

    fn add_texts(&mut self, py: Python<'_>, texts: Vec<Text>) {
        py.detach(|| {
            for text in &texts {
                self.0.add_text(text.as_ref());
            }
        });
    }

    fn train(&self, py: Python<'_>, vocab_size: usize, special_tokens: Vec<Text>) -> PyResult<Tokenizer> {
        let special_tokens: Vec<&str> = special_tokens.iter().map(Text::as_ref).collect();
        released(py, || self.0.train(vocab_size, &special_tokens)).map(Tokenizer::new)
    }
}
