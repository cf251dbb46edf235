//! Fail points: the places at which a test can make the disk, or the process, fail.
//!
//! Every system call of this crate that changes the disk passes a point first; other crates add their own with [`point`].
//! What happens there is a list of rules, `<point>=<action>[@n[+]]`, separated by commas:
//!
//! - the point is a name such as `file.rename`, or `*` for all; inside [`within`]`("checkpoint.model", ..)` the same call is
//!   `checkpoint.model.rename` too;
//! - the action is `kill` (SIGKILL to this process), `eio`, `enospc`, `unsupported` (the call answers that error),
//!   `short` (a write takes only half of its bytes) or `sync-fails` (an fsync answers EIO);
//! - with `@n` it happens the n-th time the rule is passed, with `@n+` from then on, without either every time. `short` is
//!   passed by writes only and `sync-fails` by syncs only.
//!
//! Rules come from the environment variable `CODEX_FAIL_POINTS`, read once, or from [`arm`]. Where there are none, a point
//! costs one relaxed atomic load.

mod rules;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use rustix::io::Errno;

use self::rules::{Action, Kind, Rule, parse};
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

thread_local! {
    /// What the calls of this thread are made for; empty if nobody said.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

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

/// Runs `work`, whose points are also those of `place`: `file.write` is `<place>.write` as well.
///
/// It holds for this thread only; a thread started by `work` says its own.
pub fn within<T>(place: &str, work: impl FnOnce() -> T) -> T {
    let before = PLACE.replace(place.to_owned());
    let answer = work();
    PLACE.set(before);
    answer
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
            // A test that misspells its rule must not pass.
            let rules = parse(&text).unwrap_or_else(|_| vec![Rule::misread()]);
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
    let place = PLACE.with_borrow(String::clone);
    let mut whole = true;
    for plan in plans()
        .iter_mut()
        .filter(|plan| plan.thread.is_none_or(|thread| thread == here))
    {
        for rule in &mut plan.rules {
            let Some(action) = rule.strikes(name, &place, kind) else {
                continue;
            };
            plan.fired += 1;
            match action {
                Action::Kill => kill(),
                Action::Fail(errno) => return Err(errno.into()),
                Action::SyncFails => return Err(Errno::IO.into()),
                Action::Short => whole = false,
                Action::Misread => return Err(misread().into()),
            }
        }
    }
    Ok(whole)
}

fn misread() -> Error {
    let reason = parse(&std::env::var(VARIABLE).unwrap_or_default())
        .err()
        .map(|error| format!(": {error}"));
    Error::usage(format!(
        "`{VARIABLE}` cannot be read{}",
        reason.unwrap_or_default()
    ))
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
