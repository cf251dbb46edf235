//! Thirty-two bytes at once, in the registers of AVX2.

use std::arch::x86_64::{__m256i, _mm256_loadu_si256};

#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn load(chunk: &[u8; 32]) -> __m256i {
    // SAFETY: the array is as long as a vector.
    #[expect(unsafe_code, reason = "a load is through a pointer")]
    unsafe {
        _mm256_loadu_si256(chunk.as_ptr().cast())
    }
}
