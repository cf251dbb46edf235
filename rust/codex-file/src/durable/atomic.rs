//! One file, replaced in one step.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::name;
use super::owner::create_owned;
use super::sink::Sink;
use crate::error::{Error, Result};
use crate::system;

/// A file that appears under its name whole, or not at all.
///
/// It is written beside its place and removed again unless [`AtomicFile::commit`] is called. It is a new file: it takes
/// neither the permissions of the one it replaces nor, where that is a link, the place it points to.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    partial: PathBuf,
    sink: Sink,
    renamed: bool,
}

impl AtomicFile {
    /// Starts a file that is to be at `path`.
    ///
    /// # Errors
    /// If nothing can be written in that folder.
    pub fn create(path: &Path) -> Result<Self> {
        let (partial, file) = create_owned(path)?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            sink: Sink::new(file, path.to_owned()),
            renamed: false,
        })
    }

    /// Puts the file in place: sync the file, rename it, sync the folder. From here on it survives a power cut.
    ///
    /// # Errors
    /// If any step fails. What was at the path before is still there then, or, when only the last sync failed, the new
    /// content is, without the promise that it stays.
    pub fn commit(mut self) -> Result<()> {
        self.sink.sync()?;
        self.put_in_place()?;
        let failed = |error| Error::io("put in place", &self.path, error);
        system::sync_folder(name::parent(&self.path)).map_err(failed)
    }

    /// Puts the file in place without a sync: what a power cut leaves of it may be anything. For what can be made again, and is held
    /// against its digest before it is used.
    ///
    /// # Errors
    /// If it cannot be written or renamed; what was at the path before is still there then.
    pub fn commit_unsynced(mut self) -> Result<()> {
        let flushed = self.sink.flush();
        flushed.map_err(|error| Error::io("write", &self.path, error))?;
        self.put_in_place()
    }

    fn put_in_place(&mut self) -> Result<()> {
        let renamed = system::rename(&self.partial, &self.path);
        renamed.map_err(|error| Error::io("put in place", &self.path, error))?;
        self.renamed = true;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.sink.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.renamed {
            // What cannot be removed is left to the sweep.
            let _ = system::remove_file(&self.partial);
        }
    }
}

/// Replaces the content of `path` in one step that survives a power cut.
///
/// # Errors
/// As [`AtomicFile::commit`].
pub fn write_atomic(path: &Path, data: &[u8]) -> Result<()> {
    written(path, data)?.commit()
}

/// The same without waiting for the disk; see [`AtomicFile::commit_unsynced`].
///
/// # Errors
/// As [`AtomicFile::commit_unsynced`].
pub fn write_atomic_unsynced(path: &Path, data: &[u8]) -> Result<()> {
    written(path, data)?.commit_unsynced()
}

fn written(path: &Path, data: &[u8]) -> Result<AtomicFile> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(data)
        .map_err(|error| Error::io("write", path, error))?;
    Ok(file)
}
