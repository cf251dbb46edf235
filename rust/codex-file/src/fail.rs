//! Fail points: the places at which a test can make the disk, or the process, fail.
//!
//! Every system call of this crate that changes the disk passes a point first; other crates add their own with [`point`].
//! What happens there is a list of rules, `<point>=<action>[@n[+]]`, separated by commas:
//!
//! - the point is a name such as `file.rename`, or `*` for all;
//! - the action is `kill` (SIGKILL to this process), `eio`, `enospc`, `unsupported` (the call answers that error),
//!   `short` (a write takes only half of its bytes) or `sync-fails` (an fsync answers EIO);
//! - with `@n` it happens the n-th time the rule is passed, with `@n+` from then on, without either every time. `short` is
//!   passed by writes only and `sync-fails` by syncs only.
//!
//! Rules come from the environment variable `CODEX_FAIL_POINTS`, read once, or from [`arm`]. Where there are none, a point
//! costs one relaxed atomic load.

use std::io;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use rustix::io::Errno;

use crate::error::{Error, Result};

/// The environment variable that holds the rules of a process.
pub const VARIABLE: &str = "CODEX_FAIL_POINTS";

/// Every point of this crate.
pub const POINTS: [&str; 11] = [
    "file.create",
    "file.lock",
    "file.write",
    "file.truncate",
    "file.sync",
    "file.make-folder",
    "file.sync-folder",
    "file.rename",
    "file.swap",
    "file.remove",
    "file.remove-folder",
];

/// Whose system calls fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Those of the thread that arms.
    Thread,
    /// Those of every thread.
    Process,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Action {
    Kill,
    Fail(Errno),
    Short,
    SyncFails,
}

#[derive(Debug)]
struct Rule {
    point: String,
    action: Action,
    /// The first and the last pass at which it fires.
    at: RangeInclusive<u64>,
    passed: u64,
}

#[derive(Debug)]
struct Plan {
    id: u64,
    thread: Option<ThreadId>,
    rules: Vec<Rule>,
    fired: u64,
}

const UNREAD: u8 = 0;
const OFF: u8 = 1;
const ON: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(UNREAD);
static PLANS: Mutex<Vec<Plan>> = Mutex::new(Vec::new());
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Rules in force until this is dropped.
#[derive(Debug)]
#[must_use = "the rules end when this is dropped"]
pub struct Armed(u64);

impl Armed {
    /// How often one of the rules has fired.
    #[must_use]
    pub fn fired(&self) -> u64 {
        plans()
            .iter()
            .find(|plan| plan.id == self.0)
            .map_or(0, |plan| plan.fired)
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        let mut plans = plans();
        plans.retain(|plan| plan.id != self.0);
        STATE.store(if plans.is_empty() { OFF } else { ON }, Ordering::Relaxed);
    }
}

/// Puts `rules` in force.
///
/// # Errors
/// [`Class::Usage`](crate::Class::Usage) for a rule that cannot be read.
///
/// ```
/// use codex_file::{durable::write_atomic, fail};
///
/// let home = tempfile::tempdir()?;
/// let path = home.path().join("note.txt");
/// write_atomic(&path, b"old")?;
/// let armed = fail::arm("file.write=enospc@1", fail::Scope::Thread)?;
/// assert!(write_atomic(&path, b"new").is_err());
/// assert_eq!((std::fs::read(&path)?, armed.fired()), (b"old".to_vec(), 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn arm(rules: &str, scope: Scope) -> Result<Armed> {
    let rules = parse(rules)?;
    let thread = (scope == Scope::Thread).then(|| thread::current().id());
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    is_on(); // the environment's rules are read first
    plans().push(Plan {
        id,
        thread,
        rules,
        fired: 0,
    });
    STATE.store(ON, Ordering::Relaxed);
    Ok(Armed(id))
}

/// Passes the point `name`: does nothing unless a rule says otherwise.
///
/// # Errors
/// What the rule says.
#[inline]
pub fn point(name: &str) -> io::Result<()> {
    if is_on() {
        pass(name, Kind::Other).map(|_| ())
    } else {
        Ok(())
    }
}

/// The point before a write: whether it may take all of its bytes.
#[inline]
pub(crate) fn write_point(name: &str) -> io::Result<bool> {
    if is_on() {
        pass(name, Kind::Write)
    } else {
        Ok(true)
    }
}

/// The point before a sync.
#[inline]
pub(crate) fn sync_point(name: &str) -> io::Result<()> {
    if is_on() {
        pass(name, Kind::Sync).map(|_| ())
    } else {
        Ok(())
    }
}

/// What stands behind a point.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Write,
    Sync,
    Other,
}

#[inline]
fn is_on() -> bool {
    match STATE.load(Ordering::Relaxed) {
        OFF => false,
        ON => true,
        _ => read_environment(),
    }
}

#[cold]
fn read_environment() -> bool {
    let mut plans = plans();
    if STATE.load(Ordering::Relaxed) == UNREAD {
        if let Ok(text) = std::env::var(VARIABLE) {
            // A test that misspells its rule must not pass: whatever cannot be read stops everything.
            let rules = parse(&text).unwrap_or_else(|error| panic!("{VARIABLE}: {error}"));
            plans.push(Plan {
                id: 0,
                thread: None,
                rules,
                fired: 0,
            });
        }
        STATE.store(if plans.is_empty() { OFF } else { ON }, Ordering::Relaxed);
    }
    !plans.is_empty()
}

/// Passes a point under all plans; says whether a write may take all of its bytes.
#[cold]
fn pass(name: &str, kind: Kind) -> io::Result<bool> {
    let here = thread::current().id();
    let mut whole = true;
    for plan in plans()
        .iter_mut()
        .filter(|plan| plan.thread.is_none_or(|thread| thread == here))
    {
        for rule in &mut plan.rules {
            let meant = match rule.action {
                Action::Short => kind == Kind::Write,
                Action::SyncFails => kind == Kind::Sync,
                Action::Kill | Action::Fail(_) => true,
            };
            if !meant || (rule.point != "*" && rule.point != name) {
                continue;
            }
            rule.passed += 1;
            if !rule.at.contains(&rule.passed) {
                continue;
            }
            plan.fired += 1;
            match rule.action {
                Action::Kill => kill(),
                Action::Fail(errno) => return Err(errno.into()),
                Action::SyncFails => return Err(Errno::IO.into()),
                Action::Short => whole = false,
            }
        }
    }
    Ok(whole)
}

fn kill() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    // The signal is on its way; nothing may happen on the disk meanwhile.
    loop {
        thread::park();
    }
}

fn plans() -> MutexGuard<'static, Vec<Plan>> {
    PLANS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parse(text: &str) -> Result<Vec<Rule>> {
    text.split(',')
        .map(str::trim)
        .filter(|rule| !rule.is_empty())
        .map(parse_rule)
        .collect()
}

fn parse_rule(text: &str) -> Result<Rule> {
    let bad = || {
        Error::usage(format!(
            "`{text}` is not a fail point, expected `<point>=<action>[@n[+]]`"
        ))
        .with_hint("actions: kill, eio, enospc, unsupported, short, sync-fails")
    };
    let (point, action) = text.split_once('=').ok_or_else(bad)?;
    let (action, at) = match action.split_once('@') {
        None => (action, 1..=u64::MAX),
        Some((action, pass)) => {
            let first = pass.strip_suffix('+').unwrap_or(pass);
            let first = first.parse().ok().filter(|&first| first > 0).ok_or_else(bad)?;
            (action, first..=if pass.ends_with('+') { u64::MAX } else { first })
        }
    };
    let action = match action {
        "kill" => Action::Kill,
        "eio" => Action::Fail(Errno::IO),
        "enospc" => Action::Fail(Errno::NOSPC),
        "unsupported" => Action::Fail(Errno::INVAL),
        "short" => Action::Short,
        "sync-fails" => Action::SyncFails,
        _ => return Err(bad()),
    };
    if point.is_empty() {
        return Err(bad());
    }
    Ok(Rule {
        point: point.to_owned(),
        action,
        at,
        passed: 0,
    })
}

#[cfg(test)]
mod tests {
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
    fn a_rule_that_cannot_be_read_is_refused() {
        for text in [
            "a",
            "a=",
            "=eio",
            "a=eio@0",
            "a=eio@x",
            "a=explode",
            "a=eio@-1",
            "a=eio@+",
        ] {
            assert!(arm(text, Scope::Thread).is_err(), "{text}");
        }
    }
}
