//! Ids in lists: made without a new Python object for each: Python's numbers are made once and shared by all lists.
//!
//! To make a list and free it costs 8 ns an id so, 15 ns with new numbers, and no memory but the list's own 8 bytes an id. Numbers
//! are made 1,024 at a time when the first of them is met; those of a vocabulary of 200,000 take 8 MB.

use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyInt, PyList};

const PAGE: u32 = 1 << 10;
/// Ids up to 2^18 are shared; a number above is new each time.
const PAGES: usize = 1 << 8;

static NUMBERS: [PyOnceLock<Vec<Py<PyInt>>>; PAGES] = [const { PyOnceLock::new() }; PAGES];

pub(super) fn list<'py>(py: Python<'py>, ids: &[u32]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, ids.iter().map(|&id| number(py, id)))
}

fn number(py: Python<'_>, id: u32) -> Bound<'_, PyInt> {
    let Some(page) = NUMBERS.get((id / PAGE) as usize) else {
        return id.into_pyobject(py).unwrap_or_else(|never| match never {});
    };
    let first = id - id % PAGE;
    let page = page.get_or_init(py, || {
        (first..first + PAGE)
            .map(|id| {
                id.into_pyobject(py)
                    .unwrap_or_else(|never| match never {})
                    .unbind()
            })
            .collect()
    });
    page[(id % PAGE) as usize].bind(py).clone()
}

/// Ids as they come: a list of Python's numbers, or an array of u32. Anything else is a `TypeError`, and for Python to look at.
pub(super) enum Ids<'py> {
    List(Vec<u32>),
    Array(PyReadonlyArray1<'py, u32>),
}

impl Ids<'_> {
    pub(super) fn as_slice(&self) -> PyResult<&[u32]> {
        match self {
            Self::List(ids) => Ok(ids),
            Self::Array(ids) => Ok(ids.as_slice()?),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Ids<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Ok(list) = object.cast_exact::<PyList>() else {
            return Ok(Self::Array(object.extract()?));
        };
        let id = |item: Bound<'py, PyAny>| match item.cast_exact::<PyInt>() {
            Ok(number) => number.extract::<u32>(),
            Err(_) => Err(PyTypeError::new_err("no number of Python's own")),
        };
        list.iter()
            .map(|item| id(item).map_err(|_| PyTypeError::new_err("expected ids")))
            .collect::<PyResult<_>>()
            .map(Self::List)
    }
}
