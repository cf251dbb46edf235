//! The names of what is not finished: `<name>.partial-<pid>-<n>`, and beside a folder of that name
//! `<name>.partial-<pid>-<n>.owner`, the file its owner holds locked, and `....old`, what it is about to replace.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result, quoted};

const MARK: &[u8] = b".partial-";
const OWNER: &str = ".owner";
const OLD: &str = ".old";

/// The number of the next name; a name that is taken all the same is passed over.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name beside `path` that this process has not used yet.
pub(super) fn next_beside(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::usage(format!(
            "{} has no name to write under",
            quoted(path)
        )));
    };
    let mut partial = name.to_owned();
    partial.push(format!(
        ".partial-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    ));
    Ok(path.with_file_name(partial))
}

/// The folder in which `path` is a name.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(super) fn owner_of(partial: &Path) -> PathBuf {
    with_suffix(partial, OWNER)
}

pub(super) fn old_of(partial: &Path) -> PathBuf {
    with_suffix(partial, OLD)
}

fn with_suffix(partial: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(partial);
    path.push(suffix);
    path.into()
}

/// The partial name that `name` is or belongs to, and the name it was to become; `None` for all other names.
pub(super) fn parse(name: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = name.as_bytes();
    let suffix = [OWNER, OLD]
        .into_iter()
        .find(|suffix| bytes.ends_with(suffix.as_bytes()))
        .unwrap_or("");
    let partial = &bytes[..bytes.len() - suffix.len()];
    let mark = (1..partial.len())
        .rev()
        .find(|&at| partial[at..].starts_with(MARK))?;
    let mut numbers = partial[mark + MARK.len()..].split(|&byte| byte == b'-');
    let is_number = |part: Option<&[u8]>| {
        part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    let plain = is_number(numbers.next()) && is_number(numbers.next()) && numbers.next().is_none();
    plain.then(|| (OsStr::from_bytes(partial), OsStr::from_bytes(&partial[..mark])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_name_tells_what_it_was_to_become() {
        let partial = next_beside(Path::new("runs/step-1.partial-x")).unwrap();
        for path in [partial.clone(), owner_of(&partial), old_of(&partial)] {
            let parsed = parse(path.file_name().unwrap()).unwrap();
            assert_eq!(
                parsed,
                (partial.file_name().unwrap(), OsStr::new("step-1.partial-x"))
            );
        }
        assert_ne!(
            next_beside(Path::new("a")).unwrap(),
            next_beside(Path::new("a")).unwrap()
        );
    }

    #[test]
    fn other_names_are_left_alone() {
        for name in [
            "a",
            ".partial-1-2",
            "a.partial-1",
            "a.partial-1-",
            "a.partial-1-2-3",
            "a.partial-1-x",
            "a.partial--1",
            "a.owner",
        ] {
            assert_eq!(parse(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn a_path_without_a_name_is_refused() {
        for path in ["/", "..", ""] {
            assert!(next_beside(Path::new(path)).is_err(), "{path}");
        }
    }
}
