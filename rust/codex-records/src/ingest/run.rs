//! Lines of records in memory, until there are so many that they go into a file, sorted by their ids.

use std::io::Write as _;
use std::path::Path;

use codex_file::digest::{Algorithm, Digest, Hasher};
use codex_file::durable::AtomicFile;

use crate::{Error, Id, Result};

/// How many bytes are handed to the file at a time.
const BLOCK_BYTES: usize = 256 << 10;

/// A file of sorted lines.
#[derive(Clone, Debug)]
pub struct RunFile {
    /// What it is called in its folder.
    pub name: String,
    /// How long it is.
    pub bytes: usize,
    /// Its digest, against damage.
    pub digest: Digest,
}

/// Lines, one behind the other, with their ids.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) lines: Vec<u8>,
    /// Id, first byte, and the byte after the last.
    places: Vec<(Id, usize, usize)>,
}

impl Run {
    /// Says that the line of a record stands in `lines` from `start` on.
    pub(super) fn added(&mut self, id: Id, start: usize) {
        self.places.push((id, start, self.lines.len()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Writes the lines in the order of their ids, of equal ids the first first, and forgets them. The disk is not waited for: who
    /// uses the file again looks at its digest first.
    pub(super) fn write(&mut self, folder: &Path, name: String) -> Result<RunFile> {
        self.places.sort_by_key(|place| place.0);
        let path = folder.join(&name);
        let mut file = AtomicFile::create(&path)?;
        let mut hasher = Hasher::new(Algorithm::Xxh3);
        let mut block = Vec::with_capacity(BLOCK_BYTES.min(self.lines.len()));
        let mut places = self.places.iter().peekable();
        while let Some((_, start, end)) = places.next() {
            block.extend_from_slice(&self.lines[*start..*end]);
            if block.len() >= BLOCK_BYTES || places.peek().is_none() {
                hasher.update(&block);
                file.write_all(&block)
                    .map_err(|error| Error::io("write", &path, error))?;
                block.clear();
            }
        }
        file.commit_unsynced()?;
        let bytes = self.lines.len();
        self.places.clear();
        self.lines.clear();
        Ok(RunFile {
            name,
            bytes,
            digest: hasher.finish(),
        })
    }
}
