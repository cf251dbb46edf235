//! The thread behind `Checkpointer`: buffers go in, are written without the interpreter, and come back to be released.

#![allow(clippy::needless_pass_by_value)] // PyO3 hands arguments over by value

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use codex_checkpoint::{Background, Error, Finished};
use pyo3::prelude::*;

use super::memory::Lent;
use super::save::{Keep, Save, contents, retention};
use super::{Skipped, reasons};
use crate::errors::{raised, released};

/// Step, path if it is saved, what was removed and passed over, the exception if something failed.
type Answer = (u64, Option<PathBuf>, Vec<PathBuf>, Skipped, Option<Py<PyAny>>);

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<CheckpointWriter>()
}

/// Saves into one folder of checkpoints on a thread of its own.
#[pyclass(frozen, module = "codex._core")]
struct CheckpointWriter(Mutex<Background<Lent>>);

#[pymethods]
impl CheckpointWriter {
    #[new]
    fn new(py: Python<'_>, checkpoints: PathBuf) -> PyResult<Self> {
        let background = released(py, || Background::start(checkpoints))?;
        Ok(Self(Mutex::new(background)))
    }

    /// Hands one save over; its buffers must stay as they are until it is among the finished.
    fn submit(&self, py: Python<'_>, save: Save, keep: Keep) -> PyResult<()> {
        let contents = contents(py, save)?;
        released(py, || self.background().submit(contents, retention(keep)))
    }

    /// The saves that are done by now, oldest first; waits until at most `in_flight` are not.
    fn finished(&self, py: Python<'_>, in_flight: usize) -> PyResult<Vec<Answer>> {
        let finished = released(py, || self.background().finished(in_flight))?;
        Ok(finished
            .into_iter()
            .map(|finished| answer(py, finished))
            .collect())
    }
}

impl CheckpointWriter {
    fn background(&self) -> std::sync::MutexGuard<'_, Background<Lent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(py: Python<'_>, finished: Finished<Lent>) -> Answer {
    let step = finished.contents.step;
    let failed = |error: Error| Some(raised(py, &error).into_value(py).into_any());
    match (finished.saved, finished.rotated) {
        (Err(error), _) => (step, None, vec![], vec![], failed(error)),
        (Ok(path), Err(error)) => (step, Some(path), vec![], vec![], failed(error)),
        (Ok(path), Ok(rotation)) => (
            step,
            Some(path),
            rotation.removed,
            reasons(rotation.skipped),
            None,
        ),
    }
}
