//! What is done to the disk, call by call, for tests that replay it up to a power cut.
//!
//! [`record`] is for tests alone, as the fail points are: nothing else switches it on, and while it is off a system call costs
//! one relaxed atomic load more. It asks `/proc` for the names of open files, so it needs Linux.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One change of the disk, once it has happened; paths are relative to the folder that is watched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A file was opened, and made if it was not there.
    Create(PathBuf),
    /// Bytes were added at the end of a file.
    Write(PathBuf, Vec<u8>),
    /// A file was cut to a length.
    Truncate(PathBuf, u64),
    /// The content of a file was waited for.
    Sync(PathBuf),
    /// A folder was made.
    MakeFolder(PathBuf),
    /// The names in a folder were waited for.
    SyncFolder(PathBuf),
    /// A file or folder took another name, which was free or a file's.
    Rename(PathBuf, PathBuf),
    /// Two names changed places.
    Swap(PathBuf, PathBuf),
    /// A file or an empty folder was removed.
    Remove(PathBuf),
}

impl Event {
    fn paths(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Create(path)
            | Self::Write(path, _)
            | Self::Truncate(path, _)
            | Self::Sync(path)
            | Self::MakeFolder(path)
            | Self::SyncFolder(path)
            | Self::Remove(path) => vec![path],
            Self::Rename(left, right) | Self::Swap(left, right) => vec![left, right],
        }
    }

    /// The same event seen from `home`; `None` if it happened elsewhere.
    fn below(mut self, home: &Path) -> Option<Self> {
        for path in self.paths() {
            *path = path.strip_prefix(home).ok()?.to_owned();
        }
        Some(self)
    }
}

static IS_ON: AtomicBool = AtomicBool::new(false);
static EVENTS: Mutex<Vec<Event>> = Mutex::new(Vec::new());

/// Runs `work` and says what all threads did below `home`, an absolute path without links, in the order in which it was done.
///
/// ```
/// use codex_file::durable::write_atomic;
/// use codex_file::record::{Event, record};
///
/// let folder = tempfile::tempdir()?;
/// let home = folder.path().canonicalize()?;
/// let (answer, events) = record(&home, || write_atomic(&home.join("note.txt"), b"whole"));
/// answer?;
/// assert!(matches!(&events[1], Event::Write(_, data) if data == b"whole"));
/// assert!(matches!(&events[3], Event::Rename(_, path) if path.ends_with("note.txt")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn record<T>(home: &Path, work: impl FnOnce() -> T) -> (T, Vec<Event>) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    events().clear();
    IS_ON.store(true, Ordering::SeqCst);
    let answer = work();
    IS_ON.store(false, Ordering::SeqCst);
    let found = std::mem::take(&mut *events());
    let here = found.into_iter().filter_map(|event| event.below(home));
    (answer, here.collect())
}

/// Takes note of what has just happened, if a test wants to know.
#[inline]
pub(crate) fn note(event: impl FnOnce() -> Event) {
    if IS_ON.load(Ordering::Relaxed) {
        events().push(event());
    }
}

/// The path of an open file, asked of the kernel; empty, and so outside of every folder, if it will not say.
pub(crate) fn path_of(file: &File) -> PathBuf {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default()
}

fn events() -> MutexGuard<'static, Vec<Event>> {
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}
