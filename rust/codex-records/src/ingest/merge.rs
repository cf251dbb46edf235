//! Sorted files of records to one, each id once.
//!
//! Of every file only the next id is in memory, and some of what follows it, so that long lines in many files cost nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::parse::parse_line;
use crate::{Error, Record, Result};

/// A line begins with `{"id":"` and 32 digits.
const HEAD_BYTES: usize = 39;
/// What is read of a file at once.
const BUFFER_BYTES: usize = 64 << 10;

type Head = [u8; HEAD_BYTES];

/// A record whose text stood before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Twin {
    /// Its file.
    pub path: String,
    /// Its `meta`, if it has any.
    pub meta: Option<String>,
    /// Bytes of its text.
    pub text_bytes: usize,
    /// The file of the one that stays.
    pub first: String,
}

struct Source {
    path: PathBuf,
    file: BufReader<File>,
}

/// The lines of sorted files in order.
pub struct Merge {
    sources: Vec<Source>,
    /// The next id of every file and the number of the file: of equal ids the one of the first file comes first.
    next: BinaryHeap<Reverse<(Head, usize)>>,
}

impl Merge {
    /// Opens `paths`; more than `most_open` of them are first merged to fewer, in files in `scratch`.
    ///
    /// # Errors
    /// If one cannot be read, or nothing can be written to `scratch`.
    pub fn open(paths: &[PathBuf], scratch: &Path, most_open: usize) -> Result<Self> {
        let mut paths = paths.to_vec();
        let mut number = 0;
        while paths.len() > most_open.max(2) {
            let mut fewer = Vec::new();
            for together in paths.chunks(most_open.max(2)) {
                let path = scratch.join(format!("merged-{number}"));
                number += 1;
                Self::of(together)?.write(&path)?;
                fewer.push(path);
            }
            paths = fewer;
        }
        Self::of(&paths)
    }

    fn of(paths: &[PathBuf]) -> Result<Self> {
        let mut merge = Self {
            sources: Vec::new(),
            next: BinaryHeap::new(),
        };
        for (number, path) in paths.iter().enumerate() {
            let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
            merge.sources.push(Source {
                path: path.clone(),
                file: BufReader::with_capacity(BUFFER_BYTES, file),
            });
            merge.advance(number)?;
        }
        Ok(merge)
    }

    fn write(mut self, path: &Path) -> Result<()> {
        let failed = |error| Error::io("write", path, error);
        let mut file = BufWriter::new(File::create(path).map_err(failed)?);
        let mut line = Vec::new();
        while self.take(&mut line)?.is_some() {
            file.write_all(&line).map_err(failed)?;
            line.clear();
        }
        file.flush().map_err(failed)
    }

    /// Looks at the next id of a file.
    fn advance(&mut self, number: usize) -> Result<()> {
        let source = &mut self.sources[number];
        let failed = |error| Error::io("read", &source.path, error);
        if source.file.fill_buf().map_err(failed)?.is_empty() {
            return Ok(());
        }
        let mut head = [0; HEAD_BYTES];
        source.file.read_exact(&mut head).map_err(failed)?;
        self.next.push(Reverse((head, number)));
        Ok(())
    }

    /// Adds the next line to `lines`; its id and the number of its file, or none at the end.
    fn take(&mut self, lines: &mut Vec<u8>) -> Result<Option<(Head, usize)>> {
        let Some(Reverse((head, number))) = self.next.pop() else {
            return Ok(None);
        };
        lines.extend_from_slice(&head);
        let source = &mut self.sources[number];
        let mut is_whole = false;
        while !is_whole {
            let ready = source.file.fill_buf();
            let ready = ready.map_err(|error| Error::io("read", &source.path, error))?;
            let end = memchr::memchr(b'\n', ready).map(|at| at + 1);
            is_whole = end.is_some() || ready.is_empty();
            let taken = end.unwrap_or(ready.len());
            lines.extend_from_slice(&ready[..taken]);
            source.file.consume(taken);
        }
        self.advance(number)?;
        Ok(Some((head, number)))
    }

    /// Adds lines, each id once, until there are so many bytes; hands over what stood before. Whether there was any line.
    ///
    /// # Errors
    /// If a file cannot be read, or a line of it is no record.
    pub fn next_block(
        &mut self,
        block_bytes: usize,
        block: &mut Vec<u8>,
        twins: &mut Vec<Twin>,
    ) -> Result<bool> {
        while block.len() < block_bytes {
            let start = block.len();
            let Some((head, number)) = self.take(block)? else {
                break;
            };
            let mut first = None;
            while self.next.peek().is_some_and(|Reverse((next, _))| *next == head) {
                let mut twin = Vec::new();
                let Some((_, from)) = self.take(&mut twin)? else {
                    break;
                };
                let first = match &first {
                    None => first.insert(self.record(number, &block[start..])?.source.path),
                    Some(first) => first,
                };
                let record = self.record(from, &twin)?;
                twins.push(Twin {
                    path: record.source.path,
                    meta: record.meta.map(|meta| meta.as_str().to_owned()),
                    text_bytes: record.text.len(),
                    first: first.clone(),
                });
            }
        }
        Ok(!block.is_empty())
    }

    fn record(&self, number: usize, line: &[u8]) -> Result<Record> {
        parse_line(line.strip_suffix(b"\n").unwrap_or(line), false).map_err(|fault| {
            let path = self.sources[number].path.display().to_string();
            Error::record(
                &path,
                format!("cannot be read back: {} at byte {}", fault.reason, fault.at),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn record(text: &str, path: &str) -> Record {
        let source = Source {
            path: path.to_owned(),
            member: None,
            offset: 0,
            encoding: "utf-8".to_owned(),
            errors: 0,
        };
        Record::new(text.to_owned(), source, None)
    }

    fn written(home: &Path, number: usize, texts: &[String]) -> PathBuf {
        let mut records: Vec<_> = texts
            .iter()
            .map(|text| record(text, &number.to_string()))
            .collect();
        records.sort_by_key(|record| record.id);
        let mut lines = Vec::new();
        for record in records {
            record.write_line(&mut lines).expect("a line");
        }
        let path = home.join(format!("{number:03}"));
        std::fs::write(&path, lines).expect("a file");
        path
    }

    #[test]
    fn lines_come_in_order_and_each_id_once_however_many_files_are_open() {
        let home = tempfile::tempdir().expect("a folder");
        let texts = |number: usize| {
            (0..5)
                .map(|text| format!("text {}", (number * 5 + text) % 83))
                .collect::<Vec<_>>()
        };
        let paths: Vec<_> = (0..20)
            .map(|number| written(home.path(), number, &texts(number)))
            .collect();
        let mut answers = Vec::new();
        for (most_open, block_bytes) in [(2, 1), (3, 1000), (100, 1 << 20)] {
            let mut merge = Merge::open(&paths, home.path(), most_open).expect("open");
            let (mut all, mut twins) = (Vec::new(), Vec::new());
            loop {
                let mut block = Vec::new();
                if !merge
                    .next_block(block_bytes, &mut block, &mut twins)
                    .expect("lines")
                {
                    break;
                }
                all.extend_from_slice(&block);
            }
            let ids: Vec<_> = all
                .split_inclusive(|byte| *byte == b'\n')
                .map(|line| &line[..HEAD_BYTES])
                .collect();
            assert!(ids.is_sorted() && ids.len() == 83 && twins.len() == 17);
            assert!(
                twins
                    .iter()
                    .all(|twin| twin.first.parse::<usize>().ok() < twin.path.parse().ok())
            );
            answers.push((all, twins));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
        let mut none = Merge::open(&[], home.path(), 2).expect("open");
        assert!(
            !none
                .next_block(1, &mut Vec::new(), &mut Vec::new())
                .expect("no line")
        );
    }

    #[test]
    fn a_file_that_is_cut_is_an_error() {
        let home = tempfile::tempdir().expect("a folder");
        let path = written(home.path(), 0, &["one".to_owned()]);
        std::fs::write(&path, &std::fs::read(&path).expect("lines")[..20]).expect("cut");
        assert!(Merge::open(&[path], home.path(), 2).is_err());
    }
}
