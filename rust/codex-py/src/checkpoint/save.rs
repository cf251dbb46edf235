//! Saving and rotating: the tensors are read where they lie, without the lock of the interpreter.

#![allow(clippy::needless_pass_by_value)] // PyO3 hands arguments over by value

use std::collections::BTreeMap;
use std::path::PathBuf;

use codex_checkpoint::{Contents, Dtype, Error, Tensor, TensorFile};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::{Skipped, check_contiguous, reasons};
use crate::errors::released;

/// Name, dtype, shape, bytes.
type Row = (String, String, Vec<u64>, PyBuffer<u8>);

/// File name, its tensors, alias to stored name.
type Rows = (String, Vec<Row>, BTreeMap<String, String>);

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(checkpoint_save, module)?)?;
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

#[allow(unsafe_code)] // a buffer crosses as a pointer and a length
fn borrow(buffer: &PyBuffer<u8>) -> &[u8] {
    if buffer.len_bytes() == 0 {
        return &[];
    }
    // SAFETY: the buffer is contiguous (checked above) and stays exported while `buffer` lives, so its memory is neither
    // moved nor freed; `save` documents that the caller must not write to it meanwhile.
    unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast(), buffer.len_bytes()) }
}
