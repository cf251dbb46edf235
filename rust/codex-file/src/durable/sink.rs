//! A file that is written once, front to back, and remembers whether it ever failed.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::error::{Error, Result, quoted};
use crate::system;

/// Small writes are gathered up to this size; larger ones go straight through.
const BUFFER_BYTES: usize = 128 << 10;

#[derive(Debug)]
pub(super) struct Sink {
    file: File,
    /// The name it will have, for messages.
    path: PathBuf,
    buffer: Vec<u8>,
    failed: bool,
}

impl Sink {
    pub(super) fn new(file: File, path: PathBuf) -> Self {
        Self {
            file,
            path,
            buffer: Vec::new(),
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
        let answer =
            system::write_all(&self.file, data).map_err(|error| Error::io("write", &self.path, error).into());
        self.failed |= answer.is_err();
        answer
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
