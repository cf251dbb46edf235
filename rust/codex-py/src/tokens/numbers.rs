//! Ids in lists. Python's numbers for those that are met most are made once and shared by all lists.
//!
//! That is so for the first 8,192 ids, which in a learnt vocabulary are the frequent ones: their numbers stay near the processor, where to
//! count one up costs half of making it. Those of 200,000 ids lie anywhere in 8 MB, and to fetch one from there costs more: sharing all of
//! them, a call for 200 bytes of English took 9.3 us where it takes 8.0. Numbers are made 1,024 at a time when the first of them is met.

use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyInt, PyList};

const PAGE: u32 = 1 << 10;
/// Ids up to 2^13 are shared; a number above is new each time.
const PAGES: usize = 1 << 3;

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
        let ids: Option<Vec<u32>> = (0..list.len()).map(|at| id_at(list, at)).collect();
        ids.map(Self::List)
            .ok_or_else(|| PyTypeError::new_err("expected ids"))
    }
}

/// The id at `at`, if there stands a number of Python's own that can be one. Nothing is counted up and down for it.
fn id_at(list: Borrowed<'_, '_, PyList>, at: usize) -> Option<u32> {
    let at = ffi::Py_ssize_t::try_from(at).ok()?;
    // SAFETY: the interpreter is held and `list` is a list, so the item is alive, or null behind the end, with an error that is
    // taken back; to read a number that is exactly Python's own runs no code that could change the list.
    #[expect(
        unsafe_code,
        reason = "an item is looked at, not owned: half the time of a list"
    )]
    let number = unsafe {
        let item = ffi::PyList_GetItem(list.as_ptr(), at);
        if item.is_null() || ffi::PyLong_CheckExact(item) == 0 {
            ffi::PyErr_Clear();
            return None;
        }
        let number = ffi::PyLong_AsLongLong(item);
        if number == -1 {
            ffi::PyErr_Clear(); // -1 itself, or too large
        }
        number
    };
    u32::try_from(number).ok()
}
