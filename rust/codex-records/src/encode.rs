//! Values of JSON as they are written: one spelling for each, nothing escaped that need not be.

use crate::plain::plain_length;
#[cfg(target_arch = "x86_64")]
use crate::plain::specials_of_thirty_two;

/// Adds bytes; up to 32 of them without a call, which costs more than they do.
#[inline]
pub fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes {
        [] => {}
        [byte] => out.push(*byte),
        [first, second] => out.extend_from_slice(&[*first, *second]),
        [first, second, third] => out.extend_from_slice(&[*first, *second, *third]),
        _ if bytes.len() < 8 => put_ends::<4>(out, bytes),
        _ if bytes.len() < 16 => put_ends::<8>(out, bytes),
        _ if bytes.len() <= 32 => put_ends::<16>(out, bytes),
        _ => out.extend_from_slice(bytes),
    }
}

/// Adds `N` to `2 * N` bytes: the first `N`, and the last `N` over what they share.
#[inline]
#[allow(unsafe_code)] // the compiler makes calls of memcpy of safe copies, each longer than the copy
fn put_ends<const N: usize>(out: &mut Vec<u8>, bytes: &[u8]) {
    assert!((N..=2 * N).contains(&bytes.len()));
    out.reserve(2 * N);
    // SAFETY: both ends lie within `bytes`, which is at least `N` long, and within the room just made, which begins where `out`
    // ends; together they are all of `bytes`, since that is at most `2 * N` long.
    unsafe {
        let (from, to) = (bytes.as_ptr(), out.as_mut_ptr().add(out.len()));
        let behind = bytes.len() - N;
        let (first, last) = (
            from.cast::<[u8; N]>().read(),
            from.add(behind).cast::<[u8; N]>().read(),
        );
        to.cast::<[u8; N]>().write(first);
        to.add(behind).cast::<[u8; N]>().write(last);
        out.set_len(out.len() + bytes.len());
    }
}

/// Adds the first `length` of 32 bytes, by a copy of all of them.
///
/// # Panics
/// If there are fewer.
#[inline]
#[allow(unsafe_code)]
pub fn put_start(out: &mut Vec<u8>, bytes: &[u8; 32], length: usize) {
    assert!(length <= bytes.len());
    out.reserve(bytes.len());
    // SAFETY: there is room for all of them behind the end, and `length` of them are bytes of `out` from then on.
    unsafe {
        out.as_mut_ptr().add(out.len()).cast::<[u8; 32]>().write(*bytes);
        out.set_len(out.len() + length);
    }
}

/// Adds a string: only quotes, backslashes and control characters are escaped, as RFC 8785 escapes them.
#[inline]
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    #[cfg(target_arch = "x86_64")]
    if text.len() >= LONG {
        use std::arch::is_x86_feature_detected as has;
        // SAFETY: the processor is asked for what each of them needs.
        #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
        unsafe {
            if has!("avx512vbmi2") && has!("avx512bw") && has!("avx512vl") && has!("bmi2") {
                inside_by_avx512(out, text.as_bytes());
                return out.push(b'"');
            }
            if has!("avx2") {
                inside_by_avx2(out, text.as_bytes());
                return out.push(b'"');
            }
        }
    }
    inside(out, text.as_bytes());
    out.push(b'"');
}

/// Strings of so many bytes are worth the question what the processor can do.
#[cfg(target_arch = "x86_64")]
const LONG: usize = 64;

/// What stands between the quotes.
#[inline]
fn inside(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 1);
    let mut rest = text;
    loop {
        let plain = plain_length(rest);
        put(out, &rest[..plain]);
        let Some(&special) = rest.get(plain) else {
            break;
        };
        out.extend_from_slice(ESCAPES[usize::from(special)].as_bytes());
        rest = &rest[plain + 1..];
    }
}

/// `inside`, 32 bytes a step. What follows the first special byte of them is copied in vain, and again in the next step: so no
/// step asks whether there is one, which could not be foretold.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "copies of a fixed length into room that is there")]
fn inside_by_avx2(out: &mut Vec<u8>, text: &[u8]) {
    for piece in text.chunks(4096) {
        out.reserve(piece.len() * LONGEST_ESCAPE + size_of::<[u8; 32]>() + size_of::<u64>());
        let mut at = 0;
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            let chunk = rest.first_chunk().copied().unwrap_or_else(|| {
                let mut last = [b' '; 32];
                last[..rest.len()].copy_from_slice(rest);
                last
            });
            let specials = specials_of_thirty_two(&chunk);
            let plain = (specials.trailing_zeros() as usize).min(rest.len());
            let escape = &ESCAPES[usize::from(chunk[plain % 32])];
            // SAFETY: a step adds at most `LONGEST_ESCAPE` bytes for each that it takes from the piece, for which there is room, and
            // room for both of its copies behind them; every byte below the new length was written by one of them.
            unsafe {
                let end = out.as_mut_ptr().add(out.len());
                end.cast::<[u8; 32]>().write_unaligned(chunk);
                end.add(plain).cast::<[u8; 8]>().write_unaligned(escape.bytes);
                out.set_len(out.len() + plain + usize::from(escape.length));
            }
            at += plain + usize::from(specials != 0);
        }
    }
}

/// `inside`, 32 bytes a step: each becomes two, a backslash and itself or the letter it is written by, and those backslashes are
/// taken out again that nothing asked for. A step with a character that is written by its number is made by `inside`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2,popcnt")]
#[expect(unsafe_code, reason = "stores of a fixed length into room that is there")]
fn inside_by_avx512(out: &mut Vec<u8>, text: &[u8]) {
    use std::arch::x86_64::{
        _mm256_cmpeq_epi8_mask, _mm256_cmplt_epu8_mask, _mm256_loadu_si256, _mm256_mask_cmpeq_epi8_mask,
        _mm256_mask_shuffle_epi8, _mm256_set1_epi8, _mm256_setzero_si256, _mm512_cvtepu8_epi16,
        _mm512_maskz_compress_epi8, _mm512_or_si512, _mm512_set1_epi16, _mm512_slli_epi16,
        _mm512_storeu_si512, _pdep_u64,
    };

    const EVEN: u64 = u64::from_ne_bytes([0x55; 8]);
    const PAIRS: usize = size_of::<[u8; 64]>();
    // What a control character is written by, at the place of its last four bits.
    const LETTERS: [u8; 32] = *b"\0\0\0\0\0\0\0\0btn\0fr\0\0\0\0\0\0\0\0\0\0btn\0fr\0\0";

    // SAFETY: there are the 32 bytes that are loaded.
    let letters = unsafe { _mm256_loadu_si256(LETTERS.as_ptr().cast()) };
    let (chunks, rest) = text.as_chunks::<32>();
    for piece in chunks.chunks(4096 / 32) {
        out.reserve(piece.len() * PAIRS);
        for chunk in piece {
            // SAFETY: the chunk has the 32 bytes that are loaded, wherever they lie.
            let bytes = unsafe { _mm256_loadu_si256(chunk.as_ptr().cast()) };
            let control = _mm256_cmplt_epu8_mask(bytes, _mm256_set1_epi8(0x20));
            let special = control
                | _mm256_cmpeq_epi8_mask(bytes, _mm256_set1_epi8(0x22))
                | _mm256_cmpeq_epi8_mask(bytes, _mm256_set1_epi8(0x5c));
            let written = _mm256_mask_shuffle_epi8(bytes, control, letters, bytes);
            let numbered = _mm256_mask_cmpeq_epi8_mask(control, written, _mm256_setzero_si256())
                | (control & !_mm256_cmplt_epu8_mask(bytes, _mm256_set1_epi8(0x10)));
            if numbered != 0 {
                inside(out, chunk);
                out.reserve(piece.len() * PAIRS);
                continue;
            }
            let pairs = _mm512_or_si512(
                _mm512_slli_epi16::<8>(_mm512_cvtepu8_epi16(written)),
                _mm512_set1_epi16(0x5c),
            );
            let wanted = !EVEN | _pdep_u64(u64::from(special), EVEN);
            let compressed = _mm512_maskz_compress_epi8(wanted, pairs);
            // SAFETY: there is room for two bytes of each that is left in the piece, and as many as count are written.
            unsafe {
                _mm512_storeu_si512(out.as_mut_ptr().add(out.len()).cast(), compressed);
                out.set_len(out.len() + wanted.count_ones() as usize);
            }
        }
    }
    inside(out, rest);
}

/// How a special byte is written; of all others the length is 0.
#[derive(Clone, Copy)]
struct Escape {
    bytes: [u8; 8],
    length: u8,
}

const LONGEST_ESCAPE: usize = 6;

static ESCAPES: [Escape; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut all = [Escape {
        bytes: [0; 8],
        length: 0,
    }; 256];
    let mut control = 0;
    while control < 0x20 {
        let (high, low) = (DIGITS[control >> 4], DIGITS[control & 15]);
        all[control].bytes = [b'\\', b'u', b'0', b'0', high, low, 0, 0];
        all[control].length = 6;
        control += 1;
    }
    let short = [
        (b'"', b'"'),
        (b'\\', b'\\'),
        (b'\n', b'n'),
        (b'\t', b't'),
        (b'\r', b'r'),
        (0x08, b'b'),
        (0x0c, b'f'),
    ];
    let mut number = 0;
    while number < short.len() {
        let (special, letter) = short[number];
        all[special as usize].bytes = [b'\\', letter, 0, 0, 0, 0, 0, 0];
        all[special as usize].length = 2;
        number += 1;
    }
    all
};

impl Escape {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Adds bytes as two hexadecimal digits each.
pub(crate) fn hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(
        bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| DIGITS[usize::from(digit)]),
    );
}

/// Adds an integer.
#[inline]
pub fn integer(out: &mut Vec<u8>, value: i64) {
    put(out, itoa::Buffer::new().format(value).as_bytes());
}

/// Adds a finite number by the fewest digits that are read as it, with a point or an exponent, so that it is read as no integer.
#[inline]
pub fn float(out: &mut Vec<u8>, value: f64) {
    put(out, zmij::Buffer::new().format_finite(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn written(add: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        add(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn every_character_is_read_back_wherever_it_stands() {
        for character in (0..0x300).chain([0x2028, 0x1f600]).filter_map(char::from_u32) {
            for before in [0, 1, 7, 15, 16, 31] {
                let text = format!("{}{character}b{character}", "a".repeat(before));
                let json = written(|out| string(out, &text));
                assert_eq!(serde_json::from_str::<String>(&json).expect(&json), text);
                assert_eq!(
                    json,
                    serde_json::to_string(&text).expect("a string"),
                    "escapes as others do"
                );
            }
        }
    }

    #[test]
    fn long_strings_are_written_as_short_ones_are() {
        let mut random = 1_u32;
        let mut next = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) % below
        };
        for often in [2, 10, 40, 1000].repeat(1000) {
            let length = if next(50) == 0 { 9000 } else { next(300) };
            let text: String = (0..length)
                .map(|_| match next(often) {
                    0 => char::from_u32(next(0x80)).unwrap_or_default(),
                    1 => 'ü',
                    2 => '"',
                    _ => 'a',
                })
                .collect();
            let mut plain = b"\"".to_vec();
            inside(&mut plain, text.as_bytes());
            plain.push(b'"');
            assert_eq!(written(|out| string(out, &text)).as_bytes(), plain, "{text:?}");
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                let mut by_avx2 = b"\"".to_vec();
                // SAFETY: the processor was just asked for AVX2.
                #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
                unsafe {
                    inside_by_avx2(&mut by_avx2, text.as_bytes());
                }
                assert_eq!(by_avx2, plain[..plain.len() - 1], "{text:?}");
            }
        }
    }

    #[test]
    fn bytes_of_every_length_are_added_as_they_are() {
        let bytes: Vec<u8> = (0..100).collect();
        for length in 0..bytes.len() {
            let mut out = b"before".to_vec();
            put(&mut out, &bytes[..length]);
            assert_eq!(out, [b"before", &bytes[..length]].concat());
        }
        for length in 0..=32 {
            let mut out = b"before".to_vec();
            put_start(&mut out, bytes.first_chunk().expect("there are 100"), length);
            assert_eq!(out, [b"before", &bytes[..length]].concat());
        }
    }

    #[test]
    fn numbers_are_read_back_as_they_were() {
        for value in [0, 7, -1, i64::MIN, i64::MAX] {
            assert_eq!(written(|out| integer(out, value)), value.to_string());
        }
        let mut bits = 1_u64;
        for round in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round);
            let value = f64::from_bits(bits);
            if value.is_finite() {
                let json = written(|out| float(out, value));
                let read: Value = serde_json::from_str(&json).expect(&json);
                assert!(read.is_f64(), "{json}");
                assert_eq!(
                    json.parse::<f64>().expect("a number").to_bits(),
                    value.to_bits(),
                    "{json}"
                );
            }
        }
        for (value, wanted) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e16, "1e+16"),
            (1e-7, "1e-7"),
            (0.1, "0.1"),
        ] {
            assert_eq!(written(|out| float(out, value)), wanted);
        }
    }
}
