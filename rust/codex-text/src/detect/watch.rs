//! How many places do not decode in an East Asian encoding, over bytes that come in blocks.

use crate::codec::Listed;
use crate::multi_byte::MultiByte;

/// Past so many errors, and fewer characters than errors, nothing more is counted.
const ENOUGH: u64 = 4096;
/// Bytes of the longest character, less one.
const LONGEST: usize = 3;

/// Errors of `listed` in bytes that come in blocks.
#[derive(Debug)]
pub(crate) struct Errors {
    pub(crate) listed: &'static Listed,
    pub(crate) count: u64,
    pub(crate) first: Option<u64>,
    characters: u64,
    /// Bytes that wait for those after them.
    open: Vec<u8>,
    at: u64,
    last: Last,
}

/// What the last block began with, and what it added.
#[derive(Debug, Default)]
struct Last {
    open: Vec<u8>,
    at: u64,
    count: u64,
    characters: u64,
}

impl Errors {
    pub(crate) fn new(listed: &'static Listed, at: u64) -> Self {
        Self {
            listed,
            count: 0,
            first: None,
            characters: 0,
            open: Vec::new(),
            at,
            last: Last::default(),
        }
    }

    /// The same in a codec that has more characters, after `add` of `block`, the first in which this one has errors.
    pub(crate) fn wider(&self, listed: &'static Listed, block: &[u8], is_last: bool) -> Self {
        let mut wider = Self {
            characters: self.characters - self.last.characters,
            open: self.last.open.clone(),
            ..Self::new(listed, self.last.at)
        };
        wider.add(block, false, is_last);
        wider
    }

    /// Counts over the next block; the last bytes of it wait for those after them. `is_again` tells that it equals the one before.
    pub(crate) fn add(&mut self, block: &[u8], is_again: bool, is_last: bool) {
        let Some(table) = self.listed.multi_byte() else {
            return;
        };
        if self.count > ENOUGH && self.count > self.characters {
            return; // it is not this encoding, and the count is a lower bound
        }
        if is_again && !is_last && self.open == self.last.open {
            self.count += self.last.count;
            self.characters += self.last.characters;
            self.last.at = self.at;
            self.at += block.len() as u64;
            return;
        }
        let (count, characters) = (self.count, self.characters);
        self.last.open.clone_from(&self.open);
        self.last.at = self.at;
        self.open.extend_from_slice(block);
        let until = self.open.len() - if is_last { 0 } else { LONGEST.min(self.open.len()) };
        let end = self.count_until(table, until).min(self.open.len());
        self.open.drain(..end);
        self.at += end as u64;
        self.last.count = self.count - count;
        self.last.characters = self.characters - characters;
    }

    /// Counts the characters that begin before `until`; tells where the last of them ends.
    fn count_until(&mut self, table: &MultiByte, until: usize) -> usize {
        let (mut at, mut characters) = (0, 0);
        while at < until {
            let data = &self.open[at..];
            match *data {
                [..0x80, ..] => {
                    let (words, _) = data.as_chunks::<8>();
                    let is_ascii = |word: &&[u8; 8]| u64::from_le_bytes(**word) & 0x8080_8080_8080_8080 == 0;
                    at += (8 * words.iter().take_while(is_ascii).count()).max(1);
                }
                [lead, trail, ..] if table.has_pair(lead, trail) => {
                    at += 2;
                    characters += 1;
                }
                _ => {
                    if let Some((_, length)) = table.first(data) {
                        at += length;
                        characters += 1;
                    } else {
                        self.count += 1;
                        self.first.get_or_insert(self.at + at as u64);
                        at += 1;
                        if self.count > ENOUGH && self.count > self.characters + characters {
                            at = self.open.len();
                        }
                    }
                }
            }
        }
        self.characters += characters;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::multi_byte_codecs;

    fn counted(listed: &'static Listed, blocks: &[(&[u8], bool)]) -> (u64, Option<u64>, u64) {
        let mut errors = Errors::new(listed, 0);
        for (number, (block, is_again)) in blocks.iter().enumerate() {
            errors.add(block, *is_again, number + 1 == blocks.len());
        }
        (errors.count, errors.first, errors.characters)
    }

    /// What `Errors` counts, written to be read.
    fn counted_one_by_one(listed: &'static Listed, data: &[u8]) -> (u64, Option<u64>, u64) {
        let table = listed.multi_byte().expect("a codec of several bytes");
        let (mut count, mut first, mut characters) = (0, None, 0);
        let mut at = 0;
        while at < data.len() {
            let found = table.first(&data[at..]);
            if found.is_none() {
                count += 1;
                first.get_or_insert(at as u64);
            }
            characters += u64::from(found.is_some() && data[at] >= 0x80);
            at += found.map_or(1, |(_, length)| length);
        }
        (count, first, characters)
    }

    #[test]
    fn blocks_are_counted_as_one_by_one_however_often_they_come_again() {
        let beginnings: [&[u8]; 6] = [
            b"\xe9",
            b"\x8f\xa2\xb7a",
            b"\x81\x30\x81\x30",
            b"a\xa1 plain\x80",
            b"\xff\xe9",
            b"\xb1\xa1\xa1\xff1",
        ];
        for listed in multi_byte_codecs() {
            for beginning in beginnings {
                let block = beginning.repeat(60);
                for (times, cut) in [(1, 0), (2, 1), (5, 0), (5, 3)] {
                    let last = &block[..block.len() - cut];
                    let mut blocks = vec![(&block[..], true); times];
                    blocks[0].1 = false;
                    blocks.push((last, false));
                    let whole: Vec<u8> = blocks
                        .iter()
                        .flat_map(|(block, _)| block.iter().copied())
                        .collect();
                    assert_eq!(
                        counted(listed, &blocks),
                        counted_one_by_one(listed, &whole),
                        "{} {beginning:x?} {times} {cut}",
                        listed.name()
                    );
                }
            }
        }
    }
}
