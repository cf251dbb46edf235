//! Files of NDJSON one after another, as one stream of blocks.

use super::encode::Encoded;
use super::progress::Position;
use super::target::changed;
use crate::error::Result;
use codex_file::digest::{Algorithm, Digest, Hasher};
use codex_records::{Block, Blocks};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads the blocks of all files in order.
pub(super) struct Sources {
    paths: Vec<PathBuf>,
    open: Option<Blocks>,
    /// Of the files that have been read to their end.
    done: Vec<Source>,
    /// The rest of a block of which a part was passed over.
    rest: Option<Block>,
    read: Arc<AtomicU64>,
}

/// A file that has been read: what the manifest says of it.
struct Source {
    bytes: u64,
    digest: Digest,
}

impl Sources {
    pub(super) fn open(paths: Vec<PathBuf>) -> Result<Self> {
        let mut sources = Self {
            paths,
            open: None,
            done: Vec::new(),
            rest: None,
            read: Arc::default(),
        };
        sources.open_next()?;
        Ok(sources)
    }

    fn open_next(&mut self) -> Result<()> {
        let path = self.paths.get(self.done.len());
        self.open = path.map(|path| Blocks::open(path)).transpose()?;
        Ok(())
    }

    /// Fills `encoded` with the next block and says how many bytes it has; `None` at the end of the last file.
    pub(super) fn read(&mut self, encoded: &mut Encoded) -> Result<Option<usize>> {
        if let Some(rest) = self.rest.take() {
            encoded.block = rest;
        } else if !self.read_block(&mut encoded.block)? {
            return Ok(None);
        }
        encoded.source = self.done.len();
        Ok(Some(encoded.block.bytes().len()))
    }

    fn read_block(&mut self, block: &mut Block) -> Result<bool> {
        while let Some(blocks) = &mut self.open {
            let is_there = blocks.read(block)?;
            let before: u64 = self.done.iter().map(|source| source.bytes).sum();
            self.read.store(before + blocks.stored_bytes(), Ordering::Relaxed);
            if is_there {
                return Ok(true);
            }
            if let Some(blocks) = self.open.take() {
                let (bytes, digest) = blocks.finish()?;
                self.done.push(Source { bytes, digest });
            }
            self.open_next()?;
        }
        Ok(false)
    }

    /// Passes over all that comes before `position`, and digests it; stops where the files end.
    ///
    /// # Errors
    /// If the files do not have `prefix` there: they are not those they were.
    pub(super) fn pass(&mut self, position: Position, prefix: &str) -> Result<Hasher> {
        let mut hasher = Hasher::new(Algorithm::Xxh3);
        let mut block = Block::default();
        while self.read_block(&mut block)? {
            let is_before = (self.done.len(), block.end()) <= (position.source, position.byte);
            if is_before {
                hasher.update(block.bytes());
                continue;
            }
            if self.done.len() == position.source && block.start() < position.byte {
                let passed = usize::try_from(position.byte - block.start()).unwrap_or(usize::MAX);
                hasher.update(block.bytes().get(..passed).unwrap_or_default());
                block.begin_at(position.byte);
            }
            self.rest = Some(block);
            break;
        }
        if hasher.clone().finish().to_string() == prefix {
            return Ok(hasher);
        }
        Err(changed(&self.paths[position.source.min(self.paths.len() - 1)]))
    }

    /// How many bytes have been taken from the files as they are stored, and how many there are.
    pub(super) fn progress(&self) -> (Arc<AtomicU64>, u64) {
        let bytes = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
        (Arc::clone(&self.read), self.paths.iter().map(bytes).sum())
    }

    /// What the manifest says of the files, all of which have been read.
    pub(super) fn parents(&self) -> Vec<Value> {
        let parent = |(path, source): (&PathBuf, &Source)| {
            json!({
                "kind": "documents",
                "path": name_of(path),
                "bytes": source.bytes,
                "digest": source.digest.to_string(),
            })
        };
        self.paths.iter().zip(&self.done).map(parent).collect()
    }
}

/// What a manifest calls a file: its name without its folder, in which equal runs may differ.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
