//! Who owns what is not finished: whoever holds the lock on it.
//!
//! A lock is only worth something while the path still names the locked file: between opening and locking, a sweeper may
//! have removed it. So each side, owner and sweeper, locks first and then looks again; exactly one of them wins.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

use super::name;
use crate::error::{Error, Result};
use crate::system;

/// Takes the lock of `file`, opened at `path`; false if another holds it or the path names another file by now.
pub(crate) fn take(file: &File, path: &Path) -> io::Result<bool> {
    if !system::lock(file)? {
        return Ok(false);
    }
    let here = file.metadata()?;
    match path.symlink_metadata() {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Who holds the lock of `file`, as `process 12 (python)`, if the kernel says.
pub(super) fn holder(file: &File) -> Option<String> {
    let found = file.metadata().ok()?;
    let (device, inode) = (found.dev(), found.ino());
    let wanted = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 708 08:01:131 0 EOF`
    let pid: u32 = locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", pid, place, ..] = fields[..] else {
            return None;
        };
        let pid = pid.parse().ok().filter(|pid| *pid > 0)?;
        (place == wanted).then_some(pid)
    })?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(match name.trim() {
        "" => format!("process {pid}"),
        name => format!("process {pid} ({})", name.escape_debug()),
    })
}

/// Creates a file beside `path` under a partial name, locked from the first byte.
pub(super) fn create_owned(path: &Path) -> Result<(PathBuf, File)> {
    let failed = |error| Error::io("create", path, error);
    loop {
        let partial = name::next_beside(path)?;
        match system::create_new(&partial) {
            Ok(file) => match take(&file, &partial) {
                Ok(true) => return Ok((partial, file)),
                Ok(false) => {}
                Err(error) => {
                    let _ = system::remove_file(&partial);
                    return Err(failed(error));
                }
            },
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// A partial name that belongs to this process: nothing is there yet, and no one else will use it.
#[derive(Debug)]
pub(super) struct Reserved {
    /// `<name>.partial-<pid>-<n>`
    pub(super) partial: PathBuf,
    owner: PathBuf,
    /// Locked while this lives.
    _lock: File,
}

impl Reserved {
    /// Reserves a name beside `path`.
    pub(super) fn beside(path: &Path) -> Result<Self> {
        let failed = |error| Error::io("create", path, error);
        loop {
            let partial = name::next_beside(path)?;
            let owner = name::owner_of(&partial);
            let lock = match system::create_new(&owner) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(failed(error)),
            };
            match take(&lock, &owner) {
                // A leftover that has lost its owner's file keeps its name: a sweep will remove both.
                Ok(mine) if mine && partial.symlink_metadata().is_err() => {
                    return Ok(Self {
                        partial,
                        owner,
                        _lock: lock,
                    });
                }
                Ok(_) => {}
                Err(error) => {
                    let _ = system::remove_file(&owner);
                    return Err(failed(error));
                }
            }
        }
    }

    /// Gives the name back; what cannot be removed is left to the sweep.
    pub(super) fn release(&self) {
        let _ = system::remove_file(&self.owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_lock_on_what_the_path_no_longer_names_is_worth_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        let opened = || system::open_or_create(&path).unwrap();
        let removed = opened();
        fs::remove_file(&path).unwrap();
        assert!(!take(&removed, &path).unwrap());
        let replaced = opened();
        fs::rename(&path, home.path().join("elsewhere")).unwrap();
        let named = opened();
        assert!(!take(&replaced, &path).unwrap());
        assert!(take(&named, &path).unwrap());
        assert!(!take(&opened(), &path).unwrap());
    }

    #[test]
    fn a_reserved_name_is_passed_over_by_others_and_given_back() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("folder");
        let first = Reserved::beside(&path).unwrap();
        let second = Reserved::beside(&path).unwrap();
        assert_ne!(first.partial, second.partial);
        first.release();
        second.release();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
