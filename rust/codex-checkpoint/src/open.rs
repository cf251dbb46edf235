//! One checkpoint, open: nothing leaves it unchecked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use codex_file::manifest::{BUILD_FILE, FileEntry, MANIFEST_FILE};
use codex_file::{Error, Result};

use crate::STATE_FILE;
use crate::index;
use crate::manifest::Manifest;
use crate::parts::{self, Part, Source};
use crate::reader::TensorReader;
use crate::state;

/// A checkpoint whose manifest holds, with exactly the files it lists, each of the size it says.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    manifest: Manifest,
    metrics: BTreeMap<String, f64>,
}

impl Checkpoint {
    /// Opens the folder at `path`: manifest, file names, sizes and the recorded metrics, but not yet the tensors.
    ///
    /// # Errors
    /// `Missing` if there is no such folder, `Damage` if it is not whole, `Machine` if it cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let mut checkpoint = Self {
            path: path.to_owned(),
            manifest: Manifest::open(path)?,
            metrics: BTreeMap::new(),
        };
        checkpoint.check_file_set()?;
        checkpoint.metrics = checkpoint.read_metrics()?;
        Ok(checkpoint)
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The optimizer steps done, as the manifest says.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.manifest.step
    }

    /// The bytes of its files, the manifest left out.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.manifest.files.iter().map(|entry| entry.bytes).sum()
    }

    /// How many tensors it stores.
    #[must_use]
    pub fn tensor_count(&self) -> usize {
        self.manifest
            .tensors
            .values()
            .map(|digests| digests.tensors.len())
            .sum()
    }

    /// The measurements that its state records, by name; what is not a number is left out.
    #[must_use]
    pub fn metrics(&self) -> &BTreeMap<String, f64> {
        &self.metrics
    }

    /// The names of all files the manifest lists.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.manifest.files.iter().map(|entry| entry.path.as_str())
    }

    /// The names of the files that hold neither tensors nor the index of their shards.
    pub fn plain_files(&self) -> impl Iterator<Item = &str> {
        let indices: BTreeSet<String> = self
            .tensor_files()
            .iter()
            .map(|name| index::file_of(name))
            .collect();
        self.files()
            .filter(move |name| !self.manifest.tensors.contains_key(*name) && !indices.contains(*name))
    }

    /// Opens the tensor file `name`, or all its shards as one, and checks every header.
    ///
    /// # Errors
    /// `Missing` if there is no such file, `Damage` if a header is not the one that was written or shards and index differ.
    pub fn tensors(&self, name: &str) -> Result<TensorReader<'_>> {
        let damaged = |error: Error| error.in_file(&self.path.join(MANIFEST_FILE));
        let mut shards = index::shards(&self.manifest, name).map_err(damaged)?;
        if self.manifest.tensors.contains_key(name) {
            if let Some(shard) = shards.first() {
                return Err(damaged(Error::damage(format!(
                    "lists both `{name}` and `{shard}`"
                ))));
            }
            shards.push(name);
        } else if shards.is_empty() {
            self.entry(name)?;
            return Err(Error::missing(format!("`{name}` holds no tensors")).in_file(&self.path));
        } else {
            let file = index::file_of(name);
            if self.entry(&file).is_err() {
                return Err(damaged(Error::damage(format!("lists shards and no `{file}`"))));
            }
            let text = self.read_file(&file)?;
            index::check(&self.manifest, &shards, &text)
                .map_err(|error| error.in_file(&self.path.join(file)))?;
        }
        let mut files = Vec::with_capacity(shards.len());
        for shard in shards {
            let digests = &self.manifest.tensors[shard];
            files.push((self.path.join(shard), self.entry(shard)?.bytes, digests));
        }
        TensorReader::open(files)
    }

    /// The bytes of the file `name`, checked.
    ///
    /// # Errors
    /// `Missing` if there is no such file, `Damage` if its bytes are not those that were written.
    pub fn read_file(&self, name: &str) -> Result<Vec<u8>> {
        let entry = self.entry(name)?;
        let mut bytes = vec![0; usize::try_from(entry.bytes).map_err(|_| self.too_large(entry))?];
        self.read_whole(entry, Some(&mut bytes))?;
        Ok(bytes)
    }

    /// Reads every byte and compares it with what was written.
    ///
    /// # Errors
    /// `Damage` naming the file, and the tensor where there is one.
    pub fn verify(&self) -> Result<()> {
        let names = self.tensor_files();
        let readers: Vec<TensorReader<'_>> = names
            .iter()
            .map(|name| self.tensors(name))
            .collect::<Result<_>>()?;
        let plain = self
            .manifest
            .files
            .iter()
            .filter(|entry| !self.manifest.tensors.contains_key(&entry.path));
        let plain: Vec<(Source, &FileEntry)> = plain
            .map(|entry| Ok((Source::open(self.path.join(&entry.path))?, entry)))
            .collect::<Result<_>>()?;
        // Everything in one queue, so that no core waits at the end of a file.
        let tensors = readers.iter().flat_map(TensorReader::parts);
        let files = plain.iter().map(|(source, entry)| whole(source, entry, None));
        parts::read(tensors.chain(files).collect())
    }

    /// Reads every byte of the one file `name` and compares it with what was written; a shard is also held against its index
    /// and the other shards, so that [`verify`](Self::verify) and all files one by one prove the same.
    ///
    /// # Errors
    /// `Missing` if there is no such file, otherwise as [`Checkpoint::verify`].
    pub fn verify_file(&self, name: &str) -> Result<()> {
        let entry = self.entry(name)?;
        match self.manifest.tensors.get(name) {
            Some(digests) => {
                self.tensors(&index::base_of(name))?;
                let reader = TensorReader::open(vec![(self.path.join(name), entry.bytes, digests)])?;
                parts::read(reader.parts().collect())
            }
            None => self.read_whole(entry, None),
        }
    }

    /// The tensor files by the names they have when they are not in shards, each once.
    fn tensor_files(&self) -> BTreeSet<String> {
        self.manifest
            .tensors
            .keys()
            .map(|file| index::base_of(file))
            .collect()
    }

    fn read_metrics(&self) -> Result<BTreeMap<String, f64>> {
        if !self.files().any(|name| name == STATE_FILE) {
            return Ok(BTreeMap::new());
        }
        let text = self.read_file(STATE_FILE)?;
        state::metrics(&text).map_err(|error| error.in_file(&self.path.join(STATE_FILE)))
    }

    fn entry(&self, name: &str) -> Result<&FileEntry> {
        let entry = self.manifest.files.iter().find(|entry| entry.path == name);
        entry.ok_or_else(|| Error::missing(format!("the checkpoint has no `{name}`")).in_file(&self.path))
    }

    fn read_whole(&self, entry: &FileEntry, into: Option<&mut [u8]>) -> Result<()> {
        let source = Source::open(self.path.join(&entry.path))?;
        parts::read(vec![whole(&source, entry, into)])
    }

    fn check_file_set(&self) -> Result<()> {
        for entry in &self.manifest.files {
            let path = self.path.join(&entry.path);
            let metadata = fs::symlink_metadata(&path).map_err(|source| parts::gone(&path, source))?;
            if !metadata.is_file() {
                return Err(Error::damage("is not a regular file").in_file(&path));
            }
            if metadata.len() != entry.bytes {
                let message = format!("has {} bytes, expected {}", metadata.len(), entry.bytes);
                return Err(Error::damage(message).in_file(&path));
            }
        }
        for found in fs::read_dir(&self.path).map_err(|source| Error::io("list", &self.path, source))? {
            let name = found
                .map_err(|source| Error::io("list", &self.path, source))?
                .file_name();
            let is_known =
                name == MANIFEST_FILE || name == BUILD_FILE || self.files().any(|listed| name == listed);
            if !is_known {
                return Err(Error::damage("is not listed in the manifest").in_file(&self.path.join(name)));
            }
        }
        Ok(())
    }

    fn too_large(&self, entry: &FileEntry) -> Error {
        Error::damage("is too large for memory").in_file(&self.path.join(&entry.path))
    }
}

/// The file of `entry` as one part.
fn whole<'a>(source: &'a Source, entry: &'a FileEntry, into: Option<&'a mut [u8]>) -> Part<'a> {
    Part {
        source,
        name: "the file".to_owned(),
        start: 0,
        bytes: entry.bytes,
        digest: Some(&entry.digest),
        into,
    }
}
