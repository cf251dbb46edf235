//! The keys of a line: where they stand, and what those of the line before were.

use crate::plain::plain_length;

/// The keys of the objects that are open, innermost last. It is made once and used for line after line.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) places: Vec<Key>,
    /// Keys that had escapes, and those that were not compared because the shape had them.
    pub(super) unescaped: Vec<u8>,
    pub(super) shape: Shape,
}

/// Where a key stands: on the line, or among the unescaped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_unescaped: bool,
}

/// The keys of an earlier line, in their order: lines of one file are mostly alike, and then a key costs one comparison.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// `"key":`, one behind the other.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// How often a line was of another shape.
    misses: u32,
}

impl Shape {
    /// What the key of this number looks like with quotes and colon.
    #[inline]
    fn member(&self, number: usize) -> Option<&[u8]> {
        let end = *self.ends.get(number)?;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        Some(&self.bytes[start..end])
    }

    /// How long the key of this number is with quotes and colon, if `rest` begins with it.
    #[inline]
    pub(super) fn length_of(&self, number: usize, rest: &[u8]) -> Option<usize> {
        let end = *self.ends.get(number)?;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        let length = end - start;
        let both = (rest.first_chunk::<16>(), self.bytes[start..].first_chunk::<16>());
        let is_there = if let (Some(found), Some(known)) = both
            && length <= 16
        {
            let differ = u128::from_le_bytes(*found) ^ u128::from_le_bytes(*known);
            differ << (128 - 8 * length) == 0
        } else {
            rest.starts_with(&self.bytes[start..end])
        };
        is_there.then_some(length)
    }

    /// Whether another shape should be learned: ever more seldom, if there is none.
    pub(super) fn is_worn(&mut self) -> bool {
        self.misses = self.misses.wrapping_add(1);
        self.misses.is_power_of_two() || self.misses.is_multiple_of(64)
    }
}

impl Keys {
    /// The first keys were those of the shape; from here on they are compared.
    pub(super) fn recall(&mut self, count: usize) {
        let Keys {
            places,
            unescaped,
            shape,
        } = self;
        for number in 0..count {
            let Some([b'"', key @ .., b'"', b':']) = shape.member(number) else {
                continue;
            };
            let start = unescaped.len();
            unescaped.extend_from_slice(key);
            places.push(Key {
                start,
                end: unescaped.len(),
                is_unescaped: true,
            });
        }
    }

    /// Makes the keys of this line the shape; one with escapes ends it.
    pub(super) fn learn(&mut self, line: &[u8]) {
        let Keys {
            places,
            unescaped,
            shape,
        } = self;
        shape.bytes.clear();
        shape.ends.clear();
        for key in places {
            let home = if key.is_unescaped { &*unescaped } else { line };
            let name = &home[key.start..key.end];
            if plain_length(name) < name.len() {
                break;
            }
            shape.bytes.push(b'"');
            shape.bytes.extend_from_slice(name);
            shape.bytes.extend_from_slice(b"\":");
            shape.ends.push(shape.bytes.len());
        }
        // So that sixteen bytes can be taken wherever a key begins.
        shape.bytes.extend([0; 16]);
    }
}

/// Whether a key is the wanted one; most differ in the first byte, which is seen without a call.
#[inline]
pub(super) fn is_same(wanted: &str, key: &[u8]) -> bool {
    wanted.as_bytes().first() == key.first() && wanted.as_bytes() == key
}
