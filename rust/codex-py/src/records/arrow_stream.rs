//! The Arrow C stream interface: the batches of a file one after the other, each without a copy.
//!
//! See <https://arrow.apache.org/docs/format/CStreamInterface.html>. The consumer asks from any thread; each batch is asked of the
//! Python iterator that the caller has, so that bad lines go where they always go.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use pyo3::prelude::*;
use pyo3::types::PyIterator;

use super::arrow::{ArrowArray, ArrowSchema, RecordBatch, capsule, format_of, record_array, schema};

const STREAM: &CStr = c"arrow_array_stream";
/// What a call answers that failed, as the interface takes it from `errno`.
const FAILED: c_int = 5;

#[repr(C)]
struct ArrowArrayStream {
    get_schema: unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int,
    get_next: unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int,
    get_last_error: unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char,
    release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    private_data: *mut c_void,
}

/// What a stream points to.
struct Parts {
    batches: Py<PyIterator>,
    columns: Vec<(String, &'static CStr)>,
    error: CString,
}

/// The capsule of a stream of what `batches` gives, whose `columns` are names and `str`, `int`, `float`, `bool` or `json`.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub(super) fn arrow_stream<'py>(
    batches: &Bound<'py, PyIterator>,
    columns: Vec<(String, String)>,
) -> PyResult<Bound<'py, PyAny>> {
    let columns = columns.into_iter().map(|(name, kind)| (name, format_of(&kind)));
    let parts = Parts {
        batches: batches.clone().unbind(),
        columns: columns.collect(),
        error: CString::default(),
    };
    let stream = Box::new(ArrowArrayStream {
        get_schema,
        get_next,
        get_last_error,
        release: Some(release),
        private_data: Box::into_raw(Box::new(parts)).cast(),
    });
    capsule(batches.py(), Box::into_raw(stream), STREAM, drop_stream)
}

/// # Safety
/// As the interface says: `stream` is one of ours that has not been released, `answer` room for a schema.
#[allow(unsafe_code)] // called by whoever took the stream
unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, answer: *mut ArrowSchema) -> c_int {
    // SAFETY: the caller's promise; what was boxed is moved to where the consumer wants it.
    unsafe {
        let parts = &*(*stream).private_data.cast::<Parts>();
        let columns = parts.columns.iter();
        let children = columns
            .map(|(name, format)| schema(format, name, Vec::new()))
            .collect();
        answer.write(*Box::from_raw(schema(c"+s", "", children)));
    }
    0
}

/// # Safety
/// As [`get_schema`], `answer` being room for an array.
#[allow(unsafe_code)]
unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, answer: *mut ArrowArray) -> c_int {
    // SAFETY: the caller's promise.
    let parts = unsafe { &mut *(*stream).private_data.cast::<Parts>() };
    let next = Python::attach(|py| {
        let batch = parts.batches.bind(py).clone().next().transpose()?;
        let batch = batch.map(Bound::cast_into::<RecordBatch>).transpose()?;
        Ok::<_, PyErr>(batch.map(|batch| record_array(&batch.get().0)))
    });
    match next {
        // SAFETY: there is room; what was boxed is moved there.
        Ok(Some(array)) => unsafe { answer.write(*Box::from_raw(array)) },
        // SAFETY: there is room; an array of zeros is one that has been released, which says the end.
        Ok(None) => unsafe { ptr::write_bytes(answer, 0, 1) },
        Err(error) => {
            parts.error = CString::new(error.to_string().replace('\0', "\u{fffd}")).unwrap_or_default();
            return FAILED;
        }
    }
    0
}

/// # Safety
/// As [`get_schema`].
#[allow(unsafe_code)]
unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: the caller's promise; the text lives until the next call, as the interface says.
    unsafe { (*(*stream).private_data.cast::<Parts>()).error.as_ptr() }
}

/// # Safety
/// As [`get_schema`].
#[allow(unsafe_code)]
unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    // SAFETY: the caller's promise; the parts were made by `Box::into_raw` and are freed once, here.
    unsafe {
        drop(Box::from_raw((*stream).private_data.cast::<Parts>()));
        (*stream).release = None;
    }
}

/// Releases a stream that nobody took, and frees the structure.
///
/// # Safety
/// Called by the interpreter for capsules of [`arrow_stream`] alone.
#[allow(unsafe_code)]
unsafe extern "C" fn drop_stream(capsule: *mut pyo3::ffi::PyObject) {
    // SAFETY: the capsule was made with this name and a pointer from `Box::into_raw`.
    unsafe {
        let stream = pyo3::ffi::PyCapsule_GetPointer(capsule, STREAM.as_ptr()).cast::<ArrowArrayStream>();
        if let Some(release) = (*stream).release {
            release(stream);
        }
        drop(Box::from_raw(stream));
    }
}
