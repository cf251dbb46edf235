//! The one error of this crate, and the one thing that can be wrong with a line.

use crate::MAXIMUM_LINE_BYTES;
use codex_file::Class;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong with a file of records, or a record.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    BadLine(BadLine),
    Record {
        source: String,
        reason: String,
    },
    Meta {
        at: usize,
        reason: String,
    },
    Id {
        text: String,
    },
    Fraction {
        fraction: f64,
    },
    NoWayIn {
        path: PathBuf,
        format: &'static str,
    },
    Value {
        place: String,
        reason: String,
    },
    LongLine {
        bytes: usize,
    },
    Setting {
        name: &'static str,
        got: String,
        wanted: &'static str,
    },
    Closed {
        what: &'static str,
    },
    /// One that several callers are told.
    Shared(Arc<Error>),
    File(codex_file::Error),
}

/// A line that is no record: where it is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The file it is in.
    pub path: PathBuf,
    /// Its number; the first is 1.
    pub line: u64,
    /// The byte that is wrong, counted from the start of the plain file; the first is 0.
    pub byte: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl Error {
    /// The exit code it stands for.
    #[must_use]
    pub fn class(&self) -> Class {
        match &self.kind {
            Kind::Fraction { .. } | Kind::NoWayIn { .. } | Kind::Closed { .. } | Kind::Setting { .. } => {
                Class::Usage
            }
            Kind::Shared(error) => error.class(),
            Kind::File(error) => error.class(),
            _ => Class::Data,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.kind {
            Kind::File(error) => error.hint(),
            Kind::Shared(error) => error.hint(),
            Kind::NoWayIn { .. } => Some("unpack it first".to_owned()),
            _ => None,
        }
    }

    /// The line, if that is what is wrong: the reader goes on behind it.
    #[must_use]
    pub fn bad_line(&self) -> Option<&BadLine> {
        match &self.kind {
            Kind::BadLine(bad) => Some(bad),
            _ => None,
        }
    }

    /// A value that JSON does not have, and the place where it was found, escaped already.
    #[must_use]
    pub fn value(place: &str, reason: impl Into<String>) -> Self {
        Kind::Value {
            place: place.to_owned(),
            reason: reason.into(),
        }
        .into()
    }

    /// A record that cannot be written.
    pub(crate) fn record(source: &str, reason: impl Into<String>) -> Self {
        Kind::Record {
            source: source.to_owned(),
            reason: reason.into(),
        }
        .into()
    }

    pub(crate) fn meta(at: usize, reason: impl Into<String>) -> Self {
        Kind::Meta {
            at,
            reason: reason.into(),
        }
        .into()
    }

    pub(crate) fn id(text: &str) -> Self {
        Kind::Id {
            text: text.to_owned(),
        }
        .into()
    }

    pub(crate) fn fraction(fraction: f64) -> Self {
        Kind::Fraction { fraction }.into()
    }

    pub(crate) fn no_way_in(path: &Path, format: &'static str) -> Self {
        let path = path.to_owned();
        Kind::NoWayIn { path, format }.into()
    }

    pub(crate) fn long_line(bytes: usize) -> Self {
        Kind::LongLine { bytes }.into()
    }

    pub(crate) fn setting(name: &'static str, got: impl fmt::Display, wanted: &'static str) -> Self {
        let got = got.to_string();
        Kind::Setting { name, got, wanted }.into()
    }

    pub(crate) fn closed(what: &'static str) -> Self {
        Kind::Closed { what }.into()
    }

    pub(crate) fn shared(error: &Arc<Self>) -> Self {
        Kind::Shared(Arc::clone(error)).into()
    }

    pub(crate) fn io(action: &str, path: &Path, source: std::io::Error) -> Self {
        codex_file::Error::io(action, path, source).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::BadLine(bad) => bad.fmt(f),
            Kind::Record { source, reason } => {
                write!(f, "the record of `{}` {reason}", source.escape_debug())
            }
            Kind::Meta { at, reason } => write!(f, "`meta` is no JSON object of ours: {reason} at byte {at}"),
            Kind::Id { text } => write!(
                f,
                "`{}` is no id, expected 32 lower-case hex digits",
                text.escape_debug()
            ),
            Kind::Fraction { fraction } => write!(f, "the held-out fraction is {fraction}, expected 0 to 1"),
            Kind::NoWayIn { path, format } => write!(
                f,
                "`{}` is compressed ({format}): there is no way to a line in the middle",
                path.display().to_string().escape_debug()
            ),
            Kind::Value { place, reason } => write!(f, "`{place}` {reason}"),
            Kind::Setting { name, got, wanted } => write!(f, "`{name}` is {got}, expected {wanted}"),
            Kind::LongLine { bytes } => {
                write!(
                    f,
                    "the line has {bytes} bytes, expected at most {MAXIMUM_LINE_BYTES}"
                )
            }
            Kind::Closed { what } => write!(f, "the {what} is closed already"),
            Kind::Shared(error) => error.fmt(f),
            Kind::File(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display().to_string();
        write!(
            f,
            "`{}`, line {}, byte {}: {}",
            path.escape_debug(),
            self.line,
            self.byte,
            self.reason
        )
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::File(error) => Some(error),
            Kind::Shared(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind }
    }
}

impl From<BadLine> for Error {
    fn from(bad: BadLine) -> Self {
        Kind::BadLine(bad).into()
    }
}

impl From<codex_file::Error> for Error {
    fn from(error: codex_file::Error) -> Self {
        Kind::File(error).into()
    }
}
