//! Tokens for Python: ids cross as numpy arrays, the interpreter is released while text is worked on.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use codex_file::Class;
use codex_tokens::shard::Layout;
use codex_tokens::{Error, Specials};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyBytes;

use crate::errors::{Explained, bug, raised, released};

/// Tokens, bytes of one, documents, starts of `tokens`, `document_offsets` and `document_ids`, metadata.
type ShardLayout = (usize, usize, usize, usize, usize, usize, Vec<(String, String)>);

impl Explained for Error {
    fn class(&self) -> Class {
        Error::class(self)
    }

    fn hint(&self) -> Option<String> {
        Error::hint(self)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Tokenizer>()?;
    module.add_class::<WordCounts>()?;
    module.add_class::<ShardWriter>()?;
    module.add_function(wrap_pyfunction!(shard_layout, module)?)
}

#[pyclass(frozen, module = "codex._core")]
struct Tokenizer(Arc<codex_tokens::Tokenizer>);

#[pymethods]
impl Tokenizer {
    #[staticmethod]
    fn from_file(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        released(py, || codex_tokens::Tokenizer::from_file(&path)).map(Self::new)
    }

    #[staticmethod]
    fn from_json(py: Python<'_>, data: PyBackedBytes) -> PyResult<Self> {
        released(py, || codex_tokens::Tokenizer::from_json(&data)).map(Self::new)
    }

    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        released(py, || self.0.to_json()).map(|json| PyBytes::new(py, &json))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        released(py, || self.0.save(&path))
    }

    fn encode<'py>(&self, py: Python<'py>, text: Text, specials: &str) -> PyResult<Bound<'py, PyAny>> {
        let specials = parse_specials(py, specials)?;
        let ids = released(py, || {
            let mut ids = Vec::new();
            self.0.encode(text.as_ref(), specials, &mut ids).map(|()| ids)
        })?;
        Ok(self.array(py, ids))
    }

    fn encode_flat<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Text>,
        specials: &str,
        threads: Option<NonZeroUsize>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyArray1<u64>>)> {
        let specials = parse_specials(py, specials)?;
        let (ids, offsets) = released(py, || self.0.encode_batch(&texts, specials, threads))?;
        let offsets: Vec<u64> = offsets.into_iter().map(|offset| offset as u64).collect();
        Ok((self.array(py, ids), offsets.into_pyarray(py)))
    }

    fn decode(&self, py: Python<'_>, ids: PyReadonlyArray1<'_, u32>) -> PyResult<String> {
        let ids = ids.as_slice()?;
        released(py, || self.0.decode(ids))
    }

    fn decode_bytes<'py>(
        &self,
        py: Python<'py>,
        ids: PyReadonlyArray1<'_, u32>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let ids = ids.as_slice()?;
        released(py, || self.0.decode_bytes(ids)).map(|bytes| PyBytes::new(py, &bytes))
    }

    #[getter]
    fn vocabulary_size(&self) -> usize {
        self.0.vocabulary_size()
    }

    #[getter]
    fn fingerprint(&self, py: Python<'_>) -> PyResult<String> {
        released(py, || self.0.fingerprint().map(str::to_owned))
    }

    #[getter]
    fn end_of_document_id(&self) -> Option<u32> {
        self.0.end_of_document_id()
    }

    #[getter]
    fn special_tokens(&self) -> Vec<(String, u32)> {
        self.0
            .special_tokens()
            .map(|(id, text)| (text.to_owned(), id))
            .collect()
    }

    #[getter]
    fn merges(&self) -> Vec<(u32, u32, u32)> {
        self.0.merges().collect()
    }
}

impl Tokenizer {
    fn new(tokenizer: codex_tokens::Tokenizer) -> Self {
        Self(Arc::new(tokenizer))
    }

    /// Ids as the narrowest type that holds the vocabulary, u16 or u32.
    fn array<'py>(&self, py: Python<'py>, ids: Vec<u32>) -> Bound<'py, PyAny> {
        if self.0.vocabulary_size() > 1 << 16 {
            return ids.into_pyarray(py).into_any();
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "every id is below the size of the vocabulary"
        )]
        let narrow = py.detach(|| ids.into_iter().map(|id| id as u16).collect::<Vec<u16>>());
        narrow.into_pyarray(py).into_any()
    }
}

fn parse_specials(py: Python<'_>, name: &str) -> PyResult<Specials> {
    match name {
        "forbid" => Ok(Specials::Forbid),
        "text" => Ok(Specials::Text),
        "ids" => Ok(Specials::Ids),
        _ => {
            let message = format!("`specials` is `{name}`, expected `forbid`, `text` or `ids`");
            Err(raised(py, &codex_file::Error::usage(message)))
        }
    }
}

/// A string of Python's, borrowed as UTF-8. One with a lone surrogate has none, and is bad data.
struct Text(PyBackedStr);

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object
            .extract()
            .map(Self)
            .map_err(|error: PyErr| surrogate(object.py(), &error).unwrap_or(error))
    }
}

/// The error for a lone surrogate, if `error` is about one.
fn surrogate(py: Python<'_>, error: &PyErr) -> Option<PyErr> {
    let value = error.value(py).cast::<PyUnicodeEncodeError>().ok()?;
    let start: usize = value.getattr("start").ok()?.extract().ok()?;
    let message =
        format!("the text holds a lone surrogate at character {start}, expected what UTF-8 can hold");
    Some(raised(py, &codex_file::Error::data(message)))
}

#[pyclass(module = "codex._core")]
struct WordCounts(codex_tokens::WordCounts);

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

    fn train(
        &self,
        py: Python<'_>,
        vocabulary_size: usize,
        special_tokens: Vec<Text>,
    ) -> PyResult<Tokenizer> {
        let special_tokens: Vec<&str> = special_tokens.iter().map(Text::as_ref).collect();
        released(py, || self.0.train(vocabulary_size, &special_tokens)).map(Tokenizer::new)
    }
}

#[pyclass(module = "codex._core")]
struct ShardWriter(Option<codex_tokens::ShardWriter>);

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
fn shard_layout(py: Python<'_>, path: PathBuf, verify: bool) -> PyResult<ShardLayout> {
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
