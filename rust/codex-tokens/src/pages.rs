//! Tables in large pages: a place drawn by a hash costs one look at memory, and not another to find the page it is in.

/// `count` times `value`, in pages of 2 MB where the system has them to give.
pub(crate) fn filled<T: Clone>(value: T, count: usize) -> Vec<T> {
    let mut table: Vec<T> = Vec::with_capacity(count);
    // Before the first of it is touched: pages are handed out then.
    advise_large_pages(table.as_ptr().cast(), count * size_of::<T>());
    table.resize(count, value);
    table
}

#[cfg(target_os = "linux")]
fn advise_large_pages(start: *const u8, bytes: usize) {
    const PAGE_BYTES: usize = 4096;
    const LARGE_PAGE_BYTES: usize = 2 << 20;
    if bytes < LARGE_PAGE_BYTES {
        return;
    }
    let skipped = start.align_offset(PAGE_BYTES);
    let bytes = (bytes - skipped) & !(PAGE_BYTES - 1);
    // SAFETY: the range lies in one allocation of ours; the advice changes no byte of it. A refusal leaves all as it was.
    #[expect(unsafe_code, reason = "there is no safe way to give advice on memory")]
    unsafe {
        libc::madvise(start.add(skipped).cast_mut().cast(), bytes, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
fn advise_large_pages(_start: *const u8, _bytes: usize) {}

#[cfg(test)]
mod tests {
    #[test]
    fn a_table_holds_what_it_was_filled_with() {
        for count in [0, 1, 1000, 1 << 20, (1 << 20) + 1] {
            let table = super::filled(7_u32, count);
            assert_eq!(
                (table.len(), table.iter().all(|&value| value == 7)),
                (count, true)
            );
        }
    }
}
