//! Saves on a thread of their own, in the order they were handed over.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use codex_file::{Error, Result};

use crate::rotate::{Retention, Rotation, rotate};
use crate::save::{Contents, save};

/// A thread that saves into one folder of checkpoints and rotates it after each save.
///
/// The bytes travel with the save and come back with its answer, so that buffers can be kept and dropped where they were
/// made. It holds whatever it is handed: who wants at most two buffers waits for an answer before the third.
#[derive(Debug)]
pub struct Background<D> {
    jobs: Option<Sender<Job<D>>>,
    answers: Receiver<Finished<D>>,
    thread: Option<JoinHandle<()>>,
    in_flight: usize,
    /// The process whose thread it is: a fork has this struct, and no thread.
    owner: u32,
}

#[derive(Debug)]
struct Job<D> {
    contents: Contents<D>,
    retention: Retention,
}

/// What became of one save.
#[derive(Debug)]
pub struct Finished<D> {
    /// What was handed over.
    pub contents: Contents<D>,
    /// Where it is, durable; or why it is not.
    pub saved: Result<PathBuf>,
    /// What the rotation after it did; nothing where nothing was saved.
    pub rotated: Result<Rotation>,
}

impl<D: AsRef<[u8]> + Send + Sync + 'static> Background<D> {
    /// Starts the thread that saves into `checkpoints`.
    ///
    /// # Errors
    /// `Machine` if the system gives no thread.
    pub fn start(checkpoints: PathBuf) -> Result<Self> {
        let (jobs, waiting) = channel();
        let (answer, answers) = channel();
        let work = move || {
            for job in waiting {
                // Nobody listens any more only when the thread's owner is gone; what was handed over is saved all the same.
                let _ = answer.send(run(&checkpoints, job));
            }
        };
        let thread = thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(work)
            .map_err(|source| Error::machine(format!("cannot start a thread to save on: {source}")))?;
        Ok(Self {
            jobs: Some(jobs),
            answers,
            thread: Some(thread),
            in_flight: 0,
            owner: std::process::id(),
        })
    }

    /// Hands a save over, to be followed by a rotation, and returns at once.
    ///
    /// # Errors
    /// `Usage` in a process forked from the one that started this.
    pub fn submit(&mut self, contents: Contents<D>, retention: Retention) -> Result<()> {
        self.check_process()?;
        if let Some(jobs) = &self.jobs {
            // The thread ends only after this sender does, unless it panics, which the next answer tells.
            let _ = jobs.send(Job { contents, retention });
            self.in_flight += 1;
        }
        Ok(())
    }

    /// The saves that are done by now, oldest first; waits until at most `in_flight` are not.
    ///
    /// # Errors
    /// `Usage` in a process forked from the one that started this.
    ///
    /// # Panics
    /// If the thread did.
    pub fn finished(&mut self, in_flight: usize) -> Result<Vec<Finished<D>>> {
        self.check_process()?;
        let mut finished = Vec::new();
        while self.in_flight > 0 {
            let answer = if self.in_flight > in_flight {
                self.answers.recv().ok()
            } else {
                match self.answers.try_recv() {
                    Ok(answer) => Some(answer),
                    Err(std::sync::mpsc::TryRecvError::Empty) => break,
                    Err(std::sync::mpsc::TryRecvError::Disconnected) => None,
                }
            };
            match answer {
                Some(answer) => finished.push(answer),
                None => self.pass_panic_on(),
            }
            self.in_flight -= 1;
        }
        Ok(finished)
    }

    fn check_process(&self) -> Result<()> {
        if self.owner == std::process::id() {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the checkpointer belongs to process {}, this is a fork of it",
            self.owner
        ))
        .with_hint("save in the process that made it"))
    }

    /// The thread ended while something was in flight.
    fn pass_panic_on(&mut self) {
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

fn run<D: AsRef<[u8]> + Sync>(checkpoints: &Path, job: Job<D>) -> Finished<D> {
    let saved = save(checkpoints, &job.contents);
    let rotated = match &saved {
        Ok(_) => rotate(checkpoints, &job.retention),
        Err(_) => Ok(Rotation::default()),
    };
    Finished {
        contents: job.contents,
        saved,
        rotated,
    }
}

impl<D> Drop for Background<D> {
    /// Waits for everything that was handed over.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let (Some(thread), true) = (self.thread.take(), self.owner == std::process::id()) {
            // A panic has been told by the thread itself, and must not become a second one here.
            let _ = thread.join();
        }
    }
}
