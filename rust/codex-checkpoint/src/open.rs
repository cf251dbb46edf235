//! One checkpoint, open: nothing leaves it unchecked.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use codex_file::digest::digest_bytes;
use codex_file::manifest::{BUILD_FILE, FileEntry, MANIFEST_FILE};
use codex_file::safetensors::{self, TensorInfo};
use codex_file::{Error, Result};
use serde_json::Value;

use crate::manifest::{Manifest, TensorDigests};
use crate::parts::{self, Part};
use crate::{HELD_OUT_METRIC, STATE_FILE};

/// The eight bytes that say how long the header of a safetensors file is.
const LENGTH_BYTES: usize = 8;

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

    /// Opens the tensor file `name` and checks its header.
    ///
    /// # Errors
    /// `Missing` if there is no such file, `Damage` if its header is not the one that was written.
    pub fn tensors(&self, name: &str) -> Result<TensorReader<'_>> {
        let entry = self.entry(name)?;
        match self.manifest.tensors.get(name) {
            Some(digests) => TensorReader::open(self.path.join(name), entry.bytes, digests),
            None => Err(Error::missing(format!("`{name}` holds no tensors")).in_file(&self.path)),
        }
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
        for entry in &self.manifest.files {
            if self.manifest.tensors.contains_key(&entry.path) {
                self.tensors(&entry.path)?.verify()?;
            } else {
                self.read_whole(entry, None)?;
            }
        }
        Ok(())
    }

    fn read_metrics(&self) -> Result<BTreeMap<String, f64>> {
        if !self.files().any(|name| name == STATE_FILE) {
            return Ok(BTreeMap::new());
        }
        let state: Value = serde_json::from_slice(&self.read_file(STATE_FILE)?).map_err(|error| {
            Error::damage(format!("is not JSON: {error}")).in_file(&self.path.join(STATE_FILE))
        })?;
        let metrics = state.get("metrics").and_then(Value::as_object);
        let numbers = metrics.into_iter().flatten();
        let mut numbers: BTreeMap<String, f64> = numbers
            .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
            .collect();
        // Version 1 had one metric, beside the step.
        if let Some(held_out) = state.get(HELD_OUT_METRIC).and_then(Value::as_f64) {
            numbers.entry(HELD_OUT_METRIC.to_owned()).or_insert(held_out);
        }
        Ok(numbers)
    }

    fn entry(&self, name: &str) -> Result<&FileEntry> {
        let entry = self.manifest.files.iter().find(|entry| entry.path == name);
        entry.ok_or_else(|| Error::missing(format!("the checkpoint has no `{name}`")).in_file(&self.path))
    }

    fn read_whole(&self, entry: &FileEntry, into: Option<&mut [u8]>) -> Result<()> {
        let path = self.path.join(&entry.path);
        let file = open_file(&path)?;
        let part = Part {
            name: "the file".to_owned(),
            start: 0,
            bytes: entry.bytes,
            digest: &entry.digest,
            into,
        };
        parts::read(&file, &path, vec![part])
    }

    fn check_file_set(&self) -> Result<()> {
        for entry in &self.manifest.files {
            let path = self.path.join(&entry.path);
            let metadata = fs::symlink_metadata(&path).map_err(|source| gone(&path, source))?;
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

/// A tensor file whose header is proved, ready to hand out tensors.
#[derive(Debug)]
pub struct TensorReader<'a> {
    path: PathBuf,
    file: File,
    data_start: u64,
    tensors: Vec<TensorInfo>,
    digests: &'a TensorDigests,
}

impl<'a> TensorReader<'a> {
    fn open(path: PathBuf, bytes: u64, digests: &'a TensorDigests) -> Result<Self> {
        let file = open_file(&path)?;
        let header = read_header(&file, &path, bytes)?;
        let found = digest_bytes(digests.header.algorithm(), &header);
        parts::check("the header", &found, &digests.header, &path)?;
        let damaged = |reason: String| Error::damage(format!("the header {reason}")).in_file(&path);
        let parsed = safetensors::parse_header(&header, bytes).map_err(|error| error.in_file(&path))?;
        if let Some(info) = parsed
            .tensors
            .iter()
            .find(|info| !digests.tensors.contains_key(&info.name))
        {
            return Err(damaged(format!(
                "lists `{}`, which the manifest does not",
                info.name
            )));
        }
        if parsed.tensors.len() != digests.tensors.len() {
            let (listed, expected) = (parsed.tensors.len(), digests.tensors.len());
            return Err(damaged(format!("lists {listed} tensors, expected {expected}")));
        }
        Ok(Self {
            path,
            file,
            data_start: header.len() as u64,
            tensors: parsed.tensors,
            digests,
        })
    }

    /// What the file holds, in its order.
    #[must_use]
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// Alias to the name of the stored tensor it shares.
    #[must_use]
    pub fn tied(&self) -> &BTreeMap<String, String> {
        &self.digests.tied
    }

    /// Reads the named tensors straight into their destinations, each byte checked while it is hot.
    ///
    /// # Errors
    /// `Missing` for a name that is not stored, `Usage` for a destination of another size, `Damage` naming the tensor; after
    /// an error no destination may be used.
    pub fn read_into(&self, destinations: Vec<(&str, &mut [u8])>) -> Result<()> {
        let by_name: HashMap<&str, &TensorInfo> = self
            .tensors
            .iter()
            .map(|info| (info.name.as_str(), info))
            .collect();
        let mut parts = Vec::with_capacity(destinations.len());
        for (name, into) in destinations {
            let info = by_name
                .get(name)
                .ok_or_else(|| Error::missing(format!("has no tensor `{name}`")).in_file(&self.path))?;
            let part = self.part(info, Some(into));
            if part
                .into
                .as_ref()
                .is_some_and(|into| into.len() as u64 != part.bytes)
            {
                return Err(Error::usage(format!(
                    "the destination of `{name}` does not have {} bytes",
                    part.bytes
                )));
            }
            parts.push(part);
        }
        parts::read(&self.file, &self.path, parts)
    }

    fn verify(&self) -> Result<()> {
        let parts = self.tensors.iter().map(|info| self.part(info, None)).collect();
        parts::read(&self.file, &self.path, parts)
    }

    fn part<'b>(&'b self, tensor: &TensorInfo, into: Option<&'b mut [u8]>) -> Part<'b> {
        Part {
            name: format!("tensor `{}`", tensor.name),
            start: self.data_start + tensor.start,
            bytes: tensor.end - tensor.start,
            digest: &self.digests.tensors[&tensor.name],
            into,
        }
    }
}

/// The first bytes of a safetensors file up to its tensors, as its own length field has them.
fn read_header(file: &File, path: &Path, bytes: u64) -> Result<Vec<u8>> {
    let mut length = [0; LENGTH_BYTES];
    if bytes < LENGTH_BYTES as u64 {
        return Err(Error::damage("is too short for a header").in_file(path));
    }
    parts::read_at(file, path, &mut length, 0)?;
    let length = u64::from_le_bytes(length);
    let room = bytes - LENGTH_BYTES as u64;
    if length > room.min(safetensors::MAX_HEADER_BYTES) {
        return Err(Error::damage(format!("the header is damaged: it claims {length} bytes")).in_file(path));
    }
    #[allow(clippy::cast_possible_truncation)] // at most MAX_HEADER_BYTES
    let mut header = vec![0; LENGTH_BYTES + length as usize];
    parts::read_at(file, path, &mut header, 0)?;
    Ok(header)
}

fn open_file(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| gone(path, source))
}

/// A file the manifest lists is not there: that is damage, everything else is the machine's.
fn gone(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        ErrorKind::NotFound => Error::damage("is missing").in_file(path),
        _ => Error::io("open", path, source),
    }
}
