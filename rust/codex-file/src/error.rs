//! What can go wrong with a file, said in one line, and the exit code it becomes.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What an error means to the person at the command line; each class has one exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Class {
    /// A file or folder that should be there is not (3).
    Missing,
    /// Data that cannot be read (3).
    Data,
    /// A manifest, shard, tokenizer or checkpoint that is damaged or too new (4).
    Damage,
    /// No room on the disk (5).
    DiskFull,
    /// Another process owns it (5).
    Locked,
    /// The machine stands in the way (5).
    Machine,
    /// A call that cannot be (2).
    Usage,
}

/// One fault: what, got, wanted, where; and perhaps how to mend it.
pub struct Error(Box<Fault>);

struct Fault {
    class: Class,
    message: String,
    hint: Option<String>,
    source: Option<io::Error>,
}

impl Error {
    fn new(class: Class, message: impl Into<String>) -> Self {
        Self(Box::new(Fault {
            class,
            message: message.into(),
            hint: None,
            source: None,
        }))
    }

    /// A damaged or incompatible file of ours.
    pub fn damage(message: impl Into<String>) -> Self {
        Self::new(Class::Damage, message)
    }

    /// Data that cannot be read.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Class::Data, message)
    }

    /// Something that is not there.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(Class::Missing, message)
    }

    /// A call that cannot be.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Class::Usage, message)
    }

    /// Something that another process owns.
    pub fn locked(message: impl Into<String>) -> Self {
        Self::new(Class::Locked, message)
    }

    /// A disk without room.
    pub fn disk_full(message: impl Into<String>) -> Self {
        Self::new(Class::DiskFull, message)
    }

    /// A machine that cannot do it.
    pub fn machine(message: impl Into<String>) -> Self {
        Self::new(Class::Machine, message)
    }

    /// What the system answered when asked to `action` (`read`, `write`, `rename` ...) `path`.
    ///
    /// An [`Error`] that travelled inside `source`, as it does through [`std::io::Read`] and [`std::io::Write`], comes
    /// back as it was.
    #[must_use]
    pub fn io(action: &str, path: &Path, source: io::Error) -> Self {
        let source = match source.downcast::<Self>() {
            Ok(error) => return error,
            Err(source) => source,
        };
        let class = match source.kind() {
            ErrorKind::NotFound => Class::Missing,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Class::DiskFull,
            ErrorKind::IsADirectory | ErrorKind::NotADirectory => Class::Data,
            _ => Class::Machine,
        };
        let message = format!("cannot {action} {}: {}", quoted(path), system_reason(&source));
        Self(Box::new(Fault {
            class,
            message,
            hint: None,
            source: Some(source),
        }))
    }

    /// The same fault with a way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same fault, said of the file at `path`.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.0.message = format!("{}: {}", quoted(path), self.0.message);
        self
    }

    /// What it means to the person at the command line.
    #[must_use]
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// How to mend it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.0.hint.clone()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.0.class, self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

impl From<Error> for io::Error {
    /// Carries the error through [`std::io::Read`] and [`std::io::Write`]; [`Error::io`] takes it out again.
    fn from(error: Error) -> Self {
        let kind = match error.class() {
            Class::Missing => ErrorKind::NotFound,
            Class::Data | Class::Damage => ErrorKind::InvalidData,
            Class::DiskFull => ErrorKind::StorageFull,
            Class::Locked => ErrorKind::WouldBlock,
            Class::Usage => ErrorKind::InvalidInput,
            Class::Machine => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// A path between backticks; control characters are escaped, so that a name cannot write on the terminal.
pub(crate) fn quoted(path: &Path) -> String {
    let mut text = String::from("`");
    for character in path.display().to_string().chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text.push('`');
    text
}

/// The system's own words, in the shape of ours: lower case, without the error's number.
#[must_use]
pub fn system_reason(source: &io::Error) -> String {
    let text = source.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_map_to_the_class_a_user_can_act_on() {
        use rustix::io::Errno;
        for (errno, class) in [
            (Errno::NOSPC, Class::DiskFull),
            (Errno::DQUOT, Class::DiskFull),
            (Errno::NOENT, Class::Missing),
            (Errno::ISDIR, Class::Data),
            (Errno::NOTDIR, Class::Data),
            (Errno::ACCESS, Class::Machine),
            (Errno::ROFS, Class::Machine),
            (Errno::IO, Class::Machine),
        ] {
            let error = Error::io("write", Path::new("a/b"), errno.into());
            assert_eq!(error.class(), class, "{errno}");
        }
    }

    #[test]
    fn the_message_is_one_lower_case_line_that_names_the_file() {
        let error = Error::io(
            "write",
            Path::new("a/\x1b[31mb\n"),
            rustix::io::Errno::NOSPC.into(),
        );
        assert_eq!(
            error.to_string(),
            "cannot write `a/\\u{1b}[31mb\\n`: no space left on device"
        );
    }

    #[test]
    fn an_error_survives_the_journey_through_read_and_write() {
        let inner = Error::data("not valid gzip")
            .with_hint("fetch it again")
            .in_file(Path::new("a.gz"));
        let outer = Error::io("read", Path::new("other"), io::Error::from(inner));
        assert_eq!(outer.to_string(), "`a.gz`: not valid gzip");
        assert_eq!(
            (outer.class(), outer.hint().as_deref()),
            (Class::Data, Some("fetch it again"))
        );
    }
}
