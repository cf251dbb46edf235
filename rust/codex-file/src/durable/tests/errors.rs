//! The first, the second, the third ... system call answers an error, until the work gets through.

use super::protocols::{ALL, fresh_home};
use crate::fail::{Scope, arm};

/// `once`: one call fails and the disk is well again. `on`: from that call on nothing works, clean-up included.
const FAULTS: [&str; 6] = [
    "*=eio@{n}",
    "*=enospc@{n}",
    "*=eio@{n}+",
    "*=enospc@{n}+",
    "*=sync-fails@{n}",
    "*=short@{n},*=enospc@{n}+",
];

#[test]
fn an_error_at_any_call_leaves_the_old_or_the_new_and_says_so() {
    let mut tried = 0;
    for protocol in &ALL {
        let ends = protocol.ends();
        for fault in FAULTS {
            for n in 1.. {
                let fault = fault.replace("{n}", &n.to_string());
                let home = fresh_home();
                (protocol.prepare)(home.path());
                let armed = arm(&fault, Scope::Thread).unwrap();
                let answer = (protocol.run)(home.path());
                let fired = armed.fired();
                drop(armed);
                protocol.check(home.path(), &ends, answer.is_ok(), &fault);
                if fired == 0 {
                    assert!(answer.is_ok(), "{}, {fault}", protocol.name);
                    break;
                }
                assert!(
                    answer.is_err() || !fault.contains("sync"),
                    "{}, {fault}: a sync failed unnoticed",
                    protocol.name
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "only {tried} faults were met");
}

#[test]
fn a_short_write_is_carried_on() {
    for protocol in &ALL {
        let ends = protocol.ends();
        for n in 1.. {
            let home = fresh_home();
            (protocol.prepare)(home.path());
            let armed = arm(&format!("*=short@{n}"), Scope::Thread).unwrap();
            (protocol.run)(home.path()).unwrap();
            if armed.fired() == 0 {
                break;
            }
            protocol.check(home.path(), &ends, true, &format!("short write {n}"));
        }
    }
}
