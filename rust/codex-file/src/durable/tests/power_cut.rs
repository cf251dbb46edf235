//! A power cut after every system call.
//!
//! The calls of one run are recorded and replayed on the model; every state in which the disk can be found is laid out in a
//! folder and recovered from.

use std::fs;

use super::disk::{Content, Disk};
use super::protocols::{ALL, fresh_home};
use crate::system::trace::{Event, record};

#[test]
fn a_power_cut_after_any_call_leaves_the_old_or_the_new() {
    let mut states = 0;
    for protocol in &ALL {
        let ends = protocol.ends();
        let folder = fresh_home();
        let home = folder.path().canonicalize().unwrap();
        (protocol.prepare)(&home);
        let mut disk = Disk::read(&home);
        let mut events = record(|| (protocol.run)(&home).unwrap()).into_iter();
        loop {
            let event = events.next();
            let done = event.is_none() && protocol.name != "a lock";
            for selection in disk.selections() {
                for &content in disk.contents() {
                    let found = fresh_home();
                    disk.lay_out(selection, content, found.path());
                    let fault = format!("cut before {event:.60?}, names {selection:b}, content {content:?}");
                    protocol.check(found.path(), &ends, done, &fault);
                    states += 1;
                }
            }
            let Some(event) = event else { break };
            disk.replay(event, &home);
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
    let (partial, path) = (home.join("partial"), home.join("file"));
    for event in [
        Event::Create(partial.clone()),
        Event::Write(partial.clone(), b"new".to_vec()),
        Event::Rename(partial, path),
    ] {
        disk.replay(event, &home);
    }
    let found = fresh_home();
    disk.lay_out(0b11, Content::None, found.path());
    assert_eq!(fs::read(found.path().join("file")).unwrap(), b"");
    disk.lay_out(0b01, Content::All, found.path());
    assert_eq!(fs::read(found.path().join("file")).unwrap(), b"old");
}
