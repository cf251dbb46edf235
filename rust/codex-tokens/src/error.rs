//! The one error of this crate.

use codex_file::Class;
use std::fmt;
use std::path::{Path, PathBuf};

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong with a tokenizer, a text, some ids or a shard.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    file: Option<PathBuf>,
}

#[derive(Debug)]
enum Kind {
    SpecialInText {
        special: String,
        at: usize,
    },
    UnknownId {
        id: u64,
        place: usize,
        vocabulary_size: usize,
    },
    VocabularySize {
        wanted: usize,
        smallest: usize,
    },
    SpeltSpecial {
        special: String,
    },
    Usage {
        what: String,
    },
    Tokenizer {
        path: String,
        what: String,
    },
    Shard {
        what: String,
    },
    Document {
        what: String,
    },
    /// The caller wanted no more.
    Stopped,
    File(codex_file::Error),
    Records(codex_records::Error),
}

impl Error {
    /// The exit code it stands for.
    #[must_use]
    pub fn class(&self) -> Class {
        match &self.kind {
            Kind::SpecialInText { .. } | Kind::UnknownId { .. } | Kind::Document { .. } => Class::Data,
            Kind::VocabularySize { .. } | Kind::SpeltSpecial { .. } | Kind::Usage { .. } => Class::Usage,
            Kind::Tokenizer { .. } | Kind::Shard { .. } => Class::Damage,
            Kind::Stopped => Class::Machine,
            Kind::File(error) => error.class(),
            Kind::Records(error) => error.class(),
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.kind {
            Kind::SpecialInText { .. } => Some(
                "encode it as ordinary text (specials `text`) or as the special token (specials `ids`)"
                    .to_owned(),
            ),
            Kind::SpeltSpecial { .. } => {
                Some("use a text that ordinary words cannot spell, such as `<|name|>`".to_owned())
            }
            Kind::UnknownId { .. } => Some("were the ids made with another tokenizer?".to_owned()),
            Kind::File(error) => error.hint(),
            Kind::Records(error) => error.hint(),
            _ => None,
        }
    }

    /// Whether the caller itself has stopped the work.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self.kind, Kind::Stopped)
    }

    pub(crate) fn stopped() -> Self {
        Kind::Stopped.into()
    }

    /// The same fault, said of the file at `path`.
    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.to_owned());
        self
    }

    pub(crate) fn special_in_text(special: &str, at: usize) -> Self {
        Kind::SpecialInText {
            special: special.to_owned(),
            at,
        }
        .into()
    }

    pub(crate) fn unknown_id(id: impl Into<u64>, place: usize, vocabulary_size: usize) -> Self {
        Kind::UnknownId {
            id: id.into(),
            place,
            vocabulary_size,
        }
        .into()
    }

    pub(crate) fn vocabulary_size(wanted: usize, smallest: usize) -> Self {
        Kind::VocabularySize { wanted, smallest }.into()
    }

    pub(crate) fn spelt_special(special: String) -> Self {
        Kind::SpeltSpecial { special }.into()
    }

    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Kind::Usage { what: what.into() }.into()
    }

    /// A fault in a `tokenizer.json`, at a JSON path such as `model.merges[7]`.
    pub(crate) fn tokenizer(path: impl Into<String>, what: impl Into<String>) -> Self {
        Kind::Tokenizer {
            path: path.into(),
            what: what.into(),
        }
        .into()
    }

    /// A byte-level vocabulary has no token for a byte.
    pub(crate) fn missing_byte(byte: usize) -> Self {
        let spelling = u8::try_from(byte).map_or(char::REPLACEMENT_CHARACTER, crate::alphabet::char_of);
        Self::tokenizer(
            "model.vocab",
            format!("lacks `{spelling}`, the token of byte 0x{byte:02x}"),
        )
    }

    /// A fault in a token shard.
    pub(crate) fn shard(what: impl Into<String>) -> Self {
        Kind::Shard { what: what.into() }.into()
    }

    pub(crate) fn document(what: impl Into<String>) -> Self {
        Kind::Document { what: what.into() }.into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "`{}`: ", file.display())?;
        }
        match &self.kind {
            Kind::SpecialInText { special, at } => {
                write!(f, "special token `{special}` in the text at byte {at}")
            }
            Kind::UnknownId {
                id,
                place,
                vocabulary_size,
            } => {
                write!(
                    f,
                    "unknown id `{id}` at place {place}, expected below {vocabulary_size}"
                )
            }
            Kind::VocabularySize { wanted, smallest } => write!(
                f,
                "`vocabulary_size` is {wanted}, expected at least {smallest}: every byte and special token has an id"
            ),
            Kind::SpeltSpecial { special } => {
                write!(f, "special token `{special}` is also spelt by ordinary text")
            }
            Kind::Usage { what } | Kind::Document { what } | Kind::Shard { what } => f.write_str(what),
            Kind::Tokenizer { path, what } => write!(f, "`{path}` {what}"),
            Kind::Stopped => f.write_str("stopped by the caller"),
            Kind::File(error) => error.fmt(f),
            Kind::Records(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::File(error) => Some(error),
            Kind::Records(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind, file: None }
    }
}

impl From<codex_file::Error> for Error {
    fn from(error: codex_file::Error) -> Self {
        Kind::File(error).into()
    }
}

impl From<codex_records::Error> for Error {
    fn from(error: codex_records::Error) -> Self {
        Kind::Records(error).into()
    }
}
