//! Files for Python: durable writes, digests, manifests, free space; `handles` has what stays open.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

mod handles;

use std::collections::BTreeMap;
use std::path::PathBuf;

use codex_file::digest::{self, Algorithm};
use codex_file::safetensors::{self, TensorInfo};
use codex_file::{Error, durable, json, manifest, space, stream};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyMemoryView};
use serde_json::Value;

pub(crate) use handles::PartialFile;

use crate::errors::released;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<handles::Lock>()?;
    module.add_class::<handles::AppendLog>()?;
    module.add_class::<handles::PartialFolder>()?;
    module.add_class::<handles::PartialFile>()?;
    module.add_class::<handles::FailPoints>()?;
    module.add_function(wrap_pyfunction!(write_atomic, module)?)?;
    module.add_function(wrap_pyfunction!(create_folder, module)?)?;
    module.add_function(wrap_pyfunction!(sweep_partial, module)?)?;
    module.add_function(wrap_pyfunction!(digest_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(digest_file, module)?)?;
    module.add_function(wrap_pyfunction!(canonical_json, module)?)?;
    module.add_function(wrap_pyfunction!(seal_manifest, module)?)?;
    module.add_function(wrap_pyfunction!(read_manifest, module)?)?;
    module.add_function(wrap_pyfunction!(verify_folder, module)?)?;
    module.add_function(wrap_pyfunction!(list_files, module)?)?;
    module.add_function(wrap_pyfunction!(read_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(read_digested, module)?)?;
    module.add_function(wrap_pyfunction!(safetensors_header, module)?)?;
    module.add_function(wrap_pyfunction!(safetensors_layout, module)?)?;
    module.add_function(wrap_pyfunction!(free_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(require_space, module)?)
}

#[pyfunction]
fn write_atomic(py: Python<'_>, path: PathBuf, data: Data, durable: bool) -> PyResult<()> {
    released(py, || {
        if durable {
            durable::write_atomic(&path, &data)
        } else {
            durable::write_atomic_unsynced(&path, &data)
        }
    })
}

/// Make the folder, and those above it that are missing, each durable in the one above.
#[pyfunction]
fn create_folder(py: Python<'_>, path: PathBuf) -> PyResult<()> {
    released(py, || durable::create_folder(&path))
}

/// Remove what dead processes left unfinished in `parent`; returns what was removed.
#[pyfunction]
fn sweep_partial(py: Python<'_>, parent: PathBuf) -> PyResult<Vec<PathBuf>> {
    released(py, || durable::sweep_partial(&parent))
}

#[pyfunction]
fn digest_bytes(py: Python<'_>, data: Data, algorithm: &str) -> PyResult<String> {
    released(py, || {
        Ok::<_, Error>(digest::digest_bytes(algorithm.parse()?, &data).to_string())
    })
}

#[pyfunction]
fn digest_file(py: Python<'_>, path: PathBuf, algorithm: &str) -> PyResult<(u64, String)> {
    released(py, || {
        let (bytes, digest) = digest::digest_file(algorithm.parse()?, &path)?;
        Ok::<_, Error>((bytes, digest.to_string()))
    })
}

/// JSON text to its canonical form.
#[pyfunction]
fn canonical_json(py: Python<'_>, text: Text) -> PyResult<Bound<'_, PyBytes>> {
    released(py, || manifest::canonical(&json::parse(text.bytes())?)).map(|bytes| PyBytes::new(py, &bytes))
}

#[pyfunction]
fn seal_manifest(py: Python<'_>, text: Text) -> PyResult<Bound<'_, PyBytes>> {
    released(py, || manifest::seal(json::parse(text.bytes())?)).map(|bytes| PyBytes::new(py, &bytes))
}

/// The manifest at `path` as JSON text, checked, and of `kind` if that is given.
#[pyfunction]
#[pyo3(signature = (path, kind=None, schema_version=None))]
fn read_manifest(
    py: Python<'_>,
    path: PathBuf,
    kind: Option<&str>,
    schema_version: Option<u64>,
) -> PyResult<String> {
    released(py, || {
        let value = manifest::open(&path)?;
        if let (Some(kind), Some(newest)) = (kind, schema_version) {
            manifest::require_schema(&value, kind, newest, &path)?;
        }
        Ok::<_, Error>(value.to_string())
    })
}

/// The manifest of `folder` as JSON text, once every file in the folder has been held against it.
#[pyfunction]
fn verify_folder(py: Python<'_>, folder: PathBuf) -> PyResult<String> {
    released(py, || {
        let value = manifest::open(&folder.join(manifest::MANIFEST_FILE))?;
        manifest::verify_files(&folder, &value)?;
        Ok::<_, Error>(value.to_string())
    })
}

/// The `files` of a manifest for `folder`, as JSON text.
#[pyfunction]
fn list_files(py: Python<'_>, folder: PathBuf, algorithm: &str) -> PyResult<String> {
    released(py, || {
        let files = manifest::list_files(&folder, algorithm.parse::<Algorithm>()?)?;
        Ok::<_, Error>(entries_json(&files))
    })
}

#[pyfunction]
fn read_bytes(py: Python<'_>, path: PathBuf, limit_bytes: u64) -> PyResult<Bound<'_, PyBytes>> {
    released(py, || stream::read_all(&path, limit_bytes)).map(|bytes| PyBytes::new(py, &bytes))
}

#[pyfunction]
fn read_digested(py: Python<'_>, path: PathBuf, limit_bytes: u64) -> PyResult<(Bound<'_, PyBytes>, String)> {
    let (bytes, digest) = released(py, || stream::read_all_digested(&path, limit_bytes))?;
    Ok((PyBytes::new(py, &bytes), digest.to_string()))
}

/// Name, dtype, shape, first byte and the byte after the last, counted from the end of the header.
type Tensor = (String, String, Vec<u64>, u64, u64);

fn tensors(layout: Vec<TensorInfo>) -> Vec<Tensor> {
    let tensor = |info: TensorInfo| {
        (
            info.name,
            info.dtype.to_string(),
            info.shape,
            info.start,
            info.end,
        )
    };
    layout.into_iter().map(tensor).collect()
}

#[pyfunction]
fn safetensors_header(
    py: Python<'_>,
    tensors: Vec<(String, String, Vec<u64>)>,
    metadata: BTreeMap<String, String>,
) -> PyResult<(Bound<'_, PyBytes>, Vec<Tensor>)> {
    let (header, layout) = released(py, || {
        let typed: Result<Vec<_>, Error> = tensors
            .into_iter()
            .map(|(name, dtype, shape)| Ok((name, dtype.parse()?, shape)))
            .collect();
        safetensors::header(&typed?, &metadata)
    })?;
    Ok((PyBytes::new(py, &header), self::tensors(layout)))
}

/// The tensors, the notes, and how many bytes come before the first tensor.
#[pyfunction]
fn safetensors_layout(
    py: Python<'_>,
    path: PathBuf,
) -> PyResult<(Vec<Tensor>, BTreeMap<String, String>, usize)> {
    let file = released(py, || safetensors::read_header(&path))?;
    Ok((tensors(file.tensors), file.metadata, file.data_start))
}

/// How many bytes may still be written where `path` is or would be.
#[pyfunction]
fn free_bytes(py: Python<'_>, path: PathBuf) -> PyResult<u64> {
    released(py, || space::free_bytes(&path))
}

/// Raise `DiskFullError` if fewer than `bytes` are free where `path` is or would be.
#[pyfunction]
fn require_space(py: Python<'_>, path: PathBuf, bytes: u64) -> PyResult<()> {
    released(py, || space::require(&path, bytes))
}

/// The `files` of a manifest as JSON text.
fn entries_json(files: &[manifest::FileEntry]) -> String {
    Value::Array(files.iter().map(manifest::FileEntry::to_value).collect()).to_string()
}

/// JSON text as `str` or `bytes`.
#[derive(FromPyObject)]
enum Text {
    Str(String),
    Bytes(PyBackedBytes),
}

impl Text {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Str(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The bytes of anything that has some, copied once unless they are `bytes`.
struct Data(PyBackedBytes);

impl<'py> FromPyObject<'_, 'py> for Data {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.extract() {
            return Ok(Self(bytes));
        }
        let view = PyMemoryView::from(&object)?;
        Ok(Self(view.call_method0("tobytes")?.extract()?))
    }
}

impl std::ops::Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
