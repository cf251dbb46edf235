//! Opening, checking and finding: nothing leaves here unchecked.

#![allow(clippy::needless_pass_by_value)] // PyO3 hands arguments over by value

use std::collections::BTreeMap;
use std::path::PathBuf;

use codex_checkpoint::{Checkpoint, Error};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use super::memory::{borrow_mut, check_destinations};
use super::{Skipped, reasons};
use crate::errors::released;

/// Path, step, bytes, tensors, measurements by name.
type Summary = (PathBuf, u64, u64, usize, BTreeMap<String, f64>);

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<CheckpointReader>()?;
    module.add_function(wrap_pyfunction!(checkpoint_verify, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_list, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_find_latest, module)?)
}

#[pyfunction]
fn checkpoint_verify(py: Python<'_>, path: PathBuf) -> PyResult<Summary> {
    released(py, || {
        let checkpoint = Checkpoint::open(&path)?;
        checkpoint.verify()?;
        Ok::<_, Error>(summary(&checkpoint))
    })
}

#[pyfunction]
fn checkpoint_list(py: Python<'_>, checkpoints: PathBuf) -> PyResult<(Vec<Summary>, Skipped)> {
    let listing = released(py, || codex_checkpoint::list(&checkpoints))?;
    Ok((
        listing.checkpoints.iter().map(summary).collect(),
        reasons(listing.unreadable),
    ))
}

#[pyfunction]
fn checkpoint_find_latest(py: Python<'_>, checkpoints: PathBuf) -> PyResult<Option<(PathBuf, u64, Skipped)>> {
    let latest = released(py, || codex_checkpoint::find_latest(&checkpoints))?;
    Ok(latest.map(|latest| {
        (
            latest.checkpoint.path().to_owned(),
            latest.checkpoint.step(),
            reasons(latest.skipped),
        )
    }))
}

/// One checkpoint, open; nothing leaves it unchecked.
#[pyclass(frozen, module = "codex._core")]
struct CheckpointReader {
    checkpoint: Checkpoint,
}

#[pymethods]
impl CheckpointReader {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(Self {
            checkpoint: released(py, || Checkpoint::open(&path))?,
        })
    }

    #[getter]
    fn path(&self) -> PathBuf {
        self.checkpoint.path().to_owned()
    }

    #[getter]
    fn step(&self) -> u64 {
        self.checkpoint.step()
    }

    #[getter]
    fn summary(&self) -> Summary {
        summary(&self.checkpoint)
    }

    #[getter]
    fn files(&self) -> Vec<&str> {
        self.checkpoint.files().collect()
    }

    /// The files that hold neither tensors nor the index of their shards.
    #[getter]
    fn plain_files(&self) -> Vec<&str> {
        self.checkpoint.plain_files().collect()
    }

    /// Reads every byte of the one file `name` and compares it with what was saved.
    fn verify(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        released(py, || self.checkpoint.verify_file(name))
    }

    /// Name, dtype and shape of what `file` or its shards store, and alias to stored name.
    #[allow(clippy::type_complexity)] // it is the signature in `_core.pyi`
    fn tensors(
        &self,
        py: Python<'_>,
        file: &str,
    ) -> PyResult<(Vec<(String, String, Vec<u64>)>, BTreeMap<String, String>)> {
        released(py, || {
            let reader = self.checkpoint.tensors(file)?;
            let rows = reader.tensors();
            let rows = rows
                .map(|info| (info.name.clone(), info.dtype.to_string(), info.shape.clone()))
                .collect();
            Ok::<_, Error>((rows, reader.tied()))
        })
    }

    /// Reads the named tensors of `file` or its shards into buffers of their size, checked if `verify`.
    #[pyo3(signature = (file, destinations, verify = true))]
    fn read_into(
        &self,
        py: Python<'_>,
        file: &str,
        destinations: Vec<(String, PyBuffer<u8>)>,
        verify: bool,
    ) -> PyResult<()> {
        let named = || destinations.iter().map(|(name, buffer)| (name.as_str(), buffer));
        check_destinations(named())?;
        released(py, || {
            let reader = self.checkpoint.tensors(file)?;
            let destinations = named().map(|(name, buffer)| (name, borrow_mut(buffer))).collect();
            if verify {
                reader.read_into(destinations)
            } else {
                reader.read_into_unchecked(destinations)
            }
        })
    }

    /// The bytes of the file `name`.
    fn read_file<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, pyo3::types::PyBytes>> {
        let bytes = released(py, || self.checkpoint.read_file(name))?;
        Ok(pyo3::types::PyBytes::new(py, &bytes))
    }
}

fn summary(checkpoint: &Checkpoint) -> Summary {
    (
        checkpoint.path().to_owned(),
        checkpoint.step(),
        checkpoint.bytes(),
        checkpoint.tensor_count(),
        checkpoint.metrics().clone(),
    )
}
