//! Where signatures are kept: in memory, or in files, so that memory does not grow with the texts.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::bands::Plan;
use super::signature::{PLACES, Signature};
use crate::{Error, Result};

/// Texts whose keys stand together in the file of keys, one band after the other.
const BLOCK_TEXTS: usize = 1 << 15;
/// The key of a text without a shingle, which is like none.
const NO_KEY: u64 = u64::MAX;
const SIGNATURE_BYTES: usize = PLACES * 4;

/// Signatures by the numbers of their texts.
pub(super) trait Kept: std::fmt::Debug + Send + Sync {
    fn add(&mut self, signatures: &[Signature]) -> Result<()>;

    fn len(&self) -> usize;

    /// Hands over the key in a band of every text that has a shingle, with its number, in order.
    fn keys(&self, band: usize, each: &mut dyn FnMut(u64, u32)) -> Result<()>;

    fn signature(&self, text: u32) -> Result<Signature>;
}

/// Half a kibibyte of memory a text.
#[derive(Debug)]
pub(super) struct InMemory {
    plan: Plan,
    signatures: Vec<Signature>,
}

impl InMemory {
    pub(super) fn new(plan: Plan) -> Self {
        let signatures = Vec::new();
        Self { plan, signatures }
    }
}

impl Kept for InMemory {
    fn add(&mut self, signatures: &[Signature]) -> Result<()> {
        self.signatures.extend_from_slice(signatures);
        Ok(())
    }

    fn len(&self) -> usize {
        self.signatures.len()
    }

    fn keys(&self, band: usize, each: &mut dyn FnMut(u64, u32)) -> Result<()> {
        for (text, signature) in (0..).zip(&self.signatures) {
            if has_shingle(signature) {
                each(self.plan.key(band, signature), text);
            }
        }
        Ok(())
    }

    fn signature(&self, text: u32) -> Result<Signature> {
        Ok(self.signatures[text as usize])
    }
}

/// About 700 bytes of disk a text; in memory the keys of one block.
#[derive(Debug)]
pub(super) struct InFolder {
    plan: Plan,
    signatures: BufWriter<File>,
    signatures_path: PathBuf,
    keys: File,
    keys_path: PathBuf,
    /// Of the block that is not in the file yet, band by band.
    block: Vec<Vec<u64>>,
    length: usize,
}

impl InFolder {
    /// Makes its two files in `folder`, anew if they are there.
    pub(super) fn create(plan: Plan, folder: &Path) -> Result<Self> {
        let create = |name: &str| {
            let path = folder.join(name);
            let mut options = File::options();
            let file = options
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path);
            file.map(|file| (file, path.clone()))
                .map_err(|error| Error::io("create", &path, error))
        };
        let (signatures, signatures_path) = create("signatures")?;
        let (keys, keys_path) = create("keys")?;
        Ok(Self {
            signatures: BufWriter::with_capacity(1 << 18, signatures),
            signatures_path,
            keys,
            keys_path,
            block: vec![Vec::new(); plan.bands()],
            plan,
            length: 0,
        })
    }

    fn write_block(&mut self) -> Result<()> {
        let mut bytes = Vec::with_capacity(BLOCK_TEXTS * 8);
        for band in &mut self.block {
            bytes.clear();
            bytes.extend(band.drain(..).flat_map(u64::to_le_bytes));
            let written = self.keys.write_all(&bytes);
            written.map_err(|error| Error::io("write", &self.keys_path, error))?;
        }
        Ok(())
    }
}

impl Kept for InFolder {
    fn add(&mut self, signatures: &[Signature]) -> Result<()> {
        for signature in signatures {
            for place in signature {
                let written = self.signatures.write_all(&place.to_le_bytes());
                written.map_err(|error| Error::io("write", &self.signatures_path, error))?;
            }
            for (band, keys) in self.block.iter_mut().enumerate() {
                keys.push(if has_shingle(signature) {
                    self.plan.key(band, signature)
                } else {
                    NO_KEY
                });
            }
            self.length += 1;
            if self.length.is_multiple_of(BLOCK_TEXTS) {
                self.write_block()?;
            }
        }
        // So that whoever asks for a signature finds it in the file.
        let flushed = self.signatures.flush();
        flushed.map_err(|error| Error::io("write", &self.signatures_path, error))
    }

    fn len(&self) -> usize {
        self.length
    }

    fn keys(&self, band: usize, each: &mut dyn FnMut(u64, u32)) -> Result<()> {
        let mut each = |key, text| {
            if key != NO_KEY {
                each(key, text);
            }
        };
        let mut bytes = vec![0; BLOCK_TEXTS * 8];
        let mut text = 0;
        for block in 0..self.length / BLOCK_TEXTS {
            let at = (block * self.plan.bands() + band) * bytes.len();
            let read = self.keys.read_exact_at(&mut bytes, at as u64);
            read.map_err(|error| Error::io("read", &self.keys_path, error))?;
            for key in bytes.as_chunks().0 {
                each(u64::from_le_bytes(*key), text);
                text += 1;
            }
        }
        for key in &self.block[band] {
            each(*key, text);
            text += 1;
        }
        Ok(())
    }

    fn signature(&self, text: u32) -> Result<Signature> {
        let mut bytes = [0; SIGNATURE_BYTES];
        let at = u64::from(text) * SIGNATURE_BYTES as u64;
        let read = self.signatures.get_ref().read_exact_at(&mut bytes, at);
        read.map_err(|error| Error::io("read", &self.signatures_path, error))?;
        let places = bytes.as_chunks().0;
        Ok(std::array::from_fn(|place| u32::from_le_bytes(places[place])))
    }
}

fn has_shingle(signature: &Signature) -> bool {
    signature[0] != u32::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_what_memory_holds() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let mut memory = InMemory::new(Plan::of(0.8));
        let mut files = InFolder::create(Plan::of(0.8), folder.path()).expect("it can be written");
        let count = 2 * BLOCK_TEXTS + 7;
        let signatures: Vec<Signature> = (0..u32::try_from(count).expect("few"))
            .map(|text| [if text % 5 == 0 { u32::MAX } else { text / 3 }; PLACES])
            .collect();
        for piece in signatures.chunks(1000) {
            memory.add(piece).expect("memory");
            files.add(piece).expect("a disk");
        }
        assert_eq!((memory.len(), files.len()), (count, count));
        for band in [0, 11, 20] {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            memory
                .keys(band, &mut |key, text| one.push((key, text)))
                .expect("memory");
            files
                .keys(band, &mut |key, text| other.push((key, text)))
                .expect("a disk");
            assert!(one == other && one.len() == count - count.div_ceil(5));
        }
        for text in [0, 1, 40_000, 65_542] {
            assert_eq!(
                memory.signature(text).expect("memory"),
                files.signature(text).expect("a disk")
            );
        }
    }
}
