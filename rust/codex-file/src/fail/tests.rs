//! Rules that strike where they should, and nowhere else.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_rule_fires_at_its_pass_and_at_no_other() {
    let armed = arm("a=eio@2, b=enospc, d=eio@2+", Scope::Thread).unwrap();
    let passed: Vec<Option<i32>> = ["a", "a", "a", "b", "b", "c", "d", "d", "d"]
        .map(|name| point(name).err().and_then(|error| error.raw_os_error()))
        .into();
    assert_eq!(
        passed,
        [
            None,
            Some(5),
            None,
            Some(28),
            Some(28),
            None,
            None,
            Some(5),
            Some(5)
        ]
    );
    assert_eq!(armed.fired(), 5);
    drop(armed);
    assert!(point("b").is_ok());
}

#[test]
fn short_counts_writes_and_sync_fails_counts_syncs() {
    let _armed = arm("*=short@2,*=sync-fails@1", Scope::Thread).unwrap();
    assert!(point("x").is_ok());
    assert!(write_point("x").unwrap());
    assert!(!write_point("x").unwrap());
    assert!(sync_point("x").is_err());
    assert!(sync_point("x").is_ok());
}

#[test]
fn another_thread_is_left_alone() {
    let _armed = arm("*=eio", Scope::Thread).unwrap();
    assert!(point("x").is_err());
    assert!(thread::spawn(|| point("x").is_ok()).join().unwrap());
}

#[test]
fn a_call_made_within_a_place_has_two_names() {
    let armed = arm("a.model.write=eio", Scope::Thread).unwrap();
    let write = || write_point("file.write").is_err();
    assert!(!write());
    assert!(within("a.model", write));
    assert!(!within("a", || within("model", write)), "places do not add up");
    assert!(within("a.model", || {
        within("a", || ());
        write() && sync_point("file.sync").is_ok()
    }));
    assert!(!within("a.model", || thread::spawn(move || write_point(
        "file.write"
    )
    .is_err())
    .join()
    .unwrap()));
    drop(armed);
    let _armed = arm("file.write=eio", Scope::Thread).unwrap();
    assert!(within("a.model", write), "the call keeps its own name");
}

#[test]
fn the_list_of_points_is_the_one_the_calls_pass() {
    let source = include_str!("../system.rs");
    let passed: BTreeSet<&str> = source
        .split('"')
        .filter(|word| word.starts_with("file."))
        .collect();
    assert_eq!(passed, POINTS.into());
}
