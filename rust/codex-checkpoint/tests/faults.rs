//! A disk that fails at any point of a save or a rotation: the error has a class, and nothing good is lost.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use codex_checkpoint::{
    Class, Contents, Dtype, Error, Format, Retention, Tensor, TensorFile, find_latest, list, rotate, save,
};
use codex_file::fail::{Scope, arm};
use codex_file::lock::Lock;

/// One test at a time: a save syncs on several threads, so the rules of a test hold for the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes of the one tensor of `step`, in its `edition`.
fn weights(step: u64, edition: u8) -> Vec<u8> {
    (0..4096)
        .map(|index: u64| (index * step % 251).to_le_bytes()[0] ^ edition)
        .collect()
}

fn save_step(folder: &Path, step: u64, edition: u8) -> Result<(), Error> {
    let weights = weights(step, edition);
    let tensor = |name, data| Tensor::new(name, Dtype::Bf16, vec![64, 32], data);
    let file = |path, tensors| TensorFile::new(path, tensors);
    let contents = Contents {
        step,
        tensor_files: vec![
            file(
                "model.safetensors",
                vec![tensor("weights", &weights[..]), tensor("more", &weights[..])],
            ),
            file("optimizer.safetensors", vec![tensor("momentum", &weights[..])]),
            file("state.safetensors", vec![]),
        ],
        files: vec![("config.json".into(), b"{}")],
        parents: vec![],
        // So that the model is two shards with an index.
        format: Format {
            shard_bytes: 5000,
            ..Format::default()
        },
    };
    save(folder, &contents).map(|_| ())
}

/// The step and the bytes of the newest checkpoint, every byte of it checked.
fn newest(folder: &Path) -> (u64, Vec<u8>) {
    let latest = find_latest(folder).expect("one verifies").expect("one is there");
    assert!(latest.skipped.is_empty(), "{:?}", latest.skipped);
    let mut bytes = vec![0; 4096];
    let reader = latest.checkpoint.tensors("model.safetensors").expect("a model");
    reader.read_into(vec![("weights", &mut bytes)]).expect("verified");
    (latest.checkpoint.step(), bytes)
}

fn partials(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.contains("partial"))
        .collect()
}

/// Saves `step` with `action` at the first, second ... point until none is left, and returns how many there were.
fn strike_every_point(action: &str, step: u64) -> u64 {
    for pass in 1.. {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("checkpoints");
        save_step(&folder, 1, 0).expect("a good disk");
        let armed = arm(&format!("*={action}@{pass}"), Scope::Process).expect("a rule");
        let saved = save_step(&folder, step, 1);
        let fired = armed.fired();
        drop(armed);
        let found = newest(&folder);
        match &saved {
            Ok(()) => assert_eq!(found, (step, weights(step, 1)), "{action}@{pass}"),
            Err(error) => {
                let wanted = if action == "enospc" {
                    Class::DiskFull
                } else {
                    Class::Machine
                };
                assert_eq!(error.class(), wanted, "{action}@{pass}: {error}");
                // A failure after the rename leaves the new one, which verifies as well.
                let is_old_or_new = [(1, weights(1, 0)), (step, weights(step, 1))].contains(&found);
                assert!(is_old_or_new, "{action}@{pass}: {error}");
            }
        }
        save_step(&folder, 3, 0).expect("the disk is good again");
        assert_eq!(newest(&folder), (3, weights(3, 0)));
        if fired == 0 {
            saved.expect("nothing struck");
            return pass - 1;
        }
        assert!(action != "short" || saved.is_ok(), "a short write is continued");
        assert!(
            action != "sync-fails" || saved.is_err(),
            "a sync that fails is a failed save"
        );
    }
    unreachable!("the loop ends when no point is left")
}

#[test]
fn a_failing_call_at_any_point_is_a_typed_error_and_the_old_one_stays() {
    let _turn = alone();
    // Step 1 replaces what is there, step 2 is new.
    for (action, step, at_least) in [
        ("eio", 1, 20),
        ("eio", 2, 15),
        ("enospc", 2, 15),
        ("sync-fails", 1, 5),
        ("short", 1, 4),
    ] {
        let points = strike_every_point(action, step);
        assert!(points >= at_least, "{action} struck at {points} points");
    }
}

/// Every place at which a save changes the disk.
const PLACES: [&str; 36] = [
    "checkpoint.folder.make-folder",
    "checkpoint.folder.sync-folder",
    "checkpoint.turn.create",
    "checkpoint.turn.lock",
    "checkpoint.turn.truncate",
    "checkpoint.turn.write",
    "checkpoint.sweep.create",
    "checkpoint.sweep.lock",
    "checkpoint.sweep.remove",
    "checkpoint.sweep.remove-folder",
    "checkpoint.begin.create",
    "checkpoint.begin.lock",
    "checkpoint.begin.make-folder",
    "checkpoint.model.create",
    "checkpoint.model.write",
    "checkpoint.model.sync",
    "checkpoint.optimizer.create",
    "checkpoint.optimizer.write",
    "checkpoint.optimizer.sync",
    "checkpoint.state.create",
    "checkpoint.state.write",
    "checkpoint.state.sync",
    "checkpoint.index.create",
    "checkpoint.index.write",
    "checkpoint.index.sync",
    "checkpoint.file.create",
    "checkpoint.file.write",
    "checkpoint.file.sync",
    "checkpoint.manifest.create",
    "checkpoint.manifest.write",
    "checkpoint.manifest.sync",
    "checkpoint.commit.sync-folder",
    "checkpoint.commit.rename",
    "checkpoint.commit.swap",
    "checkpoint.commit.remove",
    "checkpoint.commit.remove-folder",
];

/// Those of a rotation.
const ROTATION_PLACES: [&str; 6] = [
    "checkpoint.rotate.create",
    "checkpoint.rotate.lock",
    "checkpoint.rotate.rename",
    "checkpoint.rotate.sync-folder",
    "checkpoint.rotate.remove",
    "checkpoint.rotate.remove-folder",
];

/// A first save, one that replaces it after a death, and a rotation.
fn save_twice_and_rotate(folder: &Path) -> Result<(), Error> {
    save_step(folder, 1, 0)?;
    let dead = folder.join("step-00000009.partial-1-0");
    fs::create_dir_all(&dead).expect("a folder");
    fs::write(dead.join("model.safetensors"), b"half").expect("a file");
    save_step(folder, 1, 1)?;
    save_step(folder, 2, 1)?;
    rotate(folder, &Retention::new(1, 0)).map(|_| ())
}

/// Lets `rule@1`, `rule@2` ... strike until it is passed no more, and returns how often it was.
fn strikes(rule: &str) -> u64 {
    for pass in 1.. {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("checkpoints");
        let armed = arm(&format!("{rule}@{pass}"), Scope::Process).expect("a rule");
        let answer = save_twice_and_rotate(&folder);
        let fired = armed.fired();
        drop(armed);
        if let Err(error) = answer {
            assert_eq!(error.class(), Class::Machine, "{rule}@{pass}: {error}");
        }
        if fired == 0 {
            return pass - 1;
        }
        if let Some(found) = find_latest(&folder).expect("what is there verifies") {
            assert!(found.skipped.is_empty(), "{rule}@{pass}: {:?}", found.skipped);
        }
    }
    unreachable!("the loop ends when no point is left")
}

#[test]
fn every_place_is_passed_and_there_is_no_other() {
    let _turn = alone();
    let mut passes = 0;
    for place in PLACES.iter().chain(&ROTATION_PLACES) {
        let here = strikes(&format!("{place}=eio"));
        assert!(here > 0, "{place} is not passed");
        passes += here;
    }
    assert_eq!(
        passes,
        strikes("*=eio"),
        "a call is made at a place that has no name"
    );
}

#[test]
fn a_full_disk_leaves_no_partial_folder() {
    let _turn = alone();
    for pass in 1..=3 {
        let home = tempfile::tempdir().expect("a folder");
        save_step(home.path(), 1, 0).expect("a good disk");
        let armed = arm(&format!("file.write=enospc@{pass}"), Scope::Process).expect("a rule");
        assert_eq!(
            save_step(home.path(), 2, 0).expect_err("no room").class(),
            Class::DiskFull
        );
        assert_eq!(armed.fired(), 1);
        assert_eq!(partials(home.path()), Vec::<String>::new());
        assert_eq!(newest(home.path()).0, 1);
    }
}

#[test]
fn a_rotation_that_fails_at_any_point_leaves_whole_checkpoints() {
    let _turn = alone();
    for pass in 1.. {
        let home = tempfile::tempdir().expect("a folder");
        for step in 1..=3 {
            save_step(home.path(), step, 0).expect("a good disk");
        }
        let armed = arm(&format!("*=eio@{pass}"), Scope::Process).expect("a rule");
        let rotated = rotate(home.path(), &Retention::new(1, 0));
        let fired = armed.fired();
        drop(armed);
        assert_eq!(newest(home.path()), (3, weights(3, 0)), "@{pass}");
        assert!(
            list(home.path()).expect("a folder").unreadable.is_empty(),
            "@{pass}"
        );
        match rotated {
            // A name that could not be given back is left to the sweep; the two folders are gone.
            Ok(rotation) => assert_eq!(rotation.removed.len(), 2, "@{pass}"),
            Err(error) => assert_eq!(error.class(), Class::Machine, "@{pass}: {error}"),
        }
        rotate(home.path(), &Retention::new(1, 0)).expect("the disk is good again");
        assert_eq!(partials(home.path()), Vec::<String>::new(), "@{pass}");
        if fired == 0 {
            assert!(pass > 10, "struck at {pass} points");
            return;
        }
    }
}

#[test]
fn a_second_writer_is_refused_by_name() {
    let _turn = alone();
    let home = tempfile::tempdir().expect("a folder");
    save_step(home.path(), 1, 0).expect("a good disk");
    let held = Lock::acquire(&home.path().join("writer.lock")).expect("free");
    for refused in [
        save_step(home.path(), 2, 0).expect_err("held"),
        rotate(home.path(), &Retention::new(1, 0)).expect_err("held"),
    ] {
        assert_eq!(refused.class(), Class::Locked);
        assert!(
            refused.to_string().contains(&std::process::id().to_string()),
            "{refused}"
        );
    }
    drop(held);
    save_step(home.path(), 2, 0).expect("free again");
}
