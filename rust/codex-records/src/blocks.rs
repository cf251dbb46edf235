//! A file of lines in blocks, so that many threads can work on one file and nothing but blocks is in memory.

use codex_file::digest::{Algorithm, Digest, Hasher};
use codex_file::stream;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::document::read_document;
use crate::json::Fault;
use crate::record::MAXIMUM_LINE_BYTES;
use crate::{Error, Id, Result};

/// Bytes of a block, unless one line is longer.
const BLOCK_BYTES: usize = 1 << 20;

/// Bytes that are read at once: they are digested before they leave the cache.
const READ_BYTES: usize = 64 << 10;

pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads whole lines, about a mebibyte at a time; plain or gz, bz2, xz, zst by magic number.
///
/// What the file holds as it is stored is digested on the way, if asked.
pub struct Blocks {
    source: Box<dyn Read + Send>,
    stored: Arc<Mutex<Stored>>,
    path: PathBuf,
    maximum_line_bytes: usize,
    /// What has been read beyond the last whole line.
    carry: Vec<u8>,
    /// Where `carry` begins in the plain file.
    byte: u64,
    has_ended: bool,
}

/// Whole lines of a file. It is made once and filled again and again.
#[derive(Debug, Default)]
pub struct Block {
    buffer: Vec<u8>,
    length: usize,
    start: u64,
    /// Bytes of the one line that is there instead of any other, and too long to be held.
    overlong_bytes: u64,
}

/// One line of a block.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its first byte, counted in the plain file.
    pub start: u64,
    /// The byte behind its newline.
    pub end: u64,
    content: Content<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Content<'a> {
    Whole(&'a [u8]),
    /// The last line of the file, without a newline.
    Torn(&'a [u8]),
    Overlong,
}

impl Blocks {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        Self::start(path, Some(Hasher::new(Algorithm::Xxh3)))
    }

    /// The same without a digest on the way.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open_undigested(path: &Path) -> Result<Self> {
        Self::start(path, None)
    }

    fn start(path: &Path, hasher: Option<Hasher>) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
        let stored = Arc::new(Mutex::new(Stored { hasher, bytes: 0 }));
        let seen = Seen {
            file,
            stored: Arc::clone(&stored),
        };
        Ok(Self {
            source: stream::named(path, seen)?,
            stored,
            path: path.to_owned(),
            maximum_line_bytes: MAXIMUM_LINE_BYTES,
            carry: Vec::new(),
            byte: 0,
            has_ended: false,
        })
    }

    /// Fills `block` with the next lines; false at the end of the file.
    ///
    /// # Errors
    /// If the file cannot be read, or is compressed and damaged.
    pub fn read(&mut self, block: &mut Block) -> Result<bool> {
        if block.buffer.len() > 2 * BLOCK_BYTES {
            // A long line made it large.
            block.buffer = Vec::new();
        }
        (block.start, block.overlong_bytes) = (self.byte, 0);
        let mut filled = self.carry.len();
        block
            .buffer
            .resize(block.buffer.len().max(filled + BLOCK_BYTES), 0);
        block.buffer[..filled].copy_from_slice(&self.carry);
        self.carry.clear();
        loop {
            let searched = filled;
            while filled < block.buffer.len() && !self.has_ended {
                let count = self.read_some(&mut block.buffer[filled..])?;
                self.has_ended = count == 0;
                filled += count;
            }
            let newline = memchr::memrchr(b'\n', &block.buffer[searched..filled]);
            block.length = match newline {
                Some(newline) => searched + newline + 1,
                None if self.has_ended => filled,
                None if filled > self.maximum_line_bytes => {
                    return self.pass_over(block, filled).map(|()| true);
                }
                None => {
                    block.buffer.resize(filled * 2, 0);
                    continue;
                }
            };
            if !self.has_ended || newline.is_some() {
                self.carry.extend_from_slice(&block.buffer[block.length..filled]);
            }
            self.byte += block.length as u64;
            return Ok(block.length > 0);
        }
    }

    /// Passes over the rest of a line of which `passed` bytes have been read.
    fn pass_over(&mut self, block: &mut Block, passed: usize) -> Result<()> {
        let mut passed = passed as u64;
        block.length = 0;
        loop {
            let count = self.read_some(&mut block.buffer[..BLOCK_BYTES])?;
            let read = &block.buffer[..count];
            let line = memchr::memchr(b'\n', read).map_or(count, |newline| newline + 1);
            self.carry.extend_from_slice(&read[line..]);
            passed += line as u64;
            self.has_ended = count == 0;
            if count == 0 || read[line - 1] == b'\n' {
                self.byte += passed;
                block.overlong_bytes = passed;
                return Ok(());
            }
        }
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match self.source.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                answer => return answer.map_err(|error| Error::io("read", &self.path, error)),
            }
        }
    }

    /// How many bytes have been taken from the file as it is stored.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// The length and the XXH3 of the file as it is stored, all of it.
    ///
    /// # Errors
    /// If what has not been read yet cannot be.
    pub fn finish(self) -> Result<(u64, Digest)> {
        let failed = |error| Error::io("read", &self.path, error);
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        if stored.hasher.is_none() {
            (stored.hasher, stored.bytes) = (Some(Hasher::new(Algorithm::Xxh3)), 0);
        }
        // A compressed stream can end before its file does.
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(stored.bytes)).map_err(failed)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => {
                    let hasher = stored
                        .hasher
                        .take()
                        .unwrap_or_else(|| Hasher::new(Algorithm::Xxh3));
                    return Ok((stored.bytes, hasher.finish()));
                }
                Ok(count) => stored.add(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

impl Block {
    /// Bytes of its lines.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Where it begins in the plain file.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Where it ends in the plain file.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start + self.length as u64 + self.overlong_bytes
    }

    /// Lets go of the lines before `byte` of the plain file, where one begins.
    pub fn begin_at(&mut self, byte: u64) {
        let passed = usize::try_from(byte - self.start)
            .unwrap_or(usize::MAX)
            .min(self.length);
        self.buffer.copy_within(passed..self.length, 0);
        self.length -= passed;
        (self.start, self.overlong_bytes) = (byte, 0);
    }

    /// Its lines in order, blank ones too.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut start = 0;
        let overlong = (self.overlong_bytes > 0).then(|| Line {
            start: self.start,
            end: self.start + self.overlong_bytes,
            content: Content::Overlong,
        });
        let lines = memchr::memchr_iter(b'\n', self.bytes())
            .map(|newline| newline + 1)
            .chain([self.length])
            .filter_map(move |end| {
                let line = &self.buffer[std::mem::replace(&mut start, end)..end];
                let content = match line.strip_suffix(b"\n") {
                    Some(line) => Content::Whole(line),
                    None if line.is_empty() => return None,
                    None => Content::Torn(line),
                };
                Some(Line {
                    start: self.start + (end - line.len()) as u64,
                    end: self.start + end as u64,
                    content,
                })
            });
        overlong.into_iter().chain(lines)
    }
}

impl<'a> Line<'a> {
    /// Its bytes without the newline, unless it is too long to be held.
    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        match self.content {
            Content::Whole(line) | Content::Torn(line) => Some(line),
            Content::Overlong => None,
        }
    }

    /// Whether it is the first of the file and has nothing on it but a byte-order mark and white space.
    pub(crate) fn is_mark_alone(&self) -> bool {
        let behind = self.bytes().and_then(|line| line.strip_prefix(MARK));
        self.start == 0 && behind.is_some_and(|line| line.iter().all(|byte| is_white_space(*byte)))
    }

    /// Whether it is the last of the file and has no newline.
    pub(crate) fn is_torn(&self) -> bool {
        matches!(self.content, Content::Torn(_))
    }

    /// Whether there is nothing on it but white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self.content {
            Content::Whole(line) | Content::Torn(line) => line.iter().all(|byte| is_white_space(*byte)),
            Content::Overlong => false,
        }
    }

    /// As [`read_document`]; a byte-order mark is accepted at byte 0, and a last line without its newline if it is whole.
    ///
    /// # Errors
    /// As [`read_document`], and if it is not UTF-8 or longer than [`MAXIMUM_LINE_BYTES`].
    pub fn read_document(&self, text_key: &str, text: &mut String) -> std::result::Result<Option<Id>, Fault> {
        let (line, state) = match self.content {
            Content::Whole(line) => (line, ""),
            Content::Torn(line) => (line, "the last line is torn: "),
            Content::Overlong => {
                let reason = format!("the line is longer than {MAXIMUM_LINE_BYTES} bytes");
                return Err(Fault { at: 0, reason });
            }
        };
        let mark = if self.start == 0 && line.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        utf8(&line[mark..])
            .and_then(|line| read_document(line, text_key, text))
            .map_err(|Fault { at, reason }| Fault {
                at: mark + at,
                reason: format!("{state}{reason}"),
            })
    }
}

fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

pub(crate) fn utf8(line: &[u8]) -> std::result::Result<&str, Fault> {
    // Four times as fast as the standard library's, which says where the fault is.
    simdutf8::basic::from_utf8(line).or_else(|_| {
        std::str::from_utf8(line).map_err(|error| {
            let at = error.valid_up_to();
            let reason = format!("not UTF-8: byte {:#04x}", line[at]);
            Fault { at, reason }
        })
    })
}

/// What has been taken from the file as it is stored.
struct Stored {
    hasher: Option<Hasher>,
    bytes: u64,
}

impl Stored {
    fn add(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.bytes += bytes.len() as u64;
    }
}

struct Seen {
    file: File,
    stored: Arc<Mutex<Stored>>,
}

impl Read for Seen {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(READ_BYTES);
        let count = self.file.read(&mut buffer[..most])?;
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.add(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codex_file::digest::digest_bytes;
    use tempfile::TempDir;

    /// Texts, and (byte, reason) of what is none.
    type Found = (Vec<String>, Vec<(u64, String)>);

    fn file(folder: &TempDir, bytes: &[u8]) -> PathBuf {
        let path = folder.path().join("documents.ndjson");
        std::fs::write(&path, bytes).expect("the folder is writable");
        path
    }

    fn read(mut blocks: Blocks) -> (Found, Vec<u8>, Digest) {
        let (mut texts, mut bad, mut all) = (Vec::new(), Vec::new(), Vec::new());
        let (mut block, mut text, mut next) = (Block::default(), String::new(), 0);
        while blocks.read(&mut block).expect("reads") {
            assert_eq!(block.start(), next);
            all.extend_from_slice(block.bytes());
            for line in block.lines() {
                assert_eq!(line.start, next);
                next = line.end;
                if line.is_blank() {
                    continue;
                }
                match line.read_document("text", &mut text) {
                    Ok(_) => texts.push(text.clone()),
                    Err(fault) => bad.push((line.start + fault.at as u64, fault.reason)),
                }
            }
        }
        ((texts, bad), all, blocks.finish().expect("reads").1)
    }

    #[test]
    fn lines_of_every_length_come_in_order_and_none_is_cut() {
        let folder = TempDir::new().expect("a folder");
        let mut bytes = Vec::new();
        let mut texts = Vec::new();
        for length in [
            0,
            1,
            1000,
            BLOCK_BYTES - 20,
            BLOCK_BYTES,
            3 * BLOCK_BYTES,
            5,
            0,
            400_000,
        ] {
            for repeat in 0..3 {
                texts.push(format!("{repeat}{}", "x".repeat(length)));
                bytes.extend_from_slice(format!("{{\"text\":\"{}\"}}\n", texts[texts.len() - 1]).as_bytes());
            }
        }
        for end in [bytes.len(), bytes.len() - 1] {
            let path = file(&folder, &bytes[..end]);
            let (found, all, digest) = read(Blocks::open(&path).expect("is there"));
            assert_eq!((&found.0, found.1.len()), (&texts, 0));
            assert!(all == bytes[..end]);
            assert_eq!(digest, digest_bytes(Algorithm::Xxh3, &bytes[..end]));
        }
    }

    #[test]
    fn a_compressed_file_gives_its_plain_lines_and_the_digest_of_what_is_stored() {
        let folder = TempDir::new().expect("a folder");
        let plain = "{\"text\":\"one two three\"}\n".repeat(100_000);
        let stored = zstd::encode_all(plain.as_bytes(), 1).expect("packs");
        let path = file(&folder, &stored);
        let (found, all, digest) = read(Blocks::open(&path).expect("is there"));
        assert_eq!((found.0.len(), found.1.len()), (100_000, 0));
        assert!(all == plain.as_bytes());
        assert_eq!(digest, digest_bytes(Algorithm::Xxh3, &stored));
        let path = file(&folder, &stored[..stored.len() / 2]);
        let mut blocks = Blocks::open(&path).expect("is there");
        let mut block = Block::default();
        let error = loop {
            match blocks.read(&mut block) {
                Ok(true) => {}
                Ok(false) => panic!("it is cut short"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("the zstd stream is cut short"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_with_its_byte_and_the_next_is_read() {
        let folder = TempDir::new().expect("a folder");
        let lines: [&[u8]; 8] = [
            b"\xef\xbb\xbf{\"text\":\"a\"}\r\n",
            b" \t\r\n",
            b"\n",
            b"{\"text\":7}\n",
            b"{\"text\":\"\xff\"}\n",
            b"\xef\xbb\xbf{\"text\":\"a\"}\n",
            b"{\"text\":\"b\"}\n",
            b"{\"text\":\"c",
        ];
        let starts: Vec<u64> = (0..8)
            .map(|number| lines[..number].concat().len() as u64)
            .collect();
        let (found, _, _) = read(Blocks::open(&file(&folder, &lines.concat())).expect("is there"));
        assert_eq!(found.0, ["a", "b"]);
        let reasons = [
            (3, 8, "expected a string, found `7`"),
            (4, 9, "not UTF-8: byte 0xff"),
            (5, 0, "expected an object, found `\\u{feff}`"),
            (7, 10, "the last line is torn: a string without its closing quote"),
        ];
        let wanted =
            reasons.map(|(line, at, reason): (usize, u64, &str)| (starts[line] + at, reason.to_owned()));
        assert_eq!(found.1, wanted);
    }

    #[test]
    fn a_line_beyond_the_limit_is_passed_over_without_being_held() {
        let folder = TempDir::new().expect("a folder");
        let (short, long) = ("{\"text\":\"a\"}\n", "x".repeat(3 * BLOCK_BYTES));
        for (text, count, place) in [
            (format!("{short}{long}\n{short}"), 2, short.len()),
            (format!("{short}{long}"), 1, short.len()),
            (format!("{long}\n{short}"), 1, 0),
        ] {
            let mut blocks = Blocks::open(&file(&folder, text.as_bytes())).expect("is there");
            blocks.maximum_line_bytes = BLOCK_BYTES;
            let (found, _, digest) = read(blocks);
            assert_eq!(found.0.len(), count);
            let reason = format!("the line is longer than {MAXIMUM_LINE_BYTES} bytes");
            assert_eq!(found.1, [(place as u64, reason)]);
            assert_eq!(digest, digest_bytes(Algorithm::Xxh3, text.as_bytes()));
        }
    }

    #[test]
    fn an_empty_file_has_no_block_and_a_missing_one_is_missing() {
        let folder = TempDir::new().expect("a folder");
        let (found, all, _) = read(Blocks::open(&file(&folder, b"")).expect("is there"));
        assert_eq!((found, all.len()), ((vec![], vec![]), 0));
        let error = Blocks::open(&folder.path().join("none"))
            .err()
            .expect("is missing");
        assert_eq!(error.class(), codex_file::Class::Missing);
    }
}
