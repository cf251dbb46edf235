//! Checkpoints for Python: buffers in, proved buffers out, the interpreter released while the disk works.

#![allow(clippy::needless_pass_by_value)] // PyO3 hands arguments over by value

use std::collections::BTreeMap;
use std::path::PathBuf;

use codex_checkpoint::{Checkpoint, Contents, Dtype, Error, Tensor, TensorFile};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::errors::released;

/// Path, step, bytes, tensors, held-out metric.
type Summary = (PathBuf, u64, u64, usize, Option<f64>);

/// Path and reason.
type Skipped = Vec<(PathBuf, String)>;

/// Name, dtype, shape, bytes.
type Row = (String, String, Vec<u64>, PyBuffer<u8>);

/// File name, its tensors, alias to stored name.
type Rows = (String, Vec<Row>, BTreeMap<String, String>);

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<CheckpointReader>()?;
    module.add_function(wrap_pyfunction!(checkpoint_save, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_verify, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_list, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_find_latest, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_rotate, module)?)
}

#[pyfunction]
fn checkpoint_save(
    py: Python<'_>,
    checkpoints: PathBuf,
    step: u64,
    tensor_files: Vec<Rows>,
    files: Vec<(String, PyBackedBytes)>,
    parents: Vec<String>,
) -> PyResult<PathBuf> {
    for (_, rows, _) in &tensor_files {
        for (name, _, _, buffer) in rows {
            check_contiguous(name, buffer)?;
        }
    }
    released(py, || {
        let contents = Contents {
            step,
            tensor_files: tensor_files.iter().map(borrow_file).collect::<Result<_, _>>()?,
            files: files
                .iter()
                .map(|(name, bytes)| (name.clone(), &**bytes))
                .collect(),
            parents: parents
                .iter()
                .map(|text| text.parse())
                .collect::<Result<_, _>>()?,
        };
        codex_checkpoint::save(&checkpoints, &contents)
    })
}

fn borrow_file((path, rows, tied): &Rows) -> Result<TensorFile<'_>, Error> {
    let tensors = rows
        .iter()
        .map(|(name, dtype, shape, buffer)| {
            Ok(Tensor {
                name: name.clone(),
                dtype: dtype.parse::<Dtype>()?,
                shape: shape.clone(),
                data: borrow(buffer),
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(TensorFile {
        path: path.clone(),
        tensors,
        tied: tied.clone(),
    })
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

#[pyfunction]
fn checkpoint_rotate(
    py: Python<'_>,
    checkpoints: PathBuf,
    keep_last: usize,
    keep_best: usize,
) -> PyResult<(Vec<PathBuf>, Skipped)> {
    let rotation = released(py, || {
        codex_checkpoint::rotate(&checkpoints, keep_last, keep_best)
    })?;
    Ok((rotation.removed, reasons(rotation.skipped)))
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

fn check_contiguous(name: &str, buffer: &PyBuffer<u8>) -> PyResult<()> {
    if buffer.is_c_contiguous() {
        return Ok(());
    }
    Err(PyBufferError::new_err(format!(
        "the buffer of `{name}` is not contiguous"
    )))
}

#[allow(unsafe_code)] // a buffer crosses as a pointer and a length
fn borrow(buffer: &PyBuffer<u8>) -> &[u8] {
    if buffer.len_bytes() == 0 {
        return &[];
    }
    // SAFETY: the buffer is contiguous (checked above) and stays exported while `buffer` lives, so its memory is neither
    // moved nor freed; `save` documents that the caller must not write to it meanwhile.
    unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast(), buffer.len_bytes()) }
}

#[allow(unsafe_code, clippy::mut_from_ref)] // as above; the exporter owns the memory, `buffer` is only the claim to it
fn borrow_mut(buffer: &PyBuffer<u8>) -> &mut [u8] {
    if buffer.len_bytes() == 0 {
        return &mut [];
    }
    // SAFETY: as in `borrow`, and writable (checked by the caller); the destinations are tensors that `load` has just
    // made, one each, and has shown to nobody else.
    unsafe { std::slice::from_raw_parts_mut(buffer.buf_ptr().cast(), buffer.len_bytes()) }
}

fn summary(checkpoint: &Checkpoint) -> Summary {
    let held_out = checkpoint.held_out();
    (
        checkpoint.path().to_owned(),
        checkpoint.step(),
        checkpoint.bytes(),
        checkpoint.tensor_count(),
        held_out,
    )
}

fn reasons(skipped: Vec<(PathBuf, Error)>) -> Skipped {
    skipped
        .into_iter()
        .map(|(path, error)| (path, error.to_string()))
        .collect()
}
