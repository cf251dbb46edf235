//! Reading with proof: stretches of a file against their digests, on every core.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::thread::{self, ScopedJoinHandle};

use codex_file::digest::{Digest, Hasher};
use codex_file::{Error, Result};

/// One read: it is digested before it leaves the second-level cache.
const READ_BYTES: usize = 256 << 10;

/// Below this, starting a thread costs more than it saves.
const THREADED_BYTES: u64 = 4 << 20;

/// A stretch of a file that has a digest of its own.
pub(crate) struct Part<'a> {
    /// For messages: "the header", "tensor `embed.weight`", "the file".
    pub(crate) name: String,
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    pub(crate) digest: &'a Digest,
    /// Where the bytes go; `None` to look only. As long as the part.
    pub(crate) into: Option<&'a mut [u8]>,
}

/// Reads `parts` of the file at `path` and checks each against its digest.
///
/// After an error the destinations hold bytes that must not be used.
pub(crate) fn read(file: &File, path: &Path, parts: Vec<Part<'_>>) -> Result<()> {
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    let cores = if bytes < THREADED_BYTES {
        1
    } else {
        thread::available_parallelism().map_or(1, usize::from)
    };
    let workers = cores.min(parts.len());
    let queue = Mutex::new(parts.into_iter());
    let work = || {
        let mut scratch = Vec::new();
        loop {
            // A poisoned lock means another worker panicked, and the scope is about to say so.
            let next = queue.lock().map_or(None, |mut parts| parts.next());
            let Some(part) = next else { return Ok(()) };
            part.read(file, path, &mut scratch)?;
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
    fn read(self, file: &File, path: &Path, scratch: &mut Vec<u8>) -> Result<()> {
        let mut hasher = Hasher::new(self.digest.algorithm());
        let mut offset = self.start;
        let mut piece = |buffer: &mut [u8]| {
            read_at(file, path, buffer, offset)?;
            offset += buffer.len() as u64;
            hasher.update(buffer);
            Ok(())
        };
        if let Some(into) = self.into {
            into.chunks_mut(READ_BYTES).try_for_each(&mut piece)?;
        } else {
            scratch.resize(READ_BYTES, 0);
            let mut left = self.bytes;
            while left > 0 {
                let length = usize::try_from(left).map_or(READ_BYTES, |left| left.min(READ_BYTES));
                piece(&mut scratch[..length])?;
                left -= length as u64;
            }
        }
        check(&self.name, &hasher.finish(), self.digest, path)
    }
}

/// Fills `buffer` from `offset` on.
pub(crate) fn read_at(file: &File, path: &Path, buffer: &mut [u8], offset: u64) -> Result<()> {
    file.read_exact_at(buffer, offset)
        .map_err(|source| match source.kind() {
            ErrorKind::UnexpectedEof => Error::damage("ends early").in_file(path),
            _ => Error::io("read", path, source),
        })
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
