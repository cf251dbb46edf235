//! Rows of anyone's NDJSON added to a file, one call from Python's dictionary to the disk.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use codex_records::{Appender, Durability};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::encode;
use crate::errors::{raised, released};

/// More than this is written with the interpreter released; less is done sooner than it is handed over and back.
const SMALL_BYTES: usize = 64 << 10;

/// Adds rows to a file of NDJSON: whole lines, one writer.
///
/// Each batch of lines is one write at the end of the file. What a power cut or a kill left behind the last whole line is moved
/// to `torn_path`, `<name>.torn`, on opening. Threads may share a writer; those that wait for the disk share a sync.
///
/// Args:
///     path: of the file, created if need be.
///     durability: what a row survives once `append` is back: `none`, nothing before 64 KiB have come together; `flush`, the
///         end of the process, however it ends; `durable`, a power cut.
///     rotate_bytes: a file that would become longer gets a name of its own first, `<stem>.000001.<extension>` and so on.
///     nan: whether NaN and the infinities may be written.
/// Raises:
///     LockError: if another process writes the file; the message names it.
///     DataError: if a row has no JSON; the message has the place, and nothing is written.
///     DiskFullError, MachineError: if the disk refuses.
///     UsageError: if an argument is none of what it may be, or the writer is closed.
///
/// >>> from tempfile import TemporaryDirectory
/// >>> with TemporaryDirectory() as home:
/// ...     with Writer(f"{home}/rows.ndjson") as writer:
/// ...         writer.append({"step": 1, "loss": 2.5})
/// ...         writer.append_many([{"step": 2, "tags": ["a"]}, {"step": 3, "tags": None}])
/// ...     [row["step"] for row in iter_records(f"{home}/rows.ndjson")]
/// 2
/// [1, 2, 3]
#[allow(clippy::doc_markdown, clippy::doc_link_with_quotes)] // the text above is Python's
#[pyclass(frozen, module = "codex.records")]
pub(super) struct Writer {
    appender: Appender,
    path: PathBuf,
    takes_nan: bool,
    scratch: Mutex<Scratch>,
}

/// What is kept from row to row.
#[derive(Default)]
struct Scratch {
    line: Vec<u8>,
    shape: encode::Shape,
}

#[pymethods]
impl Writer {
    #[new]
    #[pyo3(signature = (path, durability = "flush", *, rotate_bytes = None, nan = "refuse"))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        durability: &str,
        rotate_bytes: Option<i64>,
        nan: &str,
    ) -> PyResult<Self> {
        let level = match durability {
            "none" => Durability::None,
            "flush" => Durability::Flush,
            "durable" => Durability::Durable,
            other => return Err(refused(py, "durability", other, "none, flush or durable")),
        };
        let takes_nan = match nan {
            "refuse" => false,
            "accept" => true,
            other => return Err(refused(py, "nan", other, "refuse or accept")),
        };
        let rotate_bytes = match rotate_bytes.map(u64::try_from) {
            None => None,
            Some(Ok(bytes @ 1..)) => Some(bytes),
            Some(_) => return Err(refused(py, "rotate_bytes", "less than 1", "at least 1")),
        };
        let appender = released(py, || Appender::open(&path, level, rotate_bytes))?;
        Ok(Self {
            appender,
            path,
            takes_nan,
            scratch: Mutex::default(),
        })
    }

    /// Where the file is.
    #[getter]
    fn path(&self) -> &Path {
        &self.path
    }

    /// Where the torn end is that was found on opening; None if there was none.
    #[getter]
    fn torn_path(&self) -> Option<&Path> {
        self.appender.torn().map(|(path, _)| path.as_path())
    }

    /// How long that was.
    #[getter]
    fn torn_bytes(&self) -> u64 {
        self.appender.torn().map_or(0, |(_, bytes)| *bytes)
    }

    /// Add one row, a dictionary.
    fn append(&self, row: &Bound<'_, PyAny>) -> PyResult<()> {
        // Nobody waits for it: who has it may have to wait for the interpreter.
        match self.scratch.try_lock() {
            Ok(mut scratch) => self.append_with(&mut scratch, row),
            Err(_) => self.append_with(&mut Scratch::default(), row),
        }
    }

    /// Add rows with one write, all or none of them; says how many.
    fn append_many(&self, rows: &Bound<'_, PyAny>) -> PyResult<usize> {
        let (mut lines, mut shape, mut count) = (Vec::new(), encode::Shape::default(), 0);
        for row in rows.try_iter()? {
            encode::line(&mut lines, &mut shape, &row?, self.takes_nan, || {
                format!("rows[{count}]")
            })?;
            count += 1;
        }
        self.write(rows.py(), &lines)?;
        Ok(count)
    }

    /// Hand over to the system what waits in memory, which is something with `none` alone.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.appender.flush())
    }

    /// Wait until every row is on the disk.
    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.appender.sync())
    }

    /// Flush, and let others write the file; a second time does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.appender.close())
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let _ = exception;
        self.close(py)
    }
}

impl Writer {
    fn append_with(&self, scratch: &mut Scratch, row: &Bound<'_, PyAny>) -> PyResult<()> {
        let Scratch { line, shape } = scratch;
        line.clear();
        encode::line(line, shape, row, self.takes_nan, || "row".to_owned())?;
        let written = self.write(row.py(), line);
        line.shrink_to(SMALL_BYTES);
        written
    }

    fn write(&self, py: Python<'_>, lines: &[u8]) -> PyResult<()> {
        if self.appender.waits() || lines.len() > SMALL_BYTES {
            released(py, || self.appender.append(lines))
        } else {
            self.appender.append(lines).map_err(|error| raised(py, &error))
        }
    }
}

fn refused(py: Python<'_>, name: &str, got: &str, wanted: &str) -> PyErr {
    raised(
        py,
        &codex_file::Error::usage(format!("`{name}` is {got}, expected {wanted}")),
    )
}
