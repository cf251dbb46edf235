//! Many threads on one stream: read in turn, worked on side by side, taken in the order of reading.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// No more is read while so many bytes are on their way; one item may be larger by itself.
const MAXIMUM_BYTES: usize = 4 << 20;

/// What is done with the items of a stream. `T` is an item; it is made once and used again and again.
pub(crate) trait Stages<T>: Sync {
    /// What a thread keeps from item to item.
    type Worker;

    /// Fills an item with what comes next and says how many bytes it has, or `None` at the end. One thread at a time.
    fn read(&self, item: &mut T) -> Result<Option<usize>>;

    /// A new one.
    fn worker(&self) -> Self::Worker;

    /// Works on an item, on any thread.
    fn work(&self, worker: &mut Self::Worker, item: &mut T) -> Result<()>;

    /// Takes an item, in the order of reading, one at a time.
    fn take(&self, item: &mut T) -> Result<()>;
}

/// Takes every item through `stages` on `threads` threads, this one of them; they live as long as the call.
///
/// `each` is asked on this thread before every item that it works on whether to go on. The answer is the error of the first
/// item that has one, whatever the threads; items behind it are not taken.
pub(crate) fn in_order<T: Default + Send, S: Stages<T>>(
    stages: &S,
    threads: usize,
    each: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<()> {
    let belt = Belt {
        stages,
        reading: Mutex::new(Reading {
            next: 0,
            has_ended: false,
        }),
        state: Mutex::new(State {
            spare: Vec::new(),
            waiting: BTreeMap::new(),
            next: 0,
            is_taking: false,
            bytes: 0,
            end: None,
        }),
        changed: Condvar::new(),
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| belt.run(&mut || ControlFlow::Continue(())));
        }
        belt.run(each);
    });
    match lock(&belt.state).end.take() {
        Some(Err(error)) => Err(error),
        _ => Ok(()),
    }
}

struct Belt<'a, T, S> {
    stages: &'a S,
    reading: Mutex<Reading>,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct Reading {
    next: u64,
    has_ended: bool,
}

struct State<T> {
    spare: Vec<T>,
    /// Worked on, with their bytes, by number.
    waiting: BTreeMap<u64, (Result<T>, usize)>,
    /// The number that is taken next.
    next: u64,
    is_taking: bool,
    /// Of all items that have been read and not taken yet.
    bytes: usize,
    /// Set once nobody is to go on.
    end: Option<Result<()>>,
}

impl<T: Default + Send, S: Stages<T>> Belt<'_, T, S> {
    fn run(&self, each: &mut dyn FnMut() -> ControlFlow<()>) {
        let _guard = EndOnPanic(self);
        let mut worker = self.stages.worker();
        while let Some(item) = self.spare(each) {
            let Some((number, read)) = self.read(item) else {
                return;
            };
            let bytes = read.as_ref().map_or(0, |&(_, bytes)| bytes);
            let work = |(mut item, _)| self.stages.work(&mut worker, &mut item).map(|()| item);
            self.hand_over(number, read.and_then(work), bytes);
        }
    }

    /// An item to fill, once there is room for it; `None` if nobody is to go on.
    fn spare(&self, each: &mut dyn FnMut() -> ControlFlow<()>) -> Option<T> {
        if each().is_break() {
            self.end(Err(Error::stopped()));
        }
        let mut state = lock(&self.state);
        while state.bytes >= MAXIMUM_BYTES && state.end.is_none() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.end.is_none().then(|| state.spare.pop().unwrap_or_default())
    }

    /// The next item and its bytes, with its number; `None` at the end.
    fn read(&self, mut item: T) -> Option<(u64, Result<(T, usize)>)> {
        let mut reading = lock(&self.reading);
        if reading.has_ended {
            return None;
        }
        let answer = self.stages.read(&mut item).transpose();
        reading.has_ended = !matches!(answer, Some(Ok(_)));
        let number = reading.next;
        reading.next += 1;
        let read = answer?.map(|bytes| (item, bytes));
        // Counted before another thread may read.
        lock(&self.state).bytes += read.as_ref().map_or(0, |&(_, bytes)| bytes);
        Some((number, read))
    }

    /// Puts an item into its place, and takes all whose turn it is, unless another thread does.
    fn hand_over(&self, number: u64, item: Result<T>, bytes: usize) {
        let mut state = lock(&self.state);
        state.waiting.insert(number, (item, bytes));
        while !state.is_taking && state.end.is_none() {
            let next = state.next;
            let Some((item, bytes)) = state.waiting.remove(&next) else {
                break;
            };
            state.is_taking = true;
            drop(state);
            let taken = item.and_then(|mut item| self.stages.take(&mut item).map(|()| item));
            state = lock(&self.state);
            state.is_taking = false;
            state.next += 1;
            state.bytes -= bytes;
            match taken {
                Ok(item) => state.spare.push(item),
                Err(error) => state.end = Some(Err(error)),
            }
            self.changed.notify_all();
        }
    }

    /// Lets everybody stop; the first to say why is right.
    fn end(&self, why: Result<()>) {
        lock(&self.state).end.get_or_insert(why);
        self.changed.notify_all();
    }
}

/// A panic is a bug, but nobody may wait for ever for what it was working on.
struct EndOnPanic<'a, 'b, T: Default + Send, S: Stages<T>>(&'a Belt<'b, T, S>);

impl<T: Default + Send, S: Stages<T>> Drop for EndOnPanic<'_, '_, T, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end(Ok(()));
        }
    }
}

/// What `mutex` holds, whoever panicked with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same of one that nobody shares any more.
pub(crate) fn owned<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// The numbers below `count`; each takes its own time, those in `bad` cannot be worked on, `unread` cannot be read.
    #[derive(Default)]
    struct Numbers {
        count: usize,
        bad: Vec<usize>,
        unread: Option<usize>,
        bytes: usize,
        next: Mutex<usize>,
        taken: Mutex<Vec<usize>>,
        held: AtomicUsize,
        most_held: AtomicUsize,
    }

    impl Stages<usize> for Numbers {
        type Worker = ();

        fn read(&self, item: &mut usize) -> Result<Option<usize>> {
            let mut next = lock(&self.next);
            *item = *next;
            *next += 1;
            if self.unread == Some(*item) {
                return Err(Error::document(format!("unread {item}")));
            }
            if *item >= self.count {
                return Ok(None);
            }
            let held = self.held.fetch_add(1, Ordering::Relaxed) + 1;
            self.most_held.fetch_max(held, Ordering::Relaxed);
            Ok(Some(self.bytes))
        }

        fn worker(&self) {}

        fn work(&self, (): &mut (), item: &mut usize) -> Result<()> {
            thread::sleep(Duration::from_micros((*item as u64 * 7919) % 300));
            if self.bad.contains(item) {
                return Err(Error::document(format!("bad {item}")));
            }
            Ok(())
        }

        fn take(&self, item: &mut usize) -> Result<()> {
            lock(&self.taken).push(*item);
            self.held.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        }
    }

    const GO_ON: fn() -> ControlFlow<()> = || ControlFlow::Continue(());

    #[test]
    fn items_are_taken_in_the_order_of_reading() {
        for threads in [1, 2, 3, 8] {
            let numbers = Numbers {
                count: 300,
                bytes: 1,
                ..Numbers::default()
            };
            in_order(&numbers, threads, &mut GO_ON.clone()).expect("goes through");
            assert!(
                lock(&numbers.taken).iter().copied().eq(0..300),
                "{threads} threads"
            );
        }
    }

    #[test]
    fn the_first_error_is_the_one_that_is_told() {
        for (bad, unread, wanted, taken) in [
            (vec![40, 60, 80], None, "bad 40", 40),
            (vec![60], Some(50), "unread 50", 50),
            (vec![], Some(0), "unread 0", 0),
        ] {
            for threads in [1, 2, 3, 8] {
                let numbers = Numbers {
                    count: 100,
                    bad: bad.clone(),
                    unread,
                    bytes: 1,
                    ..Numbers::default()
                };
                let error = in_order(&numbers, threads, &mut GO_ON.clone()).expect_err("is bad");
                assert_eq!(error.to_string(), wanted);
                assert!(lock(&numbers.taken).iter().copied().eq(0..taken));
            }
        }
    }

    #[test]
    fn no_more_is_held_than_the_limit_and_one_for_each_thread() {
        for (bytes, most) in [(MAXIMUM_BYTES / 2, 2), (MAXIMUM_BYTES * 3, 1)] {
            let numbers = Numbers {
                count: 60,
                bytes,
                ..Numbers::default()
            };
            in_order(&numbers, 4, &mut GO_ON.clone()).expect("goes through");
            assert_eq!(lock(&numbers.taken).len(), 60);
            let held = numbers.most_held.load(Ordering::Relaxed);
            assert!(held < most + 4, "{held}");
        }
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        for threads in [1, 3] {
            let numbers = Numbers {
                count: usize::MAX,
                bytes: 1,
                ..Numbers::default()
            };
            let mut asked = 0;
            let error = in_order(&numbers, threads, &mut || {
                asked += 1;
                if asked == 20 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .expect_err("is stopped");
            assert!(error.is_stopped());
        }
    }

    #[test]
    fn a_panic_lets_nobody_wait_for_ever() {
        struct Panics(Numbers);
        impl Stages<usize> for Panics {
            type Worker = ();

            fn read(&self, item: &mut usize) -> Result<Option<usize>> {
                self.0.read(item)
            }

            fn worker(&self) {}

            fn work(&self, (): &mut (), item: &mut usize) -> Result<()> {
                assert!(*item != 5, "as the test wants it");
                Ok(())
            }

            fn take(&self, item: &mut usize) -> Result<()> {
                self.0.take(item)
            }
        }
        let numbers = Panics(Numbers {
            count: 100,
            bytes: MAXIMUM_BYTES,
            ..Numbers::default()
        });
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            in_order(&numbers, 3, &mut GO_ON.clone())
        }));
        assert!(caught.is_err());
    }
}
