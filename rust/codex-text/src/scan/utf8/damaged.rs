//! How many characters and errors bytes have that are not all UTF-8, sixty-four bytes at a time where the processor can.
//!
//! A bit for each byte tells what it is. The bits of first bytes, shifted, are where the bytes after them must be; what is among those
//! but follows nothing, or has nothing that follows, is an error.

use super::{First, first};

/// Characters of two bytes and more, and what decodes to nothing, in bytes that end no character in its middle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) sequences: u64,
    pub(super) errors: u64,
}

/// Counts `data`; a character that its end cuts short is an error.
pub(super) fn count(data: &[u8]) -> Counts {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor was just asked for AVX2.
        #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
        return unsafe { by_bits(data) };
    }
    one_by_one(data)
}

/// `count`, written to be read.
fn one_by_one(data: &[u8]) -> Counts {
    let mut counts = Counts::default();
    let mut rest = data;
    while !rest.is_empty() {
        let length = match first(rest) {
            First::Whole(length) => {
                counts.sequences += u64::from(length > 1);
                length
            }
            First::Bad(length) => {
                counts.errors += 1;
                length
            }
            First::Open => {
                counts.errors += 1;
                rest.len()
            }
        };
        rest = &rest[length..];
    }
    counts
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn by_bits(data: &[u8]) -> Counts {
    let mut counts = Counts::default();
    let (mut firsts, mut before) = (0, Awaited::default());
    let (chunks, rest) = data.as_chunks::<64>();
    // ASCII after the end: no character goes on there.
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    for chunk in chunks.iter().chain([&last]) {
        let bits = wide::bits(chunk);
        firsts += u64::from((bits.two | bits.three | bits.four).count_ones());
        counts.errors += u64::from(bits.never.count_ones());
        before.step(&bits, &mut counts);
    }
    counts.errors += firsts - counts.sequences;
    counts
}

/// What each of 64 bytes is, the first of them in the lowest bit.
#[cfg(target_arch = "x86_64")]
struct Bits {
    /// 80 to bf: goes on with a character.
    next: u64,
    /// Those of 90 and more, and of a0 and more.
    from_90: u64,
    from_a0: u64,
    /// Begins a character of so many bytes.
    two: u64,
    three: u64,
    four: u64,
    /// The first bytes after which not every second one may stand.
    e0: u64,
    ed: u64,
    f0: u64,
    f4: u64,
    /// c0, c1, and f5 and more: in no character.
    never: u64,
}

/// What the bytes before await, by the bits of their ends.
#[cfg(target_arch = "x86_64")]
#[derive(Default)]
struct Awaited {
    two: u64,
    three: u64,
    four: u64,
    e0: u64,
    ed: u64,
    f0: u64,
    f4: u64,
    second_of_more: u64,
    second_of_four: u64,
    third_of_four: u64,
}

#[cfg(target_arch = "x86_64")]
impl Awaited {
    #[inline]
    fn step(&mut self, bits: &Bits, counts: &mut Counts) {
        /// The bits, each at the byte after its own.
        fn after(bits: u64, before: &mut u64) -> u64 {
            let shifted = bits << 1 | *before;
            *before = bits >> 63;
            shifted
        }
        let two = after(bits.two, &mut self.two);
        let three = after(bits.three, &mut self.three);
        let four = after(bits.four, &mut self.four);
        let wrong = after(bits.e0, &mut self.e0) & !bits.from_a0
            | after(bits.ed, &mut self.ed) & bits.from_a0
            | after(bits.f0, &mut self.f0) & !bits.from_90
            | after(bits.f4, &mut self.f4) & bits.from_90;
        let second = (two | three | four) & bits.next & !wrong;
        let second_of_four = second & four;
        let third = after(second & !two, &mut self.second_of_more) & bits.next;
        let third_of_four = after(second_of_four, &mut self.second_of_four) & third;
        let fourth = after(third_of_four, &mut self.third_of_four) & bits.next;
        let ends = second & two | third & !third_of_four | fourth;
        counts.sequences += u64::from(ends.count_ones());
        counts.errors += u64::from((bits.next & !(second | third | fourth)).count_ones());
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_set1_epi8,
    };

    use super::Bits;
    use crate::scan::vector::load;

    /// What each of 64 bytes is.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn bits(chunk: &[u8; 64]) -> Bits {
        let halves = chunk.as_chunks::<32>().0;
        let (low, high) = (load(&halves[0]), load(&halves[1]));
        let from = |byte: u8| {
            let least = _mm256_set1_epi8(byte.cast_signed());
            let is_from = |half| mask(_mm256_cmpeq_epi8(_mm256_max_epu8(half, least), half));
            is_from(low) | is_from(high) << 32
        };
        let equal = |byte: u8| {
            let wanted = _mm256_set1_epi8(byte.cast_signed());
            mask(_mm256_cmpeq_epi8(low, wanted)) | mask(_mm256_cmpeq_epi8(high, wanted)) << 32
        };
        let [leads, valid, longer, longest, too_long] = [0xc0, 0xc2, 0xe0, 0xf0, 0xf5].map(from);
        Bits {
            next: (mask(low) | mask(high) << 32) & !leads,
            from_90: from(0x90),
            from_a0: from(0xa0),
            two: valid & !longer,
            three: longer & !longest,
            four: longest & !too_long,
            e0: equal(0xe0),
            ed: equal(0xed),
            f0: equal(0xf0),
            f4: equal(0xf4),
            never: leads & !valid | too_long,
        }
    }

    /// The highest bit of each byte.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn mask(bytes: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(bytes).cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::dice;

    const BYTES: [u8; 24] = [
        0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
        0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    ];

    #[test]
    fn four_bytes_of_every_kind_at_every_place_are_counted_as_one_by_one() {
        for number in 0..BYTES.len().pow(4) {
            let four = [0, 1, 2, 3].map(|place| BYTES[number / BYTES.len().pow(place) % BYTES.len()]);
            let mut data = [b'a'; 130];
            let at = number % 126;
            data[at..at + 4].copy_from_slice(&four);
            assert_eq!(count(&data), one_by_one(&data), "{four:x?} at {at}");
            assert_eq!(
                count(&data[..at + 4]),
                one_by_one(&data[..at + 4]),
                "{four:x?} at {at}"
            );
        }
    }

    #[test]
    fn any_mixture_is_counted_as_one_by_one() {
        let mut random = dice(3);
        for length in 0..400 {
            let of_kinds: Vec<u8> = (0..length).map(|_| BYTES[random(BYTES.len())]).collect();
            assert_eq!(count(&of_kinds), one_by_one(&of_kinds), "{of_kinds:x?}");
            let mut text: Vec<u8> = "é漢😀a".bytes().cycle().take(length).collect();
            for _ in 0..random(9).min(length) {
                text[random(length)] = BYTES[random(BYTES.len())];
            }
            assert_eq!(count(&text), one_by_one(&text), "{text:x?}");
        }
    }
}
