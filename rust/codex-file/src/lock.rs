//! Locks that name their owner.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::durable::take;
use crate::error::{Error, Result, quoted};
use crate::system;

/// What the lock file may hold at most.
const NOTE_BYTES: u64 = 4096;

/// An advisory lock (`flock`) on a file that says who holds it, as `{"host":...,"pid":...}`.
///
/// It is released when the process that took it drops this, and when that process ends, however it ends; the file stays. Of
/// a process that was killed, those it has forked keep the lock until they are gone too.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
    owner: u32,
}

impl Lock {
    /// Takes the lock at `path`, creating the file if need be, without waiting.
    ///
    /// # Errors
    /// [`Class::Locked`](crate::Class::Locked), naming process and host, if it is taken.
    pub fn acquire(path: &Path) -> Result<Self> {
        let failed = |error| Error::io("lock", path, error);
        let mut file = system::open_or_create(path).map_err(failed)?;
        if !take(&file, path).map_err(failed)? {
            let mut note = String::new();
            // A note that cannot be read, or is being written just now, names no one; the lock is held all the same.
            let _ = (&mut file).take(NOTE_BYTES).read_to_string(&mut note);
            return Err(held(path, &note));
        }
        write_note(&file).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            owner: std::process::id(),
        })
    }

    /// Where the lock is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A fork holds the same lock through its own descriptor: closing ours would not end it, and its copy of this
        // must not end ours.
        if std::process::id() == self.owner {
            let _ = self.file.unlock();
        }
    }
}

fn write_note(file: &File) -> io::Result<()> {
    let note = json!({"host": host(), "pid": std::process::id()});
    system::truncate(file, 0)?;
    system::write_all(file, format!("{note}\n").as_bytes())
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn held(path: &Path, note: &str) -> Error {
    let note: Value = serde_json::from_str(note).unwrap_or_default();
    let (Some(pid), Some(host_of_owner)) = (note["pid"].as_u64(), note["host"].as_str()) else {
        return Error::locked(format!("{} is held by another process", quoted(path)));
    };
    let owner = host_of_owner.escape_debug();
    let error = Error::locked(format!("{} is held by process {pid} on {owner}", quoted(path)));
    if host_of_owner == host() && !is_alive(pid) {
        return error.with_hint(format!(
            "process {pid} has ended, but one that it started holds the lock still"
        ));
    }
    error.with_hint("wait until it ends, or stop it")
}

fn is_alive(pid: u64) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;

    #[test]
    fn a_held_lock_names_its_owner_and_a_dropped_one_is_free() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run.lock");
        let lock = Lock::acquire(&path).unwrap();
        let error = Lock::acquire(&path).unwrap_err();
        assert_eq!(error.class(), Class::Locked);
        let (pid, host) = (std::process::id(), host());
        assert_eq!(
            error.to_string(),
            format!("{} is held by process {pid} on {host}", quoted(&path))
        );
        assert_eq!(lock.path(), path);
        drop(lock);
        Lock::acquire(&path).unwrap();
    }

    #[test]
    fn a_descriptor_that_a_fork_carries_on_does_not_hold_a_dropped_lock() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run.lock");
        let lock = Lock::acquire(&path).unwrap();
        let inherited = lock.file.try_clone().unwrap();
        drop(lock);
        let lock = Lock::acquire(&path).unwrap();
        // What a fork drops was never its own.
        drop(Lock {
            path: path.clone(),
            file: lock.file.try_clone().unwrap(),
            owner: lock.owner + 1,
        });
        assert_eq!(Lock::acquire(&path).unwrap_err().class(), Class::Locked);
        drop(inherited);
    }

    #[test]
    fn the_note_of_a_dead_owner_does_not_hold_a_lock() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run.lock");
        std::fs::write(
            &path,
            r#"{"host":"elsewhere","pid":123456789,"more":"than the new note is long"}"#,
        )
        .unwrap();
        let _lock = Lock::acquire(&path).unwrap();
        let note: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(note["pid"], std::process::id());
    }

    #[test]
    fn whatever_the_note_says_a_held_lock_is_held() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run.lock");
        let _lock = Lock::acquire(&path).unwrap();
        for (note, says) in [
            ("", "is held by another process"),
            ("not json", "is held by another process"),
            (
                r#"{"pid":1,"host":"\u001b[31m"}"#,
                r"is held by process 1 on \u{1b}[31m",
            ),
        ] {
            std::fs::write(&path, note).unwrap();
            let error = Lock::acquire(&path).unwrap_err();
            assert!(error.to_string().ends_with(says), "{error}");
        }
        std::fs::write(&path, json!({"pid": i32::MAX, "host": host()}).to_string()).unwrap();
        let hint = Lock::acquire(&path).unwrap_err().hint().unwrap();
        assert!(
            hint.contains("one that it started holds the lock still"),
            "{hint}"
        );
    }

    #[test]
    fn a_lock_in_a_folder_that_is_not_there_is_refused() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(
            Lock::acquire(&home.path().join("no/lock")).unwrap_err().class(),
            Class::Missing
        );
    }
}
