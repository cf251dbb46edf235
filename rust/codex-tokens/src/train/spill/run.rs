//! One run: records of a count and some bytes, written once front to back, then read as often as needed.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use codex_file::fail;

use super::Spill;
use crate::error::Result;

const BUFFER_BYTES: usize = 1 << 17;

/// A finished run.
#[derive(Debug)]
pub(crate) struct Run {
    file: File,
    bytes: u64,
    records: u64,
    spill: Spill,
}

/// A run on its way to disk.
#[derive(Debug)]
pub(crate) struct RunWriter {
    file: File,
    buffer: Vec<u8>,
    bytes: u64,
    records: u64,
    spill: Spill,
}

/// A run on its way back.
#[derive(Debug)]
pub(crate) struct RunReader {
    file: File,
    /// Bytes that are still in the file.
    left: u64,
    records: u64,
    buffer: Vec<u8>,
    at: usize,
    spill: Spill,
}

impl RunWriter {
    pub(super) fn new(file: File, spill: Spill) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            bytes: 0,
            records: 0,
            spill,
        }
    }

    pub(crate) fn push(&mut self, count: u64, record: &[u8]) -> Result<()> {
        push_number(&mut self.buffer, count);
        push_number(&mut self.buffer, record.len() as u64);
        self.buffer.extend_from_slice(record);
        self.records += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        fail::point("tokens.spill.write")
            .and_then(|()| self.file.write_all(&self.buffer))
            .map_err(|error| self.spill.failed("spill into", error))?;
        let bytes = self.buffer.len() as u64;
        self.bytes += bytes;
        self.spill
            .written
            .fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
        self.buffer.clear();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Run> {
        self.flush()?;
        Ok(Run {
            file: self.file,
            bytes: self.bytes,
            records: self.records,
            spill: self.spill,
        })
    }
}

impl Run {
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Reads it from the start; one reader at a time.
    pub(crate) fn read(&self) -> Result<RunReader> {
        let failed = |error| self.spill.failed("read back from", error);
        let mut file = self.file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(RunReader {
            file,
            left: self.bytes,
            records: self.records,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            at: 0,
            spill: self.spill.clone(),
        })
    }
}

impl RunReader {
    /// Puts the next record into `record` and returns its count; `None` after the last.
    pub(crate) fn next(&mut self, record: &mut Vec<u8>) -> Result<Option<u64>> {
        if self.records == 0 {
            return Ok(None);
        }
        self.records -= 1;
        let count = self.number()?;
        let mut length = self.number()?;
        record.clear();
        while length > 0 {
            self.fill()?;
            let here = &self.buffer[self.at..];
            let taken = here.len().min(usize::try_from(length).unwrap_or(usize::MAX));
            record.extend_from_slice(&here[..taken]);
            self.at += taken;
            length -= taken as u64;
        }
        Ok(Some(count))
    }

    fn number(&mut self) -> Result<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            self.fill()?;
            let byte = self.buffer[self.at];
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    /// Sees to it that there is a byte at `at`.
    fn fill(&mut self) -> Result<()> {
        if self.at < self.buffer.len() {
            return Ok(());
        }
        self.at = 0;
        self.buffer.clear();
        let wanted = self.left.min(BUFFER_BYTES as u64);
        let read = fail::point("tokens.spill.read")
            .and_then(|()| {
                Read::by_ref(&mut self.file)
                    .take(wanted)
                    .read_to_end(&mut self.buffer)
            })
            .and_then(|read| {
                if read == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                Ok(read)
            })
            .map_err(|error| self.spill.failed("read back from", error))?;
        self.left -= read as u64;
        Ok(())
    }
}

/// Seven bits a byte, the lowest first.
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}
