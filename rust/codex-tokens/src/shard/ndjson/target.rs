//! The folder that shards go to: whose it is, what is in it, and its manifest.

use super::progress::{Finished, PROGRESS_FILE, Progress};
use crate::error::{Error, Result};
use crate::shard::series::Series;
use codex_file::digest::{Algorithm, digest_file};
use codex_file::durable::{create_folder, remove_file, sweep_partial, write_atomic};
use codex_file::lock::Lock;
use codex_file::manifest::{self, MANIFEST_FILE, seal, verify_files};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What a stage of prepared data calls a folder of token shards; the training loader reads either.
const KIND: &str = "shards";
const SCHEMA_VERSION: u64 = 1;

/// What is made, apart from what is in the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// The names of the sources.
    pub(super) sources: Vec<String>,
    /// The fingerprint of the tokenizer.
    pub(super) tokenizer: String,
    pub(super) parameters: Value,
}

impl Task {
    /// What a finished folder says it holds.
    fn of(manifest: &Value) -> Option<Self> {
        let (tokenizer, sources) = parents(manifest).split_last()?;
        let name = |source: &Value| source["path"].as_str().map(str::to_owned);
        Some(Self {
            sources: sources.iter().map(name).collect::<Option<_>>()?,
            tokenizer: tokenizer["digest"].as_str()?.to_owned(),
            parameters: manifest["parameters"].clone(),
        })
    }
}

/// The folder, which no other process may work on while this is there.
pub(super) struct Target {
    folder: PathBuf,
    task: Task,
    _lock: Lock,
}

impl Target {
    /// Makes the folder if need be and locks it.
    pub(super) fn take(folder: &Path, task: Task) -> Result<Self> {
        create_folder(folder)?;
        let mut name = std::ffi::OsString::from(".");
        name.push(folder.file_name().unwrap_or_default());
        name.push(".lock");
        let lock = Lock::acquire(&folder.with_file_name(name))?;
        sweep_partial(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            task,
            _lock: lock,
        })
    }

    /// The manifest, if the folder is finished: of this task, whole, and of what the files at `sources` hold now.
    pub(super) fn manifest(&self, sources: &[PathBuf]) -> Result<Option<Value>> {
        let path = self.folder.join(MANIFEST_FILE);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let manifest = manifest::open(&path)?;
        manifest::require_schema(&manifest, KIND, SCHEMA_VERSION, &path)?;
        if Task::of(&manifest).as_ref() != Some(&self.task) {
            return Err(other_task(&self.folder));
        }
        // Killed right behind the manifest, a call leaves this.
        remove_file(&self.folder.join(PROGRESS_FILE))?;
        verify_files(&self.folder, &manifest)?;
        for (source, parent) in sources.iter().zip(parents(&manifest)) {
            let (_, digest) = digest_file(Algorithm::Xxh3, source)?;
            if parent["digest"].as_str() != Some(&digest.to_string()) {
                return Err(changed(source));
            }
        }
        Ok(Some(manifest))
    }

    /// Opens what is known of shards that are finished, in a folder that is not.
    pub(super) fn begin(&self, series: &Series) -> Result<(Progress, Vec<Finished>)> {
        let failed = |error| codex_file::Error::io("list", &self.folder, error);
        let has_begun = self.folder.join(PROGRESS_FILE).is_file();
        for entry in self.folder.read_dir().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy();
            if !has_begun || !(name == PROGRESS_FILE || series.is_name(&name)) {
                let message = format!("`{}` is in the way", self.folder.join(&*name).display());
                let hint = "choose another folder, an empty one or one that is not there";
                return Err(codex_file::Error::usage(message).with_hint(hint).into());
            }
        }
        let Task {
            sources,
            tokenizer,
            parameters,
        } = &self.task;
        let task = json!({"sources": sources, "tokenizer": tokenizer, "parameters": parameters});
        Progress::open(&self.folder, &task)
    }

    /// Writes the manifest over `facts`, what is in the folder, and `sources`, what it was made from; returns it.
    pub(super) fn finish(&self, facts: Value, mut sources: Vec<Value>) -> Result<Value> {
        sources.push(json!({"kind": "tokenizer", "digest": self.task.tokenizer}));
        let mut manifest = facts;
        manifest["kind"] = KIND.into();
        manifest["schema_version"] = SCHEMA_VERSION.into();
        manifest["parents"] = sources.into();
        manifest["parameters"] = self.task.parameters.clone();
        let path = self.folder.join(MANIFEST_FILE);
        write_atomic(&path, &seal(manifest)?)?;
        Ok(manifest::open(&path)?)
    }
}

fn parents(manifest: &Value) -> &[Value] {
    manifest["parents"].as_array().map_or(&[], Vec::as_slice)
}

/// The error for a folder in which something else was made, or begun.
pub(super) fn other_task(folder: &Path) -> Error {
    let message = format!(
        "`{}` holds shards of other files, another tokenizer or other options",
        folder.display()
    );
    let hint = "choose another folder, or remove this one";
    codex_file::Error::usage(message).with_hint(hint).into()
}

/// The error for a source that is not what it was.
pub(super) fn changed(source: &Path) -> Error {
    let message = format!("`{}` has changed since its shards were made", source.display());
    let hint = "choose another folder, or remove that of the shards";
    codex_file::Error::data(message).with_hint(hint).into()
}
