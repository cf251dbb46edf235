//! Some files of a corpus to sorted records: each is read once, held against its digest, decoded, filtered and written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codex_file::stream::{read_digested_in, unpack};

use super::files::{RawFile, RawFiles};
use super::kept::Piece;
use super::run::{Run, RunFile};
use super::{Filters, kind_of, reason_of};
use crate::record::put_line;
use crate::{Error, Id, Result, Source};

/// Of the rows of files of many documents so many are listed for a reason.
const LISTED: u64 = 1000;

/// How files are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Whether files are read here at all; else every one is left to the caller.
    pub reads_texts: bool,
    /// Endings of files, in lower case, that are left to the caller: they are no plain text.
    pub other_endings: Vec<String>,
    /// Endings that say how a file is compressed, and nothing about what it is.
    pub packed_endings: Vec<String>,
    /// Whether what declares no encoding, and is not UTF-8, is looked at by the caller; else it is no text.
    pub finds_encodings: bool,
    /// More bytes than these are not read.
    pub limit_bytes: u64,
}

impl Reading {
    /// Whether the file called `name` is one text.
    fn is_text(&self, name: &str) -> bool {
        let name = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let (stem, ending) = cut_ending(&name);
        let ending = if self.packed_endings.iter().any(|packed| packed == ending) {
            cut_ending(stem).1
        } else {
            ending
        };
        self.reads_texts && !self.other_endings.iter().any(|other| other == ending)
    }
}

/// The name before its ending, and the ending with its dot, as Python's `PurePath` cuts it.
fn cut_ending(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && at + 1 < name.len() => name.split_at(at),
        _ => (name, ""),
    }
}

/// A document that the caller made.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its text; its newlines are `\n`.
    pub text: &'a str,
    /// What it was decoded from.
    pub encoding: &'a str,
    /// Places that were replaced.
    pub errors: u64,
    /// Which one it is, from 0, if its file is of many.
    pub row: Option<u64>,
}

/// Why [`Unit::read`] went no further than a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stopped {
    /// There was no more to read.
    AtEnd,
    /// This one is left to the caller.
    AtOther,
    /// This one is no longer what it was when it was listed.
    AtChanged,
}

/// What became of a unit.
#[derive(Debug, Default)]
pub struct Made {
    /// Files of sorted lines.
    pub files: Vec<RunFile>,
    /// What was left out: path, reason, bytes.
    pub skipped: Vec<(String, String, u64)>,
    /// How many were left out, by the kind of the reason.
    pub dropped: BTreeMap<String, u64>,
    /// Documents that were written.
    pub documents: u64,
    /// Bytes of their texts.
    pub text_bytes: u64,
}

/// Writes the records of some files into `<name>-0000.ndjson` and so on.
#[derive(Debug)]
pub struct Unit {
    folder: PathBuf,
    name: String,
    run_bytes: usize,
    reading: Reading,
    filters: Filters,
    run: Run,
    made: Made,
    /// The bytes of the file being read; kept, so that the next one needs no memory of its own.
    stored: Vec<u8>,
}

impl Unit {
    /// Starts one; `run_bytes` are held in memory before they go into a file.
    #[must_use]
    pub fn new(folder: &Path, name: &str, run_bytes: usize, reading: Reading, filters: Filters) -> Self {
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            run_bytes,
            reading,
            filters,
            run: Run::default(),
            made: Made::default(),
            stored: Vec::new(),
        }
    }

    /// Reads files from the one of number `start` on, up to `stop` or one that is not for here; which one that is, and why.
    ///
    /// # Errors
    /// If what was read cannot be written.
    pub fn read(&mut self, files: &RawFiles, start: usize, stop: usize) -> Result<(usize, Stopped)> {
        for (number, file) in files.readable(start, stop) {
            let kept = files.take_kept(number);
            if !self.reading.is_text(file.name) {
                return Ok((number, Stopped::AtOther));
            }
            let stopped = self.text(&file, kept)?;
            if stopped != Stopped::AtEnd {
                return Ok((number, stopped));
            }
        }
        Ok((stop, Stopped::AtEnd))
    }

    /// Takes a file that is one text; its bytes may have been kept when they were digested.
    fn text(&mut self, file: &RawFile<'_>, kept: Option<Piece>) -> Result<Stopped> {
        let path = file.path();
        let limit = self.reading.limit_bytes;
        let mut stored = std::mem::take(&mut self.stored);
        let kept = kept.filter(|kept| kept.len() as u64 <= limit && file.is_untouched(&path));
        let read = if let Some(kept) = &kept {
            unpack(&path, limit, kept).map(|unpacked| (unpacked, true))
        } else {
            stored.reserve(usize::try_from(file.stamp.bytes.min(limit) + 1).unwrap_or(0));
            read_digested_in(file.content.again(), &path, limit, &mut stored)
                .map(|(unpacked, again)| (unpacked, file.content.is_of(&again)))
        };
        let stopped = match read {
            Ok((_, false)) => Ok(Stopped::AtChanged),
            Ok((unpacked, true)) => {
                let id = unpacked.is_none().then(|| Id::of_digest(&file.content.sha256));
                let stored = kept.as_deref().unwrap_or(&stored);
                self.decoded(file, unpacked.as_deref().unwrap_or(stored), id)
            }
            Err(_) if !file.stamp.is_of(&path) => Ok(Stopped::AtChanged),
            Err(error) => {
                self.drop(file, &reason_of(&error.to_string()), None);
                Ok(Stopped::AtEnd)
            }
        };
        self.stored = stored;
        stopped
    }

    /// Takes the bytes of a file; `id` is that of a text of just these bytes, if it is known.
    fn decoded(&mut self, file: &RawFile<'_>, data: &[u8], id: Option<Id>) -> Result<Stopped> {
        if self.reading.finds_encodings && is_perhaps_escaped(data) {
            return Ok(Stopped::AtOther);
        }
        match codex_text::decode(data, file.name) {
            Ok(decoded) => {
                let id = id.filter(|_| decoded.text.as_bytes() == data);
                let document = Document {
                    text: &decoded.text,
                    encoding: decoded.encoding,
                    errors: 0,
                    row: None,
                };
                self.document(file, document, id)?;
            }
            Err(_) if self.reading.finds_encodings => return Ok(Stopped::AtOther),
            Err(error) => self.drop(file, &error.to_string(), None),
        }
        Ok(Stopped::AtEnd)
    }

    /// Adds a document of a file, or counts why it is left out.
    ///
    /// # Errors
    /// If the document is too large for a line, or what was added cannot be written.
    pub fn add(&mut self, file: &RawFile<'_>, document: Document<'_>) -> Result<()> {
        self.document(file, document, None)
    }

    fn document(&mut self, file: &RawFile<'_>, document: Document<'_>, id: Option<Id>) -> Result<()> {
        let Document {
            text,
            encoding,
            errors,
            row,
        } = document;
        if let Some(reason) = self.filters.reason(text) {
            self.drop(file, &reason, row);
            return Ok(());
        }
        if let Some(at) = memchr::memchr(b'\r', text.as_bytes()) {
            let reason = format!("has a carriage return at byte {at}, expected `\\n` for every newline");
            return Err(Error::record(file.name, reason));
        }
        let id = id.unwrap_or_else(|| Id::of(text));
        let source = Source {
            path: file.name.to_owned(),
            member: None,
            offset: 0,
            encoding: encoding.to_owned(),
            errors,
        };
        let meta = row.map(|row| format!("{{\"row\":{row}}}"));
        let start = self.run.lines.len();
        put_line(&mut self.run.lines, &id, text, &source, meta.as_deref())?;
        self.run.added(id, start);
        self.made.documents += 1;
        self.made.text_bytes += text.len() as u64;
        if self.run.lines.len() >= self.run_bytes {
            self.write()?;
        }
        Ok(())
    }

    /// Counts a document that is left out, and lists it: a whole file always, rows up to a thousand for a reason.
    pub fn drop(&mut self, file: &RawFile<'_>, reason: &str, row: Option<u64>) {
        let count = self.made.dropped.entry(kind_of(reason).to_owned()).or_default();
        *count += 1;
        let listed = match row {
            None => (file.name.to_owned(), file.stamp.bytes),
            Some(row) if *count <= LISTED => (format!("{}#{row}", file.name), 0),
            Some(_) => return,
        };
        self.made.skipped.push((listed.0, reason.to_owned(), listed.1));
    }

    /// Writes what is left; what became of it all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<Made> {
        if !self.run.is_empty() {
            self.write()?;
        }
        Ok(self.made)
    }

    fn write(&mut self) -> Result<()> {
        let name = format!("{}-{:04}.ndjson", self.name, self.made.files.len());
        self.made.files.push(self.run.write(&self.folder, name)?);
        Ok(())
    }
}

/// Whether the bytes have a sequence that ISO-2022 and HZ change their characters by.
fn is_perhaps_escaped(data: &[u8]) -> bool {
    memchr::memchr2_iter(0x1b, b'~', data).any(|at| matches!(data[at..], [0x1b, b'$', ..] | [b'~', b'{', ..]))
}

#[cfg(test)]
mod tests;
