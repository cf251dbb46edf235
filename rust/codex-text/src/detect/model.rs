//! What follows what in each language: the models that `models/train.py` wrote.

use std::sync::LazyLock;

use super::lanes::LANES;

/// Classes that all languages share: `a` to `z`, then these.
pub(crate) const SPACE: u8 = 26;
const DIGIT: u8 = 27;
const STOP: u8 = 28;
const BRACKET: u8 = 29;
const SIGN: u8 = 30;
/// A character that is none of the language's own.
pub(crate) const FOREIGN: u8 = 31;
const FIRST_OWN: u8 = 32;

/// Costs are in sixteenths of a nat: -16 ln P.
pub(crate) const NAT: u32 = 16;

/// The characters of one language, and how likely each follows each.
#[derive(Debug)]
pub(crate) struct Language {
    /// Such as `de`.
    pub(crate) name: &'static str,
    /// Its own characters in lower case, as little-endian pairs, in order.
    own: &'static [u8],
    table: &'static [u8],
    size: usize,
    /// What each class costs at least, whatever it follows.
    least: Vec<u8>,
    /// Whether it is written in Latin letters: none of its own is of a script from Greek to Thai.
    pub(crate) is_latin: bool,
}

impl Language {
    /// What it costs that `next` follows `this`.
    #[inline]
    pub(crate) fn cost(&self, this: u8, next: u8) -> u32 {
        u32::from(self.table[usize::from(this) * self.size + usize::from(next)])
    }

    fn new(name: &'static str, own: &'static [u8], table: &'static [u8], size: usize) -> Self {
        let least = |class| table.iter().skip(class).step_by(size).copied().min();
        Self {
            name,
            own,
            table,
            size,
            least: (0..size).filter_map(least).collect(),
            is_latin: !points(own).any(|point| (0x370..0x1000).contains(&point)),
        }
    }

    /// Its own characters with their classes.
    pub(super) fn own(&self) -> impl Iterator<Item = (u16, u8)> {
        points(self.own).zip(FIRST_OWN..)
    }

    /// What a class costs at least, whatever it follows.
    #[inline]
    pub(crate) fn least(&self, class: u8) -> u32 {
        u32::from(self.least[usize::from(class)])
    }
}

fn points(pairs: &[u8]) -> impl Iterator<Item = u16> {
    pairs.as_chunks::<2>().0.iter().copied().map(u16::from_le_bytes)
}

/// The class of an ASCII byte.
pub(crate) const fn shared_class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => byte - b'a',
        b'A'..=b'Z' => byte - b'A',
        b'0'..=b'9' => DIGIT,
        0..=b' ' | 0x7f => SPACE,
        b'.' | b',' | b';' | b':' | b'!' | b'?' => STOP,
        b'"' | b'\'' | b'(' | b')' | b'[' | b']' | b'-' => BRACKET,
        _ => SIGN,
    }
}

pub(crate) static FILE: &[u8] = include_bytes!("../../models/models.bin");

/// FNV-1a of the file: another model is another answer, so it does not change unnoticed.
#[cfg(test)]
pub(crate) const FILE_HASH: u64 = 0x2d25_b57c_1020_e27f;

#[cfg(test)]
pub(crate) fn hash(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// All languages, in the order of the file.
pub(crate) static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| languages(FILE).0);
/// What it costs in each language that one class of ASCII bytes follows another.
pub(crate) static ASCII_COSTS: LazyLock<Vec<[[u8; LANES]; FOREIGN as usize]>> = LazyLock::new(|| {
    let mut costs = vec![[[0; LANES]; FOREIGN as usize]; FOREIGN.into()];
    for (number, language) in LANGUAGES.iter().enumerate() {
        for (row, costs) in language.table.chunks(language.size).zip(&mut costs) {
            for (cost, costs) in row.iter().zip(costs) {
                costs[number] = *cost;
            }
        }
    }
    costs
});
/// The East Asian languages, in the order of the file.
pub(crate) static CHARACTERS: LazyLock<Vec<Characters>> = LazyLock::new(|| characters(languages(FILE).1));

/// Two bytes of count; then for each language a name in four bytes, the number of own characters in one, three of padding, the
/// characters, the table.
fn languages(file: &'static [u8]) -> (Vec<Language>, &'static [u8]) {
    let count = u16::from_le_bytes([file[0], file[1]]);
    let mut rest = &file[2..];
    let mut languages = Vec::with_capacity(count.into());
    for _ in 0..count {
        let (head, body) = rest.split_at(8);
        let own = usize::from(head[4]);
        let size = usize::from(FIRST_OWN) + own;
        let (characters, body) = body.split_at(2 * own);
        let (table, body) = body.split_at(size * size);
        languages.push(Language::new(name(&head[..4]), characters, table, size));
        rest = body;
    }
    (languages, rest)
}

fn name(padded: &'static [u8]) -> &'static str {
    let name = padded.split(|byte| *byte == 0).next().unwrap_or(padded);
    std::str::from_utf8(name).unwrap_or_default()
}

/// How likely each character is in an East Asian language.
#[derive(Debug)]
pub(crate) struct Characters {
    /// Such as `zh-cn`.
    pub(crate) name: &'static str,
    /// How much less than 255 each costs: zero where none is known, so that no memory is taken there.
    less: Box<[u8]>,
    /// What a character costs at least.
    pub(crate) least: u8,
}

impl Characters {
    /// What a character outside ASCII costs.
    #[inline]
    pub(crate) fn cost(&self, character: char) -> u32 {
        self.less
            .get(character as usize)
            .map_or(UNKNOWN, |less| u32::from(u8::MAX - less))
    }
}

/// The cost of a character that no reader of the language knows.
const UNKNOWN: u32 = 17 * NAT;

/// Two bytes of count; then for each language a name in six bytes, the number of characters in two, the characters, their costs.
fn characters(file: &'static [u8]) -> Vec<Characters> {
    let count = u16::from_le_bytes([file[0], file[1]]);
    let mut rest = &file[2..];
    let mut all = Vec::with_capacity(count.into());
    for _ in 0..count {
        let (head, body) = rest.split_at(8);
        let known = usize::from(u16::from_le_bytes([head[6], head[7]]));
        let (points, body) = body.split_at(2 * known);
        let (costs, body) = body.split_at(known);
        let mut less = vec![0; 1 << 16].into_boxed_slice();
        for (point, cost) in points.as_chunks::<2>().0.iter().zip(costs) {
            less[usize::from(u16::from_le_bytes(*point))] = u8::MAX - cost;
        }
        all.push(Characters {
            name: name(&head[..6]),
            less,
            least: costs.iter().copied().min().unwrap_or(0),
        });
        rest = body;
    }
    all
}
