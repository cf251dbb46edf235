//! Python's values to JSON: each exactly, or not at all, with the place of what has no JSON.

use codex_records::{Error, encode};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};
use pyo3::{Borrowed, ffi};

use crate::errors::raised;

/// As deep as it is read back.
const MAXIMUM_DEPTH: usize = 127;

/// What has no JSON: the steps that lead there, the last first, and why.
struct Fault {
    steps: Vec<String>,
    reason: Reason,
}

enum Reason {
    Said(String),
    /// `is` or `has` something of a type, and what was expected. Its name is asked for at the end: that may run code of Python's.
    Type(&'static str, Py<PyType>, &'static str),
}

/// In a box, so that the answer of a value that has JSON is one register.
type Written = Result<(), Box<Fault>>;

/// Keys kept, so that a row like the one before costs no look at them.
const KEPT_KEYS: usize = 64;

/// So much of a key is copied at once; longer ones are not kept.
const KEPT_BYTES: usize = 32;

/// The keys of the row before.
#[derive(Default)]
pub(super) struct Shape(Vec<KeptKey>);

/// A key, and what is written up to its value.
struct KeptKey {
    key: Py<PyAny>,
    before: [u8; KEPT_BYTES],
    length: usize,
}

impl KeptKey {
    /// `None` if there is too much of it, or letting go of the key could run code of Python's.
    fn of(key: Borrowed<'_, '_, PyAny>, written: &[u8]) -> Option<Self> {
        let mut before = [0; KEPT_BYTES];
        before.get_mut(..written.len())?.copy_from_slice(written);
        key.is_exact_instance_of::<PyString>().then(|| Self {
            key: key.to_owned().unbind(),
            before,
            length: written.len(),
        })
    }
}

/// Adds the line of `row` to `out`, which stays as it was if the row has no JSON; `name` stands for it in the error.
pub(super) fn line(
    out: &mut Vec<u8>,
    shape: &mut Shape,
    row: &Bound<'_, PyAny>,
    takes_nan: bool,
    name: impl FnOnce() -> String,
) -> PyResult<()> {
    let start = out.len();
    let mut encoder = Encoder {
        out,
        takes_nan,
        depth: 0,
    };
    let written = match row.cast::<PyDict>() {
        Ok(row) => encoder.row(row.as_borrowed(), shape),
        Err(_) => odd("is", row.as_borrowed(), "expected a dictionary"),
    };
    written.map_err(|fault| {
        let Fault { mut steps, reason } = *fault;
        out.truncate(start);
        steps.push(name());
        steps.reverse();
        let reason = match reason {
            Reason::Said(reason) => reason,
            Reason::Type(verb, kind, wanted) => {
                let name = kind.bind(row.py()).name();
                let name = name.map_or_else(|_| "unknown".to_owned(), |name| name.to_string());
                format!("{verb} of type {name}, {wanted}")
            }
        };
        raised(row.py(), &Error::value(&steps.concat(), reason))
    })?;
    out.push(b'\n');
    Ok(())
}

struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    takes_nan: bool,
    depth: usize,
}

impl Encoder<'_> {
    /// The outermost object: what stands between its values is copied from the row before, where the keys are the same.
    fn row(&mut self, row: Borrowed<'_, '_, PyDict>, shape: &mut Shape) -> Written {
        self.depth = 1;
        let mut place = 0;
        each(row, |key, value| {
            match shape.0.get(place) {
                Some(kept) if kept.key.as_ptr() == key.as_ptr() => {
                    encode::put_start(self.out, &kept.before, kept.length);
                }
                _ => {
                    let start = self.out.len();
                    self.out.push(if place == 0 { b'{' } else { b',' });
                    self.key(key)?;
                    shape.0.truncate(place);
                    if place == shape.0.len() && place < KEPT_KEYS {
                        shape.0.extend(KeptKey::of(key, &self.out[start..]));
                    }
                }
            }
            place += 1;
            self.member(key, value)
        })?;
        if place == 0 {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        Ok(())
    }

    fn object(&mut self, object: Borrowed<'_, '_, PyDict>) -> Written {
        self.deeper()?;
        let mut before = b'{';
        each(object, |key, value| {
            self.out.push(std::mem::replace(&mut before, b','));
            self.key(key)?;
            self.member(key, value)
        })?;
        if before == b'{' {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    fn key(&mut self, key: Borrowed<'_, '_, PyAny>) -> Written {
        let Ok(text) = key.cast::<PyString>() else {
            return odd("has a key", key, "expected a string");
        };
        self.string(text)?;
        self.out.push(b':');
        Ok(())
    }

    #[inline]
    fn member(&mut self, key: Borrowed<'_, '_, PyAny>, value: Borrowed<'_, '_, PyAny>) -> Written {
        self.value(value).map_err(|mut fault| {
            let key = key.cast::<PyString>();
            let key = key.as_ref().map(|key| key.to_string_lossy()).unwrap_or_default();
            fault.steps.push(format!("[{key:?}]"));
            fault
        })
    }

    #[inline]
    fn value(&mut self, value: Borrowed<'_, '_, PyAny>) -> Written {
        if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.float(float_of(number))
        } else if let Ok(text) = value.cast_exact::<PyString>() {
            self.string(text)
        } else if let Ok(number) = value.cast_exact::<PyInt>() {
            self.integer(number)
        } else {
            self.other(value)
        }
    }

    fn other(&mut self, value: Borrowed<'_, '_, PyAny>) -> Written {
        if value.is_none() {
            self.put(b"null")
        } else if let Ok(truth) = value.cast_exact::<PyBool>() {
            self.put(if truth.is_true() { b"true" } else { b"false" })
        } else if let Ok(object) = value.cast::<PyDict>() {
            self.object(object)
        } else if let Ok(list) = value.cast::<PyList>() {
            self.array(list.iter())
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.array(tuple.iter())
        } else if let Ok(text) = value.cast::<PyString>() {
            self.string(text)
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.integer(number)
        } else if let Ok(number) = value.cast::<PyFloat>() {
            self.float(float_of(number))
        } else {
            let wanted = "expected a string, a number, a list, a dictionary, a boolean or None";
            odd("is", value, wanted)
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "one arm of `value` beside others")]
    fn put(&mut self, word: &[u8]) -> Written {
        self.out.extend_from_slice(word);
        Ok(())
    }

    #[inline]
    fn string(&mut self, text: Borrowed<'_, '_, PyString>) -> Written {
        let Ok(text) = text.to_str() else {
            return fault("has half a surrogate pair, which is no text");
        };
        encode::string(self.out, text);
        Ok(())
    }

    #[inline]
    fn float(&mut self, value: f64) -> Written {
        if value.is_finite() {
            encode::float(self.out, value);
            return Ok(());
        }
        let word: &[u8] = match value {
            f64::INFINITY => b"Infinity",
            f64::NEG_INFINITY => b"-Infinity",
            _ => b"NaN",
        };
        if self.takes_nan {
            return self.put(word);
        }
        fault(format!(
            "is {}, which JSON does not have",
            String::from_utf8_lossy(word)
        ))
    }

    #[inline]
    fn integer(&mut self, number: Borrowed<'_, '_, PyInt>) -> Written {
        if let Ok(small) = number.extract() {
            encode::integer(self.out, small);
            return Ok(());
        }
        // Of `int` itself, for what a subclass writes may be anything.
        let digits = number
            .py()
            .get_type::<PyInt>()
            .call_method1("__repr__", (number,));
        match digits.as_ref().map(PyAnyMethods::extract::<&str>) {
            Ok(Ok(digits)) => self.put(digits.as_bytes()),
            _ => fault("is an integer of more digits than Python writes"),
        }
    }

    fn array<'py>(&mut self, items: impl Iterator<Item = Bound<'py, PyAny>>) -> Written {
        self.deeper()?;
        self.out.push(b'[');
        for (number, item) in items.enumerate() {
            if number > 0 {
                self.out.push(b',');
            }
            self.value(item.as_borrowed()).map_err(|mut fault| {
                fault.steps.push(format!("[{number}]"));
                fault
            })?;
        }
        self.out.push(b']');
        self.depth -= 1;
        Ok(())
    }

    fn deeper(&mut self) -> Written {
        self.depth += 1;
        if self.depth > MAXIMUM_DEPTH {
            return fault(format!("is nested deeper than {MAXIMUM_DEPTH} levels"));
        }
        Ok(())
    }
}

/// Hands over every key and value, none of them counted once more.
#[allow(unsafe_code)] // the iterator of pyo3 counts up and down four times an item
fn each<'a, 'py>(
    object: Borrowed<'a, 'py, PyDict>,
    mut member: impl FnMut(Borrowed<'a, 'py, PyAny>, Borrowed<'a, 'py, PyAny>) -> Written,
) -> Written {
    let mut place = 0;
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the interpreter is held, and nothing done to a value runs code of Python's that could change the dictionary:
    // so its keys and values, which the call lends, live as long as it does.
    unsafe {
        while ffi::PyDict_Next(object.as_ptr(), &raw mut place, &raw mut key, &raw mut value) != 0 {
            let (key, value) = (
                Borrowed::from_ptr(object.py(), key),
                Borrowed::from_ptr(object.py(), value),
            );
            member(key, value)?;
        }
    }
    Ok(())
}

/// The double that a float holds.
#[inline]
#[allow(unsafe_code)] // pyo3's own is a call more
fn float_of(number: Borrowed<'_, '_, PyFloat>) -> f64 {
    // SAFETY: the interpreter is held and the object is a float, of which the call cannot fail.
    unsafe { ffi::PyFloat_AsDouble(number.as_ptr()) }
}

fn fault(reason: impl Into<String>) -> Written {
    Err(Box::new(Fault {
        steps: Vec::new(),
        reason: Reason::Said(reason.into()),
    }))
}

fn odd(verb: &'static str, value: Borrowed<'_, '_, PyAny>, wanted: &'static str) -> Written {
    let steps = Vec::new();
    let reason = Reason::Type(verb, value.get_type().unbind(), wanted);
    Err(Box::new(Fault { steps, reason }))
}
