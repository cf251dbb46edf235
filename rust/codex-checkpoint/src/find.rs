//! Which checkpoints there are, and which to go on from.

use std::fs;
use std::path::{Path, PathBuf};

use codex_file::{Class, Error, Result};

use crate::open::Checkpoint;

const PREFIX: &str = "step-";

/// The folder of the checkpoint after `step` steps.
pub(crate) fn folder_name(step: u64) -> String {
    format!("{PREFIX}{step:08}")
}

/// Partial folders and everything else a user may put beside the checkpoints are not looked at.
fn is_checkpoint_name(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The checkpoints of one folder.
#[derive(Debug)]
pub struct Listing {
    /// Newest first, by the step in the manifest.
    pub checkpoints: Vec<Checkpoint>,
    /// Those that do not open, and why, in order of their names.
    pub unreadable: Vec<(PathBuf, Error)>,
}

/// Opens every checkpoint in `folder`: manifests, names, sizes and metrics, not the tensors.
///
/// # Errors
/// `Missing` or `Machine` if `folder` cannot be listed.
pub fn list(folder: &Path) -> Result<Listing> {
    let mut listing = Listing {
        checkpoints: vec![],
        unreadable: vec![],
    };
    for entry in fs::read_dir(folder).map_err(|source| Error::io("list", folder, source))? {
        let entry = entry.map_err(|source| Error::io("list", folder, source))?;
        if !entry.file_name().to_str().is_some_and(is_checkpoint_name) {
            continue;
        }
        match Checkpoint::open(&entry.path()) {
            Ok(checkpoint) => listing.checkpoints.push(checkpoint),
            Err(error) => listing.unreadable.push((entry.path(), error)),
        }
    }
    listing
        .checkpoints
        .sort_by(|a, b| (b.step(), b.path()).cmp(&(a.step(), a.path())));
    listing.unreadable.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(listing)
}

/// The newest checkpoint that verifies.
#[derive(Debug)]
pub struct Latest {
    /// Every byte of it was checked.
    pub checkpoint: Checkpoint,
    /// Those passed over, and why.
    pub skipped: Vec<(PathBuf, Error)>,
}

/// Finds the newest checkpoint in `folder` that verifies to the last byte; `None` if there is none at all.
///
/// Nothing is written or removed.
///
/// # Errors
/// `Damage` if there are checkpoints and not one verifies: going on from nothing must be the user's decision.
pub fn find_latest(folder: &Path) -> Result<Option<Latest>> {
    let Listing {
        checkpoints,
        unreadable: mut skipped,
    } = match list(folder) {
        Err(error) if error.class() == Class::Missing => return Ok(None),
        answer => answer?,
    };
    for checkpoint in checkpoints {
        match checkpoint.verify() {
            Ok(()) => return Ok(Some(Latest { checkpoint, skipped })),
            Err(error) => skipped.push((checkpoint.path().to_owned(), error)),
        }
    }
    let Some((_, error)) = skipped.iter().max_by_key(|(path, _)| path) else {
        return Ok(None);
    };
    Err(Error::damage(format!(
        "none of its {} checkpoints verifies; {error}",
        skipped.len()
    ))
    .in_file(folder)
    .with_hint(
        "`codex checkpoint verify` says what is wrong with each; start a new run to train from the beginning",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_checkpoints_have_the_name_of_one() {
        for step in [0, 1000, 99_999_999, 100_000_000, u64::MAX] {
            assert!(is_checkpoint_name(&folder_name(step)), "{step}");
        }
        for name in [
            "step-",
            "step-1x",
            "step-00001000.partial-17-0",
            "writer.lock",
            "step--1",
            "Step-1",
        ] {
            assert!(!is_checkpoint_name(name), "{name}");
        }
    }
}
