//! The tokens of a vocabulary by id, and the search for one by its spelling.

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

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
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

/// Where a string stands in [`Strings`]: open addressing, half of it empty, eight bytes a string.
#[derive(Debug)]
pub(crate) struct Index {
    /// The hash above, the place and one below; 0 is empty.
    slots: Vec<u64>,
    filled: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            slots: vec![0; 1 << 10],
            filled: 0,
        }
    }
}

impl Index {
    /// Notes that `string` stands at the end of `strings`, which it does already; the place where it stood before, if it did.
    pub(crate) fn insert_last(&mut self, strings: &Strings) -> Option<usize> {
        if self.filled * 2 >= self.slots.len() {
            self.grow();
        }
        let last = strings.len() - 1;
        let string = strings.get(last)?;
        let (slot, found) = self.find(strings, string);
        if found.is_none() {
            self.slots[slot] = hash_of(string) << 32 | (last as u64 + 1);
            self.filled += 1;
        }
        found
    }

    /// The place of `string` in `strings`.
    #[inline]
    pub(crate) fn get(&self, strings: &Strings, string: &[u8]) -> Option<usize> {
        self.find(strings, string).1
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "an entry is cut into its parts")]
    fn find(&self, strings: &Strings, string: &[u8]) -> (usize, Option<usize>) {
        let mask = self.slots.len() - 1;
        let hash = hash_of(string);
        let mut slot = hash as usize & mask;
        loop {
            let entry = self.slots[slot];
            if entry == 0 {
                return (slot, None);
            }
            let place = entry as u32 as usize - 1;
            if entry >> 32 == hash && strings.get(place) == Some(string) {
                return (slot, Some(place));
            }
            slot = (slot + 1) & mask;
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a hash is cut to the size of the table"
    )]
    fn grow(&mut self) {
        let mask = self.slots.len() * 4 - 1;
        let smaller = std::mem::replace(&mut self.slots, vec![0; mask + 1]);
        for entry in smaller.into_iter().filter(|&entry| entry != 0) {
            let mut slot = (entry >> 32) as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = entry;
        }
    }
}

/// 32 bits of hash.
#[inline]
fn hash_of(string: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(string);
    hasher.finish() >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_is_found_where_it_stands_and_no_other() {
        let (mut strings, mut index) = (Strings::default(), Index::default());
        for number in 0..5000_u32 {
            strings.push(&number.to_le_bytes()[..1 + number as usize % 4]);
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
