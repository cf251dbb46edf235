//! Whether a block holds one of some bytes, looked up thirty-two at a time where the processor can.

/// The bytes that are looked for: by the lower half of a byte a bit for each upper half, below 80 and from there on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sought {
    rows: [[u8; 16]; 2],
}

impl Sought {
    pub(crate) fn of(bytes: impl Iterator<Item = u8>) -> Self {
        let mut sought = Self::default();
        for byte in bytes {
            sought.rows[usize::from(byte >> 7)][usize::from(byte & 15)] |= 1 << (byte >> 4 & 7);
        }
        sought
    }

    /// Whether any byte of `data` is looked for.
    pub(crate) fn is_in(&self, data: &[u8]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor was just asked for AVX2.
            #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
            return unsafe { wide::is_in(self, data) };
        }
        self.is_in_one_by_one(data)
    }

    /// `is_in`, written to be read.
    fn is_in_one_by_one(&self, data: &[u8]) -> bool {
        data.iter().any(|byte| {
            let row = self.rows[usize::from(byte >> 7)][usize::from(byte & 15)];
            row >> (byte >> 4 & 7) & 1 == 1
        })
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m128i, _mm_loadu_si128, _mm256_and_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8,
        _mm256_srli_epi16, _mm256_testz_si256,
    };

    use super::Sought;
    use crate::scan::vector::load;

    /// Bytes looked at before it is asked whether one was found.
    const RUN: usize = 32 * 64;

    #[target_feature(enable = "avx2")]
    pub(super) fn is_in(sought: &Sought, data: &[u8]) -> bool {
        let rows = sought
            .rows
            .each_ref()
            .map(|row| _mm256_broadcastsi128_si256(load_half(row)));
        // 1, 2, 4 ... 80, twice in each half.
        let bits = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
        let lower = _mm256_set1_epi8(0x0f);
        data.chunks(RUN).any(|run| {
            let (chunks, rest) = run.as_chunks::<32>();
            let mut found = _mm256_setzero_si256();
            for chunk in chunks {
                let bytes = load(chunk);
                let [low, high] = rows.map(|row| _mm256_shuffle_epi8(row, _mm256_and_si256(bytes, lower)));
                let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), lower);
                let bit = _mm256_shuffle_epi8(bits, upper);
                found = _mm256_or_si256(found, _mm256_and_si256(_mm256_blendv_epi8(low, high, bytes), bit));
            }
            _mm256_testz_si256(found, found) == 0 || sought.is_in_one_by_one(rest)
        })
    }

    #[target_feature(enable = "avx2")]
    fn load_half(row: &[u8; 16]) -> __m128i {
        // SAFETY: the array is as long as half a vector.
        #[expect(unsafe_code, reason = "a load is through a pointer")]
        unsafe {
            _mm_loadu_si128(row.as_ptr().cast())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::dice;

    #[test]
    fn a_byte_is_found_wherever_it_is_and_no_other() {
        for wanted in 0..=u8::MAX {
            let sought = Sought::of([wanted].into_iter());
            let mut others: Vec<u8> = (0..=u8::MAX).filter(|byte| *byte != wanted).collect();
            assert!(!sought.is_in(&others), "{wanted:x}");
            for place in 0..others.len() {
                let before = std::mem::replace(&mut others[place], wanted);
                assert!(sought.is_in(&others), "{wanted:x} at {place}");
                others[place] = before;
            }
        }
    }

    #[test]
    fn some_bytes_are_found_as_one_by_one() {
        let mut random = dice(7);
        let draw = |random: &mut dyn FnMut(usize) -> usize, count: usize| -> Vec<u8> {
            (0..count).map(|_| random(256).to_le_bytes()[0]).collect()
        };
        for length in (0..300).chain([2047, 2048, 2049, 5000]) {
            let data = draw(&mut random, length);
            let sought = Sought::of(draw(&mut random, 1 + length % 3).into_iter());
            assert_eq!(sought.is_in(&data), sought.is_in_one_by_one(&data), "{length}");
        }
    }
}
