//! Which of 64 bytes are of a set, as bits: by two look-ups in a register, for 32 bytes at once where the processor can.

/// Bytes looked at together.
pub(super) const BLOCK: usize = 64;

/// A set of bytes; of those outside of ASCII it has all or none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ByteSet {
    /// For each lower half of a byte of ASCII, a bit for each upper half.
    rows: [u8; 16],
    has_high: bool,
}

impl ByteSet {
    pub(super) fn insert(&mut self, byte: u8) {
        if byte.is_ascii() {
            self.rows[usize::from(byte & 15)] |= 1 << (byte >> 4);
        } else {
            self.has_high = true;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == [0; 16] && !self.has_high
    }

    /// A bit for each byte of `block` that is of the set.
    #[inline]
    pub(super) fn places(&self, block: &[u8; BLOCK]) -> u64 {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function is compiled for.
            #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
            return unsafe { self.places_by_vectors(block) };
        }
        self.places_by_the_byte(block)
    }

    fn has(&self, byte: u8) -> bool {
        if byte.is_ascii() {
            self.rows[usize::from(byte & 15)] >> (byte >> 4) & 1 != 0
        } else {
            self.has_high
        }
    }

    fn places_by_the_byte(&self, block: &[u8; BLOCK]) -> u64 {
        let bits = block.iter().zip(0..);
        bits.fold(0, |places, (&byte, place)| {
            places | u64::from(self.has(byte)) << place
        })
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap,
        reason = "bits are given as signed numbers"
    )]
    fn places_by_vectors(&self, block: &[u8; BLOCK]) -> u64 {
        use std::arch::x86_64::{
            _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
            _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_set1_epi64x,
            _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
        };
        const VECTOR: usize = 32;
        // SAFETY: the array is as long as what is loaded.
        #[expect(unsafe_code, reason = "a load by its intrinsic")]
        let rows = _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(self.rows.as_ptr().cast()) });
        // By upper half, its bit; the look-ups take a byte outside of ASCII to 0.
        let bit_of = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
        let (mut places, mut high) = (0, 0);
        for (part, bytes) in block.as_chunks::<VECTOR>().0.iter().enumerate() {
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "a load by its intrinsic")]
            let bytes = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
            let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15));
            let found = _mm256_and_si256(
                _mm256_shuffle_epi8(rows, bytes),
                _mm256_shuffle_epi8(bit_of, upper),
            );
            let is_none = _mm256_cmpeq_epi8(found, _mm256_setzero_si256());
            let put = |bits: i32| u64::from(bits as u32) << (VECTOR * part);
            places |= put(!_mm256_movemask_epi8(is_none));
            high |= put(_mm256_movemask_epi8(bytes));
        }
        if self.has_high { places | high } else { places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random;

    #[test]
    fn bytes_together_are_as_one_by_one() {
        let number = |number: usize| u8::try_from(number).expect("below 256");
        let mut random = random::<usize>(17);
        for round in 0..400 {
            let mut set = ByteSet::default();
            assert!(set.is_empty());
            for _ in 0..round % 40 {
                let byte = number(random(256));
                set.insert(byte);
                assert!(set.has(byte) && !set.is_empty());
            }
            let is_random = round % 2 == 0;
            let block = std::array::from_fn(|at| {
                number(if is_random {
                    random(256)
                } else {
                    at + 64 * (round % 4)
                })
            });
            assert_eq!(
                set.places(&block),
                set.places_by_the_byte(&block),
                "{set:?} {block:?}"
            );
        }
    }
}
