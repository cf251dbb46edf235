//! UTF-16 and UTF-32 without a byte-order mark.

use super::model::{CHARACTERS, NAT};
use super::single::Reading;

/// What each unit of a text in UTF-16 may cost.
pub(crate) const MOST_FOR_A_UNIT: usize = 10 * NAT as usize;
/// Bytes looked at.
pub(crate) const SAMPLE: usize = 2048;

/// Languages that are told apart by their characters.
const EAST_ASIAN: usize = 4;

/// So many units are too few to tell by that it is no text.
const STRANGE_START: usize = 24;

/// Fewer characters than this for a control that is no white space, and it is no UTF-32.
const CHARACTERS_FOR_A_CONTROL: usize = 16;
/// Fewer units than this for one that is no character, and it is no UTF-16.
const UNITS_FOR_A_BAD_ONE: usize = 8;

/// A text of so many characters has a space, a new line or a stop, and one for so many; a table of a program has none, or is sorted.
const LONG: usize = 128;
const CHARACTERS_FOR_A_STOP: usize = 64;
/// Fewer characters than this for one outside ASCII that equals one of the two before, and it is a table.
const CHARACTERS_FOR_ONE_AGAIN: usize = 4;

/// Whether so many stops are too few for a text of so many characters.
fn is_endless(stops: usize, characters: usize) -> bool {
    characters >= LONG && stops * CHARACTERS_FOR_A_STOP < characters
}

/// Whether a character ends a word or a sentence.
fn is_stop(character: char) -> bool {
    character.is_whitespace()
        || character.is_ascii_punctuation()
        || matches!(character, '\u{2010}'..='\u{205f}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff20}')
}

/// UTF-32 if every four bytes are a character, UTF-16 by where the zero bytes are; `head` begins the file.
pub(crate) fn by_nuls(head: &[u8], nuls: [u64; 4], bytes: u64) -> Option<&'static str> {
    let whole: u64 = nuls.iter().sum();
    if whole == 0 || bytes < 2 {
        return None;
    }
    if bytes >= 4 {
        for (is_big, name) in [(false, "utf-32-le"), (true, "utf-32-be")] {
            let lanes = if is_big {
                [nuls[0], nuls[1]]
            } else {
                [nuls[3], nuls[2]]
            };
            if lanes[0] * 4 >= bytes - 3 && lanes[1] * 6 > lanes[0] * 4 && utf32(head, is_big) {
                return Some(name);
            }
        }
    }
    let (even, odd) = (nuls[0] + nuls[2], nuls[1] + nuls[3]);
    let half = bytes / 2;
    if odd * 5 >= half && even * 8 <= odd && reads_as_utf16(head, false) {
        return Some("utf-16-le");
    }
    if even * 5 >= half && odd * 8 <= even && reads_as_utf16(head, true) {
        return Some("utf-16-be");
    }
    None
}

fn reads_as_utf16(head: &[u8], is_big: bool) -> bool {
    let units = head.len().min(SAMPLE) / 2;
    let may_be_alone = units / UNITS_FOR_A_LONE_SURROGATE;
    utf16_cost(head, is_big, may_be_alone).is_some_and(|(cost, _)| (cost as usize) < MOST_FOR_A_UNIT * units)
}

fn utf32(head: &[u8], is_big: bool) -> bool {
    let (fours, _) = head[..head.len().min(SAMPLE)].as_chunks::<4>();
    let (mut controls, mut stops, mut falls, mut before) = (0, 0, 0, '\0');
    let is_text = fours.iter().all(|four| {
        let point = if is_big {
            u32::from_be_bytes(*four)
        } else {
            u32::from_le_bytes(*four)
        };
        char::from_u32(point).is_some_and(|character| {
            controls += usize::from(character.is_control() && !character.is_whitespace());
            stops += usize::from(is_stop(character));
            falls += usize::from(character < std::mem::replace(&mut before, character));
            character != '\0'
        })
    });
    is_text
        && controls * CHARACTERS_FOR_A_CONTROL <= fours.len()
        && !is_endless(stops.min(falls / 4), fours.len())
}

/// Whether so many of the first units are no characters that the bytes are no UTF-16, whatever they begin with.
pub(crate) fn is_noise(head: &[u8], is_big: bool) -> bool {
    let (pairs, _) = head[..head.len().min(SAMPLE)].as_chunks::<2>();
    let units = pairs.iter().map(|pair| {
        if is_big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    });
    let bad = char::decode_utf16(units)
        .filter(|unit| {
            unit.as_ref().map_or(true, |character| {
                matches!(
                    character,
                    '\0' | '\u{e000}'..='\u{f8ff}' | '\u{fffe}' | '\u{ffff}'
                ) || (character.is_control() && !character.is_whitespace())
            })
        })
        .count();
    bad * UNITS_FOR_A_BAD_ONE > pairs.len()
}

/// Where the zero bytes say that it is UTF-16, so many units for a surrogate that has no other half: names of files may hold one.
const UNITS_FOR_A_LONE_SURROGATE: usize = 64;

/// Where in UTF-16 half a surrogate pair stands alone; the other half of the last one may be behind the head.
pub(crate) fn alone(head: &[u8], is_big: bool, is_whole: bool) -> Vec<u64> {
    let units = head.as_chunks::<2>().0.iter().map(|pair| {
        if is_big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    });
    let end = head.len() as u64 & !1;
    let mut at = 0;
    let mut found = Vec::new();
    for character in char::decode_utf16(units) {
        if character.is_err() && (is_whole || at + 2 < end) {
            found.push(at);
        }
        at += character.map_or(2, |character| 2 * character.len_utf16() as u64);
    }
    found
}

/// Fewer units than this for one whose low byte is zero, and it is no UTF-16.
const UNITS_FOR_A_LOW_ZERO: usize = 8;

/// Readings of the head as UTF-16.
pub(crate) fn rank(head: &[u8]) -> Vec<Reading> {
    let units = head[..head.len().min(SAMPLE)].as_chunks::<2>().0;
    let low_zeros = |is_big: bool| units.iter().filter(|unit| unit[usize::from(is_big)] == 0).count();
    [(false, "utf-16-le"), (true, "utf-16-be")]
        .into_iter()
        .filter(|(is_big, _)| low_zeros(*is_big) * UNITS_FOR_A_LOW_ZERO <= units.len())
        .filter_map(|(is_big, name)| {
            let (cost, language) = utf16_cost(head, is_big, 0)?;
            Some(Reading { name, language, cost })
        })
        .collect()
}

/// What the head costs as UTF-16, and the language; nothing if more surrogates than may be are alone, if a character stands for nothing, if it is
/// more than any text costs, or if it is a table.
fn utf16_cost(head: &[u8], is_big: bool, may_be_alone: usize) -> Option<(u32, &'static str)> {
    let unit = |pair: &[u8; 2]| {
        if is_big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    };
    let (mut pairs, _) = head[..head.len().min(SAMPLE)].as_chunks::<2>();
    if let [whole @ .., last] = pairs
        && head.len() > SAMPLE
        && (0xd800..0xdc00).contains(&unit(last))
    {
        pairs = whole; // the other half of it is outside
    }
    let mut costs = [0u32; EAST_ASIAN];
    let most = MOST_FOR_A_UNIT * pairs.len();
    let (mut script, mut seen, mut stops) = (0, 0, 0);
    let (mut before, mut again, mut alone) = (['\0'; 2], 0, 0);
    for character in char::decode_utf16(pairs.iter().map(unit)) {
        let Ok(character) = character else {
            alone += 1;
            if alone > may_be_alone {
                return None;
            }
            continue;
        };
        let point = u32::from(character);
        let common = match point {
            0 | 0xfffe | 0xffff => return None,
            9 | 10 | 13 => Some(4 * NAT),
            0..=0x1f | 0x7f..=0x9f | 0xe000..=0xf8ff | 0xfdd0..=0xfdef => Some(16 * NAT),
            0x20..0x7f => Some(3 * NAT),
            0x2000..=0x206f => Some(6 * NAT),
            _ => None,
        };
        let unknown = match point {
            0x3400..=0x9fff | 0xac00..=0xd7a3 => 13 * NAT,
            _ if common.is_some() => 0,
            _ => {
                let block = point >> 7;
                let is_same = std::mem::replace(&mut script, block) == block;
                if is_same { 5 * NAT } else { 11 * NAT }
            }
        };
        for (sum, model) in costs.iter_mut().zip(CHARACTERS.iter()) {
            *sum += common.unwrap_or_else(|| match model.cost(character) {
                known if known < 11 * NAT => known,
                _ => unknown,
            });
        }
        seen += 1;
        stops += usize::from(is_stop(character));
        again += usize::from(before.contains(&character) && !character.is_ascii());
        before = [before[1], character];
        let most = most.min(MOST_FOR_A_UNIT * (seen + STRANGE_START));
        if costs.iter().all(|cost| *cost as usize > most) {
            return None;
        }
    }
    if is_endless(stops, seen) || (seen >= LONG && again * CHARACTERS_FOR_ONE_AGAIN > seen) {
        return None;
    }
    let named = costs.into_iter().zip(CHARACTERS.iter().map(|model| model.name));
    named.min_by_key(|(cost, _)| *cost)
}
