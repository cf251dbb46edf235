//! Opening, checking and finding: nothing leaves here unchecked.

#![allow(clippy::needless_pass_by_value)] // PyO3 hands arguments over by value

use std::collections::BTreeMap;
use std::path::PathBuf;

use codex_checkpoint::{Checkpoint, Error};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;

use super::{Skipped, check_contiguous, reasons};
use crate::errors::released;

/// Path, step, bytes, tensors, held-out metric.
type Summary = (PathBuf, u64, u64, usize, Option<f64>);

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

    /// Name, dtype and shape of what `file` stores, and alias to stored name.
    #[allow(clippy::type_complexity)] // it is the signature in `_core.pyi`
    fn tensors(
        &self,
        py: Python<'_>,
        file: &str,
    ) -> PyResult<(Vec<(String, String, Vec<u64>)>, BTreeMap<String, String>)> {
        released(py, || {
            let reader = self.checkpoint.tensors(file)?;
            let rows = reader.tensors().iter();
            let rows = rows
                .map(|info| (info.name.clone(), info.dtype.to_string(), info.shape.clone()))
                .collect();
            Ok::<_, Error>((rows, reader.tied().clone()))
        })
    }

    /// Reads the named tensors of `file` into buffers of their size.
    fn read_into(
        &self,
        py: Python<'_>,
        file: &str,
        destinations: Vec<(String, PyBuffer<u8>)>,
    ) -> PyResult<()> {
        for (name, buffer) in &destinations {
            check_contiguous(name, buffer)?;
            if buffer.readonly() {
                return Err(PyBufferError::new_err(format!(
                    "the destination of `{name}` is read-only"
                )));
            }
        }
        released(py, || {
            let reader = self.checkpoint.tensors(file)?;
            reader.read_into(
                destinations
                    .iter()
                    .map(|(name, buffer)| (name.as_str(), borrow_mut(buffer)))
                    .collect(),
            )
        })
    }

    /// The bytes of the file `name`.
    fn read_file<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, pyo3::types::PyBytes>> {
        let bytes = released(py, || self.checkpoint.read_file(name))?;
        Ok(pyo3::types::PyBytes::new(py, &bytes))
    }
}

#[allow(unsafe_code, clippy::mut_from_ref)] // as above; the exporter owns the memory, `buffer` is only the claim to it
fn borrow_mut(buffer: &PyBuffer<u8>) -> &mut [u8] {
    if buffer.len_bytes() == 0 {
        return &mut [];
    }
    // SAFETY: the buffer is contiguous and writable (checked by the caller) and stays exported while `buffer` lives, so its
    // memory is neither moved nor freed; the destinations are tensors that `load` has just
    // made, one each, and has shown to nobody else.
    unsafe { std::slice::from_raw_parts_mut(buffer.buf_ptr().cast(), buffer.len_bytes()) }
}

fn summary(checkpoint: &Checkpoint) -> Summary {
    let held_out = checkpoint
        .metrics()
        .get(codex_checkpoint::HELD_OUT_METRIC)
        .copied();
    (
        checkpoint.path().to_owned(),
        checkpoint.step(),
        checkpoint.bytes(),
        checkpoint.tensor_count(),
        held_out,
    )
}
