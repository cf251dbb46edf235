//! Tables in large pages: a place drawn by a hash costs one look at memory, and not another to find the page it is in.
//!
//! Their memory comes from the system and goes back to it: a heap keeps what is dropped, of each thread for itself.

#![expect(
    unsafe_code,
    reason = "no collection of the standard library lies where a large page begins"
)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::marker::PhantomData;
use std::mem::needs_drop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::AtomicU32;

const LARGE_PAGE_BYTES: usize = 2 << 20;

/// Smaller tables lie in ordinary pages: half of a large one would stay empty.
const SMALLEST_IN_LARGE_PAGES: usize = LARGE_PAGE_BYTES / 2;

/// Values side by side, their number fixed, which begin where a large page does if they are worth one.
pub(crate) struct Table<T> {
    start: NonNull<T>,
    count: usize,
    owned: PhantomData<T>,
}

// SAFETY: a table owns its values and nothing else, as a `Box<[T]>` does.
unsafe impl<T: Send> Send for Table<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Table<T> {}

impl<T> Table<T> {
    /// `count` times `value`.
    pub(crate) fn filled(value: T, count: usize) -> Self
    where
        T: Copy,
    {
        Self::of(std::iter::repeat_n(value, count))
    }

    /// The values of `values`, which need no drop.
    pub(crate) fn of(values: impl ExactSizeIterator<Item = T>) -> Self {
        let capacity = values.len();
        let start = Self::memory(capacity);
        // Before the first of it is touched: pages are handed out then.
        let layout = Self::layout(capacity);
        if is_in_large_pages(layout) {
            advise_large_pages(start.cast(), layout.size());
        }
        let mut written = 0;
        for value in values.take(capacity) {
            // SAFETY: fewer than `capacity` values have been written.
            unsafe { start.add(written).write(value) };
            written += 1;
        }
        assert_eq!(written, capacity, "an iterator gives as many values as it says");
        Self {
            start,
            count: capacity,
            owned: PhantomData,
        }
    }

    /// Zeros, with room for `count` values.
    fn memory(count: usize) -> NonNull<T> {
        const { assert!(size_of::<T>() > 0 && !needs_drop::<T>()) }
        let layout = Self::layout(count);
        if count == 0 {
            return NonNull::dangling();
        }
        let start = if is_in_large_pages(layout) {
            take_pages(layout)
        } else {
            // SAFETY: the layout is not empty.
            unsafe { alloc_zeroed(layout) }
        };
        NonNull::new(start.cast()).unwrap_or_else(|| handle_alloc_error(layout))
    }

    /// Where and how large `count` values lie.
    fn layout(count: usize) -> Layout {
        let layout = Layout::array::<T>(count).expect("tables are far smaller than the address space");
        if layout.size() < SMALLEST_IN_LARGE_PAGES {
            return layout;
        }
        let layout = layout.align_to(LARGE_PAGE_BYTES).expect("a power of two");
        layout.pad_to_align()
    }
}

/// Types of which zeros are a value.
///
/// # Safety
/// All bytes of a value may be 0.
pub(crate) unsafe trait Zero {}

// SAFETY: a number may be 0.
unsafe impl Zero for AtomicU32 {}
// SAFETY: as above.
unsafe impl Zero for u8 {}

impl<T: Zero> Table<T> {
    /// So many zeros, whose memory is taken as they are written.
    pub(crate) fn zeros(count: usize) -> Self {
        Self {
            start: Self::memory(count),
            count,
            owned: PhantomData,
        }
    }

    /// The same in large pages, for a table that is written here and there.
    pub(crate) fn spread_zeros(count: usize) -> Self {
        let zeros = Self::zeros(count);
        let layout = Self::layout(count);
        if is_in_large_pages(layout) {
            advise_large_pages(zeros.start.cast(), layout.size());
        }
        zeros
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::of(std::iter::empty())
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        let (start, layout) = (self.start.as_ptr().cast(), Self::layout(self.count));
        if is_in_large_pages(layout) {
            // SAFETY: `memory` took them with this layout; the values need no drop.
            unsafe { give_pages_back(start, layout) };
        } else if self.count > 0 {
            // SAFETY: it was allocated with this layout; its values need no drop.
            unsafe { dealloc(start, layout) };
        }
    }
}

impl<T> Deref for Table<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: so many values have been written, and they live as long as the table.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl<T> DerefMut for Table<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and nobody else has them.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Table<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

/// Asks the processor for the memory of `soon`, which is looked at soon.
#[inline]
pub(crate) fn prefetch<T>(soon: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing; the address is that of a live value.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>((&raw const *soon).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = soon;
}

fn is_in_large_pages(layout: Layout) -> bool {
    layout.align() == LARGE_PAGE_BYTES
}

/// Zeros of a layout in large pages; null if there is no memory.
#[cfg(target_os = "linux")]
fn take_pages(layout: Layout) -> *mut u8 {
    let bytes = layout.size() + LARGE_PAGE_BYTES;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a map of its own, wherever there is room for it.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind, -1, 0) };
    if start == libc::MAP_FAILED {
        return std::ptr::null_mut();
    }
    let before = start.align_offset(LARGE_PAGE_BYTES);
    // SAFETY: both ranges are parts of the map, whole pages, and hold nothing.
    unsafe {
        if before > 0 {
            libc::munmap(start, before);
        }
        libc::munmap(start.byte_add(before + layout.size()), LARGE_PAGE_BYTES - before);
        start.byte_add(before).cast()
    }
}

/// The opposite of `take_pages`.
///
/// # Safety
/// `start` is what that gave for `layout`, and nobody uses it any more.
#[cfg(target_os = "linux")]
unsafe fn give_pages_back(start: *mut u8, layout: Layout) {
    // SAFETY: as the caller says.
    unsafe { libc::munmap(start.cast(), layout.size()) };
}

#[cfg(not(target_os = "linux"))]
fn take_pages(layout: Layout) -> *mut u8 {
    // SAFETY: the layout is not empty.
    unsafe { alloc_zeroed(layout) }
}

#[cfg(not(target_os = "linux"))]
unsafe fn give_pages_back(start: *mut u8, layout: Layout) {
    // SAFETY: it was allocated with this layout.
    unsafe { dealloc(start, layout) };
}

#[cfg(target_os = "linux")]
fn advise_large_pages(start: NonNull<libc::c_void>, bytes: usize) {
    // SAFETY: the range is an allocation of ours; the advice changes no byte of it. A refusal leaves all as it was.
    unsafe { libc::madvise(start.as_ptr(), bytes, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise_large_pages(_start: NonNull<u8>, _bytes: usize) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn a_table_holds_what_it_was_made_of() {
        for count in [0, 1, 1000, 1 << 18, (1 << 18) + 1, 3 << 18] {
            let mut table = Table::filled(7_u32, count);
            assert_eq!(
                (table.len(), table.iter().all(|&value| value == 7)),
                (count, true)
            );
            let numbers = 0..u32::try_from(count).expect("small");
            table
                .iter_mut()
                .zip(numbers.clone())
                .for_each(|(value, number)| *value = number);
            assert!(table.iter().copied().eq(numbers));
            if count >= 1 << 18 {
                assert_eq!(table.as_ptr().addr() % LARGE_PAGE_BYTES, 0);
            }
        }
        assert_eq!(*Table::of([1_u8, 2, 3].into_iter()), [1, 2, 3]);
        for count in [0, 1, 1000, 3 << 18] {
            let table: Table<AtomicU32> = Table::zeros(count);
            assert_eq!(table.len(), count);
            assert!(table.iter().all(|number| number.swap(1, Ordering::Relaxed) == 0));
        }
    }
}
