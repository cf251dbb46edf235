//! Many texts looked for at once: the leftmost, and of those at one place the longest.
//!
//! Nearly no place of a text begins one of them, so the search is a filter: the first byte if few begin them, otherwise a bit for
//! the hash of four bytes. Where the filter says yes, the sorted texts are asked.

use crate::vocabulary::Strings;
use rustc_hash::FxHashMap;

/// Up to so many different first bytes the search is for those.
const FEW_FIRST_BYTES: usize = 3;

/// Bytes of a text that its hash is taken of.
const HEAD_BYTES: usize = 4;

/// Bits in the filter: 32 KB, which stay near the processor.
const FILTER_BITS: u32 = 18;

/// The texts, sorted, and how to see quickly that none begins at a place.
#[derive(Debug, Default)]
pub(super) struct Finder {
    sorted: Strings,
    /// For each of `sorted`, its number among the texts given.
    numbers: Vec<u32>,
    /// For each of `sorted`, the longest of the others that it begins with.
    prefixes: Vec<Option<u32>>,
    /// Those of `sorted` that share their first bytes.
    heads: FxHashMap<u32, (u32, u32)>,
    filter: Filter,
    /// Lengths below [`HEAD_BYTES`] that occur.
    short_lengths: Vec<usize>,
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
    bits: Vec<u64>,
    /// Bytes that begin a text shorter than [`HEAD_BYTES`].
    short: Box<[bool; 256]>,
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

        let mut heads = FxHashMap::default();
        let mut first_bytes: Vec<u8> = Vec::new();
        let mut short_lengths: Vec<usize> = Vec::new();
        for (text, at) in sorted.iter().zip(0_u32..) {
            heads.entry(head_of(text)).or_insert((at, at)).1 = at + 1;
            first_bytes.extend(text.first());
            short_lengths.extend((text.len() < HEAD_BYTES).then_some(text.len()));
        }
        first_bytes.dedup();
        short_lengths.sort_unstable();
        short_lengths.dedup();
        let filter = match first_bytes.len() {
            0 => Filter::Nothing,
            1..=FEW_FIRST_BYTES => Filter::FirstBytes(first_bytes),
            _ => Filter::Heads(Heads::new(&sorted)),
        };
        Self {
            sorted,
            numbers,
            prefixes,
            heads,
            filter,
            short_lengths,
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
        let long = text
            .get(..HEAD_BYTES)
            .and_then(|head| self.longest_under(head, text));
        // Those shorter than a head stand under what they are.
        let short = || {
            let lengths = self.short_lengths.iter().rev();
            lengths
                .filter_map(|&length| self.longest_under(text.get(..length)?, text))
                .next()
        };
        long.or_else(short)
    }

    /// The same, of those that have this head.
    fn longest_under(&self, head: &[u8], text: &[u8]) -> Option<usize> {
        let &(start, end) = self.heads.get(&head_of(head))?;
        // The last that is not above `text` begins with the answer, or is it.
        let (mut low, mut high) = (start as usize, end as usize);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.sorted.get(middle)? <= text {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut place = low.checked_sub(1).filter(|&place| place >= start as usize)?;
        while !text.starts_with(self.sorted.get(place)?) {
            place = self.prefixes[place]? as usize;
        }
        Some(place)
    }
}

/// The first bytes of `text` as a number; of a shorter text all of them, and their number, which no longer one can have.
fn head_of(text: &[u8]) -> u32 {
    match text.first_chunk() {
        Some(&head) => u32::from_le_bytes(head),
        None => {
            // UTF-8 has no byte 0xff, so no head of four bytes ends with one.
            let mut head = [0xff; HEAD_BYTES];
            head[..text.len()].copy_from_slice(text);
            u32::from_le_bytes(head)
        }
    }
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
        let mut bits = vec![0; 1 << (FILTER_BITS - 6)];
        let mut short = Box::new([false; 256]);
        for text in texts.iter() {
            if text.len() < HEAD_BYTES {
                short[usize::from(text[0])] = true;
            } else {
                let bit = bit_of(head_of(text));
                bits[bit >> 6] |= 1 << (bit & 63);
            }
        }
        Self { bits, short }
    }

    /// The next place from `from` on where one may begin.
    fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        for (at, window) in rest.windows(HEAD_BYTES).enumerate() {
            let bit = bit_of(head_of(window));
            if self.bits[bit >> 6] >> (bit & 63) & 1 == 1 || self.short[usize::from(window[0])] {
                return Some(from + at);
            }
        }
        let tail = rest.len().saturating_sub(HEAD_BYTES - 1);
        let short = rest[tail..]
            .iter()
            .position(|&byte| self.short[usize::from(byte)]);
        short.map(|at| from + tail + at)
    }
}

#[inline]
fn bit_of(head: u32) -> usize {
    (head.wrapping_mul(0x9e37_79b1) >> (u32::BITS - FILTER_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut state = 11_usize;
        let mut random = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let letters = ["a", "b", "<", "\u{e9}", "\u{4e2d}", "|", " ", "c", "d"];
        for round in 0..600 {
            let alphabet = 1 + round % letters.len();
            let mut text =
                |most: usize| -> String { (0..=random(most)).map(|_| letters[random(alphabet)]).collect() };
            let texts: Vec<String> = (0..1 + round % 40).map(|_| text(1 + round % 9)).collect();
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

    #[test]
    fn nothing_is_found_where_nothing_is_looked_for() {
        assert_eq!(Finder::default().next(b"text", 0), None);
        assert_eq!(Finder::new(std::iter::empty()).next(b"text", 0), None);
    }
}
