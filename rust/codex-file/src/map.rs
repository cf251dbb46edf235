//! Reading: one view of a file that no one changes any more, or blocks of one that may still grow.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::Deref;
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use crate::error::{Error, Result};

/// A sealed file as a slice: pages come from the disk when they are touched.
///
/// Only for files that were put in place whole and are never written again. A file that is cut short while it is mapped
/// kills the process (SIGBUS) on the next touch; for those there is [`read_blocks`].
#[derive(Debug)]
pub struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps the whole file, read-only.
    ///
    /// # Errors
    /// If it cannot be opened or mapped.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
        // SAFETY: the bytes must not change under the slice. Sealed files are put in place by a rename and are replaced,
        // never rewritten, so this mapping keeps the old file whole; the caller answers for other files.
        #[expect(unsafe_code, reason = "the one mapping in codex")]
        let map = unsafe { memmap2::Mmap::map(&file) };
        map.map(Self).map_err(|error| Error::io("map", path, error))
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Adds all of a file that has so many bytes to `data`, and nothing if it has more or fewer; whether it has so many.
///
/// # Errors
/// If the file cannot be read; `data` may then have some of it.
pub fn read_sized(path: &Path, bytes: usize, data: &mut Vec<u8>) -> Result<bool> {
    let failed = |error| Error::io("read", path, error);
    let file = File::open(path).map_err(failed)?;
    let start = data.len();
    // One more, so that the call that reads the last byte reads past it, and says so by giving less than it was asked for.
    data.reserve(bytes + 1);
    loop {
        match rustix::io::read(&file, spare_capacity(data)) {
            Ok(0) => break,
            Ok(_) if data.len() - start >= bytes => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(failed(error.into())),
        }
    }
    let is_so = data.len() - start == bytes;
    data.truncate(start + if is_so { bytes } else { 0 });
    Ok(is_so)
}

/// Hands the file to `each` in blocks of `block_bytes`, the last one shorter; an empty file gives no block.
///
/// # Errors
/// If the file cannot be read, or the first error of `each`.
pub fn read_blocks(path: &Path, block_bytes: usize, each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    if block_bytes == 0 {
        return Err(Error::usage("`block_bytes` is 0, expected at least 1"));
    }
    read_blocks_in(path, &mut vec![0; block_bytes], each)
}

/// The same, through a block of the caller's.
pub(crate) fn read_blocks_in(
    path: &Path,
    block: &mut [u8],
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let failed = |error| Error::io("read", path, error);
    let mut file = File::open(path).map_err(failed)?;
    loop {
        let filled = fill(&mut file, block).map_err(failed)?;
        if filled > 0 {
            each(&block[..filled])?;
        }
        if filled < block.len() {
            return Ok(());
        }
    }
}

/// Reads until `block` is full or the source ends.
fn fill(source: &mut impl Read, block: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match source.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;

    #[test]
    fn a_map_and_blocks_of_any_size_show_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        for length in [0, 1, 7, 4096, 4097, 10_000] {
            let data: Vec<u8> = (0..=250).cycle().take(length).collect();
            std::fs::write(&path, &data).unwrap();
            assert_eq!(&*Mapped::open(&path).unwrap(), &data);
            for block_bytes in [1, 7, 4096, 20_000] {
                let mut blocks = Vec::new();
                read_blocks(&path, block_bytes, |block| {
                    blocks.push(block.to_vec());
                    Ok(())
                })
                .unwrap();
                assert_eq!(blocks.concat(), data);
                assert!(
                    blocks
                        .iter()
                        .rev()
                        .skip(1)
                        .all(|block| block.len() == block_bytes)
                );
            }
        }
    }

    #[test]
    fn a_file_of_another_size_adds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        for length in [0_usize, 1, 4096, 300_000] {
            let data = vec![7; length];
            std::fs::write(&path, &data).unwrap();
            let mut read = b"before".to_vec();
            assert!(read_sized(&path, length, &mut read).unwrap());
            assert_eq!(read, [b"before", &data[..]].concat());
            assert!(!read_sized(&path, length + 1, &mut read).unwrap());
            assert!(length == 0 || !read_sized(&path, length - 1, &mut read).unwrap());
            assert_eq!(read.len(), 6 + length);
        }
        assert!(read_sized(folder.path(), 0, &mut Vec::new()).is_err());
    }

    #[test]
    fn a_map_outlives_the_replacement_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        crate::durable::write_atomic(&path, b"old").unwrap();
        let map = Mapped::open(&path).unwrap();
        crate::durable::write_atomic(&path, b"the new one").unwrap();
        assert_eq!(&*map, b"old");
    }

    #[test]
    fn what_is_not_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert_eq!(Mapped::open(&missing).unwrap_err().class(), Class::Missing);
        assert_eq!(
            read_blocks(&missing, 9, |_| Ok(())).unwrap_err().class(),
            Class::Missing
        );
        assert_eq!(
            read_blocks(folder.path(), 9, |_| Ok(())).unwrap_err().class(),
            Class::Data
        );
        assert!(Mapped::open(folder.path()).is_err());
    }

    #[test]
    fn the_first_error_of_the_caller_ends_the_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, [0; 100]).unwrap();
        let mut seen = 0;
        let error = read_blocks(&path, 10, |_| {
            seen += 1;
            if seen == 3 {
                Err(Error::data("enough"))
            } else {
                Ok(())
            }
        });
        assert_eq!((error.unwrap_err().to_string(), seen), ("enough".to_owned(), 3));
    }
}
