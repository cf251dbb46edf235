//! A power cut after every system call.
//!
//! The calls of one run are recorded and replayed on the model; every state in which the disk can be found is laid out in a
//! folder and recovered from.

use std::fs;

use super::disk::Disk;
use super::protocols::{ALL, fresh_home};
use crate::record::{Event, record};

#[test]
fn a_power_cut_after_any_call_leaves_the_old_or_the_new() {
    let mut states = 0;
    for protocol in &ALL {
        let ends = protocol.ends();
        let folder = fresh_home();
        let home = folder.path().canonicalize().unwrap();
        (protocol.prepare)(&home);
        let mut disk = Disk::read(&home);
        let (answer, events) = record(&home, || (protocol.run)(&home));
        answer.unwrap();
        for made in 0..=events.len() {
            let done = made == events.len() && protocol.name != "a lock";
            for cut in disk.cuts(40, protocol.name) {
                let found = fresh_home();
                disk.state(&cut).lay_out(found.path());
                let fault = format!("cut after {made} calls, {cut:?}");
                protocol.check(found.path(), &ends, done, &fault);
                states += 1;
            }
            if let Some(event) = events.get(made) {
                disk.replay(event);
            }
        }
    }
    assert!(states > 1_000, "only {states} states were met");
}

#[test]
fn the_model_finds_a_writer_that_forgets_to_sync() {
    let folder = fresh_home();
    let home = folder.path().canonicalize().unwrap();
    fs::write(home.join("file"), "old").unwrap();
    let mut disk = Disk::read(&home);
    for event in [
        Event::Create("partial".into()),
        Event::Write("partial".into(), b"new!".to_vec()),
        Event::Rename("partial".into(), "file".into()),
    ] {
        disk.replay(&event);
    }
    let contents: Vec<Vec<u8>> = disk
        .cuts(0, "")
        .iter()
        .map(|cut| {
            let found = fresh_home();
            disk.state(cut).lay_out(found.path());
            fs::read(found.path().join("file")).unwrap()
        })
        .collect();
    assert_eq!(contents.len(), 2 * 4 * 2);
    for wanted in [&b"old"[..], b"", b"ne", b"\0\0\0\0", b"new!"] {
        assert!(contents.iter().any(|content| content == wanted), "{wanted:?}");
    }
}
