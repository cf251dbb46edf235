//! Records for Python: rows of a batch in, rows of a batch out, the interpreter released while they are read or written.

mod arrow;
mod arrow_stream;
mod encode;
mod ingest;
mod lines;
mod near;
mod split;
mod writer;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use codex_file::Class;
use codex_records::{Error, Id, Meta, Reader, Record, Result, Source, Writer};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{Explained, bug, raised, released};

impl Explained for Error {
    fn class(&self) -> Class {
        Error::class(self)
    }

    fn hint(&self) -> Option<String> {
        Error::hint(self)
    }
}

/// Id, text, path, member, offset, encoding, errors, meta as JSON.
type Row = (
    String,
    String,
    String,
    Option<String>,
    u64,
    String,
    u64,
    Option<String>,
);

/// Line, byte, reason, and the whole message.
type Bad = (u64, u64, String, String);

/// What a record weighs beside its text.
const ROW_BYTES: usize = 512;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<arrow::RecordBatch>()?;
    module.add_class::<lines::ColumnLines>()?;
    module.add_class::<lines::LineIndex>()?;
    module.add_class::<lines::RowLines>()?;
    module.add_class::<lines::TextLines>()?;
    module.add_class::<ingest::Globs>()?;
    module.add_class::<ingest::RawFiles>()?;
    module.add_class::<ingest::RecordMerge>()?;
    module.add_class::<ingest::UnitWriter>()?;
    module.add_class::<near::NearDuplicates>()?;
    module.add_class::<split::RecordSplit>()?;
    module.add_class::<writer::Writer>()?;
    module.add_class::<RecordReader>()?;
    module.add_class::<RecordWriter>()?;
    module.add_function(wrap_pyfunction!(arrow_stream::arrow_stream, module)?)?;
    module.add_function(wrap_pyfunction!(record_id, module)?)?;
    module.add_function(wrap_pyfunction!(is_held_out, module)?)?;
    module.add_function(wrap_pyfunction!(lines_count, module)?)?;
    module.add_function(wrap_pyfunction!(records_encode, module)?)?;
    module.add_function(wrap_pyfunction!(split::records_overlap, module)?)?;
    module.add_function(wrap_pyfunction!(split::text_quality, module)?)?;
    module.add_function(wrap_pyfunction!(records_count, module)?)
}

#[pyfunction]
fn record_id(py: Python<'_>, text: &str) -> String {
    py.detach(|| Id::of(text).to_string())
}

#[pyfunction]
fn is_held_out(py: Python<'_>, id: &str, fraction: f64) -> PyResult<bool> {
    let side = id
        .parse()
        .and_then(|id| codex_records::is_held_out(&id, fraction));
    side.map_err(|error| raised(py, &error))
}

#[pyfunction]
fn records_encode(py: Python<'_>, rows: Vec<Row>) -> PyResult<Bound<'_, PyBytes>> {
    let lines = released(py, || {
        let mut lines = Vec::new();
        for row in rows {
            record_of(row)?.write_line(&mut lines)?;
        }
        Ok::<_, Error>(lines)
    })?;
    Ok(PyBytes::new(py, &lines))
}

#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // PyO3 hands over what it made
fn records_count(py: Python<'_>, path: PathBuf) -> PyResult<u64> {
    released(py, || {
        let reader = Reader::open(&path)?.trusting_ids();
        reader
            .into_iter()
            .try_fold(0, |count, record| record.map(|_| count + 1))
    })
}

#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
fn lines_count(py: Python<'_>, path: PathBuf) -> PyResult<u64> {
    released(py, || codex_records::count_lines(&path))
}

fn record_of((id, text, path, member, offset, encoding, errors, meta): Row) -> Result<Record> {
    let source = Source {
        path,
        member,
        offset,
        encoding,
        errors,
    };
    let meta = meta.map(|json| Meta::parse(&json)).transpose()?;
    Ok(Record {
        id: id.parse()?,
        text,
        source,
        meta,
    })
}

fn row_of(record: Record) -> Row {
    let Source {
        path,
        member,
        offset,
        encoding,
        errors,
    } = record.source;
    let meta = record.meta.map(|meta| meta.as_str().to_owned());
    (
        record.id.to_string(),
        record.text,
        path,
        member,
        offset,
        encoding,
        errors,
        meta,
    )
}

/// What is behind the lock, also if another thread panicked while it held it: the next call then meets its own error.
fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a file of records in batches.
#[pyclass(frozen, module = "codex._core")]
struct RecordReader {
    state: Mutex<Reading>,
}

struct Reading {
    reader: Reader,
    /// An error met behind the last rows handed out.
    failed: Option<Error>,
}

#[pymethods]
impl RecordReader {
    #[new]
    #[allow(clippy::needless_pass_by_value)]
    fn new(py: Python<'_>, path: PathBuf, verify: bool) -> PyResult<Self> {
        let reader = released(py, || Reader::open(&path))?;
        let reader = if verify { reader } else { reader.trusting_ids() };
        Ok(Self {
            state: Mutex::new(Reading { reader, failed: None }),
        })
    }

    /// The next rows, up to a bad line, which comes with them; nothing and none at the end of the file.
    fn read_batch(&self, py: Python<'_>, maximum_bytes: usize) -> PyResult<(Vec<Row>, Option<Bad>)> {
        released(py, || locked(&self.state).read_batch(maximum_bytes))
    }
}

impl Reading {
    fn read_batch(&mut self, maximum_bytes: usize) -> Result<(Vec<Row>, Option<Bad>)> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut rows = Vec::new();
        let mut bytes = 0;
        while bytes < maximum_bytes {
            match self.reader.next() {
                None => break,
                Some(Ok(record)) => {
                    bytes += record.text.len() + ROW_BYTES;
                    rows.push(row_of(record));
                }
                Some(Err(error)) => {
                    if let Some(bad) = error.bad_line() {
                        return Ok((
                            rows,
                            Some((bad.line, bad.byte, bad.reason.clone(), bad.to_string())),
                        ));
                    }
                    if rows.is_empty() {
                        return Err(error);
                    }
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok((rows, None))
    }
}

/// Writes a file of records in batches; it appears when committed.
#[pyclass(frozen, module = "codex._core")]
struct RecordWriter {
    writer: Mutex<Option<Writer>>,
}

#[pymethods]
impl RecordWriter {
    #[new]
    #[allow(clippy::needless_pass_by_value)]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let writer = released(py, || Writer::create(&path))?;
        Ok(Self {
            writer: Mutex::new(Some(writer)),
        })
    }

    fn write(&self, py: Python<'_>, rows: Vec<Row>) -> PyResult<()> {
        // Never wait for the lock while holding the interpreter: its holder may be waiting for that.
        let written = released(py, || match &mut *locked(&self.writer) {
            Some(writer) => rows
                .into_iter()
                .try_for_each(|row| writer.write(&record_of(row)?))
                .map(Some),
            None => Ok(None),
        });
        written?.ok_or_else(|| bug("the writer is closed"))
    }

    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let committed = released(py, || locked(&self.writer).take().map(Writer::commit).transpose());
        committed?.ok_or_else(|| bug("the writer is closed"))
    }

    /// Leaves no file; after a commit it does nothing.
    fn discard(&self, py: Python<'_>) {
        py.detach(|| drop(locked(&self.writer).take()));
    }
}
