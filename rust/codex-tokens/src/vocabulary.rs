//! The tokens of a vocabulary by id, and the search for one by its spelling.

use crate::pages::{Table, prefetch};
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Strings of bytes one behind the other: one allocation for all, whatever their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Strings {
    /// What [`Strings::parts`] gave; `ends` must ascend and end with the length of `bytes`.
    pub(crate) fn from_parts(bytes: Vec<u8>, ends: Vec<u32>) -> Option<Self> {
        let ascends = ends.windows(2).all(|pair| pair[0] <= pair[1]);
        let is_whole = ends.last().map_or(0, |&end| end as usize) == bytes.len();
        (ascends && is_whole).then_some(Self { bytes, ends })
    }

    pub(crate) fn parts(&self) -> (&[u8], &[u32]) {
        (&self.bytes, &self.ends)
    }

    /// Appends `string`. The vocabularies read here are files below 4 GB, so places fit 32 bits.
    pub(crate) fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.ends
            .push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(&self.bytes[start..end])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(&start, &end)| &self.bytes[start as usize..end as usize])
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Strings {
    fn from_iter<I: IntoIterator<Item = T>>(strings: I) -> Self {
        let mut all = Self::default();
        for string in strings {
            all.push(string.as_ref());
        }
        all
    }
}

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A stretch of bytes that text is made of, not necessarily whole characters.
    Ordinary,
    /// An entry of the vocabulary that no text can spell, or an added token that stands in the vocabulary too.
    Text,
    /// An added token that the vocabulary does not hold.
    Added,
    /// Nothing: a hole between tokens, as published vocabularies have below their special tokens.
    Unused,
}

impl Kind {
    pub(crate) fn of(number: u8) -> Option<Self> {
        [Self::Ordinary, Self::Text, Self::Added, Self::Unused]
            .into_iter()
            .find(|&kind| kind as u8 == number)
    }
}

/// The tokens by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vocabulary {
    /// What each token decodes to.
    pub(crate) bytes: Strings,
    pub(crate) kinds: Vec<Kind>,
    /// How each is spelt in the file, where that does not follow from its bytes: not for byte-level vocabularies.
    pub(crate) spellings: Option<Strings>,
}

impl Vocabulary {
    pub(crate) fn push(&mut self, bytes: &[u8], kind: Kind) {
        self.bytes.push(bytes);
        self.kinds.push(kind);
    }

    /// The number of ids, holes among them.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The bytes that `id` stands for, if it stands for anything.
    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&[u8]> {
        let at = id as usize;
        let bytes = self.bytes.get(at)?;
        // Only a hole and nothing else is empty in most vocabularies, so the kind is seldom asked for.
        (!bytes.is_empty() || self.kinds[at] != Kind::Unused).then_some(bytes)
    }

    /// The tokens of `kind` with their ids.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (u32, &[u8])> {
        (0..)
            .zip(self.bytes.iter().zip(&self.kinds))
            .filter_map(move |(id, (bytes, &other))| (other == kind).then_some((id, bytes)))
    }
}

/// Where a string stands in [`Strings`]: open addressing, half of it empty. Short strings, which most are, stand in the table
/// itself, so that one costs one look at memory.
#[derive(Debug)]
pub(crate) struct Index {
    slots: Table<Slot>,
    filled: usize,
    shift: u32,
}

/// The parts of a [`Key`], and the place of its string.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    head: u64,
    tail: u32,
    /// One above the place; 0 in an empty slot.
    place: u32,
}

const _: () = assert!(size_of::<Slot>() == 16);

/// Up to [`Key::WHOLE_BYTES`] bytes and, on top of `tail`, their number; of a longer string a hash, and a top of all ones.
#[derive(Clone, Copy, Debug)]
struct Key {
    head: u64,
    tail: u32,
}

impl Key {
    const WHOLE_BYTES: usize = 11;
    const LONG: u32 = 0xff << 24;

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a short length fits, a long one is cut on purpose"
    )]
    fn of(string: &[u8]) -> Self {
        let count = string.len();
        if count > Self::WHOLE_BYTES {
            let mut hasher = FxHasher::default();
            hasher.write(string);
            return Self {
                head: hasher.finish(),
                tail: Self::LONG | count as u32 & !Self::LONG,
            };
        }
        let (head, tail) = string.split_at(count.min(8));
        Self {
            head: number_of(head),
            tail: number_of(tail) as u32 | (count as u32) << 24,
        }
    }

    fn is_whole(self) -> bool {
        self.tail < Self::LONG
    }
}

/// Up to eight bytes, the first of them lowest, followed by zeros.
#[inline]
fn number_of(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        // The two may overlap, where they are the same.
        (Some(&first), Some(&last)) => {
            u64::from(u32::from_le_bytes(first))
                | u64::from(u32::from_le_bytes(last)) << (8 * (bytes.len() - 4))
        }
        _ => bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)),
    }
}

impl Default for Index {
    fn default() -> Self {
        let mut empty = Self {
            slots: Table::default(),
            filled: 0,
            shift: 0,
        };
        empty.resize(1 << 10);
        empty
    }
}

impl Index {
    /// Notes where the last of `strings` stands; the place where it stood before, if it did.
    pub(crate) fn insert_last(&mut self, strings: &Strings) -> Option<usize> {
        if self.filled * 2 >= self.slots.len() {
            self.grow();
        }
        let last = strings.len() - 1;
        let string = strings.get(last)?;
        let key = Key::of(string);
        let slot = self.slot_of(key, |place| strings.get(place) == Some(string));
        if self.slots[slot].place != 0 {
            return Some(self.slots[slot].place as usize - 1);
        }
        let place = u32::try_from(strings.len()).unwrap_or(u32::MAX);
        let Key { head, tail } = key;
        self.slots[slot] = Slot { head, tail, place };
        self.filled += 1;
        None
    }

    /// Asks the processor for where `string` is looked for, which is soon.
    #[inline]
    pub(crate) fn prefetch(&self, string: &[u8]) {
        prefetch(&self.slots[self.start_of(Key::of(string))]);
    }

    /// The place of `string` in `strings`.
    #[inline]
    pub(crate) fn get(&self, strings: &Strings, string: &[u8]) -> Option<usize> {
        let slot = self.slot_of(Key::of(string), |place| strings.get(place) == Some(string));
        (self.slots[slot].place as usize).checked_sub(1)
    }

    /// The slot of the string that has `key`, or the empty one where it belongs. `is_it` tells of a place whether a long string
    /// stands there.
    #[inline]
    fn slot_of(&self, key: Key, is_it: impl Fn(usize) -> bool) -> usize {
        let mut at = self.start_of(key);
        loop {
            let slot = self.slots[at];
            let is_alike = slot.head == key.head && slot.tail == key.tail;
            if slot.place == 0 || is_alike && (key.is_whole() || is_it(slot.place as usize - 1)) {
                return at;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a hash is cut to the size of the table"
    )]
    fn start_of(&self, key: Key) -> usize {
        let mixed = (key.head ^ u64::from(key.tail).wrapping_mul(0xd1b5_4a32_d192_ed03))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ mixed >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    fn grow(&mut self) {
        let smaller = std::mem::take(&mut self.slots);
        self.resize(smaller.len() * 2);
        for &slot in smaller.iter().filter(|slot| slot.place != 0) {
            // All are different, so the first empty one is the place.
            let mut at = self.start_of(Key {
                head: slot.head,
                tail: slot.tail,
            });
            while self.slots[at].place != 0 {
                at = (at + 1) & (self.slots.len() - 1);
            }
            self.slots[at] = slot;
        }
    }

    fn resize(&mut self, slots: usize) {
        self.slots = Table::filled(Slot::default(), slots);
        self.shift = u64::BITS - slots.trailing_zeros();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_is_found_where_it_stands_and_no_other() {
        let (mut strings, mut index) = (Strings::default(), Index::default());
        for number in 0..5000_u32 {
            let bytes: Vec<u8> = number
                .to_le_bytes()
                .into_iter()
                .cycle()
                .take(1 + number as usize % 20)
                .collect();
            strings.push(&bytes);
            let place = index.insert_last(&strings);
            let first = strings
                .iter()
                .position(|string| Some(string) == strings.get(number as usize));
            assert_eq!(place, first.filter(|&first| first != number as usize));
        }
        for string in strings.iter() {
            assert_eq!(
                index.get(&strings, string).and_then(|at| strings.get(at)),
                Some(string)
            );
        }
        assert_eq!(index.get(&strings, b"no such string"), None);
    }

    #[test]
    fn strings_come_back_from_their_parts_and_from_no_others() {
        let strings: Strings = ["a", "", "bc"].into_iter().collect();
        let (bytes, ends) = strings.parts();
        assert_eq!(
            Strings::from_parts(bytes.to_vec(), ends.to_vec()),
            Some(strings.clone())
        );
        assert_eq!(Strings::from_parts(bytes.to_vec(), vec![1, 0, 3]), None);
        assert_eq!(Strings::from_parts(bytes.to_vec(), vec![1, 2]), None);
        assert_eq!(
            (strings.len(), strings.get(1), strings.get(3)),
            (3, Some(b"".as_slice()), None)
        );
    }
}
