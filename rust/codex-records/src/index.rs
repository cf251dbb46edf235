//! How many lines a file has, and where each begins. A line with nothing on it but white space is none.

use codex_file::frames::Frames;
use codex_file::stream::{self, Format, sniff};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::blocks::MARK;
use crate::{Error, MAXIMUM_LINE_BYTES, Result};

/// Half of a common second-level cache.
const BLOCK_BYTES: usize = 256 << 10;

/// Bytes that are tallied at a time: a lane of 8 bits counts no further.
const STRIDE: usize = LANES * 255;
const LANES: usize = 32;

/// How many lines of the file at `path` are not blank; plain or gz, bz2, xz, zst by magic number. No line is parsed.
///
/// # Errors
/// If the file cannot be read, or is compressed and damaged.
pub fn count_lines(path: &Path) -> Result<u64> {
    let mut counter = Counter::default();
    each_block(path, |block| counter.add(block))?;
    Ok(counter.lines + u64::from(counter.has_content))
}

/// Hands the plain bytes of a file over, without a byte-order mark; says how long that was.
fn each_block(path: &Path, mut each: impl FnMut(&[u8])) -> Result<u64> {
    let mut source = stream::open(path)?;
    let failed = |error| Error::io("read", path, error);
    let mut block = vec![0; BLOCK_BYTES];
    let mut mark = Vec::new();
    source
        .by_ref()
        .take(MARK.len() as u64)
        .read_to_end(&mut mark)
        .map_err(failed)?;
    let mut bytes = mark.len() as u64;
    if mark != MARK {
        each(&mark);
    }
    loop {
        match source.read(&mut block) {
            Ok(0) => return Ok(bytes),
            Ok(count) => {
                bytes += count as u64;
                each(&block[..count]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

#[derive(Default)]
struct Counter {
    lines: u64,
    /// Whether something stands on the line that has not ended yet.
    has_content: bool,
}

impl Counter {
    fn add(&mut self, block: &[u8]) {
        for stride in block.chunks(STRIDE) {
            let before = if self.has_content { b'x' } else { b'\n' };
            let (newlines, doubtful) = tally(stride, before);
            if doubtful > 0 {
                self.add_slowly(stride);
                continue;
            }
            self.lines += newlines;
            let last = memchr::memrchr(b'\n', stride);
            let rest = &stride[last.map_or(0, |newline| newline + 1)..];
            self.has_content = (last.is_none() && self.has_content) || has_content(rest);
        }
    }

    /// The same, line by line.
    fn add_slowly(&mut self, block: &[u8]) {
        for piece in block.split_inclusive(|byte| *byte == b'\n') {
            self.has_content |= has_content(piece);
            if piece.last() == Some(&b'\n') {
                self.lines += u64::from(std::mem::take(&mut self.has_content));
            }
        }
    }
}

fn has_content(line: &[u8]) -> bool {
    line.iter()
        .any(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// How many newlines `block` has, and how many of them stand behind white space, so that their line may be blank.
fn tally(block: &[u8], before: u8) -> (u64, u64) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: it has just been seen that the processor has AVX2.
        #[expect(unsafe_code, reason = "the processor's own instructions")]
        return unsafe { tally_by_avx2(block, before) };
    }
    tally_by_lanes(block, before)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn tally_by_avx2(block: &[u8], before: u8) -> (u64, u64) {
    tally_by_lanes(block, before)
}

/// Written so that the compiler takes 32 bytes at a time.
#[allow(clippy::inline_always)] // else it is compiled once, without AVX2
#[inline(always)]
fn tally_by_lanes(block: &[u8], before: u8) -> (u64, u64) {
    debug_assert!(block.len() <= STRIDE);
    let Some(&first) = block.first() else {
        return (0, 0);
    };
    let is_newline = |byte: u8| u8::from(byte == b'\n');
    let is_doubtful = |byte: u8, before: u8| is_newline(byte) & u8::from(before <= b' ');
    let (mut newlines, mut doubtful) = ([0_u8; LANES], [0_u8; LANES]);
    let (chunks, last) = block[1..].as_chunks::<LANES>();
    let (earlier, last_before) = block[..block.len() - 1].as_chunks::<LANES>();
    for (now, before) in chunks.iter().zip(earlier) {
        for lane in 0..LANES {
            newlines[lane] += is_newline(now[lane]);
            doubtful[lane] += is_doubtful(now[lane], before[lane]);
        }
    }
    let sum = |lanes: [u8; LANES]| lanes.iter().map(|lane| u64::from(*lane)).sum::<u64>();
    let rest = last.iter().zip(last_before).fold(
        (
            u64::from(is_newline(first)),
            u64::from(is_doubtful(first, before)),
        ),
        |(newlines, doubtful): (u64, u64), (now, before)| {
            (
                newlines + u64::from(is_newline(*now)),
                doubtful + u64::from(is_doubtful(*now, *before)),
            )
        },
    );
    (rest.0 + sum(newlines), rest.1 + sum(doubtful))
}

/// Where each line of a file begins, so that any of them is read with one call: 8 bytes of memory a line.
///
/// The file is plain, or zst in frames: a line then costs the frame it stands in, unless that was read last. It knows the file as it
/// was when it was opened; lines added later are not in it.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    source: Source,
    starts: Vec<u64>,
    end: u64,
}

#[derive(Debug)]
enum Source {
    Plain(File),
    Frames(Frames),
}

impl Index {
    /// Reads the file at `path` once.
    ///
    /// # Errors
    /// If it cannot be read, or is compressed so that there is no way into the middle of it.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error| Error::io("read", path, error);
        let file = File::open(path).map_err(failed)?;
        let mut start = [0; 6];
        let count = file.read_at(&mut start, 0).map_err(failed)?;
        let mut finder = Finder::default();
        let source = match sniff(&start[..count]) {
            Format::Plain => {
                if start.starts_with(MARK) {
                    finder.skip(MARK.len());
                }
                each_block(path, |block| finder.add(block))?;
                Source::Plain(file)
            }
            Format::Zstd => {
                let mut mark = Vec::with_capacity(MARK.len());
                let frames = Frames::open(path, |block| {
                    let (first, rest) = block.split_at(block.len().min(MARK.len() - mark.len()));
                    mark.extend_from_slice(first);
                    if mark.len() == MARK.len() && !first.is_empty() {
                        finder.begin(&mark);
                    }
                    finder.add(rest);
                })?;
                if mark.len() < MARK.len() {
                    finder.begin(&mark);
                }
                Source::Frames(frames)
            }
            format => return Err(Error::no_way_in(path, format.name())),
        };
        finder.end();
        Ok(Self {
            path: path.to_owned(),
            source,
            starts: finder.starts,
            end: finder.byte,
        })
    }

    /// How many lines it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Puts line `number`, counted from 0, into `line`, with white space behind it; false if there is no such line.
    ///
    /// # Errors
    /// If the file cannot be read, has become shorter, or the line is longer than [`MAXIMUM_LINE_BYTES`].
    pub fn read(&self, number: usize, line: &mut Vec<u8>) -> Result<bool> {
        let Some(bytes) = self.bytes(number) else {
            return Ok(false);
        };
        if bytes <= MAXIMUM_LINE_BYTES {
            line.resize(bytes, 0);
        }
        self.read_into(number, line).map(|()| true)
    }

    /// How many bytes there are from this line to the next, if there is such a line.
    #[must_use]
    pub fn bytes(&self, number: usize) -> Option<usize> {
        let start = *self.starts.get(number)?;
        let end = self.starts.get(number + 1).copied().unwrap_or(self.end);
        Some(usize::try_from(end - start).unwrap_or(usize::MAX))
    }

    /// As [`Self::read`], into memory that is as long as [`Self::bytes`] says.
    ///
    /// # Errors
    /// As [`Self::read`], and if there is no such line or the memory is of another length.
    pub fn read_into(&self, number: usize, line: &mut [u8]) -> Result<()> {
        let failed = |error| Error::io("read", &self.path, error);
        match (self.start(number), self.bytes(number)) {
            (Some(start), Some(bytes)) if bytes == line.len() && bytes <= MAXIMUM_LINE_BYTES => {
                match &self.source {
                    Source::Plain(file) => file.read_exact_at(line, start).map_err(failed),
                    Source::Frames(frames) => Ok(frames.read_exact_at(line, start)?),
                }
            }
            _ => {
                let reason = format!("line {number} is longer than {MAXIMUM_LINE_BYTES} bytes");
                Err(failed(std::io::Error::new(ErrorKind::InvalidData, reason)))
            }
        }
    }

    /// Where the line begins in the file, if there is one.
    #[must_use]
    pub fn start(&self, number: usize) -> Option<u64> {
        self.starts.get(number).copied()
    }
}

/// Finds where lines begin, block by block.
#[derive(Default)]
struct Finder {
    starts: Vec<u64>,
    /// Where the line begins that has not ended yet.
    start: u64,
    has_content: bool,
    byte: u64,
}

impl Finder {
    /// Takes the first bytes, which may be a mark and then are part of no line.
    fn begin(&mut self, first: &[u8]) {
        if first == MARK {
            self.skip(MARK.len());
        } else {
            self.add(first);
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.byte += bytes as u64;
        self.start = self.byte;
    }

    fn add(&mut self, block: &[u8]) {
        let mut from = 0;
        for newline in memchr::memchr_iter(b'\n', block) {
            self.has_content |= block[from] > b' ' || has_content(&block[from..newline]);
            self.end();
            from = newline + 1;
            self.start = self.byte + from as u64;
        }
        self.has_content |= has_content(&block[from..]);
        self.byte += block.len() as u64;
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.has_content) {
            self.starts.push(self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::Mutations;
    use tempfile::TempDir;

    const EMPTY_BZIP2: [u8; 14] = *b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0";

    /// The lines of `file` that are not blank, each with where it begins.
    fn slow(file: &[u8]) -> Vec<(usize, &[u8])> {
        let skipped = if file.starts_with(MARK) { 3 } else { 0 };
        let mut start = skipped;
        let mut lines = Vec::new();
        for line in file[skipped..].split(|byte| *byte == b'\n') {
            if has_content(line) {
                lines.push((start, line));
            }
            start += line.len() + 1;
        }
        lines
    }

    #[test]
    fn lines_are_counted_and_found_as_one_by_one() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("lines");
        let mut source = Mutations(7);
        let mut random = |below: usize| source.random(below);
        let pieces: [&[u8]; 9] = [
            b"\n",
            b"{}\n",
            b" \n",
            b"\t\r\n",
            b"\xef\xbb\xbf",
            b"a",
            b"  ",
            b"{\"a\":1}\r\n",
            b"\xc3\xa9\n",
        ];
        for round in 0..300 {
            // Some have blank lines, some are long and have none.
            let choice = if round % 3 == 0 { 2 } else { 9 };
            let mut file: Vec<u8> = Vec::new();
            for _ in 0..random(40) {
                let piece = if choice == 2 {
                    b"{\"n\": 12345}\n"
                } else {
                    pieces[random(9)]
                };
                file.extend(piece.repeat(random(if round % 10 == 0 { 9000 } else { 30 })));
            }
            std::fs::write(&path, &file).expect("the folder is writable");
            let lines = slow(&file);
            assert_eq!(
                count_lines(&path).expect("it is there"),
                lines.len() as u64,
                "{round}"
            );
            let index = Index::open(&path).expect("it is there");
            assert_eq!(index.len(), lines.len());
            let mut line = Vec::new();
            for number in (0..lines.len()).step_by(1 + lines.len() / 50) {
                assert!(index.read(number, &mut line).expect("it is there"));
                let (start, wanted) = lines[number];
                assert_eq!(index.start(number), Some(start as u64));
                assert!(line.starts_with(wanted) && !has_content(&line[wanted.len()..]));
            }
            assert!(!index.read(lines.len(), &mut line).expect("it is there"));
        }
    }

    #[test]
    fn tallies_are_the_same_by_any_instructions() {
        let block: Vec<u8> = (0..STRIDE).map(|at| b"a\n \nb"[at * at % 5]).collect();
        for length in [0, 1, 2, 31, 32, 33, 64, 65, 1000, STRIDE] {
            for before in [b'x', b'\n'] {
                let block = &block[..length];
                let is_doubtful =
                    |at: usize| block[at] == b'\n' && if at == 0 { before } else { block[at - 1] } <= b' ';
                let newlines = memchr::memchr_iter(b'\n', block).count() as u64;
                let doubtful = (0..length).filter(|at| is_doubtful(*at)).count() as u64;
                assert_eq!(tally(block, before), (newlines, doubtful));
                assert_eq!(tally_by_lanes(block, before), (newlines, doubtful));
            }
        }
    }

    #[test]
    fn lines_in_frames_are_found_as_in_the_plain_file() {
        let folder = TempDir::new().expect("a folder");
        let (path, plain) = (folder.path().join("lines.zst"), folder.path().join("lines"));
        let mut source = Mutations(9);
        for round in 0..60 {
            let mark: &[u8] = if round % 2 == 0 { MARK } else { b"" };
            let mut file = mark[..mark.len() - usize::from(round % 8 == 0)].to_vec();
            for number in 0..source.random(400) {
                file.extend(format!("{{\"n\": {number}}}\n\n").as_bytes());
            }
            let mut packed = Vec::new();
            let mut rest = &file[..];
            while !rest.is_empty() {
                let (frame, others) = rest.split_at(rest.len().min(1 + source.random(300)));
                packed.extend(zstd::encode_all(frame, 1).expect("it is compressed"));
                rest = others;
            }
            packed.extend(zstd::encode_all(rest, 1).expect("it is compressed"));
            std::fs::write(&path, packed).expect("the folder is writable");
            std::fs::write(&plain, &file).expect("the folder is writable");
            let (packed, plain) = (Index::open(&path), Index::open(&plain));
            let (packed, plain) = (packed.expect("it is there"), plain.expect("it is there"));
            assert_eq!(
                (&packed.starts, packed.end),
                (&plain.starts, plain.end),
                "{round}"
            );
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for number in (0..plain.len()).rev() {
                assert!(packed.read(number, &mut one).expect("it is there"));
                assert!(plain.read(number, &mut other).expect("it is there"));
                assert_eq!(one, other);
            }
        }
    }

    #[test]
    fn a_file_of_bzip2_is_counted_and_has_no_index_and_a_cut_one_says_so() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("lines.bz2");
        std::fs::write(&path, EMPTY_BZIP2).expect("the folder is writable");
        assert_eq!(count_lines(&path).expect("it is there"), 0);
        let error = Index::open(&path).expect_err("compressed").to_string();
        assert!(
            error.ends_with("is compressed (bzip2): there is no way to a line in the middle"),
            "{error}"
        );
        std::fs::write(&path, b"{}\n{}\n{}\n").expect("the folder is writable");
        let index = Index::open(&path).expect("it is there");
        std::fs::write(&path, b"{}\n").expect("the folder is writable");
        let mut line = Vec::new();
        assert!(index.read(0, &mut line).expect("still there") && index.read(2, &mut line).is_err());
    }
}
