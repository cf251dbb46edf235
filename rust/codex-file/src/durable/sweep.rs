//! Removing what the dead have left behind.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::name;
use super::owner::take;
use super::remove::remove_tree;
use crate::error::{Error, Result};
use crate::system;

/// Removes every partial file and folder in `folder` whose owner is dead, and says which.
///
/// What a living process owns stays, also one on another machine if the file system carries locks between them. A folder
/// that was moved aside to be replaced, and never was, gets its name back. A folder that does not exist holds nothing.
///
/// # Errors
/// If something cannot be listed or removed.
pub fn sweep_partial(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        answer => answer.map_err(|error| Error::io("list", folder, error))?,
    };
    let mut found: BTreeMap<OsString, OsString> = BTreeMap::new();
    for entry in entries {
        let name = entry
            .map_err(|error| Error::io("list", folder, error))?
            .file_name();
        if let Some((partial, becomes)) = name::parse(&name) {
            found.insert(partial.to_owned(), becomes.to_owned());
        }
    }
    let mut removed = Vec::new();
    for (partial, becomes) in found {
        let partial = folder.join(partial);
        if sweep(&partial, &folder.join(becomes)).map_err(|error| Error::io("sweep", &partial, error))? {
            removed.push(partial);
        }
    }
    Ok(removed)
}

/// Removes one partial name with all that belongs to it; false if its owner lives or it is gone already.
fn sweep(partial: &Path, becomes: &Path) -> io::Result<bool> {
    if partial
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file())
    {
        // A single file carries its owner's lock itself.
        return match OpenOptions::new().read(true).write(true).open(partial) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
            Ok(file) if take(&file, partial)? => remove_tree(partial).map(|()| true),
            Ok(_) => Ok(false),
        };
    }
    let (owner, old) = (name::owner_of(partial), name::old_of(partial));
    if [partial, &owner, &old]
        .iter()
        .all(|path| path.symlink_metadata().is_err())
    {
        return Ok(false);
    }
    let lock: File = system::open_or_create(&owner)?;
    if !take(&lock, &owner)? {
        return Ok(false);
    }
    if old.symlink_metadata().is_ok() && becomes.symlink_metadata().is_err() {
        system::rename_new(&old, becomes)?;
        system::sync_folder(name::parent(becomes))?;
    }
    remove_tree(&old)?;
    remove_tree(partial)?;
    remove_tree(&owner)?;
    Ok(true)
}
