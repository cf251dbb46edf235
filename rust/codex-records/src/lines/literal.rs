//! Numbers and strings as they are written.

use crate::encode::put;
use crate::plain::plain_length;

/// Where the number ends that begins at `at`, and whether it is an integer; as `number::length`, a loop for each part.
#[inline]
pub(super) fn number_end(line: &[u8], at: usize) -> Option<(usize, bool)> {
    let digits = |at| digits_end(line, at);
    let start = at + usize::from(line[at] == b'-');
    let mut end = match line.get(start)? {
        b'0' => start + 1,
        b'1'..=b'9' => digits(start + 1),
        _ => return None,
    };
    let mut is_integer = true;
    if line.get(end) == Some(&b'.') {
        let behind = digits(end + 1);
        if behind > end + 1 {
            (end, is_integer) = (behind, false);
        }
    }
    if matches!(line.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(line.get(end + 1), Some(b'+' | b'-')));
        let behind = digits(end + 1 + sign);
        if behind > end + 1 + sign {
            (end, is_integer) = (behind, false);
        }
    }
    Some((end, is_integer))
}

/// Where the digits end that stand at `at`; eight at a time.
#[inline]
fn digits_end(line: &[u8], mut at: usize) -> usize {
    while let Some(word) = line.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let values = u64::from_le_bytes(*word) ^ u64::from_le_bytes([b'0'; 8]);
        // The top bit of every byte up to the first above 9. Behind that one a carry may have set more.
        let others =
            (values.wrapping_add(u64::from_le_bytes([0x76; 8])) | values) & u64::from_le_bytes([0x80; 8]);
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while line.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Appends `text` up to its first quote, unescaped; says how long that was, or nothing if it is no string.
pub(crate) fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: it has just been seen that the processor has AVX2.
        #[expect(unsafe_code, reason = "the processor's own instructions")]
        return unsafe { unescape_by_avx2(text, out) };
    }
    unescape_by(text, out, copy_plain)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn unescape_by_avx2(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    unescape_by(text, out, |text, out| crate::plain::copy_plain_by_avx2(text, out))
}

/// `copy` appends what comes before the first quote, backslash or control character, and says how long that is.
#[allow(clippy::inline_always)] // into each way of copying
#[inline(always)]
fn unescape_by(text: &[u8], out: &mut Vec<u8>, copy: impl Fn(&[u8], &mut Vec<u8>) -> usize) -> Option<usize> {
    let mut at = 0;
    loop {
        at += copy(&text[at..], out);
        match text.get(at) {
            None | Some(b'"') => return Some(at),
            Some(b'\\') => {
                if let Some(byte) = text.get(at + 1).and_then(|sign| short_escape(*sign)) {
                    out.push(byte);
                    at += 2;
                    continue;
                }
                let (length, character) = escape(&text[at..])?;
                let mut bytes = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
                at += length;
            }
            Some(_) => return None,
        }
    }
}

fn copy_plain(text: &[u8], out: &mut Vec<u8>) -> usize {
    let plain = plain_length(text);
    put(out, &text[..plain]);
    plain
}

/// How long the escape is that `text` begins with, and what it stands for.
#[inline]
pub(super) fn escape(text: &[u8]) -> Option<(usize, char)> {
    let sign = *text.get(1)?;
    if let Some(byte) = short_escape(sign) {
        return Some((2, char::from(byte)));
    }
    if sign != b'u' {
        return None;
    }
    let first = crate::json::hexadecimal(text)?;
    let second = crate::json::hexadecimal(&text[6..]);
    let code = match (first, second) {
        (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) => {
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        }
        _ => first,
    };
    let character = char::from_u32(code)?;
    Some((6 * character.len_utf16(), character))
}

/// What a backslash and one more sign stand for.
#[inline]
fn short_escape(sign: u8) -> Option<u8> {
    Some(match sign {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'"' | b'\\' | b'/' => sign,
        _ => return None,
    })
}
