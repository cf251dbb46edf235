//! Tokens for Python: the tokenizer, its training, and shards. The interpreter is released while text is worked on.

mod numbers;
mod shards;
mod tokenizer;
mod train;

use codex_file::Class;
use codex_tokens::Error;
use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use crate::errors::{Explained, raised};

impl Explained for Error {
    fn class(&self) -> Class {
        Error::class(self)
    }

    fn hint(&self) -> Option<String> {
        Error::hint(self)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<tokenizer::Tokenizer>()?;
    module.add_class::<train::WordCounts>()?;
    module.add_class::<train::Training>()?;
    module.add_class::<shards::ShardWriter>()?;
    module.add_function(wrap_pyfunction!(shards::encode_ndjson, module)?)?;
    module.add_function(wrap_pyfunction!(shards::shard_layout, module)?)
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
