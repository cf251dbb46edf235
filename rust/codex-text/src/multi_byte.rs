//! East Asian encodings: one, two, three or four bytes a character.

mod packed;

use std::collections::BTreeMap;

/// Characters by their bytes; `NOTHING` where there is none.
#[derive(Debug)]
pub(crate) struct MultiByte {
    one: Vec<char>,
    two: Pairs,
    /// The mark after the letter in `two`, by both bytes, where they are two characters (か゚ of `shift_jis_2004`).
    marks: BTreeMap<u16, char>,
    /// By the last two of three bytes; the first is the same for all (`euc_jp` has 8f).
    three: Option<(u8, Pairs)>,
    four: Vec<Run>,
    /// By the first byte of two, which second bytes make a character; a thirty-second of the memory of `two`.
    pairs: Box<[[u64; 4]; 256]>,
}

/// Characters by two bytes, the first of which is 80 or more.
#[derive(Debug)]
struct Pairs {
    /// Code points; from `BEYOND` on, where Unicode has none, the places of those that take more bits.
    units: Vec<u16>,
    beyond: Vec<char>,
}

const BEYOND: u16 = 0xd800;

impl Pairs {
    fn new() -> Self {
        Self {
            units: vec![0; 0x8000],
            beyond: Vec::new(),
        }
    }

    #[inline]
    fn get(&self, lead: u8, trail: u8) -> char {
        let row = usize::from(lead).wrapping_sub(0x80);
        let unit = self
            .units
            .get(row << 8 | usize::from(trail))
            .copied()
            .unwrap_or_default();
        char::from_u32(unit.into()).unwrap_or_else(|| self.beyond[usize::from(unit - BEYOND)])
    }

    /// Those that begin with `lead`, from the second byte `first` on.
    fn set(&mut self, lead: usize, first: usize, characters: &[char]) {
        let units = &mut self.units[(lead - 0x80) << 8 | first..];
        for (unit, character) in units.iter_mut().zip(characters) {
            *unit = u16::try_from(u32::from(*character)).unwrap_or_else(|_| {
                self.beyond.push(*character);
                BEYOND - 1 + u16::try_from(self.beyond.len()).unwrap_or(u16::MAX)
            });
        }
    }
}

/// Four-byte sequences (`gb18030`) whose code points follow one another.
#[derive(Debug)]
struct Run {
    linear: u32,
    point: u32,
    count: u32,
}

/// No text holds it, so it can stand for a hole.
const NOTHING: char = '\0';

impl MultiByte {
    /// Rows `lead first characters`, `+ pair point` for the mark of a pair, and `@ linear point count` for runs of four-byte sequences:
    /// those of a file, of which the last, from `own` on, are the table's.
    pub(crate) fn parse(rows: &[&str], own: usize) -> Self {
        let mut one: Vec<char> = (0..0x80).map(char::from).collect();
        one.resize(0x100, NOTHING);
        let mut table = Self {
            one,
            two: Pairs::new(),
            marks: BTreeMap::new(),
            three: None,
            four: Vec::new(),
            pairs: Box::new([[0; 4]; 256]),
        };
        let mut told = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let words: Vec<&str> = row.splitn(3, ' ').collect();
            if let ["@", linear, rest] = words[..] {
                table
                    .four
                    .extend(Run::parse(linear, rest).filter(|_| number >= own));
            } else if let ["+", pair, mark] = words[..] {
                let mark = u32::from_str_radix(mark, 16).ok().and_then(char::from_u32);
                let pair = u16::from_str_radix(pair, 16).ok();
                table.marks.extend(pair.zip(mark).filter(|_| number >= own));
            } else if let [lead, first, characters] = words[..] {
                let begin = told.len();
                packed::tell(characters, &mut told);
                if number >= own {
                    table.add(lead, hexadecimal(first), &told[begin..]);
                }
            }
        }
        for lead in (0..=u8::MAX).filter(|lead| table.one[usize::from(*lead)] == NOTHING) {
            for trail in (0..=u8::MAX).filter(|trail| table.two.get(lead, *trail) != NOTHING) {
                table.pairs[usize::from(lead)][usize::from(trail >> 6)] |= 1 << (trail & 63);
            }
        }
        table
    }

    /// Whether two bytes are a character.
    #[inline]
    pub(crate) fn has_pair(&self, lead: u8, trail: u8) -> bool {
        self.pairs[usize::from(lead)][usize::from(trail >> 6)] >> (trail & 63) & 1 == 1
    }

    /// Whether two bytes may begin a character of three or four.
    #[inline]
    pub(crate) fn may_be_longer(&self, lead: u8, second: u8) -> bool {
        self.three.as_ref().is_some_and(|(first, _)| *first == lead)
            || (!self.four.is_empty() && second.is_ascii_digit())
    }

    /// How many bytes outside ASCII a character has at most.
    pub(crate) fn most_high_bytes(&self) -> u32 {
        if self.three.is_some() { 3 } else { 2 }
    }

    fn add(&mut self, lead: &str, first: usize, characters: &[char]) {
        match (lead.len(), hexadecimal(lead)) {
            (1, _) => self.one[first..first + characters.len()].copy_from_slice(characters),
            (2, lead) => self.two.set(lead, first, characters),
            (_, leads) => {
                let [.., before, lead] = leads.to_be_bytes();
                let (_, three) = self.three.get_or_insert_with(|| (before, Pairs::new()));
                three.set(lead.into(), first, characters);
            }
        }
    }

    /// The characters of `data`, or the offset of the first byte that begins none.
    pub(crate) fn decode(&self, data: &[u8]) -> Result<String, usize> {
        let mut text = String::with_capacity(data.len() + data.len() / 2);
        let mut at = 0;
        while at < data.len() {
            let (character, length) = self.first(&data[at..]).ok_or(at)?;
            text.push(character);
            if let (false, [lead, trail]) = (self.marks.is_empty(), &data[at..at + length]) {
                text.extend(self.marks.get(&u16::from_be_bytes([*lead, *trail])));
            }
            at += length;
        }
        Ok(text)
    }

    /// The first character, without a mark, and how many bytes it is.
    pub(crate) fn first(&self, data: &[u8]) -> Option<(char, usize)> {
        let known = |character: char, length| (character != NOTHING).then_some((character, length));
        let [a, rest @ ..] = data else { return None };
        known(self.one[usize::from(*a)], 1)
            .or_else(|| known(self.two.get(*a, *rest.first()?), 2))
            .or_else(|| match (&self.three, rest) {
                (Some((lead, three)), [b, c, ..]) if lead == a => known(three.get(*b, *c), 3),
                _ => None,
            })
            .or_else(|| match *rest {
                [b, c, d, ..] => self.four_bytes([*a, b, c, d]).map(|character| (character, 4)),
                _ => None,
            })
    }

    fn four_bytes(&self, bytes: [u8; 4]) -> Option<char> {
        let mut linear = 0;
        for (byte, (first, count)) in
            bytes
                .into_iter()
                .zip([(0x81, 126), (0x30, 10), (0x81, 126), (0x30, 10)])
        {
            let digit = byte.checked_sub(first).filter(|digit| *digit < count)?;
            linear = linear * u32::from(count) + u32::from(digit);
        }
        let later = self.four.partition_point(|run| run.linear <= linear);
        let run = self.four.get(later.checked_sub(1)?)?;
        let past = linear - run.linear;
        if past < run.count {
            char::from_u32(run.point + past)
        } else {
            None
        }
    }
}

impl Run {
    fn parse(linear: &str, rest: &str) -> Option<Self> {
        let (point, count) = rest.split_once(' ')?;
        Some(Self {
            linear: linear.parse().ok()?,
            point: u32::from_str_radix(point, 16).ok()?,
            count: count.parse().ok()?,
        })
    }
}

fn hexadecimal(word: &str) -> usize {
    usize::from_str_radix(word, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_two_three_and_four_bytes_stand_side_by_side() {
        let table = MultiByte::parse(
            &[
                "- a1 not its own",
                "@ 30 80 1",
                "+ 8ea3 309a",
                "- a1 ｡｢",
                "8e a1 あ.う",
                "8f a1 𠀋.x𠂉",
                "+ 8ea1 309a",
                "8fa2 b7 ~",
                "@ 0 80 2",
                "@ 10 100 1",
            ],
            3,
        );
        let data =
            b"a\xa1\x8e\xa1\x8e\xa3\x8f\xa1\x8f\xa4\x8f\xa3\x8f\xa2\xb7\x81\x30\x81\x31\x81\x30\x82\x30";
        assert_eq!(
            table.decode(data),
            Ok("a｡あ\u{309a}う𠀋𠂉x~\u{81}\u{100}".to_owned())
        );
        for (data, at) in [
            (&b"a\x8e\xa2"[..], 1),
            (b"\x8e", 0),
            (b"\x8f\xa2", 0),
            (b"\x81\x30\x81\x32", 0),
            (b"\x81\x30\x81", 0),
            (b"\x81\x3a\x81\x30", 0),
            (b"\x81\x30\x84\x30", 0),
        ] {
            assert_eq!(table.decode(data), Err(at), "{data:x?}");
        }
    }
}
