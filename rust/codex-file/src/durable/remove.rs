//! Removing a folder so that half of it is never seen under its name.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::name;
use super::owner::Reserved;
use crate::error::{Error, Result};
use crate::system;

/// Takes the folder at `path` away in one step that survives a power cut, then removes what is in it.
///
/// It gets a partial name first: killed half-way, the rest is the sweep's.
///
/// # Errors
/// If it is not there, or cannot be renamed or removed.
pub fn remove_folder(path: &Path) -> Result<()> {
    let failed = |error| Error::io("remove", path, error);
    let reserved = Reserved::beside(path)?;
    if let Err(error) = system::rename_new(path, &reserved.partial) {
        reserved.release();
        return Err(failed(error));
    }
    system::sync_folder(name::parent(path)).map_err(failed)?;
    remove_tree(&reserved.partial).map_err(failed)?;
    reserved.release();
    Ok(())
}

/// Removes the file at `path` in a way that survives a power cut; one that is gone already is fine.
///
/// # Errors
/// If it is there and cannot be removed.
pub fn remove_file(path: &Path) -> Result<()> {
    let failed = |error| Error::io("remove", path, error);
    match system::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        answer => answer
            .and_then(|()| system::sync_folder(name::parent(path)))
            .map_err(failed),
    }
}

/// Removes `path` and everything below it, following no link. What is gone already is fine.
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    let answer = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => {
            for entry in path.read_dir()? {
                remove_tree(&entry?.path())?;
            }
            system::remove_empty_folder(path)
        }
        Ok(_) => system::remove_file(path),
        Err(error) => Err(error),
    };
    match answer {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        answer => answer,
    }
}
