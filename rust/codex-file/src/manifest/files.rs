//! The files a manifest lists, held against the folder it lies in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use serde_json::{Value, json};

use crate::digest::{Algorithm, Digest, digest_file};
use crate::error::{Class, Error, Result, quoted};

/// The name of a folder's manifest.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The notes beside a manifest (time, host, versions), which no digest covers.
pub const BUILD_FILE: &str = "build.json";

/// One file as a manifest lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileEntry {
    /// Relative to the folder, parts joined by `/`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// The digest of its content.
    pub digest: Digest,
}

impl FileEntry {
    /// Reads `folder/path` and describes it.
    ///
    /// # Errors
    /// If `path` leaves the folder, or the file cannot be read.
    pub fn of(folder: &Path, path: &str, algorithm: Algorithm) -> Result<Self> {
        check_relative(path).map_err(Error::usage)?;
        let (bytes, digest) = digest_file(algorithm, &folder.join(path))?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
            digest,
        })
    }

    /// `{"path": ..., "bytes": ..., "digest": ...}`
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({"path": self.path, "bytes": self.bytes, "digest": self.digest.to_string()})
    }

    /// The entry that [`FileEntry::to_value`] wrote.
    ///
    /// # Errors
    /// [`Class::Damage`] if it has another shape, or a path that leaves the folder.
    pub fn from_value(value: &Value) -> Result<Self> {
        let bad = |reason: &str| Error::damage(format!("the file entry {value} {reason}"));
        let path = value
            .get("path")
            .and_then(Value::as_str)
            .ok_or_else(|| bad("has no `path`"))?;
        check_relative(path).map_err(Error::damage)?;
        let bytes = value
            .get("bytes")
            .and_then(Value::as_u64)
            .ok_or_else(|| bad("has no `bytes`"))?;
        let digest = value
            .get("digest")
            .and_then(Value::as_str)
            .ok_or_else(|| bad("has no `digest`"))?;
        let digest = digest.parse().map_err(|error: Error| bad(&error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
            digest,
        })
    }

    /// Holds the file in `folder` against the entry.
    ///
    /// # Errors
    /// [`Class::Damage`] if it is missing, is not a plain file, or differs in size or content.
    pub fn verify(&self, folder: &Path) -> Result<()> {
        let path = folder.join(&self.path);
        let damaged = |reason: String| Err(Error::damage(format!("{} {reason}", quoted(&path))));
        match path.symlink_metadata() {
            Ok(metadata) if !metadata.is_file() => damaged("is not a plain file".to_owned()),
            Ok(metadata) if metadata.len() != self.bytes => damaged(format!(
                "has {} bytes, its manifest says {}",
                metadata.len(),
                self.bytes
            )),
            Ok(_) => {
                let (_, found) = digest_file(self.digest.algorithm(), &path)?;
                if found == self.digest {
                    return Ok(());
                }
                damaged(format!(
                    "is damaged: it has {found}, its manifest says {}",
                    self.digest
                ))
            }
            Err(error) => match Error::io("read", &path, error) {
                error if matches!(error.class(), Class::Missing | Class::Data) => {
                    damaged("is missing, its manifest lists it".to_owned())
                }
                error => Err(error),
            },
        }
    }
}

/// Describes every file below `folder` in the order of their paths, leaving out its manifest and build notes.
///
/// # Errors
/// If something cannot be read, or is neither a plain file nor a folder, or has a name that is not UTF-8.
pub fn list_files(folder: &Path, algorithm: Algorithm) -> Result<Vec<FileEntry>> {
    list_others(folder, algorithm, &BTreeMap::new())
}

/// The same, but what is known under its path by that algorithm is not read.
pub(crate) fn list_others(
    folder: &Path,
    algorithm: Algorithm,
    known: &BTreeMap<String, FileEntry>,
) -> Result<Vec<FileEntry>> {
    let paths = walk(folder)?;
    paths
        .iter()
        .map(|path| {
            match known
                .get(path)
                .filter(|entry| entry.digest.algorithm() == algorithm)
            {
                Some(entry) => Ok(entry.clone()),
                None => FileEntry::of(folder, path, algorithm),
            }
        })
        .collect()
}

/// Holds `folder` against the `files` of its manifest: each is there, with that size and that digest, and there is no other
/// (`manifest.json` and `build.json` aside).
///
/// # Errors
/// [`Class::Damage`] naming the first file that differs.
pub fn verify_files(folder: &Path, manifest: &Value) -> Result<()> {
    let listed = manifest.get("files").and_then(Value::as_array);
    let listed =
        listed.ok_or_else(|| Error::damage(format!("the manifest of {} lists no files", quoted(folder))))?;
    let mut names = BTreeSet::new();
    for value in listed {
        let entry =
            FileEntry::from_value(value).map_err(|error| error.in_file(&folder.join(MANIFEST_FILE)))?;
        entry.verify(folder)?;
        if !names.insert(entry.path) {
            return Err(Error::damage(format!(
                "the manifest of {} lists a file twice: {value}",
                quoted(folder)
            )));
        }
    }
    match walk(folder)?.into_iter().find(|path| !names.contains(path)) {
        Some(extra) => Err(Error::damage(format!(
            "{} is not in the manifest of its folder",
            quoted(&folder.join(extra))
        ))),
        None => Ok(()),
    }
}

/// The relative paths of all files below `folder`, sorted by their bytes.
fn walk(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut waiting = vec![String::new()];
    while let Some(place) = waiting.pop() {
        let here = folder.join(&place);
        let failed = |error| Error::io("list", &here, error);
        for entry in here.read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(Error::damage(format!(
                    "{} has a name that is not UTF-8",
                    quoted(&entry.path())
                )));
            };
            let path = if place.is_empty() {
                name.to_owned()
            } else {
                format!("{place}/{name}")
            };
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                waiting.push(path);
            } else if !kind.is_file() {
                return Err(Error::damage(format!(
                    "{} is neither a file nor a folder",
                    quoted(&entry.path())
                )));
            } else if path != MANIFEST_FILE && path != BUILD_FILE {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Takes only plain relative paths in their one spelling, for a manifest must not point out of its folder.
pub(crate) fn check_relative(path: &str) -> std::result::Result<(), String> {
    let plain = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let one_spelling = path
        .split('/')
        .all(|part| !part.is_empty() && part != "." && !part.contains('\0'));
    if plain && one_spelling {
        return Ok(());
    }
    Err(format!(
        "the path {} leaves its folder or is not plain",
        quoted(Path::new(path))
    ))
}
