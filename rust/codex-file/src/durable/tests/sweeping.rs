//! What is swept, what is left alone, and what a folder or file refuses.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::protocols::{ALL, tree};
use crate::durable::{AtomicFile, PartialFolder, sweep_partial, write_atomic};
use crate::error::Class;
use crate::fail::{Scope, arm};

/// What processes that died have left: a file, a folder with and without its owner's file, an owner's file alone.
fn leave_behind(home: &Path) {
    fs::write(home.join("kept"), "kept").unwrap();
    fs::write(home.join("a.partial-1-0"), "half").unwrap();
    fs::create_dir_all(home.join("b.partial-1-1/sub")).unwrap();
    fs::write(home.join("b.partial-1-1/sub/file"), "half").unwrap();
    fs::write(home.join("b.partial-1-1.owner"), "").unwrap();
    fs::create_dir(home.join("c.partial-4000000000-7")).unwrap();
    fs::write(home.join("d.partial-1-2.owner"), "").unwrap();
    fs::create_dir(home.join("e.partial-1-3.old")).unwrap();
    fs::write(home.join("e.partial-1-3.old/file"), "the only copy").unwrap();
    fs::write(home.join("f.partial-1-4-not-ours"), "").unwrap();
}

#[test]
fn what_the_dead_left_is_swept_and_named() {
    let home = tempfile::tempdir().unwrap();
    leave_behind(home.path());
    let names: Vec<String> = sweep_partial(home.path())
        .unwrap()
        .iter()
        .map(|path| path.strip_prefix(home.path()).unwrap().display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "a.partial-1-0",
            "b.partial-1-1",
            "c.partial-4000000000-7",
            "d.partial-1-2",
            "e.partial-1-3"
        ]
    );
    let kept = tree(home.path());
    assert_eq!(
        kept.keys().collect::<Vec<_>>(),
        ["e", "e/file", "f.partial-1-4-not-ours", "kept"]
    );
    assert_eq!(kept["e/file"].as_deref(), Some(&b"the only copy"[..]));
    assert!(sweep_partial(home.path()).unwrap().is_empty());
    assert!(sweep_partial(&home.path().join("nowhere")).unwrap().is_empty());
}

#[test]
fn a_sweep_that_fails_half_way_is_finished_by_the_next() {
    let swept = tempfile::tempdir().unwrap();
    leave_behind(swept.path());
    sweep_partial(swept.path()).unwrap();
    for fault in ["*=eio@{n}", "*=eio@{n}+"] {
        for n in 1.. {
            let home = tempfile::tempdir().unwrap();
            leave_behind(home.path());
            let armed = arm(&fault.replace("{n}", &n.to_string()), Scope::Thread).unwrap();
            let answer = sweep_partial(home.path());
            let fired = armed.fired() > 0;
            drop(armed);
            assert_eq!(answer.is_err(), fired, "{fault} {n}");
            sweep_partial(home.path()).unwrap();
            assert_eq!(tree(home.path()), tree(swept.path()), "{fault} {n}");
            if !fired {
                assert!(n > 12, "only {n} calls");
                break;
            }
        }
    }
}

#[test]
fn what_the_living_own_is_not_swept() {
    let home = tempfile::tempdir().unwrap();
    let mut file = AtomicFile::create(&home.path().join("file")).unwrap();
    let folder = PartialFolder::begin(&home.path().join("folder")).unwrap();
    let mut inside = folder.create_file("inside").unwrap();
    inside.write_all(b"still writing").unwrap();
    let before = tree(home.path());
    assert!(sweep_partial(home.path()).unwrap().is_empty());
    assert_eq!(tree(home.path()), before);
    file.write_all(b"whole").unwrap();
    file.commit().unwrap();
    inside.finish().unwrap();
    folder.commit().unwrap();
    assert_eq!(
        tree(home.path()).keys().collect::<Vec<_>>(),
        ["file", "folder", "folder/inside"]
    );
}

#[test]
fn a_sweep_follows_no_link() {
    let home = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "x").unwrap();
    fs::create_dir(home.path().join("a.partial-1-0")).unwrap();
    symlink(outside.path(), home.path().join("a.partial-1-0/link")).unwrap();
    symlink(outside.path(), home.path().join("b.partial-1-0")).unwrap();
    assert_eq!(sweep_partial(home.path()).unwrap().len(), 2);
    assert!(tree(home.path()).is_empty());
    assert!(outside.path().join("precious").exists());
}

#[test]
fn sweepers_and_writers_at_once_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = home.path().join(format!("file-{writer}"));
            let folder = home.path().join(format!("folder-{writer}"));
            scope.spawn(move || {
                for round in 0..60_u8 {
                    write_atomic(&path, &[round]).unwrap();
                    let partial = PartialFolder::begin(&folder).unwrap();
                    let mut file = partial.create_file("file").unwrap();
                    file.write_all(&[round]).unwrap();
                    file.finish().unwrap();
                    partial.commit_replacing().unwrap();
                    assert_eq!(fs::read(folder.join("file")).unwrap(), [round]);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| (0..300).for_each(|_| drop(sweep_partial(home.path()).unwrap())));
        }
    });
    sweep_partial(home.path()).unwrap();
    assert_eq!(tree(home.path()).len(), 4 + 2 * 4);
}

#[test]
fn what_is_dropped_was_never_there() {
    let home = tempfile::tempdir().unwrap();
    let mut file = AtomicFile::create(&home.path().join("file")).unwrap();
    file.write_all(b"half").unwrap();
    let folder = PartialFolder::begin(&home.path().join("folder")).unwrap();
    folder.create_file("a/b").unwrap().finish().unwrap();
    drop((file, folder));
    assert!(tree(home.path()).is_empty());
}

#[test]
fn a_folder_is_not_committed_over_what_is_there_or_half_finished() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("folder");
    let begin = || PartialFolder::begin(&path).unwrap();

    let folder = begin();
    let file = folder.create_file("open").unwrap();
    let error = folder.commit().unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("folder/open` was not finished, so its folder cannot be"),
        "{error}"
    );
    drop(file);

    begin().commit().unwrap();
    let error = begin().commit().unwrap_err();
    assert_eq!(
        (error.class(), error.to_string().contains("exists already")),
        (Class::Usage, true)
    );
    let armed = arm("file.rename=unsupported", Scope::Thread).unwrap();
    assert!(
        begin()
            .commit()
            .unwrap_err()
            .to_string()
            .contains("exists already")
    );
    drop(armed);
    begin().commit_replacing().unwrap();

    fs::remove_dir(&path).unwrap();
    fs::write(&path, "a file").unwrap();
    let error = begin().commit_replacing().unwrap_err();
    assert!(error.to_string().contains("is not a folder"), "{error}");
    assert_eq!(tree(home.path()).len(), 1);
}

#[test]
fn a_file_that_failed_once_never_finishes() {
    let home = tempfile::tempdir().unwrap();
    let folder = PartialFolder::begin(&home.path().join("folder")).unwrap();
    let mut file = folder.create_file("file").unwrap();
    let armed = arm("file.write=enospc@1", Scope::Thread).unwrap();
    assert!(file.write_all(&vec![0; 500_000]).is_err());
    drop(armed);
    assert!(
        file.write_all(b"more")
            .unwrap_err()
            .to_string()
            .contains("an earlier write failed")
    );
    assert!(file.finish().is_err());
    assert!(folder.commit().is_err());
    assert!(tree(home.path()).is_empty());
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = PartialFolder::begin(&home.path().join("folder")).unwrap();
    for name in [
        "",
        "/etc/passwd",
        "../up",
        "a/../../up",
        "a//b",
        "./a",
        "a/",
        "a/.",
    ] {
        assert_eq!(
            folder.create_file(name).unwrap_err().class(),
            Class::Usage,
            "{name}"
        );
    }
    folder.create_file("a/b").unwrap().finish().unwrap();
    assert!(folder.create_file("a/b").is_err());
}

#[test]
fn files_written_around_the_folder_are_synced_with_it() {
    let home = tempfile::tempdir().unwrap();
    let folder = PartialFolder::begin(&home.path().join("folder")).unwrap();
    fs::write(folder.path().join("by another hand"), "x").unwrap();
    let armed = arm("file.sync=eio@1", Scope::Thread).unwrap();
    assert!(folder.commit().is_err());
    assert_eq!(armed.fired(), 1);
}

#[test]
fn the_table_has_a_name_for_each_protocol() {
    let mut names: Vec<&str> = ALL.iter().map(|protocol| protocol.name).collect();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
}
