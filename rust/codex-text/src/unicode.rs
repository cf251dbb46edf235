//! The Unicode forms: UTF-8, and UTF-16 and UTF-32 where a byte-order mark says so.

use crate::codec::Codec;
use crate::{Error, Result};

/// The encoding the first bytes declare, and where the text begins.
///
/// `ff fe 00 00` begins UTF-32: as UTF-16 it would be a NUL character, which is no text either way.
pub(crate) fn byte_order_mark(data: &[u8]) -> (Option<Codec>, usize) {
    match *data {
        [0xef, 0xbb, 0xbf, ..] => (Some(Codec::Utf8), 3),
        [0xff, 0xfe, 0, 0, ..] => (Some(Codec::Utf32 { big_endian: false }), 4),
        [0, 0, 0xfe, 0xff, ..] => (Some(Codec::Utf32 { big_endian: true }), 4),
        [0xff, 0xfe, ..] => (Some(Codec::Utf16 { big_endian: false }), 2),
        [0xfe, 0xff, ..] => (Some(Codec::Utf16 { big_endian: true }), 2),
        _ => (None, 0),
    }
}

/// `data[start..]` as UTF-8.
pub(crate) fn decode_utf8(data: &[u8], start: usize) -> Result<String> {
    match std::str::from_utf8(&data[start..]) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let at = start + error.valid_up_to();
            Err(Error::undecodable("utf-8", data[at], at))
        }
    }
}

/// `data[start..]` as UTF-16; surrogates must come in pairs.
pub(crate) fn decode_utf16(data: &[u8], start: usize, big_endian: bool) -> Result<String> {
    let name = Codec::Utf16 { big_endian }.name();
    let units = data[start..].chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if big_endian {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        }
    });
    let mut text = String::with_capacity(data.len() / 2);
    let mut at = start;
    for character in char::decode_utf16(units) {
        match character {
            Ok('\0') => return Err(Error::nul_character(at)),
            Ok(character) => {
                text.push(character);
                at += 2 * character.len_utf16();
            }
            Err(_) => return Err(Error::undecodable(name, data[at], at)),
        }
    }
    if at < data.len() {
        Err(Error::undecodable(name, data[at], at))
    } else {
        Ok(text)
    }
}

/// `data[start..]` as UTF-32.
pub(crate) fn decode_utf32(data: &[u8], start: usize, big_endian: bool) -> Result<String> {
    let name = Codec::Utf32 { big_endian }.name();
    let mut text = String::with_capacity(data.len() / 4);
    for at in (start..data.len()).step_by(4) {
        let bytes = data
            .get(at..at + 4)
            .ok_or_else(|| Error::undecodable(name, data[at], at))?;
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let point = if big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        };
        match char::from_u32(point) {
            Some('\0') => return Err(Error::nul_character(at)),
            Some(character) => text.push(character),
            None => return Err(Error::undecodable(name, data[at], at)),
        }
    }
    Ok(text)
}
