//! Near duplicates for Python: texts in, groups of their numbers out.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread::available_parallelism;

use codex_records::{Error, number_shingles};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyList, PyString};
use pyo3::{Borrowed, ffi};

use super::locked;
use crate::errors::{raised, released};

/// Finds texts that are nearly the same, without comparing all with all.
///
/// A text is the set of its runs of `shingle_words` words; capitals, layout and what stands between words do not count. Of a set
/// 128 are kept, half a kibibyte whatever its length, from which the similarity of Jaccard is told within 0.04. The answer
/// depends on the texts alone.
///
/// Args:
///     threshold: from 0.5 to 1, the similarity from which on texts are near duplicates: right at it more than 95 of 100 pairs are
///         found, above it more, 0.1 below it about 3.
///     shingle_words: how many words make a run; texts of fewer words are one run.
///     folder: where to keep the minima in two files instead of in memory, 700 bytes a text; comparing then takes 4 bytes a text.
/// Raises:
///     UsageError: if an argument is none of what it may be.
///
/// >>> near = NearDuplicates(threshold=0.8)
/// >>> line = "one line after the other, all of them in the order in which they were written down by him"
/// >>> near.add_many(["another text", f"{line} today", f"{line.upper()}!", line.replace(" ", "\n")])
/// >>> near.groups()
/// [[1, 2, 3]]
#[allow(clippy::doc_markdown)] // the text above is Python's
#[pyclass(frozen, module = "codex.records")]
pub(super) struct NearDuplicates(Mutex<codex_records::NearDuplicates>);

#[pymethods]
impl NearDuplicates {
    #[new]
    #[pyo3(signature = (threshold = 0.8, *, shingle_words = 5, folder = None))]
    #[allow(clippy::needless_pass_by_value)]
    fn new(py: Python<'_>, threshold: f64, shingle_words: i64, folder: Option<PathBuf>) -> PyResult<Self> {
        let words = usize::try_from(shingle_words).unwrap_or(0);
        let near = match folder {
            None => codex_records::NearDuplicates::new(threshold, words),
            Some(folder) => codex_records::NearDuplicates::in_folder(threshold, words, &folder),
        };
        near.map(|near| Self(Mutex::new(near)))
            .map_err(|error| raised(py, &error))
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        py.detach(|| locked(&self.0).len())
    }

    /// Add one text; says its number.
    #[allow(clippy::needless_pass_by_value)]
    fn add(&self, py: Python<'_>, text: PyBackedStr) -> PyResult<usize> {
        released(py, || {
            let mut near = locked(&self.0);
            near.extend(&[&*text], NonZero::<usize>::MIN)?;
            Ok::<_, Error>(near.len() - 1)
        })
    }

    /// Add texts in order, on so many threads; on all processors if None.
    #[pyo3(signature = (texts, threads = None))]
    #[allow(clippy::needless_pass_by_value)]
    fn add_many(&self, py: Python<'_>, texts: Vec<PyBackedStr>, threads: Option<usize>) -> PyResult<()> {
        let threads = match threads.map(NonZero::new) {
            None => available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            Some(Some(threads)) => threads,
            Some(None) => {
                let message = "`threads` is 0, expected at least 1";
                return Err(raised(py, &codex_file::Error::usage(message)));
            }
        };
        released(py, || locked(&self.0).extend(&texts, threads))
    }

    /// Add one text by a list of shingles of your own making; says its number.
    fn add_shingles(&self, shingles: &Bound<'_, PyList>) -> PyResult<usize> {
        let numbers = numbers_of(shingles)?;
        released(shingles.py(), || {
            let mut near = locked(&self.0);
            near.add_numbers(&numbers)?;
            Ok::<_, Error>(near.len() - 1)
        })
    }

    /// How much two texts have in common, from 0 to 1, as what is kept of them tells.
    fn similarity(&self, py: Python<'_>, one: usize, other: usize) -> PyResult<f64> {
        let found = released(py, || locked(&self.0).similarity(one, other))?;
        found.ok_or_else(|| PyIndexError::new_err(format!("no text {}", one.max(other))))
    }

    /// For every text the number of the first of its group: its own if it is like none before it.
    fn firsts(&self, py: Python<'_>) -> PyResult<Vec<u32>> {
        released(py, || locked(&self.0).firsts())
    }

    /// The groups of two and more, each in order, by their first.
    fn groups(&self, py: Python<'_>) -> PyResult<Vec<Vec<u32>>> {
        released(py, || {
            let firsts = locked(&self.0).firsts()?;
            let mut groups = vec![Vec::new(); firsts.len()];
            for (text, first) in (0..).zip(&firsts) {
                groups[*first as usize].push(text);
            }
            groups.retain(|group| group.len() > 1);
            Ok::<_, Error>(groups)
        })
    }
}

/// So many strings are taken at once, and as many asked for ahead: they lie wherever Python put them, and waiting is most of the
/// work.
const AT_ONCE: usize = 32;

/// The numbers of strings in a list, none of them counted once more.
#[allow(unsafe_code)] // half of the time goes to the counting otherwise
fn numbers_of(shingles: &Bound<'_, PyList>) -> PyResult<Vec<u32>> {
    let (py, list, length) = (shingles.py(), shingles.as_ptr(), shingles.len());
    let ask = |place: usize| {
        // SAFETY: the interpreter is held, and it is a place of the list.
        let shingle = unsafe { ffi::PyList_GetItem(list, place.min(length - 1).cast_signed()) };
        fetch(shingle.cast());
        shingle
    };
    let mut numbers = Vec::with_capacity(length);
    let mut asked = [std::ptr::null_mut(); AT_ONCE];
    (0..length.min(AT_ONCE)).for_each(|place| asked[place] = ask(place));
    let mut texts = [""; AT_ONCE];
    for start in (0..length).step_by(AT_ONCE) {
        let count = AT_ONCE.min(length - start);
        for (place, text) in texts[..count].iter_mut().enumerate() {
            // SAFETY: the interpreter is held and nothing here runs code of Python's, so the list stays as long as it was said to
            // be, and keeps what it lent.
            *text = text_of(unsafe { Borrowed::from_ptr(py, asked[place]) })?;
            asked[place] = ask(start + place + AT_ONCE);
        }
        number_shingles(&texts[..count], &mut numbers);
    }
    Ok(numbers)
}

/// As `to_str`, which is not inlined.
#[inline]
#[allow(unsafe_code)]
fn text_of<'a>(object: Borrowed<'a, '_, PyAny>) -> PyResult<&'a str> {
    let object = match object.cast_exact::<PyString>() {
        Ok(text) => text,
        Err(_) => object.cast()?,
    };
    let mut length = 0;
    // SAFETY: the interpreter is held; the string keeps its UTF-8 as long as it lives.
    unsafe {
        let bytes = ffi::PyUnicode_AsUTF8AndSize(object.as_ptr(), &raw mut length);
        if bytes.is_null() {
            return Err(PyErr::fetch(object.py()));
        }
        let bytes = std::slice::from_raw_parts(bytes.cast(), length.cast_unsigned());
        Ok(std::str::from_utf8_unchecked(bytes))
    }
}

/// Asks for an object's head and the line of cache behind it, where a short string is.
#[allow(unsafe_code)]
fn fetch(object: *const i8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, for any address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch(object, _MM_HINT_T0);
        _mm_prefetch(object.wrapping_add(64), _MM_HINT_T0);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = object;
}
