//! Reading with proof: stretches of a file against their digests, on every core.

use std::cmp::Reverse;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::{self, ScopedJoinHandle};

use codex_file::digest::{Digest, Hasher};
use codex_file::{Error, Result};

/// One read: it is digested before it leaves the second-level cache.
const READ_BYTES: usize = 256 << 10;

/// What the distance between source and destination of a copy is counted in.
const PAGE_BYTES: usize = 4096;

/// Below this, starting a thread costs more than it saves.
const THREADED_BYTES: u64 = 4 << 20;

/// A file that is read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    file: File,
}

impl Source {
    /// Opens a file that the manifest lists: not to be there is damage.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let file = File::open(&path).map_err(|source| gone(&path, source))?;
        Ok(Self { path, file })
    }

    /// Fills `buffer` from `offset` on.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|source| match source.kind() {
                ErrorKind::UnexpectedEof => Error::damage("ends early").in_file(&self.path),
                _ => Error::io("read", &self.path, source),
            })
    }
}

/// A file the manifest lists is not there: that is damage, everything else is the machine's.
pub(crate) fn gone(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        ErrorKind::NotFound => Error::damage("is missing").in_file(path),
        _ => Error::io("open", path, source),
    }
}

/// A stretch of a file that has a digest of its own.
pub(crate) struct Part<'a> {
    pub(crate) source: &'a Source,
    /// For messages: "tensor `embed.weight`", "the file".
    pub(crate) name: String,
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    /// `None` to read only.
    pub(crate) digest: Option<&'a Digest>,
    /// Where the bytes go; `None` to look only. As long as the part.
    pub(crate) into: Option<&'a mut [u8]>,
}

/// Reads `parts` and checks each against its digest.
///
/// After an error the destinations hold bytes that must not be used.
pub(crate) fn read(mut parts: Vec<Part<'_>>) -> Result<()> {
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    let cores = if bytes < THREADED_BYTES {
        1
    } else {
        thread::available_parallelism().map_or(1, usize::from)
    };
    let workers = cores.min(parts.len());
    if workers > 1 {
        // The large ones first, so that no core is left alone with one at the end.
        parts.sort_by_key(|part| Reverse(part.bytes));
    }
    let queue = Mutex::new(parts.into_iter());
    let work = || {
        let mut scratch = Scratch::default();
        loop {
            // A poisoned lock means another worker panicked, and the scope is about to say so.
            let next = queue.lock().map_or(None, |mut parts| parts.next());
            let Some(part) = next else { return Ok(()) };
            part.read(&mut scratch)?;
        }
    };
    if workers <= 1 {
        return work();
    }
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(joined).fold(Ok(()), Result::and)
    })
}

/// What a thread answered; its panic goes on in this one.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Part<'_> {
    fn read(self, scratch: &mut Scratch) -> Result<()> {
        let mut hasher = self.digest.map(|digest| Hasher::new(digest.algorithm()));
        let mut take = |bytes: &[u8]| {
            if let Some(hasher) = &mut hasher {
                hasher.update(bytes);
            }
        };
        let mut into = self.into;
        let mut done = 0;
        while done < self.bytes {
            let length = usize::try_from(self.bytes - done).map_or(READ_BYTES, |left| left.min(READ_BYTES));
            let offset = self.start + done;
            match into.take().map(|rest| rest.split_at_mut(length)) {
                Some((piece, rest)) if !is_slow(piece, offset) => {
                    self.source.read_at(piece, offset)?;
                    take(piece);
                    into = Some(rest);
                }
                pieces => {
                    let buffer = scratch.for_offset(offset, length);
                    self.source.read_at(buffer, offset)?;
                    take(buffer);
                    if let Some((piece, rest)) = pieces {
                        piece.copy_from_slice(buffer);
                        into = Some(rest);
                    }
                }
            }
            done += length as u64;
        }
        match (hasher, self.digest) {
            (Some(hasher), Some(expected)) => {
                check(&self.name, &hasher.finish(), expected, &self.source.path)
            }
            _ => Ok(()),
        }
    }
}

/// Whether the kernel's copy out of the page cache would crawl.
///
/// It copies with `rep movs`. On Zen 3 that runs at 2 GB/s instead of 12 if the destination lies 1 to 31 bytes after the source,
/// both taken modulo a page (measured; every other distance is fast). The page cache holds a file from the start of a page.
fn is_slow(destination: &[u8], offset: u64) -> bool {
    let distance = (destination.as_ptr().addr() as u64).wrapping_sub(offset) % PAGE_BYTES as u64;
    (1..32).contains(&distance)
}

/// A buffer for one read, placed in its page as the bytes are in theirs.
#[derive(Default)]
struct Scratch(Vec<u8>);

impl Scratch {
    fn for_offset(&mut self, offset: u64, length: usize) -> &mut [u8] {
        self.0.resize(READ_BYTES + PAGE_BYTES, 0);
        let address = self.0.as_ptr().addr() as u64;
        #[allow(clippy::cast_possible_truncation)] // below PAGE_BYTES
        let start = (offset.wrapping_sub(address) % PAGE_BYTES as u64) as usize;
        &mut self.0[start..start + length]
    }
}

/// Compares what was read with what was written; `name` is what a message calls it.
pub(crate) fn check(name: &str, found: &Digest, expected: &Digest, path: &Path) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::damage(format!(
        "{name} is damaged: its digest is {found}, expected {expected}"
    ))
    .in_file(path))
}
