//! Bytes to text for Python.

mod detect;
mod stream;

use std::path::PathBuf;

use codex_file::Class;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use crate::errors::{Explained, released};

impl Explained for codex_text::Error {
    fn class(&self) -> Class {
        Class::Data
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

/// Text, encoding, whether there was a byte-order mark, kinds of newline, and how many lf, crlf and cr.
type Decoded = (String, &'static str, bool, String, (u64, u64, u64));

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    detect::register(module)?;
    module.add_class::<stream::FileStream>()?;
    module.add_function(wrap_pyfunction!(language_of, module)?)?;
    module.add_function(wrap_pyfunction!(languages, module)?)?;
    module.add_function(wrap_pyfunction!(text_decode, module)?)
}

/// The language of a text, such as `de`, of the 45 that have a model; None if it has no letter.
///
/// Its first 4,096 characters decide. A text in a language without a model is taken for the one most like it.
///
/// >>> language_of("Wer hat das Haus auf dem Hügel gebaut?"), language_of("1 + 1 = 2")
/// ('de', None)
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
fn language_of(py: Python<'_>, text: PyBackedStr) -> Option<&'static str> {
    py.detach(|| codex_text::language_of(&text))
}

/// The languages that `language_of` knows, sorted.
///
/// >>> "de" in languages(), "xx" in languages()
/// (True, False)
#[pyfunction]
fn languages() -> Vec<&'static str> {
    codex_text::languages()
}

#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // PyO3 hands over what it made
fn text_decode(py: Python<'_>, data: &[u8], name: PathBuf) -> PyResult<Decoded> {
    released(py, || {
        let decoded = codex_text::decode(data, &name.to_string_lossy())?;
        let newlines = decoded.newlines;
        let counts = (newlines.lf, newlines.crlf, newlines.cr);
        Ok::<_, codex_text::Error>((
            decoded.text,
            decoded.encoding,
            decoded.byte_order_mark,
            newlines.to_string(),
            counts,
        ))
    })
}
