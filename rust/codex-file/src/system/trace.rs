//! What a thread has done to the disk, call by call, for tests that replay it up to a power cut.

use std::cell::RefCell;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    Create(PathBuf),
    Write(PathBuf, Vec<u8>),
    Truncate(PathBuf, u64),
    Sync(PathBuf),
    MakeFolder(PathBuf),
    SyncFolder(PathBuf),
    Rename(PathBuf, PathBuf),
    Swap(PathBuf, PathBuf),
    Remove(PathBuf),
}

thread_local! {
    static EVENTS: RefCell<Option<Vec<Event>>> = const { RefCell::new(None) };
}

/// Runs `work` and tells what it did.
pub(crate) fn record(work: impl FnOnce()) -> Vec<Event> {
    EVENTS.set(Some(Vec::new()));
    work();
    EVENTS.take().unwrap()
}

pub(super) fn note(event: impl FnOnce() -> Event) {
    EVENTS.with_borrow_mut(|events| {
        if let Some(events) = events {
            events.push(event());
        }
    });
}

/// The path of an open file, asked of the kernel.
pub(super) fn path_of(file: &File) -> PathBuf {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap()
}
