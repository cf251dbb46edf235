//! Tensors out of one file or its shards, each byte proved on the way.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use codex_file::digest::digest_bytes;
use codex_file::safetensors::{self, TensorInfo};
use codex_file::{Error, Result};

use crate::manifest::TensorDigests;
use crate::parts::{self, Part, Source};

/// The eight bytes that say how long the header of a safetensors file is.
const LENGTH_BYTES: usize = 8;

/// A tensor file whose header is proved, or all the shards of one, ready to hand out tensors.
#[derive(Debug)]
pub struct TensorReader<'a> {
    shards: Vec<Shard<'a>>,
}

/// One file of a reader.
#[derive(Debug)]
struct Shard<'a> {
    source: Source,
    data_start: u64,
    tensors: Vec<TensorInfo>,
    digests: &'a TensorDigests,
}

impl<'a> TensorReader<'a> {
    /// Opens each file, given with its size and its digests.
    pub(crate) fn open(files: Vec<(PathBuf, u64, &'a TensorDigests)>) -> Result<Self> {
        let shards = files
            .into_iter()
            .map(|(path, bytes, digests)| Shard::open(path, bytes, digests))
            .collect::<Result<_>>()?;
        Ok(Self { shards })
    }

    /// What is stored, file by file in the order of each.
    pub fn tensors(&self) -> impl Iterator<Item = &TensorInfo> {
        self.shards.iter().flat_map(|shard| &shard.tensors)
    }

    /// Alias to the name of the stored tensor it shares.
    #[must_use]
    pub fn tied(&self) -> BTreeMap<String, String> {
        let ties = self.shards.iter().flat_map(|shard| &shard.digests.tied);
        ties.map(|(alias, name)| (alias.clone(), name.clone())).collect()
    }

    /// Reads the named tensors straight into their destinations, each byte checked while it is hot.
    ///
    /// # Errors
    /// `Missing` for a name that is not stored, `Usage` for a destination of another size, `Damage` naming the tensor; after
    /// an error no destination may be used.
    pub fn read_into(&self, destinations: Vec<(&str, &mut [u8])>) -> Result<()> {
        parts::read(self.parts_of(destinations)?)
    }

    /// The same without a look at the digests of the tensors: a changed byte goes unnoticed.
    ///
    /// # Errors
    /// As [`TensorReader::read_into`]; `Damage` only for a file that ends early.
    pub fn read_into_unchecked(&self, destinations: Vec<(&str, &mut [u8])>) -> Result<()> {
        let mut parts = self.parts_of(destinations)?;
        for part in &mut parts {
            part.digest = None;
        }
        parts::read(parts)
    }

    /// Every tensor, to be read and compared with what was written.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.shards.iter().flat_map(|shard| {
            let tensors = shard.tensors.iter();
            tensors.map(|info| shard.part(info, None))
        })
    }

    fn parts_of<'b>(&'b self, destinations: Vec<(&str, &'b mut [u8])>) -> Result<Vec<Part<'b>>> {
        let stored = self.shards.iter().flat_map(|shard| {
            let tensors = shard.tensors.iter();
            tensors.map(move |info| (info.name.as_str(), (shard, info)))
        });
        let by_name: HashMap<&str, (&Shard<'_>, &TensorInfo)> = stored.collect();
        let mut parts = Vec::with_capacity(destinations.len());
        for (name, into) in destinations {
            let (shard, info) = by_name.get(name).ok_or_else(|| {
                let path = self
                    .shards
                    .first()
                    .map_or_else(PathBuf::new, |shard| shard.source.path.clone());
                Error::missing(format!("has no tensor `{name}`")).in_file(&path)
            })?;
            if into.len() as u64 != info.end - info.start {
                return Err(Error::usage(format!(
                    "the destination of `{name}` has {} bytes, expected {}",
                    into.len(),
                    info.end - info.start
                ))
                .in_file(&shard.source.path));
            }
            parts.push(shard.part(info, Some(into)));
        }
        Ok(parts)
    }
}

impl<'a> Shard<'a> {
    fn open(path: PathBuf, bytes: u64, digests: &'a TensorDigests) -> Result<Self> {
        let source = Source::open(path)?;
        let header = read_header(&source, bytes)?;
        let found = digest_bytes(digests.header.algorithm(), &header);
        parts::check("the header", &found, &digests.header, &source.path)?;
        let damaged = |reason: String| Error::damage(format!("the header {reason}")).in_file(&source.path);
        let parsed =
            safetensors::parse_header(&header, bytes).map_err(|error| error.in_file(&source.path))?;
        let unknown = parsed
            .tensors
            .iter()
            .find(|info| !digests.tensors.contains_key(&info.name));
        if let Some(info) = unknown {
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
            source,
            data_start: header.len() as u64,
            tensors: parsed.tensors,
            digests,
        })
    }

    fn part<'b>(&'b self, tensor: &TensorInfo, into: Option<&'b mut [u8]>) -> Part<'b> {
        Part {
            source: &self.source,
            name: format!("tensor `{}`", tensor.name),
            start: self.data_start + tensor.start,
            bytes: tensor.end - tensor.start,
            digest: Some(&self.digests.tensors[&tensor.name]),
            into,
        }
    }
}

/// The first bytes of a safetensors file up to its tensors, as its own length field has them.
fn read_header(source: &Source, bytes: u64) -> Result<Vec<u8>> {
    let mut length = [0; LENGTH_BYTES];
    let Some(room) = bytes.checked_sub(LENGTH_BYTES as u64) else {
        return Err(Error::damage("is too short for a header").in_file(&source.path));
    };
    source.read_at(&mut length, 0)?;
    let length = u64::from_le_bytes(length);
    if length > room.min(safetensors::MAX_HEADER_BYTES) {
        let message = format!("the header is damaged: it claims {length} bytes");
        return Err(Error::damage(message).in_file(&source.path));
    }
    #[allow(clippy::cast_possible_truncation)] // at most MAX_HEADER_BYTES
    let mut header = vec![0; LENGTH_BYTES + length as usize];
    source.read_at(&mut header, 0)?;
    Ok(header)
}
