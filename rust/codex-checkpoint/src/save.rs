//! One save: everything under a partial name, made durable, then one rename.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use codex_file::digest::{Algorithm, Digest, digest_bytes};
use codex_file::durable::{self, DurableFile, PartialFolder};
use codex_file::lock::Lock;
use codex_file::manifest::{BUILD_FILE, FileEntry, MANIFEST_FILE};
use codex_file::{Error, Result, space};

use crate::LOCK_FILE;
use crate::find::folder_name;
use crate::manifest::Manifest;
use crate::parts::joined;
use crate::write::{Laid, TensorFile};

/// What the manifest takes beside its tensors, and each tensor in it, rounded up: for the free-space check.
const MANIFEST_BYTES: u64 = 64 << 10;
const MANIFEST_BYTES_PER_TENSOR: u64 = 512;

/// Everything one checkpoint holds.
#[derive(Clone, Debug, Default)]
pub struct Contents<'a> {
    /// The optimizer steps done.
    pub step: u64,
    /// Written first.
    pub tensor_files: Vec<TensorFile<'a>>,
    /// Name and bytes, written as they are.
    pub files: Vec<(String, &'a [u8])>,
    /// Digests of what it was made from, for the lineage.
    pub parents: Vec<Digest>,
}

impl Contents<'_> {
    fn check_names(&self) -> Result<()> {
        let mut seen = BTreeSet::from([MANIFEST_FILE, BUILD_FILE]);
        let names = self
            .tensor_files
            .iter()
            .map(|file| &file.path)
            .chain(self.files.iter().map(|(name, _)| name));
        for name in names {
            if !is_plain_name(name) || !seen.insert(name) {
                return Err(Error::usage(format!(
                    "`{name}` cannot be a file of a checkpoint, expected a plain name that is not taken"
                )));
            }
        }
        Ok(())
    }
}

/// Saves `contents` as `checkpoints/step-<step>` and returns that folder, durable: it survives a power cut from here on.
///
/// Killed at any instant, it leaves the folder as it was before or as it is after, and a partial one that the next save
/// sweeps. A folder of the same step is replaced in one exchange. Nothing is buffered: the tensors are read where they lie,
/// and must not change meanwhile.
///
/// # Errors
/// `Usage` for names or sizes that do not fit, `Locked` while another process saves here, `DiskFull` before anything is
/// written if the disk has no room (or when it fills), `Machine` for any other refusal of the disk. What was there stays.
pub fn save(checkpoints: &Path, contents: &Contents<'_>) -> Result<PathBuf> {
    contents.check_names()?;
    let laid = contents
        .tensor_files
        .iter()
        .map(Laid::new)
        .collect::<Result<Vec<_>>>()?;
    durable::create_folder(checkpoints)?;
    let _turn = Lock::acquire(&checkpoints.join(LOCK_FILE))?;
    durable::sweep_partial(checkpoints)?;
    space::require(checkpoints, needed_bytes(&laid, &contents.files))?;

    let folder = checkpoints.join(folder_name(contents.step));
    let partial = PartialFolder::begin(&folder)?;
    write(&partial, contents, &laid)?;
    partial.commit_replacing()?;
    Ok(folder)
}

fn needed_bytes(laid: &[Laid<'_>], files: &[(String, &[u8])]) -> u64 {
    let tensors: u64 = laid
        .iter()
        .map(|file| file.bytes() + MANIFEST_BYTES_PER_TENSOR * file.tensor_count() as u64)
        .sum();
    let others: u64 = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    tensors + others + MANIFEST_BYTES
}

fn write(partial: &PartialFolder, contents: &Contents<'_>, laid: &[Laid<'_>]) -> Result<()> {
    let mut manifest = Manifest {
        step: contents.step,
        parents: contents.parents.clone(),
        files: vec![],
        tensors: [].into(),
    };
    // Each file is waited for on a thread of its own: the disk works on the first while the last is still being written,
    // and what is waited for together costs the journal of the file system one round instead of one for each.
    thread::scope(|scope| {
        let mut syncs = Vec::new();
        for file in laid {
            let mut target = partial.create_file(file.path())?;
            let (entry, digests) = file.write(&mut target)?;
            syncs.push(scope.spawn(|| target.finish()));
            manifest.tensors.insert(entry.path.clone(), digests);
            manifest.files.push(entry);
        }
        for (name, bytes) in &contents.files {
            let target = write_file(partial, name, bytes)?;
            syncs.push(scope.spawn(|| target.finish()));
            manifest.files.push(FileEntry {
                path: name.clone(),
                bytes: bytes.len() as u64,
                digest: digest_bytes(Algorithm::Xxh3, bytes),
            });
        }
        let target = write_file(partial, MANIFEST_FILE, &manifest.seal()?)?;
        syncs.push(scope.spawn(|| target.finish()));
        syncs.into_iter().map(joined).fold(Ok(()), Result::and)
    })
}

fn write_file(partial: &PartialFolder, name: &str, bytes: &[u8]) -> Result<DurableFile> {
    let mut target = partial.create_file(name)?;
    target
        .write_all(bytes)
        .map_err(|source| Error::io("write", name.as_ref(), source))?;
    Ok(target)
}

/// Whether `name` can only mean a file in the folder itself.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_inside_the_folder_are_plain() {
        for name in ["", ".", "..", "a/b", "/etc/passwd", "..\\x", "nul\0"] {
            assert!(!is_plain_name(name), "{name:?}");
        }
        for name in ["model.safetensors", "..model", "π.json", "a b"] {
            assert!(is_plain_name(name), "{name:?}");
        }
    }
}
