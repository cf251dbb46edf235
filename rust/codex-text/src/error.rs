//! The one error of this crate: why some bytes are no text.

use std::fmt;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why some bytes are no text; the message names the byte and its offset in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Nul {
        what: &'static str,
        at: usize,
    },
    Undecodable {
        encoding: &'static str,
        byte: u8,
        at: usize,
    },
    UnknownCookie {
        cookie: String,
    },
    CookieAgainstMark {
        cookie: String,
    },
}

impl Error {
    /// A zero byte where no encoding of text has one.
    pub(crate) fn nul(at: usize) -> Self {
        Self {
            kind: Kind::Nul { what: "byte", at },
        }
    }

    /// A zero character, made of several bytes.
    pub(crate) fn nul_character(at: usize) -> Self {
        Self {
            kind: Kind::Nul {
                what: "character",
                at,
            },
        }
    }

    /// `byte`, at `at` in the file, begins nothing that `encoding` knows.
    pub(crate) fn undecodable(encoding: &'static str, byte: u8, at: usize) -> Self {
        Self {
            kind: Kind::Undecodable { encoding, byte, at },
        }
    }

    pub(crate) fn unknown_cookie(cookie: &str) -> Self {
        Self {
            kind: Kind::UnknownCookie {
                cookie: cookie.to_owned(),
            },
        }
    }

    pub(crate) fn cookie_against_mark(cookie: &str) -> Self {
        Self {
            kind: Kind::CookieAgainstMark {
                cookie: cookie.to_owned(),
            },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Nul { what, at } => write!(f, "not text: NUL {what} at {at}"),
            Kind::Undecodable { encoding, byte, at } => write!(f, "not {encoding}: byte {byte:#04x} at {at}"),
            Kind::UnknownCookie { cookie } => write!(f, "unknown encoding cookie `{cookie}`"),
            Kind::CookieAgainstMark { cookie } => {
                write!(
                    f,
                    "encoding cookie `{cookie}` contradicts the UTF-8 byte-order mark"
                )
            }
        }
    }
}

impl std::error::Error for Error {}
