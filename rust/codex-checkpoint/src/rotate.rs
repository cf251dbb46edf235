//! Which checkpoints may go: never the newest that verifies, never one that cannot be read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use codex_file::lock::Lock;
use codex_file::{Error, Result, durable};

use crate::LOCK_FILE;
use crate::find::{Listing, list};
use crate::open::Checkpoint;

/// What a rotation did.
#[derive(Debug, Default)]
pub struct Rotation {
    /// Gone, oldest last.
    pub removed: Vec<PathBuf>,
    /// Left out of the count and left alone, and why.
    pub skipped: Vec<(PathBuf, Error)>,
}

/// Removes the checkpoints of `folder` that are neither among the `keep_last` newest nor among the `keep_best` best.
///
/// Newest is by the step in the manifest, best by [`HELD_OUT_METRIC`](crate::HELD_OUT_METRIC). Before anything goes, the
/// newest is read to the last byte; should it not verify, the newest that does is kept as well, and if none does all stay.
/// A folder that does not open is reported and stays: it has no step to be ordered by.
///
/// # Errors
/// `Locked` while another process saves here, `Machine` if a folder cannot be removed.
pub fn rotate(folder: &Path, keep_last: usize, keep_best: usize) -> Result<Rotation> {
    let _turn = Lock::acquire(&folder.join(LOCK_FILE))?;
    durable::sweep_partial(folder)?;
    let Listing {
        checkpoints,
        unreadable: mut skipped,
    } = list(folder)?;
    let metrics: Vec<Option<f64>> = checkpoints
        .iter()
        .map(|checkpoint| checkpoint.metrics().get(crate::HELD_OUT_METRIC).copied())
        .collect();
    let mut kept = kept(&metrics, keep_last, keep_best);
    if kept.len() == checkpoints.len() {
        return Ok(Rotation {
            removed: vec![],
            skipped,
        });
    }
    let Some(newest) = newest_verified(&checkpoints, &mut skipped) else {
        return Ok(Rotation {
            removed: vec![],
            skipped,
        });
    };
    kept.insert(newest);
    let mut removed = Vec::new();
    for (index, checkpoint) in checkpoints.iter().enumerate() {
        if !kept.contains(&index) {
            durable::remove_folder(checkpoint.path())?;
            removed.push(checkpoint.path().to_owned());
        }
    }
    Ok(Rotation { removed, skipped })
}

/// The positions to keep among checkpoints given newest first by their metric.
fn kept(metrics: &[Option<f64>], keep_last: usize, keep_best: usize) -> BTreeSet<usize> {
    let mut best: Vec<(f64, usize)> = metrics
        .iter()
        .enumerate()
        .filter_map(|(index, metric)| metric.map(|metric| (metric, index)))
        .collect();
    best.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    (0..metrics.len().min(keep_last))
        .chain(best.into_iter().take(keep_best).map(|(_, index)| index))
        .collect()
}

fn newest_verified(checkpoints: &[Checkpoint], skipped: &mut Vec<(PathBuf, Error)>) -> Option<usize> {
    checkpoints
        .iter()
        .position(|checkpoint| match checkpoint.verify() {
            Ok(()) => true,
            Err(error) => {
                skipped.push((checkpoint.path().to_owned(), error));
                false
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Metrics newest first, `keep_last`, `keep_best`, positions kept.
    #[test]
    fn the_last_and_the_best_are_kept() {
        #[allow(clippy::type_complexity)] // a table
        let cases: &[(&[Option<f64>], usize, usize, &[usize])] = &[
            (&[], 2, 1, &[]),
            (&[None, None, None], 2, 1, &[0, 1]),
            (&[Some(1.4), Some(1.3), Some(1.2), Some(1.5)], 1, 1, &[0, 2]),
            (&[Some(1.4), Some(1.3), Some(1.2), Some(1.5)], 1, 2, &[0, 1, 2]),
            (&[Some(1.3), Some(1.3), Some(1.3)], 1, 1, &[0]),
            (&[None, Some(2.0), Some(1.0)], 0, 1, &[2]),
            (&[Some(1.0), Some(2.0)], 5, 5, &[0, 1]),
            (&[Some(1.0)], 0, 0, &[]),
        ];
        for (metrics, keep_last, keep_best, wanted) in cases {
            let kept: Vec<usize> = kept(metrics, *keep_last, *keep_best).into_iter().collect();
            assert_eq!(&kept, wanted, "{metrics:?} {keep_last} {keep_best}");
        }
    }
}
