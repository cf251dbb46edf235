//! Many texts looked for at once: the leftmost, and of those at one place the longest.
//!
//! Nearly no place of a text begins one of them, so the search is a filter. If few bytes begin them it is for those. Otherwise a few
//! bytes of the text are looked up in a table of bits that knows every such stretch near the start of the texts: one that is not
//! there cannot be part of any, and all places before it are passed over at once. Where the filter says yes, the sorted texts are
//! asked.

use crate::pages::Table;
use crate::vocabulary::Strings;
use rustc_hash::FxHashMap;

/// Up to so many different first bytes the search is for those.
const FEW_FIRST_BYTES: usize = 3;

/// Longer texts are known by so many of their bytes.
const LONGEST_HEAD: usize = 8;

/// Shorter texts than this are looked for by their first bytes, so that they do not make the heads of the others as short.
const SHORTEST_HEAD: usize = 4;

/// Bytes looked up at a time.
const LONGEST_STRETCH: usize = 5;

/// Bits in a table for each entry, of which it sets two: one number in sixty is taken for an entry at most.
const BITS_PER_ENTRY: usize = 16;

/// The texts, sorted, and how to see quickly that none begins at a place.
#[derive(Debug, Default)]
pub(super) struct Finder {
    sorted: Strings,
    /// For each of `sorted`, its number among the texts given.
    numbers: Vec<u32>,
    /// For each of `sorted`, the longest of the others that it begins with.
    prefixes: Vec<Option<u32>>,
    /// Those of `sorted` that begin with the same two bytes, or are one byte.
    by_start: FxHashMap<u16, (u32, u32)>,
    /// Those that begin with the same head, where the filter knows heads: one or two among a hundred thousand words.
    by_head: FxHashMap<u64, (u32, u32)>,
    filter: Filter,
}

#[derive(Debug, Default)]
enum Filter {
    #[default]
    Nothing,
    FirstBytes(Vec<u8>),
    Heads(Heads),
}

#[derive(Debug)]
struct Heads {
    /// All texts but the short ones have so many bytes at least.
    bytes: usize,
    /// Bytes looked up at a time, at most `head`.
    stretch: usize,
    /// The stretches within the heads.
    stretches: Bits,
    whole: Bits,
    /// The first bytes of texts below [`SHORTEST_HEAD`], if there are any.
    short: Option<Box<[bool; 256]>>,
}

impl Finder {
    /// No text may be empty. Of two equal texts the first is found.
    pub(super) fn new(texts: impl Iterator<Item = String>) -> Self {
        let mut texts: Vec<(String, u32)> = texts.zip(0..).collect();
        // By number where they are equal.
        texts.sort_unstable();
        texts.dedup_by(|later, first| later.0 == first.0);
        let numbers = texts.iter().map(|&(_, number)| number).collect();
        let sorted: Strings = texts.iter().map(|(text, _)| text).collect();

        let mut prefixes = Vec::with_capacity(texts.len());
        let mut open: Vec<u32> = Vec::new();
        for ((text, _), at) in texts.iter().zip(0_u32..) {
            while open
                .pop_if(|&mut last| !text.starts_with(&texts[last as usize].0))
                .is_some()
            {}
            prefixes.push(open.last().copied());
            open.push(at);
        }

        let mut by_start = FxHashMap::default();
        let mut first_bytes: Vec<u8> = Vec::new();
        for (text, at) in sorted.iter().zip(0_u32..) {
            by_start.entry(start_of(text)).or_insert((at, at)).1 = at + 1;
            first_bytes.extend(text.first());
        }
        first_bytes.dedup();
        let filter = match first_bytes.len() {
            0 => Filter::Nothing,
            1..=FEW_FIRST_BYTES => Filter::FirstBytes(first_bytes),
            _ => Filter::Heads(Heads::new(&sorted)),
        };
        let mut by_head = FxHashMap::default();
        if let Filter::Heads(heads) = &filter {
            for (text, at) in sorted.iter().zip(0_u32..) {
                if text.len() >= SHORTEST_HEAD {
                    by_head.entry(number_of(text, heads.bytes)).or_insert((at, at)).1 = at + 1;
                }
            }
        }
        Self {
            sorted,
            numbers,
            prefixes,
            by_start,
            by_head,
            filter,
        }
    }

    /// The next of the texts in `text` from byte `from` on: where it starts and ends, and its number.
    pub(super) fn next(&self, text: &[u8], mut from: usize) -> Option<(usize, usize, usize)> {
        loop {
            let at = match &self.filter {
                Filter::Nothing => return None,
                Filter::FirstBytes(bytes) => from + first_of(bytes, text.get(from..)?)?,
                Filter::Heads(heads) => heads.next(text, from)?,
            };
            if let Some(place) = self.longest_at(&text[at..]) {
                let bytes = self.sorted.get(place)?.len();
                return Some((at, at + bytes, self.numbers[place] as usize));
            }
            from = at + 1;
        }
    }

    /// The place in `sorted` of the longest text that `text` begins with.
    fn longest_at(&self, text: &[u8]) -> Option<usize> {
        if let Filter::Heads(heads) = &self.filter {
            let same_head = (text.len() >= heads.bytes)
                .then(|| self.by_head.get(&number_of(text, heads.bytes)))
                .flatten();
            if let Some(place) = same_head.and_then(|&range| self.longest_among(range, text)) {
                return Some(place);
            }
            // What is left are the short ones.
            heads.short.as_ref()?;
        }
        [start_of(text), start_of(&text[..1])]
            .iter()
            .find_map(|start| self.longest_among(*self.by_start.get(start)?, text))
    }

    /// The same, of those that stand in `sorted` from `first` up to `end`.
    fn longest_among(&self, (first, end): (u32, u32), text: &[u8]) -> Option<usize> {
        // The last that is not above `text` begins with the answer, or is it.
        let (mut low, mut high) = (first as usize, end as usize);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.sorted.get(middle)? <= text {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut place = low.checked_sub(1).filter(|&place| place >= first as usize)?;
        while !text.starts_with(self.sorted.get(place)?) {
            place = self.prefixes[place]? as usize;
        }
        Some(place)
    }
}

/// The first two bytes of `text` as a number; of one byte a number that no two have, since UTF-8 has no byte 0xff.
fn start_of(text: &[u8]) -> u16 {
    let second = text.get(1).copied().unwrap_or(0xff);
    u16::from_be_bytes([text[0], second])
}

/// Where the first of `bytes` stands in `text`.
fn first_of(bytes: &[u8], text: &[u8]) -> Option<usize> {
    match *bytes {
        [one] => memchr::memchr(one, text),
        [one, two] => memchr::memchr2(one, two, text),
        [one, two, three] => memchr::memchr3(one, two, three, text),
        _ => text.iter().position(|byte| bytes.contains(byte)),
    }
}

impl Heads {
    fn new(texts: &Strings) -> Self {
        let long = || texts.iter().filter(|text| text.len() >= SHORTEST_HEAD);
        let head = long()
            .map(<[u8]>::len)
            .min()
            .unwrap_or(LONGEST_HEAD)
            .min(LONGEST_HEAD);
        let stretch = head.min(LONGEST_STRETCH);
        let count = long().count();
        let mut heads = Bits::for_entries(count);
        let mut stretches = Bits::for_entries(count * (head - stretch + 1));
        for text in long() {
            heads.set(number_of(text, head));
            for window in text[..head].windows(stretch) {
                stretches.set(number_of(window, stretch));
            }
        }
        let mut short = None;
        for text in texts.iter().filter(|text| text.len() < SHORTEST_HEAD) {
            let first = short.get_or_insert_with(|| Box::new([false; 256]));
            first[usize::from(text[0])] = true;
        }
        Self {
            bytes: head,
            stretch,
            stretches,
            whole: heads,
            short,
        }
    }

    /// The next place from `from` on where one may begin.
    fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        match &self.short {
            None => self.next_long(text, from),
            Some(short) => {
                (from..text.len()).find(|&at| short[usize::from(text[at])] || self.is_head(text, at))
            }
        }
    }

    fn next_long(&self, text: &[u8], mut at: usize) -> Option<usize> {
        // From a stretch that no head holds, the next head begins behind where it begins.
        let (last, stretch) = (self.bytes - self.stretch, self.stretch);
        while at + self.bytes <= text.len() {
            let window = &text[at + last..];
            let number = match window.first_chunk() {
                Some(&chunk) => u64::from_le_bytes(chunk) << (64 - 8 * stretch),
                None => number_of(window, stretch),
            };
            if !self.stretches.has(number) {
                at += last + 1;
            } else if self.is_head(text, at) {
                return Some(at);
            } else {
                at += 1;
            }
        }
        None
    }

    fn is_head(&self, text: &[u8], at: usize) -> bool {
        text.len() - at >= self.bytes && self.whole.has(number_of(&text[at..], self.bytes))
    }
}

/// The first `bytes` of `text`, at most 8, as a number.
#[inline]
fn number_of(text: &[u8], bytes: usize) -> u64 {
    let chunk = text.first_chunk().copied().unwrap_or_else(|| {
        let mut chunk = [0; 8];
        chunk[..text.len()].copy_from_slice(text);
        chunk
    });
    u64::from_le_bytes(chunk) << (64 - 8 * bytes)
}

/// A set of numbers that holds others too, one in 8 at most.
/// A set of numbers that may hold some it was not given: each is two bits of one word, found by one load.
///
/// Source: Putze, Sanders and Singler 2007, "Cache-, hash- and space-efficient Bloom filters", section 3.
#[derive(Debug)]
struct Bits {
    words: Table<u64>,
    shift: u32,
}

impl Bits {
    fn for_entries(entries: usize) -> Self {
        let words = (entries * BITS_PER_ENTRY / 64).next_power_of_two().max(64);
        Self {
            words: Table::filled(0, words),
            shift: u64::BITS - words.trailing_zeros(),
        }
    }

    fn set(&mut self, number: u64) {
        let (word, bits) = self.place_of(number);
        self.words[word] |= bits;
    }

    #[inline]
    fn has(&self, number: u64) -> bool {
        let (word, bits) = self.place_of(number);
        self.words[word] & bits == bits
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a hash is cut to the size of the table"
    )]
    fn place_of(&self, number: u64) -> (usize, u64) {
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bit = |below: u32| 1 << (hash >> (self.shift - below) & 63);
        ((hash >> self.shift) as usize, bit(6) | bit(12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random;

    /// At each place the longest, the first of equals; then on behind it.
    fn by_definition(texts: &[String], text: &str) -> Vec<(usize, usize, usize)> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let here = texts
                .iter()
                .enumerate()
                .filter(|(_, one)| text.as_bytes()[at..].starts_with(one.as_bytes()));
            let longest = here.rev().max_by_key(|(_, one)| one.len());
            match longest {
                Some((number, one)) => {
                    found.push((at, at + one.len(), number));
                    at += one.len();
                }
                None => at += 1,
            }
        }
        found
    }

    fn found(finder: &Finder, text: &str) -> Vec<(usize, usize, usize)> {
        let mut from = 0;
        std::iter::from_fn(|| {
            let found = finder.next(text.as_bytes(), from)?;
            from = found.1;
            Some(found)
        })
        .collect()
    }

    #[test]
    fn the_leftmost_longest_is_found_whatever_the_filter() {
        let mut random = random::<usize>(11);
        let letters = ["a", "b", "<", "\u{e9}", "\u{4e2d}", "|", " ", "c", "d"];
        for round in 0..600 {
            let alphabet = 1 + round % letters.len();
            let mut text =
                |most: usize| -> String { (0..=random(most)).map(|_| letters[random(alphabet)]).collect() };
            let texts: Vec<String> = (0..=round % 40).map(|_| text(1 + round % 9)).collect();
            let finder = Finder::new(texts.iter().cloned());
            for _ in 0..20 {
                let text = text(60);
                assert_eq!(
                    found(&finder, &text),
                    by_definition(&texts, &text),
                    "{texts:?} in {text:?}"
                );
            }
        }
    }

    /// Long texts, among which nearly every place is passed over.
    #[test]
    fn long_texts_are_found_behind_what_is_passed_over() {
        let texts: Vec<String> = (0..500_usize)
            .map(|number| format!("{}{number:05}", ["token", "mark", "x", "\u{4e2d}"][number % 4]))
            .collect();
        let finder = Finder::new(texts.iter().cloned());
        assert!(matches!(&finder.filter, Filter::Heads(heads) if heads.stretch < heads.bytes));
        let mut text = String::new();
        for (number, one) in texts.iter().enumerate() {
            text.push_str(&"some other tok text marx "[..number % 20]);
            text.push_str(one);
        }
        assert_eq!(found(&finder, &text), by_definition(&texts, &text));
        assert_eq!(found(&finder, &text).len(), 500);
    }

    #[test]
    fn nothing_is_found_where_nothing_is_looked_for() {
        assert_eq!(Finder::default().next(b"text", 0), None);
        assert_eq!(Finder::new(std::iter::empty()).next(b"text", 0), None);
    }
}
