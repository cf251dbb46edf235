//! SIGKILL before the first, the second, the third ... system call, until the work gets through.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::protocols::{ALL, fresh_home};
use crate::fail::VARIABLE;

const PROTOCOL: &str = "CODEX_TEST_PROTOCOL";
const HOME: &str = "CODEX_TEST_HOME";

#[test]
#[ignore = "the process that `a_kill_at_any_call_leaves_the_old_or_the_new` starts and kills"]
fn child() {
    let name = std::env::var(PROTOCOL).unwrap();
    let home = std::env::var(HOME).unwrap();
    let protocol = ALL.iter().find(|protocol| protocol.name == name).unwrap();
    (protocol.run)(Path::new(&home)).unwrap();
}

#[test]
fn a_kill_at_any_call_leaves_the_old_or_the_new() {
    let mut kills = 0;
    for protocol in &ALL {
        let ends = protocol.ends();
        for n in 1.. {
            let home = fresh_home();
            (protocol.prepare)(home.path());
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "durable::tests::kill::child", "--ignored"])
                .env(VARIABLE, format!("*=kill@{n}"))
                .env(PROTOCOL, protocol.name)
                .env(HOME, home.path())
                .stdout(Stdio::null())
                .status()
                .unwrap();
            protocol.check(home.path(), &ends, status.success(), &format!("kill {n}"));
            if status.success() {
                break;
            }
            assert_eq!(status.signal(), Some(9), "{}, kill {n}", protocol.name);
            kills += 1;
        }
    }
    assert!(kills > 60, "only {kills} kills were met");
}
