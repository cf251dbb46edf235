//! Saving and rotating: the tensors are read where they lie, without the lock of the interpreter.

#![allow(clippy::needless_pass_by_value)] // PyO3 hands arguments over by value

use std::collections::BTreeMap;
use std::path::PathBuf;

use codex_checkpoint::{Contents, Dtype, Error, Format, Retention, Tensor, TensorFile};
use codex_file::digest::Algorithm;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::memory::{Lent, borrow_mut, check_apart, check_destinations};
use super::{Skipped, reasons};
use crate::errors::released;

/// Name, dtype, shape, bytes.
type Row = (String, String, Vec<u64>, PyBuffer<u8>);

/// File name, its tensors, alias to stored name, notes for the header.
type Rows = (
    String,
    Vec<Row>,
    BTreeMap<String, String>,
    BTreeMap<String, String>,
);

/// Step, tensor files, other files, parents, digest, bytes of a shard.
pub(super) type Save = (
    u64,
    Vec<Rows>,
    Vec<(String, PyBuffer<u8>)>,
    Vec<String>,
    String,
    u64,
);

/// Newest to keep, multiples to keep, best to keep, by which metric, whether high is good, paths to keep.
pub(super) type Keep = (usize, Option<u64>, usize, String, bool, Vec<PathBuf>);

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(checkpoint_save, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_save_folder, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_rotate, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint_copy, module)?)
}

#[pyfunction]
fn checkpoint_save(py: Python<'_>, checkpoints: PathBuf, save: Save) -> PyResult<PathBuf> {
    let contents = contents(py, save)?;
    released(py, || codex_checkpoint::save(&checkpoints, &contents))
}

/// Saves as `folder` itself; the bytes of its manifest.
#[pyfunction]
fn checkpoint_save_folder(
    py: Python<'_>,
    folder: PathBuf,
    save: Save,
    overwrite: bool,
) -> PyResult<Py<PyBytes>> {
    let contents = contents(py, save)?;
    let manifest = released(py, || {
        codex_checkpoint::save_folder(&folder, &contents, overwrite)
    })?;
    Ok(PyBytes::new(py, &manifest).unbind())
}

#[pyfunction]
fn checkpoint_rotate(
    py: Python<'_>,
    checkpoints: PathBuf,
    keep: Keep,
    dry_run: bool,
) -> PyResult<(Vec<PathBuf>, Skipped)> {
    let rotate = if dry_run {
        codex_checkpoint::plan_rotation
    } else {
        codex_checkpoint::rotate
    };
    let rotation = released(py, || rotate(&checkpoints, &retention(keep)))?;
    Ok((rotation.removed, reasons(rotation.skipped)))
}

/// Copies each source into the place beside it, of its size; all contiguous and apart from each other.
#[pyfunction]
fn checkpoint_copy(py: Python<'_>, places: Vec<PyBuffer<u8>>, sources: Vec<PyBuffer<u8>>) -> PyResult<()> {
    let named = |buffers| std::iter::zip(std::iter::repeat("a copy"), buffers);
    check_destinations(named(&places))?;
    check_apart(named(&places).chain(named(&sources)))?;
    let sources: Vec<Lent> = sources
        .into_iter()
        .map(|source| Lent::new("a source", source))
        .collect::<PyResult<_>>()?;
    let pairs: Vec<_> = places
        .iter()
        .map(borrow_mut)
        .zip(sources.iter().map(Lent::as_ref))
        .collect();
    if places.len() != sources.len() || pairs.iter().any(|(place, source)| place.len() != source.len()) {
        return Err(PyBufferError::new_err("a place has another size than its source"));
    }
    py.detach(|| codex_checkpoint::copy_all(pairs));
    Ok(())
}

/// What Python handed over, as the crate has it.
pub(super) fn contents(py: Python<'_>, save: Save) -> PyResult<Contents<Lent>> {
    let (step, tensor_files, files, parents, digest, shard_bytes) = save;
    let lent = |name: &str, buffer| Lent::new(name, buffer);
    let raised = |error: Error| crate::errors::raised(py, &error);
    let tensor = |(name, dtype, shape, buffer): Row| {
        let data = lent(&name, buffer)?;
        let dtype = dtype.parse::<Dtype>().map_err(raised)?;
        Ok(Tensor::new(name, dtype, shape, data))
    };
    let tensor_file = |(path, rows, tied, metadata): Rows| {
        let tensors = rows.into_iter().map(tensor).collect::<PyResult<_>>()?;
        let mut file = TensorFile::new(path, tensors);
        file.tied = tied;
        file.metadata.extend(metadata);
        Ok(file)
    };
    Ok(Contents {
        step,
        tensor_files: tensor_files
            .into_iter()
            .map(tensor_file)
            .collect::<PyResult<_>>()?,
        files: files
            .into_iter()
            .map(|(name, buffer)| Ok((name.clone(), lent(&name, buffer)?)))
            .collect::<PyResult<_>>()?,
        parents: parents
            .iter()
            .map(|text| text.parse().map_err(raised))
            .collect::<PyResult<_>>()?,
        format: Format {
            digest: algorithm(&digest).map_err(raised)?,
            shard_bytes,
        },
    })
}

/// The digest by the word that `checkpoint.digest` has for it.
fn algorithm(name: &str) -> Result<Algorithm, Error> {
    match name {
        "xxh3" => Ok(Algorithm::Xxh3),
        "sha256" => Ok(Algorithm::Sha256),
        _ => Err(Error::usage(format!(
            "`digest` is `{name}`, expected `xxh3` or `sha256`"
        ))),
    }
}

pub(super) fn retention(
    (keep_last, keep_every_steps, keep_best, metric, highest, protect): Keep,
) -> Retention {
    Retention {
        keep_last,
        keep_every_steps,
        keep_best,
        metric,
        highest,
        protect,
    }
}
