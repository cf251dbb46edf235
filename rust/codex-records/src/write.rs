//! Records into a file that appears whole or not at all.

use codex_file::durable::AtomicFile;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::{Error, Record, Result};

const BLOCK_BYTES: usize = 1 << 20;

/// Writes records in the order they come; the file is there after [`Writer::commit`], and never half of it.
pub struct Writer {
    file: AtomicFile,
    path: PathBuf,
    buffer: Vec<u8>,
}

impl Writer {
    /// Starts a file that will be at `path`.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            file: AtomicFile::create(path)?,
            path: path.to_owned(),
            buffer: Vec::new(),
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If the record could not be read back, or the disk refuses.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        record.write_line(&mut self.buffer)?;
        if self.buffer.len() >= BLOCK_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.file
            .write_all(&self.buffer)
            .map_err(|error| Error::io("write", &self.path, error))?;
        self.buffer.clear();
        Ok(())
    }

    /// Makes the file appear, durably.
    ///
    /// # Errors
    /// If the disk refuses; the file is then as it was before.
    pub fn commit(mut self) -> Result<()> {
        self.flush()?;
        Ok(self.file.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Meta, Reader, Source};

    fn record(text: String, number: u64) -> Record {
        let source = Source {
            path: format!("folder/{number}.txt"),
            member: number.is_multiple_of(3).then(|| number.to_string()),
            offset: number,
            encoding: "utf-8".to_owned(),
            errors: number % 2,
        };
        let meta = number
            .is_multiple_of(2)
            .then(|| Meta::parse(&format!("{{\"number\":{number}}}")).expect("an object"));
        Record::new(text, source, meta)
    }

    fn write(path: &Path, records: &[Record]) {
        let mut writer = Writer::create(path).expect("the folder is writable");
        for record in records {
            writer.write(record).expect("it can be stored");
        }
        assert!(!path.exists());
        writer.commit().expect("the disk has room");
    }

    #[test]
    fn what_was_written_is_read_and_writes_the_same_bytes() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let records: Vec<Record> = (0..300_u32)
            .map(|number| record("é\n\"\u{0}😀".repeat(10 * number as usize), number.into()))
            .collect();
        let (first, second) = (folder.path().join("1.ndjson"), folder.path().join("2.ndjson"));
        write(&first, &records);
        let read: Vec<Record> = Reader::open(&first)
            .expect("it is there")
            .map(|found| found.expect("good"))
            .collect();
        assert_eq!(read, records);
        write(&second, &read);
        let bytes = |path| std::fs::read(path).expect("it is there");
        assert_eq!(bytes(first), bytes(second));
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let mut writer =
            Writer::create(&folder.path().join("records.ndjson")).expect("the folder is writable");
        writer
            .write(&record("text".to_owned(), 1))
            .expect("it can be stored");
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
