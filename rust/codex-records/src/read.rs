//! A file of records, line by line.

use codex_file::stream;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::json::Fault;
use crate::parse::parse_line;
use crate::record::MAXIMUM_LINE_BYTES;
use crate::{BadLine, Error, Record, Result};

const BLOCK_BYTES: usize = 1 << 20;

/// Reads records in the order of their lines; plain or gz, bz2, xz, zst by magic number.
///
/// As an iterator it gives a record or an error for each line that is not blank. After a bad line
/// ([`Error::bad_line`]) it goes on with the next; any other error ends it. A byte-order mark is accepted at byte 0, white
/// space around the value, and a last line without its newline if it is whole.
pub struct Reader {
    source: BufReader<Box<dyn Read + Send>>,
    path: PathBuf,
    maximum_line_bytes: usize,
    verify_ids: bool,
    line: u64,
    byte: u64,
    buffer: Vec<u8>,
    has_failed: bool,
}

impl Reader {
    /// Opens the file at `path`; every id is held against its text.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            source: BufReader::with_capacity(BLOCK_BYTES, stream::open(path)?),
            path: path.to_owned(),
            maximum_line_bytes: MAXIMUM_LINE_BYTES,
            verify_ids: true,
            line: 0,
            byte: 0,
            buffer: Vec::new(),
            has_failed: false,
        })
    }

    /// The same reader, taking ids on trust: faster, for files whose manifest has just been verified.
    #[must_use]
    pub fn trusting_ids(self) -> Self {
        Self {
            verify_ids: false,
            ..self
        }
    }

    fn read(&mut self) -> Result<Option<Record>> {
        while self.read_line()? {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            if !self.buffer.iter().all(blank) {
                return self.parse().map(Some);
            }
        }
        Ok(None)
    }

    /// Fills the buffer with the next line and its newline; false at the end of the file.
    fn read_line(&mut self) -> Result<bool> {
        self.byte += self.buffer.len() as u64;
        self.buffer.clear();
        let failed = |error| Error::io("read", &self.path, error);
        let limit = self.maximum_line_bytes as u64 + 1;
        if self
            .source
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.buffer)
            .map_err(failed)?
            == 0
        {
            return Ok(false);
        }
        self.line += 1;
        if self.line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.buffer.drain(..3);
            self.byte += 3;
        }
        if self.buffer.len() > self.maximum_line_bytes {
            let reason = format!("the line is longer than {} bytes", self.maximum_line_bytes);
            let error = self.bad_line(0, reason);
            if self.buffer.last() != Some(&b'\n') {
                self.byte += self.source.skip_until(b'\n').map_err(failed)? as u64;
            }
            return Err(error);
        }
        Ok(true)
    }

    fn parse(&self) -> Result<Record> {
        let (line, state) = match self.buffer.strip_suffix(b"\n") {
            Some(line) => (line, ""),
            None => (&*self.buffer, "the last line is torn: "),
        };
        parse_line(line, self.verify_ids)
            .map_err(|Fault { at, reason }| self.bad_line(at, format!("{state}{reason}")))
    }

    fn bad_line(&self, at: usize, reason: String) -> Error {
        BadLine {
            path: self.path.clone(),
            line: self.line,
            byte: self.byte + at as u64,
            reason,
        }
        .into()
    }
}

impl Iterator for Reader {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Result<Record>> {
        if self.has_failed {
            return None;
        }
        let found = self.read().transpose();
        self.has_failed = matches!(&found, Some(Err(error)) if error.bad_line().is_none());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use codex_file::Class;
    use tempfile::TempDir;

    fn line(text: &str) -> Vec<u8> {
        let source = Source {
            path: "a".to_owned(),
            member: None,
            offset: 0,
            encoding: "utf-8".to_owned(),
            errors: 0,
        };
        let mut out = Vec::new();
        Record::new(text.to_owned(), source, None)
            .write_line(&mut out)
            .expect("it can be stored");
        out
    }

    fn file(folder: &TempDir, pieces: &[&[u8]]) -> PathBuf {
        let path = folder.path().join("records.ndjson");
        std::fs::write(&path, pieces.concat()).expect("the folder is writable");
        path
    }

    /// Texts, and (line, byte, reason) of what is none.
    fn read(reader: Reader) -> (Vec<String>, Vec<(u64, u64, String)>) {
        let (mut texts, mut bad) = (Vec::new(), Vec::new());
        for found in reader {
            match found {
                Ok(record) => texts.push(record.text),
                Err(error) => {
                    let found = error.bad_line().expect("a bad line").clone();
                    bad.push((found.line, found.byte, found.reason));
                }
            }
        }
        (texts, bad)
    }

    #[test]
    fn bad_lines_are_told_apart_and_the_rest_is_read() {
        let folder = TempDir::new().expect("a folder");
        let (a, b) = (line("a"), line("b"));
        let path = file(
            &folder,
            &[&a, b"{\"id\": 7}\n", &b, b"\xff\n", &a[..30], b"\n", &b],
        );
        let (texts, bad) = read(Reader::open(&path).expect("it is there"));
        assert_eq!(texts, ["a", "b", "b"]);
        let start = a.len() as u64;
        let third = start + 10 + b.len() as u64;
        assert_eq!(
            bad,
            [
                (2, start + 7, "expected a string, found `7`".to_owned()),
                (4, third, "not UTF-8: byte 0xff".to_owned()),
                (5, third + 2 + 30, "a string without its closing quote".to_owned()),
            ]
        );
    }

    #[test]
    fn a_mark_blank_lines_and_foreign_newlines_are_accepted_and_counted() {
        let folder = TempDir::new().expect("a folder");
        let a = line("a");
        let path = file(
            &folder,
            &[
                b"\xef\xbb\xbf",
                &a[..a.len() - 1],
                b"\r\n\n \t\r\n",
                &a,
                b"{}\n",
                b"\xef\xbb\xbf",
                &a,
            ],
        );
        let (texts, bad) = read(Reader::open(&path).expect("it is there"));
        assert_eq!(texts, ["a", "a"]);
        let fifth = 3 + (a.len() - 1) as u64 + 2 + 1 + 4 + a.len() as u64;
        assert_eq!(bad[0], (5, fifth, "the key `id` is missing".to_owned()));
        assert_eq!(
            bad[1],
            (6, fifth + 3, "expected an object, found `\\u{feff}`".to_owned())
        );
    }

    #[test]
    fn a_torn_last_line_is_reported_and_a_whole_one_without_its_newline_is_read() {
        let folder = TempDir::new().expect("a folder");
        let (a, b) = (line("a"), line("b"));
        for cut in 1..b.len() {
            let (texts, bad) = read(Reader::open(&file(&folder, &[&a, &b[..cut]])).expect("it is there"));
            if cut == b.len() - 1 {
                assert_eq!((texts.len(), bad.len()), (2, 0));
            } else {
                assert_eq!((texts.len(), bad.len(), bad[0].0), (1, 1, 2));
                assert!(bad[0].2.starts_with("the last line is torn: "), "{}", bad[0].2);
            }
        }
        let (_, bad) = read(Reader::open(&file(&folder, &[&a, &[0; 100]])).expect("it is there"));
        assert_eq!(
            bad,
            [(
                2,
                a.len() as u64,
                "the last line is torn: expected an object, found `\\0`".to_owned()
            )]
        );
    }

    #[test]
    fn a_line_beyond_the_limit_is_passed_over_without_being_held() {
        let folder = TempDir::new().expect("a folder");
        let (a, long) = (line("a"), line(&"x".repeat(1000)));
        for (limit, are_read) in [(a.len(), 0), (long.len() - 1, 0), (long.len(), 1)] {
            let mut reader = Reader::open(&file(&folder, &[&a, &long, &a, b"{}"])).expect("it is there");
            reader.maximum_line_bytes = limit;
            let (texts, bad) = read(reader);
            assert_eq!(texts.len(), 2 + are_read, "{limit}");
            let last = (4, (2 * a.len() + long.len()) as u64);
            assert_eq!(bad.last().map(|bad| (bad.0, bad.1)), Some(last), "{limit}");
            if are_read == 0 {
                assert_eq!(
                    bad[0],
                    (
                        2,
                        a.len() as u64,
                        format!("the line is longer than {limit} bytes")
                    )
                );
            }
        }
    }

    #[test]
    fn a_missing_file_is_missing_and_an_empty_one_is_empty() {
        let folder = TempDir::new().expect("a folder");
        let error = Reader::open(&folder.path().join("none.ndjson"))
            .err()
            .expect("it is not there");
        assert_eq!(error.class(), Class::Missing);
        assert_eq!(Reader::open(&file(&folder, &[])).expect("it is there").count(), 0);
    }
}
