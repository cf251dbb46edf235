//! A folder of files that appears all at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::name;
use super::owner::Reserved;
use super::remove::remove_tree;
use super::sink::Sink;
use super::sync::sync_tree;
use crate::digest::{Algorithm, Hasher};
use crate::error::{Error, Result, quoted};
use crate::manifest::{FileEntry, check_relative, list_others};
use crate::system;

/// A folder that appears under its name with everything in it, or not at all.
///
/// It is filled beside its place and removed again unless it is committed.
#[derive(Debug)]
pub struct PartialFolder {
    path: PathBuf,
    reserved: Reserved,
    files: Arc<Mutex<Files>>,
    in_place: bool,
}

/// The files that were created through the folder, by their path in it.
#[derive(Debug, Default)]
struct Files {
    open: BTreeSet<PathBuf>,
    durable: BTreeSet<PathBuf>,
    /// What is known of some, by their names: they were digested as they were written.
    entries: BTreeMap<String, FileEntry>,
}

impl PartialFolder {
    /// Starts a folder that is to be at `path`.
    ///
    /// # Errors
    /// If nothing can be written beside it.
    pub fn begin(path: &Path) -> Result<Self> {
        let reserved = Reserved::beside(path)?;
        if let Err(error) = system::make_folder(&reserved.partial) {
            reserved.release();
            return Err(Error::io("create", path, error));
        }
        Ok(Self {
            path: path.to_owned(),
            reserved,
            files: Arc::default(),
            in_place: false,
        })
    }

    /// Where the folder lies until it is committed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.reserved.partial
    }

    /// Creates the file `name` (parts joined by `/`; folders are made as needed), to be written once and finished.
    ///
    /// # Errors
    /// If the name leaves the folder or is taken, or the disk refuses.
    pub fn create_file(&self, name: &str) -> Result<DurableFile> {
        self.create(name, None)
    }

    /// The same, digested as it is written, so that [`PartialFolder::list_files`] need not read it.
    ///
    /// # Errors
    /// As [`PartialFolder::create_file`].
    pub fn create_digested_file(&self, name: &str, algorithm: Algorithm) -> Result<DurableFile> {
        self.create(name, Some(Hasher::new(algorithm)))
    }

    fn create(&self, name: &str, hasher: Option<Hasher>) -> Result<DurableFile> {
        check_relative(name).map_err(Error::usage)?;
        let path = self.path().join(name);
        let failed = |error| Error::io("create", &self.path.join(name), error);
        self.make_folders_for(Path::new(name)).map_err(failed)?;
        let file = system::create_new(&path).map_err(failed)?;
        lock(&self.files).open.insert(path.clone());
        let sink = Sink::new(file, self.path.join(name));
        Ok(DurableFile {
            sink,
            path,
            name: name.to_owned(),
            bytes: 0,
            hasher,
            files: Arc::clone(&self.files),
        })
    }

    /// Describes every file in the folder for its manifest; those that were digested as they were written are not read.
    ///
    /// # Errors
    /// As [`crate::manifest::list_files`].
    pub fn list_files(&self, algorithm: Algorithm) -> Result<Vec<FileEntry>> {
        list_others(self.path(), algorithm, &lock(&self.files).entries)
    }

    /// Puts the folder in place, where nothing may be yet: sync everything in it, rename it, sync the folder above.
    ///
    /// # Errors
    /// [`Class::Usage`](crate::Class::Usage) if a file was not finished or the path is taken; otherwise what the disk
    /// refused. Nothing is at the path then, or, when only the last sync failed, the whole folder is.
    pub fn commit(mut self) -> Result<()> {
        self.sync_content()?;
        match system::rename_new(self.path(), &self.path) {
            Ok(()) => self.settle(),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Error::usage(format!("{} exists already", quoted(&self.path))))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Puts the folder in place of the one that may be there. The two change places in one step; on a file system that
    /// cannot do that the old one is moved aside first, and the sweep puts it back if the second step never came.
    ///
    /// # Errors
    /// As [`PartialFolder::commit`]; the old folder is whole.
    pub fn commit_replacing(mut self) -> Result<()> {
        self.sync_content()?;
        match system::rename_new(self.path(), &self.path) {
            Ok(()) => return self.settle(),
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(self.failed(error)),
            Err(_) => {}
        }
        if !self.path.is_dir() {
            return Err(Error::usage(format!(
                "{} is not a folder, so it cannot be replaced by one",
                quoted(&self.path)
            )));
        }
        if !system::swap(self.path(), &self.path).map_err(|error| self.failed(error))? {
            self.move_aside()?;
        }
        self.settle()
    }

    /// Two renames instead of one exchange.
    fn move_aside(&self) -> Result<()> {
        let old = name::old_of(self.path());
        system::rename_new(&self.path, &old).map_err(|error| self.failed(error))?;
        system::rename_new(self.path(), &self.path).map_err(|error| {
            // If even this fails, the sweep does it.
            let _ = system::rename_new(&old, &self.path);
            self.failed(error)
        })
    }

    /// The new folder has its name: makes that last, then clears what is left beside it.
    fn settle(&mut self) -> Result<()> {
        self.in_place = true;
        system::sync_folder(name::parent(&self.path)).map_err(|error| self.failed(error))?;
        self.clear();
        Ok(())
    }

    /// Removes everything under the partial name; what cannot be removed is left to the sweep.
    fn clear(&self) {
        if remove_tree(self.path())
            .and_then(|()| remove_tree(&name::old_of(self.path())))
            .is_ok()
        {
            self.reserved.release();
        }
    }

    fn sync_content(&self) -> Result<()> {
        let files = lock(&self.files);
        if let Some(open) = files.open.first() {
            let name = open.strip_prefix(self.path()).unwrap_or(open);
            return Err(Error::usage(format!(
                "{} was not finished, so its folder cannot be",
                quoted(&self.path.join(name))
            )));
        }
        sync_tree(self.path(), &files.durable).map_err(|error| self.failed(error))
    }

    fn make_folders_for(&self, name: &Path) -> io::Result<()> {
        let mut folders: Vec<&Path> = name
            .ancestors()
            .skip(1)
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        folders.reverse();
        for folder in folders {
            match system::make_folder(&self.path().join(folder)) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io("put in place", &self.path, error)
    }
}

impl Drop for PartialFolder {
    fn drop(&mut self) {
        // Once in place, what lies under the partial name is the old folder: if the last sync failed it may be needed yet.
        if !self.in_place {
            let old = name::old_of(self.path());
            let _ = remove_tree(self.path());
            if old.symlink_metadata().is_err() {
                self.reserved.release();
            }
        }
    }
}

/// A file inside a [`PartialFolder`].
#[derive(Debug)]
pub struct DurableFile {
    sink: Sink,
    path: PathBuf,
    name: String,
    bytes: u64,
    hasher: Option<Hasher>,
    files: Arc<Mutex<Files>>,
}

impl DurableFile {
    /// Waits until the file is on the disk. A folder with a file that was not finished cannot be committed.
    ///
    /// # Errors
    /// If a write or the sync failed, now or before.
    pub fn finish(mut self) -> Result<()> {
        self.sink.sync()?;
        let mut files = lock(&self.files);
        files.open.remove(&self.path);
        files.durable.insert(self.path);
        if let Some(hasher) = self.hasher {
            let entry = FileEntry {
                path: self.name.clone(),
                bytes: self.bytes,
                digest: hasher.finish(),
            };
            files.entries.insert(self.name, entry);
        }
        Ok(())
    }
}

impl Write for DurableFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(data)?;
        self.bytes += written as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&data[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

fn lock(files: &Mutex<Files>) -> MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}
