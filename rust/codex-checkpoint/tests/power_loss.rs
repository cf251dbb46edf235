//! A power cut after every operation of a first save, a save beside an older one, a replacing save, a save in shards and a
//! rotation.
//!
//! What a run does to the disk is recorded and replayed on a model of a disk, whose rules are at the top of `disk.rs`. After each
//! operation every legal state is laid out in a folder: all of them while up to three operations wait for their sync, else the
//! beginnings, the single losses and 200 seeded draws. Each state must resume: the old checkpoint or the new one is found, verified
//! to the last byte and with nothing skipped, and the next save works and leaves nothing behind. `CODEX_TORTURE_POWER=2000`
//! draws as many states after each operation.

#[path = "../../codex-file/src/durable/tests/disk.rs"]
mod disk;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use codex_checkpoint::{
    Contents, Dtype, Format, Result, Retention, Tensor, TensorFile, find_latest, list, rotate, save,
};
use codex_file::record::{Event, record};
use disk::{Cut, Disk};
use tempfile::TempDir;

/// One way of changing the folder of checkpoints.
struct Scenario {
    name: &'static str,
    /// The steps that are there before, each in edition 0.
    before: &'static [u64],
    run: fn(&Path) -> Result<()>,
    /// Step and edition that may be found: before, and after.
    old: Option<(u64, u8)>,
    new: (u64, u8),
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "a first save",
        before: &[],
        run: |folder| save_step(folder, 1, 1, u64::MAX),
        old: None,
        new: (1, 1),
    },
    Scenario {
        name: "a save beside an older one",
        before: &[1],
        run: |folder| save_step(folder, 2, 1, u64::MAX),
        old: Some((1, 0)),
        new: (2, 1),
    },
    Scenario {
        name: "a save of the same step",
        before: &[1, 2],
        run: |folder| save_step(folder, 2, 1, u64::MAX),
        old: Some((2, 0)),
        new: (2, 1),
    },
    Scenario {
        name: "a save in shards",
        before: &[1],
        run: |folder| save_step(folder, 2, 1, 600),
        old: Some((1, 0)),
        new: (2, 1),
    },
    Scenario {
        name: "a rotation",
        before: &[1, 2, 3],
        run: |folder| rotate(folder, &Retention::new(1, 0)).map(drop),
        old: Some((3, 0)),
        new: (3, 0),
    },
];

const NAMES: [&str; 3] = ["a", "b", "c"];

/// The bytes of one tensor.
fn weights(name: &str, step: u64, edition: u8) -> Vec<u8> {
    let first = name.as_bytes()[0] ^ edition;
    (0..512)
        .map(|index: u64| (index * step % 251).to_le_bytes()[0] ^ first)
        .collect()
}

fn save_step(folder: &Path, step: u64, edition: u8, shard_bytes: u64) -> Result<()> {
    let data: Vec<Vec<u8>> = NAMES.iter().map(|name| weights(name, step, edition)).collect();
    let tensors = NAMES.iter().zip(&data);
    let tensors = tensors.map(|(name, data)| Tensor::new(*name, Dtype::Bf16, vec![16, 16], data.as_slice()));
    let contents = Contents {
        step,
        tensor_files: vec![TensorFile::new("model.safetensors", tensors.collect())],
        files: vec![(
            "state.json".into(),
            br#"{"schema_version":2,"metrics":{}}"#.as_slice(),
        )],
        parents: vec![],
        format: Format {
            shard_bytes,
            ..Format::default()
        },
    };
    save(folder, &contents).map(drop)
}

/// Step and edition of the newest checkpoint, every byte of it read; what is wrong with the folder otherwise.
fn newest(folder: &Path) -> std::result::Result<Option<(u64, u8)>, String> {
    let Some(latest) = find_latest(folder).map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    if let Some((_, error)) = latest.skipped.first() {
        return Err(format!("skipped: {error}"));
    }
    let step = latest.checkpoint.step();
    let mut found = vec![vec![0; 512]; NAMES.len()];
    let reader = latest
        .checkpoint
        .tensors("model.safetensors")
        .map_err(|error| error.to_string())?;
    let destinations = NAMES
        .iter()
        .zip(&mut found)
        .map(|(name, data)| (*name, data.as_mut_slice()));
    reader
        .read_into(destinations.collect())
        .map_err(|error| error.to_string())?;
    let is_edition = |edition: &u8| {
        NAMES
            .iter()
            .zip(&found)
            .all(|(name, data)| *data == weights(name, step, *edition))
    };
    match (0..=1).find(is_edition) {
        Some(edition) => Ok(Some((step, edition))),
        None => Err("its bytes are those of no save".to_owned()),
    }
}

impl Scenario {
    /// Runs on a good disk and says what was done to it.
    fn record(&self) -> (Disk, Vec<Event>) {
        let home = fresh_home();
        let home = home.path().canonicalize().expect("a path");
        let folder = home.join("checkpoints");
        for &step in self.before {
            save_step(&folder, step, 0, u64::MAX).expect("a good disk");
        }
        let disk = Disk::read(&home);
        let (answer, events) = record(&home, || (self.run)(&folder));
        answer.expect("a good disk");
        (disk, events)
    }

    /// Whether a run goes on from what a power cut has left in `home`; `is_done` if the run had said that all is well.
    fn resumes(&self, home: &Path, is_done: bool) -> std::result::Result<(), String> {
        let folder = home.join("checkpoints");
        let found = newest(&folder)?;
        if found != Some(self.new) && (is_done || found != self.old) {
            return Err(format!("found {found:?}"));
        }
        save_step(&folder, 9, 1, u64::MAX).map_err(|error| format!("the next save: {error}"))?;
        if newest(&folder)? != Some((9, 1)) {
            return Err("the next save is not the newest".to_owned());
        }
        let listing = list(&folder).map_err(|error| error.to_string())?;
        let known = listing.checkpoints.len() + usize::from(folder.join("writer.lock").exists());
        let names = fs::read_dir(&folder).expect("a folder").count();
        if names != known {
            return Err(format!("{} names are left over", names - known));
        }
        Ok(())
    }

    /// Cuts the power after each of `events`; the number of states that were met, or the first that does not resume.
    fn survives(
        &self,
        mut disk: Disk,
        events: &[Event],
        at_random: usize,
    ) -> std::result::Result<usize, String> {
        let mut met = HashSet::new();
        for made in 0..=events.len() {
            for cut in disk.cuts(at_random, &format!("{} {made}", self.name)) {
                // Many cuts leave the same bytes; once is enough, unless more is promised at the end.
                let is_done = made == events.len();
                let state = disk.state(&cut);
                if !met.contains(&(is_done, state.clone())) {
                    let home = fresh_home();
                    state.lay_out(home.path());
                    met.insert((is_done, state));
                    self.resumes(home.path(), is_done)
                        .map_err(|reason| self.told(made, &cut, &reason))?;
                }
            }
            if let Some(event) = events.get(made) {
                disk.replay(event);
            }
        }
        Ok(met.len())
    }

    fn told(&self, made: usize, cut: &Cut, reason: &str) -> String {
        format!("{}, cut after {made} operations, {cut:?}: {reason}", self.name)
    }
}

/// A folder in memory where there is one: thousands of syncs then cost nothing.
fn fresh_home() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).expect("a folder")
    } else {
        tempfile::tempdir().expect("a folder")
    }
}

#[test]
fn a_power_cut_after_any_operation_loses_nothing() {
    let at_random = std::env::var("CODEX_TORTURE_POWER").map_or(200, |text| text.parse().expect("a number"));
    for scenario in &SCENARIOS {
        let (disk, events) = scenario.record();
        let met = scenario
            .survives(disk, &events, at_random)
            .expect("every state resumes");
        assert!(met >= 100, "{}: only {met} states were met", scenario.name);
    }
}

/// The model has teeth: without any one of its syncs, each of these runs has a state that does not resume.
#[test]
fn a_writer_that_leaves_out_any_one_sync_is_found_out() {
    for scenario in &SCENARIOS {
        let (disk, events) = scenario.record();
        let syncs: Vec<usize> = (0..events.len())
            .filter(|&at| matches!(events[at], Event::Sync(_) | Event::SyncFolder(_)))
            .collect();
        assert!(!syncs.is_empty(), "{}", scenario.name);
        for at in syncs {
            let mut without = events.clone();
            let left_out = without.remove(at);
            let answer = scenario.survives(disk.clone(), &without, 0);
            assert!(answer.is_err(), "{} resumes without {left_out:?}", scenario.name);
        }
    }
}
