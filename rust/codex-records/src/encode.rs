//! Values of JSON as they are written: one spelling for each, nothing escaped that need not be.

use crate::plain::plain_length;

/// Adds bytes; up to 32 of them without a call, which costs more than they do.
#[inline]
pub fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        4..8 => put_halves::<4>(out, bytes),
        8..16 => put_halves::<8>(out, bytes),
        16..=32 => put_halves::<16>(out, bytes),
        _ => out.extend_from_slice(bytes),
    }
}

/// Adds `N` to `2 * N` bytes: the first `N`, and the last `N` over what they share.
#[inline]
fn put_halves<const N: usize>(out: &mut Vec<u8>, bytes: &[u8]) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
        out.extend_from_slice(first);
        out.truncate(out.len() + bytes.len() - 2 * N);
        out.extend_from_slice(last);
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
