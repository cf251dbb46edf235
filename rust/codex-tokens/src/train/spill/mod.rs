//! What does not fit into memory: runs of counted words on disk, sorted, and merged again.
//!
//! A run is a file without a name in a folder of the caller's: when the process ends, however it ends, nothing is left.

mod merge;
mod run;

pub(super) use merge::{Order, merged};
pub(super) use run::{Run, RunReader, RunWriter, push_number};

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use codex_file::{Error, fail};

use crate::error::Result;

/// A folder to spill into, and how many bytes went there.
#[derive(Clone, Debug)]
pub(super) struct Spill {
    folder: PathBuf,
    written: Arc<AtomicU64>,
}

impl Spill {
    pub(super) fn into_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            written: Arc::default(),
        }
    }

    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    pub(super) fn run(&self) -> Result<RunWriter> {
        Ok(RunWriter::new(self.file()?, self.clone()))
    }

    fn file(&self) -> Result<File> {
        fail::point("tokens.spill.create")
            .and_then(|()| tempfile::tempfile_in(&self.folder))
            .map_err(|error| self.failed("spill into", error))
    }

    fn failed(&self, action: &str, error: std::io::Error) -> crate::Error {
        Error::io(action, &self.folder, error)
            .with_hint("choose a folder with more room (`TMPDIR`), or a larger `memory_limit`")
            .into()
    }
}
