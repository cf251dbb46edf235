//! Block after block of a file, taken apart by several threads, in order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Rules;
use crate::blocks::{MARK, utf8};
use crate::{BadLine, Block, Blocks, Error, Fault, Line, MAXIMUM_LINE_BYTES, Result};

/// What is taken of each line.
pub trait Take: Default + Send + 'static {
    /// What it has to know for that.
    type Plan: Send + Sync + 'static;

    /// Lets go of all rows.
    fn clear(&mut self);

    /// How many rows it holds.
    fn rows(&self) -> usize;

    /// Adds the row of `line`, which is UTF-8; if there is none it is as before, and false.
    fn take_line(&mut self, line: &[u8], plan: &Self::Plan, rules: Rules) -> bool;

    /// Why [`Self::take_line`] refuses this line.
    fn fault(line: &str, plan: &Self::Plan, rules: Rules) -> Option<Fault>;
}

/// The rows of about a mebibyte of lines, and which of its lines are none.
#[derive(Debug, Default)]
pub struct Batch<T> {
    /// The rows.
    pub taken: T,
    /// The lines that are none, in order.
    pub bad: Vec<Bad>,
    lines: u64,
}

/// A line that is no row.
#[derive(Debug)]
pub struct Bad {
    /// Where it is and why.
    pub place: BadLine,
    /// How many rows of its batch come before it.
    pub row: usize,
    /// What stands on it, if that was asked for and it is not too long to be held.
    pub line: Vec<u8>,
}

/// Reads a file in [`Batch`]es; plain or gz, bz2, xz, zst by magic number.
///
/// With one thread it reads when it is asked; with more, at most two batches a thread are ready beyond the one that is asked for.
pub struct Batches<T: Take> {
    mode: Mode<T>,
    lines: u64,
}

enum Mode<T: Take> {
    Alone {
        blocks: Blocks,
        block: Block,
        work: Work<T>,
        spare: Option<T>,
    },
    Together(Arc<Shared<T>>),
}

/// What a thread does with a block.
struct Work<T: Take> {
    path: PathBuf,
    plan: T::Plan,
    rules: Rules,
    keeps_bad: bool,
}

struct Shared<T: Take> {
    work: Work<T>,
    source: Mutex<Source>,
    state: Mutex<State<T>>,
    changed: Condvar,
    /// How many batches may be ready.
    limit: u64,
}

struct Source {
    blocks: Blocks,
    next: u64,
    has_ended: bool,
}

struct State<T> {
    ready: BTreeMap<u64, Result<Option<Batch<T>>>>,
    spare: Vec<T>,
    /// The number of the batch that is asked for next.
    wanted: u64,
    threads: usize,
    is_dropped: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Take> Batches<T> {
    /// Opens the file at `path`, to be read by `threads`, of which there is at least one.
    ///
    /// What a bad line holds is kept with it if `keeps_bad`.
    ///
    /// # Errors
    /// If it cannot be opened, or no thread can be started.
    pub fn open(path: &Path, plan: T::Plan, rules: Rules, threads: usize, keeps_bad: bool) -> Result<Self> {
        let blocks = Blocks::open_undigested(path)?;
        let work = Work {
            path: path.to_owned(),
            plan,
            rules,
            keeps_bad,
        };
        let mode = if threads <= 1 {
            Mode::Alone {
                blocks,
                block: Block::default(),
                work,
                spare: None,
            }
        } else {
            Mode::Together(start(blocks, work, threads)?)
        };
        Ok(Self { mode, lines: 0 })
    }

    /// The next batch, or `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read, or is compressed and damaged.
    pub fn read(&mut self) -> Result<Option<Batch<T>>> {
        let read = match &mut self.mode {
            Mode::Alone {
                blocks,
                block,
                work,
                spare,
            } => {
                if blocks.read(block)? {
                    Some(work.take(block, spare.take().unwrap_or_default()))
                } else {
                    None
                }
            }
            Mode::Together(shared) => shared.next()?,
        };
        let Some(mut batch) = read else {
            return Ok(None);
        };
        for bad in &mut batch.bad {
            bad.place.line += self.lines;
        }
        self.lines += batch.lines;
        Ok(Some(batch))
    }

    /// Takes the memory of rows that are not needed any more, for as many batches as may be ready.
    pub fn give_back(&mut self, mut taken: T) {
        taken.clear();
        match &mut self.mode {
            Mode::Alone { spare, .. } => *spare = Some(taken),
            Mode::Together(shared) => {
                let spare = &mut locked(&shared.state).spare;
                if (spare.len() as u64) < shared.limit {
                    spare.push(taken);
                }
            }
        }
    }
}

impl<T: Take> Drop for Batches<T> {
    fn drop(&mut self) {
        if let Mode::Together(shared) = &self.mode {
            locked(&shared.state).is_dropped = true;
            shared.changed.notify_all();
        }
    }
}

impl<T: Take> Work<T> {
    /// The rows of a block; the first line counts as line 1.
    fn take(&self, block: &Block, mut taken: T) -> Batch<T> {
        // All at once: one call a line would cost as much again where lines are short.
        let is_utf8 = simdutf8::basic::from_utf8(block.bytes()).is_ok();
        let (mut lines, mut bad) = (0, Vec::new());
        for line in block.lines() {
            lines += 1;
            if line.is_blank() || line.is_mark_alone() {
                continue;
            }
            if let Err(fault) = self.take_line(&line, is_utf8, &mut taken) {
                bad.push(Bad {
                    place: BadLine {
                        path: self.path.clone(),
                        line: lines,
                        byte: line.start + fault.at as u64,
                        reason: fault.reason,
                    },
                    row: taken.rows(),
                    line: line
                        .bytes()
                        .filter(|_| self.keeps_bad)
                        .map_or_else(Vec::new, <[u8]>::to_vec),
                });
            }
        }
        Batch { taken, bad, lines }
    }

    fn take_line(&self, line: &Line<'_>, is_utf8: bool, taken: &mut T) -> std::result::Result<(), Fault> {
        let Some(bytes) = line.bytes() else {
            let reason = format!("the line is longer than {MAXIMUM_LINE_BYTES} bytes");
            return Err(Fault { at: 0, reason });
        };
        let mark = if line.start == 0 && bytes.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        let bytes = &bytes[mark..];
        let is_utf8 = is_utf8 || simdutf8::basic::from_utf8(bytes).is_ok();
        if is_utf8 && taken.take_line(bytes, &self.plan, self.rules) {
            return Ok(());
        }
        let fault = match utf8(bytes) {
            Ok(text) => T::fault(text, &self.plan, self.rules),
            Err(fault) => Some(fault),
        };
        let Fault { at, reason } = fault.unwrap_or_else(unknown);
        let state = if line.is_torn() {
            "the last line is torn: "
        } else {
            ""
        };
        Err(Fault {
            at: mark + at,
            reason: format!("{state}{reason}"),
        })
    }
}

/// Both ways over a line refuse the same lines; were it not so, a line would still not be lost in silence.
pub(super) fn unknown() -> Fault {
    Fault {
        at: 0,
        reason: "refused for a reason unknown".to_owned(),
    }
}

fn start<T: Take>(blocks: Blocks, work: Work<T>, threads: usize) -> Result<Arc<Shared<T>>> {
    let shared = Arc::new(Shared {
        source: Mutex::new(Source {
            blocks,
            next: 0,
            has_ended: false,
        }),
        state: Mutex::new(State {
            ready: BTreeMap::new(),
            spare: Vec::new(),
            wanted: 0,
            threads,
            is_dropped: false,
        }),
        changed: Condvar::new(),
        limit: 2 * threads as u64,
        work,
    });
    for _ in 0..threads {
        let shared = Arc::clone(&shared);
        let path = shared.work.path.clone();
        let spawned = thread::Builder::new().name("records".to_owned()).spawn(move || {
            // However it ends, whoever waits for it is told.
            let running = Running(&shared);
            running.0.run();
        });
        if let Err(error) = spawned {
            return Err(Error::io("start a thread to read", &path, error));
        }
    }
    Ok(shared)
}

struct Running<'a, T: Take>(&'a Shared<T>);

impl<T: Take> Drop for Running<'_, T> {
    fn drop(&mut self) {
        locked(&self.0.state).threads -= 1;
        self.0.changed.notify_all();
    }
}

impl<T: Take> Shared<T> {
    /// Blocks are read one by one under a lock, taken apart without it, and handed over by number.
    fn run(&self) {
        let mut block = Block::default();
        loop {
            let (number, read) = {
                let mut source = locked(&self.source);
                if source.has_ended {
                    return;
                }
                let read = source.blocks.read(&mut block);
                source.has_ended = !matches!(read, Ok(true));
                source.next += 1;
                (source.next - 1, read)
            };
            let spare = locked(&self.state).spare.pop().unwrap_or_default();
            let batch = read.map(|is_there| is_there.then(|| self.work.take(&block, spare)));
            let mut state = locked(&self.state);
            while number >= state.wanted + self.limit && !state.is_dropped {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.is_dropped {
                return;
            }
            state.ready.insert(number, batch);
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Result<Option<Batch<T>>> {
        let mut state = locked(&self.state);
        loop {
            let wanted = state.wanted;
            if let Some(batch) = state.ready.remove(&wanted) {
                // What ended it stays the end.
                if matches!(batch, Ok(Some(_))) {
                    state.wanted += 1;
                    self.changed.notify_all();
                } else {
                    state.ready.insert(wanted, Ok(None));
                }
                return batch;
            }
            if state.threads == 0 {
                let lost = std::io::Error::other("a thread ended before its work");
                return Err(Error::io("read", &self.work.path, lost));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
