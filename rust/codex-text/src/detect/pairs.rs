//! Pairs of neighbouring bytes, with how often each occurs.

use std::cell::OnceCell;
use std::cmp::Reverse;

use super::candidates::Family;
use super::model::{FOREIGN, SPACE, shared_class};
use super::passage::Passage;

/// What readings are compared by.
#[derive(Debug)]
pub(crate) struct Pairs<'a> {
    passage: &'a Passage<'a>,
    family: Family,
    /// How often each byte that encodings read differently is the second of a pair.
    pub(crate) next: Vec<(u8, u32)>,
    /// How often each byte occurs.
    counts: [u32; 256],
    /// Pairs with a letter of ASCII, by their classes.
    pub(crate) ascii: Vec<(u8, u8, u32)>,
    read: OnceCell<Vec<(u8, u8, u32)>>,
}

impl<'a> Pairs<'a> {
    pub(crate) fn of(passage: &'a Passage, family: Family) -> Self {
        let mut classes = [[0u32; FOREIGN as usize + 1]; FOREIGN as usize + 1];
        let mut counts = [0u32; 256];
        let mut this = shared_class(END);
        for byte in passage.bytes {
            counts[usize::from(*byte)] += 1;
            let next = CLASSES[usize::from(*byte)];
            classes[usize::from(this)][usize::from(next)] += 1;
            this = next;
        }
        classes[usize::from(this)][usize::from(shared_class(END))] += 1;
        let mut ascii = Vec::new();
        for (a, row) in (0..FOREIGN).zip(&classes).filter(|_| family == Family::Ascii) {
            let nexts = if a < SPACE { FOREIGN } else { SPACE };
            let counted = (0..nexts).zip(row).filter(|(_, count)| **count > 0);
            ascii.extend(counted.map(|(b, count)| (a, b, *count)));
        }
        let next = (0..=u8::MAX).zip(counts).skip(family.first().into());
        Self {
            passage,
            family,
            next: next.filter(|(_, count)| *count > 0).collect(),
            counts,
            ascii,
            read: OnceCell::new(),
        }
    }

    /// Pairs that encodings read differently, the frequent ones first, so that a bad reading soon falls behind.
    pub(crate) fn read(&self) -> &[(u8, u8, u32)] {
        self.read.get_or_init(|| self.count_read())
    }

    fn count_read(&self) -> Vec<(u8, u8, u32)> {
        // A square of the bytes that occur is small; one of all bytes would have to be cleared for every text.
        let mut places = [0; 256];
        let mut size = 1; // of `END`
        for (place, _) in places.iter_mut().zip(self.counts).filter(|(_, count)| *count > 0) {
            *place = size;
            size += 1;
        }
        places[usize::from(END)] = 0;
        let place = |a: u8, b: u8| places[usize::from(a)] * size + places[usize::from(b)];
        let mut counts = vec![0u32; size * size];
        let mut found = vec![[0; 2]; 2 * self.passage.bytes.len() + 1];
        let mut kinds = 0;
        self.each_read(|a, b| {
            let count = &mut counts[place(a, b)];
            found[kinds] = [a, b]; // and again, until it is a new one
            kinds += usize::from(*count == 0);
            *count += 1;
        });
        let read = found[..kinds]
            .iter()
            .map(|[a, b]| (*a, *b, counts[place(*a, *b)]));
        let (mut read, seldom): (Vec<_>, Vec<_>) = read.partition(|(_, _, count)| *count > SELDOM);
        read.sort_unstable_by_key(|(_, _, count)| Reverse(*count));
        read.extend(seldom);
        read
    }

    /// Tells every pair that encodings read differently, as often as it occurs.
    fn each_read(&self, mut tell: impl FnMut(u8, u8)) {
        let bytes = self.passage.bytes;
        match self.family {
            Family::Ebcdic => {
                let mut before = END;
                for byte in bytes {
                    tell(std::mem::replace(&mut before, *byte), *byte);
                }
            }
            Family::Ascii => {
                let mut at = self.passage.next_high(0);
                while let Some(byte) = bytes.get(at) {
                    tell(at.checked_sub(1).map_or(END, |before| bytes[before]), *byte);
                    at += 1;
                    let after = bytes.get(at).copied().unwrap_or(END);
                    if after.is_ascii() {
                        tell(*byte, after);
                        at = self.passage.next_high(at);
                    }
                }
            }
        }
    }
}

/// What is before the first byte, and after the last where bytes may be ASCII.
const END: u8 = b'\n';
/// Pairs that occur so often at most are in no order.
const SELDOM: u32 = 2;

/// The class of each byte, `FOREIGN` outside ASCII.
static CLASSES: [u8; 256] = {
    let mut classes = [FOREIGN; 256];
    let mut byte = 0;
    while byte < 0x80 {
        classes[byte as usize] = shared_class(byte);
        byte += 1;
    }
    classes
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dice::dice;

    #[test]
    fn pairs_with_a_high_byte_are_kept_and_the_others_are_classes() {
        let passage = Passage::of(b"a\xe9a\xe9 b1");
        let pairs = Pairs::of(&passage, Family::Ascii);
        assert_eq!(pairs.read(), [(b'a', 0xe9, 2), (0xe9, b'a', 1), (0xe9, b' ', 1)]);
        assert_eq!(pairs.next, [(0xe9, 2)]);
        let (a, b) = (0, 1);
        assert_eq!(pairs.ascii, [(b, 27, 1), (SPACE, a, 1), (SPACE, b, 1)]);
    }

    #[test]
    fn every_pair_of_ebcdic_is_kept() {
        let passage = Passage::of(b"\x81\x40\x81");
        let pairs = Pairs::of(&passage, Family::Ebcdic);
        assert_eq!(pairs.read(), [(b'\n', 0x81, 1), (0x81, 0x40, 1), (0x40, 0x81, 1)]);
        assert_eq!(pairs.next, [(0x40, 1), (0x81, 2)]);
        assert!(pairs.ascii.is_empty());
    }

    #[test]
    fn any_bytes_are_counted_as_one_by_one() {
        let mut random = dice(9);
        for length in (0..80).chain([127, 128, 500]) {
            let bytes: Vec<u8> = (0..length).map(|_| b"ab \n\xe9\xe8\x80\xff"[random(8)]).collect();
            let passage = Passage::of(&bytes);
            for (family, end) in [(Family::Ascii, Some(END)), (Family::Ebcdic, None)] {
                let mut counts: BTreeMap<(u8, u8), u32> = BTreeMap::new();
                let mut before = END;
                for byte in bytes.iter().copied().chain(end) {
                    let pair = (std::mem::replace(&mut before, byte), byte);
                    if pair.0.max(pair.1) >= family.first() {
                        *counts.entry(pair).or_default() += 1;
                    }
                }
                let pairs = Pairs::of(&passage, family);
                let often = pairs.read().iter().take_while(|(.., count)| *count > SELDOM);
                assert!(often.is_sorted_by_key(|(.., count)| Reverse(*count)));
                let read = pairs.read().iter().map(|(a, b, count)| ((*a, *b), *count));
                assert_eq!(read.collect::<BTreeMap<_, _>>(), counts, "{bytes:x?} {family:?}");
                assert_eq!(pairs.read().len(), counts.len());
            }
        }
    }

    #[test]
    fn no_evidence_has_one_pair_at_most() {
        let passage = Passage::of(b"");
        assert_eq!(Pairs::of(&passage, Family::Ascii).ascii, []);
        assert!(Pairs::of(&passage, Family::Ebcdic).read().is_empty());
    }
}
