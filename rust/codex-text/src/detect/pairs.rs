//! Pairs of neighbouring bytes, with how often each occurs.

use super::model::{SPACE, shared_class};
use super::single::Family;

/// What readings are compared by.
#[derive(Debug)]
pub(crate) struct Pairs {
    /// Pairs that encodings read differently, the frequent ones first, so that a bad reading soon falls behind.
    pub(crate) read: Vec<(u8, u8, u32)>,
    /// How often each byte outside ASCII is the second of a pair.
    pub(crate) next: Vec<(u8, u32)>,
    /// Pairs with a letter of ASCII, by their classes.
    pub(crate) ascii: Vec<(u8, u8, u32)>,
}

impl Pairs {
    pub(crate) fn of(evidence: &[u8], family: Family) -> Self {
        let is_class = |byte: u8| family == Family::Ascii && byte.is_ascii();
        let end = (family == Family::Ascii).then_some(b'\n');
        // A square of the bytes that occur is small; one of all bytes would have to be cleared for every text.
        let mut places = [usize::MAX; 256];
        let mut bytes = Vec::new();
        for byte in evidence.iter().copied().chain([b'\n']) {
            if places[usize::from(byte)] == usize::MAX {
                places[usize::from(byte)] = bytes.len();
                bytes.push(byte);
            }
        }
        let size = bytes.len();
        let mut counts = vec![0u32; size * size];
        let mut this = places[usize::from(b'\n')];
        for next in evidence.iter().copied().chain(end) {
            let next = places[usize::from(next)];
            counts[this * size + next] += 1;
            this = next;
        }
        let mut classes = [[0u32; SPACE as usize + 6]; SPACE as usize + 6];
        let mut nexts = [0u32; 256];
        let mut read = Vec::new();
        for (a, row) in bytes.iter().zip(counts.chunks(size)) {
            for (b, count) in bytes.iter().zip(row).filter(|(_, count)| **count > 0) {
                if is_class(*a) && is_class(*b) {
                    classes[usize::from(shared_class(*a))][usize::from(shared_class(*b))] += count;
                } else {
                    nexts[usize::from(*b)] += if is_class(*b) { 0 } else { *count };
                    read.push((*a, *b, *count));
                }
            }
        }
        read.sort_unstable_by_key(|(a, b, count)| (std::cmp::Reverse(*count), *a, *b));
        let is_letter = |class: u8| class < SPACE;
        let all = (0..)
            .zip(&classes)
            .flat_map(|(a, row)| (0..).zip(row).map(move |(b, count)| (a, b, *count)));
        Self {
            read,
            next: (0..=u8::MAX).zip(nexts).filter(|(_, count)| *count > 0).collect(),
            ascii: all
                .filter(|(a, b, count)| *count > 0 && (is_letter(*a) || is_letter(*b)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_with_a_high_byte_are_kept_and_the_others_are_classes() {
        let pairs = Pairs::of(b"a\xe9a\xe9 b1", Family::Ascii);
        assert_eq!(pairs.read, [(b'a', 0xe9, 2), (0xe9, b' ', 1), (0xe9, b'a', 1)]);
        assert_eq!(pairs.next, [(0xe9, 2)]);
        let (a, b) = (0, 1);
        assert_eq!(pairs.ascii, [(b, 27, 1), (SPACE, a, 1), (SPACE, b, 1)]);
    }

    #[test]
    fn every_pair_of_ebcdic_is_kept() {
        let pairs = Pairs::of(b"\x81\x40\x81", Family::Ebcdic);
        assert_eq!(pairs.read, [(b'\n', 0x81, 1), (0x40, 0x81, 1), (0x81, 0x40, 1)]);
        assert_eq!(pairs.next, [(0x40, 1), (0x81, 2)]);
        assert!(pairs.ascii.is_empty());
    }

    #[test]
    fn no_evidence_has_one_pair_at_most() {
        assert_eq!(Pairs::of(b"", Family::Ascii).ascii, []);
        assert!(Pairs::of(b"", Family::Ebcdic).read.is_empty());
    }
}
