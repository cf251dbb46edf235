//! Which checkpoints may go: never the newest that verifies, never one that is pinned or cannot be read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use codex_file::fail::within;
use codex_file::{Error, Result, durable};

use crate::HELD_OUT_METRIC;
use crate::find::{Listing, list};
use crate::open::Checkpoint;
use crate::save::take_turn;

/// What the name of a file adds to that of the checkpoint beside it, to keep that one from every rotation.
pub const PIN_SUFFIX: &str = ".pin";

/// Which checkpoints are wanted; one reason is enough.
#[derive(Clone, Debug)]
pub struct Retention {
    /// The newest, by the step in the manifest.
    pub keep_last: usize,
    /// Those whose step is a multiple of this.
    pub keep_every_steps: Option<u64>,
    /// The best, by `metric` in their state; of two equals the newer.
    pub keep_best: usize,
    /// What best means.
    pub metric: String,
    /// Whether a high value is a good one.
    pub highest: bool,
    /// Those a run was resumed from, for example.
    pub protect: Vec<PathBuf>,
}

impl Retention {
    /// The newest `keep_last` and the `keep_best` of lowest [`HELD_OUT_METRIC`].
    #[must_use]
    pub fn new(keep_last: usize, keep_best: usize) -> Self {
        Self {
            keep_last,
            keep_every_steps: None,
            keep_best,
            metric: HELD_OUT_METRIC.to_owned(),
            highest: false,
            protect: vec![],
        }
    }

    /// The positions to keep among checkpoints given newest first by step and metric.
    fn kept(&self, checkpoints: &[(u64, Option<f64>)]) -> BTreeSet<usize> {
        let mut best: Vec<(f64, usize)> = checkpoints
            .iter()
            .enumerate()
            .filter_map(|(index, (_, metric))| metric.map(|metric| (metric, index)))
            .collect();
        best.sort_by(|(a, newer), (b, older)| {
            let order = if self.highest {
                b.total_cmp(a)
            } else {
                a.total_cmp(b)
            };
            order.then(newer.cmp(older))
        });
        let best = best.into_iter().take(self.keep_best).map(|(_, index)| index);
        let is_multiple = |step: u64| {
            self.keep_every_steps
                .is_some_and(|every| step.is_multiple_of(every))
        };
        let multiples = (0..checkpoints.len()).filter(|&index| is_multiple(checkpoints[index].0));
        (0..checkpoints.len().min(self.keep_last))
            .chain(best)
            .chain(multiples)
            .collect()
    }

    fn is_protected(&self, path: &Path) -> bool {
        let mut pin = path.as_os_str().to_owned();
        pin.push(PIN_SUFFIX);
        let is_same = |other: &PathBuf| match (fs::canonicalize(other), fs::canonicalize(path)) {
            (Ok(other), Ok(path)) => other == path,
            _ => false,
        };
        Path::new(&pin).symlink_metadata().is_ok() || self.protect.iter().any(is_same)
    }
}

/// What a rotation did, or would do.
#[derive(Debug, Default)]
pub struct Rotation {
    /// Gone, oldest last.
    pub removed: Vec<PathBuf>,
    /// Left out of the count and left alone, and why.
    pub skipped: Vec<(PathBuf, Error)>,
}

/// Removes the checkpoints of `folder` that `retention` does not want.
///
/// Before anything goes, the newest is read to the last byte; should it not verify, the newest that does is kept as well, and
/// if none does all stay. What does not open or was found damaged is reported and stays.
///
/// # Errors
/// `Locked` while another process saves here, `Machine` if a folder cannot be removed.
pub fn rotate(folder: &Path, retention: &Retention) -> Result<Rotation> {
    let _turn = take_turn(folder)?;
    let rotation = plan_rotation(folder, retention)?;
    for path in &rotation.removed {
        within("checkpoint.rotate", || durable::remove_folder(path))?;
    }
    Ok(rotation)
}

/// What [`rotate`] would do now; nothing is written or removed.
///
/// # Errors
/// `Missing` or `Machine` if `folder` cannot be listed.
pub fn plan_rotation(folder: &Path, retention: &Retention) -> Result<Rotation> {
    let Listing {
        checkpoints,
        unreadable: mut skipped,
    } = list(folder)?;
    let known: Vec<(u64, Option<f64>)> = checkpoints
        .iter()
        .map(|checkpoint| {
            (
                checkpoint.step(),
                checkpoint.metrics().get(&retention.metric).copied(),
            )
        })
        .collect();
    let kept = retention.kept(&known);
    let mut removed: Vec<PathBuf> = checkpoints
        .iter()
        .enumerate()
        .filter(|(index, checkpoint)| !kept.contains(index) && !retention.is_protected(checkpoint.path()))
        .map(|(_, checkpoint)| checkpoint.path().to_owned())
        .collect();
    if !removed.is_empty() {
        match newest_verified(&checkpoints, &mut skipped) {
            Some(newest) => removed
                .retain(|path| path != newest.path() && !skipped.iter().any(|(damaged, _)| damaged == path)),
            None => removed.clear(),
        }
    }
    Ok(Rotation { removed, skipped })
}

fn newest_verified<'a>(
    checkpoints: &'a [Checkpoint],
    skipped: &mut Vec<(PathBuf, Error)>,
) -> Option<&'a Checkpoint> {
    checkpoints.iter().find(|checkpoint| match checkpoint.verify() {
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

    /// Metrics newest first (of steps 60, 50, 40 ...), what is asked for, positions kept.
    #[test]
    fn one_reason_is_enough_to_be_kept() {
        let last_and_best = Retention::new;
        let every = |keep_every_steps| Retention {
            keep_every_steps: Some(keep_every_steps),
            ..Retention::new(1, 0)
        };
        let highest = |keep_best| Retention {
            highest: true,
            ..Retention::new(0, keep_best)
        };
        #[allow(clippy::type_complexity)] // a table
        let cases: &[(&[Option<f64>], Retention, &[usize])] = &[
            (&[], last_and_best(2, 1), &[]),
            (&[None, None, None], last_and_best(2, 1), &[0, 1]),
            (
                &[Some(1.4), Some(1.3), Some(1.2), Some(1.5)],
                last_and_best(1, 1),
                &[0, 2],
            ),
            (
                &[Some(1.4), Some(1.3), Some(1.2), Some(1.5)],
                last_and_best(1, 2),
                &[0, 1, 2],
            ),
            (&[Some(1.3), Some(1.3), Some(1.3)], last_and_best(1, 1), &[0]),
            (&[None, Some(2.0), Some(1.0)], last_and_best(0, 1), &[2]),
            (&[Some(1.0), Some(2.0)], last_and_best(5, 5), &[0, 1]),
            (&[Some(1.0)], last_and_best(0, 0), &[]),
            (&[None; 6], every(20), &[0, 2, 4]),
            (&[None; 6], every(25), &[0, 1]),
            (&[None; 3], every(0), &[0]),
            (&[Some(1.4), None, Some(1.5), Some(1.5)], highest(1), &[2]),
            (&[Some(1.4), None, Some(1.5), Some(1.5)], highest(3), &[0, 2, 3]),
        ];
        for (metrics, retention, wanted) in cases {
            let checkpoints: Vec<(u64, Option<f64>)> = (1..=6)
                .rev()
                .map(|step| step * 10)
                .zip(metrics.iter().copied())
                .collect();
            let kept: Vec<usize> = retention.kept(&checkpoints).into_iter().collect();
            assert_eq!(&kept, wanted, "{metrics:?} {retention:?}");
        }
    }
}
