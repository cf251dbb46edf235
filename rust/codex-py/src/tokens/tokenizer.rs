//! The tokenizer for Python: ids cross as lists or as numpy arrays, texts are borrowed.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use codex_tokens::Specials;
use numpy::{IntoPyArray, PyArray1};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList, PyString};

use super::Text;
use super::numbers::{self, Ids};
use crate::errors::{bug, raised, released};

/// A text below this many bytes takes a few microseconds: to give the interpreter away and fetch it again would take longer.
const SHORT_BYTES: usize = 2 << 10;

/// The same of ids that are decoded.
const SHORT_IDS: usize = 4 << 10;

/// Most texts have more bytes to an id, so that the row need not grow.
const BYTES_PER_ID: usize = 2;

/// A file of ranks, the pattern that cuts words, and the special tokens.
type Ranks<'py> = (Bound<'py, PyBytes>, String, Vec<(String, u32)>);

/// Ids, and the bytes of the text that each comes from.
type IdsAndSpans = (Vec<u32>, Vec<(usize, usize)>);

#[pyclass(frozen, module = "codex._core")]
pub(super) struct Tokenizer(pub(super) Arc<codex_tokens::Tokenizer>);

#[pymethods]
impl Tokenizer {
    #[staticmethod]
    fn from_file(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        released(py, || codex_tokens::Tokenizer::from_file(&path)).map(Self::new)
    }

    /// The same, kept in the folder `cache` in the form it has in memory.
    #[staticmethod]
    fn from_file_cached(py: Python<'_>, path: PathBuf, cache: PathBuf) -> PyResult<Self> {
        released(py, || codex_tokens::Tokenizer::from_file_cached(&path, &cache)).map(Self::new)
    }

    /// The same tokenizer by a newer edition of Unicode than that of `tokenizers` 0.23.3.
    fn with_newer_unicode(&self, py: Python<'_>) -> PyResult<Self> {
        released(py, || self.0.with_unicode(codex_tokens::Unicode::Newer)).map(Self::new)
    }

    #[staticmethod]
    fn from_json(py: Python<'_>, data: PyBackedBytes) -> PyResult<Self> {
        released(py, || codex_tokens::Tokenizer::from_json(&data)).map(Self::new)
    }

    #[staticmethod]
    fn from_folder(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        released(py, || codex_tokens::Tokenizer::from_folder(&folder)).map(Self::new)
    }

    #[staticmethod]
    fn from_tiktoken(
        py: Python<'_>,
        ranks: PathBuf,
        pattern: &str,
        special_tokens: Vec<(String, u32)>,
    ) -> PyResult<Self> {
        released(py, || {
            codex_tokens::Tokenizer::from_tiktoken(&ranks, pattern, &special_tokens)
        })
        .map(Self::new)
    }

    #[staticmethod]
    fn from_sentencepiece(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        released(py, || codex_tokens::Tokenizer::from_sentencepiece(&path)).map(Self::new)
    }

    /// The contents of a file of ranks, the pattern, and the special tokens: what `tiktoken.Encoding` takes.
    fn to_ranks<'py>(&self, py: Python<'py>) -> PyResult<Ranks<'py>> {
        let ranks = released(py, || self.0.to_ranks())?;
        Ok((
            PyBytes::new(py, &ranks.ranks),
            ranks.pattern,
            ranks.special_tokens,
        ))
    }

    /// The ids that the file's template puts before and behind those of a text.
    #[getter]
    fn ids_around(&self) -> (Vec<u32>, Vec<u32>) {
        let (before, behind) = self.0.ids_around();
        (before.to_vec(), behind.to_vec())
    }

    /// Id, text, and whether it is a special token.
    #[getter]
    fn added_tokens(&self) -> Vec<(u32, String, bool)> {
        let tokens = self.0.added_tokens();
        tokens
            .map(|(id, text, special)| (id, text.to_owned(), special))
            .collect()
    }

    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        released(py, || self.0.to_json()).map(|json| PyBytes::new(py, &json))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        released(py, || self.0.save(&path))
    }

    fn encode<'py>(&self, py: Python<'py>, text: Text, specials: &str) -> PyResult<Bound<'py, PyList>> {
        let specials = parse_specials(py, specials)?;
        let encode = || {
            let mut ids = Vec::with_capacity(text.as_ref().len() / BYTES_PER_ID + 1);
            self.0.encode(text.as_ref(), specials, &mut ids).map(|()| ids)
        };
        let ids = if text.as_ref().len() < SHORT_BYTES {
            encode().map_err(|error| raised(py, &error))
        } else {
            released(py, encode)
        }?;
        numbers::list(py, &ids)
    }

    fn encode_batch<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Text>,
        specials: &str,
        threads: Option<NonZeroUsize>,
    ) -> PyResult<Vec<Bound<'py, PyList>>> {
        let specials = parse_specials(py, specials)?;
        let (ids, offsets) = released(py, || self.0.encode_batch(&texts, specials, threads))?;
        let rows = offsets.windows(2).map(|ends| &ids[ends[0]..ends[1]]);
        rows.map(|row| numbers::list(py, row)).collect()
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

    /// The ids of `text`, and the bytes of it that each comes from.
    fn encode_with_spans(&self, py: Python<'_>, text: Text, specials: &str) -> PyResult<IdsAndSpans> {
        let specials = parse_specials(py, specials)?;
        released(py, || {
            let (mut ids, mut spans) = (Vec::new(), Vec::new());
            let done = self
                .0
                .encode_with_spans(text.as_ref(), specials, &mut ids, &mut spans);
            done.map(|()| (ids, spans))
        })
    }

    fn count(&self, py: Python<'_>, text: Text, specials: &str) -> PyResult<usize> {
        let specials = parse_specials(py, specials)?;
        released(py, || self.0.count(text.as_ref(), specials))
    }

    /// The bytes at which the words of a text end.
    fn word_ends<'py>(&self, py: Python<'py>, text: Text) -> Bound<'py, PyArray1<usize>> {
        py.detach(|| self.0.word_ends(text.as_ref())).into_pyarray(py)
    }

    fn decode<'py>(&self, py: Python<'py>, ids: Ids<'_>) -> PyResult<Bound<'py, PyString>> {
        self.text(py, ids.as_slice()?)
    }

    fn decode_batch<'py>(&self, py: Python<'py>, rows: Vec<Ids<'_>>) -> PyResult<Vec<Bound<'py, PyString>>> {
        rows.iter().map(|ids| self.text(py, ids.as_slice()?)).collect()
    }

    fn decode_bytes<'py>(&self, py: Python<'py>, ids: Ids<'_>) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, ids.as_slice()?)
            .map(|bytes| PyBytes::new(py, &bytes))
    }

    /// The bytes of one id, or None if there is no such id.
    fn token_bytes<'py>(&self, py: Python<'py>, token_id: u32) -> Option<Bound<'py, PyBytes>> {
        self.0.token_bytes(token_id).map(|bytes| PyBytes::new(py, bytes))
    }

    #[getter]
    fn vocab_size(&self) -> usize {
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

    /// The bytes of left and right.
    #[getter]
    fn merges<'py>(&self, py: Python<'py>) -> PyResult<Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>> {
        let bytes = |id| {
            let bytes = self.0.token_bytes(id);
            bytes
                .map(|bytes| PyBytes::new(py, bytes))
                .ok_or_else(|| bug("a merge of an unknown id"))
        };
        let pairs = self.0.merges();
        pairs
            .map(|(left, right, _)| Ok((bytes(left)?, bytes(right)?)))
            .collect()
    }
}

impl Tokenizer {
    pub(super) fn new(tokenizer: codex_tokens::Tokenizer) -> Self {
        Self(Arc::new(tokenizer))
    }

    fn bytes(&self, py: Python<'_>, ids: &[u32]) -> PyResult<Vec<u8>> {
        if ids.len() < SHORT_IDS {
            return self.0.decode_bytes(ids).map_err(|error| raised(py, &error));
        }
        released(py, || self.0.decode_bytes(ids))
    }

    /// The bytes are looked at once, by Python when it makes a string of them.
    fn text<'py>(&self, py: Python<'py>, ids: &[u32]) -> PyResult<Bound<'py, PyString>> {
        let bytes = self.bytes(py, ids)?;
        if self.0.replaces_runs() {
            return PyString::from_bytes(py, &bytes)
                .or_else(|_| released(py, || self.0.decode(ids)).map(|text| PyString::new(py, &text)));
        }
        let length = ffi::Py_ssize_t::try_from(bytes.len())?;
        // SAFETY: the interpreter is held, the bytes are alive, and the name of what is done with broken ones ends in a zero.
        #[expect(unsafe_code, reason = "pyo3 decodes without a word on errors only")]
        let text = unsafe {
            let text = ffi::PyUnicode_DecodeUTF8(bytes.as_ptr().cast(), length, c"replace".as_ptr());
            Bound::from_owned_ptr_or_err(py, text)
        };
        Ok(text?.cast_into()?)
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
