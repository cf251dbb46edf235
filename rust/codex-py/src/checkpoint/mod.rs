//! Checkpoints for Python: buffers in, proved buffers out, the interpreter released while the disk works.

mod background;
mod memory;
mod read;
mod save;

use std::path::PathBuf;

use codex_checkpoint::Error;
use pyo3::prelude::*;

/// Path and reason.
type Skipped = Vec<(PathBuf, String)>;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    read::register(module)?;
    save::register(module)?;
    background::register(module)
}

fn reasons(skipped: Vec<(PathBuf, Error)>) -> Skipped {
    skipped
        .into_iter()
        .map(|(path, error)| (path, error.to_string()))
        .collect()
}
