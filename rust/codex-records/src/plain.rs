//! How far a string of JSON goes on as it is: 32 or 16 bytes at a time where the processor has them, else eight.

/// How many bytes of `text` come before the first quote, backslash or control character.
#[inline]
pub(crate) fn plain_length(text: &[u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    return by_sixteen(text);
    #[cfg(not(target_arch = "x86_64"))]
    return by_eight(text);
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn by_sixteen(text: &[u8]) -> usize {
    let (chunks, rest) = text.as_chunks::<16>();
    for (number, chunk) in chunks.iter().enumerate() {
        // SAFETY: every x86-64 has SSE2.
        #[expect(unsafe_code, reason = "the processor's own instructions")]
        let special = unsafe { specials_of_sixteen(*chunk) };
        if special != 0 {
            return number * 16 + special.trailing_zeros() as usize;
        }
    }
    chunks.len() * 16 + by_eight(rest)
}

/// A bit for each byte that is special.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn specials_of_sixteen(chunk: [u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    // One load, as the compiler sees it.
    let both = u128::from_le_bytes(chunk);
    #[allow(clippy::cast_possible_truncation)]
    let bytes = _mm_set_epi64x((both >> 64) as i64, both as i64);
    let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22));
    let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5c));
    let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    let special = _mm_or_si128(_mm_or_si128(quote, backslash), control);
    _mm_movemask_epi8(special).cast_unsigned()
}

/// Appends the bytes that come before the first special one, as they are found; says how many there are.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn copy_plain_by_avx2(text: &[u8], out: &mut Vec<u8>) -> usize {
    let (chunks, rest) = text.as_chunks::<32>();
    for (number, chunk) in chunks.iter().enumerate() {
        out.extend_from_slice(chunk);
        let special = specials_of_thirty_two(chunk);
        if special != 0 {
            let plain = special.trailing_zeros() as usize;
            out.truncate(out.len() + plain - 32);
            return number * 32 + plain;
        }
    }
    let plain = by_sixteen(rest);
    out.extend_from_slice(&rest[..plain]);
    chunks.len() * 32 + plain
}

/// As [`specials_of_sixteen`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn specials_of_thirty_two(chunk: &[u8; 32]) -> u32 {
    use std::arch::x86_64::{
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8,
    };

    // SAFETY: the chunk has the 32 bytes that are loaded, wherever they lie.
    #[expect(unsafe_code, reason = "the processor's own instructions")]
    let bytes = unsafe { _mm256_loadu_si256(chunk.as_ptr().cast()) };
    let quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x22));
    let backslash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x5c));
    let control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
    let special = _mm256_or_si256(_mm256_or_si256(quote, backslash), control);
    _mm256_movemask_epi8(special).cast_unsigned()
}

#[inline]
fn by_eight(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return number * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let passed = words.len() * 8;
    passed
        + rest
            .iter()
            .position(|&byte| is_special(byte))
            .unwrap_or(rest.len())
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// The top bit of every byte up to the first that is special. Above that one a borrow may have set more.
#[inline]
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let is_below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let quote = is_below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = is_below(word ^ (ONES * u64::from(b'\\')), 1);
    (is_below(word, 0x20) | quote | backslash) & TOPS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_copied(text: &[u8], plain: usize) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            let mut out = b"before".to_vec();
            // SAFETY: it has just been seen that the processor has AVX2.
            #[expect(unsafe_code, reason = "the processor's own instructions")]
            let length = unsafe { copy_plain_by_avx2(text, &mut out) };
            assert_eq!(
                (length, &out[..]),
                (plain, &[b"before", &text[..plain]].concat()[..])
            );
        }
    }

    #[test]
    fn every_byte_at_every_place_is_found_as_one_by_one() {
        for filler in [b'a', b' ', 0x7f, 0x80, 0xff, b'!', b'#', b'[', b']'] {
            for length in (0..36).chain(62..68) {
                for place in 0..length {
                    for byte in 0..=255 {
                        let mut text = vec![filler; length];
                        text[place] = byte;
                        let slow = text.iter().position(|&byte| is_special(byte)).unwrap_or(length);
                        assert_eq!(plain_length(&text), slow, "{byte} at {place} of {length}");
                        assert_eq!(by_eight(&text), slow, "{byte} at {place} of {length}");
                        assert_copied(&text, slow);
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_of_several_is_found() {
        let specials = [b'"', b'\\', 0, 0x1f, b'\n'];
        for first in 0..40 {
            for second in first..40 {
                for byte in specials {
                    for other in specials {
                        let mut text = [b'"' + 1; 40];
                        (text[second], text[first]) = (other, byte);
                        assert_eq!((plain_length(&text), by_eight(&text)), (first, first));
                        assert_copied(&text, first);
                    }
                }
            }
        }
    }
}
