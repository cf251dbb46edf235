//! The Arrow C data interface: columns of a batch for pyarrow, polars and whoever else takes them, without a copy.
//!
//! The structures are those of <https://arrow.apache.org/docs/format/CDataInterface.html>; what they point to lives until the
//! consumer calls `release`, however long the batch itself lives.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::Arc;

use codex_records::{Column, Take, Values};
use pyo3::exceptions::PyKeyError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyString, PyTuple};

use super::lines::Lent;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const IS_NULLABLE: i64 = 2;

#[repr(C)]
pub(super) struct ArrowSchema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut ArrowSchema,
    dictionary: *mut ArrowSchema,
    release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    private_data: *mut c_void,
}

#[repr(C)]
pub(super) struct ArrowArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut ArrowArray,
    dictionary: *mut ArrowArray,
    release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    private_data: *mut c_void,
}

/// What one `ArrowSchema` points to.
struct SchemaParts {
    name: CString,
    children: Vec<*mut ArrowSchema>,
}

/// What one `ArrowArray` points to.
struct ArrayParts {
    _columns: Arc<Lent>,
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
}

pub(super) fn schema(format: &'static CStr, name: &str, children: Vec<*mut ArrowSchema>) -> *mut ArrowSchema {
    // A key with a NUL in it has no name in C.
    let name = CString::new(name.replace('\0', "\u{fffd}")).unwrap_or_default();
    let parts = Box::into_raw(Box::new(SchemaParts { name, children }));
    // SAFETY: `parts` was made just now and is freed by `release_schema` alone.
    #[expect(unsafe_code, reason = "the structures of Arrow hold plain pointers")]
    let parts_ref = unsafe { &mut *parts };
    Box::into_raw(Box::new(ArrowSchema {
        format: format.as_ptr(),
        name: parts_ref.name.as_ptr(),
        metadata: ptr::null(),
        flags: IS_NULLABLE,
        n_children: length(parts_ref.children.len()),
        children: parts_ref.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_schema),
        private_data: parts.cast(),
    }))
}

fn array(
    columns: &Arc<Lent>,
    nulls: usize,
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
) -> *mut ArrowArray {
    let parts = Box::into_raw(Box::new(ArrayParts {
        _columns: Arc::clone(columns),
        buffers,
        children,
    }));
    // SAFETY: `parts` was made just now and is freed by `release_array` alone.
    #[expect(unsafe_code, reason = "the structures of Arrow hold plain pointers")]
    let parts_ref = unsafe { &mut *parts };
    Box::into_raw(Box::new(ArrowArray {
        length: length(columns.rows()),
        null_count: length(nulls),
        offset: 0,
        n_buffers: length(parts_ref.buffers.len()),
        n_children: length(parts_ref.children.len()),
        buffers: parts_ref.buffers.as_mut_ptr(),
        children: parts_ref.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_array),
        private_data: parts.cast(),
    }))
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Frees what `schema` made, children that have not been moved out included; the structure itself is the owner's.
///
/// # Safety
/// As the interface says: `schema` points to one of ours that has not been released.
#[allow(unsafe_code)] // called by whoever took the structure
unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: the caller's promise; each part was made by `Box::into_raw` in `schema` and is freed once, here.
    unsafe {
        let parts = Box::from_raw((*schema).private_data.cast::<SchemaParts>());
        for child in parts.children {
            if let Some(release) = (*child).release {
                release(child);
            }
            drop(Box::from_raw(child));
        }
        (*schema).release = None;
    }
}

/// As [`release_schema`].
///
/// # Safety
/// As the interface says: `array` points to one of ours that has not been released.
#[allow(unsafe_code)] // called by whoever took the structure
unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: the caller's promise; each part was made by `Box::into_raw` in `array` and is freed once, here.
    unsafe {
        let parts = Box::from_raw((*array).private_data.cast::<ArrayParts>());
        for child in parts.children {
            if let Some(release) = (*child).release {
                release(child);
            }
            drop(Box::from_raw(child));
        }
        (*array).release = None;
    }
}

/// What Python calls when a capsule dies: releases the schema unless a consumer has moved it out.
#[allow(unsafe_code)] // called by the interpreter
unsafe extern "C" fn drop_schema(capsule: *mut ffi::PyObject) {
    // SAFETY: the capsule was made by `capsule` with this name and a pointer from `Box::into_raw`.
    unsafe {
        let schema = ffi::PyCapsule_GetPointer(capsule, SCHEMA.as_ptr()).cast::<ArrowSchema>();
        if let Some(release) = (*schema).release {
            release(schema);
        }
        drop(Box::from_raw(schema));
    }
}

/// As [`drop_schema`].
#[allow(unsafe_code)] // called by the interpreter
unsafe extern "C" fn drop_array(capsule: *mut ffi::PyObject) {
    // SAFETY: the capsule was made by `capsule` with this name and a pointer from `Box::into_raw`.
    unsafe {
        let array = ffi::PyCapsule_GetPointer(capsule, ARRAY.as_ptr()).cast::<ArrowArray>();
        if let Some(release) = (*array).release {
            release(array);
        }
        drop(Box::from_raw(array));
    }
}

pub(super) fn capsule<'py, T>(
    py: Python<'py>,
    pointer: *mut T,
    name: &'static CStr,
    destructor: ffi::PyCapsule_Destructor,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the name lives for ever, the pointer until the destructor frees it.
    #[expect(unsafe_code, reason = "the capsules of Arrow hold a structure by its name")]
    unsafe {
        let made = ffi::PyCapsule_New(pointer.cast(), name.as_ptr(), Some(destructor));
        Bound::from_owned_ptr_or_err(py, made)
    }
}

fn column_schema(column: &Column) -> *mut ArrowSchema {
    let format = match column.values {
        Values::Text { .. } => c"U",
        Values::Integer(_) => c"l",
        Values::Float(_) => c"g",
        Values::Boolean(_) => c"b",
    };
    schema(format, &column.name, Vec::new())
}

/// The format of what `iter_batches` calls `str`, `json`, `int`, `float` or `bool`.
pub(super) fn format_of(kind: &str) -> &'static CStr {
    match kind {
        "int" => c"l",
        "float" => c"g",
        "bool" => c"b",
        _ => c"U",
    }
}

/// A batch as an array of structures.
pub(super) fn record_array(columns: &Arc<Lent>) -> *mut ArrowArray {
    let children = columns.columns().iter();
    let children = children.map(|column| column_array(columns, column)).collect();
    array(columns, 0, vec![ptr::null()], children)
}

fn column_array(columns: &Arc<Lent>, column: &Column) -> *mut ArrowArray {
    let validity = if column.nulls == 0 {
        ptr::null()
    } else {
        column.validity.as_ptr().cast()
    };
    let buffers = match &column.values {
        Values::Text { bytes, ends, .. } => vec![validity, ends.as_ptr().cast(), bytes.as_ptr().cast()],
        Values::Integer(values) => vec![validity, values.as_ptr().cast()],
        Values::Float(values) => vec![validity, values.as_ptr().cast()],
        Values::Boolean(bits) => vec![validity, bits.as_ptr().cast()],
    };
    array(columns, column.nulls, buffers, Vec::new())
}

fn is_set(bits: &[u8], row: usize) -> bool {
    bits[row / 8] >> (row % 8) & 1 == 1
}

/// Columns of about a mebibyte of lines; pyarrow and polars take it through the Arrow `PyCapsule` interface without a copy.
///
/// `pyarrow.record_batch(batch)`, `polars.DataFrame(batch)`. `str` and `json` are large strings, `int` is 64 bits, `float` a double.
#[pyclass(frozen, module = "codex.records")]
pub(super) struct RecordBatch(pub(super) Arc<Lent>);

#[pymethods]
impl RecordBatch {
    fn __len__(&self) -> usize {
        self.0.rows()
    }

    /// The keys, in the order they were asked for.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.0
            .columns()
            .iter()
            .map(|column| column.name.as_str())
            .collect()
    }

    /// The values of a column as Python's own; what is null is None.
    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        let columns = self.0.columns();
        let Some(column) = columns.iter().find(|column| column.name == name) else {
            return Err(PyKeyError::new_err(name.to_owned()));
        };
        let list = PyList::empty(py);
        for row in 0..self.0.rows() {
            if !is_set(&column.validity, row) {
                list.append(py.None())?;
                continue;
            }
            match &column.values {
                Values::Text { bytes, ends, .. } => {
                    let place = |row: usize| usize::try_from(ends[row]).unwrap_or(usize::MAX);
                    list.append(PyString::from_bytes(py, &bytes[place(row)..place(row + 1)])?)?;
                }
                Values::Integer(values) => list.append(values[row])?,
                Values::Float(values) => list.append(values[row])?,
                Values::Boolean(bits) => list.append(PyBool::new(py, is_set(bits, row)))?,
            }
        }
        Ok(list)
    }

    /// The capsule of its `ArrowSchema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let children = self.0.columns().iter().map(column_schema).collect();
        capsule(py, schema(c"+s", "", children), SCHEMA, drop_schema)
    }

    /// The capsules of its `ArrowSchema` and `ArrowArray`; another schema than its own cannot be asked for.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema;
        let array = capsule(py, record_array(&self.0), ARRAY, drop_array)?;
        PyTuple::new(py, [self.__arrow_c_schema__(py)?, array])
    }
}
