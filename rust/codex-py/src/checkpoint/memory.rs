//! The memory of Python objects: borrowed while an object exports it, read or written without the interpreter's lock.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;

/// The bytes of a Python object that exports them, held while this lives; dropped with the interpreter's lock only.
#[derive(Debug)]
pub(super) struct Lent(PyBuffer<u8>);

impl Lent {
    pub(super) fn new(name: &str, buffer: PyBuffer<u8>) -> PyResult<Self> {
        check_contiguous(name, &buffer)?;
        Ok(Self(buffer))
    }
}

#[allow(unsafe_code)] // a buffer crosses as a pointer and a length
impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        if self.0.len_bytes() == 0 {
            return &[];
        }
        // SAFETY: the buffer is contiguous (checked by `new`) and stays exported while this lives, so its memory is neither
        // moved nor freed; `save` documents that nobody may write to it meanwhile.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast(), self.0.len_bytes()) }
    }
}

/// Contiguous, writable, and apart from each other: two in the same memory would be written by two threads.
pub(super) fn check_destinations<'a>(
    destinations: impl Iterator<Item = (&'a str, &'a PyBuffer<u8>)> + Clone,
) -> PyResult<()> {
    for (name, buffer) in destinations.clone() {
        check_contiguous(name, buffer)?;
        if buffer.readonly() {
            return Err(PyBufferError::new_err(format!(
                "the destination of `{name}` is read-only"
            )));
        }
    }
    check_apart(destinations)
}

/// No byte of one is a byte of another.
pub(super) fn check_apart<'a>(buffers: impl Iterator<Item = (&'a str, &'a PyBuffer<u8>)>) -> PyResult<()> {
    let mut spans: Vec<(usize, usize, &str)> = buffers
        .filter(|(_, buffer)| buffer.len_bytes() > 0)
        .map(|(name, buffer)| (buffer.buf_ptr().addr(), buffer.len_bytes(), name))
        .collect();
    spans.sort_unstable();
    for pair in spans.windows(2) {
        if let [(start, bytes, name), (next, _, next_name)] = pair
            && start + bytes > *next
        {
            return Err(PyBufferError::new_err(format!(
                "the memory of `{name}` and `{next_name}` overlaps"
            )));
        }
    }
    Ok(())
}

#[allow(unsafe_code, clippy::mut_from_ref)] // the exporter owns the memory, `buffer` is only the claim to it
pub(super) fn borrow_mut(buffer: &PyBuffer<u8>) -> &mut [u8] {
    if buffer.len_bytes() == 0 {
        return &mut [];
    }
    // SAFETY: the buffer is contiguous, writable and apart from the others (checked by the caller) and stays exported while
    // `buffer` lives, so its memory is neither moved nor freed; `load` documents that no tensor may be used meanwhile.
    unsafe { std::slice::from_raw_parts_mut(buffer.buf_ptr().cast(), buffer.len_bytes()) }
}

fn check_contiguous(name: &str, buffer: &PyBuffer<u8>) -> PyResult<()> {
    if buffer.is_c_contiguous() {
        return Ok(());
    }
    Err(PyBufferError::new_err(format!(
        "the buffer of `{name}` is not contiguous"
    )))
}
