//! The plain bytes of a file, some at a time, for Python.

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use codex_file::{Error, stream};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::released;

/// A file, unpacked on the way if its magic number says gz, bz2, xz or zst.
#[pyclass(module = "codex._core", frozen)]
pub(super) struct FileStream {
    source: Mutex<Box<dyn Read + Send>>,
    path: PathBuf,
}

#[pymethods]
impl FileStream {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let source = released(py, || stream::open(&path))?;
        Ok(Self {
            source: Mutex::new(source),
            path,
        })
    }

    /// The next bytes, `size` of them unless the file ends before.
    fn read<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = released(py, || {
            let mut bytes = Vec::with_capacity(size);
            let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            source
                .by_ref()
                .take(size as u64)
                .read_to_end(&mut bytes)
                .map_err(|error| Error::io("read", &self.path, error))?;
            Ok::<_, Error>(bytes)
        })?;
        Ok(PyBytes::new(py, &bytes))
    }
}
