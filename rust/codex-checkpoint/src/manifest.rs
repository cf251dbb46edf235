//! What a checkpoint says about itself: its step, its files, and a digest for every part of them.
//!
//! A tensor file is covered in parts, the header and each tensor, so that damage has a name and parts can be checked on
//! several cores; the digest of the whole file stands beside it for tools that know nothing of tensors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use codex_file::digest::Digest;
use codex_file::manifest::{self, FileEntry, MANIFEST_FILE};
use codex_file::{Class, Error, Result};
use serde_json::{Map, Value, json};

use crate::{KIND, SCHEMA_VERSION};

/// The digests of one tensor file, and the names that share a stored tensor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TensorDigests {
    pub(crate) header: Digest,
    pub(crate) tensors: BTreeMap<String, Digest>,
    /// Alias to stored name.
    pub(crate) tied: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) step: u64,
    pub(crate) parents: Vec<Digest>,
    pub(crate) files: Vec<FileEntry>,
    /// By file.
    pub(crate) tensors: BTreeMap<String, TensorDigests>,
}

impl Manifest {
    /// The bytes of `manifest.json`, its own digest included.
    pub(crate) fn seal(&self) -> Result<Vec<u8>> {
        let files: Vec<Value> = self.files.iter().map(FileEntry::to_value).collect();
        let tensors: Map<String, Value> = self
            .tensors
            .iter()
            .map(|(file, digests)| {
                let by_name: Map<String, Value> = digests
                    .tensors
                    .iter()
                    .map(|(name, digest)| (name.clone(), digest.to_string().into()))
                    .collect();
                let value =
                    json!({"header": digests.header.to_string(), "tensors": by_name, "tied": digests.tied});
                (file.clone(), value)
            })
            .collect();
        let parents: Vec<String> = self.parents.iter().map(ToString::to_string).collect();
        manifest::seal(json!({
            "kind": KIND,
            "schema_version": SCHEMA_VERSION,
            "step": self.step,
            "parents": parents,
            "files": files,
            "tensors": tensors,
        }))
    }

    /// Reads and checks the manifest of the checkpoint in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST_FILE);
        let value = manifest::open(&path).map_err(|error| match error.class() {
            Class::Missing if folder.is_dir() => {
                Error::damage(format!("has no {MANIFEST_FILE}, so it is not a whole checkpoint"))
                    .in_file(folder)
            }
            Class::Missing => Error::missing("no such checkpoint").in_file(folder),
            _ => error,
        })?;
        manifest::require_schema(&value, KIND, SCHEMA_VERSION, &path)?;
        Fields {
            path: &path,
            object: &value,
            at: String::new(),
        }
        .manifest()
    }
}

/// One object inside the manifest, for messages that say where.
struct Fields<'a> {
    path: &'a Path,
    object: &'a Value,
    at: String,
}

impl<'a> Fields<'a> {
    fn manifest(&self) -> Result<Manifest> {
        let parents = self
            .array("parents")?
            .iter()
            .map(|value| self.digest("parents", value))
            .collect::<Result<_>>()?;
        let mut files = Vec::new();
        let mut names = BTreeSet::new();
        for value in self.array("files")? {
            let entry = FileEntry::from_value(value).map_err(|error| error.in_file(self.path))?;
            if !names.insert(entry.path.clone()) {
                return Err(self.wrong(&format!("files.{}", entry.path), "listed once"));
            }
            files.push(entry);
        }
        let mut tensors = BTreeMap::new();
        for (file, object) in self.object("tensors")? {
            if !names.contains(file) {
                return Err(self.wrong(&format!("tensors.{file}"), "the name of a file it lists"));
            }
            let digests = Fields {
                path: self.path,
                object,
                at: format!("tensors.{file}."),
            }
            .tensor_digests()?;
            tensors.insert(file.clone(), digests);
        }
        let step = self
            .get("step")
            .as_u64()
            .ok_or_else(|| self.wrong("step", "a whole number"))?;
        Ok(Manifest {
            step,
            parents,
            files,
            tensors,
        })
    }

    fn tensor_digests(&self) -> Result<TensorDigests> {
        let mut tensors = BTreeMap::new();
        for (name, value) in self.object("tensors")? {
            tensors.insert(name.clone(), self.digest(name, value)?);
        }
        let mut tied = BTreeMap::new();
        for (alias, value) in self.object("tied")? {
            match value.as_str() {
                Some(name) if tensors.contains_key(name) && !tensors.contains_key(alias) => {
                    tied.insert(alias.clone(), name.to_owned());
                }
                _ => return Err(self.wrong(&format!("tied.{alias}"), "the name of a stored tensor")),
            }
        }
        Ok(TensorDigests {
            header: self.digest("header", self.get("header"))?,
            tensors,
            tied,
        })
    }

    fn get(&self, key: &str) -> &'a Value {
        self.object.get(key).unwrap_or(&Value::Null)
    }

    fn array(&self, key: &str) -> Result<&'a Vec<Value>> {
        self.get(key).as_array().ok_or_else(|| self.wrong(key, "a list"))
    }

    fn object(&self, key: &str) -> Result<&'a Map<String, Value>> {
        self.get(key)
            .as_object()
            .ok_or_else(|| self.wrong(key, "an object"))
    }

    fn digest(&self, key: &str, value: &Value) -> Result<Digest> {
        value
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| self.wrong(key, "a digest"))
    }

    fn wrong(&self, key: &str, wanted: &str) -> Error {
        Error::damage(format!("`{}{key}` is not {wanted}", self.at)).in_file(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codex_file::digest::{Algorithm, digest_bytes};

    fn digest(text: &str) -> Digest {
        digest_bytes(Algorithm::Xxh3, text.as_bytes())
    }

    fn example() -> Manifest {
        Manifest {
            step: 1000,
            parents: vec![digest_bytes(Algorithm::Sha256, b"shards")],
            files: vec![FileEntry {
                path: "model.safetensors".into(),
                bytes: 12,
                digest: digest("file"),
            }],
            tensors: BTreeMap::from([(
                "model.safetensors".into(),
                TensorDigests {
                    header: digest("header"),
                    tensors: BTreeMap::from([("embed".into(), digest("embed"))]),
                    tied: BTreeMap::from([("head".into(), "embed".into())]),
                },
            )]),
        }
    }

    #[test]
    fn a_manifest_survives_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(
            folder.path().join(MANIFEST_FILE),
            example().seal().expect("sealed"),
        )
        .expect("written");
        assert_eq!(Manifest::open(folder.path()).expect("opened"), example());
    }

    /// Each row edits one field of a good manifest and names what the message must say.
    #[test]
    fn a_field_of_the_wrong_kind_is_named() {
        let cases: &[(&str, Value, &str)] = &[
            ("/step", json!("1000"), "`step` is not a whole number"),
            ("/step", json!(-1), "`step` is not a whole number"),
            ("/parents", json!({}), "`parents` is not a list"),
            ("/parents/0", json!("sha256:short"), "`parents` is not a digest"),
            ("/files", json!(null), "`files` is not a list"),
            (
                "/files/0/path",
                json!("../model.safetensors"),
                "`../model.safetensors` leaves its folder",
            ),
            (
                "/files/0/path",
                json!("other"),
                "`tensors.model.safetensors` is not the name of a file it lists",
            ),
            ("/files/0/bytes", json!(1.5), "has no `bytes`"),
            ("/files/0/digest", json!("md5:00"), "`md5:00` is not a digest"),
            ("/tensors", json!([]), "`tensors` is not an object"),
            (
                "/tensors/model.safetensors/header",
                json!(1),
                "`tensors.model.safetensors.header` is not a digest",
            ),
            (
                "/tensors/model.safetensors/tensors/embed",
                json!(""),
                "`tensors.model.safetensors.embed` is not a digest",
            ),
            (
                "/tensors/model.safetensors/tied/head",
                json!("x"),
                "`tensors.model.safetensors.tied.head` is not",
            ),
        ];
        for (pointer, value, wanted) in cases {
            let folder = tempfile::tempdir().expect("a folder");
            let mut edited: Value = serde_json::from_slice(&example().seal().expect("sealed")).expect("JSON");
            *edited.pointer_mut(pointer).expect(pointer) = value.clone();
            edited.as_object_mut().expect("an object").remove("digest");
            std::fs::write(
                folder.path().join(MANIFEST_FILE),
                manifest::seal(edited).expect("sealed"),
            )
            .expect("written");
            let error = Manifest::open(folder.path()).expect_err(pointer);
            assert_eq!(error.class(), Class::Damage, "{pointer}");
            assert!(error.to_string().contains(wanted), "{pointer}: {error}");
        }
    }
}
