//! A file that is written once, front to back, and remembers whether it ever failed.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::error::{Error, Result, quoted};
use crate::system;

/// Small writes are gathered up to this size; larger ones go straight through.
const BUFFER_BYTES: usize = 128 << 10;

/// The disk is sent to work on this much at a time while the rest is still being written.
const WRITE_BACK_BYTES: u64 = 8 << 20;

#[derive(Debug)]
pub(super) struct Sink {
    file: File,
    /// The name it will have, for messages.
    path: PathBuf,
    buffer: Vec<u8>,
    /// How many bytes the file has, and of how many the disk has been told.
    written: u64,
    told: u64,
    failed: bool,
}

impl Sink {
    pub(super) fn new(file: File, path: PathBuf) -> Self {
        Self {
            file,
            path,
            buffer: Vec::new(),
            written: 0,
            told: 0,
            failed: false,
        }
    }

    /// Waits until everything is on the disk. After a failed write or sync it never succeeds: the kernel may have thrown
    /// the unwritten bytes away, and asking again would only hide that.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.flush()
            .map_err(|error| Error::io("write", &self.path, error))?;
        let answer = system::sync(&self.file).map_err(|error| Error::io("sync", &self.path, error));
        self.failed |= answer.is_err();
        answer
    }

    fn write_through(&mut self, data: &[u8]) -> io::Result<()> {
        let answer: io::Result<()> =
            system::write_all(&self.file, data).map_err(|error| Error::io("write", &self.path, error).into());
        self.failed |= answer.is_err();
        answer?;
        self.written += data.len() as u64;
        if self.written - self.told >= WRITE_BACK_BYTES {
            system::start_write_back(&self.file, self.told, self.written - self.told);
            self.told = self.written;
        }
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        if self.failed {
            return Err(Error::machine(format!(
                "cannot write {}: an earlier write failed",
                quoted(&self.path)
            ))
            .into());
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.check()?;
        if self.buffer.len() + data.len() > BUFFER_BYTES {
            self.flush()?;
        }
        if data.len() >= BUFFER_BYTES {
            self.write_through(data)?;
        } else {
            self.buffer.extend_from_slice(data);
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check()?;
        let gathered = std::mem::take(&mut self.buffer);
        if !gathered.is_empty() {
            self.write_through(&gathered)?;
        }
        self.buffer = gathered;
        self.buffer.clear();
        Ok(())
    }
}
