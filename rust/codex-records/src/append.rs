//! Lines added to a file that may be read at the same time, as safe as is asked, from any number of threads.

use codex_file::durable::AppendLog;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::{Error, MAXIMUM_LINE_BYTES, Result};

/// So much waits in memory where no more is asked.
const BUFFER_BYTES: usize = 64 << 10;

/// What a line that was appended survives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Durability {
    /// Nothing before 64 KiB have come together, or it is flushed.
    None,
    /// The end of the process, however it ends.
    Flush,
    /// A power cut: it is on the disk.
    Durable,
}

/// Appends whole lines to one file, the only one to write it; see [`AppendLog`] for what its end survives.
///
/// Threads that append durably at the same time share one sync: the first writes for all who have come meanwhile.
#[derive(Debug)]
pub struct Appender {
    durability: Durability,
    rotate_bytes: u64,
    torn: Option<(PathBuf, u64)>,
    state: Mutex<State>,
    /// Told whenever the log has come back.
    done: Condvar,
}

#[derive(Debug)]
struct State {
    place: Place,
    pending: Vec<u8>,
    batch: Arc<Batch>,
}

#[derive(Debug)]
enum Place {
    Here(AppendLog),
    /// With the thread that writes for all.
    Away,
    Closed,
}

/// What became of lines that were written together.
#[derive(Debug, Default)]
struct Batch(OnceLock<Option<Arc<Error>>>);

impl Appender {
    /// Opens or creates the file at `path` and mends its end.
    ///
    /// With `rotate_bytes`, a file that would grow beyond it is first given a name of its own; a batch is never divided.
    ///
    /// # Errors
    /// If another process writes it, or the disk refuses.
    pub fn open(path: &Path, durability: Durability, rotate_bytes: Option<u64>) -> Result<Self> {
        let log = AppendLog::open(path)?;
        let torn = (log.torn_bytes() > 0).then(|| (log.torn_path(), log.torn_bytes()));
        let state = State {
            place: Place::Here(log),
            pending: Vec::new(),
            batch: Arc::default(),
        };
        Ok(Self {
            durability,
            rotate_bytes: rotate_bytes.unwrap_or(u64::MAX),
            torn,
            state: Mutex::new(state),
            done: Condvar::new(),
        })
    }

    /// Where the torn end went that was found on opening, and how long it was.
    #[must_use]
    pub fn torn(&self) -> Option<&(PathBuf, u64)> {
        self.torn.as_ref()
    }

    /// Whether an append waits for the disk.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.durability == Durability::Durable
    }

    /// Adds `lines`, each ending in a newline: all of them or, if this fails, none.
    ///
    /// # Errors
    /// If a line is longer than [`MAXIMUM_LINE_BYTES`], or the disk refuses. With [`Durability::None`] the disk may refuse
    /// later, what is written then included.
    pub fn append(&self, lines: &[u8]) -> Result<()> {
        if lines.len() > MAXIMUM_LINE_BYTES {
            refuse_long_lines(lines)?;
        }
        match self.durability {
            Durability::None => {
                let mut state = self.lock();
                state.check()?;
                state.pending.extend_from_slice(lines);
                if state.pending.len() >= BUFFER_BYTES {
                    self.write_pending(&mut state)?;
                }
                Ok(())
            }
            Durability::Flush => {
                let mut state = self.lock();
                let rotate_bytes = self.rotate_bytes;
                write(state.log()?, lines, rotate_bytes)
            }
            Durability::Durable => self.append_with_others(lines),
        }
    }

    /// Hands over to the system what waits in memory: it then survives the end of the process.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn flush(&self) -> Result<()> {
        let mut state = self.lock_at_home();
        state.check()?;
        self.write_pending(&mut state)
    }

    /// Waits until every line is on the disk.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn sync(&self) -> Result<()> {
        let mut state = self.lock_at_home();
        state.check()?;
        self.write_pending(&mut state)?;
        Ok(state.log()?.sync()?)
    }

    /// Flushes and lets others write the file; a second time does nothing.
    ///
    /// # Errors
    /// If the disk refuses; the file is closed all the same.
    pub fn close(&self) -> Result<()> {
        let mut state = self.lock_at_home();
        let flushed = match state.place {
            Place::Closed => Ok(()),
            _ => self.write_pending(&mut state),
        };
        state.place = Place::Closed;
        flushed
    }

    fn write_pending(&self, state: &mut State) -> Result<()> {
        let mut lines = std::mem::take(&mut state.pending);
        let written = write(state.log()?, &lines, self.rotate_bytes);
        lines.clear();
        state.pending = lines;
        written
    }

    fn append_with_others(&self, lines: &[u8]) -> Result<()> {
        let mut state = self.lock();
        state.check()?;
        state.pending.extend_from_slice(lines);
        let batch = Arc::clone(&state.batch);
        loop {
            if let Some(outcome) = batch.0.get() {
                return outcome.as_ref().map_or(Ok(()), |error| Err(Error::shared(error)));
            }
            state = match std::mem::replace(&mut state.place, Place::Away) {
                Place::Here(log) => self.lead(state, log),
                elsewhere => {
                    state.place = elsewhere;
                    self.wait(state)
                }
            };
        }
    }

    /// Writes what all have added so far.
    fn lead<'a>(&'a self, mut state: MutexGuard<'a, State>, mut log: AppendLog) -> MutexGuard<'a, State> {
        let lines = std::mem::take(&mut state.pending);
        let batch = std::mem::take(&mut state.batch);
        drop(state);
        let written =
            write(&mut log, &lines, self.rotate_bytes).and_then(|()| log.sync().map_err(Error::from));
        let mut state = self.lock();
        state.place = Place::Here(log);
        let _ = batch.0.set(written.err().map(Arc::new));
        self.done.notify_all();
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state once no thread has the log.
    fn lock_at_home(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while matches!(state.place, Place::Away) {
            state = self.wait(state);
        }
        state
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.done.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<()> {
        match self.place {
            Place::Closed => Err(Error::closed("writer")),
            _ => Ok(()),
        }
    }

    fn log(&mut self) -> Result<&mut AppendLog> {
        match &mut self.place {
            Place::Here(log) => Ok(log),
            _ => Err(Error::closed("writer")),
        }
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        // Whoever wants to know whether it went well closes.
        let _ = self.close();
    }
}

fn write(log: &mut AppendLog, lines: &[u8], rotate_bytes: u64) -> Result<()> {
    let would_be = log.bytes().saturating_add(lines.len() as u64);
    if would_be > rotate_bytes && log.bytes() > 0 && !lines.is_empty() {
        log.rotate()?;
    }
    Ok(log.append(lines)?)
}

fn refuse_long_lines(lines: &[u8]) -> Result<()> {
    for line in lines.split(|byte| *byte == b'\n') {
        if line.len() >= MAXIMUM_LINE_BYTES {
            return Err(Error::long_line(line.len() + 1));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use codex_file::record::{Event, record};
    use std::fs;
    use tempfile::TempDir;

    fn open(path: &Path, durability: Durability, rotate_bytes: Option<u64>) -> Appender {
        Appender::open(path, durability, rotate_bytes).expect("the folder is writable")
    }

    #[test]
    fn each_level_keeps_what_it_says() {
        let folder = TempDir::new().expect("a folder");
        for (durability, kept) in [
            (Durability::None, 0),
            (Durability::Flush, 2),
            (Durability::Durable, 2),
        ] {
            let path = folder.path().join(format!("{durability:?}"));
            let appender = open(&path, durability, None);
            let home = folder.path().canonicalize().expect("a folder");
            let ((), events) = record(&home, || {
                appender.append(b"1\n").expect("there is room");
                appender.append(b"2\n").expect("there is room");
            });
            let synced = events
                .iter()
                .filter(|event| matches!(event, Event::Sync(_)))
                .count();
            assert_eq!(synced, if appender.waits() { 2 } else { 0 });
            assert_eq!(fs::read(&path).expect("it is there").len(), 2 * kept);
            appender.sync().expect("there is room");
            assert_eq!(fs::read(&path).expect("it is there"), b"1\n2\n");
            appender.close().expect("there is room");
            appender.close().expect("nothing is left to do");
            let error = appender.append(b"3\n").expect_err("closed");
            assert_eq!(error.class(), codex_file::Class::Usage);
        }
    }

    #[test]
    fn what_waits_is_written_at_the_end() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("lines");
        let appender = open(&path, Durability::None, None);
        let line = [b"x".repeat(999), b"\n".to_vec()].concat();
        for _ in 0..100 {
            appender.append(&line).expect("there is room");
        }
        assert_eq!(fs::metadata(&path).expect("it is there").len(), 66_000);
        drop(appender);
        assert_eq!(fs::metadata(&path).expect("it is there").len(), 100_000);
    }

    #[test]
    fn threads_that_wait_for_the_disk_share_a_sync_and_lose_nothing() {
        let folder = TempDir::new().expect("a folder");
        let home = folder.path().canonicalize().expect("a folder");
        let path = home.join("lines");
        let appender = open(&path, Durability::Durable, Some(2000));
        let appender = &appender;
        let ((), events) = record(&home, || {
            std::thread::scope(|scope| {
                for thread in 0..8 {
                    scope.spawn(move || {
                        for number in 0..50 {
                            let lines = format!("{thread} {number}\n{thread} {number} again\n");
                            appender.append(lines.as_bytes()).expect("there is room");
                        }
                    });
                }
            });
        });
        let syncs = events
            .iter()
            .filter(|event| matches!(event, Event::Sync(_)))
            .count();
        assert!(syncs < 400, "{syncs} syncs for 400 batches");
        let mut names: Vec<PathBuf> = fs::read_dir(&home)
            .expect("a folder")
            .map(|entry| entry.expect("a file").path())
            .collect();
        names.sort();
        assert!(names.len() > 2, "{names:?}");
        // `lines` sorts first and is the newest.
        names.rotate_left(1);
        let lines: Vec<String> = names
            .iter()
            .flat_map(|name| {
                let text = fs::read_to_string(name).expect("it is there");
                assert!(text.len() <= 2000 && text.ends_with('\n'));
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        for thread in 0..8 {
            let own: Vec<&String> = lines
                .iter()
                .filter(|line| line.starts_with(&format!("{thread} ")))
                .collect();
            let wanted: Vec<String> = (0..50)
                .flat_map(|number| [format!("{thread} {number}"), format!("{thread} {number} again")])
                .collect();
            assert_eq!(own, wanted.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_full_disk_is_told_to_all_who_shared_the_batch_and_the_next_goes_through() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("lines");
        let appender = open(&path, Durability::Durable, None);
        appender.append(b"one\n").expect("there is room");
        let armed =
            codex_file::fail::arm("file.write=enospc@1", codex_file::fail::Scope::Thread).expect("a rule");
        let error = appender.append(b"two\n").expect_err("a full disk");
        drop(armed);
        assert_eq!(error.class(), codex_file::Class::DiskFull);
        appender.append(b"three\n").expect("there is room again");
        assert_eq!(fs::read(&path).expect("it is there"), b"one\nthree\n");
    }

    #[test]
    fn a_torn_end_is_named() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("lines");
        fs::write(&path, b"one\ntw").expect("the folder is writable");
        let appender = open(&path, Durability::Flush, None);
        assert_eq!(appender.torn(), Some(&(folder.path().join("lines.torn"), 2)));
        drop(appender);
        assert_eq!(open(&path, Durability::Flush, None).torn(), None);
    }
}
