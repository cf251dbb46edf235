//! Into the middle of a zst file: its frames are told apart by their headers, so that a place in the plain bytes costs one of them.
//!
//! Any file of several frames will do, whoever wrote them. The seek table that the seekable format puts behind them
//! ("Zstandard Seekable Format" 0.1.0, a skippable frame) is not needed, but if there is one, it must say what the frames say.
//! Source: RFC 8878, section 3.1.1.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result, quoted};

/// What a frame may hold, as it is stored and unpacked: it is unpacked whole to read from its middle.
const MAXIMUM_FRAME_BYTES: u64 = 64 << 20;
/// How many plain bytes are handed over at a time.
const BLOCK_BYTES: usize = 256 << 10;
/// The longest header of a frame, its magic number included.
const HEADER_BYTES: usize = 18;
const MAGIC: u32 = 0xfd2f_b528;
const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;
/// Of the skippable frame that a seek table is, and its last four bytes.
const TABLE: u32 = 0x184d_2a5e;
const TABLE_END: [u8; 4] = 0x8f92_eab1_u32.to_le_bytes();
/// What stands behind the entries of a table: how many there are, what they hold, its last four bytes.
const FOOTER_BYTES: usize = 9;
const HAS_CHECKSUMS: u8 = 0x80;

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Where it begins in the file, and how long it is there.
    at: u64,
    stored_bytes: u64,
    /// The same in the plain bytes.
    start: u64,
    plain_bytes: u64,
}

/// A zst file that can be read from any place of its plain bytes.
///
/// It knows the file as it was when it was opened.
#[derive(Debug)]
pub struct Frames {
    path: PathBuf,
    file: File,
    parts: Vec<Frame>,
    /// The frame that was read last, by its number, as the next place is often in it, too.
    last: Mutex<(usize, Vec<u8>)>,
}

impl Frames {
    /// Reads the zst file at `path` once; `each` is given its plain bytes.
    ///
    /// # Errors
    /// If it cannot be read, is damaged or cut short, if a frame is too large to be read from its middle, or if there is a seek
    /// table that says something else.
    pub fn open(path: &Path, mut each: impl FnMut(&[u8])) -> Result<Self> {
        let failed = |error| Error::io("read", path, error);
        let file = File::open(path).map_err(failed)?;
        let end = file.metadata().map_err(failed)?.len();
        let mut frames: Vec<Frame> = Vec::new();
        let (mut at, mut start, mut table) = (0, 0, None);
        while at < end {
            let (magic, stored_bytes) = measure(&file, at, end).map_err(|reason| bad(path, at, &reason))?;
            let next = at + stored_bytes;
            if magic == MAGIC {
                let plain_bytes =
                    unpack(&file, at, stored_bytes, &mut each).map_err(|error| bad(path, at, &error))?;
                if stored_bytes.max(plain_bytes) > MAXIMUM_FRAME_BYTES {
                    let reason = format!("a frame of {plain_bytes} plain bytes is too large for that");
                    return Err(Error::usage(format!(
                        "{} is compressed (zstd) and has no way to a place in its middle: {reason}",
                        quoted(path)
                    )));
                }
                frames.push(Frame {
                    at,
                    stored_bytes,
                    start,
                    plain_bytes,
                });
                start += plain_bytes;
            }
            table = (magic == TABLE && next == end).then_some((at, stored_bytes));
            at = next;
        }
        if let Some((at, stored_bytes)) = table {
            hold_table(&file, at, stored_bytes, &frames).map_err(|reason| bad(path, at, &reason))?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            parts: frames,
            last: Mutex::new((usize::MAX, Vec::new())),
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Puts the plain bytes from `start` on into `bytes`, all of it.
    ///
    /// # Errors
    /// If the file cannot be read, is not what it was when it was opened, or ends before.
    pub fn read_exact_at(&self, bytes: &mut [u8], start: u64) -> Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut number = self
            .parts
            .partition_point(|frame| frame.start + frame.plain_bytes <= start);
        let mut filled = 0;
        while filled < bytes.len() {
            let Some(frame) = self.parts.get(number) else {
                let end = io::Error::from(ErrorKind::UnexpectedEof);
                return Err(Error::io("read", &self.path, end));
            };
            if last.0 != number {
                last.0 = usize::MAX; // until it is whole
                self.unpack(frame, &mut last.1)?;
                last.0 = number;
            }
            // Both are less than the limit of a frame.
            let from = usize::try_from(start + filled as u64 - frame.start).unwrap_or(usize::MAX);
            let count = (last.1.len() - from).min(bytes.len() - filled);
            bytes[filled..filled + count].copy_from_slice(&last.1[from..from + count]);
            filled += count;
            number += 1;
        }
        Ok(())
    }

    fn unpack(&self, frame: &Frame, plain: &mut Vec<u8>) -> Result<()> {
        let length = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        let mut stored = vec![0; length(frame.stored_bytes)];
        self.file
            .read_exact_at(&mut stored, frame.at)
            .map_err(|error| Error::io("read", &self.path, error))?;
        plain.clear();
        plain.reserve(length(frame.plain_bytes));
        let count = zstd::bulk::Decompressor::new()
            .and_then(|mut decoder| decoder.decompress_to_buffer(&stored, plain))
            .map_err(|error| bad(&self.path, frame.at, &error.to_string()))?;
        if count as u64 != frame.plain_bytes {
            return Err(bad(&self.path, frame.at, "it is not what it was"));
        }
        Ok(())
    }
}

fn bad(path: &Path, at: u64, reason: &str) -> Error {
    Error::data(format!(
        "{}: the zstd frame at byte {at} is damaged ({reason})",
        quoted(path)
    ))
}

/// The magic number and the length of the frame that begins at `at`, from its header and those of its blocks.
fn measure(file: &File, at: u64, end: u64) -> std::result::Result<(u32, u64), String> {
    let mut header = [0; HEADER_BYTES];
    let held = usize::try_from(end - at).unwrap_or(usize::MAX).min(HEADER_BYTES);
    let said = |error: io::Error| error.to_string();
    file.read_exact_at(&mut header[..held], at).map_err(said)?;
    let number = |from: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| header[from + byte]));
    let magic = number(0);
    let mut length = if SKIPPABLE.contains(&magic) {
        8 + u64::from(number(4))
    } else if magic == MAGIC {
        header_bytes(header[4])
    } else {
        return Err(format!("it begins with 0x{magic:08x}"));
    };
    let mut is_last = magic != MAGIC;
    while !is_last && at + length + 3 <= end {
        let mut block = [0; 3];
        file.read_exact_at(&mut block, at + length).map_err(said)?;
        let block = u32::from_le_bytes([block[0], block[1], block[2], 0]);
        is_last = block & 1 == 1;
        // A block of one byte that is repeated holds that byte alone.
        length += 3 + if block >> 1 & 3 == 1 {
            1
        } else {
            u64::from(block >> 3)
        };
    }
    if magic == MAGIC && header[4] & 4 != 0 {
        length += 4; // the checksum of its content
    }
    if !is_last || at + length > end {
        return Err("it is cut short".into());
    }
    Ok((magic, length))
}

/// How long the header of a frame is, its magic number included, by its descriptor.
fn header_bytes(descriptor: u8) -> u64 {
    let is_single = descriptor >> 5 & 1;
    let window = 1 - is_single;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = [is_single, 2, 4, 8][usize::from(descriptor >> 6)];
    u64::from(4 + 1 + window + dictionary + content)
}

/// Hands over the plain bytes of a frame; how many there are.
fn unpack(
    file: &File,
    at: u64,
    stored_bytes: u64,
    each: &mut impl FnMut(&[u8]),
) -> std::result::Result<u64, String> {
    let said = |error: io::Error| error.to_string();
    let section = Section { file, at }.take(stored_bytes);
    let mut source = zstd::stream::read::Decoder::with_buffer(BufReader::new(section)).map_err(said)?;
    let mut block = vec![0; BLOCK_BYTES];
    let mut bytes = 0;
    loop {
        match source.read(&mut block) {
            Ok(0) => return Ok(bytes),
            Ok(count) => {
                bytes += count as u64;
                each(&block[..count]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(said(error)),
        }
    }
}

/// Compares a skippable frame with the frames before it, if it is a seek table.
fn hold_table(file: &File, at: u64, stored_bytes: u64, frames: &[Frame]) -> std::result::Result<(), String> {
    let mut stored = vec![0; usize::try_from(stored_bytes).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut stored, at)
        .map_err(|error| error.to_string())?;
    let Some((entries, footer)) = stored[8..].split_last_chunk::<FOOTER_BYTES>() else {
        return Ok(());
    };
    if footer[5..] != TABLE_END {
        return Ok(());
    }
    let entry_bytes = if footer[4] & HAS_CHECKSUMS == 0 { 8 } else { 12 };
    let number = |bytes: &[u8]| u64::from(u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[byte])));
    let told = entries
        .chunks(entry_bytes)
        .map(|entry| (entry.len() == entry_bytes).then(|| (number(entry), number(&entry[4..]))));
    let found = frames
        .iter()
        .map(|frame| Some((frame.stored_bytes, frame.plain_bytes)));
    if number(footer) == frames.len() as u64 && told.eq(found) {
        Ok(())
    } else {
        Err("the seek table is not that of the frames before it".into())
    }
}

/// A file from a place on, whoever else reads it.
struct Section<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of frames of these sizes, a skippable frame before each, a seek table behind them if asked for.
    fn packed(plain: &[u8], sizes: &[usize], has_table: bool) -> Vec<u8> {
        let mut file = Vec::new();
        let mut entries = Vec::new();
        let mut from = 0;
        for (number, size) in sizes.iter().enumerate() {
            let mut encoder = zstd::bulk::Compressor::new(1 + i32::try_from(number % 3).unwrap()).unwrap();
            encoder.include_checksum(number % 2 == 0).unwrap();
            encoder.include_contentsize(number % 3 == 0).unwrap();
            let frame = encoder.compress(&plain[from..from + size]).unwrap();
            if !has_table {
                file.extend([0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7]);
            }
            for number in [frame.len(), *size] {
                entries.extend(u32::try_from(number).unwrap().to_le_bytes());
            }
            file.extend(frame);
            from += size;
        }
        assert_eq!(from, plain.len());
        if has_table {
            file.extend(TABLE.to_le_bytes());
            file.extend(u32::try_from(entries.len() + FOOTER_BYTES).unwrap().to_le_bytes());
            file.extend(entries);
            file.extend(u32::try_from(sizes.len()).unwrap().to_le_bytes());
            file.push(0);
            file.extend(TABLE_END);
        }
        file
    }

    fn plain() -> Vec<u8> {
        let byte = |at: usize| u8::try_from(at * at / 7 % 251).unwrap();
        (0..700_000).map(byte).collect()
    }

    const SIZES: [usize; 6] = [1, 0, 299_999, 200_000, 7, 199_993];

    #[test]
    fn any_place_is_read_with_and_without_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zst");
        for has_table in [false, true] {
            std::fs::write(&path, packed(&plain(), &SIZES, has_table)).unwrap();
            let mut seen = Vec::new();
            let frames = Frames::open(&path, |bytes| seen.extend_from_slice(bytes)).unwrap();
            assert_eq!((&seen, frames.len(), frames.is_empty()), (&plain(), 6, false));
            let mut bytes = vec![0; 300_000];
            for (start, length) in [
                (0, 1),
                (0, 2),
                (299_999, 2),
                (299_990, 200_020),
                (0, 300_000),
                (699_999, 1),
            ] {
                frames.read_exact_at(&mut bytes[..length], start as u64).unwrap();
                assert!(
                    bytes[..length] == plain()[start..start + length],
                    "{start} {length}"
                );
            }
            assert!(frames.read_exact_at(&mut bytes[..2], 699_999).is_err());
            assert!(frames.read_exact_at(&mut bytes[..0], 700_000).is_ok());
        }
    }

    #[test]
    fn only_the_frame_that_holds_a_place_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zst");
        let mut file = packed(&plain(), &SIZES, true);
        std::fs::write(&path, &file).unwrap();
        let frames = Frames::open(&path, |_| {}).unwrap();
        let (before, after) = (frames.parts[2], frames.parts[5]);
        for frame in [before, after] {
            let from = usize::try_from(frame.at).unwrap();
            file[from..from + usize::try_from(frame.stored_bytes).unwrap()].fill(0xff);
        }
        std::fs::write(&path, &file).unwrap();
        let mut bytes = [0; 100];
        frames.read_exact_at(&mut bytes, 300_000).unwrap();
        assert_eq!(bytes, plain()[300_000..300_100]);
        let said = frames.read_exact_at(&mut bytes, 299_999).unwrap_err().to_string();
        assert!(
            said.contains("the zstd frame at byte ") && said.contains(" is damaged ("),
            "{said}"
        );
        frames.read_exact_at(&mut bytes, 300_000).unwrap();
    }

    #[test]
    fn a_byte_that_changed_or_is_missing_is_an_error_and_never_other_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zst");
        for has_table in [false, true] {
            let file = packed(&plain()[..3000], &[1000, 1500, 500], has_table);
            for at in (0..file.len()).step_by(11) {
                let mut other = file.clone();
                other[at] ^= 1 << (at % 8);
                std::fs::write(&path, &other).unwrap();
                let mut seen = Vec::new();
                let opened = Frames::open(&path, |bytes| seen.extend_from_slice(bytes));
                // A frame without a checksum may unpack to other bytes: what is read is then what was handed over.
                if let Ok(frames) = opened {
                    let mut bytes = vec![0; seen.len()];
                    frames.read_exact_at(&mut bytes, 0).unwrap();
                    assert!(bytes == seen, "{at}");
                }
                std::fs::write(&path, &file[..at]).unwrap();
                let mut seen = Vec::new();
                let is_whole = Frames::open(&path, |bytes| seen.extend_from_slice(bytes)).is_ok();
                assert!(!is_whole || [0, 1000, 2500, 3000].contains(&seen.len()), "{at}");
            }
        }
    }

    #[test]
    fn a_table_that_lies_is_refused_and_another_frame_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zst");
        let whole = packed(&plain()[..3000], &[1000, 2000], true);
        for at in whole.len() - FOOTER_BYTES - 16..whole.len() - 5 {
            let mut file = whole.clone();
            file[at] ^= 4;
            std::fs::write(&path, &file).unwrap();
            let said = Frames::open(&path, |_| {}).unwrap_err().to_string();
            assert!(
                said.contains("the seek table is not that of the frames"),
                "{said}"
            );
        }
        let mut file = whole;
        *file.last_mut().unwrap() ^= 1; // the mark of a table
        std::fs::write(&path, &file).unwrap();
        assert_eq!(Frames::open(&path, |_| {}).unwrap().len(), 2);
    }

    #[test]
    fn a_frame_too_large_for_its_middle_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zst");
        let large = usize::try_from(MAXIMUM_FRAME_BYTES).unwrap() + 1;
        std::fs::write(&path, zstd::encode_all(&*vec![0; large], 1).unwrap()).unwrap();
        let said = Frames::open(&path, |_| {}).unwrap_err().to_string();
        assert!(
            said.contains("has no way to a place in its middle: a frame of 67108865"),
            "{said}"
        );
    }
}
