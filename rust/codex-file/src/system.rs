//! Every system call of this crate that changes the disk, each behind its fail point and noted for [`crate::record`].

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::fail;
use crate::record::{Event, note, path_of};

/// Creates the file, which must not be there yet.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    fail::point("file.create")?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    note(|| Event::Create(path.to_owned()));
    Ok(file)
}

/// Opens the file for reading and writing, and creates it if need be.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    fail::point("file.create")?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    note(|| Event::Create(path.to_owned()));
    Ok(file)
}

/// Opens the file for reading and appending, and creates it if need be.
pub(crate) fn open_appending(path: &Path) -> io::Result<File> {
    fail::point("file.create")?;
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    note(|| Event::Create(path.to_owned()));
    Ok(file)
}

/// Takes the exclusive lock of the open file without waiting; false if someone else has it.
pub(crate) fn lock(file: &File) -> io::Result<bool> {
    fail::point("file.lock")?;
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// One write(2), which may take less than all.
#[inline]
pub(crate) fn write(mut file: &File, data: &[u8]) -> io::Result<usize> {
    let whole = fail::write_point("file.write")?;
    let data = if whole {
        data
    } else {
        &data[..data.len().div_ceil(2)]
    };
    let count = file.write(data)?;
    note(|| Event::Write(path_of(file), data[..count].to_vec()));
    Ok(count)
}

/// As many writes as it takes.
pub(crate) fn write_all(file: &File, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        match write(file, data) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => data = &data[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Cuts the file to `bytes`.
pub(crate) fn truncate(file: &File, bytes: u64) -> io::Result<()> {
    fail::point("file.truncate")?;
    file.set_len(bytes)?;
    note(|| Event::Truncate(path_of(file), bytes));
    Ok(())
}

/// Waits until the file's bytes and length are on the disk.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    fail::sync_point("file.sync")?;
    file.sync_all()?;
    note(|| Event::Sync(path_of(file)));
    Ok(())
}

/// Waits until the file's bytes are on the disk, and of what is known about it as much as it takes to read them.
pub(crate) fn sync_data(file: &File) -> io::Result<()> {
    fail::sync_point("file.sync")?;
    file.sync_data()?;
    note(|| Event::Sync(path_of(file)));
    Ok(())
}

/// Lets the disk begin with some bytes of the file before they are synced; a hint, which may be ignored and promises nothing.
#[allow(unsafe_code)] // no safe crate has this call
pub(crate) fn start_write_back(file: &File, start: u64, bytes: u64) {
    #[cfg(target_os = "linux")]
    if let (Ok(start), Ok(bytes)) = (start.try_into(), bytes.try_into()) {
        // SAFETY: the descriptor is open as long as `file`, and the call takes no pointer.
        let _ = unsafe { libc::sync_file_range(file.as_raw_fd(), start, bytes, libc::SYNC_FILE_RANGE_WRITE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, start, bytes);
}

/// Waits until the names in the folder are on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = File::open(path)?;
    fail::sync_point("file.sync-folder")?;
    folder.sync_all()?;
    note(|| Event::SyncFolder(path.to_owned()));
    Ok(())
}

/// Creates one folder, which must not be there yet.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    fail::point("file.make-folder")?;
    std::fs::create_dir(path)?;
    note(|| Event::MakeFolder(path.to_owned()));
    Ok(())
}

/// Renames, replacing a file that has the new name.
pub(crate) fn rename(old: &Path, new: &Path) -> io::Result<()> {
    fail::point("file.rename")?;
    std::fs::rename(old, new)?;
    note(|| Event::Rename(old.to_owned(), new.to_owned()));
    Ok(())
}

/// Renames to a name that must be free.
///
/// Where the file system cannot promise that in one step, it is asked for first.
pub(crate) fn rename_new(old: &Path, new: &Path) -> io::Result<()> {
    match rename_with("file.rename", old, new, RenameFlags::NOREPLACE) {
        Err(error) if is_unsupported(&error) && new.symlink_metadata().is_ok() => {
            return Err(ErrorKind::AlreadyExists.into());
        }
        Err(error) if is_unsupported(&error) => std::fs::rename(old, new)?,
        answer => answer?,
    }
    note(|| Event::Rename(old.to_owned(), new.to_owned()));
    Ok(())
}

/// Lets two names change places in one step; false if the file system has no such step.
pub(crate) fn swap(left: &Path, right: &Path) -> io::Result<bool> {
    match rename_with("file.swap", left, right, RenameFlags::EXCHANGE) {
        Err(error) if is_unsupported(&error) => return Ok(false),
        answer => answer?,
    }
    note(|| Event::Swap(left.to_owned(), right.to_owned()));
    Ok(true)
}

fn rename_with(point: &str, old: &Path, new: &Path, flags: RenameFlags) -> io::Result<()> {
    fail::point(point)?;
    Ok(renameat_with(CWD, old, CWD, new, flags)?)
}

/// Whether the file system does not know the flags of a rename.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
    )
}

/// Removes one file.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    fail::point("file.remove")?;
    std::fs::remove_file(path)?;
    note(|| Event::Remove(path.to_owned()));
    Ok(())
}

/// Removes one empty folder.
pub(crate) fn remove_empty_folder(path: &Path) -> io::Result<()> {
    fail::point("file.remove-folder")?;
    std::fs::remove_dir(path)?;
    note(|| Event::Remove(path.to_owned()));
    Ok(())
}
