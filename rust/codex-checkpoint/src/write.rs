//! Tensors to one safetensors file, digested on a second core while the first writes.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::thread;

use codex_file::digest::{Algorithm, Digest, Hasher};
use codex_file::durable::DurableFile;
use codex_file::manifest::FileEntry;
use codex_file::safetensors::{self, Dtype, TensorInfo};
use codex_file::{Error, Result};

use crate::manifest::TensorDigests;
use crate::parts::joined;

/// One write to the disk: large enough to be cheap, small enough to let writing and digesting keep pace.
const WRITE_BYTES: usize = 16 << 20;

/// One step of digesting: it stays in the second-level cache between the digest of the tensor and that of the file.
const DIGEST_BYTES: usize = 128 << 10;

/// One tensor as it lies in memory: little-endian, row-major, without gaps.
#[derive(Clone, Debug)]
pub struct Tensor<D> {
    /// Unique within its file.
    pub name: String,
    /// The type of one element.
    pub dtype: Dtype,
    /// Empty for a single number.
    pub shape: Vec<u64>,
    /// The elements.
    pub data: D,
}

impl<D: AsRef<[u8]>> Tensor<D> {
    /// A tensor over `data`.
    pub fn new(name: impl Into<String>, dtype: Dtype, shape: Vec<u64>, data: D) -> Self {
        Self {
            name: name.into(),
            dtype,
            shape,
            data,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.data.as_ref().len() as u64
    }
}

/// The tensors of one file, or of its shards.
#[derive(Clone, Debug)]
pub struct TensorFile<D> {
    /// `model.safetensors`, for example.
    pub path: String,
    /// Each is stored.
    pub tensors: Vec<Tensor<D>>,
    /// Alias to the name of the stored tensor it shares.
    pub tied: BTreeMap<String, String>,
    /// Notes for the header.
    pub metadata: BTreeMap<String, String>,
}

impl<D: AsRef<[u8]>> TensorFile<D> {
    /// A file of `tensors`, none of them tied.
    pub fn new(path: impl Into<String>, tensors: Vec<Tensor<D>>) -> Self {
        Self {
            path: path.into(),
            tensors,
            tied: BTreeMap::new(),
            // `transformers` refuses a file that does not say whose layout its tensors have.
            metadata: BTreeMap::from([("format".to_owned(), "pt".to_owned())]),
        }
    }
}

/// A tensor file laid out and ready to be written.
pub(crate) struct Laid<'a> {
    path: String,
    header: Vec<u8>,
    /// In the order of the file.
    tensors: Vec<(TensorInfo, &'a [u8])>,
    tied: BTreeMap<String, String>,
}

impl<'a> Laid<'a> {
    /// Lays a file at `path` out, or says which tensor cannot be stored as it is.
    pub(crate) fn new<D: AsRef<[u8]>>(
        path: String,
        stored: &[&'a Tensor<D>],
        tied: BTreeMap<String, String>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let described: Vec<(String, Dtype, Vec<u64>)> = stored
            .iter()
            .map(|tensor| (tensor.name.clone(), tensor.dtype, tensor.shape.clone()))
            .collect();
        let (header, infos) = safetensors::header(&described, metadata)?;
        let data: HashMap<&str, &[u8]> = stored
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor.data.as_ref()))
            .collect();
        let mut tensors = Vec::with_capacity(infos.len());
        for info in infos {
            let bytes = data.get(info.name.as_str()).copied().unwrap_or_default();
            let wanted = info.end - info.start;
            if bytes.len() as u64 != wanted {
                let (name, dtype, shape, got) = (&info.name, info.dtype, &info.shape, bytes.len());
                return Err(Error::usage(format!(
                    "tensor `{name}` has {got} bytes, expected {wanted} for {dtype} of shape {shape:?} ({path})"
                )));
            }
            tensors.push((info, bytes));
        }
        Ok(Self {
            path,
            header,
            tensors,
            tied,
        })
    }

    /// The size the file will have.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts().map(|part| part.len() as u64).sum()
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn tensor_count(&self) -> usize {
        self.tensors.len()
    }

    /// Writes everything to `file`, which the caller makes durable.
    pub(crate) fn write(
        &self,
        file: &mut DurableFile,
        algorithm: Algorithm,
    ) -> Result<(FileEntry, TensorDigests)> {
        thread::scope(|scope| {
            let digests = scope.spawn(|| self.digest(algorithm));
            for part in self.parts() {
                for piece in part.chunks(WRITE_BYTES) {
                    file.write_all(piece)
                        .map_err(|source| Error::io("write", self.path.as_ref(), source))?;
                }
            }
            let (digest, parts) = joined(digests);
            let entry = FileEntry {
                path: self.path.clone(),
                bytes: self.bytes(),
                digest,
            };
            Ok((entry, parts))
        })
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.header.as_slice()).chain(self.tensors.iter().map(|(_, data)| *data))
    }

    /// The digest of the file and those of its parts, each byte brought to the core once.
    fn digest(&self, algorithm: Algorithm) -> (Digest, TensorDigests) {
        let mut file = Hasher::new(algorithm);
        let mut digest_part = |bytes: &[u8]| {
            let mut part = Hasher::new(algorithm);
            for piece in bytes.chunks(DIGEST_BYTES) {
                part.update(piece);
                file.update(piece);
            }
            part.finish()
        };
        let header = digest_part(&self.header);
        let tensors = self
            .tensors
            .iter()
            .map(|(info, data)| (info.name.clone(), digest_part(data)))
            .collect();
        let digests = TensorDigests {
            header,
            tensors,
            tied: self.tied.clone(),
        };
        (file.finish(), digests)
    }
}
