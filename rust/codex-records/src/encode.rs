//! Values of JSON as they are written: one spelling for each, nothing escaped that need not be.

use crate::plain::plain_length;

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
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let plain = plain_length(rest);
        put(out, &rest[..plain]);
        let Some(&special) = rest.get(plain) else {
            break;
        };
        escape(out, special);
        rest = &rest[plain + 1..];
    }
    out.push(b'"');
}

#[cold]
fn escape(out: &mut Vec<u8>, special: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let letter = match special {
        b'\n' => b'n',
        b'\t' => b't',
        b'\r' => b'r',
        0x08 => b'b',
        0x0c => b'f',
        b'"' | b'\\' => special,
        control => {
            let digits = [
                DIGITS[usize::from(control >> 4)],
                DIGITS[usize::from(control & 15)],
            ];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
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
