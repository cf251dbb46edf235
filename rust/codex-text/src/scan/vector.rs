//! Thirty-two bytes at once, in the registers of AVX2.

use std::arch::x86_64::{__m256i, _MM_HINT_T0, _mm_prefetch, _mm256_loadu_si256};

/// How far ahead memory is asked for: the processor itself asks up to the end of a page and no farther.
const AHEAD: usize = 8192;

#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn load(chunk: &[u8; 32]) -> __m256i {
    // SAFETY: the array is as long as a vector.
    #[expect(unsafe_code, reason = "a load is through a pointer")]
    unsafe {
        _mm256_loadu_si256(chunk.as_ptr().cast())
    }
}

/// Asks memory for what lies [`AHEAD`] of `chunk`, so that it is in the cache when the loop comes to it. A hint: any address will do.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn prefetch_ahead(chunk: &[u8; 32]) {
    _mm_prefetch::<_MM_HINT_T0>(chunk.as_ptr().wrapping_add(AHEAD).cast());
}
