//! Folders made durable: those above a place, and those in a tree.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::name;
use crate::error::{Error, Result};
use crate::system;

/// Makes the folder at `path`, and those above it that are missing, each one durable in the one above.
///
/// # Errors
/// If one cannot be made, or a file is in the way.
pub fn create_folder(path: &Path) -> Result<()> {
    if path.is_dir() || path.as_os_str().is_empty() {
        return Ok(());
    }
    let failed = |error| Error::io("create", path, error);
    let above = name::parent(path);
    create_folder(above)?;
    match system::make_folder(path) {
        Ok(()) => system::sync_folder(above).map_err(failed),
        // Another process was faster, and may not have come to its sync yet.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {
            system::sync_folder(above).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Syncs every folder in the tree, and every file that has not been synced yet.
pub(super) fn sync_tree(folder: &Path, durable: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_tree(&path, durable)?;
        } else if kind.is_file() && !durable.contains(&path) {
            system::sync(&File::open(&path)?)?;
        }
    }
    system::sync_folder(folder)
}
