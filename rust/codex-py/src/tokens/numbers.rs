//! Ids in lists: made without a new Python object for each: Python's numbers are made once and shared by all lists.
//!
//! To make a list and free it costs 8 ns an id so, 15 ns with new numbers, and no memory but the list's own 8 bytes an id. Numbers
//! are made 1,024 at a time when the first of them is met; those of a vocabulary of 200,000 take 8 MB.

use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyInt, PyList};

const PAGE: u32 = 1 << 10;
/// Ids up to 2^18 are shared; a number above is new each time.
const PAGES: usize = 1 << 8;

/// So many ids before a number is counted up its memory is asked for.
const AHEAD: usize = 12;

static NUMBERS: [PyOnceLock<Vec<Py<PyInt>>>; PAGES] = [const { PyOnceLock::new() }; PAGES];

pub(super) fn list<'py>(py: Python<'py>, ids: &[u32]) -> PyResult<Bound<'py, PyList>> {
    let numbers = ids.iter().enumerate().map(|(at, &id)| {
        if let Some(&later) = ids.get(at + AHEAD) {
            prefetch(py, later);
        }
        number(py, id)
    });
    PyList::new(py, numbers)
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

/// Asks the processor for the number of `id`, which lies anywhere in memory.
#[inline]
fn prefetch(py: Python<'_>, id: u32) {
    #[cfg(target_arch = "x86_64")]
    if let Some(page) = NUMBERS.get((id / PAGE) as usize).and_then(|page| page.get(py)) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let number = page[(id % PAGE) as usize].as_ptr();
        // SAFETY: a prefetch reads nothing; the address is that of a live object.
        #[expect(unsafe_code, reason = "there is no safe prefetch")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(number.cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (py, id);
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
