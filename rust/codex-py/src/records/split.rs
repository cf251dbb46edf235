//! The split of a file of records for Python: bytes of each side, as they go into its file.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread::available_parallelism;

use codex_records::{Error, NearDuplicates, Part, Quality, Split};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyBytes;

use crate::errors::{raised, released};

const SHINGLE_WORDS: usize = 5;

/// Which record of a file goes to which side; see `codex.data.split`.
#[pyclass(frozen, module = "codex._core")]
pub(super) struct RecordSplit(Split);

#[pymethods]
impl RecordSplit {
    /// Decides; near duplicates from the similarity `near` on are kept in `folder` meanwhile.
    #[new]
    #[allow(clippy::needless_pass_by_value)]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        validation: f64,
        test: f64,
        near: Option<f64>,
        folder: PathBuf,
    ) -> PyResult<Self> {
        released(py, || {
            let near = near
                .map(|threshold| NearDuplicates::in_folder(threshold, SHINGLE_WORDS, &folder))
                .transpose()?;
            Split::plan(&path, validation, test, near, threads()).map(Self)
        })
    }

    /// Instead, the first of every group of near duplicates to side 0, and the others to side 1.
    #[staticmethod]
    #[allow(clippy::needless_pass_by_value)]
    fn of_firsts(py: Python<'_>, path: PathBuf, near: f64, folder: PathBuf) -> PyResult<Self> {
        released(py, || {
            let near = NearDuplicates::in_folder(near, SHINGLE_WORDS, &folder)?;
            Split::of_firsts(&path, near, threads()).map(Self)
        })
    }

    /// How many groups of near duplicates there are, and how many records are in one.
    #[getter]
    fn groups(&self) -> (usize, usize) {
        self.0.groups
    }

    /// Calls `write` with the number of a side and some of its lines; for each side the records and the bytes of their texts.
    #[allow(clippy::needless_pass_by_value)]
    fn divide(&self, py: Python<'_>, write: Py<PyAny>) -> PyResult<[(usize, usize); 3]> {
        let counts = Mutex::new([(0, 0); 3]);
        let refused = Mutex::new(None);
        let each = |parts: &[Part; 3]| {
            for (side, part) in parts.iter().enumerate().filter(|(_, part)| part.records > 0) {
                let count = &mut super::locked(&counts)[side];
                *count = (count.0 + part.records, count.1 + part.text_bytes);
                let written =
                    Python::attach(|py| write.call1(py, (side, PyBytes::new(py, &part.lines))).map(drop));
                if let Err(error) = written {
                    *super::locked(&refused) = Some(error);
                    return Err(Error::from(codex_file::Error::machine("it was not written")));
                }
            }
            Ok(())
        };
        let divided = py.detach(|| self.0.divide(each));
        match super::locked(&refused).take() {
            Some(error) => Err(error),
            None => divided
                .map(|()| *super::locked(&counts))
                .map_err(|error| raised(py, &error)),
        }
    }
}

fn threads() -> NonZero<usize> {
    available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// What a text is like, in numbers that rules of quality are written in; see `codex.data.filters`.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub(super) fn text_quality(py: Python<'_>, text: PyBackedStr) -> [usize; 11] {
    let found = py.detach(|| Quality::of(&text));
    [
        found.characters,
        found.words,
        found.word_characters,
        found.words_with_letter,
        found.symbols,
        found.lines,
        found.bullet_lines,
        found.ellipsis_lines,
        found.repeated_lines,
        found.line_characters,
        found.repeated_characters,
    ]
}

/// Runs of words in one file of records: how many were looked at, and how many of them stand in another.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub(super) fn records_overlap(py: Python<'_>, one: PathBuf, other: PathBuf) -> PyResult<(usize, usize)> {
    released(py, || {
        codex_records::overlap(&one, &other).map(|found| (found.looked_at, found.shared))
    })
}
