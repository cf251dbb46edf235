//! Seven-bit encodings that say by escapes what they are: ISO-2022, HZ, UTF-7.

use super::Limits;

/// Bytes of the file that are looked at.
pub(crate) const LOOKED_AT: usize = 1 << 16;

/// The encoding that the escapes in ASCII bytes declare, of those allowed.
pub(crate) fn find(data: &[u8], limits: &Limits) -> Option<&'static str> {
    iso_2022(data, limits)
        .or_else(|| hz(data))
        .or_else(|| utf_7(data))
        .filter(|name| limits.allows(name))
}

/// The character sets that ISO 2022 codecs know, by what follows ESC.
const SETS: [&[u8]; 13] = [
    b"$@", b"$B", b"(J", b"$(D", b"$(C", b"$A", b".A", b".F", b"$)C", b"$(O", b"$(P", b"$(Q", b"(I",
];
/// Which of them each codec knows, the better known codecs first.
const CODECS: [(&str, &[u8]); 7] = [
    ("iso2022_jp", &[0, 1, 2]),
    ("iso2022_kr", &[8]),
    ("iso2022_jp_1", &[0, 1, 2, 3]),
    ("iso2022_jp_2", &[0, 1, 2, 3, 4, 5, 6, 7]),
    ("iso2022_jp_3", &[1, 9, 10]),
    ("iso2022_jp_2004", &[1, 10, 11]),
    ("iso2022_jp_ext", &[0, 1, 2, 3, 12]),
];

/// The codec that knows most of the sets there are, of equals the best known.
fn iso_2022(data: &[u8], limits: &Limits) -> Option<&'static str> {
    let mut seen = [false; SETS.len()];
    for at in memchr::memchr_iter(0x1b, data) {
        let after = &data[at + 1..];
        if matches!(after, [b'$' | b'(' | b'.', ..])
            && let Some(set) = SETS.iter().position(|set| after.starts_with(set))
        {
            seen[set] = true;
        }
    }
    let known = |sets: &[u8]| sets.iter().filter(|set| seen[usize::from(**set)]).count();
    let (known, name) = CODECS
        .iter()
        .rev()
        .filter(|(name, _)| limits.allows(name))
        .map(|(name, sets)| (known(sets), *name))
        .max_by_key(|(known, _)| *known)?;
    (known > 0).then_some(name)
}

/// `~{`, pairs of GB 2312, `~}`.
fn hz(data: &[u8]) -> Option<&'static str> {
    let mut pairs = 0;
    let mut rest = data;
    while let Some(at) = memchr::memmem::find(rest, b"~{") {
        let body = &rest[at + 2..];
        let is_pair = |pair: &&[u8; 2]| (0x21..=0x77).contains(&pair[0]) && (0x21..=0x7e).contains(&pair[1]);
        let good = body.as_chunks::<2>().0.iter().take_while(is_pair).count();
        pairs += good;
        rest = &body[2 * good..];
        if rest.len() < 2 {
            break; // cut anywhere
        }
        // The shift ends by itself at the end of a line.
        if good == 0 || !(rest.starts_with(b"~}") || rest.starts_with(b"\n")) {
            return None;
        }
    }
    (pairs > 0).then_some("hz")
}

/// `+`, UTF-16 in Base64, usually `-`.
fn utf_7(data: &[u8]) -> Option<&'static str> {
    let mut runs = 0;
    let mut rest = data;
    while let Some(at) = memchr::memchr(b'+', rest) {
        let body = &rest[at + 1..];
        let end = body
            .iter()
            .position(|byte| !is_base64(*byte))
            .unwrap_or(body.len());
        rest = &body[end..];
        let is_cut = rest.is_empty();
        if is_cut && runs > 0 {
            break; // what came before has told
        }
        if end == 0 {
            if rest.first() == Some(&b'-') {
                continue;
            }
            return None;
        }
        if !is_utf_16(&body[..end], is_cut) {
            return None;
        }
        runs += 1;
    }
    (runs > 0).then_some("utf-7")
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Whether Base64 holds characters outside ASCII, in whole units, the bits left over zero.
fn is_utf_16(text: &[u8], is_cut: bool) -> bool {
    let (mut bits, mut held) = (0u32, 0u32);
    let mut units = Vec::new();
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 16 {
            held -= 16;
            units.push((bits >> held & 0xffff) as u16);
        }
    }
    let is_whole = held < 6 && bits & ((1 << held) - 1) == 0;
    let is_strange = |character: &char| *character < ' ' && !"\t\n\r".contains(*character);
    let characters: Result<Vec<char>, _> = char::decode_utf16(units).collect();
    (is_whole || is_cut)
        && characters.is_ok_and(|found| {
            !found.is_empty()
                && found
                    .iter()
                    .any(|c| !c.is_ascii() || "~\\\n\t\r+&<>=\"@#$%*[]^_`{|}!;".contains(*c))
                && !found.iter().any(is_strange)
        })
}
