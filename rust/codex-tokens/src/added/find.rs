//! Many texts looked for at once: the leftmost, and of those at one place the longest.
//!
//! Nearly no place of a text begins one of them, so the search is a filter: for their first bytes if these are few, otherwise for
//! what they begin with. Where the filter says yes, the sorted texts are asked.

use super::heads::{Heads, SHORTEST_HEAD, number_of};
use crate::vocabulary::Strings;
use rustc_hash::FxHashMap;

/// Up to so many different first bytes the search is for those.
const FEW_FIRST_BYTES: usize = 3;

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
        let longest_at = |at: usize| self.longest_at(&text[at..]);
        let (at, place) = match &self.filter {
            Filter::Nothing => None,
            Filter::FirstBytes(bytes) => loop {
                let at = from + first_of(bytes, text.get(from..)?)?;
                if let Some(place) = longest_at(at) {
                    break Some((at, place));
                }
                from = at + 1;
            },
            Filter::Heads(heads) => heads.find(text, from, longest_at),
        }?;
        let bytes = self.sorted.get(place)?.len();
        Some((at, at + bytes, self.numbers[place] as usize))
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
            if heads.short.is_empty() {
                return None;
            }
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
        assert!(matches!(&finder.filter, Filter::Heads(heads) if heads.bytes > SHORTEST_HEAD));
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
