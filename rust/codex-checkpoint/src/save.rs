//! One save: everything under a partial name, made durable, then one rename.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use codex_file::digest::{Algorithm, Digest, digest_bytes};
use codex_file::durable::{self, DurableFile, PartialFolder};
use codex_file::fail::within;
use codex_file::lock::Lock;
use codex_file::manifest::{BUILD_FILE, FileEntry, MANIFEST_FILE};
use codex_file::{Error, Result, space};

use crate::LOCK_FILE;
use crate::find::folder_name;
use crate::manifest::Manifest;
use crate::parts::joined;
use crate::shards::Shards;
use crate::write::{Laid, TensorFile};

/// What the manifest takes beside its tensors, and each tensor in it, rounded up: for the free-space check.
const MANIFEST_BYTES: u64 = 64 << 10;
const MANIFEST_BYTES_PER_TENSOR: u64 = 512;

/// How the files are written; the tensors in them are the same.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Of every tensor, header and file.
    pub digest: Algorithm,
    /// A tensor file with more bytes than this becomes several.
    pub shard_bytes: u64,
}

impl Default for Format {
    fn default() -> Self {
        Self {
            digest: Algorithm::Xxh3,
            shard_bytes: 5_000_000_000,
        }
    }
}

/// Everything one checkpoint holds; `D` is whatever lends the bytes.
#[derive(Clone, Debug)]
pub struct Contents<D> {
    /// The optimizer steps done.
    pub step: u64,
    /// Written first.
    pub tensor_files: Vec<TensorFile<D>>,
    /// Name and bytes, written as they are.
    pub files: Vec<(String, D)>,
    /// Digests of what it was made from, for the lineage.
    pub parents: Vec<Digest>,
    /// How it is written.
    pub format: Format,
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
pub fn save<D: AsRef<[u8]> + Sync>(checkpoints: &Path, contents: &Contents<D>) -> Result<PathBuf> {
    let plan = Plan::new(contents)?;
    within("checkpoint.folder", || durable::create_folder(checkpoints))?;
    let _turn = take_turn(checkpoints)?;
    let folder = checkpoints.join(folder_name(contents.step));
    plan.save(&folder, true)?;
    Ok(folder)
}

/// Saves `contents` as the folder `folder` itself and returns the bytes of its manifest, durable as [`save`] is.
///
/// Only a folder with a manifest is ever replaced, and only if `overwrite` says so.
///
/// # Errors
/// As [`save`], and `Usage` if something is in the way.
pub fn save_folder<D: AsRef<[u8]> + Sync>(
    folder: &Path,
    contents: &Contents<D>,
    overwrite: bool,
) -> Result<Vec<u8>> {
    let plan = Plan::new(contents)?;
    if folder.symlink_metadata().is_ok() && !(overwrite && folder.join(MANIFEST_FILE).is_file()) {
        let reason = if overwrite {
            "is in the way: only a folder with a manifest is overwritten"
        } else {
            "exists already"
        };
        return Err(Error::usage(reason).in_file(folder));
    }
    let above = match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    within("checkpoint.folder", || durable::create_folder(above))?;
    within("checkpoint.sweep", || durable::sweep_partial(above))?;
    plan.save(folder, overwrite)
}

/// Waits for no one: the folder of checkpoints is ours, without what the dead left in it, or another's.
pub(crate) fn take_turn(checkpoints: &Path) -> Result<Lock> {
    let turn = within("checkpoint.turn", || Lock::acquire(&checkpoints.join(LOCK_FILE)))?;
    within("checkpoint.sweep", || durable::sweep_partial(checkpoints))?;
    Ok(turn)
}

/// Contents that can be written as they are.
struct Plan<'a, D> {
    contents: &'a Contents<D>,
    shards: Vec<Shards<'a>>,
}

impl<'a, D: AsRef<[u8]> + Sync> Plan<'a, D> {
    fn new(contents: &'a Contents<D>) -> Result<Self> {
        let shards = contents
            .tensor_files
            .iter()
            .map(|file| Shards::new(file, contents.format.shard_bytes))
            .collect::<Result<_>>()?;
        let plan = Self { contents, shards };
        plan.check_names()?;
        Ok(plan)
    }

    fn check_names(&self) -> Result<()> {
        let mut seen = BTreeSet::from([MANIFEST_FILE, BUILD_FILE]);
        let names = self
            .laid()
            .map(Laid::path)
            .chain(self.small_files().map(|(_, name, _)| name));
        for name in names {
            if !is_plain_name(name) || !seen.insert(name) {
                return Err(Error::usage(format!(
                    "`{name}` cannot be a file of a checkpoint, expected a plain name that is not taken"
                )));
            }
        }
        Ok(())
    }

    fn laid(&self) -> impl Iterator<Item = &Laid<'a>> {
        self.shards.iter().flat_map(|shards| &shards.files)
    }

    /// Place, name and bytes of what is no tensor file.
    fn small_files(&self) -> impl Iterator<Item = (&'static str, &str, &[u8])> {
        let indexes = self.shards.iter().filter_map(|shards| shards.index.as_ref());
        let indexes = indexes.map(|(name, bytes)| ("checkpoint.index", name.as_str(), bytes.as_slice()));
        let files = self.contents.files.iter();
        indexes.chain(files.map(|(name, bytes)| ("checkpoint.file", name.as_str(), bytes.as_ref())))
    }

    fn needed_bytes(&self) -> u64 {
        let tensors = self
            .laid()
            .map(|file| file.bytes() + MANIFEST_BYTES_PER_TENSOR * file.tensor_count() as u64);
        let others = self.small_files().map(|(_, _, bytes)| bytes.len() as u64);
        tensors.chain(others).sum::<u64>() + MANIFEST_BYTES
    }

    /// Writes everything, then gives it its name; returns the bytes of the manifest.
    fn save(&self, folder: &Path, replacing: bool) -> Result<Vec<u8>> {
        space::require(folder, self.needed_bytes())?;
        let partial = within("checkpoint.begin", || PartialFolder::begin(folder))?;
        let manifest = self.write(&partial)?;
        within("checkpoint.commit", || {
            if replacing {
                partial.commit_replacing()
            } else {
                partial.commit()
            }
        })?;
        Ok(manifest)
    }

    fn write(&self, partial: &PartialFolder) -> Result<Vec<u8>> {
        let algorithm = self.contents.format.digest;
        let mut manifest = Manifest {
            step: self.contents.step,
            parents: self.contents.parents.clone(),
            files: vec![],
            tensors: [].into(),
        };
        // Each file is waited for on a thread of its own: the disk works on the first while the last is still being
        // written, and what is waited for together costs the journal of the file system one round instead of one for each.
        thread::scope(|scope| {
            let mut syncs = Vec::new();
            let mut finish = |place: String, target: DurableFile| {
                syncs.push(scope.spawn(move || within(&place, || target.finish())));
            };
            for shards in &self.shards {
                let place = format!("checkpoint.{}", shards.stem);
                for file in &shards.files {
                    let (target, (entry, digests)) = within(&place, || {
                        let mut target = partial.create_file(file.path())?;
                        let written = file.write(&mut target, algorithm)?;
                        Ok::<_, Error>((target, written))
                    })?;
                    finish(place.clone(), target);
                    manifest.tensors.insert(entry.path.clone(), digests);
                    manifest.files.push(entry);
                }
            }
            for (place, name, bytes) in self.small_files() {
                finish(place.to_owned(), write_file(partial, place, name, bytes)?);
                manifest.files.push(FileEntry {
                    path: name.to_owned(),
                    bytes: bytes.len() as u64,
                    digest: digest_bytes(algorithm, bytes),
                });
            }
            let sealed = manifest.seal()?;
            let place = "checkpoint.manifest";
            finish(
                place.to_owned(),
                write_file(partial, place, MANIFEST_FILE, &sealed)?,
            );
            syncs.into_iter().map(joined).fold(Ok(()), Result::and)?;
            Ok(sealed)
        })
    }
}

fn write_file(partial: &PartialFolder, place: &str, name: &str, bytes: &[u8]) -> Result<DurableFile> {
    within(place, || {
        let mut target = partial.create_file(name)?;
        target
            .write_all(bytes)
            .and_then(|()| target.flush())
            .map_err(|source| Error::io("write", name.as_ref(), source))?;
        Ok(target)
    })
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
