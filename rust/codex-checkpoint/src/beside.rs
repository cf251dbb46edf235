//! Work on other cores than this one's.
//!
//! The kernel may queue a new thread behind the one that made it: beside torch, whose workers spin on the other cores for
//! milliseconds after their last operation, it was seen to begin 2 ms late, a fifth of what the copy of 134 MB takes. Here a
//! thread is barred from the core it was made on before it first runs.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use barred::run;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) use plain::run;

#[cfg(any(test, not(all(target_os = "linux", target_env = "gnu"))))]
mod plain {
    use std::thread;

    /// Runs `work` here and on so many other threads, and returns when all have ended.
    ///
    /// Where the system gives no thread there are fewer.
    pub(crate) fn run(others: usize, work: &(impl Fn() + Sync)) {
        thread::scope(|scope| {
            for _ in 0..others {
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod barred {
    use std::ffi::c_void;
    use std::marker::PhantomData;
    use std::mem::{MaybeUninit, size_of};
    use std::ptr;

    /// As `plain::run`, each of the others barred from the core that this runs on.
    ///
    /// A panic of `work` on another thread ends the process.
    pub(crate) fn run(others: usize, work: &(impl Fn() + Sync)) {
        let _threads: Vec<Thread> = (0..others).map_while(|_| Thread::begin(work)).collect();
        work();
    }

    /// A thread that is waited for when this is dropped, so that what it borrows outlives it.
    struct Thread<'work> {
        id: libc::pthread_t,
        work: PhantomData<&'work ()>,
    }

    impl<'work> Thread<'work> {
        fn begin<Work: Fn() + Sync>(work: &'work Work) -> Option<Self> {
            extern "C" fn enter<Work: Fn() + Sync>(work: *mut c_void) -> *mut c_void {
                // SAFETY: `begin` handed over a `&Work`, which lives until the thread has been joined.
                #[expect(unsafe_code, reason = "an argument of a C thread is a bare pointer")]
                let work = unsafe { &*work.cast_const().cast::<Work>() };
                work();
                ptr::null_mut()
            }

            let argument = ptr::from_ref(work).cast_mut().cast::<c_void>();
            let mut id = MaybeUninit::uninit();
            let mut attributes = MaybeUninit::uninit();
            // SAFETY: the attributes are initialised before they are used and destroyed once; `id` is written where the
            // thread was made. The caller keeps the `Thread`, which joins before `work` ends.
            #[expect(unsafe_code, reason = "std makes no thread with a mask of cores")]
            unsafe {
                if libc::pthread_attr_init(attributes.as_mut_ptr()) != 0 {
                    return None;
                }
                if let Some(cores) = other_cores() {
                    libc::pthread_attr_setaffinity_np(
                        attributes.as_mut_ptr(),
                        size_of::<libc::cpu_set_t>(),
                        &raw const cores,
                    );
                }
                let made =
                    libc::pthread_create(id.as_mut_ptr(), attributes.as_ptr(), enter::<Work>, argument) == 0;
                libc::pthread_attr_destroy(attributes.as_mut_ptr());
                made.then(|| Self {
                    id: id.assume_init(),
                    work: PhantomData,
                })
            }
        }
    }

    impl Drop for Thread<'_> {
        fn drop(&mut self) {
            // SAFETY: the thread was made and is joined here only.
            #[expect(unsafe_code, reason = "the end of a C thread")]
            unsafe {
                libc::pthread_join(self.id, ptr::null_mut());
            }
        }
    }

    /// The cores this process may use, less the one it is on; `None` where that leaves none or the system does not say.
    fn other_cores() -> Option<libc::cpu_set_t> {
        // SAFETY: a set of cores is plain bits; the calls fill it or fail, and a core beyond the set is not one of them.
        #[expect(unsafe_code, reason = "std does not know on which core a thread is")]
        unsafe {
            let mut cores: libc::cpu_set_t = std::mem::zeroed();
            let here = usize::try_from(libc::sched_getcpu()).ok()?;
            let is_known = here < 8 * size_of::<libc::cpu_set_t>()
                && libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut cores) == 0;
            if !is_known {
                return None;
            }
            libc::CPU_CLR(here, &mut cores);
            (libc::CPU_COUNT(&cores) > 0).then_some(cores)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    type Run = fn(usize, &(dyn Fn() + Sync));

    #[test]
    fn work_is_done_on_every_thread_and_has_ended_on_return() {
        let ways: [Run; 2] = [
            |others, work| super::run(others, &work),
            |others, work| super::plain::run(others, &work),
        ];
        for run in ways {
            for others in [0, 1, 7] {
                let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
                run(others, &|| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    std::thread::yield_now();
                    ended.fetch_add(1, Ordering::SeqCst);
                });
                assert_eq!((begun.into_inner(), ended.into_inner()), (others + 1, others + 1));
            }
        }
    }

    #[test]
    fn a_panic_of_the_caller_waits_for_the_others() {
        let (caller, ended) = (std::thread::current().id(), AtomicUsize::new(0));
        let outcome = std::panic::catch_unwind(|| {
            super::run(2, &|| {
                assert_ne!(std::thread::current().id(), caller, "the caller panics");
                std::thread::sleep(std::time::Duration::from_millis(20));
                ended.fetch_add(1, Ordering::SeqCst);
            });
        });
        assert!(outcome.is_err());
        assert_eq!(ended.into_inner(), 2);
    }
}
