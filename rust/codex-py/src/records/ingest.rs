//! Raw files to records for Python, which decides what is made: the interpreter is released while files are read and written.

use std::path::PathBuf;
use std::sync::{Mutex, RwLock};

use codex_records::ingest::{
    Document, Filters, Globs as RustGlobs, Made, Merge, QualityRule, RawFiles as Files, Reading, Rules,
    Stamp, Stopped, Twin, Unit, Walked, walk,
};
use codex_records::{Error, Result};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyBytes;

use super::locked;
use crate::errors::{bug, released};
use crate::file::PartialFile;

/// What is merged before it is written: it stays in the cache of the processor until then.
const BLOCK_BYTES: usize = 256 << 10;

/// Globs over the names of files; see `codex.data.listing`.
#[pyclass(frozen, module = "codex._core")]
pub(super) struct Globs(RustGlobs);

#[pymethods]
impl Globs {
    #[new]
    #[allow(clippy::needless_pass_by_value)]
    fn new(globs: Vec<String>) -> PyResult<Self> {
        RustGlobs::new(&globs).map(Self).map_err(PyValueError::new_err)
    }

    /// Whether a name, or a folder above it, matches one.
    fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }
}

/// Device, inode, bytes, time of the last change in ns.
type StampItems = (u64, u64, u64, i64);

/// How many files were set aside; name of each that was skipped, and why; name, path and stamp of those that are large.
type Found = (u64, Vec<(String, String)>, Vec<(String, PathBuf, StampItems)>);

/// Name, path, device, inode, bytes, time of the last change in ns.
type Listed = (String, PathBuf, u64, u64, u64, i64);

/// The files of a corpus, in little memory; see `codex.data.listing`.
#[pyclass(frozen, module = "codex._core")]
#[derive(Default)]
pub(super) struct RawFiles(RwLock<Files>);

#[pymethods]
impl RawFiles {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    #[allow(clippy::needless_pass_by_value)]
    fn append(&self, name: PyBackedStr, path: PathBuf, stamp: StampItems) -> PyResult<()> {
        let (device, inode, bytes, modified_ns) = stamp;
        let stamp = Stamp {
            device,
            inode,
            bytes,
            modified_ns,
        };
        self.0.write().map_err(|_| poisoned())?.push(&name, &path, stamp);
        Ok(())
    }

    /// Adds the files below a folder that `of_corpus` and `wanted` match and `unwanted` does not, up to a size; what else was found.
    #[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
    fn walk(
        &self,
        py: Python<'_>,
        name: &str,
        folder: PathBuf,
        of_corpus: &Bound<'_, Globs>,
        wanted: &Bound<'_, Globs>,
        unwanted: &Bound<'_, Globs>,
        maximum_bytes: u64,
        not_input: Vec<(u64, u64)>,
    ) -> PyResult<Found> {
        let rules = Rules {
            of_corpus: &of_corpus.get().0,
            wanted: &wanted.get().0,
            unwanted: &unwanted.get().0,
            maximum_bytes,
            not_input: &not_input,
        };
        let Walked {
            set_aside,
            skipped,
            large,
        } = py.detach(|| {
            self.0
                .write()
                .map(|mut files| walk(&mut files, name, &folder, rules))
                .map_err(|_| poisoned())
        })?;
        let items = |stamp: Stamp| (stamp.device, stamp.inode, stamp.bytes, stamp.modified_ns);
        let large = large
            .into_iter()
            .map(|(name, path, stamp)| (name, path, items(stamp)));
        Ok((set_aside, skipped, large.collect()))
    }

    /// Puts them in the order of their names.
    fn sort(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            self.0
                .write()
                .map(|mut files| files.sort())
                .map_err(|_| poisoned())
        })
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.read()?.len())
    }

    fn __getitem__(&self, number: usize) -> PyResult<Listed> {
        let files = self.read()?;
        let file = files.get(number).ok_or_else(no_such_file)?;
        let stamp = file.stamp;
        Ok((
            file.name.to_owned(),
            file.path(),
            stamp.device,
            stamp.inode,
            stamp.bytes,
            stamp.modified_ns,
        ))
    }

    /// The number of the file of a name, once they are sorted.
    #[allow(clippy::needless_pass_by_value)]
    fn find(&self, name: PyBackedStr) -> PyResult<Option<usize>> {
        Ok(self.read()?.find(&name))
    }

    /// How long the file of a number is.
    fn bytes_of(&self, number: usize) -> PyResult<u64> {
        let files = self.read()?;
        let file = files.get(number).ok_or_else(no_such_file)?;
        Ok(file.stamp.bytes)
    }

    /// How many can be read, and the bytes of these.
    fn totals(&self) -> PyResult<(usize, u64)> {
        let files = self.read()?;
        Ok(files
            .readable(0, files.len())
            .fold((0, 0), |(count, bytes), (_, file)| {
                (count + 1, bytes + file.stamp.bytes)
            }))
    }

    /// Reads some and keeps their digests; of the others the number, and what was said, or none if it is no longer what was listed.
    fn digest(&self, py: Python<'_>, start: usize, stop: usize) -> PyResult<Vec<(usize, Option<String>)>> {
        py.detach(|| {
            let found = self.read()?.contents(start, stop);
            let mut files = self.0.write().map_err(|_| poisoned())?;
            let mut others = Vec::new();
            for (number, content) in (start..).zip(found) {
                match content {
                    Some(Ok(content)) => files.set_content(number, content),
                    Some(Err(said)) => others.push((number, Some(said))),
                    None => others.push((number, None)),
                }
            }
            Ok(others)
        })
    }

    /// Says that a file cannot be read: it keeps its number, and is in no line and no unit.
    fn leave_out(&self, number: usize) -> PyResult<()> {
        self.0.write().map_err(|_| poisoned())?.leave_out(number);
        Ok(())
    }

    /// What some of them are: bytes, digest and path, a line of NDJSON for each.
    fn lines<'py>(&self, py: Python<'py>, start: usize, stop: usize) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.read()?.lines(start, stop)))
    }

    /// Where the units of files end.
    fn cut(&self, py: Python<'_>, most_bytes: u64, most_files: usize) -> PyResult<Vec<usize>> {
        py.detach(|| Ok(self.read()?.cut(most_bytes, most_files)))
    }
}

impl RawFiles {
    fn read(&self) -> PyResult<std::sync::RwLockReadGuard<'_, Files>> {
        self.0.read().map_err(|_| poisoned())
    }
}

fn no_such_file() -> PyErr {
    PyIndexError::new_err("no file of that number")
}

fn poisoned() -> PyErr {
    bug("a thread ended while it held the files of a corpus")
}

/// What a unit came to: files (name, bytes, digest), skipped (path, reason, bytes), dropped by kind, documents, bytes of text.
type Came = (
    Vec<(String, usize, String)>,
    Vec<(String, String, u64)>,
    std::collections::BTreeMap<String, u64>,
    u64,
    u64,
);

/// Some files of a corpus to sorted records; see `codex.data.units`.
#[pyclass(frozen, module = "codex._core")]
pub(super) struct UnitWriter {
    files: Py<RawFiles>,
    unit: Mutex<Option<Unit>>,
}

#[pymethods]
impl UnitWriter {
    /// Writes `<name>-0000.ndjson` and so on into `folder`.
    #[new]
    #[allow(clippy::needless_pass_by_value)]
    fn new(
        files: Py<RawFiles>,
        folder: PathBuf,
        name: &str,
        run_bytes: usize,
        reading: ReadingItems,
        filters: FilterItems,
    ) -> PyResult<Self> {
        let reading = Reading {
            reads_texts: reading.reads_texts,
            other_endings: reading.other_endings,
            packed_endings: reading.packed_endings,
            finds_encodings: reading.finds_encodings,
            limit_bytes: reading.limit_bytes,
        };
        let unit = Unit::new(&folder, name, run_bytes, reading, filters.filters()?);
        Ok(Self {
            files,
            unit: Mutex::new(Some(unit)),
        })
    }

    /// Reads files on from one; the file it stopped at, and `end`, `other` or `changed`.
    fn read(&self, py: Python<'_>, start: usize, stop: usize) -> PyResult<(usize, &'static str)> {
        let files = self.files.get();
        let (number, why) = released(py, || {
            self.with(|unit| unit.read(&*files.0.read().map_err(|_| closed())?, start, stop))
        })?;
        let why = match why {
            Stopped::AtEnd => "end",
            Stopped::AtOther => "other",
            Stopped::AtChanged => "changed",
        };
        Ok((number, why))
    }

    /// Adds a document of a file.
    #[allow(clippy::needless_pass_by_value)]
    fn add(
        &self,
        py: Python<'_>,
        number: usize,
        text: PyBackedStr,
        encoding: PyBackedStr,
        errors: u64,
        row: Option<u64>,
    ) -> PyResult<()> {
        let document = Document {
            text: &text,
            encoding: &encoding,
            errors,
            row,
        };
        released(py, || {
            let files = self.files.get().0.read().map_err(|_| closed())?;
            let file = files.get(number).ok_or_else(closed)?;
            self.with(|unit| unit.add(&file, document))
        })
    }

    /// Counts a document of a file that is left out.
    fn drop(&self, py: Python<'_>, number: usize, reason: &str, row: Option<u64>) -> PyResult<()> {
        released(py, || {
            let files = self.files.get().0.read().map_err(|_| closed())?;
            let file = files.get(number).ok_or_else(closed)?;
            self.with(|unit| {
                unit.drop(&file, reason, row);
                Ok(())
            })
        })
    }

    /// Writes what is left.
    fn finish(&self, py: Python<'_>) -> PyResult<Came> {
        let Made {
            files,
            skipped,
            dropped,
            documents,
            text_bytes,
        } = released(py, || locked(&self.unit).take().ok_or_else(closed)?.finish())?;
        let files = files
            .into_iter()
            .map(|file| (file.name, file.bytes, file.digest.to_string()))
            .collect();
        Ok((files, skipped, dropped, documents, text_bytes))
    }
}

impl UnitWriter {
    fn with<T>(&self, work: impl FnOnce(&mut Unit) -> Result<T>) -> Result<T> {
        work(locked(&self.unit).as_mut().ok_or_else(closed)?)
    }
}

fn closed() -> Error {
    Error::from(codex_file::Error::machine(
        "the unit is finished, or what it was reading is gone",
    ))
}

/// How files are read, from a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct ReadingItems {
    reads_texts: bool,
    other_endings: Vec<String>,
    packed_endings: Vec<String>,
    finds_encodings: bool,
    limit_bytes: u64,
}

/// What is asked of documents, from a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct FilterItems {
    minimum_characters: usize,
    maximum_characters: Option<usize>,
    minimum_words: usize,
    languages: Vec<String>,
    quality: Vec<String>,
}

impl FilterItems {
    fn filters(self) -> PyResult<Filters> {
        let rule = |name: &String| {
            QualityRule::named(name).ok_or_else(|| bug(format!("no rule is called `{name}`")))
        };
        Ok(Filters {
            quality: self.quality.iter().map(rule).collect::<PyResult<_>>()?,
            minimum_characters: self.minimum_characters,
            maximum_characters: self.maximum_characters,
            minimum_words: self.minimum_words,
            languages: self.languages,
        })
    }
}

/// Path, meta as JSON, bytes of text, path of the first.
type Dropped = (String, Option<String>, usize, String);

/// Sorted files of records to one, each id once; see `codex.data.ingest`.
#[pyclass(frozen, module = "codex._core")]
pub(super) struct RecordMerge(Mutex<(Merge, Vec<u8>)>);

#[pymethods]
impl RecordMerge {
    /// No more than `most_open` files are read at once; more are merged to fewer in `scratch` first.
    #[new]
    #[allow(clippy::needless_pass_by_value)]
    fn new(py: Python<'_>, paths: Vec<PathBuf>, scratch: PathBuf, most_open: usize) -> PyResult<Self> {
        released(py, || {
            Merge::open(&paths, &scratch, most_open).map(|merge| Self(Mutex::new((merge, Vec::new()))))
        })
    }

    /// Writes the next lines to `file`; the records that stood before, or none at the end.
    fn write_block(&self, py: Python<'_>, file: &Bound<'_, PartialFile>) -> PyResult<Option<Vec<Dropped>>> {
        let file = file.get();
        released(py, || {
            let (merge, block) = &mut *locked(&self.0);
            let mut twins = Vec::new();
            block.clear();
            if !merge.next_block(BLOCK_BYTES, block, &mut twins)? {
                return Ok(None);
            }
            file.append(block)?;
            let dropped = |twin: Twin| (twin.path, twin.meta, twin.text_bytes, twin.first);
            Ok::<_, Error>(Some(twins.into_iter().map(dropped).collect()))
        })
    }
}
