//! An older part of a log gets a name of its own, and no other process ever sees the log's name free.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::name;
use super::owner::take;
use crate::error::{Error, Result, quoted};
use crate::system;

/// Lets the file at `path` stand under the next numbered name and an empty one, locked, under its own.
pub(super) fn turn(path: &Path) -> Result<(PathBuf, File)> {
    let failed = |error| Error::io("rotate", path, error);
    let older = next_name(path)?;
    let file = system::open_appending(&older).map_err(failed)?;
    if !take(&file, &older).map_err(failed)? {
        return Err(Error::locked(format!(
            "{} is being written by another process",
            quoted(&older)
        )));
    }
    // The two names change places in one step.
    let swapped = system::swap(path, &older).map_err(failed)?;
    let file = if swapped {
        file
    } else {
        system::rename(path, &older).map_err(failed)?;
        let file = system::open_appending(path).map_err(failed)?;
        if !take(&file, path).map_err(failed)? {
            return Err(Error::locked(format!(
                "{} was taken by another process between two files",
                quoted(path)
            )));
        }
        file
    };
    system::sync_folder(name::parent(path)).map_err(failed)?;
    Ok((older, file))
}

/// One above the highest number there is, or that one if a kill has left it empty.
fn next_name(path: &Path) -> Result<PathBuf> {
    let failed = |error| Error::io("rotate", path, error);
    let mut highest = 0;
    for entry in std::fs::read_dir(name::parent(path)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        highest = highest.max(number_of(path, &entry.file_name()).unwrap_or(0));
    }
    let last = numbered(path, highest);
    let is_left_empty = highest > 0 && last.metadata().is_ok_and(|found| found.len() == 0);
    Ok(if is_left_empty {
        last
    } else {
        numbered(path, highest + 1)
    })
}

fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{number:06}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn number_of(path: &Path, name: &OsStr) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let behind = name.to_str()?.strip_prefix(stem)?.strip_prefix('.')?;
    let digits = match path.extension() {
        Some(extension) => behind.strip_suffix(extension.to_str()?)?.strip_suffix('.')?,
        None => behind,
    };
    let is_number = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}
