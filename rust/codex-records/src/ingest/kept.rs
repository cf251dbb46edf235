//! Files that were read for their digests and will be read for their text: some stay in memory meanwhile.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many bytes stay.
const ROOM_BYTES: usize = 64 << 20;

/// The bytes of files, by the numbers of these.
#[derive(Debug)]
pub(super) struct Kept(Mutex<Files>);

#[derive(Debug)]
struct Files {
    files: BTreeMap<usize, Vec<u8>>,
    room_bytes: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self(Mutex::new(Files {
            files: BTreeMap::new(),
            room_bytes: ROOM_BYTES,
        }))
    }
}

impl Kept {
    /// Keeps a file; gives it back if there is no room.
    pub(super) fn put(&self, number: usize, file: Vec<u8>) -> Option<Vec<u8>> {
        let mut kept = self.open();
        let Some(rest) = kept.room_bytes.checked_sub(file.capacity()) else {
            return Some(file);
        };
        kept.room_bytes = rest;
        kept.files.insert(number, file);
        None
    }

    /// A file, which is then no longer kept.
    pub(super) fn take(&self, number: usize) -> Option<Vec<u8>> {
        let mut kept = self.open();
        let file = kept.files.remove(&number)?;
        kept.room_bytes += file.capacity();
        Some(file)
    }

    fn open(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
