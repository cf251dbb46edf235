//! Where a Rust error becomes a Python one; no other file does it.

use codex_file::Class;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What every crate's error can say about itself.
pub(crate) trait Explained: std::error::Error + Send {
    /// The exit code it stands for.
    fn class(&self) -> Class;
    /// How to mend it.
    fn hint(&self) -> Option<String>;
}

impl Explained for codex_file::Error {
    fn class(&self) -> Class {
        codex_file::Error::class(self)
    }

    fn hint(&self) -> Option<String> {
        codex_file::Error::hint(self)
    }
}

/// Runs `work` with the interpreter released and maps its error.
pub(crate) fn released<T, E>(py: Python<'_>, work: impl FnOnce() -> Result<T, E> + Send) -> PyResult<T>
where
    T: Send,
    E: Explained,
{
    py.detach(work).map_err(|error| raised(py, &error))
}

/// The exception of `python/codex/errors.py` that stands for `error`.
pub(crate) fn raised(py: Python<'_>, error: &dyn Explained) -> PyErr {
    let name = match error.class() {
        Class::Missing => "MissingDataError",
        Class::Data => "DataError",
        Class::Damage => "DamageError",
        Class::DiskFull => "DiskFullError",
        Class::Locked => "LockError",
        Class::Machine => "MachineError",
        Class::Usage => "UsageError",
        _ => "CodexError",
    };
    build(py, name, &error.to_string(), error.hint().as_deref()).unwrap_or_else(|failure| failure)
}

fn build(py: Python<'_>, name: &str, message: &str, hint: Option<&str>) -> PyResult<PyErr> {
    let keywords = PyDict::new(py);
    keywords.set_item("hint", hint)?;
    let class = py.import("codex.errors")?.getattr(name)?;
    let value = class.call((message,), Some(&keywords))?;
    Ok(PyErr::from_value(value))
}

/// An error of ours that no class of the table covers: a bug.
pub(crate) fn bug(message: impl Into<String>) -> PyErr {
    PyRuntimeError::new_err(message.into())
}
