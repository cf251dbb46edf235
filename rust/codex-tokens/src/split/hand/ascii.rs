//! The bits of ASCII: 32 bytes at a time where the processor can (AVX2), else 16 (SSE2, which every x86-64 has), else one.

use super::bits::{BLOCK, Bits};

/// Compares a block with the classes of ASCII. In `han` it leaves the first bytes of characters from U+4E00 to U+9F7F.
pub(super) type Compare = fn(&[u8; BLOCK], &mut Bits);

/// The fastest way of this processor.
pub(super) fn fastest() -> Compare {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("bmi1") && has!("bmi2") {
            by_vector::of_32
        } else {
            by_vector::of_16
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        by_the_byte
    }
}

/// What all other ways have to agree with.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn by_the_byte(block: &[u8; BLOCK], bits: &mut Bits) {
    *bits = Bits::default();
    for (place, &byte) in block.iter().enumerate() {
        let bit = |holds: bool| u64::from(holds) << place;
        bits.lead |= bit(byte & 0xc0 != 0x80);
        bits.high |= bit(!byte.is_ascii());
        bits.letter |= bit(byte.is_ascii_alphabetic());
        bits.number |= bit(byte.is_ascii_digit());
        bits.space |= bit(byte == b' ' || (b'\t'..=b'\r').contains(&byte));
        bits.newline |= bit(byte == b'\r' || byte == b'\n');
        bits.blank |= bit(byte == b' ');
        bits.quote |= bit(byte == b'\'');
        bits.slash |= bit(byte == b'/');
        bits.upper |= bit(byte.is_ascii_uppercase());
        bits.lower |= bit(byte.is_ascii_lowercase());
        bits.symbol |= bit(byte.is_ascii_punctuation());
        let next = block.get(place + 1).copied().unwrap_or(0);
        bits.han |= bit(match byte {
            0xe4 => (0xb8..=0xbf).contains(&next),
            0xe5..=0xe8 => true,
            0xe9 => (0x80..=0xbd).contains(&next),
            _ => false,
        });
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vectors are used by their intrinsics")]
#[expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the processor that its caller is compiled for"
)]
mod by_vector {
    use super::{BLOCK, Bits};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_loadu_si128, _mm_movemask_epi8,
        _mm_or_si128, _mm_set1_epi8, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8,
        _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    };

    pub(super) fn of_16(block: &[u8; BLOCK], bits: &mut Bits) {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { compare::<__m128i, 16>(block, bits) }
    }

    pub(super) fn of_32(block: &[u8; BLOCK], bits: &mut Bits) {
        #[target_feature(enable = "avx2,bmi1,bmi2")]
        fn compare_32(block: &[u8; BLOCK], bits: &mut Bits) {
            // SAFETY: this function is compiled for AVX2.
            unsafe { compare::<__m256i, 32>(block, bits) }
        }
        // SAFETY: `fastest` names this function only where the processor has all three.
        unsafe { compare_32(block, bits) }
    }

    /// What is needed of a vector of bytes. Bytes are compared as signed, so those outside of ASCII are below all others.
    trait Vector: Copy {
        /// # Safety
        /// The processor has to have the vectors, as for all here; `bytes` has to be as long as one.
        unsafe fn load(bytes: *const u8) -> Self;
        unsafe fn all(byte: u8) -> Self;
        unsafe fn is(self, other: Self) -> Self;
        unsafe fn is_above(self, other: Self) -> Self;
        unsafe fn and(self, other: Self) -> Self;
        unsafe fn or(self, other: Self) -> Self;
        /// The highest bit of every byte.
        unsafe fn mask(self) -> u64;
    }

    macro_rules! vector {
        ($vector:ty, $load:ident, $all:ident, $is:ident, $is_above:ident, $and:ident, $or:ident, $mask:ident) => {
            // SAFETY: the caller answers for the processor and, in `load`, for the length.
            impl Vector for $vector {
                #[inline(always)]
                unsafe fn load(bytes: *const u8) -> Self {
                    unsafe { $load(bytes.cast()) }
                }
                #[inline(always)]
                unsafe fn all(byte: u8) -> Self {
                    unsafe { $all(byte.cast_signed()) }
                }
                #[inline(always)]
                unsafe fn is(self, other: Self) -> Self {
                    unsafe { $is(self, other) }
                }
                #[inline(always)]
                unsafe fn is_above(self, other: Self) -> Self {
                    unsafe { $is_above(self, other) }
                }
                #[inline(always)]
                unsafe fn and(self, other: Self) -> Self {
                    unsafe { $and(self, other) }
                }
                #[inline(always)]
                unsafe fn or(self, other: Self) -> Self {
                    unsafe { $or(self, other) }
                }
                #[inline(always)]
                unsafe fn mask(self) -> u64 {
                    unsafe { u64::from($mask(self).cast_unsigned()) }
                }
            }
        };
    }
    vector!(
        __m128i,
        _mm_loadu_si128,
        _mm_set1_epi8,
        _mm_cmpeq_epi8,
        _mm_cmpgt_epi8,
        _mm_and_si128,
        _mm_or_si128,
        _mm_movemask_epi8
    );
    vector!(
        __m256i,
        _mm256_loadu_si256,
        _mm256_set1_epi8,
        _mm256_cmpeq_epi8,
        _mm256_cmpgt_epi8,
        _mm256_and_si256,
        _mm256_or_si256,
        _mm256_movemask_epi8
    );

    /// # Safety
    /// The processor has to have vectors `V`, which are `BYTES` long.
    #[inline(always)]
    unsafe fn compare<V: Vector, const BYTES: usize>(block: &[u8; BLOCK], bits: &mut Bits) {
        *bits = Bits::default();
        // SAFETY: of the processor the caller is sure, and every part is `BYTES` long.
        unsafe {
            let within = |bytes: V, first: u8, last: u8| {
                let from = bytes.is_above(V::all(first.wrapping_sub(1)));
                from.and(V::all(last.wrapping_add(1)).is_above(bytes))
            };
            for (part, bytes) in block.as_chunks::<BYTES>().0.iter().enumerate() {
                let bytes = V::load(bytes.as_ptr());
                let is = |byte: u8| bytes.is(V::all(byte));
                let put = |word: &mut u64, bytes: V| *word |= bytes.mask() << (BYTES * part);
                let (lower, upper) = (within(bytes, b'a', b'z'), within(bytes, b'A', b'Z'));
                let blank = is(b' ');
                put(&mut bits.lead, bytes.is_above(V::all(0xbf)));
                put(&mut bits.high, bytes);
                put(&mut bits.number, within(bytes, b'0', b'9'));
                put(&mut bits.space, blank.or(within(bytes, b'\t', b'\r')));
                put(&mut bits.newline, is(b'\r').or(is(b'\n')));
                put(&mut bits.blank, blank);
                put(&mut bits.quote, is(b'\''));
                put(&mut bits.slash, is(b'/'));
                put(&mut bits.upper, upper);
                put(&mut bits.lower, lower);
                put(&mut bits.symbol, within(bytes, b'!', b'~'));
            }
            bits.letter = bits.lower | bits.upper;
            bits.symbol &= !(bits.letter | bits.number);
            if bits.high != 0 {
                // The first bytes of which only some are Han, and the second bytes those have.
                let (mut four, mut nine, mut from_b8, mut to_bd) = (0, 0, 0, 0);
                for (part, bytes) in block.as_chunks::<BYTES>().0.iter().enumerate() {
                    let bytes = V::load(bytes.as_ptr());
                    let put = |word: &mut u64, bytes: V| *word |= bytes.mask() << (BYTES * part);
                    put(&mut bits.han, within(bytes, 0xe5, 0xe8));
                    put(&mut four, bytes.is(V::all(0xe4)));
                    put(&mut nine, bytes.is(V::all(0xe9)));
                    put(&mut from_b8, within(bytes, 0xb8, 0xbf));
                    put(&mut to_bd, V::all(0xbe).is_above(bytes));
                }
                bits.han |= four & from_b8 >> 1 | nine & to_bd >> 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every two bytes side by side, at every place.
    #[test]
    fn bytes_together_are_as_one_by_one() {
        let mut block = [0; BLOCK];
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                for (place, byte) in block.iter_mut().enumerate() {
                    *byte = if place % 2 == usize::from(first) % 2 {
                        first
                    } else {
                        second
                    };
                }
                let mut expected = Bits::default();
                by_the_byte(&block, &mut expected);
                let mut ways: Vec<Compare> = vec![fastest()];
                #[cfg(target_arch = "x86_64")]
                ways.push(by_vector::of_16);
                for way in ways {
                    let mut found = Bits::default();
                    way(&block, &mut found);
                    assert_eq!(found, expected, "{first:x} {second:x}");
                }
            }
        }
    }
}
