//! Whether bytes are all UTF-8.
//!
//! Where no byte is c0, c1, e0, ed, f0 or more, any bytes of 80 to bf may follow the first of a character, so that it is enough to compare
//! where they are with where they must be: a bit for each of 64 bytes. What comes after one of those is left to `simdutf8`.

/// Whether `data` is UTF-8.
pub(super) fn is_valid(data: &[u8]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512bw") {
        // SAFETY: the processor was just asked for AVX-512.
        #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
        let plain = unsafe { wide::plain(data) };
        return plain.is_some_and(|plain| simdutf8::basic::from_utf8(&data[plain..]).is_ok());
    }
    simdutf8::basic::from_utf8(data).is_ok()
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m512i, _mm512_cmpeq_epi8_mask, _mm512_cmpge_epu8_mask, _mm512_loadu_si512, _mm512_movepi8_mask,
        _mm512_set1_epi8,
    };

    use crate::scan::utf8::begun;

    /// How many bytes of the beginning are whole characters of which any may be; nothing if there is an error among them.
    #[target_feature(enable = "avx512bw")]
    pub(super) fn plain(data: &[u8]) -> Option<usize> {
        let (chunks, _) = data.as_chunks::<64>();
        // The first bytes of the next chunk that must go on with a character.
        let mut awaited = 0;
        let mut passed = 0;
        for chunk in chunks {
            let bytes = load(chunk);
            let high = _mm512_movepi8_mask(bytes);
            if high | awaited != 0 {
                let from = |least: u8| _mm512_cmpge_epu8_mask(bytes, all(least));
                let equal = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, all(byte));
                let (leads, threes) = (from(0xc0), from(0xe0));
                if leads & !from(0xc2) | equal(0xe0) | equal(0xed) | from(0xf0) != 0 {
                    break;
                }
                if awaited | leads << 1 | threes << 2 != high & !leads {
                    return None;
                }
                awaited = leads >> 63 | threes >> 62;
            }
            passed += chunk.len();
        }
        Some(passed - begun(&data[..passed]))
    }

    #[target_feature(enable = "avx512bw")]
    fn all(byte: u8) -> __m512i {
        _mm512_set1_epi8(byte.cast_signed())
    }

    #[target_feature(enable = "avx512bw")]
    fn load(chunk: &[u8; 64]) -> __m512i {
        // SAFETY: the array is as long as a vector.
        #[expect(unsafe_code, reason = "a load is through a pointer")]
        unsafe {
            _mm512_loadu_si512(chunk.as_ptr().cast())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::dice;

    #[test]
    fn what_is_valid_is_what_the_standard_library_says() {
        let mut random = dice(13);
        let alphabets = [
            "aé",
            "я ю",
            "a漢ß",
            "é漢😀 ",
            "ऀห한a",
            "x",
            "ÿ\u{7ff}\u{800}\u{ffff}",
        ];
        for round in 0..30_000 {
            let characters: Vec<char> = alphabets[round % alphabets.len()].chars().collect();
            let text: String = (0..random(200))
                .map(|_| characters[random(characters.len())])
                .collect();
            let mut data = text.into_bytes();
            for _ in 0..random(3).min(data.len()) {
                let at = random(data.len());
                match random(3) {
                    0 => data[at] = random(256).to_le_bytes()[0],
                    1 => data[at] = data[random(data.len())],
                    _ => drop(data.remove(at)),
                }
                if data.is_empty() {
                    break;
                }
            }
            assert_eq!(is_valid(&data), std::str::from_utf8(&data).is_ok(), "{data:x?}");
        }
    }
}
