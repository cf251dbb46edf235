//! What stays open between two calls: locks, logs, folders that are being written, fail points.
//!
//! Python shows these as classes of `codex.file`, with the text that stands above each.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use codex_file::digest::Algorithm;
use codex_file::fail::{self, Armed, Scope};
use codex_file::{Error, Result, durable, lock};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Data, entries_json};
use crate::errors::released;

/// Something that is used until it is closed.
struct Open<T>(Mutex<Option<T>>);

impl<T> Open<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(&self, what: &str, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        work(self.lock().as_mut().ok_or_else(|| closed(what))?)
    }

    fn take(&self, what: &str) -> Result<T> {
        self.lock().take().ok_or_else(|| closed(what))
    }

    fn close(&self) {
        drop(self.lock().take());
    }
}

fn closed(what: &str) -> Error {
    Error::usage(format!("the {what} is closed already"))
}

/// An advisory lock, taken on the spot or refused with the process and the host that hold it.
///
/// It is released by `release`, at the end of a `with` block, and by the death of the process.
///
/// >>> from tempfile import TemporaryDirectory
/// >>> with TemporaryDirectory() as home, Lock(f"{home}/lock"):
/// ...     try:
/// ...         Lock(f"{home}/lock")
/// ...     except OSError as error:
/// ...         print(type(error).__name__)
/// LockError
#[pyclass(frozen, module = "codex.file")]
pub(super) struct Lock {
    lock: Open<lock::Lock>,
    path: PathBuf,
}

#[pymethods]
impl Lock {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let lock = released(py, || lock::Lock::acquire(&path))?;
        Ok(Self {
            lock: Open::new(lock),
            path,
        })
    }

    /// Where the lock is.
    #[getter]
    fn path(&self) -> &Path {
        &self.path
    }

    /// Let others have it; a second time does nothing.
    fn release(&self) {
        self.lock.close();
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, exception: &Bound<'_, PyTuple>) {
        let _ = exception;
        self.lock.close();
    }
}

/// A file of lines with one writer; no line in it is ever torn.
///
/// Opening it moves what an accident left behind the last whole line to `<name>.torn`.
///
/// >>> from tempfile import TemporaryDirectory
/// >>> with TemporaryDirectory() as home:
/// ...     write_atomic(f"{home}/log", b"one\ntw")
/// ...     with AppendLog(f"{home}/log") as log:
/// ...         log.append(b"three\n")
/// ...     read_bytes(f"{home}/log"), log.torn_bytes
/// (b'one\nthree\n', 2)
#[pyclass(frozen, module = "codex.file")]
pub(super) struct AppendLog {
    log: Open<durable::AppendLog>,
    path: PathBuf,
    torn_bytes: u64,
}

#[pymethods]
impl AppendLog {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let log = released(py, || durable::AppendLog::open(&path))?;
        Ok(Self {
            torn_bytes: log.torn_bytes(),
            log: Open::new(log),
            path,
        })
    }

    /// Where the log is.
    #[getter]
    fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes were moved aside on opening.
    #[getter]
    fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Add whole lines with one write(2): a kill loses none of them. If it fails, none of them is there.
    fn append(&self, py: Python<'_>, lines: Data) -> PyResult<()> {
        released(py, || self.log.with("log", |log| log.append(&lines)))
    }

    /// Wait until all lines are on the disk: then a power cut loses none of them either.
    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.log.with("log", durable::AppendLog::sync))
    }

    /// Let another process write it; a second time does nothing.
    fn close(&self) {
        self.log.close();
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, exception: &Bound<'_, PyTuple>) {
        let _ = exception;
        self.log.close();
    }
}

/// A folder that appears under its name with all its files when the `with` block ends, and never if it ends in an error.
///
/// With `replace` it takes the place of a folder that is there; without, that is a `UsageError`.
///
/// >>> from tempfile import TemporaryDirectory
/// >>> with TemporaryDirectory() as home:
/// ...     with PartialFolder(f"{home}/notes") as folder:
/// ...         folder.write("a/b.txt", b"abc")
/// ...     read_bytes(f"{home}/notes/a/b.txt")
/// b'abc'
#[pyclass(frozen, module = "codex.file")]
pub(super) struct PartialFolder {
    folder: Open<durable::PartialFolder>,
    path: PathBuf,
    replace: bool,
}

#[pymethods]
impl PartialFolder {
    #[new]
    #[pyo3(signature = (r#final, replace=false))]
    fn new(py: Python<'_>, r#final: PathBuf, replace: bool) -> PyResult<Self> {
        let folder = released(py, || {
            if !replace && r#final.symlink_metadata().is_ok() {
                return Err(Error::usage(format!("`{}` exists already", r#final.display())));
            }
            durable::PartialFolder::begin(&r#final)
        })?;
        Ok(Self {
            path: folder.path().to_owned(),
            folder: Open::new(folder),
            replace,
        })
    }

    /// Where the folder lies until it is committed.
    #[getter]
    fn path(&self) -> &Path {
        &self.path
    }

    /// Create the file `name`, parts joined by `/`, to be written and finished; by its `digest` it is in `list_files` without
    /// being read again.
    #[pyo3(signature = (name, digest=None))]
    fn open(&self, py: Python<'_>, name: &str, digest: Option<&str>) -> PyResult<PartialFile> {
        let file = released(py, || {
            self.folder.with("folder", |folder| match digest {
                None => folder.create_file(name),
                Some(algorithm) => folder.create_digested_file(name, algorithm.parse()?),
            })
        })?;
        Ok(PartialFile {
            file: Open::new(file),
            path: self.path.join(name),
        })
    }

    /// Create the file `name` with `data` in it, and finish it.
    fn write(&self, py: Python<'_>, name: &str, data: Data) -> PyResult<()> {
        let file = self.open(py, name, None)?;
        file.write(py, data)?;
        file.finish(py)
    }

    /// The `files` of a manifest for it, as JSON text.
    fn list_files(&self, py: Python<'_>, algorithm: &str) -> PyResult<String> {
        released(py, || {
            self.folder
                .with("folder", |folder| {
                    folder.list_files(algorithm.parse::<Algorithm>()?)
                })
                .map(|files| entries_json(&files))
        })
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (kind, *exception))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: Option<&Bound<'_, PyAny>>,
        exception: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let _ = exception;
        if kind.is_some() {
            py.detach(|| self.folder.close());
            return Ok(());
        }
        released(py, || {
            let folder = self.folder.take("folder")?;
            if self.replace {
                folder.commit_replacing()
            } else {
                folder.commit()
            }
        })
    }
}

/// A file inside a `PartialFolder`, written front to back and then finished.
#[pyclass(frozen, module = "codex.file")]
pub(crate) struct PartialFile {
    file: Open<durable::DurableFile>,
    path: PathBuf,
}

impl PartialFile {
    pub(crate) fn append(&self, data: &[u8]) -> Result<()> {
        let failed = |error| Error::io("write", &self.path, error);
        self.file
            .with("file", |file| file.write_all(data).map_err(failed))
    }
}

#[pymethods]
impl PartialFile {
    /// Add `data` to the end; returns its length in bytes.
    fn write(&self, py: Python<'_>, data: Data) -> PyResult<usize> {
        released(py, || self.append(&data))?;
        Ok(data.len())
    }

    /// Wait until the file is on the disk; without this its folder cannot be committed.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.file.take("file")?.finish())
    }
}

/// For tests: lets system calls of this process fail inside a `with` block, by the rules of `docs/file.md`.
///
/// >>> with FailPoints("file.create=enospc@1") as points:
/// ...     try:
/// ...         write_atomic("never", b"written")
/// ...     except OSError as error:
/// ...         print(f"{error}; fired {points.fired}")
/// cannot create `never`: no space left on device; fired 1
#[pyclass(frozen, module = "codex.file")]
pub(super) struct FailPoints {
    armed: Open<Armed>,
    /// Once disarmed: how often a rule had struck.
    fired: AtomicU64,
}

#[pymethods]
impl FailPoints {
    #[new]
    fn new(py: Python<'_>, rules: &str) -> PyResult<Self> {
        let armed = released(py, || fail::arm(rules, Scope::Process))?;
        Ok(Self {
            armed: Open::new(armed),
            fired: AtomicU64::new(0),
        })
    }

    /// How often a rule has struck.
    #[getter]
    fn fired(&self) -> u64 {
        self.armed
            .lock()
            .as_ref()
            .map_or_else(|| self.fired.load(Ordering::Relaxed), Armed::fired)
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, exception: &Bound<'_, PyTuple>) {
        let _ = exception;
        if let Some(armed) = self.armed.lock().take() {
            self.fired.store(armed.fired(), Ordering::Relaxed);
        }
    }
}
