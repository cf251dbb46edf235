//! Logs whose end was torn, and what a log refuses.

use std::fs;

use crate::durable::AppendLog;
use crate::error::Class;
use crate::fail::{Scope, arm};

#[test]
fn an_end_torn_anywhere_is_moved_aside_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("metrics.ndjson");
    let torn = home.path().join("metrics.ndjson.torn");
    let whole = b"{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n";
    for cut in 0..=whole.len() {
        for zeros in [0, 1, 5000] {
            let _ = fs::remove_file(&torn);
            let damaged = [&whole[..cut], &vec![0; zeros]].concat();
            fs::write(&path, &damaged).unwrap();
            let mut log = AppendLog::open(&path).unwrap();
            let kept = &whole[..cut - cut % 11];
            assert_eq!(fs::read(&path).unwrap(), kept);
            assert_eq!(log.torn_bytes(), (damaged.len() - kept.len()) as u64);
            let moved = fs::read(&torn).unwrap_or_default();
            assert_eq!(
                moved.strip_suffix(b"\n").unwrap_or_default(),
                &damaged[kept.len()..]
            );
            log.append(b"{\"step\":9}\n").unwrap();
            assert_eq!(fs::read(&path).unwrap(), [kept, b"{\"step\":9}\n"].concat());
        }
    }
}

#[test]
fn a_torn_end_longer_than_one_look_is_found_too() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("log");
    for (kept, torn) in [(300_000, 5_000_000), (0, 200_000), (65_536, 65_536), (65_535, 1)] {
        let mut content = vec![b'x'; kept];
        if let Some(last) = content.last_mut() {
            *last = b'\n';
        }
        content.resize(kept + torn, b'y');
        fs::write(&path, &content).unwrap();
        assert_eq!(AppendLog::open(&path).unwrap().torn_bytes(), torn as u64);
        assert_eq!(fs::metadata(&path).unwrap().len(), kept as u64);
    }
}

#[test]
fn a_last_line_of_zeros_with_a_newline_is_torn_as_well() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("log");
    fs::write(&path, b"good\n\0\0\0\n\0\0more\n").unwrap();
    assert_eq!(AppendLog::open(&path).unwrap().torn_bytes(), 11);
    assert_eq!(fs::read(&path).unwrap(), b"good\n");
    fs::write(&path, b"\0\0\n").unwrap();
    AppendLog::open(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn one_log_has_one_writer() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("log");
    let first = AppendLog::open(&path).unwrap();
    assert_eq!(AppendLog::open(&path).unwrap_err().class(), Class::Locked);
    drop(first);
    AppendLog::open(&path).unwrap();
}

#[test]
fn half_a_line_is_refused_and_no_lines_are_fine() {
    let home = tempfile::tempdir().unwrap();
    let mut log = AppendLog::open(&home.path().join("log")).unwrap();
    assert_eq!(log.append(b"one\ntwo").unwrap_err().class(), Class::Usage);
    log.append(b"").unwrap();
    log.append(b"one\ntwo\n").unwrap();
    log.sync().unwrap();
    assert_eq!(fs::read(home.path().join("log")).unwrap(), b"one\ntwo\n");
}

#[test]
fn a_batch_that_fails_half_way_is_taken_back() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("log");
    let mut log = AppendLog::open(&path).unwrap();
    log.append(b"one\n").unwrap();
    let armed = arm("file.write=short@1,file.write=enospc@2", Scope::Thread).unwrap();
    assert_eq!(log.append(b"two\nthree\n").unwrap_err().class(), Class::DiskFull);
    drop(armed);
    assert_eq!(fs::read(&path).unwrap(), b"one\n");
    log.append(b"four\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one\nfour\n");
    let armed = arm(
        "file.write=short@1,file.write=eio@2,file.truncate=eio",
        Scope::Thread,
    )
    .unwrap();
    assert!(log.append(b"five\nsix\n").is_err());
    drop(armed);
    assert!(
        log.append(b"seven\n")
            .unwrap_err()
            .to_string()
            .contains("an earlier write failed")
    );
    assert!(log.sync().is_err());
}
