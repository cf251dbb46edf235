//! Anyone's NDJSON for Python: batches of strings, of dictionaries, of Arrow columns; one line by its number.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use codex_records::{
    Bad, BadLine, Batch, Batches, ColumnType, Columns, Error, Index, MAXIMUM_LINE_BYTES, Result, Rows, Rules,
    Take, Texts, Token,
};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

use super::arrow::RecordBatch;
use super::locked;
use crate::errors::{bug, raised, released};

/// More than this is read with the interpreter released; less is done sooner than it is handed over and back.
const SMALL_BYTES: usize = 64 << 10;

/// How many keys are kept as Python strings, so that rows share them.
const KEPT_KEYS: usize = 1024;

/// Row, line, byte, reason, the whole message, and what stands on the line.
type BadRow<'py> = (usize, u64, u64, String, String, Bound<'py, PyBytes>);

/// Rows, and bad lines among them; `None` at the end.
type Read<'py, T> = PyResult<Option<(Bound<'py, T>, Vec<BadRow<'py>>)>>;

/// What an open file of lines is to all three readers.
struct Lines<T: Take>(Arc<Mutex<Batches<T>>>);

impl<T: Take> Lines<T> {
    fn open(py: Python<'_>, path: PathBuf, plan: T::Plan, options: Options) -> PyResult<Self> {
        let Options(threads, refuses_twins, takes_nan, keeps_bad) = options;
        let rules = Rules {
            refuses_twins,
            takes_nan,
        };
        released(py, move || Batches::open(&path, plan, rules, threads, keeps_bad))
            .map(|batches| Self(Arc::new(Mutex::new(batches))))
    }

    fn read(&self, py: Python<'_>) -> PyResult<Option<Batch<T>>> {
        released(py, || locked(&self.0).read())
    }

    fn give_back(&self, py: Python<'_>, taken: T) {
        py.detach(|| locked(&self.0).give_back(taken));
    }
}

/// Threads; whether a key may stand but once, NaN is a number, the bytes of bad lines are kept.
#[derive(Clone, Copy, FromPyObject)]
struct Options(usize, bool, bool, bool);

fn bad_rows(py: Python<'_>, bad: Vec<Bad>) -> Vec<BadRow<'_>> {
    let row = |Bad { place, row, line }: Bad| {
        let message = place.to_string();
        (
            row,
            place.line,
            place.byte,
            place.reason,
            message,
            PyBytes::new(py, &line),
        )
    };
    bad.into_iter().map(row).collect()
}

/// Reads strings.
#[pyclass(frozen, module = "codex._core")]
pub(super) struct TextLines(Lines<Texts>);

#[pymethods]
impl TextLines {
    #[new]
    fn new(py: Python<'_>, path: PathBuf, key: String, options: Options) -> PyResult<Self> {
        Lines::open(py, path, key, options).map(Self)
    }

    fn read<'py>(&self, py: Python<'py>) -> Read<'py, PyList> {
        let Some(batch) = self.0.read(py)? else {
            return Ok(None);
        };
        let texts = PyList::empty(py);
        for text in batch.taken.iter() {
            texts.append(PyString::from_bytes(py, text)?)?;
        }
        self.0.give_back(py, batch.taken);
        Ok(Some((texts, bad_rows(py, batch.bad))))
    }
}

/// Reads dictionaries.
#[pyclass(frozen, module = "codex._core")]
pub(super) struct RowLines {
    lines: Lines<Rows>,
    wanted: Vec<Py<PyString>>,
    kept: Mutex<Kept>,
}

type Kept = HashMap<Box<[u8]>, Py<PyString>>;

#[pymethods]
impl RowLines {
    #[new]
    fn new(py: Python<'_>, path: PathBuf, keys: Option<Vec<String>>, options: Options) -> PyResult<Self> {
        let wanted = keys.iter().flatten();
        let wanted = wanted.map(|key| PyString::intern(py, key).unbind()).collect();
        Ok(Self {
            lines: Lines::open(py, path, keys, options)?,
            wanted,
            kept: Mutex::default(),
        })
    }

    fn read<'py>(&self, py: Python<'py>) -> Read<'py, PyList> {
        let Some(batch) = self.lines.read(py)? else {
            return Ok(None);
        };
        let mut kept = std::mem::take(&mut *locked(&self.kept));
        let rows = PyList::empty(py);
        let mut building = Building {
            py,
            rows: &batch.taken,
            tokens: batch.taken.tokens().iter(),
            wanted: &self.wanted,
            kept: &mut kept,
        };
        while let Some(token) = building.tokens.next() {
            rows.append(building.value(*token)?)?;
        }
        *locked(&self.kept) = kept;
        self.lines.give_back(py, batch.taken);
        Ok(Some((rows, bad_rows(py, batch.bad))))
    }
}

/// Tokens to Python's values.
struct Building<'a, 'py> {
    py: Python<'py>,
    rows: &'a Rows,
    tokens: std::slice::Iter<'a, Token>,
    wanted: &'a [Py<PyString>],
    kept: &'a mut Kept,
}

impl<'py> Building<'_, 'py> {
    fn value(&mut self, token: Token) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        Ok(match token {
            Token::Null => py.None().into_bound(py),
            Token::Boolean(value) => pyo3::types::PyBool::new(py, value).to_owned().into_any(),
            Token::Integer(value) => value.into_pyobject(py)?.into_any(),
            Token::Float(value) => PyFloat::new(py, value).into_any(),
            Token::Digits(start, end) => {
                let digits = PyString::from_bytes(py, self.rows.text(start, end))?;
                py.get_type::<PyInt>().call1((digits,))?
            }
            Token::Text(start, end) => PyString::from_bytes(py, self.rows.text(start, end))?.into_any(),
            Token::Array(count) => {
                let list = PyList::empty(py);
                for _ in 0..count {
                    let token = self.next()?;
                    list.append(self.value(token)?)?;
                }
                list.into_any()
            }
            Token::Object(count) => {
                let object = PyDict::new(py);
                for _ in 0..count {
                    let key = self.key()?;
                    let token = self.next()?;
                    object.set_item(key, self.value(token)?)?;
                }
                object.into_any()
            }
            Token::Key(..) | Token::Wanted(_) => return Err(bug("a key without an object")),
        })
    }

    fn next(&mut self) -> PyResult<Token> {
        self.tokens.next().copied().ok_or_else(|| bug("a row is cut"))
    }

    fn key(&mut self) -> PyResult<Bound<'py, PyString>> {
        match self.next()? {
            Token::Wanted(number) => Ok(self.wanted[number as usize].bind(self.py).clone()),
            Token::Key(start, end) => {
                let bytes = self.rows.text(start, end);
                if let Some(key) = self.kept.get(bytes) {
                    return Ok(key.bind(self.py).clone());
                }
                let key = PyString::from_bytes(self.py, bytes)?;
                if self.kept.len() < KEPT_KEYS {
                    self.kept.insert(bytes.into(), key.clone().unbind());
                }
                Ok(key)
            }
            _ => Err(bug("a value without its key")),
        }
    }
}

/// Reads columns.
#[pyclass(frozen, module = "codex._core")]
pub(super) struct ColumnLines(Lines<Columns>);

#[pymethods]
impl ColumnLines {
    /// `columns` are names and `str`, `int`, `float`, `bool` or `json`.
    #[new]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        columns: Vec<(String, String)>,
        options: Options,
    ) -> PyResult<Self> {
        let kind = |kind: &str| match kind {
            "str" => Ok(ColumnType::Text),
            "int" => Ok(ColumnType::Integer),
            "float" => Ok(ColumnType::Float),
            "bool" => Ok(ColumnType::Boolean),
            "json" => Ok(ColumnType::Json),
            other => Err(bug(format!("no type of a column: {other}"))),
        };
        let plan = columns
            .into_iter()
            .map(|(name, word)| Ok((name, kind(&word)?)))
            .collect::<PyResult<Vec<_>>>()?;
        Lines::open(py, path, plan, options).map(Self)
    }

    fn read<'py>(&self, py: Python<'py>) -> Read<'py, RecordBatch> {
        let Some(batch) = self.0.read(py)? else {
            return Ok(None);
        };
        let bad = bad_rows(py, batch.bad);
        let lent = Lent {
            columns: batch.taken,
            home: Arc::downgrade(&self.0.0),
        };
        Ok(Some((Bound::new(py, RecordBatch(Arc::new(lent)))?, bad)))
    }
}

/// Columns whose memory the reader has again once nobody needs them: fresh memory costs as much as what is written there.
pub(super) struct Lent {
    columns: Columns,
    home: Weak<Mutex<Batches<Columns>>>,
}

impl Deref for Lent {
    type Target = Columns;

    fn deref(&self) -> &Columns {
        &self.columns
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // A reader that is at work is not waited for: whoever lets go may hold what it waits for.
        if let Some(home) = self.home.upgrade()
            && let Ok(mut batches) = home.try_lock()
        {
            batches.give_back(std::mem::take(&mut self.columns));
        }
    }
}

/// Finds lines by their number.
#[pyclass(frozen, module = "codex._core")]
pub(super) struct LineIndex {
    index: Index,
    path: PathBuf,
    rules: Rules,
    scratch: Mutex<(Vec<u8>, Rows, Kept)>,
}

#[pymethods]
impl LineIndex {
    #[new]
    fn new(py: Python<'_>, path: PathBuf, refuses_twins: bool, takes_nan: bool) -> PyResult<Self> {
        let index = released(py, || Index::open(&path))?;
        let rules = Rules {
            refuses_twins,
            takes_nan,
        };
        Ok(Self {
            index,
            path,
            rules,
            scratch: Mutex::default(),
        })
    }

    fn __len__(&self) -> usize {
        self.index.len()
    }

    /// The bytes of a line, with what white space stands behind it.
    fn line<'py>(&self, py: Python<'py>, number: isize) -> PyResult<Bound<'py, PyBytes>> {
        let number = self.place(number)?;
        let bytes = self.index.bytes(number).unwrap_or(0).min(MAXIMUM_LINE_BYTES);
        PyBytes::new_with(py, bytes, |line| {
            let failed = |error| raised(py, &error);
            if line.len() > SMALL_BYTES {
                released(py, || self.index.read_into(number, line))
            } else {
                self.index.read_into(number, line).map_err(failed)
            }
        })
    }

    fn __getitem__<'py>(&self, py: Python<'py>, number: isize) -> PyResult<Bound<'py, PyAny>> {
        let number = self.place(number)?;
        // Taken out, so that no lock is held while Python runs.
        let (mut line, mut rows, mut kept) = std::mem::take(&mut *locked(&self.scratch));
        let read = self.parse(number, &mut line, &mut rows);
        read.map_err(|error| raised(py, &error))?;
        let mut building = Building {
            py,
            rows: &rows,
            tokens: rows.tokens().iter(),
            wanted: &[],
            kept: &mut kept,
        };
        let token = building.next()?;
        let row = building.value(token)?;
        *locked(&self.scratch) = (line, rows, kept);
        Ok(row)
    }
}

impl LineIndex {
    fn place(&self, number: isize) -> PyResult<usize> {
        let length = self.index.len();
        let from_end = || length.checked_sub(number.unsigned_abs());
        let place = usize::try_from(number).ok().or_else(from_end);
        place
            .filter(|place| *place < length)
            .ok_or_else(|| PyIndexError::new_err(format!("no line {number} in a file of {length}")))
    }

    fn parse(&self, number: usize, line: &mut Vec<u8>, rows: &mut Rows) -> Result<()> {
        self.index.read(number, line)?;
        rows.clear();
        let text = line.trim_ascii_end();
        if std::str::from_utf8(text).is_ok() && rows.take_line(text, &None, self.rules) {
            return Ok(());
        }
        let fault = codex_records::fault_of_row(text, self.rules);
        Err(Error::from(BadLine {
            path: self.path.clone(),
            line: number as u64 + 1,
            byte: self.index.start(number).unwrap_or(0) + fault.at as u64,
            reason: fault.reason,
        }))
    }
}
