//! Files that were read for their digests and will be read for their text: some stay in memory meanwhile.

use std::collections::BTreeMap;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many bytes stay, at most.
const ROOM_BYTES: usize = 64 << 20;

/// The bytes of files, by the numbers of these.
#[derive(Debug)]
pub(super) struct Kept(Mutex<Files>);

#[derive(Debug)]
struct Files {
    pieces: BTreeMap<usize, Piece>,
    room_bytes: usize,
}

/// The bytes of a file, among those of others that were read with it.
#[derive(Debug)]
pub(super) struct Piece {
    together: Arc<Vec<u8>>,
    place: Range<usize>,
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.together[self.place.clone()]
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self(Mutex::new(Files {
            pieces: BTreeMap::new(),
            room_bytes: ROOM_BYTES,
        }))
    }
}

impl Kept {
    /// Keeps the files that lie in `together`, by their numbers; whether there was room for them.
    pub(super) fn put(
        &self,
        together: &Arc<Vec<u8>>,
        places: impl Iterator<Item = (usize, Range<usize>)>,
    ) -> bool {
        let mut kept = self.open();
        let Some(rest) = kept.room_bytes.checked_sub(together.len()) else {
            return false;
        };
        kept.room_bytes = rest;
        kept.pieces.extend(places.map(|(number, place)| {
            let together = Arc::clone(together);
            (number, Piece { together, place })
        }));
        true
    }

    /// A file, which is then no longer kept.
    pub(super) fn take(&self, number: usize) -> Option<Piece> {
        self.open().pieces.remove(&number)
    }

    fn open(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
