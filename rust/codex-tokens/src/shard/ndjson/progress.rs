//! What is finished of a folder of shards, so that a call that was killed can be gone on with.
//!
//! A line for each shard, in canonical JSON sealed with its digest: the shard, how far the sources had been read when it was
//! full, the digest of all that came before, and which lines were passed over. The first line says what is being made.

use super::target::other_task;
use crate::error::Result;
use codex_file::durable::{AppendLog, remove_file, write_atomic};
use codex_file::manifest::{FileEntry, seal, unseal};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The name of the file, which is there until the manifest is.
pub(super) const PROGRESS_FILE: &str = "progress.ndjson";

const KIND: &str = "shards-progress";

/// A place in the sources: the next line to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The number of the file.
    pub(super) source: usize,
    /// The byte of the plain file that the line begins at.
    pub(super) byte: u64,
    /// Lines of the file before it.
    pub(super) line: u64,
}

/// What the sources have given so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) documents: u64,
    pub(super) tokens: u64,
    pub(super) text_bytes: u64,
    pub(super) ids_made: u64,
    pub(super) skipped_lines: u64,
}

/// What is known once a shard is there.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) file: FileEntry,
    pub(super) position: Position,
    /// The digest of all plain bytes before `position`.
    pub(super) prefix: String,
    /// Of this shard and all before it.
    pub(super) counts: Counts,
    /// The entries of the manifest for the lines that were passed over since the shard before.
    pub(super) skipped: Vec<Value>,
}

/// The file being written.
pub(super) struct Progress {
    path: PathBuf,
    log: AppendLog,
}

impl Progress {
    /// Opens or begins the file in `folder`; says which shards are finished, each held against its digest.
    ///
    /// # Errors
    /// If what was begun there is not `task`, what is being made now.
    pub(super) fn open(folder: &Path, task: &Value) -> Result<(Self, Vec<Finished>)> {
        let path = folder.join(PROGRESS_FILE);
        let first = seal(json!({"kind": KIND, "schema_version": 1, "task": task}))?;
        let (mut kept, mut finished) = (first.clone(), Vec::new());
        if path.symlink_metadata().is_ok() {
            let found = std::fs::read(&path).map_err(|error| codex_file::Error::io("read", &path, error))?;
            let mut lines = found.split_inclusive(|&byte| byte == b'\n');
            let begun = lines.next().unwrap_or_default();
            if begun != first && unseal(begun).is_ok() {
                return Err(other_task(folder));
            }
            // What is damaged, and all behind it, is made again.
            for line in lines.filter(|_| begun == first) {
                let Some(entry) = Finished::parse(line).filter(|entry| entry.file.verify(folder).is_ok())
                else {
                    break;
                };
                kept.extend_from_slice(line);
                finished.push(entry);
            }
        }
        write_atomic(&path, &kept)?;
        let log = AppendLog::open(&path)?;
        Ok((Self { path, log }, finished))
    }

    /// Notes that a shard is there.
    pub(super) fn add(&mut self, finished: &Finished) -> Result<()> {
        self.log.append(&finished.line()?)?;
        Ok(self.log.sync()?)
    }

    /// Removes the file: the manifest says it all.
    pub(super) fn remove(self) -> Result<()> {
        Ok(remove_file(&self.path)?)
    }
}

impl Finished {
    fn line(&self) -> Result<Vec<u8>> {
        let Position { source, byte, line } = self.position;
        Ok(seal(json!({
            "file": self.file.to_value(),
            "position": [source, byte, line],
            "prefix": self.prefix,
            "counts": self.counts.to_value(),
            "skipped": self.skipped,
        }))?)
    }

    /// What [`Finished::line`] wrote, or `None`.
    fn parse(line: &[u8]) -> Option<Self> {
        let value = unseal(line).ok()?;
        let place = |index: usize| value["position"][index].as_u64();
        Some(Self {
            file: FileEntry::from_value(&value["file"]).ok()?,
            position: Position {
                source: usize::try_from(place(0)?).ok()?,
                byte: place(1)?,
                line: place(2)?,
            },
            prefix: value["prefix"].as_str()?.to_owned(),
            counts: Counts::from_value(&value["counts"])?,
            skipped: value["skipped"].as_array()?.clone(),
        })
    }
}

impl Counts {
    pub(super) fn to_value(self) -> Value {
        json!({
            "documents": self.documents,
            "tokens": self.tokens,
            "text_bytes": self.text_bytes,
            "ids_made": self.ids_made,
            "skipped_lines": self.skipped_lines,
        })
    }

    fn from_value(value: &Value) -> Option<Self> {
        let count = |key: &str| value[key].as_u64();
        Some(Self {
            documents: count("documents")?,
            tokens: count("tokens")?,
            text_bytes: count("text_bytes")?,
            ids_made: count("ids_made")?,
            skipped_lines: count("skipped_lines")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codex_file::Class;

    fn finished(folder: &Path, number: u64) -> Finished {
        let name = format!("train-{number:05}.safetensors");
        std::fs::write(folder.join(&name), name.as_bytes()).expect("writes");
        Finished {
            file: FileEntry::of(folder, &name, codex_file::digest::Algorithm::Xxh3).expect("reads"),
            position: Position {
                source: 1,
                byte: number * 100,
                line: number * 3,
            },
            prefix: "xxh3-128:00".to_owned(),
            counts: Counts {
                documents: number,
                ..Counts::default()
            },
            skipped: vec![json!({"line": number})],
        }
    }

    fn begun(folder: &Path, shards: u64) -> Vec<u8> {
        let (mut progress, found) = Progress::open(folder, &json!({"a": 1})).expect("opens");
        assert!(found.is_empty());
        for number in 0..shards {
            progress.add(&finished(folder, number)).expect("adds");
        }
        std::fs::read(folder.join(PROGRESS_FILE)).expect("reads")
    }

    fn known(folder: &Path) -> usize {
        Progress::open(folder, &json!({"a": 1})).expect("opens").1.len()
    }

    #[test]
    fn what_was_finished_is_known_again() {
        let folder = tempfile::tempdir().expect("a folder");
        begun(folder.path(), 3);
        let (progress, found) = Progress::open(folder.path(), &json!({"a": 1})).expect("opens");
        assert_eq!(found.len(), 3);
        for (number, found) in (0..).zip(&found) {
            let wanted = finished(folder.path(), number);
            assert_eq!(format!("{found:?}"), format!("{wanted:?}"));
        }
        progress.remove().expect("removes");
        assert_eq!(known(folder.path()), 0);
    }

    #[test]
    fn behind_a_shard_or_a_line_that_is_damaged_nothing_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = begun(folder.path(), 3);
        let path = folder.path().join(PROGRESS_FILE);
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', &good)
            .map(|newline| newline + 1)
            .collect();
        for cut in (0..good.len()).step_by(17).chain(ends.clone()) {
            std::fs::write(&path, &good[..cut]).expect("writes");
            let whole = ends.iter().filter(|&&end| end <= cut).count();
            assert_eq!(known(folder.path()), whole.saturating_sub(1), "{cut} bytes");
        }
        for byte in (ends[0]..good.len()).step_by(13) {
            let mut bad = good.clone();
            bad[byte] ^= 1;
            std::fs::write(&path, &bad).expect("writes");
            let whole = ends.iter().filter(|&&end| end <= byte).count();
            assert_eq!(known(folder.path()), whole - 1, "byte {byte}");
        }
        std::fs::write(&path, &good).expect("writes");
        std::fs::write(folder.path().join("train-00001.safetensors"), b"x").expect("writes");
        assert_eq!(known(folder.path()), 1);
    }

    #[test]
    fn another_task_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = begun(folder.path(), 1);
        let error = Progress::open(folder.path(), &json!({"a": 2}))
            .err()
            .expect("refused");
        assert_eq!(error.class(), Class::Usage);
        assert_eq!(
            std::fs::read(folder.path().join(PROGRESS_FILE)).expect("reads"),
            good
        );
    }
}
